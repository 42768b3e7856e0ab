//! Structs of other versions (R1).

use std::mem::offset_of;
use std::ptr;

use mapwave_plugin::abi::*;
use mapwave_toy::file;

use crate::raw::{call, decode, decoders, input, open, open_with, sized, text, told};

/// A struct of a later version, with fields that this one does not know.
#[repr(C)]
#[derive(Clone, Copy)]
struct Larger<T> {
    known: T,
    unknown: [u64; 4],
}

impl<T> Larger<T> {
    fn new(known: T) -> Self {
        let mut larger = Self { known, unknown: [u64::MAX; 4] };
        unsafe { (&raw mut larger).cast::<u32>().write(size_of::<Self>() as u32) };
        larger
    }
}

#[test]
fn later_versions_of_what_the_host_fills_are_read() {
    let bytes = file('-', 1, &[1, 2, 3]);
    let (input, options) = (Larger::new(input(&bytes)), Larger::new(sized::<mw_decoder_options>()));
    for table in decoders() {
        let opened = open_with(table, &input.known, &options.known).unwrap();
        let mut samples = [0i16; 3];
        let planes = [samples.as_mut_ptr().cast()];
        let buffer = Larger::new(mw_buffer {
            format: MW_I16,
            num_planes: 1,
            planes: planes.as_ptr(),
            num_frames: 3,
            ..sized()
        });
        assert_eq!(decode(table, &opened, &buffer.known).1, 3);
        assert_eq!(samples, [1, 2, 3]);
    }
}

#[test]
fn later_versions_of_what_the_plugin_fills_are_filled_as_far_as_it_knows() {
    let bytes = file('-', 1, &[]);
    for table in decoders() {
        let opened = open(table, &input(&bytes)).unwrap();
        let mut info = Larger::new(sized::<mw_stream_info>());
        let size = info.known.size;
        assert_eq!(call!(table, info(opened.handle(), &mut info.known, ptr::null_mut())), MW_OK);
        assert_eq!((info.known.size, info.known.sample_rate), (size, 44100));
        assert_eq!(info.unknown, [u64::MAX; 4]);
        let mut error = Larger::new(sized::<mw_error>());
        assert_eq!(call!(table, seek(opened.handle(), 1, &mut error.known)), MW_BAD_ARGUMENT);
        assert_eq!(told(&error.known).1, "cannot seek to frame 1 of 0");
        assert_eq!(error.unknown, [u64::MAX; 4]);
    }
}

#[test]
fn structs_without_the_first_versions_fields_are_refused() {
    let bytes = file('-', 1, &[1]);
    let good = input(&bytes);
    for table in decoders() {
        let refusal = |input: mw_input, options: mw_decoder_options| {
            let (mut handle, mut error) = (ptr::null_mut(), sized());
            assert_eq!(call!(table, open(&input, &options, &mut handle, &mut error)), MW_BAD_ARGUMENT);
            told(&error).1
        };
        for size in [0, 4, 55] {
            let expected = format!("mw_input has {size} bytes, expected at least 56");
            assert_eq!(refusal(mw_input { size, ..good }, sized()), expected);
        }
        let expected = "mw_decoder_options has 23 bytes, expected at least 24";
        assert_eq!(refusal(good, mw_decoder_options { size: 23, ..sized() }), expected);
        let track = mw_track { size: 7, ..sized() };
        let expected = "mw_track has 7 bytes, expected at least 128";
        assert_eq!(refusal(mw_input { track: &track, ..good }, sized()), expected);

        let opened = open(table, &good).unwrap();
        let mut info = mw_stream_info { size: 87, ..sized() };
        assert_eq!(call!(table, info(opened.handle(), &mut info, ptr::null_mut())), MW_BAD_ARGUMENT);
        assert_eq!((info.size, info.sample_rate), (87, 0), "nothing was written");
        let (status, _, error) = decode(table, &opened, &mw_buffer { size: 31, ..sized() });
        assert_eq!(told(&error), (status, "mw_buffer has 31 bytes, expected at least 32".into()));
    }
}

#[test]
fn an_error_is_filled_as_far_as_it_goes() {
    let bytes = file('-', 1, &[]);
    let message = offset_of!(mw_error, message);
    for table in decoders() {
        let opened = open(table, &input(&bytes)).unwrap();
        for size in (0..40).chain([message + 500, size_of::<mw_error>()]) {
            let mut error: mw_error = sized();
            unsafe { ptr::write_bytes((&raw mut error).cast::<u8>(), 0x55, size_of::<mw_error>()) };
            error.size = size as u32;
            assert_eq!(call!(table, seek(opened.handle(), 1, &mut error)), MW_BAD_ARGUMENT);
            let bytes: [u8; size_of::<mw_error>()] = unsafe { std::mem::transmute_copy(&error) };
            assert!(bytes[size.max(4)..].iter().all(|byte| *byte == 0x55), "nothing past {size} bytes");
            assert_eq!(error.size, size as u32);
            if size >= 8 {
                assert_eq!(error.status, MW_BAD_ARGUMENT);
            }
            if size > message {
                let expected = "cannot seek to frame 1 of 0";
                assert_eq!(text(error.message.as_ptr()), expected[..expected.len().min(size - message - 1)]);
            }
        }
    }
}
