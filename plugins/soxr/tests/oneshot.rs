//! The output, compared with one call of `soxr_oneshot` over the whole signal.

#![allow(unsafe_code)] // soxr_oneshot
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, missing_docs)]

mod oracle;

use mapwave_plugin::{Block, Output, Resampler, ResamplerOptions, Sample, SampleFormat, Status};
use mapwave_soxr::SoxrResampler;
use oracle::{Oracle, SoxrType};

/// Rates of windows, and whether a resampler can start elsewhere than at the start.
const WINDOWS: [(u32, u32, bool); 14] = [
    (44_100, 16_000, true),
    (48_000, 16_000, true),
    (44_100, 48_000, true),
    (48_000, 44_100, true),
    (22_050, 16_000, true),
    (24_000, 16_000, true),
    (8000, 16_000, true),
    (96_000, 44_100, true),
    (48_000, 24_000, true),
    (24_000, 48_000, true),
    (16_000, 16_000, true),
    (8000, 48_000, true),
    (48_000, 27_000, true),
    (44_100, 44_099, false),
];

#[test]
fn a_window_is_a_slice_of_the_whole() {
    let mut random = Random(5);
    for (input_rate, output_rate, is_possible) in WINDOWS {
        for quality in ["soxr_vhq", "soxr_hq"] {
            let options = options((input_rate, output_rate), 1, quality);
            let restart = SoxrResampler::restart(&options).unwrap();
            assert_eq!(restart.is_some(), is_possible, "{options:?}");
            let Some(restart) = restart else { continue };
            let (grid, preroll) = (restart.grid_frames as usize, restart.preroll_frames as usize);
            let scaled = |frames: usize| frames * output_rate as usize / input_rate as usize;
            assert_eq!(grid * output_rate as usize % input_rate as usize, 0, "{options:?}");
            // One to three grids before the window, and frames after it.
            let start = grid * (1 + random.below(3).min(600_000 / grid));
            let num_frames = start + 2 * preroll + 40_000;
            let whole = vec![(0..num_frames).map(|_| random.draw() as i16).collect::<Vec<i16>>()];
            let part = vec![whole[0][start..].to_vec()];
            let expected = resample(&options, &whole, true, || (50_000, 50_000));
            let skipped = (preroll * output_rate as usize).div_ceil(input_rate as usize);
            for most in [1 << 20, 5000, 700] {
                let mut inner = random.clone();
                let got = resample(&options, &part, true, || (1 + inner.below(most), 1 + inner.below(most)));
                let (got, expected) = (&got[0][skipped..], &expected[0][scaled(start) + skipped..]);
                // The end of the signal is the same too.
                assert_eq!(got.len(), expected.len(), "{options:?}");
                let first =
                    got.iter().zip(expected).position(|(got, expected)| got.to_bits() != expected.to_bits());
                assert_eq!(first, None, "{options:?} from {start} on, of {}", got.len());
            }
        }
    }
}

/// Splitmix64.
#[derive(Clone)]
pub struct Random(pub u64);

impl Random {
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let number = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ (number >> 31)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        (self.draw() % limit.max(1) as u64) as usize
    }
}

fn options(rates: (u32, u32), num_channels: usize, quality: &'static str) -> ResamplerOptions<'static> {
    ResamplerOptions {
        input_rate: rates.0,
        output_rate: rates.1,
        num_channels: num_channels as u32,
        input_format: SampleFormat::F32,
        max_threads: 1,
        quality,
        max_alloc: 8 << 30,
    }
}

/// The whole output of each channel, with blocks and buffers of the sizes that `sizes` gives; planar or interleaved.
fn resample<T: Sample>(
    options: &ResamplerOptions<'_>,
    planes: &[Vec<T>],
    is_planar: bool,
    mut sizes: impl FnMut() -> (usize, usize),
) -> Vec<Vec<f32>> {
    let options = ResamplerOptions { input_format: T::FORMAT, ..options.clone() };
    let mut resampler = SoxrResampler::open(&options).unwrap();
    let num_channels = planes.len();
    let num_frames = planes[0].len();
    let mut results = vec![Vec::new(); num_channels];
    let mut position = 0;
    loop {
        let (block, room) = sizes();
        let end = num_frames.min(position + block.max(1));
        let mut samples = vec![f32::NAN; room.max(1) * num_channels];
        let is_end = position == num_frames;
        let (num_taken, num_given) = Output::with_slice(&mut samples, num_channels, |output| {
            let mut process = |block: Option<&Block<'_>>| {
                let taken = resampler.process(block, output).unwrap();
                (taken, output.num_written())
            };
            if is_end {
                return process(None);
            }
            let planes: Vec<&[T]> = planes.iter().map(|plane| &plane[position..end]).collect();
            if is_planar {
                return Block::with_planes(&planes, |block| process(Some(block)));
            }
            let mut frames = vec![T::default(); (end - position) * num_channels];
            for (channel, plane) in planes.iter().enumerate() {
                let places = frames.iter_mut().skip(channel).step_by(num_channels);
                places.zip(*plane).for_each(|(to, from)| *to = *from);
            }
            Block::with_slice(&frames, num_channels, |block| process(Some(block)))
        });
        position += num_taken;
        for (channel, result) in results.iter_mut().enumerate() {
            result.extend(samples.iter().skip(channel).step_by(num_channels).take(num_given));
        }
        if is_end && num_given == 0 {
            return results;
        }
    }
}

fn bits(planes: &[Vec<f32>]) -> Vec<Vec<u32>> {
    planes.iter().map(|plane| plane.iter().map(|sample| sample.to_bits()).collect()).collect()
}

fn first_difference(one: &[Vec<f32>], other: &[Vec<f32>]) -> Option<(usize, usize)> {
    let (one, other) = (bits(one), bits(other));
    one.iter().zip(&other).enumerate().find_map(|(channel, (one, other))| {
        one.iter().zip(other).position(|(one, other)| one != other).map(|frame| (channel, frame))
    })
}

fn check<T: Sample + SoxrType>(oracle: &Oracle, random: &mut Random, make: impl Fn(u64) -> T) {
    const RATES: [u32; 14] = [
        8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_099, 44_100, 48_000, 88_200, 96_000,
        176_400, 192_000,
    ];
    const QUALITIES: [(&str, u32); 5] =
        [("soxr_vhq", 6), ("soxr_hq", 4), ("soxr_mq", 2), ("soxr_lq", 1), ("soxr_qq", 0)];
    let rate = |random: &mut Random| match random.below(6) {
        0 => 1 + random.below(768_000) as u32,
        _ => RATES[random.below(RATES.len())],
    };
    let (quality, recipe) = QUALITIES[[0, 0, 1, 1, 2, 3, 4][random.below(7)]];
    let (input_rate, mut output_rate) = (rate(random), rate(random));
    output_rate = output_rate.clamp(input_rate / 48 + 1, input_rate.saturating_mul(48));
    let num_channels = 1 + random.below(5);
    let num_frames = match random.below(8) {
        0 => random.below(4),
        1 => 32_760 + random.below(20),
        _ => random.below(90_000),
    };
    let planes: Vec<Vec<T>> =
        (0..num_channels).map(|_| (0..num_frames).map(|_| make(random.draw())).collect()).collect();
    let expected = oracle.oneshot((input_rate, output_rate), recipe, &planes);
    let exact = (2 * num_frames as u128 * u128::from(output_rate) + u128::from(input_rate))
        / (2 * u128::from(input_rate));
    for max_threads in [1, 2, 4] {
        let options =
            ResamplerOptions { max_threads, ..options((input_rate, output_rate), num_channels, quality) };
        let is_planar = random.below(2) == 0;
        let mut inner = random.clone();
        let small = random.below(3);
        let mut sizes = || match small {
            0 => (1 + inner.below(3000), 1 + inner.below(3000)),
            1 => (1 + inner.below(100_000), 1 + inner.below(100_000)),
            _ => (1 << 20, 1 << 20),
        };
        let got = resample(&options, &planes, is_planar, &mut sizes);
        let what = format!("{options:?}, {num_frames} frames of {}", std::any::type_name::<T>());
        assert_eq!(first_difference(&got, &expected), None, "{what}");
        for (got, expected) in got.iter().zip(&expected) {
            assert_eq!(got.len() as u128, exact, "{what}");
            // libsoxr's own count may be one off; see the resampler.
            assert!(got.len().abs_diff(expected.len()) <= 1, "{what}: {} of {}", got.len(), expected.len());
        }
    }
}

fn check_all(oracle: &Oracle, seed: u64, num_cases: usize) {
    let mut random = Random(seed);
    for _ in 0..num_cases {
        check::<f32>(oracle, &mut random, |bits| (bits as i32) as f32 / 2_147_483_648.0);
        check::<i16>(oracle, &mut random, |bits| bits as i16);
        check::<i32>(oracle, &mut random, |bits| bits as i32);
    }
}

#[test]
fn any_division_gives_what_one_call_gives() {
    check_all(&Oracle::linked(), 1, 40);
}

#[test]
#[cfg(target_arch = "x86_64")]
fn the_installed_libsoxr_gives_the_same() {
    match Oracle::installed() {
        Some(oracle) => check_all(&oracle, 2, 15),
        None => eprintln!("skipped: there is no libsoxr.so.0 on this machine"),
    }
}

#[test]
fn integers_are_as_good_as_the_floats_that_they_stand_for() {
    let mut random = Random(3);
    for (rates, quality) in [
        ((44_100, 16_000), "soxr_vhq"),
        ((44_100, 48_000), "soxr_hq"),
        ((16_000, 16_000), "soxr_vhq"),
        ((8000, 44_100), "soxr_lq"),
    ] {
        let integers = vec![(0..50_000).map(|_| random.draw() as i16).collect::<Vec<i16>>()];
        let floats =
            vec![integers[0].iter().map(|sample| f32::from(*sample) / 32_768.0).collect::<Vec<f32>>()];
        let wide = vec![integers[0].iter().map(|sample| i32::from(*sample) << 16).collect::<Vec<i32>>()];
        let options = options(rates, 1, quality);
        let all = || (1 << 16, 1 << 16);
        let expected = resample(&options, &floats, true, all);
        assert_eq!(bits(&resample(&options, &integers, true, all)), bits(&expected), "{options:?}");
        assert_eq!(bits(&resample(&options, &wide, true, all)), bits(&expected), "{options:?}");
    }
}

#[test]
fn halves_are_rounded_away_from_zero() {
    // 3 frames at half the rate are 1.5.
    let options = options((48_000, 24_000), 1, "soxr_hq");
    for (num_frames, expected) in [(0, 0), (1, 1), (2, 1), (3, 2), (5, 3), (1_000_001, 500_001)] {
        let planes = vec![vec![0.25f32; num_frames]];
        assert_eq!(
            resample(&options, &planes, true, || (4096, 4096))[0].len(),
            expected,
            "{num_frames} frames"
        );
    }
}

#[test]
fn what_cannot_be_done_is_refused() {
    let refused = |options: &ResamplerOptions<'_>| {
        let error = SoxrResampler::open(options).err().unwrap();
        (error.status(), error.message().to_owned())
    };
    let (status, message) = refused(&options((768_001, 16_000), 1, "soxr_hq"));
    assert_eq!(
        (status, message.as_str()),
        (Status::Unsupported, "the rate is 768001 Hz, expected 1 to 768000")
    );
    let little = ResamplerOptions { max_alloc: 1 << 20, ..options((44_100, 16_000), 2, "soxr_hq") };
    let (status, message) = refused(&options((1, 768_000), 1, "soxr_hq"));
    let expected = "1 Hz to 768000 Hz, expected less than 256 to 1";
    assert_eq!((status, message.as_str()), (Status::Unsupported, expected));
    let (status, message) = refused(&little);
    assert_eq!(status, Status::Limit);
    assert!(message.contains("1048576 may be allocated"), "{message}");
    let (status, _) = refused(&options((44_100, 16_000), 2, "best"));
    assert_eq!(status, Status::BadArgument);

    let mut resampler = SoxrResampler::open(&options((44_100, 16_000), 1, "soxr_hq")).unwrap();
    let mut room = [0.0f32; 8];
    let ended = Output::with_slice(&mut room, 1, |output| resampler.process(None, output));
    assert_eq!(ended.unwrap(), 0);
    let late = Output::with_slice(&mut room, 1, |output| {
        Block::with_slice(&[0.0f32; 4], 1, |block| resampler.process(Some(block), output))
    });
    assert_eq!(late.unwrap_err().status(), Status::BadState);
}
