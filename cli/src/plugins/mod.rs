//! `mapwave plugins`.

mod check;
mod dirs;
mod include_dir;
mod list;
mod new;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Subcommand;

use crate::format::OutputArguments;
use crate::output::print;

/// The commands for plugins.
#[derive(Debug, Subcommand)]
pub enum PluginsCommand {
    /// List the plugins in use, in order of precedence, and the rejected ones with the reason.
    List(OutputArguments),
    /// List the directories that are searched for plugins, in order of precedence.
    Dirs(OutputArguments),
    /// Check that a plugin keeps the rules of the plugin interface.
    Check(check::CheckArguments),
    /// Write the project of a new plugin, which builds and passes the check.
    New(new::NewArguments),
    /// Print the directory of the headers for plugins in C.
    IncludeDir,
    /// Run one test of a check in this process.
    #[command(hide = true)]
    CheckChild,
    /// Load a plugin for the first time, in this process.
    #[command(hide = true)]
    Try {
        /// The library.
        file: PathBuf,
    },
}

/// Runs one of the commands and returns the exit code.
pub fn run(command: &PluginsCommand, again: &[OsString]) -> i32 {
    match command {
        PluginsCommand::List(output) => print(&list::report(output.format())),
        PluginsCommand::Dirs(output) => print(&dirs::report(output.format())),
        PluginsCommand::Check(arguments) => check::run(arguments, again),
        PluginsCommand::New(arguments) => new::run(arguments),
        PluginsCommand::IncludeDir => include_dir::run(),
        PluginsCommand::CheckChild => check::run_child(),
        PluginsCommand::Try { file } => mapwave_core::host::try_load(file),
    }
}
