//! The log messages of plugins, kept until the caller takes them.

#![allow(unsafe_code)] // a callback that plugins call

use std::collections::VecDeque;
use std::ffi::{c_char, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use mapwave_fork::Lock;
use mapwave_plugin_abi as abi;

use super::cancel;
use super::raw::{self, Sized32 as _};

/// How many messages are kept; older ones are dropped.
const MAX_MESSAGES: usize = 256;

/// How serious a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Details for debugging.
    Debug,
    /// Useful information.
    Info,
    /// A problem that was worked around, such as a damaged packet replaced by silence.
    Warning,
    /// A failure.
    Error,
}

/// A message from a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The severity.
    pub level: Level,
    /// The library that sent the message: a path, or the name of a plugin that is built into this program.
    pub source: String,
    /// The text.
    pub text: String,
}

static MESSAGES: Lock<VecDeque<Message>> = Lock::new();
static HAS_MESSAGES: AtomicBool = AtomicBool::new(false);

/// Takes the messages of all plugins since the last call, oldest first.
pub fn drain_messages() -> Vec<Message> {
    // Cheap if there are none, which is nearly always the case.
    if !HAS_MESSAGES.swap(false, Ordering::Relaxed) {
        return Vec::new();
    }
    MESSAGES.lock().drain(..).collect()
}

/// The struct that a library receives at entry. It lives until the process exits, like the library.
pub(crate) fn host_of(source: &str) -> &'static abi::mw_host {
    let source: &'static String = Box::leak(Box::new(source.to_owned()));
    let version = concat!(env!("CARGO_PKG_VERSION"), "\0");
    Box::leak(Box::new(abi::mw_host {
        abi_minor: abi::MW_ABI_MINOR,
        name: c"mapwave".as_ptr(),
        version: version.as_ptr().cast(),
        context: std::ptr::from_ref(source).cast_mut().cast(),
        log: Some(log),
        get_extension: Some(no_extension),
        is_cancelled: Some(is_cancelled),
        ..abi::mw_host::zeroed()
    }))
}

unsafe extern "C" fn log(context: *mut c_void, level: u32, message: *const c_char) {
    // Nothing unwinds into a plugin.
    let _ = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: a plugin passes back the context it was given, a string that is never freed.
        let source = unsafe { context.cast::<String>().as_ref() };
        // SAFETY: a plugin's message ends in a zero byte, by the contract of `mw_host::log`.
        let text = unsafe { raw::text(message) };
        let (Some(source), Some(text)) = (source, text) else { return };
        let level = match level {
            abi::MW_LOG_DEBUG => Level::Debug,
            abi::MW_LOG_INFO => Level::Info,
            abi::MW_LOG_WARNING => Level::Warning,
            _ => Level::Error,
        };
        report(level, source, text);
    }));
}

/// Keeps a message from a plugin, or from the host about one.
pub(crate) fn report(level: Level, source: &str, text: String) {
    let mut messages = MESSAGES.lock();
    if messages.len() >= MAX_MESSAGES {
        messages.pop_front();
    }
    messages.push_back(Message { level, source: source.to_owned(), text });
    HAS_MESSAGES.store(true, Ordering::Relaxed);
}

unsafe extern "C" fn is_cancelled(_context: *mut c_void) -> i32 {
    // Nothing unwinds into a plugin.
    catch_unwind(cancel::is_cancelled).unwrap_or(false).into()
}

unsafe extern "C" fn no_extension(_context: *mut c_void, _name: *const c_char) -> *const c_void {
    std::ptr::null()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_out_once_and_old_ones_give_way() {
        let host = host_of("a.so");
        for _ in 0..MAX_MESSAGES + 1 {
            // SAFETY: the host's own context and a literal.
            unsafe {
                host.log.unwrap()(host.context, abi::MW_LOG_WARNING, c"a packet became silence".as_ptr())
            };
        }
        let messages = drain_messages();
        assert_eq!(messages.len(), MAX_MESSAGES);
        let text = "a packet became silence".to_owned();
        assert_eq!(
            messages.last().unwrap(),
            &Message { level: Level::Warning, source: "a.so".to_owned(), text }
        );
        assert!(drain_messages().is_empty());
    }
}
