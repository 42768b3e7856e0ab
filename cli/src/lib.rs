//! The `mapwave` command as a library, which the Python package runs, too.
//!
//! ```
//! let arguments = ["mapwave", "--version"].map(Into::into);
//! assert_eq!(mapwave_cli::run(arguments, &["mapwave".into()], &[]), 0);
//! ```

mod command;
mod format;
mod info;
mod output;
mod plugins;
mod table;

pub use command::run;
