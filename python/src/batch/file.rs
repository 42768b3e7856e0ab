//! One file of many, read on a thread of a pool.

use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use mapwave_core::source::Access;
use mapwave_core::{Error, Frames, Parameter, ReadControl, Reader, host};

use crate::arguments::{Reading, Windows};
use crate::arrays::Allocation;
use crate::input::FileInput;
use crate::pool::Stop;

/// The settings shared by all files of a batch.
pub(crate) struct Batch {
    pub(crate) windows: Windows,
    pub(crate) reading: Reading,
}

/// An open file, and which of its frames are wanted.
pub(super) struct Opened {
    pub(super) reader: Reader,
    pub(super) frames: Range<u64>,
}

/// A file that was read.
pub(super) struct Loaded {
    pub(super) frames: Frames,
    pub(super) sample_rate: u32,
}

impl Opened {
    /// The number of frames that are wanted.
    pub(super) fn num_frames(&self) -> u64 {
        self.frames.end.saturating_sub(self.frames.start)
    }
}

impl Batch {
    /// Opens the file of this number.
    pub(super) fn open(&self, index: usize, input: FileInput) -> mapwave_core::Result<Opened> {
        let Reading { selection, rate, .. } = &self.reading;
        let Some(window) = self.windows.of(index) else {
            let what = format!(
                "must be a single value or have one for each path, and there is none for paths[{index}]"
            );
            return Err(Error::Argument { path: None, parameter: Parameter::Frames, what });
        };
        let reader = rate.apply(input.open(Access::Once, selection.choice())?)?;
        let frames = window.of(&reader)?;
        Ok(Opened { reader, frames })
    }

    /// Reads an open file into memory of its own.
    pub(super) fn read(
        &self,
        opened: Opened,
        allocation: Allocation,
        stop: &Stop,
    ) -> mapwave_core::Result<Loaded> {
        let Opened { reader, frames } = opened;
        let (spec, interrupted) = (&self.reading.spec, &|| stop.load(Ordering::Relaxed));
        let control = ReadControl { max_threads: self.reading.max_threads, interrupted };
        let frames = reader.read_with(frames, spec, |num_bytes| allocation.buffer(num_bytes), &control)?;
        Ok(Loaded { frames, sample_rate: reader.sample_rate() })
    }
}

/// Does work that calls plugins and that ends early when the pool ends.
pub(crate) fn interruptible<T>(
    stop: &Stop,
    work: impl FnOnce() -> mapwave_core::Result<T>,
) -> mapwave_core::Result<T> {
    let same = Arc::clone(stop);
    host::interruptible(Rc::new(move || same.load(Ordering::Relaxed)), work)
}
