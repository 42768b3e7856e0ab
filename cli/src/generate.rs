//! `mapwave completions` and `mapwave man`.

#![forbid(unsafe_code)]

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Command};
use clap_complete::Shell;
use mapwave::Result;

use crate::output::{SUCCESS, fail_with, print};
use crate::place::trouble;

/// The shell.
#[derive(Clone, Debug, Args)]
pub(crate) struct CompletionsArguments {
    /// The shell.
    shell: Shell,
}

/// The pages.
#[derive(Clone, Debug, Args)]
pub(crate) struct ManArguments {
    /// Directory that gets a page for each command; without it, the page of all commands is printed.
    #[arg(long, value_name = "DIR")]
    to_dir: Option<PathBuf>,
}

/// Prints the completions of a shell.
pub(crate) fn completions(arguments: &CompletionsArguments, mut command: Command) -> i32 {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "mapwave", &mut script);
    print(&String::from_utf8_lossy(&script))
}

/// Prints the manual, or writes its pages.
pub(crate) fn man(arguments: &ManArguments, command: Command) -> i32 {
    let Some(directory) = &arguments.to_dir else {
        return match page(&command, Path::new("mapwave.1")) {
            Ok(page) => print(&page),
            Err(error) => fail_with(&error),
        };
    };
    match write_pages(directory, command) {
        Ok(()) => SUCCESS,
        Err(error) => fail_with(&error),
    }
}

fn write_pages(directory: &Path, mut command: Command) -> Result<()> {
    fs::create_dir_all(directory).map_err(|error| trouble("creating the directory", directory, error))?;
    command.build();
    let mut waiting = vec![command];
    while let Some(command) = waiting.pop() {
        let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
        let path = directory.join(format!("{name}.1"));
        let page = page(&command, &path)?;
        fs::write(&path, page).map_err(|error| trouble("writing", &path, error))?;
        waiting.extend(command.get_subcommands().filter(|command| !command.is_hide_set()).cloned());
    }
    Ok(())
}

fn page(command: &Command, path: &Path) -> Result<String> {
    let mut page = Vec::new();
    let rendered = clap_mangen::Man::new(command.clone()).render(&mut page);
    rendered.map_err(|error| trouble("writing", path, error))?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}
