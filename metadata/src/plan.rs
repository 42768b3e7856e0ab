//! The plan of a change: the new file in pieces.

use std::io;
use std::ops::Range;

use crate::error::{Error, Result};
use crate::input::{self, ReadAt};
use crate::ogg_page;

/// The bytes copied at a time.
const COPIED: u64 = 1 << 20;

/// A piece of the new file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// A range of the old file.
    Kept(Range<u64>),
    /// New bytes.
    New(Vec<u8>),
    /// Ogg pages of the old file. Those of one stream get other numbers.
    Pages {
        /// Where they are.
        range: Range<u64>,
        /// The stream.
        serial: u32,
        /// What is added to the numbers of its pages, modulo 2^32.
        added: u32,
    },
}

/// The new file, from its first byte to its last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    pieces: Vec<Piece>,
}

impl Plan {
    pub(crate) fn new(pieces: Vec<Piece>) -> Self {
        let mut this = Self::default();
        for piece in pieces {
            this.push(piece);
        }
        this
    }

    fn push(&mut self, piece: Piece) {
        match (self.pieces.last_mut(), piece) {
            (_, Piece::New(bytes)) if bytes.is_empty() => {}
            (_, Piece::Kept(range)) if range.is_empty() => {}
            (Some(Piece::New(last)), Piece::New(bytes)) => last.extend(bytes),
            (Some(Piece::Kept(last)), Piece::Kept(range)) if last.end == range.start => last.end = range.end,
            (_, piece) => self.pieces.push(piece),
        }
    }

    /// The pieces in their order.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The size of the new file.
    pub fn num_bytes(&self) -> u64 {
        self.pieces.iter().map(size).sum()
    }

    /// What to write over the old file, and where, if everything that stays is in its place already; nothing then but these bytes
    /// and the file's size changes.
    pub fn in_place(&self) -> Option<Vec<(u64, &[u8])>> {
        let (mut offset, mut writes) = (0, Vec::new());
        for piece in &self.pieces {
            match piece {
                Piece::Kept(range) if range.start == offset => {}
                Piece::New(bytes) => writes.push((offset, bytes.as_slice())),
                Piece::Kept(_) | Piece::Pages { .. } => return None,
            }
            offset += size(piece);
        }
        Some(writes)
    }

    /// Passes the bytes of the new file to `write`, in their order.
    ///
    /// # Errors
    /// Those of reading, and those of `write`.
    pub fn each(&self, old: &dyn ReadAt, mut write: impl FnMut(&[u8]) -> io::Result<()>) -> Result<()> {
        for piece in &self.pieces {
            match piece {
                Piece::New(bytes) => write(bytes)?,
                Piece::Kept(range) => {
                    let mut offset = range.start;
                    while offset < range.end {
                        let part = input::bytes(old, offset, COPIED.min(range.end - offset))?;
                        write(&part)?;
                        offset += part.len() as u64;
                    }
                }
                Piece::Pages { range, serial, added } => {
                    ogg_page::renumbered(old, range.clone(), *serial, *added, &mut write)?;
                }
            }
        }
        Ok(())
    }

    /// The new file in memory.
    ///
    /// # Errors
    /// Those of reading.
    pub fn apply(&self, old: &dyn ReadAt) -> Result<Vec<u8>> {
        let mut new = Vec::new();
        self.each(old, |bytes| {
            new.extend_from_slice(bytes);
            Ok(())
        })?;
        match new.len() as u64 == self.num_bytes() {
            true => Ok(new),
            false => Err(Error::Io(io::ErrorKind::UnexpectedEof.into())),
        }
    }
}

fn size(piece: &Piece) -> u64 {
    match piece {
        Piece::New(bytes) => bytes.len() as u64,
        Piece::Kept(range) | Piece::Pages { range, .. } => range.end - range.start,
    }
}
