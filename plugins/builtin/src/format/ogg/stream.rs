//! The stream of an Ogg file: its consecutive links.

#![forbid(unsafe_code)]

use std::ffi::CString;

use mapwave_plugin::{Error, Level, Memory, Result, SampleFormat, SeekClass, StreamInfo, Sweep, log};

use super::codec::{LinkCodec, LinkPacket};
use super::links::{Kind, LinkPages, Links, chosen_kind, find_links};
use super::packets::{Packets, Place};
use super::setup::Setup;
use super::timeline::{Mark, Timeline};
use crate::codec::flac::{FrameCodec, channel_mask};
use crate::codec::vorbis::MAX_BYTES;
use crate::engine::packets::{Packet, PacketStream};
use crate::engine::saved::{Saved, Saver};
use crate::tags::vorbis_comment;
use crate::tags::vorbis_comment::Comments;

/// The tag of a saved index.
const TAG: &[u8; 8] = b"ogg    2";

/// How many pages of each link of a saved index are looked at before it is believed.
const NUM_SAMPLES: usize = 32;

/// The memory of a page's entry, which takes three bytes of a saved index at least.
const MAX_MEMORY_PER_BYTE: u64 = 12;

/// A link with its position on the decoded timeline of the file.
#[derive(Debug)]
struct Link {
    setup: Setup,
    offsets: Vec<usize>,
    marks: Vec<Mark>,
    /// The position of the first audio packet.
    audio: Place,
    /// The end of its audio.
    end: u64,
}

/// The stream of an Ogg file.
#[derive(Debug)]
pub(crate) struct OggStream {
    bytes: Memory,
    info: StreamInfo,
    comments: Comments,
    links: Vec<Link>,
    /// The beginning of the first link's audio.
    start: u64,
    /// Whether a link follows that differs.
    changes: bool,
}

impl OggStream {
    /// Finds the links and measures them.
    ///
    /// # Errors
    /// When the file is not an Ogg file with such a stream, or not one packet of it is intact. Where a link differs from the
    /// first, the stream ends.
    pub(crate) fn open(bytes: Memory, stream: u32, index: &[u8], max_alloc: u64) -> Result<Self> {
        if let Some(loaded) = Self::load(&bytes, stream, index, max_alloc) {
            return Ok(loaded);
        }
        let Links { links: found, is_cut, mut other } = find_links(&bytes, stream)?;
        let mut comments = Comments::new();
        let mut links: Vec<Link> = Vec::new();
        let mut timelines = Vec::new();
        let mut sweep = Sweep::new(bytes.clone(), 0);
        let setups = SetupMemory::new(found.len() as u64, &bytes, max_alloc);
        for LinkPages { kind, mut offsets, .. } in found {
            let place = offsets.first().copied().unwrap_or(0) as u64;
            let packets = Packets { bytes: &bytes, offsets: &offsets };
            let read = Setup::read(kind, &packets, setups.of_link(kind), place);
            let read = read.and_then(|read| match links.first() {
                Some(first) => first.setup.check_continued_by(&read.0, place).map(|()| read),
                None => Ok(read),
            });
            let (setup, link_comments, audio) = match read {
                Ok(read) => read,
                Err(error) if links.is_empty() => return Err(error),
                Err(error) => {
                    other = Some(error);
                    break;
                }
            };
            if links.is_empty() {
                comments = link_comments;
            }
            let mut timeline = Timeline::measure(&packets, &mut sweep, &setup, audio);
            let marks = std::mem::take(&mut timeline.marks);
            offsets.truncate(marks.len());
            links.push(Link { setup, offsets, marks, audio, end: 0 });
            timelines.push(timeline);
        }
        // The audio of each link follows that of the one before. Its priming precedes that point and must not begin
        // before 0.
        let start = timelines.iter().map(|timeline| timeline.num_priming).max().unwrap_or(0);
        let mut end = start;
        for (link, timeline) in links.iter_mut().zip(&timelines) {
            let shift = end.saturating_sub(timeline.num_priming);
            for mark in &mut link.marks {
                mark.first_frame = mark.first_frame.saturating_add(shift);
            }
            end = timeline.end.saturating_add(shift);
            link.end = end;
        }
        if let Some(error) = &other {
            let position = error.offset().unwrap_or(0);
            let message =
                format!("the stream ends at byte {position}, where another begins: {}", error.message());
            log(Level::Warning, &message);
        }
        let is_ended = timelines.iter().all(|timeline| timeline.is_ended);
        let is_truncated = is_cut || other.is_some() || !is_ended;
        let changes = other.is_some();
        let frames = |frames: Option<u64>| u32::try_from(frames.unwrap_or(0)).unwrap_or(u32::MAX);
        let priming_frames = frames(timelines.first().map(|timeline| timeline.num_priming));
        let padding_frames = frames(timelines.last().map(|timeline| timeline.num_padding));
        let Some(first) = links.first() else { return Err(Error::bad_data(0, "there is no Ogg stream")) };
        let info = StreamInfo {
            num_frames: Some(end - start),
            is_truncated,
            priming_frames,
            padding_frames,
            ..stream_info(&first.setup, &comments)
        };
        let stream = Self { bytes, info, comments, links, start, changes };
        stream.check_any_intact()?;
        Ok(stream)
    }

    /// What opening has found out, as bytes; `None` if the stream changes, which must be told again.
    pub(crate) fn save_index(&self) -> Option<Vec<u8>> {
        if self.changes {
            return None;
        }
        let mut saver = Saver::new(TAG);
        let info = &self.info;
        saver.number(u64::from(info.is_truncated));
        saver.number(info.priming_frames.into());
        saver.number(info.padding_frames.into());
        saver.number(self.start);
        saver.number(self.links.len() as u64);
        let mut offset = 0;
        for link in &self.links {
            saver.number(link.end);
            saver.number(link.offsets.len() as u64);
            let mut frame = 0;
            for (place, mark) in link.offsets.iter().zip(&link.marks) {
                saver.number((*place as u64).wrapping_sub(offset));
                saver.number(mark.first_frame.wrapping_sub(frame));
                saver.number(u64::from(mark.previous) << 1 | u64::from(mark.is_after_hole));
                (offset, frame) = (*place as u64, mark.first_frame);
            }
        }
        Some(saver.finish())
    }

    /// The stream as [`save_index`](Self::save_index) described it; `None` if that was of another file, as far as the first pages of
    /// links and a look at some others show.
    fn load(bytes: &Memory, stream: u32, index: &[u8], max_alloc: u64) -> Option<Self> {
        let mut saved = Saved::new(index, TAG)?;
        if (saved.num_bytes() as u64).saturating_mul(MAX_MEMORY_PER_BYTE) > max_alloc {
            return None;
        }
        let (is_truncated, priming_frames, padding_frames) =
            (saved.number()? == 1, saved.small()?, saved.small()?);
        let (start, num_links) = (saved.number()?, saved.number()?);
        let mut comments = Comments::new();
        let mut links: Vec<Link> = Vec::new();
        // Pages come one behind the other, also those of different links: none is read twice.
        let mut offset = 0_u64;
        let setups = SetupMemory::new(num_links, bytes, max_alloc);
        for number in 0..num_links {
            let end = saved.number()?;
            let num_pages: usize = saved.small()?;
            let room = num_pages.min(saved.num_bytes() / 3);
            let (mut offsets, mut marks) = (Vec::with_capacity(room), Vec::with_capacity(room));
            let mut frame = 0_u64;
            for page in 0..num_pages {
                let (distance, num_frames, state) = (saved.number()?, saved.number()?, saved.number()?);
                (offset, frame) = (offset.checked_add(distance)?, frame.checked_add(num_frames)?);
                if (number > 0 || page > 0) && distance == 0 || frame > end {
                    return None;
                }
                offsets.push(usize::try_from(offset).ok()?);
                let previous = u8::try_from(state >> 1).ok()?;
                marks.push(Mark { first_frame: frame, previous, is_after_hole: state & 1 == 1 });
            }
            let packets = Packets { bytes, offsets: &offsets };
            let first = packets.page(0)?;
            let kind = if links.is_empty() { chosen_kind(bytes, stream)? } else { Kind::of(first.body) };
            let room = setups.of_link(kind);
            let (setup, found, audio) = Setup::read(kind, &packets, room, first.offset as u64).ok()?;
            if let Some(before) = links.first() {
                before.setup.check_continued_by(&setup, first.offset as u64).ok()?;
            } else {
                comments = found;
            }
            let step = (num_pages / NUM_SAMPLES).max(1);
            let is_there = |page: usize| packets.page(page).is_some_and(|page| page.serial == first.serial);
            if !first.is_first || !(0..num_pages).step_by(step).chain([num_pages - 1]).all(is_there) {
                return None;
            }
            links.push(Link { setup, offsets, marks, audio, end });
        }
        let end = links.last()?.end;
        if !links.is_sorted_by_key(|link| link.end) {
            return None;
        }
        let info = StreamInfo {
            num_frames: Some(end.checked_sub(start)?),
            is_truncated,
            priming_frames,
            padding_frames,
            ..stream_info(&links.first()?.setup, &comments)
        };
        let stream = Self { bytes: bytes.clone(), info, comments, links, start, changes: false };
        stream.check_any_intact().ok()?;
        Some(stream)
    }

    /// Checks that at least one packet of Vorbis is intact. A damaged frame of FLAC is an error where it is read.
    fn check_any_intact(&self) -> Result<()> {
        if self.info.num_frames == Some(0) || matches!(self.setup(0), Some(Setup::Flac(_)) | None) {
            return Ok(());
        }
        let mut cursor = self.cursor(0, 0);
        while let Some(packet) = self.step(&mut cursor, true)? {
            if packet.bytes.bytes.is_some() {
                return Ok(());
            }
        }
        let offset = self.links.first().and_then(|link| link.offsets.get(link.audio.page));
        let message = "not one packet of Vorbis can be decoded: the checksums of all pages are wrong";
        Err(Error::bad_data(offset.copied().unwrap_or(0) as u64, message))
    }

    /// The setup of a link.
    fn setup(&self, link: usize) -> Option<&Setup> {
        self.links.get(link).map(|link| &link.setup)
    }

    fn packets<'a>(&'a self, link: &'a Link) -> Packets<'a> {
        Packets { bytes: &self.bytes, offsets: &link.offsets }
    }

    /// The position before the first packet that begins on a page or after it.
    fn cursor(&self, link: usize, page: usize) -> Cursor {
        let mut cursor =
            Cursor { link, place: Place::on_page(page), frame: 0, previous: 0, entered: None, intact: None };
        if let Some(link) = self.links.get(link) {
            if page <= link.audio.page {
                cursor.place = link.audio;
            }
            if let Some(mark) = link.marks.get(cursor.place.page) {
                (cursor.frame, cursor.previous) = (mark.first_frame, mark.previous);
            }
        }
        cursor
    }

    /// The packet at a position, all of it or its head; the position advances past it.
    fn step<'a>(&'a self, cursor: &mut Cursor, is_whole: bool) -> Result<Option<Packet<LinkPacket<'a>>>> {
        loop {
            let Some(link) = self.links.get(cursor.link) else { return Ok(None) };
            let packets = self.packets(link);
            let mut place = cursor.place;
            let Some(found) = packets.next(&mut place, is_whole) else {
                *cursor = self.cursor(cursor.link + 1, 0);
                continue;
            };
            let offset = found.offset as u64;
            if cursor.entered.replace(found.first_page) != Some(found.first_page)
                && let Some(mark) = link.marks.get(found.first_page).filter(|mark| mark.is_after_hole)
            {
                let first_frame = std::mem::replace(&mut cursor.frame, mark.first_frame);
                cursor.previous = 0;
                let bytes = LinkPacket { link: cursor.link, setup: &link.setup, bytes: None };
                let num_frames = mark.first_frame.saturating_sub(first_frame);
                return Ok(Some(Packet { bytes, offset, first_frame, num_frames }));
            }
            cursor.place = place;
            let Some((num_frames, previous)) = link.setup.measure(&found.bytes, cursor.previous) else {
                if let (Setup::Flac(_), true) = (&link.setup, is_whole) {
                    return Err(Error::bad_data(offset, "the packet is not a frame of the FLAC stream"));
                }
                continue;
            };
            cursor.previous = previous;
            let first_frame = cursor.frame;
            cursor.frame = first_frame.saturating_add(num_frames);
            let num_frames = num_frames.min(link.end.saturating_sub(first_frame));
            // A FLAC frame has its own checksum.
            let is_intact = !is_whole
                || matches!(link.setup, Setup::Flac(_))
                || (found.first_page..=found.last_page).all(|page| cursor.is_intact(&packets, page));
            let bytes =
                LinkPacket { link: cursor.link, setup: &link.setup, bytes: is_intact.then_some(found.bytes) };
            return Ok(Some(Packet { bytes, offset, first_frame, num_frames }));
        }
    }
}

/// The memory that the setups of links may take. A few bytes of Vorbis' setup describe millions of words; those of real files take
/// less than a megabyte.
struct SetupMemory {
    num_links: u64,
    /// Those of the file.
    num_bytes: u64,
    max_alloc: u64,
}

impl SetupMemory {
    /// What all setups may take, and how much more for each byte of the file.
    const ALL: u64 = MAX_BYTES;
    const PER_BYTE: u64 = 20;

    fn new(num_links: u64, bytes: &[u8], max_alloc: u64) -> Self {
        Self { num_links, num_bytes: bytes.len() as u64, max_alloc }
    }

    /// What a link may take.
    fn of_link(&self, kind: Kind) -> u64 {
        if kind != Kind::Vorbis {
            return self.max_alloc;
        }
        let all = self.num_bytes.saturating_mul(Self::PER_BYTE).saturating_add(Self::ALL);
        (all / self.num_links.max(1)).min(Self::ALL).min(self.max_alloc)
    }
}

/// A position between packets.
#[derive(Clone, Debug)]
pub(crate) struct Cursor {
    link: usize,
    place: Place,
    frame: u64,
    previous: u8,
    /// The page on which the last packet began.
    entered: Option<usize>,
    /// The page whose checksum was checked last, and whether it is right.
    intact: Option<(usize, bool)>,
}

impl Cursor {
    fn is_intact(&mut self, packets: &Packets<'_>, page: usize) -> bool {
        match self.intact {
            Some((checked, is_intact)) if checked == page => is_intact,
            _ => {
                let is_intact = packets.page(page).is_some_and(|page| page.is_intact(packets.bytes));
                self.intact = Some((page, is_intact));
                is_intact
            }
        }
    }
}

impl PacketStream for OggStream {
    type Cursor = Cursor;
    type Bytes<'a> = LinkPacket<'a>;
    type Codec = LinkCodec;

    fn info(&self) -> &StreamInfo {
        &self.info
    }

    fn tags(&self) -> &[(CString, CString)] {
        &self.comments
    }

    fn priming_frames(&self) -> u64 {
        self.start
    }

    fn entry(&self, frame: u64) -> Result<Cursor> {
        let number = self.links.partition_point(|link| link.end <= frame);
        let Some(link) = self.links.get(number) else { return Ok(self.cursor(number, 0)) };
        let page = link.marks.partition_point(|mark| mark.first_frame <= frame);
        let mut num_back = 2;
        loop {
            let from = page.saturating_sub(num_back).max(link.audio.page);
            let mut cursor = self.cursor(number, from);
            let mut before = None;
            loop {
                let here = cursor.clone();
                let Some(packet) = self.step(&mut cursor, false)? else { return Ok(here) };
                if packet.first_frame.saturating_add(packet.num_frames) <= frame {
                    before = Some(here);
                    continue;
                }
                // Half of the block before overlaps this one; FLAC frames do not depend on each other.
                match (&link.setup, before.take()) {
                    (Setup::Vorbis(_), Some(before)) => return Ok(before),
                    (Setup::Vorbis(_), None) if from > link.audio.page => break,
                    _ => return Ok(here),
                }
            }
            num_back = num_back.saturating_mul(2);
        }
    }

    fn next<'a>(&'a self, cursor: &mut Cursor) -> Result<Option<Packet<LinkPacket<'a>>>> {
        self.step(cursor, true)
    }

    fn codec(&self, _: u64) -> Result<LinkCodec> {
        let first = self.setup(0).ok_or_else(|| Error::bad_data(0, "there is no Ogg stream"))?;
        LinkCodec::new(0, first)
    }

    fn renew(&self, mut codec: LinkCodec, _: u64) -> Result<LinkCodec> {
        codec.reset();
        Ok(codec)
    }
}

fn stream_info(setup: &Setup, comments: &Comments) -> StreamInfo {
    let num_channels = setup.num_channels();
    let common = StreamInfo {
        sample_rate: setup.sample_rate(),
        num_channels,
        channel_mask: vorbis_comment::default_channel_mask(num_channels),
        num_frames: None,
        bits_per_sample: setup.bits_per_sample(),
        native_format: SampleFormat::F32,
        formats: &[SampleFormat::F32],
        seek_class: SeekClass::Exact,
        is_lossless: false,
        is_truncated: false,
        priming_frames: 0,
        padding_frames: 0,
        seek_cost_frames: 1 << 12, // the packet before, its page, and a new decoder
        codec: c"vorbis",
        container: c"ogg",
    };
    match setup {
        Setup::Vorbis(_) => common,
        Setup::Flac(info) => {
            let formats = FrameCodec::formats(info.bits_per_sample);
            StreamInfo {
                channel_mask: channel_mask(comments, num_channels),
                native_format: formats.first().copied().unwrap_or(SampleFormat::I32),
                formats,
                is_lossless: true,
                seek_cost_frames: u64::from(info.max_block_size.min(4608)),
                codec: c"flac",
                ..common
            }
        }
    }
}
