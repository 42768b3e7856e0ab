//! The host's log.

#![allow(unsafe_code)] // the host's callback

use std::ffi::CString;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use mapwave_plugin_abi as abi;

use crate::guard::outside;
use crate::sized::covered;

/// The last host that called the entry function. A host is valid until the process exits.
static HOST: AtomicPtr<abi::mw_host> = AtomicPtr::new(ptr::null_mut());

/// The severity of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Details for debugging.
    Debug,
    /// Something worth knowing.
    Info,
    /// Something was corrected or skipped, such as a damaged packet that became silence.
    Warning,
    /// Something failed.
    Error,
}

impl Level {
    /// The number in the C interface.
    ///
    /// ```
    /// use mapwave_plugin::{Level, abi};
    ///
    /// assert_eq!(Level::Warning.code(), abi::MW_LOG_WARNING);
    /// ```
    pub const fn code(self) -> u32 {
        match self {
            Self::Debug => abi::MW_LOG_DEBUG,
            Self::Info => abi::MW_LOG_INFO,
            Self::Warning => abi::MW_LOG_WARNING,
            Self::Error => abi::MW_LOG_ERROR,
        }
    }
}

/// Writes a message to the host's log, from any thread; does nothing without a log.
///
/// A plugin writes nowhere else: standard output and error belong to the host.
///
/// ```
/// use mapwave_plugin::{Level, log};
///
/// log(Level::Warning, "packet 12 at byte 4096 is damaged and became silence");
/// ```
pub fn log(level: Level, message: &str) {
    let host = HOST.load(Ordering::Acquire);
    if host.is_null() {
        return;
    }
    // SAFETY: `keep` was promised a host that is valid until the process exits.
    let host = unsafe { covered(host) };
    let Some(write) = host.log else { return };
    let message: Vec<u8> = message.bytes().map(|byte| if byte == 0 { b' ' } else { byte }).collect();
    let Ok(message) = CString::new(message) else { return };
    // SAFETY: the host's function takes its own context, a level, and a string for the time of the call, on any thread.
    outside(|| unsafe { write(host.context, level.code(), message.as_ptr()) });
}

/// Whether the caller of the current call no longer waits for it. A call that takes long asks now and then, on the thread on which
/// it was made, and returns [`Status::Cancelled`](crate::Status::Cancelled).
///
/// ```
/// assert!(!mapwave_plugin::is_cancelled(), "without a host, nobody cancels");
/// ```
pub fn is_cancelled() -> bool {
    let host = HOST.load(Ordering::Acquire);
    if host.is_null() {
        return false;
    }
    // SAFETY: `keep` was promised a host that is valid until the process exits.
    let host = unsafe { covered(host) };
    // SAFETY: the host's function takes its own context, on any thread.
    host.is_cancelled.is_some_and(|ask| outside(|| unsafe { ask(host.context) } != 0))
}

/// Keeps the host for [`log`]; null changes nothing.
///
/// # Safety
/// `host` is null, or valid until the process exits and of the size that it states.
pub(crate) unsafe fn keep(host: *const abi::mw_host) {
    if !host.is_null() {
        HOST.store(host.cast_mut(), Ordering::Release);
    }
}
