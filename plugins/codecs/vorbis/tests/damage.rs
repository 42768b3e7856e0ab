//! Damage is an error or other samples, the same for all instructions and batches, and never a panic.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod common;

use common::ogg::File;
use common::synthetic;
use common::{Random, ffmpeg, music};
use mapwave_vorbis::{Decoder, Setup};

/// The memory that tables may take.
const MAX_BYTES: u64 = 1 << 25;

/// How many rounds: as many as usual, or as many times more as the environment says.
fn rounds(usual: usize) -> usize {
    std::env::var("MAPWAVE_ROUNDS").map_or(usual, |rounds| usual * rounds.parse::<usize>().unwrap())
}

fn random() -> Random {
    Random(std::env::var("MAPWAVE_SEED").map_or(5, |seed| seed.parse().unwrap()))
}

/// Headers and packets of a stream.
struct Stream {
    identification: Vec<u8>,
    setup_header: Vec<u8>,
    packets: Vec<Vec<u8>>,
}

/// Streams of noise, and those that FFmpeg encodes if it is there.
fn streams(random: &mut Random) -> Vec<Stream> {
    let mut streams: Vec<Stream> = (0..40)
        .map(|_| {
            let synthetic::Synthetic { identification, setup_header, packets, .. } =
                synthetic::stream(random, 8);
            Stream { identification, setup_header, packets }
        })
        .collect();
    for (num_channels, sample_rate) in [(1, 16_000), (2, 44_100), (6, 48_000)] {
        let samples = music(num_channels, 30_000, sample_rate);
        let raw: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let (channels, rate) = (num_channels.to_string(), sample_rate.to_string());
        let input = ["-f", "f32le", "-ar", &rate, "-ac", &channels, "-i", "-"];
        let Some(bytes) = ffmpeg(&[&input[..], &["-c:a", "libvorbis", "-f", "ogg", "-"]].concat(), &raw)
        else {
            break;
        };
        let File { identification, setup_header, packets, .. } = File::parse(&bytes);
        streams.push(Stream { identification, setup_header, packets });
    }
    streams
}

fn damage(random: &mut Random, bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if random.below(5) == 0 {
        bytes.truncate(random.below(bytes.len() + 1));
    }
    if random.below(20) == 0 {
        (0..random.below(40)).for_each(|_| bytes.push(random.bits() as u8));
    }
    if !bytes.is_empty() {
        for _ in 0..random.below(6) {
            let near = 1 << random.below(14);
            let place = random.below(bytes.len().min(near));
            match random.below(3) {
                0 => bytes[place] = random.bits() as u8,
                _ => bytes[place] ^= 1 << random.below(8),
            }
        }
    }
    bytes
}

/// The samples of packets, or why there are none.
fn decode(decoder: &mut Decoder, packets: &[Vec<u8>], batch: usize) -> Vec<Result<Vec<u32>, String>> {
    let num_channels = decoder.setup().num_channels();
    let mut results = Vec::new();
    let mut rest: Vec<&[u8]> = packets.iter().map(Vec::as_slice).collect();
    while !rest.is_empty() {
        let now = &rest[..batch.min(rest.len())];
        let (num_done, error) = match decoder.read(now) {
            Ok(num_read) => (num_read, None),
            Err(error) => (error.index + 1, Some(error.reason.to_string())),
        };
        for index in 0..decoder.num_kept() {
            let planes = (0..num_channels).flat_map(|channel| {
                decoder.kept_plane(index, channel, 0..decoder.kept_frames(index)).unwrap()
            });
            results.push(Ok(planes.map(|sample| sample.to_bits()).collect()));
        }
        results.extend(error.map(Err));
        rest.drain(..num_done);
    }
    results
}

/// Numbers that are none may have any bits.
fn is_same(one: &[Result<Vec<u32>, String>], other: &[Result<Vec<u32>, String>]) -> bool {
    let is_nan = |bits: u32| f32::from_bits(bits).is_nan();
    let is_same = |one: &u32, other: &u32| one == other || is_nan(*one) && is_nan(*other);
    one.len() == other.len()
        && one.iter().zip(other).all(|pair| match pair {
            (Ok(one), Ok(other)) => {
                one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
            }
            (Err(one), Err(other)) => one == other,
            _ => false,
        })
}

#[test]
fn damaged_packets_do_no_harm() {
    let mut random = random();
    let mut num_packets = 0;
    for stream in streams(&mut random) {
        let setup = Setup::parse(&stream.identification, &stream.setup_header, MAX_BYTES).unwrap();
        let mut best = Decoder::new(&setup).unwrap();
        let mut plain = Decoder::new(&setup).unwrap().with_plain_instructions();
        for round in 0..rounds(12) {
            let packets: Vec<Vec<u8>> =
                stream.packets.iter().map(|packet| damage(&mut random, packet)).collect();
            num_packets += packets.len();
            best.reset();
            let found = decode(&mut best, &packets, 64);
            let mut last = None;
            for (packet, result) in packets.iter().zip(&found) {
                let block_size = setup.block_size(packet);
                assert_eq!(block_size.is_some(), result.is_ok());
                if let (Ok(samples), Some(size)) = (result, block_size) {
                    let num_frames = last.map_or(0, |last: u32| (last + size) / 4);
                    assert_eq!(samples.len(), num_frames as usize * setup.num_channels());
                }
                last = block_size;
            }
            if round % 4 == 0 {
                plain.reset();
                assert!(is_same(&found, &decode(&mut plain, &packets, 1)));
            }
        }
    }
    println!("{num_packets} packets");
}

#[test]
fn damaged_headers_do_no_harm() {
    let mut random = random();
    let (mut num_headers, mut num_valid) = (0, 0);
    for stream in streams(&mut random) {
        for _ in 0..rounds(60) {
            let identification = match random.below(10) {
                0 => damage(&mut random, &stream.identification),
                _ => stream.identification.clone(),
            };
            let setup_header = damage(&mut random, &stream.setup_header);
            num_headers += 1;
            let Ok(setup) = Setup::parse(&identification, &setup_header, MAX_BYTES) else { continue };
            num_valid += 1;
            assert!(Decoder::num_bytes_for(&setup) < 1 << 27);
            let mut decoder = Decoder::new(&setup).unwrap();
            decode(&mut decoder, &stream.packets[..stream.packets.len().min(3)], 64);
        }
    }
    assert!(num_valid > num_headers / 20, "{num_valid} of {num_headers} headers are valid");
    println!("{num_headers} headers, {num_valid} of them valid");
}

#[test]
fn tables_take_no_more_memory_than_allowed() {
    let mut random = random();
    for stream in streams(&mut random) {
        let parse = |max_bytes| Setup::parse(&stream.identification, &stream.setup_header, max_bytes);
        let error = parse(100).unwrap_err().to_string();
        assert!(error.contains("only 100 may be allocated"), "{error}");
        let mut low = 100;
        let mut high = MAX_BYTES;
        while high - low > 1 {
            let middle = low.midpoint(high);
            if parse(middle).is_ok() { high = middle } else { low = middle }
        }
        assert!(high < 1 << 23, "{high} bytes");
    }
}

#[test]
fn headers_are_rejected_for_what_they_lack() {
    let mut random = Random(3);
    let stream = synthetic::stream(&mut random, 1);
    let message = |identification: &[u8], setup_header: &[u8]| {
        Setup::parse(identification, setup_header, MAX_BYTES).unwrap_err().to_string()
    };
    let change = |place: usize, value: u8| {
        let mut identification = stream.identification.clone();
        identification[place] = value;
        message(&identification, &stream.setup_header)
    };
    assert_eq!(change(0, 3), "the Vorbis stream's identification header is too short");
    assert_eq!(change(7, 1), "version 1 of Vorbis, expected version 0");
    for (place, value) in [(11, 0), (29, 0)] {
        assert!(change(place, value).contains("no channels, no rate or no framing bit"));
    }
    for sizes in [0x85, 0x67, 0xE6] {
        assert_eq!(change(28, sizes), "the Vorbis stream's block sizes are not between 64 and 8192");
    }
    assert_eq!(message(&stream.identification[..29], &stream.setup_header), change(0, 3));
    assert!(message(&stream.identification, b"\x03vorbis").contains("third header is not a setup header"));
    for num_bytes in 7..stream.setup_header.len() {
        let error = message(&stream.identification, &stream.setup_header[..num_bytes]);
        assert!(error.starts_with("the Vorbis stream's ") || error.contains("is truncated"), "{error}");
    }
    let setup = Setup::parse(&stream.identification, &stream.setup_header, MAX_BYTES).unwrap();
    let mut decoder = Decoder::new(&setup).unwrap();
    for packet in [b"".as_slice(), b"\x01vorbis"] {
        let error = decoder.read(&[packet]).unwrap_err();
        assert!(error.to_string().starts_with("packet 0 of the batch: malformed: it is "), "{error}");
        assert_eq!(setup.block_size(packet), None);
    }
}
