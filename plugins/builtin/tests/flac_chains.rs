//! FLAC streams put together frame by frame, whole and out of order: the number of frames, the whole and every window of
//! it agree, or all are refused.
#![allow(clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod corpus;

use corpus::{Numbers, check_windows, open, read, read_all};
use mapwave_builtin::FlacDecoder;
use mapwave_plugin::{Decoder, Status};

const BLOCK: u64 = 256;

/// A frame to be written: mono, 16 bits, 44.1 kHz.
#[derive(Clone)]
struct Frame {
    number: u64,
    samples: Vec<i16>,
    is_variable: bool,
}

fn crc8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ byte, |crc, _| (crc << 1) ^ if crc & 0x80 == 0 { 0 } else { 0x07 })
    })
}

fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            (crc << 1) ^ if crc & 0x8000 == 0 { 0 } else { 0x8005 }
        })
    })
}

/// As UTF-8 would encode it (section 9.1.5).
fn coded_number(number: u64) -> Vec<u8> {
    let more = |number: u64, places: u32| {
        (0..places).rev().map(move |place| 0x80 | (number >> (6 * place)) as u8 & 0x3F)
    };
    match number {
        0..0x80 => vec![number as u8],
        0x80..0x800 => [0xC0 | (number >> 6) as u8].into_iter().chain(more(number, 1)).collect(),
        0x800..0x1_0000 => [0xE0 | (number >> 12) as u8].into_iter().chain(more(number, 2)).collect(),
        0x1_0000..0x20_0000 => [0xF0 | (number >> 18) as u8].into_iter().chain(more(number, 3)).collect(),
        _ => [0xF8 | (number >> 24) as u8].into_iter().chain(more(number, 4)).collect(),
    }
}

/// RFC 9639, section 9: verbatim samples, or one for all.
fn encode(frame: &Frame) -> Vec<u8> {
    let mut bytes = vec![0xFF, if frame.is_variable { 0xF9 } else { 0xF8 }, 0x79, 0x08];
    bytes.extend(coded_number(frame.number));
    bytes.extend((frame.samples.len() as u16 - 1).to_be_bytes());
    bytes.push(crc8(&bytes));
    if frame.samples.windows(2).all(|pair| pair[0] == pair[1]) {
        bytes.push(0);
        bytes.extend(frame.samples[0].to_be_bytes());
    } else {
        bytes.push(2);
        bytes.extend(frame.samples.iter().flat_map(|sample| sample.to_be_bytes()));
    }
    let crc = crc16(&bytes);
    bytes.extend(crc.to_be_bytes());
    bytes
}

/// The marker and STREAMINFO (section 8.2), which promises `total` frames of sound, unless that is 0.
fn head(total: u64) -> Vec<u8> {
    let packed = 44_100_u64 << 44 | 15 << 36 | total;
    let sizes = [0, 16, 0x10, 0, 0, 0, 0, 0, 0, 0];
    [b"fLaC\x80\0\0\x22".as_slice(), &sizes, &packed.to_be_bytes(), &[0; 16]].concat()
}

fn noise(numbers: &mut Numbers, num_samples: u64) -> Vec<i16> {
    (0..num_samples).map(|_| numbers.below(1 << 16) as u16 as i16).collect()
}

/// Frames of a stream with blocks of [`BLOCK`], the last of 100.
fn stream(seed: u64, num_frames: u64) -> Vec<Frame> {
    let mut numbers = Numbers(seed);
    let size = |number| if number + 1 == num_frames { 100 } else { BLOCK };
    (0..num_frames)
        .map(|number| Frame { number, samples: noise(&mut numbers, size(number)), is_variable: false })
        .collect()
}

/// The same of a stream whose blocks have 100 to 400 frames of sound.
fn variable(seed: u64, num_frames: u64) -> Vec<Frame> {
    let mut numbers = Numbers(seed);
    let mut number = 0;
    (0..num_frames)
        .map(|_| {
            let size = 100 + numbers.below(300);
            let samples = noise(&mut numbers, size);
            number += size;
            Frame { number: number - size, samples, is_variable: true }
        })
        .collect()
}

/// A stream that is as long as [`stream`] and silent, in a few bytes.
fn silence(num_frames: u64) -> Vec<Frame> {
    let mut frames = stream(1, num_frames);
    frames.iter_mut().for_each(|frame| frame.samples.fill(0));
    frames
}

fn samples_of(frames: &[Frame]) -> Vec<i16> {
    frames.iter().flat_map(|frame| frame.samples.iter().copied()).collect()
}

fn bytes_of(frames: &[Frame]) -> Vec<u8> {
    frames.iter().flat_map(encode).collect()
}

fn file(total: u64, frames: &[Frame]) -> Vec<u8> {
    [head(total), bytes_of(frames)].concat()
}

fn num_samples(frames: &[Frame]) -> u64 {
    samples_of(frames).len() as u64
}

/// A file with the right total.
fn whole(frames: &[Frame]) -> Vec<u8> {
    file(num_samples(frames), frames)
}

/// Checks that a file has these samples, in whole and in windows.
fn check(name: &str, bytes: &[u8], expected: &[i16], is_truncated: bool) {
    let mut decoder: FlacDecoder = open(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(decoder.info().num_frames, Some(expected.len() as u64), "{name}");
    assert_eq!(decoder.info().is_truncated, is_truncated, "{name}");
    // Windows first, because a handle that has read everything may know more.
    check_windows(&mut decoder, expected, 100, name);
    let samples: Vec<i16> = read_all(&mut decoder).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(samples == expected, "{name}");
}

/// Checks that a file is refused when it is opened.
fn check_refused(name: &str, bytes: &[u8]) {
    let Err(error) = open::<FlacDecoder>(bytes) else { panic!("{name} was opened") };
    assert_eq!(error.status(), Status::BadData, "{name}: {error}");
    assert!(error.offset().is_some(), "{name}: {error}");
}

/// Checks that a window of a file that is too long to be followed when it is opened is right or refused.
fn check_long(name: &str, bytes: &[u8], expected: &[i16]) -> u32 {
    let mut decoder: FlacDecoder = open(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(decoder.info().num_frames, Some(expected.len() as u64), "{name}");
    let mut numbers = Numbers(expected.len() as u64);
    let mut num_right = 0;
    for _ in 0..200 {
        let start = numbers.below(expected.len() as u64);
        decoder.seek(start).expect("a seek");
        if let Ok(samples) = read::<_, i16>(&mut decoder, 600, 600) {
            let start = start as usize;
            assert!(samples == expected[start..expected.len().min(start + 600)], "{name}: window at {start}");
            num_right += 1;
        }
    }
    num_right
}

#[test]
fn streams_of_every_length_are_the_slices_of_the_whole() {
    for num_frames in [1, 2, 3, 50, 200] {
        for frames in [stream(3, num_frames), variable(4, num_frames), silence(num_frames)] {
            let samples = samples_of(&frames);
            check("whole", &whole(&frames), &samples, false);
            check("of unknown length", &file(0, &frames), &samples, false);
            check("longer than promised", &file(17, &frames), &samples, false);
            check("shorter than promised", &file(samples.len() as u64 + 1, &frames), &samples, true);
        }
    }
}

#[test]
fn numbers_that_never_count_are_all_frames() {
    let mut frames = stream(5, 40);
    frames.iter_mut().for_each(|frame| frame.number = 0);
    let samples = samples_of(&frames);
    check("promised", &whole(&frames), &samples, false);
    check("of unknown length", &file(0, &frames), &samples, false);
    check("dropped", &file(samples.len() as u64, &frames[..39]), &samples_of(&frames[..39]), true);
}

#[test]
fn numbers_may_begin_anywhere_and_begin_again() {
    let mut frames = stream(6, 30);
    frames.iter_mut().for_each(|frame| frame.number += 1000);
    check("begun before", &whole(&frames), &samples_of(&frames), false);
    let parts = [stream(7, 20), stream(8, 30), stream(9, 1)].concat();
    check("parts", &whole(&parts), &samples_of(&parts), false);
    check("parts of unknown length", &file(0, &parts), &samples_of(&parts), false);
    let variable = [variable(7, 20), variable(8, 30)].concat();
    check("parts of blocks of any size", &whole(&variable), &samples_of(&variable), false);
}

#[test]
fn what_follows_the_stream_does_not_belong_to_it() {
    let (first, longer) = (stream(10, 60), stream(11, 90));
    let samples = samples_of(&first);
    let tag = [b"TAG".as_slice(), &[0xFF; 125]].concat();
    let id3 = [b"ID3\x04\0\0\0\0\x01\x02".as_slice(), &[7; 130]].concat();
    for (total, name) in [(samples.len() as u64, "promised"), (0, "of unknown length")] {
        let file = file(total, &first);
        check(name, &[file.as_slice(), &file].concat(), &samples, false);
        check(name, &[file.as_slice(), &whole(&longer)].concat(), &samples, false);
        check(name, &[file.as_slice(), &whole(&silence(60))].concat(), &samples, false);
        check(name, &[file.as_slice(), &id3, &whole(&longer)].concat(), &samples, false);
        check(name, &[file.as_slice(), &tag].concat(), &samples, false);
        check(name, &[file.as_slice(), &[0; 5000]].concat(), &samples, false);
        check(name, &[file.as_slice(), &noise_bytes(5000)].concat(), &samples, false);
    }
    let bare = [whole(&first), bytes_of(&longer)].concat();
    check("without a header", &bare, &samples, false);
}

fn noise_bytes(num_bytes: u64) -> Vec<u8> {
    let mut numbers = Numbers(77);
    (0..num_bytes).map(|_| numbers.below(256) as u8).collect()
}

#[test]
fn frames_that_are_missing_or_out_of_order_are_refused() {
    for (name, frames) in [("fixed", stream(12, 50)), ("variable", variable(13, 50))] {
        let total = num_samples(&frames);
        for total in [total, 0] {
            let dropped = [&frames[..20], &frames[21..]].concat();
            let mut swapped = frames.clone();
            swapped.swap(20, 21);
            let repeated = [&frames[..20], &frames[19..]].concat();
            let mut foreign = frames.clone();
            foreign.insert(30, Frame { number: 700, ..frames[3].clone() });
            let cases =
                [("dropped", dropped), ("swapped", swapped), ("repeated", repeated), ("foreign", foreign)];
            for (what, frames) in cases {
                check_refused(&format!("{name}, {what}"), &file(total, &frames));
            }
        }
    }
}

#[test]
fn a_damaged_frame_is_refused_wherever_it_is() {
    let frames = stream(14, 30);
    let total = num_samples(&frames);
    let encoded: Vec<Vec<u8>> = frames.iter().map(encode).collect();
    for number in [1, 15, 28, 29] {
        for place in [0, 1, 4, 5, 100] {
            let mut damaged = encoded.clone();
            damaged[number][place] ^= 0x10;
            let bytes = [head(total), damaged.concat()].concat();
            // The header of the last frame may be damaged: then there is no such frame.
            match open::<FlacDecoder>(&bytes) {
                Err(error) => assert_eq!(error.status(), Status::BadData, "{error}"),
                Ok(_) => check("last", &bytes, &samples_of(&frames[..number]), true),
            }
            assert!(number == 29 || open::<FlacDecoder>(&bytes).is_err(), "byte {place} of frame {number}");
        }
    }
}

/// Frames of which number `at` has samples that look like the frames after it, with checksums that are all right.
fn look_alikes(mut frames: Vec<Frame>, at: usize) -> Vec<Frame> {
    let fakes: Vec<u8> = (1..3)
        .flat_map(|ahead| {
            encode(&Frame {
                number: (at + ahead) as u64,
                samples: vec![ahead as i16; BLOCK as usize],
                is_variable: false,
            })
        })
        .collect();
    let before = encode(&frames[at]);
    let header = before.len() - 2 - 2 * frames[at].samples.len();
    // The checksum of everything before the first of them is right as well.
    let crc = crc16(&before[..header + 100]).to_be_bytes();
    let hidden = [crc.as_slice(), &fakes, &[1]].concat();
    for (number, pair) in hidden.chunks_exact(2).enumerate() {
        frames[at].samples[50 + number] = i16::from_be_bytes([pair[0], pair[1]]);
    }
    frames
}

#[test]
fn samples_that_look_like_frames_are_samples() {
    for at in [0, 3, 20, 38] {
        let frames = look_alikes(stream(15, 40), at);
        check("look-alikes", &whole(&frames), &samples_of(&frames), false);
        check("of unknown length", &file(0, &frames), &samples_of(&frames), false);
    }
    // Two megabytes and more are not followed when they are opened.
    let mut frames = stream(16, 9000);
    for at in (100..8900).step_by(7) {
        frames = look_alikes(frames, at);
    }
    let samples = samples_of(&frames);
    check("long", &whole(&frames), &samples, false);
}

#[test]
fn long_streams_are_the_slices_of_the_whole() {
    for frames in [stream(17, 9000), variable(18, 9000)] {
        let samples = samples_of(&frames);
        check("long", &whole(&frames), &samples, false);
        check("long of unknown length", &file(0, &frames), &samples, false);
        let mut same = frames.clone();
        same.iter_mut().for_each(|frame| frame.number = 0);
        check("long without numbers", &whole(&same), &samples, false);
    }
}

#[test]
fn windows_of_two_long_files_in_a_row_are_of_the_first() {
    let (one, other) = (stream(19, 9000), stream(20, 9000));
    let quiet = silence(9000);
    for (first, second) in [(&one, &other), (&one, &quiet), (&quiet, &one), (&one, &one)] {
        let bytes = [whole(first), whole(second)].concat();
        check("two in a row", &bytes, &samples_of(first), false);
        let bytes = [whole(first), bytes_of(second)].concat();
        check("two in a row with one header", &bytes, &samples_of(first), false);
    }
}

#[test]
fn windows_of_a_long_file_in_disorder_are_right_or_refused() {
    let frames = stream(21, 9000);
    let (samples, total) = (samples_of(&frames), num_samples(&frames));
    let mut swapped = frames.clone();
    swapped.swap(4000, 4001);
    let mut far = frames.clone();
    far.swap(2000, 7000);
    let dropped = [&frames[..4000], &frames[4001..]].concat();
    let repeated = [&frames[..4000], &frames[3990..]].concat();
    let inserted = [&frames[..4000], &stream(22, 500), &frames[4000..]].concat();
    for (name, frames) in [
        ("swapped", swapped),
        ("far", far),
        ("dropped", dropped),
        ("repeated", repeated),
        ("inserted", inserted),
    ] {
        let bytes = file(total, &frames);
        let num_right = check_long(name, &bytes, &samples);
        println!("{name}: {num_right} of 200 windows are right, the others refused");
        let result = open::<FlacDecoder>(&bytes).and_then(|mut decoder| read_all::<_, i16>(&mut decoder));
        assert!(result.is_err() || name == "inserted", "{name}");
    }
}

#[test]
fn count_whole_and_windows_agree_whatever_is_done_to_the_frames() {
    let mut numbers = Numbers(0x5EED_1234_5678);
    let (mut num_opened, mut num_refused) = (0, 0);
    for round in 0..1500 {
        let count = 2 + numbers.below(30);
        let mut frames = match round % 3 {
            0 => variable(round + 1, count),
            1 => look_alikes(stream(round + 1, count), numbers.below(count - 1) as usize),
            _ => stream(round + 1, count),
        };
        let total = [num_samples(&frames), 0, numbers.below(9000)][numbers.below(3) as usize];
        for _ in 0..numbers.below(3) {
            let at = numbers.below(frames.len() as u64) as usize;
            let to = numbers.below(frames.len() as u64) as usize;
            match numbers.below(6) {
                0 => drop(frames.remove(at)),
                1 => frames.swap(at, to),
                2 => frames.insert(to, frames[at].clone()),
                3 => frames.insert(to, stream(99, 3)[1].clone()),
                4 => frames.iter_mut().skip(at).for_each(|frame| frame.number = 0),
                _ => frames.extend(stream(98, 4)),
            }
            if frames.is_empty() {
                frames = stream(97, 2);
            }
        }
        let mut bytes = file(total, &frames);
        match numbers.below(6) {
            0 => bytes.truncate(42 + numbers.below(bytes.len() as u64 - 42) as usize),
            1 => bytes.extend(noise_bytes(numbers.below(2000))),
            2 => bytes.extend(whole(&stream(96, 5))),
            3 => {
                let place = 42 + numbers.below(bytes.len() as u64 - 42) as usize;
                bytes[place] ^= 1 << numbers.below(8);
            }
            _ => {}
        }
        let Ok(mut decoder) = open::<FlacDecoder>(&bytes) else {
            num_refused += 1;
            continue;
        };
        num_opened += 1;
        let samples: Vec<i16> =
            read_all(&mut decoder).unwrap_or_else(|error| panic!("round {round} was opened, but: {error}"));
        assert_eq!(decoder.info().num_frames, Some(samples.len() as u64), "round {round}");
        check_windows(&mut decoder, &samples, 20, &format!("round {round}"));
    }
    println!("{num_opened} opened, {num_refused} refused");
    assert!(num_opened > 100 && num_refused > 50);
}
