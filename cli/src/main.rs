//! The `mapwave` command.

#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::process::ExitCode;

use mapwave_core::host;

fn main() -> ExitCode {
    let again: OsString = std::env::current_exe().map_or_else(|_| "mapwave".into(), Into::into);
    mapwave::set_up();
    host::set_checker(vec![again.clone(), "plugins".into(), "try".into()]);
    let code = mapwave_cli::run(std::env::args_os(), &[again]);
    u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from)
}
