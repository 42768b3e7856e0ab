//! The way to the samples: headers parsed, files opened, windows read. Everything is checked before it is timed.
//!
//! `cargo bench -p mapwave-benches --bench reading`. Files lie in the page cache, made here or taken from `fixtures`.

#![forbid(unsafe_code)]

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use mapwave_core::{FrameSpec, Reader, container};

const SAMPLE_RATE: u32 = 44_100;
const NUM_CHANNELS: u16 = 2;
/// A minute.
const NUM_FRAMES: u32 = 60 * SAMPLE_RATE;
const FRAME_BYTES: u32 = 4;

/// Frames of a window: 10 ms, 100 ms and 1 s.
const WINDOWS: [u64; 3] = [441, 4_410, 44_100];

/// A file of each container that the core reads, and one whose header is EXTENSIBLE.
const HEADERS: [&str; 8] = [
    "wav-pcm16.wav",
    "wav-extensible-pcm24.wav",
    "rifx-pcm16.wav",
    "rf64-pcm16.wav",
    "w64-pcm24.w64",
    "aiff-pcm16.aiff",
    "aifc-fl32.aifc",
    "caf-le24.caf",
];

/// A minute of PCM16, every frame with a number of its own.
static MINUTE: LazyLock<PathBuf> = LazyLock::new(|| {
    let path = std::env::temp_dir().join(format!("mapwave-bench-{}.wav", std::process::id()));
    fs::write(&path, minute()).expect("the temporary directory can be written to");
    path
});

fn main() {
    for name in HEADERS {
        let bytes = fixture(name);
        let track = container::parse(&bytes, bytes.len() as u64).expect("a valid fixture");
        assert!(track.num_frames.is_some_and(|count| count > 0), "{name} has no frames");
    }
    let reader = Reader::open(&*MINUTE).expect("a valid file");
    assert_eq!(reader.num_frames(), u64::from(NUM_FRAMES));
    let frames = reader.read(7..9, &FrameSpec::default()).expect("two frames");
    let expected = [7.0, 0.0, 8.0, 0.0].map(|sample: f32| sample / 32_768.0);
    assert_eq!(frames.samples::<f32>(), Some(&expected[..]));
    divan::main();
    // Nothing is lost when it stays behind: the system clears its temporary directory.
    let _ = fs::remove_file(&*MINUTE);
}

#[divan::bench(args = HEADERS)]
fn parse(bencher: Bencher<'_, '_>, name: &str) {
    let bytes = fixture(name);
    bencher.bench_local(|| container::parse(black_box(&bytes), bytes.len() as u64));
}

#[divan::bench]
fn open(bencher: Bencher<'_, '_>) {
    bencher.bench_local(|| Reader::open(black_box(&*MINUTE)));
}

#[divan::bench(args = WINDOWS)]
fn window_of_an_open_file(bencher: Bencher<'_, '_>, num_frames: u64) {
    let reader = Reader::open(&*MINUTE).expect("a valid file");
    let (spec, mut places) = (FrameSpec::default(), Places::new(num_frames));
    bencher
        .counter(BytesCount::new(num_frames * u64::from(FRAME_BYTES)))
        .bench_local(|| reader.read(places.next_range(), &spec));
}

#[divan::bench(args = WINDOWS)]
fn window_by_path(bencher: Bencher<'_, '_>, num_frames: u64) {
    let (spec, mut places) = (FrameSpec::default(), Places::new(num_frames));
    bencher.counter(BytesCount::new(num_frames * u64::from(FRAME_BYTES))).bench_local(|| {
        Reader::open_once(&*MINUTE).and_then(|reader| reader.read(places.next_range(), &spec))
    });
}

/// Places in the file without a pattern that a prefetcher could learn.
struct Places {
    state: u64,
    num_frames: u64,
}

impl Places {
    fn new(num_frames: u64) -> Self {
        Self { state: 1948, num_frames }
    }

    fn next_range(&mut self) -> std::ops::Range<u64> {
        self.state =
            self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let start = (self.state >> 33) % (u64::from(NUM_FRAMES) - self.num_frames);
        start..start + self.num_frames
    }
}

fn fixture(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/valid").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The minute as a WAV file: the left channel counts frames, the right one is silent.
fn minute() -> Vec<u8> {
    let data_bytes = NUM_FRAMES * FRAME_BYTES;
    let mut bytes = Vec::new();
    bytes.extend(b"RIFF");
    bytes.extend((36 + data_bytes).to_le_bytes());
    bytes.extend(b"WAVEfmt ");
    bytes.extend(16_u32.to_le_bytes());
    bytes.extend(1_u16.to_le_bytes());
    bytes.extend(NUM_CHANNELS.to_le_bytes());
    bytes.extend(SAMPLE_RATE.to_le_bytes());
    bytes.extend((SAMPLE_RATE * FRAME_BYTES).to_le_bytes());
    bytes.extend(4_u16.to_le_bytes());
    bytes.extend(16_u16.to_le_bytes());
    bytes.extend(b"data");
    bytes.extend(data_bytes.to_le_bytes());
    for frame in 0..NUM_FRAMES {
        bytes.extend((frame % 32_768).to_le_bytes());
    }
    bytes
}
