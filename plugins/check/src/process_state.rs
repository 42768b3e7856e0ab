//! The process state that a plugin must leave unchanged: signal handlers and masks, threads, descriptors, the locale, the
//! floating-point mode, the directory, the environment, the mask of new files, the priority; and the memory that it may use
//! within limits.

#![allow(unsafe_code)] // questions to the C library

use std::env;
use std::ffi::{CStr, c_int};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::hint::black_box;
use std::ptr::null;

use crate::verdict::{Finding, Outcome, Rule};

/// The signals whose handlers are examined.
const SIGNALS: std::ops::Range<c_int> = 1..32;

/// The process state that a plugin must leave unchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessState {
    handlers: Vec<usize>,
    locale: Vec<u8>,
    rounding: (u64, u64),
    num_threads: Option<usize>,
    num_descriptors: Option<usize>,
    /// What is compared as a whole: its name, and a text or number for it.
    settings: [(&'static str, u64); 5],
}

impl ProcessState {
    /// The current state.
    pub fn now() -> Self {
        Self {
            handlers: SIGNALS.map(handler).collect(),
            locale: locale(),
            rounding: rounding(),
            num_threads: entries("/proc/self/task"),
            num_descriptors: entries("/proc/self/fd"),
            settings: [
                ("working directory", digest(env::current_dir().unwrap_or_default())),
                ("environment", digest(env::vars_os().collect::<Vec<_>>())),
                ("mask of new files", umask()),
                ("signal mask of the thread", signal_mask()),
                ("priority of the process", priority()),
            ],
        }
    }

    /// Rejects any change since this state was taken.
    pub fn check(&self, rule: Rule) -> Outcome {
        let now = Self::now();
        for (signal, (before, after)) in SIGNALS.zip(self.handlers.iter().zip(&now.handlers)) {
            if before != after {
                return Err(Finding::broken(rule, format!("the handler of signal {signal} was changed")));
            }
        }
        let settings = self.settings.iter().zip(&now.settings);
        if let Some(((name, _), _)) = settings.into_iter().find(|(before, after)| before != after) {
            return Err(Finding::broken(rule, format!("the {name} was changed")));
        }
        let changed = if now.locale != self.locale {
            "the locale was changed".to_owned()
        } else if now.rounding != self.rounding {
            "the floating-point mode was changed".to_owned()
        } else if now.num_threads != self.num_threads {
            format!("there were {} threads, and now {}", shown(self.num_threads), shown(now.num_threads))
        } else if now.num_descriptors != self.num_descriptors {
            let (before, after) = (shown(self.num_descriptors), shown(now.num_descriptors));
            format!("there were {before} open files, and now {after}")
        } else {
            return Ok(());
        };
        Err(Finding::broken(rule, changed))
    }
}

fn digest(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// The mask of new files; no other thread of this process makes any meanwhile.
fn umask() -> u64 {
    // SAFETY: any mask is legal, and the old one returns at once.
    let mask = unsafe { libc::umask(0o077) };
    // SAFETY: as above.
    unsafe { libc::umask(mask) };
    u64::from(mask)
}

fn signal_mask() -> u64 {
    // SAFETY: all zeros is a valid `sigset_t`.
    let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: with a null new mask, the old one is only written out.
    unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, null(), &raw mut set) };
    let is_blocked = |signal: &c_int| {
        // SAFETY: a set that was filled in, and a signal of the system's.
        unsafe { libc::sigismember(&raw const set, *signal) == 1 }
    };
    SIGNALS.filter(is_blocked).map(|signal| 1 << signal).sum()
}

fn priority() -> u64 {
    // SAFETY: it is only asked for, of this process.
    u64::from(unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) }.cast_unsigned())
}

fn shown(count: Option<usize>) -> usize {
    count.unwrap_or_default()
}

fn handler(signal: c_int) -> usize {
    // SAFETY: all zeros is a valid `sigaction`.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: with a null new action, the old one is only written out.
    unsafe { libc::sigaction(signal, null(), &raw mut action) };
    action.sa_sigaction
}

fn locale() -> Vec<u8> {
    // SAFETY: with null, the locale is only asked for.
    let name = unsafe { libc::setlocale(libc::LC_ALL, null()) };
    if name.is_null() {
        return Vec::new();
    }
    // SAFETY: not null, so a string that is valid until the next call.
    unsafe { CStr::from_ptr(name) }.to_bytes().to_vec()
}

/// Two results that depend on the floating-point mode: one on rounding, one on subnormal numbers.
fn rounding() -> (u64, u64) {
    let third = black_box(1.0f64) / black_box(3.0) + black_box(-1.0f64) / black_box(7.0);
    let tiny = black_box(f64::MIN_POSITIVE) * black_box(0.5);
    (third.to_bits(), tiny.to_bits())
}

/// The number of entries of a directory, on systems that have it.
fn entries(directory: &str) -> Option<usize> {
    fs::read_dir(directory).ok().map(Iterator::count)
}

/// The peak memory of the process in bytes: address space where the system reports it, else resident memory.
pub fn peak_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmPeak:"));
    let kibibytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kibibytes.map_or_else(max_resident_bytes, |count| count * 1024)
}

fn max_resident_bytes() -> u64 {
    // SAFETY: all zeros is a valid `rusage`.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the struct is there to be filled.
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &raw mut usage) };
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    u64::try_from(usage.ru_maxrss).unwrap_or_default() * unit
}

/// Limits the address space of the process to `num_bytes` bytes.
pub fn limit_address_space(num_bytes: u64) {
    let limit = libc::rlimit { rlim_cur: num_bytes, rlim_max: num_bytes };
    // SAFETY: the struct is valid. Where the system refuses, there is no limit, and the peak still tells.
    unsafe { libc::setrlimit(libc::RLIMIT_AS, &raw const limit) };
}

/// Keeps crashes from writing core files, which takes time.
pub fn forbid_core_files() {
    let limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the struct is valid; a core file more does no harm.
    unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const limit) };
}

/// The number of bytes now allocated: as counted by the C library where it does so, else resident memory.
pub fn held_bytes() -> u64 {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    if let Some(count) = counted_bytes() {
        return count;
    }
    let statm = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
    pages.map_or_else(max_resident_bytes, |pages| pages * 4096)
}

/// `mallinfo2`, looked up at run time because older versions of the C library lack it.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn counted_bytes() -> Option<u64> {
    type Count = unsafe extern "C" fn() -> libc::mallinfo2;
    let library = libloading::os::unix::Library::this();
    // SAFETY: the symbol is a function of this type wherever it exists.
    let count = unsafe { library.get::<Count>("mallinfo2") }.ok()?;
    // SAFETY: it may be called at any time.
    let info = unsafe { count() };
    Some((info.uordblks + info.hblkhd) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_seen_to_grow() {
        let before = held_bytes();
        let held = black_box(vec![1u8; 10_000_000]);
        assert!(held_bytes() >= before + 9_000_000);
        assert!(peak_bytes() > held.len() as u64);
    }

    #[test]
    fn the_process_state_stays_as_they_are() {
        assert_eq!(ProcessState::now().rounding, rounding());
        assert_ne!(rounding().1, 0, "subnormal numbers are kept");
    }
}
