//! Input that a callback reads.

use std::ffi::c_void;
use std::sync::Mutex;

use mapwave_plugin::abi::*;
use mapwave_toy::file;

use crate::raw::{decoders, input, open, read, refused, sized};

/// A file behind `read_at`, which may fail.
struct Remote {
    bytes: Vec<u8>,
    /// The most bytes that one call returns.
    at_once: usize,
    /// Its result from this offset on.
    failure: Option<(u64, i64)>,
}

impl Remote {
    fn new(samples: &[i16], at_once: usize) -> Self {
        Self { bytes: file('-', 1, samples), at_once, failure: None }
    }

    fn input(&self) -> mw_input {
        let context = std::ptr::from_ref(self).cast_mut().cast();
        mw_input { num_bytes: self.bytes.len() as u64, context, read_at: Some(read_at), ..sized() }
    }
}

unsafe extern "C" fn read_at(context: *mut c_void, offset: u64, buffer: *mut c_void, num_bytes: u64) -> i64 {
    let remote = unsafe { context.cast::<Remote>().as_ref() }.unwrap();
    if let Some((_, answer)) = remote.failure.filter(|(from, _)| offset >= *from) {
        return answer;
    }
    let rest = remote.bytes.get(offset as usize..).unwrap_or_default();
    let num_bytes = rest.len().min(num_bytes as usize).min(remote.at_once);
    unsafe { std::ptr::copy_nonoverlapping(rest.as_ptr(), buffer.cast(), num_bytes) };
    num_bytes as i64
}

#[test]
fn short_reads_are_continued() {
    let samples: Vec<i16> = (0..100).collect();
    for table in decoders() {
        for at_once in [1, 3, 1000] {
            let remote = Remote::new(&samples, at_once);
            let mut opened = open(table, &remote.input()).unwrap();
            assert_eq!(read(&mut opened, 100).unwrap(), samples);
        }
    }
}

#[test]
fn what_the_host_cannot_read_is_an_error() {
    let samples: Vec<i16> = (0..100).collect();
    for table in decoders() {
        let mut remote = Remote::new(&samples, 2);
        remote.failure = Some((25, -5));
        let mut opened = open(table, &remote.input()).unwrap();
        assert_eq!(read(&mut opened, 100).unwrap(), samples[..10]);
        let error = read(&mut opened, 100).unwrap_err().refusal();
        assert_eq!((error.status, error.message.as_str()), (MW_IO, "the host could not read the file"));
        assert_eq!((error.offset, error.native_code), (Some(25), -5));
        remote.failure = Some((0, i64::MIN));
        assert_eq!(open(table, &remote.input()).err().unwrap().refusal().native_code, i64::MIN);
    }
}

#[test]
fn an_answer_that_is_too_long_is_not_believed() {
    for table in decoders() {
        let mut remote = Remote::new(&[1, 2], 3);
        for too_long in [6, i64::MAX] {
            remote.failure = Some((0, too_long));
            let error = open(table, &remote.input()).err().unwrap();
            let expected = format!("read_at returned {too_long} bytes, more than the requested 5");
            assert_eq!(refused(error), (MW_IO, expected));
        }
        // Three bytes were read, so five are too many for the rest.
        remote.failure = Some((3, 5));
        let error = open(table, &remote.input()).err().unwrap();
        let error = error.refusal();
        assert_eq!((error.status, error.offset), (MW_IO, Some(3)));
    }
}

#[test]
fn a_file_that_ends_early_is_short() {
    for table in decoders() {
        let mut remote = Remote::new(&[1, 2], 100);
        remote.failure = Some((3, 0));
        remote.at_once = 3;
        let error = open(table, &remote.input()).err().unwrap();
        assert_eq!(refused(error), (MW_BAD_DATA, "no TOY".into()));
    }
}

#[test]
fn an_input_has_bytes_or_a_way_to_them() {
    for table in decoders() {
        let error = open(table, &mw_input { num_bytes: 5, ..sized() }).err().unwrap();
        assert_eq!(refused(error), (MW_BAD_ARGUMENT, "the input has neither bytes nor read_at".into()));
        let error = open(table, &sized()).err().unwrap();
        assert_eq!(refused(error), (MW_BAD_DATA, "no TOY".into()), "an empty file has none");
    }
}

unsafe extern "C" fn release(context: *mut c_void, offset: u64, num_bytes: u64) {
    let released = unsafe { context.cast::<Mutex<Vec<(u64, u64)>>>().as_ref() }.unwrap();
    released.lock().unwrap().push((offset, num_bytes));
}

#[test]
fn what_is_done_with_is_told_to_a_host_that_wants_to_know() {
    const MEGABYTE: u64 = 1 << 20;
    for table in decoders() {
        let bytes = file('r', 1, &[7; 6 << 20]);
        let released = Mutex::<Vec<(u64, u64)>>::default();
        let context = (&raw const released).cast_mut().cast();
        let full = mw_input { context, release: Some(release), ..input(&bytes) };
        // A host of version 1.0 has no such field, and others need not set it.
        for deaf in [mw_input { release: None, ..full }, mw_input { size: 56, ..full }] {
            let mut opened = open(table, &deaf).unwrap();
            assert_eq!(read(&mut opened, 4).unwrap(), [7; 4]);
            assert_eq!(*released.lock().unwrap(), []);
        }
        let mut opened = open(table, &full).unwrap();
        // Counted from the header's end; as much again before it, for the system maps more around what is touched.
        let forward = [(0, 5 + 4 * MEGABYTE), (5, 8 * MEGABYTE)];
        let back = [(0, 5 + 4 * MEGABYTE), (10, bytes.len() as u64 - 10)];
        assert_eq!(*released.lock().unwrap(), [forward, back].concat());
        assert_eq!(read(&mut opened, 4).unwrap(), [7; 4]);
    }
}
