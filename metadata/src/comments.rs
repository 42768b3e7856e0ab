//! Vorbis comments (Vorbis I specification, section 5), with pictures as FLAC writes them in Base64, and chapters.
//!
//! A chapter is a pair of comments, `CHAPTER001=hh:mm:ss.mmm` and `CHAPTER001NAME=name` (wiki.xiph.org, "Chapter Extension"). Their
//! times are not exact to the frame, and they have no end: a third comment, `CHAPTER001FRAMES=start` or `start-end`, has the frames.

use crate::bytes::{Bytes, saturated};
use crate::edit::Edit;
use crate::error::Result;
use crate::model::{Marker, Metadata, Picture};
use crate::options::Options;
use crate::{base64, image, time};

/// The most comments that are read.
const MAX_COMMENTS: usize = 65_536;

/// The name of a comment with a picture.
const PICTURE: &str = "METADATA_BLOCK_PICTURE";

const PER_SECOND: u64 = 1000;

/// A block of comments.
#[derive(Clone, Debug, Default)]
pub(crate) struct Comments {
    vendor: Vec<u8>,
    /// Names, equals signs and values, as the file has them.
    list: Vec<Vec<u8>>,
    /// Whether others follow that cannot be read: too many of them, or behind a malformed one.
    has_more: bool,
}

/// What a comment is.
enum Meaning<'a> {
    Tag(&'a str, &'a [u8]),
    Picture(&'a [u8]),
    /// The number of a chapter, the rest of the name, and the value.
    Chapter(u32, &'a str, &'a [u8]),
    /// Not a comment.
    Unknown,
}

fn meaning(comment: &[u8]) -> Meaning<'_> {
    let Some(equals) = comment.iter().position(|byte| *byte == b'=') else { return Meaning::Unknown };
    let (name, value) = comment.split_at(equals);
    let value = value.get(1..).unwrap_or_default();
    let Ok(name) = std::str::from_utf8(name) else { return Meaning::Unknown };
    if name.is_empty() || name.len() > 256 || !name.bytes().all(|byte| (0x20..0x7e).contains(&byte)) {
        return Meaning::Unknown;
    }
    if name.eq_ignore_ascii_case(PICTURE) {
        return Meaning::Picture(value);
    }
    match chapter(name) {
        Some((number, rest)) => Meaning::Chapter(number, rest, value),
        None => Meaning::Tag(name, value),
    }
}

/// Whether a comment of this name is a tag; the others are parts of pictures and of markers.
pub fn is_tag(name: &str) -> bool {
    !name.eq_ignore_ascii_case(PICTURE) && chapter(name).is_none()
}

/// The number of a chapter and what follows it, which is nothing or a word that belongs to chapters.
fn chapter(name: &str) -> Option<(u32, &str)> {
    let (word, rest) = name.split_at_checked(7)?;
    let (number, rest) = rest.split_at_checked(3)?;
    let is_chapter = word.eq_ignore_ascii_case("CHAPTER") && number.bytes().all(|byte| byte.is_ascii_digit());
    let is_known = ["", "NAME", "FRAMES", "URL"].iter().any(|known| rest.eq_ignore_ascii_case(known));
    number.parse().ok().filter(|_| is_chapter && is_known).map(|number| (number, rest))
}

impl Comments {
    /// The comments of a block, up to the first malformed one.
    pub(crate) fn parse(block: &[u8]) -> Self {
        let mut bytes = Bytes(block);
        let string = |bytes: &mut Bytes<'_>| {
            let num_bytes = bytes.u32_le()? as usize;
            bytes.take(num_bytes).map(<[u8]>::to_vec)
        };
        let mut this = Self { vendor: string(&mut bytes).unwrap_or_default(), ..Self::default() };
        let num_comments = bytes.u32_le().unwrap_or(0);
        for _ in 0..num_comments {
            let rest = bytes.0;
            let Some(comment) = string(&mut bytes).filter(|_| this.list.len() < MAX_COMMENTS) else {
                this.has_more = !rest.is_empty();
                break;
            };
            this.list.push(comment);
        }
        this
    }

    /// The block, without a framing bit.
    pub(crate) fn compose(&self) -> Vec<u8> {
        let mut block = saturated(self.vendor.len()).to_le_bytes().to_vec();
        block.extend(&self.vendor);
        block.extend(saturated(self.list.len()).to_le_bytes());
        for comment in &self.list {
            block.extend(saturated(comment.len()).to_le_bytes());
            block.extend(comment);
        }
        block
    }

    /// Adds what the comments say.
    pub(crate) fn read(&self, sample_rate: u32, options: &Options, metadata: &mut Metadata) {
        let mut chapters = Vec::<(u32, Chapter)>::new();
        for comment in &self.list {
            match meaning(comment) {
                Meaning::Tag(name, value) => {
                    // A zero would end the text elsewhere.
                    let value = value.split(|byte| *byte == 0).next().unwrap_or_default();
                    let value = String::from_utf8_lossy(value).into_owned();
                    metadata.tags.push((name.to_ascii_lowercase(), value));
                }
                Meaning::Picture(value) => {
                    let picture = base64::decode(value).and_then(|block| image::from_flac(&block));
                    metadata.pictures.extend(picture.map(|picture| picture.settled(options.with_data)));
                }
                Meaning::Chapter(number, rest, value) => {
                    let place = chapters.binary_search_by_key(&number, |(number, _)| *number);
                    let place = place.unwrap_or_else(|place| {
                        chapters.insert(place, (number, Chapter::default()));
                        place
                    });
                    if let Some((_, chapter)) = chapters.get_mut(place) {
                        chapter.set(rest, &String::from_utf8_lossy(value));
                    }
                }
                Meaning::Unknown => {}
            }
        }
        metadata.markers.extend(chapters.iter().filter_map(|(_, chapter)| chapter.marker(sample_rate)));
    }

    /// These comments after an edit; pictures are comments where the container has no other place for them.
    pub(crate) fn edited(
        &self,
        edit: &Edit,
        has_pictures: bool,
        format: &'static str,
        sample_rate: u32,
    ) -> Result<Self> {
        if self.has_more {
            edit.check_lost("comments", self.list.len())?;
        }
        let mut list = Vec::new();
        let pictures = edit.pictures.as_ref().filter(|_| has_pictures);
        for comment in &self.list {
            let is_kept = match meaning(comment) {
                Meaning::Tag(..) | Meaning::Unknown => edit.tags.is_none(),
                Meaning::Picture(_) => edit.pictures.is_none(),
                Meaning::Chapter(..) => edit.markers.is_none(),
            };
            if is_kept {
                list.push(comment.clone());
            }
        }
        for (name, value) in edit.tags.iter().flatten() {
            if !is_tag(name) {
                edit.lacks(format, "tags", format!("{name:?} is the name of a marker or of a picture"))?;
                continue;
            }
            list.push(format!("{}={value}", name.to_ascii_uppercase()).into_bytes());
        }
        list.extend(pictures.into_iter().flatten().map(|picture| picture_comment(picture).into_bytes()));
        let markers = edit.markers.as_deref().unwrap_or_default();
        if markers.len() > 1000 {
            edit.lacks(format, "markers", format!("it holds at most 1000 of them, got {}", markers.len()))?;
        }
        for (number, marker) in markers.iter().take(1000).enumerate() {
            list.extend(chapter_comments(number, marker, sample_rate).map(String::into_bytes));
        }
        Ok(Self { vendor: self.vendor.clone(), list, has_more: false })
    }

    /// Whether there are no comments.
    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

/// What the comments of a chapter say.
#[derive(Debug, Default)]
struct Chapter {
    milliseconds: Option<u64>,
    label: String,
    frames: Option<(u64, Option<u64>)>,
}

impl Chapter {
    fn set(&mut self, rest: &str, value: &str) {
        match rest.to_ascii_uppercase().as_str() {
            "" => self.milliseconds = milliseconds(value),
            "NAME" => value.trim_end_matches('\0').clone_into(&mut self.label),
            "FRAMES" => self.frames = frames(value),
            _ => {}
        }
    }

    /// The marker. The frames count only if they are those of the time: another program may have changed it.
    fn marker(&self, sample_rate: u32) -> Option<Marker> {
        let milliseconds = self.milliseconds?;
        let is_same = |start| time::from_frame(start, PER_SECOND, sample_rate) == milliseconds;
        let (start, end) = self
            .frames
            .filter(|(start, _)| is_same(*start))
            .unwrap_or_else(|| (time::to_frame(milliseconds, PER_SECOND, sample_rate), None));
        Some(Marker { label: self.label.clone(), start, end })
    }
}

/// Frames as "start" or "start-end".
pub(crate) fn frames(value: &str) -> Option<(u64, Option<u64>)> {
    match value.trim().split_once('-') {
        None => value.trim().parse().ok().map(|start| (start, None)),
        Some((start, end)) => {
            let (start, end) = (start.parse().ok()?, end.parse().ok()?);
            (start <= end).then_some((start, Some(end)))
        }
    }
}

/// As [`frames`] reads them.
pub(crate) fn show_frames(marker: &Marker) -> String {
    match marker.end {
        Some(end) => format!("{}-{end}", marker.start),
        None => marker.start.to_string(),
    }
}

/// A time as "hh:mm:ss.mmm"; seconds may have any number of digits behind the point.
fn milliseconds(value: &str) -> Option<u64> {
    let mut parts = value.trim().split(':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    let (seconds, fraction) = seconds.split_once(['.', ',']).unwrap_or((seconds, ""));
    let number = |text: &str| text.parse::<u32>().ok().map(u64::from);
    let digits = format!("{:0<3}", fraction.get(..fraction.len().min(3))?);
    Some(((number(hours)? * 60 + number(minutes)?) * 60 + number(seconds)?) * 1000 + number(&digits)?)
}

fn chapter_comments(number: usize, marker: &Marker, sample_rate: u32) -> [String; 3] {
    let ms = time::from_frame(marker.start, PER_SECOND, sample_rate);
    let (seconds, minutes, hours) = (ms / 1000 % 60, ms / 60_000 % 60, ms / 3_600_000);
    [
        format!("CHAPTER{number:03}={hours:02}:{minutes:02}:{seconds:02}.{:03}", ms % 1000),
        format!("CHAPTER{number:03}NAME={}", marker.label),
        format!("CHAPTER{number:03}FRAMES={}", show_frames(marker)),
    ]
}

/// The comment of a picture.
fn picture_comment(picture: &Picture) -> String {
    format!("{PICTURE}={}", base64::encode(&image::to_flac(picture)))
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_players_write_them() {
        for (text, expected) in [
            ("00:00:01.500", 1500),
            ("01:02:03.004", 3_723_004),
            ("0:0:0", 0),
            ("00:00:00.5", 500),
            ("1:1:1,25", 3_661_250),
        ] {
            assert_eq!(milliseconds(text), Some(expected), "{text}");
        }
        for text in ["", "1:2", "a:b:c", "-1:00:00.0", "::", "99999999999:0:0"] {
            assert_eq!(milliseconds(text), None, "{text}");
        }
    }

    #[test]
    fn no_edit_loses_comments_that_cannot_be_read() {
        let block = |num_stated: usize, comments: &[&[u8]]| {
            let sized = |bytes: &[u8]| [&saturated(bytes.len()).to_le_bytes(), bytes].concat();
            let list = comments.iter().map(|comment| sized(comment)).collect::<Vec<_>>().concat();
            [sized(b"a"), saturated(num_stated).to_le_bytes().to_vec(), list].concat()
        };
        let edited = |block: &[u8], edit: &Edit| Comments::parse(block).edited(edit, true, "flac", 44_100);
        let tags = Edit { tags: Some(vec![("title".into(), "b".into())]), ..Edit::default() };
        let all = Edit { pictures: Some(vec![]), markers: Some(vec![]), ..tags.clone() };
        let many = vec![b"A=b".as_slice(); MAX_COMMENTS + 1];
        let mut malformed = block(3, &[b"A=b", b"C=d"]);
        malformed.extend(b"\xff\xff\xff\x7fE=f");
        for (block, num_read) in [(block(many.len(), &many), MAX_COMMENTS), (malformed, 2)] {
            let message = edited(&block, &tags).unwrap_err().to_string();
            assert!(message.starts_with(&format!("the comments behind the first {num_read} ")), "{message}");
            assert_eq!(edited(&block, &all).unwrap().list, [b"TITLE=b"]);
        }
        // Nothing is behind these, whatever number is stated.
        for (num_stated, comments) in [(MAX_COMMENTS, &many[1..]), (3, &many[..2])] {
            let edit = Edit { markers: Some(vec![]), ..Edit::default() };
            assert_eq!(edited(&block(num_stated, comments), &edit).unwrap().list, comments);
        }
    }

    #[test]
    fn markers_are_exact_unless_another_program_moved_them() {
        let marker = Marker { label: "a = b".into(), start: 12_345, end: Some(12_400) };
        let edit = Edit { markers: Some(vec![marker.clone()]), ..Edit::default() };
        let mut comments = Comments::default().edited(&edit, true, "flac", 44_100).unwrap();
        let read = |comments: &Comments| {
            let mut metadata = Metadata::default();
            comments.read(44_100, &Options::default(), &mut metadata);
            assert_eq!(metadata.tags, []);
            metadata.markers
        };
        assert_eq!(read(&Comments::parse(&comments.compose())), std::slice::from_ref(&marker));
        *comments.list.first_mut().unwrap() = b"CHAPTER000=00:00:01.000".to_vec();
        assert_eq!(read(&comments), [Marker { start: 44_100, end: None, ..marker }]);
    }
}
