//! How a report is written.

use clap::{Args, ValueEnum};

/// How a list is written.
#[derive(Clone, Copy, Debug, Args)]
pub struct OutputArguments {
    /// How to report.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
}

/// How to report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// A table.
    Text,
    /// An object.
    Json,
}
