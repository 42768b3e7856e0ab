//! A block of resampling in each quality: checked to pass a constant, then timed.
//!
//! `cargo bench -p mapwave-benches --bench resampling`. Items are output frames of one channel.

use std::sync::Arc;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use mapwave_core::resample::{FilterQuality, Plan, Precision, Rates, Sample, Scratch};

/// Rates with a small ratio, and rates without one.
const PAIRS: [(u32, u32); 5] =
    [(44_100, 16_000), (48_000, 16_000), (44_100, 48_000), (16_000, 48_000), (44_100, 44_099)];

fn main() {
    for name in names() {
        let (rates, quality) = named(&name);
        match quality.precision() {
            Precision::Single => check(&plan::<f32>(rates, quality), 1.0, 1e-3),
            Precision::Double => check(&plan::<f64>(rates, quality), 1.0, 1e-6),
        }
    }
    divan::main();
}

#[divan::bench(args = names())]
fn block(bencher: Bencher<'_, '_>, name: &str) {
    let (rates, quality) = named(name);
    match quality.precision() {
        Precision::Single => bench(bencher, &plan(rates, quality), 0.5_f32),
        Precision::Double => bench(bencher, &plan(rates, quality), 0.5_f64),
    }
}

fn bench<T: Sample>(bencher: Bencher<'_, '_>, plan: &Plan<T>, sample: T) {
    let input = vec![sample; plan.input_frames()];
    let mut output = vec![T::zero(); plan.block_frames()];
    let mut scratch = Scratch::new();
    bencher
        .counter(ItemsCount::new(plan.block_frames()))
        .bench_local(|| plan.block(black_box(7), black_box(&input), black_box(&mut output), &mut scratch));
}

fn check<T: Sample>(plan: &Plan<T>, sample: T, tolerance: T) {
    let mut output = vec![T::zero(); plan.block_frames()];
    plan.block(7, &vec![sample; plan.input_frames()], &mut output, &mut Scratch::new());
    let is_close = output.iter().all(|got| (*got - sample).abs() <= tolerance);
    assert!(is_close, "{plan:?} changes a constant");
}

fn plan<T: Sample>(rates: Rates, quality: FilterQuality) -> Arc<Plan<T>> {
    Plan::shared(rates, quality).expect("a plan of usual rates")
}

fn names() -> impl Iterator<Item = String> {
    PAIRS.into_iter().flat_map(|(input, output)| {
        FilterQuality::ALL.map(|quality| format!("{input} to {output} {quality}"))
    })
}

fn named(name: &str) -> (Rates, FilterQuality) {
    let mut words = name.split(' ').filter(|word| *word != "to");
    let mut rate = || words.next().and_then(|word| word.parse().ok()).expect("a rate");
    let rates = Rates::new(rate(), rate()).expect("usual rates");
    let quality = words.next().and_then(|word| word.parse().ok()).expect("a quality");
    (rates, quality)
}
