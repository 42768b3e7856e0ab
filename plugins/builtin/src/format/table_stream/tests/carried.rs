//! FLAC and MPEG audio in other containers.

use super::seeking::Random;
use super::*;

/// A file decoded by FFmpeg: samples in the upper bits of 32.
fn decoded(path: &Path, directory: &Directory) -> Option<Vec<i32>> {
    let bytes = ffmpeg(directory, "decoded.s32", &["-i", path.to_str().unwrap(), "-f", "s32le"])?;
    Some(bytes.as_chunks::<4>().0.iter().map(|bytes| i32::from_le_bytes(*bytes)).collect())
}

/// Compares windows with the whole, on the handle and on a fork of it.
fn check_windows<T: Sample + PartialEq>(decoder: &mut Any, all: &[T], name: &str) {
    assert!(is_exact(decoder.info()), "{name}");
    let mut random = Random(0x5eed_0f1a_c000_0001);
    let num_channels = decoder.info().num_channels as usize;
    let mut fork = decoder.fork();
    for round in 0..100 {
        let handle = if round % 2 == 0 { &mut *decoder } else { &mut fork };
        let start = random.below(handle.num_frames() + 1);
        let num_frames = random.below(9000).min(handle.num_frames() - start);
        handle.seek(start);
        let window: Vec<T> = handle.read(num_frames, 1 + random.below(5000)).unwrap();
        let first = start as usize * num_channels;
        let expected = &all[first..first + num_frames as usize * num_channels];
        assert!(window == expected, "{name}: {num_frames} frames from {start}");
    }
}

#[test]
fn flac_is_the_same_in_every_container() {
    let directory = Directory::new("carried-flac");
    let (mono, stereo, six) = (sound(1, 1.3), sound(2, 1.3), format!("{}:c=5.1", sound(6, 0.4)));
    let (mono, stereo) = (["-f", "lavfi", "-i", &mono], ["-f", "lavfi", "-i", &stereo]);
    let six = ["-f", "lavfi", "-i", &six];
    let deep = ["-sample_fmt", "s32", "-bits_per_raw_sample", "24"];
    let fragmented = ["-movflags", "+frag_keyframe+empty_moov", "-frag_duration", "200000"];
    let small = ["-frame_size", "1000", "-ar", "96000"];
    type File<'a> = (&'a str, [&'a str; 4], &'a [&'a str], &'a [&'a str]);
    let files: [File<'_>; 9] = [
        ("plain.mp4", stereo, &[], &[]),
        ("deep.mp4", mono, &deep, &[]),
        ("fragments.mp4", stereo, &[], &fragmented),
        ("small.mp4", stereo, &small, &[]),
        ("six.mp4", six, &[], &["-movflags", "+faststart"]),
        ("plain.caf", stereo, &[], &[]),
        ("plain.wav", stereo, &[], &[]),
        ("deep.wav", mono, &deep, &[]),
        ("small.w64", stereo, &small, &[]),
    ];
    for (name, source, options, container) in files {
        let arguments = [&source[..], &["-c:a", "flac", "-strict", "-2"], options].concat();
        let Some(bytes) = ffmpeg(&directory, name, &[&arguments[..], container].concat()) else { return };
        if ffmpeg(&directory, "alone.flac", &arguments).is_none() {
            return;
        }
        let Some(expected) = decoded(&directory.0.join("alone.flac"), &directory) else { return };
        let mut decoder =
            Any::open(&bytes, &DecoderOptions::default()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let info = decoder.info().clone();
        assert_eq!((info.codec, info.is_lossless, info.is_truncated), (c"flac", true, false), "{name}");
        assert_eq!((info.priming_frames, info.padding_frames), (0, 0), "{name}");
        assert_eq!(info.channel_mask.count_ones(), info.num_channels, "{name}");
        let samples: Vec<i32> = decoder.read_all();
        assert!(samples == expected, "{name}: {} samples of {}", samples.len(), expected.len());
        check_windows(&mut decoder, &samples, name);
    }
}

#[test]
fn the_corpus_carries_flac_bit_by_bit() {
    let mut num_exact = 0;
    for row in corpus::rows_of(&["mp4", "caf", "riff"]) {
        if row.codec != "flac" || !row.status.starts_with("valid") {
            continue;
        }
        let mut decoder = Any::open(&std::fs::read(&row.path).unwrap(), &DecoderOptions::default()).unwrap();
        assert_eq!(Some(decoder.num_frames()), row.num_frames, "{}", row.name);
        let samples: Vec<i32> = decoder.read_all();
        let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        assert_eq!(digest(&bytes), row.sha256, "{}", row.name);
        check_windows(&mut decoder, &samples, &row.name);
        num_exact += 1;
    }
    println!("{num_exact} files bit-exact");
}

#[test]
fn opus_of_the_corpus_decodes_as_by_libopus() {
    let directory = Directory::new("carried-opus");
    for row in corpus::rows_of(&["mp4", "caf"]) {
        if row.codec != "opus" {
            continue;
        }
        let mut decoder = Any::open(&std::fs::read(&row.path).unwrap(), &DecoderOptions::default()).unwrap();
        assert_eq!(decoder.info().codec, c"opus");
        // The sum of durations ("stts") is 7,515 frames and the edit starts at 312: the 7,203 that were encoded. FFmpeg
        // does not trim the last packet.
        let expected = if row.container == "mp4" { Some(7203) } else { row.num_frames };
        assert_eq!(Some(decoder.num_frames()), expected, "{}", row.name);
        let samples: Vec<f32> = decoder.read_all();
        check_windows(&mut decoder, &samples, &row.name);
        let path = row.path.to_str().unwrap();
        let arguments = ["-request_sample_fmt", "flt", "-c:a", "libopus", "-i", path, "-f", "f32le"];
        let Some(bytes) = ffmpeg(&directory, "decoded.f32", &arguments) else { return };
        let reference: Vec<f32> =
            bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        println!("{}: {} of {} samples", row.name, samples.len(), reference.len());
        let ratio = snr(&reference[..samples.len()], &samples);
        assert!(ratio >= 120.0, "{}: {ratio} dB", row.name);
    }
}

#[test]
fn mpeg_audio_in_mp4_is_cut_by_its_edit_list() {
    let directory = Directory::new("carried-mpeg");
    let (one, two) = (sound(1, 3.0), sound(2, 3.0));
    let video = ["-f", "lavfi", "-i", "testsrc=d=3:s=64x64"];
    let (one, two) = (["-f", "lavfi", "-i", &one], ["-f", "lavfi", "-i", &two]);
    // With pictures between them, packets are not contiguous.
    let both = [&two[..], &video].concat();
    let mp3 = ["-c:a", "libmp3lame"];
    let low = ["-c:a", "libmp3lame", "-b:a", "32k", "-ar", "22050"];
    let files = [
        ("plain.mp4", &two[..], &mp3[..], c"mp3", 132_300),
        ("low.mp4", &one, &low, c"mp3", 66_150),
        ("apart.mp4", &both, &["-c:a", "libmp3lame", "-c:v", "mpeg4"], c"mp3", 132_300),
        ("plain.mov", &two, &mp3, c"mp3", 132_300),
        // The encoder does not write the last of its delayed frames: 115 packets, with 481 frames of priming.
        ("layer2.mp4", &two, &["-c:a", "mp2"], c"mp2", 131_999),
    ];
    for (name, sources, options, codec, num_frames) in files {
        let arguments = [sources, options].concat();
        let Some(bytes) = ffmpeg(&directory, name, &arguments) else { return };
        let path = directory.0.join(name);
        let Some(expected) = corpus::decoded_by_ffmpeg(&path, &directory) else { return };
        let mut decoder =
            Any::open(&bytes, &DecoderOptions::default()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let info = decoder.info().clone();
        // Sound alone is M4A, with video it is MP4; the muxer gives a .mov QuickTime's brand.
        let container = match name {
            "apart.mp4" => c"mp4",
            "plain.mov" => c"mov",
            _ => c"m4a",
        };
        assert_eq!((info.codec, info.container, info.is_truncated), (codec, container, false), "{name}");
        assert_eq!(decoder.num_frames(), num_frames, "{name}");
        let samples: Vec<f32> = decoder.read_all();
        let ratio = snr(&expected[..samples.len()], &samples);
        println!("{name}: SNR {ratio:.1} dB, {} frames of priming", info.priming_frames);
        assert!(ratio >= 60.0, "{name}: {ratio}");
        check_windows(&mut decoder, &samples, name);
        // The joined bytes count towards the limit.
        let options = DecoderOptions { max_alloc: 1 << 15, ..DecoderOptions::default() };
        let limited = Any::open(&bytes, &options).err().map(|error| error.status());
        assert_eq!(limited, (name == "apart.mp4").then_some(Status::Limit), "{name}");
    }
}

#[test]
fn the_corpus_carries_mpeg_audio_in_mp4() {
    let directory = Directory::new("carried-corpus");
    for row in corpus::rows_of(&["mp4"]).iter().filter(|row| row.codec == "mp3") {
        let mut decoder = Any::open(&std::fs::read(&row.path).unwrap(), &DecoderOptions::default()).unwrap();
        // The encoded frames; FFmpeg 5.1 also returns the padding of the last packet.
        let padding_frames = u64::from(decoder.info().padding_frames);
        assert_eq!(Some(decoder.num_frames() + padding_frames), row.num_frames, "{}", row.name);
        assert_eq!(decoder.num_frames(), 6617, "{}", row.name);
        let samples: Vec<f32> = decoder.read_all();
        let Some(expected) = corpus::decoded_by_ffmpeg(&row.path, &directory) else { continue };
        let ratio = snr(&expected[..samples.len()], &samples);
        assert!(ratio >= 60.0, "{}: {ratio}", row.name);
    }
}

#[test]
fn band_replication_is_found_in_matroska() {
    let directory = Directory::new("carried-sbr");
    for row in corpus::rows_of(&["mp4"]).iter().filter(|row| row.name.contains("CT_DecoderCheck")) {
        let arguments = ["-i", row.path.to_str().unwrap(), "-c", "copy"];
        let Some(bytes) = ffmpeg(&directory, "a.mka", &arguments) else { return };
        let mut decoder = crate::MatroskaDecoder::open(Input::from(bytes), &DecoderOptions::default())
            .unwrap_or_else(|error| panic!("{}: {error}", row.name));
        let info = decoder.info().clone();
        assert_eq!((info.sample_rate, info.num_channels), (44_100, 2), "{}", row.name);
        let mut samples = vec![0.0_f32; info.num_frames.unwrap() as usize * 2];
        let mut done = 0;
        while done < samples.len() {
            let written = Output::with_slice(&mut samples[done..], 2, |output| {
                decoder.decode(output).map(|()| output.num_written())
            });
            done += written.unwrap() * 2;
        }
        let Some(expected) = corpus::decoded_by_ffmpeg(&directory.0.join("a.mka"), &directory) else {
            return;
        };
        let ratio = snr(&expected[..samples.len()], &samples);
        assert!(ratio >= 90.0, "{}: {ratio}", row.name);
    }
}
