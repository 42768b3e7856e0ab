//! The `mapwave` command as a library, so that the Python package can run it as well.
//!
//! ```
//! let arguments = ["mapwave", "--version"].map(Into::into);
//! assert_eq!(mapwave_cli::run(arguments, &["mapwave".into()], &[]), 0);
//! ```

mod command;
mod plugins;

pub use command::run;
