//! The output of an encoder, and the guarded access that its plugin has to it.

#![allow(unsafe_code)] // a callback that plugins call

use std::collections::HashMap;
use std::ffi::c_void;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::without_provenance_mut;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use mapwave_fork::{Lock, LongLock};
use mapwave_plugin_abi as abi;

use super::fault::{Failure, Trouble};
use super::raw::Sized32 as _;

/// The maximum gap that an encoder may leave before the offset that it writes to, for a header that is written last.
const MAX_GAP_BYTES: u64 = 256 << 20;

/// The number of zeros written at a time to fill such a gap.
const ZEROS: [u8; 16 << 10] = [0; 16 << 10];

/// The output of an encoder: a file, memory, or any object of the caller.
///
/// Calls come one at a time, either from the thread that encodes or from a thread through which a plugin is called. The sink is
/// dropped when the encoder is finished or abandoned; at most one write in progress may complete after that.
///
/// ```
/// use std::io::{Error, Result};
///
/// use mapwave_core::host::ByteSink;
///
/// struct Memory(Vec<u8>);
///
/// impl ByteSink for Memory {
///     fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<()> {
///         let start = usize::try_from(offset).map_err(Error::other)?;
///         let end = (start + bytes.len()).min(self.0.len());
///         self.0.splice(start..end, bytes.iter().copied());
///         Ok(())
///     }
/// }
///
/// let mut memory = Memory(Vec::new());
/// memory.write_at(0, b"length: ? abc")?;
/// memory.write_at(8, b"3")?;
/// assert_eq!(memory.0, b"length: 3 abc");
/// assert!(!memory.is_append_only());
/// # Ok::<(), Error>(())
/// ```
pub trait ByteSink: Send {
    /// Writes all bytes at `offset`, which is never beyond the end of the bytes written before.
    ///
    /// # Errors
    /// Why the bytes could not be written. Nothing is written after a failure.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Whether bytes can only be added at the end, as in a pipe.
    fn is_append_only(&self) -> bool {
        false
    }

    /// Whether bytes go on to a listener as they come, so that an encoder should not hold them back.
    fn is_live(&self) -> bool {
        false
    }
}

/// The only access to an output: it lets an encoder write during its own calls, records errors, and can be closed.
pub(crate) struct Outlet {
    is_append_only: bool,
    is_live: bool,
    /// Whether one of the encoder's own calls is in progress.
    is_called: AtomicBool,
    is_shut: AtomicBool,
    /// The end of the bytes written.
    end: AtomicU64,
    /// Held while bytes are written.
    state: LongLock<State>,
    clock: Lock<Clock>,
}

/// A forked child of a process that writes has no output, and gets no further than an error.
#[derive(Default)]
struct State {
    output: Option<Box<dyn ByteSink>>,
    /// The first failed write, until it is reported.
    failure: Option<(u64, io::Error)>,
    has_failed: bool,
    /// The first broken rule.
    misuse: Option<String>,
}

/// The time that the output took, which does not count as the encoder's.
#[derive(Default)]
struct Clock {
    total: Duration,
    since: Option<Instant>,
}

impl Outlet {
    pub(crate) fn new(output: Box<dyn ByteSink>) -> Arc<Self> {
        let (is_append_only, is_live) = (output.is_append_only(), output.is_live());
        let state = State { output: Some(output), failure: None, has_failed: false, misuse: None };
        Arc::new(Self {
            is_append_only,
            is_live,
            is_called: AtomicBool::new(false),
            is_shut: AtomicBool::new(false),
            end: AtomicU64::new(0),
            state: LongLock::with(state),
            clock: Lock::new(),
        })
    }

    /// The end of the bytes written.
    pub(crate) fn end(&self) -> u64 {
        self.end.load(Ordering::SeqCst)
    }

    /// How long writing has taken so far, including a write in progress.
    pub(crate) fn time_spent(&self) -> Duration {
        let clock = self.clock.lock();
        clock.total.saturating_add(clock.since.map(|since| since.elapsed()).unwrap_or_default())
    }

    /// Runs one of the encoder's own calls, in which it may write.
    pub(crate) fn during<T>(&self, call: impl FnOnce() -> T) -> T {
        self.is_called.store(true, Ordering::SeqCst);
        let result = call();
        self.is_called.store(false, Ordering::SeqCst);
        result
    }

    /// The error from writing, whatever the plugin reports.
    pub(crate) fn verdict(&self) -> Result<(), Trouble> {
        let mut state = self.state.lock();
        if let Some((offset, cause)) = state.failure.take() {
            return Err(Trouble::Writing { offset, cause });
        }
        match &state.misuse {
            Some(misuse) => Err(Failure::broken(misuse.clone()).into()),
            None if state.has_failed => Err(Failure::broken("an earlier write has failed").into()),
            None => Ok(()),
        }
    }

    /// Rejects all further writes and returns the output, unless a write is in progress: then the writing thread drops it
    /// afterwards. Never waits.
    pub(crate) fn shut(&self) -> Option<Box<dyn ByteSink>> {
        self.is_shut.store(true, Ordering::SeqCst);
        self.state.try_lock()?.output.take()
    }

    /// Writes for the encoder.
    fn write(&self, offset: u64, bytes: &[u8]) -> abi::mw_status {
        let status = self.write_open(offset, bytes);
        if self.is_shut.load(Ordering::SeqCst) {
            drop(self.shut());
            return abi::MW_CANCELLED;
        }
        status
    }

    fn write_open(&self, offset: u64, bytes: &[u8]) -> abi::mw_status {
        let mut state = self.state.lock();
        let State { output, failure, has_failed, misuse } = &mut *state;
        let Some(output) = output.as_mut().filter(|_| !self.is_shut.load(Ordering::SeqCst)) else {
            return abi::MW_CANCELLED;
        };
        if *has_failed {
            return abi::MW_IO;
        }
        let end = self.end();
        if let Err(what) = self.check(offset, bytes.len(), end) {
            misuse.get_or_insert(what);
            return abi::MW_BAD_ARGUMENT;
        }
        if misuse.is_some() {
            return abi::MW_BAD_STATE;
        }
        if bytes.is_empty() {
            return abi::MW_OK;
        }
        self.clock.lock().since = Some(Instant::now());
        let write = || write_all(output.as_mut(), offset, bytes, end);
        let written = catch_unwind(AssertUnwindSafe(write))
            .unwrap_or_else(|_| Err(io::Error::other("the output panicked")));
        let mut clock = self.clock.lock();
        let time = clock.since.take().map(|since| since.elapsed()).unwrap_or_default();
        clock.total = clock.total.saturating_add(time);
        drop(clock);
        match written {
            Ok(()) => {
                self.end.fetch_max(offset.saturating_add(bytes.len() as u64), Ordering::SeqCst);
                abi::MW_OK
            }
            Err(cause) => {
                *has_failed = true;
                *failure = Some((offset, cause));
                abi::MW_IO
            }
        }
    }

    /// Checks the rules for a write.
    fn check(&self, offset: u64, num_bytes: usize, end: u64) -> Result<(), String> {
        if !self.is_called.load(Ordering::SeqCst) {
            return Err(format!("it wrote {num_bytes} bytes outside of its own calls"));
        }
        if self.is_append_only && offset != end {
            return Err(format!(
                "it wrote at byte {offset} where bytes can only be added at the end, which is {end}"
            ));
        }
        let last = offset.checked_add(num_bytes as u64).filter(|&last| last <= i64::MAX as u64);
        if last.is_none() || offset.saturating_sub(end) > MAX_GAP_BYTES {
            return Err(format!(
                "it wrote {num_bytes} bytes at byte {offset}, far beyond the end, which is {end}"
            ));
        }
        Ok(())
    }
}

/// Fills a gap with zeros, then writes the bytes.
fn write_all(output: &mut dyn ByteSink, offset: u64, bytes: &[u8], end: u64) -> io::Result<()> {
    let mut place = end;
    while place < offset {
        let num_zeros = (offset - place).min(ZEROS.len() as u64);
        let zeros = ZEROS.get(..usize::try_from(num_zeros).unwrap_or(0)).unwrap_or_default();
        output.write_at(place, zeros)?;
        place += num_zeros;
    }
    output.write_at(offset, bytes)
}

impl fmt::Debug for Outlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Outlet({} bytes)", self.end())
    }
}

/// The outlets that plugins know, by number: a plugin that writes after its handle is closed finds none, whereas an address could
/// point to reused memory.
static OUTLETS: Lock<HashMap<usize, Arc<Outlet>>> = Lock::new();

/// An outlet's number, which is valid until this is dropped and never reused. It is not 0, which plugins may treat as null.
#[derive(Debug)]
pub(crate) struct Ticket(usize);

impl Ticket {
    pub(crate) fn new(outlet: &Arc<Outlet>) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        OUTLETS.lock().insert(number, Arc::clone(outlet));
        Self(number)
    }

    /// The struct for a plugin's `open`.
    pub(crate) fn to_abi(&self, outlet: &Outlet) -> abi::mw_sink {
        let append_only = if outlet.is_append_only { abi::MW_SINK_APPEND_ONLY } else { 0 };
        let live = if outlet.is_live { abi::MW_SINK_LIVE } else { 0 };
        abi::mw_sink {
            flags: append_only | live,
            context: without_provenance_mut(self.0),
            write_at: Some(write_at),
            ..abi::mw_sink::zeroed()
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let outlet = OUTLETS.lock().remove(&self.0);
        // Outside the lock: dropping an output may run any code.
        drop(outlet);
    }
}

/// Writes for a plugin, from any thread.
unsafe extern "C" fn write_at(
    context: *mut c_void,
    offset: u64,
    data: *const c_void,
    num_bytes: u64,
) -> abi::mw_status {
    let write = || {
        let outlet = OUTLETS.lock().get(&context.addr()).cloned();
        let Some(outlet) = outlet else { return abi::MW_BAD_STATE };
        if num_bytes == 0 {
            return outlet.write(offset, &[]);
        }
        let length = usize::try_from(num_bytes).ok().filter(|&length| length <= isize::MAX as usize);
        let (Some(length), false) = (length, data.is_null()) else {
            let what = format!("it wrote {num_bytes} bytes from address {:#x}", data.addr());
            outlet.state.lock().misuse.get_or_insert(what);
            return abi::MW_BAD_ARGUMENT;
        };
        // SAFETY: not null, no longer than memory can be, and the plugin passes as many bytes, valid during the call.
        outlet.write(offset, unsafe { std::slice::from_raw_parts(data.cast(), length) })
    };
    // Nothing unwinds into a plugin.
    catch_unwind(AssertUnwindSafe(write)).unwrap_or(abi::MW_IO)
}
