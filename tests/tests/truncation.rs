//! Every fixture truncated at every byte is rejected, or its remaining frames are read.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, missing_docs)]

use std::fs::OpenOptions;
use std::io::Write;

use mapwave_core::{OutputFormat, Reader, Result};
use mapwave_tests::random::Random;
use mapwave_tests::{allocation, decoded, fixture, refusal, wave};

/// A whole file and what comes out of it.
struct Whole {
    name: String,
    bytes: Vec<u8>,
    samples: Vec<u8>,
    num_frames: u64,
    data_end: u64,
}

impl Whole {
    fn new(name: &str, bytes: Vec<u8>) -> Self {
        let reader = Reader::from_bytes(bytes.clone()).unwrap();
        let samples = decoded::whole(&reader, OutputFormat::F32).unwrap();
        let (num_frames, data_end) = (reader.num_frames(), reader.track().data.end);
        Self { name: name.to_owned(), bytes, samples, num_frames, data_end }
    }

    /// Opens the file truncated at `len`, checks it, and returns whether it opened.
    fn check(&self, len: usize, open: impl FnOnce() -> Result<Reader>) -> bool {
        let name = format!("{} cut to {len} of {} bytes", self.name, self.bytes.len());
        let ((result, output), peak) = allocation::peak_of(|| {
            let reader = match open() {
                Ok(reader) => reader,
                Err(error) => return (Err(error), 0),
            };
            let samples = decoded::whole(&reader, OutputFormat::F32);
            let output = decoded::num_bytes(&reader, OutputFormat::F32);
            (samples.map(|samples| (reader, samples)), output)
        });
        // The output twice: as the array, and as the copy that is compared.
        let limit = allocation::limit(len as u64, 2 * output);
        assert!(peak <= limit, "{name}: {peak} bytes were allocated, more than {limit}");
        let (reader, samples) = match result {
            Ok(read) => read,
            Err(error) => {
                refusal::check(&error, &name);
                return false;
            }
        };
        let num_frames = reader.num_frames();
        assert!(num_frames <= self.num_frames, "{name}: {num_frames} frames of {}", self.num_frames);
        assert!(samples == self.samples[..samples.len()], "{name}: other samples than the whole file's");
        assert_eq!(samples.len() as u64, output, "{name}: as many samples as frames");
        if (len as u64) < self.data_end {
            let missing = reader.track().missing_bytes;
            assert!(missing > 0 || num_frames < self.num_frames, "{name}: nothing seems to be missing");
        } else {
            assert_eq!(num_frames, self.num_frames, "{name}: all of the sound is there");
        }
        true
    }
}

fn wholes() -> Vec<Whole> {
    let valid = fixture::valid();
    let mut wholes: Vec<_> =
        valid.iter().map(|valid| Whole::new(&valid.file.name, valid.file.bytes.clone())).collect();
    let start = &fixture::recording().bytes[44..600];
    wholes.push(Whole::new("the recording's beginning", wave::pcm(2, 16, start)));
    wholes
}

#[test]
fn in_memory_at_every_length() {
    let (mut num_opened, mut num_refused) = (0, 0);
    for whole in wholes() {
        let mut opened = 0;
        for len in 0..whole.bytes.len() {
            let bytes = whole.bytes[..len].to_vec();
            opened += usize::from(whole.check(len, || Reader::from_bytes(bytes)));
        }
        assert!(opened > 0, "{}: what is left is read somewhere", whole.name);
        num_opened += opened;
        num_refused += whole.bytes.len() - opened;
    }
    println!("truncation: {num_opened} read, {num_refused} refused");
}

#[test]
fn on_disk_at_a_sample_of_lengths() {
    let mut random = Random::announced();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cut");
    for whole in wholes() {
        let end = whole.bytes.len();
        let mut lengths = vec![0, 1, 11, 12, 31, 32, end - 1];
        lengths.extend((0..24).map(|_| random.below(end)));
        for len in lengths {
            std::fs::write(&path, &whole.bytes[..len]).unwrap();
            let once = whole.check(len, || Reader::open_once(&path));
            let kept = whole.check(len, || Reader::open(&path));
            assert_eq!(once, kept, "{} cut to {len}: open and open_once agree", whole.name);
        }
    }
}

#[test]
fn a_file_that_is_still_being_written_grows() {
    let whole = Whole::new("a growing file", wave::pcm(2, 16, &wave::noise(20_000, 4)));
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("growing.wav");
    std::fs::write(&path, &whole.bytes[..1000]).unwrap();
    let early = Reader::open(&path).unwrap();
    let first = decoded::whole(&early, OutputFormat::F32).unwrap();
    OpenOptions::new().append(true).open(&path).unwrap().write_all(&whole.bytes[1000..]).unwrap();
    // A reader keeps its frame count, and a new one finds the other frames.
    assert!(decoded::whole(&early, OutputFormat::F32).unwrap() == first);
    assert!(first == whole.samples[..first.len()]);
    let late = Reader::open(&path).unwrap();
    assert!(decoded::whole(&late, OutputFormat::F32).unwrap() == whole.samples);
}
