//! CAF (*Apple Core Audio Format Specification 1.0*).

use crate::bytes::{Bytes, saturated, text};
use crate::chunks::{Chunk, Chunks, Style};
use crate::cue::MAX_MARKERS;
use crate::edit::Edit;
use crate::error::Result;
use crate::input::{self, ReadAt};
use crate::model::{Marker, Metadata};
use crate::plan::Plan;
use crate::text_names::CAF;

/// The chunks of CAF.
const STYLE: Style = Style { format: "caf", is_big_endian: true, is_long: true, first: 8, filler: *b"free" };

/// The size of a marker in `mark` and `regn`.
const MARKER_BYTES: usize = 28;

/// The types of markers at the ends of a region.
const REGION_START: [u8; 4] = *b"rbeg";
const REGION_END: [u8; 4] = *b"rend";

fn chunks(input: &dyn ReadAt) -> Result<Chunks> {
    Chunks::walk(input, STYLE, *b"data", |_| None)
}

pub(crate) fn read(input: &dyn ReadAt) -> Result<Metadata> {
    let chunks = chunks(input)?;
    // The data begin with a count of edits.
    let audio_bytes = chunks.audio().map(|audio| audio.num_bytes.saturating_sub(4));
    let mut metadata = Metadata { audio_bytes, ..Metadata::default() };
    let read = |id: &[u8; 4]| match chunks.find(id).filter(|chunk| chunk.num_bytes <= input::MAX_BYTES) {
        Some(chunk) => chunk.read(input),
        None => Ok(Vec::new()),
    };
    metadata.tags = strings(&read(b"info")?);
    let labels = labels(&read(b"strg")?);
    metadata.markers = marks(&read(b"mark")?, &labels);
    metadata.markers.extend(regions(&read(b"regn")?, &labels));
    Ok(metadata)
}

/// The pairs of `info`.
fn strings(chunk: &[u8]) -> Vec<(String, String)> {
    let Some(pairs) = chunk.get(4..) else { return Vec::new() };
    let mut texts = pairs.split(|byte| *byte == 0);
    let mut tags = Vec::new();
    while let (Some(key), Some(value)) = (texts.next(), texts.next()) {
        let (key, value) = (text(key), text(value));
        if !key.is_empty() && !value.is_empty() && tags.len() < MAX_MARKERS {
            let known = CAF.iter().find(|(_, name)| key.eq_ignore_ascii_case(name));
            tags.push((
                known.map_or_else(|| key.to_ascii_lowercase(), |(name, _)| (*name).to_owned()),
                value,
            ));
        }
    }
    tags
}

/// The strings of `strg` by their numbers.
fn labels(chunk: &[u8]) -> Vec<(u32, String)> {
    let mut bytes = Bytes(chunk);
    let num_strings = bytes.u32_be().unwrap_or(0) as usize;
    let Some(entries) = num_strings.checked_mul(12).and_then(|num_bytes| bytes.take(num_bytes)) else {
        return Vec::new();
    };
    let mut entries = Bytes(entries);
    let mut labels = Vec::new();
    while let (Some(id), Some(offset)) = (entries.u32_be(), entries.u64_be()) {
        let place = usize::try_from(offset).ok().and_then(|offset| bytes.0.get(offset..));
        labels.extend(place.filter(|_| labels.len() < MAX_MARKERS).map(|place| (id, text(place))));
    }
    labels.sort_by_key(|(id, _)| *id);
    labels
}

fn label_of(labels: &[(u32, String)], id: u32) -> String {
    let found = labels.binary_search_by_key(&id, |(known, _)| *known).ok();
    found.and_then(|at| labels.get(at)).map(|(_, label)| label.clone()).unwrap_or_default()
}

/// The type, the frame and the number of a marker.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // the conversion saturates
fn mark(bytes: &mut Bytes<'_>) -> Option<([u8; 4], u64, u32)> {
    let mut bytes = Bytes(bytes.take(MARKER_BYTES)?);
    let kind = bytes.array()?;
    let frame = bytes.array().map(f64::from_be_bytes)?;
    Some((kind, frame.max(0.0).round() as u64, bytes.u32_be()?))
}

fn marks(chunk: &[u8], labels: &[(u32, String)]) -> Vec<Marker> {
    let mut bytes = Bytes(chunk);
    bytes.take(8);
    let mut markers = Vec::new();
    while let Some((_, start, id)) = mark(&mut bytes).filter(|_| markers.len() < MAX_MARKERS) {
        markers.push(Marker { label: label_of(labels, id), start, end: None });
    }
    markers
}

fn regions(chunk: &[u8], labels: &[(u32, String)]) -> Vec<Marker> {
    let mut bytes = Bytes(chunk);
    bytes.take(8);
    let mut markers = Vec::new();
    while let (Some(id), Some(_), Some(num_marks)) = (bytes.u32_be(), bytes.u32_be(), bytes.u32_be()) {
        let (mut start, mut end) = (None, None);
        for _ in 0..num_marks {
            let Some((kind, frame, _)) = mark(&mut bytes) else { return markers };
            match kind {
                REGION_END => end = Some(frame),
                _ => start = start.or(Some(frame)),
            }
        }
        if let Some(start) = start.filter(|_| markers.len() < MAX_MARKERS) {
            markers.push(Marker { label: label_of(labels, id), start, end: end.filter(|&end| end >= start) });
        }
    }
    markers
}

#[allow(clippy::cast_precision_loss)] // no file has 2^53 frames
fn compose_mark(kind: [u8; 4], frame: u64, id: u32) -> Vec<u8> {
    let mut bytes = kind.to_vec();
    bytes.extend((frame as f64).to_be_bytes());
    bytes.extend(id.to_be_bytes());
    // No time code, and all channels.
    bytes.resize(MARKER_BYTES, 0);
    bytes
}

fn compose_markers(markers: &[Marker]) -> Vec<u8> {
    if markers.is_empty() {
        return Vec::new();
    }
    let (mut marks, mut num_marks, mut regions, mut num_regions) = (Vec::new(), 0_u32, Vec::new(), 0_u32);
    let (mut entries, mut texts, mut num_texts) = (Vec::new(), Vec::new(), 0_u32);
    for (id, marker) in (1_u32..).zip(markers) {
        match marker.end {
            None => {
                marks.extend(compose_mark([0; 4], marker.start, id));
                num_marks += 1;
            }
            Some(end) => {
                // The number, no flags, and two markers.
                regions.extend([id, 0, 2].map(u32::to_be_bytes).concat());
                regions.extend(compose_mark(REGION_START, marker.start, id));
                regions.extend(compose_mark(REGION_END, end, id));
                num_regions += 1;
            }
        }
        if !marker.label.is_empty() {
            entries.extend(id.to_be_bytes());
            entries.extend((texts.len() as u64).to_be_bytes());
            texts.extend([marker.label.as_bytes(), &[0]].concat());
            num_texts += 1;
        }
    }
    let mut new = Vec::new();
    if num_marks > 0 {
        new.extend(STYLE.chunk(*b"mark", &[&num_marks.to_be_bytes(), [0; 4].as_slice(), &marks].concat()));
    }
    if num_regions > 0 {
        new.extend(
            STYLE.chunk(*b"regn", &[[0; 4].as_slice(), &num_regions.to_be_bytes(), &regions].concat()),
        );
    }
    if num_texts > 0 {
        new.extend(STYLE.chunk(*b"strg", &[num_texts.to_be_bytes().as_slice(), &entries, &texts].concat()));
    }
    new
}

/// The chunks of everything that an edit sets, for a new file.
pub(crate) fn compose(edit: &Edit) -> Result<Vec<u8>> {
    edit.lacks_all("caf", &["pictures", "bext"])?;
    let mut new = Vec::new();
    if let Some(tags) = edit.tags.as_ref().filter(|tags| !tags.is_empty()) {
        let mut strings = saturated(tags.len()).to_be_bytes().to_vec();
        for (name, value) in tags {
            let name = CAF.iter().find(|(known, _)| known == name).map_or(name.as_str(), |(_, key)| key);
            strings.extend([name.as_bytes(), &[0], value.as_bytes(), &[0]].concat());
        }
        new.extend(STYLE.chunk(*b"info", &strings));
    }
    if let Some(markers) = &edit.markers {
        new.extend(compose_markers(markers));
    }
    Ok(new)
}

pub(crate) fn plan(input: &dyn ReadAt, edit: &Edit) -> Result<Plan> {
    let chunks = chunks(input)?;
    let is_replaced = |chunk: &Chunk| {
        (edit.tags.is_some() && &chunk.id == b"info")
            || (edit.markers.is_some() && matches!(&chunk.id, b"mark" | b"regn" | b"strg"))
    };
    chunks.replaced(input, is_replaced, &compose(edit)?, |_, _| Ok(()))
}
