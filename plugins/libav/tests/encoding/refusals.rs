//! Unsupported settings are rejected by `open`, with a list of the supported ones.

use mapwave_plugin::abi::{MW_BAD_ARGUMENT, MW_BAD_DATA, MW_UNSUPPORTED};

use crate::wish::{Encoding, Wish, pairs};

fn refusal(wish: &Wish) -> (i32, String) {
    match Encoding::open(wish) {
        Ok(_) => panic!("{wish:?} was opened"),
        Err(failure) => (failure.status, failure.message),
    }
}

#[test]
fn unsupported_settings_are_rejected_with_the_supported_ones() {
    let flac = Wish::new(("flac", "flac"), 44_100, 2);
    let mp3 = Wish::new(("mp3", "mp3"), 44_100, 2);
    let aac = Wish::new(("m4a", "aac"), 44_100, 2);
    let opus = Wish::new(("ogg", "opus"), 48_000, 2);
    let vorbis = Wish::new(("ogg", "vorbis"), 44_100, 2);
    for (wish, words) in [
        (Wish { sample_rate: 44_100, ..opus.clone() }, "8000, 12000, 16000, 24000, 48000"),
        (Wish { sample_rate: 96_000, ..mp3.clone() }, "44100, 48000 Hz"),
        (Wish { sample_rate: 192_000, ..aac.clone() }, "88200, 96000 Hz"),
        (Wish { sample_rate: 4000, ..vorbis.clone() }, "8000 to 200000"),
        (Wish { sample_rate: 700_000, ..flac.clone() }, "655350"),
        (Wish { num_channels: 3, ..mp3.clone() }, "supports 1, 2"),
        (Wish { num_channels: 7, ..aac.clone() }, "supports 1, 2, 3, 4, 5, 6"),
        (Wish { num_channels: 9, ..flac.clone() }, "supports 1, 2, 3, 4, 5, 6, 7, 8"),
        (Wish { num_channels: 255, ..opus.clone() }, "supports 1 to 254"),
        (
            Wish { num_channels: 5, channel_mask: 0x37, ..opus.clone() },
            "layouts for 1, 2, 3, 4, 6, 8 channels",
        ),
        (Wish { num_channels: 6, ..vorbis.clone() }, "take opus or flac"),
        (Wish { num_channels: 6, ..Wish::new(("caf", "alac"), 44_100, 2) }, "supports 1, 2"),
        (Wish { num_channels: 6, channel_mask: 0x707, ..opus.clone() }, "0x3f"),
        (Wish { channel_mask: 0x7, ..flac.clone() }, "0x7 for 2 channels"),
        (Wish { bits_per_sample: 20, ..flac.clone() }, "16 or 24"),
        (Wish { bits_per_sample: 16, ..mp3.clone() }, "no bit depth"),
        (Wish { bitrate: 100_000, ..mp3.clone() }, "96000, 112000"),
        (Wish { bitrate: 900_000, ..aac.clone() }, "16000 to 529200"),
        (Wish { bitrate: 1000, ..opus.clone() }, "12000 to 512000"),
        (
            Wish { bitrate: 4_000_000, ..vorbis.clone() },
            "libvorbis rejects 2 channels at 44100 Hz at 4000000 bits",
        ),
        (Wish { bitrate: 500_000, ..flac.clone() }, "lossless"),
        (Wish { quality: 50, ..aac }, "takes only a bitrate"),
        (Wish { quality: 50, ..opus }, "takes only a bitrate"),
        (Wish { quality: 50, bitrate: 128_000, ..mp3 }, "one of them"),
    ] {
        let (status, message) = refusal(&wish);
        assert_eq!(status, MW_UNSUPPORTED, "{message}");
        assert!(message.contains(words), "{words:?} is not in: {message}");
    }
    let (status, message) = refusal(&Wish { tags: vec![("a=b", "c")], ..flac });
    assert_eq!(status, MW_BAD_ARGUMENT, "{message}");
}

#[test]
fn invalid_floats_are_rejected_with_their_position() {
    for pair in pairs() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX] {
            let mut encoding = Encoding::open(&Wish::new(pair, 48_000, 2)).unwrap();
            encoding.push(&[0.5f32; 3000]).unwrap();
            let mut sound = [0.25f32; 3000];
            sound[2001] = bad;
            let failure = encoding.push(&sound).unwrap_err();
            assert_eq!(failure.status, MW_BAD_DATA, "{pair:?}");
            assert!(failure.message.contains("frame 2500, channel 1"), "{}", failure.message);
            let failure = encoding.finish().unwrap_err();
            assert_eq!(failure.status, MW_BAD_DATA, "{pair:?}: a file with a hole is none");
        }
    }
}

#[test]
fn the_highest_accepted_level_encodes() {
    for pair in pairs() {
        for level in [16.0, 1.0, 1e-40] {
            for num_channels in [1, 2, 6] {
                let wish = Wish::new(pair, 48_000, num_channels);
                if Encoding::open(&wish).is_err() {
                    continue;
                }
                let sound: Vec<f32> = (0..20_000u32 * num_channels)
                    .map(|at| if at.wrapping_mul(2_654_435_761) & 1 << 20 == 0 { level } else { -level })
                    .collect();
                let result = wish.encode(&sound);
                assert!(result.is_ok(), "{pair:?}, {level}: {result:?}");
            }
        }
    }
}

#[test]
fn aac_ends_at_its_ends() {
    for sample_rate in [7350, 8000, 44_100, 96_000] {
        for num_channels in [1, 2, 6] {
            for bitrate in [8000 * num_channels, 6 * sample_rate * num_channels] {
                for effort in [1, 100] {
                    for level in [16.0, 0.5] {
                        let mut random = crate::sound::Random(9);
                        let sound: Vec<f32> =
                            (0..8000 * num_channels).map(|_| (level * random.level()) as f32).collect();
                        let wish =
                            Wish { bitrate, effort, ..Wish::new(("m4a", "aac"), sample_rate, num_channels) };
                        let result = wish.encode(&sound);
                        assert!(result.is_ok(), "{wish:?}: {result:?}");
                    }
                }
            }
        }
    }
}
