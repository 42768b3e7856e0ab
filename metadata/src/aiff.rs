//! AIFF and AIFF-C (Apple, *Audio Interchange File Format 1.3*).

use std::collections::HashSet;

use crate::bytes::{Bytes, head, text};
use crate::chunks::{Chunk, Chunks, Style};
use crate::cue::MAX_MARKERS;
use crate::edit::Edit;
use crate::error::{Error, Result};
use crate::id3;
use crate::input::{self, ReadAt};
use crate::model::{Loop, LoopKind, Marker, Metadata};
use crate::options::Options;
use crate::plan::Plan;
use crate::text_names::{self, IFF};

/// The chunks of AIFF.
pub(crate) const STYLE: Style =
    Style { format: "aiff", is_big_endian: true, is_long: false, first: 12, filler: *b"FLLR" };

/// The number of an entry of `MARK`, its frame and its name.
type Place = (u16, u32, String);

fn chunks(input: &dyn ReadAt) -> Result<Chunks> {
    Chunks::walk(input, STYLE, *b"SSND", |_| None)
}

fn is_id3(chunk: &Chunk) -> bool {
    matches!(&chunk.id, b"ID3 " | b"id3 ")
}

pub(crate) fn read(input: &dyn ReadAt, options: &Options) -> Result<Metadata> {
    let chunks = chunks(input)?;
    let audio_bytes = chunks.audio().map(|audio| audio.num_bytes.saturating_sub(8));
    let mut metadata = Metadata { audio_bytes, ..Metadata::default() };
    let (mut places, mut instrument) = (Vec::new(), None);
    for chunk in chunks.list.iter().filter(|chunk| chunk.num_bytes <= input::MAX_BYTES) {
        match &chunk.id {
            b"MARK" if places.is_empty() => places = marks(&chunk.read(input)?),
            b"INST" => instrument = Some(chunk.read(input)?),
            b"COMT" => comments(&chunk.read(input)?, &mut metadata.tags),
            id => {
                if let Some(name) = text_names::name_of(&IFF, id) {
                    let value = text(&chunk.read(input)?);
                    metadata
                        .tags
                        .extend(Some((name.to_owned(), value)).filter(|(_, value)| !value.is_empty()));
                }
            }
        }
    }
    metadata.loops = instrument.map(|instrument| loops(&instrument, &places)).unwrap_or_default();
    let markers =
        places.into_iter().map(|(_, frame, label)| Marker { label, start: frame.into(), end: None });
    metadata.markers = markers.collect();
    if let Some(tag) = chunks.list.iter().find(|chunk| is_id3(chunk)) {
        id3::read(&tag.read(input)?, options.sample_rate.unwrap_or(1), options, &mut metadata);
    }
    Ok(metadata)
}

/// The entries of `MARK`.
fn marks(chunk: &[u8]) -> Vec<Place> {
    let mut bytes = Bytes(chunk);
    let num_marks = bytes.u16_be().unwrap_or(0);
    let mut places = Vec::new();
    for _ in 0..num_marks {
        let (Some(id), Some(frame), Some(length)) = (bytes.u16_be(), bytes.u32_be(), bytes.u8()) else {
            break;
        };
        let Some(name) = bytes.take(length.into()) else { break };
        // The length and the name take an even number of bytes.
        bytes.take((name.len() + 1) % 2);
        places.push((id, frame, text(name)));
    }
    places
}

/// The comments that belong to no marker.
fn comments(chunk: &[u8], tags: &mut Vec<(String, String)>) {
    let mut bytes = Bytes(chunk);
    let num_comments = bytes.u16_be().unwrap_or(0);
    for _ in 0..num_comments {
        let (Some(_), Some(marker), Some(length)) = (bytes.u32_be(), bytes.u16_be(), bytes.u16_be()) else {
            return;
        };
        let Some(comment) = bytes.take(length.into()) else { return };
        bytes.take(comment.len() % 2);
        let value = text(comment);
        if marker == 0 && !value.is_empty() {
            tags.push(("comment".to_owned(), value));
        }
    }
}

/// The ids of the loops of `INST` with how they are played.
fn loop_marks(chunk: &[u8]) -> Vec<(u16, u16, LoopKind)> {
    let mut bytes = Bytes(chunk);
    bytes.take(8);
    let mut found = Vec::new();
    for _ in 0..2 {
        let (Some(mode), Some(start), Some(end)) = (bytes.u16_be(), bytes.u16_be(), bytes.u16_be()) else {
            break;
        };
        match mode {
            1 => found.push((start, end, LoopKind::Forward)),
            2 => found.push((start, end, LoopKind::PingPong)),
            _ => {}
        }
    }
    found
}

fn loops(instrument: &[u8], places: &[Place]) -> Vec<Loop> {
    let at = |id| places.iter().find(|(known, ..)| *known == id).map(|(_, frame, _)| u64::from(*frame));
    let loops = loop_marks(instrument).into_iter();
    let loops = loops.filter_map(|(start, end, kind)| {
        at(start).zip(at(end)).map(|(start, end)| Loop { start, end, kind, count: None })
    });
    loops.collect()
}

/// The `MARK` chunk of markers; those that loops need keep their numbers.
fn compose_marks(markers: &[Marker], needed: &[Place], edit: &Edit) -> Result<Vec<u8>> {
    let mut places: Vec<Place> = Vec::new();
    let mut needed = needed.to_vec();
    let mut taken: HashSet<u16> = needed.iter().map(|(id, ..)| *id).collect();
    let mut free = 1_u16..;
    // Those beyond what it holds are not numbered.
    for marker in markers.iter().take(MAX_MARKERS / 2) {
        if marker.end.is_some() {
            edit.lacks("aiff", "markers", format!("they have no end, got {marker:?}"))?;
        }
        if marker.label.len() > 255 {
            edit.lacks(
                "aiff",
                "markers",
                format!("a label has at most 255 bytes, got {}", marker.label.len()),
            )?;
        }
        let Ok(frame) = u32::try_from(marker.start) else {
            edit.lacks("aiff", "markers", format!("they are below frame 2^32, got {}", marker.start))?;
            continue;
        };
        let same = needed.iter().position(|(_, place, label)| *place == frame && *label == marker.label);
        let id = match same {
            Some(index) => needed.remove(index).0,
            None => free.find(|id| taken.insert(*id)).unwrap_or(u16::MAX),
        };
        places.push((id, frame, marker.label.clone()));
    }
    places.append(&mut needed);
    if places.len() > MAX_MARKERS / 2 - 1 {
        let num_markers = markers.len().max(places.len());
        edit.lacks("aiff", "markers", format!("it holds at most 32767 of them, got {num_markers}"))?;
        places.truncate(MAX_MARKERS / 2 - 1);
    }
    if places.is_empty() {
        return Ok(Vec::new());
    }
    let mut chunk = u16::try_from(places.len()).unwrap_or(u16::MAX).to_be_bytes().to_vec();
    for (id, frame, label) in &places {
        let label = head(label, 255).as_bytes();
        chunk.extend(id.to_be_bytes());
        chunk.extend(frame.to_be_bytes());
        chunk.push(u8::try_from(label.len()).unwrap_or(u8::MAX));
        chunk.extend(label);
        chunk.resize(chunk.len().next_multiple_of(2), 0);
    }
    Ok(STYLE.chunk(*b"MARK", &chunk))
}

/// The chunks of everything that an edit sets, for a new file.
pub(crate) fn compose(edit: &Edit, sample_rate: u32) -> Result<Vec<u8>> {
    new_chunks(edit, &[], None, sample_rate)
}

fn new_chunks(edit: &Edit, needed: &[Place], old_id3: Option<&[u8]>, sample_rate: u32) -> Result<Vec<u8>> {
    edit.lacks_all("aiff", &["bext"])?;
    let mut new = match &edit.markers {
        Some(markers) => compose_marks(markers, needed, edit)?,
        None => Vec::new(),
    };
    let tags = edit.tags.as_deref().unwrap_or_default();
    for (name, value) in tags {
        if let Some(id) = text_names::id_of(&IFF, name) {
            new.extend(STYLE.chunk(*id, value.as_bytes()));
        }
    }
    let has_pictures = edit.pictures.as_ref().is_some_and(|pictures| !pictures.is_empty());
    if old_id3.is_none() {
        text_names::check(&IFF, tags, "aiff", edit)?;
    }
    if old_id3.is_some() || has_pictures {
        let mut edit = Edit { markers: None, bext: None, ..edit.clone() };
        if let Some(tags) = edit.tags.as_mut().filter(|_| old_id3.is_none()) {
            tags.retain(|(name, _)| text_names::id_of(&IFF, name).is_some());
        }
        let tag = id3::edited(old_id3, &edit, "aiff", sample_rate, 0)?;
        if !tag.is_empty() {
            new.extend(STYLE.chunk(*b"ID3 ", &tag));
        }
    }
    Ok(new)
}

pub(crate) fn plan(input: &dyn ReadAt, edit: &Edit) -> Result<Plan> {
    let chunks = chunks(input)?;
    let sets_id3 = edit.tags.is_some() || edit.pictures.is_some();
    let is_replaced = |chunk: &Chunk| {
        (edit.tags.is_some() && text_names::name_of(&IFF, &chunk.id).is_some())
            || (sets_id3 && is_id3(chunk))
            || (edit.markers.is_some() && &chunk.id == b"MARK")
    };
    let read = |id: &[u8; 4]| chunks.find(id).map(|chunk| chunk.read(input)).transpose();
    let places = marks(&read(b"MARK")?.unwrap_or_default());
    let in_loops = loop_marks(&read(b"INST")?.unwrap_or_default());
    let is_needed = |id| in_loops.iter().any(|(start, end, _)| id == *start || id == *end);
    let needed: Vec<Place> = places.into_iter().filter(|(id, ..)| is_needed(*id)).collect();
    let old_id3 = match chunks.list.iter().find(|chunk| sets_id3 && is_id3(chunk)) {
        Some(chunk) => Some(chunk.read(input)?),
        None => None,
    };
    let new = new_chunks(edit, &needed, old_id3.as_deref(), 1)?;
    chunks.replaced(input, is_replaced, &new, |num_bytes, head| {
        let too_large = || Error::unsupported("the file would be larger than the 4 GiB of an AIFF file");
        let size = u32::try_from(num_bytes - 8).map_err(|_| too_large())?;
        if let Some(field) = head.get_mut(4..8) {
            field.copy_from_slice(&size.to_be_bytes());
        }
        Ok(())
    })
}
