//! Truncated and damaged files: they give errors or the promised number of frames, and nothing is printed.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, missing_docs)]

mod common;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use common::{Numbers, rows, survive};

/// The number of files per codec and container, and the maximum size of files to damage.
const FILES_PER_KIND: usize = 1;
const MAX_BYTES: u64 = 200_000;

const NUM_CUTS: u64 = 60;
const NUM_FLIPS: u64 = 60;

/// The smallest files of each container and codec.
fn files() -> Vec<(String, PathBuf)> {
    let mut kinds: BTreeMap<String, Vec<(u64, PathBuf)>> = BTreeMap::new();
    for row in rows().into_iter().filter(|row| row.status.starts_with("valid")) {
        let num_bytes = row.path.metadata().unwrap().len();
        if num_bytes <= MAX_BYTES {
            kinds.entry(format!("{}/{}", row.container, row.codec)).or_default().push((num_bytes, row.path));
        }
    }
    let mut files = Vec::new();
    for (kind, mut paths) in kinds {
        paths.sort();
        files.extend(paths.into_iter().take(FILES_PER_KIND).map(|(_, path)| (kind.clone(), path)));
    }
    files
}

#[test]
fn truncated_files_do_no_harm() {
    for (kind, path) in files() {
        let bytes = std::fs::read(&path).unwrap();
        let extension = path.extension().and_then(|extension| extension.to_str());
        for number in 0..NUM_CUTS {
            // Closer together where the headers are.
            let part = number as f64 / NUM_CUTS as f64;
            let length = (bytes.len() as f64 * part * part) as usize;
            survive(bytes[..length].to_vec(), extension, &format!("{kind} truncated at {length}"));
        }
    }
}

#[test]
fn files_with_wrong_bits_do_no_harm() {
    let mut numbers = Numbers(0x5eed);
    for (kind, path) in files() {
        let bytes = std::fs::read(&path).unwrap();
        let extension = path.extension().and_then(|extension| extension.to_str());
        for number in 0..NUM_FLIPS {
            let mut damaged = bytes.clone();
            // Headers lie at the beginning.
            let reach = if number % 2 == 0 { 256.min(bytes.len() as u64) } else { bytes.len() as u64 };
            for _ in 0..1 + numbers.below(4) {
                let place = numbers.below(reach) as usize;
                damaged[place] ^= 1 << numbers.below(8);
            }
            survive(damaged, extension, &format!("{kind} with wrong bits, number {number}"));
        }
    }
}

/// Runs the tests above in a process whose standard error is examined.
#[test]
fn nothing_is_printed() {
    let run = Command::new(std::env::current_exe().unwrap())
        .args(["--nocapture", "--exact", "truncated_files_do_no_harm"])
        .stdout(Stdio::null())
        .output()
        .unwrap();
    assert!(run.status.success());
    assert!(run.stderr.is_empty(), "{}", String::from_utf8_lossy(&run.stderr));
}
