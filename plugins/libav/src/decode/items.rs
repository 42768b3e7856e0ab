//! Attached pictures and chapters.

#![allow(unsafe_code)] // lists of an open context

use std::ffi::{CStr, CString};

use ffi::AVCodecID;
use ffmpeg_sys_next as ffi;
use mapwave_plugin::{Chapter, Picture};

use crate::dictionary::entries;

/// The most bytes of pictures that are kept.
const MAX_PICTURE_BYTES: usize = 64 << 20;

/// The most chapters that are kept.
const MAX_CHAPTERS: usize = 1 << 16;

/// The types of pictures.
const TYPES: [(AVCodecID, &CStr); 6] = [
    (AVCodecID::AV_CODEC_ID_MJPEG, c"image/jpeg"),
    (AVCodecID::AV_CODEC_ID_PNG, c"image/png"),
    (AVCodecID::AV_CODEC_ID_GIF, c"image/gif"),
    (AVCodecID::AV_CODEC_ID_BMP, c"image/bmp"),
    (AVCodecID::AV_CODEC_ID_WEBP, c"image/webp"),
    (AVCodecID::AV_CODEC_ID_TIFF, c"image/tiff"),
];

/// What pictures show, in libav's words, by their numbers (ID3v2.4.0 native frames, section 4.14).
const KINDS: [&str; 21] = [
    "Other",
    "32x32 pixels 'file icon'",
    "Other file icon",
    "Cover (front)",
    "Cover (back)",
    "Leaflet page",
    "Media (e.g. label side of CD)",
    "Lead artist/lead performer/soloist",
    "Artist/performer",
    "Conductor",
    "Band/Orchestra",
    "Composer",
    "Lyricist/text writer",
    "Recording Location",
    "During recording",
    "During performance",
    "Movie/video screen capture",
    "A bright coloured fish",
    "Illustration",
    "Band/artist logotype",
    "Publisher/Studio logotype",
];

/// The pictures that are attached to a file. Their bytes are in it, so they need no more memory than it has.
///
/// # Safety
/// The streams are of an open context, which nobody else uses.
pub(super) unsafe fn pictures(streams: &[*mut ffi::AVStream]) -> Vec<Picture> {
    let mut num_bytes = 0;
    let mut pictures = Vec::new();
    for &stream in streams {
        // SAFETY: the caller's promise.
        let stream = unsafe { &*stream };
        // SAFETY: a stream has parameters.
        let parameters = unsafe { &*stream.codecpar };
        let found = TYPES.iter().find(|(codec, _)| *codec == parameters.codec_id);
        let packet = &stream.attached_pic;
        let size = usize::try_from(packet.size).unwrap_or(0);
        let is_attached = stream.disposition & ffi::AV_DISPOSITION_ATTACHED_PIC != 0;
        let Some((_, mime)) = found.filter(|_| is_attached && !packet.data.is_null() && size > 0) else {
            continue;
        };
        num_bytes += size;
        if num_bytes > MAX_PICTURE_BYTES {
            break;
        }
        // SAFETY: a packet has as many bytes as it says.
        let data = unsafe { std::slice::from_raw_parts(packet.data, size) };
        let facts = entries(stream.metadata);
        let pixels = |size| u32::try_from(size).unwrap_or(0);
        pictures.push(Picture {
            kind: text(&facts, "comment").map_or(0, |shown| kind(&shown)),
            mime: (*mime).to_owned(),
            description: text(&facts, "title"),
            width: pixels(parameters.width),
            height: pixels(parameters.height),
            data: data.to_vec(),
        });
    }
    pictures
}

/// The number of what a picture shows; 0 for all others.
fn kind(shown: &CStr) -> u32 {
    let found = KINDS.iter().position(|kind| kind.as_bytes() == shown.to_bytes());
    found.and_then(|number| u32::try_from(number).ok()).unwrap_or(0)
}

fn text(facts: &[(CString, CString)], name: &str) -> Option<CString> {
    let named = |key: &CString| key.as_bytes().eq_ignore_ascii_case(name.as_bytes());
    facts.iter().find(|(key, value)| named(key) && !value.is_empty()).map(|(_, value)| value.clone())
}

/// A chapter in the file's own time.
#[derive(Clone, Debug)]
pub(super) struct Section {
    label: Option<CString>,
    /// The start, and the end if there is one, in nanoseconds from the start of the stream.
    start: i128,
    end: Option<i128>,
}

/// The chapters of a file.
///
/// # Safety
/// The context is open, and the stream is one of its; nobody else uses them.
pub(super) unsafe fn sections(context: &ffi::AVFormatContext, stream: &ffi::AVStream) -> Vec<Section> {
    let count = context.nb_chapters as usize;
    if context.chapters.is_null() || count == 0 {
        return Vec::new();
    }
    let origin = match stream.start_time {
        ffi::AV_NOPTS_VALUE => Some(0),
        start => nanoseconds(start, stream.time_base),
    };
    let Some(origin) = origin else { return Vec::new() };
    // SAFETY: libav lists as many chapters there.
    let listed = unsafe { std::slice::from_raw_parts(context.chapters, count) };
    let section = |chapter: &*mut ffi::AVChapter| {
        // SAFETY: a listed chapter is of the open context.
        let chapter = unsafe { &**chapter };
        let time = |time| match time {
            ffi::AV_NOPTS_VALUE => None,
            time => nanoseconds(time, chapter.time_base).map(|time| time - origin),
        };
        let label = text(&entries(chapter.metadata), "title");
        Some(Section { label, start: time(chapter.start)?, end: time(chapter.end) })
    };
    listed.iter().take(MAX_CHAPTERS).filter_map(section).collect()
}

fn nanoseconds(time: i64, base: ffi::AVRational) -> Option<i128> {
    let (numerator, denominator) = (i128::from(base.num), i128::from(base.den));
    (numerator > 0 && denominator > 0)
        .then(|| (i128::from(time) * numerator * 1_000_000_000 + denominator / 2).div_euclid(denominator))
}

/// The chapters in frames, of a stream of this many if their number is known. One that begins behind the end is left out.
pub(super) fn chapters(sections: &[Section], sample_rate: u32, num_frames: Option<u64>) -> Vec<Chapter> {
    let most = num_frames.unwrap_or(u64::MAX - 1);
    let frame = |time: i128| {
        let frame = (time.max(0) * i128::from(sample_rate) + 500_000_000) / 1_000_000_000;
        u64::try_from(frame).unwrap_or(u64::MAX)
    };
    let chapter = |section: &Section| {
        let start = frame(section.start);
        let end = section.end.map(|end| frame(end).min(most)).filter(|&end| end > start);
        Chapter { label: section.label.clone(), start, end }
    };
    sections.iter().map(chapter).filter(|chapter| chapter.start <= most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(start: i128, end: Option<i128>) -> Section {
        Section { label: None, start, end }
    }

    #[test]
    fn chapters_are_counted_in_frames_of_the_stream() {
        let second = 1_000_000_000;
        let sections = [section(-5, Some(second)), section(second / 3, None), section(2 * second + 1, None)];
        let found = chapters(&sections, 48_000, Some(50_000));
        let numbers: Vec<(u64, Option<u64>)> = found.iter().map(|found| (found.start, found.end)).collect();
        assert_eq!(numbers, [(0, Some(48_000)), (16_000, None)]);
    }

    #[test]
    fn words_of_libav_are_numbers_of_id3() {
        assert_eq!((kind(c"Cover (front)"), kind(c"Band/artist logotype"), kind(c"a hat")), (3, 19, 0));
    }
}
