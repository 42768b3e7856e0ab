//! Metadata in iTunes' form: a list of items (`ilst`) named by four letters or by words.

use std::collections::HashMap;

use crate::atoms::{Atom, at, atom, atoms, find};
use crate::bytes::Bytes;
use crate::edit::Edit;
use crate::error::Result;
use crate::id3_names::genre_of;
use crate::image;
use crate::model::{Metadata, Picture};
use crate::options::Options;

/// The most items that are read.
const MAX_ITEMS: usize = 65_536;

/// The names of items.
const NAMES: [(&[u8; 4], &str); 26] = [
    (b"\xa9nam", "title"),
    (b"\xa9ART", "artist"),
    (b"aART", "albumartist"),
    (b"\xa9alb", "album"),
    (b"\xa9day", "date"),
    (b"\xa9gen", "genre"),
    (b"\xa9cmt", "comment"),
    (b"\xa9wrt", "composer"),
    (b"\xa9too", "encoder"),
    (b"\xa9enc", "encoded-by"),
    (b"\xa9grp", "grouping"),
    (b"\xa9lyr", "lyrics"),
    (b"\xa9wrk", "work"),
    (b"\xa9mvn", "movementname"),
    (b"\xa9con", "conductor"),
    (b"\xa9prf", "performer"),
    (b"\xa9pub", "organization"),
    (b"cprt", "copyright"),
    (b"desc", "description"),
    (b"ldes", "synopsis"),
    (b"tvsh", "show"),
    (b"soal", "albumsort"),
    (b"soar", "artistsort"),
    (b"sonm", "titlesort"),
    (b"soco", "composersort"),
    (b"soaa", "albumartistsort"),
];

/// The numbers of types of values (QuickTime File Format, "Well-Known Types").
const UTF_8: u32 = 1;
const JPEG: u32 = 13;
const PNG: u32 = 14;
const INTEGER: u32 = 21;
const BMP: u32 = 27;

/// The list of items in a movie.
pub(crate) fn list(moov: &[u8]) -> Option<&[u8]> {
    let meta = at(moov, &[b"udta", b"meta"]).or_else(|| find(moov, b"meta"))?;
    // A full box in ISO files, a plain one in QuickTime files.
    meta.get(4..).and_then(|children| find(children, b"ilst")).or_else(|| find(meta, b"ilst"))
}

/// The values of an item and their types.
fn values<'a>(item: &Atom<'a>) -> impl Iterator<Item = (u32, &'a [u8])> {
    atoms(item.payload).filter(|atom| &atom.kind == b"data").filter_map(|data| {
        let mut bytes = Bytes(data.payload);
        let (kind, _) = (bytes.u32_be()?, bytes.u32_be()?);
        Some((kind & 0x00ff_ffff, bytes.0))
    })
}

fn text(value: &[u8]) -> Option<String> {
    std::str::from_utf8(value).ok().map(|text| text.trim_end_matches('\0').to_owned())
}

/// Adds what the items say.
pub(crate) fn read(items: &[u8], options: &Options, metadata: &mut Metadata) {
    for item in atoms(items).take(MAX_ITEMS) {
        tags(&item, &mut metadata.tags);
        if &item.kind == b"covr" {
            for (kind, data) in values(&item).filter(|(_, data)| !data.is_empty()) {
                let mime = match kind {
                    JPEG => "image/jpeg",
                    PNG => "image/png",
                    BMP => "image/bmp",
                    _ => "",
                };
                let mime = image::look(data).map_or(mime, |(mime, _)| mime).to_owned();
                let picture = Picture { kind: 3, mime, data: data.to_vec(), ..Picture::default() };
                metadata.pictures.push(picture.settled(options.with_data));
            }
        }
    }
}

/// The tags in an item.
fn tags(item: &Atom<'_>, tags: &mut Vec<(String, String)>) {
    let mut add = |name: &str, value: String| {
        let is_name =
            !name.is_empty() && name.bytes().all(|byte| (0x20..0x7e).contains(&byte) && byte != b'=');
        if is_name && !value.contains('\0') {
            tags.push((name.to_owned(), value));
        }
    };
    match &item.kind {
        b"----" => {
            let name = find(item.payload, b"name").and_then(|name| std::str::from_utf8(name.get(4..)?).ok());
            let Some(name) = name.filter(|name| name.len() <= 256 && !name.starts_with("iTun")) else {
                return;
            };
            for (_, value) in values(item).filter(|(kind, _)| *kind == UTF_8) {
                if let Some(text) = text(value) {
                    add(&name.to_ascii_lowercase(), text);
                }
            }
        }
        b"trkn" | b"disk" => {
            let names = if &item.kind == b"trkn" {
                ["tracknumber", "tracktotal"]
            } else {
                ["discnumber", "disctotal"]
            };
            // Two unused bytes, the number, the total.
            let Some((_, [_, _, a, b, c, d, ..])) = values(item).next() else { return };
            for (name, count) in
                names.into_iter().zip([u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d])])
            {
                if count > 0 {
                    add(name, count.to_string());
                }
            }
        }
        b"tmpo" => {
            if let Some(bpm) = values(item).next().and_then(|(_, value)| Bytes(value).u16_be()) {
                add("bpm", bpm.to_string());
            }
        }
        b"gnre" => {
            let number = values(item).next().and_then(|(_, value)| Bytes(value).u16_be());
            if let Some(genre) = number.and_then(|number| genre_of(usize::from(number).checked_sub(1)?)) {
                add("genre", genre.to_owned());
            }
        }
        b"cpil" => {
            if values(item).next().is_some_and(|(_, value)| value.iter().any(|byte| *byte != 0)) {
                add("compilation", "1".to_owned());
            }
        }
        kind => {
            if let Some((_, name)) = NAMES.iter().find(|(known, _)| known == &kind) {
                values(item).filter_map(|(_, value)| text(value)).for_each(|text| add(name, text));
            }
        }
    }
}

/// The items after an edit.
pub(crate) fn edited(old: &[u8], edit: &Edit) -> Result<Vec<u8>> {
    let mut list = Vec::new();
    for item in atoms(old) {
        let is_tag = || {
            let mut found = Vec::new();
            tags(&item, &mut found);
            !found.is_empty()
                || NAMES.iter().any(|(kind, _)| *kind == &item.kind)
                || matches!(&item.kind, b"cpil" | b"gnre")
        };
        let is_kept = match &item.kind {
            b"covr" => edit.pictures.is_none(),
            _ => edit.tags.is_none() || !is_tag(),
        };
        if is_kept {
            list.extend_from_slice(old.get(item.header..item.end).unwrap_or_default());
        }
    }
    if let Some(tags) = &edit.tags {
        compose_tags(tags, &mut list);
    }
    if let Some(pictures) = edit.pictures.as_ref().filter(|pictures| !pictures.is_empty()) {
        let mut covers = Vec::new();
        for picture in pictures {
            let kind = match image::look(&picture.data).map_or(picture.mime.as_str(), |(mime, _)| mime) {
                "image/jpeg" | "image/jpg" => JPEG,
                "image/png" => PNG,
                "image/bmp" => BMP,
                other => {
                    edit.lacks(
                        "m4a",
                        "pictures",
                        format!("they are image/jpeg, image/png or image/bmp, got {other:?}"),
                    )?;
                    continue;
                }
            };
            if picture.kind != 3 {
                edit.lacks(
                    "m4a",
                    "pictures",
                    format!("they are front covers (kind 3), got kind {}", picture.kind),
                )?;
            }
            covers.extend(data(kind, &picture.data));
        }
        if !covers.is_empty() {
            list.extend(atom(b"covr", &covers));
        }
    }
    Ok(list)
}

fn data(kind: u32, value: &[u8]) -> Vec<u8> {
    atom(b"data", &[kind.to_be_bytes().as_slice(), &[0; 4], value].concat())
}

/// A number and a total in one item, "3/12" or two tags; `None` if they are not numbers.
fn pair(tags: &[(String, String)], number: &str, total: &str) -> Option<[u16; 2]> {
    let of = |name: &str| tags.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim());
    let (first, second) = match of(number)?.split_once('/') {
        Some((first, second)) => (first, Some(second)),
        None => (of(number)?, of(total)),
    };
    Some([first.trim().parse().ok()?, second.map_or(Some(0), |second| second.trim().parse().ok())?])
}

fn compose_tags(tags: &[(String, String)], list: &mut Vec<u8>) {
    let mut done: Vec<&str> = Vec::new();
    for (number, total, kind) in
        [("tracknumber", "tracktotal", b"trkn"), ("discnumber", "disctotal", b"disk")]
    {
        if let Some([first, second]) = pair(tags, number, total) {
            let [a, b] = first.to_be_bytes();
            let [c, d] = second.to_be_bytes();
            list.extend(atom(kind, &data(0, &[0, 0, a, b, c, d, 0, 0])));
            done.extend([number, total]);
        }
    }
    let mut values_of: HashMap<&str, Vec<u8>> = HashMap::new();
    for (name, value) in tags.iter().filter(|(name, _)| !done.contains(&name.as_str())) {
        values_of.entry(name).or_default().extend(data(UTF_8, value.as_bytes()));
    }
    for (name, value) in tags {
        let Some(values) = values_of.remove(name.as_str()) else { continue };
        let known = NAMES.iter().find(|(_, known)| known == name);
        match (name.as_str(), value.trim().parse::<u16>(), known) {
            ("bpm", Ok(bpm), _) => list.extend(atom(b"tmpo", &data(INTEGER, &bpm.to_be_bytes()))),
            ("compilation", Ok(1), _) => list.extend(atom(b"cpil", &data(INTEGER, &[1]))),
            (_, _, Some((kind, _))) => list.extend(atom(kind, &values)),
            _ => {
                let word = |kind, text: &str| atom(kind, &[[0; 4].as_slice(), text.as_bytes()].concat());
                let names =
                    [word(b"mean", "com.apple.iTunes"), word(b"name", &name.to_ascii_uppercase())].concat();
                list.extend(atom(b"----", &[names, values].concat()));
            }
        }
    }
}
