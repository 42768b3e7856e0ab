//! The reference decode of a stream: all its frames, and its stream info.

#![forbid(unsafe_code)]

use std::sync::Arc;

use crate::context::{Context, Sample};
use crate::guard_pages::Side;
use crate::host::{
    Decoder, DecoderTable, Fault, Format, GuardedBuffer, Input, Layout, OpenOptions, StreamInfo,
};
use crate::verdict::{Finding, Outcome};

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

    /// A fresh handle.
    pub fn open(&self, table: &DecoderTable) -> Outcome<Decoder> {
        Ok(table.open(&self.input, &OpenOptions::default())?)
    }
}

/// The reference decodes of all test files that decode to their end. Others are left out with a note: what a decoder makes of
/// damage is not a reference.
pub fn references(context: &Context, table: &DecoderTable) -> Outcome<Vec<Reference>> {
    let mut references = Vec::new();
    let mut refused = Vec::new();
    for sample in context.samples()? {
        if !context.has_time() {
            break;
        }
        context.with_input(&sample.name);
        match reference(context, table, sample) {
            Ok(Some(reference)) => references.push(reference),
            Ok(None) => context.note("streams of more than 256 MiB of samples were left out"),
            Err(Fault::Refused(refusal)) => refused.push(refusal.to_string()),
            Err(Fault::Broken(finding)) => return Err(finding),
        }
    }
    match refused.first() {
        Some(first) if references.is_empty() => {
            Err(Finding::skipped(format!("none of {} inputs decodes to its end: {first}", refused.len())))
        }
        Some(_) => {
            context.note(format!("{} inputs that do not decode to their end were left out", refused.len()));
            Ok(references)
        }
        None if references.is_empty() => {
            Err(Finding::skipped("no input could be decoded within the time limit"))
        }
        None => Ok(references),
    }
}

fn reference(context: &Context, table: &DecoderTable, sample: Sample) -> Result<Option<Reference>, Fault> {
    let input = Input::memory(&sample.bytes, Side::End)?;
    let mut decoder = table.open(&input, &OpenOptions::default())?;
    let info = decoder.info()?;
    context.doing("decoding it from its first frame to its last");
    let shape = Shape::native(&info);
    let (pcm, is_whole) = drain(&mut decoder, shape, usize::MAX, || USUAL_FRAMES)?;
    let num_frames = pcm.len() / shape.frame_bytes().max(1);
    Ok(is_whole.then_some(Reference { sample, input, info, pcm, num_frames }))
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
