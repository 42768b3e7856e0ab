//! MP3 and other MPEG audio, and ADTS: frames with ID3 tags before and behind them.

use crate::bytes::Bytes;
use crate::edit::Edit;
use crate::error::{Error, Result};
use crate::flac::behind_id3;
use crate::id3::{self, edited_frames, padded};
use crate::id3_frames::Header;
use crate::input::{self, ReadAt};
use crate::model::Metadata;
use crate::options::Options;
use crate::plan::{Piece, Plan};

/// The padding left for later changes when a file is written as a whole.
const ROOM: usize = 2048;

/// How far the first frame is searched.
const SEARCHED: u64 = 1 << 16;

/// The size of an ID3v1 tag.
const V1_BYTES: u64 = 128;

/// The rates of MPEG-1 by their number; MPEG-2 has half of them, MPEG-2.5 a quarter.
const RATES: [u32; 3] = [44_100, 48_000, 32_000];

/// The rates of ADTS by their number (ISO/IEC 14496-3, table 1.18).
const ADTS_RATES: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];

/// The rate in a frame's header.
pub(crate) fn frame_rate(header: [u8; 4]) -> Option<u32> {
    let [0xff, second, third, _] = header else { return None };
    if second & 0xe0 != 0xe0 {
        return None;
    }
    if second & 0xf6 == 0xf0 {
        return ADTS_RATES.get(usize::from(third >> 2 & 15)).copied();
    }
    let (version, layer, bitrate) = (second >> 3 & 3, second >> 1 & 3, third >> 4);
    if version == 1 || layer == 0 || bitrate == 15 {
        return None;
    }
    let rate = RATES.get(usize::from(third >> 2 & 3))?;
    Some(rate >> [2, 0, 1, 0].get(usize::from(version)).copied().unwrap_or(0))
}

/// The bitrates of layer III in kbit/s by their number: of MPEG-1, and of the others.
const BITRATES: [[u32; 15]; 2] = [
    [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
    [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
];

/// The size of a first frame that holds no sound but facts: `Xing` or `Info` behind the side information, or `VBRI`.
fn facts_bytes(input: &dyn ReadAt, start: u64) -> Result<u64> {
    let frame = input::up_to(input, start, 48)?;
    let size = (|| {
        let header: [u8; 4] = Bytes(&frame).array()?;
        let rate = frame_rate(header)?;
        let [_, second, third, fourth] = header;
        let (is_first, is_layer_3, is_mono) = (second >> 3 & 3 == 3, second >> 1 & 3 == 1, fourth >> 6 == 3);
        let side_bytes = match (is_first, is_mono) {
            (true, false) => 32,
            (true, true) | (false, false) => 17,
            (false, true) => 9,
        };
        let is_at = |at: usize, word: &[u8]| frame.get(at..at + 4) == Some(word);
        let has_facts =
            is_at(4 + side_bytes, b"Xing") || is_at(4 + side_bytes, b"Info") || is_at(36, b"VBRI");
        let bitrate = BITRATES.get(usize::from(!is_first))?.get(usize::from(third >> 4))?;
        let num_bytes = if is_first { 144_000 } else { 72_000 } * bitrate / rate + u32::from(third >> 1 & 1);
        (is_layer_3 && has_facts).then_some(u64::from(num_bytes))
    })();
    Ok(size.unwrap_or(0))
}

fn sample_rate(input: &dyn ReadAt, start: u64) -> Result<u32> {
    let bytes = input::up_to(input, start, SEARCHED)?;
    let header = bytes.windows(4).find_map(|window| frame_rate(window.try_into().ok()?));
    Ok(header.unwrap_or(44_100))
}

/// The size of an ID3v1 tag at the end.
fn v1(input: &dyn ReadAt) -> Result<Option<[u8; 128]>> {
    let Some(start) = input.num_bytes().checked_sub(V1_BYTES) else { return Ok(None) };
    let tag = input::bytes(input, start, V1_BYTES)?;
    Ok(tag.first_chunk().copied().filter(|tag: &[u8; 128]| tag.starts_with(b"TAG")))
}

/// The size of an APE tag that ends at `end`.
fn ape_bytes(input: &dyn ReadAt, end: u64) -> Result<u64> {
    let Some(start) = end.checked_sub(32) else { return Ok(0) };
    let footer = input::bytes(input, start, 32)?;
    let mut bytes = Bytes(&footer);
    let size = (|| {
        let (b"APETAGEX", _) = (&bytes.array::<8>()?, bytes.u32_le()?) else { return None };
        let (size, _, flags) = (bytes.u32_le()?, bytes.u32_le()?, bytes.u32_le()?);
        Some(u64::from(size) + if flags & 0x8000_0000 != 0 { 32 } else { 0 })
    })();
    Ok(size.unwrap_or(0))
}

pub(crate) fn read(input: &dyn ReadAt, options: &Options) -> Result<Metadata> {
    let start = behind_id3(input)?;
    let rate = match options.sample_rate {
        Some(rate) => rate,
        None => sample_rate(input, start)?,
    };
    let mut metadata = Metadata::default();
    let mut at = 0;
    while at < start {
        let Some(header) = Header::parse(&input::up_to(input, at, 10)?) else { break };
        id3::read(&input::up_to(input, at, header.num_bytes())?, rate, options, &mut metadata);
        at += header.num_bytes();
    }
    let mut end = input.num_bytes();
    if let Some(tag) = v1(input)? {
        id3::read_v1(&tag, &mut metadata);
        end -= V1_BYTES;
    }
    end -= ape_bytes(input, end)?.min(end);
    metadata.audio_bytes = Some(end.saturating_sub(start).saturating_sub(facts_bytes(input, start)?));
    Ok(metadata)
}

pub(crate) fn plan(input: &dyn ReadAt, edit: &Edit, format: &'static str, rate: Option<u32>) -> Result<Plan> {
    edit.lacks_all(format, &["bext"])?;
    let start = behind_id3(input)?;
    if start > input.num_bytes() {
        return Err(Error::malformed(format, 0, "the ID3 tag goes beyond the end of the file"));
    }
    let first = Header::parse(&input::up_to(input, 0, 10)?);
    let old = match first {
        Some(header) => Some(input::bytes(input, 0, header.num_bytes())?),
        None => None,
    };
    let rate = match rate {
        Some(rate) => rate,
        None => sample_rate(input, start)?,
    };
    let frames = edited_frames(old.as_deref(), edit, format, rate)?;
    // All tags before the sound become one.
    let there = usize::try_from(start).unwrap_or(usize::MAX);
    let room = match there.checked_sub(frames.len() + 10) {
        Some(room) if start > 0 => room,
        _ if frames.is_empty() => 0,
        _ => ROOM,
    };
    let tag = if frames.is_empty() && start == 0 { Some(Vec::new()) } else { padded(&frames, room) };
    let tag = tag.ok_or_else(|| Error::Lacks {
        format,
        item: "pictures",
        what: "an ID3 tag holds less than 256 MiB".to_owned(),
    })?;
    // An older tag at the end would contradict the new one.
    let end = match v1(input)? {
        Some(_) if edit.tags.is_some() => input.num_bytes() - V1_BYTES,
        _ => input.num_bytes(),
    };
    Ok(Plan::new(vec![Piece::New(tag), Piece::Kept(start..end.max(start))]))
}

/// Checks that a file can hold an edit.
pub(crate) fn check(edit: &Edit, format: &'static str) -> Result<()> {
    edit.lacks_all(format, &["bext"])?;
    edited_frames(None, edit, format, 1).map(|_| ())
}
