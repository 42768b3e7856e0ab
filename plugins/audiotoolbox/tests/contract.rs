//! What the double assumes about AudioToolbox beyond its headers, tested against the double on Linux and the framework on a Mac.
//!
//! On a Mac the files are those of `make-fixtures.sh`, in the directory named by `MAPWAVE_AUDIOTOOLBOX_FIXTURES`; without it
//! only files encoded here are decoded.

#![allow(unsafe_code, clippy::undocumented_unsafe_blocks, clippy::multiple_unsafe_ops_per_block)] // the framework's functions
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, missing_docs)]

use std::ffi::c_void;
use std::ptr;

use mapwave_audiotoolbox::sys::*;
use mapwave_audiotoolbox::{AifcEncoder, AudioToolboxDecoder, CafEncoder, FlacEncoder, M4aEncoder};
use mapwave_plugin::{
    Block, Decoder, DecoderOptions, Encoder, EncoderOptions, Input, Output, Result, Sample, SeekClass, Sink,
};

/// A file, and the samples that another decoder makes of it.
struct Fixture {
    name: String,
    bytes: Vec<u8>,
    reference: Vec<f32>,
}

#[cfg(not(target_vendor = "apple"))]
fn fixtures() -> Vec<Fixture> {
    use mapwave_audiotoolbox::double::Fake;
    let floats: Vec<f32> = (0..2 * 40_000).map(|place| place as f32 / 100_000.0).collect();
    let integers: Vec<i32> =
        (0..2 * 40_000).map(|place: i32| place.wrapping_mul(0x12_3457) >> 8 << 8).collect();
    let aac = Fake::lossy(kAudioFormatMPEG4AAC, 44_100, 2, &floats).with_packet_table(2112, 76);
    let flac = Fake::lossless(kAudioFormatFLAC, 3, 48_000, 2, &integers);
    let of_integers = integers.iter().map(|sample| *sample as f32 / 2_147_483_648.0).collect();
    let fixture = |name: &str, fake: Fake, reference| Fixture {
        name: name.to_owned(),
        bytes: fake.to_bytes(),
        reference,
    };
    vec![
        fixture("aac.m4a", aac, floats[2 * 2112..2 * 39_924].to_vec()),
        fixture("flac24.flac", flac, of_integers),
    ]
}

#[cfg(target_vendor = "apple")]
fn fixtures() -> Vec<Fixture> {
    let Some(directory) = std::env::var_os("MAPWAVE_AUDIOTOOLBOX_FIXTURES") else {
        println!("skipped: MAPWAVE_AUDIOTOOLBOX_FIXTURES names no directory; make-fixtures.sh makes one");
        return Vec::new();
    };
    let directory = std::path::PathBuf::from(directory);
    let files = std::fs::read_dir(directory.join("files")).unwrap();
    let fixture = |path: std::path::PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let reference = std::fs::read(directory.join(format!("references/{name}.wav"))).unwrap();
        Fixture { bytes: std::fs::read(&path).unwrap(), reference: wave_floats(&reference), name }
    };
    files.map(|entry| fixture(entry.unwrap().path())).collect()
}

/// The samples of a WAVE file of floats.
#[cfg(target_vendor = "apple")]
fn wave_floats(bytes: &[u8]) -> Vec<f32> {
    let mut place = 12;
    loop {
        let size = u32::from_le_bytes(bytes[place + 4..place + 8].try_into().unwrap()) as usize;
        if &bytes[place..place + 4] == b"data" {
            let (samples, _) = bytes[place + 8..].get(..size).unwrap_or(&bytes[place + 8..]).as_chunks::<4>();
            return samples.iter().map(|sample| f32::from_le_bytes(*sample)).collect();
        }
        place += 8 + size.next_multiple_of(2);
    }
}

unsafe extern "C" fn read(
    client: *mut c_void,
    at: i64,
    size: u32,
    to: *mut c_void,
    count: *mut u32,
) -> OSStatus {
    let bytes = unsafe { &*client.cast::<Vec<u8>>() };
    let rest = bytes.get(at as usize..).unwrap_or_default();
    let size = rest.len().min(size as usize);
    unsafe { ptr::copy_nonoverlapping(rest.as_ptr(), to.cast(), size) };
    unsafe { count.write(size as u32) };
    0
}

unsafe extern "C" fn num_bytes(client: *mut c_void) -> i64 {
    unsafe { &*client.cast::<Vec<u8>>() }.len() as i64
}

fn open_file(bytes: &Vec<u8>) -> Result<Opaque, OSStatus> {
    let (client, mut file) = (ptr::from_ref(bytes).cast_mut().cast(), ptr::null_mut());
    let status =
        unsafe { AudioFileOpenWithCallbacks(client, Some(read), None, Some(num_bytes), None, 0, &mut file) };
    if status == 0 { Ok(file) } else { Err(status) }
}

/// Wraps a file, for floats.
fn wrap(file: Opaque) -> (Opaque, AudioStreamBasicDescription) {
    let (mut ext, mut format) = (ptr::null_mut(), AudioStreamBasicDescription::default());
    assert_eq!(unsafe { ExtAudioFileWrapAudioFileID(file, 0, &mut ext) }, 0);
    let mut size = size_of::<AudioStreamBasicDescription>() as u32;
    let place = (&raw mut format).cast();
    assert_eq!(
        unsafe { ExtAudioFileGetProperty(ext, kExtAudioFileProperty_FileDataFormat, &mut size, place) },
        0
    );
    let client = AudioStreamBasicDescription {
        mSampleRate: format.mSampleRate,
        mFormatID: kAudioFormatLinearPCM,
        mFormatFlags: kAudioFormatFlagIsFloat | kAudioFormatFlagIsPacked,
        mBytesPerPacket: 4 * format.mChannelsPerFrame,
        mFramesPerPacket: 1,
        mBytesPerFrame: 4 * format.mChannelsPerFrame,
        mChannelsPerFrame: format.mChannelsPerFrame,
        mBitsPerChannel: 32,
        mReserved: 0,
    };
    let value = ptr::from_ref(&client).cast();
    assert_eq!(
        unsafe { ExtAudioFileSetProperty(ext, kExtAudioFileProperty_ClientDataFormat, size, value) },
        0
    );
    (ext, format)
}

fn read_frames(ext: Opaque, num_channels: u32, num_frames: u32) -> Vec<f32> {
    let mut samples = vec![f32::NAN; (num_frames * num_channels) as usize];
    let mut count = num_frames;
    let buffer = AudioBuffer {
        mNumberChannels: num_channels,
        mDataByteSize: 4 * num_channels * num_frames,
        mData: samples.as_mut_ptr().cast(),
    };
    let mut buffers = AudioBufferList { mNumberBuffers: 1, mBuffers: [buffer] };
    assert_eq!(unsafe { ExtAudioFileRead(ext, &mut count, &mut buffers) }, 0);
    assert!(count <= num_frames);
    assert_eq!(buffers.mBuffers[0].mDataByteSize, 4 * num_channels * count, "the size follows");
    samples.truncate((count * num_channels) as usize);
    samples
}

fn read_to_end(ext: Opaque, num_channels: u32) -> Vec<f32> {
    let mut samples = Vec::new();
    loop {
        let some = read_frames(ext, num_channels, 3000);
        if some.is_empty() {
            return samples;
        }
        samples.extend(some);
    }
}

fn decode<T: Sample>(decoder: &mut AudioToolboxDecoder, max_frames: usize) -> Vec<T> {
    let num_channels = decoder.info().num_channels as usize;
    let mut samples = vec![T::default(); max_frames * num_channels];
    let mut filled = 0;
    loop {
        let room = &mut samples[filled * num_channels..];
        let count = Output::with_slice(room, num_channels, |output| {
            decoder.decode(output).map(|()| output.num_written())
        });
        match count.unwrap() {
            0 => break,
            count => filled += count,
        }
    }
    samples.truncate(filled * num_channels);
    samples
}

fn open(bytes: Vec<u8>) -> AudioToolboxDecoder {
    AudioToolboxDecoder::open(Input::from(bytes), &DecoderOptions::default()).unwrap()
}

#[test]
fn bytes_of_no_kind_are_refused() {
    for bytes in [Vec::new(), b"neither fish nor fowl ".repeat(100)] {
        let status = open_file(&bytes).unwrap_err();
        let known =
            [kAudioFileUnsupportedFileTypeError, kAudioFileInvalidFileError, kAudioFileEndOfFileError];
        assert!(known.contains(&status), "{status:x}");
    }
}

#[test]
fn the_length_and_the_frames_are_those_of_the_sound() {
    for Fixture { name, bytes, reference } in fixtures() {
        let file = open_file(&bytes).unwrap();
        let (ext, format) = wrap(file);
        let (mut length, mut size) = (0i64, 8);
        let place = (&raw mut length).cast();
        let status =
            unsafe { ExtAudioFileGetProperty(ext, kExtAudioFileProperty_FileLengthFrames, &mut size, place) };
        assert_eq!((status, size), (0, 8), "{name}");
        let samples = read_to_end(ext, format.mChannelsPerFrame);
        assert_eq!(samples.len() as i64, length * i64::from(format.mChannelsPerFrame), "{name}");
        assert_eq!(samples.len(), reference.len(), "{name}");
        assert!(read_frames(ext, format.mChannelsPerFrame, 100).is_empty(), "{name}: the end stays the end");
        let mut table = AudioFilePacketTableInfo::default();
        let (mut size, place) = (size_of::<AudioFilePacketTableInfo>() as u32, (&raw mut table).cast());
        match unsafe { AudioFileGetProperty(file, kAudioFilePropertyPacketTableInfo, &mut size, place) } {
            0 => assert_eq!(table.mNumberValidFrames, length, "{name}: {table:?}"),
            status => assert_eq!(status, kAudioFileUnsupportedPropertyError, "{name}"),
        }
        // A wrapper is closed, its file stays open; the next wrapper has a codec in its initial state.
        assert_eq!(unsafe { ExtAudioFileDispose(ext) }, 0);
        let (ext, _) = wrap(file);
        assert_eq!(read_to_end(ext, format.mChannelsPerFrame), samples, "{name}: once more");
        assert_eq!(unsafe { ExtAudioFileDispose(ext) }, 0);
        assert_eq!(unsafe { AudioFileClose(file) }, 0);
    }
}

#[test]
fn the_plugin_decodes_what_the_systems_own_tool_does() {
    for Fixture { name, bytes, reference } in fixtures() {
        let mut decoder = open(bytes);
        let info = decoder.info().clone();
        let num_channels = info.num_channels as usize;
        let num_frames = reference.len() / num_channels;
        assert_eq!((info.num_frames, info.is_truncated), (Some(num_frames as u64), false), "{name}");
        if name.starts_with("he") {
            assert_eq!((info.sample_rate, num_channels), (44_100, 2), "{name}: the best layer");
        }
        let whole: Vec<f32> = decode(&mut decoder, num_frames + 10);
        let bound = if info.is_lossless { 0.0 } else { 1.0 / 32_768.0 };
        let difference =
            whole.iter().zip(&reference).map(|(one, other)| (one - other).abs()).fold(0.0, f32::max);
        assert!(whole.len() == reference.len() && difference <= bound, "{name}: {difference}");
        for frame in [1, num_frames / 3, num_frames / 2 + 17, num_frames - 1] {
            decoder.seek(frame as u64).unwrap();
            let window: Vec<f32> = decode(&mut decoder, 2000);
            let expected = &whole[frame * num_channels..][..window.len()];
            if info.seek_class == SeekClass::Exact {
                assert_eq!(window, expected, "{name} at {frame}");
            } else {
                // Noise may differ, the position may not.
                let power = |samples: &mut dyn Iterator<Item = f32>| {
                    samples.map(|sample| f64::from(sample).powi(2)).sum::<f64>()
                };
                let noise = power(&mut window.iter().zip(expected).map(|(one, other)| one - other));
                assert!(
                    noise <= 0.01 * power(&mut expected.iter().copied()) + 1e-9,
                    "{name} at {frame}: {noise}"
                );
            }
            let mut fork = decoder.fork().unwrap();
            fork.seek(frame as u64).unwrap();
            assert_eq!(decode::<f32>(&mut fork, 2000), window, "{name} at {frame}: a function of the place");
        }
    }
}

fn encode<E: Encoder, T: Sample>(options: &EncoderOptions<'_>, samples: &[T]) -> Vec<u8> {
    let (sink, bytes) = Sink::in_memory();
    let mut encoder = E::open(options, sink).unwrap();
    for block in samples.chunks(1000 * options.num_channels as usize) {
        Block::with_slice(block, options.num_channels as usize, |block| encoder.push(block)).unwrap();
    }
    encoder.finish().unwrap();
    bytes.lock().unwrap().clone()
}

#[test]
fn what_is_encoded_losslessly_comes_back() {
    for bits in [16, 24] {
        let integers: Vec<i32> = (0..2 * 30_001)
            .map(|place: i32| place.wrapping_mul(0x0037_79b9) >> (32 - bits) << (32 - bits))
            .collect();
        let options = |codec| EncoderOptions {
            bits_per_sample: Some(bits),
            codec: Some(codec),
            ..EncoderOptions::new(44_100, 2)
        };
        for (name, file) in [
            ("alac in m4a", encode::<M4aEncoder, i32>(&options("alac"), &integers)),
            ("alac in caf", encode::<CafEncoder, i32>(&options("alac"), &integers)),
            ("flac", encode::<FlacEncoder, i32>(&options("flac"), &integers)),
        ] {
            let mut decoder = open(file);
            assert_eq!(decoder.info().bits_per_sample, bits, "{name}");
            assert_eq!(decode::<i32>(&mut decoder, 40_000), integers, "{name} of {bits} bits");
        }
    }
}

#[test]
fn what_is_encoded_lossily_keeps_its_length_and_its_channels() {
    let tone = |place: usize| ((place / 6) as f32 * 0.05 * (place % 6 + 1) as f32).sin() * 0.2;
    let six: Vec<f32> = (0..6 * 20_011).map(tone).collect();
    let options =
        EncoderOptions { codec: Some("aac"), bitrate: Some(6 * 64_000), ..EncoderOptions::new(48_000, 6) };
    let mut decoder = open(encode::<M4aEncoder, f32>(&options, &six));
    assert_eq!((decoder.info().num_frames, decoder.info().channel_mask), (Some(20_011), 0x3f));
    let decoded: Vec<f32> = decode(&mut decoder, 30_000);
    // The low-frequency channel is low-pass filtered; each other channel matches itself and no other.
    for channel in [0, 1, 2, 4, 5] {
        let product = |other: usize| {
            let pairs = decoded.iter().skip(channel).step_by(6).zip(six.iter().skip(other).step_by(6));
            pairs.map(|(one, other)| f64::from(one * other)).sum::<f64>()
        };
        let best = (0..6).max_by(|one, other| product(*one).total_cmp(&product(*other)));
        assert_eq!(best, Some(channel), "where a channel comes from");
    }
    let integers: Vec<i16> =
        (0..10_007).map(|place| (f64::from(place).mul_add(0.03, 0.0).sin() * 9000.0) as i16).collect();
    let options = EncoderOptions { codec: Some("adpcm_ima_qt"), ..EncoderOptions::new(44_100, 1) };
    let caf = open(encode::<CafEncoder, i16>(&options, &integers));
    assert_eq!(caf.info().num_frames, Some(10_007));
    let aifc = open(encode::<AifcEncoder, i16>(&options, &integers));
    assert_eq!(aifc.info().num_frames, Some(10_048), "whole packets");
}

#[test]
fn what_the_encoder_has_not_is_refused() {
    let refused =
        |options: EncoderOptions<'_>| M4aEncoder::open(&options, Sink::in_memory().0).err().unwrap();
    let bitrate = refused(EncoderOptions { bitrate: Some(3), ..EncoderOptions::new(44_100, 2) });
    assert!(bitrate.message().contains("aac at this sample rate supports"), "{bitrate}");
    let rate = refused(EncoderOptions::new(1000, 2));
    assert_ne!(rate.native_code(), 0, "{rate}");
}
