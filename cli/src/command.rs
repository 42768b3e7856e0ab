//! The command line.

#![forbid(unsafe_code)]

use std::ffi::OsString;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::info::{self, InfoArguments};
use crate::plugins::{self, PluginsCommand};

/// Audio files for MLX.
#[derive(Debug, Parser)]
#[command(name = "mapwave", version, disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Describe an audio file and its sound tracks.
    Info(InfoArguments),
    /// Codec plugins.
    Plugins {
        #[command(subcommand)]
        command: PluginsCommand,
    },
}

/// Runs the command and returns its exit code: 0 for success, 1 for a reported failure, 2 for invalid
/// arguments.
///
/// `args` starts with the name of the program. `again` is the program with the arguments that make it this command, such as
/// `python -m mapwave`, for the child processes of some commands. `more` lists the names and descriptions of further commands,
/// which the caller runs itself, for the help.
pub fn run(
    args: impl IntoIterator<Item = OsString>,
    again: &[OsString],
    more: &[(&'static str, &'static str)],
) -> i32 {
    let further = more.iter().map(|(name, about)| clap::Command::new(*name).about(*about));
    let parsed = Arguments::command()
        .subcommands(further)
        .try_get_matches_from(args)
        .and_then(|matches| Arguments::from_arg_matches(&matches));
    match parsed {
        Ok(Arguments { command: Command::Info(arguments) }) => info::run(&arguments),
        Ok(Arguments { command: Command::Plugins { command } }) => plugins::run(&command, again),
        Err(error) => {
            // If neither output can be written, there is nothing left to report.
            let _ = error.print();
            error.exit_code()
        }
    }
}
