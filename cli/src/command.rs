//! The command line.

#![forbid(unsafe_code)]

use std::ffi::OsString;

use clap::{CommandFactory, Parser, Subcommand};
use serde::Serialize;

use crate::compare::{self, CompareArguments};
use crate::concat::{self, ConcatArguments};
use crate::convert::{self, ConvertArguments};
use crate::cut::{self, CutArguments};
use crate::generate::{self, CompletionsArguments, ManArguments};
use crate::info::{self, InfoArguments};
use crate::loudness::{self, LoudnessArguments};
use crate::output::{TROUBLE, fail};
#[cfg(feature = "play")]
use crate::play::{self, PlayArguments};
use crate::plot::{self, PlotArguments};
use crate::plugins::{self, PluginsCommand};
use crate::python::{BenchArguments, DoctorArguments, Engine, IndexArguments};
use crate::split::{self, SplitArguments};
use crate::tags::{self, TagsCommand};
use crate::verify::{self, VerifyArguments};

/// Audio files for MLX: describes, converts, cuts, tags, measures, draws, compares and checks them.
#[derive(Debug, Parser)]
#[command(name = "mapwave", version, disable_help_subcommand = true, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// What follows the help.
const EXIT_CODES: &str = "\
Exit codes:
  0  All is done and right
  1  Something failed, files differ, or a file is damaged
  2  The command line is not understood, or files cannot be compared

Ctrl-C ends the command and leaves no file half-written.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Describe audio files and their sound tracks.
    Info(InfoArguments),
    /// Convert a file, or all files of directories and patterns.
    Convert(Box<ConvertArguments>),
    /// Write files one after the other into one.
    Concat(ConcatArguments),
    /// Write a file in parts.
    Split(SplitArguments),
    /// Write a part of a file.
    Cut(CutArguments),
    /// Tell whether two files hold the same sound, and how far they are apart.
    Compare(CompareArguments),
    /// Decode files as a whole, check what they say of themselves, and tell where they are damaged.
    Verify(VerifyArguments),
    /// Measure how loud files are, by EBU R 128.
    Loudness(LoudnessArguments),
    /// Draw a file: its waveform, its spectrogram, or both.
    Plot(PlotArguments),
    /// Show and change metadata, without decoding.
    Tags {
        #[command(subcommand)]
        command: TagsCommand,
    },
    /// Play a file.
    #[cfg(feature = "play")]
    Play(PlayArguments),
    /// Keep the facts of many files in a table.
    Index(IndexArguments),
    /// Codec plugins.
    Plugins {
        #[command(subcommand)]
        command: PluginsCommand,
    },
    /// Compare with other libraries: a table and a chart.
    Bench(BenchArguments),
    /// Tell what this installation has and lacks.
    Doctor(DoctorArguments),
    /// Print the completions of a shell.
    Completions(CompletionsArguments),
    /// Print the manual page, or write those of all commands.
    Man(ManArguments),
}

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was run, and this is its exit code: 0 for success, 1 for a reported failure, 2 for invalid arguments.
    Done(i32),
    /// The Python package is to run the command of this name.
    Python {
        /// The name.
        command: &'static str,
        /// The arguments as an object in JSON.
        arguments: String,
    },
}

/// Runs the command, unless it is one that the Python package runs.
///
/// `args` starts with the name of the program. `again` is the program with the arguments that make it this command, such as
/// `python -m mapwave`, for the child processes of some commands.
pub fn run_or_hand_over(args: impl IntoIterator<Item = OsString>, again: &[OsString]) -> Outcome {
    let code = match Arguments::try_parse_from(args).map(|arguments| arguments.command) {
        Ok(Command::Bench(arguments)) => return hand_over("bench", &arguments),
        Ok(Command::Doctor(arguments)) => return hand_over("doctor", &arguments),
        Ok(Command::Index(arguments)) => return hand_over("index", &arguments),
        Ok(Command::Convert(arguments)) if arguments.engine.engine == Engine::Ray => {
            match arguments.for_python() {
                Ok(arguments) => return hand_over("convert", &arguments),
                Err(code) => code,
            }
        }
        Ok(Command::Info(arguments)) => info::run(&arguments),
        Ok(Command::Convert(arguments)) => convert::run(&arguments),
        Ok(Command::Concat(arguments)) => concat::run(&arguments),
        Ok(Command::Split(arguments)) => split::run(&arguments),
        Ok(Command::Cut(arguments)) => cut::run(&arguments),
        Ok(Command::Compare(arguments)) => compare::run(&arguments),
        Ok(Command::Verify(arguments)) => verify::run(&arguments),
        Ok(Command::Loudness(arguments)) => loudness::run(&arguments),
        Ok(Command::Plot(arguments)) => plot::run(&arguments),
        Ok(Command::Tags { command }) => tags::run(&command),
        #[cfg(feature = "play")]
        Ok(Command::Play(arguments)) => play::run(&arguments),
        Ok(Command::Plugins { command }) => plugins::run(&command, again),
        Ok(Command::Completions(arguments)) => generate::completions(&arguments, Arguments::command()),
        Ok(Command::Man(arguments)) => generate::man(&arguments, Arguments::command()),
        Err(error) => {
            // If neither output can be written, there is nothing left to report.
            let _ = error.print();
            error.exit_code()
        }
    };
    Outcome::Done(code)
}

/// Runs the command without the Python package and returns its exit code.
///
/// The arguments are those of [`run_or_hand_over`].
pub fn run(args: impl IntoIterator<Item = OsString>, again: &[OsString]) -> i32 {
    match run_or_hand_over(args, again) {
        Outcome::Done(code) => code,
        Outcome::Python { command, .. } => {
            let what = if command == "convert" { "convert --engine ray" } else { command };
            fail(&format!("`mapwave {what}` comes with the Python package: pip install mapwave"));
            TROUBLE
        }
    }
}

/// Whether a command line is one that [`run`] understands; it runs nothing. For tests.
#[doc(hidden)]
pub fn is_understood(args: impl IntoIterator<Item = OsString>) -> bool {
    Arguments::try_parse_from(args).is_ok()
}

/// Has the Python package run a command.
fn hand_over(command: &'static str, arguments: &impl Serialize) -> Outcome {
    Outcome::Python { command, arguments: serde_json::to_string(arguments).unwrap_or_default() }
}
