//! HE-AAC in all containers: what is delivered is what FFmpeg delivers, and every window is a part of the whole.

use super::seeking::Random;
use super::*;

/// The streams of the AAC decoder's tests, in ADTS frames, several times one after the other: their names and bytes.
fn streams() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../codecs/aac/tests/he_aac");
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "aac"));
    paths.sort();
    let name = |path: &PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    paths.iter().map(|path| (name(path), std::fs::read(path).unwrap().repeat(5))).collect()
}

/// A stream in ADTS frames, and in the containers that FFmpeg can copy it to.
fn files(directory: &Directory) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for (name, bytes) in streams() {
        let source = directory.0.join(format!("{name}.aac"));
        std::fs::write(&source, &bytes).unwrap();
        files.push((format!("{name}.aac"), bytes));
        // The fragments are made of the whole file, whose setup FFmpeg knows before it writes any.
        let whole = directory.0.join(format!("{name}.m4a"));
        let fragments = ["-movflags", "+frag_keyframe+empty_moov"];
        for (from, extension, options) in [(&source, "m4a", &[][..]), (&whole, "mp4", &fragments)] {
            let to = format!("{name}.{extension}");
            let arguments = [&["-i", from.to_str().unwrap(), "-c", "copy"], options].concat();
            let Some(bytes) = ffmpeg(directory, &to, &arguments) else { return files };
            files.push((to, bytes));
        }
    }
    files
}

/// The channels of FFmpeg, which decodes one channel to two that are alike, in case that parametric stereo follows.
fn compare(name: &str, info: &StreamInfo, samples: &[f32], path: &Path, directory: &Directory) {
    let Some(mut expected) = corpus::decoded_by_ffmpeg(path, directory) else { return };
    if info.num_channels == 1 && expected.len() >= samples.len() * 3 / 2 {
        expected = expected.iter().step_by(2).copied().collect();
    }
    // FFmpeg 5.1 returns the padding of the last packet, although the file declares it.
    let padding = info.padding_frames as usize * info.num_channels as usize;
    assert_eq!(expected.len(), samples.len() + padding, "{name}: {info:?}");
    let ratio = snr(&expected[..samples.len()], samples);
    println!("{name}: {} frames, SNR {ratio:.1} dB", info.num_frames.unwrap());
    assert!(ratio >= 90.0, "{name}: {ratio}");
}

#[test]
fn high_efficiency_is_delivered_as_by_ffmpeg() {
    let directory = Directory::new("high-efficiency");
    for (name, bytes) in files(&directory) {
        let mut decoder =
            Any::open(&bytes, &DecoderOptions::default()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let info = decoder.info().clone();
        let (kind, rate) = name.split(['_', '.']).next().zip(name.split(['_', '.']).nth(1)).unwrap();
        let num_channels = match kind {
            "mono" => 1,
            "surround" => 6,
            _ => 2,
        };
        assert_eq!(
            (info.num_channels, info.sample_rate.to_string()),
            (num_channels, rate.to_owned()),
            "{name}"
        );
        assert!(is_exact(&info));
        let samples: Vec<f32> = decoder.read_all();
        compare(&name, &info, &samples, &directory.0.join(&name), &directory);
    }
}

#[test]
fn windows_of_high_efficiency_equal_linear_decoding() {
    let mut random = Random(0x51f1_5e4d_1234_9876);
    for (name, bytes) in streams() {
        let mut used = Any::open(&bytes, &DecoderOptions::default()).unwrap();
        let whole: Vec<f32> = used.read_all();
        let (num_frames, num_channels) = (used.num_frames(), u64::from(used.info().num_channels));
        for number in 0..40 {
            let start = random.below(num_frames);
            let length = random.below(10_000).min(num_frames - start);
            // Of those that share the stream, one that has gone elsewhere, and one that begins; and one of a stream of its own.
            let mut fork = used.fork();
            let mut fresh = (number % 8 == 0).then(|| Any::open(&bytes, &DecoderOptions::default()).unwrap());
            let expected =
                &whole[(start * num_channels) as usize..((start + length) * num_channels) as usize];
            for decoder in [Some(&mut used), Some(&mut fork), fresh.as_mut()].into_iter().flatten() {
                decoder.seek(start);
                let window: Vec<f32> = decoder.read(length, 1 + random.below(5000)).unwrap();
                assert!(window == expected, "{name}: {length} frames from {start}");
            }
        }
    }
}

#[test]
fn damage_in_high_efficiency_is_the_same_in_every_window() {
    let mut random = Random(0x0bad_5eed_0bad_5eed);
    for (name, mut bytes) in streams() {
        for _ in 0..60 {
            let place = random.below(bytes.len() as u64) as usize;
            // Headers of frames stay, or they would be other packets.
            if bytes[place.saturating_sub(7)..bytes.len().min(place + 8)].contains(&0xff) {
                continue;
            }
            bytes[place] ^= 1 << random.below(8);
        }
        let Ok(mut decoder) = Any::open(&bytes, &DecoderOptions::default()) else { continue };
        let whole: Vec<f32> = decoder.read_all();
        let (num_frames, num_channels) = (decoder.num_frames(), u64::from(decoder.info().num_channels));
        for _ in 0..30 {
            let start = random.below(num_frames);
            let length = random.below(6000).min(num_frames - start);
            decoder.seek(start);
            let window: Vec<f32> = decoder.read(length, 3000).unwrap();
            let expected = (start * num_channels) as usize..((start + length) * num_channels) as usize;
            let bits = |samples: &[f32]| samples.iter().map(|sample| sample.to_bits()).collect::<Vec<_>>();
            assert!(bits(&window) == bits(&whole[expected]), "{name}: {length} frames from {start}");
        }
    }
}
