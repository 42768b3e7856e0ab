//! A file of which more comes, read as far as it is there.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mapwave_core::source::{Access, Source, Spool};
use mapwave_core::track::Codec;
use mapwave_core::{Choice, Error, Parameter, Reader};

use crate::arguments::Reading;

/// A stream of so few bytes is looked at after every write; a longer one when that takes a small part of the time that has passed, so
/// that an hour of sound that comes at once costs hardly more than a file.
const FEW_BYTES: u64 = 256 << 10;
const PART: u32 = 8;

/// The sound, in seconds, at the end of what has come that may change what is resampled: more than the longest filter has.
const RESAMPLING_SECONDS: u64 = 1;

/// The bytes so far of a file, opened as a file that is truncated there: what follows does not change its whole packets.
pub(crate) struct Growing {
    reading: Reading,
    /// The container that is expected.
    format: Option<String>,
    /// What errors call it.
    name: String,
    spool: Option<Spool>,
    reader: Option<Arc<Reader>>,
    /// The plugin that has read the bytes before, which need not be searched for again.
    plugin: Option<&'static str>,
    /// The bytes that the reader has.
    num_opened: u64,
    looked: Option<Instant>,
    cost: Duration,
    is_finished: bool,
}

impl Growing {
    pub(crate) fn new(reading: Reading, format: Option<String>, name: String) -> Self {
        Self {
            reading,
            format,
            name,
            spool: None,
            reader: None,
            plugin: None,
            num_opened: 0,
            looked: None,
            cost: Duration::ZERO,
            is_finished: false,
        }
    }

    pub(crate) fn reading(&self) -> &Reading {
        &self.reading
    }

    /// The file as far as it was looked at; None until it is known to be one.
    pub(crate) fn reader(&self) -> Option<&Arc<Reader>> {
        self.reader.as_ref()
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.is_finished
    }

    /// Adds bytes.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> mapwave_core::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        match &mut self.spool {
            Some(spool) => spool.append(bytes)?,
            none => none.insert(Spool::new()?).append(bytes)?,
        }
        self.look()
    }

    /// Says that no more bytes come.
    ///
    /// # Errors
    /// Those of opening the file.
    pub(crate) fn finish(&mut self) -> mapwave_core::Result<()> {
        self.is_finished = true;
        if self.spool.is_none() {
            self.spool = Some(Spool::new()?);
            return self.open().map(drop);
        }
        self.look()
    }

    /// The end of the frames that are there and do not change.
    pub(crate) fn num_settled(&self) -> u64 {
        let Some(reader) = &self.reader else { return 0 };
        let (file_rate, rate) = (u64::from(reader.track().sample_rate), u64::from(reader.sample_rate()));
        if self.is_finished || file_rate == rate {
            return reader.num_frames();
        }
        let settled = reader.num_file_frames().saturating_sub(RESAMPLING_SECONDS * file_rate);
        let scaled = u128::from(settled) * u128::from(rate) / u128::from(file_rate);
        u64::try_from(scaled).unwrap_or(u64::MAX).min(reader.num_frames())
    }

    /// The frames from one on that are there.
    pub(crate) fn settled_from(&self, frame: u64) -> Option<(Arc<Reader>, Range<u64>)> {
        let frames = frame..self.num_settled();
        self.reader.as_ref().filter(|_| !frames.is_empty()).map(|reader| (Arc::clone(reader), frames))
    }

    /// Opens what has come, if that is worth its time.
    fn look(&mut self) -> mapwave_core::Result<()> {
        let num_bytes = self.spool.as_ref().map_or(0, Spool::len);
        let is_cheap = num_bytes <= FEW_BYTES
            || self.looked.is_none_or(|looked| looked.elapsed() >= self.cost.saturating_mul(PART));
        if num_bytes == self.num_opened || !(is_cheap || self.is_finished) {
            return Ok(());
        }
        let begun = Instant::now();
        let opened = self.open();
        (self.looked, self.cost) = (Some(Instant::now()), begun.elapsed());
        match opened {
            Ok(reader) => {
                self.num_opened = num_bytes;
                self.plugin = match &reader.track().codec {
                    Codec::Compressed(stream) => Some(stream.plugin),
                    _ => None,
                };
                self.reader = Some(Arc::new(reader));
                Ok(())
            }
            // What is missing may come.
            Err(Error::Malformed { .. } | Error::Unsupported { .. } | Error::Plugin { .. })
                if !self.is_finished =>
            {
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn open(&self) -> mapwave_core::Result<Reader> {
        let Some(spool) = &self.spool else { return Err(Error::Interrupted) };
        let choice = self.reading.selection.choice();
        let source = || Source::from_file(spool.file()?, Path::new(&self.name), Access::Streamed);
        let known = self.plugin.filter(|_| choice.plugin.is_none());
        let again = known.and_then(|plugin| {
            let choice = Choice { plugin: Some(plugin), ..choice };
            Reader::new(source().ok()?, choice).ok()
        });
        let reader = match again {
            Some(reader) => reader,
            None => Reader::new(source()?, choice)?,
        };
        if let Some(format) = &self.format {
            let found = reader.track().container.name();
            if found != format {
                let expected = format!("'{found}', that of the bytes");
                let what = format!("must be {expected}, got '{format}'");
                return Err(Error::Argument { path: None, parameter: Parameter::FileFormat, what });
            }
        }
        let num_channels = reader.track().num_channels;
        self.reading.spec.num_channels(num_channels).map_err(|error| reader.named(error))?;
        self.reading.rate.apply(reader)
    }
}
