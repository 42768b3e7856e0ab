//! The plugin check finds each broken rule, and finds nothing if none is broken.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, missing_docs)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::thread;

use mapwave_tests::misbehaving::{self, has_compiler};
use serde_json::Value;

/// A broken rule: how the plugin is compiled, which test finds it, and what the test reports.
struct Broken {
    switch: &'static str,
    test: &'static str,
    rule: &'static str,
    reason: &'static str,
}

const fn broken(
    switch: &'static str,
    test: &'static str,
    rule: &'static str,
    reason: &'static str,
) -> Broken {
    Broken { switch, test, rule, reason }
}

/// Each rule that the plugin can break. An empty rule means that no rule of the interface is broken for certain.
const ALL: &[Broken] = &[
    // The library
    broken("CONSTRUCTOR", "load", "R7", "crashed the process with SIGSEGV"),
    broken("CONSTRUCTOR_THREAD", "load", "R7", "threads"),
    broken("NO_ENTRY", "load", "entry", "no function mapwave_plugin_entry_v1 is exported"),
    broken("UNBOUND", "load", "R7", "undefined symbol"),
    broken("HANG_ENTRY", "entry", "", "hung"),
    broken("HANG_ENTRY", "entry-threads", "", "hung"),
    broken("ENTRY_CHANGES", "entry", "entry", "returned another pointer"),
    broken("ENTRY_CHANGES", "entry-threads", "R4", "different pointers"),
    broken("ABI_MAJOR", "description", "R1", "abi_major is 2, expected 1"),
    broken("EMPTY_ID", "description", "R3", "id is \"\""),
    broken(
        "RESERVED_ID",
        "description",
        "R3",
        "the id \"builtin\" is that of a plugin which comes with mapwave",
    ),
    broken("UTF8", "description", "R3", "version is not UTF-8"),
    broken("LICENSE", "description", "R3", "license holds the control character '\\n'"),
    broken("MISSING_FUNCTION", "interfaces", "R1", "function fork is missing"),
    broken("TABLE_SIZE", "interfaces", "R1", "the size of mapwave.encoder/1 is 16"),
    broken("LOSSLESS", "interfaces", "R3", "lossless holds \"otherpcm=16\""),
    broken("DEFAULT_CODECS", "interfaces", "R3", "default_codecs holds \"toypcm\""),
    broken("EXTENSIONS", "interfaces", "R3", "extensions holds \".toy=toypcm\""),
    broken("DEFAULT_QUALITY", "interfaces", "R3", "default_quality holds \"first\""),
    broken("UNKNOWN_INTERFACE", "interfaces", "get", "get(\"mapwave.decoder/2\", 0) is not null"),
    broken("CLOSE_NULL", "interfaces", "R6", "SIGSEGV"),
    // What a decoder reports
    broken("PROBE_ALL", "probe", "probe", "probe gave 100 for an empty file"),
    broken("PROBE_RANGE", "probe", "probe", "probe gave 101 for the single byte"),
    broken("PROBE_BOUNDS", "probe", "R6", "past the last byte of its input"),
    broken("PROBE_CHANGES", "probe", "probe", "the next time"),
    broken("PROBE_LEAK", "probe", "probe", "were not freed"),
    broken("PROBE_DESCRIPTORS", "probe", "probe", "open files"),
    broken("PROBE_CRASH", "probe", "R6", "SIGSEGV"),
    broken("INFO_SIZE", "struct-sizes", "R1", "info wrote to byte 8 of an mw_stream_info whose size says 8"),
    broken("INFO_SMALL", "struct-sizes", "R1", "8 bytes, where version 1.0 has 88: expected MW_BAD_ARGUMENT"),
    broken("INFO_LATEST", "struct-sizes", "R1", "88 bytes, where version 1.0 has 88, failed"),
    broken("INPUT_LATEST", "struct-sizes", "R1", "for a host of version 1.0, whose structs are shorter"),
    broken("ERROR_SIZE", "struct-sizes", "R1", "of an mw_error whose size says 8"),
    broken("NULL_ERROR", "struct-sizes", "R6", "SIGSEGV"),
    broken("STATUS", "struct-sizes", "R6", "open returned 77, which is not a status"),
    broken("MESSAGE", "struct-sizes", "R3", "not UTF-8"),
    broken("NUM_FRAMES", "info", "info", "and decode gives"),
    broken("INFO_CHANGES", "info", "info", "info changed after decoding a frame"),
    broken("GRID", "info", "info", "grid_frames 0"),
    broken("FORMAT_SUM", "info", "info", "native_format 2, which is not among its formats"),
    broken("ENDLESS", "info", "info", "and decode gives"),
    broken("CHANNEL_MASK", "info", "info", "channel_mask 0x3, which has 2 speakers, and num_channels 1"),
    broken("EMPTY_CODEC", "info", "R3", "the stream's codec is \"\""),
    broken("QUOTED_CONTAINER", "info", "R3", "the stream's container is"),
    broken("CONTROL_CONTAINER", "info", "R3", "the stream's container is \"toypcm\\n\""),
    broken("VARIANT", "info", "R3", "container_variant is \"xxxxxxxxxxxxxxxx\""),
    broken("INFO_STRINGS", "info", "R2", "which are valid until the process exits, changed"),
    broken("TAG", "metadata", "tag", "the key \"Title\""),
    broken("TAG_KEY", "metadata", "tag", "the key \"ti\\ttle\""),
    broken(
        "TAG_BUFFER",
        "metadata",
        "tag",
        "changed after a tag of a handle over another file was asked for",
    ),
    broken("STREAM_DEFAULT", "streams", "stream", "of 1 listed streams 0 are the default"),
    broken("STREAM_FLAGS", "streams", "stream", "flags 0x2"),
    broken("STREAM_CODEC", "streams", "stream", "is listed with the codec otherpcm, and has toypcm"),
    broken("STREAM_TEXT", "streams", "R3", "the codec of a stream is not UTF-8"),
    broken("STREAM_SIZE", "streams", "R1", "stream wrote past the end"),
    broken("STREAM_ENDLESS", "streams", "stream", "more than 1024 streams"),
    broken("STREAM_OPENS", "streams", "stream", "stream 1 is not listed, and opens"),
    // How it reads
    broken("OUT_OF_BOUNDS", "bounds", "R6", "past the last byte of its input"),
    broken("WRITES_INPUT", "bounds", "R8", "read-only"),
    broken("KEEPS_INPUT", "bounds", "R6", "SIGSEGV"),
    broken("READ_ERRORS", "read-errors", "R6", "no call did, and decode gave other samples"),
    // What it writes
    broken("SPLITS", "splits", "decode", "gave other samples"),
    broken("END", "splits", "decode", "after MW_END, decode gave frames again"),
    broken("OVERCOUNT", "splits", "decode", "frames, expected 1 to 4096"),
    broken("HANG_DECODE", "splits", "", "hung"),
    broken("EXIT", "splits", "R5", "the plugin called exit"),
    broken("ABORT", "splits", "R5", "SIGABRT"),
    broken("OVERRUN", "overrun", "R8", "wrote past its buffer"),
    broken("WRITES_MORE", "overrun", "R8", "frames, and also wrote frame"),
    broken("PLANAR", "formats", "decode", "planar F32 instead of interleaved gave other samples"),
    broken("FORMATS", "formats", "decode", "as F32"),
    broken("NAN", "formats", "decode", "is NaN or infinite as F32"),
    broken("STDOUT", "silence", "R5", "standard output: \"decoding"),
    broken("STDERR", "silence", "R5", "standard error: \"decoding"),
    // Where it seeks
    broken("SEEK", "seek", "seek", "a stream that says MW_SEEK_EXACT gave"),
    broken("SEEK_END", "seek", "seek", "returned MW_OK, expected an error"),
    broken("ANCHORED", "seek", "seek", "on a used handle instead of a fresh one"),
    broken("RECOVERY", "recovery", "seek", "an error came before"),
    // Its handles
    broken("FORK", "fork", "fork", "a fork whose original was closed gave 0 frames"),
    broken("SHARED_STATE", "threads", "R4", "in turn"),
    broken("TLS", "threads", "decode", "another thread"),
    broken("LEAK", "leaks", "R2", "were not freed"),
    broken("OPEN_LEAK", "leaks", "R2", "after opening its first"),
    broken("FORK_LEAK", "leaks", "R2", "after opening and closing handles, each with a fork"),
    broken("SEEK_LEAK", "leaks", "R2", "were not freed"),
    broken("TAG_LEAK", "leaks", "R2", "after calling the functions of one handle"),
    broken("DESCRIPTORS", "leaks", "R2", "open files"),
    broken("SIGNALS", "process-state", "R5", "handler of signal 2 was changed"),
    broken("LOCALE", "process-state", "R5", "locale was changed"),
    broken("DIRECTORY", "process-state", "R5", "working directory was changed"),
    broken("ENVIRONMENT", "process-state", "R5", "environment was changed"),
    broken("UMASK", "process-state", "R5", "mask of new files was changed"),
    broken("SIGNAL_MASK", "process-state", "R5", "signal mask of the thread was changed"),
    // How it handles damage
    broken("TRUNCATION", "damage", "R6", "past the last byte of its input"),
    broken("MAX_ALLOC", "max-alloc", "R6", "memory grew by"),
    // The encoder and the resampler
    broken("ROUND_TRIP", "round-trip", "push", "changed, although the stream is declared lossless"),
    broken("LAST_FRAME", "round-trip", "finish", "frames came back"),
    broken("KEEPS_OPTIONS", "round-trip", "finish", "came back as 1 channels at 2779096485 Hz"),
    broken("WRITES_SAMPLES", "round-trip", "R8", "push wrote to the frames"),
    broken(
        "UNKNOWN_COUNT",
        "targets",
        "finish",
        "their number not announced, to a sink that can be written anywhere: 0 frames came back",
    ),
    broken("UNKNOWN_LAST", "targets", "finish", "frames came back"),
    broken("IGNORES_CODEC", "settings", "open", "a codec that does not exist is taken"),
    broken("IGNORES_CONTAINER", "settings", "open", "a container that does not exist is taken"),
    broken("IGNORES_BITRATE", "settings", "open", "bitrate 24000 and 256000 are taken and change nothing"),
    broken("IGNORES_QUALITY", "settings", "open", "quality 1 and 100 are taken and change nothing"),
    broken("IGNORES_DEPTH", "settings", "open", "bits_per_sample 8 is taken, and the stream has 16 bits"),
    broken("SPEAKERS_FIT", "settings", "open", "channel_mask 0x7, of 3 speakers, for 2 channels is taken"),
    broken(
        "IGNORES_SPEAKERS",
        "settings",
        "open",
        "channel_mask 0x600 is taken and is not that of the stream",
    ),
    broken("ENCODER_CRASH", "round-trip", "R6", "SIGSEGV"),
    broken("ENCODER_SHARED", "encoder-threads", "R4", "an encoder used in turn with others gave other bytes"),
    broken("ENCODER_TLS", "encoder-threads", "push", "another thread"),
    broken("ENCODER_LEAK", "encoder-leaks", "R2", "after encoding a stream"),
    broken("ABANDON_LEAK", "encoder-leaks", "R2", "after abandoning a stream"),
    broken("ENCODER_REFUSAL_LEAK", "encoder-leaks", "R2", "were not freed"),
    broken("ENCODER_DIRECTORY", "encoder-state", "R5", "working directory was changed"),
    broken("PUSHES", "pushes", "push", "gave other bytes"),
    broken("WRITE_ERRORS", "write-errors", "R6", "failed, and no call of the encoder did"),
    broken("ABANDON", "abandon", "close", "close before finish wrote"),
    broken("APPEND_ONLY", "append-only", "write_at", "append-only sink"),
    broken("OUTPUT_COUNT", "output-count", "process", "rounded"),
    broken("PROCESS_SPLITS", "process-splits", "process", "gave other samples"),
    broken("RESAMPLER_NAN", "output-count", "process", "is NaN or infinite"),
    broken("RESAMPLER_SHARED", "resamplers", "R4", "one of eight resamplers in parallel gave other samples"),
    broken("RESAMPLER_LEAK", "resamplers", "R2", "after resampling a stream"),
    broken("ANY_QUALITY", "resamplers", "open", "the quality \"no-such-quality\" is taken"),
];

/// What earns a warning only.
const UNWISE: &[(&str, &str, &str)] = &[("ENTRY_SLOW", "entry", "ms, expected at most 50")];

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
    assert_eq!(report["summary"]["passed"], 39);
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
