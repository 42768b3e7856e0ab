//! Files of chunks: RIFF, AIFF and CAF; how they are walked, and laid out again around the audio, which stays where it is.

use crate::error::{Error, Result};
use crate::input::{self, ReadAt};
use crate::plan::{Piece, Plan};

/// The most chunks that are read from a file.
const MAX_CHUNKS: usize = 4096;

/// Chunks behind the audio that take at most this many bytes are written again if that keeps the audio in its place.
const MAX_MOVED: u64 = 4 << 20;

/// How a format stores chunks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    pub(crate) format: &'static str,
    pub(crate) is_big_endian: bool,
    /// Sizes have 64 bits and nothing is padded, as in CAF.
    pub(crate) is_long: bool,
    /// The bytes of the file before the first chunk.
    pub(crate) first: u64,
    /// A chunk that readers skip.
    pub(crate) filler: [u8; 4],
}

impl Style {
    fn header_bytes(self) -> u64 {
        if self.is_long { 12 } else { 8 }
    }

    /// A chunk with its header and padding.
    pub(crate) fn chunk(self, id: [u8; 4], payload: &[u8]) -> Vec<u8> {
        let mut chunk = id.to_vec();
        chunk.extend(self.size(payload.len() as u64));
        chunk.extend(payload);
        if !self.is_long && payload.len() % 2 == 1 {
            chunk.push(0);
        }
        chunk
    }

    /// The field of a size.
    pub(crate) fn size(self, num_bytes: u64) -> Vec<u8> {
        let short = u32::try_from(num_bytes).unwrap_or(u32::MAX);
        match (self.is_long, self.is_big_endian) {
            (true, _) => num_bytes.to_be_bytes().to_vec(),
            (false, true) => short.to_be_bytes().to_vec(),
            (false, false) => short.to_le_bytes().to_vec(),
        }
    }
}

/// A chunk of a file.
#[derive(Clone, Debug)]
pub(crate) struct Chunk {
    pub(crate) id: [u8; 4],
    /// The type of a RIFF list, or zeros.
    pub(crate) kind: [u8; 4],
    /// Where its header is.
    pub(crate) header: u64,
    /// Where its payload is.
    pub(crate) start: u64,
    /// The size of the payload, which the file has.
    pub(crate) num_bytes: u64,
    /// The end with its padding.
    pub(crate) end: u64,
}

impl Chunk {
    /// The payload.
    pub(crate) fn read(&self, input: &dyn ReadAt) -> Result<Vec<u8>> {
        Ok(input::bytes(input, self.start, self.num_bytes)?.into_owned())
    }

    pub(crate) fn is(&self, id: &[u8; 4], kind: &[u8; 4]) -> bool {
        (&self.id, &self.kind) == (id, kind)
    }
}

/// The chunks of a file.
#[derive(Debug)]
pub(crate) struct Chunks {
    pub(crate) style: Style,
    pub(crate) list: Vec<Chunk>,
    /// The index of the chunk with the audio.
    audio: Option<usize>,
    /// Whether the audio ends with the file because its chunk does not say where it ends.
    pub(crate) is_open: bool,
    /// Whether the chunk with the audio promises more bytes than there are.
    is_cut: bool,
    /// What is behind the last whole chunk.
    rest: u64,
    file_bytes: u64,
}

impl Chunks {
    /// Walks the chunks; `long_size` gives the size of the audio if it is not in its chunk.
    pub(crate) fn walk(
        input: &dyn ReadAt,
        style: Style,
        audio: [u8; 4],
        long_size: impl Fn(&[Chunk]) -> Option<u64>,
    ) -> Result<Self> {
        let file_bytes = input.num_bytes();
        let mut this = Self {
            style,
            list: Vec::new(),
            audio: None,
            is_open: false,
            is_cut: false,
            rest: style.first,
            file_bytes,
        };
        while this.list.len() < MAX_CHUNKS && this.rest + style.header_bytes() <= file_bytes {
            let head = input::up_to(input, this.rest, 16)?;
            let Some((id, size)) = this.header(&head) else { break };
            let start = this.rest + style.header_bytes();
            let left = file_bytes - start;
            let is_audio = id == audio && this.audio.is_none();
            let mut num_bytes = size;
            if is_audio {
                let unknown = if style.is_long { u64::MAX } else { u32::MAX.into() };
                if size == unknown {
                    num_bytes = long_size(&this.list).filter(|&size| size != 0).unwrap_or(u64::MAX);
                    this.is_open = num_bytes == u64::MAX;
                }
                this.is_cut = num_bytes > left && !this.is_open;
                num_bytes = num_bytes.min(left);
                this.audio = Some(this.list.len());
            } else if num_bytes > left {
                break;
            }
            let kind = match head.get(8..12).map(TryInto::try_into) {
                Some(Ok(kind)) if &id == b"LIST" && !style.is_long && num_bytes >= 4 => kind,
                _ => [0; 4],
            };
            let padding = if style.is_long { 0 } else { num_bytes % 2 };
            let end = (start + num_bytes + padding).min(file_bytes);
            this.list.push(Chunk { id, kind, header: this.rest, start, num_bytes, end });
            this.rest = end;
        }
        Ok(this)
    }

    fn header(&self, head: &[u8]) -> Option<([u8; 4], u64)> {
        let mut bytes = crate::bytes::Bytes(head);
        let id = bytes.array()?;
        let size = match (self.style.is_long, self.style.is_big_endian) {
            (true, _) => bytes.u64_be()?,
            (false, true) => bytes.u32_be()?.into(),
            (false, false) => bytes.u32_le()?.into(),
        };
        // Anything else is not a chunk: bytes behind the last one.
        id.iter().all(|byte| (0x20..0x7f).contains(byte)).then_some((id, size))
    }

    /// The chunk with the audio.
    pub(crate) fn audio(&self) -> Option<&Chunk> {
        self.audio.and_then(|index| self.list.get(index))
    }

    /// The first chunk with an identifier.
    pub(crate) fn find(&self, id: &[u8; 4]) -> Option<&Chunk> {
        self.list.iter().find(|chunk| &chunk.id == id)
    }

    /// The file with `new` chunks instead of those that `is_replaced` names. The audio stays in its place: the new chunks stand
    /// before it if there is room, or behind it. `head` is the file's first bytes, made from the new size and from the chunks
    /// before the audio.
    pub(crate) fn replaced(
        &self,
        input: &dyn ReadAt,
        is_replaced: impl Fn(&Chunk) -> bool,
        new: &[u8],
        complete: impl Fn(u64, &mut Vec<u8>) -> Result<()>,
    ) -> Result<Plan> {
        let format = self.style.format;
        let Some((index, audio)) = self.audio.zip(self.audio()) else {
            return Err(Error::malformed(format, self.rest, "there is no audio before the end of the file"));
        };
        if self.is_cut {
            let what =
                "the file ends before the audio that it promises; repair it before its metadata is changed";
            return Err(Error::malformed(format, audio.start, what));
        }
        let (before, behind) = self.list.split_at(index);
        let behind = behind.get(1..).unwrap_or_default();
        let is_filler =
            |chunk: &Chunk| chunk.id == self.style.filler || matches!(&chunk.id, b"JUNK" | b"junk" | b"FLLR");
        // Before the audio: what stays, the new chunks, and a filler.
        let mut head = input::bytes(input, 0, self.style.first)?.into_owned();
        let is_changed = !new.is_empty() || before.iter().any(&is_replaced);
        for chunk in before.iter().filter(|chunk| !(is_replaced(chunk) || is_changed && is_filler(chunk))) {
            head.extend_from_slice(&input::bytes(input, chunk.header, chunk.end - chunk.header)?);
        }
        let free = |head: &[u8], more: usize| audio.header.checked_sub((head.len() + more) as u64);
        let fits = free(&head, new.len()).is_some_and(|left| left == 0 || left >= self.style.header_bytes());
        let mut tail = Vec::new();
        if fits {
            head.extend_from_slice(new)
        } else {
            tail.extend_from_slice(new)
        };
        match free(&head, 0) {
            Some(0) => {}
            Some(left) if left >= self.style.header_bytes() => {
                let room = usize::try_from(left - self.style.header_bytes()).unwrap_or(0);
                head.extend(self.style.filler);
                head.extend(self.style.size(room as u64));
                head.resize(head.len() + room, 0);
            }
            _ => {
                return Err(Error::malformed(
                    format,
                    audio.header,
                    "the chunks before the audio have no whole size",
                ));
            }
        }
        // The audio with its header, which states its size.
        let is_large = audio.num_bytes >= u32::MAX.into() && !self.style.is_long;
        let kept_header =
            || Ok::<_, Error>(input::bytes(input, audio.header, self.style.header_bytes())?.into_owned());
        let mut header = kept_header()?;
        if self.is_open && !is_large {
            header = audio.id.to_vec();
            header.extend(self.style.size(audio.num_bytes));
        }
        let mut pieces = vec![Piece::Kept(audio.start..audio.end)];
        let padding = if self.style.is_long { 0 } else { (audio.end - audio.start) % 2 };
        let is_last = behind.iter().all(&is_replaced) && tail.is_empty();
        if padding == 1 && !is_last {
            pieces.push(Piece::New(vec![0]));
        }
        // Behind it: what stays, then the new chunks, then the bytes behind the last chunk.
        let moved: u64 = behind.iter().map(|chunk| chunk.end - chunk.header).sum();
        for chunk in behind.iter().filter(|chunk| !is_replaced(chunk)) {
            let range = chunk.header..chunk.end;
            pieces.push(match moved <= MAX_MOVED {
                true => {
                    let mut bytes = input::bytes(input, chunk.header, chunk.end - chunk.header)?.into_owned();
                    if !self.style.is_long && bytes.len() % 2 == 1 {
                        bytes.push(0);
                    }
                    Piece::New(bytes)
                }
                false => Piece::Kept(range),
            });
        }
        pieces.push(Piece::New(tail));
        let form = head.len() as u64 + header.len() as u64 + Plan::new(pieces.clone()).num_bytes();
        if self.rest < self.file_bytes {
            let rest = self.rest..self.file_bytes;
            pieces.push(match rest.end - rest.start <= MAX_MOVED {
                true => Piece::New(input::bytes(input, rest.start, rest.end - rest.start)?.into_owned()),
                false => Piece::Kept(rest),
            });
        }
        complete(form, &mut head)?;
        head.extend(header);
        Ok(Plan::new([vec![Piece::New(head)], pieces].concat()))
    }
}
