//! Decoding from the middle of a stream: what comes out stands where it does in the sequential decode.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, missing_docs)]

mod common;

use std::path::{Path, PathBuf};
use std::sync::Once;

use common::written::{Directory, FORMATS, write};
use common::{Numbers, ffmpeg_floats, rows, snr, wma};
use mapwave_core::{Buffer, FrameSpec, ReadControl, Reader};

const NUM_WINDOWS: u64 = 100;

/// How near a whole file, read from anchor to anchor, comes to FFmpeg's sequential decode, in dB. Noise that codecs add
/// differs; where samples are at another place, it is below 5.
const MIN_SNR: f64 = 20.0;

/// Formats that nothing but a file's name tells from noise: the host does not read them.
const UNMARKED: [&str; 4] = ["g722.g722", "sbc.sbc", "aptx.aptx", "aptxhd.aptxhd"];

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_ne_bytes(*bytes)).collect()
}

/// The whole file, after a comparison with random windows.
fn whole(path: &Path) -> Result<Vec<f32>, String> {
    static EMBEDDED: Once = Once::new();
    EMBEDDED.call_once(|| mapwave_core::host::embed(mapwave_libav::entry));
    let open = || Reader::open(path).map_err(|error| error.to_string());
    let reader = open()?;
    let (spec, num_frames) = (FrameSpec::default(), reader.num_frames());
    let whole = reader.read(0..num_frames, &spec).map_err(|error| error.to_string())?;
    let bytes_per_frame = 4 * usize::from(reader.track().num_channels);
    let mut numbers = Numbers(num_frames + 1);
    for index in 0..NUM_WINDOWS {
        let start = numbers.below(num_frames);
        let end = num_frames.min(start + 1 + numbers.below(5000));
        // A reader that keeps its decoders, and at times a new one.
        let part = match index % 10 {
            0 => open()?.read(start..end, &spec),
            _ => reader.read(start..end, &spec),
        };
        let part = part.map_err(|error| error.to_string())?;
        let expected = &whole.bytes()[start as usize * bytes_per_frame..end as usize * bytes_per_frame];
        if part.bytes() != expected {
            return Err(format!("the frames {start}..{end} differ from the slice of the whole"));
        }
    }
    let again = open()?.read_with(0..num_frames, &spec, Buffer::new, &ReadControl::ONE_THREAD);
    let again = again.map_err(|error| error.to_string())?;
    if again.bytes() != whole.bytes() {
        return Err("one thread reads something else".to_owned());
    }
    Ok(floats(whole.bytes()))
}

/// Compares a whole file with the samples of another decoder.
fn compare(path: &Path, expected: &[f32]) -> Result<(), String> {
    let found = whole(path)?;
    let distance = snr(expected, &found);
    if found.len() != expected.len() || distance < MIN_SNR {
        return Err(format!(
            "{} samples, {distance:.1} dB from the {} expected",
            found.len(),
            expected.len()
        ));
    }
    Ok(())
}

#[test]
fn a_bit_reservoir_displaces_nothing() {
    let directory = Directory::new("reservoir");
    if !wma::write(&directory, 12) {
        return;
    }
    // The same frames without a reservoir, decoded by the ffmpeg program.
    let expected = ffmpeg_floats(&directory.join("twin.wav")).unwrap();
    assert!(expected.len() > 12 * 44_100 * 2);
    for name in ["packed.wav", "packed.wma"] {
        compare(&directory.join(name), &expected).unwrap_or_else(|why| panic!("{name}: {why}"));
    }
}

#[test]
fn windows_of_every_codec_are_slices_of_its_sequential_decode() {
    let directory = Directory::new("windows");
    let (mut num_files, mut wrong) = (0, Vec::new());
    for (name, arguments) in FORMATS {
        let path = directory.join(name);
        if !write(&path, arguments) {
            println!("skipped: ffmpeg does not write {name} here");
            continue;
        }
        num_files += 1;
        let mut expected = ffmpeg_floats(&path).unwrap();
        let read = whole(&path);
        if UNMARKED.contains(name) {
            assert!(read.is_err_and(|why| why.contains("not a known audio file")), "{name} was read");
            continue;
        }
        // The padding of AAC in MP4, which the ffmpeg program plays.
        if let Ok(read) = &read {
            let padding = expected.len().saturating_sub(read.len());
            expected.truncate(if padding < 1024 * 6 { read.len() } else { expected.len() });
        }
        let result = read.and_then(|read| {
            let distance = snr(&expected, &read);
            let is_right = read.len() == expected.len() && distance >= MIN_SNR;
            if is_right { Ok(()) } else { Err(format!("{distance:.1} dB, {} samples", read.len())) }
        });
        if let Err(why) = result {
            wrong.push(format!("{name}: {why}"));
        }
        let _ = std::fs::remove_file(&path);
    }
    println!("{num_files} of {} formats were written", FORMATS.len());
    assert!(wrong.is_empty(), "{} files differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// Files of other encoders, where they are at hand: WMA Pro with a reservoir, HE-AAC whose headers come once in the file.
#[test]
fn files_of_other_encoders_stand_in_place() {
    let shared = match std::env::var_os("MAPWAVE_CORPUS") {
        Some(corpus) => PathBuf::from(corpus).join(".."),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
    };
    let mut paths = vec![shared.join("cases/wmapro_seam.wma")];
    let codecs = [
        "aac", "aac_latm", "opus", "ac3", "eac3", "dts", "wmav1", "wmav2", "wmapro", "amr_nb", "amr_wb",
        "gsm",
    ];
    let of_codec = |codec: &str| codecs.contains(&codec);
    let rows = rows().into_iter().filter(|row| row.status.starts_with("valid") && of_codec(&row.codec));
    paths.extend(rows.map(|row| row.path));
    paths.retain(|path| path.exists());
    if paths.is_empty() {
        println!("skipped: no file of another encoder is there");
    }
    let mut wrong = Vec::new();
    for path in paths {
        let Some(expected) = ffmpeg_floats(&path) else { return };
        let result = whole(&path).and_then(|read| {
            // The padding of AAC in MP4, which the ffmpeg program plays.
            let num_samples = read.len().min(expected.len());
            let distance = snr(&expected[..num_samples], &read[..num_samples]);
            if distance >= MIN_SNR { Ok(()) } else { Err(format!("{distance:.1} dB")) }
        });
        if let Err(why) = result {
            wrong.push(format!("{}: {why}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{} files differ:\n{}", wrong.len(), wrong.join("\n"));
}
