//! Compares whole signals with their defining sum, and tones with the expected results.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]

use std::f64::consts::PI;

use proptest::prelude::*;

use super::shape::low_pass;
use super::*;

/// Pairs of rates for the first method, up and down, then for the second.
const PAIRS: [(u32, u32); 9] = [
    (44_100, 16_000),
    (48_000, 16_000),
    (16_000, 48_000),
    (44_100, 48_000),
    (96_000, 44_100),
    (11_025, 8000),
    (44_100, 43_973),
    (44_099, 44_100),
    (48_000, 7993),
];

/// A signal surrounded by zeros.
fn window<T: Sample>(signal: &[T], first: i64, num_frames: usize) -> Vec<T> {
    let sample = |frame: i64| usize::try_from(frame).ok().and_then(|frame| signal.get(frame)).copied();
    (first..).take(num_frames).map(|frame| sample(frame).unwrap_or(T::zero())).collect()
}

fn resampled<T: Sample>(plan: &Plan<T>, signal: &[T]) -> Vec<T> {
    let num_frames = plan.rates().num_output_frames(signal.len() as u64) as usize;
    let mut output = vec![T::zero(); num_frames];
    let mut scratch = Scratch::new();
    for (block, output) in (0..).zip(output.chunks_mut(plan.block_frames())) {
        let input = window(signal, plan.first_input(block), plan.input_frames());
        plan.block(block, &input, output, &mut scratch);
    }
    output
}

fn plan<T: Sample>((input, output): (u32, u32), quality: FilterQuality) -> std::sync::Arc<Plan<T>> {
    Plan::shared(Rates::new(input, output).unwrap(), quality).unwrap()
}

/// Output frame `frame` by definition: the input frames around its time, weighted by the filter.
fn naive(signal: &[f64], rates: Rates, quality: FilterQuality, frame: usize) -> f64 {
    let (input, output) = rates.reduced();
    let (up, down) = (u64::from(output), u64::from(input));
    let filter = low_pass(rates, quality, up, down);
    let higher = up.max(down) as f64 / down as f64;
    // In input frames, with whole frames kept separate so that late frames are as exact as the first.
    let whole = (frame as u64 * down / up) as i64;
    let rest = (frame as u64 * down % up) as f64 / up as f64;
    let span = (filter.reach() / higher).ceil() as i64 + 1;
    let inside = (whole - span).max(0)..(whole + span + 1).min(signal.len() as i64);
    inside
        .map(|tap| {
            let distance = ((tap - whole) as f64 - rest) * higher;
            if distance.abs() < filter.reach() {
                signal[tap as usize] * filter.at(distance) * higher
            } else {
                0.0
            }
        })
        .sum()
}

fn noise(num_frames: usize, mut seed: u64) -> Vec<f64> {
    let mut next = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    };
    (0..num_frames).map(|_| next()).collect()
}

fn tone(num_frames: usize, frequency: f64, rate: u32) -> Vec<f64> {
    let cycles = |frame: usize| (frame as f64 * frequency / f64::from(rate)).fract();
    (0..num_frames).map(|frame| (2.0 * PI * cycles(frame) + 0.3).sin()).collect()
}

fn decibels(ratio: f64) -> f64 {
    20.0 * ratio.log10()
}

fn power(samples: impl Iterator<Item = f64>) -> f64 {
    samples.map(|sample| sample * sample).sum()
}

/// The inner part of an output, where the filter does not extend beyond the ends.
fn inner(samples: &[f64], rates: Rates) -> &[f64] {
    let edge = 200.0 * (f64::from(rates.output()) / f64::from(rates.input())).max(1.0);
    &samples[edge as usize..samples.len() - edge as usize]
}

/// A tone, resampled by a plan with the quality's own precision.
fn toned(pair: (u32, u32), quality: FilterQuality, frequency: f64) -> Vec<f64> {
    let num_frames = 3 * plan::<f64>(pair, quality).input_frames();
    let signal = tone(num_frames, frequency, pair.0);
    match quality.precision() {
        Precision::Double => resampled(&plan(pair, quality), &signal),
        Precision::Single => {
            let signal: Vec<f32> = signal.iter().map(|&sample| sample as f32).collect();
            resampled(&plan::<f32>(pair, quality), &signal).into_iter().map(f64::from).collect()
        }
    }
}

#[test]
fn tones_of_the_pass_band_come_out_as_they_went_in() {
    for pair in PAIRS {
        let rates = Rates::new(pair.0, pair.1).unwrap();
        for quality in FilterQuality::ALL {
            let (mut worst, mut ripple) = (f64::INFINITY, 0.0_f64);
            for fraction in [0.002, 0.1, 0.33, 0.5, 0.71, 0.9, 0.97, 1.0] {
                let lower = f64::from(pair.0.min(pair.1)) / 2.0;
                let frequency = fraction * quality.pass_band() * lower;
                let got = toned(pair, quality, frequency);
                let expected = tone(got.len(), frequency, pair.1);
                let (got, expected) = (inner(&got, rates), inner(&expected, rates));
                let pairs = || got.iter().zip(expected);
                let error = power(pairs().map(|(got, expected)| got - expected));
                let sound = power(expected.iter().copied());
                worst = worst.min(-decibels((error / sound).sqrt()));
                let gain = pairs().map(|(got, expected)| got * expected).sum::<f64>() / sound;
                ripple = ripple.max((gain - 1.0).abs());
            }
            println!("{pair:?} {quality}: signal to error {worst:.1} dB, ripple {ripple:.1e}");
            assert!(worst >= quality.rejection() - 4.0, "{pair:?} {quality}: {worst} dB");
            assert!(ripple <= 10_f64.powf(-quality.rejection() / 20.0) * 1.6, "{pair:?} {quality}: {ripple}");
            assert!(quality != FilterQuality::Best || ripple < 1e-8);
        }
    }
}

#[test]
fn tones_that_the_output_cannot_hold_do_not_come_out() {
    for pair in PAIRS.into_iter().filter(|(input, output)| output < input) {
        let rates = Rates::new(pair.0, pair.1).unwrap();
        for quality in FilterQuality::ALL {
            let lower = f64::from(pair.1) / 2.0;
            let mut worst = f64::INFINITY;
            for fraction in [1.0001, 1.001, 1.0025, 1.03, 1.2, 1.7, 2.0, 2.9] {
                if fraction * lower < f64::from(pair.0) / 2.0 {
                    let got = toned(pair, quality, fraction * lower);
                    let got = inner(&got, rates);
                    worst =
                        worst.min(-decibels((2.0 * power(got.iter().copied()) / got.len() as f64).sqrt()));
                }
            }
            println!("{pair:?} {quality}: rejection {worst:.1} dB");
            assert!(worst >= quality.rejection() - 1.0, "{pair:?} {quality}: {worst} dB");
        }
    }
}

/// The largest deviation from the definition, at frames spread over a noise signal.
fn difference(rates: Rates, quality: FilterQuality, num_frames: usize, seed: u64) -> f64 {
    let plan = Plan::<f64>::shared(rates, quality).unwrap();
    let signal = noise(num_frames, seed);
    let got = resampled(&plan, &signal);
    let step = (got.len() / 97).max(1);
    let differences = got
        .iter()
        .enumerate()
        .step_by(step)
        .map(|(frame, sample)| (sample - naive(&signal, rates, quality, frame)).abs());
    differences.fold(0.0, f64::max)
}

#[test]
fn blocks_are_the_sum_that_defines_them() {
    for pair in PAIRS.into_iter().chain([
        (1, 768_000),
        (768_000, 100),
        (3, 767_999),
        (2, 1),
        (1, 2),
        (768_000, 767_999),
    ]) {
        for quality in FilterQuality::ALL {
            let rates = Rates::new(pair.0, pair.1).unwrap();
            let num_frames = if pair.0 < 10 { 2 } else { 30_011 };
            let got = difference(rates, quality, num_frames, 7);
            let bound = 4.0 * 10_f64.powf(-quality.rejection() / 20.0);
            assert!(got <= bound, "{pair:?} {quality}: {got:e}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_rates_are_the_sum_that_defines_them(
        input in 2000..200_000_u32,
        output in 2000..200_000_u32,
        quality in prop::sample::select(&FilterQuality::ALL[..]),
        num_frames in 1..20_000_usize,
        seed in 1..u64::MAX,
    ) {
        prop_assume!(input != output);
        let got = difference(Rates::new(input, output).unwrap(), quality, num_frames, seed);
        prop_assert!(got <= 4.0 * 10_f64.powf(-quality.rejection() / 20.0), "{got:e}");
    }
}

#[test]
fn blocks_lie_where_they_are_said_to_lie() {
    for pair in PAIRS {
        let plan = plan::<f64>(pair, FilterQuality::Best);
        let block_frames = plan.block_frames() as u64;
        for block in [0, 1, 2, 1000, 1_000_001] {
            let first = plan.first_input(block);
            let hop = plan.first_input(block + 1) - first;
            let least = plan.hop_input_frames() as i64;
            assert!(hop == least || hop == least + 1, "{pair:?}: {hop}");
            // The block's own frames are inside its input.
            let begin = u128::from(block * block_frames) * u128::from(pair.0) / u128::from(pair.1);
            let end = u128::from((block + 1) * block_frames) * u128::from(pair.0) / u128::from(pair.1);
            assert!(first < begin as i64 && end as i64 <= first + plan.input_frames() as i64);
        }
        assert!(plan.block_frames() <= 16_384 && plan.num_bytes() < 1 << 20, "{plan:?}");
    }
    assert_eq!(plan::<f32>((44_100, 43_973), FilterQuality::Low).first_input(u64::MAX), i64::MAX);
}

#[test]
fn a_block_is_the_same_whatever_was_before_and_however_much_is_asked_for() {
    for pair in PAIRS {
        let plan = plan::<f64>(pair, FilterQuality::Best);
        let signal = noise(8 * plan.input_frames(), 3);
        let whole = resampled(&plan, &signal);
        let mut scratch = Scratch::new();
        for block in [3, 1, 2] {
            let start = block as usize * plan.block_frames();
            let input = window(&signal, plan.first_input(block), plan.input_frames());
            for num_frames in [plan.block_frames(), 1, 0, plan.block_frames() - 1] {
                let mut output = vec![1.0; num_frames];
                plan.block(block, &input, &mut output, &mut scratch);
                assert!(output == whole[start..start + num_frames], "{pair:?} block {block}");
            }
            // The use of the scratch by another plan has no influence.
            let other = super::tests::plan::<f64>((8000, 48_000), FilterQuality::Low);
            other.block(0, &vec![f64::NAN; other.input_frames()], &mut [0.0; 9], &mut scratch);
        }
    }
}

#[test]
fn an_impulse_comes_out_symmetric_and_in_its_place() {
    for pair in [(44_100, 16_000), (16_000, 48_000), (44_099, 44_100)] {
        let plan = plan::<f64>(pair, FilterQuality::Best);
        let (period_in, period_out) = plan.rates().reduced();
        let periods = 12_000 / period_in.min(period_out).min(6000) + 1;
        let mut signal = vec![0.0; 2 * (periods * period_in) as usize];
        signal[(periods * period_in) as usize] = 1.0;
        let got = resampled(&plan, &signal);
        let centre = (periods * period_out) as usize;
        let loudest = got.iter().fold(0.0, |loudest: f64, sample| loudest.max(sample.abs()));
        assert_eq!(got[centre], loudest);
        for distance in 1..1000 {
            let difference = (got[centre - distance] - got[centre + distance]).abs();
            assert!(difference < 2e-8 * loudest, "{pair:?} at {distance}: {difference:e}");
        }
    }
}

#[test]
fn a_constant_stays_what_it_is() {
    for pair in PAIRS {
        for quality in FilterQuality::ALL {
            let plan = plan::<f64>(pair, quality);
            let got = resampled(&plan, &vec![1.0; 3 * plan.input_frames()]);
            let worst =
                inner(&got, plan.rates()).iter().map(|sample| (sample - 1.0).abs()).fold(0.0, f64::max);
            assert!(worst < 10_f64.powf(-quality.rejection() / 20.0), "{pair:?} {quality}: {worst:e}");
        }
    }
}

#[test]
fn equal_rates_change_nothing() {
    let signal = noise(20_000, 5);
    assert!(resampled(&plan((48_000, 48_000), FilterQuality::Fastest), &signal) == signal);
}

#[test]
fn silence_is_zero_and_numbers_too_small_are_silence() {
    for pair in PAIRS {
        let plan = plan::<f32>(pair, FilterQuality::Medium);
        let mut scratch = Scratch::new();
        let mut output = vec![1.0; plan.block_frames()];
        let loud: Vec<f32> = noise(plan.input_frames(), 9).into_iter().map(|sample| sample as f32).collect();
        plan.block(5, &loud, &mut output, &mut scratch);
        for quiet in [0.0, -0.0, 1e-40, 1e-21] {
            output.fill(1.0);
            plan.block(5, &vec![quiet; plan.input_frames()], &mut output, &mut scratch);
            assert!(output.iter().all(|sample| sample.to_bits() == 0), "{quiet}");
        }
        // Very quiet samples in one half of the block's input: the output is zero or, as a rule, a normal number.
        let mut input = vec![0.0; plan.input_frames()];
        input[0] = 1.1e-20;
        plan.block(5, &input, &mut output, &mut scratch);
        let num_denormal = output.iter().filter(|sample| sample.is_subnormal()).count();
        assert!(num_denormal <= output.len() / 100, "{pair:?}: {num_denormal}");
        assert!(output.contains(&0.0));
    }
}

#[test]
fn what_is_not_finite_stays_in_the_blocks_that_it_is_given_to() {
    for pair in PAIRS {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX] {
            let plan = plan::<f64>(pair, FilterQuality::High);
            let mut signal = noise(9 * plan.input_frames(), 11);
            let good = resampled(&plan, &signal);
            let at = 4 * plan.input_frames();
            signal[at] = bad;
            let got = resampled(&plan, &signal);
            let (got, good) = (got.chunks(plan.block_frames()), good.chunks(plan.block_frames()));
            for (block, (got, good)) in (0..).zip(got.zip(good)) {
                let first = plan.first_input(block);
                let hears = (first..first + plan.input_frames() as i64).contains(&(at as i64));
                assert!(hears || got == good, "{pair:?} {bad} in block {block}");
            }
        }
    }
}

#[test]
fn a_filter_too_long_is_refused() {
    let message = |pair: (u32, u32)| {
        let rates = Rates::new(pair.0, pair.1).unwrap();
        Plan::<f64>::shared(rates, FilterQuality::Best).unwrap_err().to_string()
    };
    assert_eq!(
        message((768_000, 1)),
        "the output's sample rate must be nearer to the input's 768000 Hz at this quality (resample in two steps), got 1 Hz"
    );
    assert!(message((768_000, 13)).contains("got 13 Hz"));
}
