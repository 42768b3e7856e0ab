//! Compares decoded frames with what was encoded, by this crate and by the reference encoder, however they are batched, and
//! decodes damaged ones.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod common;

use std::mem::MaybeUninit;

use common::{Random, encode, music, run};
use mapwave_flac::crc::{crc8, crc16};
use mapwave_flac::{BatchError, DecodeError, DecodedSample, Decoder, EncoderSettings, FrameHeader, Part};

/// The FLAC frames of a file with fixed block sizes: each reaches up to where the next number stands and the checksum fits.
fn frames_of(file: &[u8]) -> Vec<&[u8]> {
    let mut start = 4;
    loop {
        let is_last = file[start] & 0x80 != 0;
        start += 4 + u32::from_be_bytes([0, file[start + 1], file[start + 2], file[start + 3]]) as usize;
        if is_last {
            break;
        }
    }
    let mut frames = Vec::new();
    for place in start + 1..file.len() {
        let is_next = file[place] == 0xFF
            && FrameHeader::parse(&file[place..])
                .is_some_and(|header| header.number == frames.len() as u64 + 1);
        if is_next && crc16(0, &file[start..place]) == 0 {
            frames.push(&file[start..place]);
            start = place;
        }
    }
    if start < file.len() {
        frames.push(&file[start..]);
    }
    frames
}

fn whole<'a>(frames: &[&'a [u8]]) -> Vec<Part<'a>> {
    let part = |bytes| Part { bytes, frames: 0..FrameHeader::parse(bytes).unwrap().block_size as usize };
    frames.iter().map(|bytes| part(bytes)).collect()
}

fn decode<S: DecodedSample>(decoder: &mut Decoder, parts: &[Part<'_>]) -> Result<Vec<S>, BatchError> {
    let num_frames: usize = parts.iter().map(|part| part.frames.len()).sum();
    let mut samples = Vec::with_capacity(num_frames * decoder.num_channels());
    let room: &mut [MaybeUninit<S>] = samples.spare_capacity_mut();
    Ok(decoder.decode(parts, room)?.to_vec())
}

/// All ways to decode a file give its samples, of the stream's depth.
fn check(file: &[u8], samples: &[i32], num_channels: u32, bits: u32, what: &str) {
    let frames = frames_of(file);
    let parts = whole(&frames);
    let new = || Decoder::new(num_channels, bits).unwrap();
    for mut decoder in [new(), new().with_plain_instructions()] {
        for batch in [1, 2, 3, 5, 1000] {
            let batches = parts.chunks(batch).map(|parts| decode::<i32>(&mut decoder, parts).unwrap());
            let decoded: Vec<i32> = batches.flatten().map(|sample| sample >> (32 - bits)).collect();
            assert!(decoded == samples, "{what}: batches of {batch}");
        }
        let floats: Vec<f32> = decode(&mut decoder, &parts).unwrap();
        let scale = 1.0 / 2_f64.powi(bits as i32 - 1);
        assert!(
            floats.iter().zip(samples).all(|(float, sample)| *float == (f64::from(*sample) * scale) as f32)
        );
        if bits <= 16 {
            let shorts: Vec<i16> = decode(&mut decoder, &parts).unwrap();
            let expected = samples.iter().map(|sample| (sample << (16 - bits)) as i16);
            assert!(shorts.into_iter().eq(expected), "{what}: 16 bits");
        }
    }
}

/// The file that the reference encoder makes of samples; `None` when it is not installed.
fn encoded_by_flac(samples: &[i32], num_channels: u32, bits: u32, options: &[&str]) -> Option<Vec<u8>> {
    let num_bytes = bits.div_ceil(8) as usize;
    let shift = num_bytes as u32 * 8 - bits;
    let bytes = |sample: &i32| (sample << shift).to_le_bytes().into_iter().take(num_bytes);
    let raw: Vec<u8> = samples.iter().flat_map(bytes).collect();
    let (channels, bps) = (format!("--channels={num_channels}"), format!("--bps={}", num_bytes * 8));
    let format =
        ["flac", "-s", "-c", "--force-raw-format", "--endian=little", "--sign=signed", "--sample-rate=44100"];
    run(&[&format[..], &[&channels, &bps], options, &["-"]].concat(), &raw)
}

#[test]
fn what_this_crate_encodes_is_decoded() {
    for bits in [4, 7, 8, 12, 16, 17, 20, 24] {
        for num_channels in [1, 2, 3, 6, 8] {
            for level in [0, 5, 8] {
                let samples = music(bits, num_channels as usize, 10_000 + 77 * level as usize);
                let settings = EncoderSettings { level, ..EncoderSettings::new(44_100, num_channels, bits) };
                let what = format!("{bits} bits, {num_channels} channels, level {level}");
                check(&encode(&settings, &samples), &samples, num_channels, bits, &what);
            }
        }
    }
}

#[test]
fn what_the_reference_encoder_makes_is_decoded() {
    let options: [&[&str]; 12] = [
        &["-0"],
        &["-5"],
        &["-8"],
        &["-8", "-e", "-p", "--blocksize=1152"],
        &["-5", "--blocksize=16", "--lax"],
        &["-5", "--blocksize=17", "--lax"],
        &["-5", "--blocksize=4608"],
        &["-5", "--blocksize=65535", "--lax"],
        &["-8", "-l", "32", "--lax", "--blocksize=2000"],
        &["-8", "-l", "15", "--lax", "--blocksize=4095"],
        &["-5", "-r", "8,15", "--lax", "--blocksize=32768"],
        &["-0", "-l", "0", "--blocksize=192"],
    ];
    for bits in [8, 16, 24, 32] {
        for num_channels in [1, 2, 5] {
            let num_frames = if num_channels == 2 { 70_000 } else { 30_000 };
            let samples = music(bits.min(31), num_channels as usize, num_frames);
            let samples: Vec<i32> = samples.iter().map(|sample| sample << (bits - bits.min(31))).collect();
            for options in options {
                let Some(file) = encoded_by_flac(&samples, num_channels, bits, options) else { return };
                check(
                    &file,
                    &samples,
                    num_channels,
                    bits,
                    &format!("{bits} bits, {num_channels} channels {options:?}"),
                );
            }
        }
    }
}

/// Full scale of both signs, channels that are opposite to each other, silence, wasted bits.
#[test]
fn extremes_are_decoded() {
    let mut random = Random(9);
    for bits in [8, 16, 24, 32] {
        let (least, greatest) = (i32::MIN >> (32 - bits), i32::MAX >> (32 - bits));
        let opposite = |n: usize| if n.is_multiple_of(2) { least } else { greatest };
        let noise: Vec<i32> = (0..20_000).map(|_| random.sample(bits)).collect();
        let slow = |n: usize| (f64::from(greatest) * (n as f64 * 0.01).sin()) as i32;
        let signals: [(&str, Vec<i32>); 6] = [
            ("opposite", (0..20_000).map(opposite).collect()),
            ("slow and opposite", (0..10_000).flat_map(|n| [slow(n), -slow(n)]).collect()),
            ("the same", (0..10_000).flat_map(|n| [slow(n); 2]).collect()),
            ("noise", noise.clone()),
            ("silence", vec![0; 20_000]),
            ("wasted", noise.iter().map(|sample| sample >> 4 << (4 + random.below(1))).collect()),
        ];
        for (what, samples) in signals {
            for (num_channels, level) in [(1, "-0"), (1, "-8"), (2, "-0"), (2, "-5"), (2, "-8")] {
                let Some(file) = encoded_by_flac(&samples, num_channels, bits, &[level]) else { return };
                check(&file, &samples, num_channels, bits, &format!("{what}, {bits} bits, {level}"));
            }
        }
    }
}

/// Frames written by hand, with everything that the format has and encoders seldom use: escaped residuals, parameters of 5
/// bits, predictors of any order with coefficients of any size, wasted bits, and differences of 33 bits.
#[test]
fn frames_with_all_of_the_format_are_decoded() {
    let mut random = Random(21);
    for round in 0..600 {
        let num_channels = [1, 2, 2, 2, 3, 8][random.below(6)];
        let bits = [8, 12, 16, 20, 24, 32, 32][random.below(7)];
        let (mut frames, mut samples) = (Vec::new(), Vec::new());
        for _ in 0..1 + random.below(7) {
            let block_size = 1 + random.below(256);
            let loudness = 1 + random.below(bits as usize) as u32;
            let channels: Vec<Vec<i64>> =
                (0..num_channels).map(|_| signal(&mut random, block_size, bits, loudness)).collect();
            let mode =
                if num_channels == 2 { [1, 8, 9, 10][random.below(4)] } else { num_channels as u8 - 1 };
            let layout = mode << 4
                | [(8, 1), (12, 2), (16, 4), (20, 5), (24, 6), (32, 7)]
                    .iter()
                    .find(|(depth, _)| *depth == bits)
                    .unwrap()
                    .1
                    << 1;
            let mut writer = Writer::frame(block_size, layout);
            for channel in 0..num_channels {
                let (values, depth) = stored(&channels, channel, mode, bits);
                writer.subframe(&mut random, values, depth);
            }
            frames.push(writer.finish());
            for frame in 0..block_size {
                samples.extend(channels.iter().map(|channel| channel[frame] as i32));
            }
        }
        let frames: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
        let mut decoder = Decoder::new(num_channels as u32, bits).unwrap();
        if round % 2 == 0 {
            decoder = decoder.with_plain_instructions();
        }
        let decoded: Vec<i32> = decode(&mut decoder, &whole(&frames)).unwrap();
        let decoded: Vec<i32> = decoded.iter().map(|sample| sample >> (32 - bits)).collect();
        assert!(decoded == samples, "round {round}: {num_channels} channels of {bits} bits");
    }
}

/// Noise, a walk, one value, or full scale of both signs.
fn signal(random: &mut Random, block_size: usize, bits: u32, loudness: u32) -> Vec<i64> {
    let kind = random.below(4);
    let (least, greatest) = (-(1_i64 << (bits - 1)), (1_i64 << (bits - 1)) - 1);
    let zeros = random.below(2) * random.below(3);
    let mut last = 0;
    (0..block_size)
        .map(|_| {
            let noise = i64::from(random.sample(loudness));
            last = match kind {
                0 => noise,
                1 => (last + (noise >> 3)).clamp(least, greatest),
                2 => greatest - 5,
                _ => {
                    if random.below(2) == 0 {
                        least
                    } else {
                        greatest
                    }
                }
            };
            last = last >> zeros << zeros;
            last
        })
        .collect()
}

/// What is stored of a channel, and of how many bits.
fn stored(channels: &[Vec<i64>], channel: usize, mode: u8, bits: u32) -> (Vec<i64>, u32) {
    let pairs = || channels[0].iter().zip(&channels[1]);
    let side = || pairs().map(|(left, right)| left - right).collect();
    match (mode, channel) {
        (8 | 10, 1) | (9, 0) => (side(), bits + 1),
        (10, 0) => (pairs().map(|(left, right)| (left + right) >> 1).collect(), bits),
        _ => (channels[channel].clone(), bits),
    }
}

/// Writes a FLAC frame by hand.
struct Writer {
    bytes: Vec<u8>,
    num_bits: usize,
}

impl Writer {
    /// A frame whose header has this block size, up to 256, and this fourth byte.
    fn frame(block_size: usize, layout: u8) -> Self {
        let mut bytes = vec![0xFF, 0xF8, 0x69, layout, 0, (block_size - 1) as u8];
        bytes.push(crc8(&bytes));
        Self { num_bits: bytes.len() * 8, bytes }
    }

    fn bits(&mut self, value: i64, num_bits: u32) {
        for bit in (0..num_bits).rev() {
            if self.num_bits.is_multiple_of(8) {
                self.bytes.push(0);
            }
            let last = self.bytes.last_mut().unwrap();
            *last |= ((value >> bit & 1) as u8) << (7 - self.num_bits % 8);
            self.num_bits += 1;
        }
    }

    fn unary(&mut self, value: u64) {
        (0..value).for_each(|_| self.bits(0, 1));
        self.bits(1, 1);
    }

    /// A subframe of any kind that can hold the values.
    fn subframe(&mut self, random: &mut Random, mut values: Vec<i64>, mut depth: u32) {
        let zeros = values.iter().map(|value| value.trailing_zeros()).min().unwrap_or(0);
        let wasted = if zeros > 0 && zeros < depth && random.below(3) > 0 {
            1 + random.below(zeros as usize) as u32
        } else {
            0
        };
        values.iter_mut().for_each(|value| *value >>= wasted);
        depth -= wasted;
        let mut kind = 1;
        let mut predictor = (Vec::new(), 0, 0);
        if values.iter().all(|value| *value == values[0]) && random.below(2) == 0 {
            kind = 0;
        } else if random.below(4) > 0 {
            predictor = self::predictor(random, values.len());
            kind = match predictor.2 {
                0 => 8 + predictor.0.len() as i64,
                _ => 31 + predictor.0.len() as i64,
            };
        }
        let (coefficients, shift, precision) = predictor;
        let order = coefficients.len();
        let predicted = |place: usize| {
            let products =
                coefficients.iter().enumerate().map(|(back, weight)| weight * values[place - 1 - back]);
            products.sum::<i64>() >> shift
        };
        let residuals: Vec<i64> =
            (order..values.len()).map(|place| values[place] - predicted(place)).collect();
        if kind >= 8 && residuals.iter().any(|residual| residual.abs() >= 1 << 31) {
            kind = 1;
        }
        self.bits(kind, 7);
        self.bits(i64::from(wasted > 0), 1);
        if wasted > 0 {
            self.unary(u64::from(wasted) - 1);
        }
        let num_first = match kind {
            0 => 1,
            1 => values.len(),
            _ => order,
        };
        values.iter().take(num_first).for_each(|value| self.bits(*value, depth));
        if kind >= 32 {
            self.bits(i64::from(precision) - 1, 4);
            self.bits(shift, 5);
            coefficients.iter().for_each(|coefficient| self.bits(*coefficient, precision));
        }
        if kind >= 8 {
            self.residuals(random, &residuals, order);
        }
    }

    fn residuals(&mut self, random: &mut Random, residuals: &[i64], order: usize) {
        let block_size = residuals.len() + order;
        // An escaped residual has at most 31 bits, and a small parameter makes large ones too long.
        let is_large = residuals.iter().any(|residual| residual.abs() >= 1 << 30);
        let parameter_bits = if is_large { 5 } else { 4 + random.below(2) as u32 };
        let orders: Vec<u32> =
            (0..9).filter(|n| block_size.is_multiple_of(1 << n) && block_size >> n >= order.max(1)).collect();
        let partition_order = orders[random.below(orders.len())];
        self.bits(i64::from(parameter_bits) - 4, 2);
        self.bits(partition_order.into(), 4);
        let mut rest = residuals;
        for partition in 0..1 << partition_order {
            let size = (block_size >> partition_order) - if partition == 0 { order } else { 0 };
            let (now, later) = rest.split_at(size);
            rest = later;
            let needed = now
                .iter()
                .map(|residual| 65 - (residual ^ residual >> 63).leading_zeros())
                .max()
                .unwrap_or(0);
            let needed = if now.iter().all(|residual| *residual == 0) { 0 } else { needed };
            let most = (1 << parameter_bits) - 2;
            let least = needed.saturating_sub(9);
            if least > most || needed <= 31 && random.below(4) == 0 {
                assert!(needed <= 31, "a partition that cannot be written");
                self.bits((1 << parameter_bits) - 1, parameter_bits);
                self.bits(needed.into(), 5);
                now.iter().for_each(|residual| self.bits(*residual, needed));
                continue;
            }
            let parameter = (least + random.below(6) as u32).min(most);
            self.bits(parameter.into(), parameter_bits);
            for residual in now {
                let folded = (residual << 1 ^ residual >> 63).cast_unsigned();
                self.unary(folded >> parameter);
                self.bits(folded.cast_signed(), parameter);
            }
        }
    }

    fn finish(mut self) -> Vec<u8> {
        self.bytes.extend(crc16(0, &self.bytes).to_be_bytes());
        self.bytes
    }
}

/// Coefficients, a shift, and the precision, 0 for a fixed predictor.
fn predictor(random: &mut Random, block_size: usize) -> (Vec<i64>, i64, u32) {
    let fixed: [&[i64]; 5] = [&[], &[1], &[2, -1], &[3, -3, 1], &[4, -6, 4, -1]];
    if random.below(2) == 0 || block_size < 2 {
        return (fixed[random.below(5).min(block_size)].to_vec(), 0, 0);
    }
    let (order, precision) = (1 + random.below(32.min(block_size)), 1 + random.below(15) as u32);
    let coefficients = (0..order).map(|_| i64::from(random.sample(precision))).collect();
    (coefficients, random.below(16) as i64, precision)
}

/// Damage is an error or other samples, the same ones for all instructions and batches, and never a panic.
#[test]
fn damaged_frames_do_no_harm() {
    // As many as the variable says; a few otherwise. A round has four frames of each of four streams.
    let rounds = std::env::var("MAPWAVE_FLAC_DAMAGED_PACKETS")
        .map_or(200, |count| count.parse::<usize>().unwrap().div_ceil(16));
    let mut random = Random(33);
    let mut num_decoded = 0;
    for (bits, num_channels) in [(16, 1), (16, 2), (24, 2), (8, 3)] {
        let samples = music(bits, num_channels as usize, 4096 * 4);
        let settings = EncoderSettings { level: 8, ..EncoderSettings::new(44_100, num_channels, bits) };
        let file = encode(&settings, &samples);
        let intact = frames_of(&file);
        let new = || Decoder::new(num_channels, bits).unwrap().without_checksums();
        let (mut best, mut plain) = (new(), new().with_plain_instructions());
        for _ in 0..rounds {
            let damaged: Vec<Vec<u8>> = intact.iter().map(|frame| damage(&mut random, frame)).collect();
            let damaged: Vec<&[u8]> = damaged.iter().map(Vec::as_slice).collect();
            let mut singly = Vec::new();
            for (index, frame) in damaged.iter().enumerate() {
                let result = plain.read(&[frame]).map_err(|error| BatchError { index, reason: error.reason });
                let read = result.and_then(|_| {
                    let num_frames = plain.kept_frames(0);
                    num_decoded += 1;
                    decode::<i32>(&mut plain, &[Part { bytes: frame, frames: 0..num_frames }])
                });
                singly.push(read);
            }
            let num_good = singly.iter().take_while(|read| read.is_ok()).count();
            let good: Vec<Part<'_>> = whole(&damaged[..num_good]);
            let expected: Vec<i32> = singly.iter().take(num_good).flatten().flatten().copied().collect();
            assert!(decode::<i32>(&mut best, &good).unwrap() == expected);
            if let Some(Err(error)) = singly.get(num_good) {
                let frame = Part { bytes: damaged[num_good], frames: 0..1 };
                let parts: Vec<Part<'_>> = good.into_iter().chain([frame]).collect();
                assert_eq!(decode::<i32>(&mut best, &parts), Err(*error));
            }
        }
    }
    assert!(num_decoded > 500, "{num_decoded} damaged frames are decoded");
}

/// A frame with changed bits behind its header, or cut, or one that is noise.
fn damage(random: &mut Random, frame: &[u8]) -> Vec<u8> {
    let mut bytes = frame.to_vec();
    let header = FrameHeader::parse(frame).unwrap().num_bytes;
    match random.below(4) {
        0 => {}
        1 => bytes.truncate(random.below(frame.len() + 1)),
        2 => {
            let start = header + random.below(40);
            for byte in bytes.iter_mut().skip(start) {
                *byte = random.bits() as u8 & random.bits() as u8;
            }
        }
        _ => {
            for _ in 0..=random.below(4) {
                let near = 1 << random.below(14);
                let place = header + random.below((frame.len() - header).min(near));
                bytes[place] ^= 1 << random.below(8);
            }
        }
    }
    bytes
}

#[test]
fn checksums_headers_and_sizes_are_checked() {
    let samples = music(16, 2, 9000);
    let file = encode(&EncoderSettings::new(44_100, 2, 16), &samples);
    let frames = frames_of(&file);
    let mut decoder = Decoder::new(2, 16).unwrap();
    let reason =
        |decoder: &mut Decoder, frames: &[&[u8]]| decode::<i16>(decoder, &whole(frames)).unwrap_err();
    let mut wrong = frames[1].to_vec();
    *wrong.last_mut().unwrap() ^= 1;
    let error = reason(&mut decoder, &[frames[0], &wrong, frames[2]]);
    assert_eq!(error, BatchError { index: 1, reason: DecodeError::Checksum });
    assert_eq!(decoder.num_kept(), 0);
    let cut = &frames[1][..frames[1].len() - 1];
    let error = reason(&mut decoder, &[frames[0], frames[1], frames[2], cut]);
    assert_eq!(error, BatchError { index: 3, reason: DecodeError::Truncated });
    // Bytes behind a frame are another's.
    let longer = [frames[0], frames[1]].concat();
    assert!(decode::<i16>(&mut decoder, &whole(&[&longer])).unwrap().len() == 4096 * 2);
    assert_eq!(decoder.read(&[&frames[0][1..]]).unwrap_err().reason, DecodeError::Header);
    let mut other = Decoder::new(1, 16).unwrap();
    let found = DecodeError::OtherFormat { num_channels: 2, bits_per_sample: 16 };
    assert_eq!(other.read(&[frames[0]]).unwrap_err().reason, found);
    let part = |frames| Part { bytes: file_frame(&file), frames };
    let wanted = decode::<i16>(&mut decoder, &[part(4000..4097)]).unwrap_err().reason;
    assert_eq!(wanted, DecodeError::TooShort { num_frames: 4096, wanted: 4097 });
    let mut small = [MaybeUninit::<i16>::uninit(); 9];
    assert_eq!(decoder.decode(&[part(0..5)], &mut small).unwrap_err().reason, DecodeError::Room);
    assert_eq!(decoder.decode(&[part(7..11)], &mut small).unwrap().len(), 8);
    let mut deep = Decoder::new(2, 24).unwrap();
    let held = DecodeError::SampleType { held: 16, bits_per_sample: 24 };
    assert_eq!(deep.decode(&[part(0..1)], &mut small).unwrap_err().reason, held);
    for (num_channels, bits_per_sample) in [(0, 16), (9, 16), (2, 3), (2, 33)] {
        let error = Decoder::new(num_channels, bits_per_sample).unwrap_err();
        assert_eq!(error, DecodeError::Format { num_channels, bits_per_sample });
    }
}

fn file_frame(file: &[u8]) -> &[u8] {
    frames_of(file)[0]
}

#[test]
fn parts_of_frames_and_channels_are_those_of_the_whole() {
    for num_channels in [1, 2, 5] {
        let samples = music(16, num_channels as usize, 20_000);
        let file = encode(&EncoderSettings::new(44_100, num_channels, 16), &samples);
        let frames = frames_of(&file);
        let mut decoder = Decoder::new(num_channels, 16).unwrap();
        let mut random = Random(4);
        for _ in 0..50 {
            let (mut parts, mut expected) = (Vec::new(), Vec::new());
            let first = random.below(frames.len());
            for (index, part) in whole(&frames).into_iter().enumerate().skip(first).take(1 + random.below(5))
            {
                let start = random.below(part.frames.end + 1);
                let end = start + random.below(part.frames.end - start + 1);
                let of_all = |frame: usize| (index * 4096 + frame) * num_channels as usize;
                expected.extend(samples[of_all(start)..of_all(end)].iter().map(|sample| *sample as i16));
                parts.push(Part { frames: start..end, ..part });
            }
            assert!(decode::<i16>(&mut decoder, &parts).unwrap() == expected);
            // The last frame of the batch is kept, by channels as well.
            let (last, part) = (decoder.num_kept() - 1, parts.last().unwrap());
            let end = expected.len();
            let start = end - part.frames.len() * num_channels as usize;
            let mut room = vec![MaybeUninit::<i16>::uninit(); end - start];
            let kept = decoder.write(last, part.frames.clone(), &mut room).unwrap();
            assert!(kept == &expected[start..]);
            for channel in 0..num_channels as usize {
                let kept = decoder.write_channel(last, channel, part.frames.clone(), &mut room).unwrap();
                assert!(
                    kept.iter().eq(expected[start..].iter().skip(channel).step_by(num_channels as usize))
                );
            }
            let none = decoder.write_channel(last, num_channels as usize, 0..1, &mut room);
            assert_eq!(none, Err(DecodeError::Room));
        }
    }
}
