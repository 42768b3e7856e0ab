//! FLAC (RFC 9639, section 8): blocks of metadata before the frames.

use crate::bytes::Bytes;
use crate::comments::Comments;
use crate::cue::MAX_MARKERS;
use crate::edit::Edit;
use crate::error::{Error, Result};
use crate::id3_frames::Header as Id3;
use crate::image;
use crate::input::{self, ReadAt};
use crate::model::{Marker, Metadata};
use crate::options::Options;
use crate::plan::{Piece, Plan};

pub(crate) const STREAM_INFO: u8 = 0;
pub(crate) const PADDING: u8 = 1;
pub(crate) const COMMENTS: u8 = 4;
pub(crate) const CUE_SHEET: u8 = 5;
pub(crate) const PICTURE: u8 = 6;

/// The largest block.
pub(crate) const MAX_BLOCK: usize = (1 << 24) - 1;

/// The padding left for later changes when a file is written as a whole.
const ROOM: usize = 8192;

/// The most blocks of a file.
const MAX_BLOCKS: usize = 4096;

/// A block of metadata.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub(crate) kind: u8,
    pub(crate) body: Vec<u8>,
}

impl Block {
    /// With its header.
    pub(crate) fn compose(&self, is_last: bool) -> Vec<u8> {
        let [_, size @ ..] = crate::bytes::saturated(self.body.len()).to_be_bytes();
        [&[self.kind | u8::from(is_last) << 7], size.as_slice(), &self.body].concat()
    }
}

/// The blocks of a file.
struct Blocks {
    /// Where `fLaC` is, behind other tags.
    start: u64,
    list: Vec<Block>,
    /// Where the frames begin.
    end: u64,
}

impl Blocks {
    fn read(input: &dyn ReadAt, with_all: bool) -> Result<Self> {
        let start = behind_id3(input)?;
        let mut end = start + 4;
        let mut list = Vec::new();
        loop {
            let head = input::up_to(input, end, 4)?;
            let Some([flags, a, b, c]) = Bytes(&head).array() else {
                return Err(Error::malformed("flac", end, "the file ends within the blocks of metadata"));
            };
            let num_bytes = u64::from(u32::from_be_bytes([0, a, b, c]));
            let kind = flags & 0x7f;
            if end + 4 + num_bytes > input.num_bytes() || list.len() >= MAX_BLOCKS {
                let what = format!("a block of metadata of {num_bytes} bytes goes beyond the file");
                return Err(Error::malformed("flac", end, what));
            }
            let is_wanted = with_all || matches!(kind, STREAM_INFO | COMMENTS | CUE_SHEET | PICTURE);
            let body =
                if is_wanted { input::bytes(input, end + 4, num_bytes)?.into_owned() } else { Vec::new() };
            list.push(Block { kind, body });
            end += 4 + num_bytes;
            if flags & 0x80 != 0 {
                return Ok(Self { start, list, end });
            }
        }
    }

    fn sample_rate(&self) -> u32 {
        let info = self.list.iter().find(|block| block.kind == STREAM_INFO);
        info.and_then(|info| sample_rate(&info.body)).unwrap_or(1)
    }
}

/// Where the tags before a file end.
pub(crate) fn behind_id3(input: &dyn ReadAt) -> Result<u64> {
    let mut at = 0;
    for _ in 0..16 {
        match Id3::parse(&input::up_to(input, at, 10)?) {
            Some(tag) => at += tag.num_bytes(),
            None => break,
        }
    }
    Ok(at)
}

/// The rate in a block of stream information: 20 bits behind four sizes.
pub(crate) fn sample_rate(info: &[u8]) -> Option<u32> {
    let bytes: [u8; 4] = Bytes(info.get(10..)?).array()?;
    Some(u32::from_be_bytes(bytes) >> 12).filter(|&rate| rate > 0)
}

pub(crate) fn read(input: &dyn ReadAt, options: &Options) -> Result<Metadata> {
    let blocks = Blocks::read(input, false)?;
    let audio_bytes = Some(input.num_bytes().saturating_sub(blocks.end));
    let mut metadata = Metadata { audio_bytes, ..Metadata::default() };
    read_blocks(
        &blocks.list,
        options.sample_rate.unwrap_or_else(|| blocks.sample_rate()),
        options,
        &mut metadata,
    );
    Ok(metadata)
}

/// Adds what blocks say.
pub(crate) fn read_blocks(blocks: &[Block], sample_rate: u32, options: &Options, metadata: &mut Metadata) {
    let mut tracks = Vec::new();
    let mut has_comments = false;
    for block in blocks {
        match block.kind {
            COMMENTS if !has_comments => {
                has_comments = true;
                Comments::parse(&block.body).read(sample_rate, options, metadata);
            }
            PICTURE => {
                let picture = image::from_flac(&block.body);
                metadata.pictures.extend(picture.map(|picture| picture.settled(options.with_data)));
            }
            CUE_SHEET if tracks.is_empty() => tracks = cue_sheet(&block.body).unwrap_or_default(),
            _ => {}
        }
    }
    if metadata.markers.is_empty() {
        metadata.markers = tracks;
    }
}

/// The tracks of a cue sheet (RFC 9639, section 8.7).
fn cue_sheet(body: &[u8]) -> Option<Vec<Marker>> {
    let mut bytes = Bytes(body);
    bytes.take(128 + 8 + 259)?;
    let num_tracks = bytes.u8()?;
    let mut markers = Vec::new();
    for _ in 0..num_tracks {
        let (offset, number) = (bytes.u64_be()?, bytes.u8()?);
        bytes.take(26)?;
        let num_points = bytes.u8()?;
        let points = bytes.take(12 * usize::from(num_points))?;
        // The pause before a track is point 0, its start is point 1.
        let first =
            points.chunks(12).find(|point| point.get(8) == Some(&1)).and_then(|point| Bytes(point).u64_be());
        let is_track = !matches!(number, 170 | 255) && markers.len() < MAX_MARKERS;
        if is_track {
            let start = offset.saturating_add(first.unwrap_or(0));
            markers.push(Marker { label: format!("Track {number}"), start, end: None });
        }
    }
    Some(markers)
}

/// The blocks after an edit, without padding.
pub(crate) fn edited(
    blocks: &[Block],
    edit: &Edit,
    has_picture_comments: bool,
    format: &'static str,
    sample_rate: u32,
) -> Result<Vec<Block>> {
    edit.lacks_all(format, &["bext"])?;
    let is_kept = |block: &&Block| match block.kind {
        PADDING | COMMENTS => false,
        CUE_SHEET => edit.markers.is_none(),
        PICTURE => edit.pictures.is_none(),
        _ => true,
    };
    let old = blocks.iter().find(|block| block.kind == COMMENTS);
    let comments = old.map(|block| Comments::parse(&block.body)).unwrap_or_default();
    let comments = comments.edited(edit, has_picture_comments, format, sample_rate)?;
    let mut edited: Vec<Block> = blocks.iter().filter(is_kept).cloned().collect();
    if old.is_some() || !comments.is_empty() {
        // Behind the stream information, which is first; in Ogg it is in a packet of its own.
        let place = usize::from(edited.first().is_some_and(|block| block.kind == STREAM_INFO));
        edited.insert(place, Block { kind: COMMENTS, body: comments.compose() });
    }
    for picture in edit.pictures.iter().flatten().filter(|_| !has_picture_comments) {
        edited.push(Block { kind: PICTURE, body: image::to_flac(picture) });
    }
    for block in &edited {
        if block.body.len() > MAX_BLOCK {
            let item = if block.kind == PICTURE { "pictures" } else { "tags" };
            let what = format!("a block holds less than 16 MiB, got {} bytes", block.body.len());
            return Err(Error::Lacks { format, item, what });
        }
    }
    Ok(edited)
}

pub(crate) fn plan(input: &dyn ReadAt, edit: &Edit, rate: Option<u32>) -> Result<Plan> {
    let blocks = Blocks::read(input, true)?;
    let mut edited = edited(&blocks.list, edit, false, "flac", rate.unwrap_or_else(|| blocks.sample_rate()))?;
    let num_bytes: usize = edited.iter().map(|block| 4 + block.body.len()).sum();
    let room = usize::try_from(blocks.end - blocks.start - 4).unwrap_or(usize::MAX).checked_sub(num_bytes);
    match room {
        Some(0) => {}
        Some(room) if room >= 4 && room - 4 <= MAX_BLOCK => {
            edited.push(Block { kind: PADDING, body: vec![0; room - 4] });
        }
        _ => edited.push(Block { kind: PADDING, body: vec![0; ROOM] }),
    }
    let last = edited.len() - 1;
    let bytes = edited.iter().enumerate().flat_map(|(index, block)| block.compose(index == last)).collect();
    Ok(Plan::new(vec![
        Piece::Kept(0..blocks.start + 4),
        Piece::New(bytes),
        Piece::Kept(blocks.end..input.num_bytes()),
    ]))
}
