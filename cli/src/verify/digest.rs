//! The MD5 of the samples of a FLAC file.

#![forbid(unsafe_code)]

use std::fs::File;
use std::os::unix::fs::FileExt;

use mapwave::Reader;
use md5::{Digest as _, Md5};

/// The bytes of an ID3v2 header, which may precede a FLAC file (ID3v2.4.0, section 3.1).
const ID3_BYTES: usize = 10;

/// The bytes up to the end of STREAMINFO: the signature, a block's header and the block (RFC 9639, sections 8.1 and 8.2).
const HEAD_BYTES: usize = 42;

/// The MD5 that a FLAC file states; `None` for another file, and where it is zero, which means that it is not known.
pub(super) fn stated(file: &File) -> Option<[u8; 16]> {
    let mut start = [0; ID3_BYTES];
    file.read_exact_at(&mut start, 0).ok()?;
    let mut head = [0; HEAD_BYTES];
    file.read_exact_at(&mut head, id3_bytes(&start)).ok()?;
    // A block of the type 0, whose length is 34.
    let is_stream_info =
        head.starts_with(b"fLaC") && head.get(4)? & 0x7f == 0 && head.get(5..8)? == [0, 0, 34];
    let digest: [u8; 16] = head.last_chunk().copied().filter(|_| is_stream_info)?;
    (digest != [0; 16]).then_some(digest)
}

/// The bytes of a leading ID3v2 tag: its size has 7 bits in each of four bytes.
fn id3_bytes(start: &[u8; ID3_BYTES]) -> u64 {
    match *start {
        [b'I', b'D', b'3', _, _, flags, a, b, c, d] => {
            let size = [a, b, c, d].iter().fold(0, |size, &byte| size << 7 | u64::from(byte & 0x7f));
            let footer = if flags & 0x10 != 0 { 10 } else { 0 };
            10 + size + footer
        }
        _ => 0,
    }
}

/// The MD5 being computed: of interleaved samples, signed, the least significant byte first, in whole bytes.
pub(super) struct Digest {
    stated: [u8; 16],
    md5: Md5,
    bits: u32,
    bytes: Vec<u8>,
}

impl Digest {
    /// `None` if the depth of the samples is not known.
    pub(super) fn new(stated: [u8; 16], reader: &Reader) -> Option<Self> {
        let bits = reader.track().bits_per_sample.filter(|bits| (4..=32).contains(bits))?;
        Some(Self { stated, md5: Md5::new(), bits: bits.into(), bytes: Vec::new() })
    }

    /// Adds samples whose full scale is that of 32 bits.
    pub(super) fn update(&mut self, samples: &[i32]) {
        let num_bytes = self.bits.div_ceil(8) as usize;
        self.bytes.clear();
        for sample in samples {
            let bytes = (sample >> (32 - self.bits)).to_le_bytes();
            self.bytes.extend_from_slice(bytes.get(..num_bytes).unwrap_or(&bytes));
        }
        self.md5.update(&self.bytes);
    }

    /// Whether all samples together have the MD5 that is stated.
    pub(super) fn matches(self) -> bool {
        self.md5.finalize().as_slice() == self.stated
    }
}
