//! What the tests share: signals, encoding, and decoders written by others.

#![allow(dead_code, clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]

use std::io::{Cursor, ErrorKind, Write};
use std::process::{Command, Stdio};

use mapwave_flac::{EncodeError, Encoder, EncoderSettings, Error, Frames, Sample};
use symphonia_bundle_flac::{FlacDecoder, FlacReader};
use symphonia_core::audio::{Audio, GenericAudioBufferRef};
use symphonia_core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia_core::formats::{FormatReader, TrackType};
use symphonia_core::io::MediaSourceStream;

/// A xorshift64* generator.
pub struct Random(pub u64);

impl Random {
    pub fn bits(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.bits() >> 11) as usize % end
    }

    pub fn sample(&mut self, num_bits: u32) -> i32 {
        (self.bits().cast_signed() >> (64 - num_bits)) as i32
    }
}

/// Interleaved samples of `bits` bits: a chord under a slow envelope, a little different in every channel, with noise.
pub fn music(bits: u32, num_channels: usize, num_frames: usize) -> Vec<i32> {
    let mut random = Random(5);
    let scale = f64::from((1 << (bits - 1)) - 1) * 0.8;
    let mut samples = Vec::with_capacity(num_channels * num_frames);
    for frame in 0..num_frames {
        for channel in 0..num_channels {
            let time = frame as f64 + 2.0 * channel as f64;
            let chord = (time * 0.031).sin() + (time * 0.041).sin() + 0.5 * (time * 0.19).cos();
            let noise = f64::from(random.sample(32)) / 2.0_f64.powi(32);
            let level = chord / 3.0 * (time * 1e-4).cos() + 0.004 * noise;
            samples.push((level * scale) as i32);
        }
    }
    samples
}

/// The file of samples that fill their type, pushed in pieces of as many frames as `next_size` says.
pub fn encode_in<T: Sample>(
    settings: &EncoderSettings,
    samples: &[T],
    mut next_size: impl FnMut() -> usize,
) -> Result<Vec<u8>, Error> {
    let mut file = Vec::new();
    let mut append = |bytes: &[u8]| {
        file.extend_from_slice(bytes);
        Ok::<(), ()>(())
    };
    let own = |error| match error {
        EncodeError::Encoder(error) => error,
        EncodeError::Write(()) => unreachable!(),
    };
    let num_channels = settings.num_channels as usize;
    let mut encoder = Encoder::new(settings)?;
    let mut rest = samples;
    while !rest.is_empty() {
        let (now, later) = rest.split_at((num_channels * next_size()).min(rest.len()));
        encoder.push(Frames::Interleaved(now), &mut append).map_err(own)?;
        rest = later;
    }
    for patch in encoder.finish(append).map_err(own)? {
        patch.apply(&mut file);
    }
    Ok(file)
}

/// Samples of as many bits as the settings say as a file.
pub fn encode(settings: &EncoderSettings, samples: &[i32]) -> Vec<u8> {
    let shift = 32 - settings.bits_per_sample;
    let full: Vec<i32> = samples.iter().map(|sample| sample << shift).collect();
    encode_in(settings, &full, || 1 << 20).unwrap()
}

/// The samples of a file by Symphonia, at their own depth.
pub fn decode_by_symphonia(file: &[u8]) -> Vec<i32> {
    let source = MediaSourceStream::new(Box::new(Cursor::new(file.to_vec())), Default::default());
    let mut reader = FlacReader::try_new(source, Default::default()).unwrap();
    let track = reader.default_track(TrackType::Audio).unwrap();
    let parameters = track.codec_params.as_ref().unwrap().audio().unwrap().clone();
    let bits = parameters.bits_per_sample.unwrap();
    let announced = track.num_frames;
    let mut decoder = FlacDecoder::try_new(&parameters, &AudioDecoderOptions::default()).unwrap();
    let mut samples: Vec<i32> = Vec::new();
    while let Some(packet) = reader.next_packet().unwrap() {
        let GenericAudioBufferRef::S32(buffer) = decoder.decode(&packet).unwrap() else { unreachable!() };
        for frame in 0..buffer.frames() {
            samples.extend(buffer.iter_planes().map(|plane| plane[frame] >> (32 - bits)));
        }
    }
    let num_channels = parameters.channels.unwrap().count();
    assert_eq!(announced, Some((samples.len() / num_channels) as u64));
    samples
}

/// The samples of a file by claxon.
pub fn decode_by_claxon(file: &[u8]) -> Vec<i32> {
    claxon::FlacReader::new(Cursor::new(file)).unwrap().samples().map(|sample| sample.unwrap()).collect()
}

/// The output of a command, whose input `input` is; `None` with a notice when it is not installed.
pub fn run(command: &[&str], input: &[u8]) -> Option<Vec<u8>> {
    let piped = Stdio::piped;
    let spawned =
        Command::new(command[0]).args(&command[1..]).stdin(piped()).stdout(piped()).stderr(piped()).spawn();
    let mut child = match spawned {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            println!("skipped: {} is not installed", command[0]);
            return None;
        }
        child => child.unwrap(),
    };
    let mut stdin = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || {
            let _ = stdin.write_all(input); // the command says what it misses
        });
        child.wait_with_output().unwrap()
    });
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {complaint}", command.join(" "));
    Some(output.stdout)
}

/// The samples of a file by the reference decoder, which also checks every checksum and the MD5; of depths that it has no
/// raw format for, it only checks.
pub fn decode_by_flac(file: &[u8], bits: u32) -> Option<Vec<i32>> {
    run(&["flac", "-t", "-s", "-"], file)?;
    if ![8, 16, 24].contains(&bits) {
        return None;
    }
    let raw = ["flac", "-d", "-s", "-c", "--force-raw-format", "--endian=little", "--sign=signed", "-"];
    let bytes = run(&raw, file)?;
    let num_bytes = bits.div_ceil(8) as usize;
    let sample = |bytes: &[u8]| {
        let mut all = [0; 4];
        all[4 - num_bytes..].copy_from_slice(bytes);
        i32::from_le_bytes(all) >> (32 - 8 * num_bytes)
    };
    Some(bytes.chunks(num_bytes).map(sample).collect())
}

/// The samples of a file by FFmpeg, at their own depth.
pub fn decode_by_ffmpeg(file: &[u8], bits: u32) -> Option<Vec<i32>> {
    let arguments = ["ffmpeg", "-v", "error", "-xerror", "-f", "flac", "-i", "-", "-f", "s32le", "-"];
    let bytes = run(&arguments, file)?;
    Some(bytes.as_chunks::<4>().0.iter().map(|bytes| i32::from_le_bytes(*bytes) >> (32 - bits)).collect())
}

/// Every decoder gives the samples back.
pub fn check(file: &[u8], samples: &[i32], bits: u32, what: &str) {
    // Neither takes a file without a frame, and Claxon wants the depth in every header.
    if !samples.is_empty() {
        assert!(decode_by_symphonia(file) == samples, "symphonia: {what}");
    }
    if !samples.is_empty() && [8, 12, 16, 20, 24].contains(&bits) {
        assert!(decode_by_claxon(file) == samples, "claxon: {what}");
    }
    if let Some(decoded) = decode_by_flac(file, bits) {
        assert!(decoded == samples, "flac: {what}");
    }
    // FFmpeg takes a file without a frame for damaged.
    if let Some(decoded) = (!samples.is_empty()).then(|| decode_by_ffmpeg(file, bits)).flatten() {
        assert!(decoded == samples, "ffmpeg: {what}");
    }
}
