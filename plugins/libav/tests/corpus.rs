//! The corpus: compares real files with other decoders, with libav alone and together with the built-in codecs.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, missing_docs)]

mod common;

use std::collections::BTreeMap;
use std::sync::Once;

use common::{Row, ffmpeg_floats, open_file, read_all, rows, snr};
use mapwave_core::track::Codec;
use mapwave_core::{FrameSpec, Reader};
use mapwave_plugin::{Decoder, Status};
use sha2::{Digest, Sha256};

/// Files of sound that libav by itself reads differently or not at all, and why; one that begins to agree must leave.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("l3-nonstandard-he_44_48khz.bit", "the rate changes, which FFmpeg's program resamples"),
    ("aiff_pcm_24_2ch_littleendian.aiff", "a code that libav does not know"),
    ("aiff_pcm_32_2ch_littleendian.aiff", "a code that libav does not know"),
    ("wav_pcm16_1024ch.wav", "libav has at most 512 channels"),
    ("w64_streamed.w64", "a length that libav does not believe"),
    ("aiff_pcm_16_0frames.aiff", "not a single packet"),
    ("caf_pcm_16_0frames.caf", "not a single packet"),
    ("rf64_pcm_16_0frames.rf64", "not a single packet"),
    ("w64_pcm_16_0frames.w64", "not a single packet"),
    ("wav_float_0frames.wav", "not a single packet"),
    ("wav_pcm_16_0frames.wav", "not a single packet"),
    ("aac_lc_1ch.m4a", "the one oracle plays the padding of the last packet"),
    ("aac_lc_51.m4a", "the one oracle plays the padding of the last packet"),
    ("aac_lc_faststart.m4a", "the one oracle plays the padding of the last packet"),
];

/// Those that some versions of FFmpeg read differently. 5.1 ignores a last granule position that trims the end. From 9 on, the end
/// of an edit list, and the duration of the last packet of a fragment, trim the end of what the one oracle, 5.1, plays.
const EXCEPTIONS_OF_SOME_VERSIONS: &[&str] = &[
    "ogg_vorbis_1ch.ogg",
    "ogg_vorbis_2ch.ogg",
    "vorbis_51.ogg",
    "vorbis_1ch_8k.ogg",
    "m4a_fragmented_streamed.m4a",
    "mp3_in_mp4.mp4",
    "opus_in_mp4.mp4",
];

/// The codecs to compare with the ffmpeg program: those that the built-in codecs do not read.
const OTHER_CODECS: [&str; 12] = [
    "opus",
    "speex",
    "ac3",
    "wmav2",
    "gsm",
    "gsm_ms",
    "tta",
    "wavpack",
    "aac_latm",
    "adpcm_g722",
    "adpcm_swf",
    "adpcm_yamaha",
];

/// The minimum signal-to-noise ratio of a lossy stream against the ffmpeg program, in dB.
const MIN_SNR: f64 = 60.0;

fn is_exception(row: &Row) -> bool {
    // libav reads the samples of this form in the wrong byte order, so it is rejected.
    row.container == "rifx" || EXCEPTIONS.iter().any(|(name, _)| row.name.ends_with(&format!("/{name}")))
}

fn may_be_exception(row: &Row) -> bool {
    EXCEPTIONS_OF_SOME_VERSIONS.iter().any(|name| row.name.ends_with(&format!("/{name}")))
}

/// Compares a file with its row of the manifest.
fn compare(row: &Row) -> Result<(), String> {
    let mut decoder = open_file(&row.path).map_err(|error| error.to_string())?;
    let info = decoder.info().clone();
    let found = (Some(info.sample_rate), Some(info.num_channels), info.num_frames);
    let expected = (row.sample_rate, row.num_channels, row.num_frames);
    if found != expected {
        return Err(format!("rate, channels and frames are {found:?}, expected {expected:?}"));
    }
    let is_exact = row.precision == "bit-exact";
    let digest = match row.canon.as_str() {
        "int32" if is_exact => Some(digest(read_all::<i32>(&mut decoder), |sample| sample.to_le_bytes())?),
        "float32" if is_exact => Some(digest(read_all::<f32>(&mut decoder), |sample| sample.to_le_bytes())?),
        _ => None,
    };
    if let Some((found, num_samples)) = digest {
        let expected = row.num_frames.unwrap_or(0) * u64::from(info.num_channels);
        if num_samples as u64 != expected || found != row.sha256 {
            return Err(format!(
                "{num_samples} samples hash to {found}, expected {expected} and {}",
                row.sha256
            ));
        }
        return Ok(());
    }
    let samples = read_all::<f32>(&mut decoder).map_err(|error| error.to_string())?;
    if samples.len() as u64 != row.num_frames.unwrap_or(0) * u64::from(info.num_channels) {
        return Err(format!("{} samples came out of {} frames", samples.len(), row.num_frames.unwrap_or(0)));
    }
    if OTHER_CODECS.iter().any(|codec| info.codec.to_bytes() == codec.as_bytes())
        && let Some(expected) = ffmpeg_floats(&row.path)
    {
        let snr = snr(&expected, &samples);
        if expected.len() != samples.len() || snr < MIN_SNR {
            return Err(format!("{snr:.1} dB from FFmpeg's {} samples", expected.len()));
        }
    }
    Ok(())
}

fn digest<T, const N: usize>(
    samples: mapwave_plugin::Result<Vec<T>>,
    bytes: impl Fn(T) -> [u8; N],
) -> Result<(String, usize), String> {
    let samples = samples.map_err(|error| error.to_string())?;
    let num_samples = samples.len();
    let mut hash = Sha256::new();
    samples.into_iter().for_each(|sample| hash.update(bytes(sample)));
    let hash = hash.finalize();
    Ok((hash.iter().map(|byte| format!("{byte:02x}")).collect(), num_samples))
}

#[test]
fn libav_alone_reads_what_others_read() {
    let rows = rows();
    let mut wrong = Vec::new();
    let mut counts: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.status.starts_with("valid")) {
        let found = compare(row);
        let (num_read, num_files) = counts.entry(&row.status).or_default();
        *num_files += 1;
        *num_read += u32::from(found.is_ok());
        match (found, is_exception(row)) {
            (Ok(()), true) => wrong.push(format!("{}: is an exception that agrees now", row.name)),
            (Err(why), false) if !may_be_exception(row) => {
                wrong.push(format!("{} ({}): {why}", row.name, row.status))
            }
            _ => {}
        }
    }
    println!("corpus: {counts:?}");
    assert!(wrong.is_empty(), "{} files differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_every_decoder_refuses_is_refused() {
    for row in rows().iter().filter(|row| row.status == "must-error") {
        let error = match open_file(&row.path) {
            Err(error) => error,
            Ok(mut decoder) => {
                read_all::<f32>(&mut decoder).err().unwrap_or_else(|| panic!("{} was read", row.name))
            }
        };
        let is_fault = matches!(error.status(), Status::Unsupported | Status::BadData);
        assert!(is_fault && !error.message().is_empty(), "{}: {error:?}", row.name);
    }
}

/// `info` and `decode` agree on these files, and neither takes long.
#[test]
fn files_that_decoders_differ_about_do_no_harm() {
    for row in rows().iter().filter(|row| row.status == "ambiguous") {
        let Ok(mut decoder) = open_file(&row.path) else { continue };
        let info = decoder.info().clone();
        let Ok(samples) = read_all::<f32>(&mut decoder) else { continue };
        let num_frames = samples.len() as u64 / u64::from(info.num_channels);
        assert!(
            info.num_frames.is_none_or(|expected| expected == num_frames),
            "{}: {num_frames}, {info:?}",
            row.name
        );
    }
}

/// All codecs together, as a user asks for files.
#[test]
fn beside_the_built_in_codecs_nearly_everything_loads() {
    static EMBEDDED: Once = Once::new();
    EMBEDDED.call_once(|| {
        mapwave_core::host::embed(mapwave_builtin::entry);
        mapwave_core::host::embed(mapwave_libav::entry);
    });
    let rows = rows();
    let (mut num_files, mut misses) = (0u32, Vec::new());
    let mut plugins: BTreeMap<&str, u32> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.status.starts_with("valid")) {
        num_files += 1;
        let reader = match Reader::open(&row.path) {
            Ok(reader) => reader,
            Err(error) => {
                misses.push(format!("{} ({}): {error}", row.name, row.status));
                continue;
            }
        };
        let track = reader.track();
        let known = row.sample_rate.is_some();
        let found = (Some(track.sample_rate), Some(u32::from(track.num_channels)), reader.num_frames());
        let expected = (row.sample_rate, row.num_channels, row.num_frames.unwrap_or(0));
        if known && found != expected {
            misses.push(format!("{} ({}): {found:?}, expected {expected:?}", row.name, row.status));
            continue;
        }
        if let Err(error) = reader.read(0..reader.num_frames(), &FrameSpec::default()) {
            misses.push(format!("{} ({}): {error}", row.name, row.status));
            continue;
        }
        if let Codec::Compressed(stream) = &track.codec {
            *plugins.entry(stream.plugin).or_default() += 1;
        }
    }
    println!("corpus: {} of {num_files} files load; {plugins:?}", num_files - misses.len() as u32);
    for miss in &misses {
        println!("corpus: {miss}");
    }
    assert!(misses.len() as f64 <= 0.02 * f64::from(num_files), "{} misses", misses.len());
}
