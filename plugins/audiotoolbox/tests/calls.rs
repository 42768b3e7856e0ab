//! Every function of the framework is called, each of its statuses is checked, and nothing leaks whatever
//! fails.

#![cfg(not(target_vendor = "apple"))]
#![allow(unsafe_code, clippy::undocumented_unsafe_blocks)] // a host of the plugin's interface
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, missing_docs)]

mod common;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{CStr, c_char, c_void};

use common::*;
use mapwave_audiotoolbox::double::{self, Failure, Fake, Script};
use mapwave_audiotoolbox::{CafEncoder, FlacEncoder, M4aEncoder, sys::*};
use mapwave_plugin::{Decoder, EncoderOptions, Result, abi};

thread_local! {
    static LOG: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

unsafe extern "C" fn log(_: *mut c_void, _: u32, message: *const c_char) {
    let message = unsafe { CStr::from_ptr(message) }.to_str().unwrap().to_owned();
    LOG.with_borrow_mut(|log| log.push(message));
}

type Work = fn() -> Result<()>;

fn decode() -> Result<()> {
    let mut fake =
        Fake::lossy(kAudioFormatMPEG4AAC, 48_000, 6, &ramp(6 * 30_000)).with_packet_table(2112, 88);
    fake.layout_tag = kAudioChannelLayoutTag_AAC_5_1;
    let mut decoder = open(fake.to_bytes())?;
    read::<f32>(&mut decoder, 3000, 1000)?;
    decoder.seek(20_000)?;
    read::<f32>(&mut decoder, 3000, 1000)?;
    let mut fork = decoder.fork()?;
    read::<f32>(&mut fork, 10, 10).map(drop)
}

fn encode_aac() -> Result<()> {
    let options =
        EncoderOptions { bitrate: Some(6 * 64_000), effort: Some(50), ..EncoderOptions::new(48_000, 6) };
    encode::<M4aEncoder, f32>(&options, &ramp(6 * 3000), 1000)?;
    let options = EncoderOptions { codec: Some("aac"), quality: Some(50), ..EncoderOptions::new(48_000, 2) };
    encode::<CafEncoder, f32>(&options, &ramp(3000), 1000).map(drop)
}

fn encode_flac() -> Result<()> {
    encode::<FlacEncoder, i16>(&EncoderOptions::new(44_100, 2), &[5; 6000], 1000).map(drop)
}

/// The functions that `sys.rs` declares.
fn declared() -> BTreeSet<&'static str> {
    let lines = include_str!("../src/sys.rs").lines();
    lines.filter_map(|line| line.trim().strip_prefix("pub fn ")?.split('(').next()).collect()
}

#[test]
fn every_function_is_reached_and_every_status_counts() {
    let mut host: abi::mw_host = unsafe { std::mem::zeroed() };
    host.size = size_of::<abi::mw_host>() as u32;
    host.log = Some(log);
    let host = Box::leak(Box::new(host));
    assert!(!unsafe { mapwave_audiotoolbox::entry(host, std::ptr::null_mut()) }.is_null());
    let works: [(&str, Work); 3] =
        [("decoding", decode), ("encoding AAC", encode_aac), ("encoding FLAC", encode_flac)];
    let (mut reached, mut num_failures) = (BTreeSet::new(), 0);
    for (what, work) in works {
        double::begin(Script::default());
        work().unwrap();
        assert_clean(what);
        let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
        double::calls().into_iter().for_each(|function| *counts.entry(function).or_default() += 1);
        reached.extend(counts.keys().copied());
        for (function, count) in counts {
            for call in 0..count {
                num_failures += 1;
                let what = format!("{what}, call {call} of {function}");
                // A code that nothing else returns.
                let status = i32::from_be_bytes(*b"TeSt");
                double::begin(Script {
                    failure: Some(Failure { function, call, status }),
                    ..Script::default()
                });
                LOG.take();
                let result = work();
                assert_clean(&what);
                let said = match &result {
                    Err(error) => {
                        assert_eq!(error.native_code(), status.into(), "{what}: {error}");
                        error.message().to_owned()
                    }
                    // A failure to close a handle can only be logged.
                    Ok(()) => LOG.take().join(", "),
                };
                assert!(
                    said.contains("AudioToolbox says 'TeSt'"),
                    "{what}: nobody looked: {result:?}, {said}"
                );
                let is_closing = matches!(function, "AudioFileClose" | "ExtAudioFileDispose");
                assert!(result.is_err() || is_closing, "{what}: {result:?}");
            }
        }
    }
    assert_eq!(reached, declared(), "the functions that were reached, and those that are declared");
    println!("{} functions, {num_failures} failures", reached.len());
}
