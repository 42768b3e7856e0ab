//! Raw calls of the tables, for hosts that break the rules; for those that keep them there is the published host.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::ffi::{CStr, CString, c_char, c_void};
use std::fmt;
use std::mem::{size_of, zeroed};
use std::ops::Deref;
use std::ptr;
use std::sync::Mutex;

use mapwave_plugin::abi::*;
use mapwave_plugin_check::host::{Decoder, DecoderTable, Fault, Layout, Library, Refusal};

/// A function of a table, called.
macro_rules! call {
    ($table:expr, $name:ident ( $($argument:expr),* $(,)? )) => {
        unsafe { ($table.$name.expect("the function is there"))($($argument),*) }
    };
}
pub(crate) use call;

/// The toy's entry functions: linked into this program, and exported by a library of its own.
pub(crate) fn entries() -> [mw_plugin_entry; 2] {
    let name = format!("{DLL_PREFIX}mapwave_toy{DLL_SUFFIX}");
    let library = Library::load(&std::env::current_exe().unwrap().with_file_name(name)).unwrap();
    [mapwave_toy::entry, library.entry()]
}

/// The toy, linked in and loaded.
pub(crate) fn plugins() -> [&'static mw_plugin; 2] {
    entries().map(|entry| unsafe { entry(host(), ptr::null_mut()).as_ref() }.unwrap())
}

pub(crate) fn decoders() -> [&'static mw_decoder_table; 2] {
    plugins().map(|plugin| unsafe { table(plugin, MW_DECODER_INTERFACE) })
}

pub(crate) fn encoders() -> [&'static mw_encoder_table; 2] {
    plugins().map(|plugin| unsafe { table(plugin, MW_ENCODER_INTERFACE) })
}

pub(crate) fn resamplers() -> [&'static mw_resampler_table; 2] {
    plugins().map(|plugin| unsafe { table(plugin, MW_RESAMPLER_INTERFACE) })
}

unsafe fn table<T>(plugin: &mw_plugin, interface: &str) -> &'static T {
    let interface = CString::new(interface).unwrap();
    let table = call!(plugin, get(interface.as_ptr(), 0));
    unsafe { table.cast::<T>().as_ref() }.unwrap()
}

/// What the plugins logged.
pub(crate) static LOG: Mutex<Vec<(u32, String)>> = Mutex::new(Vec::new());

fn host() -> *const mw_host {
    struct Constant(mw_host);
    unsafe impl Sync for Constant {}
    unsafe extern "C" fn log(context: *mut c_void, level: u32, message: *const c_char) {
        assert_eq!(context.addr(), 77);
        LOG.lock().unwrap().push((level, text(message)));
    }
    unsafe extern "C" fn is_cancelled(context: *mut c_void) -> i32 {
        assert_eq!(context.addr(), 77);
        1
    }
    static HOST: Constant = Constant(mw_host {
        size: size_of::<mw_host>() as u32,
        abi_minor: MW_ABI_MINOR,
        name: c"test".as_ptr(),
        version: c"1".as_ptr(),
        context: ptr::without_provenance_mut(77),
        log: Some(log),
        get_extension: None,
        is_cancelled: Some(is_cancelled),
    });
    &raw const HOST.0
}

pub(crate) fn text(text: *const c_char) -> String {
    assert!(!text.is_null());
    unsafe { CStr::from_ptr(text) }.to_str().unwrap().to_owned()
}

/// A struct of all zeros but its size, which is its first field.
pub(crate) fn sized<T: Copy>() -> T {
    let mut value: T = unsafe { zeroed() };
    unsafe { (&raw mut value).cast::<u32>().write(size_of::<T>() as u32) };
    value
}

/// The error of a call that the tests make by hand.
pub(crate) struct Failure(Box<mw_error>);

impl Failure {
    pub(crate) fn new(error: mw_error) -> Self {
        Self(Box::new(error))
    }
}

impl Deref for Failure {
    type Target = mw_error;

    fn deref(&self) -> &mw_error {
        &self.0
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", told(self))
    }
}

/// An error with its status and its message, for comparison.
pub(crate) fn told(error: &mw_error) -> (mw_status, String) {
    (error.status, text(error.message.as_ptr()))
}

/// The same of an error that the published host has read.
pub(crate) fn refused(fault: Fault) -> (mw_status, String) {
    let Refusal { status, message, .. } = fault.refusal();
    (status, message)
}

pub(crate) fn input(bytes: &[u8]) -> mw_input {
    mw_input { data: bytes.as_ptr(), num_bytes: bytes.len() as u64, ..sized() }
}

pub(crate) fn interleaved<T>(
    format: u32,
    plane: &[*mut c_void; 1],
    samples: &[T],
    num_channels: usize,
) -> mw_buffer {
    let num_frames = (samples.len() / num_channels) as u64;
    mw_buffer { format, layout: MW_INTERLEAVED, num_planes: 1, planes: plane.as_ptr(), num_frames, ..sized() }
}

/// Opens a stream.
pub(crate) fn open(table: &'static mw_decoder_table, input: &mw_input) -> Result<Decoder, Fault> {
    open_with(table, input, &sized())
}

/// Opens a stream with these options, which may be null.
pub(crate) fn open_with(
    table: &'static mw_decoder_table,
    input: &mw_input,
    options: *const mw_decoder_options,
) -> Result<Decoder, Fault> {
    // The tests keep the bytes of an input for longer than its handles.
    unsafe { DecoderTable::new(table)?.open_raw(input, options) }
}

/// The next frames as interleaved 16-bit samples, at most `num_frames`.
pub(crate) fn read(decoder: &mut Decoder, num_frames: usize) -> Result<Vec<i16>, Fault> {
    decoder.read(Layout::Interleaved, num_frames)
}

/// Decodes into a buffer, which may be illegal.
pub(crate) fn decode(
    table: &mw_decoder_table,
    decoder: &Decoder,
    buffer: &mw_buffer,
) -> (mw_status, u64, mw_error) {
    let (mut num_frames, mut error) = (u64::MAX, sized());
    let status = call!(table, decode(decoder.handle(), buffer, &mut num_frames, &mut error));
    (status, num_frames, error)
}

/// Asks for a tag, whose status may be an error.
pub(crate) fn tag_status(table: &mw_decoder_table, decoder: &Decoder, index: u32) -> mw_status {
    call!(table, tag(decoder.handle(), index, &mut ptr::null(), &mut ptr::null()))
}
