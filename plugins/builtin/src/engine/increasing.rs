//! Numbers that increase, such as the offsets of packets, in as few bits as their distances take.
//!
//! Of every [`BLOCK`] numbers the first is stored; those behind it are sums of distances, which are stored as what each is above the
//! least of the block. A file's packets of a constant bitrate take less than half a byte each.

#![forbid(unsafe_code)]

use mapwave_plugin::{Error, Result, Status};

use super::saved::{Saved, Saver};

/// The numbers of a block.
const BLOCK: usize = 64;

/// The most bits of a distance above the least: one is read from eight bytes at any bit of the first.
const MAX_WIDTH: u32 = 56;

/// Numbers that increase.
#[derive(Debug, Default)]
pub(crate) struct Increasing {
    blocks: Vec<Block>,
    /// The distances of all blocks; each block begins with a byte.
    bits: Vec<u8>,
    /// The last numbers, which are not a whole block.
    tail: Vec<u64>,
}

/// The beginning of a block, and what its distances have in common.
#[derive(Clone, Copy, Debug)]
struct Block {
    first: u64,
    least: u64,
    /// Where its distances are.
    at: usize,
    width: u32,
}

impl Block {
    /// The bytes of its distances.
    fn num_bytes(self) -> usize {
        ((BLOCK - 1) * self.width as usize).div_ceil(8)
    }
}

impl Increasing {
    /// The number of numbers.
    pub(crate) fn len(&self) -> usize {
        self.blocks.len() * BLOCK + self.tail.len()
    }

    /// The bytes it has allocated.
    pub(crate) fn num_bytes(&self) -> usize {
        self.blocks.capacity() * size_of::<Block>() + self.bits.capacity() + self.tail.capacity() * 8
    }

    /// Adds a number, greater than the last.
    ///
    /// # Errors
    /// [`Status::NoMemory`].
    pub(crate) fn push(&mut self, number: u64) -> Result<()> {
        if self.tail.len() == BLOCK {
            self.pack()?;
        }
        let reserved = self.tail.try_reserve(1);
        reserved.map_err(|_| no_memory())?;
        self.tail.push(number);
        Ok(())
    }

    /// Makes a block of the tail.
    fn pack(&mut self) -> Result<()> {
        let distances = || self.tail.windows(2).map(distance);
        let least = distances().min().unwrap_or(0);
        let most = distances().max().unwrap_or(0) - least;
        let width = u64::BITS - most.leading_zeros();
        if width > MAX_WIDTH {
            return Err(Error::new(Status::Limit, "packets are more than 2^56 bytes apart"));
        }
        let first = self.tail.first().copied().unwrap_or(0);
        let block = Block { first, least, at: self.bits.len(), width };
        let reserved = self.bits.try_reserve(block.num_bytes()).and_then(|()| self.blocks.try_reserve(1));
        reserved.map_err(|_| no_memory())?;
        let (mut buffer, mut filled) = (0_u64, 0);
        for distance in self.tail.windows(2).map(distance) {
            buffer |= (distance - least) << filled;
            filled += width;
            while filled >= 8 {
                self.bits.push(buffer.to_le_bytes()[0]);
                buffer >>= 8;
                filled -= 8;
            }
        }
        if filled > 0 {
            self.bits.push(buffer.to_le_bytes()[0]);
        }
        self.blocks.push(block);
        self.tail.clear();
        Ok(())
    }

    /// The number at an index; `None` past the last.
    pub(crate) fn get(&self, index: usize) -> Option<u64> {
        let (number, ahead) = (index / BLOCK, index % BLOCK);
        let Some(block) = self.blocks.get(number) else {
            return if number == self.blocks.len() { self.tail.get(ahead).copied() } else { None };
        };
        let ahead = ahead as u64;
        let sum = if block.width == 0 { 0 } else { self.sum(*block, ahead) };
        Some(block.first.saturating_add(block.least.saturating_mul(ahead)).saturating_add(sum))
    }

    /// The sum of a block's first distances above its least.
    fn sum(&self, block: Block, count: u64) -> u64 {
        let bits = self.bits.get(block.at..).unwrap_or_default();
        let mask = (1_u64 << block.width) - 1;
        let mut sum = 0_u64;
        let mut bit = 0;
        for _ in 0..count {
            let bytes = bits.get(bit / 8..).unwrap_or_default();
            let word = match bytes.first_chunk::<8>() {
                Some(word) => u64::from_le_bytes(*word),
                None => bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
            };
            sum = sum.wrapping_add(word >> (bit % 8) & mask);
            bit += block.width as usize;
        }
        sum
    }

    /// Writes it.
    pub(crate) fn save(&self, saver: &mut Saver) {
        saver.number(self.len() as u64);
        for block in &self.blocks {
            saver.number(block.first);
            saver.number(block.least);
            saver.number(block.width.into());
        }
        for number in &self.tail {
            saver.number(*number);
        }
        saver.bytes(&self.bits);
    }

    /// Reads what [`save`](Self::save) wrote; `None` if it is not that, or its numbers do not all lie below `end`.
    pub(crate) fn load(saved: &mut Saved<'_>, end: u64) -> Option<Self> {
        let len = usize::try_from(saved.number()?).ok()?;
        // A block takes three bytes at least, as does no memory beyond that of the saved bytes.
        let num_tail = if len == 0 { 0 } else { (len - 1) % BLOCK + 1 };
        let num_blocks = (len - num_tail) / BLOCK;
        if num_blocks > saved.num_bytes() / 3 {
            return None;
        }
        let mut this = Self { blocks: Vec::with_capacity(num_blocks), ..Self::default() };
        let (mut at, mut next) = (0, 0);
        for _ in 0..num_blocks {
            let (first, least) = (saved.number()?, saved.number()?);
            let width = u32::try_from(saved.number()?).ok().filter(|width| *width <= MAX_WIDTH)?;
            let block = Block { first, least, at, width };
            let last = first.checked_add(least.checked_mul(BLOCK as u64 - 1)?)?;
            if first < next || last >= end {
                return None;
            }
            at = at.checked_add(block.num_bytes())?;
            next = last.checked_add(1)?;
            this.blocks.push(block);
        }
        for _ in 0..num_tail {
            let number = saved.number()?;
            if number < next || number >= end {
                return None;
            }
            next = number + 1;
            this.tail.push(number);
        }
        this.bits = saved.bytes(at)?.to_vec();
        Some(this)
    }
}

fn distance(pair: &[u64]) -> u64 {
    match pair {
        [from, to] => to.saturating_sub(*from),
        _ => 0,
    }
}

fn no_memory() -> Error {
    Error::new(Status::NoMemory, "not enough memory for the index of packets")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn of(numbers: &[u64]) -> Increasing {
        let mut increasing = Increasing::default();
        for number in numbers {
            increasing.push(*number).unwrap();
        }
        increasing
    }

    fn saved(increasing: &Increasing) -> Vec<u8> {
        let mut saver = Saver::new(b"numbers1");
        increasing.save(&mut saver);
        saver.finish()
    }

    fn loaded(bytes: &[u8], end: u64) -> Option<Increasing> {
        Increasing::load(&mut Saved::new(bytes, b"numbers1")?, end)
    }

    #[test]
    fn numbers_come_back_from_memory_and_from_bytes() {
        let mut state = 1_u64;
        for (len, most) in
            [(0, 1), (1, 9), (63, 1), (64, 2), (65, 1 << 40), (1000, 417), (1000, 1), (300, 1 << 50)]
        {
            let mut number = 0;
            let numbers: Vec<u64> = (0..len)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    number += 1 + (state >> 20) % most;
                    number
                })
                .collect();
            let packed = of(&numbers);
            let again = loaded(&saved(&packed), u64::MAX).unwrap();
            for increasing in [&packed, &again] {
                assert_eq!(increasing.len(), numbers.len());
                let found: Vec<u64> = (0..).map_while(|index| increasing.get(index)).collect();
                assert_eq!(found, numbers);
                assert_eq!(increasing.get(numbers.len() + 64), None);
            }
        }
    }

    #[test]
    fn packets_of_a_constant_bitrate_take_half_a_byte_each() {
        let numbers: Vec<u64> = (0..100_000_u64).map(|n| n * 417 + n * 96 / 100).collect();
        let packed = of(&numbers);
        assert!(packed.num_bytes() < 100_000, "{}", packed.num_bytes());
        assert!(saved(&packed).len() < 50_000, "{}", saved(&packed).len());
    }

    #[test]
    fn damaged_bytes_are_refused_or_give_other_numbers() {
        let numbers: Vec<u64> = (0..1000_u64).map(|n| n * 300 + n * n % 91).collect();
        let bytes = saved(&of(&numbers));
        assert!(loaded(&bytes, 290_000).is_none(), "a number lies behind the end");
        for length in 0..bytes.len() {
            assert!(loaded(&bytes[..length], u64::MAX).is_none(), "{length} bytes");
        }
        for place in 8..bytes.len() {
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[place] ^= 1 << bit;
                if let Some(loaded) = loaded(&damaged, 1 << 40) {
                    assert!(loaded.num_bytes() < 1 << 16);
                    assert!((0..=1000).all(|index| loaded.get(index).is_none_or(|number| number < u64::MAX)));
                }
            }
        }
    }
}
