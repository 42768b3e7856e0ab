//! The headers of RIFF/WAVE (Microsoft, *Multimedia Programming Interface and Data Specifications 1.0*; *Multiple Channel Audio
//! Data and WAVE Files*) and of RF64 (EBU Tech 3306).

#![forbid(unsafe_code)]

use super::header::{Header, PcmFacts};
use super::tags;
use crate::container::wave_tags::{ALAW, EXTENSIBLE, IEEE_FLOAT, MULAW, PCM, SUB_FORMAT};
use crate::pcm::{ByteOrder, SampleFormat, SampleKind};

/// The payload of `ds64`: three 64-bit sizes and the length of a table without entries.
const DS64_BYTES: u32 = 28;

/// The size field if the size is in `ds64` or not known yet.
const ELSEWHERE: u32 = u32::MAX;

/// RIFF/WAVE, or RF64 if the file is too large for RIFF.
pub(super) const WAV: PcmFacts = PcmFacts {
    byte_order: ByteOrder::Little,
    has_signed_bytes: false,
    has_channel_mask: true,
    pads_samples: true,
    tag_keys: tags::INFO_KEYS,
    header: |description, num_frames| Ok(header(description, num_frames, false)),
    completed: |description, num_frames| Ok(completed(description, num_frames, false)),
};

/// RF64 for all sizes.
pub(super) const RF64: PcmFacts = PcmFacts {
    header: |description, num_frames| Ok(header(description, num_frames, true)),
    completed: |description, num_frames| Ok(completed(description, num_frames, true)),
    ..WAV
};

/// The bytes before the samples. If the number of frames is not known yet, they include a `JUNK` chunk that can become `ds64`.
pub(super) fn header(header: &Header<'_>, num_frames: Option<u64>, is_rf64: bool) -> Vec<u8> {
    let num_data_bytes = num_frames.map(|num_frames| num_frames * header.frame_bytes());
    let mut chunks = Vec::new();
    append(&mut chunks, b"fmt ", &format_payload(header));
    if has_fact(header.samples) {
        append(&mut chunks, b"fact", &saturated(num_frames.unwrap_or(u64::MAX)).to_le_bytes());
    }
    chunks.extend(tags::info_list(header.tags));
    chunks.extend_from_slice(header.more);

    // After the first eight bytes of the file: the form's type, the chunks, and the data with its header and padding.
    let riff_bytes =
        |reserved: u64| num_data_bytes.map(|data| 4 + reserved + chunks.len() as u64 + 8 + data + data % 2);
    let reserved = u64::from(DS64_BYTES) + 8;
    let is_large = is_rf64 || riff_bytes(0).is_some_and(|size| size >= ELSEWHERE.into());
    let (id, size) = match riff_bytes(if num_frames.is_none() { reserved } else { 0 }) {
        Some(size) if !is_large => (b"RIFF", saturated(size)),
        None if !is_rf64 => (b"RIFF", ELSEWHERE),
        _ => (b"RF64", ELSEWHERE),
    };
    let mut bytes = id.to_vec();
    bytes.extend_from_slice(&size.to_le_bytes());
    bytes.extend_from_slice(b"WAVE");
    match (riff_bytes(reserved), num_data_bytes, num_frames) {
        (Some(riff), Some(data), Some(frames)) if is_large => {
            let sizes = [riff, data, frames].map(u64::to_le_bytes).concat();
            append(&mut bytes, b"ds64", &[&sizes, [0; 4].as_slice()].concat());
        }
        (None, ..) => append(&mut bytes, b"JUNK", &[0; DS64_BYTES as usize]),
        _ => {}
    }
    bytes.append(&mut chunks);
    bytes.extend_from_slice(b"data");
    let data = num_data_bytes.filter(|_| !is_large).map_or(ELSEWHERE, saturated);
    bytes.extend_from_slice(&data.to_le_bytes());
    bytes
}

/// The final header of a file that was begun with an unknown length. It is as long as the initial header.
pub(super) fn completed(header: &Header<'_>, num_frames: u64, is_rf64: bool) -> Vec<u8> {
    let known = self::header(header, Some(num_frames), is_rf64);
    if known.starts_with(b"RF64") {
        return known;
    }
    // The reserved chunk stays and counts.
    let mut bytes = self::header(header, None, false);
    let data = num_frames * header.frame_bytes();
    let riff = bytes.len() as u64 - 8 + data + data % 2;
    if riff >= ELSEWHERE.into() {
        return self::header(header, Some(num_frames), true);
    }
    overwrite(&mut bytes, 4, saturated(riff));
    let end = bytes.len();
    overwrite(&mut bytes, end - 4, saturated(data));
    if let Some(fact) = bytes.windows(4).position(|id| id == b"fact") {
        overwrite(&mut bytes, fact + 8, saturated(num_frames));
    }
    bytes
}

fn overwrite(bytes: &mut [u8], at: usize, value: u32) {
    if let Some(place) = bytes.get_mut(at..at + 4) {
        place.copy_from_slice(&value.to_le_bytes());
    }
}

/// Whether a file with such samples has a `fact` chunk with the number of frames: all but integers do.
pub(super) fn has_fact(samples: SampleFormat) -> bool {
    !samples.is_integer()
}

/// The payload of `fmt `: the basic form, which every reader knows, for one or two channels at the usual speakers; otherwise the
/// extensible form.
pub(super) fn format_payload(header: &Header<'_>) -> Vec<u8> {
    let tag = match header.samples.kind() {
        SampleKind::Integer => PCM,
        SampleKind::Float => IEEE_FLOAT,
        SampleKind::Alaw => ALAW,
        SampleKind::Mulaw => MULAW,
    };
    let usual_mask = match header.num_channels {
        1 => 0x4,
        2 => 0x3,
        _ => 0,
    };
    let is_extensible =
        header.num_channels > 2 || (header.channel_mask != 0 && header.channel_mask != usual_mask);
    let frame_bytes = u16::try_from(header.frame_bytes()).unwrap_or(u16::MAX);
    let bits = header.samples.bits();
    let byte_rate = saturated(u64::from(header.sample_rate) * header.frame_bytes());
    let mut payload = if is_extensible { EXTENSIBLE } else { tag }.to_le_bytes().to_vec();
    payload.extend_from_slice(&header.num_channels.to_le_bytes());
    payload.extend_from_slice(&header.sample_rate.to_le_bytes());
    payload.extend_from_slice(&byte_rate.to_le_bytes());
    payload.extend_from_slice(&frame_bytes.to_le_bytes());
    payload.extend_from_slice(&bits.to_le_bytes());
    if is_extensible {
        payload.extend_from_slice(&22_u16.to_le_bytes());
        payload.extend_from_slice(&bits.to_le_bytes());
        payload.extend_from_slice(&header.channel_mask.to_le_bytes());
        payload.extend_from_slice(&tag.to_le_bytes());
        payload.extend_from_slice(&SUB_FORMAT);
    } else if matches!(tag, ALAW | MULAW) {
        payload.extend_from_slice(&0_u16.to_le_bytes());
    }
    payload
}

fn append(bytes: &mut Vec<u8>, id: &[u8; 4], payload: &[u8]) {
    bytes.extend_from_slice(id);
    bytes.extend_from_slice(&saturated(payload.len() as u64).to_le_bytes());
    bytes.extend_from_slice(payload);
}

fn saturated(size: u64) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::container;
    use crate::pcm::ByteOrder;
    use crate::track::Container;

    const S16: SampleFormat = SampleFormat::S16(ByteOrder::Little);

    fn stereo(samples: SampleFormat) -> Header<'static> {
        Header { samples, sample_rate: 44_100, num_channels: 2, channel_mask: 0, tags: &[], more: &[] }
    }

    #[test]
    fn two_channels_of_16_bits_have_the_header_of_44_bytes() {
        let expected = b"RIFF\x2c\0\0\0WAVEfmt \x10\0\0\0\x01\0\x02\0\x44\xac\0\0\x10\xb1\x02\0\x04\0\x10\0data\x08\0\0\0";
        assert_eq!(header(&stereo(S16), Some(2), false), expected);
    }

    #[test]
    fn a_header_begun_without_a_length_is_completed_in_its_place() {
        for samples in [S16, SampleFormat::F32(ByteOrder::Little), SampleFormat::Alaw] {
            let description = stereo(samples);
            let begun = header(&description, None, false);
            for num_frames in [0, 1, 1000, 3_000_000_000] {
                let completed = completed(&description, num_frames, false);
                assert_eq!(completed.len(), begun.len());
                let len = begun.len() as u64 + num_frames * description.frame_bytes();
                let track = container::parse(&completed, len + len % 2).unwrap();
                assert_eq!((track.num_frames, track.missing_bytes), (Some(num_frames), 0));
                let is_large = len + 8 > u64::from(u32::MAX);
                assert_eq!(track.container, if is_large { Container::RF64 } else { Container::WAV });
            }
        }
    }

    #[test]
    fn a_length_beyond_32_bits_stands_in_ds64() {
        let description = stereo(S16);
        // The largest file that RIFF supports, and one frame more.
        let most = (u64::from(u32::MAX) - 1 - 36) / 4;
        assert!(header(&description, Some(most), false).starts_with(b"RIFF"));
        let large = header(&description, Some(most + 1), false);
        assert!(large.starts_with(b"RF64\xff\xff\xff\xffWAVEds64\x1c\0\0\0"));
        let riff = u64::from_le_bytes(*large.get(20..).unwrap().first_chunk().unwrap());
        assert_eq!(riff, large.len() as u64 - 8 + (most + 1) * 4);
        let track = container::parse(&large, large.len() as u64 + (most + 1) * 4).unwrap();
        assert_eq!((track.container, track.num_frames), (Container::RF64, Some(most + 1)));
        assert!(header(&description, Some(1), true).starts_with(b"RF64"));
    }

    #[test]
    fn more_channels_or_other_places_are_extensible() {
        let quad = Header { num_channels: 4, channel_mask: 0x33, ..stereo(S16) };
        let bytes = header(&quad, Some(0), false);
        let track = container::parse(&bytes, bytes.len() as u64).unwrap();
        assert_eq!((track.num_channels, track.channel_mask), (4, 0x33));
        assert_eq!(bytes.get(20..22), Some([0xfe, 0xff].as_slice()));
        let usual = Header { channel_mask: 0x3, ..stereo(S16) };
        assert_eq!(header(&usual, Some(0), false).len(), 44);
    }

    #[test]
    fn samples_of_every_format_begin_at_a_multiple_of_their_size() {
        for samples in [S16, SampleFormat::F32(ByteOrder::Little), SampleFormat::F64(ByteOrder::Little)] {
            assert_eq!(header(&stereo(samples), Some(5), false).len() % samples.num_bytes(), 0);
        }
    }
}
