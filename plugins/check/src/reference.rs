//! The reference decode of a stream: all its frames, and its stream info.

#![forbid(unsafe_code)]

use std::sync::Arc;
use std::time::Instant;

use crate::context::{Context, Sample};
use crate::guard_pages::Side;
use crate::host::{
    Decoder, DecoderTable, Fault, Format, GuardedBuffer, Input, Layout, OpenOptions, StreamInfo,
};
use crate::verdict::{Finding, Outcome, some_of};

/// The maximum number of sample bytes to decode from one stream.
const MAX_PCM_BYTES: usize = 256 << 20;

/// The number of frames per call, unless a test asks for another.
pub const USUAL_FRAMES: usize = 4096;

/// How frames are asked for.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// The format of samples.
    pub format: Format,
    /// The layout of samples.
    pub layout: Layout,
    /// Samples per frame.
    pub num_channels: u32,
}

impl Shape {
    /// The native format, interleaved.
    pub fn native(info: &StreamInfo) -> Self {
        Self { format: info.native_format, layout: Layout::Interleaved, num_channels: info.num_channels }
    }

    /// The size of a frame in bytes.
    pub fn frame_bytes(self) -> usize {
        self.format.num_bytes() * self.num_channels as usize
    }

    /// A buffer for that many frames, or for as many as fit 4 MiB.
    pub fn buffer(self, num_frames: usize) -> GuardedBuffer {
        let most = ((4 << 20) / self.frame_bytes().max(1)).max(1);
        GuardedBuffer::new(self.format, self.layout, self.num_channels, num_frames.min(most))
    }
}

/// Decodes to the end or up to `max_frames` frames; returns them interleaved, and whether the end was reached.
pub fn drain(
    decoder: &mut Decoder,
    shape: Shape,
    max_frames: usize,
    mut next_size: impl FnMut() -> usize,
) -> Result<(Vec<u8>, bool), Fault> {
    let mut pcm = Vec::new();
    let mut buffer = shape.buffer(next_size());
    let mut num_frames = 0;
    while num_frames < max_frames {
        let size = next_size().min(max_frames - num_frames);
        if buffer.capacity() != size {
            buffer = shape.buffer(size);
        }
        match decoder.decode_into(&mut buffer)? {
            0 => return Ok((pcm, true)),
            frames => {
                num_frames += frames;
                buffer.take(frames, &mut pcm);
            }
        }
        if pcm.len() > MAX_PCM_BYTES {
            break;
        }
    }
    Ok((pcm, false))
}

/// A test file that decodes from its first frame to its last.
pub struct Reference {
    /// The file.
    pub sample: Sample,
    /// Its bytes, between guard pages.
    pub input: Arc<Input>,
    /// Its stream info.
    pub info: StreamInfo,
    /// All frames in the native format, interleaved.
    pub pcm: Vec<u8>,
    /// Their number.
    pub num_frames: usize,
    /// The time of a call of `decode` in seconds, and the frames that it returned.
    pace: (f64, usize),
}

impl Reference {
    /// The shape of `pcm`.
    pub fn shape(&self) -> Shape {
        Shape::native(&self.info)
    }

    /// At most `count` frames from frame `first` on.
    pub fn frames(&self, first: usize, count: usize) -> &[u8] {
        let size = self.shape().frame_bytes();
        let end = first.saturating_add(count).min(self.num_frames);
        self.pcm.get(first * size..end * size).unwrap_or_default()
    }

    /// How many frames can be decoded in a short part of the time, if `size` are asked for in a call.
    pub fn most_frames(&self, context: &Context, size: usize) -> usize {
        let (seconds, frames) = self.pace;
        let share = context.time_limit().as_secs_f64() / 30.0;
        let num_calls = (share / seconds.max(1e-9)).clamp(4.0, 1e9);
        // Below 1e9, and not negative.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let num_calls = num_calls as usize;
        num_calls.saturating_mul(size.min(frames.max(1)))
    }

    /// A fresh handle.
    pub fn open(&self, table: &DecoderTable) -> Outcome<Decoder> {
        Ok(table.open(&self.input, &OpenOptions::default())?)
    }
}

/// The reference decodes of all test files that decode to their end. Others are left out with a note: what a decoder makes of
/// damage is not a reference.
pub fn references(context: &Context, table: &DecoderTable) -> Outcome<Vec<Reference>> {
    let mut references = Vec::new();
    let mut left_out = Vec::new();
    let mut samples = context.samples()?;
    let num_samples = samples.len();
    // If time runs out, the small ones are tested.
    samples.sort_by_key(|sample| sample.bytes.len());
    for sample in samples {
        // The test itself needs time, too.
        if !references.is_empty() && !context.has_time_for(0.25) {
            left_out.push(format!("{} (there was no time for it)", sample.name));
            continue;
        }
        context.with_input(&sample.name);
        let name = sample.name.clone();
        match reference(context, table, sample) {
            Ok(Some(reference)) => references.push(reference),
            Ok(None) => {
                left_out.push(format!("{name} (it has more than {} MiB of samples)", MAX_PCM_BYTES >> 20));
            }
            Err(Fault::Refused(refusal)) => left_out.push(format!("{name} ({refusal})")),
            Err(Fault::Broken(finding)) => return Err(finding),
        }
    }
    if references.is_empty() {
        let reason = format!(
            "none of {num_samples} files decodes to its end: {}; give whole files with --corpus DIR",
            some_of(left_out)
        );
        return Err(Finding::untested(reason));
    }
    if !left_out.is_empty() {
        context.note(format!("left out: {}", some_of(left_out)));
    }
    context.begin();
    Ok(references)
}

fn reference(context: &Context, table: &DecoderTable, sample: Sample) -> Result<Option<Reference>, Fault> {
    let input = sample.memory(Side::End)?;
    let mut decoder = table.open(&input, &OpenOptions::default())?;
    let info = decoder.info()?;
    context.doing("decoding it from its first frame to its last");
    let shape = Shape::native(&info);
    let (started, mut num_calls) = (Instant::now(), 0usize);
    let next_size = || {
        num_calls += 1;
        USUAL_FRAMES
    };
    // What comes after the announced end would never end, perhaps.
    let most = info
        .num_frames
        .and_then(|count| usize::try_from(count).ok())
        .map(|count| count.saturating_add(USUAL_FRAMES));
    let (pcm, is_whole) = drain(&mut decoder, shape, most.unwrap_or(usize::MAX), next_size)?;
    let num_frames = pcm.len() / shape.frame_bytes().max(1);
    let pace =
        (started.elapsed().as_secs_f64() / num_calls.max(1) as f64, num_frames.div_ceil(num_calls.max(1)));
    if let (false, Some(count)) = (is_whole, info.num_frames.filter(|count| *count < num_frames as u64)) {
        let reason = format!("info says {count} frames, and decode gives {num_frames} and no end");
        return Err(Fault::broken("info", reason));
    }
    Ok(is_whole.then_some(Reference { sample, input, info, pcm, num_frames, pace }))
}

/// Rejects frames that differ from the expected ones.
pub fn expect_same(rule: &'static str, what: &str, shape: Shape, expected: &[u8], got: &[u8]) -> Outcome {
    if expected == got {
        return Ok(());
    }
    let size = shape.frame_bytes().max(1);
    let (num_expected, num_got) = (expected.len() / size, got.len() / size);
    if num_expected != num_got {
        let reason = format!("{what} gave {num_got} frames, expected {num_expected}");
        return Err(Finding::broken(rule, reason));
    }
    let place = expected.iter().zip(got).position(|(a, b)| a != b).unwrap_or_default();
    let sample = place / shape.format.num_bytes();
    let channels = (shape.num_channels as usize).max(1);
    let reason = format!(
        "{what} gave other samples, first at frame {}, channel {}, of {num_got} frames",
        sample / channels,
        sample % channels
    );
    Err(Finding::broken(rule, reason))
}
