//! How a report is written.

use clap::{Args, ValueEnum};

/// The output of a list.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct OutputArguments {
    /// Format of the report.
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    format: Format,
    /// The same as --format json.
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

impl OutputArguments {
    /// The format that is asked for.
    pub(crate) fn format(self) -> Format {
        if self.json { Format::Json } else { self.format }
    }
}

/// Format of the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table.
    #[default]
    Text,
    /// An object.
    Json,
}
