use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mapwave_plugin_abi as abi;

use super::*;
use crate::error::Fault as Kind;
use crate::host::tests::fake_decoder;
use crate::host::tests::fake_decoder::{Fault, Sound};
use crate::pcm::OutputFormat;
use crate::spec::{ChannelSelection, Layout, MonoMode};

const CLASSES: [u32; 3] = [abi::MW_SEEK_NONE, abi::MW_SEEK_ANCHORED, abi::MW_SEEK_EXACT];

/// A few frames more than 8 threads divide into two segments each.
const NUM_FRAMES: u64 = 600_011;

struct File {
    source: Arc<Source>,
    track: CompressedTrack,
}

fn open(sound: Sound, is_trusted: bool) -> Result<File> {
    let source = sound.source();
    let failed = |failure: Failure| failure.into_error("fake", "opening", None);
    let track = CompressedTrack::new(sound.open(&source, is_trusted).map_err(failed)?, &source, None)?;
    Ok(File { source, track })
}

impl File {
    fn read_with(&self, frames: Range<u64>, spec: &FrameSpec, control: &ReadControl<'_>) -> Result<Vec<u8>> {
        let shape = spec.shape(frames.end - frames.start, self.track.info.num_channels)?;
        let mut out = fake_decoder::room(shape.num_samples() * spec.format.num_bytes());
        self.track.read(&self.source, frames, spec, &mut out, control)?;
        Ok(fake_decoder::bytes(&out))
    }

    fn read(&self, frames: Range<u64>, spec: &FrameSpec, max_threads: usize) -> Result<Vec<u8>> {
        self.read_with(frames, spec, &ReadControl { max_threads, ..ReadControl::ONE_THREAD })
    }

    fn whole(&self) -> Result<Vec<u8>> {
        self.read(0..self.track.num_frames(), &FrameSpec::default(), 2)
    }
}

/// Waits until all handles are closed: a thread through which a plugin was called closes its handle once nobody uses it.
fn all_closed(sound: &Sound) -> bool {
    for _ in 0..10_000 {
        if sound.num_handles() == 0 {
            return true;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    false
}

/// Pseudo-random numbers.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

#[test]
fn windows_are_slices_of_the_whole_whatever_the_seek_class_and_the_threads() {
    let mut numbers = Numbers(1);
    for (class, format, is_trusted) in CLASSES
        .into_iter()
        .flat_map(|class| [(class, abi::MW_I16), (class, abi::MW_F32)])
        .flat_map(|(class, format)| [(class, format, true), (class, format, false)])
    {
        let sound = Sound { format, ..Sound::new(class, 10_007, 2, NUM_FRAMES) };
        let samples: Vec<f32> =
            sound.samples().into_iter().map(|sample| f32::from(sample) / 32768.0).collect();
        let spec = FrameSpec::default();
        let file = open(sound, is_trusted).unwrap();
        for max_threads in [1, 2, 3, 8] {
            let fresh = open(sound, is_trusted).unwrap();
            let whole = fresh.read(0..NUM_FRAMES, &spec, max_threads).unwrap();
            assert!(whole == bytemuck::cast_slice::<f32, u8>(&samples), "{class} {format} {max_threads}");
            for turn in 0..12 {
                let start = numbers.below(NUM_FRAMES);
                let length = if turn % 3 == 0 { NUM_FRAMES } else { 1 + numbers.below(30_000) };
                let mut frames = start..NUM_FRAMES.min(start + length);
                if turn == 4 {
                    frames = 10_007..20_014;
                }
                // A file that was read at another position before, and one that was not.
                let fresh = open(sound, is_trusted).unwrap();
                for file in [&file, &fresh] {
                    let window = file.read(frames.clone(), &spec, max_threads).unwrap();
                    let expected = &whole[frames.start as usize * 8..frames.end as usize * 8];
                    assert!(window == expected, "class {class}: {frames:?}, {max_threads} threads");
                }
            }
        }
        drop(file);
        assert!(all_closed(&sound), "{} handles are open", sound.num_handles());
    }
}

#[test]
fn layouts_formats_and_channels_come_out_of_either_way_alike() {
    for (format, num_channels) in [(abi::MW_I16, 3), (abi::MW_F32, 3), (abi::MW_F32, 1), (abi::MW_I16, 1)] {
        let sound = Sound { format, ..Sound::new(abi::MW_SEEK_ANCHORED, 4096, num_channels, 100_000) };
        let (direct, supervised) = (open(sound, true).unwrap(), open(sound, false).unwrap());
        for layout in [Layout::ChannelsLast, Layout::ChannelsFirst] {
            for output in [OutputFormat::F32, OutputFormat::I16, OutputFormat::F16] {
                for channels in [ChannelSelection::All, ChannelSelection::Mono(MonoMode::Mean)] {
                    let spec = FrameSpec { layout, format: output, channels, squeeze_mono: false };
                    let read = |file: &File, max_threads| file.read(17..99_983, &spec, max_threads).unwrap();
                    let one = read(&direct, 1);
                    assert!(read(&direct, 3) == one, "{format} {num_channels} {spec:?}");
                    assert!(read(&supervised, 1) == one, "{format} {num_channels} {spec:?}");
                    assert!(read(&supervised, 3) == one, "{format} {num_channels} {spec:?}");
                }
            }
        }
    }
}

#[test]
fn a_stream_of_unknown_length_is_counted() {
    for (class, is_trusted) in CLASSES.into_iter().flat_map(|class| [(class, true), (class, false)]) {
        for num_frames in [0, 1, 100_003] {
            let sound = Sound { told_frames: abi::MW_UNKNOWN, ..Sound::new(class, 1000, 2, num_frames) };
            let file = open(sound, is_trusted).unwrap();
            assert_eq!(file.track.num_frames(), num_frames);
            let samples: Vec<f32> =
                sound.samples().into_iter().map(|sample| f32::from(sample) / 32768.0).collect();
            assert!(file.whole().unwrap() == bytemuck::cast_slice::<f32, u8>(&samples));
        }
    }
}

fn check_broken(error: &Error, words: &str) {
    let message = error.to_string();
    assert!(matches!(error, Error::Plugin { fault: Kind::Broken, plugin: "fake", .. }), "{message}");
    assert!(message.contains(words), "expected '{words}' in: {message}");
}

#[test]
fn a_plugin_that_breaks_a_rule_is_an_error_and_its_handles_are_closed() {
    for (fault, is_trusted, words) in [
        (Fault::Overcount, false, "frames of"),
        (Fault::Overcount, true, "frames of"),
        (Fault::Undercount, false, "decoded 0 frames"),
        (Fault::Undercount, true, "decoded 0 frames"),
        (Fault::EndWithFrames, false, "decoded 1 frames"),
        (Fault::Status, false, "status 77"),
        (Fault::Status, true, "status 77"),
        // Only supervised plugins write into a buffer with a margin.
        (Fault::Overrun, false, "wrote past"),
        (Fault::Panic, false, "panicked"),
        (Fault::Panic, true, "panicked"),
        (Fault::NoHandle, false, "without a handle"),
        (Fault::NoInfo, false, "internal fault"),
        (Fault::SeekClass, false, "unknown seek class 9"),
    ] {
        let sound = Sound { fault, ..Sound::new(abi::MW_SEEK_EXACT, 1, 2, 200_000) };
        let file = match open(sound, is_trusted) {
            Ok(file) => {
                for _ in 0..2 {
                    check_broken(&file.whole().unwrap_err(), words);
                }
                Some(file)
            }
            Err(error) => {
                check_broken(&error, words);
                None
            }
        };
        drop(file);
        assert!(all_closed(&sound), "{fault:?}: {} handles are open", sound.num_handles());
    }
    for is_trusted in [true, false] {
        let sound = Sound { fault: Fault::Score, ..Sound::new(abi::MW_SEEK_EXACT, 1, 2, 1) };
        let error = sound.probe(is_trusted).unwrap_err().into_error("fake", "probing", None);
        check_broken(&error, "a score is from 0 to 100");
    }
}

#[test]
fn lies_about_the_length_are_found_or_do_no_harm() {
    for (class, is_trusted) in CLASSES.into_iter().flat_map(|class| [(class, true), (class, false)]) {
        let sound = Sound::new(class, 1000, 2, 100_000);
        let file = open(Sound { told_frames: 100_001, ..sound }, is_trusted).unwrap();
        let error = file.whole().unwrap_err().to_string();
        assert!(error.contains("ended at frame 100000 of the 100001"), "{error}");
        assert!(file.read(0..100_000, &FrameSpec::default(), 2).is_ok(), "what is there is read");
        let shorter = open(Sound { told_frames: 99_000, ..sound }, is_trusted).unwrap();
        let (all, told) = (open(sound, is_trusted).unwrap().whole().unwrap(), shorter.whole().unwrap());
        assert!(told == all[..99_000 * 8], "as many frames as were reported");
    }
}

#[test]
fn a_stream_that_does_not_end_is_not_counted_for_ever() {
    for is_trusted in [true, false] {
        let sound = Sound {
            fault: Fault::Endless,
            told_frames: abi::MW_UNKNOWN,
            ..Sound::new(abi::MW_SEEK_EXACT, 1, 2, 0)
        };
        check_broken(&open(sound, is_trusted).err().unwrap(), "and does not end");
    }
}

#[test]
fn a_read_that_hangs_is_interrupted() {
    for fault in [Fault::HangInDecode, Fault::HangInSeek, Fault::HangInFork] {
        for max_threads in [1, 2, 8] {
            let sound = Sound { fault, ..Sound::new(abi::MW_SEEK_EXACT, 1, 2, NUM_FRAMES) };
            let file = open(sound, false).unwrap();
            let control = ReadControl { max_threads, interrupted: &|| true };
            let result = file.read_with(7..NUM_FRAMES, &FrameSpec::default(), &control);
            assert!(matches!(result, Err(Error::Interrupted)), "{fault:?}, {max_threads}: {result:?}");
            drop(file);
            // An interruption that is requested only after the call has begun.
            let file = open(sound, false).unwrap();
            let num_asked = std::sync::atomic::AtomicUsize::new(0);
            let interrupted = || num_asked.fetch_add(1, Ordering::Relaxed) > 3;
            let control = ReadControl { max_threads, interrupted: &interrupted };
            let result = file.read_with(7..NUM_FRAMES, &FrameSpec::default(), &control);
            assert!(matches!(result, Err(Error::Interrupted)), "{fault:?}, {max_threads}: {result:?}");
            if fault == Fault::HangInFork {
                // All others are forked from the handle that hangs.
                check_broken(&file.whole().unwrap_err(), "open the file again");
            }
            sound.release();
            drop(file);
            assert!(all_closed(&sound), "{fault:?}: {} handles are open", sound.num_handles());
        }
    }
}

#[test]
fn several_readers_share_the_handles() {
    for is_trusted in [true, false] {
        let sound = Sound::new(abi::MW_SEEK_NONE, 1, 1, 50_000);
        let file = open(sound, is_trusted).unwrap();
        let whole = file.whole().unwrap();
        let failed = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let (file, whole, failed) = (&file, &whole, &failed);
                scope.spawn(move || {
                    let mut numbers = Numbers(thread);
                    for _ in 0..50 {
                        let start = numbers.below(50_000);
                        let frames = start..50_000.min(start + numbers.below(3000));
                        let expected = &whole[frames.start as usize * 4..frames.end as usize * 4];
                        let is_right = file.read(frames, &FrameSpec::default(), 2).unwrap() == expected;
                        failed.fetch_or(!is_right, Ordering::Relaxed);
                    }
                });
            }
        });
        assert!(!failed.into_inner());
        drop(file);
        assert!(all_closed(&sound));
    }
}
