//! Files of the corpus, and files written by FFmpeg.

use super::*;

/// A row of the corpus' table.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) status: String,
    pub(crate) container: String,
    pub(crate) codec: String,
    pub(crate) num_frames: Option<u64>,
    pub(crate) sha256: String,
    pub(crate) path: PathBuf,
}

/// The rows of the containers read here.
fn rows() -> Vec<Row> {
    rows_of(&["mp4", "adts", "caf"])
}

/// The rows of containers; none, with a notice, without a corpus.
pub(crate) fn rows_of(containers: &[&str]) -> Vec<Row> {
    let corpus = corpus_directory();
    let Ok(table) = std::fs::read_to_string(corpus.join("expected.tsv")) else {
        println!("skipped: there is no corpus at {} (MAPWAVE_CORPUS names another place)", corpus.display());
        return Vec::new();
    };
    let rows = table.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let rows = rows.filter(|row| containers.contains(&row[4]));
    let row = |row: Vec<&str>| Row {
        name: row[0].to_owned(),
        status: row[1].to_owned(),
        container: row[4].to_owned(),
        codec: row[5].to_owned(),
        num_frames: row[8].parse().ok(),
        sha256: row[10].to_owned(),
        path: corpus.join(row[0]),
    };
    rows.map(row).collect()
}

/// A file decoded by FFmpeg.
pub(crate) fn decoded_by_ffmpeg(path: &Path, directory: &Directory) -> Option<Vec<f32>> {
    let bytes = ffmpeg(directory, "decoded.f32", &["-i", path.to_str().unwrap(), "-f", "f32le"])?;
    Some(bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
}

#[test]
fn the_corpus_decodes_to_what_others_decode() {
    let directory = Directory::new("corpus");
    let (mut num_exact, mut num_close, mut lowest) = (0, 0, f64::INFINITY);
    for row in rows().iter().filter(|row| row.status.starts_with("valid")) {
        if !matches!(&*row.codec, "aac" | "alac") {
            continue;
        }
        let bytes = std::fs::read(&row.path).unwrap();
        let opened = Any::open(&bytes, &DecoderOptions::default());
        let mut decoder = opened.unwrap_or_else(|error| panic!("{}: {error}", row.name));
        let info = decoder.info().clone();
        assert!(!info.is_truncated);
        if row.codec == "alac" {
            assert_eq!(Some(decoder.num_frames()), row.num_frames, "{}", row.name);
            let samples: Vec<i32> = decoder.read_all();
            let samples: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
            assert_eq!(digest(&samples), row.sha256, "{}", row.name);
            num_exact += 1;
            continue;
        }
        // FFmpeg 5.1 drops priming but returns the padding of the last packet, although the file declares it.
        let padding_frames = u64::from(info.padding_frames);
        assert_eq!(Some(decoder.num_frames() + padding_frames), row.num_frames, "{}", row.name);
        assert!(padding_frames < 1024, "{}", row.name);
        let samples: Vec<f32> = decoder.read_all();
        let Some(expected) = decoded_by_ffmpeg(&row.path, &directory) else { continue };
        let ratio = snr(&expected[..samples.len()], &samples);
        println!("{}: {} frames, SNR {ratio:.1} dB", row.name, decoder.num_frames());
        assert!(ratio >= 60.0, "{}: {ratio}", row.name);
        lowest = lowest.min(ratio);
        num_close += 1;
    }
    println!("{num_exact} ALAC files bit-exact, {num_close} AAC files from {lowest:.1} dB");
}

#[test]
fn what_every_decoder_refuses_is_refused() {
    let rows = rows();
    let others = rows.iter().filter(|row| row.status == "must-error" && row.container == "mp4");
    for row in others {
        let bytes = std::fs::read(&row.path).unwrap();
        let error = Any::open(&bytes, &DecoderOptions::default()).err();
        let error = error.unwrap_or_else(|| panic!("{} is refused", row.name));
        assert!(error.message().contains("no sound track"), "{}: {error}", row.name);
    }
}

#[test]
fn lengths_are_those_of_what_was_encoded() {
    let directory = Directory::new("lengths");
    let three = sound(2, 3.0);
    let source = ["-f", "lavfi", "-i", &three];
    let fragmented = [
        "-c:a",
        "aac",
        "-aac_pns",
        "0",
        "-movflags",
        "+frag_keyframe+empty_moov",
        "-frag_duration",
        "500000",
    ];
    let files: [(&str, &[&str], u64, u32); 6] = [
        ("a.m4a", &["-c:a", "aac", "-aac_pns", "0"], 132_300, 1024),
        ("b.mp4", &["-c:a", "aac", "-aac_pns", "0", "-movflags", "+faststart"], 132_300, 1024),
        ("c.mov", &["-c:a", "aac", "-aac_pns", "0"], 132_300, 1024),
        // Without an edit list, priming is unknown, but the last duration leaves out the padding.
        ("d.mp4", &fragmented, 132_300 + 1024, 0),
        ("e.m4a", &["-c:a", "alac"], 132_300, 0),
        ("f.mov", &["-c:a", "alac", "-sample_fmt", "s32p"], 132_300, 0),
    ];
    for (name, arguments, num_frames, priming_frames) in files {
        let arguments = [&source[..], arguments].concat();
        let Some(bytes) = ffmpeg(&directory, name, &arguments) else { return };
        let mut decoder = Any::open(&bytes, &DecoderOptions::default()).unwrap();
        let found = (decoder.num_frames(), decoder.info().priming_frames);
        let samples: Vec<f32> = decoder.read_all();
        let Some(expected) = decoded_by_ffmpeg(&directory.0.join(name), &directory) else { return };
        println!("{name}: {found:?}, FFmpeg decodes {} frames", expected.len() / 2);
        assert_eq!(found, (num_frames, priming_frames), "{name}");
        let ratio = snr(&expected[..samples.len()], &samples);
        println!("{name}: SNR {ratio:.1} dB");
        assert!(ratio >= 60.0, "{name}: {ratio}");
        assert!(decoder.tags().iter().any(|(name, _)| name == "encoder") || name.ends_with("mov"));
    }
}

#[test]
fn low_rates_are_not_taken_for_band_replication() {
    let directory = Directory::new("rates");
    let source = sound(2, 0.5);
    for (rate, bit_rate) in
        [("8000", "16k"), ("11025", "24k"), ("16000", "64k"), ("22050", "48k"), ("24000", "96k")]
    {
        let arguments = ["-f", "lavfi", "-i", &source, "-c:a", "aac", "-ar", rate, "-b:a", bit_rate];
        let Some(bytes) = ffmpeg(&directory, "a.aac", &arguments) else { return };
        let decoder = Any::open(&bytes, &DecoderOptions::default()).unwrap();
        assert_eq!(decoder.info().sample_rate.to_string(), rate);
    }
}

#[test]
fn channels_of_alac_come_in_the_order_of_the_mask() {
    let directory = Directory::new("channels");
    let masks = [0x4, 0x3, 0x7, 0x107, 0x37, 0x3f, 0x13f, 0xff];
    let layouts = ["mono", "stereo", "3.0", "4.0", "5.0", "5.1", "6.1(back)", "7.1(wide)"];
    for (num_channels, (mask, layout)) in (1..).zip(masks.into_iter().zip(layouts)) {
        let source = format!("{}:c={layout}", sound(num_channels, 0.2));
        let arguments = ["-f", "lavfi", "-i", &source, "-c:a", "alac", "-sample_fmt", "s16p"];
        let Some(bytes) = ffmpeg(&directory, "a.m4a", &arguments) else { return };
        let mut decoder = Any::open(&bytes, &DecoderOptions::default()).unwrap();
        assert_eq!((decoder.info().num_channels as usize, decoder.info().channel_mask), (num_channels, mask));
        let samples: Vec<i16> = decoder.read_all();
        let path = directory.0.join("a.m4a");
        let Some(expected) = ffmpeg(&directory, "a.s16", &["-i", path.to_str().unwrap(), "-f", "s16le"])
        else {
            return;
        };
        let expected: Vec<i16> =
            expected.as_chunks::<2>().0.iter().map(|bytes| i16::from_le_bytes(*bytes)).collect();
        assert!(samples == expected, "{layout}");
    }
}

#[test]
fn a_stream_of_several_is_picked_by_number() {
    let directory = Directory::new("streams");
    let (mono, stereo) = (sound(1, 0.3), sound(2, 0.5));
    let inputs = ["testsrc=d=0.5:s=64x64", &mono, &stereo].map(|source| ["-f", "lavfi", "-i", source]);
    let codecs = ["-map", "0", "-map", "1", "-map", "2", "-c:v", "mpeg4", "-c:a:0", "alac", "-c:a:1", "aac"];
    let arguments = [&inputs.concat()[..], &codecs].concat();
    let Some(bytes) = ffmpeg(&directory, "a.mp4", &arguments) else { return };
    let open = |stream| Any::open(&bytes, &DecoderOptions { stream, ..DecoderOptions::default() });
    let found = |decoder: Any| (decoder.info().codec, decoder.info().num_channels, decoder.num_frames());
    assert_eq!(found(open(None).unwrap()), (c"alac", 1, 13230));
    assert_eq!(found(open(Some(0)).unwrap()), (c"alac", 1, 13230));
    assert_eq!(found(open(Some(1)).unwrap()), (c"aac", 2, 22050));
    assert_eq!(open(Some(2)).err().unwrap().status(), Status::BadArgument);
}
