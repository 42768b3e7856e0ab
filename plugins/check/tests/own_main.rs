//! A test program without a harness checks a plugin, linked in and as a library.

#![allow(clippy::unwrap_used)]

use std::env;
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};

use mapwave_plugin_check::{Options, check, check_entry, child};

fn main() {
    // A process that was started for a test on a library ends here.
    child();
    // A harness lists its tests when it is asked to, and this has none to be run one by one.
    let has = |name: &str| env::args().any(|argument| argument == name);
    if has("--list") {
        if !has("--ignored") {
            println!("own_main: test");
        }
        return;
    }
    let options = Options { only: vec!["entry".into(), "seek".into()], ..Options::default() };
    let report = check_entry(mapwave_qoa::entry, &options).unwrap();
    report.assert_passed();
    assert_eq!((report.summary.passed, report.summary.skipped), (3, 0), "{}", report.to_text());
    // Cargo builds it beside this program.
    let library = env::current_exe().unwrap().with_file_name(format!("{DLL_PREFIX}mapwave_qoa{DLL_SUFFIX}"));
    let report = check(library, &options).unwrap();
    report.assert_passed();
    assert_eq!((report.summary.passed, report.summary.skipped), (3, 0), "{}", report.to_text());
}
