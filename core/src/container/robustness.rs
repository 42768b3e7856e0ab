//! What every parser must guarantee for every file: no panic, ranges inside the file, and the same result from the head of the
//! file as from all of it.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]

use proptest::prelude::*;

use super::builder::{Bytes, chunk_be, chunk_le};
use super::parse_head as parse;
use crate::error::{Error, Result};
use crate::track::{Codec, Track};

const RATE_44100: [u8; 10] = [0x40, 0x0e, 0xac, 0x44, 0, 0, 0, 0, 0, 0];

fn wave(id: &[u8; 4], size: u32, chunks: &[&[u8]]) -> Vec<u8> {
    Bytes::new().put(id).u32_le(size).put(b"WAVE").put(&chunks.concat()).0
}

fn fmt(tag: u16, block_align: u16, bits: u16, rest: &[u8]) -> Vec<u8> {
    let bytes = Bytes::new().u16_le(tag).u16_le(2).u32_le(44100).u32_le(0).u16_le(block_align).u16_le(bits);
    chunk_le(b"fmt ", &bytes.put(rest).0)
}

fn caf_chunk(id: &[u8; 4], payload: &[u8]) -> Vec<u8> {
    Bytes::new().put(id).u64_be(payload.len() as u64).put(payload).0
}

fn caf(format: &[u8; 4], packet: (u32, u32), chunks: &[&[u8]]) -> Vec<u8> {
    let desc = Bytes::new()
        .f64_be(44100.0)
        .put(format)
        .u32_be(0)
        .u32_be(packet.0)
        .u32_be(packet.1)
        .u32_be(3)
        .u32_be(16);
    Bytes::new().put(b"caff\0\x01\0\0").put(&caf_chunk(b"desc", &desc.0)).put(&chunks.concat()).0
}

fn w64_chunk(name: &[u8; 4], payload: &[u8]) -> Vec<u8> {
    let guid = [name, &b"\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a"[..]].concat();
    let padding = vec![0; payload.len().next_multiple_of(8) - payload.len()];
    Bytes::new().put(&guid).u64_le(24 + payload.len() as u64).put(payload).put(&padding).0
}

/// A small file of every kind.
fn files() -> Vec<Vec<u8>> {
    let sound = [7; 48];
    let guid_tail = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];
    let extension = Bytes::new().u16_le(22).u16_le(12).u32_le(3).u16_le(1).put(&guid_tail).0;
    let list = chunk_le(b"LIST", b"INFOodd");
    let fact = chunk_le(b"fact", &900u32.to_le_bytes());
    let data = chunk_le(b"data", &sound);
    let unfinished = Bytes::new().put(b"data").u32_le(0).put(&list).put(&list).0;
    let ds64 = Bytes::new().u64_le(0).u64_le(48).u64_le(12).u32_le(1).put(b"huge").u64_le(6).0;
    let huge = Bytes::new().put(b"huge").u32_le(u32::MAX).put(b"sixsix").0;
    let unknown = Bytes::new().put(b"data").u32_le(u32::MAX).put(&sound).0;

    let comm = |kind: &[u8]| Bytes::new().u16_be(2).u32_be(12).u16_be(16).put(&RATE_44100).put(kind).0;
    let ssnd = chunk_be(b"SSND", &[&[0; 8], &sound[..]].concat());
    let layout = Bytes::new().u32_be(0).u32_be(0).u32_be(3);
    let layout = [1, 2, 3].iter().fold(layout, |bytes, &label| bytes.u32_be(label).put(&[0; 16])).0;
    let form = |kind: &[u8; 4], chunks: &[&[u8]]| {
        let size = 4 + chunks.concat().len() as u32;
        Bytes::new().put(b"FORM").u32_be(size).put(kind).put(&chunks.concat()).0
    };
    let streamed_ssnd = Bytes::new().put(b"SSND").u32_be(0).put(&[0; 8]).put(&sound).0;

    let pakt = Bytes::new().u64_be(2).u64_be(8000).u32_be(100).u32_be(92).put(&[1, 1]).0;
    let caf_data = caf_chunk(b"data", &[&[0; 4], &sound[..]].concat());
    let w64_fmt = Bytes::new().u16_le(1).u16_le(2).u32_le(44100).u32_le(0).u16_le(4).u16_le(16).0;
    let w64_head = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00";
    let w64_kind = b"wave\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a";
    vec![
        wave(b"RIFF", 120, &[&list, &fmt(0xfffe, 4, 16, &extension), &data, &list]),
        wave(b"RIFF", 120, &[&data, &list, &fmt(1, 4, 16, b"")]),
        wave(b"RIFF", 120, &[&fmt(0x11, 256, 4, &[2, 0, 0xf9, 1]), &fact, &data]),
        wave(b"RIFF", 80, &[&fmt(1, 4, 16, b""), &unfinished]),
        wave(b"RF64", u32::MAX, &[&chunk_le(b"ds64", &ds64), &huge, &fmt(3, 8, 32, b""), &unknown, &list]),
        form(b"AIFF", &[&ssnd, &chunk_be(b"NAME", b"odd"), &chunk_be(b"COMM", &comm(b""))]),
        form(b"AIFC", &[&chunk_be(b"COMM", &comm(b"sowt\0\0")), &chunk_be(b"CHAN", &layout), &ssnd]),
        form(b"AIFF", &[&chunk_be(b"COMM", &comm(b"")), &streamed_ssnd]),
        caf(b"lpcm", (6, 1), &[&caf_chunk(b"chan", &layout), &caf_data]),
        caf(b"alac", (0, 4096), &[&caf_data, &caf_chunk(b"kuki", b"cookie"), &caf_chunk(b"pakt", &pakt)]),
        [&w64_head[..], &[0; 8], w64_kind, &w64_chunk(b"fmt ", &w64_fmt), &w64_chunk(b"data", &sound)]
            .concat(),
    ]
}

fn assert_inside(track: &Track, file_len: u64) {
    let inside = |range: &std::ops::Range<u64>| range.start <= range.end && range.end <= file_len;
    assert!(inside(&track.data), "{track:?} in {file_len} bytes");
    assert!(track.sample_rate > 0 && track.num_channels > 0, "{track:?}");
    match &track.codec {
        Codec::Pcm(_) => {
            let num_bytes = track.data.end - track.data.start;
            assert_eq!(track.num_frames, Some(num_bytes / track.bytes_per_frame().unwrap()));
        }
        Codec::Packets(packets) => {
            assert!(inside(&packets.config), "{track:?} in {file_len} bytes");
            if let Some(table) = &packets.packet_table {
                assert!(inside(&table.entries), "{track:?} in {file_len} bytes");
                assert!(table.num_packets <= file_len, "{track:?} in {file_len} bytes");
            }
        }
        Codec::Compressed(stream) => panic!("no parser makes {stream:?}"),
    }
}

/// Parses the file and each head of it. A head must request more bytes or give the same result as the whole file.
fn check(bytes: &[u8]) -> Result<Track> {
    let file_len = bytes.len() as u64;
    let whole = parse(bytes, file_len);
    assert!(!matches!(whole, Err(Error::Incomplete { .. })), "{whole:?}");
    if let Ok(track) = &whole {
        assert_inside(track, file_len);
    }
    for length in 0..bytes.len() {
        match (parse(&bytes[..length], file_len), &whole) {
            (Err(Error::Incomplete { needed }), _) => assert!(length as u64 <= needed && needed <= file_len),
            (Ok(track), Ok(whole)) => assert_eq!(track, *whole),
            (Err(error), Err(whole)) => assert_eq!(error.to_string(), whole.to_string()),
            (head, whole) => panic!("{head:?} from {length} bytes, {whole:?} from all"),
        }
    }
    whole
}

#[test]
fn exact_names_identify_the_containers_that_are_parsed() {
    let names: std::collections::HashSet<_> =
        super::ALL.iter().map(|container| container.exact_name().to_owned()).collect();
    assert_eq!(names.len(), super::ALL.len());
    assert!(super::ALL.iter().all(|container| ["wav", "aiff", "caf"].contains(&container.name())));
    for bytes in files() {
        let container = parse(&bytes, bytes.len() as u64).unwrap().container;
        assert!(super::ALL.contains(&container), "{container:?}");
    }
}

#[test]
fn every_kind_of_file_is_read() {
    for bytes in files() {
        let track = check(&bytes).unwrap();
        assert_ne!(track.num_frames, None, "{track:?}");
    }
}

#[test]
fn every_truncation_errs_cleanly_or_says_what_is_missing() {
    for bytes in files() {
        let whole = parse(&bytes, bytes.len() as u64).unwrap();
        for length in 0..bytes.len() {
            if let Ok(track) = check(&bytes[..length]) {
                assert_eq!(track.sample_rate, whole.sample_rate, "cut to {length}");
                assert!(track.data.end <= whole.data.end.max(length as u64));
            }
        }
    }
}

#[test]
fn nothing_is_asked_for_beyond_what_is_needed() {
    // Once the format is known, PCM needs nothing beyond the header of its chunk.
    for bytes in [&files()[0], &files()[8]] {
        let track = parse(bytes, bytes.len() as u64).unwrap();
        let header = &bytes[..track.data.start as usize];
        assert_eq!(parse(header, bytes.len() as u64).unwrap(), track);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn flipped_bits_do_no_harm(file in 0usize..11, flips in prop::collection::vec((0usize..4096, 0u8..8), 1..12)) {
        let mut bytes = files()[file].clone();
        for (place, bit) in flips {
            let place = place % bytes.len();
            bytes[place] ^= 1 << bit;
        }
        let _ = check(&bytes);
    }

    #[test]
    fn wild_numbers_do_no_harm(file in 0usize..11, place in 0usize..4096, wild in prop::sample::select(vec![
        [0, 0, 0, 0], [0xff; 4], [0x7f, 0xff, 0xff, 0xff], [0x80, 0, 0, 0], [0xff, 0xff, 0xff, 0x7f], [0, 0, 0, 0x80],
    ])) {
        let mut bytes = files()[file].clone();
        let place = place % (bytes.len() - 3);
        bytes[place..place + 4].copy_from_slice(&wild);
        let _ = check(&bytes);
    }

    #[test]
    fn random_bytes_after_a_magic_do_no_harm(
        magic in prop::sample::select(vec![
            &b"RIFF\0\0\0\0WAVE"[..], b"RIFX\0\0\0\0WAVE", b"RF64\0\0\0\0WAVE", b"FORM\0\0\0\0AIFF", b"caff\0\x01\0\0", b"",
        ]),
        bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let _ = check(&[magic, &bytes].concat());
    }

    #[test]
    fn the_length_of_the_file_may_be_anything(file in 0usize..11, more in any::<u64>()) {
        let bytes = &files()[file];
        let file_len = (bytes.len() as u64).saturating_add(more);
        if let Ok(track) = parse(bytes, file_len) {
            assert_inside(&track, file_len);
        }
    }
}
