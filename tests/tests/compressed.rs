//! Compressed files: compares the embedded codecs with other decoders.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, missing_docs)]

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Once;

use mapwave_core::{Buffer, Error, Fault, FrameSpec, OutputFormat, ReadControl, Reader};
use mapwave_tests::corpus::{Row, Status, rows};
use mapwave_tests::random::Random;
use mapwave_tests::{decoded, fixture};

/// The codecs that are embedded, in FFmpeg's terms.
const CODECS: [&str; 10] =
    ["mp1", "mp2", "mp3", "aac", "alac", "flac", "vorbis", "adpcm_ima_wav", "adpcm_ima_qt", "adpcm_ms"];

/// The minimum signal-to-noise ratio of a lossy stream against another decoder, in dB.
const MIN_SNR: f64 = 60.0;

/// The same where decoders round differently: ADPCM, whose blocks the manifest calls loose.
const MIN_ROUNDED_SNR: f64 = 35.0;

/// Files that differ from the manifest, and why; a file that agrees must be removed from the list.
const EXCEPTIONS: &[(&str, &str)] = &[(
    "files/lieff+minimp3/vectors/l3-nonstandard-he_44_48khz.bit",
    "the sample rate changes; it ends there, as for libsndfile, and says that it is truncated, where FFmpeg resamples",
)];

/// Files that one other decoder reads and the embedded ones do not: what the error must name, and why; a file that opens
/// must be removed from the list.
const UNSUPPORTED: &[(&str, &str, &str)] = &[];

/// The share of the valid files that must agree.
const MIN_SHARE: f64 = 0.98;

fn embed() {
    static EMBEDDED: Once = Once::new();
    EMBEDDED.call_once(|| mapwave_core::host::embed(mapwave_builtin::entry));
}

#[test]
fn compressed_files_decode_to_what_others_decode() {
    embed();
    let Some(rows) = rows() else { return };
    let has_ffmpeg = has_ffmpeg();
    if !has_ffmpeg {
        println!("compressed: no ffmpeg to compare with; lossy files are compared by their statistics");
    }
    let (mut num_valid, mut num_right, mut num_exact, mut lowest) =
        (0u32, 0u32, 0u32, (f64::MAX, String::new()));
    let mut wrong = Vec::new();
    let is_unsupported = |row: &Row| UNSUPPORTED.iter().any(|(name, ..)| *name == row.name);
    let known = rows.iter().filter(|row| row.status.has_frames() && is_ours(row));
    for row in known.filter(|row| !is_unsupported(row)) {
        let is_valid = row.status == Status::Valid;
        num_valid += u32::from(is_valid);
        let exception = EXCEPTIONS.iter().find(|(name, _)| *name == row.name);
        match (compare(row, has_ffmpeg), exception) {
            (Ok(snr), None) => {
                num_right += u32::from(is_valid);
                match snr {
                    Some(snr) if snr < lowest.0 => lowest = (snr, row.name.clone()),
                    Some(_) => {}
                    None => num_exact += 1,
                }
            }
            (Ok(_), Some(_)) => wrong.push(format!("{}: is an exception that agrees now", row.name)),
            (Err(why), None) => wrong.push(format!("{} ({:?}): {why}", row.name, row.status)),
            (Err(why), Some((_, reason))) => println!("compressed: exception {}: {reason} ({why})", row.name),
        }
    }
    println!(
        "compressed: {num_right} of {num_valid} valid files agree, {num_exact} files bit for bit; the lowest SNR is {:.1} dB \
         ({}); {} exceptions",
        lowest.0,
        lowest.1,
        EXCEPTIONS.len()
    );
    assert!(wrong.is_empty(), "{} files differ:\n{}", wrong.len(), wrong.join("\n"));
    let share = f64::from(num_right) / f64::from(num_valid.max(1));
    assert!(share >= MIN_SHARE, "only {:.2} % of the valid files agree", 100.0 * share);
}

#[test]
fn what_is_not_supported_is_refused_by_name() {
    embed();
    let Some(rows) = rows() else { return };
    let mut wrong = Vec::new();
    for (name, codec, reason) in UNSUPPORTED {
        let row = rows.iter().find(|row| row.name == *name);
        let Some(row) = row else { panic!("the corpus has no {name}") };
        assert_eq!(row.status, Status::SingleOracle, "{name} must be read");
        match Reader::open_once(&row.path) {
            Ok(_) => wrong.push(format!("{name}: opens now, and must leave the table ({reason})")),
            Err(error @ (Error::Unsupported { .. } | Error::Plugin { fault: Fault::Unsupported, .. })) => {
                let message = error.to_string();
                if !message.to_lowercase().contains(&codec.to_lowercase()) {
                    wrong.push(format!("{name}: {codec} is not named in: {message}"));
                }
            }
            Err(error) => wrong.push(format!("{name}: {error:?} does not say that it is not supported")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn is_ours(row: &Row) -> bool {
    row.codec.as_deref().is_some_and(|codec| CODECS.contains(&codec))
}

/// Compares a file; returns the SNR in dB if it is lossy.
fn compare(row: &Row, has_ffmpeg: bool) -> Result<Option<f64>, String> {
    let reader = Reader::open_once(&row.path).map_err(|error| error.to_string())?;
    let track = reader.track();
    let is_as_long = row.num_frames.is_none_or(|num_frames| num_frames == reader.num_frames());
    let differ = row.sample_rate.is_some_and(|rate| rate != track.sample_rate)
        || row.num_channels.is_some_and(|num_channels| num_channels != track.num_channels)
        || (!is_as_long && !is_as_long_as_stated(row, reader.num_frames(), track.sample_rate));
    if differ {
        let found = (track.sample_rate, track.num_channels, reader.num_frames());
        let expected = (row.sample_rate, row.num_channels, row.num_frames);
        return Err(format!("rate, channels and frames are {found:?}, expected {expected:?}"));
    }
    if let (Some(format), Some(expected)) = (row.canon, &row.sha256) {
        let bytes = decoded::whole(&reader, format).map_err(|error| error.to_string())?;
        let digest = decoded::sha256(&bytes, format);
        if digest == *expected {
            return Ok(None);
        }
        if row.precision == "bit-exact" {
            return Err(format!("{format} samples hash to {digest}, expected {expected}"));
        }
    }
    let bytes = decoded::whole(&reader, OutputFormat::F32).map_err(|error| error.to_string())?;
    let samples = to_f32(&bytes);
    // Where decoders round differently, their statistics do too.
    let is_adpcm = row.codec.as_deref().is_some_and(|codec| codec.starts_with("adpcm"));
    let is_close = !is_adpcm && row.precision != "lossy-loose";
    if is_close && is_as_long {
        row.check_statistics(&samples, usize::from(track.num_channels))?;
    }
    if !has_ffmpeg {
        return Ok(Some(f64::INFINITY));
    }
    let reference = ffmpeg(&row.path, track.num_channels)?;
    let snr = snr(&samples, &reference);
    let least = if is_close { MIN_SNR } else { MIN_ROUNDED_SNR };
    match snr >= least {
        true => Ok(Some(snr)),
        false => Err(format!("the SNR against ffmpeg is {snr:.1} dB")),
    }
}

#[test]
fn a_stream_that_goes_on_at_another_rate_is_cut_there_and_says_so() {
    embed();
    let Some(rows) = rows() else { return };
    let row = rows.iter().find(|row| row.name == EXCEPTIONS[0].0).unwrap();
    let reader = Reader::open_once(&row.path).unwrap();
    assert!(reader.track().missing_bytes > 0 && Some(reader.num_frames()) < row.num_frames);
}

/// Whether a file whose length comes from one decoder only is as long as its headers state according to `ffprobe`.
fn is_as_long_as_stated(row: &Row, num_frames: u64, sample_rate: u32) -> bool {
    let is_certain = row.status != Status::SingleOracle
        && !matches!(row.precision.as_str(), "lossy-close-length-differs" | "channel-order-differs");
    if is_certain {
        return false;
    }
    let mut command = Command::new("ffprobe");
    command.args(["-v", "quiet", "-select_streams", "a:0", "-of", "default=noprint_wrappers=1"]);
    command.args(["-show_entries", "stream=duration_ts,time_base"]).arg(&row.path);
    let Ok(output) = command.stdin(Stdio::null()).output() else {
        println!("compressed: no ffprobe to say how long {} is, which has {num_frames} frames", row.name);
        return true;
    };
    let text = String::from_utf8_lossy(&output.stdout);
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    let ratio = field("time_base").and_then(|base| base.split_once('/'));
    let numbers =
        ratio.and_then(|(over, under)| Some((over.parse::<f64>().ok()?, under.parse::<f64>().ok()?)));
    let duration = field("duration_ts").and_then(|duration| duration.parse::<f64>().ok());
    let Some(((over, under), duration)) = numbers.zip(duration) else { return false };
    let rate = f64::from(sample_rate);
    let stated = duration * over / under * rate;
    // An MP4 edit list counts in milliseconds.
    let tolerance = if row.container == "mp4" { rate / 1000.0 } else { 0.5 };
    (stated - num_frames as f64).abs() <= tolerance
}

fn to_f32(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_ne_bytes(*bytes)).collect()
}

/// Signal to noise in dB over the frames that both have.
fn snr(samples: &[f32], reference: &[f32]) -> f64 {
    let (mut signal, mut noise) = (0.0, 0.0);
    for (&one, &other) in samples.iter().zip(reference) {
        signal += f64::from(other).powi(2);
        noise += (f64::from(one) - f64::from(other)).powi(2);
    }
    match noise == 0.0 {
        true => f64::INFINITY,
        false => 10.0 * (signal / noise).log10(),
    }
}

fn has_ffmpeg() -> bool {
    let version = Command::new("ffmpeg").arg("-version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}

fn ffmpeg(path: &Path, num_channels: u16) -> Result<Vec<f32>, String> {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "quiet", "-i"]).arg(path).args(["-map", "0:a:0", "-f", "f32le", "-c:a", "pcm_f32le"]);
    let output = command.args(["-ac", &num_channels.to_string(), "-"]).stdin(Stdio::null()).output();
    output.map(|output| to_f32(&output.stdout)).map_err(|error| error.to_string())
}

#[test]
fn info_and_load_agree_on_every_file() {
    embed();
    let Some(rows) = rows() else { return };
    let (mut num_read, mut num_refused) = (0, 0);
    let mut wrong = Vec::new();
    for row in &rows {
        let Ok(reader) = Reader::open_once(&row.path) else {
            num_refused += 1;
            continue;
        };
        let num_frames = reader.num_frames();
        match reader.read(0..num_frames, &FrameSpec::default()) {
            Ok(frames) if frames.shape().axes()[0] as u64 == num_frames => num_read += 1,
            Ok(frames) => {
                wrong.push(format!("{}: {num_frames} frames, loaded {:?}", row.name, frames.shape()))
            }
            // Damage in the middle is an error, never fewer frames.
            Err(Error::Plugin { fault: Fault::BadData, .. }) => num_refused += 1,
            Err(error) => wrong.push(format!("{}: {error}", row.name)),
        }
    }
    println!("compressed: {num_read} files load as many frames as info says, {num_refused} are refused");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_every_decoder_refuses_is_refused() {
    embed();
    let Some(rows) = rows() else { return };
    let mut read = Vec::new();
    for row in rows.iter().filter(|row| row.status == Status::MustError) {
        let result = Reader::open_once(&row.path)
            .and_then(|reader| reader.read(0..reader.num_frames(), &FrameSpec::default()));
        match result {
            Ok(frames) => read.push(format!("{}: {:?}", row.name, frames.shape())),
            Err(error) => assert!(error.to_string().contains(row.path.to_str().unwrap()), "{error}"),
        }
    }
    assert!(read.is_empty(), "every decoder refuses\n{}", read.join("\n"));
}

/// The compressed files of the repository, and one file of every codec of the corpus, if there is a corpus.
fn samples_of_each_codec() -> Vec<std::path::PathBuf> {
    let mut paths = fixture::compressed();
    let mut seen = Vec::new();
    for row in
        rows().unwrap_or_default().into_iter().filter(|row| row.status == Status::Valid && is_ours(row))
    {
        let kind = (row.container.clone(), row.codec.clone(), row.num_channels, row.sample_rate);
        if !seen.contains(&kind) && row.num_frames.is_some_and(|num_frames| num_frames < 2_000_000) {
            seen.push(kind);
            paths.push(row.path);
        }
    }
    paths
}

#[test]
fn any_window_is_the_slice_of_the_whole() {
    embed();
    let mut random = Random::announced();
    let paths = samples_of_each_codec();
    for path in &paths {
        let reader = Reader::open(path).unwrap();
        let spec = FrameSpec::default();
        let whole = reader.read(0..reader.num_frames(), &spec).unwrap();
        let bytes_per_frame = 4 * usize::from(reader.track().num_channels);
        for index in 0..200 {
            let mut frames = random.range_within(reader.num_frames());
            if index % 2 == 0 {
                frames.end = frames.end.min(frames.start + 1 + random.below(5000) as u64);
            }
            // An open reader, which keeps its handles, and one that was opened for this window.
            let part = match index % 4 {
                0 => Reader::open_once(path).unwrap().read(frames.clone(), &spec).unwrap(),
                _ => reader.read(frames.clone(), &spec).unwrap(),
            };
            let expected = &whole.bytes()
                [frames.start as usize * bytes_per_frame..frames.end as usize * bytes_per_frame];
            assert!(part.bytes() == expected, "{}: frames {frames:?} differ from the whole", path.display());
        }
    }
    println!("compressed: 200 windows of each of {} files equal the slices of the whole", paths.len());
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    embed();
    let paths = samples_of_each_codec();
    for path in &paths {
        let reader = Reader::open(path).unwrap();
        let read = |max_threads, spec: &FrameSpec| {
            let control = ReadControl { max_threads, ..ReadControl::ONE_THREAD };
            let frames = reader.read_with(0..reader.num_frames(), spec, Buffer::new, &control).unwrap();
            frames.bytes().to_vec()
        };
        for spec in [
            FrameSpec::default(),
            FrameSpec { layout: mapwave_core::Layout::ChannelsFirst, ..FrameSpec::default() },
        ] {
            let one = read(1, &spec);
            for max_threads in [2, 3, 8] {
                assert!(read(max_threads, &spec) == one, "{}: {max_threads} threads differ", path.display());
            }
        }
    }
    println!("compressed: 1, 2, 3 and 8 threads give the same bytes of {} files", paths.len());
}
