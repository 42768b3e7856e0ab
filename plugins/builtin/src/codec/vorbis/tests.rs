//! Setups that Symphonia's decoder would decode wrongly, made bit by bit (Vorbis I specification, section 4.2).
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use mapwave_plugin::Status;

use super::VorbisSetup;

/// Writes bits from the least significant on.
#[derive(Default)]
struct BitWriter {
    bytes: Vec<u8>,
    num_bits: usize,
}

impl BitWriter {
    fn put(&mut self, value: u32, num_bits: usize) {
        for bit in 0..num_bits {
            if self.num_bits.is_multiple_of(8) {
                self.bytes.push(0);
            }
            *self.bytes.last_mut().unwrap() |= ((u64::from(value) >> bit & 1) as u8) << (self.num_bits % 8);
            self.num_bits += 1;
        }
    }
}

/// A stream of blocks of 256 and 512 with one floor, one residue and one mapping.
struct Stream {
    num_channels: u8,
    format: u32,
    end: u32,
    partition_size: u32,
    /// The dimensions of the book of classes, which has two classes.
    num_dimensions: u32,
    /// The passes of each class, as a mask, all with the same book.
    cascades: [u32; 2],
    /// The submap of each channel.
    multiplex: Vec<u32>,
    has_long_blocks: bool,
}

/// What libvorbis makes of three channels at 48 kHz, in small: 9 partitions in pairs.
fn uncoupled() -> Stream {
    Stream {
        num_channels: 3,
        format: 1,
        end: 9 * 16,
        partition_size: 16,
        num_dimensions: 2,
        cascades: [0b01, 0b11],
        multiplex: vec![0; 3],
        has_long_blocks: true,
    }
}

impl Stream {
    fn setup(&self) -> Vec<u8> {
        let mut bits = BitWriter::default();
        bits.put(2 - 1, 8);
        for (num_dimensions, has_vectors) in [(self.num_dimensions, false), (4, true)] {
            let num_entries = 1 << num_dimensions;
            bits.put(0x56_4342, 24);
            bits.put(num_dimensions, 16);
            bits.put(num_entries, 24);
            bits.put(0, 2);
            (0..num_entries).for_each(|_| bits.put(num_dimensions - 1, 5));
            bits.put(u32::from(has_vectors), 4);
            if has_vectors {
                bits.put(0, 32);
                bits.put(0, 32);
                bits.put(0, 4);
                bits.put(0, 1);
                bits.put(0b10, 2); // two values
            }
        }
        bits.put(0, 6 + 16);
        bits.put(0, 6);
        bits.put(1, 16); // a floor of two points
        bits.put(0, 5 + 2);
        bits.put(7, 4);
        bits.put(0, 6);
        bits.put(self.format, 16);
        bits.put(0, 24);
        bits.put(self.end, 24);
        bits.put(self.partition_size - 1, 24);
        bits.put(2 - 1, 6);
        bits.put(0, 8);
        for cascade in self.cascades {
            bits.put(cascade, 3);
            bits.put(0, 1);
        }
        (0..self.cascades.iter().map(|cascade| cascade.count_ones()).sum()).for_each(|_| bits.put(1, 8));
        let num_submaps = self.multiplex.iter().max().unwrap() + 1;
        bits.put(0, 6 + 16);
        bits.put(u32::from(num_submaps > 1), 1);
        if num_submaps > 1 {
            bits.put(num_submaps - 1, 4);
        }
        bits.put(0, 1 + 2);
        if num_submaps > 1 {
            self.multiplex.iter().for_each(|submap| bits.put(*submap, 4));
        }
        (0..num_submaps).for_each(|_| bits.put(0, 24));
        let num_modes = 1 + u32::from(self.has_long_blocks);
        bits.put(num_modes - 1, 6);
        for is_long in 0..num_modes {
            bits.put(is_long, 1);
            bits.put(0, 32 + 8);
        }
        bits.put(1, 1);
        [b"\x05vorbis".as_slice(), &bits.bytes].concat()
    }

    /// The message with which the stream is refused, if it is.
    fn refusal(&self) -> Option<String> {
        let mut identification = b"\x01vorbis\0\0\0\0".to_vec();
        identification.push(self.num_channels);
        identification.extend(48_000_u32.to_le_bytes());
        identification.extend([0; 12]);
        identification.extend([0x98, 1]);
        let error = VorbisSetup::parse(&identification, &self.setup(), 1 << 20, 77).err()?;
        assert_eq!((error.status(), error.offset()), (Status::Unsupported, Some(77)), "{error}");
        Some(error.message().to_owned())
    }
}

#[test]
fn uncoupled_channels_with_classes_to_spare_are_refused() {
    let expected = "Vorbis with 3 uncoupled channels of 9 residue partitions (not a multiple of 2) needs the libav plugin";
    assert_eq!(uncoupled().refusal().as_deref(), Some(expected));
    assert!(Stream { format: 0, ..uncoupled() }.refusal().is_some());
    assert!(Stream { num_channels: 2, multiplex: vec![0; 2], ..uncoupled() }.refusal().is_some());
    assert!(Stream { multiplex: vec![1, 0, 1], ..uncoupled() }.refusal().is_some());
    // The end of the residue lies beyond long blocks of 256 values, which hold 5 partitions of 48.
    assert!(Stream { end: 1 << 20, partition_size: 48, ..uncoupled() }.refusal().is_some());
}

#[test]
fn streams_that_are_decoded_rightly_are_not_refused() {
    assert_eq!(Stream { end: 8 * 16, ..uncoupled() }.refusal(), None, "whole codewords");
    assert_eq!(Stream { end: 16, ..uncoupled() }.refusal(), None, "a single codeword");
    assert_eq!(Stream { num_dimensions: 1, ..uncoupled() }.refusal(), None, "a codeword per partition");
    assert_eq!(Stream { format: 2, ..uncoupled() }.refusal(), None, "interleaved channels");
    assert_eq!(Stream { cascades: [0, 1], ..uncoupled() }.refusal(), None, "a single pass");
    assert_eq!(
        Stream { cascades: [0b11, 0b11], ..uncoupled() }.refusal(),
        None,
        "classes with the same books"
    );
    assert_eq!(Stream { num_channels: 1, multiplex: vec![0], ..uncoupled() }.refusal(), None, "one channel");
    assert_eq!(Stream { multiplex: vec![0, 1, 2], ..uncoupled() }.refusal(), None, "one channel per submap");
    // Short blocks have 128 values: 8 partitions.
    assert_eq!(Stream { has_long_blocks: false, ..uncoupled() }.refusal(), None, "no block with a ninth");
}

#[test]
fn partitions_that_end_within_a_vector_are_refused() {
    let error = Stream { partition_size: 18, ..uncoupled() }.refusal();
    assert_eq!(
        error.as_deref(),
        Some("Vorbis with residue partitions of 18 in vectors of 4 needs the libav plugin")
    );
}
