//! Compares decoded packets with what FFmpeg encoded, with what FFmpeg decodes and with symphonia's decoder, however they are
//! batched, and decodes damaged ones.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]

use std::io::{ErrorKind, Write};
use std::mem::MaybeUninit;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use mapwave_alac::{BatchError, Config, DecodeError, DecodedSample, Decoder, Part};
use symphonia_codec_alac::AlacDecoder;
use symphonia_core::audio::{Audio, GenericAudioBufferRef};
use symphonia_core::codecs::audio::well_known::CODEC_ID_ALAC;
use symphonia_core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia_core::packet::PacketRef;
use symphonia_core::units::{Duration, Timestamp};

/// A xorshift64* generator.
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.bits() >> 11) as usize % end
    }
}

/// A CAF file of ALAC: its setup and its packets with their numbers of frames.
struct File {
    cookie: Vec<u8>,
    packets: Vec<(Vec<u8>, usize)>,
}

impl File {
    fn parse(bytes: &[u8]) -> Self {
        let (mut at, mut cookie, mut sizes, mut data) = (8, Vec::new(), Vec::new(), &bytes[0..0]);
        let mut num_packets = 0;
        while at + 12 <= bytes.len() {
            let size = i64::from_be_bytes(bytes[at + 4..at + 12].try_into().unwrap());
            let (start, end) = (at + 12, usize::try_from(size).map_or(bytes.len(), |size| at + 12 + size));
            let payload = &bytes[start..end];
            match &bytes[at..at + 4] {
                b"kuki" => {
                    let is_wrapped = payload.len() > 24 && payload[4..8] == *b"frma";
                    cookie = payload[if is_wrapped { 24 } else { 0 }..][..24].to_vec();
                }
                b"data" => data = &payload[4..],
                b"pakt" => {
                    num_packets = u64::from_be_bytes(payload[..8].try_into().unwrap()) as usize;
                    let (mut size, mut rest) = (0, &payload[24..]);
                    while let Some((byte, later)) = rest.split_first() {
                        size = size << 7 | usize::from(byte & 0x7F);
                        if byte & 0x80 == 0 {
                            sizes.push(std::mem::take(&mut size));
                        }
                        rest = later;
                    }
                }
                _ => {}
            }
            at = end;
        }
        let mut decoder = Decoder::new(&Config::parse(&cookie).unwrap()).unwrap();
        let mut packets = Vec::new();
        for size in sizes.into_iter().take(num_packets) {
            let (packet, rest) = data.split_at(size);
            decoder.read(&[packet]).unwrap();
            packets.push((packet.to_vec(), decoder.kept_frames(0)));
            data = rest;
        }
        Self { cookie, packets }
    }

    fn config(&self) -> Config {
        Config::parse(&self.cookie).unwrap()
    }

    fn parts(&self) -> Vec<Part<'_>> {
        self.packets.iter().map(|(bytes, num_frames)| Part { bytes, frames: 0..*num_frames }).collect()
    }
}

fn decode<S: DecodedSample>(decoder: &mut Decoder, parts: &[Part<'_>]) -> Result<Vec<S>, BatchError> {
    let num_frames: usize = parts.iter().map(|part| part.frames.len()).sum();
    let mut samples = Vec::with_capacity(num_frames * decoder.config().num_channels as usize);
    let room: &mut [MaybeUninit<S>] = samples.spare_capacity_mut();
    Ok(decoder.decode(parts, room)?.to_vec())
}

/// All ways to decode a file give these samples, which fill 32 bits.
fn check(file: &File, expected: &[i32], what: &str) {
    let (config, parts) = (file.config(), file.parts());
    let new = || Decoder::new(&config).unwrap();
    for (name, mut decoder) in [("best", new()), ("plain", new().with_plain_instructions())] {
        for batch in [1, 2, 3, 5, 1000] {
            let batches = parts.chunks(batch).map(|parts| decode::<i32>(&mut decoder, parts).unwrap());
            let decoded: Vec<i32> = batches.flatten().collect();
            assert!(decoded == expected, "{what}, {name}: batches of {batch}");
        }
        let floats: Vec<f32> = decode(&mut decoder, &parts).unwrap();
        let depth = 32 - config.bits_per_sample;
        let scale = 2_f64.powi(1 - config.bits_per_sample as i32);
        let scaled = expected.iter().map(|sample| (f64::from(*sample >> depth) * scale) as f32);
        assert!(floats.into_iter().eq(scaled), "{what}, {name}: floats");
        if config.bits_per_sample == 16 {
            let shorts: Vec<i16> = decode(&mut decoder, &parts).unwrap();
            assert!(
                shorts.into_iter().eq(expected.iter().map(|sample| (sample >> 16) as i16)),
                "{what}, {name}"
            );
        }
    }
}

/// The output of FFmpeg with these arguments; `None` with a notice when it is not installed.
fn ffmpeg(arguments: &[&str], input: &[u8]) -> Option<Vec<u8>> {
    let piped = Stdio::piped;
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-xerror"]).args(arguments).stdin(piped()).stdout(piped()).stderr(piped());
    let mut child = match command.spawn() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            println!("skipped: ffmpeg is not installed");
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
    assert!(output.status.success(), "ffmpeg: {}", String::from_utf8_lossy(&output.stderr));
    Some(output.stdout)
}

/// Interleaved samples of `bits` bits that fill 32.
fn signal(kind: &str, bits: u32, num_channels: usize, num_frames: usize) -> Vec<i32> {
    let mut random = Random(7);
    let mut samples = Vec::with_capacity(num_channels * num_frames);
    for frame in 0..num_frames {
        for channel in 0..num_channels {
            let time = frame as f64 + 3.0 * channel as f64;
            let noise = random.bits() as i32;
            let level = match kind {
                "music" => {
                    let chord = (time * 0.031).sin() + (time * 0.041).sin() + 0.5 * (time * 0.19).cos();
                    chord / 3.2 * (time * 1e-4).cos() + 0.01 * f64::from(noise) / 2.0_f64.powi(32)
                }
                "quiet" => {
                    f64::from(noise >> 30) / 2.0_f64.powi(bits as i32 - 1)
                        * f64::from(u8::from(frame / 500 % 3 == 0))
                }
                "noise" => f64::from(noise) / 2.0_f64.powi(31),
                _ => {
                    if frame / 7 % 2 == 0 {
                        0.999
                    } else {
                        -0.999
                    }
                }
            };
            samples.push(((level * 2.0_f64.powi(31)) as i32) >> (32 - bits) << (32 - bits));
        }
    }
    samples
}

/// The CAF or M4A file that FFmpeg makes, as a CAF file, which this test can read.
fn encoded(samples: &[i32], bits: u32, num_channels: usize, layout: &str) -> Option<File> {
    let raw: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    // Tests of one process run side by side.
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("mapwave-alac-{}-{number}.caf", std::process::id()));
    let (format, channels) = (if bits == 16 { "s16p" } else { "s32p" }, num_channels.to_string());
    let input = ["-f", "s32le", "-ar", "44100", "-ac", &channels, "-channel_layout", layout, "-i", "-"];
    let output = ["-c:a", "alac", "-sample_fmt", format, "-y", path.to_str().unwrap()];
    ffmpeg(&[&input[..], &output].concat(), &raw)?;
    let bytes = std::fs::read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    Some(File::parse(&bytes))
}

#[test]
fn what_ffmpeg_encodes_is_decoded() {
    for (layout, num_channels) in [("mono", 1), ("stereo", 2), ("5.0", 5), ("5.1", 6), ("7.1(wide)", 8)] {
        for bits in [16, 24] {
            for kind in ["music", "quiet", "noise", "square"] {
                let num_frames = if num_channels <= 2 { 4096 * 9 + 1234 } else { 4096 * 2 + 99 };
                let samples = signal(kind, bits, num_channels, num_frames);
                let Some(file) = encoded(&samples, bits, num_channels, layout) else { return };
                assert_eq!(file.config().bits_per_sample, bits);
                check(&file, &samples, &format!("{kind}, {layout}, {bits} bits"));
            }
        }
    }
}

/// The ALAC files of the corpus in CAF, of all depths.
fn corpus() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../../shared/corpus/files/generated+libsndfile-1.2.2");
    let directory = std::env::var_os("MAPWAVE_CORPUS")
        .map_or(directory, |root| Path::new(&root).join("files/generated+libsndfile-1.2.2"));
    let Ok(entries) = std::fs::read_dir(&directory) else {
        println!("skipped: there is no corpus");
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("caf_alac")))
        .collect()
}

#[test]
fn the_corpus_is_decoded_as_by_ffmpeg() {
    for path in corpus() {
        let file = File::parse(&std::fs::read(&path).unwrap());
        let Some(raw) = ffmpeg(&["-i", path.to_str().unwrap(), "-f", "s32le", "-"], &[]) else { return };
        let expected: Vec<i32> =
            raw.as_chunks::<4>().0.iter().map(|bytes| i32::from_le_bytes(*bytes)).collect();
        check(&file, &expected, &path.to_string_lossy());
    }
}

/// The samples of a packet by symphonia, which fill 32 bits, of up to six channels, and their number; `None` if it refuses it.
fn by_symphonia(cookie: &[u8], packet: &[u8]) -> Option<Vec<i32>> {
    let mut parameters = AudioCodecParameters::new();
    parameters.for_codec(CODEC_ID_ALAC).with_extra_data(cookie.to_vec().into_boxed_slice());
    let mut decoder = AlacDecoder::try_new(&parameters, &AudioDecoderOptions::default()).ok()?;
    let packet = PacketRef::new(0, Timestamp::new(0), Duration::new(0), packet);
    let GenericAudioBufferRef::S32(samples) = decoder.decode_ref(&packet).ok()? else { unreachable!() };
    let planes: Vec<&[i32]> = samples.iter_planes().collect();
    Some((0..samples.frames()).flat_map(|frame| planes.iter().map(move |plane| plane[frame])).collect())
}

/// Writes bits.
#[derive(Default)]
struct Writer {
    bytes: Vec<u8>,
    num_bits: usize,
}

impl Writer {
    fn bits(&mut self, value: u64, num_bits: u32) {
        for bit in (0..num_bits).rev() {
            if self.num_bits.is_multiple_of(8) {
                self.bytes.push(0);
            }
            *self.bytes.last_mut().unwrap() |= ((value >> bit & 1) as u8) << (7 - self.num_bits % 8);
            self.num_bits += 1;
        }
    }
}

/// Packets with any parameters and any codes are decoded as by symphonia, and alike by all instructions and batches. Left out
/// are orders 0 and 31 and modes that symphonia does not decode as Apple's decoder does.
#[test]
fn packets_of_noise_are_decoded_as_by_symphonia() {
    let mut random = Random(99);
    let mut num_compared = 0;
    for round in 0..300 {
        let (num_channels, bits) = ([1, 2][random.below(2)], [16, 20, 24, 32][random.below(4)]);
        let frames_per_packet = [64, 300, 1000][random.below(3)];
        let mut cookie = vec![
            0,
            0,
            (frames_per_packet >> 8) as u8,
            frames_per_packet as u8,
            0,
            bits as u8,
            40,
            10,
            14,
            num_channels as u8,
        ];
        cookie[8] = if random.below(4) == 0 { 8 + random.below(13) as u8 } else { 14 };
        cookie.extend([0, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xac, 0x44]);
        let config = Config::parse(&cookie).unwrap();
        // Packets of one batch have like predictors, as an encoder's have, or any.
        let (likely_order, is_any) = (1 + random.below(8), random.below(2) == 0);
        let packets: Vec<Vec<u8>> = (0..9)
            .map(|_| {
                let order = if is_any { random.below(31) } else { likely_order };
                noise_packet(&mut random, num_channels, bits, order, frames_per_packet)
            })
            .collect();
        let new = || Decoder::new(&config).unwrap();
        let (mut best, mut plain) = (new(), new().with_plain_instructions());
        let (mut parts, mut expected) = (Vec::new(), Vec::new());
        for packet in &packets {
            let Ok(1) = plain.read(&[packet]) else { continue };
            let part = Part { bytes: packet.as_slice(), frames: 0..plain.kept_frames(0) };
            let decoded: Vec<i32> = decode(&mut plain, std::slice::from_ref(&part)).unwrap();
            if let Some(reference) = by_symphonia(&cookie, packet) {
                assert!(decoded == reference, "round {round}");
                num_compared += 1;
            }
            parts.push(part);
            expected.extend(decoded);
        }
        assert!(decode::<i32>(&mut best, &parts).unwrap() == expected, "round {round}: all at once");
    }
    assert!(num_compared > 500, "{num_compared} packets are compared");
}

fn noise_packet(
    random: &mut Random,
    num_channels: usize,
    bits: u32,
    order: usize,
    most_frames: usize,
) -> Vec<u8> {
    let mut packet = Writer::default();
    packet.bits(num_channels as u64 - 1, 3);
    packet.bits(0, 16);
    let num_frames = 1 + random.below(most_frames);
    let num_low_bytes = if bits == 32 { 1 + random.below(2) as u64 } else { random.below(2) as u64 };
    packet.bits(1, 1);
    packet.bits(num_low_bytes, 2);
    packet.bits(u64::from(random.below(12) == 0), 1); // as they are
    packet.bits(num_frames as u64, 32);
    packet.bits(if num_channels == 2 { random.below(5) as u64 } else { 0 }, 8);
    packet.bits(if num_channels == 2 { random.below(5) as u64 } else { 0 }, 8);
    for _ in 0..num_channels {
        packet.bits(if order > 0 && random.below(8) == 0 { 15 } else { 0 }, 4);
        packet.bits(random.below(16) as u64, 4);
        packet.bits(random.below(8) as u64, 3);
        packet.bits(order as u64, 5);
        for _ in 0..order {
            let coefficient = (random.bits() as i16) >> (2 + random.below(12));
            packet.bits(coefficient as u64, 16);
        }
    }
    // Codes of any length: runs of ones, and of zeros.
    let density = random.below(4);
    for _ in 0..num_frames * num_channels * (bits as usize + 4) / 8 {
        let byte = match density {
            0 => random.bits() & random.bits() & random.bits(),
            1 => random.bits() & random.bits(),
            2 => random.bits(),
            _ => random.bits() | random.bits(),
        };
        packet.bits(byte, 8);
    }
    packet.bytes
}

/// A predictor of order 31 is the difference to the sample before, and its coefficients do not count (`unpc_block`).
#[test]
fn order_31_is_the_difference() {
    let cookie = [0, 0, 1, 0, 0, 16, 40, 10, 14, 1, 0, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xac, 0x44];
    let mut decoder = Decoder::new(&Config::parse(&cookie).unwrap()).unwrap();
    let mut packet = Writer::default();
    packet.bits(0, 19);
    packet.bits(0b1000, 4);
    packet.bits(5, 32);
    packet.bits(0, 16);
    packet.bits(0, 4);
    packet.bits(9, 4);
    packet.bits(4, 3);
    packet.bits(31, 5);
    (0..31).for_each(|_| packet.bits(77, 16));
    // Escaped: 100, then differences of 1, -1, 2 and -3, folded.
    for folded in [200, 2, 1, 4, 5] {
        packet.bits(0x1FF, 9);
        packet.bits(folded, 16);
    }
    packet.bits(7, 3);
    // A mean below 128 announces zeros, of which there are none here: the values are large enough but for the mean.
    let result = decode::<i16>(&mut decoder, &[Part { bytes: &packet.bytes, frames: 0..5 }]);
    assert_eq!(result, Ok(vec![100, 101, 100, 102, 99]));
}

/// Damage is an error or other samples, the same for all instructions and batches, and never a panic.
#[test]
fn damaged_packets_do_no_harm() {
    // As many as the variable says; a few otherwise. A round has eight packets of each of four streams.
    let rounds = std::env::var("MAPWAVE_ALAC_DAMAGED_PACKETS")
        .map_or(150, |count| count.parse::<usize>().unwrap().div_ceil(32));
    let mut random = Random(5);
    for (layout, num_channels, bits) in
        [("mono", 1, 16), ("stereo", 2, 16), ("stereo", 2, 24), ("5.1", 6, 16)]
    {
        let samples = signal("music", bits, num_channels, 4096 * 8);
        let Some(file) = encoded(&samples, bits, num_channels, layout) else { return };
        let new = || Decoder::new(&file.config()).unwrap();
        let (mut best, mut plain) = (new(), new().with_plain_instructions());
        for _ in 0..rounds {
            let damaged: Vec<Vec<u8>> =
                file.packets.iter().map(|(packet, _)| damage(&mut random, packet)).collect();
            let mut expected = Ok(Vec::new());
            let mut parts = Vec::new();
            for (index, bytes) in damaged.iter().enumerate() {
                let num_frames = match plain.read(&[bytes]) {
                    Ok(_) => plain.kept_frames(0),
                    Err(error) => {
                        parts.push(Part { bytes, frames: 0..0 });
                        expected = expected.and(Err(BatchError { index, reason: error.reason }));
                        break;
                    }
                };
                let part = Part { bytes, frames: 0..num_frames };
                let decoded: Vec<i32> = decode(&mut plain, std::slice::from_ref(&part)).unwrap();
                expected.as_mut().unwrap().extend(decoded);
                parts.push(part);
            }
            assert!(decode::<i32>(&mut best, &parts) == expected);
        }
    }
}

fn damage(random: &mut Random, packet: &[u8]) -> Vec<u8> {
    let mut bytes = packet.to_vec();
    match random.below(4) {
        0 => {}
        1 if random.below(4) == 0 => bytes.truncate(random.below(packet.len() + 1)),
        _ => {
            for _ in 0..=random.below(4) {
                let near = 1 << random.below(14);
                bytes[random.below(packet.len().min(near))] ^= 1 << random.below(8);
            }
        }
    }
    bytes
}

#[test]
fn what_cannot_be_is_refused() {
    let cookie = [0, 0, 1, 0, 0, 16, 40, 10, 14, 2, 0, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xac, 0x44];
    let config = Config::parse(&cookie).unwrap();
    assert!(Config::parse(&cookie[..23]).is_err());
    for (place, value) in [(1, 2), (4, 1), (5, 18), (8, 0), (8, 32), (9, 0), (9, 9)] {
        let mut cookie = cookie;
        cookie[place] = value;
        assert!(matches!(Config::parse(&cookie), Err(DecodeError::Config(_))), "{place}: {value}");
    }
    let mut decoder = Decoder::new(&config).unwrap();
    let mut reason = |bits: &str| {
        let bits: String = bits.split(' ').collect();
        let byte = |bits: &[u8]| (0..8).fold(0, |byte, n| byte << 1 | u8::from(bits.get(n) == Some(&b'1')));
        let packet: Vec<u8> = bits.as_bytes().chunks(8).map(byte).collect();
        decoder.read(&[&packet]).map_err(|error| error.reason)
    };
    let (pair, one) = ("001 0000 000000000000", "000 0000 000000000000");
    let two_frames = "00000000000000000000000000000010";
    assert_eq!(
        reason(""),
        Err(DecodeError::Packet("it has fewer channels than the stream")).or(Err(DecodeError::Truncated))
    );
    assert!(matches!(reason("111"), Err(DecodeError::Packet(_))), "no channels");
    assert!(matches!(reason("010"), Err(DecodeError::Unsupported(_))), "coupling");
    assert!(matches!(reason(&format!("{one} 1001 {two_frames} {pair}")), Err(DecodeError::Truncated)));
    let sample = "0000000000000001 0000000000000010";
    assert!(matches!(
        reason(&format!("{one} 1001 {two_frames} {sample} {pair}")),
        Err(DecodeError::Packet(_))
    ));
    assert!(
        matches!(reason(&format!("{pair} 1001 {}", "1".repeat(32))), Err(DecodeError::Packet(_))),
        "too long"
    );
    assert!(matches!(reason(&format!("{pair} 0110")), Err(DecodeError::Packet(_))), "24 low bits");
    let good = format!("{pair} 1001 {two_frames} {sample} {sample} 111");
    assert_eq!(reason(&good), Ok(1));
    // Data and filling before it do not count.
    assert_eq!(reason(&format!("100 0000 0 00000001 11111111 110 0001 10101010 {good}")), Ok(1));
    let mut small = [MaybeUninit::<i16>::uninit(); 3];
    assert_eq!(decoder.write(0, 0..2, &mut small), Err(DecodeError::Room));
    assert_eq!(decoder.write(0, 1..2, &mut small).unwrap(), [1, 2]);
    assert_eq!(decoder.write_channel(0, 1, 0..2, &mut small).unwrap(), [2, 2]);
    let too_short = DecodeError::TooShort { num_frames: 2, wanted: 3 };
    assert_eq!(decoder.write_channel(0, 1, 0..3, &mut small), Err(too_short));
    assert_eq!(decoder.write_channel(0, 2, 0..2, &mut small), Err(DecodeError::Room));
}
