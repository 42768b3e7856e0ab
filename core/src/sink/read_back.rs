//! Reads a file that a third-party plugin has encoded, as far as its headers, before it takes the place of the old one.
//!
//! An encoder that does not complete its header leaves a file that looks whole and has no frames, or fewer than were written. That
//! cannot be seen from the encoder's answers.

#![forbid(unsafe_code)]

use crate::error::{Error, Fault, Result};
use crate::host::Choice;
use crate::reader::Reader;
use crate::source::Source;
use crate::track::Codec;

/// How many frames a lossy codec may add to fill its last packets.
const MAX_PADDING: u64 = 1 << 16;

/// What was written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written {
    /// The plugin that encoded it.
    pub(super) plugin: &'static str,
    pub(super) sample_rate: u32,
    pub(super) num_channels: u16,
    pub(super) num_frames: u64,
}

impl Written {
    /// Checks that a file has what was written. A file that no decoder reads cannot be checked.
    ///
    /// # Errors
    /// [`Error::Plugin`] if the file does not open, or opens with another rate, number of channels or of frames.
    pub(super) fn check(&self, file: Source) -> Result<()> {
        if self.num_frames == 0 {
            return Ok(());
        }
        let reader = match Reader::new(file, Choice::default()) {
            Ok(reader) => reader,
            Err(Error::Unsupported { .. }) => return Ok(()),
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            Err(error) => return Err(self.wrong(format!("it does not open: {error}"))),
        };
        let track = reader.track();
        if track.num_channels != self.num_channels {
            return Err(
                self.wrong(format!("it has {} channels, not {}", track.num_channels, self.num_channels))
            );
        }
        // Some codecs have a rate of their own.
        let rates = (u128::from(track.sample_rate), u128::from(self.sample_rate));
        let expected =
            u64::try_from(u128::from(self.num_frames) * rates.0 / rates.1.max(1)).unwrap_or(u64::MAX);
        let found = reader.num_file_frames();
        let is_lossless = matches!(&track.codec, Codec::Compressed(stream) if stream.is_lossless);
        let most = if is_lossless { expected } else { expected.saturating_add(MAX_PADDING) };
        let is_right = (expected..=most).contains(&found) && (!is_lossless || rates.0 == rates.1);
        match is_right {
            true => Ok(()),
            false => Err(self.wrong(format!(
                "it has {found} frames at {} Hz, and {} at {} Hz were written",
                rates.0, self.num_frames, rates.1
            ))),
        }
    }

    fn wrong(&self, found: String) -> Error {
        Error::Plugin {
            path: None,
            plugin: self.plugin,
            doing: "encoding",
            fault: Fault::Broken,
            offset: None,
            container: None,
            what: format!("the file that it has written is wrong and was discarded: {found}").into(),
        }
    }
}
