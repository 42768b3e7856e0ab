//! A host in a few lines.

use std::ffi::{CStr, CString, c_char, c_void};
use std::fmt;
use std::mem::{size_of, zeroed};
use std::ops::Deref;
use std::ptr;
use std::sync::{Mutex, OnceLock};

use mapwave_plugin::abi::{self, *};

/// A function of a table, called.
macro_rules! call {
    ($table:expr, $name:ident ( $($argument:expr),* $(,)? )) => {
        unsafe { ($table.$name.expect("the function is there"))($($argument),*) }
    };
}
pub(crate) use call;

/// The toy's entry functions: linked into this program, and exported by a library of its own.
pub(crate) fn entries() -> [mw_plugin_entry; 2] {
    static LIBRARY: OnceLock<libloading::Library> = OnceLock::new();
    let library = LIBRARY.get_or_init(|| {
        let mut path = std::env::current_exe().unwrap();
        path.set_file_name(libloading::library_filename("mapwave_toy"));
        unsafe { libloading::Library::new(&path) }.unwrap()
    });
    let symbol = unsafe { library.get::<mw_plugin_entry>(MW_ENTRY_SYMBOL) }.unwrap();
    [mapwave_toy::entry, *symbol]
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
    static HOST: Constant = Constant(mw_host {
        size: size_of::<mw_host>() as u32,
        abi_minor: MW_ABI_MINOR,
        name: c"test".as_ptr(),
        version: c"1".as_ptr(),
        context: ptr::without_provenance_mut(77),
        log: Some(log),
        get_extension: None,
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

/// An error of a plugin's.
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

/// A handle that is closed at the end.
pub(crate) struct Opened {
    pub(crate) table: &'static mw_decoder_table,
    pub(crate) handle: *mut mw_decoder,
}

impl Drop for Opened {
    fn drop(&mut self) {
        call!(self.table, close(self.handle));
    }
}

impl Opened {
    pub(crate) fn open(table: &'static mw_decoder_table, input: &mw_input) -> Result<Self, Failure> {
        let (mut handle, mut error) = (ptr::null_mut(), sized::<mw_error>());
        match call!(table, open(input, &sized(), &mut handle, &mut error)) {
            MW_OK => Ok(Self { table, handle }),
            status => {
                assert_eq!((status, handle), (error.status, ptr::null_mut()));
                Err(Failure::new(error))
            }
        }
    }

    pub(crate) fn info(&self) -> mw_stream_info {
        let mut info = sized();
        assert_eq!(call!(self.table, info(self.handle, &mut info, ptr::null_mut())), MW_OK);
        info
    }

    pub(crate) fn fork(&self) -> Result<Self, Failure> {
        let (mut handle, mut error) = (ptr::null_mut(), sized::<mw_error>());
        match call!(self.table, fork(self.handle, &mut handle, &mut error)) {
            MW_OK => Ok(Self { table: self.table, handle }),
            _ => Err(Failure::new(error)),
        }
    }

    pub(crate) fn seek(&self, frame: u64) -> Result<(), Failure> {
        let mut error = sized();
        match call!(self.table, seek(self.handle, frame, &mut error)) {
            MW_OK => Ok(()),
            _ => Err(Failure::new(error)),
        }
    }

    /// Decodes into a buffer, which is filled with what it must not keep.
    pub(crate) fn decode(&self, buffer: &mw_buffer) -> (mw_status, u64, mw_error) {
        let (mut num_frames, mut error) = (u64::MAX, sized());
        let status = call!(self.table, decode(self.handle, buffer, &mut num_frames, &mut error));
        (status, num_frames, error)
    }

    /// The next frames as 16-bit samples side by side, at most `num_frames`.
    pub(crate) fn samples(&self, num_frames: usize, num_channels: usize) -> Result<Vec<i16>, Failure> {
        let mut samples = vec![-1i16; num_frames * num_channels];
        let plane = [samples.as_mut_ptr().cast()];
        match self.decode(&interleaved(MW_I16, &plane, &samples, num_channels)) {
            (MW_OK, num_frames, _) if num_frames > 0 => {
                samples.truncate(num_frames as usize * num_channels);
                Ok(samples)
            }
            (abi::MW_END, 0, _) => Ok(Vec::new()),
            (status, 0, error) => {
                assert_eq!(status, error.status);
                Err(Failure::new(error))
            }
            (status, num_frames, _) => panic!("status {status} with {num_frames} frames"),
        }
    }

    pub(crate) fn tag(&self, index: u32) -> Result<(String, String), mw_status> {
        let (mut key, mut value) = (ptr::null(), ptr::null());
        match call!(self.table, tag(self.handle, index, &mut key, &mut value)) {
            MW_OK => Ok((text(key), text(value))),
            status => Err(status),
        }
    }
}
