//! The header of Sony Wave64 (Sonic Foundry, *Sony Pictures Digital Wave 64*).
//!
//! Chunks are 8-byte aligned. The data is the last chunk and is not padded, because libsndfile treats everything that follows as
//! audio.

#![forbid(unsafe_code)]

use super::header::{Header, PcmFacts};
use super::tags::TagKeys;
use super::wav;
use crate::container::w64::{DATA, FACT, FMT, Guid, RIFF, WAVE};
use crate::pcm::ByteOrder;

/// Wave64.
pub(super) const W64: PcmFacts = PcmFacts {
    byte_order: ByteOrder::Little,
    has_signed_bytes: false,
    has_channel_mask: true,
    pads_samples: false,
    tag_keys: TagKeys::Only(&[]),
    header: |description, num_frames| Ok(header(description, num_frames)),
    completed: |description, num_frames| Ok(header(description, Some(num_frames))),
};

/// A GUID and a size, which includes both.
const HEADER_BYTES: u64 = 24;

/// The bytes before the samples; their number does not depend on whether the length is known. An unknown length is stored as 0.
pub(super) fn header(header: &Header<'_>, num_frames: Option<u64>) -> Vec<u8> {
    let data = num_frames.unwrap_or(0) * header.frame_bytes();
    let mut chunks = Vec::new();
    append(&mut chunks, &FMT, wav::format_payload(header));
    if wav::has_fact(header.samples) {
        append(&mut chunks, &FACT, num_frames.unwrap_or(0).to_le_bytes().to_vec());
    }
    let file_bytes = HEADER_BYTES + 16 + chunks.len() as u64 + HEADER_BYTES + data;
    let mut bytes = RIFF.to_vec();
    bytes.extend_from_slice(&file_bytes.to_le_bytes());
    bytes.extend_from_slice(&WAVE);
    bytes.append(&mut chunks);
    bytes.extend_from_slice(&DATA);
    bytes.extend_from_slice(&(HEADER_BYTES + data).to_le_bytes());
    bytes
}

fn append(bytes: &mut Vec<u8>, id: &Guid, mut payload: Vec<u8>) {
    bytes.extend_from_slice(id);
    bytes.extend_from_slice(&(HEADER_BYTES + payload.len() as u64).to_le_bytes());
    payload.resize(payload.len().next_multiple_of(8), 0);
    bytes.append(&mut payload);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::container;
    use crate::pcm::{ByteOrder, SampleFormat};

    #[test]
    fn the_sizes_are_those_of_the_file() {
        for samples in
            [SampleFormat::S24(ByteOrder::Little), SampleFormat::F32(ByteOrder::Little), SampleFormat::Mulaw]
        {
            let description = Header {
                samples,
                sample_rate: 48_000,
                num_channels: 3,
                channel_mask: 0x7,
                tags: &[],
                more: &[],
            };
            assert_eq!(header(&description, None).len(), header(&description, Some(7)).len());
            for num_frames in [0, 7, 3_000_000_000] {
                let bytes = header(&description, Some(num_frames));
                let len = bytes.len() as u64 + num_frames * description.frame_bytes();
                assert_eq!(u64::from_le_bytes(*bytes.get(16..).unwrap().first_chunk().unwrap()), len);
                let track = container::parse(&bytes, len).unwrap();
                assert_eq!((track.num_frames, track.missing_bytes), (Some(num_frames), 0));
                assert_eq!((track.sample_rate, track.num_channels, track.channel_mask), (48_000, 3, 0x7));
            }
        }
    }
}
