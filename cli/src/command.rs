//! What the command understands.

#![forbid(unsafe_code)]

use std::ffi::OsString;

use clap::{Parser, Subcommand};

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
    /// Codec plugins.
    Plugins {
        #[command(subcommand)]
        command: PluginsCommand,
    },
}

/// Runs the command and returns its exit code: 0 for success, 1 for a failure that it has reported, 2 for arguments that it
/// does not understand.
///
/// `args` begins with the name of the program. `again` is the program with the arguments that make it this command, such as
/// `python -m mapwave`, for the children that some commands start.
pub fn run(args: impl IntoIterator<Item = OsString>, again: &[OsString]) -> i32 {
    match Arguments::try_parse_from(args) {
        Ok(Arguments { command: Command::Plugins { command } }) => plugins::run(&command, again),
        Err(error) => {
            // Nothing is left to be told when neither output can be written.
            let _ = error.print();
            error.exit_code()
        }
    }
}
