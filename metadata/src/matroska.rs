//! Matroska and WebM (RFC 8794, RFC 9559), which are only read.

use std::collections::HashSet;

use crate::bytes::{Bytes, text};
use crate::cue::MAX_MARKERS;
use crate::error::Result;
use crate::input::{self, ReadAt};
use crate::model::{Marker, Metadata, Picture};
use crate::options::Options;
use crate::time;

const EBML: u32 = 0x1a45_dfa3;
const SEGMENT: u32 = 0x1853_8067;
const SEEK_HEAD: u32 = 0x114d_9b74;
const SEEK: u32 = 0x4dbb;
const SEEK_ID: u32 = 0x53ab;
const SEEK_POSITION: u32 = 0x53ac;
const INFO: u32 = 0x1549_a966;
const TITLE: u32 = 0x7ba9;
const TRACKS: u32 = 0x1654_ae6b;
const TRACK_ENTRY: u32 = 0xae;
const TRACK_TYPE: u32 = 0x83;
const AUDIO: u32 = 0xe1;
const SAMPLING_FREQUENCY: u32 = 0xb5;
const CLUSTER: u32 = 0x1f43_b675;
const CHAPTERS: u32 = 0x1043_a770;
const EDITION_ENTRY: u32 = 0x45b9;
const CHAPTER_ATOM: u32 = 0xb6;
const CHAPTER_TIME_START: u32 = 0x91;
const CHAPTER_TIME_END: u32 = 0x92;
const CHAPTER_DISPLAY: u32 = 0x80;
const CHAP_STRING: u32 = 0x85;
const ATTACHMENTS: u32 = 0x1941_a469;
const ATTACHED_FILE: u32 = 0x61a7;
const FILE_DESCRIPTION: u32 = 0x467e;
const FILE_NAME: u32 = 0x466e;
const FILE_MEDIA_TYPE: u32 = 0x4660;
const FILE_DATA: u32 = 0x465c;
const TAGS: u32 = 0x1254_c367;
const TAG: u32 = 0x7373;
const SIMPLE_TAG: u32 = 0x67c8;
const TAG_NAME: u32 = 0x45a3;
const TAG_STRING: u32 = 0x4487;

/// The most elements of a segment that are walked.
const MAX_ELEMENTS: usize = 1 << 17;

const PER_SECOND: u64 = 1_000_000_000;

/// Matroska's names of tags (Matroska Tags, section 5) that have another in Vorbis comments.
const NAMES: [(&str, &str); 5] = [
    ("date_released", "date"),
    ("part_number", "tracknumber"),
    ("track", "tracknumber"),
    ("total_parts", "tracktotal"),
    ("album_artist", "albumartist"),
];

/// What programs state of the packets as tags.
const STATISTICS: [&str; 6] =
    ["bps", "duration", "encoder", "number_of_bytes", "number_of_frames", "language"];

/// An identifier or a size; the second of 1 to 8 bytes, of which all ones are unknown.
fn number(bytes: &mut Bytes<'_>, keeps_marker: bool, most: u32) -> Option<u64> {
    let first = bytes.u8()?;
    let extra = first.leading_zeros();
    if extra >= most {
        return None;
    }
    let marker = 0x80_u64 >> extra;
    let mut value = if keeps_marker { first.into() } else { u64::from(first) & (marker - 1) };
    let mut is_unknown = u64::from(first) & (marker - 1) == marker - 1;
    for _ in 0..extra {
        let byte = bytes.u8()?;
        is_unknown &= byte == 0xff;
        value = value << 8 | u64::from(byte);
    }
    Some(if is_unknown && !keeps_marker { u64::MAX } else { value })
}

fn header(bytes: &mut Bytes<'_>) -> Option<(u32, u64)> {
    let id = number(bytes, true, 4)?;
    Some((u32::try_from(id).ok()?, number(bytes, false, 8)?))
}

/// The children in a part of a file.
fn children(data: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    let mut bytes = Bytes(data);
    std::iter::from_fn(move || {
        let (id, size) = header(&mut bytes)?;
        Some((id, bytes.take(usize::try_from(size).ok()?)?))
    })
}

fn child(data: &[u8], id: u32) -> Option<&[u8]> {
    children(data).find(|(found, _)| *found == id).map(|(_, data)| data)
}

fn unsigned(data: &[u8]) -> u64 {
    data.iter().take(8).fold(0, |value, byte| value << 8 | u64::from(*byte))
}

/// An element of a segment.
struct Element {
    id: u32,
    start: u64,
    end: u64,
    next: u64,
}

fn element(input: &dyn ReadAt, offset: u64) -> Result<Option<Element>> {
    let head = input::up_to(input, offset, 12)?;
    let mut bytes = Bytes(&head);
    let Some((id, size)) = header(&mut bytes) else { return Ok(None) };
    let start = offset + (head.len() - bytes.0.len()) as u64;
    let end = start.saturating_add(size).min(input.num_bytes());
    Ok(Some(Element { id, start, end, next: if size == u64::MAX { u64::MAX } else { end } }))
}

pub(crate) fn read(input: &dyn ReadAt, options: &Options) -> Result<Metadata> {
    let mut metadata = Metadata::default();
    let Some(first) = element(input, 0)?.filter(|first| first.id == EBML) else { return Ok(metadata) };
    let Some(segment) = element(input, first.end)?.filter(|segment| segment.id == SEGMENT) else {
        return Ok(metadata);
    };
    let (mut offset, mut later, mut seen) = (segment.start, Vec::new(), Vec::new());
    let mut found = Found {
        rate: options.sample_rate,
        title: None,
        chapters: Vec::new(),
        num_tracks: 0,
        names: HashSet::new(),
        bytes_left: input.num_bytes().saturating_mul(2),
    };
    let mut first_cluster = None;
    for _ in 0..MAX_ELEMENTS {
        let Some(element) = element(input, offset)? else { break };
        if element.id == CLUSTER {
            first_cluster = first_cluster.or(Some(element.start));
            // The table at the start says where the rest is.
            if !later.is_empty() || element.next == u64::MAX {
                break;
            }
        } else {
            if element.id == SEEK_HEAD {
                later.extend(places(
                    &input::up_to(input, element.start, element.end - element.start)?,
                    segment.start,
                ));
            }
            seen.push(offset);
            found.read(input, &element, options, &mut metadata)?;
        }
        offset = element.next;
        if offset >= segment.end {
            break;
        }
    }
    for place in later.into_iter().take(64) {
        if !seen.contains(&place) && place < input.num_bytes() {
            seen.push(place);
            if let Some(element) = element(input, place)? {
                found.read(input, &element, options, &mut metadata)?;
            }
        }
    }
    let rate = found.rate.unwrap_or(1);
    let frame = |time| time::to_frame(time, PER_SECOND, rate);
    metadata.markers = (found.chapters.into_iter())
        .map(|(label, start, end)| Marker { label, start: frame(start), end: end.map(frame) })
        .collect();
    if let Some(title) = found.title.filter(|_| !metadata.tags.iter().any(|(name, _)| name == "title")) {
        metadata.tags.push(("title".to_owned(), title));
    }
    if found.num_tracks == 1 {
        metadata.audio_bytes = first_cluster.map(|start| segment.end - start);
    }
    Ok(metadata)
}

/// The places of elements that a table lists.
fn places(table: &[u8], segment: u64) -> Vec<u64> {
    let entries = children(table).filter(|(id, _)| *id == SEEK);
    let wanted = entries.filter(|(_, entry)| {
        let id = child(entry, SEEK_ID).map(unsigned);
        [CHAPTERS, ATTACHMENTS, TAGS, INFO, TRACKS].iter().any(|wanted| id == Some(u64::from(*wanted)))
    });
    wanted
        .filter_map(|(_, entry)| Some(segment.saturating_add(unsigned(child(entry, SEEK_POSITION)?))))
        .collect()
}

/// What was found so far; times in nanoseconds.
struct Found {
    rate: Option<u32>,
    title: Option<String>,
    chapters: Vec<(String, u64, Option<u64>)>,
    num_tracks: usize,
    /// The names of the tags so far.
    names: HashSet<String>,
    /// How many bytes of elements may still be read: a table can name places within each other.
    bytes_left: u64,
}

impl Found {
    fn read(
        &mut self,
        input: &dyn ReadAt,
        element: &Element,
        options: &Options,
        metadata: &mut Metadata,
    ) -> Result<()> {
        let is_wanted = matches!(element.id, CHAPTERS | ATTACHMENTS | TAGS | INFO | TRACKS);
        let num_bytes = element.end - element.start;
        if !is_wanted || num_bytes > input::MAX_BYTES || num_bytes > self.bytes_left {
            return Ok(());
        }
        self.bytes_left -= num_bytes;
        let data = input::up_to(input, element.start, element.end - element.start)?;
        match element.id {
            INFO => self.title = child(&data, TITLE).map(text).or(self.title.take()),
            TRACKS => self.tracks(&data),
            CHAPTERS => self.chapters(&data),
            TAGS => self.tags(&data, &mut metadata.tags),
            _ => attachments(&data, options, &mut metadata.pictures),
        }
        Ok(())
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // the conversion saturates
    fn tracks(&mut self, data: &[u8]) {
        for (_, entry) in children(data).filter(|(id, _)| *id == TRACK_ENTRY) {
            self.num_tracks += 1;
            let is_audio = child(entry, TRACK_TYPE).map(unsigned) == Some(2);
            let rate = child(entry, AUDIO).and_then(|audio| child(audio, SAMPLING_FREQUENCY));
            let rate = rate.filter(|_| is_audio).and_then(|rate| match rate.len() {
                4 => Bytes(rate).array().map(f32::from_be_bytes).map(f64::from),
                8 => Bytes(rate).array().map(f64::from_be_bytes),
                _ => None,
            });
            self.rate = self.rate.or(rate.map(|rate| rate.round() as u32).filter(|&rate| rate > 0));
        }
    }

    fn tags(&mut self, data: &[u8], tags: &mut Vec<(String, String)>) {
        let groups = children(data).filter(|(id, _)| *id == TAG);
        let simple = groups.flat_map(|(_, group)| children(group).filter(|(id, _)| *id == SIMPLE_TAG));
        for (_, simple) in simple.take(MAX_MARKERS) {
            let (Some(name), Some(value)) = (child(simple, TAG_NAME), child(simple, TAG_STRING)) else {
                continue;
            };
            let name = text(name).to_ascii_lowercase();
            let name = NAMES.iter().find(|(own, _)| *own == name).map_or(name.as_str(), |(_, common)| common);
            let is_plain =
                !name.is_empty() && name.bytes().all(|byte| (0x20..0x7e).contains(&byte) && byte != b'=');
            let is_kept = is_plain && !name.starts_with('_') && !STATISTICS.contains(&name);
            if is_kept && self.names.insert(name.to_owned()) {
                tags.push((name.to_owned(), text(value)));
            }
        }
    }

    fn chapters(&mut self, data: &[u8]) {
        let edition = children(data).find(|(id, _)| *id == EDITION_ENTRY).map(|(_, edition)| edition);
        for (_, atom) in children(edition.unwrap_or_default()).filter(|(id, _)| *id == CHAPTER_ATOM) {
            if self.chapters.len() >= MAX_MARKERS {
                return;
            }
            let start = child(atom, CHAPTER_TIME_START).map_or(0, unsigned);
            let end = child(atom, CHAPTER_TIME_END).map(unsigned).filter(|&end| end > start);
            let label =
                child(atom, CHAPTER_DISPLAY).and_then(|display| child(display, CHAP_STRING)).map(text);
            self.chapters.push((label.unwrap_or_default(), start, end));
        }
    }
}

fn attachments(data: &[u8], options: &Options, pictures: &mut Vec<Picture>) {
    for (_, file) in children(data).filter(|(id, _)| *id == ATTACHED_FILE) {
        let field = |id| child(file, id).map(text).unwrap_or_default();
        let mime = field(FILE_MEDIA_TYPE);
        let Some(image) = child(file, FILE_DATA).filter(|_| mime.starts_with("image/")) else { continue };
        // The names of covers: cover.jpg, small_cover.png, cover_land.jpg.
        let kind = if field(FILE_NAME).contains("cover") { 3 } else { 0 };
        let description = field(FILE_DESCRIPTION);
        let picture = Picture { kind, mime, description, data: image.to_vec(), ..Picture::default() };
        pictures.push(picture.settled(options.with_data));
    }
}
