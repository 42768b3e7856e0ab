//! A reader returns the same samples for every request, whatever the way it reads them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, missing_docs)]

use std::mem::MaybeUninit;

use mapwave_core::{
    Buffer, ChannelSelection, Error, FrameSpec, Layout, MonoMode, OutputFormat, ReadControl, Reader,
    SampleFormat,
};
use mapwave_tests::random::Random;
use mapwave_tests::{decoded, fixture, wave};

/// Channel selections for a file with `num_channels` channels.
fn selections(num_channels: u16) -> Vec<ChannelSelection> {
    let last = num_channels - 1;
    vec![
        ChannelSelection::All,
        ChannelSelection::Only(vec![last]),
        ChannelSelection::Only((0..num_channels).rev().chain([0]).collect()),
        ChannelSelection::Mono(MonoMode::Mean),
        ChannelSelection::Mono(MonoMode::EqualPower),
    ]
}

/// Every combination of sample type, layout and channels.
fn specs(num_channels: u16) -> Vec<FrameSpec> {
    let mut specs = Vec::new();
    for format in OutputFormat::ALL {
        for layout in [Layout::ChannelsLast, Layout::ChannelsFirst] {
            for channels in selections(num_channels) {
                for squeeze_mono in [false, true] {
                    specs.push(FrameSpec { format, channels: channels.clone(), layout, squeeze_mono });
                }
            }
        }
    }
    specs
}

/// Takes frames out of an array of a whole file.
fn slice(
    whole: &[u8],
    frames: std::ops::Range<u64>,
    num_frames: u64,
    num_channels: usize,
    spec: &FrameSpec,
) -> Vec<u8> {
    let (start, end) = (frames.start as usize, frames.end as usize);
    let size = spec.format.num_bytes();
    match spec.layout {
        Layout::ChannelsLast => whole[start * num_channels * size..end * num_channels * size].to_vec(),
        Layout::ChannelsFirst => {
            let planes = (0..num_channels).map(|channel| &whole[channel * num_frames as usize * size..]);
            planes.flat_map(|plane| &plane[start * size..end * size]).copied().collect()
        }
    }
}

fn read(reader: &Reader, frames: std::ops::Range<u64>, spec: &FrameSpec) -> Vec<u8> {
    reader.read(frames, spec).unwrap().bytes().to_vec()
}

#[test]
fn fixtures_are_what_their_table_says() {
    let valid = fixture::valid();
    assert!(valid.len() >= 26);
    for valid in valid {
        let name = &valid.file.name;
        let reader = Reader::open(&valid.file.path).unwrap();
        let track = reader.track();
        assert_eq!(
            (track.container.name(), track.container.variant(), track.codec.name()),
            (&*valid.container, valid.variant.as_deref(), &*valid.codec),
            "{name}"
        );
        assert_eq!(
            (track.sample_rate, track.num_channels),
            (valid.sample_rate, valid.num_channels),
            "{name}"
        );
        assert_eq!((reader.num_frames(), track.missing_bytes), (valid.num_frames, 0), "{name}");
        let samples = decoded::whole(&reader, OutputFormat::F32).unwrap();
        assert_eq!(decoded::sha256(&samples, OutputFormat::F32), valid.sha256, "{name}");
    }
}

#[test]
fn a_window_is_a_slice_of_the_whole() {
    let mut random = Random::announced();
    for valid in fixture::valid() {
        let (reader, name) = (Reader::open(&valid.file.path).unwrap(), &valid.file.name);
        let num_frames = reader.num_frames();
        for spec in specs(valid.num_channels) {
            let num_channels = spec.num_channels(valid.num_channels).unwrap();
            let whole = read(&reader, 0..num_frames, &spec);
            let mut ranges = vec![0..0, 0..1, num_frames - 1..num_frames, num_frames..num_frames];
            ranges.extend((0..8).map(|_| random.range_within(num_frames)));
            for range in ranges {
                let frames = reader.read(range.clone(), &spec).unwrap();
                let shape = spec.shape(range.end - range.start, valid.num_channels).unwrap();
                assert_eq!((frames.shape(), frames.format()), (shape, spec.format), "{name}: {spec:?}");
                let expected = slice(&whole, range.clone(), num_frames, num_channels, &spec);
                assert!(frames.bytes() == expected, "{name}: frames {range:?} of {spec:?}");
            }
        }
    }
}

#[test]
fn channels_and_layouts_rearrange_the_same_samples() {
    for valid in fixture::valid() {
        let (reader, name) = (Reader::open(&valid.file.path).unwrap(), &valid.file.name);
        let (num_frames, in_file) = (reader.num_frames(), usize::from(valid.num_channels));
        for format in OutputFormat::ALL {
            let size = format.num_bytes();
            let whole = decoded::whole(&reader, format).unwrap();
            for channels in selections(valid.num_channels) {
                let wanted: Vec<usize> = match &channels {
                    ChannelSelection::All => (0..in_file).collect(),
                    ChannelSelection::Only(channels) => {
                        channels.iter().map(|&channel| channel.into()).collect()
                    }
                    // Mixes are not samples of the file.
                    ChannelSelection::Mono(_) | ChannelSelection::Count(_) | ChannelSelection::Matrix(_) => {
                        continue;
                    }
                };
                let sample = |frame: usize, channel: usize| {
                    let start = (frame * in_file + channel) * size;
                    &whole[start..start + size]
                };
                let frames = 0..num_frames as usize;
                let last: Vec<&[u8]> = frames
                    .clone()
                    .flat_map(|frame| wanted.iter().map(move |&c| (frame, c)))
                    .map(|(f, c)| sample(f, c))
                    .collect();
                let first: Vec<&[u8]> = wanted
                    .iter()
                    .flat_map(|&c| frames.clone().map(move |frame| (frame, c)))
                    .map(|(f, c)| sample(f, c))
                    .collect();
                for (layout, expected) in
                    [(Layout::ChannelsLast, last.concat()), (Layout::ChannelsFirst, first.concat())]
                {
                    let spec = FrameSpec { format, channels: channels.clone(), layout, squeeze_mono: false };
                    assert!(read(&reader, 0..num_frames, &spec) == expected, "{name}: {spec:?}");
                }
            }
        }
    }
}

#[test]
fn mono_is_the_scaled_sum_of_the_channels() {
    for valid in fixture::valid() {
        let (reader, name) = (Reader::open(&valid.file.path).unwrap(), &valid.file.name);
        let whole = doubles(&decoded::whole(&reader, OutputFormat::F64).unwrap());
        let num_channels = f64::from(valid.num_channels);
        for (mode, divisor) in [(MonoMode::Mean, num_channels), (MonoMode::EqualPower, num_channels.sqrt())] {
            let channels = ChannelSelection::Mono(mode);
            let spec = FrameSpec { format: OutputFormat::F64, channels, ..FrameSpec::default() };
            let mono = doubles(&read(&reader, 0..reader.num_frames(), &spec));
            assert_eq!(mono.len() as u64, reader.num_frames());
            for (frame, found) in whole.chunks(valid.num_channels.into()).zip(&mono) {
                let expected = frame.iter().sum::<f64>() / divisor;
                // An ulp or two of a double; the smallest wrong gain or channel is off by more than 2^-24.
                assert!((found - expected).abs() < 1e-15, "{name}: {mode:?} of {frame:?} is {found}");
            }
            let narrow = FrameSpec { format: OutputFormat::F32, ..spec };
            let narrow = read(&reader, 0..reader.num_frames(), &narrow);
            for (found, expected) in narrow.as_chunks::<4>().0.iter().zip(&mono) {
                assert_eq!(f32::from_ne_bytes(*found), *expected as f32, "{name}: {mode:?} rounded once");
            }
        }
    }
}

fn doubles(bytes: &[u8]) -> Vec<f64> {
    bytes.as_chunks::<8>().0.iter().map(|bytes| f64::from_ne_bytes(*bytes)).collect()
}

#[test]
fn every_way_in_gives_the_same_samples() {
    let mut random = Random::announced();
    let mut files: Vec<_> = fixture::valid().into_iter().map(|valid| valid.file).collect();
    files.push(fixture::recording());
    for file in files {
        let ways = [
            Reader::open(&file.path).unwrap(),
            Reader::open_once(&file.path).unwrap(),
            Reader::from_bytes(file.bytes.clone()).unwrap(),
        ];
        assert_eq!(ways[0].track(), ways[1].track(), "{}", file.name);
        assert_eq!(ways[0].track(), ways[2].track(), "{}", file.name);
        let num_frames = ways[0].num_frames();
        for _ in 0..5 {
            let range = random.range_within(num_frames);
            for spec in specs(ways[0].track().num_channels).into_iter().step_by(7) {
                let samples = read(&ways[0], range.clone(), &spec);
                assert!(
                    samples == read(&ways[1], range.clone(), &spec),
                    "{}: open_once {range:?} {spec:?}",
                    file.name
                );
                assert!(
                    samples == read(&ways[2], range.clone(), &spec),
                    "{}: from_bytes {range:?} {spec:?}",
                    file.name
                );
                let recycled =
                    ways[0].read_with(range.clone(), &spec, Buffer::recycled, &ReadControl::ONE_THREAD);
                assert!(samples == recycled.unwrap().bytes(), "{}: recycled {range:?} {spec:?}", file.name);
            }
        }
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let mut random = Random::announced();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("long.wav");
    for (num_channels, bits) in [(2, 16), (3, 24), (1, 32)] {
        let frame_bytes = usize::from(num_channels * bits / 8);
        std::fs::write(&path, wave::pcm(num_channels, bits, &wave::noise(9 << 20, frame_bytes))).unwrap();
        let ways = [Reader::open(&path).unwrap(), Reader::open_once(&path).unwrap()];
        let num_frames = ways[0].num_frames();
        let start = random.below(1000) as u64;
        for range in [0..num_frames, start..num_frames - start / 2] {
            for spec in specs(num_channels).into_iter().step_by(7) {
                let with = |reader: &Reader, max_threads| {
                    let control = ReadControl { max_threads, ..ReadControl::ONE_THREAD };
                    reader.read_with(range.clone(), &spec, Buffer::new, &control).unwrap()
                };
                let alone = with(&ways[0], 1);
                for (way, reader) in ways.iter().enumerate() {
                    for max_threads in [1, 2, 8] {
                        let frames = with(reader, max_threads);
                        let equal = frames.bytes() == alone.bytes();
                        assert!(
                            equal,
                            "{bits} bits, way {way}, {max_threads} threads: {range:?} of {spec:?}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn a_read_can_be_interrupted() {
    let reader = Reader::from_bytes(wave::pcm(2, 16, &wave::noise(9 << 20, 4))).unwrap();
    for max_threads in [1, 2, 8] {
        let control = ReadControl { max_threads, interrupted: &|| true };
        let result = reader.read_with(0..reader.num_frames(), &FrameSpec::default(), Buffer::new, &control);
        assert!(matches!(result, Err(Error::Interrupted)), "{max_threads} threads: {result:?}");
    }
    // An interrupted read can be repeated.
    assert!(reader.read(0..reader.num_frames(), &FrameSpec::default()).is_ok());
}

#[test]
fn a_read_fills_exactly_the_memory_it_is_given() {
    let reader = Reader::from_bytes(fixture::recording().bytes).unwrap();
    for spec in specs(2) {
        let num_bytes = spec.shape(1000, 2).unwrap().num_samples() * spec.format.num_bytes();
        let expected = read(&reader, 500..1500, &spec);
        let mut room = vec![MaybeUninit::new(0xa5u8); num_bytes + 128];
        reader.read_into(500..1500, &spec, &mut room[64..64 + num_bytes], &ReadControl::ONE_THREAD).unwrap();
        #[allow(unsafe_code)]
        // SAFETY: every byte was initialised above.
        let room = unsafe { room.assume_init_ref() };
        assert!(room[..64].iter().chain(&room[64 + num_bytes..]).all(|byte| *byte == 0xa5), "{spec:?}");
        assert!(room[64..64 + num_bytes] == expected, "{spec:?}");
    }
}

#[test]
fn what_is_outside_the_file_is_refused() {
    let reader = Reader::from_bytes(wave::pcm(2, 16, &wave::noise(400, 4))).unwrap();
    let refused = |frames: std::ops::Range<u64>, spec: &FrameSpec| {
        let result = reader.read(frames.clone(), spec);
        assert!(matches!(result, Err(Error::Argument { .. })), "{frames:?} of {spec:?}: {result:?}");
    };
    #[allow(clippy::reversed_empty_ranges)]
    for frames in [0..101, 100..101, 101..101, 60..50, u64::MAX..u64::MAX, 0..u64::MAX, u64::MAX..0] {
        refused(frames, &FrameSpec::default());
    }
    for channels in [vec![], vec![2], vec![0, u16::MAX]] {
        refused(0..100, &FrameSpec { channels: ChannelSelection::Only(channels), ..FrameSpec::default() });
    }
}

/// The integer value of a stored sample, and its full scale as a power of two; directly from the formats' definitions.
fn stored_integer(format: SampleFormat, bytes: &[u8]) -> Option<(i128, u32)> {
    use mapwave_core::pcm::ByteOrder::{Big, Little};
    let signed = |bytes: &mut dyn Iterator<Item = &u8>, num_bytes: u32| {
        let unsigned = bytes.fold(0i128, |value, byte| value * 256 + i128::from(*byte));
        let scale = num_bytes * 8 - 1;
        (if unsigned >= 1 << scale { unsigned - (1 << (scale + 1)) } else { unsigned }, scale)
    };
    let num_bytes = bytes.len() as u32;
    match format {
        SampleFormat::U8 => Some((i128::from(bytes[0]) - 128, 7)),
        SampleFormat::S8 => Some(signed(&mut bytes.iter(), 1)),
        SampleFormat::S16(Little) | SampleFormat::S24(Little) | SampleFormat::S32(Little) => {
            Some(signed(&mut bytes.iter().rev(), num_bytes))
        }
        SampleFormat::S16(Big) | SampleFormat::S24(Big) | SampleFormat::S32(Big) => {
            Some(signed(&mut bytes.iter(), num_bytes))
        }
        _ => None,
    }
}

/// Converts an integer of full scale 2^`from` to full scale 2^`to`: rounds half to even, and saturates.
fn rescaled(value: i128, from: u32, to: u32) -> i128 {
    if to >= from {
        return value << (to - from);
    }
    let step = 1i128 << (from - to);
    let (floor, rest) = (value.div_euclid(step), value.rem_euclid(step));
    let up = rest * 2 > step || (rest * 2 == step && floor % 2 != 0);
    (floor + i128::from(up)).clamp(-(1 << to), (1 << to) - 1)
}

/// Every finite number of a 16-bit float format up to 1, as ordered doubles with their bits.
fn half_floats(exponent_bits: u32) -> Vec<(f64, u16)> {
    let mantissa_bits = 15 - exponent_bits;
    let bias = (1i32 << (exponent_bits - 1)) - 1;
    let value = |bits: u16| {
        let exponent = i32::from(bits >> mantissa_bits);
        let mantissa = f64::from(bits & ((1 << mantissa_bits) - 1)) / f64::from(1u32 << mantissa_bits);
        if exponent == 0 {
            mantissa * 2f64.powi(1 - bias)
        } else {
            (1.0 + mantissa) * 2f64.powi(exponent - bias)
        }
    };
    (0..1 << 15).map(|bits| (value(bits), bits)).take_while(|(value, _)| *value <= 1.0).collect()
}

/// The nearest of `floats` to a number between -1 and 1, ties to even.
fn nearest(floats: &[(f64, u16)], value: f64) -> u16 {
    let above = floats.partition_point(|(float, _)| *float < value.abs());
    let (high, low) = (floats[above], floats[above.saturating_sub(1)]);
    // Both distances are exact: the numbers are integers over 2^31 and close to each other.
    let (to_high, to_low) = (high.0 - value.abs(), value.abs() - low.0);
    let even = if high.1 % 2 == 0 { high } else { low };
    let (_, bits) = if to_high < to_low {
        high
    } else if to_low < to_high {
        low
    } else {
        even
    };
    bits | if value < 0.0 { 0x8000 } else { 0 }
}

#[test]
fn a_naive_decoder_agrees() {
    let (f16s, bf16s) = (half_floats(5), half_floats(8));
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    files.extend(fixture::valid().into_iter().map(|valid| (valid.file.name, valid.file.bytes)));
    for bits in [8, 16, 24, 32] {
        // Noise, and samples at and around both limits, zero and the midpoints between output steps.
        let size = usize::from(bits / 8);
        let mut data = wave::noise(60_000, size);
        for edge in [
            0u32,
            1,
            0x7fff_ffff,
            0x8000_0000,
            0x8000_0001,
            0xffff_ffff,
            0x7fff_8000,
            0x0000_8000,
            0x0001_8000,
        ] {
            data.extend(&edge.to_le_bytes()[4 - size..]);
            data.extend(&edge.to_le_bytes()[..size]);
        }
        files.push((format!("{bits}-bit noise"), wave::pcm(1, bits, &data)));
    }
    let mut num_samples = 0;
    for (name, bytes) in files {
        let reader = Reader::from_bytes(bytes.clone()).unwrap();
        let format = reader.track().pcm().unwrap();
        let start = reader.track().data.start as usize;
        let count = reader.num_frames() as usize * usize::from(reader.track().num_channels);
        let stored = bytes[start..].chunks(format.num_bytes()).take(count);
        let Some(integers) = stored.map(|stored| stored_integer(format, stored)).collect::<Option<Vec<_>>>()
        else {
            continue;
        };
        for output in OutputFormat::ALL {
            let naive: Vec<u8> = integers
                .iter()
                .flat_map(|&(value, scale)| {
                    // Exact: a sample has at most 32 bits, a double 53.
                    let real = value as f64 / (1i128 << scale) as f64;
                    match output {
                        OutputFormat::F64 => real.to_ne_bytes().to_vec(),
                        OutputFormat::F32 => (real as f32).to_ne_bytes().to_vec(),
                        OutputFormat::I32 => (rescaled(value, scale, 31) as i32).to_ne_bytes().to_vec(),
                        OutputFormat::I16 => (rescaled(value, scale, 15) as i16).to_ne_bytes().to_vec(),
                        OutputFormat::F16 => nearest(&f16s, real).to_ne_bytes().to_vec(),
                        OutputFormat::Bf16 => nearest(&bf16s, real).to_ne_bytes().to_vec(),
                    }
                })
                .collect();
            let found = decoded::whole(&reader, output).unwrap();
            assert_eq!(found.len(), naive.len(), "{name} as {output}");
            let size = output.num_bytes();
            let samples = found.chunks(size).zip(naive.chunks(size)).zip(&integers);
            for (index, ((found, naive), integer)) in samples.enumerate() {
                assert_eq!(found, naive, "{name} as {output}: sample {index}, which is {integer:?}");
            }
            num_samples += integers.len();
        }
    }
    println!("reading: {num_samples} samples decoded naively");
}
