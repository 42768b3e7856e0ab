//! `mapwave cut`: a part of a file.

#![forbid(unsafe_code)]

use clap::{ArgGroup, Args};

use crate::convert::{Work, one};
use crate::place::Place;
use crate::time::Time;
use crate::writing::FileArguments;

/// The arguments of the command.
#[derive(Clone, Debug, Args)]
#[command(group = ArgGroup::new("part").required(true).multiple(true).args(["from", "to"]))]
pub(crate) struct CutArguments {
    /// The file, or "-" for standard input.
    input: Place,
    /// The new file, or "-" for standard output.
    output: Place,
    /// Where the part begins: 12.5, 1:02:03.5, or 44100f for a frame.
    #[arg(long, value_name = "TIME")]
    from: Option<Time>,
    /// Where the part ends, from the start of the file.
    #[arg(long, value_name = "TIME")]
    to: Option<Time>,
    #[command(flatten)]
    files: FileArguments,
}

/// Runs the command and returns the exit code.
pub(crate) fn run(arguments: &CutArguments) -> i32 {
    let CutArguments { input, output, from, to, files } = arguments.clone();
    let FileArguments { source, form, replace, progress } = files;
    let work = Work { from, to, source, form, ..Work::default() };
    one(&input, &output, &work, replace, progress)
}
