//! Checks that a plugin keeps the rules of the plugin interface.
//!
//! Every test runs in a process of its own, so that a crash, a hang or an `exit` is a verdict like any other, and what the
//! plugin writes to standard output or error is seen.

mod child;
mod context;
mod discovery;
mod guard_pages;
pub mod host;
mod linked_entry;
mod options;
mod process_state;
mod reference;
mod report;
mod run;
mod signal;
mod suite;
mod verdict;

pub use child::child;
pub use options::Options;
pub use report::{Report, Row, Summary};
pub use run::{check, check_entry};
pub use suite::plan::names as test_names;
pub use verdict::{Kind, Verdict};
