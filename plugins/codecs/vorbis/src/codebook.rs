//! Codebooks (section 3): prefix codes, each of whose words stands for a number or a vector.

#![forbid(unsafe_code)]

use crate::bits::{Bits, num_bits};
use crate::error::DecodeError;
use crate::memory::Budget;

/// The most bits of a word that the first table takes at once. Tables of all books of a stream should fit the first cache.
const FIRST_BITS: u32 = 10;
/// The most bits of the rest of a word that a second table takes at once; longer words are searched for.
const SECOND_BITS: u32 = 8;

/// An entry of a table has the length of a word in its lowest bits, and above 8 bits the number that the word stands for.
const LENGTH: u32 = 0x3F;
/// Longer words begin so; the entry has the number of bits of a second table, and its place.
const CONTINUED: u32 = 0x80;
/// Much longer words begin so.
const SEARCHED: u32 = 0x40;

/// A codebook.
#[derive(Debug)]
pub(crate) struct Codebook {
    /// The values of a vector.
    pub(crate) num_dimensions: usize,
    pub(crate) num_entries: u32,
    /// Whether any word is used.
    pub(crate) has_words: bool,
    /// How many words the bits of a refill suffice for: 1, 2 or 4.
    pub(crate) words_at_once: usize,
    /// The vectors of all entries, if vectors are made.
    vectors: Vec<f32>,
    /// How vectors are made.
    lookup: Option<Lookup>,
    mask: u64,
    /// Indexed by the next bits of the stream; second tables follow the first.
    table: Vec<u32>,
    /// Words that are longer than the first table takes, with the first bit on top, in order; and their lengths and entries,
    /// packed as in the table.
    words: Vec<(u32, u32)>,
}

/// How vectors are made of numbers (section 3.2.1, "VQ lookup table").
#[derive(Debug)]
struct Lookup {
    minimum: f64,
    delta: f64,
    is_sequence: bool,
    /// Whether all vectors are made of the same few values.
    is_lattice: bool,
    multiplicands: Vec<u16>,
}

impl Codebook {
    /// Reads a codebook (section 3.2.1).
    pub(crate) fn parse(bits: &mut Bits<'_>, budget: &mut Budget) -> Result<Self, DecodeError> {
        if bits.read(24) != 0x56_4342 {
            return Err(DecodeError::Header("codebook has no sync pattern"));
        }
        let (num_dimensions, num_entries) = (bits.read(16), bits.read(24));
        if num_dimensions == 0 {
            return Err(DecodeError::Header("codebook has no dimensions"));
        }
        // As the reference decoder, which bounds the size of a book.
        if num_bits(num_dimensions) + num_bits(num_entries) > 24 {
            return Err(DecodeError::Header("codebook has too many values"));
        }
        let lengths = read_lengths(bits, num_entries, budget)?;
        let words = assign_words(&lengths, budget)?;
        let lookup = read_lookup(bits, num_dimensions, num_entries, budget)?;
        let mut book = Self {
            num_dimensions: num_dimensions as usize,
            num_entries,
            has_words: !words.is_empty(),
            words_at_once: 1,
            vectors: Vec::new(),
            lookup,
            mask: 0,
            table: Vec::new(),
            words,
        };
        book.make_table(budget)?;
        Ok(book)
    }

    /// Makes the vectors, unless they are there.
    pub(crate) fn make_vectors(&mut self, budget: &mut Budget) -> Result<(), DecodeError> {
        let Some(lookup) = self.lookup.take() else {
            return match self.vectors.is_empty() && self.num_entries > 0 {
                true => Err(DecodeError::Header("setup uses a scalar codebook for vectors")),
                false => Ok(()),
            };
        };
        let num_values = self.num_entries as usize * self.num_dimensions;
        self.vectors = budget.vec_with_capacity(num_values)?;
        if lookup.is_lattice {
            lookup.lattice(self.num_dimensions, num_values, &mut self.vectors);
        } else {
            for row in lookup.multiplicands.chunks_exact(self.num_dimensions) {
                let mut last = 0.0;
                self.vectors.extend(row.iter().map(|multiplicand| lookup.value(*multiplicand, &mut last)));
            }
        }
        Ok(())
    }

    /// The vector of an entry.
    #[inline(always)]
    pub(crate) fn vector(&self, entry: u32) -> &[f32] {
        let start = entry as usize * self.num_dimensions;
        self.vectors.get(start..start + self.num_dimensions).unwrap_or_default()
    }

    /// The vectors, if they have that many values.
    #[inline(always)]
    pub(crate) fn vectors<const N: usize>(&self) -> &[[f32; N]] {
        self.vectors.as_chunks().0
    }

    /// Reads a word and returns its entry; `None` at the end of the packet, or if there are no words.
    #[inline(always)]
    pub(crate) fn read(&self, bits: &mut Bits<'_>) -> Option<u32> {
        if self.has_words { self.read_some(bits) } else { None }
    }

    /// As [`read`](Self::read), if there are words.
    #[inline(always)]
    pub(crate) fn read_some(&self, bits: &mut Bits<'_>) -> Option<u32> {
        let is_inside = bits.refill();
        let entry = self.read_refilled(bits);
        if !is_inside && bits.is_past_end() {
            return None;
        }
        Some(entry)
    }

    /// Reads a word of bits that are valid.
    #[inline(always)]
    pub(crate) fn read_refilled(&self, bits: &mut Bits<'_>) -> u32 {
        let next = bits.peek();
        let mut found = self.entry(next & self.mask);
        if found & (CONTINUED | SEARCHED) != 0 {
            found = self.read_long(next, found);
        }
        bits.consume(found & LENGTH);
        found >> 8
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "places in the table have fewer than 32 bits")]
    fn entry(&self, place: u64) -> u32 {
        self.table.get(place as usize).copied().unwrap_or(0)
    }

    #[inline(always)]
    fn read_long(&self, next: u64, found: u32) -> u32 {
        if found & CONTINUED != 0 {
            let rest = next >> FIRST_BITS & ((1_u64 << (found & LENGTH)) - 1);
            let found = self.entry(u64::from(found >> 8) + rest);
            if found & SEARCHED == 0 {
                return found;
            }
        }
        self.search(next)
    }

    /// The last word that is not above the next bits.
    #[cold]
    #[inline(never)]
    #[expect(clippy::cast_possible_truncation, reason = "32 bits")]
    fn search(&self, next: u64) -> u32 {
        let next = (next as u32).reverse_bits();
        let after = self.words.partition_point(|(word, _)| *word <= next);
        after.checked_sub(1).and_then(|at| self.words.get(at)).map_or(0, |(_, packed)| *packed)
    }

    /// Makes tables of the words.
    fn make_table(&mut self, budget: &mut Budget) -> Result<(), DecodeError> {
        let longest = self.words.iter().map(|(_, packed)| packed & LENGTH).max().unwrap_or(0);
        self.words_at_once = match longest {
            ..=14 => 4,
            15..=28 => 2,
            _ => 1,
        };
        if let [(_, packed)] = *self.words.as_slice() {
            // The word of a single entry has one bit, which may have either value.
            (self.mask, self.table) = (0, vec![packed]);
            return Ok(());
        }
        let first_bits = longest.min(FIRST_BITS);
        self.mask = (1 << first_bits) - 1;
        self.table = budget.vec(1 << first_bits, 0)?;
        let place = |word: u32| (word.reverse_bits() & ((1 << first_bits) - 1)) as usize;
        let is_long = |packed: u32| packed & LENGTH > first_bits;
        for (word, packed) in self.words.iter().filter(|(_, packed)| !is_long(*packed)) {
            fill(&mut self.table, word.reverse_bits(), packed & LENGTH, *packed);
        }
        self.words.retain(|(_, packed)| is_long(*packed));
        self.words.sort_unstable_by_key(|(word, _)| *word);
        // Words that begin alike are neighbours.
        let mut rest = self.words.as_slice();
        while let Some(&(word, _)) = rest.first() {
            let num_alike = rest.iter().take_while(|(other, _)| place(*other) == place(word)).count();
            let (alike, others) = rest.split_at_checked(num_alike).unwrap_or((rest, &[]));
            rest = others;
            let longest = alike.iter().map(|(_, packed)| packed & LENGTH).max().unwrap_or(0);
            let second_bits = (longest - first_bits).min(SECOND_BITS);
            let start = self.table.len();
            let at = u32::try_from(start).ok().filter(|start| *start < 1 << 24).ok_or(DecodeError::Memory)?;
            budget.take::<u32>(1 << second_bits)?;
            self.table.try_reserve(1 << second_bits).map_err(|_| DecodeError::Memory)?;
            self.table.resize(start + (1 << second_bits), SEARCHED);
            if let Some(entry) = self.table.get_mut(place(word)) {
                *entry = at << 8 | CONTINUED | second_bits;
            }
            let second = self.table.get_mut(start..).unwrap_or_default();
            for (word, packed) in alike {
                let length = (packed & LENGTH) - first_bits;
                if length <= second_bits {
                    fill(second, word.reverse_bits() >> first_bits, length, *packed);
                }
            }
        }
        Ok(())
    }
}

/// Sets all entries of a table whose lowest `length` bits are those of `word`.
fn fill(table: &mut [u32], word: u32, length: u32, packed: u32) {
    table.iter_mut().skip(word as usize).step_by(1 << length).for_each(|entry| *entry = packed);
}

/// The length of each word, 0 if it is not used.
fn read_lengths(bits: &mut Bits<'_>, num_entries: u32, budget: &mut Budget) -> Result<Vec<u8>, DecodeError> {
    let too_long = DecodeError::Header("codebook has words of more than 32 bits");
    let is_ordered = bits.read_flag();
    let is_sparse = !is_ordered && bits.read_flag();
    if !is_ordered && u64::from(num_entries) * if is_sparse { 1 } else { 5 } > bits.num_left() {
        return Err(DecodeError::TruncatedHeader);
    }
    let mut lengths: Vec<u8> = budget.vec_with_capacity(num_entries as usize)?;
    if is_ordered {
        let mut length = bits.read(5) + 1;
        while (lengths.len() as u64) < u64::from(num_entries) {
            let num_missing = num_entries - u32::try_from(lengths.len()).unwrap_or(u32::MAX);
            let num = bits.read(num_bits(num_missing));
            if bits.is_past_end() {
                return Err(DecodeError::TruncatedHeader);
            }
            if num > num_missing {
                return Err(DecodeError::Header("codebook has more words than entries"));
            }
            let value = u8::try_from(length).ok().filter(|length| *length <= 32).ok_or(too_long)?;
            lengths.extend(std::iter::repeat_n(value, num as usize));
            length += 1;
        }
    } else {
        for _ in 0..num_entries {
            let is_used = !is_sparse || bits.read_flag();
            let length = if is_used { bits.read(5) + 1 } else { 0 };
            lengths.push(u8::try_from(length).unwrap_or(0));
        }
    }
    if bits.is_past_end() { Err(DecodeError::TruncatedHeader) } else { Ok(lengths) }
}

/// The word of each entry that has one, with the first bit on top: each entry in turn takes the lowest word of its length
/// that is free (section 3.2.1, "Huffman decision tree representation").
///
/// A part of the tree that is free is known by its root. There is at most one of each depth, and the deeper it is, the lower
/// are its words: placing a word in one leaves its right siblings on the way down.
fn assign_words(lengths: &[u8], budget: &mut Budget) -> Result<Vec<(u32, u32)>, DecodeError> {
    let num_used = lengths.iter().filter(|length| **length > 0).count();
    let mut words: Vec<(u32, u32)> = budget.vec_with_capacity(num_used)?;
    let mut free: [Option<u32>; 33] = std::array::from_fn(|depth| (depth == 0).then_some(0));
    for (entry, &length) in (0_u32..).zip(lengths).filter(|(_, length)| **length > 0) {
        let depths = free.get_mut(..=usize::from(length)).unwrap_or_default();
        let found = depths.iter_mut().enumerate().rev().find_map(|(depth, root)| Some((depth, root.take()?)));
        let (depth, word) = found.ok_or(DecodeError::Header("codebook has more words than its tree"))?;
        for (below, root) in depths.iter_mut().enumerate().skip(depth + 1) {
            *root = Some(word | 1 << (32 - below));
        }
        words.push((word, entry << 8 | u32::from(length)));
    }
    // One word alone cannot fill the tree.
    let is_single = matches!(words.as_slice(), [(_, packed)] if packed & LENGTH == 1);
    if num_used > 0 && !is_single && free.iter().any(Option::is_some) {
        return Err(DecodeError::Header("codebook has fewer words than its tree"));
    }
    Ok(words)
}

fn read_lookup(
    bits: &mut Bits<'_>,
    num_dimensions: u32,
    num_entries: u32,
    budget: &mut Budget,
) -> Result<Option<Lookup>, DecodeError> {
    let kind = bits.read(4);
    if bits.is_past_end() {
        return Err(DecodeError::TruncatedHeader);
    }
    if kind == 0 {
        return Ok(None);
    }
    let (minimum, delta) = (unpack_float(bits.read(32)), unpack_float(bits.read(32)));
    let (value_bits, is_sequence) = (bits.read(4) + 1, bits.read_flag());
    let num_values = match kind {
        1 => lookup1_values(num_entries, num_dimensions),
        2 => num_entries * num_dimensions, // at most 24 bits
        _ => return Err(DecodeError::Header("codebook has a lookup of an unknown type")),
    };
    if u64::from(num_values) * u64::from(value_bits) > bits.num_left() {
        return Err(DecodeError::TruncatedHeader);
    }
    let mut multiplicands: Vec<u16> = budget.vec_with_capacity(num_values as usize)?;
    for _ in 0..num_values {
        multiplicands.push(u16::try_from(bits.read(value_bits)).unwrap_or(u16::MAX));
    }
    Ok(Some(Lookup { minimum, delta, is_sequence, is_lattice: kind == 1, multiplicands }))
}

impl Lookup {
    /// A value of a vector (section 3.2.1); `last` is the sum of those before it in a sequence.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "values are single precision")]
    fn value(&self, multiplicand: u16, last: &mut f64) -> f32 {
        let value = f64::from(multiplicand) * self.delta + self.minimum + *last;
        if self.is_sequence {
            *last = value;
        }
        value as f32
    }

    /// Vectors of all combinations of the values, the first of a vector changing fastest.
    fn lattice(&self, num_dimensions: usize, num_values: usize, vectors: &mut Vec<f32>) {
        if !self.is_sequence {
            return self.plain_lattice(num_dimensions, num_values, vectors);
        }
        let mut row = vec![0; num_dimensions];
        while vectors.len() < num_values {
            let mut last = 0.0;
            let values = row.iter().map(|digit| {
                let multiplicand = self.multiplicands.get(*digit).copied().unwrap_or(0);
                self.value(multiplicand, &mut last)
            });
            vectors.extend(values);
            for digit in &mut row {
                *digit += 1;
                if *digit < self.multiplicands.len() {
                    break;
                }
                *digit = 0;
            }
        }
    }

    /// As [`lattice`](Self::lattice), of values that do not depend on each other: column by column, in which every value is
    /// repeated so often that all combinations of the columns before come to pass.
    fn plain_lattice(&self, num_dimensions: usize, num_values: usize, vectors: &mut Vec<f32>) {
        let values: Vec<f32> =
            self.multiplicands.iter().map(|multiplicand| self.value(*multiplicand, &mut 0.0)).collect();
        vectors.resize(num_values, 0.0);
        let mut num_repeats = 1_usize;
        for column in 0..num_dimensions {
            let mut rows = vectors.iter_mut().skip(column).step_by(num_dimensions);
            'column: loop {
                for value in &values {
                    for _ in 0..num_repeats {
                        let Some(to) = rows.next() else { break 'column };
                        *to = *value;
                    }
                }
                if values.is_empty() {
                    break;
                }
            }
            num_repeats = num_repeats.saturating_mul(values.len());
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

/// A number of Vorbis's own format: 21 bits of mantissa, 10 of exponent, a sign (section 9.2.2).
fn unpack_float(packed: u32) -> f64 {
    let mantissa = f64::from(packed & 0x1F_FFFF);
    let exponent = (packed >> 21 & 0x3FF).cast_signed() - 788;
    let value = mantissa * 2.0_f64.powi(exponent);
    if packed >> 31 != 0 { -value } else { value }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn budget() -> Budget {
        Budget::new(1 << 30)
    }

    fn book(lengths: &[u8]) -> Codebook {
        let words = assign_words(lengths, &mut budget()).unwrap();
        let mut book = Codebook {
            num_dimensions: 1,
            num_entries: u32::try_from(lengths.len()).unwrap(),
            has_words: !words.is_empty(),
            words_at_once: 1,
            vectors: Vec::new(),
            lookup: None,
            mask: 0,
            table: Vec::new(),
            words,
        };
        book.make_table(&mut budget()).unwrap();
        book
    }

    #[test]
    fn words_are_those_of_the_specifications_example() {
        // Section 3.2.1: lengths 2 4 4 4 4 2 3 3 have the words 00 0100 0101 0110 0111 10 110 111.
        let words = assign_words(&[2, 4, 4, 4, 4, 2, 3, 3], &mut budget()).unwrap();
        let found: Vec<String> = words
            .iter()
            .map(|(word, packed)| format!("{word:032b}")[..(packed & LENGTH) as usize].to_owned())
            .collect();
        assert_eq!(found, ["00", "0100", "0101", "0110", "0111", "10", "110", "111"]);
    }

    #[test]
    fn trees_that_are_not_full_or_overfull_are_rejected() {
        for lengths in [[1, 2].as_slice(), &[2, 2, 2], &[2], &[1, 1, 1], &[1, 2, 2, 32]] {
            assert!(assign_words(lengths, &mut budget()).is_err(), "{lengths:?}");
        }
        assert!(assign_words(&[], &mut budget()).unwrap().is_empty());
        assert!(!book(&[0, 0]).has_words);
    }

    #[test]
    fn words_of_all_lengths_are_read() {
        for longest in [1, 2, 9, 10, 11, 18, 19, 32] {
            // One word of each length, the longest twice.
            let mut lengths: Vec<u8> = (1..=longest).collect();
            lengths.push(longest);
            let book = book(&lengths);
            for (entry, length) in lengths.iter().enumerate() {
                let ones = (1_u64 << entry.min(usize::from(longest))) - 1;
                for noise in [0, !0_u64, 0x5555_5555_5555_5555] {
                    let stream = ones | noise.checked_shl(u32::from(*length)).unwrap_or(0);
                    let bytes = [stream.to_le_bytes(), noise.to_le_bytes()].concat();
                    let mut bits = Bits::new(&bytes);
                    assert_eq!(book.read(&mut bits), u32::try_from(entry).ok(), "{entry} of {longest}");
                    assert_eq!(bits.num_left(), 128 - u64::from(*length));
                }
            }
            assert_eq!(book.read(&mut Bits::new(&[])), None);
        }
        // Short words after long ones: 4096 of 13 bits, then one of 1 bit.
        let lengths = [vec![13; 4096], vec![1]].concat();
        let book = book(&lengths);
        for entry in [0_u32, 1, 2047, 4095] {
            let word = (entry << 19_u32).reverse_bits();
            assert_eq!(book.read(&mut Bits::new(&word.to_le_bytes())), Some(entry));
        }
        assert_eq!(book.read(&mut Bits::new(&[1])), Some(4096));
    }

    #[test]
    fn a_single_word_is_any_bit() {
        let book = book(&[0, 1, 0]);
        let mut bits = Bits::new(&[0b10]);
        assert_eq!((book.read(&mut bits), book.read(&mut bits), bits.num_left()), (Some(1), Some(1), 6));
    }

    #[test]
    fn lookup_values_are_roots() {
        for (num_entries, num_dimensions, expected) in
            [(0, 1, 0), (1, 1, 1), (361, 2, 19), (360, 2, 18), (560, 3, 8), (3, 950, 1), (0xFF_FFFF, 24, 1)]
        {
            assert_eq!(lookup1_values(num_entries, num_dimensions), expected);
        }
    }

    #[test]
    #[allow(clippy::float_cmp)]
    fn floats_are_unpacked() {
        assert_eq!(unpack_float(788 << 21 | 3), 3.0);
        assert_eq!(unpack_float(0x8000_0000 | 786 << 21 | 1), -0.25);
    }

    #[test]
    #[allow(clippy::float_cmp)]
    fn vectors_are_combinations_or_rows() {
        let lookup = |is_lattice, is_sequence, multiplicands: &[u16]| Lookup {
            minimum: -1.0,
            delta: 0.5,
            is_sequence,
            is_lattice,
            multiplicands: multiplicands.to_vec(),
        };
        let made = |lookup| {
            let mut book = Codebook { num_dimensions: 2, lookup: Some(lookup), ..book(&[2, 2, 2, 2]) };
            book.make_vectors(&mut budget()).unwrap();
            book.make_vectors(&mut budget()).unwrap(); // again, to no effect
            (0..4).flat_map(|entry| book.vector(entry).to_vec()).collect::<Vec<f32>>()
        };
        assert_eq!(made(lookup(true, false, &[0, 4])), [-1.0, -1.0, 1.0, -1.0, -1.0, 1.0, 1.0, 1.0]);
        assert_eq!(made(lookup(true, true, &[0, 4])), [-1.0, -2.0, 1.0, 0.0, -1.0, 0.0, 1.0, 2.0]);
        let rows = [0, 1, 2, 3, 4, 5, 6, 7];
        assert_eq!(made(lookup(false, false, &rows)), [-1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5]);
        assert!(book(&[1, 1]).make_vectors(&mut budget()).is_err());
    }
}
