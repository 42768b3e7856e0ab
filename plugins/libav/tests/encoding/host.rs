//! The least of a host: the encoders' tables, and a sink in memory that can be told to fail.

#![allow(unsafe_code)]
#![allow(clippy::undocumented_unsafe_blocks, clippy::multiple_unsafe_ops_per_block)] // all by the ABI's contracts

use std::ffi::{CStr, CString, c_void};
use std::mem::{size_of, zeroed};
use std::ptr;

use mapwave_plugin::abi::*;

/// What a call failed with.
#[derive(Debug)]
pub struct Failure {
    pub status: mw_status,
    pub message: String,
}

/// The outcome of a call that takes an error to fill.
fn call(call: impl FnOnce(&mut mw_error) -> mw_status) -> Result<(), Failure> {
    let mut error = mw_error { size: size_of::<mw_error>() as u32, ..unsafe { zeroed() } };
    let status = call(&mut error);
    if status >= 0 {
        return Ok(());
    }
    let message = unsafe { CStr::from_ptr(error.message.as_ptr()) }.to_str().unwrap().to_owned();
    assert_eq!(error.status, status);
    Err(Failure { status, message })
}

/// The encoders of the plugin.
fn tables() -> impl Iterator<Item = &'static mw_encoder_table> {
    let plugin = unsafe { mapwave_libav::entry(ptr::null(), ptr::null_mut()).as_ref() }.unwrap();
    (0..).map_while(|index| unsafe {
        plugin.get.unwrap()(c"mapwave.encoder/1".as_ptr(), index).cast::<mw_encoder_table>().as_ref()
    })
}

fn names(list: *const std::ffi::c_char) -> impl Iterator<Item = &'static str> {
    unsafe { CStr::from_ptr(list) }.to_str().unwrap().split(',')
}

/// All pairs of a container and a codec that the plugin says it writes.
pub fn pairs() -> Vec<(&'static str, &'static str)> {
    let pairs = |table: &'static mw_encoder_table| {
        names(table.containers).flat_map(|container| names(table.codecs).map(move |codec| (container, codec)))
    };
    tables().flat_map(pairs).collect()
}

/// Samples of one of the formats.
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

/// What an encoder is asked for.
#[derive(Clone, Debug)]
pub struct Wish {
    pub container: &'static str,
    pub codec: &'static str,
    pub sample_rate: u32,
    pub num_channels: u32,
    pub channel_mask: u64,
    pub bits_per_sample: u32,
    pub num_frames: Option<u64>,
    pub bitrate: u32,
    pub quality: u32,
    pub effort: u32,
    pub tags: Vec<(&'static str, &'static str)>,
    pub is_append_only: bool,
    /// The number of the write that fails.
    pub failing_write: Option<usize>,
}

impl Wish {
    /// Stereo at a rate, with nothing else said.
    pub fn new(
        (container, codec): (&'static str, &'static str),
        sample_rate: u32,
        num_channels: u32,
    ) -> Self {
        Self {
            container,
            codec,
            sample_rate,
            num_channels,
            channel_mask: 0,
            bits_per_sample: 0,
            num_frames: None,
            bitrate: 0,
            quality: 0,
            effort: 0,
            tags: Vec::new(),
            is_append_only: false,
            failing_write: None,
        }
    }

    /// The file of interleaved samples that are pushed all at once.
    pub fn encode<T: Sample>(&self, samples: &[T]) -> Result<Vec<u8>, Failure> {
        self.encode_by(samples, usize::MAX)
    }

    /// The file of interleaved samples that are pushed in blocks of a number of frames.
    pub fn encode_by<T: Sample>(&self, samples: &[T], num_frames: usize) -> Result<Vec<u8>, Failure> {
        let mut encoding = Encoding::open(self)?;
        for block in samples.chunks(num_frames.saturating_mul(self.num_channels as usize)) {
            encoding.push(block)?;
        }
        encoding.finish()?;
        Ok(encoding.file().to_vec())
    }
}

/// What an encoder writes into.
#[derive(Default)]
struct File {
    bytes: Vec<u8>,
    is_append_only: bool,
    num_writes: usize,
    failing_write: Option<usize>,
}

/// An encoder and the file that it writes.
pub struct Encoding {
    table: &'static mw_encoder_table,
    encoder: *mut mw_encoder,
    num_channels: usize,
    file: Box<File>,
}

unsafe extern "C" fn write_at(
    context: *mut c_void,
    offset: u64,
    data: *const c_void,
    num_bytes: u64,
) -> mw_status {
    let file = unsafe { &mut *context.cast::<File>() };
    let bytes = unsafe { std::slice::from_raw_parts(data.cast::<u8>(), num_bytes as usize) };
    let (start, end) = (offset as usize, (offset + num_bytes) as usize);
    assert!(start <= file.bytes.len(), "there is no hole");
    assert!(start == file.bytes.len() || !file.is_append_only, "append-only is append-only");
    file.num_writes += 1;
    if file.failing_write == Some(file.num_writes - 1) {
        return MW_IO;
    }
    assert!(
        file.failing_write.is_none_or(|failing| file.num_writes <= failing),
        "nothing is written after a failure"
    );
    file.bytes.resize(file.bytes.len().max(end), 0);
    file.bytes[start..end].copy_from_slice(bytes);
    MW_OK
}

impl Encoding {
    pub fn open(wish: &Wish) -> Result<Self, Failure> {
        let table = tables().find(|table| {
            names(table.containers).any(|name| name == wish.container)
                && names(table.codecs).any(|name| name == wish.codec)
        });
        let table = table.unwrap();
        let mut file = Box::new(File {
            is_append_only: wish.is_append_only,
            failing_write: wish.failing_write,
            ..File::default()
        });
        let sink = mw_sink {
            size: size_of::<mw_sink>() as u32,
            flags: if wish.is_append_only { MW_SINK_APPEND_ONLY } else { 0 },
            context: (&raw mut *file).cast(),
            write_at: Some(write_at),
        };
        let text = |text: &str| CString::new(text).unwrap();
        let (codec, container) = (text(wish.codec), text(wish.container));
        let texts: Vec<_> = wish.tags.iter().map(|(key, value)| (text(key), text(value))).collect();
        let tags: Vec<_> =
            texts.iter().map(|(key, value)| mw_tag { key: key.as_ptr(), value: value.as_ptr() }).collect();
        let options = mw_encoder_options {
            size: size_of::<mw_encoder_options>() as u32,
            sample_rate: wish.sample_rate,
            num_channels: wish.num_channels,
            bits_per_sample: wish.bits_per_sample,
            channel_mask: wish.channel_mask,
            num_frames: wish.num_frames.unwrap_or(MW_UNKNOWN),
            codec: codec.as_ptr(),
            container: container.as_ptr(),
            bitrate: wish.bitrate,
            effort: wish.effort,
            quality: wish.quality,
            num_tags: tags.len() as u32,
            tags: tags.as_ptr(),
            max_threads: 4,
            reserved: 0,
            max_alloc: 64 << 20,
        };
        let mut encoder = ptr::null_mut();
        let opened = call(|error| unsafe { table.open.unwrap()(&options, &sink, &mut encoder, error) });
        assert!(file.bytes.is_empty(), "open writes nothing");
        opened.map(|()| Self { table, encoder, num_channels: wish.num_channels as usize, file })
    }

    fn push_planes<T: Sample>(
        &mut self,
        planes: &[&[T]],
        layout: u32,
        num_frames: usize,
    ) -> Result<(), Failure> {
        let starts: Vec<*mut c_void> = planes.iter().map(|plane| plane.as_ptr().cast_mut().cast()).collect();
        let buffer = mw_buffer {
            size: size_of::<mw_buffer>() as u32,
            format: T::FORMAT,
            layout,
            num_planes: starts.len() as u32,
            planes: starts.as_ptr(),
            num_frames: num_frames as u64,
        };
        call(|error| unsafe { self.table.push.unwrap()(self.encoder, &buffer, error) })
    }

    /// Pushes interleaved samples.
    pub fn push<T: Sample>(&mut self, samples: &[T]) -> Result<(), Failure> {
        self.push_planes(&[samples], MW_INTERLEAVED, samples.len() / self.num_channels)
    }

    /// Pushes the same samples, a plane for each channel.
    pub fn push_planar<T: Sample>(&mut self, samples: &[T]) -> Result<(), Failure> {
        let plane = |channel| samples.iter().skip(channel).step_by(self.num_channels).copied().collect();
        let planes: Vec<Vec<T>> = (0..self.num_channels).map(plane).collect();
        let planes: Vec<&[T]> = planes.iter().map(Vec::as_slice).collect();
        self.push_planes(&planes, MW_PLANAR, samples.len() / self.num_channels)
    }

    pub fn finish(&mut self) -> Result<(), Failure> {
        call(|error| unsafe { self.table.finish.unwrap()(self.encoder, error) })
    }

    /// What has been written so far.
    pub fn file(&self) -> &[u8] {
        &self.file.bytes
    }

    /// How often the sink was called.
    pub fn num_writes(&self) -> usize {
        self.file.num_writes
    }
}

impl Drop for Encoding {
    fn drop(&mut self) {
        let num_writes = self.file.num_writes;
        unsafe { self.table.close.unwrap()(self.encoder) };
        if !std::thread::panicking() {
            assert_eq!(self.file.num_writes, num_writes, "close writes nothing");
        }
    }
}
