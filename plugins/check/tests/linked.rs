//! Plugins that are linked into a test program, checked by tests under the usual harness.

#![allow(missing_docs, unsafe_code, clippy::unwrap_used)]

use mapwave_plugin_abi::{mw_error, mw_host, mw_plugin};
use mapwave_plugin_check::{Kind, Options, Report, check_entry};

/// A plugin that crashes the process when it is entered.
unsafe extern "C" fn aborting(_host: *const mw_host, _error: *mut mw_error) -> *const mw_plugin {
    std::process::abort()
}

/// A plugin that fails and does not say so.
unsafe extern "C" fn silent(_host: *const mw_host, _error: *mut mw_error) -> *const mw_plugin {
    std::ptr::null()
}

/// A plugin that writes to standard output.
unsafe extern "C" fn chatty(host: *const mw_host, error: *mut mw_error) -> *const mw_plugin {
    use std::io::Write;
    std::io::stdout().write_all(b"hello\n").unwrap();
    // SAFETY: what this function was given.
    unsafe { mapwave_qoa::entry(host, error) }
}

fn only(test: &str) -> Options {
    Options { only: vec![test.into()], ..Options::default() }
}

fn verdict(report: &Report, test: &str) -> (Kind, String) {
    let row = report.results.iter().find(|row| row.test == test).unwrap();
    (row.verdict.result, row.verdict.reason.clone())
}

#[test]
fn a_plugin_that_keeps_the_rules_passes() {
    let report = check_entry(mapwave_qoa::entry, &Options::default()).unwrap();
    report.assert_passed();
    assert_eq!(report.plugin.as_ref().unwrap().id, "qoa");
    assert!(report.summary.passed > 20, "{}", report.to_text());
    let (result, reason) = verdict(&report, "load");
    assert_eq!((result, reason.contains("linked")), (Kind::Skipped, true), "{reason}");
}

#[test]
fn each_call_of_a_test_checks_its_own_plugin() {
    let report = check_entry(aborting, &only("entry")).unwrap();
    let (result, reason) = verdict(&report, "entry");
    assert_eq!((result, reason.contains("SIGABRT")), (Kind::Failed, true), "{reason}");
    let report = check_entry(silent, &only("entry")).unwrap();
    let (result, reason) = verdict(&report, "entry");
    assert_eq!((result, reason.contains("returned null")), (Kind::Failed, true), "{reason}");
    let report = check_entry(mapwave_qoa::entry, &only("entry")).unwrap();
    assert_eq!(verdict(&report, "entry"), (Kind::Passed, String::new()));
}

#[test]
fn what_a_plugin_writes_is_told_from_what_the_harness_writes() {
    let report = check_entry(chatty, &only("entry")).unwrap();
    let (result, reason) = verdict(&report, "silence");
    assert_eq!((result, reason.contains(r#"standard output: "hello\n"#)), (Kind::Failed, true), "{reason}");
    let report = check_entry(mapwave_qoa::entry, &only("entry")).unwrap();
    assert_eq!(verdict(&report, "silence"), (Kind::Passed, String::new()));
}

#[test]
#[should_panic(expected = "again: Options { only: vec![\"entry\".into()], seed: 1")]
fn a_broken_rule_is_a_panic_with_the_report() {
    check_entry(silent, &only("entry")).unwrap().assert_passed();
}

#[test]
fn a_test_that_does_not_exist_is_an_error() {
    let error = check_entry(mapwave_qoa::entry, &only("everything")).unwrap_err();
    assert!(error.to_string().contains("\"everything\""), "{error}");
}

#[test]
fn a_child_that_does_not_come_to_the_check_is_an_error() {
    let child = ["/bin/sh", "-c", "echo elsewhere"].map(Into::into).to_vec();
    let error = check_entry(mapwave_qoa::entry, &Options { child, ..only("entry") }).unwrap_err();
    assert!(error.to_string().contains("elsewhere"), "{error}");
}
