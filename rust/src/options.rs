//! How a file is to be written.

#![forbid(unsafe_code)]

use std::ops::{Deref, DerefMut};
use std::path::Path;

use mapwave_core::Result;
use mapwave_core::sink::{self, FileFormat};

use crate::set_up;

/// How a file is to be written: its format, encoding, tags and the rest of the fields of [`sink::SaveOptions`].
///
/// ```
/// use mapwave::{PcmEncoding, Encoding, SaveOptions};
///
/// # fn main() -> mapwave::Result<()> {
/// let mut options = SaveOptions::for_path("talk.flac", 16_000, 1)?;
/// options.encoding = Encoding::Pcm(PcmEncoding::Pcm16);
/// options.tags = vec![("title".to_owned(), "A talk".to_owned())];
/// # assert!(SaveOptions::for_path("talk", 16_000, 1).is_err());
/// # let unknown = SaveOptions::for_path("talk.xyz", 16_000, 1)?;
/// # assert!(mapwave::Writer::create("talk.xyz", unknown, mapwave::OutputFormat::F32).is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SaveOptions(sink::SaveOptions);

impl SaveOptions {
    /// Options for the format of the path's extension: 32-bit floats where the format has them, else the usual encoding of its
    /// codec.
    ///
    /// A format that nothing writes is rejected when the file is created.
    ///
    /// # Errors
    /// [`Error::Argument`](crate::Error::Argument) when the path has no extension.
    pub fn for_path(path: impl AsRef<Path>, sample_rate: u32, num_channels: u16) -> Result<Self> {
        set_up();
        Ok(Self(sink::SaveOptions::new(FileFormat::of_path(path.as_ref())?, sample_rate, num_channels)))
    }

    /// Options for a format by its name, which is an extension without the dot, such as "flac".
    ///
    /// A format that nothing writes is rejected when the file is created.
    ///
    /// # Errors
    /// [`Error::Argument`](crate::Error::Argument) when the name is empty.
    pub fn for_format(name: &str, sample_rate: u32, num_channels: u16) -> Result<Self> {
        set_up();
        Ok(Self(sink::SaveOptions::new(FileFormat::named(name)?, sample_rate, num_channels)))
    }

    /// The options as `mapwave-core` takes them.
    pub fn into_inner(self) -> sink::SaveOptions {
        self.0
    }
}

impl Deref for SaveOptions {
    type Target = sink::SaveOptions;

    fn deref(&self) -> &sink::SaveOptions {
        &self.0
    }
}

impl DerefMut for SaveOptions {
    fn deref_mut(&mut self) -> &mut sink::SaveOptions {
        &mut self.0
    }
}
