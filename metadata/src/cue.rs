//! The cue points and loops of RIFF (Microsoft, *Multimedia Programming Interface and Data Specifications 1.0*, "Cue-Points
//! Chunk", "Associated Data Chunk"; *Multimedia Data Standards Update*, "Sampler Chunk").

use crate::bytes::{Bytes, saturated, text};
use crate::chunks::Style;
use crate::edit::Edit;
use crate::error::Result;
use crate::model::{Loop, LoopKind, Marker};

/// The most markers and loops that are read.
pub(crate) const MAX_MARKERS: usize = 65_536;

/// Facts of cue points, by their identifiers.
type Numbered<T> = Vec<(u32, T)>;

/// A cue point.
#[derive(Debug)]
struct Cue {
    id: u32,
    position: u32,
    offset: u32,
}

/// A number in the byte order of the file.
fn number(bytes: &mut Bytes<'_>, is_big_endian: bool) -> Option<u32> {
    if is_big_endian { bytes.u32_be() } else { bytes.u32_le() }
}

/// The markers of a `cue ` chunk and of the lists of the type `adtl` after their type.
pub(crate) fn markers(cue: &[u8], lists: &[Vec<u8>], is_big_endian: bool) -> Vec<Marker> {
    let mut bytes = Bytes(cue);
    let mut cues = Vec::new();
    let _ = number(&mut bytes, is_big_endian);
    while let Some(point) = bytes.take(24).filter(|_| cues.len() < MAX_MARKERS) {
        let mut point = Bytes(point);
        let mut next = || number(&mut point, is_big_endian).unwrap_or(0);
        let (id, position, _, _, _) = (next(), next(), next(), next(), next());
        cues.push(Cue { id, position, offset: next() });
    }
    // Some writers leave the offset empty.
    let has_offsets = cues.iter().any(|cue| cue.offset != 0);
    let (labels, lengths) = notes(lists, is_big_endian);
    let find = |id| labels.binary_search_by_key(&id, |(label, _): &(u32, String)| *label).ok();
    let markers = cues.iter().map(|cue| {
        let start = u64::from(if has_offsets { cue.offset } else { cue.position });
        let length = lengths.binary_search_by_key(&cue.id, |(id, _)| *id).ok();
        let length = length.and_then(|at| lengths.get(at)).map(|(_, length)| u64::from(*length));
        let label = find(cue.id).and_then(|at| labels.get(at)).map(|(_, label)| label.clone());
        Marker { label: label.unwrap_or_default(), start, end: length.map(|length| start + length) }
    });
    markers.collect()
}

/// The labels and the lengths of cue points, by their identifiers.
fn notes(lists: &[Vec<u8>], is_big_endian: bool) -> (Numbered<String>, Numbered<u32>) {
    let (mut labels, mut lengths) = (Vec::new(), Vec::new());
    for list in lists {
        let mut bytes = Bytes(list);
        while let Some(id) = bytes.array::<4>() {
            let Some(size) = number(&mut bytes, is_big_endian) else { break };
            let Some(payload) = bytes.take(size as usize) else { break };
            bytes.take(payload.len() % 2);
            let mut payload = Bytes(payload);
            let Some(cue) = number(&mut payload, is_big_endian) else { continue };
            match &id {
                b"labl" => labels.push((cue, text(payload.0))),
                b"ltxt" => lengths.extend(
                    number(&mut payload, is_big_endian)
                        .filter(|&length| length > 0)
                        .map(|length| (cue, length)),
                ),
                _ => {}
            }
        }
    }
    // Sorting is stable: the first of several labels wins.
    labels.sort_by_key(|(cue, _)| *cue);
    labels.dedup_by_key(|(cue, _)| *cue);
    lengths.sort_by_key(|(cue, _)| *cue);
    lengths.dedup_by_key(|(cue, _)| *cue);
    (labels, lengths)
}

/// The loops of a `smpl` chunk.
pub(crate) fn loops(chunk: &[u8], is_big_endian: bool) -> Vec<Loop> {
    let mut bytes = Bytes(chunk);
    let mut loops = Vec::new();
    if bytes.take(36).is_none() {
        return loops;
    }
    while let Some(found) = bytes.take(24).filter(|_| loops.len() < MAX_MARKERS) {
        let mut found = Bytes(found);
        let mut next = || number(&mut found, is_big_endian).unwrap_or(0);
        let (_, kind, start, last, _, count) = (next(), next(), next(), next(), next(), next());
        let kind = match kind {
            1 => LoopKind::PingPong,
            2 => LoopKind::Backward,
            _ => LoopKind::Forward,
        };
        let count = Some(count).filter(|&count| count > 0);
        loops.push(Loop { start: start.into(), end: u64::from(last) + 1, kind, count });
    }
    loops
}

/// The chunks of markers.
pub(crate) fn compose(markers: &[Marker], style: Style, edit: &Edit) -> Result<Vec<u8>> {
    let number = |value: u32| if style.is_big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
    let (mut points, mut list, mut num_points) = (Vec::new(), b"adtl".to_vec(), 0_u32);
    for marker in markers {
        let Ok(start) = u32::try_from(marker.start) else {
            edit.lacks(
                style.format,
                "markers",
                format!("its cue points are below frame 2^32, got {}", marker.start),
            )?;
            continue;
        };
        num_points += 1;
        for field in [number(num_points), number(start), *b"data", number(0), number(0), number(start)] {
            points.extend(field);
        }
        if !marker.label.is_empty() {
            let label = [&number(num_points), marker.label.as_bytes(), &[0]].concat();
            list.extend(style.chunk(*b"labl", &label));
        }
        if let Some(length) = marker.end.map(|end| end - marker.start).filter(|&length| length > 0) {
            let length = number(u32::try_from(length).unwrap_or(u32::MAX));
            // The purpose is a region; country, language, dialect and code page are not set.
            list.extend(
                style.chunk(*b"ltxt", &[&number(num_points), &length, b"rgn ".as_slice(), &[0; 8]].concat()),
            );
        }
    }
    if num_points == 0 {
        return Ok(Vec::new());
    }
    let mut chunks = style.chunk(*b"cue ", &[&number(num_points), points.as_slice()].concat());
    if list.len() > 4 {
        chunks.extend(style.chunk(*b"LIST", &list));
    }
    debug_assert!(saturated(chunks.len()) < u32::MAX);
    Ok(chunks)
}
