//! The `mapwave` command.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    let again = std::env::current_exe().map_or_else(|_| "mapwave".into(), Into::into);
    let code = mapwave_cli::run(std::env::args_os(), &[again]);
    u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from)
}
