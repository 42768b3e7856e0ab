//! `mapwave plugins check`: whether a plugin keeps the rules of the interface.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::PossibleValuesParser;
use mapwave_plugin_check::{Options, Report};

use crate::format::Format;

/// What to check, and how.
#[derive(Clone, Debug, Args)]
pub struct CheckArguments {
    /// The plugin: a shared library.
    file: PathBuf,
    /// Files to test decoders with: each decoder gets those that its probe accepts, at any depth of this directory. If there are
    /// none, the plugin's own encoders make some.
    #[arg(long, value_name = "DIR")]
    corpus: Option<PathBuf>,
    /// Run only this test; may be given several times.
    #[arg(long, value_name = "TEST", value_parser = PossibleValuesParser::new(mapwave_plugin_check::test_names()))]
    only: Vec<String>,
    /// Format of the report.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Seed of the random choices: the same seed repeats them.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How long a call of the plugin may take before it counts as hanging; a test of many calls takes about as long at most, so that
    /// a larger limit tests more of a slow plugin.
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0)]
    time_limit: f64,
    /// Test this decoder only, of a plugin with several.
    #[arg(long, value_name = "NAME")]
    decoder: Option<String>,
}

/// Checks a plugin and returns the exit code: 0 if it passed, 1 if a test failed, 2 if a test lacks what it needs or the command is
/// not understood.
///
/// `again` is this command, for the child process of each test.
pub fn run(arguments: &CheckArguments, again: &[OsString]) -> i32 {
    match check(arguments, again) {
        Ok(report) => {
            let text = match arguments.format {
                Format::Text => report.to_text(),
                Format::Json => report.to_json() + "\n",
            };
            // The exit code carries the result even if nobody reads the report.
            let _ = io::stdout().write_all(text.as_bytes());
            report.exit_code()
        }
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error}");
            2
        }
    }
}

fn check(arguments: &CheckArguments, again: &[OsString]) -> io::Result<Report> {
    let seconds = arguments.time_limit;
    let time_limit = Duration::try_from_secs_f64(seconds)
        .map_err(|_| io::Error::other(format!("the time limit is {seconds} seconds")))?;
    let child = again.iter().cloned().chain(["plugins".into(), "check-child".into()]).collect();
    let options = Options {
        corpus: arguments.corpus.clone(),
        only: arguments.only.clone(),
        seed: arguments.seed,
        time_limit,
        decoder: arguments.decoder.clone(),
        readers: vec![mapwave_builtin::entry],
        child,
    };
    mapwave_plugin_check::check(&arguments.file, &options)
}

/// Runs the test for which [`run`] started this process and does not return; returns 2 if it was not started for one.
pub fn run_child() -> i32 {
    mapwave_plugin_check::child();
    2
}
