//! The `mapwave` command as a library, which the Python package runs, too.
//!
//! ```
//! let arguments = ["mapwave", "--version"].map(Into::into);
//! assert_eq!(mapwave_cli::run(arguments, &["mapwave".into()]), 0);
//! ```

mod command;
mod compare;
mod concat;
mod convert;
mod cut;
mod files;
mod format;
mod generate;
mod info;
mod interrupt;
mod loudness;
mod output;
mod place;
#[cfg(feature = "play")]
mod play;
mod plot;
mod plugins;
mod progress;
mod python;
mod reading;
mod split;
mod table;
mod tags;
mod time;
mod transfer;
mod verify;
mod writing;

pub use command::{Outcome, is_understood, run, run_or_hand_over};
