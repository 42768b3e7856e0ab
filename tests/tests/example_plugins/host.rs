//! The least of a host: a library, and handles on files that it reads.

#![allow(unsafe_code)]
#![allow(clippy::undocumented_unsafe_blocks, clippy::multiple_unsafe_ops_per_block)] // all by the ABI's contracts

use std::ffi::{CStr, CString, c_char, c_void};
use std::mem::zeroed;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;

use mapwave_plugin_abi::*;

/// What a call failed with.
#[derive(Debug)]
pub struct Failure {
    pub status: mw_status,
    pub offset: u64,
    pub message: String,
}

/// The outcome of a call that takes an error to fill.
fn call(call: impl FnOnce(&mut mw_error) -> mw_status) -> Result<mw_status, Failure> {
    let mut error = mw_error { size: size_of::<mw_error>() as u32, ..unsafe { zeroed() } };
    let status = call(&mut error);
    if status >= 0 {
        return Ok(status);
    }
    let message = unsafe { CStr::from_ptr(error.message.as_ptr()) }.to_str().unwrap().to_owned();
    assert_eq!(error.status, status);
    assert_eq!(error.size as usize, size_of::<mw_error>());
    Err(Failure { status, offset: error.offset, message })
}

/// A library that was loaded and stays.
pub struct Plugin {
    plugin: &'static mw_plugin,
    table: &'static mw_decoder_table,
}

impl Plugin {
    pub fn load(library: &Path) -> Self {
        let path = CString::new(library.as_os_str().as_bytes()).unwrap();
        let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        assert!(!handle.is_null(), "{:?}", unsafe { CStr::from_ptr(libc::dlerror()) });
        let symbol = CString::new(MW_ENTRY_SYMBOL).unwrap();
        let entry = unsafe { libc::dlsym(handle, symbol.as_ptr()) };
        assert!(!entry.is_null());
        let entry: mw_plugin_entry = unsafe { std::mem::transmute(entry) };
        let plugin = unsafe { entry(ptr::null(), ptr::null_mut()).as_ref() }.unwrap();
        let table = unsafe { plugin.get.unwrap()(c"mapwave.decoder/1".as_ptr(), 0) };
        let table = unsafe { table.cast::<mw_decoder_table>().as_ref() }.unwrap();
        assert_eq!(table.size as usize, size_of::<mw_decoder_table>());
        Self { plugin, table }
    }

    pub fn id(&self) -> &str {
        unsafe { CStr::from_ptr(self.plugin.id) }.to_str().unwrap()
    }

    pub fn abi_major(&self) -> u32 {
        self.plugin.abi_major
    }

    pub fn has_no_other_tables(&self) -> bool {
        let get = |interface: &CStr, index| unsafe { self.plugin.get.unwrap()(interface.as_ptr(), index) };
        get(c"mapwave.decoder/1", 1).is_null()
            && get(c"mapwave.encoder/1", 0).is_null()
            && get(c"", 0).is_null()
    }

    pub fn probe(&self, head: &[u8]) -> i32 {
        let num_bytes = head.len() as u64;
        unsafe { self.table.probe.unwrap()(head.as_ptr(), num_bytes, num_bytes, ptr::null(), ptr::null()) }
    }
}

/// How the plugin gets at the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Memory,
    Callback,
}

/// A sample that can be asked for.
pub trait Sample: Copy + Default {
    const FORMAT: u32;
}

impl Sample for i16 {
    const FORMAT: u32 = MW_I16;
}

impl Sample for i32 {
    const FORMAT: u32 = MW_I32;
}

impl Sample for f32 {
    const FORMAT: u32 = MW_F32;
}

/// A handle on bytes.
pub struct Decoder {
    table: &'static mw_decoder_table,
    decoder: *mut mw_decoder,
    bytes: std::rc::Rc<Box<[u8]>>,
}

unsafe extern "C" fn read_at(context: *mut c_void, offset: u64, buffer: *mut c_void, num_bytes: u64) -> i64 {
    let bytes = unsafe { &*context.cast::<Box<[u8]>>() };
    let rest = &bytes[bytes.len().min(offset as usize)..];
    let count = rest.len().min(num_bytes as usize).min(100); // fewer than asked for is no error
    unsafe { buffer.cast::<u8>().copy_from(rest.as_ptr(), count) };
    count as i64
}

impl Decoder {
    pub fn open(
        plugin: &Plugin,
        bytes: &[u8],
        access: Access,
        max_alloc: Option<u64>,
    ) -> Result<Self, Failure> {
        let bytes = std::rc::Rc::new(Box::<[u8]>::from(bytes));
        let mut input = mw_input {
            size: size_of::<mw_input>() as u32,
            num_bytes: bytes.len() as u64,
            ..unsafe { zeroed() }
        };
        match access {
            Access::Memory => input.data = bytes.as_ptr(),
            Access::Callback => {
                input.context = std::rc::Rc::as_ptr(&bytes).cast_mut().cast();
                input.read_at = Some(read_at);
            }
        }
        let options = mw_decoder_options {
            size: size_of::<mw_decoder_options>() as u32,
            max_alloc: max_alloc.unwrap_or(1 << 20),
            ..unsafe { zeroed() }
        };
        let mut decoder = ptr::null_mut();
        let result =
            call(|error| unsafe { plugin.table.open.unwrap()(&input, &options, &mut decoder, error) });
        assert_eq!(result.is_ok(), !decoder.is_null());
        result.map(|_| Self { table: plugin.table, decoder, bytes })
    }

    pub fn info(&self) -> mw_stream_info {
        let mut info = mw_stream_info { size: size_of::<mw_stream_info>() as u32, ..unsafe { zeroed() } };
        call(|error| unsafe { self.table.info.unwrap()(self.decoder, &mut info, error) }).unwrap();
        info
    }

    /// Lets `info` fill a struct of that size, and looks at the bytes behind it.
    pub fn check_info_of_size(&self, num_bytes: usize) {
        let mut room = [0_u64; 32];
        let bytes = |room: &[u64; 32]| room.map(u64::to_ne_bytes).concat();
        let mut filled = bytes(&room);
        filled[num_bytes..].fill(0xa5);
        for (word, chunk) in room.iter_mut().zip(filled.chunks(8)) {
            *word = u64::from_ne_bytes(chunk.try_into().unwrap());
        }
        if num_bytes < 4 {
            return; // there is no room for the size itself
        }
        let info = room.as_mut_ptr().cast::<mw_stream_info>();
        unsafe { info.cast::<u32>().write(num_bytes as u32) };
        let result = call(|error| unsafe { self.table.info.unwrap()(self.decoder, info, error) });
        let after = bytes(&room);
        assert!(after[num_bytes..].iter().all(|byte| *byte == 0xa5), "{num_bytes} bytes");
        assert_eq!(after[..4], (num_bytes as u32).to_ne_bytes());
        if num_bytes >= size_of::<mw_stream_info>() {
            result.unwrap();
            assert_eq!(after[12..16], self.info().num_channels.to_ne_bytes());
        } else {
            assert_eq!(result.unwrap_err().status, MW_BAD_ARGUMENT);
            assert!(after[4..num_bytes].iter().all(|byte| *byte == 0));
        }
    }

    pub fn tag(&self, index: u32) -> Option<(String, String)> {
        let (mut key, mut value): (*const c_char, *const c_char) = (ptr::null(), ptr::null());
        let status = unsafe { self.table.tag.unwrap()(self.decoder, index, &mut key, &mut value) };
        assert!(matches!(status, MW_OK | MW_END));
        let text = |text| unsafe { CStr::from_ptr(text) }.to_str().unwrap().to_owned();
        (status == MW_OK).then(|| (text(key), text(value)))
    }

    pub fn seek(&mut self, frame: u64) -> Result<(), Failure> {
        call(|error| unsafe { self.table.seek.unwrap()(self.decoder, frame, error) }).map(drop)
    }

    pub fn fork(&self) -> Self {
        let mut decoder = ptr::null_mut();
        call(|error| unsafe { self.table.fork.unwrap()(self.decoder, &mut decoder, error) }).unwrap();
        Self { table: self.table, decoder, bytes: self.bytes.clone() }
    }

    /// All that follows, interleaved, with room for `room` frames at a time and guards behind it.
    pub fn rest<T: Sample>(&mut self, layout: u32, room: usize) -> Result<Vec<T>, Failure> {
        let num_channels = self.info().num_channels as usize;
        let (num_planes, width) = if layout == MW_PLANAR { (num_channels, 1) } else { (1, num_channels) };
        let mut samples = Vec::new();
        loop {
            // Exactly as large as it must be, so that tools that watch memory see every byte too many.
            let mut planes: Vec<Box<[T]>> =
                (0..num_planes).map(|_| vec![T::default(); room * width].into_boxed_slice()).collect();
            let starts: Vec<*mut c_void> = planes.iter_mut().map(|plane| plane.as_mut_ptr().cast()).collect();
            let buffer = mw_buffer {
                size: size_of::<mw_buffer>() as u32,
                format: T::FORMAT,
                layout,
                num_planes: num_planes as u32,
                planes: starts.as_ptr(),
                num_frames: room as u64,
            };
            let mut num_frames = u64::MAX;
            let status = call(|error| unsafe {
                self.table.decode.unwrap()(self.decoder, &buffer, &mut num_frames, error)
            })?;
            if status == MW_END {
                assert_eq!(num_frames, 0);
                return Ok(samples);
            }
            assert!((1..=room as u64).contains(&num_frames));
            for frame in 0..num_frames as usize {
                for channel in 0..num_channels {
                    samples.push(if layout == MW_PLANAR {
                        planes[channel][frame]
                    } else {
                        planes[0][frame * num_channels + channel]
                    });
                }
            }
        }
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        unsafe { self.table.close.unwrap()(self.decoder) };
    }
}
