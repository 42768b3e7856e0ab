//! The segment: its tracks, and the packets of one of them (RFC 9559, sections 5 and 6).

#![forbid(unsafe_code)]

use std::ffi::CStr;

use mapwave_plugin::{Error, Memory, Result, Status, StreamEntry, Sweep};

use super::block;
use super::ebml::{self, Child, Element, Elements};
use super::id::{
    AUDIO, BIT_DEPTH, BLOCK, BLOCK_GROUP, CHANNELS, CLUSTER, CODEC_DELAY, CODEC_ID, CODEC_PRIVATE,
    CONTENT_COMP_ALGO, CONTENT_COMP_SETTINGS, CONTENT_COMPRESSION, CONTENT_ENCODING, CONTENT_ENCODINGS,
    CONTENT_ENCRYPTION, DISCARD_PADDING, DOC_TYPE, EBML, FLAG_DEFAULT, INFO, LANGUAGE, LANGUAGE_BCP47,
    OUTPUT_SAMPLING_FREQUENCY, SAMPLING_FREQUENCY, SEGMENT, SIMPLE_BLOCK, TAGS, TRACK_ENTRY, TRACK_NUMBER,
    TRACK_TYPE, TRACKS,
};
use super::tags::Tags;

/// The bytes per packet in lists: the old and the new one while they grow, and the index.
const BYTES_PER_PACKET: u64 = 64;

/// The most bytes of a setup, more than any codec needs. Without it, a file could declare all of itself a setup.
const MOST_SETUP_BYTES: usize = 1 << 20;

/// The most audio tracks that are read.
const MOST_TRACKS: usize = 1024;

/// `TrackType`: video.
const IS_VIDEO: u64 = 1;
/// `TrackType`: audio.
const IS_AUDIO: u64 = 2;
/// `ContentCompAlgo`: the bytes that all packets begin with are not stored.
const HEADER_STRIPPING: u64 = 3;

/// The audio track in a `TrackEntry`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct TrackEntry {
    pub(crate) number: u64,
    pub(crate) is_default: bool,
    pub(crate) language: String,
    pub(crate) codec_id: String,
    pub(crate) codec_private: Vec<u8>,
    /// In nanoseconds.
    pub(crate) codec_delay: u64,
    pub(crate) sampling_frequency: f64,
    pub(crate) output_sampling_frequency: f64,
    pub(crate) num_channels: u64,
    pub(crate) bit_depth: u64,
    /// The bytes that precede those of every packet.
    pub(crate) stripped: Vec<u8>,
    /// Why the packets cannot be read.
    pub(crate) is_encoded: Option<&'static str>,
}

/// One track of a file, and the positions of its packets.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) doc_type: DocType,
    pub(crate) has_video: bool,
    pub(crate) track: TrackEntry,
    /// All audio tracks, and the number of this one among them.
    pub(crate) listed: (Vec<StreamEntry>, usize),
    pub(crate) packets: Vec<Place>,
    /// The numbers of packets that end in padding, and the padding in nanoseconds.
    pub(crate) discards: Vec<(usize, i64)>,
    pub(crate) tags: Tags,
    /// Whether the file ends or becomes invalid before its stated end.
    pub(crate) is_truncated: bool,
}

/// The position of a packet in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) offset: u64,
    pub(crate) num_bytes: u32,
}

/// The document types that are read here (RFC 9559, section 4.1; WebM is a subset).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DocType {
    Matroska,
    WebM,
}

impl DocType {
    /// The type that a file's header states.
    pub(crate) fn read(head: &[u8]) -> Option<Self> {
        let Some(Element { id: EBML, start, end: Some(end) }) = Element::read(head, 0, head.len()) else {
            return None;
        };
        let mut fields = Elements::new(head, start..end.min(head.len()));
        fields.find_map(|field| match field.data {
            b"matroska" if field.id == DOC_TYPE => Some(Self::Matroska),
            b"webm" if field.id == DOC_TYPE => Some(Self::WebM),
            _ => None,
        })
    }

    /// The type as the file spells it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Matroska => "matroska",
            Self::WebM => "webm",
        }
    }
}

impl Segment {
    /// Reads audio track `stream`, counted from 0, or the default one, and lists its packets in at most `max_alloc` bytes. `entry`
    /// makes an entry of a track.
    pub(crate) fn read(
        bytes: &Memory,
        stream: Option<u32>,
        entry: fn(&TrackEntry) -> StreamEntry,
        max_alloc: u64,
    ) -> Result<Self> {
        let doc_type = DocType::read(bytes)
            .ok_or_else(|| Error::unsupported("the file is neither Matroska nor WebM"))?;
        let mut scan = Scan::new(bytes);
        let mut tags = Tags::default();
        let mut children = scan.by_ref().inspect(|child| match child.id {
            INFO => tags.read_info(child),
            TAGS => tags.read(child),
            _ => {}
        });
        let Some(tracks) = children.find(|child| child.id == TRACKS) else {
            return Err(Error::bad_data(bytes.len() as u64, "the file has no list of tracks"));
        };
        let mut audio = TrackEntry::all(bytes, &tracks);
        let mut listed: Vec<_> = audio.iter().map(entry).collect();
        let number = StreamEntry::choose(&mut listed, stream)?;
        let mut segment = Self {
            doc_type,
            has_video: has_video(bytes, &tracks),
            track: audio.swap_remove(number),
            listed: (listed, number),
            packets: Vec::new(),
            discards: Vec::new(),
            tags,
            is_truncated: false,
        };
        let mut sweep = Sweep::new(bytes.clone(), 0);
        for child in scan.by_ref() {
            sweep.pass(child.start);
            match child.id {
                SIMPLE_BLOCK => segment.add(&child, 0, max_alloc)?,
                BLOCK_GROUP => {
                    let children = Elements::new(bytes, child.start..child.start + child.data.len());
                    let discard = children.clone().find(|child| child.id == DISCARD_PADDING);
                    let discard = discard.map_or(0, |child| ebml::signed(child.data));
                    if let Some(block) = children.clone().find(|child| child.id == BLOCK) {
                        segment.add(&block, discard, max_alloc)?;
                    }
                }
                INFO => segment.tags.read_info(&child),
                TAGS => segment.tags.read(&child),
                _ => {}
            }
        }
        segment.is_truncated = scan.is_truncated;
        Ok(segment)
    }

    /// The extension that people know such a file by.
    pub(crate) fn container(&self) -> &'static CStr {
        match (self.doc_type, self.has_video) {
            (DocType::WebM, _) => c"webm",
            (DocType::Matroska, true) => c"mkv",
            (DocType::Matroska, false) => c"mka",
        }
    }

    /// Adds the packets of a block of this track. An inconsistent block has none.
    fn add(&mut self, block: &Child<'_>, discard: i64, max_alloc: u64) -> Result<()> {
        let Some((number, packets)) = block::packets(block.data) else { return Ok(()) };
        if number != self.track.number {
            return Ok(());
        }
        for packet in packets.into_iter().filter(|packet| !packet.is_empty()) {
            let num_bytes = u32::try_from(packet.len());
            let num_bytes = num_bytes
                .map_err(|_| Error::bad_data(block.start as u64, "a packet is larger than 4 GiB"))?;
            self.make_room(max_alloc)?;
            self.packets.push(Place { offset: (block.start + packet.start) as u64, num_bytes });
        }
        if discard != 0 && !self.packets.is_empty() {
            self.discards.push((self.packets.len() - 1, discard));
        }
        Ok(())
    }

    /// Reserves room for one more packet. The list grows by half, up to the size that `max_alloc` allows.
    fn make_room(&mut self, max_alloc: u64) -> Result<()> {
        let num_packets = self.packets.len();
        if num_packets < self.packets.capacity() {
            return Ok(());
        }
        let capacity = num_packets + (num_packets / 2).max(64);
        // The old list, the new one, and the index made from it.
        if (capacity as u64).saturating_mul(BYTES_PER_PACKET) > max_alloc {
            let message = format!("more than {num_packets} packets need more memory than may be allocated");
            return Err(Error::new(Status::Limit, message));
        }
        let reserved = self.packets.try_reserve_exact(capacity - num_packets);
        reserved
            .map_err(|_| Error::new(Status::NoMemory, format!("not enough memory for {capacity} packets")))
    }
}

/// The elements of a segment and of its clusters, one after the other.
///
/// Sizes do not bound them: their children are recognised by identifier, and live streams have no sizes.
struct Scan<'a> {
    bytes: &'a [u8],
    position: usize,
    segment_end: Option<usize>,
    /// Where to continue if the inside of a cluster is invalid.
    cluster_end: Option<usize>,
    is_truncated: bool,
}

impl<'a> Scan<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0, segment_end: None, cluster_end: None, is_truncated: false }
    }

    /// Whether an element ends beyond the end of the file.
    fn is_beyond(&self, end: Option<usize>) -> bool {
        end.is_some_and(|end| end > self.bytes.len())
    }

    fn step(&mut self) -> Option<Step<'a>> {
        if self.segment_end.is_some_and(|end| self.position >= end) {
            return Some(Step::End);
        }
        if self.position >= self.bytes.len() {
            self.is_truncated |= self.is_beyond(self.segment_end);
            return Some(Step::End);
        }
        let Element { id, start, end } = Element::read(self.bytes, self.position, self.bytes.len())?;
        match id {
            SEGMENT if self.segment_end.is_none() => {
                self.segment_end = end;
                self.is_truncated |= self.is_beyond(end);
                self.position = start;
                return Some(Step::Inside);
            }
            CLUSTER => {
                self.cluster_end = end;
                self.is_truncated |= self.is_beyond(end);
                self.position = start;
                return Some(Step::Inside);
            }
            _ => {}
        }
        let end = end?;
        let Some(data) = self.bytes.get(start..end) else {
            // Beyond the file, or a damaged size.
            return None;
        };
        self.position = end;
        Some(Step::Child(Child { id, start, data }))
    }
}

/// An element that was found.
enum Step<'a> {
    Inside,
    Child(Child<'a>),
    End,
}

impl<'a> Iterator for Scan<'a> {
    type Item = Child<'a>;

    fn next(&mut self) -> Option<Child<'a>> {
        loop {
            match self.step() {
                Some(Step::Inside) => {}
                Some(Step::Child(child)) => return Some(child),
                Some(Step::End) => return None,
                None => {
                    self.is_truncated = true;
                    let end = self.cluster_end.take();
                    self.position = end.filter(|end| (self.position + 1..self.bytes.len()).contains(end))?;
                }
            }
        }
    }
}

/// Whether one of the tracks is video.
fn has_video(bytes: &[u8], tracks: &Child<'_>) -> bool {
    let mut entries = Elements::new(bytes, tracks.start..tracks.start + tracks.data.len())
        .filter(|entry| entry.id == TRACK_ENTRY);
    entries.any(|entry| {
        let mut fields = Elements::new(entry.data, 0..entry.data.len());
        fields.any(|field| field.id == TRACK_TYPE && ebml::unsigned(field.data) == IS_VIDEO)
    })
}

impl TrackEntry {
    /// The audio tracks.
    fn all(bytes: &[u8], tracks: &Child<'_>) -> Vec<Self> {
        let entries = Elements::new(bytes, tracks.start..tracks.start + tracks.data.len());
        let entries = entries.filter(|entry| entry.id == TRACK_ENTRY);
        entries.filter_map(|entry| Self::read(entry.data)).take(MOST_TRACKS).collect()
    }

    /// An audio track; `None` for other tracks.
    fn read(data: &[u8]) -> Option<Self> {
        // What a writer may leave out has these values.
        let mut entry =
            Self { is_default: true, sampling_frequency: 8000.0, num_channels: 1, ..Self::default() };
        let (mut is_audio, mut language, mut language_tag) = (false, None, None);
        for Child { id, data, .. } in Elements::new(data, 0..data.len()) {
            match id {
                TRACK_NUMBER => entry.number = ebml::unsigned(data),
                TRACK_TYPE => is_audio = ebml::unsigned(data) == IS_AUDIO,
                FLAG_DEFAULT => entry.is_default = ebml::unsigned(data) != 0,
                LANGUAGE => language = Some(text(data)),
                LANGUAGE_BCP47 => language_tag = Some(text(data)),
                CODEC_ID => entry.codec_id = text(data),
                CODEC_PRIVATE => entry.codec_private = data.get(..MOST_SETUP_BYTES).unwrap_or(data).to_vec(),
                CODEC_DELAY => entry.codec_delay = ebml::unsigned(data),
                AUDIO => entry.read_audio(data),
                CONTENT_ENCODINGS => entry.read_encodings(data),
                _ => {}
            }
        }
        // The first packet of Vorbis decodes to nothing. Some muxers count that as a delay; most write none.
        if entry.codec_id == "A_VORBIS" {
            entry.codec_delay = 0;
        }
        // Writers that state both say the same; the older element is the one that other programs show.
        entry.language = language.or(language_tag).unwrap_or_else(|| "eng".to_owned());
        is_audio.then_some(entry)
    }

    fn read_audio(&mut self, data: &[u8]) {
        for Child { id, data, .. } in Elements::new(data, 0..data.len()) {
            match id {
                SAMPLING_FREQUENCY => self.sampling_frequency = ebml::float(data),
                OUTPUT_SAMPLING_FREQUENCY => self.output_sampling_frequency = ebml::float(data),
                CHANNELS => self.num_channels = ebml::unsigned(data),
                BIT_DEPTH => self.bit_depth = ebml::unsigned(data),
                _ => {}
            }
        }
    }

    /// The only supported content encoding is one layer of header stripping, which some muxers use for audio.
    fn read_encodings(&mut self, data: &[u8]) {
        for (number, encoding) in Elements::new(data, 0..data.len()).enumerate() {
            let fields = Elements::new(encoding.data, 0..encoding.data.len());
            let compression = fields.clone().find(|field| field.id == CONTENT_COMPRESSION);
            let is_encrypted = fields.clone().any(|field| field.id == CONTENT_ENCRYPTION);
            let settings = compression.map_or(&[][..], |field| field.data);
            let mut settings = Elements::new(settings, 0..settings.len());
            let algorithm = settings.clone().find(|field| field.id == CONTENT_COMP_ALGO);
            let algorithm = algorithm.map_or(0, |field| ebml::unsigned(field.data));
            match (encoding.id, is_encrypted, algorithm) {
                (CONTENT_ENCODING, true, _) => self.is_encoded = Some("encrypted"),
                (CONTENT_ENCODING, false, HEADER_STRIPPING) if number == 0 => {
                    let stripped = settings.find(|field| field.id == CONTENT_COMP_SETTINGS);
                    self.stripped = stripped.map_or(Vec::new(), |field| {
                        field.data.get(..MOST_SETUP_BYTES).unwrap_or(field.data).to_vec()
                    });
                }
                (CONTENT_ENCODING, false, _) => self.is_encoded = Some("compressed"),
                _ => {}
            }
        }
    }
}

fn text(data: &[u8]) -> String {
    String::from_utf8_lossy(data).trim_end_matches('\0').to_owned()
}
