//! Files that shrink while they are mapped: an error for whoever reads them, and nobody else's faults are touched.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, missing_docs)]

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use mapwave::{Error, FrameSpec, OutputFormat, Reader};
use mapwave_tests::random::Random;
use mapwave_tests::{decoded, wave};

fn is_io(error: &Error) -> bool {
    matches!(error, Error::Io { .. })
}

#[test]
fn a_reader_of_a_file_that_shrank_gets_an_error() {
    let bytes = wave::pcm(2, 16, &wave::noise(100_000, 4));
    let whole = decoded::whole(&Reader::from_bytes(bytes.clone()).unwrap(), OutputFormat::F32).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("shrinking.wav");
    for len in [0, 1, 20, 44, 50, 4095, 4096, 4097, 16_384, 65_536, 65_540, bytes.len() - 1] {
        for open in [Reader::open, Reader::open_once] {
            std::fs::write(&path, &bytes).unwrap();
            let reader = open(&path).unwrap();
            assert!(decoded::whole(&reader, OutputFormat::F32).unwrap() == whole);
            OpenOptions::new().write(true).open(&path).unwrap().set_len(len as u64).unwrap();
            for format in OutputFormat::ALL {
                let error = decoded::whole(&reader, format).unwrap_err();
                assert!(is_io(&error), "cut to {len}: {error:?}");
                let message = error.to_string();
                assert!(message.contains("shrinking.wav"), "cut to {len}: {message}");
                assert!(message.contains(&format!("shrank from {}", bytes.len())), "cut to {len}: {message}");
            }
            let last = reader.num_frames() - 1..reader.num_frames();
            let error = reader.read(last, &FrameSpec::default()).unwrap_err();
            assert!(is_io(&error), "the last frame, cut to {len}: {error:?}");
            std::fs::write(&path, &bytes).unwrap();
            let new = open(&path).unwrap();
            assert!(decoded::whole(&new, OutputFormat::F32).unwrap() == whole, "after it was cut to {len}");
        }
    }
}

#[test]
fn what_is_left_of_a_file_that_shrank_is_read() {
    let bytes = wave::pcm(2, 16, &wave::noise(100_000, 4));
    let whole = decoded::whole(&Reader::from_bytes(bytes.clone()).unwrap(), OutputFormat::F32).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("shrinking.wav");
    for len in [4096 + 44, 5000, 65_536] {
        std::fs::write(&path, &bytes).unwrap();
        let reader = Reader::open(&path).unwrap();
        reader.read(0..10, &FrameSpec::default()).unwrap();
        OpenOptions::new().write(true).open(&path).unwrap().set_len(len).unwrap();
        let left = (len - 44) / 4;
        let frames = reader.read(0..left, &FrameSpec::default()).unwrap();
        assert!(frames.bytes() == &whole[..left as usize * 8], "the {left} frames left of {len} bytes");
        assert!(is_io(&reader.read(0..left + 1, &FrameSpec::default()).unwrap_err()));
    }
}

/// A file is cut to a multiple of this, the largest page of any system, so that what is read is either whole or faults.
const CUT: usize = 64 << 10;

#[test]
fn readers_of_a_file_that_shrinks_and_grows_see_its_samples_or_an_error() {
    let mut random = Random::announced();
    let bytes = wave::float(2, &wave::noise(40 << 20, 8));
    let samples = &bytes[44..];
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("flapping.wav");
    std::fs::write(&path, &bytes).unwrap();

    let done = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    let num_errors = AtomicUsize::new(0);
    // Whole reads and windows, at least 200, and more until an error was seen: cutting goes on all the time.
    let read = |mut random: Random| {
        let mut kept: Option<Reader> = None;
        for turn in 0..2000 {
            if turn >= 200 && num_errors.load(Ordering::Relaxed) > 0 {
                break;
            }
            let opened = match kept.take() {
                Some(reader) => Ok(reader),
                None => {
                    if turn % 2 == 0 {
                        Reader::open(&path)
                    } else {
                        Reader::open_once(&path)
                    }
                }
            };
            let result = opened.and_then(|reader| {
                let num_frames = reader.num_frames();
                let range = match turn % 4 {
                    0 => 0..num_frames,
                    _ => {
                        let start = random.below(num_frames as usize) as u64;
                        start..num_frames.min(start + random.below(100_000) as u64)
                    }
                };
                let frames = reader.read(range.clone(), &FrameSpec::default())?;
                Ok((reader, range, frames))
            });
            match result {
                Ok((reader, range, frames)) => {
                    let expected = &samples[range.start as usize * 8..range.end as usize * 8];
                    let equal = frames.bytes() == expected;
                    failed.fetch_or(!equal, Ordering::Relaxed);
                    assert!(equal, "frames {range:?} of turn {turn} are not the file's");
                    kept = Some(reader);
                }
                Err(error) => {
                    failed.fetch_or(!is_io(&error), Ordering::Relaxed);
                    assert!(is_io(&error), "turn {turn}: {error:?}");
                    num_errors.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
        done.fetch_add(1, Ordering::Relaxed);
    };
    std::thread::scope(|scope| {
        for _ in 0..2 {
            let random = Random::new(random.bits());
            scope.spawn(|| read(random));
        }
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        while done.load(Ordering::Relaxed) < 2 && !failed.load(Ordering::Relaxed) {
            let start = (1 + random.below(bytes.len() / CUT)) * CUT;
            file.set_len(start as u64).unwrap();
            grow(&file, start, &bytes);
        }
    });
    assert!(num_errors.load(Ordering::Relaxed) > 0, "no read met a cut");
    println!("shrinking: {} reads met a cut", num_errors.load(Ordering::Relaxed));
    let new = Reader::open(&path).unwrap();
    assert!(decoded::whole(&new, OutputFormat::F32).unwrap() == samples);
}

/// Appends what is missing, so that the file never holds anything but its own bytes.
fn grow(file: &File, start: usize, bytes: &[u8]) {
    let mut place = start;
    for piece in bytes[start..].chunks(16 * CUT) {
        file.write_all_at(piece, place as u64).unwrap();
        place += piece.len();
    }
}
