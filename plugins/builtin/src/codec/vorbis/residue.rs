//! The residues of a setup header (Vorbis I specification, section 8.6), and those that Symphonia's decoder misreads.
//!
//! A residue divides the spectrum of each channel into partitions. In the first pass a codeword gives the classes of
//! several partitions at once, as many as its book has dimensions; the classes choose the codebooks of all passes. The
//! last codeword of a channel has classes to spare if the partitions are not a multiple of that. Symphonia 0.6 keeps
//! the classes of all channels in one list and lets the spare ones overwrite those of the next channel's first
//! partitions, which have been read by then: from the second pass on they are decoded with the wrong books. Channels
//! that are interleaved into one vector (format 2) have no next channel, and with a single codeword per channel the
//! next one's overwrites the spare classes again.

#![forbid(unsafe_code)]

use super::codebook::{Codebooks, Fault, Read};
use crate::bits::{Bits, LsbFirst};

const INTERLEAVED: u32 = 2;

/// A residue of the setup.
#[derive(Debug)]
pub(super) struct Residue {
    format: u32,
    /// The part of a vector that is in the stream.
    begin: u32,
    end: u32,
    partition_size: u32,
    /// The partitions of which one codeword gives the classes.
    partitions_per_codeword: u32,
    /// Whether it matters after the first pass to which class a partition belongs.
    has_classes_later: bool,
}

impl Residue {
    /// Reads a residue (section 8.6.1).
    pub(super) fn read(bits: &mut Bits<'_, LsbFirst>, codebooks: &Codebooks) -> Read<Self> {
        let format = bits.read(16)?;
        if format > INTERLEAVED {
            return Err(Fault::Malformed("setup has a residue of an unknown type"));
        }
        let (begin, end) = (bits.read(24)?, bits.read(24)?);
        if end < begin {
            return Err(Fault::Malformed("residue ends before it begins"));
        }
        let partition_size = bits.read(24)? + 1;
        let num_classes = bits.read(6)? + 1;
        let partitions_per_codeword = codebooks.check(bits.read(8)?, false)?;
        let mut cascades = Vec::new();
        for _ in 0..num_classes {
            let low = bits.read(3)?;
            let high = if bits.read(1)? != 0 { bits.read(5)? } else { 0 };
            cascades.push((high << 3) | low);
        }
        let mut classes = Vec::new();
        for cascade in cascades {
            let mut books = [None; 8];
            for (pass, book) in books.iter_mut().enumerate().filter(|(pass, _)| (cascade >> pass) & 1 != 0) {
                let number = bits.read(8)?;
                let num_dimensions = codebooks.check(number, true)?;
                // Decoders differ in what they read for the rest of such a partition.
                if !partition_size.is_multiple_of(num_dimensions) {
                    let what =
                        format!("with residue partitions of {partition_size} in vectors of {num_dimensions}");
                    return Err(Fault::Unsupported(what));
                }
                *book = Some((pass, number));
            }
            classes.push(books);
        }
        let later = |books: &[Option<(usize, u32)>; 8]| books.map(|book| book.filter(|(pass, _)| *pass > 0));
        let has_classes_later = classes.windows(2).any(|pair| match pair {
            [one, next] => later(one) != later(next),
            _ => false,
        });
        Ok(Self { format, begin, end, partition_size, partitions_per_codeword, has_classes_later })
    }

    /// Whether the channels are interleaved into one vector.
    pub(super) fn is_interleaved(&self) -> bool {
        self.format == INTERLEAVED
    }

    /// Checks that blocks of 2 to the power of `exponent` with that many channels are decoded rightly.
    pub(super) fn check_block(&self, num_channels: usize, exponent: u8) -> Read<()> {
        let half = 1_u32.checked_shl(u32::from(exponent).saturating_sub(1)).unwrap_or(u32::MAX);
        let num_coded = self.end.min(half) - self.begin.min(half);
        let num_partitions = num_coded / self.partition_size;
        let per_codeword = self.partitions_per_codeword;
        let is_misread = !self.is_interleaved()
            && num_channels > 1
            && num_partitions > per_codeword
            && !num_partitions.is_multiple_of(per_codeword)
            && self.has_classes_later;
        if is_misread {
            let what = format!(
                "with {num_channels} uncoupled channels of {num_partitions} residue partitions \
                 (not a multiple of {per_codeword})"
            );
            return Err(Fault::Unsupported(what));
        }
        Ok(())
    }
}
