//! Files that break their format's rules, handmade and random, are rejected or read within bounds.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, missing_docs)]

use std::ops::Range;

use mapwave_core::track::{Codec, Track};
use mapwave_core::{
    ChannelSelection, Error, FrameSpec, Layout, MonoMode, OutputFormat, Reader, Result, container,
};
use mapwave_tests::fixture::{self, Fixture};
use mapwave_tests::random::Random;
use mapwave_tests::{allocation, decoded, refusal};

/// The first bytes of the containers that the core reads.
const MAGICS: [&[u8]; 8] = [
    b"RIFF\xff\xff\xff\xffWAVE",
    b"RIFX\xff\xff\xff\xffWAVE",
    b"RF64\xff\xff\xff\xffWAVEds64",
    b"BW64\xff\xff\xff\xffWAVEds64",
    b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\0\0\xff\xff\0\0\0\0\0\0wave\xf3\xac\xd3\x11\x8c\xd1\0\xc0\x4f\x8e\xdb\x8a",
    b"FORM\0\0\xff\xffAIFF",
    b"FORM\0\0\xff\xffAIFC",
    b"caff\0\x01\0\0",
];

/// Chunk headers in front of random bytes, so that some pass the search for chunks.
const CHUNKS: [&[u8]; 9] = [b"fmt ", b"data", b"fact", b"LIST", b"COMM", b"SSND", b"FVER", b"desc", b"pakt"];

/// Opens a file, reads from both ends and mixes it down, all within the memory limits.
fn check(name: &str, bytes: &[u8]) -> Result<Track> {
    let file_len = bytes.len() as u64;
    let owned = bytes.to_vec();
    let (result, peak) = allocation::peak_of(|| container::parse(bytes, file_len));
    assert!(peak <= allocation::limit(file_len, 0), "{name}: {peak} bytes were allocated by a parser");
    if let Ok(track) = &result {
        inside(name, track, file_len);
    }
    let (opened, peak) = allocation::peak_of(|| Reader::from_bytes(owned));
    assert!(peak <= allocation::limit(file_len, 0), "{name}: {peak} bytes were allocated to open it");
    let reader = match opened {
        Ok(reader) => reader,
        Err(error) => {
            refusal::check(&error, name);
            return Err(error);
        }
    };
    let num_frames = reader.num_frames();
    let limit = allocation::limit(file_len, decoded::num_bytes(&reader, OutputFormat::F64));
    let (all, peak) = allocation::peak_of(|| read(name, &reader, 0..num_frames, &FrameSpec::default()));
    assert!(peak <= limit, "{name}: {peak} bytes were allocated to read it, more than {limit}");
    let frame_bytes = usize::from(reader.track().num_channels) * 4;
    if num_frames > 0 {
        let first = read(name, &reader, 0..1, &FrameSpec::default());
        let last = read(name, &reader, num_frames - 1..num_frames, &FrameSpec::default());
        assert!(first == all[..frame_bytes], "{name}: the first frame is the first of all");
        assert!(last == all[all.len() - frame_bytes..], "{name}: the last frame is the last of all");
    }
    let mono = FrameSpec {
        format: OutputFormat::F16,
        channels: ChannelSelection::Mono(MonoMode::Mean),
        layout: Layout::ChannelsFirst,
        squeeze_mono: true,
    };
    let (mono, peak) = allocation::peak_of(|| read(name, &reader, 0..num_frames, &mono));
    assert!(peak <= limit, "{name}: {peak} bytes were allocated to mix it, more than {limit}");
    assert_eq!(mono.len() as u64, num_frames * 2, "{name}: one half a frame");
    let past = reader.read(num_frames..num_frames + 1, &FrameSpec::default());
    assert!(matches!(past, Err(Error::Argument { .. })), "{name}: a frame past the end was read");
    result
}

fn read(name: &str, reader: &Reader, frames: Range<u64>, spec: &FrameSpec) -> Vec<u8> {
    let frames =
        reader.read(frames, spec).unwrap_or_else(|error| panic!("{name}: opened but not read: {error}"));
    frames.bytes().to_vec()
}

/// Rejects ranges outside the file and impossible numbers.
fn inside(name: &str, track: &Track, file_len: u64) {
    let within = |range: &Range<u64>| range.start <= range.end && range.end <= file_len;
    assert!(within(&track.data), "{name}: data at {:?} of {file_len}", track.data);
    assert!(track.sample_rate > 0 && track.num_channels > 0, "{name}: {track:?}");
    match &track.codec {
        Codec::Pcm(format) => {
            let num_frames = track.num_frames.expect("PCM says how many frames there are");
            let frame_bytes = format.num_bytes() as u64 * u64::from(track.num_channels);
            let num_bytes = num_frames.checked_mul(frame_bytes);
            let fits = num_bytes.is_some_and(|num_bytes| num_bytes <= track.data.end - track.data.start);
            assert!(fits, "{name}: {num_frames} frames in data at {:?}", track.data);
        }
        Codec::Compressed(stream) => panic!("{name}: no plugin is loaded, and {} reads it", stream.plugin),
        Codec::Packets(packets) => {
            assert!(within(&packets.config), "{name}: config at {:?} of {file_len}", packets.config);
            assert!(!packets.name.is_empty(), "{name}: a codec without a name");
            if let Some(table) = &packets.packet_table {
                assert!(within(&table.entries), "{name}: packet table at {:?} of {file_len}", table.entries);
                let room = table.entries.end - table.entries.start;
                assert!(table.num_packets <= room.max(file_len), "{name}: {} packets", table.num_packets);
            }
        }
    }
}

#[test]
fn malformed_files_are_refused_or_read_as_the_table_says() {
    let mut num_refused = 0;
    let all = fixture::malformed();
    for malformed in &all {
        let Fixture { name, bytes, .. } = &malformed.file;
        let result = check(name, bytes);
        assert!(!malformed.refuse || result.is_err(), "{name} was read, and must be refused: {result:?}");
        let opened = [Reader::open(&malformed.file.path), Reader::open_once(&malformed.file.path)];
        for opened in opened {
            match (opened, &result) {
                (Ok(reader), Ok(track)) => assert_eq!(reader.track(), track, "{name}: the same from disk"),
                (Err(error), _) => {
                    refusal::check_named(&error, malformed.file.path.to_str().unwrap());
                    num_refused += 1;
                }
                (Ok(_), Err(error)) => panic!("{name}: read from disk, and refused in memory: {error}"),
            }
        }
    }
    println!("malformed: {} files, {} refused", all.len(), num_refused / 2);
}

#[test]
fn flipped_bits() {
    let mut random = Random::announced();
    let (mut num_read, mut num_refused) = (0, 0);
    for Fixture { name, bytes, .. } in fixture::small() {
        for variant in 0..1000 {
            let reach = if variant % 2 == 0 { bytes.len().min(512) } else { bytes.len() };
            let mut flipped = bytes.clone();
            for _ in 0..=random.below(8) {
                flipped[random.below(reach)] ^= 1 << random.below(8);
            }
            match check(&format!("{name}, variant {variant}"), &flipped) {
                Ok(_) => num_read += 1,
                Err(_) => num_refused += 1,
            }
        }
    }
    println!("flipped bits: {num_read} read, {num_refused} refused");
}

#[test]
fn extreme_numbers() {
    const EXTREMES: [u64; 10] =
        [0, 1, 0x7f, 0x80, 0x7fff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, u64::MAX];
    let mut random = Random::announced();
    for Fixture { name, bytes, .. } in fixture::small() {
        for variant in 0..1000 {
            let mut changed = bytes.clone();
            for _ in 0..=random.below(2) {
                let width = [1, 2, 4, 8][random.below(4)];
                let value = EXTREMES[random.below(EXTREMES.len())];
                let place = random.below(changed.len().min(256));
                let value =
                    if random.below(2) == 0 { value.to_le_bytes() } else { value.swap_bytes().to_le_bytes() };
                let skip = if value[0] == 0 && value[7] != 0 { 8 - width } else { 0 };
                let end = changed.len().min(place + width);
                changed[place..end].copy_from_slice(&value[skip..skip + end - place]);
            }
            let _ = check(&format!("{name}, variant {variant}"), &changed);
        }
    }
}

#[test]
fn spliced_files() {
    let mut random = Random::announced();
    let files = fixture::small();
    for variant in 0..50_000 {
        let (first, second) = (&files[random.below(files.len())], &files[random.below(files.len())]);
        let mut spliced = first.bytes[..random.below(first.bytes.len().min(400))].to_vec();
        spliced.extend(&second.bytes[random.below(second.bytes.len().min(400))..]);
        let _ = check(&format!("{} and {}, variant {variant}", first.name, second.name), &spliced);
    }
}

#[test]
fn random_bytes_behind_every_magic() {
    let mut random = Random::announced();
    for (index, magic) in MAGICS.into_iter().enumerate() {
        for variant in 0..10_000 {
            let mut bytes = magic.to_vec();
            for _ in 0..random.below(5) {
                bytes.extend(CHUNKS[random.below(CHUNKS.len())]);
                let count = random.below(80);
                let big_endian = index >= 5;
                let size = (count as u32).to_le_bytes();
                match (index, big_endian) {
                    (7, _) => bytes.extend((count as u64).to_be_bytes()),
                    (_, true) => bytes.extend((count as u32).to_be_bytes()),
                    _ => bytes.extend(size),
                }
                bytes.extend(random.bytes(count));
            }
            let count = random.below(200);
            bytes.extend(random.bytes(count));
            let _ = check(&format!("magic {index}, variant {variant}"), &bytes);
        }
    }
    for variant in 0..10_000 {
        let count = random.below(400);
        let bytes = random.bytes(count);
        let _ = check(&format!("no magic, variant {variant}"), &bytes);
    }
}
