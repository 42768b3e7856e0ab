//! Encoders.

use std::ffi::c_void;
use std::ptr;

use mapwave_plugin::abi::*;
use mapwave_toy::file;

use crate::raw::{Failure, call, encoders, interleaved, sized, told};

/// A file in memory, which may fill up.
struct Target {
    bytes: Vec<u8>,
    max_bytes: usize,
}

impl Target {
    fn new(max_bytes: usize) -> Self {
        Self { bytes: Vec::new(), max_bytes }
    }

    fn sink(&mut self, flags: u32) -> mw_sink {
        let context = ptr::from_mut(self).cast();
        mw_sink { flags, context, write_at: Some(write_at), ..sized() }
    }
}

unsafe extern "C" fn write_at(
    context: *mut c_void,
    offset: u64,
    data: *const c_void,
    num_bytes: u64,
) -> mw_status {
    let target = unsafe { context.cast::<Target>().as_mut() }.unwrap();
    let data = unsafe { std::slice::from_raw_parts(data.cast::<u8>(), num_bytes as usize) };
    let (start, end) = (offset as usize, offset as usize + data.len());
    if end > target.max_bytes {
        return MW_IO;
    }
    target.bytes.resize(end.max(target.bytes.len()), 0);
    target.bytes[start..end].copy_from_slice(data);
    MW_OK
}

fn stereo() -> mw_encoder_options {
    mw_encoder_options { sample_rate: 8000, num_channels: 2, num_frames: MW_UNKNOWN, ..sized() }
}

struct Opened {
    table: &'static mw_encoder_table,
    handle: *mut mw_encoder,
}

impl Drop for Opened {
    fn drop(&mut self) {
        call!(self.table, close(self.handle));
    }
}

impl Opened {
    fn open(
        table: &'static mw_encoder_table,
        options: &mw_encoder_options,
        sink: &mw_sink,
    ) -> Result<Self, Failure> {
        let (mut handle, mut error) = (ptr::null_mut(), sized::<mw_error>());
        match call!(table, open(options, sink, &mut handle, &mut error)) {
            MW_OK => Ok(Self { table, handle }),
            status => {
                assert_eq!((status, handle), (error.status, ptr::null_mut()));
                Err(Failure::new(error))
            }
        }
    }

    fn push(&self, buffer: &mw_buffer) -> Result<(), Failure> {
        let mut error = sized();
        let status = call!(self.table, push(self.handle, buffer, &mut error));
        if status == MW_OK { Ok(()) } else { Err(Failure::new(error)) }
    }

    fn push_samples(&self, samples: &[i16]) -> Result<(), Failure> {
        let planes = [samples.as_ptr().cast_mut().cast()];
        self.push(&interleaved(MW_I16, &planes, samples, 2))
    }

    fn finish(&self) -> Result<(), Failure> {
        let mut error = sized();
        let status = call!(self.table, finish(self.handle, &mut error));
        if status == MW_OK { Ok(()) } else { Err(Failure::new(error)) }
    }
}

#[test]
fn what_is_pushed_is_written() {
    let samples = [1, 2, 3, 4, 5, 6];
    for table in encoders() {
        assert_eq!((table.size, table.formats), (96, 1 << MW_I16));
        let mut target = Target::new(1000);
        let opened = Opened::open(table, &stereo(), &target.sink(0)).unwrap();
        opened.push_samples(&samples[..2]).unwrap();
        let (left, right) = ([3i16, 5], [4i16, 6]);
        let planes = [left.as_ptr().cast_mut().cast(), right.as_ptr().cast_mut().cast()];
        let planar = mw_buffer {
            format: MW_I16,
            layout: MW_PLANAR,
            num_planes: 2,
            planes: planes.as_ptr(),
            num_frames: 2,
            ..sized()
        };
        opened.push(&planar).unwrap();
        opened.push_samples(&[]).unwrap();
        opened.finish().unwrap();
        let expected = (MW_BAD_STATE, "the encoder is finished and can only be closed".to_owned());
        assert_eq!(told(&opened.finish().unwrap_err()), expected);
        assert_eq!(told(&opened.push_samples(&samples).unwrap_err()), expected);
        drop(opened);
        assert_eq!(target.bytes, file('-', 2, &samples));
    }
}

#[test]
fn a_sink_that_is_full_is_an_error() {
    for table in encoders() {
        let mut target = Target::new(8);
        let opened = Opened::open(table, &stereo(), &target.sink(0)).unwrap();
        let error = opened.push_samples(&[1, 2]).unwrap_err();
        assert_eq!(told(&error), (MW_IO, "the host could not write".into()));
        assert_eq!(error.native_code, i64::from(MW_IO));
        drop(opened);
        assert_eq!(target.bytes, b"TOY-?", "nothing is written on the way out");
        let error = Opened::open(table, &stereo(), &sized()).err().unwrap();
        assert_eq!(told(&error), (MW_BAD_ARGUMENT, "the sink has no write_at".into()));
    }
}

#[test]
fn an_encoder_that_has_failed_is_not_called_again() {
    for table in encoders() {
        let mut target = Target::new(1000);
        let options = mw_encoder_options { bitrate: 3, ..stereo() };
        let opened = Opened::open(table, &options, &target.sink(0)).unwrap();
        opened.push_samples(&[]).unwrap();
        for _ in 0..2 {
            let error = opened.push_samples(&[1, 2]).unwrap_err();
            assert_eq!(told(&error), (MW_BAD_DATA, "bitrate 3, call 1".into()));
            assert_eq!((error.offset, error.native_code), (8, -9));
        }
        let error = opened.finish().unwrap_err();
        assert_eq!(told(&error), (MW_BAD_DATA, "bitrate 3, call 1".into()), "a file with a hole is none");
        assert_eq!(opened.finish().unwrap_err().status, MW_BAD_STATE);
        drop(opened);
        assert_eq!(target.bytes, b"TOY-?");

        let options = mw_encoder_options { bitrate: 4, ..stereo() };
        let opened = Opened::open(table, &options, &target.sink(0)).unwrap();
        opened.push_samples(&[1, 2]).unwrap();
        assert_eq!(told(&opened.finish().unwrap_err()), (MW_BAD_DATA, "bitrate 4, call 2".into()));
        assert_eq!(opened.finish().unwrap_err().status, MW_BAD_STATE);
    }
}

#[test]
fn a_buffer_that_breaks_the_contract_is_no_failure_of_the_encoder() {
    for table in encoders() {
        let mut target = Target::new(1000);
        let opened = Opened::open(table, &stereo(), &target.sink(0)).unwrap();
        assert_eq!(opened.push(&sized()).unwrap_err().status, MW_BAD_ARGUMENT);
        opened.push_samples(&[1, 2]).unwrap();
        opened.finish().unwrap();
        drop(opened);
        assert_eq!(target.bytes, file('-', 2, &[1, 2]));
    }
}

#[test]
fn an_append_only_sink_is_only_appended_to() {
    for table in encoders() {
        let mut target = Target::new(8);
        let opened = Opened::open(table, &stereo(), &target.sink(MW_SINK_APPEND_ONLY)).unwrap();
        opened.finish().unwrap();
        drop(opened);
        assert_eq!(target.bytes, b"TOY-?");
    }
}

#[test]
fn options_are_handed_on() {
    let tags = [mw_tag { key: c"title".as_ptr(), value: c"\xc3\x84".as_ptr() }];
    let options = mw_encoder_options {
        bits_per_sample: 24,
        num_frames: 3,
        codec: c"toy2".as_ptr(),
        bitrate: 2,
        quality: 100,
        num_tags: 1,
        tags: tags.as_ptr(),
        max_threads: 2,
        ..stereo()
    };
    for table in encoders() {
        let mut target = Target::new(1000);
        let opened = Opened::open(table, &options, &target.sink(0)).unwrap();
        opened.finish().unwrap();
        drop(opened);
        let expected = "EncoderOptions { sample_rate: 8000, num_channels: 2, bits_per_sample: Some(24), \
                        channel_mask: 0, num_frames: Some(3), codec: Some(\"toy2\"), container: None, \
                        bitrate: Some(2), effort: None, quality: Some(100), tags: [(\"title\", \"Ä\")], \
                        max_threads: 2, max_alloc: 1073741824, settings: Settings([]) }";
        assert_eq!(String::from_utf8_lossy(&target.bytes[5..]), expected);
    }
}

#[test]
fn what_cannot_be_done_is_refused_at_once() {
    let good = stereo();
    let no_value = [mw_tag { key: c"title".as_ptr(), value: ptr::null() }];
    let cases = [
        (
            mw_encoder_options { sample_rate: 0, ..good },
            MW_BAD_ARGUMENT,
            "0 Hz and 2 channels, expected at least 1 of each",
        ),
        (
            mw_encoder_options { codec: c"mp3".as_ptr(), ..good },
            MW_UNSUPPORTED,
            "the codec is \"mp3\", expected one of toy,toy2",
        ),
        (
            mw_encoder_options { codec: c"to\xff".as_ptr(), ..good },
            MW_BAD_ARGUMENT,
            "the codec is not UTF-8: \"to\\xff\"",
        ),
        (
            mw_encoder_options { container: c"wav".as_ptr(), ..good },
            MW_UNSUPPORTED,
            "the container is \"wav\", expected one of raw",
        ),
        (mw_encoder_options { effort: 101, ..good }, MW_BAD_ARGUMENT, "the effort is 101, expected 1 to 100"),
        (
            mw_encoder_options { num_tags: 1, ..good },
            MW_BAD_ARGUMENT,
            "the list of tags is null or not aligned",
        ),
        (
            mw_encoder_options { num_tags: 1, tags: no_value.as_ptr(), ..good },
            MW_BAD_ARGUMENT,
            "tag 0 has no key or no value",
        ),
        (
            mw_encoder_options { num_channels: 256, ..good },
            MW_UNSUPPORTED,
            "256 channels, expected at most 255",
        ),
        (
            mw_encoder_options { size: 87, ..good },
            MW_BAD_ARGUMENT,
            "mw_encoder_options has 87 bytes, expected at least 88",
        ),
    ];
    for table in encoders() {
        for (options, status, message) in &cases {
            let mut target = Target::new(1000);
            let error = Opened::open(table, options, &target.sink(0)).err().unwrap();
            assert_eq!(told(&error), (*status, (*message).to_owned()));
            assert!(target.bytes.is_empty(), "before a byte is written");
        }
    }
}

#[test]
fn a_panic_poisons_the_encoder() {
    for table in encoders() {
        let mut target = Target::new(1000);
        let options = mw_encoder_options { bitrate: 1, ..stereo() };
        let opened = Opened::open(table, &options, &target.sink(0)).unwrap();
        assert_eq!(opened.push_samples(&[1, 2]).unwrap_err().status, MW_PANIC);
        assert_eq!(opened.push_samples(&[1, 2]).unwrap_err().status, MW_PANIC);
        assert_eq!(opened.finish().unwrap_err().status, MW_PANIC);
        call!(table, close(ptr::null_mut()));
    }
}
