//! How a report is written.

use clap::{Args, ValueEnum};

/// The output of a list.
#[derive(Clone, Copy, Debug, Args)]
pub struct OutputArguments {
    /// Format of the report.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// Format of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table.
    Text,
    /// An object.
    Json,
}
