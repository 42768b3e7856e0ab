//! What ID3v2 tags say, and how they change: text frames, comments, pictures and chapters ("ID3v2 Chapter Frame Addendum").
//!
//! Tags are written in 2.4, as UTF-8. Chapters have times in milliseconds; a text frame of ours in each has its frames, as "start"
//! or "start-end".

use std::collections::{HashMap, HashSet};

use crate::bytes::Bytes;
use crate::comments::{frames as exact_frames, show_frames};
use crate::edit::Edit;
use crate::error::{Error, Result};
use crate::id3_frames::{
    Frame, HEADER_BYTES, Header, decoded, latin1, parse, subframes, terminated, to_syncsafe,
};
use crate::id3_names::{genre, genre_of, id_of, name_of};
use crate::model::{Marker, Metadata, Picture};
use crate::options::Options;
use crate::time;

const UTF_8: u8 = 3;

/// The description of the text frame with the frames of a chapter.
const FRAMES: &str = "frames";

const PER_SECOND: u64 = 1000;

/// The most tags that are read: a frame can hold one in every two bytes.
const MAX_TAGS: usize = 65_536;

/// A byte offset or a time that is not used.
const UNUSED: u32 = u32::MAX;

/// Adds what a tag says to what is known: tags by names that are new, pictures, and markers if there are none.
pub(crate) fn read(tag: &[u8], sample_rate: u32, options: &Options, metadata: &mut Metadata) {
    let version = Header::parse(tag).map_or(4, |header| header.version);
    let mut tags = Vec::new();
    let mut markers = Vec::new();
    for frame in parse(tag).0.iter().filter(|frame| !frame.is_opaque) {
        match &frame.id {
            b"APIC" => {
                metadata
                    .pictures
                    .extend(picture(&frame.body).map(|picture| picture.settled(options.with_data)));
            }
            b"CHAP" => markers.extend(chapter(version, &frame.body, sample_rate)),
            _ => texts(frame, &mut tags),
        }
    }
    // The first frame of a name wins, and what is known already stays.
    let known: HashSet<String> = metadata.tags.iter().map(|(name, _)| name.clone()).collect();
    metadata.tags.extend(tags.into_iter().filter(|(name, value)| !value.is_empty() && !known.contains(name)));
    if metadata.markers.is_empty() {
        metadata.markers = markers;
    }
}

/// The tags in a frame.
fn texts(frame: &Frame, tags: &mut Vec<(String, String)>) {
    let Some((encoding, body)) = frame.body.split_first() else { return };
    let mut add = |name: &str, text: &str| {
        let room = MAX_TAGS.saturating_sub(tags.len());
        for value in text.split('\0').map(str::trim).filter(|value| !value.is_empty()).take(room) {
            tags.push((name.to_owned(), if name == "genre" { genre(value) } else { value.to_owned() }));
        }
    };
    match &frame.id {
        b"TXXX" => {
            let Some((name, value)) = terminated(*encoding, body) else { return };
            let is_name =
                !name.is_empty() && name.bytes().all(|byte| (0x20..0x7e).contains(&byte) && byte != b'=');
            if is_name {
                add(&name.to_ascii_lowercase(), &decoded(*encoding, value));
            }
        }
        b"COMM" | b"USLT" => {
            let text = body.get(3..).and_then(|rest| terminated(*encoding, rest));
            let Some((description, text)) = text.filter(|(description, _)| !description.starts_with("iTun"))
            else {
                return;
            };
            let name = if &frame.id == b"USLT" { "lyrics" } else { "comment" };
            if name == "comment" || description.is_empty() {
                add(name, &decoded(*encoding, text).trim_end_matches('\0').replace('\0', " "));
            }
        }
        id => {
            if let Some(name) = name_of(id) {
                add(name, &decoded(*encoding, body));
            }
        }
    }
}

fn picture(body: &[u8]) -> Option<Picture> {
    let (encoding, rest) = body.split_first()?;
    let (mime, rest) = terminated(0, rest)?;
    let (kind, rest) = rest.split_first()?;
    let (description, data) = terminated(*encoding, rest)?;
    let mime = if mime.is_empty() || mime == "image/" { String::new() } else { mime };
    // A link does not have the data.
    let is_picture = mime != "-->" && !data.is_empty();
    is_picture.then(|| Picture { kind: *kind, mime, description, data: data.to_vec(), ..Picture::default() })
}

fn chapter(version: u8, body: &[u8], sample_rate: u32) -> Option<Marker> {
    let (_, rest) = terminated(0, body)?;
    let mut bytes = Bytes(rest);
    let (start, end) = (bytes.u32_be()?, bytes.u32_be()?);
    bytes.take(8)?;
    let mut marker =
        Marker { start: time::to_frame(start.into(), PER_SECOND, sample_rate), ..Marker::default() };
    if end != UNUSED && end > start {
        marker.end = Some(time::to_frame(end.into(), PER_SECOND, sample_rate));
    }
    for frame in subframes(version, false, &mut bytes) {
        let Some((encoding, body)) = frame.body.split_first() else { continue };
        match &frame.id {
            b"TIT2" => decoded(*encoding, body).trim_end_matches('\0').clone_into(&mut marker.label),
            b"TXXX" => {
                let exact = terminated(*encoding, body).filter(|(name, _)| name == FRAMES);
                let exact = exact.and_then(|(_, value)| exact_frames(&decoded(*encoding, value)));
                let is_same = |frame| time::from_frame(frame, PER_SECOND, sample_rate) == start.into();
                if let Some((start, end)) = exact.filter(|(start, _)| is_same(*start)) {
                    (marker.start, marker.end) = (start, end);
                }
            }
            _ => {}
        }
    }
    Some(marker)
}

/// The tags of ID3v1.1, which adds to what is known.
pub(crate) fn read_v1(tag: &[u8; 128], metadata: &mut Metadata) {
    let field = |from: usize, to: usize| {
        let text = tag.get(from..to).unwrap_or_default();
        latin1(text.split(|byte| *byte == 0).next().unwrap_or_default()).trim().to_owned()
    };
    let [.., zero, number, genre] = *tag;
    let has_number = zero == 0 && number != 0;
    let mut found = vec![("title", field(3, 33)), ("artist", field(33, 63)), ("album", field(63, 93))];
    found.extend([("date", field(93, 97)), ("comment", field(97, if has_number { 125 } else { 127 }))]);
    found.push(("tracknumber", if has_number { number.to_string() } else { String::new() }));
    found.push(("genre", genre_of(genre.into()).unwrap_or_default().to_owned()));
    for (name, value) in found {
        if !value.is_empty() && !metadata.tags.iter().any(|(known, _)| known == name) {
            metadata.tags.push((name.to_owned(), value));
        }
    }
}

/// A tag after an edit, with `room` bytes of padding; empty if no frame is left.
///
/// # Errors
/// [`Error::Lacks`], [`Error::Unsupported`] if the old tag has compressed or encrypted frames of an older version, or frames that
/// cannot be read and would be lost.
pub(crate) fn edited(
    old: Option<&[u8]>,
    edit: &Edit,
    format: &'static str,
    sample_rate: u32,
    room: usize,
) -> Result<Vec<u8>> {
    let frames = edited_frames(old, edit, format, sample_rate)?;
    if frames.is_empty() {
        return Ok(frames);
    }
    padded(&frames, room).ok_or_else(|| Error::Lacks {
        format,
        item: "pictures",
        what: "an ID3 tag holds less than 256 MiB".to_owned(),
    })
}

/// A tag of frames with padding.
pub(crate) fn padded(frames: &[u8], room: usize) -> Option<Vec<u8>> {
    let size = to_syncsafe(frames.len() + room)?;
    let mut tag = [b"ID3\x04\0\0".as_slice(), &size, frames].concat();
    tag.resize(HEADER_BYTES + frames.len() + room, 0);
    Some(tag)
}

/// The frames of a tag after an edit.
pub(crate) fn edited_frames(
    old: Option<&[u8]>,
    edit: &Edit,
    format: &'static str,
    sample_rate: u32,
) -> Result<Vec<u8>> {
    let header = old.and_then(Header::parse);
    let (mut frames, has_more) = old.map(parse).unwrap_or_default();
    if has_more {
        edit.check_lost("frames of the ID3 tag", frames.len())?;
    }
    let mut markers = edit.markers.clone();
    if let Some(header) = header.filter(|header| header.version != 4) {
        if frames.iter().any(|frame| frame.is_opaque) {
            let what = "the ID3 tag has compressed or encrypted frames, which this version of mapwave does not convert";
            return Err(Error::unsupported(what));
        }
        // Frames inside of chapters have sizes of their version.
        let has_chapters = frames.iter().any(|frame| &frame.id == b"CHAP");
        if has_chapters && markers.is_none() {
            let of = |frame: &Frame| chapter(header.version, &frame.body, sample_rate);
            markers = Some(frames.iter().filter(|frame| &frame.id == b"CHAP").filter_map(of).collect());
        }
        for frame in frames.iter_mut().filter(|frame| &frame.id == b"TYER") {
            frame.id = *b"TDRC";
        }
    }
    let is_tag = |frame: &Frame| {
        let mut tags = Vec::new();
        texts(frame, &mut tags);
        matches!(&frame.id, b"TXXX") || name_of(&frame.id).is_some() || !tags.is_empty()
    };
    frames.retain(|frame| match &frame.id {
        b"APIC" => edit.pictures.is_none(),
        b"CHAP" | b"CTOC" => markers.is_none(),
        _ => edit.tags.is_none() || !is_tag(frame),
    });
    if let Some(tags) = &edit.tags {
        frames.splice(0..0, text_frames(tags));
    }
    frames.extend(edit.pictures.iter().flatten().map(picture_frame));
    if let Some(markers) = &markers {
        frames.extend(chapter_frames(markers, edit, format, sample_rate)?);
    }
    let too_large =
        || Error::Lacks { format, item: "pictures", what: "a frame holds less than 256 MiB".to_owned() };
    let mut bytes = Vec::new();
    for frame in &frames {
        bytes.extend(frame.compose().ok_or_else(too_large)?);
    }
    Ok(bytes)
}

/// The frames of tags: a text frame holds several values, a comment only one.
fn text_frames(tags: &[(String, String)]) -> Vec<Frame> {
    let mut frames = Vec::new();
    let mut values_of: HashMap<&str, Vec<&str>> = HashMap::new();
    for (name, value) in tags {
        values_of.entry(name).or_default().push(value);
    }
    for (name, _) in tags {
        let Some(values) = values_of.remove(name.as_str()) else { continue };
        let joined = values.join("\0");
        let unknown_language = [&[UTF_8], b"XXX\0".as_slice()].concat();
        let single = |id, value: &&str| Frame::new(id, [&unknown_language, value.as_bytes()].concat());
        match (name.as_str(), id_of(name)) {
            (_, Some(id)) => frames.push(Frame::new(id, [&[UTF_8], joined.as_bytes()].concat())),
            ("comment" | "description", _) => {
                frames.extend(values.iter().map(|value| single(b"COMM", value)))
            }
            ("lyrics", _) => frames.extend(values.iter().map(|value| single(b"USLT", value))),
            _ => frames.push(Frame::new(b"TXXX", user_text(name, &joined))),
        }
    }
    frames
}

fn user_text(name: &str, value: &str) -> Vec<u8> {
    [&[UTF_8], name.as_bytes(), &[0], value.as_bytes()].concat()
}

fn picture_frame(picture: &Picture) -> Frame {
    let mime = crate::image::look(&picture.data).map_or(picture.mime.as_str(), |(mime, _)| mime);
    let head = [&[UTF_8], mime.as_bytes(), &[0, picture.kind], picture.description.as_bytes(), &[0]].concat();
    Frame::new(b"APIC", [head.as_slice(), &picture.data].concat())
}

fn chapter_frames(
    markers: &[Marker],
    edit: &Edit,
    format: &'static str,
    sample_rate: u32,
) -> Result<Vec<Frame>> {
    if markers.len() > 255 {
        edit.lacks(
            format,
            "markers",
            format!("a table of contents holds at most 255 of them, got {}", markers.len()),
        )?;
    }
    let markers = markers.get(..255).unwrap_or(markers);
    if markers.is_empty() {
        return Ok(Vec::new());
    }
    let (mut frames, mut names) = (Vec::new(), Vec::new());
    for (index, marker) in markers.iter().enumerate() {
        let name = format!("chp{index}\0");
        let ms = |frame| u32::try_from(time::from_frame(frame, PER_SECOND, sample_rate)).unwrap_or(UNUSED);
        let (start, end) = (ms(marker.start), ms(marker.end.unwrap_or(marker.start)));
        let mut body = name.as_bytes().to_vec();
        body.extend([start, end, UNUSED, UNUSED].map(u32::to_be_bytes).concat());
        let title = Frame::new(b"TIT2", [&[UTF_8], marker.label.as_bytes()].concat());
        let exact = Frame::new(b"TXXX", user_text(FRAMES, &show_frames(marker)));
        body.extend([title, exact].iter().filter_map(Frame::compose).flatten());
        frames.push(Frame::new(b"CHAP", body));
        names.extend(name.into_bytes());
    }
    // A table of contents at the top, in the order of the chapters.
    let count = u8::try_from(markers.len()).unwrap_or(u8::MAX);
    frames.insert(0, Frame::new(b"CTOC", [b"toc\0\x03".as_slice(), &[count], &names].concat()));
    Ok(frames)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn no_edit_loses_frames_that_cannot_be_read() {
        let frame = [b"TPE1\0\0\0\x02\0\0".as_slice(), &[3, b'a']].concat();
        let cut = [frame.as_slice(), b"TIT2\0\0\x01\0\0\0", b"\x03b"].concat();
        let tags = Edit { tags: Some(vec![("title".into(), "c".into())]), ..Edit::default() };
        let all = Edit { pictures: Some(vec![]), markers: Some(vec![]), ..tags.clone() };
        for (frames, num_read) in [(frame.repeat(65_537), 65_536), (cut, 1)] {
            let old = padded(&frames, 0).unwrap();
            let message = edited_frames(Some(&old), &tags, "mp3", 44_100).unwrap_err().to_string();
            let start = format!("the frames of the ID3 tag behind the first {num_read} ");
            assert!(message.starts_with(&start), "{message}");
            assert_eq!(edited_frames(Some(&old), &all, "mp3", 44_100).unwrap(), b"TIT2\0\0\0\x02\0\0\x03c");
        }
        // Padding is not a frame.
        let old = padded(&frame, 50).unwrap();
        let edit = Edit { markers: Some(vec![]), ..Edit::default() };
        assert_eq!(edited_frames(Some(&old), &edit, "mp3", 44_100).unwrap(), frame);
    }
}
