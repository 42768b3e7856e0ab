//! A handler of faults in mapped files: a file that shrinks while it is mapped causes an error instead of ending the process, and
//! memory that is fetched when it is touched is waited for.
//!
//! Touching a page of a map beyond the current end of its file raises SIGBUS. The handler looks up the address among the
//! guarded ranges, replaces the missing pages with zeros, marks the range as hit, and lets the instruction run again. Touching
//! a page that is not fetched raises SIGSEGV, or SIGBUS on macOS; the handler waits for it. It passes any other fault to the previous
//! handler.

#![allow(unsafe_code)] // sigaction, mmap inside a signal handler, and advice on pages

use std::ffi::c_int;
use std::ops::Range;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};

use mapwave_fork::{Lock, hold_off};
use memmap2::{Mmap, UncheckedAdvice};

use crate::source::paged::pages::Pages;

/// How many maps can be guarded at the same time; further files are read with `pread`.
const MAX_GUARDS: usize = 4096;

/// A guarded range of addresses; `start` is 0 if the slot is free, and [`RESERVED`] while it is being filled.
struct Slot {
    start: AtomicUsize,
    end: AtomicUsize,
    hit: AtomicBool,
    /// What fetches the pages; null for a map of a file.
    pages: AtomicPtr<Pages>,
}

const RESERVED: usize = 1;

static SLOTS: [Slot; MAX_GUARDS] = [const {
    Slot {
        start: AtomicUsize::new(0),
        end: AtomicUsize::new(0),
        hit: AtomicBool::new(false),
        pages: AtomicPtr::new(ptr::null_mut()),
    }
}; MAX_GUARDS];

/// Where the search for a free slot starts.
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// One more than the highest slot ever used, so that the handler does not have to search all slots.
static NUM_USED: AtomicUsize = AtomicUsize::new(0);

type Handler = extern "C" fn(c_int, *mut libc::siginfo_t, *mut libc::c_void);

/// How many different handlers ours can replace.
const NUM_ENTRIES: usize = 8;

/// The handler, once for each handler that it replaces.
///
/// Another library that replaces our handler may call ours in turn. If ours then replaced that one under the same address,
/// each would pass a foreign fault to the other forever. Under a new address, each handler passes the fault to an older one,
/// and the chain ends.
static ENTRIES: [Handler; NUM_ENTRIES] = [
    on_fault::<0>,
    on_fault::<1>,
    on_fault::<2>,
    on_fault::<3>,
    on_fault::<4>,
    on_fault::<5>,
    on_fault::<6>,
    on_fault::<7>,
];

/// The signals of faults.
const SIGNALS: [c_int; 2] = [libc::SIGBUS, libc::SIGSEGV];

/// The dispositions that the entries replaced, of each signal; never freed, since a handler may be running.
static PREVIOUS: [[AtomicPtr<libc::sigaction>; NUM_ENTRIES]; 2] =
    [const { [const { AtomicPtr::new(ptr::null_mut()) }; NUM_ENTRIES] }; 2];

/// Those of one signal.
fn previous_of(signal: c_int) -> &'static [AtomicPtr<libc::sigaction>; NUM_ENTRIES] {
    let [bus, segment] = &PREVIOUS;
    if signal == libc::SIGBUS { bus } else { segment }
}

/// The size of a page, known before the handler first runs.
static PAGE_SIZE: AtomicUsize = AtomicUsize::new(0);

/// Keeps a range of addresses guarded during its lifetime.
#[derive(Debug)]
pub(in crate::source) struct Guard {
    slot: &'static Slot,
}

impl std::fmt::Debug for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slot").field("hit", &self.hit).finish_non_exhaustive()
    }
}

impl Guard {
    /// Guards a map at `range`, which begins in its first page; `None` if all slots are taken, or if the handler cannot be
    /// installed.
    pub(in crate::source) fn new(range: Range<usize>) -> Option<Self> {
        if !install(libc::SIGBUS) {
            return None;
        }
        // In a forked child the handler finds whole slots.
        hold_off(|| Self::fill(range, ptr::null_mut()))
    }

    /// Guards memory that `pages` fetches, which outlives the guard; `None` as for [`new`](Self::new).
    pub(in crate::source) fn of_pages(pages: &Arc<Pages>, range: Range<usize>) -> Option<Self> {
        if !watch_all() {
            return None;
        }
        hold_off(|| Self::fill(range, Arc::as_ptr(pages).cast_mut()))
    }

    /// Takes the first free slot.
    fn fill(range: Range<usize>, pages: *mut Pages) -> Option<Self> {
        let first = NEXT.fetch_add(1, Ordering::Relaxed);
        for i in 0..MAX_GUARDS {
            let index = first.wrapping_add(i) % MAX_GUARDS;
            let slot = SLOTS.get(index)?;
            if slot.start.compare_exchange(0, RESERVED, Ordering::Acquire, Ordering::Relaxed).is_ok() {
                slot.hit.store(false, Ordering::Relaxed);
                slot.end.store(range.end, Ordering::Relaxed);
                slot.pages.store(pages, Ordering::Relaxed);
                NUM_USED.fetch_max(index + 1, Ordering::Relaxed);
                slot.start.store(range.start, Ordering::Release);
                return Some(Self { slot });
            }
        }
        None
    }

    /// Makes sure that the handler is installed before the range is read: another library may have replaced it.
    pub(in crate::source) fn watch(&self) {
        install(libc::SIGBUS);
        if !self.slot.pages.load(Ordering::Relaxed).is_null() {
            install(libc::SIGSEGV);
        }
    }

    /// Whether a page of the range was replaced with zeros.
    pub(in crate::source) fn was_hit(&self) -> bool {
        self.slot.hit.load(Ordering::Acquire)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let _start = self.slot.start.swap(0, Ordering::AcqRel);
        #[cfg(test)]
        tests::note_freed(_start);
    }
}

/// Releases the memory of pages.
pub(in crate::source) fn release(map: &Mmap, range: Range<usize>) {
    let len = range.end.saturating_sub(range.start);
    // SAFETY: the pages are the file's own and never written through the map, so that they come back as they were; zeros
    // that the guard put in place of a vanished page come back as zeros.
    let advised = unsafe { map.unchecked_advise_range(UncheckedAdvice::DontNeed, range.start, len) };
    // The results are the same whether or not the system follows the advice.
    drop(advised);
}

/// Makes sure that the handler is installed for memory that is fetched.
pub(in crate::source) fn watch_all() -> bool {
    SIGNALS.iter().all(|signal| install(*signal))
}

/// Installs the handler unless it is installed, and returns whether it is now.
fn install(signal: c_int) -> bool {
    static INSTALLING: Lock<()> = Lock::new();
    if is_ours(&disposition(signal)) {
        return true;
    }
    let _installing = INSTALLING.lock();
    let current = disposition(signal);
    if is_ours(&current) {
        return true;
    }
    PAGE_SIZE.store(rustix::param::page_size(), Ordering::Relaxed);
    let Some(entry) = entry_for(signal, &current) else { return false };
    let mut action = current;
    action.sa_sigaction = address(*entry);
    // SA_NODEFER: a previous handler that ours calls may raise the signal again and expects to be interrupted by it.
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
    // SAFETY: `action` is a whole sigaction whose handler is of the kind its flags say and does only what a signal
    // handler may; the old disposition is not asked for.
    unsafe { libc::sigaction(signal, &action, ptr::null_mut()) == 0 }
}

/// The entry that replaces `current`: the one that replaced it before, or the first free one.
fn entry_for(signal: c_int, current: &libc::sigaction) -> Option<&'static Handler> {
    for (entry, place) in ENTRIES.iter().zip(previous_of(signal)) {
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

/// The disposition of a signal.
fn disposition(signal: c_int) -> libc::sigaction {
    // SAFETY: sigaction is a plain C struct, for which all zeros is a valid value.
    let mut current: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: a null new action only asks; `current` is a valid place for the answer.
    unsafe { libc::sigaction(signal, ptr::null(), &mut current) };
    current
}

/// The handler: async-signal-safe, since it touches only atomics and only makes system calls.
extern "C" fn on_fault<const ENTRY: usize>(
    signal: c_int,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) {
    // SAFETY: the kernel passes a valid siginfo to an SA_SIGINFO handler, for it to use until it returns.
    let siginfo = unsafe { &*info };
    // SAFETY: si_addr reads a plain field, which faults set; they alone have a positive code.
    let address = unsafe { siginfo.si_addr() }.addr();
    if siginfo.si_code <= 0 || !answer(address) {
        let previous = previous_of(signal)
            .get(ENTRY)
            .map_or(ptr::null_mut(), |previous| previous.load(Ordering::Acquire));
        // SAFETY: PREVIOUS is null or points to a sigaction that is never freed nor written again.
        chain(unsafe { previous.as_ref() }, signal, info, context);
    }
}

/// Waits for the page of `address`, or maps zeros from there to the end of the guarded range around it; returns whether there is one.
fn answer(address: usize) -> bool {
    let page = PAGE_SIZE.load(Ordering::Relaxed);
    let mut found = false;
    for slot in SLOTS.iter().take(NUM_USED.load(Ordering::Relaxed)) {
        let start = slot.start.load(Ordering::Acquire);
        let end = slot.end.load(Ordering::Acquire);
        // If the slot was reused meanwhile, it no longer belongs to the map that is being read.
        if start <= RESERVED
            || !(start..end).contains(&address)
            || slot.start.load(Ordering::Acquire) != start
        {
            continue;
        }
        // SAFETY: null, or pages that outlive their guard, whose memory the interrupted thread is reading.
        if let Some(pages) = unsafe { slot.pages.load(Ordering::Acquire).as_ref() } {
            keeping_errno(|| pages.wait_for(address));
            found = true;
            continue;
        }
        let first = address - address % page;
        let (protection, flags) =
            (libc::PROT_READ, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED);
        // SAFETY: first..end lies inside a map, which begins at a page, which its owner keeps alive while its slot is taken, and
        // whose address range memmap2 will unmap as a whole; replacing its pages by readable ones keeps every slice into it valid.
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

/// Calls what sets the number of the last error, which the interrupted code may be about to ask for.
fn keeping_errno(call: impl FnOnce()) {
    #[cfg(target_os = "linux")]
    // SAFETY: the address of this thread's error number, which is always valid.
    let place = unsafe { libc::__errno_location() };
    #[cfg(not(target_os = "linux"))]
    // SAFETY: as above.
    let place = unsafe { libc::__error() };
    // SAFETY: as above.
    let before = unsafe { *place };
    call();
    // SAFETY: as above.
    unsafe { *place = before };
}

/// Passes a signal that is not ours to the previous handler.
fn chain(
    previous: Option<&libc::sigaction>,
    signal: c_int,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) {
    let handler = previous.map_or(libc::SIG_DFL, |previous| previous.sa_sigaction);
    // SAFETY: the kernel passes a valid siginfo to an SA_SIGINFO handler, for it to use until it returns.
    let code = unsafe { (*info).si_code };
    // A fault cannot be ignored: the kernel ends the process too, since the instruction would fault forever.
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

/// Restores the default, so that the fault that follows on return ends the process as it would without this handler.
fn give_up(signal: c_int, code: c_int) {
    // SAFETY: sigaction is a plain C struct, for which all zeros is a valid value: SIG_DFL without flags.
    let default: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: `default` is a whole sigaction; the old one is not asked for.
    unsafe { libc::sigaction(signal, &default, ptr::null_mut()) };
    if code <= 0 {
        // A signal that a process sent does not repeat by itself.
        // SAFETY: raise may be called from a signal handler.
        unsafe { libc::raise(signal) };
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::cell::Cell;
    use std::io::Write;

    use crate::source::mapped::Mapped;

    thread_local! {
        /// Whether the last slot of this thread became free while its map was there.
        static WAS_MAPPED: Cell<Option<bool>> = const { Cell::new(None) };
    }

    pub(super) fn note_freed(start: usize) {
        let page = start - start % rustix::param::page_size();
        let mut residence = [0; 1];
        // SAFETY: mincore looks at no memory but the place for its answer, of one page; it fails where nothing is mapped.
        let answer = unsafe {
            libc::mincore(std::ptr::with_exposed_provenance_mut(page), 1, residence.as_mut_ptr().cast())
        };
        WAS_MAPPED.set(Some(answer == 0));
    }

    #[test]
    fn a_slot_is_free_before_its_addresses_are() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[7; 5000]).unwrap();
        let mapped = Mapped::new(&file, 0, 5000).unwrap();
        assert_eq!(mapped.bytes().get(4999), Some(&7));
        drop(mapped);
        assert_eq!(WAS_MAPPED.get(), Some(true));
    }
}
