//! A SIGBUS handler for mapped files: a file that shrinks while it is mapped becomes an error, not the end of the process.
//!
//! Touching a page of a map whose file no longer reaches that far raises SIGBUS. The handler looks the address up among
//! the ranges that are guarded, puts pages of zeros where the file was, marks the range as hit, and lets the instruction
//! run again. Any other SIGBUS goes to the handler that was there before.

#![allow(unsafe_code)] // sigaction, and mmap inside a signal handler

use std::ffi::c_int;
use std::ops::Range;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};

/// How many maps can be guarded at a time; further files are read by `pread`.
const MAX_GUARDS: usize = 4096;

/// A guarded range of addresses; `start` is 0 when the slot is free and [`RESERVED`] while it is being filled.
struct Slot {
    start: AtomicUsize,
    end: AtomicUsize,
    hit: AtomicBool,
}

const RESERVED: usize = 1;

static SLOTS: [Slot; MAX_GUARDS] =
    [const { Slot { start: AtomicUsize::new(0), end: AtomicUsize::new(0), hit: AtomicBool::new(false) } };
        MAX_GUARDS];

/// Where the search for a free slot begins.
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// One more than the highest slot that was ever in use, so that the handler need not look at all of them.
static NUM_USED: AtomicUsize = AtomicUsize::new(0);

type Handler = extern "C" fn(c_int, *mut libc::siginfo_t, *mut libc::c_void);

/// How many different handlers ours can take the place of.
const NUM_ENTRIES: usize = 8;

/// The handler, once for each handler that it takes the place of.
///
/// Another library that replaces ours may call ours in turn. If ours then took its place under the same address, each
/// would leave a foreign fault to the other for ever; under a new one, the chain goes back in time and ends.
static ENTRIES: [Handler; NUM_ENTRIES] = [
    on_bus_error::<0>,
    on_bus_error::<1>,
    on_bus_error::<2>,
    on_bus_error::<3>,
    on_bus_error::<4>,
    on_bus_error::<5>,
    on_bus_error::<6>,
    on_bus_error::<7>,
];

/// The dispositions that the entries took the place of; never freed, since a handler may be running.
static PREVIOUS: [AtomicPtr<libc::sigaction>; NUM_ENTRIES] =
    [const { AtomicPtr::new(ptr::null_mut()) }; NUM_ENTRIES];

/// The size of a page, known before the handler first runs.
static PAGE_SIZE: AtomicUsize = AtomicUsize::new(0);

/// Keeps one range of addresses guarded while it lives.
#[derive(Debug)]
pub(super) struct Guard {
    slot: &'static Slot,
}

impl std::fmt::Debug for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slot").field("hit", &self.hit).finish_non_exhaustive()
    }
}

impl Guard {
    /// Guards a map that occupies `range`, page-aligned at its start; `None` when all slots are taken, or the handler
    /// cannot be put in force.
    pub(super) fn new(range: Range<usize>) -> Option<Self> {
        if !install() {
            return None;
        }
        let first = NEXT.fetch_add(1, Ordering::Relaxed);
        for i in 0..MAX_GUARDS {
            let index = first.wrapping_add(i) % MAX_GUARDS;
            let slot = SLOTS.get(index)?;
            if slot.start.compare_exchange(0, RESERVED, Ordering::Acquire, Ordering::Relaxed).is_ok() {
                slot.hit.store(false, Ordering::Relaxed);
                slot.end.store(range.end, Ordering::Relaxed);
                NUM_USED.fetch_max(index + 1, Ordering::Relaxed);
                slot.start.store(range.start, Ordering::Release);
                return Some(Self { slot });
            }
        }
        None
    }

    /// Makes sure that the handler is in force before the range is read: another library may have replaced it.
    pub(super) fn watch(&self) {
        install();
    }

    /// Whether a page of the range had to be replaced by zeros.
    pub(super) fn was_hit(&self) -> bool {
        self.slot.hit.load(Ordering::Acquire)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.slot.start.store(0, Ordering::Release);
    }
}

/// Puts the handler in force unless it is, and says whether it is now.
fn install() -> bool {
    static INSTALLING: Mutex<()> = Mutex::new(());
    if is_ours(&disposition()) {
        return true;
    }
    // In a forked child the lock may be held by a thread that did not come along: then this file is not guarded, and not
    // mapped.
    let Some(_installing) = patiently(&INSTALLING) else { return is_ours(&disposition()) };
    let current = disposition();
    if is_ours(&current) {
        return true;
    }
    PAGE_SIZE.store(rustix::param::page_size(), Ordering::Relaxed);
    let Some(entry) = entry_for(&current) else { return false };
    let mut action = current;
    action.sa_sigaction = address(*entry);
    // SA_NODEFER: a previous handler that is called from ours may raise the signal again and expects to be left by it.
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
    // SAFETY: `action` is a whole sigaction whose handler is of the kind its flags say and does only what a signal
    // handler may; the old disposition is not asked for.
    unsafe { libc::sigaction(libc::SIGBUS, &action, ptr::null_mut()) == 0 }
}

/// Takes a lock that is held for a few microseconds at the most, unless it is held for longer.
fn patiently(lock: &Mutex<()>) -> Option<MutexGuard<'_, ()>> {
    (0..1000).find_map(|_| {
        let guard = lock.try_lock().ok();
        if guard.is_none() {
            std::thread::yield_now();
        }
        guard
    })
}

/// The entry that takes the place of `current`: the one that has done so before, or the first that is free.
fn entry_for(current: &libc::sigaction) -> Option<&'static Handler> {
    for (entry, place) in ENTRIES.iter().zip(&PREVIOUS) {
        // SAFETY: PREVIOUS is null or points to a sigaction that is never freed nor written again.
        match unsafe { place.load(Ordering::Acquire).as_ref() } {
            None => {
                place.store(Box::into_raw(Box::new(*current)), Ordering::Release);
                return Some(entry);
            }
            Some(previous) => {
                let same = previous.sa_sigaction == current.sa_sigaction;
                if same && previous.sa_flags == current.sa_flags {
                    return Some(entry);
                }
            }
        }
    }
    None
}

fn is_ours(disposition: &libc::sigaction) -> bool {
    ENTRIES.iter().any(|entry| disposition.sa_sigaction == address(*entry))
}

fn address(handler: Handler) -> libc::sighandler_t {
    handler as usize as libc::sighandler_t
}

/// The disposition of SIGBUS.
fn disposition() -> libc::sigaction {
    // SAFETY: sigaction is a plain C struct, for which all zeros is a valid value.
    let mut current: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: a null new action only asks; `current` is a valid place for the answer.
    unsafe { libc::sigaction(libc::SIGBUS, ptr::null(), &mut current) };
    current
}

/// The handler: async-signal-safe, since it touches only atomics and calls only `mmap`, `sigaction` and `raise`.
extern "C" fn on_bus_error<const ENTRY: usize>(
    signal: c_int,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) {
    // SAFETY: the kernel passes a valid siginfo to an SA_SIGINFO handler, for it to use until it returns.
    let siginfo = unsafe { &*info };
    // SAFETY: si_addr reads a plain field, which faults set; they alone have a positive code.
    let address = unsafe { siginfo.si_addr() }.addr();
    if siginfo.si_code <= 0 || !replace_pages(address) {
        let previous =
            PREVIOUS.get(ENTRY).map_or(ptr::null_mut(), |previous| previous.load(Ordering::Acquire));
        // SAFETY: PREVIOUS is null or points to a sigaction that is never freed nor written again.
        chain(unsafe { previous.as_ref() }, signal, info, context);
    }
}

/// Puts zeros from the page of `address` to the end of the guarded range it lies in, and says whether there is one.
fn replace_pages(address: usize) -> bool {
    let page = PAGE_SIZE.load(Ordering::Relaxed);
    let mut found = false;
    for slot in SLOTS.iter().take(NUM_USED.load(Ordering::Relaxed)) {
        let start = slot.start.load(Ordering::Acquire);
        let end = slot.end.load(Ordering::Acquire);
        // A slot that changed hands meanwhile is not the one of the map that is being read.
        if start <= RESERVED
            || !(start..end).contains(&address)
            || slot.start.load(Ordering::Acquire) != start
        {
            continue;
        }
        let first = address - address % page;
        let (protection, flags) =
            (libc::PROT_READ, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED);
        // SAFETY: first..end lies inside a map that its owner keeps alive while its slot is taken, and whose address
        // range memmap2 will unmap as a whole; replacing its pages by readable ones keeps every slice into it valid.
        let mapped = unsafe {
            libc::mmap(ptr::with_exposed_provenance_mut(first), end - first, protection, flags, -1, 0)
        };
        if mapped != libc::MAP_FAILED {
            slot.hit.store(true, Ordering::Release);
            found = true;
        }
    }
    found
}

/// Leaves a signal that is not ours to the handler that was there before.
fn chain(
    previous: Option<&libc::sigaction>,
    signal: c_int,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) {
    let handler = previous.map_or(libc::SIG_DFL, |previous| previous.sa_sigaction);
    // SAFETY: the kernel passes a valid siginfo to an SA_SIGINFO handler, for it to use until it returns.
    let code = unsafe { (*info).si_code };
    // A fault cannot be ignored: the kernel ends the process as well, since the instruction would fault for ever.
    if handler == libc::SIG_DFL || (handler == libc::SIG_IGN && code > 0) {
        give_up(signal, code);
    } else if handler != libc::SIG_IGN {
        let takes_info = previous.is_some_and(|previous| previous.sa_flags & libc::SA_SIGINFO != 0);
        if takes_info {
            // SAFETY: SA_SIGINFO in its flags says that the handler is of this type.
            let handler: Handler = unsafe { std::mem::transmute(handler) };
            handler(signal, info, context);
        } else {
            // SAFETY: without SA_SIGINFO the handler takes only the signal's number.
            let handler: extern "C" fn(c_int) = unsafe { std::mem::transmute(handler) };
            handler(signal);
        }
    }
}

/// Restores the default, so that the fault that follows on return ends the process as it would have without us.
fn give_up(signal: c_int, code: c_int) {
    // SAFETY: sigaction is a plain C struct, for which all zeros is a valid value: SIG_DFL without flags.
    let default: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: `default` is a whole sigaction; the old one is not asked for.
    unsafe { libc::sigaction(signal, &default, ptr::null_mut()) };
    if code <= 0 {
        // A signal that somebody sent does not come again by itself.
        // SAFETY: raise may be called from a signal handler.
        unsafe { libc::raise(signal) };
    }
}
