//! Files whose header cannot be completed afterwards.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod common;

use common::{check, encode_in, music};
use mapwave_flac::{EncodeError, Encoder, EncoderSettings, Error, Frames};

#[test]
fn what_is_unknown_is_left_out() {
    for num_frames in [0, 5000, 300_000] {
        let samples = music(16, 2, num_frames);
        let narrow: Vec<i16> = samples.iter().map(|sample| *sample as i16).collect();
        let base = EncoderSettings { is_seekable: false, ..EncoderSettings::new(44_100, 2, 16) };
        let settings = EncoderSettings { num_frames: Some(num_frames as u64), ..base.clone() };
        let announced = encode_in(&settings, &narrow, || 1 << 20).unwrap();
        check(&announced, &samples, 16, &format!("{num_frames} frames, announced"));
        let silent = encode_in(&base, &narrow, || 1 << 20).unwrap();
        assert_eq!((announced.len(), silent[26..42].to_vec()), (silent.len(), vec![0; 16]), "no MD5");
        if num_frames > 0 {
            assert!(common::decode_by_claxon(&silent) == samples);
            assert_eq!(common::decode_by_ffmpeg(&silent, 16).unwrap_or(samples.clone()), samples);
        }
    }
}

#[test]
fn a_wrong_announcement_is_an_error() {
    let base = EncoderSettings { is_seekable: false, ..EncoderSettings::new(44_100, 2, 16) };
    let settings = EncoderSettings { num_frames: Some(3), ..base };
    let mut encoder = Encoder::new(&settings).unwrap();
    let discard = |_: &[u8]| Ok::<(), ()>(());
    encoder.push(Frames::Interleaved(&[1_i16, 2, 3, 4]), discard).unwrap();
    let error = encoder.finish(discard).unwrap_err();
    assert_eq!(error, EncodeError::Encoder(Error::NumFrames { announced: 3, pushed: 2 }));
}
