//! Truncated files: what they hold is read, `info` counts it, and says that there was more wherever the file does.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, missing_docs)]

mod common;

use common::written::{Directory, FORMATS, write};
use common::{open, open_file, read_all};
use mapwave_plugin::{Decoder, Status};

/// Containers and codecs that state no length of the whole: a cut between two packets cannot be seen.
const WITHOUT_LENGTH: [&str; 24] = [
    "aac", "latm", "ts", "m2ts", "mpg", "vob", "flv", "ac3", "eac3", "dts", "thd", "mlp", "mp2", "mp3",
    "g722", "gsm", "sbc", "aptx", "aptxhd", "nut", "rm", "roq", "voc", "dfpwm",
];

/// Formats of which ffmpeg's own files seem to be truncated.
const SEEM_CUT: [&str; 1] = ["dpcm.roq"];

/// What is wrong with a file cut at a byte.
fn check(bytes: &[u8], extension: &str, whole: u64, has_length: bool) -> Result<(), String> {
    let mut decoder = match open(bytes.to_vec(), Some(extension)) {
        Ok(decoder) => decoder,
        // Nothing that could be decoded is left.
        Err(error) if matches!(error.status(), Status::BadData | Status::Unsupported) => return Ok(()),
        Err(error) => return Err(format!("{:?}: {error}", error.status())),
    };
    let info = decoder.info().clone();
    let samples = read_all::<f32>(&mut decoder).map_err(|error| error.to_string())?;
    let num_frames = samples.len() as u64 / u64::from(info.num_channels);
    if info.num_frames != Some(num_frames) || num_frames > whole || num_frames == 0 {
        return Err(format!("info says {:?}, {num_frames} of {whole} come out", info.num_frames));
    }
    if has_length && !info.is_truncated {
        return Err(format!("{num_frames} of {whole} frames, and it does not say that it is truncated"));
    }
    Ok(())
}

#[test]
fn a_file_that_is_cut_off_loads_what_is_there_and_says_so() {
    let directory = Directory::new("cuts");
    let mut wrong = Vec::new();
    for (name, arguments) in FORMATS {
        let path = directory.join(name);
        if !write(&path, arguments) {
            println!("skipped: ffmpeg does not write {name} here");
            continue;
        }
        let extension = name.rsplit('.').next().unwrap();
        let has_length = !WITHOUT_LENGTH.contains(&extension);
        let bytes = std::fs::read(&path).unwrap();
        let whole = open_file(&path).unwrap().info().clone();
        if whole.is_truncated && !SEEM_CUT.contains(name) {
            wrong.push(format!("{name}: the whole file is said to be truncated"));
        }
        for tenths in [1, 3, 5, 6, 8, 9] {
            // The cut is at a boundary as often as not.
            for num_bytes in [bytes.len() * tenths / 10, bytes.len() * tenths / 10 + 37] {
                if let Err(why) = check(&bytes[..num_bytes], extension, whole.num_frames.unwrap(), has_length)
                {
                    wrong.push(format!("{name} at {num_bytes} of {}: {why}", bytes.len()));
                }
            }
        }
        let _ = std::fs::remove_file(&path);
    }
    assert!(wrong.is_empty(), "{} cuts are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_lossless_file_cut_anywhere_loads_its_whole_packets() {
    let directory = Directory::new("tta");
    const PER_PACKET: u64 = 8000 * 256 / 245;
    let path = directory.join("a.tta");
    if !write(&path, "-c:a tta -ac 1 -ar 8000") {
        println!("skipped: ffmpeg does not write TTA here");
        return;
    }
    let bytes = std::fs::read(&path).unwrap();
    let mut whole = open_file(&path).unwrap();
    let whole: Vec<i16> = read_all(&mut whole).unwrap();
    let (mut counts, mut num_errors) = (Vec::new(), 0);
    for num_bytes in (60..bytes.len()).step_by(bytes.len() / 97) {
        let Ok(mut decoder) = open(bytes[..num_bytes].to_vec(), Some("tta")) else {
            num_errors += 1;
            continue;
        };
        let samples: Vec<i16> = read_all(&mut decoder).unwrap();
        assert!(whole.starts_with(&samples), "cut at {num_bytes}");
        if samples.len() == whole.len() {
            break; // only the tags behind the sound are cut
        }
        assert!(decoder.info().is_truncated, "cut at {num_bytes}");
        assert_eq!(samples.len() as u64 % PER_PACKET, 0, "cut at {num_bytes}");
        counts.push(samples.len() as u64 / PER_PACKET);
    }
    counts.dedup();
    // Each number of packets from one to five; less than one is an error.
    assert_eq!(counts, (1..=5).collect::<Vec<u64>>());
    assert!((1..30).contains(&num_errors), "{num_errors} errors");
}
