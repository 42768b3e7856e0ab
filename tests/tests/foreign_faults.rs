//! A SIGBUS that is not mapwave's ends the process or goes to another library's handler, as before.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, missing_docs)]
#![allow(unsafe_code)] // signal handlers, and maps whose files are cut on purpose

use std::ffi::{c_int, c_void};
use std::fs::OpenOptions;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output};
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use mapwave_core::{Error, FrameSpec, Reader};
use mapwave_tests::wave;
use rustix::process::{Resource, Rlimit, setrlimit};

/// Set to a test's name in the child process that runs the test's work.
const CHILD: &str = "MAPWAVE_TESTS_CHILD";

/// What a child prints before the fault that may end it.
const READY: &str = "as far as the foreign fault";

/// The exit code of a child that survives its faults.
const SURVIVED: &str = "survived";

/// Runs `work` in a child process with a time limit; `None` in that process.
fn in_child(test: &str, work: fn()) -> Option<Output> {
    if std::env::var_os(CHILD).is_some_and(|child| child == test) {
        // A fault that is neither handled nor fatal repeats forever: SIGXCPU ends the process.
        let limit =
            |resource, most| setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most + 1) });
        limit(Resource::Cpu, 2).unwrap();
        limit(Resource::Core, 0).unwrap();
        work();
        println!("{SURVIVED}");
        return None;
    }
    let test_binary = std::env::current_exe().unwrap();
    let mut child = Command::new(test_binary);
    child.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(CHILD, test);
    Some(child.output().unwrap())
}

fn assert_killed(output: &Output) {
    assert_eq!(output.status.signal(), Some(libc::SIGBUS), "{}, {output:?}", output.status);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains(READY) && !said.contains(SURVIVED), "{output:?}");
}

fn assert_survived(output: &Output) {
    assert!(output.status.success(), "{}, {output:?}", output.status);
    assert!(String::from_utf8_lossy(&output.stdout).contains(SURVIVED), "{output:?}");
}

/// Reads a shrinking file through mapwave: afterwards its handler is installed, and has handled a fault.
fn shrink_and_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ours.wav");
    std::fs::write(&path, wave::pcm(1, 16, &wave::noise(100_000, 2))).unwrap();
    let reader = Reader::open(&path).unwrap();
    reader.read(0..50_000, &FrameSpec::default()).unwrap();
    OpenOptions::new().write(true).open(&path).unwrap().set_len(100).unwrap();
    let result = reader.read(0..50_000, &FrameSpec::default());
    assert!(matches!(result, Err(Error::Io { .. })), "{result:?}");
}

/// Accesses a missing page of a map that is not mapwave's.
fn touch_a_foreign_map() -> u8 {
    let file = tempfile::tempfile().unwrap();
    file.set_len(100_000).unwrap();
    // SAFETY: nothing but single bytes are read from the map, by a read that may fault.
    let map = unsafe { memmap2::Mmap::map(&file).unwrap() };
    file.set_len(0).unwrap();
    println!("{READY}");
    // SAFETY: the address is the map's, and a byte can have any value; whether the read returns is what is tested.
    unsafe { ptr::read_volatile(map.as_ptr()) }
}

fn set_disposition(handler: libc::sighandler_t, flags: c_int) -> libc::sigaction {
    // SAFETY: sigaction is a plain C struct, for which all zeros is a valid value.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler;
    action.sa_flags = flags;
    // SAFETY: as above.
    let mut previous: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: both are whole sigactions, and the handlers of this file do only what a signal handler may.
    let result = unsafe { libc::sigaction(libc::SIGBUS, &action, &mut previous) };
    assert_eq!(result, 0);
    previous
}

type Handler = extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);

fn install(handler: Handler) -> libc::sigaction {
    set_disposition(handler as usize as libc::sighandler_t, libc::SA_SIGINFO | libc::SA_ONSTACK)
}

/// How often the handlers of this file were called.
static NUM_CALLS: AtomicUsize = AtomicUsize::new(0);

/// Another library's handler: maps a page of zeros at the fault.
extern "C" fn repair(_signal: c_int, info: *mut libc::siginfo_t, _context: *mut c_void) {
    NUM_CALLS.fetch_add(1, Ordering::SeqCst);
    // SAFETY: the kernel passes a valid siginfo.
    let siginfo = unsafe { &*info };
    // SAFETY: it is a fault's, which has an address.
    let address = unsafe { siginfo.si_addr() };
    let page_size = rustix::param::page_size();
    let page = address.map_addr(|address| address - address % page_size);
    let (protection, flags) = (libc::PROT_READ, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED);
    // SAFETY: the page is one of `touch_a_foreign_map`, of which nothing but a byte is read.
    unsafe { libc::mmap(page, page_size, protection, flags, -1, 0) };
}

/// As `repair`, but only once two threads are in it.
extern "C" fn repair_together(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    repair(signal, info, context);
    while NUM_CALLS.load(Ordering::SeqCst) < 2 {
        std::hint::spin_loop();
    }
}

/// The disposition that `pass_on` replaced.
static PASSED_TO: AtomicPtr<libc::sigaction> = AtomicPtr::new(ptr::null_mut());

/// Another library's handler: only calls the handler installed before it.
extern "C" fn pass_on(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    NUM_CALLS.fetch_add(1, Ordering::SeqCst);
    // SAFETY: set before the handler was first called, and never freed.
    let previous = unsafe { &*PASSED_TO.load(Ordering::SeqCst) };
    assert_ne!(previous.sa_flags & libc::SA_SIGINFO, 0);
    // SAFETY: SA_SIGINFO says that the handler is of this type.
    let previous: Handler = unsafe { std::mem::transmute(previous.sa_sigaction) };
    previous(signal, info, context);
}

/// Another library's handler: restores the one before it and raises the signal again, as Python's faulthandler does.
extern "C" fn restore_and_raise(signal: c_int, _info: *mut libc::siginfo_t, _context: *mut c_void) {
    NUM_CALLS.fetch_add(1, Ordering::SeqCst);
    // SAFETY: a whole sigaction, set before the handler was first called, and never freed.
    unsafe { libc::sigaction(signal, PASSED_TO.load(Ordering::SeqCst), ptr::null_mut()) };
    // SAFETY: raise may be called from a signal handler.
    unsafe { libc::raise(signal) };
}

#[test]
fn without_a_handler_it_ends_the_process() {
    let output = in_child("without_a_handler_it_ends_the_process", || {
        set_disposition(libc::SIG_DFL, 0);
        shrink_and_read();
        touch_a_foreign_map();
    });
    output.as_ref().map(assert_killed);
}

#[test]
fn with_the_handler_of_the_rust_runtime_it_ends_the_process() {
    let output = in_child("with_the_handler_of_the_rust_runtime_it_ends_the_process", || {
        shrink_and_read();
        touch_a_foreign_map();
    });
    output.as_ref().map(assert_killed);
}

#[test]
fn ignored_it_ends_the_process_all_the_same() {
    // As the kernel has it: a fault cannot be ignored, since the instruction would fault for ever.
    let output = in_child("ignored_it_ends_the_process_all_the_same", || {
        set_disposition(libc::SIG_IGN, 0);
        shrink_and_read();
        touch_a_foreign_map();
    });
    output.as_ref().map(assert_killed);
}

#[test]
fn sent_by_somebody_it_ends_the_process() {
    let output = in_child("sent_by_somebody_it_ends_the_process", || {
        set_disposition(libc::SIG_DFL, 0);
        shrink_and_read();
        println!("{READY}");
        // SAFETY: raise has no conditions.
        unsafe { libc::raise(libc::SIGBUS) };
    });
    output.as_ref().map(assert_killed);
}

#[test]
fn sent_by_somebody_and_ignored_it_is_ignored() {
    let output = in_child("sent_by_somebody_and_ignored_it_is_ignored", || {
        set_disposition(libc::SIG_IGN, 0);
        shrink_and_read();
        // SAFETY: raise has no conditions.
        unsafe { libc::raise(libc::SIGBUS) };
    });
    output.as_ref().map(assert_survived);
}

#[test]
fn it_goes_to_a_handler_installed_before() {
    let output = in_child("it_goes_to_a_handler_installed_before", || {
        install(repair);
        for num_faults in 1..10 {
            shrink_and_read();
            assert_eq!(touch_a_foreign_map(), 0);
            assert_eq!(NUM_CALLS.load(Ordering::SeqCst), num_faults, "the foreign faults and no others");
        }
    });
    output.as_ref().map(assert_survived);
}

#[test]
fn it_goes_to_a_handler_installed_after() {
    let output = in_child("it_goes_to_a_handler_installed_after", || {
        shrink_and_read();
        install(repair);
        for num_faults in 1..10 {
            shrink_and_read();
            assert_eq!(touch_a_foreign_map(), 0);
            assert_eq!(NUM_CALLS.load(Ordering::SeqCst), num_faults, "the foreign faults and no others");
        }
    });
    output.as_ref().map(assert_survived);
}

#[test]
fn handlers_may_come_and_go() {
    let output = in_child("handlers_may_come_and_go", || {
        for num_faults in 1..=20 {
            let ours = install(repair);
            shrink_and_read();
            assert_eq!(touch_a_foreign_map(), 0);
            assert_eq!(NUM_CALLS.load(Ordering::SeqCst), num_faults, "the foreign faults and no others");
            set_disposition(ours.sa_sigaction, ours.sa_flags);
            shrink_and_read();
        }
    });
    output.as_ref().map(assert_survived);
}

#[test]
fn files_shrink_safely_after_any_number_of_handlers() {
    let output = in_child("files_shrink_safely_after_any_number_of_handlers", || {
        for bits in 0..16 {
            let choose = |bit: c_int, flag: c_int| if bits & bit == 0 { 0 } else { flag };
            let flags = choose(1, libc::SA_RESTART) | choose(2, libc::SA_NODEFER);
            let flags = flags | choose(4, libc::SA_ONSTACK) | choose(8, libc::SA_NOCLDSTOP);
            set_disposition(repair as Handler as usize as libc::sighandler_t, libc::SA_SIGINFO | flags);
            shrink_and_read();
        }
        assert_eq!(NUM_CALLS.load(Ordering::SeqCst), 0, "mapwave's own faults are its own");
        assert_eq!(touch_a_foreign_map(), 0);
        assert_eq!(NUM_CALLS.load(Ordering::SeqCst), 1);
    });
    output.as_ref().map(assert_survived);
}

#[test]
fn two_threads_can_be_in_a_handler_installed_before() {
    let output = in_child("two_threads_can_be_in_a_handler_installed_before", || {
        install(repair_together);
        shrink_and_read();
        std::thread::scope(|scope| {
            scope.spawn(touch_a_foreign_map);
            scope.spawn(touch_a_foreign_map);
        });
        assert_eq!(NUM_CALLS.load(Ordering::SeqCst), 2);
    });
    output.as_ref().map(assert_survived);
}

#[test]
fn a_handler_that_passes_on_to_mapwave_ends_the_process() {
    let output = in_child("a_handler_that_passes_on_to_mapwave_ends_the_process", || {
        set_disposition(libc::SIG_DFL, 0);
        shrink_and_read();
        PASSED_TO.store(Box::into_raw(Box::new(install(pass_on))), Ordering::SeqCst);
        shrink_and_read();
        assert_eq!(NUM_CALLS.load(Ordering::SeqCst), 0, "mapwave's own faults are its own");
        touch_a_foreign_map();
    });
    output.as_ref().map(assert_killed);
}

#[test]
fn a_handler_that_restores_mapwaves_and_raises_ends_the_process() {
    let output = in_child("a_handler_that_restores_mapwaves_and_raises_ends_the_process", || {
        set_disposition(libc::SIG_DFL, 0);
        shrink_and_read();
        PASSED_TO.store(Box::into_raw(Box::new(install(restore_and_raise))), Ordering::SeqCst);
        shrink_and_read();
        touch_a_foreign_map();
    });
    output.as_ref().map(assert_killed);
}

#[test]
fn a_handler_between_the_readers_faults_passes_them_on() {
    // The handler replaces mapwave's between the check of the disposition and the fault: here, by a view.
    let output = in_child("a_handler_between_the_readers_faults_passes_them_on", || {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ours.wav");
        std::fs::write(&path, wave::pcm(1, 16, &wave::noise(100_000, 2))).unwrap();
        let reader = Reader::open(&path).unwrap();
        let view = reader.view().unwrap();
        PASSED_TO.store(Box::into_raw(Box::new(install(pass_on))), Ordering::SeqCst);
        OpenOptions::new().write(true).open(&path).unwrap().set_len(100).unwrap();
        assert_eq!(view.bytes[90_000], 0, "what is gone reads as zeros");
        assert_eq!(NUM_CALLS.load(Ordering::SeqCst), 1);
    });
    output.as_ref().map(assert_survived);
}
