//! How the movie box of an MP4 file changes, and what moves with it.

use crate::atoms::{atom, atoms, find};
use crate::bytes::{Bytes, head};
use crate::edit::Edit;
use crate::error::{Error, Result};
use crate::input::{self, ReadAt};
use crate::model::Marker;
use crate::mp4::{CHAPTER_PER_SECOND, Top, sample_rate, tops};
use crate::mp4_items;
use crate::plan::{Piece, Plan};
use crate::time;

/// The room left behind the movie box for later changes when a file is written as a whole.
const ROOM: usize = 4096;

pub(crate) fn plan(input: &dyn ReadAt, edit: &Edit, rate: Option<u32>) -> Result<Plan> {
    edit.lacks_all("m4a", &["bext"])?;
    let tops = tops(input)?;
    let Some(place) = tops.iter().position(|top| &top.kind == b"moov") else {
        return Err(Error::malformed("m4a", 0, "no movie box ('moov') before the end of the file"));
    };
    let (before, rest) = tops.split_at(place);
    let Some((moov, behind)) = rest.split_first() else { return Ok(Plan::default()) };
    let old = input::bytes(input, moov.start, moov.end - moov.start)?;
    let rate = rate.unwrap_or_else(|| sample_rate(&old));
    let mut new = atom(b"moov", &edited(&old, edit, rate)?);
    let is_free = |top: &&Top| matches!(&top.kind, b"free" | b"skip");
    let end = behind.iter().take_while(is_free).last().map_or(moov.end, |top| top.end);
    let room = usize::try_from(end - moov.header).unwrap_or(usize::MAX);
    let kept = |start, end| Piece::Kept(start..end);
    let all = input.num_bytes();
    let filler = |num_bytes: usize| atom(b"free", &vec![0; num_bytes - 8]);
    match room.checked_sub(new.len()) {
        Some(0) => {}
        Some(left) if left >= 8 => new.extend(filler(left)),
        _ if end == all => return Ok(Plan::new(vec![kept(0, moov.header), Piece::New(new)])),
        _ => {
            let moves = |top: &Top| matches!(&top.kind, b"mdat" | b"moof");
            new.extend(filler(ROOM));
            if behind.iter().any(moves) {
                if before.iter().chain(behind).any(|top| &top.kind == b"moof") {
                    let what = "the movie box of this fragmented MP4 file has no room for the metadata";
                    return Err(Error::unsupported(what));
                }
                let added = new.len() as u64 - (end - moov.header);
                shift(&mut new, 8, moov.end, added)?;
            }
        }
    }
    Ok(Plan::new(vec![kept(0, moov.header), Piece::New(new), kept(end, all)]))
}

/// The children of the movie box after an edit.
fn edited(moov: &[u8], edit: &Edit, rate: u32) -> Result<Vec<u8>> {
    let mut new = Vec::new();
    let mut has_user_data = false;
    for child in atoms(moov) {
        let raw = moov.get(child.header..child.end).unwrap_or_default();
        match &child.kind {
            b"udta" if !has_user_data => {
                has_user_data = true;
                new.extend(atom(b"udta", &user_data(child.payload, edit, rate)?));
            }
            b"trak" if edit.markers.is_some() => new.extend(without_chapters(raw)),
            _ => new.extend_from_slice(raw),
        }
    }
    if !has_user_data {
        new.extend(atom(b"udta", &user_data(&[], edit, rate)?));
    }
    Ok(new)
}

/// A track whose reference to a track of chapters is void.
fn without_chapters(trak: &[u8]) -> Vec<u8> {
    let mut new = trak.to_vec();
    let places =
        atoms(trak.get(8..).unwrap_or_default()).filter(|child| &child.kind == b"tref").flat_map(|tref| {
            atoms(tref.payload)
                .filter(|child| &child.kind == b"chap")
                .map(move |child| 8 + tref.start + child.header + 4)
        });
    for place in places {
        if let Some(kind) = new.get_mut(place..place + 4) {
            kind.copy_from_slice(b"free");
        }
    }
    new
}

/// The children of the user data after an edit.
fn user_data(old: &[u8], edit: &Edit, rate: u32) -> Result<Vec<u8>> {
    let sets_items = edit.tags.is_some() || edit.pictures.is_some();
    let mut new = Vec::new();
    let mut has_meta = false;
    for child in atoms(old) {
        let raw = old.get(child.header..child.end).unwrap_or_default();
        match &child.kind {
            b"meta" if sets_items && !has_meta => {
                has_meta = true;
                new.extend(atom(b"meta", &meta(child.payload, edit)?));
            }
            b"chpl" if edit.markers.is_some() => {}
            _ => new.extend_from_slice(raw),
        }
    }
    if sets_items && !has_meta {
        new.extend(atom(b"meta", &meta(&[], edit)?));
    }
    if let Some(markers) = edit.markers.as_ref().filter(|markers| !markers.is_empty()) {
        new.extend(atom(b"chpl", &chapters(markers, edit, rate)?));
    }
    Ok(new)
}

/// The payload of the box of metadata after an edit.
fn meta(old: &[u8], edit: &Edit) -> Result<Vec<u8>> {
    // A full box in ISO files, a plain one in QuickTime files.
    let is_plain = find(old.get(4..).unwrap_or_default(), b"hdlr").is_none() && find(old, b"hdlr").is_some();
    let (version, children) = match is_plain {
        true => (&[][..], old),
        false => (&[0; 4][..], old.get(4..).unwrap_or_default()),
    };
    let mut new = version.to_vec();
    if find(children, b"hdlr").is_none() {
        // The handler of iTunes' metadata.
        new.extend(atom(b"hdlr", b"\0\0\0\0\0\0\0\0mdirappl\0\0\0\0\0\0\0\0\0"));
    }
    let mut has_items = false;
    for child in atoms(children) {
        match &child.kind {
            b"ilst" if !has_items => {
                has_items = true;
                new.extend(atom(b"ilst", &mp4_items::edited(child.payload, edit)?));
            }
            b"free" | b"skip" => {}
            _ => new.extend_from_slice(children.get(child.header..child.end).unwrap_or_default()),
        }
    }
    if !has_items {
        new.extend(atom(b"ilst", &mp4_items::edited(&[], edit)?));
    }
    Ok(new)
}

fn chapters(markers: &[Marker], edit: &Edit, sample_rate: u32) -> Result<Vec<u8>> {
    if markers.len() > 255 {
        edit.lacks("m4a", "markers", format!("a list of chapters holds at most 255, got {}", markers.len()))?;
    }
    let markers = markers.get(..255).unwrap_or(markers);
    let mut list = vec![1, 0, 0, 0, 0, 0, 0, 0, u8::try_from(markers.len()).unwrap_or(u8::MAX)];
    for marker in markers {
        if marker.end.is_some() {
            edit.lacks("m4a", "markers", format!("chapters have no end, got {marker:?}"))?;
        }
        if marker.label.len() > 255 {
            edit.lacks(
                "m4a",
                "markers",
                format!("a label has at most 255 bytes, got {}", marker.label.len()),
            )?;
        }
        let label = head(&marker.label, 255);
        list.extend(time::from_frame(marker.start, CHAPTER_PER_SECOND, sample_rate).to_be_bytes());
        list.push(u8::try_from(label.len()).unwrap_or(u8::MAX));
        list.extend(label.as_bytes());
    }
    Ok(list)
}

/// Adds to the offsets of chunks behind `from`, in the boxes that begin at `start` of `bytes`.
fn shift(bytes: &mut [u8], start: usize, from: u64, added: u64) -> Result<()> {
    let children: Vec<([u8; 4], usize, usize)> = atoms(bytes.get(start..).unwrap_or_default())
        .map(|child| (child.kind, start + child.start, start + child.end))
        .collect();
    for (kind, begin, end) in children {
        let width = match &kind {
            b"trak" | b"mdia" | b"minf" | b"stbl" => {
                if let Some(inside) = bytes.get_mut(..end) {
                    shift(inside, begin, from, added)?;
                }
                continue;
            }
            b"stco" => 4,
            b"co64" => 8,
            _ => continue,
        };
        let Some(offsets) = bytes.get_mut(begin + 8..end) else { continue };
        for offset in offsets.chunks_exact_mut(width) {
            let value = match width {
                4 => Bytes(offset).u32_be().map(u64::from),
                _ => Bytes(offset).u64_be(),
            };
            let Some(value) = value.filter(|&value| value >= from) else { continue };
            let moved = value.saturating_add(added);
            match (width, u32::try_from(moved)) {
                (4, Ok(moved)) => offset.copy_from_slice(&moved.to_be_bytes()),
                (4, Err(_)) => {
                    return Err(Error::unsupported(
                        "the file's offsets of 32 bits have no room for the metadata",
                    ));
                }
                _ => offset.copy_from_slice(&moved.to_be_bytes()),
            }
        }
    }
    Ok(())
}

/// Checks that a file can hold an edit.
pub(crate) fn check(edit: &Edit) -> Result<()> {
    edit.lacks_all("m4a", &["bext"])?;
    user_data(&[], edit, 1).map(|_| ())
}
