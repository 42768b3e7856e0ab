//! `mapwave plugins`.

mod check;

use std::ffi::OsString;

use clap::Subcommand;

/// What can be done with plugins.
#[derive(Debug, Subcommand)]
pub enum PluginsCommand {
    /// Check that a plugin keeps the rules of the plugin interface.
    Check(check::CheckArguments),
    /// One test of a check, in a process of its own.
    #[command(hide = true)]
    CheckChild(check::ChildArguments),
}

/// Runs one of the commands and returns the exit code.
pub fn run(command: &PluginsCommand, again: &[OsString]) -> i32 {
    match command {
        PluginsCommand::Check(arguments) => check::run(arguments, again),
        PluginsCommand::CheckChild(arguments) => check::run_child(arguments),
    }
}
