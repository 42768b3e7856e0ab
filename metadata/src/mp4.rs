//! MP4 and QuickTime (ISO/IEC 14496-12): what the movie box says.

use std::borrow::Cow;
use std::io;

use crate::atoms::{at, atoms, find};
use crate::bytes::Bytes;
use crate::cue::MAX_MARKERS;
use crate::error::{Error, Result};
use crate::input::{self, ReadAt};
use crate::model::{Marker, Metadata};
use crate::mp4_items;
use crate::options::Options;
use crate::time;

/// The most boxes at the top of a file.
const MAX_BOXES: usize = 1 << 20;

/// The largest movie box that is read whole where bytes cost much, and the largest table of a track.
const MAX_WHOLE: u64 = 16 << 10;
const MAX_TABLE: usize = 1 << 10;

/// The bytes of a box that are looked at first: its header, and how many entries it has.
const HEAD_BYTES: usize = 24;

/// The parts of a second in a list of chapters: 100 ns.
pub(crate) const CHAPTER_PER_SECOND: u64 = 10_000_000;

/// The most bytes of a sample of text.
const MAX_TEXT: u32 = 1 << 16;

/// A box at the top of a file.
#[derive(Clone, Debug)]
pub(crate) struct Top {
    pub(crate) kind: [u8; 4],
    pub(crate) header: u64,
    pub(crate) start: u64,
    pub(crate) end: u64,
}

/// The boxes at the top, up to one that does not fit.
pub(crate) fn tops(input: &dyn ReadAt) -> Result<Vec<Top>> {
    let (mut tops, mut header) = (Vec::new(), 0);
    while tops.len() < MAX_BOXES {
        let head = input::up_to(input, header, 16)?;
        let mut bytes = Bytes(&head);
        let (Some(size), Some(kind)) = (bytes.u32_be(), bytes.array()) else { break };
        let (start, num_bytes) = match size {
            0 => (header + 8, input.num_bytes() - header),
            1 => (header + 16, bytes.u64_be().unwrap_or(0)),
            size => (header + 8, size.into()),
        };
        let Some(end) = header.checked_add(num_bytes).filter(|&end| end >= start && end <= input.num_bytes())
        else {
            break;
        };
        tops.push(Top { kind, header, start, end });
        header = end;
    }
    Ok(tops)
}

/// A track of the movie.
#[derive(Clone, Copy, Debug)]
struct Track<'a> {
    id: u32,
    time_scale: u32,
    is_audio: bool,
    /// The sample table.
    table: &'a [u8],
    /// The tracks with its chapters.
    chapters: &'a [u8],
}

fn tracks(moov: &[u8]) -> impl Iterator<Item = Track<'_>> {
    atoms(moov).filter(|atom| &atom.kind == b"trak").filter_map(|trak| {
        let header = find(trak.payload, b"tkhd")?;
        // Times have 64 bits in version 1.
        let id = Bytes(header.get(if header.first() == Some(&1) { 20 } else { 12 }..)?).u32_be()?;
        let media = find(trak.payload, b"mdia")?;
        let header = find(media, b"mdhd")?;
        let time_scale = Bytes(header.get(if header.first() == Some(&1) { 20 } else { 12 }..)?).u32_be()?;
        let is_audio = find(media, b"hdlr")?.get(8..12) == Some(b"soun");
        let table = at(media, &[b"minf", b"stbl"]).unwrap_or_default();
        let chapters = at(trak.payload, &[b"tref", b"chap"]).unwrap_or_default();
        Some(Track { id, time_scale, is_audio, table, chapters })
    })
}

/// The rate of a movie's sound: the time scale of its first track of audio.
pub(crate) fn sample_rate(moov: &[u8]) -> u32 {
    tracks(moov).find(|track| track.is_audio).map_or(1, |track| track.time_scale)
}

pub(crate) fn read(input: &dyn ReadAt, options: &Options) -> Result<Metadata> {
    let mut metadata = Metadata::default();
    let tops = tops(input)?;
    let Some(moov) = tops.iter().find(|top| &top.kind == b"moov") else { return Ok(metadata) };
    let is_sparse = input.is_costly() && moov.end - moov.start > MAX_WHOLE;
    let moov = match is_sparse {
        true => Cow::Owned(sparse_movie(input, moov)?),
        false => input::bytes(input, moov.start, moov.end - moov.start)?,
    };
    if let Some(items) = mp4_items::list(&moov) {
        mp4_items::read(items, options, &mut metadata);
    }
    let audio = tracks(&moov).find(|track| track.is_audio);
    let rate = options.sample_rate.unwrap_or_else(|| sample_rate(&moov));
    metadata.markers = at(&moov, &[b"udta", b"chpl"]).map(|list| chapters(list, rate)).unwrap_or_default();
    if let Some(audio) = audio {
        if metadata.markers.is_empty() {
            metadata.markers = chapter_track(input, &moov, &audio, rate)?;
        }
        let is_fragmented = tops.iter().any(|top| &top.kind == b"moof");
        metadata.audio_bytes = match is_fragmented {
            false if !is_sparse => find(audio.table, b"stsz").and_then(table_bytes),
            _ if tracks(&moov).count() == 1 => {
                Some(tops.iter().filter(|top| &top.kind == b"mdat").map(|top| top.end - top.start).sum())
            }
            _ => None,
        };
    }
    Ok(metadata)
}

/// The movie box as [`input::bytes`] has it, but for the long tables of sound and pictures, which are left as zeros and not read.
fn sparse_movie(input: &dyn ReadAt, moov: &Top) -> Result<Vec<u8>> {
    let num_bytes = Some(moov.end - moov.start).filter(|&num_bytes| num_bytes <= input::MAX_BYTES);
    let num_bytes = num_bytes.and_then(|num_bytes| usize::try_from(num_bytes).ok());
    let mut movie = vec![0; num_bytes.ok_or(Error::Io(io::ErrorKind::UnexpectedEof.into()))?];
    fill(input, moov, &mut movie, &PARENTS, false)?;
    Ok(movie)
}

/// The boxes around the tables of a track, each in the one before.
const PARENTS: [[u8; 4]; 4] = [*b"trak", *b"mdia", *b"minf", *b"stbl"];

/// Reads the boxes in a part of a movie, which begins where `inside` does in the file. The first of `parents` may have tables inside.
fn fill(
    input: &dyn ReadAt,
    inside: &Top,
    part: &mut [u8],
    parents: &[[u8; 4]],
    mut is_media: bool,
) -> Result<()> {
    const TABLES: [[u8; 4]; 9] =
        [*b"stsz", *b"stz2", *b"stco", *b"co64", *b"stsc", *b"stts", *b"ctts", *b"stss", *b"sbgp"];
    let mut at = 0;
    while let Some(rest) = part.get_mut(at..).filter(|rest| rest.len() >= 8) {
        let head_bytes = rest.len().min(HEAD_BYTES);
        let (head, _) = rest.split_at_mut(head_bytes);
        input.read_at(inside.start + at as u64, head)?;
        let mut bytes = Bytes(head);
        let (Some(size), Some(kind)) = (bytes.u32_be(), bytes.array::<4>()) else { break };
        let (header_bytes, num_bytes) = match size {
            0 => (8, rest.len()),
            1 => (16, bytes.u64_be().and_then(|size| usize::try_from(size).ok()).unwrap_or(0)),
            size => (8, size as usize),
        };
        let Some(payload) = rest.get_mut(header_bytes..num_bytes) else { break };
        let start = inside.start + (at + header_bytes) as u64;
        let header = start - header_bytes as u64;
        let found = Top { kind, header, start, end: start + payload.len() as u64 };
        if let Some((parent, inner)) = parents.split_first()
            && parent == &kind
        {
            fill(input, &found, payload, inner, is_media)?;
        } else if !(is_media && TABLES.contains(&kind) && payload.len() > MAX_TABLE) {
            input.read_at(start, payload)?;
        }
        if &kind == b"hdlr" {
            is_media = matches!(payload.get(8..12), Some(b"soun" | b"vide"));
        }
        at += num_bytes;
    }
    Ok(())
}

/// The sizes of all samples together.
fn table_bytes(stsz: &[u8]) -> Option<u64> {
    let mut bytes = Bytes(stsz.get(4..)?);
    let (size, count) = (bytes.u32_be()?, bytes.u32_be()?);
    if size > 0 {
        return Some(u64::from(size) * u64::from(count));
    }
    let entries = bytes.0.as_chunks::<4>().0;
    Some(entries.iter().take(count as usize).map(|entry| u64::from(u32::from_be_bytes(*entry))).sum())
}

/// The list of chapters that Nero's programs introduced.
fn chapters(list: &[u8], sample_rate: u32) -> Vec<Marker> {
    let mut bytes = Bytes(list);
    let version = bytes.u8().unwrap_or(0);
    bytes.take(if version == 0 { 3 } else { 7 });
    let count = bytes.u8().unwrap_or(0);
    let mut markers = Vec::new();
    for _ in 0..count {
        let (Some(start), Some(length)) = (bytes.u64_be(), bytes.u8()) else { break };
        let Some(label) = bytes.take(length.into()) else { break };
        let start = time::to_frame(start, CHAPTER_PER_SECOND, sample_rate);
        markers.push(Marker { label: crate::bytes::text(label), start, end: None });
    }
    markers
}

/// The chapters in a track of text, as QuickTime has them.
fn chapter_track(input: &dyn ReadAt, moov: &[u8], audio: &Track<'_>, rate: u32) -> Result<Vec<Marker>> {
    let mut ids = Bytes(audio.chapters);
    let track = std::iter::from_fn(|| ids.u32_be()).find_map(|id| tracks(moov).find(|track| track.id == id));
    let Some(track) = track else { return Ok(Vec::new()) };
    let samples = samples(track.table).unwrap_or_default();
    let (mut markers, mut time) = (Vec::new(), 0_u64);
    for (offset, size, duration) in samples {
        let start = time::to_frame(time, track.time_scale.into(), rate);
        time = time.saturating_add(duration.into());
        let end = Some(time::to_frame(time, track.time_scale.into(), rate));
        let sample = input::up_to(input, offset, size.min(MAX_TEXT).into())?;
        let mut bytes = Bytes(&sample);
        let text = bytes.u16_be().and_then(|length| bytes.take(length.into())).unwrap_or_default();
        let label = match text {
            [0xfe, 0xff, ..] | [0xff, 0xfe, ..] => crate::id3_frames::decoded(1, text),
            _ => crate::bytes::text(text),
        };
        markers.push(Marker { label, start, end });
    }
    Ok(markers)
}

/// The offset, the size and the duration of each sample.
fn samples(table: &[u8]) -> Option<Vec<(u64, u32, u32)>> {
    let entries = |kind| find(table, kind).and_then(|payload| payload.get(4..)).map(Bytes);
    let mut sizes = entries(b"stsz")?;
    let (size, count) = (sizes.u32_be()?, sizes.u32_be()?);
    let mut durations = entries(b"stts")?;
    durations.u32_be()?;
    let mut runs = entries(b"stsc")?;
    runs.u32_be()?;
    let (mut offsets, is_long) = match entries(b"co64") {
        Some(offsets) => (offsets, true),
        None => (entries(b"stco")?, false),
    };
    let num_chunks = offsets.u32_be()?;
    let mut samples = Vec::new();
    let (mut left, mut duration) = (0_u32, 0_u32);
    let mut run = (runs.u32_be()?, runs.u32_be()?, runs.u32_be()?);
    let mut next = runs.u32_be();
    for chunk in 1..=num_chunks {
        if next == Some(chunk) {
            run = (chunk, runs.u32_be()?, runs.u32_be()?);
            next = runs.u32_be();
        }
        let mut offset = if is_long { offsets.u64_be()? } else { offsets.u32_be()?.into() };
        for _ in 0..run.1 {
            if samples.len() >= (count as usize).min(MAX_MARKERS) {
                return Some(samples);
            }
            let size = if size > 0 { size } else { sizes.u32_be()? };
            if left == 0 {
                (left, duration) = durations.u32_be().zip(durations.u32_be()).unwrap_or((u32::MAX, 0));
            }
            left = left.saturating_sub(1);
            samples.push((offset, size, duration));
            offset = offset.saturating_add(size.into());
        }
        if run.1 == 0 && samples.len() >= (count as usize).min(MAX_MARKERS) {
            break;
        }
    }
    Some(samples)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use std::cell::Cell;
    use std::io;

    use super::*;
    use crate::atoms::atom;

    /// Bytes that cost, and how many were read.
    struct Costly(Vec<u8>, Cell<usize>);

    impl ReadAt for Costly {
        fn num_bytes(&self) -> u64 {
            self.0.len() as u64
        }

        fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
            self.1.set(self.1.get() + buffer.len());
            self.0.as_slice().read_at(offset, buffer)
        }

        fn is_costly(&self) -> bool {
            true
        }
    }

    /// A movie with a track of so many packets of 200 bytes, a list of chapters, and these packets.
    fn movie(num_packets: u32) -> Vec<u8> {
        let words = |words: &[u32]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<u8>>();
        let head = [vec![0; 8], b"soun".to_vec(), vec![0; 12]].concat();
        let sizes: Vec<u32> = [0, 0, num_packets].into_iter().chain((0..num_packets).map(|_| 200)).collect();
        let stbl =
            [atom(b"stts", &words(&[0, 1, num_packets, 1024])), atom(b"stsz", &words(&sizes))].concat();
        let minf = atom(b"minf", &atom(b"stbl", &stbl));
        let mdia = [atom(b"mdhd", &words(&[0, 0, 0, 48_000, 0, 0])), atom(b"hdlr", &head), minf].concat();
        let trak = [atom(b"tkhd", &words(&[0, 0, 0, 1, 0])), atom(b"mdia", &mdia)].concat();
        let chapter =
            [vec![1, 0, 0, 0, 0, 0, 0, 0, 1], 20_000_000_u64.to_be_bytes().to_vec(), b"\x03two".to_vec()];
        let udta = atom(b"udta", &atom(b"chpl", &chapter.concat()));
        let moov = atom(b"moov", &[atom(b"trak", &trak), udta].concat());
        [moov, atom(b"mdat", &vec![7; 200 * num_packets as usize])].concat()
    }

    #[test]
    fn the_tables_of_a_long_movie_are_not_read_where_bytes_cost() {
        for num_packets in [100, 20_000] {
            let bytes = movie(num_packets);
            let expected = read(&bytes.as_slice(), &Options::default()).unwrap();
            assert_eq!(expected.markers.len(), 1);
            assert_eq!(expected.audio_bytes, Some(200 * u64::from(num_packets)));
            let costly = Costly(bytes, Cell::new(0));
            assert_eq!(crate::read(&costly, &Options::default()).unwrap(), expected);
            assert!(costly.1.get() < 4096, "{} bytes were read", costly.1.get());
        }
    }

    #[test]
    fn boxes_in_boxes_take_no_stack() {
        let depth = 100_000_u32;
        let inner = (1..=depth).rev().flat_map(|left| [(left * 8).to_be_bytes(), *b"trak"].concat());
        let bytes = atom(b"moov", &inner.collect::<Vec<u8>>());
        let costly = Costly(bytes, Cell::new(0));
        assert!(read(&costly, &Options::default()).unwrap().markers.is_empty());
    }
}
