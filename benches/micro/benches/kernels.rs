//! The conversion kernels on samples in the first-level cache: checked against the scalar ones, then timed.
//!
//! `cargo bench -p mapwave-benches`. A sample's time in nanoseconds is 1 over the printed throughput in Gitem/s.

#![allow(unsafe_code, reason = "the output of a kernel is memory that need not be initialised")]

use std::mem::MaybeUninit;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use mapwave_core::pcm::{ByteOrder, Kernel, OutputFormat, SampleFormat};

/// 8 KiB of 32-bit samples: with the output they fit a first-level cache of 32 KiB.
const NUM_SAMPLES: usize = 2048;

const FROM: [SampleFormat; 8] = [
    SampleFormat::S16(ByteOrder::Little),
    SampleFormat::S16(ByteOrder::Big),
    SampleFormat::S24(ByteOrder::Little),
    SampleFormat::S24(ByteOrder::Big),
    SampleFormat::S32(ByteOrder::Little),
    SampleFormat::F32(ByteOrder::Little),
    SampleFormat::U8,
    SampleFormat::Alaw,
];

const TO: [OutputFormat; 4] = [OutputFormat::F32, OutputFormat::F16, OutputFormat::Bf16, OutputFormat::I16];

fn main() {
    for (from, to) in pairs() {
        let input = stored(from);
        let (mut got, mut expected) = ([0; NUM_SAMPLES], [0; NUM_SAMPLES]);
        Kernel::new(from, to).convert(&input, room(&mut got, to));
        Kernel::scalar(from, to).convert(&input, room(&mut expected, to));
        assert!(got == expected, "{} to {to} differs", from.name());
    }
    divan::main();
}

#[divan::bench(args = names())]
fn chosen(bencher: Bencher<'_, '_>, name: &str) {
    bench(bencher, name, Kernel::new);
}

#[divan::bench(args = names())]
fn scalar(bencher: Bencher<'_, '_>, name: &str) {
    bench(bencher, name, Kernel::scalar);
}

fn bench(bencher: Bencher<'_, '_>, name: &str, kernel: fn(SampleFormat, OutputFormat) -> Kernel) {
    let named = pairs().find(|&(from, to)| pair_name(from, to) == name);
    let (from, to) = named.expect("divan gives back the names it was given");
    let kernel = kernel(from, to);
    let input = stored(from);
    let mut words = [0; NUM_SAMPLES];
    let room = room(&mut words, to);
    bencher
        .counter(ItemsCount::new(NUM_SAMPLES))
        .bench_local(|| kernel.convert(black_box(&input), black_box(&mut *room)));
}

fn pairs() -> impl Iterator<Item = (SampleFormat, OutputFormat)> {
    FROM.into_iter().flat_map(|from| TO.map(|to| (from, to)))
}

fn names() -> impl Iterator<Item = String> {
    pairs().map(|(from, to)| pair_name(from, to))
}

fn pair_name(from: SampleFormat, to: OutputFormat) -> String {
    format!("{} to {to}", from.name())
}

/// Sound, as far as a conversion can tell: full-scale integers without a pattern, floats between -1 and 1.
fn stored(from: SampleFormat) -> Vec<u8> {
    if let SampleFormat::F32(_) = from {
        return (0_u16..)
            .take(NUM_SAMPLES)
            .flat_map(|time| (f32::from(time) * 0.37).sin().to_ne_bytes())
            .collect();
    }
    let mut state = 1_u32;
    let mut byte = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [high, ..] = state.to_be_bytes();
        high
    };
    (0..NUM_SAMPLES * from.num_bytes()).map(|_| byte()).collect()
}

/// Room for all samples in a format of at most eight bytes.
fn room(words: &mut [u64; NUM_SAMPLES], to: OutputFormat) -> &mut [MaybeUninit<u8>] {
    // SAFETY: any bytes will do in a u64, and kernels leave whole samples behind.
    let (_, bytes, _) = unsafe { words.align_to_mut() };
    bytes.split_at_mut(NUM_SAMPLES * to.num_bytes()).0
}
