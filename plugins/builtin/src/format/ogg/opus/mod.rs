//! Opus in Ogg (RFC 7845). The file is not read through: its length comes from its ends, and what is read is found when it is
//! needed. Only chained and multiplexed files are walked page by page.

#![forbid(unsafe_code)]

mod link;
mod search;
mod walk;

use std::borrow::Cow;
use std::ffi::CString;
use std::ops::Range;

use mapwave_plugin::{Error, Level, Memory, Output, Result, StreamInfo, log};

use self::link::{Link, LinkCursor};
use self::search::next_page;
use self::walk::Content;
use super::checksum::Checksums;
use super::links::{Kind, LinkPages, Links, find_links};
use super::page::{CAPTURE_PATTERN, MAX_PAGE_BYTES, Page, Pages};
use crate::codec::opus::OpusCodec;
use crate::engine::packets::{Broken, Packet, PacketCodec, PacketStream};
use crate::engine::playlist::Run;

/// Files up to this size, and the beginnings of larger ones, are walked page by page.
const WALKED_BYTES: usize = 256 << 10;

/// In how many places a larger file is looked at.
const NUM_PROBES: usize = 64;

/// How many times as far apart as their mean size makes likely the pages may be that are looked at. Where they are further apart, the
/// file is walked.
const MAX_APART: u64 = 4;

/// The stream of an Ogg file with Opus.
#[derive(Debug)]
pub(crate) struct OpusStream {
    bytes: Memory,
    info: StreamInfo,
    links: Vec<Placed>,
}

/// A link with its position in the file's timelines.
#[derive(Debug)]
struct Placed {
    link: Link,
    /// Its frame 0 on the decoded timeline.
    base: u64,
    /// Its first frame on the trimmed timeline, and the end of its frames there.
    frames: Range<u64>,
}

impl OpusStream {
    /// Finds the links and their lengths.
    ///
    /// # Errors
    /// When the first link is malformed, or not one packet of the file is intact. Where a link differs from the first, the stream
    /// ends.
    pub(crate) fn open(bytes: Memory, stream: u32, max_alloc: u64) -> Result<Self> {
        let single = if stream == 0 { single_link(&bytes, max_alloc)? } else { None };
        let (links, is_cut, other) = match single {
            Some(link) => (vec![link], ends_within_page(&bytes), None),
            None => chained_links(&bytes, stream, max_alloc)?,
        };
        if let Some(error) = &other {
            let position = error.offset().unwrap_or(0);
            let message =
                format!("the stream ends at byte {position}, where another begins: {}", error.message());
            log(Level::Warning, &message);
        }
        let is_ended = links.iter().all(|link| link.is_ended);
        let (mut base, mut position) = (0_u64, 0_u64);
        let place = |link: Link| {
            let frames = position..position.saturating_add(link.num_frames());
            let placed = Placed { base, frames: frames.clone(), link };
            (base, position) = (base.saturating_add(placed.link.end), frames.end);
            placed
        };
        let links: Vec<Placed> = links.into_iter().map(place).collect();
        let (Some(first), Some(last)) = (links.first(), links.last()) else {
            return Err(Error::bad_data(0, "there is no Ogg stream"));
        };
        let info = StreamInfo {
            num_frames: Some(position),
            is_truncated: is_cut || other.is_some() || !is_ended,
            padding_frames: u32::try_from(last.link.num_padding).unwrap_or(u32::MAX),
            container: c"ogg",
            ..first.link.setup.info(first.link.kind)
        };
        let stream = Self { bytes, info, links };
        stream.check_any_intact()?;
        Ok(stream)
    }

    /// Checks that there is a packet if frames are promised.
    fn check_any_intact(&self) -> Result<()> {
        let has_packet = |placed: &Placed| {
            let mut packets = placed.link.packets(&self.bytes, 0);
            packets.any(|located| located.content.bytes(&self.bytes).is_some())
        };
        if self.info.num_frames == Some(0) || self.links.iter().any(has_packet) {
            return Ok(());
        }
        Err(Error::bad_data(0, "not one packet of Opus is intact"))
    }

    /// The link that has a frame of the decoded timeline, and the number of the frame in it.
    fn at(&self, frame: u64) -> Option<(usize, &Link, u64)> {
        let number = self.links.partition_point(|placed| placed.base <= frame).checked_sub(1)?;
        let placed = self.links.get(number)?;
        Some((number, &placed.link, frame - placed.base))
    }

    /// The same for a frame of the trimmed timeline.
    fn played(&self, position: u64) -> Option<(&Placed, u64)> {
        let number = self.links.partition_point(|placed| placed.frames.end <= position);
        let placed = self.links.get(number)?;
        let ahead = position.checked_sub(placed.frames.start)?;
        Some((placed, ahead.saturating_add(placed.link.setup.pre_skip.into())))
    }
}

/// The only link of a file, if there is no more as far as samples of it show.
fn single_link(bytes: &Memory, max_alloc: u64) -> Result<Option<Link>> {
    let first = Page::parse(bytes, 0).filter(|page| page.is_first && Kind::of(page.body) == Kind::Opus);
    let Some(first) = first.filter(|_| bytes.len() > WALKED_BYTES) else { return Ok(None) };
    let is_other = |page: &Page<'_>| page.serial != first.serial || page.is_first && page.offset > 0;
    let front = bytes.get(..WALKED_BYTES).unwrap_or_default();
    if Pages::new(front).any(|page| is_other(&page)) {
        return Ok(None);
    }
    let link = Link::open(bytes, 0..bytes.len(), first.serial, max_alloc)?;
    let mut seen: Vec<Page<'_>> = Vec::with_capacity(NUM_PROBES);
    let (mut granule, mut sums) = (i64::MIN, Checksums::default());
    for probe in 1..=NUM_PROBES {
        let offset = bytes.len() / NUM_PROBES * probe - 1;
        let before = seen.last();
        if before.is_some_and(|before| offset <= before.offset) {
            continue; // the same page again
        }
        let Some(page) = next_page(bytes, offset, &mut sums) else { break };
        if is_other(&page) || before.is_some_and(|before| page.sequence <= before.sequence) {
            return Ok(None);
        }
        if let Some(here) = page.granule {
            if here < granule || !page.is_last && !link.has(here) {
                return Ok(None);
            }
            granule = here;
        }
        seen.push(page);
    }
    let is_single = link.is_plausible() && has_room(&seen);
    Ok(is_single.then_some(link))
}

/// Whether pages of a stream lie about as far apart as their numbers say. A file of many copies of one stream is longer, though each
/// page that is looked at may have a higher number than the one before it.
fn has_room(pages: &[Page<'_>]) -> bool {
    let (Some(first), Some(last)) = (pages.first(), pages.last()) else { return true };
    let num_bytes: u64 = pages.iter().map(|page| (page.end() - page.offset) as u64).sum();
    let num_pages = u64::from(last.sequence - first.sequence) + 1;
    let expected = num_bytes.saturating_mul(num_pages) / pages.len() as u64;
    (last.end() - first.offset) as u64 <= expected.saturating_mul(MAX_APART)
}

/// Whether a file ends inside a page.
fn ends_within_page(bytes: &[u8]) -> bool {
    let start = bytes.len().saturating_sub(MAX_PAGE_BYTES);
    let tail = bytes.get(start..).unwrap_or_default();
    let last = memchr::memmem::rfind(tail, CAPTURE_PATTERN);
    last.is_some_and(|last| Page::parse(tail, last).is_none())
}

/// All links, up to one that differs; whether the file ends within a page; and why the link behind these is none of them.
fn chained_links(bytes: &Memory, stream: u32, max_alloc: u64) -> Result<(Vec<Link>, bool, Option<Error>)> {
    let Links { links: found, is_cut, mut other } = find_links(bytes, stream)?;
    let begins: Vec<usize> = found.iter().map(|link| link.begin).chain([bytes.len()]).collect();
    let mut links: Vec<Link> = Vec::new();
    for (LinkPages { kind, offsets, .. }, end) in found.iter().zip(begins.iter().skip(1)) {
        let start = offsets.first().copied().unwrap_or(0);
        let read =
            match Page::parse(bytes, start).filter(|_| *kind == Kind::Opus) {
                Some(page) => Link::open(bytes, start..*end, page.serial, max_alloc),
                None => Err(Error::unsupported(format!("a chained stream continues as {}", kind.name()))
                    .at(start as u64)),
            };
        let read = read.and_then(|link| match links.first() {
            _ if !link.is_plausible() => {
                let (num_frames, num_bytes) = (link.end, link.range.len());
                let message = format!("its granule positions promise {num_frames} frames in {num_bytes} bytes");
                Err(Error::bad_data(start as u64, message))
            }
            Some(first) if first.setup.channels.len() != link.setup.channels.len() => {
                let (expected, found) = (first.setup.channels.len(), link.setup.channels.len());
                let message = format!("a chained stream continues with {found} channels, expected {expected} as at its beginning");
                Err(Error::unsupported(message).at(start as u64))
            }
            _ => Ok(link),
        });
        match read {
            Ok(link) => links.push(link),
            Err(error) if links.is_empty() => return Err(error),
            Err(error) => {
                other = Some(error);
                break;
            }
        }
    }
    Ok((links, is_cut, other))
}

/// The input of the codec.
#[derive(Debug)]
pub(crate) struct OpusPacket<'a> {
    /// The packet, unless there is none.
    bytes: Option<Cow<'a, [u8]>>,
    is_lost: bool,
}

/// A position between packets.
pub(crate) struct Cursor {
    link: usize,
    place: LinkCursor,
}

impl PacketStream for OpusStream {
    type Cursor = Cursor;
    type Bytes<'a> = OpusPacket<'a>;
    type Codec = OpusCodec;

    fn info(&self) -> &StreamInfo {
        &self.info
    }

    fn tags(&self) -> &[(CString, CString)] {
        self.links.first().map_or(&[], |placed| &placed.link.comments)
    }

    fn run(&self, position: u64) -> Option<Run> {
        let (Placed { link, base, frames }, frame) = self.played(position)?;
        let num_frames = (frames.end - position).min(link.cells.next(frame) - frame);
        Some(Run { source: Some(base.saturating_add(frame)), num_frames })
    }

    fn continues(&self, position: u64) -> bool {
        let Some((Placed { link, frames, .. }, frame)) = self.played(position) else { return false };
        position != frames.start && link.cells.continues(frame, |frames| link.kind_of(&self.bytes, frames))
    }

    fn entry(&self, frame: u64) -> Result<Cursor> {
        let (number, link, frame) =
            self.at(frame).ok_or_else(|| Error::bad_data(0, "there is no Ogg stream"))?;
        let frame = link.cells.entry(frame, |frames| link.kind_of(&self.bytes, frames));
        Ok(Cursor { link: number, place: link.cursor(&self.bytes, frame) })
    }

    fn next<'a>(&'a self, cursor: &mut Cursor) -> Result<Option<Packet<OpusPacket<'a>>>> {
        let Some(Placed { link, base, .. }) = self.links.get(cursor.link) else { return Ok(None) };
        let Some(located) = link.next(&self.bytes, &mut cursor.place) else { return Ok(None) };
        let bytes = OpusPacket {
            is_lost: located.content == Content::Lost,
            bytes: match located.content {
                Content::Bytes(range) => self.bytes.get(range).map(Cow::Borrowed),
                Content::Joined(bytes) => Some(Cow::Owned(bytes)),
                Content::Pause | Content::Lost => None,
            },
        };
        let num_frames = located.frames.end - located.frames.start;
        let first_frame = base.saturating_add(located.frames.start);
        Ok(Some(Packet { bytes, offset: located.offset as u64, first_frame, num_frames }))
    }

    fn codec(&self, frame: u64) -> Result<OpusCodec> {
        let (_, link, frame) = self.at(frame).ok_or_else(|| Error::bad_data(0, "there is no Ogg stream"))?;
        let engine = link.cells.engine(frame, |frames| link.kind_of(&self.bytes, frames));
        OpusCodec::new(&link.setup, engine)
    }
}

impl PacketCodec<OpusStream> for OpusCodec {
    fn decode(&mut self, _: &OpusStream, packet: &Packet<OpusPacket<'_>>) -> Result<usize, Broken> {
        match &packet.bytes {
            OpusPacket { bytes: Some(bytes), .. } => self.decode(bytes),
            OpusPacket { is_lost: true, .. } => Err(Broken::Silence),
            OpusPacket { .. } => Ok(0),
        }
    }

    fn write(&self, frames: Range<usize>, output: &mut Output<'_>) -> usize {
        self.write(frames, output)
    }
}
