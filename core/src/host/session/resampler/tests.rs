use std::sync::atomic::Ordering;

use super::*;
use crate::host::tests::fake_resampler;
use crate::host::tests::fake_resampler::{IS_RELEASED, NUM_HANDLES};

const GO: &dyn Fn() -> bool = &|| false;

fn request(quality: &str, is_16_bit: bool) -> ResamplerRequest {
    let (input_rate, output_rate, num_channels, max_threads) = (1000, 2000, 2, 1);
    ResamplerRequest {
        input_rate,
        output_rate,
        num_channels,
        is_16_bit,
        quality: quality.to_owned(),
        max_threads,
    }
}

fn portion(input: Channels, room: usize) -> Portion {
    Portion { input, num_taken: 0, output: vec![vec![0.0; room]; 2] }
}

/// Two channels of 500 frames.
fn floats() -> Channels {
    let channel = |sign: f32| (0..500_u16).map(|frame| sign * f32::from(frame)).collect();
    Channels::F32(vec![channel(1.0), channel(-1.0)])
}

/// The whole output, in portions of `room` frames.
fn resample(is_trusted: bool, quality: &str, input: Channels, room: usize) -> Result<Vec<Vec<f32>>> {
    let is_16_bit = matches!(input, Channels::I16(_));
    let mut resampler = Resampler::open(&fake_resampler::kind(is_trusted), &request(quality, is_16_bit))?;
    let mut portion = portion(input, room);
    let mut out = vec![Vec::new(); 2];
    let mut is_end = false;
    loop {
        let num_frames = resampler.process(&mut portion, is_end, GO)?;
        for (out, channel) in out.iter_mut().zip(&portion.output) {
            out.extend_from_slice(&channel[..num_frames]);
        }
        if num_frames == 0 && is_end {
            return Ok(out);
        }
        is_end = portion.num_taken == portion.input.num_frames();
    }
}

#[test]
fn everything_comes_out_however_little_room_there_is() {
    for is_trusted in [true, false] {
        for room in [1, 7, 1000, 5000] {
            let out = resample(is_trusted, "honest", floats(), room).unwrap();
            let expected: Vec<f32> = (0..500_u16).flat_map(|frame| [f32::from(frame); 2]).collect();
            assert_eq!(out[0], expected);
            assert!(out[1].iter().zip(&expected).all(|(one, other)| *one == -*other));
        }
        let out = resample(is_trusted, "honest", Channels::I16(vec![vec![16_384; 3], vec![-32_768; 3]]), 100);
        assert_eq!(out.unwrap(), [[0.5; 6], [-1.0; 6]]);
        let out = resample(is_trusted, "honest", Channels::F32(vec![Vec::new(); 2]), 100).unwrap();
        assert_eq!(out, [[0.0; 0]; 2]);
    }
}

#[test]
fn counts_that_cannot_be_are_the_plugins_fault() {
    for is_trusted in [true, false] {
        for (quality, words) in [
            ("greedy", "it took 501 frames of 500 and gave 100 where there was room for 100"),
            ("overflowing", "gave 101 where there was room for 100"),
            ("stuck", "it takes none of 500 frames and gives none"),
            ("damaged", "the data are damaged"),
            ("refusing", "not today"),
            ("without", "its open succeeded without a handle"),
        ] {
            let error = resample(is_trusted, quality, floats(), 100).unwrap_err();
            assert!(matches!(&error, Error::Plugin { plugin: "fake", doing: "resampling", .. }), "{error:?}");
            assert!(error.to_string().contains(words), "{quality}: {error}");
        }
    }
}

#[test]
fn a_resampler_that_has_failed_is_not_called_again() {
    let mut resampler = Resampler::open(&fake_resampler::kind(true), &request("stuck", false)).unwrap();
    let mut portion = portion(floats(), 10);
    assert!(resampler.process(&mut portion, false, GO).is_err());
    let message = resampler.process(&mut portion, false, GO).unwrap_err().to_string();
    assert!(message.contains("not called any more"), "{message}");
}

#[test]
fn a_caller_does_not_wait_for_one_that_hangs() {
    let mut resampler = Resampler::open(&fake_resampler::kind(false), &request("hanging", false)).unwrap();
    let result = resampler.process(&mut portion(floats(), 10), false, &|| true);
    assert!(matches!(result, Err(Error::Interrupted)), "{result:?}");
    IS_RELEASED.store(true, Ordering::SeqCst);
    drop(resampler);
    // The thread closes its handle when it comes back.
    let is_closed = (0..10_000).any(|_| {
        std::thread::sleep(Duration::from_millis(1));
        NUM_HANDLES.load(Ordering::SeqCst) == 0
    });
    assert!(is_closed);
}

#[test]
fn a_grid_is_a_whole_number_of_frames_of_both_rates() {
    let kind = fake_resampler::kind(true);
    let restart = kind.restart_for(&request("honest", false)).unwrap().unwrap();
    assert_eq!((restart.grid_frames, restart.preroll_frames), (3, 7));
    let odd = ResamplerRequest { output_rate: 999, ..request("honest", false) };
    let message = kind.restart_for(&odd).unwrap_err().to_string();
    assert!(message.contains("multiples of frame 3"), "{message}");
}

#[test]
fn a_table_of_an_earlier_version_has_no_default_and_no_limit() {
    let kind = fake_resampler::of_version_1_1();
    let summary = kind.summary();
    assert_eq!((&summary.default_quality, summary.ratio_limit), (&None, None));
    assert!(kind.has("honest") && kind.bridges(768_000, 1));
    assert!(Resampler::open(&kind, &request("honest", false)).is_ok());
}
