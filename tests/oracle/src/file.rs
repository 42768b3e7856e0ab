//! Everything that can be asked of a file.

use std::ops::Range;
use std::sync::Once;

use mapwave::{
    Access, ChannelSelection, Error, FrameSpec, Layout, MonoMode, OpenOptions, OutputFormat, ReadControl,
    Reader, ResampleQuality,
};
use mapwave_core::{Buffer, Fault};

use crate::stored::Stored;

/// The most samples that are decoded as a whole.
const MAX_SAMPLES: u64 = 1 << 19;

/// The most frames of a window of a file that is longer.
const MAX_WINDOW: u64 = 5000;

/// How many sound tracks of a file are read.
const MAX_TRACKS: usize = 3;

/// Opens and reads a file in every way, and compares the results; returns whether it opens.
///
/// # Panics
/// When two ways differ, or a plugin is at fault.
pub(crate) fn check(bytes: &[u8]) -> bool {
    check_with(bytes, &OpenOptions::new())
}

/// As [`check`], with options.
pub(crate) fn check_with(bytes: &[u8], options: &OpenOptions) -> bool {
    quiet();
    let bytes: std::sync::Arc<[u8]> = bytes.into();
    let open = || options.open_bytes(std::sync::Arc::clone(&bytes));
    let opened = open().map_err(innocent);
    let stored = Stored::new(&bytes);
    for access in [Access::Once, Access::Kept, Access::Streamed] {
        let by_path = options.clone().access(access).open(stored.path()).map_err(innocent);
        match (&opened, &by_path) {
            (Ok(opened), Ok(by_path)) => same_facts(opened, by_path, "as a file"),
            (Err(error), Err(by_path)) => assert_eq!(words(error), words(by_path), "as a file: the error"),
            (opened, by_path) => panic!("{opened:?} as bytes, {by_path:?} as a file"),
        }
    }
    let Ok(reader) = opened else { return false };
    describe(&reader);
    read(&reader, &open, || options.clone().access(Access::Streamed).open(stored.path()));
    for number in 0..reader.sound_tracks().len().min(MAX_TRACKS) {
        let Ok(track) = options.clone().track(number as u32).open_bytes(std::sync::Arc::clone(&bytes)) else {
            continue;
        };
        let frames = 0..track.num_frames().min(MAX_WINDOW);
        let _ = track.read(frames, &FrameSpec::default()).map_err(innocent);
    }
    if let Some(table) = reader.seek_table() {
        let again = options.clone().seek_table(table).open_bytes(std::sync::Arc::clone(&bytes));
        let again = again.unwrap_or_else(|error| panic!("with its own seek table: {error}"));
        same_facts(&reader, &again, "with its seek table");
        let frames = 0..reader.num_frames().min(MAX_WINDOW);
        same_frames(&reader, &again, frames, "with its seek table");
    }
    true
}

/// Warnings about damaged packets are kept for whoever asks, which nobody does here.
fn quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(mapwave::set_up);
    drop(mapwave_core::host::drain_messages());
}

/// An error that is no one's fault but the file's.
fn innocent(error: Error) -> Error {
    let is_guilty = matches!(&error, Error::Plugin { fault: Fault::Broken, plugin: "builtin" | "libav", .. });
    assert!(!is_guilty, "a plugin is at fault: {error}");
    assert!(!matches!(error, Error::Incomplete { .. }), "an error that is not for users: {error}");
    error
}

/// What an error says, whatever the file is called.
fn words(error: &Error) -> String {
    let text = error.to_string();
    match text.strip_prefix("/proc/self/fd/").and_then(|rest| rest.split_once(": ")) {
        Some((_, words)) => words.to_owned(),
        None => text,
    }
}

fn same_facts(one: &Reader, other: &Reader, how: &str) {
    assert_eq!(one.track(), other.track(), "{how}: what is known of it");
    assert_eq!(one.num_frames(), other.num_frames(), "{how}: its frames");
}

/// Asks for all that is known without decoding.
fn describe(reader: &Reader) {
    let track = reader.track();
    assert!(track.sample_rate > 0 && track.num_channels > 0, "{track:?}");
    let metadata = reader.metadata();
    let _ = (reader.bitrate(&metadata), reader.duration(), reader.tags(), reader.max_threads());
    let _ = reader.pictures().map_err(innocent);
    assert!(
        reader.sound_tracks().iter().filter(|track| track.is_default).count() == 1,
        "one track is the default"
    );
    if let Ok(view) = reader.view() {
        let frame_bytes = view.format.num_bytes() as u64 * u64::from(track.num_channels);
        assert_eq!(view.bytes.len() as u64, reader.num_frames() * frame_bytes, "the bytes of a view");
    }
}

/// Frames on so many threads.
fn frames_on(
    reader: &Reader,
    max_threads: usize,
    frames: Range<u64>,
    spec: &FrameSpec,
) -> Result<Vec<u8>, Error> {
    let control = ReadControl { max_threads, ..ReadControl::ONE_THREAD };
    let read = reader.read_with(frames, spec, Buffer::new, &control).map_err(innocent)?;
    Ok(read.bytes().to_vec())
}

fn same_frames(one: &Reader, other: &Reader, frames: Range<u64>, how: &str) {
    let read = |reader| frames_on(reader, 1, frames.clone(), &FrameSpec::default());
    match (read(one), read(other)) {
        (Ok(one), Ok(other)) => assert!(one == other, "{how}: other samples in frames {frames:?}"),
        (Err(one), Err(other)) => assert_eq!(words(&one), words(&other), "{how}: another error"),
        (one, other) => panic!("{how}: {one:?} and {other:?}"),
    }
}

/// Some windows of a file, which depend on its length alone.
fn windows(num_frames: u64) -> Vec<Range<u64>> {
    let end = |start: u64, count: u64| start..start.saturating_add(count).min(num_frames);
    let mut windows = vec![
        end(0, 1),
        end(num_frames / 2, 100),
        end(num_frames.saturating_sub(1), 1),
        end(num_frames / 3, MAX_WINDOW),
        end(num_frames.saturating_sub(700), 700),
        end(num_frames.min(1151), 3),
    ];
    windows.retain(|window| !window.is_empty());
    windows
}

/// Reads the frames in every way.
fn read(
    reader: &Reader,
    open: &dyn Fn() -> Result<Reader, Error>,
    stream: impl Fn() -> Result<Reader, Error>,
) {
    let spec = FrameSpec::default();
    let again = || open().unwrap_or_else(|error| panic!("it does not open a second time: {error}"));
    let num_frames = reader.num_frames();
    let num_channels = u64::from(reader.track().num_channels);
    if num_frames.saturating_mul(num_channels) > MAX_SAMPLES {
        let windows = windows(num_frames);
        let short =
            |window: Range<u64>| window.start..window.end.min(window.start + MAX_SAMPLES / num_channels);
        for window in windows.into_iter().map(short) {
            same_frames(reader, &again(), window, "in another order");
        }
        return;
    }
    let all = 0..num_frames;
    let whole = frames_on(reader, 1, all.clone(), &spec);
    for max_threads in [2, 8] {
        let threads = frames_on(&again(), max_threads, all.clone(), &spec);
        match (&whole, &threads) {
            (Ok(whole), Ok(threads)) => assert!(whole == threads, "other samples on {max_threads} threads"),
            (Err(_), Err(_)) => {}
            _ => panic!("{whole:?} on one thread, {threads:?} on {max_threads}"),
        }
    }
    let whole = match whole {
        Ok(whole) => whole,
        Err(_) => {
            windows(num_frames).into_iter().for_each(|window| drop(frames_on(reader, 1, window, &spec)));
            return;
        }
    };
    let frame_bytes = num_channels as usize * spec.format.num_bytes();
    assert_eq!(whole.len(), num_frames as usize * frame_bytes, "as many frames as it has");
    let slice =
        |window: &Range<u64>| &whole[window.start as usize * frame_bytes..window.end as usize * frame_bytes];
    let kept = again();
    for window in windows(num_frames) {
        for (reader, how) in [(&again(), "first"), (&kept, "after others")] {
            match frames_on(reader, 1, window.clone(), &spec) {
                Ok(read) => assert!(
                    read == slice(&window),
                    "the window {window:?} of {num_frames}, {how}, is no slice"
                ),
                Err(error) => panic!("the window {window:?} of {num_frames}, {how}: {error}"),
            }
        }
    }
    // Many at once, as a batch has them.
    let readers = [again(), again(), again()];
    std::thread::scope(|scope| {
        for reader in &readers {
            scope.spawn(|| {
                let read = frames_on(reader, 1, all.clone(), &spec);
                assert!(read.is_ok_and(|read| read == whole), "other samples in a batch");
            });
        }
    });
    let stream = stream().unwrap_or_else(|error| panic!("it does not open as a stream: {error}"));
    let mut streamed = Vec::with_capacity(whole.len());
    for block in stream.blocks(1000, &spec) {
        streamed
            .extend_from_slice(block.unwrap_or_else(|error| panic!("a block of a stream: {error}")).bytes());
    }
    assert!(streamed == whole, "other samples as a stream");
    other_forms(reader, again, num_frames.min(MAX_WINDOW), &whole);
}

/// Reads the first frames as other types, mixed, planar and at another rate.
fn other_forms(reader: &Reader, again: impl Fn() -> Reader, num_frames: u64, whole: &[u8]) {
    let num_channels = usize::from(reader.track().num_channels);
    let forms = [
        FrameSpec { format: OutputFormat::I16, ..FrameSpec::default() },
        FrameSpec { format: OutputFormat::I32, ..FrameSpec::default() },
        FrameSpec { channels: ChannelSelection::Mono(MonoMode::Mean), ..FrameSpec::default() },
        FrameSpec { layout: Layout::ChannelsFirst, ..FrameSpec::default() },
    ];
    for spec in &forms {
        let read = frames_on(reader, 1, 0..num_frames, spec);
        let read = read.unwrap_or_else(|error| panic!("as {spec:?}: {error}"));
        if spec.layout == Layout::ChannelsFirst {
            let planar = read.chunks_exact(4).enumerate().all(|(index, sample)| {
                let (channel, frame) = (index / num_frames as usize, index % num_frames as usize);
                let place = 4 * (frame * num_channels + channel);
                sample == &whole[place..place + 4]
            });
            assert!(planar, "other samples in planes");
        }
    }
    let rate = if reader.track().sample_rate == 16_000 { 8000 } else { 16_000 };
    let Ok(resampled) = again().resampled(rate, ResampleQuality::Default) else { return };
    let count = resampled.num_frames().min(MAX_WINDOW / 4);
    let read = |reader: &Reader, frames| frames_on(reader, 1, frames, &FrameSpec::default());
    let first = read(&resampled, 0..count).unwrap_or_else(|error| panic!("at {rate} Hz: {error}"));
    let part = read(&resampled, count / 2..count).unwrap_or_else(|error| panic!("at {rate} Hz: {error}"));
    assert!(first.ends_with(&part), "the window of another rate is no slice");
}
