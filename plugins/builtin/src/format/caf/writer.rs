//! Writes a stream of packets in CAF (Apple Core Audio Format Specification 1.0): the packets in the data chunk, and behind it the
//! table of their sizes.

#![forbid(unsafe_code)]

use mapwave_plugin::{Result, Sink};

use crate::engine::patched_file::PatchedFile;

/// A layout given by a mask of speakers ("Channel Layout Chunk").
const USE_BITMAP: u32 = 1 << 16;

/// CAF's own names for those tags that have others elsewhere ("Information Chunk").
const TAG_NAMES: [(&str, &str); 3] =
    [("tracknumber", "track number"), ("date", "recorded date"), ("comment", "comments")];

/// The bytes of the edit count in front of the packets.
const EDIT_COUNT: u64 = 4;

/// The properties of the stream.
pub(crate) struct WrittenStream<'a> {
    pub(crate) format: &'a [u8; 4],
    pub(crate) flags: u32,
    pub(crate) bits_per_sample: u32,
    pub(crate) frames_per_packet: u32,
    pub(crate) sample_rate: u32,
    pub(crate) num_channels: u32,
    pub(crate) channel_mask: u64,
    /// The codec's setup; none if it is empty.
    pub(crate) cookie: &'a [u8],
    pub(crate) tags: &'a [(&'a str, &'a str)],
}

/// A stream of packets on its way to a file.
pub(crate) struct CafWriter {
    file: PatchedFile,
    /// Where the size of the data chunk is, to be written over at the end.
    size_at: u64,
    num_data_bytes: u64,
    num_packets: u64,
    /// The size of each packet, as the table has it.
    sizes: Vec<u8>,
}

impl CafWriter {
    /// Writes the headers.
    ///
    /// # Errors
    /// [`Status::Io`](mapwave_plugin::Status::Io) when the sink fails.
    pub(crate) fn new(sink: Sink, stream: &WrittenStream<'_>) -> Result<Self> {
        let mut description = f64::from(stream.sample_rate).to_be_bytes().to_vec();
        description.extend(stream.format);
        for field in [stream.flags, 0, stream.frames_per_packet, stream.num_channels, stream.bits_per_sample]
        {
            description.extend(field.to_be_bytes());
        }
        let mut bytes = b"caff\0\x01\0\0".to_vec();
        append(&mut bytes, b"desc", &description);
        if let Ok(mask @ 1..) = u32::try_from(stream.channel_mask) {
            append(&mut bytes, b"chan", &[USE_BITMAP, mask, 0].map(u32::to_be_bytes).concat());
        }
        if !stream.cookie.is_empty() {
            append(&mut bytes, b"kuki", stream.cookie);
        }
        if !stream.tags.is_empty() {
            append(&mut bytes, b"info", &strings(stream.tags));
        }
        bytes.extend(b"data");
        let size_at = bytes.len() as u64;
        bytes.extend([0; 8]);
        bytes.extend(0_u32.to_be_bytes());
        let mut writer = Self {
            file: PatchedFile::new(sink),
            size_at,
            num_data_bytes: EDIT_COUNT,
            num_packets: 0,
            sizes: Vec::new(),
        };
        writer.file.append(&bytes)?;
        Ok(writer)
    }

    /// Writes a packet.
    ///
    /// # Errors
    /// [`Status::Io`](mapwave_plugin::Status::Io) when the sink fails.
    pub(crate) fn write(&mut self, packet: &[u8]) -> Result<()> {
        self.file.append(packet)?;
        self.num_data_bytes += packet.len() as u64;
        self.num_packets += 1;
        append_number(&mut self.sizes, packet.len() as u64);
        Ok(())
    }

    /// Completes the file: of all frames that the packets decode to, `priming` at the beginning and `padding` at the end are
    /// left out, and `num_frames` remain.
    ///
    /// # Errors
    /// [`Status::Io`](mapwave_plugin::Status::Io) when the sink fails.
    pub(crate) fn finish(&mut self, priming: u32, num_frames: u64, padding: u32) -> Result<()> {
        let mut table = [self.num_packets, num_frames].map(u64::to_be_bytes).concat();
        table.extend([priming, padding].map(u32::to_be_bytes).concat());
        table.append(&mut self.sizes);
        let mut bytes = Vec::new();
        append(&mut bytes, b"pakt", &table);
        self.file.append(&bytes)?;
        let (size_at, size) = (self.size_at, self.num_data_bytes.to_be_bytes());
        self.file.finish(size_at, size)
    }
}

fn append(bytes: &mut Vec<u8>, id: &[u8; 4], payload: &[u8]) {
    bytes.extend(id);
    bytes.extend((payload.len() as u64).to_be_bytes());
    bytes.extend(payload);
}

/// The payload of an `info` chunk: a count, and names and values that zeros end.
fn strings(tags: &[(&str, &str)]) -> Vec<u8> {
    let mut strings = u32::try_from(tags.len()).unwrap_or(u32::MAX).to_be_bytes().to_vec();
    for (name, value) in tags {
        let name = TAG_NAMES.iter().find(|(known, _)| known == name).map_or(*name, |(_, own)| own);
        for text in [name, value] {
            strings.extend(text.bytes().filter(|byte| *byte != 0));
            strings.push(0);
        }
    }
    strings
}

/// A number with 7 bits per byte, most significant first; all bytes but the last have bit 7 set.
fn append_number(bytes: &mut Vec<u8>, number: u64) {
    let num_groups = (64 - number.leading_zeros()).div_ceil(7).max(1);
    for group in (0..num_groups).rev() {
        let seven = u8::try_from(number >> (7 * group) & 0x7F).unwrap_or(0);
        bytes.push(seven | if group > 0 { 0x80 } else { 0 });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_take_seven_bits_a_byte() {
        let number = |number| {
            let mut bytes = Vec::new();
            append_number(&mut bytes, number);
            bytes
        };
        assert_eq!([number(0), number(5), number(127)], [[0], [5], [0x7F]]);
        assert_eq!([number(128), number(16_383)], [[0x81, 0x00], [0xFF, 0x7F]]);
        assert_eq!(number(u32::MAX.into()), [0x8F, 0xFF, 0xFF, 0xFF, 0x7F]);
    }
}
