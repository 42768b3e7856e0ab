//! Panics at the plugin boundary (R5).

use std::collections::HashMap;
use std::ffi::c_void;
use std::panic;
use std::process::Command;
use std::ptr;

use mapwave_plugin::abi::*;
use mapwave_plugin_check::host::{Decoder, Fault, Refusal};
use mapwave_toy::file;

use crate::raw::{
    call, decode, decoders, encoders, input, interleaved, open, read, refused, sized, tag_status, told,
};

/// Tells a child process which part of this program to run.
const PART: &str = "MAPWAVE_TEST_PART";

/// Every call reports that the handle is poisoned.
fn assert_poisoned(table: &mw_decoder_table, opened: &mut Decoder) {
    let expected = (MW_PANIC, "an earlier call panicked, so that this handle can only be closed".to_owned());
    assert_eq!(refused(opened.seek(0).unwrap_err()), expected);
    assert_eq!(refused(read(opened, 1).unwrap_err()), expected);
    assert_eq!(refused(opened.fork().err().unwrap()), expected);
    assert_eq!(tag_status(table, opened, 0), MW_PANIC);
    let mut error = sized();
    assert_eq!(call!(table, info(opened.handle(), &mut sized(), &mut error)), MW_PANIC);
    assert_eq!(told(&error), expected);
}

fn assert_panicked(fault: Fault, words: &str) {
    let Refusal { status, message, offset, native_code, .. } = fault.refusal();
    assert_eq!((status, offset, native_code), (MW_PANIC, None, 0));
    assert_message(message, words);
}

fn assert_message(message: String, words: &str) {
    assert!(message.starts_with("panicked at ") && message.contains("decoder.rs:"), "{message}");
    assert!(message.ends_with(words), "{message}");
}

fn panic_everywhere() {
    let samples = [7; 200];
    let files: HashMap<char, Vec<u8>> =
        "osdftvx".chars().map(|mode| (mode, file(mode, 1, &samples))).collect();
    for table in decoders() {
        let open = |mode| open(table, &input(&files[&mode]));
        assert_panicked(open('o').err().unwrap(), ": mode o");

        let mut opened = open('s').unwrap();
        assert_eq!(read(&mut opened, 1).unwrap(), [7]);
        assert_panicked(opened.seek(0).unwrap_err(), ": mode s");
        assert_poisoned(table, &mut opened);

        let mut opened = open('d').unwrap();
        assert_eq!(read(&mut opened, 100).unwrap(), [7; 100]);
        assert_panicked(read(&mut opened, 1).unwrap_err(), ": mode d");
        assert_poisoned(table, &mut opened);

        let mut opened = open('f').unwrap();
        assert_panicked(opened.fork().err().unwrap(), ": mode f");
        assert_poisoned(table, &mut opened);

        let mut opened = open('t').unwrap();
        assert_eq!(tag_status(table, &opened, 0), MW_PANIC);
        assert_poisoned(table, &mut opened);

        let mut opened = open('v').unwrap();
        // By hand: this decoder has written frames when it panics, which the published host does not allow.
        let mut samples = [0i16; 200];
        let planes = [samples.as_mut_ptr().cast()];
        let (status, num_frames, error) = decode(table, &opened, &interleaved(MW_I16, &planes, &samples, 1));
        assert_eq!((status, num_frames, error.offset, error.native_code), (MW_PANIC, 0, MW_UNKNOWN, 0));
        assert_message(told(&error).1, ": panicked with a value that is not a text");
        assert_poisoned(table, &mut opened);

        let opened = open('x').unwrap();
        let mut fork = opened.fork().unwrap();
        drop(opened);
        assert_eq!(read(&mut fork, 1).unwrap(), [7]);
        drop(fork);

        assert_eq!(call!(table, probe(b"PANIC".as_ptr(), 5, 5, ptr::null(), ptr::null())), 0);
    }
}

#[test]
fn a_panic_becomes_a_status_and_poisons_the_handle() {
    panic_everywhere();
}

/// Runs a part in a child process and returns its standard output and error.
fn play(part: &str) -> (bool, String, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "panics::a_child_plays_a_part", "--nocapture", "--quiet"]);
    let output = command.env(PART, part).env("RUST_BACKTRACE", "0").output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_child_plays_a_part() {
    match std::env::var(PART).as_deref() {
        Ok("plugin") => panic_everywhere(),
        Ok("host") => {
            panic_everywhere();
            panic::catch_unwind(|| panic!("of the host's own")).unwrap_err();
            host_panics_in_callback();
        }
        _ => {}
    }
}

/// The callback catches its panic, as it must; that it happened is the host's to report.
fn host_panics_in_callback() {
    unsafe extern "C" fn read_at(_: *mut c_void, _: u64, _: *mut c_void, _: u64) -> i64 {
        panic::catch_unwind(|| panic!("of the host's callback")).unwrap_err();
        -1
    }
    unsafe extern "C" fn write_at(_: *mut c_void, _: u64, _: *const c_void, _: u64) -> mw_status {
        panic::catch_unwind(|| panic!("of the host's sink")).unwrap_err();
        MW_IO
    }
    for table in decoders() {
        let input = mw_input { num_bytes: 9, read_at: Some(read_at), ..sized() };
        assert_eq!(open(table, &input).err().unwrap().refusal().status, MW_IO);
    }
    for table in encoders() {
        let options = mw_encoder_options { sample_rate: 1, num_channels: 1, ..sized() };
        let sink = mw_sink { write_at: Some(write_at), ..sized() };
        assert_eq!(call!(table, open(&options, &sink, &mut ptr::null_mut(), ptr::null_mut())), MW_IO);
    }
}

#[test]
fn a_plugins_panics_are_silent() {
    let (succeeded, stdout, stderr) = play("plugin");
    assert!(succeeded, "{stdout}{stderr}");
    assert_eq!(stderr, "");
    assert!(!stdout.contains("panicked"), "{stdout}");
}

#[test]
fn the_hosts_panics_are_not() {
    let (succeeded, stdout, stderr) = play("host");
    assert!(succeeded, "{stdout}{stderr}");
    let count = |words: &str| stderr.matches(words).count();
    assert_eq!(count("of the host's own"), 1, "{stderr}");
    assert_eq!(count("of the host's callback"), 2, "linked in and loaded: {stderr}");
    assert_eq!(count("of the host's sink"), 2, "linked in and loaded: {stderr}");
    assert_eq!(count("panicked at"), 5, "{stderr}");
}
