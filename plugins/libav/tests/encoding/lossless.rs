//! Lossless codecs are bit-exact.

use crate::oracle::{Decoded, by_ffmpeg, by_mapwave, has_ffmpeg};
use crate::sound::{Random, music, music_16};
use crate::wish::{Encoding, Wish, pairs};

/// The pairs that are lossless, and the depths that each has.
fn lossless() -> impl Iterator<Item = ((&'static str, &'static str), &'static [u32])> {
    pairs().into_iter().filter_map(|pair| match pair.1 {
        "flac" | "alac" => Some((pair, [16, 24].as_slice())),
        "wavpack" => Some((pair, &[16, 24, 32])),
        _ => None,
    })
}

/// Decodes with mapwave's decoders, or FFmpeg's if they do not support it.
fn decode(file: &[u8], container: &str) -> Option<Decoded> {
    by_mapwave(file).ok().or_else(|| has_ffmpeg().then(|| by_ffmpeg(file, container).unwrap()))
}

/// 32-bit signals that are hard to encode.
fn sounds(num_samples: usize) -> [(&'static str, Vec<i32>); 4] {
    let mut random = Random(11);
    let noise = (0..num_samples).map(|_| random.bits() as i32).collect();
    let rails = (0..num_samples).map(|at| if at % 97 < 50 { i32::MAX } else { i32::MIN }).collect();
    let music =
        music(48_000, 1, num_samples).iter().map(|sample| (sample * 2_147_483_648.0) as i32).collect();
    [("noise", noise), ("rails", rails), ("music", music), ("silence", vec![0; num_samples])]
}

#[test]
fn every_depth_comes_back() {
    for (pair, depths) in lossless() {
        for num_channels in [1, 2, 6] {
            if pair.1 == "alac" && num_channels > 2 {
                continue;
            }
            for (what, sound) in sounds(9001 * num_channels as usize) {
                for bits in depths {
                    let mask = if *bits == 32 { -1 } else { !((1 << (32 - bits)) - 1) };
                    let sound: Vec<i32> = sound.iter().map(|sample| sample & mask).collect();
                    let wish = Wish { bits_per_sample: *bits, ..Wish::new(pair, 48_000, num_channels) };
                    let file = wish.encode(&sound).unwrap();
                    let Some(decoded) = decode(&file, pair.0) else { continue };
                    let place = decoded.samples.iter().zip(&sound).position(|(a, b)| a != b);
                    assert_eq!(place, None, "{pair:?}, {what}, {bits} bits, {num_channels} channels");
                    assert_eq!(decoded.samples.len(), sound.len());
                }
            }
        }
    }
}

#[test]
fn samples_of_16_bits_stay_so_when_no_depth_is_asked_for() {
    for (pair, _) in lossless() {
        let sound = music_16(44_100, 2, 10_001);
        let file = Wish::new(pair, 44_100, 2).encode(&sound).unwrap();
        let deep = Wish { bits_per_sample: 16, ..Wish::new(pair, 44_100, 2) }.encode(&sound).unwrap();
        assert!(file == deep, "{pair:?}");
        let expected: Vec<i32> = sound.iter().map(|sample| i32::from(*sample) << 16).collect();
        let Some(decoded) = decode(&file, pair.0) else { continue };
        assert!(decoded.samples == expected, "{pair:?}");

        let floats: Vec<f32> = sound.iter().map(|sample| f32::from(*sample) / 32_768.0).collect();
        let file = Wish::new(pair, 44_100, 2).encode(&floats).unwrap();
        let deep = Wish { bits_per_sample: 24, ..Wish::new(pair, 44_100, 2) }.encode(&floats).unwrap();
        assert!(file == deep, "{pair:?}: floats are stored with 24 bits");
        let Some(decoded) = decode(&file, pair.0) else { continue };
        assert!(decoded.samples == expected, "{pair:?}");
    }
}

#[test]
fn the_division_into_calls_does_not_matter() {
    for pair in pairs() {
        let sound = music(48_000, 2, 12_345);
        let wish = Wish::new(pair, 48_000, 2);
        let whole = wish.encode(&sound).unwrap();
        assert!(whole == wish.encode(&sound).unwrap(), "{pair:?}: the same again");
        for num_frames in [1, 7, 1024, 4099] {
            assert!(
                whole == wish.encode_by(&sound, num_frames).unwrap(),
                "{pair:?}, {num_frames} frames a call"
            );
        }
        let mut random = Random(5);
        let mut encoding = Encoding::open(&wish).unwrap();
        let mut rest = sound.as_slice();
        while !rest.is_empty() {
            let (now, later) = rest.split_at((2 * random.below(3000)).min(rest.len()));
            if random.below(2) == 0 {
                encoding.push(now).unwrap()
            } else {
                encoding.push_planar(now).unwrap()
            }
            rest = later;
        }
        encoding.finish().unwrap();
        assert!(encoding.file() == whole, "{pair:?}, both layouts");
    }
}
