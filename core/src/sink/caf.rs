//! The header of CAF (*Apple Core Audio Format Specification 1.0*).

#![forbid(unsafe_code)]

use super::header::{Header, PcmFacts};
use super::tags::{self, TagKeys};
use crate::container::caf_description::{A_LAW, IS_FLOAT, IS_LITTLE_ENDIAN, LINEAR_PCM, MU_LAW};
use crate::container::channel_layout::USE_BITMAP;
use crate::pcm::{ByteOrder, SampleKind};

/// CAF, in little-endian.
pub(super) const CAF: PcmFacts = PcmFacts {
    byte_order: ByteOrder::Little,
    has_signed_bytes: true,
    has_channel_mask: true,
    pads_samples: false,
    tag_keys: TagKeys::Any,
    header: |description, num_frames| Ok(header(description, num_frames)),
    completed: |description, num_frames| Ok(header(description, Some(num_frames))),
};

/// The size of data that extends to the end of the file.
const UNKNOWN: u64 = u64::MAX;

/// The bytes before the samples; their number does not depend on whether the length is known.
pub(super) fn header(header: &Header<'_>, num_frames: Option<u64>) -> Vec<u8> {
    let (format, flags) = match header.samples.kind() {
        SampleKind::Float => (LINEAR_PCM, IS_FLOAT | IS_LITTLE_ENDIAN),
        SampleKind::Alaw => (A_LAW, 0),
        SampleKind::Mulaw => (MU_LAW, 0),
        // A single byte has no byte order.
        SampleKind::Integer if header.samples.num_bytes() == 1 => (LINEAR_PCM, 0),
        SampleKind::Integer => (LINEAR_PCM, IS_LITTLE_ENDIAN),
    };
    let mut description = f64::from(header.sample_rate).to_be_bytes().to_vec();
    description.extend_from_slice(&format.0);
    let frame_bytes = u32::try_from(header.frame_bytes()).unwrap_or(u32::MAX);
    for field in [flags, frame_bytes, 1, header.num_channels.into(), header.samples.bits().into()] {
        description.extend_from_slice(&field.to_be_bytes());
    }
    let mut bytes = b"caff\0\x01\0\0".to_vec();
    append(&mut bytes, b"desc", &description);
    if header.channel_mask != 0 {
        let layout = [USE_BITMAP, header.channel_mask, 0].map(u32::to_be_bytes).concat();
        append(&mut bytes, b"chan", &layout);
    }
    let strings = tags::caf_strings(header.tags);
    if !strings.is_empty() {
        append(&mut bytes, b"info", &strings);
    }
    bytes.extend_from_slice(header.more);
    // The samples are 8-byte aligned: a chunk that readers skip fills the gap before `data` and its edit count.
    let free = (8 - (bytes.len() + 12 + 12 + 4) % 8) % 8;
    append(&mut bytes, b"free", &vec![0; free]);
    let data = num_frames.map_or(UNKNOWN, |num_frames| 4 + num_frames * header.frame_bytes());
    bytes.extend_from_slice(b"data");
    bytes.extend_from_slice(&data.to_be_bytes());
    bytes.extend_from_slice(&[0; 4]);
    bytes
}

fn append(bytes: &mut Vec<u8>, id: &[u8; 4], payload: &[u8]) {
    bytes.extend_from_slice(id);
    bytes.extend_from_slice(&(payload.len() as u64).to_be_bytes());
    bytes.extend_from_slice(payload);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::container;
    use crate::pcm::ByteOrder::Little;
    use crate::pcm::SampleFormat;

    #[test]
    fn every_sample_format_reads_back() {
        let tags = [("title".to_owned(), "x".to_owned())];
        for samples in [
            SampleFormat::S8,
            SampleFormat::S16(Little),
            SampleFormat::S24(Little),
            SampleFormat::S32(Little),
            SampleFormat::F32(Little),
            SampleFormat::F64(Little),
            SampleFormat::Alaw,
            SampleFormat::Mulaw,
        ] {
            let description = Header {
                samples,
                sample_rate: 192_000,
                num_channels: 6,
                channel_mask: 0x3f,
                tags: &tags,
                more: &[],
            };
            for num_frames in [0, 1001] {
                let bytes = header(&description, Some(num_frames));
                assert_eq!(bytes.len(), header(&description, None).len());
                assert_eq!(bytes.len() % 8, 0);
                let len = bytes.len() as u64 + num_frames * description.frame_bytes();
                let track = container::parse(&bytes, len).unwrap();
                assert_eq!((track.pcm(), track.num_frames), (Some(samples), Some(num_frames)));
                assert_eq!((track.sample_rate, track.num_channels, track.channel_mask), (192_000, 6, 0x3f));
            }
        }
    }
}
