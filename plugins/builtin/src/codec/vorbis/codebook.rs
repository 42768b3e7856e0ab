//! The codebooks of a Vorbis setup header (Vorbis I specification, section 3), and why one cannot be used.

#![forbid(unsafe_code)]

use crate::bits::{Bits, EndOfBits, LsbFirst};

/// Why a setup header cannot be used.
pub(super) enum Fault {
    Cut,
    Malformed(&'static str),
    /// It is valid, but Symphonia's decoder would return wrong samples or panic.
    Unsupported(String),
}

impl From<EndOfBits> for Fault {
    fn from(_: EndOfBits) -> Self {
        Self::Cut
    }
}

pub(super) type Read<T> = Result<T, Fault>;

/// The codebooks read so far.
#[derive(Default)]
pub(super) struct Codebooks {
    books: Vec<Codebook>,
    /// The memory that a decoder needs for them.
    pub(super) num_bytes: u64,
}

struct Codebook {
    num_dimensions: u32,
    has_entries: bool,
    has_vectors: bool,
}

impl Codebooks {
    /// Reads the next one (section 3.2.1).
    pub(super) fn read(&mut self, bits: &mut Bits<'_, LsbFirst>) -> Read<()> {
        if bits.read(24)? != 0x56_4342 {
            return Err(Fault::Malformed("codebook has no sync pattern"));
        }
        let (num_dimensions, num_entries) = (bits.read(16)?, bits.read(24)?);
        if num_dimensions == 0 {
            return Err(Fault::Malformed("codebook has no dimensions"));
        }
        // The number of codewords of each length.
        let mut lengths = [0_u64; 33];
        let mut count = |length: u32, num: u32| match lengths.get_mut(length as usize) {
            Some(entries) => {
                *entries += u64::from(num);
                Ok(())
            }
            None => Err(Fault::Malformed("codebook has words of more than 32 bits")),
        };
        if bits.read(1)? == 0 {
            let is_sparse = bits.read(1)? != 0;
            for _ in 0..num_entries {
                if !is_sparse || bits.read(1)? != 0 {
                    count(bits.read(5)? + 1, 1)?;
                }
            }
        } else {
            let mut length = bits.read(5)? + 1;
            let mut entry = 0;
            while entry < num_entries {
                let num = bits.read(bits_for(num_entries - entry))?;
                if num > num_entries - entry {
                    return Err(Fault::Malformed("codebook has more words than entries"));
                }
                count(length, num)?;
                entry += num;
                length += 1;
            }
        }
        let lookup = bits.read(4)?;
        if lookup > 2 {
            return Err(Fault::Malformed("codebook has a lookup of an unknown type"));
        }
        if lookup > 0 {
            bits.skip(64)?;
            let value_bits = bits.read(4)? + 1;
            bits.skip(1)?;
            let num_values = match lookup {
                1 => u64::from(lookup1_values(num_entries, num_dimensions)),
                _ => u64::from(num_entries) * u64::from(num_dimensions),
            };
            bits.skip(num_values * u64::from(value_bits))?;
            self.num_bytes += u64::from(num_entries) * u64::from(num_dimensions) * 4;
        }
        // A decoder's tables branch every 8 bits, with 256 entries of 8 bytes each. A branch leads to at least two words.
        let num_longer = |depth: usize| lengths.iter().skip(depth + 1).sum::<u64>();
        let num_branches: u64 =
            1 + [8, 16, 24].map(|depth| num_longer(depth).div_ceil(2).min(1 << depth)).iter().sum::<u64>();
        let num_words: u64 = lengths.iter().sum();
        self.num_bytes += num_branches * (256 * 8 + 256) + num_words * 64;
        self.books.push(Codebook { num_dimensions, has_entries: num_words > 0, has_vectors: lookup > 0 });
        Ok(())
    }

    /// Checks that a codebook exists and can be used; returns its number of dimensions.
    pub(super) fn check(&self, number: u32, needs_vectors: bool) -> Read<u32> {
        match self.books.get(number as usize) {
            None => Err(Fault::Malformed("setup refers to a codebook that does not exist")),
            Some(Codebook { has_entries: false, .. }) => {
                Err(Fault::Malformed("setup uses a codebook without entries"))
            }
            Some(Codebook { has_vectors: false, .. }) if needs_vectors => {
                Err(Fault::Malformed("setup uses a scalar codebook for vectors"))
            }
            Some(book) => Ok(book.num_dimensions),
        }
    }
}

/// The largest number that, raised to `num_dimensions`, is at most `num_entries` (section 9.2.3).
fn lookup1_values(num_entries: u32, num_dimensions: u32) -> u32 {
    let fits = |value: u32| value.checked_pow(num_dimensions).is_some_and(|power| power <= num_entries);
    let (mut low, mut high) = (0, num_entries.saturating_add(1));
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if fits(middle) { low = middle } else { high = middle }
    }
    low
}

/// The number of bits of a number up to `max` (`ilog`, section 9.2.1).
pub(super) fn bits_for(max: u32) -> u32 {
    32 - max.leading_zeros()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lookup_values_are_roots() {
        for (num_entries, num_dimensions, expected) in
            [(0, 1, 0), (1, 1, 1), (361, 2, 19), (360, 2, 18), (560, 3, 8), (3, 950, 1), (0xFF_FFFF, 24, 1)]
        {
            assert_eq!(lookup1_values(num_entries, num_dimensions), expected);
        }
    }
}
