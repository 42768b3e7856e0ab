//! Compares every file of the corpus with what other decoders return.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, missing_docs)]

use std::time::{Duration, Instant};

use mapwave_core::track::Codec;
use mapwave_core::{Error, OutputFormat, Reader, container};
use mapwave_tests::corpus::{Row, Status, rows};
use mapwave_tests::{allocation, decoded, refusal};

/// The manifest's names of the containers that the core parses.
const CONTAINERS: [&str; 7] = ["riff", "rifx", "rf64", "w64", "aiff", "aifc", "caf"];

/// Files whose samples differ from the manifest, each with the reason; a file that agrees must be removed from the list.
const EXCEPTIONS: &[(&str, &str)] = &[];

#[test]
fn pcm_files_decode_to_what_others_decode() {
    let Some(rows) = rows() else { return };
    let known = rows.iter().filter(|row| row.status.has_frames());
    let (mut num_valid, mut num_exact, mut num_other, mut num_for_plugins) = (0u32, 0u32, 0u32, 0u32);
    let mut wrong = Vec::new();
    for row in known {
        let found = match Reader::open_once(&row.path) {
            Err(Error::Unsupported { codec: Some(_), .. }) if !is_pcm(row) => {
                num_for_plugins += 1;
                continue;
            }
            Err(Error::Unsupported { container: None, .. }) if !CONTAINERS.contains(&&*row.container) => {
                num_for_plugins += 1;
                continue;
            }
            Err(error) => Err(error.to_string()),
            Ok(reader) => compare(row, &reader),
        };
        let exception = EXCEPTIONS.iter().find(|(name, _)| *name == row.name);
        let is_valid = row.status == Status::Valid;
        num_valid += u32::from(is_valid);
        num_exact += u32::from(is_valid && found.is_ok());
        num_other += u32::from(!is_valid && found.is_ok());
        match (found, exception) {
            (Ok(()), Some(_)) => wrong.push(format!("{}: is an exception that agrees now", row.name)),
            (Err(why), None) => wrong.push(format!("{} ({:?}): {why}", row.name, row.status)),
            _ => {}
        }
    }
    println!(
        "corpus: {} files, {num_exact} of {num_valid} valid PCM bit-exact, {num_other} single-oracle, truncated and \
         empty ones exact, {num_for_plugins} for codec plugins, {} exceptions",
        rows.len(),
        EXCEPTIONS.len()
    );
    assert!(wrong.is_empty(), "{} files differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(num_valid > 0, "the corpus has PCM files");
    let share = f64::from(num_exact) / f64::from(num_valid);
    assert!(share >= 0.995, "only {:.2} % of the valid files are bit-exact", 100.0 * share);
}

/// Whether the manifest's decoders found PCM in one of the core's containers.
fn is_pcm(row: &Row) -> bool {
    let planar = row.codec.as_deref().is_some_and(|codec| codec.ends_with("_planar"));
    let pcm = row.codec.as_deref().is_some_and(|codec| codec.starts_with("pcm_"));
    CONTAINERS.contains(&&*row.container) && pcm && !planar
}

fn compare(row: &Row, reader: &Reader) -> Result<(), String> {
    let track = reader.track();
    let num_frames = if row.status == Status::ZeroFrames { Some(0) } else { row.num_frames };
    let differ = row.sample_rate.is_some_and(|rate| rate != track.sample_rate)
        || row.num_channels.is_some_and(|num_channels| num_channels != track.num_channels)
        || num_frames != Some(reader.num_frames());
    if differ {
        let found = (track.sample_rate, track.num_channels, reader.num_frames());
        let expected = (row.sample_rate, row.num_channels, num_frames);
        return Err(format!("rate, channels and frames are {found:?}, expected {expected:?}"));
    }
    let format = row.canon.unwrap_or(OutputFormat::I32);
    let bytes = decoded::whole(reader, format).map_err(|error| error.to_string())?;
    if row.status == Status::ZeroFrames && !bytes.is_empty() {
        return Err(format!("{} bytes come out of no frames", bytes.len()));
    }
    let digest = decoded::sha256(&bytes, format);
    match &row.sha256 {
        Some(expected) if *expected == digest => Ok(()),
        None if row.status == Status::ZeroFrames => Ok(()),
        expected => {
            Err(format!("{format} samples of {} hash to {digest}, expected {expected:?}", track.codec.name()))
        }
    }
}

#[test]
fn what_every_decoder_refuses_is_refused_cheaply() {
    let Some(rows) = rows() else { return };
    let mut slowest = (Duration::ZERO, String::new());
    let mut num_refused = 0;
    for row in rows.iter().filter(|row| row.status == Status::MustError) {
        let start = Instant::now();
        let (error, peak) = allocation::peak_of(|| match Reader::open_once(&row.path) {
            Err(error) => Some(error),
            Ok(reader) => decoded::whole(&reader, OutputFormat::F32).err(),
        });
        slowest = slowest.max((start.elapsed(), row.name.clone()));
        let error = error.unwrap_or_else(|| panic!("{} was read, and every decoder refuses it", row.name));
        refusal::check_named(&error, row.path.to_str().unwrap());
        let limit = allocation::limit(file_len(row), 0);
        assert!(peak <= limit, "{}: {peak} bytes were allocated to refuse it, more than {limit}", row.name);
        num_refused += 1;
    }
    println!("corpus: {num_refused} files refused, the slowest in {:?}: {}", slowest.0, slowest.1);
}

#[test]
fn every_file_is_read_or_refused_within_bounds() {
    let Some(rows) = rows() else { return };
    let (mut num_read, mut num_refused) = (0, 0);
    let mut most = (0, String::new());
    for row in &rows {
        let mut output = 0;
        let (result, peak) = allocation::peak_of(|| {
            let reader = Reader::open_once(&row.path)?;
            output = decoded::num_bytes(&reader, OutputFormat::F32);
            reader.read(0..reader.num_frames(), &mapwave_core::FrameSpec::default()).map(drop)
        });
        let limit = allocation::limit(file_len(row), output);
        assert!(peak <= limit, "{}: {peak} bytes were allocated, more than {limit}", row.name);
        most = most.max((peak.saturating_sub(output), row.name.clone()));
        match result {
            Ok(()) => num_read += 1,
            Err(error) => {
                refusal::check_named(&error, row.path.to_str().unwrap());
                num_refused += 1;
            }
        }
    }
    println!(
        "corpus: {num_read} files read, {num_refused} refused; the most allocated beside the output: {} bytes for {}",
        most.0, most.1
    );
}

#[test]
fn a_refused_codec_is_named() {
    let Some(rows) = rows() else { return };
    let mut num_packets = 0;
    for row in &rows {
        let bytes = std::fs::read(&row.path).unwrap();
        let Ok(track) = container::parse(&bytes, bytes.len() as u64) else { continue };
        if !matches!(track.codec, Codec::Packets(_)) {
            continue;
        }
        let error = Reader::open_once(&row.path).unwrap_err();
        let Error::Unsupported { codec: Some(codec), container: Some(container), .. } = &error else {
            panic!("{}: {error:?}", row.name)
        };
        assert_eq!((codec.as_str(), *container), (track.codec.name(), track.container), "{}", row.name);
        assert!(error.to_string().contains(codec), "{}: no {codec} in: {error}", row.name);
        num_packets += 1;
    }
    println!("corpus: {num_packets} files of the core's containers hold packets for codec plugins");
}

fn file_len(row: &Row) -> u64 {
    row.path.metadata().unwrap().len()
}
