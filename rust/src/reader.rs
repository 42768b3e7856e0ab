//! An open file.

#![forbid(unsafe_code)]

use std::iter::FusedIterator;
use std::ops::{Deref, Range};

use mapwave_core::{FrameSpec, Frames, ResampleQuality, Result};

/// An open audio file, made by [`open`](crate::open) or [`OpenOptions`](crate::OpenOptions).
///
/// One reader serves any number of threads at once. It has all methods of [`mapwave_core::Reader`], which it derefs to:
/// [`read`](mapwave_core::Reader::read), [`window`](mapwave_core::Reader::window),
/// [`num_frames`](mapwave_core::Reader::num_frames), [`tags`](mapwave_core::Reader::tags),
/// [`view`](mapwave_core::Reader::view).
#[derive(Debug)]
pub struct Reader(mapwave_core::Reader);

impl Reader {
    /// The same file at another sample rate. Everything that counts frames or seconds counts those of the new rate.
    ///
    /// ```
    /// use mapwave::{FrameSpec, FilterQuality, ResampleQuality};
    ///
    /// # fn main() -> mapwave::Result<()> {
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/compressed/mp3-lame.mp3");
    /// let reader = mapwave::open(path)?.resampled(16_000, ResampleQuality::Own(FilterQuality::Best))?;
    /// let frames = reader.read(0..1600, &FrameSpec::default())?;
    /// # assert_eq!((reader.sample_rate(), frames.shape().num_frames()), (16_000, 1600));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Argument`](crate::Error::Argument) for a rate that is not 1 to 768000 Hz;
    /// [`Error::Unsupported`](crate::Error::Unsupported) when no plugin has the quality.
    pub fn resampled(self, sample_rate: u32, quality: ResampleQuality) -> Result<Self> {
        self.0.resampled(sample_rate, quality).map(Self)
    }

    /// All frames in blocks of `num_frames`, one after the other; the last block may be shorter.
    ///
    /// The iterator ends after the first error.
    ///
    /// ```
    /// use mapwave::{Access, FrameSpec, OpenOptions};
    ///
    /// # fn main() -> mapwave::Result<()> {
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/compressed/vorbis.ogg");
    /// let reader = OpenOptions::new().access(Access::Streamed).open(path)?;
    /// let mut num_frames = 0;
    /// for block in reader.blocks(4096, &FrameSpec::default()) {
    ///     num_frames += block?.shape().num_frames() as u64;
    /// }
    /// assert_eq!(num_frames, reader.num_frames());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// When `num_frames` is 0.
    pub fn blocks<'a>(&'a self, num_frames: u64, spec: &'a FrameSpec) -> Blocks<'a> {
        assert!(num_frames > 0, "a block has at least one frame");
        Blocks { reader: self, spec, num_frames, left: 0..self.num_frames() }
    }
}

impl From<mapwave_core::Reader> for Reader {
    fn from(reader: mapwave_core::Reader) -> Self {
        Self(reader)
    }
}

impl Deref for Reader {
    type Target = mapwave_core::Reader;

    fn deref(&self) -> &mapwave_core::Reader {
        &self.0
    }
}

/// The blocks of a file, made by [`Reader::blocks`].
#[derive(Debug)]
pub struct Blocks<'a> {
    reader: &'a Reader,
    spec: &'a FrameSpec,
    num_frames: u64,
    left: Range<u64>,
}

impl Iterator for Blocks<'_> {
    type Item = Result<Frames>;

    fn next(&mut self) -> Option<Result<Frames>> {
        if self.left.is_empty() {
            return None;
        }
        let end = self.left.end.min(self.left.start.saturating_add(self.num_frames));
        let block = self.reader.read(self.left.start..end, self.spec);
        self.left.start = if block.is_ok() { end } else { self.left.end };
        Some(block)
    }
}

impl FusedIterator for Blocks<'_> {}
