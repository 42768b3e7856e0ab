//! Compares Matroska with FFmpeg: files of the corpus, and files that FFmpeg makes from the recording, if it is
//! installed.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use mapwave_plugin::{Decoder, DecoderOptions, Head, Input, Output, Sample, SampleFormat, SeekClass, Status};
use sha2::{Digest, Sha256};

use super::MatroskaDecoder;
use crate::fixtures;

const RECORDING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/valid/recording.wav");

/// Files for FFmpeg to make: the encoder, its options and the extension.
const ENCODINGS: &[(&str, &[&str], &str)] = &[
    ("flac", &[], "mka"),
    ("flac", &["-sample_fmt", "s32", "-bits_per_raw_sample", "24"], "mka"),
    ("flac", &["-ac", "1", "-frame_size", "500"], "mkv"),
    ("alac", &[], "mka"),
    ("alac", &["-sample_fmt", "s32p"], "mka"),
    ("libvorbis", &[], "webm"),
    ("libvorbis", &["-ac", "1", "-ar", "22050"], "mka"),
    ("flac", &["-af", "pan=5.1|FL=FL|FR=FR|FC=0.5*FL|LFE=0.1*FR|BL=0.3*FL|BR=0.2*FR"], "mka"),
    ("alac", &["-af", "pan=5.1|FL=FL|FR=FR|FC=0.5*FL|LFE=0.1*FR|BL=0.3*FL|BR=0.2*FR"], "mka"),
    ("libvorbis", &["-af", "pan=5.1|FL=FL|FR=FR|FC=0.5*FL|LFE=0.1*FR|BL=0.3*FL|BR=0.2*FR"], "mka"),
    ("libmp3lame", &[], "mka"),
    ("libmp3lame", &["-ar", "22050", "-q:a", "4"], "mka"),
    ("mp2", &[], "mka"),
    ("aac", &["-aac_pns", "0"], "mka"),
    ("pcm_u8", &[], "mka"),
    ("pcm_s16be", &[], "mka"),
    ("pcm_s24le", &["-live", "1"], "mkv"),
    ("pcm_s32le", &["-cluster_size_limit", "20000"], "mka"),
    ("pcm_f32le", &[], "mka"),
    ("pcm_f64le", &[], "mka"),
];

/// A file, and its samples decoded by FFmpeg.
struct Case {
    name: String,
    bytes: Vec<u8>,
    reference: Vec<f32>,
}

fn ffmpeg(arguments: &[&str]) -> Option<Vec<u8>> {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "error"]).args(arguments).stderr(Stdio::null());
    let output = command.output().ok()?;
    output.status.success().then_some(output.stdout)
}

fn reference(path: &Path) -> Option<Vec<f32>> {
    reference_by(&[], path)
}

/// The same with options of the decoder.
fn reference_by(options: &[&str], path: &Path) -> Option<Vec<f32>> {
    let samples = ffmpeg(&[options, &["-i", path.to_str()?, "-f", "f32le", "-"]].concat())?;
    Some(samples.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
}

/// Files written by FFmpeg; none, with a notice, if it is not installed.
fn cases(name: &str) -> Vec<Case> {
    let directory = std::env::temp_dir().join(format!("mapwave-matroska-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let mut cases = Vec::new();
    for (number, (encoder, options, extension)) in ENCODINGS.iter().enumerate() {
        let path = directory.join(format!("{number}.{extension}"));
        let input = ["-y", "-ss", "1", "-t", "1.1", "-i", RECORDING, "-c:a", encoder];
        if ffmpeg(&[&input, *options, &[path.to_str().unwrap()]].concat()).is_some() {
            let name = format!("{encoder} {options:?}");
            cases.push(Case {
                name,
                bytes: std::fs::read(&path).unwrap(),
                reference: reference(&path).unwrap(),
            });
        }
    }
    std::fs::remove_dir_all(&directory).unwrap();
    if cases.is_empty() {
        println!("skipped: there is no ffmpeg to make and decode files with");
    }
    cases
}

/// The corpus' table, row by row.
fn rows() -> Vec<(PathBuf, Vec<String>)> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let corpus = std::env::var_os("MAPWAVE_CORPUS").map_or(corpus, PathBuf::from);
    let Ok(table) = std::fs::read_to_string(corpus.join("expected.tsv")) else {
        println!("skipped: there is no corpus at {} (MAPWAVE_CORPUS names another place)", corpus.display());
        return Vec::new();
    };
    let rows = table.lines().map(|line| line.split('\t').map(str::to_owned).collect::<Vec<_>>());
    rows.filter(|row| row[4] == "matroska").map(|row| (corpus.join(&row[0]), row)).collect()
}

fn open(bytes: &[u8]) -> Result<MatroskaDecoder, mapwave_plugin::Error> {
    MatroskaDecoder::open(Input::from(bytes.to_vec()), &DecoderOptions::default())
}

/// The next frames, at most `num_frames`, decoded `step` at a time.
fn frames<T: Sample>(
    decoder: &mut MatroskaDecoder,
    num_frames: usize,
    step: usize,
) -> Result<Vec<T>, Status> {
    let num_channels = decoder.info().num_channels as usize;
    let mut samples = vec![T::default(); num_frames * num_channels];
    let mut done = 0;
    for room in samples.chunks_mut(step * num_channels) {
        let (written, result) = Output::with_slice(room, num_channels, |output| {
            let result = decoder.decode(output);
            (output.num_written(), result)
        });
        result.map_err(|error| error.status())?;
        done += written;
        if written * num_channels < room.len() {
            break;
        }
    }
    samples.truncate(done * num_channels);
    Ok(samples)
}

fn whole<T: Sample>(decoder: &mut MatroskaDecoder) -> Vec<T> {
    decoder.seek(0).unwrap();
    let num_frames = decoder.info().num_frames.unwrap() as usize;
    let samples = frames(decoder, num_frames + 1, 1 << 20).unwrap();
    assert_eq!(samples.len(), num_frames * decoder.info().num_channels as usize, "as many frames as it says");
    samples
}

/// The signal to noise ratio in decibels.
fn snr(reference: &[f32], samples: &[f32]) -> f64 {
    let energy =
        |values: &mut dyn Iterator<Item = f32>| values.map(|value| f64::from(value).powi(2)).sum::<f64>();
    let noise = energy(&mut reference.iter().zip(samples).map(|(a, b)| a - b));
    10.0 * (energy(&mut reference.iter().copied()) / noise.max(1e-30)).log10()
}

struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }
}

#[test]
fn the_corpus_comes_out_as_ffmpeg_decodes_it() {
    let (mut num_read, mut num_exact) = (0, 0);
    for (path, row) in rows() {
        let bytes = std::fs::read(&path).unwrap();
        let mut decoder = open(&bytes).unwrap();
        let info = decoder.info().clone();
        let found =
            (info.codec.to_str().unwrap(), info.sample_rate.to_string(), info.num_channels.to_string());
        assert_eq!(found, (row[5].as_str(), row[6].clone(), row[7].clone()), "{}", path.display());
        assert_eq!(info.num_frames.unwrap().to_string(), row[8], "{}", path.display());
        assert!(!info.is_truncated);
        num_read += 1;
        if row[9] == "int32" {
            let samples =
                if info.formats.contains(&SampleFormat::I32) { whole::<i32>(&mut decoder) } else { vec![] };
            let canon: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
            let digest: String = Sha256::digest(&canon).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(digest, row[10], "{}", path.display());
            num_exact += 1;
            continue;
        }
        let is_opus = row[5] == "opus";
        let libopus = ["-c:a", "libopus", "-request_sample_fmt", "flt"];
        if let Some(reference) = reference_by(if is_opus { &libopus } else { &[] }, &path) {
            let ratio = snr(&reference, &whole(&mut decoder));
            assert!(ratio > if is_opus { 120.0 } else { 90.0 }, "{}: {ratio} dB", path.display());
        }
    }
    println!(
        "matroska: {num_read} files with the right frames, {num_exact} bit for bit, the others above 90 dB"
    );
}

#[test]
fn the_fixtures_come_out_as_others_decode_them() {
    for name in ["flac.mka", "vorbis.webm", "opus.webm"] {
        fixtures::check::<MatroskaDecoder>(name, None);
    }
}

#[test]
fn every_codec_comes_out_as_ffmpeg_decodes_it() {
    for case in cases("codecs") {
        let mut decoder = open(&case.bytes).unwrap_or_else(|error| panic!("{}: {error}", case.name));
        let samples: Vec<f32> = whole(&mut decoder);
        let num_channels = decoder.info().num_channels as usize;
        assert_eq!(samples.len() / num_channels, case.reference.len() / num_channels, "{}", case.name);
        let ratio = snr(&case.reference, &samples);
        println!("matroska: {} {ratio:.0} dB, {:?}", case.name, decoder.info().seek_class);
        let least = match decoder.info() {
            info if info.is_lossless => 250.0,
            info if info.codec == c"mp2" => 70.0, // FFmpeg scales layer II in integers
            _ => 90.0,
        };
        assert!(ratio > least, "{}: {ratio} dB", case.name);
        assert!(!decoder.info().is_truncated, "{}", case.name);
        if decoder.info().native_format == SampleFormat::I16 {
            let native = whole::<i16>(&mut decoder);
            assert!(native.iter().zip(&samples).all(|(a, b)| f32::from(*a) / 32768.0 == *b), "{}", case.name);
        }
    }
}

#[test]
fn any_window_is_what_linear_decoding_gives() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    for case in cases("windows") {
        let mut decoder = open(&case.bytes).unwrap();
        let (linear, num_channels) = (whole::<f32>(&mut decoder), decoder.info().num_channels as usize);
        let num_frames = linear.len() / num_channels;
        assert!(whole::<f32>(&mut decoder.fork().unwrap()) == linear, "{}: a second handle", case.name);
        let num_windows = if decoder.info().seek_class == SeekClass::Exact { 60 } else { 5 };
        let mut fork = decoder.fork().unwrap();
        for _ in 0..num_windows {
            let start = random.below(num_frames + 1);
            let count = random.below(num_frames - start + 1).max(1);
            let handle = if random.below(2) == 0 { &mut decoder } else { &mut fork };
            handle.seek(start as u64).unwrap();
            let window: Vec<f32> = frames(handle, count, 1 + random.below(5000)).unwrap();
            let end = (start + count).min(num_frames);
            assert!(
                window == linear[start * num_channels..end * num_channels],
                "{} {start}..{end}",
                case.name
            );
        }
        assert_eq!(decoder.seek(num_frames as u64 + 1).unwrap_err().status(), Status::BadArgument);
    }
}

/// An element with a size of four bytes.
fn element(id: &[u8], data: &[u8]) -> Vec<u8> {
    [id, &(0x1000_0000 | data.len() as u32).to_be_bytes(), data].concat()
}

/// A file with one track of PCM, 8000 Hz, mono, 16 bits, with additions to the track entry and these clusters.
fn pcm(entry: &[u8], clusters: &[u8]) -> Vec<u8> {
    let header = element(&[0x1a, 0x45, 0xdf, 0xa3], &element(&[0x42, 0x82], b"webm"));
    let audio = [element(&[0xb5], &8000_f32.to_be_bytes()), element(&[0x62, 0x64], &[16])].concat();
    let codec = element(&[0x86], b"A_PCM/INT/LIT");
    let track =
        [element(&[0xd7], &[1]), element(&[0x83], &[2]), codec, element(&[0xe1], &audio), entry.to_vec()];
    let tracks = element(&[0x16, 0x54, 0xae, 0x6b], &element(&[0xae], &track.concat()));
    [header, element(&[0x18, 0x53, 0x80, 0x67], &[tracks.as_slice(), clusters].concat())].concat()
}

fn block(samples: &[u8]) -> Vec<u8> {
    [&[0x81, 0, 0, 0x80], samples].concat()
}

#[test]
fn delay_and_padding_are_left_out() {
    // Half a millisecond is 4 frames.
    let delay = element(&[0x56, 0xaa], &500_000_u32.to_be_bytes());
    let samples: Vec<u8> = (0..20_u8).flat_map(|sample| [sample, 0]).collect();
    let group = |padding: i32| {
        let padding = element(&[0x75, 0xa2], &padding.to_be_bytes());
        element(&[0xa0], &[element(&[0xa1], &block(&samples)), padding].concat())
    };
    let clusters = element(&[0x1f, 0x43, 0xb6, 0x75], &[group(0), group(375_000)].concat());
    let mut decoder = open(&pcm(&delay, &clusters)).unwrap();
    let info = decoder.info();
    assert_eq!((info.num_frames, info.priming_frames, info.padding_frames), (Some(33), 4, 3));
    let expected: Vec<i16> = (4..20).chain(0..17).collect();
    assert_eq!(whole::<i16>(&mut decoder), expected);
    decoder.seek(30).unwrap();
    assert_eq!(frames::<i16>(&mut decoder, 9, 2), Ok(vec![14, 15, 16]));
}

#[test]
fn what_all_packets_begin_with_may_be_left_out() {
    let settings = [element(&[0x42, 0x54], &[3]), element(&[0x42, 0x55], &[7, 0])].concat();
    let compression = element(&[0x50, 0x34], &settings);
    let entry = element(&[0x6d, 0x80], &element(&[0x62, 0x40], &compression));
    let simple = element(&[0xa3], &block(&[8, 0]));
    let mut decoder = open(&pcm(&entry, &element(&[0x1f, 0x43, 0xb6, 0x75], &simple.repeat(2)))).unwrap();
    assert_eq!(whole::<i16>(&mut decoder), [7, 8, 7, 8]);
    let zlib = element(&[0x6d, 0x80], &element(&[0x62, 0x40], &element(&[0x50, 0x34], &[])));
    assert_eq!(open(&pcm(&zlib, &[])).unwrap_err().message(), "compressed packets of A_PCM/INT/LIT");
}

#[test]
fn a_cluster_that_makes_no_sense_costs_only_its_own_rest() {
    let good = element(&[0xa3], &block(&[1, 0]));
    let cluster = |inside: &[u8]| element(&[0x1f, 0x43, 0xb6, 0x75], inside);
    let clusters = [cluster(&[good.as_slice(), &[0; 9], &good].concat()), cluster(&good)].concat();
    let mut decoder = open(&pcm(&[], &clusters)).unwrap();
    assert_eq!((whole::<i16>(&mut decoder), decoder.info().is_truncated), (vec![1, 1], true));
    // A block of another track, and one with inconsistent lacing.
    let other = element(&[0xa3], &[0x82, 0, 0, 0x80, 9, 0]);
    let broken = element(&[0xa3], &[0x81, 0, 0, 0x82, 1, 200, 9, 0]);
    let mut decoder = open(&pcm(&[], &cluster(&[other, broken, good].concat()))).unwrap();
    assert_eq!((whole::<i16>(&mut decoder), decoder.info().is_truncated), (vec![1], false));
}

/// A track entry of an audio track with a PCM codec, unless the fields say otherwise.
fn listed_track(number: u8, fields: &[u8]) -> Vec<u8> {
    let audio = element(
        &[0xe1],
        &[element(&[0xb5], &8000_f32.to_be_bytes()), element(&[0x62, 0x64], &[16])].concat(),
    );
    let own =
        [element(&[0xd7], &[number]), element(&[0x83], &[2]), element(&[0x86], b"A_PCM/INT/LIT")].concat();
    element(&[0xae], &[&own[..], &audio, fields].concat())
}

#[test]
fn tracks_are_listed_and_the_flagged_one_is_the_default() {
    let tracks = |entries: &[Vec<u8>]| {
        let header = element(&[0x1a, 0x45, 0xdf, 0xa3], &element(&[0x42, 0x82], b"matroska"));
        let tracks = element(&[0x16, 0x54, 0xae, 0x6b], &entries.concat());
        let block = |number: u8, sample: u8| element(&[0xa3], &[0x80 | number, 0, 0, 0x80, sample, 0]);
        let cluster =
            element(&[0x1f, 0x43, 0xb6, 0x75], &[block(1, 11), block(2, 22), block(3, 33)].concat());
        [header, element(&[0x18, 0x53, 0x80, 0x67], &[tracks, cluster].concat())].concat()
    };
    let first = |bytes: &[u8], stream| {
        let options = DecoderOptions { stream, ..DecoderOptions::default() };
        let mut decoder = MatroskaDecoder::open(Input::from(bytes.to_vec()), &options)?;
        let listed = decoder
            .streams()
            .iter()
            .map(|entry| (entry.language.clone(), entry.is_default))
            .collect::<Vec<_>>();
        Ok::<_, mapwave_plugin::Error>((whole::<i16>(&mut decoder)[0], listed))
    };
    let flag = |value| element(&[0x88], &[value]);
    let language = |text: &[u8]| element(&[0x22, 0xb5, 0x9c], text);
    let tag = |text: &[u8]| element(&[0x22, 0xb5, 0x9d], text);
    let named = |text: &str| Some(std::ffi::CString::new(text).unwrap());
    // RFC 9559: the flag is 1 and the language English where a writer leaves them out.
    let file = tracks(&[listed_track(1, &[]), listed_track(2, &language(b"und"))]);
    let listed = vec![(named("eng"), true), (None, false)];
    assert_eq!(first(&file, None).unwrap(), (11, listed.clone()));
    assert_eq!(first(&file, Some(1)).unwrap(), (22, listed));
    let entries = [
        listed_track(1, &flag(0)),
        listed_track(2, &[flag(1), language(b"ger"), tag(b"de-CH")].concat()),
        listed_track(3, &tag(b"fr-CA")),
    ];
    let file = tracks(&entries);
    let listed = vec![(named("eng"), false), (named("ger"), true), (named("fr-CA"), false)];
    assert_eq!(first(&file, None).unwrap(), (22, listed.clone()));
    for (stream, sample) in [(0, 11), (1, 22), (2, 33)] {
        assert_eq!(first(&file, Some(stream)).unwrap(), (sample, listed.clone()));
    }
    // Pictures do not count, and without any flag it is the first.
    let picture = element(&[0xae], &[element(&[0xd7], &[9]), element(&[0x83], &[1])].concat());
    let file = tracks(&[picture, listed_track(2, &flag(0)), listed_track(3, &flag(0))]);
    assert_eq!(first(&file, None).unwrap().0, 22);
    assert_eq!(first(&file, Some(1)).unwrap().0, 33);
    let error = first(&file, Some(2)).unwrap_err();
    assert_eq!((error.status(), error.message()), (Status::BadArgument, "the file has 2 sound tracks"));
    // A codec that is not supported is listed and named.
    let file = tracks(&[listed_track(1, &[]), listed_track(2, &element(&[0x86], b"A_AC3"))]);
    assert_eq!(first(&file, None).unwrap().0, 11);
    let error = first(&file, Some(1)).unwrap_err();
    assert_eq!(error.status(), Status::Unsupported);
    assert!(error.message().ends_with("(track 1 of the file's: pcm_s16le, ac3)"), "{error}");
}

#[test]
fn refusals() {
    let status = |bytes: &[u8]| open(bytes).unwrap_err().status();
    assert_eq!(status(b"\x1a\x45\xdf\xa3"), Status::Unsupported);
    assert_eq!(open(&pcm(&[], &[])).unwrap().info().num_frames, Some(0));
    assert_eq!(status(&pcm(&element(&[0x86], b"A_TTA1"), &[])), Status::Unsupported);
    assert_eq!(status(&pcm(&element(&[0x83], &[1]), &[])), Status::Unsupported);
    let no_rate = element(&[0xe1], &element(&[0xb5], &0_f32.to_be_bytes()));
    assert_eq!(status(&pcm(&no_rate, &[])), Status::BadData);
    let options = DecoderOptions { stream: Some(1), ..DecoderOptions::default() };
    let error = MatroskaDecoder::open(Input::from(pcm(&[], &[])), &options).unwrap_err();
    assert_eq!((error.status(), error.message()), (Status::BadArgument, "the file has 1 sound track"));

    let file = pcm(&[], &[]);
    let head = |bytes, track| Head { bytes, total_bytes: 100, extension: None, track };
    assert_eq!(MatroskaDecoder::probe(&head(&file, None)), 95);
    assert_eq!(MatroskaDecoder::probe(&head(b"RIFF", None)), 0);
}

#[test]
fn many_small_packets_keep_to_the_allowance() {
    let packets = element(&[0xa3], &block(&[0, 0])).repeat(100_000);
    let file = pcm(&[], &element(&[0x1f, 0x43, 0xb6, 0x75], &packets));
    let options = |max_alloc| DecoderOptions { max_alloc, ..DecoderOptions::default() };
    let error = MatroskaDecoder::open(Input::from(file.clone()), &options(1 << 20)).unwrap_err();
    assert_eq!(error.status(), Status::Limit);
    let decoder = MatroskaDecoder::open(Input::from(file), &options(1 << 24)).unwrap();
    assert_eq!(decoder.info().num_frames, Some(100_000));
}

/// Whatever the bytes, opening fails, decoding fails, or exactly the promised number of frames is decoded.
fn is_well_behaved(bytes: &[u8]) {
    let Ok(mut decoder) = open(bytes) else { return };
    let num_frames = decoder.info().num_frames.unwrap();
    // A sum of random numbers may overflow.
    let wanted = num_frames.min(1 << 22) as usize;
    if let Ok(samples) = frames::<f32>(&mut decoder, wanted, 1 << 20) {
        assert_eq!(samples.len(), wanted * decoder.info().num_channels as usize);
    }
    decoder.seek(num_frames / 2).unwrap();
    let _ = frames::<f32>(&mut decoder, 10, 3);
}

/// Files small enough to be damaged often.
fn small() -> Vec<(String, Vec<u8>)> {
    let packet = element(&[0xa3], &block(&[8, 0, 7, 0]));
    let cluster = element(&[0x1f, 0x43, 0xb6, 0x75], &packet.repeat(3));
    let files = rows().into_iter().map(|(path, row)| (row[5].clone(), std::fs::read(path).unwrap()));
    let fixtures = ["flac.mka", "vorbis.webm"].map(|name| (name.to_owned(), fixtures::read(name)));
    files.chain(fixtures).chain([("pcm".to_owned(), pcm(&[], &cluster))]).collect()
}

#[test]
fn files_may_end_anywhere() {
    for (name, file) in small() {
        let whole_frames = open(&file).ok().and_then(|decoder| decoder.info().num_frames);
        let step = 1 + file.len() / 500;
        for end in (0..file.len()).step_by(step).chain(0..file.len().min(600)) {
            is_well_behaved(&file[..end]);
            if let Ok(decoder) = open(&file[..end]) {
                assert!(decoder.info().num_frames <= whole_frames, "{name} {end}");
                assert!(decoder.info().is_truncated, "{name} {end}");
            }
        }
    }
}

#[test]
fn bits_may_flip_anywhere() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let large = cases("flips").into_iter().map(|case| (case.bytes, 40));
    for (file, num_rounds) in small().into_iter().map(|(_, file)| (file, 300)).chain(large) {
        for _ in 0..num_rounds {
            let mut broken = file.clone();
            for _ in 0..1 + random.below(4) {
                let end = if random.below(3) == 0 { broken.len() } else { broken.len().min(600) };
                broken[random.below(end)] ^= 1 << random.below(8);
            }
            is_well_behaved(&broken);
        }
    }
}
