//! The commands that the Python package runs. This parser knows them, so that help, completions and the manual do, too.

#![forbid(unsafe_code)]

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;

/// The arguments of `mapwave doctor`.
#[derive(Clone, Debug, Args, Serialize)]
pub(crate) struct DoctorArguments {}

/// The arguments of `mapwave bench`.
#[derive(Clone, Debug, Args, Serialize)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct BenchArguments {
    #[command(subcommand)]
    command: Option<BenchCommand>,
    /// Fewer rounds and less sound: for a look, not for a figure.
    #[arg(long)]
    quick: bool,
    /// Also files of one and of four hours.
    #[arg(long)]
    long: bool,
    /// Cost against length and threads, instead of the tasks.
    #[arg(long)]
    scaling: bool,
    /// Only tasks whose name contains one of these.
    #[arg(long, value_name = "TEXT,...", default_value = "", hide_default_value = true)]
    filter: String,
    /// Only these peers.
    #[arg(long, value_name = "NAME,...", default_value = "", hide_default_value = true)]
    peers: String,
    /// Name the tasks and the peers, and measure nothing.
    #[arg(long)]
    list: bool,
    /// Directory of table, chart and JSON.
    #[arg(long, value_name = "DIR", default_value = "mapwave-bench")]
    out: PathBuf,
    /// File of the JSON [default: in the directory].
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Name what became slower since this run, or since "last".
    #[arg(long, value_name = "OLD.json")]
    against: Option<String>,
    /// --against even where the machines differ.
    #[arg(long)]
    any_machine: bool,
}

#[derive(Clone, Debug, Subcommand, Serialize)]
#[serde(rename_all = "lowercase")]
enum BenchCommand {
    /// What became slower between two runs.
    Compare {
        /// The earlier run.
        #[arg(value_name = "OLD.json")]
        old: PathBuf,
        /// The later run.
        #[arg(value_name = "NEW.json")]
        new: PathBuf,
        /// Also where the machines differ.
        #[arg(long)]
        any_machine: bool,
    },
}

/// What runs the work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Engine {
    /// This process.
    #[default]
    Local,
    /// A Ray cluster, by the Python package.
    Ray,
}

/// Where the work runs.
#[derive(Clone, Debug, Default, Args, Serialize)]
pub(crate) struct EngineArguments {
    /// What runs the work.
    #[arg(long, value_enum, default_value_t, value_name = "NAME")]
    pub(crate) engine: Engine,
    /// Address of the Ray cluster [default: that of RAY_ADDRESS, or a new one on this machine].
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) address: Option<String>,
}

/// What becomes of a file that cannot be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Unreadable {
    /// Its row has the error.
    #[default]
    Record,
    /// It has no row.
    Skip,
    /// The command fails.
    Raise,
}

/// The arguments of `mapwave index`.
#[derive(Clone, Debug, Args, Serialize)]
pub(crate) struct IndexArguments {
    /// Files, directories, patterns and tar archives, and the table, which is last: a name in .jsonl or .parquet.
    #[arg(required = true, num_args = 2.., value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Number of files that are opened at once [default: the number of processors].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// Hash of the bytes of each file, such as sha256.
    #[arg(long, value_name = "NAME")]
    hash: Option<String>,
    /// Keep the seek tables of long files.
    #[arg(long)]
    seek_tables: bool,
    /// What becomes of a file that cannot be read.
    #[arg(long, value_enum, default_value_t, value_name = "ACTION")]
    on_error: Unreadable,
    #[command(flatten)]
    #[serde(flatten)]
    engine: EngineArguments,
}
