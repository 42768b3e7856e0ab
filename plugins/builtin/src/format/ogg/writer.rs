//! Writes Opus in Ogg (RFC 3533; RFC 7845).

#![forbid(unsafe_code)]

use mapwave_plugin::{Result, Sink};

use super::page::{CAPTURE_PATTERN, with_checksum};
use crate::tags::vorbis_comment;

/// The most frames of a page: a second, as players expect (RFC 7845, section 4).
const MAX_PAGE_FRAMES: u64 = 48_000;
/// The most segments of a page.
const MAX_SEGMENTS: usize = 255;

const IS_CONTINUED: u8 = 1;
const IS_FIRST: u8 = 2;
const IS_LAST: u8 = 4;

/// A stream of Opus packets on its way to a file.
pub(crate) struct OggWriter {
    sink: Sink,
    sequence: u32,
    /// Whether the next page begins with the rest of a packet, as a flag.
    continued: u8,
    /// The segments of the next page, and its packets.
    lacing: Vec<u8>,
    body: Vec<u8>,
    page_frames: u64,
    /// The frames of all packets.
    num_frames: u64,
    /// The number of the stream, which every file of a chain has its own of: made from what the file begins with, so that the
    /// same audio gives the same file. `None` until the first packet.
    serial: Option<u32>,
    header: Vec<u8>,
    comments: Vec<u8>,
}

impl OggWriter {
    /// A file with that header (`OpusHead`). Nothing is written before the first packet.
    ///
    /// # Errors
    /// [`Status::Limit`](mapwave_plugin::Status::Limit) when the tags are too long.
    pub(crate) fn new(sink: Sink, header: &[u8], tags: &[(&str, &str)]) -> Result<Self> {
        Ok(Self {
            sink,
            sequence: 0,
            continued: 0,
            lacing: Vec::new(),
            body: Vec::new(),
            page_frames: 0,
            num_frames: 0,
            serial: None,
            header: header.to_vec(),
            comments: [b"OpusTags".as_slice(), &vorbis_comment::block(tags)?].concat(),
        })
    }

    /// Writes the headers in front of the first packet.
    fn start(&mut self, packet: &[u8]) -> Result<()> {
        if self.serial.is_some() {
            return Ok(());
        }
        let (header, comments) = (std::mem::take(&mut self.header), std::mem::take(&mut self.comments));
        self.serial = Some(fnv_1a([&header[..], &comments, packet].into_iter().flatten()));
        self.add(&header)?;
        self.end_page(IS_FIRST, 0)?;
        self.add(&comments)?;
        self.end_page(0, 0)
    }

    /// Writes a packet that is not the last.
    ///
    /// # Errors
    /// [`Status::Io`](mapwave_plugin::Status::Io) when the sink fails.
    pub(crate) fn write(&mut self, packet: &[u8], num_frames: u32) -> Result<()> {
        self.start(packet)?;
        self.add(packet)?;
        self.page_frames += u64::from(num_frames);
        self.num_frames = self.num_frames.saturating_add(num_frames.into());
        if self.page_frames >= MAX_PAGE_FRAMES || self.sink.is_live() {
            self.end_page(0, self.num_frames)?;
        }
        Ok(())
    }

    /// Writes the last packet, in which the stream ends at `num_frames` frames.
    ///
    /// # Errors
    /// [`Status::Io`](mapwave_plugin::Status::Io) when the sink fails.
    pub(crate) fn finish(&mut self, packet: &[u8], num_frames: u64) -> Result<()> {
        self.start(packet)?;
        self.add(packet)?;
        self.end_page(IS_LAST, num_frames)
    }

    /// Adds a packet to the next page. One that does not fit begins on a page of its own and may fill several.
    fn add(&mut self, packet: &[u8]) -> Result<()> {
        if self.lacing.len() + packet.len() / 255 + 1 > MAX_SEGMENTS && !self.lacing.is_empty() {
            self.end_page(0, self.num_frames)?;
        }
        let mut flags = 0;
        let mut rest = packet;
        loop {
            let size = rest.len().min(255);
            let (segment, after) = rest.split_at(size);
            self.lacing.push(u8::try_from(size).unwrap_or(u8::MAX));
            self.body.extend_from_slice(segment);
            if size < 255 {
                break;
            }
            rest = after;
            if self.lacing.len() == MAX_SEGMENTS {
                // No packet ends on this page.
                self.write_page(flags, u64::MAX)?;
                flags = IS_CONTINUED;
            }
        }
        self.continued = flags;
        Ok(())
    }

    /// Writes the page on which the packets end that were added.
    fn end_page(&mut self, flags: u8, granule: u64) -> Result<()> {
        let flags = flags | std::mem::take(&mut self.continued);
        self.write_page(flags, granule)
    }

    fn write_page(&mut self, flags: u8, granule: u64) -> Result<()> {
        let mut page = CAPTURE_PATTERN.to_vec();
        page.extend([0, flags]);
        page.extend(granule.to_le_bytes());
        page.extend(self.serial.unwrap_or(0).to_le_bytes());
        page.extend(self.sequence.to_le_bytes());
        page.extend([0; 4]);
        page.push(u8::try_from(self.lacing.len()).unwrap_or(u8::MAX));
        page.append(&mut self.lacing);
        page.append(&mut self.body);
        self.sequence = self.sequence.wrapping_add(1);
        self.page_frames = 0;
        self.sink.append(&with_checksum(page))
    }
}

/// The hash of Fowler, Noll and Vo, 32 bits, in variant 1a.
fn fnv_1a<'a>(bytes: impl Iterator<Item = &'a u8>) -> u32 {
    bytes.fold(0x811C_9DC5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}
