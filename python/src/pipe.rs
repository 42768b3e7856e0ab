//! A file object that cannot seek, such as a pipe, decoded as its bytes come.

use std::ops::Range;
use std::sync::Arc;

use mapwave_core::Reader;
use pyo3::prelude::*;

use crate::arguments::{Reading, Window};
use crate::errors::{invalid, raise, reading_failed};
use crate::growing::Growing;
use crate::interned::intern;
use crate::interruption::interruptibly;
use crate::log::log_messages;
use crate::ranges::bytes_of;

/// The bytes that are asked for at once; fewer come from a pipe that has no more yet.
const PIECE_BYTES: usize = 256 << 10;

/// The bytes of a file object as far as they have come, and the frames that are wanted of them.
pub(crate) struct Pipe {
    object: Py<PyAny>,
    /// Whether `read1` returns the bytes that have come, where `read` waits for all it was asked for.
    has_read1: bool,
    name: String,
    num_bytes: u64,
    file: Growing,
    wanted: Range<u64>,
    /// The first frame that was not returned.
    next: u64,
}

impl Pipe {
    /// Reads until the file is known.
    pub(crate) fn new(
        object: &Bound<'_, PyAny>,
        name: String,
        reading: Reading,
        window: &Window,
    ) -> PyResult<Self> {
        let py = object.py();
        let file = Growing::new(reading, None, name.clone());
        let has_read1 = object.hasattr(intern!(py, "read1"))?;
        let object = object.clone().unbind();
        let mut pipe = Self { object, has_read1, name, num_bytes: 0, file, wanted: 0..u64::MAX, next: 0 };
        while pipe.file.reader().is_none() {
            pipe.read_more(py)?;
        }
        pipe.wanted = pipe.frames_of(py, window)?;
        pipe.next = pipe.wanted.start;
        Ok(pipe)
    }

    /// The frames that are meant, of a file whose end is not known.
    fn frames_of(&self, py: Python<'_>, window: &Window) -> PyResult<Range<u64>> {
        let rate = self.file.reader().map_or(1, |reader| reader.sample_rate());
        let (start, count) = match *window {
            Window::Seconds { offset, duration } => {
                let valid =
                    offset >= 0.0 && offset.is_finite() && duration.is_none_or(|duration| duration > 0.0);
                if !valid {
                    return Err(invalid(py, "offset must be >= 0 and duration > 0 seconds"));
                }
                (in_frames(offset, rate), duration.map_or(u64::MAX, |duration| in_frames(duration, rate)))
            }
            Window::Frames { start, stop } => {
                let frame = |frame: Option<i64>, default: u64| frame.map_or(Ok(default), u64::try_from);
                let (Ok(start), Ok(stop)) = (frame(start, 0), frame(stop, u64::MAX)) else {
                    return Err(invalid(py, "start and stop must be >= 0 for a file that cannot seek"));
                };
                (start, stop.saturating_sub(start))
            }
        };
        Ok(start..start.saturating_add(count))
    }

    pub(crate) fn reader(&self) -> Option<&Arc<Reader>> {
        self.file.reader()
    }

    pub(crate) fn reading(&self) -> &Reading {
        self.file.reading()
    }

    /// The number of frames that were returned.
    pub(crate) fn frames_read(&self) -> u64 {
        self.next.saturating_sub(self.wanted.start)
    }

    /// Whether no frame follows; it reads on until that is known.
    pub(crate) fn is_at_end(&mut self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.next >= self.wanted.end || self.read_up_to(py, self.next.saturating_add(1))? <= self.next)
    }

    /// The next frames, at most so many, which may be none at the end.
    pub(crate) fn take(&mut self, py: Python<'_>, count: u64) -> PyResult<(Arc<Reader>, Range<u64>)> {
        let end = self.next.saturating_add(count).min(self.wanted.end);
        let end = self.read_up_to(py, end)?.min(end);
        let Some(reader) = self.file.reader() else { return Err(invalid(py, "the file is not known")) };
        if self.next == self.wanted.start && end < self.next {
            let expected = format!("inside the file's {} frames", reader.num_frames());
            return Err(invalid(py, &format!("offset must be {expected}, got frame {}", self.next)));
        }
        Ok((Arc::clone(reader), self.next..end.max(self.next)))
    }

    /// Says that frames up to here were returned.
    pub(crate) fn pass(&mut self, end: u64) {
        self.next = end;
    }

    /// Reads until the frames before `end` are there, or no more come; returns how many there are.
    fn read_up_to(&mut self, py: Python<'_>, end: u64) -> PyResult<u64> {
        while self.file.num_settled() < end && !self.file.is_finished() {
            self.read_more(py)?;
        }
        Ok(self.file.num_settled())
    }

    fn read_more(&mut self, py: Python<'_>) -> PyResult<()> {
        let object = self.object.bind(py);
        let method = if self.has_read1 { intern!(py, "read1") } else { intern!(py, "read") };
        let read = object.call_method1(method, (PIECE_BYTES,)).and_then(|read| bytes_of(&read));
        let bytes = read.map_err(|error| reading_failed(py, self.name.as_ref(), self.num_bytes, error))?;
        self.num_bytes += bytes.len() as u64;
        let file = &mut self.file;
        let worked = interruptibly(py, 1, |_| match bytes.is_empty() {
            true => file.finish(),
            false => file.append(&bytes),
        });
        log_messages(py)?;
        worked?;
        if self.file.is_finished() && self.file.reader().is_none() {
            return Err(raise(py, &mapwave_core::Error::Interrupted));
        }
        Ok(())
    }
}

/// floor(seconds * rate)
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // `as` saturates
fn in_frames(seconds: f64, rate: u32) -> u64 {
    (seconds * f64::from(rate)).floor() as u64
}
