//! Sony Wave64, which is only read: it names chunks by GUIDs, most of which are RIFF's names with a fixed end.

use crate::bytes::Bytes;
use crate::error::Result;
use crate::input::{self, ReadAt};
use crate::model::Metadata;
use crate::{bext, cue};

/// The end of the GUIDs of chunks that RIFF has too, but `riff` and `LIST`.
const TAIL: [u8; 12] = [0xf3, 0xac, 0xd3, 0x11, 0x8c, 0xd1, 0, 0xc0, 0x4f, 0x8e, 0xdb, 0x8a];

/// The most chunks that are read.
const MAX_CHUNKS: usize = 4096;

pub(crate) fn read(input: &dyn ReadAt) -> Result<Metadata> {
    let mut metadata = Metadata::default();
    let mut offset = 40;
    for _ in 0..MAX_CHUNKS {
        let head = input::up_to(input, offset, 24)?;
        let mut bytes = Bytes(&head);
        let (Some(id), Some(tail), Some(size)) = (bytes.array::<4>(), bytes.array::<12>(), bytes.u64_le())
        else {
            break;
        };
        let Some(num_bytes) = size.checked_sub(24) else { break };
        let start = offset + 24;
        let there = num_bytes.min(input.num_bytes().saturating_sub(start));
        let is_whole = there == num_bytes && num_bytes <= input::MAX_BYTES;
        match &id {
            b"data" if tail == TAIL => metadata.audio_bytes = Some(there),
            b"bext" if tail == TAIL && is_whole => {
                metadata.bext = bext::parse(&input::bytes(input, start, num_bytes)?);
            }
            b"smpl" if tail == TAIL && is_whole => {
                metadata.loops = cue::loops(&input::bytes(input, start, num_bytes)?, false);
            }
            b"cue " if tail == TAIL && is_whole => {
                metadata.markers = cue::markers(&input::bytes(input, start, num_bytes)?, &[], false);
            }
            _ => {}
        }
        let Some(next) = size.checked_next_multiple_of(8).and_then(|size| offset.checked_add(size)) else {
            break;
        };
        offset = next;
    }
    Ok(metadata)
}
