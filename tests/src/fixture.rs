//! The small files of the repository, and their tables of expected results.

use std::path::{Path, PathBuf};

/// The one fixture that is not small.
pub const RECORDING: &str = "recording.wav";

/// A file in memory.
#[derive(Clone, Debug)]
pub struct Fixture {
    /// Its name in its directory.
    pub name: String,
    /// Its path.
    pub path: PathBuf,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl Fixture {
    fn read(directory: &Path, name: &str) -> Self {
        let path = directory.join(name);
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { name: name.to_owned(), path, bytes }
    }
}

/// A fixture that must be read, and its expected output.
#[derive(Clone, Debug)]
pub struct Valid {
    /// The file.
    pub file: Fixture,
    /// The name that people know its container by.
    pub container: String,
    /// The variant of its container; `None` where there is one alone.
    pub variant: Option<String>,
    /// Its codec in FFmpeg's terms.
    pub codec: String,
    /// Frames per second.
    pub sample_rate: u32,
    /// Samples per frame.
    pub num_channels: u16,
    /// Frames.
    pub num_frames: u64,
    /// The SHA-256 of its samples as interleaved little-endian float32.
    pub sha256: String,
}

/// A fixture that breaks its format's rules.
#[derive(Clone, Debug)]
pub struct Malformed {
    /// The file.
    pub file: Fixture,
    /// Whether it must be rejected; otherwise it may be.
    pub refuse: bool,
}

/// Every valid fixture but the recording, with its row of the table.
pub fn valid() -> Vec<Valid> {
    let directory = directory("valid");
    let row = |fields: &[&str]| Valid {
        file: Fixture::read(&directory, fields[0]),
        container: fields[1].to_owned(),
        codec: fields[2].to_owned(),
        sample_rate: fields[3].parse().unwrap(),
        num_channels: fields[4].parse().unwrap(),
        num_frames: fields[5].parse().unwrap(),
        sha256: fields[6].to_owned(),
        variant: Some(fields[7].to_owned()).filter(|variant| !variant.is_empty()),
    };
    table(&directory, row)
}

/// The recording: 930 KB of 16-bit stereo.
pub fn recording() -> Fixture {
    Fixture::read(&directory("valid"), RECORDING)
}

/// The compressed fixtures.
pub fn compressed() -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(directory("compressed")) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> =
        paths.filter(|path| path.extension().is_none_or(|kind| kind != "tsv" && kind != "md")).collect();
    paths.sort();
    paths
}

/// Every malformed fixture.
pub fn malformed() -> Vec<Malformed> {
    let directory = directory("malformed");
    let row = |fields: &[&str]| {
        let refuse = match fields[1] {
            "refuse" => true,
            "either" => false,
            verdict => panic!("no verdict '{verdict}' is known"),
        };
        Malformed { file: Fixture::read(&directory, fields[0]), refuse }
    };
    table(&directory, row)
}

/// Every fixture small enough to be tried thousands of times.
pub fn small() -> Vec<Fixture> {
    let valid = valid().into_iter().map(|valid| valid.file);
    let malformed = malformed().into_iter().map(|malformed| malformed.file);
    valid.chain(malformed).filter(|file| file.name != RECORDING).collect()
}

fn directory(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(name)
}

fn table<T>(directory: &Path, row: impl Fn(&[&str]) -> T) -> Vec<T> {
    let text = std::fs::read_to_string(directory.join("expected.tsv")).unwrap();
    let rows = text.lines().skip(1).map(|line| row(&line.split('\t').collect::<Vec<_>>()));
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn sound_files(name: &str) -> BTreeSet<String> {
        let names = std::fs::read_dir(directory(name)).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| !name.ends_with(".tsv") && !name.ends_with(".md")).collect()
    }

    #[test]
    fn the_tables_name_every_file() {
        let mut valid: BTreeSet<_> = valid().into_iter().map(|valid| valid.file.name).collect();
        valid.insert(RECORDING.to_owned());
        assert_eq!(valid, sound_files("valid"));
        let malformed: BTreeSet<_> = malformed().into_iter().map(|malformed| malformed.file.name).collect();
        assert_eq!(malformed, sound_files("malformed"));
    }
}
