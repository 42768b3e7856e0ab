//! `mapwave play`: a file through the speakers of this machine. Part of the command only with the feature `play`.
//!
//! Frames are read at the rate of the device, a block at a time, and wait in a queue of a few blocks. The device takes them on a
//! thread of its own, which must not wait: where the queue is empty, it gets silence.

#![forbid(unsafe_code)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

use clap::Args;
use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{FromSample, SampleFormat, SizedSample, Stream, StreamConfig, SupportedStreamConfig};
use mapwave::{Access, Error, FrameSpec, ResampleQuality, Result};
use mapwave_core::{Buffer, num_processors};

use crate::convert::guarded;
use crate::interrupt::Interrupt;
use crate::output::SUCCESS;
use crate::place::{Place, trouble};
use crate::progress::{Progress, ProgressMode, Unit};
use crate::reading::SourceArguments;
use crate::time::{Time, window};

/// The frames of a block, and the blocks that wait: less than a second.
const BLOCK_FRAMES: u64 = 4096;
const QUEUE_BLOCKS: usize = 8;

/// How long it takes to look again whether the queue has moved.
const PATIENCE: Duration = Duration::from_millis(10);

/// The longest time that a device is given for what it still has to play.
const MAX_DELAY: Duration = Duration::from_secs(2);

/// The arguments of the command.
#[derive(Clone, Debug, Args)]
pub(crate) struct PlayArguments {
    /// The file, or "-" for standard input.
    file: Place,
    /// Where to begin: 12.5, 1:02:03.5, or 44100f for a frame.
    #[arg(long, value_name = "TIME")]
    from: Option<Time>,
    /// Where to end, from the start of the file.
    #[arg(long, value_name = "TIME")]
    to: Option<Time>,
    #[command(flatten)]
    source: SourceArguments,
    /// How progress is shown.
    #[arg(long, value_enum, default_value_t, value_name = "KIND")]
    progress: ProgressMode,
}

/// Interleaved samples with as many channels as the device has.
type Block = Vec<f32>;

/// Runs the command and returns the exit code.
pub(crate) fn run(arguments: &PlayArguments) -> i32 {
    guarded(|interrupt| {
        let device = cpal::default_host().default_output_device();
        let device = device.ok_or_else(|| failed("this machine has no sound output"))?;
        let config = device.default_output_config().map_err(failed)?;
        let reader = arguments.source.open(&arguments.file, Access::Streamed, interrupt)?;
        let reader = reader.resampled(config.sample_rate(), ResampleQuality::Default)?;
        let frames = window(&reader, arguments.from, arguments.to)?;
        let (sender, receiver) = sync_channel(QUEUE_BLOCKS);
        let ending = Arc::new(Ending::default());
        let stream = stream(&device, &config, Queue::new(receiver, Arc::clone(&ending)))?;
        stream.play().map_err(failed)?;
        let progress =
            Progress::new(arguments.progress, Unit::Frames(reader.sample_rate()), frames.end - frames.start);
        let played = interrupt.during(num_processors(), |control| {
            let mut start = frames.start;
            while start < frames.end {
                let end = frames.end.min(start + BLOCK_FRAMES);
                let read = reader.read_with(start..end, &FrameSpec::default(), Buffer::recycled, control)?;
                let num_channels = read.shape().num_samples() / read.shape().num_frames().max(1);
                let samples = read.samples().unwrap_or_default();
                send(&sender, spread(samples, num_channels, config.channels().into()), interrupt)?;
                progress.add(end - start);
                start = end;
            }
            Ok(())
        });
        drop(sender);
        while played.is_ok() && !ending.is_empty.load(Ordering::Relaxed) && !interrupt.is_asked() {
            thread::sleep(PATIENCE);
        }
        if played.is_ok() && !interrupt.is_asked() {
            // The device has the last samples, but has not played them.
            let delay = Duration::from_nanos(ending.delay.load(Ordering::Relaxed));
            thread::sleep(delay.min(MAX_DELAY));
        }
        progress.end();
        played.map(|()| SUCCESS)
    })
}

/// The error of a device.
fn failed(cause: impl ToString) -> Error {
    trouble("playing", "sound output", std::io::Error::other(cause.to_string()))
}

fn send(sender: &SyncSender<Block>, mut block: Block, interrupt: &Interrupt) -> Result<()> {
    loop {
        match sender.try_send(block) {
            Ok(()) => return Ok(()),
            Err(TrySendError::Disconnected(_)) => return Err(failed("the device stopped")),
            Err(TrySendError::Full(_)) if interrupt.is_asked() => return Err(Error::Interrupted),
            Err(TrySendError::Full(same)) => block = same,
        }
        thread::sleep(PATIENCE);
    }
}

/// Frames with another number of channels: a single one goes to all, others to those of the same number.
fn spread(samples: &[f32], num_channels: usize, wanted: usize) -> Block {
    if num_channels == wanted {
        return samples.to_vec();
    }
    let frames = samples.chunks_exact(num_channels.max(1));
    let of_frame = |frame: &[f32], channel: usize| {
        let number = if num_channels == 1 { 0 } else { channel };
        frame.get(number).copied().unwrap_or(0.0)
    };
    frames.flat_map(|frame| (0..wanted).map(move |channel| of_frame(frame, channel))).collect()
}

/// What the device's thread says of the end.
#[derive(Default)]
struct Ending {
    /// Set when there will be no more samples.
    is_empty: AtomicBool,
    /// The nanoseconds between the time when samples are taken and that when they are heard.
    delay: AtomicU64,
}

/// What the device takes its samples from.
struct Queue {
    receiver: Receiver<Block>,
    block: std::vec::IntoIter<f32>,
    ending: Arc<Ending>,
}

impl Queue {
    fn new(receiver: Receiver<Block>, ending: Arc<Ending>) -> Self {
        Self { receiver, block: Vec::new().into_iter(), ending }
    }

    fn next(&mut self) -> f32 {
        if let Some(sample) = self.block.next() {
            return sample;
        }
        match self.receiver.try_recv() {
            Ok(block) => self.block = block.into_iter(),
            Err(std::sync::mpsc::TryRecvError::Empty) => {}
            Err(std::sync::mpsc::TryRecvError::Disconnected) => {
                self.ending.is_empty.store(true, Ordering::Relaxed);
            }
        }
        self.block.next().unwrap_or(0.0)
    }
}

fn stream(device: &cpal::Device, config: &SupportedStreamConfig, queue: Queue) -> Result<Stream> {
    let format = config.sample_format();
    let config = config.config();
    match format {
        SampleFormat::F32 => stream_of::<f32>(device, config, queue),
        SampleFormat::I16 => stream_of::<i16>(device, config, queue),
        SampleFormat::I32 => stream_of::<i32>(device, config, queue),
        SampleFormat::U8 => stream_of::<u8>(device, config, queue),
        other => Err(failed(format!("the device takes samples of the type {other} by default"))),
    }
}

fn stream_of<T: SizedSample + FromSample<f32>>(
    device: &cpal::Device,
    config: StreamConfig,
    mut queue: Queue,
) -> Result<Stream> {
    let fill = move |samples: &mut [T], info: &cpal::OutputCallbackInfo| {
        let times = info.timestamp();
        let delay = times.playback.duration_since(times.callback).as_nanos();
        queue.ending.delay.store(u64::try_from(delay).unwrap_or(u64::MAX), Ordering::Relaxed);
        samples.fill_with(|| T::from_sample(queue.next()));
    };
    // A gap is heard; there is nothing to do about it.
    device.build_output_stream(config, fill, |_| {}, None).map_err(failed)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_spread() {
        assert_eq!(spread(&[1.0, 2.0], 1, 2), [1.0, 1.0, 2.0, 2.0]);
        assert_eq!(spread(&[1.0, 2.0, 3.0, 4.0], 2, 3), [1.0, 2.0, 0.0, 3.0, 4.0, 0.0]);
        assert_eq!(spread(&[1.0, 2.0], 2, 1), [1.0]);
        assert_eq!(spread(&[1.0, 2.0], 2, 2), [1.0, 2.0]);
    }

    #[test]
    fn a_queue_without_blocks_is_silent_and_then_empty() {
        let (sender, receiver) = sync_channel(2);
        let ending = Arc::new(Ending::default());
        let mut queue = Queue::new(receiver, Arc::clone(&ending));
        sender.send(vec![0.5, -0.5]).unwrap();
        assert_eq!([queue.next(), queue.next(), queue.next()], [0.5, -0.5, 0.0]);
        assert!(!ending.is_empty.load(Ordering::Relaxed));
        drop(sender);
        assert_eq!(queue.next(), 0.0);
        assert!(ending.is_empty.load(Ordering::Relaxed));
    }
}
