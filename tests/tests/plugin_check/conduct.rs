//! How the check goes about it: which files it takes, how long it waits, and what it says when it cannot test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use mapwave_tests::misbehaving::{self, has_compiler};
use serde_json::Value;

use crate::{check, rows};

fn compile(directory: &Path, name: &str, macros: &[&str]) -> PathBuf {
    misbehaving::compile(directory, name, macros)
}

fn row<'a>(report: &'a Value, test: &str) -> &'a Value {
    rows(report).iter().find(|row| row["test"] == test).unwrap_or_else(|| panic!("no {test}: {report:#}"))
}

fn results(report: &Value, result: &str) -> Vec<String> {
    let chosen = rows(report).iter().filter(|row| row["result"] == result);
    chosen.map(|row| format!("{}: {}", row["test"], row["reason"])).collect()
}

/// A directory with a file of the plugin's format.
fn corpus(directory: &Path, name: &str) -> PathBuf {
    let corpus = directory.join("corpus");
    fs::create_dir_all(&corpus).unwrap();
    fs::write(corpus.join(name), misbehaving::file(2, 5000)).unwrap();
    corpus
}

#[test]
fn a_decoder_that_goes_by_the_extension_is_tested() {
    if !has_compiler() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let library = compile(directory.path(), "headerless", &["TOY_BY_EXTENSION=40"]);
    let only =
        ["--only", "info", "--only", "seek", "--only", "damage", "--only", "round-trip", "--only", "targets"];
    let (code, report) = check(&library, &only);
    assert_eq!((code, results(&report, "passed").len()), (0, only.len() / 2 + 1), "{report:#}");
    // What the encoder made is not needed where there are files.
    let corpus = corpus(directory.path(), "x.TOYPCM");
    let (code, report) = check(&library, &["--only", "splits", "--corpus", corpus.to_str().unwrap()]);
    assert_eq!((code, row(&report, "splits")["result"].as_str()), (0, Some("passed")), "{report:#}");
    // Files of another name are not claimed.
    fs::rename(corpus.join("x.TOYPCM"), corpus.join("x.other")).unwrap();
    let library = compile(directory.path(), "only-decoder", &["TOY_BY_EXTENSION=40", "TOY_NO_ENCODER"]);
    let (code, report) = check(&library, &["--only", "splits", "--corpus", corpus.to_str().unwrap()]);
    assert_eq!((code, row(&report, "splits")["result"].as_str()), (2, Some("untested")), "{report:#}");
    let note = "decoder toypcm claims none of the 1 files of the corpus, by their bytes or extensions";
    assert_eq!(report["notes"][0], note);
}

#[test]
fn what_is_not_tested_has_not_passed() {
    if !has_compiler() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let library = compile(directory.path(), "only-decoder", &["TOY_NO_ENCODER"]);
    let (code, report) = check(&library, &[]);
    assert_eq!((code, report["summary"]["failed"].as_u64()), (2, Some(0)), "{report:#}");
    let reason = "no file to decode: give files that the decoder reads with --corpus DIR";
    assert_eq!(
        (&row(&report, "seek")["result"], &row(&report, "seek")["reason"]),
        (&"untested".into(), &reason.into())
    );
    let text =
        Command::new(env!("CARGO_BIN_EXE_check_plugin")).args(["plugins", "check"]).arg(&library).output();
    let text = String::from_utf8(text.unwrap().stdout).unwrap();
    let end = format!("Not passed, because part of the plugin is not tested:\n  decoder toypcm: {reason}\n");
    assert!(text.ends_with(&end), "{text}");
    // Files of which none decodes are not enough either.
    let corpus = corpus(directory.path(), "cut.toypcm");
    fs::write(corpus.join("cut.toypcm"), &misbehaving::file(2, 100)[..20]).unwrap();
    let (code, report) = check(&library, &["--only", "seek", "--corpus", corpus.to_str().unwrap()]);
    let reason = row(&report, "seek")["reason"].as_str().unwrap();
    assert_eq!(code, 2, "{report:#}");
    assert!(
        reason.contains("none of 1 files decodes to its end") && reason.contains("cut.toypcm (open returned"),
        "{reason}"
    );
    // An encoder that nobody reads.
    let library = compile(directory.path(), "only-encoder", &["TOY_NO_DECODER"]);
    let (code, report) = check(&library, &["--only", "round-trip"]);
    assert_eq!((code, row(&report, "round-trip")["result"].as_str()), (2, Some("untested")), "{report:#}");
}

#[test]
fn files_that_are_left_out_are_named() {
    if !has_compiler() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let library = compile(directory.path(), "good", &[]);
    let corpus = corpus(directory.path(), "whole.toypcm");
    fs::write(corpus.join("cut.toypcm"), &misbehaving::file(2, 100)[..20]).unwrap();
    let large = fs::File::create(corpus.join("large.bin")).unwrap();
    large.set_len((16 << 20) + 1).unwrap();
    std::os::unix::fs::symlink("/no/such/file", corpus.join("gone")).unwrap();
    let (code, report) = check(&library, &["--only", "seek", "--corpus", corpus.to_str().unwrap()]);
    assert_eq!(code, 0, "{report:#}");
    let note = report["notes"][0].as_str().unwrap();
    assert!(
        note.contains("large.bin (it has more than 16 MiB)") && note.contains("gone (No such file"),
        "{note}"
    );
    let note = row(&report, "seek")["notes"][0].as_str().unwrap();
    assert!(
        note.starts_with("left out: ") && note.contains("cut.toypcm (open returned MW_UNSUPPORTED"),
        "{note}"
    );
}

#[test]
fn a_slow_decoder_is_not_said_to_hang() {
    if !has_compiler() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let library = compile(directory.path(), "slow", &["TOY_DECODE_MICROSECONDS=20000"]);
    let corpus = corpus(directory.path(), "slow.toypcm");
    // A hundred times as long as a call takes, and far less than all calls take.
    let (code, report) = check(&library, &["--time-limit", "2", "--corpus", corpus.to_str().unwrap()]);
    assert_eq!((code, results(&report, "failed")), (0, Vec::new()), "{report:#}");
    assert_eq!(results(&report, "untested"), Vec::<String>::new());
}

#[test]
fn a_plugin_has_the_stack_that_is_promised() {
    if !has_compiler() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let library = compile(directory.path(), "deep", &["TOY_STACK_BYTES=(8<<20)-(64<<10)"]);
    let (code, report) =
        check(&library, &["--only", "threads", "--only", "seek", "--only", "encoder-threads"]);
    assert_eq!((code, results(&report, "passed").len()), (0, 4), "{report:#}");
}

#[test]
fn a_failure_shows_what_was_written_last() {
    if !has_compiler() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let library = compile(directory.path(), "abort", &["BREAK_ABORT"]);
    let (code, report) = check(&library, &["--only", "splits"]);
    let row = row(&report, "splits");
    assert_eq!((code, row["output"][1].as_str()), (1, Some("last words before the end")), "{row:#}");
    let text = Command::new(env!("CARGO_BIN_EXE_check_plugin"))
        .args(["plugins", "check"])
        .arg(&library)
        .args(["--only", "splits"])
        .output()
        .unwrap();
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains("            | first words\n            | last words before the end\n"), "{text}");
}

#[test]
fn one_failure_does_not_end_the_other_tests() {
    if !has_compiler() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let corpus = corpus(directory.path(), "x.toy");
    let corpus = corpus.to_str().unwrap();
    let only = ["--only", "seek", "--only", "round-trip", "--only", "process-splits", "--corpus", corpus];
    let passed = |switch: &str, test: &str| {
        let (code, report) = check(&compile(directory.path(), switch, &[switch]), &only);
        assert_eq!(
            (code, row(&report, test)["result"].as_str()),
            (1, Some("passed")),
            "{switch}: {report:#}"
        );
        report
    };
    // An encoder that crashes when it is opened, and one whose table is too short.
    passed("BREAK_ENCODER_CRASH", "seek");
    let report = passed("BREAK_TABLE_SIZE", "seek");
    assert_eq!(row(&report, "tables")["subject"], "encoder number 0");
    assert_eq!(row(&report, "tables")["rule"], "R1");
    // A decoder whose probe crashes, one without a function, and a plugin without a name.
    let report = passed("BREAK_PROBE_CRASH", "seek");
    assert_eq!(
        (&row(&report, "claim")["result"], &row(&report, "claim")["rule"]),
        (&"failed".into(), &"R6".into())
    );
    passed("BREAK_MISSING_FUNCTION", "process-splits");
    let (_, report) = check(&compile(directory.path(), "id", &["BREAK_EMPTY_ID"]), &only);
    assert_eq!(row(&report, "seek")["result"], "passed", "{report:#}");
}
