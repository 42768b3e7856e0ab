//! `mapwave plugins check`: whether a plugin keeps the rules of the interface.
//!
//! Every test runs in a process of its own, so that a crash, a hang or an `exit` is a verdict like any other, and what the
//! plugin writes to standard output or error is seen.

mod child;
mod context;
mod fence;
mod plan;
mod playback;
mod process;
mod raw;
mod report;
mod run;
mod sound;
mod suite;
mod survey;
mod verdict;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use super::Format;

/// What to check, and how.
#[derive(Clone, Debug, Args)]
pub struct CheckArguments {
    /// The plugin: a shared library.
    file: PathBuf,
    /// Files to test decoders with: each decoder gets those that its probe accepts, at any depth of this directory. Without it,
    /// the plugin's own encoders make some.
    #[arg(long, value_name = "DIR")]
    corpus: Option<PathBuf>,
    /// Make these tests only; may be given several times.
    #[arg(long, value_name = "TEST", value_parser = clap::builder::PossibleValuesParser::new(plan::names()))]
    only: Vec<String>,
    /// How to report.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Where random choices come from: the same seed makes the same ones.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The time that a test may take before it counts as hanging.
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0)]
    time_limit: f64,
    /// Test this decoder only, of a plugin with several.
    #[arg(long, value_name = "NAME")]
    decoder: Option<String>,
}

/// The job of a child.
#[derive(Clone, Debug, Args)]
pub struct ChildArguments {
    job: PathBuf,
}

/// Checks a plugin and returns the exit code: 0 when nothing failed, 1 when something did, 2 when nothing could be checked.
pub fn run(arguments: &CheckArguments, again: &[OsString]) -> i32 {
    run::run(arguments, again)
}

/// Makes one test of a check.
pub fn run_child(arguments: &ChildArguments) -> i32 {
    child::run_child(&arguments.job)
}
