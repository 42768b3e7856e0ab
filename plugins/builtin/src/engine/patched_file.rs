//! A file of which a field in the header is known at its end.

#![forbid(unsafe_code)]

use mapwave_plugin::{Result, Sink};

/// The file on its way: kept in memory until it is complete if nothing can be written over later.
pub(crate) struct PatchedFile {
    sink: Sink,
    held: Option<Vec<u8>>,
}

impl PatchedFile {
    pub(crate) fn new(sink: Sink) -> Self {
        let held = sink.is_append_only().then(Vec::new);
        Self { sink, held }
    }

    /// Writes bytes at the end.
    ///
    /// # Errors
    /// [`Status::Io`](mapwave_plugin::Status::Io) when the sink fails.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        match &mut self.held {
            Some(held) => {
                held.extend_from_slice(bytes);
                Ok(())
            }
            None => self.sink.append(bytes),
        }
    }

    /// Completes the file with the field at `offset`, which was appended before.
    ///
    /// # Errors
    /// [`Status::Io`](mapwave_plugin::Status::Io) when the sink fails.
    pub(crate) fn finish(&mut self, offset: u64, field: [u8; 8]) -> Result<()> {
        match self.held.take() {
            None => self.sink.overwrite(offset, &field),
            Some(mut file) => {
                let place = usize::try_from(offset).unwrap_or(usize::MAX);
                if let Some(old) = file.get_mut(place..).and_then(|rest| rest.first_chunk_mut()) {
                    *old = field;
                }
                self.sink.append(&file)
            }
        }
    }
}
