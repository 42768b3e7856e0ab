//! Damaged files, files that change while they are read, and files of which nothing decodes: the file's errors, by their status.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, missing_docs)]

mod common;

use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Once;

use common::written::{Directory, write};
use common::{Numbers, open, read_all, wma};
use mapwave_core::{Error, Fault, FrameSpec, Reader};
use mapwave_plugin::Status;

const NUM_DAMAGED: u64 = 160;

/// Files whose parsers in FFmpeg fail with codes of any kind.
const FRAGILE: [(&str, &str); 10] = [
    ("a.wma", "-c:a wmav2"),
    ("b.asf", "-c:a wmav1"),
    ("a.aiff", "-c:a pcm_s16be"),
    ("b.aiff", "-c:a pcm_f32be"),
    ("c.aifc", "-c:a adpcm_ima_qt -f aiff"),
    ("a.tta", "-c:a tta"),
    ("a.mka", "-c:a libopus -ar 48000"),
    ("a.m4a", "-c:a aac"),
    ("a.avi", "-c:a ac3"),
    ("a.spx", "-c:a libspeex -ar 16000 -ac 1"),
];

/// 8SVX, which FFmpeg does not write: Amiga's format of chunks (EA IFF 85).
fn amiga() -> Vec<u8> {
    let chunk = |name: &[u8], content: &[u8]| [name, &(content.len() as u32).to_be_bytes(), content].concat();
    let header = [0, 0, 0x0f, 0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 0x1f, 0x40, 1, 0, 0, 1, 0, 0];
    let sound: Vec<u8> =
        (0..4000).map(|number| (f64::from(number) / 7.0).sin().mul_add(100.0, 0.0) as i8 as u8).collect();
    chunk(b"FORM", &[&b"8SVX"[..], &chunk(b"VHDR", &header), &chunk(b"BODY", &sound)].concat())
}

fn damaged(bytes: &[u8], number: u64, numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    match number % 4 {
        0 => bytes.truncate(numbers.below(bytes.len() as u64) as usize),
        kind => {
            let reach = if kind == 1 { bytes.len().min(600) } else { bytes.len() } as u64;
            for _ in 0..1 + numbers.below(8) {
                bytes[numbers.below(reach) as usize] = numbers.below(256) as u8;
            }
        }
    }
    bytes
}

#[test]
fn damage_is_the_fault_of_the_file() {
    let directory = Directory::new("damage");
    let mut files = vec![("a.iff", amiga())];
    for (name, arguments) in FRAGILE {
        let path = directory.join(name);
        if write(&path, arguments) {
            files.push((name, std::fs::read(&path).unwrap()));
        } else {
            println!("skipped: ffmpeg does not write {name} here");
        }
    }
    if wma::write(&directory, 3) {
        files.push(("packed.wma", std::fs::read(directory.join("packed.wma")).unwrap()));
    }
    let mut wrong = Vec::new();
    for (name, bytes) in files {
        let extension = name.rsplit('.').next();
        assert!(open(bytes.clone(), extension).is_ok(), "{name}");
        let mut numbers = Numbers(bytes.len() as u64);
        for number in 0..NUM_DAMAGED {
            let bytes = damaged(&bytes, number, &mut numbers);
            let result =
                open(bytes, extension).and_then(|mut decoder| read_all::<f32>(&mut decoder).map(drop));
            if let Err(error) = result
                && !matches!(error.status(), Status::BadData | Status::Unsupported | Status::Limit)
            {
                wrong.push(format!("{name}, number {number}: {:?} {error}", error.status()));
            }
        }
    }
    assert!(wrong.is_empty(), "{} errors are blamed on others:\n{}", wrong.len(), wrong.join("\n"));
}

fn embed() {
    static EMBEDDED: Once = Once::new();
    EMBEDDED.call_once(|| mapwave_core::host::embed(mapwave_libav::entry));
}

/// Whether an error says that the file is damaged or unknown.
fn is_of_file(error: &Error) -> bool {
    match error {
        Error::Plugin { fault, .. } => matches!(fault, Fault::BadData | Fault::Unsupported),
        Error::Io { .. } => false,
        _ => true,
    }
}

/// Overwrites all but the head of a file that is open, then reads it.
fn read_overwritten(path: &Path, junk: &[u8], new_length: Option<u64>) -> Result<(), Error> {
    let reader = Reader::open(path)?;
    let mut file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    let num_bytes = file.metadata().unwrap().len();
    file.seek(SeekFrom::Start(4096)).unwrap();
    file.write_all(&junk[..(num_bytes as usize).saturating_sub(4096).min(junk.len())]).unwrap();
    if let Some(length) = new_length {
        file.set_len(length).unwrap();
    }
    reader.read(0..reader.num_frames(), &FrameSpec::default()).map(drop)
}

#[test]
fn a_file_that_is_overwritten_while_it_is_read_is_damaged() {
    embed();
    let directory = Directory::new("overwritten");
    let mut numbers = Numbers(99);
    let junk: Vec<u8> = (0..1 << 22).map(|_| numbers.below(256) as u8).collect();
    for (name, arguments) in FRAGILE {
        let path = directory.join(name);
        for new_length in [None, Some(5000)] {
            if !write(&path, arguments) {
                println!("skipped: ffmpeg does not write {name} here");
                continue;
            }
            // Lossy codecs put silence where nothing decodes.
            if let Err(error) = read_overwritten(&path, &junk, new_length) {
                // The host notices by itself that a file shrinks.
                let shrank = new_length.is_some() && matches!(error, Error::Io { .. });
                assert!(is_of_file(&error) || shrank, "{name}: {error:?}");
            }
        }
    }
}

#[test]
fn errors_of_bytes_in_memory_are_not_those_of_reading() {
    embed();
    let mut numbers = Numbers(5);
    let bytes = amiga();
    let mut num_errors = 0;
    for number in 0..10 * NUM_DAMAGED {
        let bytes = damaged(&bytes, number, &mut numbers);
        let reader = Reader::from_bytes(bytes);
        let read = reader.and_then(|reader| reader.read(0..reader.num_frames(), &FrameSpec::default()));
        if let Err(error) = read {
            num_errors += 1;
            assert!(is_of_file(&error), "{error:?}");
        }
    }
    assert!(num_errors > 10, "{num_errors}");
}

/// Every packet is zeros, or a byte that no codec begins with.
#[test]
fn a_file_of_which_nothing_decodes_is_an_error() {
    let directory = Directory::new("nothing");
    for (name, arguments, container) in [
        ("a.aac", "-c:a aac", "adts"),
        ("a.m4a", "-c:a aac", "mdat"),
        ("b.m4a", "-c:a alac", "mdat"),
        ("c.m4a", "-c:a aac -ac 6", "mdat"),
        ("a.tta", "-c:a tta", "tail"),
        ("a.wv", "-c:a wavpack", "tail"),
    ] {
        let path = directory.join(name);
        if !write(&path, arguments) {
            println!("skipped: ffmpeg does not write {name} here");
            continue;
        }
        let whole = std::fs::read(&path).unwrap();
        for filler in [0, 0x74] {
            let mut bytes = whole.clone();
            let filled: Vec<(usize, usize)> = match container {
                "mdat" => {
                    let place = bytes.windows(4).position(|bytes| bytes == b"mdat").unwrap();
                    let size = u32::from_be_bytes(bytes[place - 4..place].try_into().unwrap()) as usize;
                    vec![(place + 4, place - 4 + size)]
                }
                "adts" => {
                    let (mut places, mut place) = (Vec::new(), 0);
                    while place + 7 < bytes.len() {
                        let [b3, b4, b5] =
                            [bytes[place + 3], bytes[place + 4], bytes[place + 5]].map(usize::from);
                        let size = (b3 & 3) << 11 | b4 << 3 | b5 >> 5;
                        places.push((place + 7, place + size));
                        place += size;
                    }
                    places
                }
                _ => vec![(400, bytes.len())],
            };
            for (start, end) in filled {
                bytes[start..end].fill(filler);
            }
            let result = open(bytes, name.rsplit('.').next());
            let Err(error) = result.and_then(|mut decoder| read_all::<f32>(&mut decoder).map(drop)) else {
                panic!("{name} full of {filler:#x} is read");
            };
            assert_eq!(error.status(), Status::BadData, "{name} full of {filler:#x}: {error}");
        }
    }
}
