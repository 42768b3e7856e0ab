//! WAV, RIFX, RF64 and BW64 (EBU Tech 3306; ITU-R BS.2088).

use crate::bytes::{Bytes, text};
use crate::chunks::{Chunk, Chunks, Style};
use crate::edit::Edit;
use crate::error::{Error, Result};
use crate::input::{self, ReadAt};
use crate::model::Metadata;
use crate::options::Options;
use crate::plan::Plan;
use crate::text_names::{self, INFO};
use crate::{bext, cue, id3};

/// The chunks of RIFF in little-endian.
pub(crate) const STYLE: Style =
    Style { format: "wav", is_big_endian: false, is_long: false, first: 12, filler: *b"JUNK" };

fn chunks(input: &dyn ReadAt) -> Result<(Chunks, bool)> {
    let head = input::bytes(input, 0, 12)?;
    let style = Style { is_big_endian: head.starts_with(b"RIFX"), ..STYLE };
    let is_64 = head.starts_with(b"RF64") || head.starts_with(b"BW64");
    let long_size = |list: &[Chunk]| {
        let ds64 = list.iter().find(|chunk| &chunk.id == b"ds64").filter(|_| is_64)?;
        let sizes = ds64.read(input).ok()?;
        let mut sizes = Bytes(sizes.get(8..)?);
        sizes.u64_le()
    };
    Ok((Chunks::walk(input, style, *b"data", long_size)?, is_64))
}

fn is_id3(chunk: &Chunk) -> bool {
    matches!(&chunk.id, b"id3 " | b"ID3 ")
}

pub(crate) fn read(input: &dyn ReadAt, options: &Options) -> Result<Metadata> {
    let (chunks, _) = chunks(input)?;
    let mut metadata =
        Metadata { audio_bytes: chunks.audio().map(|audio| audio.num_bytes), ..Metadata::default() };
    let is_big_endian = chunks.style.is_big_endian;
    let (mut cue, mut lists) = (None, Vec::new());
    for chunk in chunks.list.iter().filter(|chunk| chunk.num_bytes <= input::MAX_BYTES) {
        match (&chunk.id, &chunk.kind) {
            (b"LIST", b"INFO") => info(&chunk.read(input)?, is_big_endian, &mut metadata.tags),
            (b"LIST", b"adtl") => lists.push(chunk.read(input)?.split_off(4)),
            (b"cue ", _) if cue.is_none() => cue = Some(chunk.read(input)?),
            (b"smpl", _) if metadata.loops.is_empty() => {
                metadata.loops = cue::loops(&chunk.read(input)?, is_big_endian);
            }
            (b"bext", _) if metadata.bext.is_none() => metadata.bext = bext::parse(&chunk.read(input)?),
            _ => {}
        }
    }
    metadata.markers = cue.map(|cue| cue::markers(&cue, &lists, is_big_endian)).unwrap_or_default();
    if let Some(tag) = chunks.list.iter().find(|chunk| is_id3(chunk)) {
        id3::read(&tag.read(input)?, sample_rate(&chunks, input, options), options, &mut metadata);
    }
    Ok(metadata)
}

fn sample_rate(chunks: &Chunks, input: &dyn ReadAt, options: &Options) -> u32 {
    let stated = || {
        let format = chunks.find(b"fmt ")?.read(input).ok()?;
        let mut bytes = Bytes(format.get(4..)?);
        if chunks.style.is_big_endian { bytes.u32_be() } else { bytes.u32_le() }
    };
    options.sample_rate.or_else(stated).unwrap_or(1)
}

/// The tags of an `INFO` list with its type.
fn info(list: &[u8], is_big_endian: bool, tags: &mut Vec<(String, String)>) {
    let mut bytes = Bytes(list);
    bytes.take(4);
    while let Some(id) = bytes.array::<4>() {
        let size = if is_big_endian { bytes.u32_be() } else { bytes.u32_le() };
        let Some(value) = size.and_then(|size| bytes.take(size as usize)) else { return };
        bytes.take(value.len() % 2);
        let value = text(value);
        if let Some(name) = text_names::name_of(&INFO, &id).filter(|_| !value.is_empty()) {
            tags.push((name.to_owned(), value));
        }
    }
}

/// The `INFO` list with the tags that have a place in it, padded to a multiple of 8 bytes so that the audio behind it stays
/// aligned; empty without any.
fn compose_info(tags: &[(String, String)], style: Style) -> Vec<u8> {
    let mut list = b"INFO".to_vec();
    for (name, value) in tags {
        if let Some(id) = text_names::id_of(&INFO, name) {
            list.extend(style.chunk(*id, &[value.as_bytes(), &[0]].concat()));
        }
    }
    if list.len() == 4 { Vec::new() } else { style.chunk(*b"LIST", &list) }
}

/// The chunks of everything that an edit sets, for a new file; their size is a multiple of 8 bytes.
pub(crate) fn compose(edit: &Edit, sample_rate: u32) -> Result<Vec<u8>> {
    let mut bytes = new_chunks(edit, STYLE, None, sample_rate)?;
    if bytes.len() % 8 != 0 {
        bytes.extend(STYLE.chunk(STYLE.filler, &vec![0; (16 - bytes.len() % 8) % 8]));
    }
    Ok(bytes)
}

fn new_chunks(edit: &Edit, style: Style, old_id3: Option<&[u8]>, sample_rate: u32) -> Result<Vec<u8>> {
    let mut new = Vec::new();
    if let Some(Some(bext)) = &edit.bext {
        new.extend(style.chunk(*b"bext", &bext::compose(bext, edit)?));
    }
    if let Some(markers) = &edit.markers {
        new.extend(cue::compose(markers, style, edit)?);
    }
    let tags = edit.tags.as_deref().unwrap_or_default();
    new.extend(compose_info(tags, style));
    let has_pictures = edit.pictures.as_ref().is_some_and(|pictures| !pictures.is_empty());
    if old_id3.is_none() {
        text_names::check(&INFO, tags, "wav", edit)?;
    }
    if old_id3.is_some() || has_pictures {
        let mut edit = Edit { markers: None, bext: None, ..edit.clone() };
        if let Some(tags) = edit.tags.as_mut().filter(|_| old_id3.is_none()) {
            tags.retain(|(name, _)| text_names::id_of(&INFO, name).is_some());
        }
        let tag = id3::edited(old_id3, &edit, "wav", sample_rate, 0)?;
        if !tag.is_empty() {
            new.extend(style.chunk(*b"id3 ", &tag));
        }
    }
    Ok(new)
}

pub(crate) fn plan(input: &dyn ReadAt, edit: &Edit) -> Result<Plan> {
    let (chunks, is_64) = chunks(input)?;
    let sets_id3 = edit.tags.is_some() || edit.pictures.is_some();
    let is_replaced = |chunk: &Chunk| {
        (edit.tags.is_some() && chunk.is(b"LIST", b"INFO"))
            || (sets_id3 && is_id3(chunk))
            || (edit.markers.is_some()
                && (chunk.is(b"LIST", b"adtl") || matches!(&chunk.id, b"cue " | b"plst")))
            || (edit.bext.is_some() && &chunk.id == b"bext")
    };
    let old_id3 = match chunks.list.iter().find(|chunk| sets_id3 && is_id3(chunk)) {
        Some(chunk) => Some(chunk.read(input)?),
        None => None,
    };
    let rate = sample_rate(&chunks, input, &Options::default());
    let new = new_chunks(edit, chunks.style, old_id3.as_deref(), rate)?;
    chunks.replaced(input, is_replaced, &new, |num_bytes, head| {
        let size = num_bytes - 8;
        let short = match u32::try_from(size) {
            _ if is_64 => u32::MAX,
            Ok(size) if size < u32::MAX => size,
            _ => return Err(Error::unsupported("the file would be larger than the 4 GiB of a WAV file")),
        };
        let size_field = head.get_mut(4..8).zip(chunks.style.size(short.into()).first_chunk::<4>().copied());
        if let Some((field, short)) = size_field {
            field.copy_from_slice(&short);
        }
        // The first chunk of RF64 has the size of the form.
        if let Some(field) = head.get_mut(12..28).filter(|_| is_64)
            && let Some((id, size_field)) = field.split_at_mut_checked(8)
            && id.starts_with(b"ds64")
        {
            size_field.copy_from_slice(&size.to_le_bytes());
        }
        Ok(())
    })
}
