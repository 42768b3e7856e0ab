//! The number of frames survives every container and codec.

use std::collections::BTreeMap;

use crate::oracle::{all_by_ffmpeg, by_mapwave, by_sox, has_ffmpeg, probe};
use crate::sound::music;
use crate::wish::{Encoding, Wish, pairs};

/// Frame counts around the packet size.
const LENGTHS: [usize; 7] = [1, 100, 1023, 1024, 1025, 44_100, 100_003];

/// Rates of which each codec has some.
const RATES: [u32; 5] = [8000, 22_050, 44_100, 48_000, 192_000];

/// Encodes every pair at every sample rate and channel count, and passes on the length, the rate and the file.
fn for_each_file(
    rates: &[u32],
    lengths: &[usize],
    mut check: impl FnMut((&'static str, &'static str), u32, u32, usize, &[u8]),
) {
    for pair in pairs() {
        for sample_rate in rates.iter().copied() {
            let is_usual = [44_100, 48_000].contains(&sample_rate); // long files of these alone
            for num_channels in [1, 2, 6] {
                for num_frames in lengths.iter().filter(|count| **count < 100_000 || is_usual) {
                    let mut wish = Wish::new(pair, sample_rate, num_channels);
                    if pair.1 == "vorbis" && num_channels == 6 {
                        wish.channel_mask = 0x3f; // without it some rates are refused
                    }
                    match wish.encode(&music(sample_rate, num_channels, *num_frames)) {
                        Ok(file) => check(pair, sample_rate, num_channels, *num_frames, &file),
                        Err(failure) => {
                            let is_a_limit = ["resample first", "channels; ", "which encodes"];
                            let is_a_limit = is_a_limit.iter().any(|words| failure.message.contains(words));
                            assert!(is_a_limit, "{pair:?} {sample_rate} {num_channels}: {failure:?}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn mapwave_finds_every_frame() {
    let mut num_files = 0;
    for_each_file(&RATES, &LENGTHS, |pair, sample_rate, num_channels, num_frames, file| {
        // The built-in decoders read no Opus, no WavPack and no AAC with more than two channels.
        if matches!(pair.1, "opus" | "wavpack") || (pair.1 == "aac" && num_channels > 2) {
            return;
        }
        let what = format!("{pair:?}, {num_frames} frames of {num_channels} channels at {sample_rate} Hz");
        let decoded = by_mapwave(file).unwrap_or_else(|error| panic!("{what}: {error}"));
        let found = (decoded.num_frames(), decoded.sample_rate, decoded.num_channels);
        assert_eq!(found, (num_frames, sample_rate, num_channels), "{what}");
        num_files += 1;
    });
    println!("counts: {num_files} files");
    assert!(num_files > 400, "{num_files}");
}

/// The frames in a packet of ALAC as FFmpeg encodes it.
const ALAC_PACKET_FRAMES: usize = 4096;

/// The files that one FFmpeg decodes.
const MOST_AT_ONCE: usize = 32;

#[test]
fn ffmpeg_finds_every_frame() {
    if !has_ffmpeg() {
        return;
    }
    let mut num_files = 0;
    // The files of a container, and what each must have.
    let mut files = BTreeMap::<&str, Vec<(Vec<u8>, String, (usize, u32, u32))>>::new();
    for_each_file(
        &[8000, 44_100, 48_000],
        &[1, 1025, 44_100],
        |pair, sample_rate, num_channels, num_frames, file| {
            let what =
                format!("{pair:?}, {num_frames} frames of {num_channels} channels at {sample_rate} Hz");
            let (container, codec) = pair;
            // Faults of FFmpeg's own readers in some versions: they treat the first packet of Vorbis in Ogg as priming, do not trim
            // the end of AAC, nor both ends of a stream with a single packet, and skip a single MP3 packet.
            let is_one_packet = matches!(codec, "opus" | "mp3") && num_frames == 1;
            if pair == ("ogg", "vorbis") || (is_one_packet && container != "ogg") {
                return;
            }
            if codec == "aac" {
                let duration = probe(file, container, "stream=duration").unwrap().parse::<f64>().unwrap();
                let frames = duration * f64::from(sample_rate);
                assert!((frames - num_frames as f64).abs() < 0.51, "{what}: {frames} by the edit list");
                return;
            }
            // Opus is decoded at 48 kHz whatever went in.
            let up = if codec == "opus" { 48_000 / sample_rate } else { 1 };
            let expected = (num_frames * up as usize, sample_rate * up, num_channels);
            files.entry(container).or_default().push((file.to_vec(), what, expected));
        },
    );
    for (container, all) in &files {
        for files in all.chunks(MOST_AT_ONCE) {
            let bytes: Vec<&[u8]> = files.iter().map(|(file, ..)| file.as_slice()).collect();
            for (decoded, (_, what, expected)) in all_by_ffmpeg(&bytes, container).into_iter().zip(files) {
                let decoded = decoded.unwrap_or_else(|error| panic!("{what}: {error}"));
                // FFmpeg 9 leaves out twice what the last packet of ALAC in CAF is shorter than others.
                let missing = expected.0.next_multiple_of(ALAC_PACKET_FRAMES) - expected.0;
                if *container == "caf"
                    && what.contains("alac")
                    && decoded.num_frames() + missing == expected.0
                {
                    continue;
                }
                let found = (decoded.num_frames(), decoded.sample_rate, decoded.num_channels);
                assert_eq!(found, *expected, "{what}");
                num_files += 1;
            }
        }
    }
    println!("counts: {num_files} files");
    assert!(num_files > 60, "{num_files}");
}

#[test]
fn libvorbisfile_finds_every_frame_of_vorbis_in_ogg() {
    for num_channels in [1, 2, 6] {
        for num_frames in LENGTHS {
            let mut wish = Wish::new(("ogg", "vorbis"), 44_100, num_channels);
            wish.channel_mask = if num_channels == 6 { 0x3f } else { 0 };
            let file = wish.encode(&music(44_100, num_channels, num_frames)).unwrap();
            let Some(found) = by_sox(&file, "ogg") else { return };
            assert_eq!(found, num_frames, "{num_channels} channels");
        }
    }
}

#[test]
fn a_stream_without_frames_is_rejected_before_a_byte_is_written() {
    for pair in pairs() {
        let announced = Wish { num_frames: Some(0), ..Wish::new(pair, 48_000, 2) };
        let failure = Encoding::open(&announced).err().unwrap();
        assert!(failure.message.contains("without a frame"), "{pair:?}: {failure:?}");
        let mut encoding = Encoding::open(&Wish::new(pair, 48_000, 2)).unwrap();
        let failure = encoding.finish().unwrap_err();
        assert!(failure.message.contains("without a frame"), "{pair:?}: {failure:?}");
        assert_eq!(encoding.num_writes(), 0, "{pair:?}");
    }
}
