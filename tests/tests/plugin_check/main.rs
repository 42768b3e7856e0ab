//! The plugin check finds each broken rule, and finds nothing if none is broken.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, missing_docs)]

mod broken;
mod conduct;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::thread;

use mapwave_tests::misbehaving::{self, has_compiler};
use serde_json::Value;

use crate::broken::{ALL, Broken, UNWISE};

/// Compiles the plugin, with one rule broken.
fn compile(directory: &Path, switch: &str) -> PathBuf {
    misbehaving::compile(directory, switch, &[&format!("BREAK_{switch}")])
}

/// Checks a library; returns the exit code and the report.
fn check(library: &Path, arguments: &[&str]) -> (i32, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_check_plugin"))
        .args(["plugins", "check"])
        .arg(library)
        .args(["--format", "json"])
        .args(arguments)
        .output()
        .unwrap();
    let report = serde_json::from_slice(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap(), report.unwrap_or_else(|_| panic!("no report: {error}")))
}

fn rows(report: &Value) -> &Vec<Value> {
    report["results"].as_array().unwrap()
}

/// Why the check does not report what it should, if so.
fn judge(directory: &Path, case: &Broken) -> Option<String> {
    let library = compile(directory, case.switch);
    // "silence" covers the output of all tests; one that decodes is enough.
    let only = if case.test == "silence" { "splits" } else { case.test };
    let time_limit = if case.reason == "hung" { "2" } else { "60" };
    let (code, report) = check(&library, &["--only", only, "--time-limit", time_limit]);
    let row = rows(&report).iter().find(|row| row["test"] == case.test);
    let Some(row) = row else { return Some(format!("{}: no row {}: {report:#}", case.switch, case.test)) };
    let is_right = code == 1
        && row["result"] == "failed"
        && row["rule"].as_str().unwrap_or_default() == case.rule
        && row["reason"].as_str().unwrap_or_default().contains(case.reason);
    let (switch, rule, reason) = (case.switch, case.rule, case.reason);
    (!is_right).then(|| format!("{switch}: expected {rule}: {reason}, exit code {code}, got {row:#}"))
}

#[test]
fn a_plugin_that_keeps_the_rules_passes() {
    if !has_compiler() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let library = compile(directory.path(), "NOTHING");
    let (code, report) = check(&library, &["--time-limit", "60"]);
    for row in rows(&report) {
        assert!(row["result"] == "passed", "{row:#}");
    }
    assert_eq!(code, 0);
    assert_eq!(report["summary"]["passed"], 41);
    assert_eq!(report["plugin"]["id"], "toypcm");
}

#[test]
fn each_broken_rule_is_found() {
    if !has_compiler() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let queue = Mutex::new(ALL.iter());
    let wrong = Mutex::new(Vec::new());
    // A check of a single test waits for its children one after another.
    let num_workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for worker in 0..num_workers {
            let (queue, wrong) = (&queue, &wrong);
            let directory = directory.path().join(worker.to_string());
            std::fs::create_dir(&directory).unwrap();
            scope.spawn(move || {
                loop {
                    let Some(case) = queue.lock().unwrap().next() else { break };
                    let message = judge(&directory, case);
                    wrong.lock().unwrap().extend(message);
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), ALL.len(), wrong.join("\n"));
}

#[test]
fn an_unwise_plugin_gets_a_warning() {
    if !has_compiler() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    for (switch, test, reason) in UNWISE {
        let (code, report) = check(&compile(directory.path(), switch), &["--only", test]);
        let row = rows(&report).iter().find(|row| row["test"] == *test).unwrap();
        assert_eq!((row["result"].as_str(), code), (Some("warning"), 0), "{row:#}");
        assert!(row["reason"].as_str().unwrap().contains(reason), "{row:#}");
    }
}

#[test]
fn every_switch_of_the_plugin_is_tried() {
    let files =
        ["misbehaving.c", "misbehaving_decoder.h", "misbehaving_encoder.h", "misbehaving_resampler.h"];
    let read = |name: &&str| std::fs::read_to_string(misbehaving::sources().join(name)).unwrap();
    let source: String = files.iter().map(read).collect();
    let words = source.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
    let mut switches: Vec<&str> = words.filter_map(|word| word.strip_prefix("BREAK_")).collect();
    switches.retain(|switch| !switch.is_empty());
    assert!(switches.len() > 100, "the switches were found");
    for switch in switches {
        let is_tried =
            ALL.iter().any(|case| case.switch == switch) || UNWISE.iter().any(|case| case.0 == switch);
        assert!(is_tried, "BREAK_{switch} is not tried");
    }
}

#[test]
fn tables_of_earlier_versions_are_whole() {
    if !has_compiler() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    for macros in [&[][..], &["OF_VERSION_1_1"]] {
        let source = misbehaving::sources().join("exact.c");
        let library = misbehaving::compile_source(directory.path(), "exact", &source, macros);
        let (code, report) = check(&library, &["--only", "interfaces"]);
        let row = rows(&report).iter().find(|row| row["test"] == "interfaces").unwrap();
        assert_eq!((row["result"].as_str(), code), (Some("passed"), 0), "{macros:?}: {row:#}");
    }
}

#[test]
fn a_file_that_is_not_a_plugin_is_rejected() {
    let directory = tempfile::tempdir().unwrap();
    let text = directory.path().join("text.so");
    std::fs::write(&text, "no library").unwrap();
    let (code, report) = check(&text, &[]);
    let row = rows(&report).iter().find(|row| row["test"] == "load").unwrap();
    assert_eq!((row["result"].as_str(), code), (Some("failed"), 1), "{row:#}");
    let output = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_check_plugin")).args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, message) = output(&["plugins", "check", "/no/such/file.so"]);
    assert!(code == Some(2) && message.contains("/no/such/file.so"), "{message}");
    let (code, message) = output(&["plugins", "check", "x.so", "--only", "everything"]);
    assert!(code == Some(2) && message.contains("possible values"), "{message}");
}
