//! Written files read back: every container, depth, channel count, sample rate and array type, bit-exact where that is
//! possible, otherwise rounded once.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, missing_docs)]

use std::sync::{Arc, Mutex};

use mapwave_core::sink::{
    self, Audio, ByteSink, Dither, Encoding, FileFormat, Overflow, PcmEncoding, SaveOptions, Saved, Target,
    Writer,
};
use mapwave_core::{FrameSpec, Layout, OutputFormat, ReadControl, Reader};
use mapwave_tests::random::Random;

const FORMATS: [&str; 6] = ["wav", "rf64", "w64", "aiff", "aifc", "caf"];

/// A target in memory whose bytes can be examined.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl ByteSink for Memory {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> std::io::Result<()> {
        let mut memory = self.0.lock().unwrap();
        let start = offset as usize;
        let end = start + bytes.len();
        let len = memory.len().max(end);
        memory.resize(len, 0);
        memory[start..end].copy_from_slice(bytes);
        Ok(())
    }
}

fn options(format: &str, encoding: &str, sample_rate: u32, num_channels: u16) -> SaveOptions {
    let format = FileFormat::named(format).unwrap();
    SaveOptions {
        encoding: encoding.parse().unwrap(),
        is_durable: false,
        ..SaveOptions::new(format, sample_rate, num_channels)
    }
}

fn saved(audio: &Audio<'_>, options: SaveOptions) -> Vec<u8> {
    let memory = Memory::default();
    let target = Target::Sink(Box::new(memory.clone()));
    let Saved { num_frames, num_bytes } =
        sink::save(target, audio, options, &ReadControl::ONE_THREAD).unwrap();
    assert_eq!(num_frames, audio.num_frames() as u64);
    let bytes = memory.0.lock().unwrap().clone();
    assert_eq!(num_bytes, bytes.len() as u64);
    bytes
}

fn read(bytes: Vec<u8>) -> (Reader, Vec<f64>) {
    let reader = Reader::from_bytes(bytes).unwrap();
    let spec = FrameSpec { format: OutputFormat::F64, ..FrameSpec::default() };
    let samples = reader.read(0..reader.num_frames(), &spec).unwrap();
    let samples = samples.samples::<f64>().unwrap().to_vec();
    (reader, samples)
}

/// The value of a sample after it was stored: by the conversion rules, in plain arithmetic.
fn stored(value: f64, depth: PcmEncoding) -> f64 {
    match depth.integer_bits() {
        Some(bits) => {
            let scale = 2_f64.powi(i32::from(bits) - 1);
            (value * scale).round_ties_even().clamp(-scale, scale - 1.0) / scale
        }
        None if depth == PcmEncoding::F32 => f64::from(value as f32),
        None => value,
    }
}

/// Samples that a type holds exactly, as bytes and as numbers.
fn samples(random: &mut Random, format: OutputFormat, count: usize) -> (Vec<u64>, Vec<f64>) {
    // Twelve bits and a sign fit every type but bfloat16, which has eight.
    let bits = if format == OutputFormat::Bf16 { 7 } else { 11 };
    let numbers: Vec<f64> = (0..count)
        .map(|_| (random.below(1 << (bits + 1)) as f64 - f64::from(1 << bits)) / f64::from(1 << bits))
        .collect();
    let bytes: Vec<u8> = numbers
        .iter()
        .flat_map(|&value| match format {
            OutputFormat::F32 => (value as f32).to_ne_bytes().to_vec(),
            OutputFormat::F64 => value.to_ne_bytes().to_vec(),
            OutputFormat::F16 => half(value, 5, 10).to_ne_bytes().to_vec(),
            OutputFormat::Bf16 => half(value, 8, 7).to_ne_bytes().to_vec(),
            OutputFormat::I16 => ((value * 32768.0) as i16).to_ne_bytes().to_vec(),
            OutputFormat::I32 => ((value * 2_147_483_648.0) as i32).to_ne_bytes().to_vec(),
        })
        .collect();
    // Integers saturate at their largest value.
    let numbers = match format {
        OutputFormat::I16 => {
            numbers.iter().map(|&value| f64::from((value * 32768.0) as i16) / 32768.0).collect()
        }
        OutputFormat::I32 => numbers
            .iter()
            .map(|&value| f64::from((value * 2_147_483_648.0) as i32) / 2_147_483_648.0)
            .collect(),
        _ => numbers,
    };
    // Aligned for every type.
    let mut words = vec![0_u64; bytes.len().div_ceil(8)];
    for (word, bytes) in words.iter_mut().zip(bytes.chunks(8)) {
        let mut whole = [0; 8];
        whole[..bytes.len()].copy_from_slice(bytes);
        *word = u64::from_ne_bytes(whole);
    }
    (words, numbers)
}

/// The bits of a number that the format holds exactly.
fn half(value: f64, exponent_bits: i32, mantissa_bits: i32) -> u16 {
    if value == 0.0 {
        return 0;
    }
    let exponent = value.abs().log2().floor() as i32;
    let bias = (1 << (exponent_bits - 1)) - 1;
    let mantissa = (value.abs() / 2_f64.powi(exponent) - 1.0) * f64::from(1 << mantissa_bits);
    assert_eq!(mantissa.fract(), 0.0, "{value} fits");
    let sign = u16::from(value < 0.0) << 15;
    sign | ((exponent + bias) as u16) << mantissa_bits | mantissa as u16
}

fn audio<'a>(words: &'a [u64], format: OutputFormat, axes: &[usize], layout: Layout) -> Audio<'a> {
    let size = format.num_bytes() as isize;
    let strides = [axes[1] as isize * size, size];
    #[allow(unsafe_code)]
    // SAFETY: an array in C order of as many samples as there are words for.
    unsafe { Audio::from_strides(words.as_ptr().cast(), format, axes, &strides, Some(layout)) }.unwrap()
}

#[test]
fn every_container_and_depth_reads_back_from_every_type_of_array() {
    let mut random = Random::announced();
    let mut count = 0;
    for format in FORMATS {
        for depth in PcmEncoding::ALL {
            for (num_channels, sample_rate) in [(1, 8000), (2, 44_100), (6, 192_000)] {
                for from in OutputFormat::ALL {
                    for layout in [Layout::ChannelsLast, Layout::ChannelsFirst] {
                        let num_frames = [0, 1, 7, 1001][random.below(4)];
                        let (words, numbers) = samples(&mut random, from, num_frames * num_channels);
                        let axes = match layout {
                            Layout::ChannelsLast => [num_frames, num_channels],
                            Layout::ChannelsFirst => [num_channels, num_frames],
                        };
                        let audio = audio(&words, from, &axes, layout);
                        let bytes =
                            saved(&audio, options(format, depth.name(), sample_rate, num_channels as u16));
                        let what = format!(
                            "{format} {} {num_channels} x {num_frames} {from} {layout:?}",
                            depth.name()
                        );
                        let (reader, got) = read(bytes);
                        let track = reader.track();
                        assert_eq!(track.sample_rate, sample_rate, "{what}");
                        assert_eq!(usize::from(track.num_channels), num_channels, "{what}");
                        assert_eq!(reader.num_frames(), num_frames as u64, "{what}");
                        assert_eq!(track.missing_bytes, 0, "{what}");
                        let (name, variant) = (track.container.name(), track.container.exact_name());
                        // AIFF becomes AIFF-C for formats that AIFF does not have.
                        assert!(
                            variant == format || (format, variant) == ("aiff", "aifc"),
                            "{what}: {variant}"
                        );
                        assert_eq!(
                            name,
                            match format {
                                "rf64" | "w64" => "wav",
                                "aifc" => "aiff",
                                other => other,
                            },
                            "{what}"
                        );
                        let expected = |frame: usize, channel: usize| match layout {
                            Layout::ChannelsLast => numbers[frame * num_channels + channel],
                            Layout::ChannelsFirst => numbers[channel * num_frames + frame],
                        };
                        for (index, got) in got.iter().enumerate() {
                            let value = expected(index / num_channels, index % num_channels);
                            match depth {
                                // The quantisation step of a companded sample grows with its level: 16 steps per octave, and 8 below 2^-8.
                                PcmEncoding::Alaw | PcmEncoding::Mulaw => {
                                    let step = (value.abs() / 16.0).max(1.0 / 1024.0);
                                    assert!((got - value).abs() <= step, "{what}: {got} for {value}");
                                }
                                _ => assert_eq!(*got, stored(value, depth), "{what}: sample {index}"),
                            }
                        }
                        count += 1;
                    }
                }
            }
        }
    }
    println!("{count} files");
}

#[test]
fn parts_make_the_file_that_the_whole_makes() {
    let mut random = Random::announced();
    for format in FORMATS {
        for encoding in ["float32", "pcm16", "pcm24", "u8", "alaw"] {
            let num_frames = 3000 + random.below(200);
            let (words, _) = samples(&mut random, OutputFormat::F32, num_frames * 2);
            let whole = audio(&words, OutputFormat::F32, &[num_frames, 2], Layout::ChannelsLast);
            let dither = if encoding == "pcm16" { Dither::Tpdf { seed: 5 } } else { Dither::None };
            let options = SaveOptions { dither, ..options(format, encoding, 48_000, 2) };
            let (expected_reader, expected) = read(saved(&whole, options.clone()));

            let memory = Memory::default();
            let target = Target::Sink(Box::new(memory.clone()));
            let mut writer = Writer::create(target, options, OutputFormat::F32, None).unwrap();
            let mut start = 0;
            while start < num_frames {
                let count = (1 + random.below(700)).min(num_frames - start);
                let part = audio(&words[start..], OutputFormat::F32, &[count, 2], Layout::ChannelsLast);
                writer.write(&part, &ReadControl::ONE_THREAD).unwrap();
                start += count;
                assert_eq!(writer.num_frames(), start as u64);
            }
            let saved = writer.finish(&ReadControl::ONE_THREAD).unwrap();
            let bytes = memory.0.lock().unwrap().clone();
            assert_eq!((saved.num_frames, saved.num_bytes), (num_frames as u64, bytes.len() as u64));
            let (reader, got) = read(bytes);
            assert_eq!(reader.track().container, expected_reader.track().container, "{format} {encoding}");
            assert_eq!(reader.track().missing_bytes, 0, "{format} {encoding}");
            assert_eq!(got, expected, "{format} {encoding}");
        }
    }
}

#[test]
fn what_does_not_fit_is_refused_before_a_byte_is_written() {
    let loud = [0.5_f32, -1.0, 1.0, 1.25];
    let audio = Audio::new(&loud, OutputFormat::F32, &[4], None).unwrap();
    for encoding in ["pcm16", "pcm24", "u8", "mulaw"] {
        let memory = Memory::default();
        let refused = SaveOptions { overflow: Overflow::Refuse, ..options("wav", encoding, 8000, 1) };
        let target = Target::Sink(Box::new(memory.clone()));
        let message = sink::save(target, &audio, refused, &ReadControl::ONE_THREAD).unwrap_err().to_string();
        assert!(message.contains("got 1.25 in frame 3"), "{message}");
        assert!(memory.0.lock().unwrap().is_empty());
    }
    let kept = SaveOptions { overflow: Overflow::Refuse, ..options("wav", "float32", 8000, 1) };
    assert_eq!(read(saved(&audio, kept)).1, loud.map(f64::from));
    let clipped = read(saved(&audio, options("wav", "float32", 8000, 1))).1;
    assert_eq!(clipped, [0.5, -1.0, 1.0, 1.0]);
    let rescaled = SaveOptions { overflow: Overflow::Rescale, ..options("caf", "float64", 8000, 1) };
    assert_eq!(read(saved(&audio, rescaled)).1, loud.map(|sample| f64::from(sample) * (1.0 / 1.25)));
    let nan = Audio::new(&[f32::NAN], OutputFormat::F32, &[1], None).unwrap();
    let rescaled = SaveOptions { overflow: Overflow::Rescale, ..options("caf", "pcm16", 8000, 1) };
    let target = Target::Sink(Box::new(Memory::default()));
    assert!(sink::save(target, &nan, rescaled, &ReadControl::ONE_THREAD).is_err());
}

#[test]
fn a_writer_that_refused_a_part_goes_on_and_one_that_failed_does_not() {
    struct Broken(u32);
    impl ByteSink for Broken {
        fn write_at(&mut self, _: u64, _: &[u8]) -> std::io::Result<()> {
            self.0 += 1;
            if self.0 > 2 { Err(std::io::Error::from_raw_os_error(28)) } else { Ok(()) }
        }
    }
    let part = [0.5_f32; 8];
    let stereo = Audio::new(&part, OutputFormat::F32, &[4, 2], Some(Layout::ChannelsLast)).unwrap();
    let mono = Audio::new(&part, OutputFormat::F32, &[8], None).unwrap();
    let target = Target::Sink(Box::new(Broken(0)));
    let mut writer =
        Writer::create(target, options("wav", "pcm16", 8000, 2), OutputFormat::F32, None).unwrap();
    assert!(writer.write(&mono, &ReadControl::ONE_THREAD).unwrap_err().to_string().contains("2 channels"));
    writer.write(&stereo, &ReadControl::ONE_THREAD).unwrap();
    let error = writer.write(&stereo, &ReadControl::ONE_THREAD).unwrap_err();
    assert!(
        matches!(&error, mapwave_core::Error::Io { cause, .. } if cause.raw_os_error() == Some(28)),
        "{error}"
    );
    assert!(writer.write(&stereo, &ReadControl::ONE_THREAD).unwrap_err().to_string().contains("abandoned"));
    assert!(writer.finish(&ReadControl::ONE_THREAD).is_err());
}

#[test]
fn encodings_of_every_codec_name_are_understood_or_refused_with_a_list() {
    let silence = [0_i16; 4];
    let audio = Audio::new(&silence, OutputFormat::I16, &[4], None).unwrap();
    let refuse = |format: &str, encoding: &str| {
        let options = options(format, encoding, 8000, 1);
        let target = Target::Sink(Box::new(Memory::default()));
        sink::save(target, &audio, options, &ReadControl::ONE_THREAD).unwrap_err().to_string()
    };
    assert!(
        refuse("aiff", "vorbis")
            .contains("one of 'float32', 'pcm16', 'pcm24', 'pcm32', 'float64', 'u8', 'alaw', 'mulaw'")
    );
    assert!(refuse("nonsense", "float32").contains("no loaded plugin writes 'nonsense'"));
    assert_eq!("PCM_16".parse::<Encoding>().unwrap(), Encoding::Pcm(PcmEncoding::Pcm16));
    assert_eq!("PCM_17".parse::<Encoding>().unwrap(), Encoding::Codec("pcm_17".to_owned()));
}
