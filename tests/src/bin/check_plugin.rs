//! The `mapwave` command under another name, for the tests that need it as a program.

fn main() {
    let again = std::env::current_exe().expect("the program has a path");
    std::process::exit(mapwave_cli::run(std::env::args_os(), &[again.into()]))
}
