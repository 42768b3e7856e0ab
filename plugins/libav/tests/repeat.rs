//! The same file gives the same samples each time and in every process, whatever memory held before.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::written::{Directory, FORMATS, write};
use common::{open, open_file, read_all, rows};
use mapwave_plugin::{Decoder, Status};
use sha2::{Digest, Sha256};

/// Where a run in another process finds the paths, one a line.
const LIST: &str = "MAPWAVE_TEST_REPEAT";

/// The hash of a file's samples, or the error.
fn hash(path: &Path) -> String {
    let decoded = open_file(path).and_then(|mut decoder| {
        let info = decoder.info().clone();
        Ok((info.sample_rate, info.num_frames, read_all::<i32>(&mut decoder)?))
    });
    match decoded {
        Ok((sample_rate, num_frames, samples)) => {
            let mut hash = Sha256::new();
            samples.iter().for_each(|sample| hash.update(sample.to_le_bytes()));
            let hash = hash.finalize();
            let hash: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            format!("{sample_rate} {num_frames:?} {hash}")
        }
        Err(error) => format!("{:?} {}", error.status(), error.message().replace('\n', " ")),
    }
}

/// What the test below runs in a process of its own; by itself it has nothing to do.
#[test]
fn print_hashes() {
    let Some(list) = std::env::var_os(LIST) else { return };
    for path in std::fs::read_to_string(list).unwrap().lines() {
        println!("\nhash {path} {}", hash(Path::new(path)));
    }
}

/// The same in another process whose allocator fills memory with a byte, where it is GNU's.
fn hashes_elsewhere(list: &Path, byte: &str) -> Vec<String> {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--nocapture", "--exact", "print_hashes"])
        .env(LIST, list)
        .env("MALLOC_PERTURB_", byte)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|line| line.strip_prefix("hash ")).map(str::to_owned).collect()
}

fn compare(paths: &[PathBuf], directory: &Directory) {
    let list = directory.join("list");
    let lines: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    std::fs::write(&list, lines.join("\n")).unwrap();
    let here: Vec<String> = paths.iter().map(|path| format!("{} {}", path.display(), hash(path))).collect();
    let again = paths.iter().map(|path| format!("{} {}", path.display(), hash(path)));
    let differ = |other: &[String]| -> Vec<String> {
        assert_eq!(other.len(), here.len());
        here.iter()
            .zip(other)
            .filter(|(one, other)| one != other)
            .map(|(one, other)| format!("{one}\n  {other}"))
            .collect()
    };
    let again = differ(&again.collect::<Vec<_>>());
    assert!(again.is_empty(), "the second time, {} files differ:\n{}", again.len(), again.join("\n"));
    for byte in ["0", "85", "255"] {
        let wrong = differ(&hashes_elsewhere(&list, byte));
        assert!(wrong.is_empty(), "{} files differ elsewhere:\n{}", wrong.len(), wrong.join("\n"));
    }
    println!("{} files are the same twice, and in three other processes", paths.len());
}

#[test]
fn every_corpus_file_is_the_same_each_time_and_in_every_process() {
    let paths: Vec<PathBuf> = rows().into_iter().map(|row| row.path).collect();
    if !paths.is_empty() {
        compare(&paths, &Directory::new("repeat-corpus"));
    }
}

#[test]
fn what_ffmpeg_writes_is_the_same_each_time_and_in_every_process() {
    let directory = Directory::new("repeat");
    let written = FORMATS.iter().map(|(name, arguments)| (directory.join(name), arguments));
    let paths: Vec<PathBuf> =
        written.filter(|(path, arguments)| write(path, arguments)).map(|(path, _)| path).collect();
    compare(&paths, &directory);
}

/// FFmpeg's decoder of MPEG-4 ALS gives samples that it did not write. The file is AAC in MP4 with the setup of the other codec.
#[test]
fn codecs_that_differ_each_time_are_refused_by_name() {
    let directory = Directory::new("als");
    let path = directory.join("a.mp4");
    if !write(&path, "-c:a aac") {
        println!("skipped: ffmpeg does not write AAC here");
        return;
    }
    let mut bytes = std::fs::read(&path).unwrap();
    // The AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1): object type 36, 44.1 kHz, two channels; then what ALS adds (11.2.1):
    // its name, the rate, the number of frames, the channels less one.
    let setup =
        [&b"\xf8\x88\x40ALS\0"[..], &44_100u32.to_be_bytes(), &1000u32.to_be_bytes(), &[0, 1], &[0; 8]]
            .concat();
    // The tag and the size of DecoderSpecificInfo, as ffmpeg writes them.
    let place = bytes.windows(4).position(|bytes| bytes == b"\x05\x80\x80\x80").unwrap();
    let old = usize::from(bytes[place + 4]);
    let grown = u8::try_from(setup.len() - old).unwrap();
    bytes.splice(place + 5..place + 5 + old, setup);
    // What it lies in grows by as much: descriptors, and boxes. The movie box is the last one, so the sound stays in place.
    for tag in [3, 4, 5] {
        let place = bytes.windows(4).position(|bytes| bytes == [tag, 0x80, 0x80, 0x80]).unwrap();
        bytes[place + 4] += grown;
    }
    for name in [b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"mp4a", b"esds"] {
        let place = bytes.windows(4).position(|bytes| bytes == name).unwrap();
        let size = u32::from_be_bytes(bytes[place - 4..place].try_into().unwrap());
        bytes[place - 4..place].copy_from_slice(&(size + u32::from(grown)).to_be_bytes());
    }
    let error = open(bytes, Some("mp4")).err().unwrap();
    assert_eq!(error.status(), Status::Unsupported, "{error}");
    assert!(
        error.message().contains("mp4als") && error.message().contains("differently each time"),
        "{error}"
    );
}
