//! Files that shrink while they are mapped: reading them is an error, and other faults are left alone.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, missing_docs)]

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use mapwave_core::{Error, FrameSpec, OutputFormat, Reader};
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

/// Files are truncated to a multiple of this, the largest page size of any system, so that a read is either whole or faults.
const CUT: usize = 64 << 10;

#[test]
fn readers_of_a_file_that_shrinks_and_grows_see_its_samples_or_an_error() {
    let mut random = Random::announced();
    let bytes = wave::float(2, &wave::noise(40 << 20, 8));
    let samples = &bytes[44..];
    let num_frames = samples.len() as u64 / 8;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("flapping.wav");
    std::fs::write(&path, &bytes).unwrap();

    let num_done = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    let num_started = AtomicUsize::new(0);
    let num_errors = AtomicUsize::new(0);
    // At least 200 reads of the whole file and of windows, and more until one fails.
    let read = |mut random: Random| {
        let mut kept: Option<Reader> = None;
        let mut turn = 0;
        while turn < 200 || (turn < 2000 && num_errors.load(Ordering::Relaxed) == 0) {
            let opened = match kept.take() {
                Some(reader) => Ok(reader),
                None if turn % 2 == 0 => Reader::open(&path),
                None => Reader::open_once(&path),
            };
            let result = opened.and_then(|reader| {
                let found = reader.num_frames();
                let range = match turn % 4 {
                    0 => 0..found,
                    _ => {
                        let start = random.below(found as usize) as u64;
                        start..found.min(start + random.below(100_000) as u64)
                    }
                };
                // A file opened while it was short is read too, but neither counted nor kept: no truncation need
                // reach it.
                if found == num_frames {
                    turn += 1;
                    num_started.fetch_add(1, Ordering::Relaxed);
                }
                let frames = reader.read(range.clone(), &FrameSpec::default())?;
                Ok((reader, range, frames))
            });
            match result {
                Ok((reader, range, frames)) => {
                    let expected = &samples[range.start as usize * 8..range.end as usize * 8];
                    let equal = frames.bytes() == expected;
                    failed.fetch_or(!equal, Ordering::Relaxed);
                    assert!(equal, "frames {range:?} of turn {turn} are not the file's");
                    kept = Some(reader).filter(|reader| reader.num_frames() == num_frames);
                }
                Err(error) => {
                    failed.fetch_or(!is_io(&error), Ordering::Relaxed);
                    assert!(is_io(&error), "turn {turn}: {error:?}");
                    num_errors.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
        num_done.fetch_add(1, Ordering::Relaxed);
    };
    std::thread::scope(|scope| {
        for _ in 0..2 {
            let random = Random::new(random.bits());
            scope.spawn(|| read(random));
        }
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        let mut num_seen = 0;
        while num_done.load(Ordering::Relaxed) < 2 && !failed.load(Ordering::Relaxed) {
            // Truncated only once a read of the whole file has begun since the file was restored.
            let num_begun = num_started.load(Ordering::Relaxed);
            if num_begun == num_seen {
                std::thread::yield_now();
                continue;
            }
            let start = (1 + random.below(bytes.len() / CUT)) * CUT;
            file.set_len(start as u64).unwrap();
            grow(&file, start, &bytes);
            num_seen = num_started.load(Ordering::Relaxed);
        }
    });
    assert!(num_errors.load(Ordering::Relaxed) > 0, "no read met a cut");
    println!("shrinking: {} of {} reads met a cut", num_errors.into_inner(), num_started.into_inner());
    let new = Reader::open(&path).unwrap();
    assert!(decoded::whole(&new, OutputFormat::F32).unwrap() == samples);
}

/// Appends the missing bytes, so that the file never holds other bytes than its own.
fn grow(file: &File, start: usize, bytes: &[u8]) {
    let mut place = start;
    for piece in bytes[start..].chunks(16 * CUT) {
        file.write_all_at(piece, place as u64).unwrap();
        place += piece.len();
    }
}
