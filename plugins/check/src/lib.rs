//! The conformance check of mapwave's plugin interface, for `cargo test` and for the command `mapwave plugins check`; and a
//! [`host`] for tests of your own.
//!
//! A plugin author needs one test. [`check_entry`] takes the entry function of a plugin that is linked into the test program,
//! [`check()`] the path of a shared library, which may be written in any language:
//!
//! ```
//! use mapwave_plugin_check::{Options, check_entry};
//!
//! # fn the_plugin_keeps_the_rules() -> std::io::Result<()> {
//! let options = Options { only: vec!["seek".into(), "round-trip".into()], ..Options::default() };
//! let report = check_entry(mapwave_qoa::entry, &options)?;
//! report.assert_passed();
//! assert_eq!(report.summary.failed, 0);
//! # Ok(())
//! # }
//! # the_plugin_keeps_the_rules().unwrap();
//! ```
//!
//! # Child processes
//!
//! Every test of the check runs in a process of its own, so that a crash, a hang or an `exit` is a verdict like any other, and
//! so that output to standard output or error is noticed. The check starts the current program again for each test, such that
//! it reaches the same call of [`check()`] or [`check_entry`]; there the child runs its test and exits:
//!
//! - Under the harness of `cargo test` and under nextest, the child runs only the test whose name the calling thread bears. So
//!   call the check on the test's own thread, and early: whatever comes before it runs in each child, too.
//! - In any other program, such as a test with `harness = false`, the child gets the arguments of its parent. Call [`child`]
//!   first in `main`.
//! - [`Options::child`] names another command, which must call [`child`].

mod child;
mod context;
mod discovery;
mod guard_pages;
pub mod host;
mod linked_entry;
mod options;
mod process_state;
mod pulse;
mod reference;
mod report;
mod run;
mod signal;
mod stack;
mod suite;
mod verdict;

pub use child::child;
pub use options::Options;
pub use report::{Report, Row, Summary};
pub use run::{check, check_entry};
pub use suite::plan::names as test_names;
pub use verdict::{Kind, Verdict};
