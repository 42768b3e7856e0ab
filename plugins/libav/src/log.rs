//! libav's messages: they go to the host's log, and never to standard error.

#![allow(unsafe_code)] // a callback of libav's

use std::cell::RefCell;
use std::cmp::Ordering;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::panic;
use std::sync::Once;

use ffmpeg_sys_next as ffi;
use mapwave_plugin::{Level, log};

/// The arguments of a message, as a function receives them.
#[cfg(all(target_arch = "x86_64", not(windows)))]
type Arguments = *mut ffi::__va_list_tag;
#[cfg(not(all(target_arch = "x86_64", not(windows))))]
type Arguments = ffi::va_list;

/// The maximum length of a message; longer ones are truncated.
const MAX_BYTES: usize = 1024;

/// How many messages of one kind are passed on for a file, or for a part of it that is decoded at once; and how many kinds are
/// told apart.
const MAX_ALIKE: u32 = 16;
const NUM_KINDS: usize = 16;

static INSTALLED: Once = Once::new();

thread_local! {
    static COUNTS: RefCell<Counts> = const { RefCell::new(Counts::NONE) };
}

/// How many messages there were, by the addresses of their formats, which are constants of libav's.
#[derive(Debug)]
struct Counts {
    kinds: [(usize, u32); NUM_KINDS],
    /// The place that the next new kind takes.
    next: usize,
}

/// Whether a message is passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Passage {
    Passed,
    /// It is, as the last one of its kind.
    Last,
    LeftOut,
}

impl Counts {
    const NONE: Self = Self { kinds: [(0, 0); NUM_KINDS], next: 0 };

    /// Counts a message of a kind.
    fn pass(&mut self, kind: usize) -> Passage {
        if let Some((_, count)) = self.kinds.iter_mut().find(|(known, count)| *known == kind && *count > 0) {
            *count = count.saturating_add(1);
            return match (*count).cmp(&MAX_ALIKE) {
                Ordering::Less => Passage::Passed,
                Ordering::Equal => Passage::Last,
                Ordering::Greater => Passage::LeftOut,
            };
        }
        if let Some(place) = self.kinds.get_mut(self.next) {
            *place = (kind, 1);
        }
        self.next = (self.next + 1) % NUM_KINDS;
        Passage::Passed
    }
}

/// Begins to count the messages of this thread from 0. A damaged file may give rise to one for each of its bytes.
pub(crate) fn begin() {
    COUNTS.with_borrow_mut(|counts| *counts = Counts::NONE);
}

/// Redirects libav's messages from now on. libav has one log callback per process: other users of the same libraries lose
/// their messages to the host's log.
pub(crate) fn install() {
    // SAFETY: the callback is a function that lives as long as the process: a plugin is never unloaded (R7).
    INSTALLED.call_once(|| unsafe { ffi::av_log_set_callback(Some(receive)) });
}

unsafe extern "C" fn receive(class: *mut c_void, level: c_int, format: *const c_char, arguments: Arguments) {
    let Some(level) = level_of(level) else { return };
    // A thread that ends has no counts any longer. Nothing here may panic.
    let counted = COUNTS.try_with(|counts| Some(counts.try_borrow_mut().ok()?.pass(format.addr())));
    let passage = counted.ok().flatten().unwrap_or(Passage::Passed);
    if passage == Passage::LeftOut {
        return;
    }
    let mut line: [c_char; MAX_BYTES] = [0; MAX_BYTES];
    let mut has_prefix = 1;
    let line_bytes = c_int::try_from(line.len()).unwrap_or(0);
    // SAFETY: libav passes a format and its arguments for the time of the call; the line has as many bytes, and libav ends
    // the text inside of it.
    let length = unsafe {
        ffi::av_log_format_line2(
            class,
            0,
            format,
            arguments,
            line.as_mut_ptr(),
            line_bytes,
            &raw mut has_prefix,
        )
    };
    if length <= 0 {
        return;
    }
    // SAFETY: the line was zero and holds a text with its end.
    let line = unsafe { CStr::from_ptr(line.as_ptr()) };
    // No panic may cross this boundary: libav calls this function.
    let _ = panic::catch_unwind(|| {
        let line = line.to_string_lossy();
        let line = line.trim();
        match passage {
            _ if line.is_empty() => {}
            Passage::Last => log(level, &format!("{line} (further messages of this kind are left out)")),
            _ => log(level, line),
        }
    });
}

/// The level of a message for the host; `None` for debugging details. The upper bits are a colour.
fn level_of(level: c_int) -> Option<Level> {
    match level & 0xff {
        level if level <= ffi::AV_LOG_ERROR => Some(Level::Error),
        level if level <= ffi::AV_LOG_WARNING => Some(Level::Warning),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_one_kind_are_passed_on_a_few_times() {
        let mut counts = Counts::NONE;
        let passed = |counts: &mut Counts, kind| (0..100).map(|_| counts.pass(kind)).collect::<Vec<_>>();
        let expected: Vec<Passage> = (1..=100)
            .map(|number| match number {
                1..16 => Passage::Passed,
                16 => Passage::Last,
                _ => Passage::LeftOut,
            })
            .collect();
        assert_eq!(passed(&mut counts, 5), expected);
        assert_eq!(passed(&mut counts, 6), expected, "another kind");
        assert_eq!(counts.pass(5), Passage::LeftOut);
        for kind in 100..100 + NUM_KINDS {
            assert_eq!(counts.pass(kind), Passage::Passed);
        }
        assert_eq!(counts.pass(5), Passage::Passed, "of so many kinds the oldest are forgotten");
    }

    #[test]
    fn details_are_dropped() {
        assert_eq!(level_of(ffi::AV_LOG_FATAL), Some(Level::Error));
        assert_eq!(level_of(ffi::AV_LOG_ERROR), Some(Level::Error));
        assert_eq!(level_of(ffi::AV_LOG_WARNING | 0x8500), Some(Level::Warning));
        assert_eq!(level_of(ffi::AV_LOG_INFO), None);
        assert_eq!(level_of(ffi::AV_LOG_TRACE), None);
    }
}
