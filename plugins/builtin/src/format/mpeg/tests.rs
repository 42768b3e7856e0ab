//! Whole files: against the corpus, against FFmpeg, from every place and with every bit changed.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use mapwave_plugin::{Decoder, DecoderOptions, Head, Input, Output, Result, Status, Track};

use super::MpegDecoder;

/// Frames at a time.
const CHUNK: usize = 4096;

fn open(bytes: &[u8]) -> Result<MpegDecoder> {
    MpegDecoder::open(Input::from(bytes.to_vec()), &DecoderOptions::default())
}

/// At most `num_frames` frames from where the decoder stands, interleaved.
fn read(decoder: &mut MpegDecoder, num_frames: usize) -> Vec<f32> {
    let num_channels = decoder.info().num_channels as usize;
    let mut samples = vec![0.0; num_frames * num_channels];
    let num_written = Output::with_slice(&mut samples, num_channels, |output| {
        decoder.decode(output).unwrap();
        output.num_written()
    });
    samples.truncate(num_written * num_channels);
    samples
}

fn read_all(decoder: &mut MpegDecoder) -> Vec<f32> {
    let mut samples = Vec::new();
    loop {
        let more = read(decoder, CHUNK);
        if more.is_empty() {
            return samples;
        }
        samples.extend(more);
    }
}

/// Numbers that look random and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % limit.max(1) as u64).unwrap()
    }
}

/// Compares windows at random places with decoding from the start, bit for bit.
fn assert_seeks_are_exact(name: &str, bytes: &[u8], num_windows: usize) {
    let mut decoder = open(bytes).unwrap();
    let (num_channels, num_frames) =
        (decoder.info().num_channels as usize, decoder.info().num_frames.unwrap());
    let all = read_all(&mut decoder);
    assert_eq!(all.len() as u64, num_frames * num_channels as u64, "{name}");
    let total = usize::try_from(num_frames).unwrap();
    let mut numbers = Numbers(total as u64);
    for window in 0..num_windows {
        let start = match window {
            0 => total,
            1 => total.saturating_sub(1),
            _ => numbers.below(total),
        };
        let count = if window % 2 == 0 { 1 + numbers.below(50) } else { numbers.below(9000) };
        decoder.seek(start as u64).unwrap();
        let found = if count > 0 { read(&mut decoder, count) } else { Vec::new() };
        let end = (start + count).min(total);
        let expected = &all[start * num_channels..end * num_channels];
        let differs = found.iter().zip(expected).position(|(a, b)| a.to_bits() != b.to_bits());
        assert_eq!((found.len(), differs), (expected.len(), None), "{name}: {count} frames from {start} on");
    }
}

struct Row {
    name: String,
    path: PathBuf,
    status: String,
    container: String,
    sample_rate: Option<u32>,
    num_channels: Option<u32>,
    num_frames: Option<u64>,
}

/// The rows of the corpus about MPEG audio.
fn corpus() -> Vec<Row> {
    let directory = match std::env::var_os("MAPWAVE_CORPUS") {
        Some(directory) => PathBuf::from(directory),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus"),
    };
    let Ok(text) = std::fs::read(directory.join("expected.tsv")) else {
        println!("skipped: there is no corpus at {}", directory.display());
        return Vec::new();
    };
    let text = String::from_utf8_lossy(&text);
    let mut lines = text.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let header = lines.next().unwrap();
    let column = |name: &str| header.iter().position(|field| *field == name).unwrap();
    let (path, status, container) = (column("path"), column("status"), column("container"));
    let (codec, rate, channels, frames) =
        (column("codec"), column("sample_rate"), column("channels"), column("frames"));
    lines
        .filter(|row| {
            // The manifest's names of containers are guesses: there are files of other formats among these.
            row[path].contains("minimp3")
                || row[codec].starts_with("mp") && matches!(row[container], "mpeg-audio" | "riff" | "caf")
        })
        .map(|row| Row {
            name: row[path].to_owned(),
            path: directory.join(row[path]),
            status: row[status].to_owned(),
            container: row[container].to_owned(),
            sample_rate: row[rate].parse().ok(),
            num_channels: row[channels].parse().ok(),
            num_frames: row[frames].parse().ok(),
        })
        .collect()
}

/// The track of a WAV or CAF file of the corpus, found without much ado.
fn track<'a>(row: &Row, bytes: &[u8]) -> Option<Track<'a>> {
    let find = |name: &[u8]| bytes.windows(4).position(|window| window == name).unwrap();
    let (container, data) = match row.container.as_str() {
        "riff" => ("wav", find(b"data") + 8..bytes.len()),
        "caf" => {
            let at = find(b"data");
            let size = u64::from_be_bytes(bytes[at + 4..at + 12].try_into().unwrap());
            ("caf", at + 16..at + 12 + usize::try_from(size).unwrap())
        }
        _ => return None,
    };
    let is_layer2 = row.name.contains("mp2");
    Some(Track {
        container,
        codec: if is_layer2 { "mp2" } else { "mp3" },
        tag: if is_layer2 { 0x50 } else { 0x55 },
        sample_rate: row.sample_rate.unwrap_or(0),
        num_channels: row.num_channels.unwrap_or(0),
        channel_mask: 0,
        bits_per_sample: 0,
        bytes_per_packet: 0,
        frames_per_packet: 1152,
        priming_frames: 0,
        padding_frames: 0,
        num_frames: None,
        data: data.start as u64..data.end as u64,
        config: 0..0,
        table: 0..0,
        num_packets: 0,
    })
}

/// What FFmpeg makes of a file; `None`, with a notice, where there is no FFmpeg.
fn ffmpeg(path: &Path) -> Option<Vec<f32>> {
    let output = Command::new("ffmpeg")
        .args(["-v", "quiet", "-i"])
        .arg(path)
        .args(["-f", "f32le", "-"])
        .output()
        .map_err(|_| println!("skipped: there is no ffmpeg"))
        .ok()?;
    let samples = output.stdout.as_chunks::<4>().0.iter().map(|sample| f32::from_le_bytes(*sample));
    Some(samples.collect())
}

/// Makes a file with FFmpeg; `None`, with a notice, where that cannot be done.
fn encoded(arguments: &str, suffix: &str) -> Option<Vec<u8>> {
    // Chords, noise and attacks in both channels, so that blocks switch and the reservoir is used.
    let left = "0.3*sin(2*PI*t*(300+200*sin(t)))+0.2*(random(0)-0.5)*exp(-9*mod(t,0.5))";
    let right = "0.3*sin(2*PI*t*(500+90*sin(3*t)))*lt(mod(t,1),0.6)+0.1*(random(1)-0.5)";
    let source = format!("aevalsrc=exprs={left}|{right}:s=44100:d=5")
        .replace("mod(t,", "mod(t\\,")
        .replace("lt(mod(t\\,1),", "lt(mod(t\\,1)\\,");
    // A file instead of a pipe, because the describing frame requires a seekable file.
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("mapwave-mpeg-{}-{number}.{suffix}", std::process::id()));
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i", &source])
        .args(arguments.split_whitespace())
        .args(["-f", suffix])
        .arg(&path)
        .output();
    let bytes = std::fs::read(&path);
    let _ = std::fs::remove_file(&path);
    match output {
        Ok(output) if output.status.success() => bytes.ok(),
        Ok(output) => {
            println!("skipped: ffmpeg {arguments}: {}", String::from_utf8_lossy(&output.stderr));
            None
        }
        Err(_) => {
            println!("skipped: there is no ffmpeg");
            None
        }
    }
}

/// The ratio of signal to difference in decibels.
fn snr(reference: &[f32], found: &[f32]) -> f64 {
    let energy = |sample: f64| sample * sample;
    let signal: f64 = reference.iter().map(|sample| energy((*sample).into())).sum();
    let pairs = reference.iter().zip(found);
    let noise: f64 = pairs.map(|(a, b)| energy(f64::from(*a) - f64::from(*b))).sum();
    10.0 * (signal / noise.max(1e-30)).log10()
}

/// The file changes its sampling frequency: what the corpus has is FFmpeg's resampling. Here it ends there.
const CHANGES_RATE: &str = "l3-nonstandard-he_44_48khz.bit";

/// The file ends after 23 of the 192 bytes of its last frame. The sound of that frame is complete, in the frames before,
/// but they also hold 342 bytes of a frame after it: more sound followed when the file was encoded.
const ENDS_INSIDE_A_FRAME: &str = "l3-compl.bit";

#[test]
fn the_corpus_is_decoded_as_others_do() {
    let (mut num_equal, mut min_snr) = (0, f64::INFINITY);
    for row in corpus() {
        let bytes = std::fs::read(&row.path).unwrap();
        let options = DecoderOptions { track: track(&row, &bytes), ..DecoderOptions::default() };
        let opened = MpegDecoder::open(Input::from(bytes.clone()), &options);
        match row.status.as_str() {
            "must-error" => assert!(opened.is_err(), "{}", row.name),
            status if status.starts_with("valid") => {
                let mut decoder = opened.unwrap_or_else(|error| panic!("{}: {error}", row.name));
                let info = decoder.info().clone();
                assert_eq!(Some(info.sample_rate), row.sample_rate, "{}", row.name);
                assert_eq!(Some(info.num_channels), row.num_channels, "{}", row.name);
                let samples = read_all(&mut decoder);
                assert_eq!(
                    samples.len() as u64,
                    info.num_frames.unwrap() * u64::from(info.num_channels),
                    "{}",
                    row.name
                );
                if row.name.ends_with(CHANGES_RATE) {
                    assert_eq!((info.num_frames, info.is_truncated), (Some(472_320), true));
                    continue;
                }
                assert_eq!(info.num_frames, row.num_frames, "{}", row.name);
                assert_eq!(info.is_truncated, row.name.ends_with(ENDS_INSIDE_A_FRAME), "{}", row.name);
                num_equal += 1;
                if let Some(reference) = ffmpeg(&row.path) {
                    let snr = snr(&reference, &samples);
                    println!("{snr:7.1} dB, {} frames: {}", info.num_frames.unwrap(), row.name);
                    // FFmpeg's arithmetic of layers I and II is coarser than that of layer III.
                    let is_fine = snr > if info.codec == c"mp3" { 100.0 } else { 60.0 };
                    assert!(is_fine && reference.len() == samples.len(), "{}: {snr} dB", row.name);
                    min_snr = min_snr.min(snr);
                }
            }
            _ => {
                // Nothing is expected of these but good behaviour.
                if let Ok(mut decoder) = opened {
                    let num_samples = read_all(&mut decoder).len() as u64;
                    let info = decoder.info();
                    assert_eq!(num_samples, info.num_frames.unwrap() * u64::from(info.num_channels));
                }
            }
        }
    }
    println!("{num_equal} files of equal length, at least {min_snr:.1} dB");
}

#[test]
fn seeks_in_the_corpus_are_exact() {
    for row in corpus().iter().filter(|row| matches!(row.container.as_str(), "mpeg-audio")) {
        let bytes = std::fs::read(&row.path).unwrap();
        if open(&bytes).is_ok() {
            assert_seeks_are_exact(&row.name, &bytes, 200);
        }
    }
}

#[test]
fn seeks_are_exact_at_every_bitrate() {
    for (arguments, suffix) in [
        ("-c:a libmp3lame -b:a 32k -ac 1 -ar 22050", "mp3"),
        ("-c:a libmp3lame -b:a 64k", "mp3"),
        ("-c:a libmp3lame -b:a 128k -joint_stereo 0", "mp3"),
        ("-c:a libmp3lame -b:a 192k", "mp3"),
        ("-c:a libmp3lame -b:a 320k", "mp3"),
        ("-c:a libmp3lame -b:a 320k -reservoir 0", "mp3"),
        ("-c:a libmp3lame -q:a 2", "mp3"),
        ("-c:a libmp3lame -q:a 9 -write_xing 0", "mp3"),
        ("-c:a libmp3lame -b:a 160k -abr 1 -ac 1", "mp3"),
        ("-c:a libmp3lame -b:a 64k -ar 22050", "mp3"),
        ("-c:a libmp3lame -b:a 160k -ar 24000", "mp3"),
        ("-c:a libmp3lame -b:a 16k -ar 8000", "mp3"),
        ("-c:a libmp3lame -b:a 64k -ar 12000 -ac 1", "mp3"),
        ("-c:a libshine -b:a 128k", "mp3"),
        ("-c:a libtwolame -b:a 192k", "mp2"),
        ("-c:a libtwolame -b:a 64k -ar 22050 -ac 1", "mp2"),
        ("-c:a mp2 -b:a 384k", "mp2"),
    ] {
        let Some(bytes) = encoded(arguments, suffix) else { continue };
        assert_seeks_are_exact(arguments, &bytes, 400);
        // What damage does to linear decoding it does to seeks as well.
        let mut numbers = Numbers(bytes.len() as u64);
        for _ in 0..6 {
            let mut damaged = bytes.clone();
            for _ in 0..40 {
                let at = numbers.below(damaged.len());
                damaged[at] ^= 1 << numbers.below(8);
            }
            let cut = numbers.below(damaged.len());
            damaged.drain(cut..(cut + numbers.below(3000)).min(bytes.len()));
            if open(&damaged).is_ok() {
                assert_seeks_are_exact(&format!("{arguments}, damaged"), &damaged, 150);
            }
        }
    }
}

#[test]
fn seeks_are_exact_where_channels_change_and_bitrates_are_free() {
    let (Some(stereo), Some(mono)) = (
        encoded("-c:a libmp3lame -b:a 64k -write_xing 0 -id3v2_version 0", "mp3"),
        encoded("-c:a libmp3lame -b:a 48k -ac 1 -write_xing 0 -id3v2_version 0", "mp3"),
    ) else {
        return;
    };
    let parts = [&stereo[..30_000], &mono[..10_000], &stereo[5000..], &mono[3000..]];
    assert_seeks_are_exact("stereo first", &parts.concat(), 400);
    assert_seeks_are_exact(
        "mono first",
        &[&mono, &stereo[..20_000], &mono].map(|part| part.to_vec()).concat(),
        400,
    );
    // At 32 kHz, all frames of a bitrate are of one size, so that they may as well be free.
    for (arguments, suffix) in [
        ("-c:a libmp3lame -b:a 160k -ar 32000 -write_xing 0 -id3v2_version 0", "mp3"),
        ("-c:a libmp3lame -b:a 64k -ar 16000 -ac 1 -write_xing 0 -id3v2_version 0", "mp3"),
        ("-c:a libmp3lame -b:a 48k -ar 32000 -write_xing 0 -id3v2_version 0", "mp3"),
        ("-c:a libtwolame -b:a 192k -ar 32000", "mp2"),
    ] {
        let Some(bytes) = encoded(arguments, suffix) else { continue };
        let mut decoder = open(&bytes).unwrap();
        let expected = read_all(&mut decoder);
        let mut free = bytes.clone();
        let num_bytes = super::header::Header::parse(&bytes).unwrap().num_bytes(0);
        free.chunks_mut(num_bytes).filter(|frame| frame.len() > 2).for_each(|frame| frame[2] &= 0x0F);
        let found = read_all(&mut open(&free).unwrap());
        assert!(found == expected, "{arguments}: the bitrate changes nothing else");
        assert_seeks_are_exact(arguments, &free, 400);
    }
}

#[test]
fn gaps_and_lengths_are_known() {
    let num_frames = |arguments: &str| {
        let bytes = encoded(arguments, "mp3")?;
        Some((open(&bytes).unwrap().info().clone(), bytes))
    };
    for arguments in
        ["-c:a libmp3lame -b:a 128k", "-c:a libmp3lame -q:a 4", "-c:a libmp3lame -q:a 4 -ac 1 -ar 32000"]
    {
        let Some((info, bytes)) = num_frames(arguments) else { return };
        assert_eq!(info.num_frames, Some(5 * u64::from(info.sample_rate)), "{arguments}");
        assert_eq!((info.priming_frames, info.is_truncated), (1105, false));
        // Cut short, it says so, and nothing that is there is taken for padding.
        let cut = open(&bytes[..bytes.len() / 2]).unwrap();
        assert!(cut.info().is_truncated && cut.info().padding_frames == 0, "{arguments}");
        assert!(open(&bytes[..bytes.len() - 1]).unwrap().info().is_truncated);
        // Twice the file is all of it and again all of it, padding and delay between, but no describing frame.
        let twice = open(&[bytes.as_slice(), &bytes].concat()).unwrap();
        let total = u64::from(info.priming_frames + info.padding_frames) + info.num_frames.unwrap();
        assert_eq!(twice.info().num_frames, Some(2 * total - 1105), "{arguments}");
        assert!(!twice.info().is_truncated);
    }
    // Without LAME's word for it nothing is left out, and no frame of a variable bitrate is lost: those are all that hold
    // five seconds and the delay.
    let Some((info, _)) = num_frames("-c:a libmp3lame -q:a 4 -write_xing 0") else { return };
    assert_eq!((info.priming_frames, info.padding_frames), (0, 0));
    assert_eq!(info.num_frames, Some((5 * 44_100 + 1105_u64).next_multiple_of(1152)));
}

#[test]
fn tracks_of_other_containers_are_read() {
    let Some(bytes) = encoded("-c:a libmp3lame -b:a 96k -write_xing 0 -id3v2_version 0", "mp3") else {
        return;
    };
    let all = read_all(&mut open(&bytes).unwrap());
    let input = [vec![0xFF; 1001], bytes.clone(), vec![0xFF; 50]].concat();
    let caf = Track {
        container: "caf",
        codec: "mp3",
        tag: u32::from_be_bytes(*b".mp3"),
        sample_rate: 44_100,
        num_channels: 2,
        channel_mask: 3,
        bits_per_sample: 0,
        bytes_per_packet: 0,
        frames_per_packet: 1152,
        priming_frames: 1105,
        padding_frames: 900,
        num_frames: Some(220_000),
        data: 1001..1001 + bytes.len() as u64,
        config: 0..0,
        table: 0..0,
        num_packets: 193,
    };
    let wav = Track {
        container: "w64",
        codec: "0x0055",
        tag: 0x55,
        priming_frames: 0,
        padding_frames: 0,
        ..caf.clone()
    };
    for (track, container, frames) in [(caf, c"caf", 1105..221_105), (wav, c"wav", 0..all.len() / 2)] {
        let options = DecoderOptions { track: Some(track.clone()), ..DecoderOptions::default() };
        let mut decoder = MpegDecoder::open(Input::from(input.clone()), &options).unwrap();
        assert_eq!((decoder.info().container, decoder.info().codec), (container, c"mp3"));
        assert!(read_all(&mut decoder) == all[2 * frames.start..2 * frames.end]);
        let head =
            Head { bytes: &input[..100], total_bytes: 100, extension: None, track: Some(track.clone()) };
        assert_eq!(MpegDecoder::probe(&head), 95);
        let other = Track { codec: "alac", tag: u32::from_be_bytes(*b"alac"), ..track };
        assert_eq!(MpegDecoder::probe(&Head { track: Some(other), ..head }), 0);
    }
}

#[test]
fn damage_is_silence_and_no_shift() {
    let Some(bytes) = encoded("-c:a libmp3lame -b:a 128k", "mp3") else { return };
    let mut decoder = open(&bytes).unwrap();
    let good = read_all(&mut decoder);
    let mut damaged = bytes.clone();
    let frame = 60 * 418;
    // The side information of one frame becomes all ones, which no granule can have.
    let at = (frame..)
        .find(|at| {
            bytes[*at..].starts_with(&[0xFF, 0xFB, 0x90]) || bytes[*at..].starts_with(&[0xFF, 0xFB, 0x92])
        })
        .unwrap();
    damaged[at + 4..at + 36].fill(0xFF);
    let mut decoder = open(&damaged).unwrap();
    let found = read_all(&mut decoder);
    assert_eq!(found.len(), good.len());
    let differing: Vec<_> =
        (0..good.len()).filter(|at| good[*at].to_bits() != found[*at].to_bits()).collect();
    let (first, last) = (differing[0] / 2, differing[differing.len() - 1] / 2);
    // One frame is silent, and the next one lacks what overlaps.
    assert!(last - first < 2 * 1152 + 600, "{first} to {last}");
    assert!(good[2 * first..2 * (first + 1152)].iter().any(|sample| *sample != 0.0));
    assert!(found[2 * first + 4..2 * (first + 1100)].iter().all(|sample| *sample == 0.0));
}

#[test]
fn tags_and_garbage_are_no_sound() {
    let Some(bytes) = encoded("-c:a libmp3lame -b:a 128k -write_xing 0 -id3v2_version 0", "mp3") else {
        return;
    };
    let mut decoder = open(&bytes).unwrap();
    let (good, info) = (read_all(&mut decoder), decoder.info().clone());
    let id3v2 = [b"ID3\x03\0\0\0\0\x02\0".as_slice(), &[0xFF; 256]].concat();
    let id3v1 = [b"TAG".as_slice(), &[b' '; 125]].concat();
    let between = (bytes.len() / 2..)
        .find(|at| {
            super::header::Header::parse(&bytes[*at..]).is_some_and(|header| {
                let next = at + header.num_bytes(0);
                header.sample_rate() == 44_100 && super::header::Header::parse(&bytes[next..]).is_some()
            })
        })
        .unwrap();
    // Tags in the middle interrupt nothing.
    for parts in [
        vec![id3v2.as_slice(), &id3v2, &bytes],
        vec![&bytes, &id3v1],
        vec![&bytes[..between], &id3v2, &bytes[between..], &id3v1],
    ] {
        let mut decoder = open(&parts.concat()).unwrap();
        assert_eq!(decoder.info(), &info);
        assert!(read_all(&mut decoder) == good);
    }
    // Garbage does, but no frame is lost and none is added.
    let garbage: Vec<u8> = (0..5000_u32).map(|number| ((number * number) >> 3) as u8).collect();
    let mut decoder = open(
        &[&garbage, &bytes[..between], &garbage, &bytes[between..], &garbage]
            .map(|part: &[u8]| part.to_vec())
            .concat(),
    )
    .unwrap();
    assert_eq!(decoder.info(), &info);
    assert_eq!(read_all(&mut decoder).len(), good.len());
}

#[test]
fn noise_is_refused() {
    let mut numbers = Numbers(7);
    for num_bytes in [0, 1, 3, 4, 5, 100, 10_000, 3_000_000] {
        let noise: Vec<u8> = (0..num_bytes).map(|_| u8::try_from(numbers.below(256)).unwrap()).collect();
        let error = open(&noise).err().expect("noise is no sound");
        assert_eq!(error.status(), Status::BadData);
        let head = Head {
            bytes: &noise[..num_bytes.min(8192)],
            total_bytes: num_bytes as u64,
            extension: Some("mp3"),
            track: None,
        };
        assert_eq!(MpegDecoder::probe(&head), 0);
        assert_eq!(MpegDecoder::probe(&Head { extension: None, ..head }), 0);
    }
}

#[test]
fn probing_tells_formats_apart() {
    let score = |bytes: &[u8], extension| {
        let head = &bytes[..bytes.len().min(MpegDecoder::PROBE_BYTES as usize)];
        MpegDecoder::probe(&Head { bytes: head, total_bytes: bytes.len() as u64, extension, track: None })
    };
    for row in corpus() {
        let bytes = std::fs::read(&row.path).unwrap();
        let is_raw = row.status.starts_with("valid") && row.container == "mpeg-audio";
        if is_raw {
            assert!(score(&bytes, None) >= 90, "{}: {}", row.name, score(&bytes, None));
        } else if row.container == "riff" || row.container == "caf" {
            assert_eq!(score(&bytes, Some("mp3")), 0, "{}", row.name);
            let head = Head {
                bytes: &bytes,
                total_bytes: bytes.len() as u64,
                extension: None,
                track: track(&row, &bytes),
            };
            assert_eq!(MpegDecoder::probe(&head), 95);
        }
    }
    assert_eq!(score(b"ID3\x03\0\0\x01\0\0\0", None), 60, "a long tag");
    let rest = [[0xFF, 0xFB, 0x90, 0x64].as_slice(), &[0; 413]].concat().repeat(20);
    for body in [8000, 8100, 8176, 8182] {
        let size = [0, 0, (body >> 7) as u8, body as u8 & 0x7F];
        let file = [b"ID3\x03\0\0".as_slice(), &size, &vec![0; body], &rest].concat();
        assert!(score(&file, None) >= 60, "{body}: {}", score(&file, None));
    }
    let adts = [[0xFF, 0xF1, 0x50, 0x80, 0x02, 0x1F, 0xFC].as_slice(), &[0x21; 9]].concat().repeat(500);
    assert_eq!(score(&adts, None), 0);
}

#[test]
fn no_bytes_are_too_bad() {
    for (arguments, suffix) in [
        ("-c:a libmp3lame -b:a 40k -t 0.25", "mp3"),
        ("-c:a libmp3lame -b:a 8k -ar 8000 -ac 1 -t 0.3", "mp3"),
        ("-c:a mp2 -b:a 48k -ac 1 -t 0.2", "mp2"),
    ] {
        let Some(bytes) = encoded(arguments, suffix) else { return };
        let check = |bytes: &[u8]| {
            if let Ok(mut decoder) = open(bytes) {
                let num_samples = read_all(&mut decoder).len() as u64;
                let info = decoder.info();
                assert_eq!(num_samples, info.num_frames.unwrap() * u64::from(info.num_channels));
            }
        };
        for at in 0..bytes.len() {
            check(&bytes[..at]);
            check(&bytes[at..]);
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            check(&flipped);
            flipped[at] = 0xFF;
            check(&flipped);
        }
    }
}

#[test]
fn what_may_not_be_allocated_is_not() {
    let frame = [[0xFF, 0xF3, 0x14, 0xC4].as_slice(), &[0; 20]].concat(); // 24 bytes at 24 kHz
    let bytes = frame.repeat(10_000);
    let options = DecoderOptions { max_alloc: 10_000, ..DecoderOptions::default() };
    let error = MpegDecoder::open(Input::from(bytes.clone()), &options).err().unwrap();
    assert_eq!(error.status(), Status::Limit);
    let options = DecoderOptions { max_alloc: 200_000, ..options };
    let decoder = MpegDecoder::open(Input::from(bytes), &options).unwrap();
    assert_eq!(decoder.info().num_frames, Some(5_760_000));
}

#[test]
fn an_index_that_is_made_up_is_not_believed() {
    let frame = [[0xFF, 0xF3, 0x14, 0xC4].as_slice(), &[0; 20]].concat();
    let bytes = frame.repeat(1000);
    let open = |index: &[u8]| {
        let options = DecoderOptions { index, ..DecoderOptions::default() };
        MpegDecoder::open(Input::from(bytes.clone()), &options).unwrap()
    };
    let plain = open(&[]);
    let saved = plain.save_index().unwrap();
    assert_eq!(open(&saved).save_index().unwrap(), saved);
    // The number of the place of the first frame, as large as any.
    let tag = saved.get(..8).unwrap();
    let largest = [&[0xFF; 9][..], &[1]].concat();
    for made_up in [[tag, &largest].concat(), [tag, &largest, saved.get(9..).unwrap()].concat()] {
        let decoder = open(&made_up);
        assert_eq!((decoder.info(), decoder.save_index().unwrap()), (plain.info(), saved.clone()));
    }
}
