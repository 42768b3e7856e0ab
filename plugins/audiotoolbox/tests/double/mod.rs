//! AudioToolbox's functions in this process, for tests on other systems.
//!
//! Its files hold plain samples, divided into packets, after a header of its own ([`Fake`]). Everything else is as in the
//! framework: properties are negotiated with sizes, reads may be short, priming is trimmed, a codec is inaccurate for some
//! packets after a seek and keeps a state that no seek resets, errors of callbacks are returned, and each object must be released
//! once and in order. `tests/contract.rs` tests what is assumed about the framework beyond its headers, here and on
//! the framework itself.
//!
//! | module | what |
//! |---|---|
//! | `fake` | files |
//! | `channels` | orders of channels |
//! | `files` | `AudioFile` |
//! | `wrappers` | `ExtAudioFile` |
//! | `packets` | packets as they are decoded and encoded |
//! | `converters` | `AudioConverter` and `AudioFormat` |

#![allow(unsafe_code, non_snake_case, missing_docs)] // it stands in for C
#![allow(
    clippy::missing_safety_doc,
    clippy::undocumented_unsafe_blocks,
    clippy::multiple_unsafe_ops_per_block
)] // as above
#![allow(clippy::indexing_slicing, clippy::cast_possible_truncation, clippy::unwrap_used)] // tests only

mod channels;
mod converters;
mod fake;
mod files;
mod packets;
mod wrappers;

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::c_void;
use std::sync::Mutex;
use std::thread::{self, ThreadId};

use crate::sys::{OSStatus, paramErr};

pub use fake::{Fake, HEADER_BYTES};

/// The call of a function that fails.
#[derive(Clone, Copy, Debug)]
pub struct Failure {
    pub function: &'static str,
    /// Which of its calls, counted from 0.
    pub call: usize,
    pub status: OSStatus,
}

/// How the framework behaves on this thread.
#[derive(Clone, Debug, Default)]
pub struct Script {
    pub failure: Option<Failure>,
    /// The most frames that a read gives; 0 for no bound.
    pub max_frames_per_read: u32,
}

#[derive(Default)]
struct Record {
    script: Script,
    /// None until they are requested.
    calls: Option<Vec<&'static str>>,
    violations: Vec<String>,
}

thread_local! {
    static RECORD: RefCell<Record> = RefCell::default();
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    File,
    Wrapper,
    Converter,
}

/// The objects that are in use, and the thread that made each.
static OBJECTS: Mutex<Option<HashMap<usize, (Kind, ThreadId)>>> = Mutex::new(None);

/// Starts again on this thread, with a script.
pub fn begin(script: Script) {
    RECORD.set(Record { script, calls: Some(Vec::new()), ..Record::default() });
}

/// The functions that were called on this thread since [`begin`], in order.
pub fn calls() -> Vec<&'static str> {
    RECORD.with_borrow(|record| record.calls.clone()).unwrap_or_default()
}

/// The violations on this thread.
pub fn violations() -> Vec<String> {
    RECORD.with_borrow(|record| record.violations.clone())
}

/// The number of objects of this thread that were not released.
pub fn num_open() -> usize {
    let objects = OBJECTS.lock().unwrap();
    let here = thread::current().id();
    objects.iter().flat_map(HashMap::values).filter(|(_, thread)| *thread == here).count()
}

/// A call begins: 0, or the status with which it is to fail.
fn enter(function: &'static str) -> OSStatus {
    RECORD.with_borrow_mut(|record| {
        let Some(calls) = &mut record.calls else { return 0 };
        let call = calls.iter().filter(|name| **name == function).count();
        calls.push(function);
        match record.script.failure {
            Some(failure) if failure.function == function && failure.call == call => failure.status,
            _ => 0,
        }
    })
}

fn violate(what: String) {
    RECORD.with_borrow_mut(|record| record.violations.push(what));
}

fn max_frames_per_read() -> u32 {
    let most = RECORD.with_borrow(|record| record.script.max_frames_per_read);
    if most == 0 { u32::MAX } else { most }
}

fn add(object: *mut c_void, kind: Kind) {
    let here = thread::current().id();
    OBJECTS.lock().unwrap().get_or_insert_default().insert(object.addr(), (kind, here));
}

/// Whether an object is one of a kind that is in use.
fn is_there(object: *mut c_void, kind: Kind, function: &str) -> bool {
    let objects = OBJECTS.lock().unwrap();
    let found = objects.as_ref().and_then(|objects| objects.get(&object.addr()));
    let is_there = found.is_some_and(|(found, _)| *found == kind);
    if !is_there {
        violate(format!("{function} of something that is not a {kind:?}"));
    }
    is_there
}

fn remove(object: *mut c_void, kind: Kind, function: &str) -> OSStatus {
    if !is_there(object, kind, function) {
        return paramErr;
    }
    OBJECTS.lock().unwrap().get_or_insert_default().remove(&object.addr());
    0
}

/// Writes a value where there is room for one.
unsafe fn put<T>(value: T, num_bytes: *mut u32, to: *mut c_void, too_small: OSStatus) -> OSStatus {
    unsafe {
        if (*num_bytes as usize) < size_of::<T>() {
            return too_small;
        }
        *num_bytes = size_of::<T>() as u32;
        to.cast::<T>().write_unaligned(value);
    }
    0
}

/// Writes as many values as there is room for.
unsafe fn put_list<T: Copy>(values: &[T], num_bytes: *mut u32, to: *mut c_void) -> OSStatus {
    unsafe {
        let count = (*num_bytes as usize / size_of::<T>()).min(values.len());
        *num_bytes = (count * size_of::<T>()) as u32;
        std::ptr::copy_nonoverlapping(values.as_ptr(), to.cast::<T>(), count);
    }
    0
}

/// Returns a status from the function that it stands in, unless it is 0.
macro_rules! check {
    ($status:expr) => {
        match $status {
            0 => {}
            status => return status,
        }
    };
}
use check;
