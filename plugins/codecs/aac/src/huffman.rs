//! Huffman codes to lines (ISO/IEC 14496-3, 4.6.3.3): tables for codes of up to ten bits, and what is done about the others.
//!
//! A symbol of codebooks 1 to 4 is four lines, one of the others is two. The tables of lines hold what a line is after inverse
//! quantisation (4.6.1.3), |q|^(4/3) with its sign, so that no more than scale factors are left to do.

#![forbid(unsafe_code)]

use mapwave_codec_base::BitReader;

use crate::codebooks::{self, Listing};
use crate::math;

/// The longest codes that the tables hold.
const FAST_BITS: u32 = 10;
/// In place of the number of signs: the code is longer than those, or a line is an escape.
const RARE: u16 = 7 << 13;
/// The value of a line of codebook 11 that stands for an escape.
const ESCAPE: usize = 16;
/// The greatest magnitude of a line, which an escape has (4.6.3.3).
const MAX_MAGNITUDE: usize = 8191;

/// |q|^(4/3) of all magnitudes.
#[expect(clippy::indexing_slicing, reason = "the compiler computes it, and checks")]
pub(crate) static POWERS: [f32; MAX_MAGNITUDE + 1] = {
    let mut powers = [0.0; MAX_MAGNITUDE + 1];
    let mut magnitude = 1;
    while magnitude <= MAX_MAGNITUDE {
        powers[magnitude] = power(magnitude as f64);
        magnitude += 1;
    }
    powers
};

/// The power 4/3 of a positive number.
#[expect(clippy::cast_possible_truncation, reason = "to the precision of lines")]
pub(crate) const fn power(magnitude: f64) -> f32 {
    (magnitude * math::cbrt(magnitude)) as f32
}

/// Four lines of a symbol.
#[repr(align(32))]
#[derive(Clone, Copy)]
struct Quad {
    lines: [f32; 4],
    /// Sixteen times the set of lines that have a sign in the bit stream, the first of which is 8.
    signed: usize,
}

/// What the signs of lines are: by the set of lines that have one, then by the next four bits. The highest bit of each.
#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "the compiler computes it, and checks"
)]
static SIGNS: [[u32; 4]; 256] = {
    let mut signs = [[0; 4]; 256];
    let mut place = 0;
    while place < 256 {
        let (mut next, mut line) = (3, 0);
        while line < 4 {
            if place >> 4 & (8 >> line) != 0 {
                signs[place][line] = (place as u32 >> next & 1) << 31;
                next -= if next > 0 { 1 } else { 0 };
            }
            line += 1;
        }
        place += 1;
    }
    signs
};

/// The lines of codebooks 1 and 2, and 3 and 4: digits from -1 or from 0 on.
static SIGNED_QUADS: [Quad; 81] = quads(1);
static QUADS: [Quad; 81] = quads(0);

/// The lines of pairs with their signs, by the symbol and the next two bits.
static SIGNED_PAIRS_9: [[f32; 2]; 81 * 4] = pairs(9, 4);
static PAIRS_8: [[f32; 2]; 64 * 4] = pairs(8, 0);
static PAIRS_13: [[f32; 2]; 169 * 4] = pairs(13, 0);
static PAIRS_17: [[f32; 2]; 289 * 4] = pairs(17, 0);

const fn value(magnitude: i64) -> f32 {
    if magnitude == 0 {
        0.0
    } else if magnitude < 0 {
        -power(-magnitude as f64)
    } else {
        power(magnitude as f64)
    }
}

#[expect(clippy::indexing_slicing, reason = "the compiler computes it, and checks")]
const fn quads(bias: i64) -> [Quad; 81] {
    let mut quads = [Quad { lines: [0.0; 4], signed: 0 }; 81];
    let mut symbol = 0;
    while symbol < 81 {
        let (mut rest, mut line) = (symbol as i64, 4);
        while line > 0 {
            line -= 1;
            quads[symbol].lines[line] = value(rest % 3 - bias);
            if bias == 0 && rest % 3 != 0 {
                quads[symbol].signed |= 16 * (8 >> line);
            }
            rest /= 3;
        }
        symbol += 1;
    }
    quads
}

#[expect(clippy::indexing_slicing, reason = "the compiler computes it, and checks")]
const fn pairs<const N: usize>(base: usize, bias: i64) -> [[f32; 2]; N] {
    let mut pairs = [[0.0; 2]; N];
    let mut place = 0;
    while place < N {
        let (first, second) = ((place / 4 / base) as i64 - bias, (place / 4 % base) as i64 - bias);
        let (mut is_first_negative, mut is_second_negative) = (false, false);
        if bias == 0 {
            is_first_negative = first != 0 && place & 2 != 0;
            is_second_negative = second != 0 && place & (if first != 0 { 1 } else { 2 }) != 0;
        }
        pairs[place] = [
            value(if is_first_negative { -first } else { first }),
            value(if is_second_negative { -second } else { second }),
        ];
        place += 1;
    }
    pairs
}

/// A codebook of lines.
pub(crate) struct Book {
    /// By the next ten bits: the bits of the code and its signs, from bit 4 on the symbol, from bit 13 on the number of signs.
    table: [u16; 1 << FAST_BITS],
    /// The lines of codebooks of four.
    quads: &'static [Quad; 81],
    /// The lines of codebooks of two.
    pairs: &'static [[f32; 2]],
    listing: &'static Listing,
    /// The digits of a line in a symbol.
    base: usize,
    /// Whether a symbol is four lines.
    pub(crate) is_quad: bool,
    is_signed: bool,
}

/// The codebooks 1 to 11.
pub(crate) static BOOKS: [Book; 11] = [
    book(0, true, 3, &SIGNED_PAIRS_9, true),
    book(1, true, 3, &SIGNED_PAIRS_9, true),
    book(2, true, 3, &SIGNED_PAIRS_9, false),
    book(3, true, 3, &SIGNED_PAIRS_9, false),
    book(4, false, 9, &SIGNED_PAIRS_9, true),
    book(5, false, 9, &SIGNED_PAIRS_9, true),
    book(6, false, 8, &PAIRS_8, false),
    book(7, false, 8, &PAIRS_8, false),
    book(8, false, 13, &PAIRS_13, false),
    book(9, false, 13, &PAIRS_13, false),
    book(10, false, 17, &PAIRS_17, false),
];

#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "the compiler computes it, and checks"
)]
const fn book(
    number: usize,
    is_quad: bool,
    base: usize,
    pairs: &'static [[f32; 2]],
    is_signed: bool,
) -> Book {
    let listing = &codebooks::SPECTRUM[number];
    let mut table = [RARE; 1 << FAST_BITS];
    let (mut place, mut symbol, mut length) = (0, 0, 1);
    while length <= FAST_BITS as usize && length <= listing.counts.len() {
        let mut n = 0;
        while n < listing.counts[length - 1] {
            let number = listing.symbols[symbol] as usize;
            let (mut rest, mut num_signs, mut is_escape, mut line) = (number, 0, false, 0);
            while line < if is_quad { 4 } else { 2 } {
                num_signs += if !is_signed && rest % base != 0 { 1 } else { 0 };
                is_escape |= base == 17 && rest % base == ESCAPE;
                rest /= base;
                line += 1;
            }
            let entry = if is_escape {
                RARE | (number as u16) << 4 | length as u16
            } else {
                num_signs << 13 | (number as u16) << 4 | (length as u16 + num_signs)
            };
            let end = place + (1 << (FAST_BITS as usize - length));
            while place < end {
                table[place] = entry;
                place += 1;
            }
            symbol += 1;
            n += 1;
        }
        length += 1;
    }
    let quads = if is_signed { &SIGNED_QUADS } else { &QUADS };
    Book { table, quads, pairs, listing, base, is_quad, is_signed }
}

impl Book {
    /// The next four lines, of one code or of two.
    #[inline(always)]
    pub(crate) fn read<const IS_QUAD: bool>(&self, bits: &mut BitReader<'_>) -> [f32; 4] {
        bits.refill();
        if IS_QUAD {
            self.read_quad(bits)
        } else {
            let [first, second] = self.read_pair(bits);
            let [third, fourth] = self.read_pair(bits);
            [first, second, third, fourth]
        }
    }

    #[inline(always)]
    fn entry(&self, bits: &BitReader<'_>) -> u16 {
        self.table.get((bits.buffer >> (64 - FAST_BITS)) as usize).copied().unwrap_or(RARE)
    }

    /// The symbol, the length of the code, and the length with signs, of an entry that is not rare.
    #[inline(always)]
    fn parts(entry: u16) -> (usize, u32, u32) {
        let (total, num_signs) = (u32::from(entry & 15), u32::from(entry >> 13));
        (usize::from(entry >> 4 & 511), total.wrapping_sub(num_signs), total)
    }

    #[inline(always)]
    fn read_quad(&self, bits: &mut BitReader<'_>) -> [f32; 4] {
        let entry = self.entry(bits);
        let (mut symbol, mut length, mut total) = Self::parts(entry);
        if entry >= RARE {
            (symbol, length) = self.long_code(bits.buffer);
            let signed = self.quads.get(symbol).map_or(0, |quad| quad.signed);
            total = length + signed.count_ones();
        }
        let signs = (bits.buffer << (length & 63) >> 60) as usize;
        bits.buffer <<= total & 63;
        bits.count = bits.count.wrapping_sub(total);
        let Some(quad) = self.quads.get(symbol) else { return [0.0; 4] };
        let signs = SIGNS.get(quad.signed | signs).copied().unwrap_or_default();
        let [a, b, c, d] = quad.lines;
        let [e, f, g, h] = signs;
        [flip(a, e), flip(b, f), flip(c, g), flip(d, h)]
    }

    #[inline(always)]
    fn read_pair(&self, bits: &mut BitReader<'_>) -> [f32; 2] {
        let entry = self.entry(bits);
        if entry >= RARE {
            let lines;
            (lines, *bits) = self.rare_pair(*bits, entry);
            return lines;
        }
        let (symbol, length, total) = Self::parts(entry);
        let signs = (bits.buffer << (length & 63) >> 62) as usize;
        bits.buffer <<= total & 63;
        bits.count = bits.count.wrapping_sub(total);
        self.pairs.get(symbol * 4 + signs).copied().unwrap_or_default()
    }

    /// A pair whose code is long, or which has escapes.
    #[inline(never)]
    #[expect(clippy::cast_possible_truncation, reason = "at most 21 bits")]
    fn rare_pair<'a>(&self, mut bits: BitReader<'a>, entry: u16) -> ([f32; 2], BitReader<'a>) {
        bits.refill();
        let (mut symbol, mut length) = (usize::from(entry >> 4 & 511), u32::from(entry & 15));
        if length == 0 {
            (symbol, length) = self.long_code(bits.buffer);
        }
        bits.buffer <<= length;
        bits.count -= length;
        let (first, second) = (symbol / self.base, symbol % self.base);
        let num_signs = if self.is_signed { 0 } else { u32::from(first != 0) + u32::from(second != 0) };
        let signs = (bits.buffer >> 62) as usize;
        bits.buffer <<= num_signs;
        bits.count -= num_signs;
        let mut lines = self.pairs.get(symbol * 4 + signs).copied().unwrap_or_default();
        if self.base > ESCAPE {
            for (line, digit) in lines.iter_mut().zip([first, second]) {
                if digit == ESCAPE {
                    // As many ones, then a zero, as there are more than four bits below the highest one.
                    let num_ones = bits.buffer.leading_ones();
                    if num_ones > 8 {
                        // No line is so great. What cannot be read is behind the end.
                        bits = BitReader::at(bits.bytes, bits.bytes.len() + 16);
                        bits.refill();
                        return ([0.0; 2], bits);
                    }
                    let num_bits = num_ones + 4;
                    let low = (bits.buffer << (num_ones + 1) >> (64 - num_bits)) as usize;
                    bits.buffer <<= num_ones + 1 + num_bits;
                    bits.count -= num_ones + 1 + num_bits;
                    let magnitude = (1 << num_bits) + low;
                    let power = POWERS.get(magnitude).copied().unwrap_or_default();
                    *line = power.copysign(*line);
                }
            }
        }
        bits.refill();
        (lines, bits)
    }

    /// The symbol and the length of any code.
    #[cold]
    #[inline(never)]
    fn long_code(&self, buffer: u64) -> (usize, u32) {
        code(self.listing, buffer)
    }
}

/// The symbol and the length of the code at the top of a buffer.
#[expect(clippy::cast_possible_truncation, reason = "at most 19 bits")]
fn code(listing: &Listing, buffer: u64) -> (usize, u32) {
    let (mut first, mut num_before) = (0, 0);
    for (length, count) in (1..).zip(listing.counts) {
        let place = (buffer >> (64 - length)) as usize - first;
        if place < usize::from(*count) {
            let symbol = listing.symbols.get(num_before + place);
            return (symbol.map_or(0, |symbol| usize::from(*symbol)), length);
        }
        first = (first + usize::from(*count)) << 1;
        num_before += usize::from(*count);
    }
    (0, 1) // all bits are some code: not reached
}

#[inline(always)]
fn flip(value: f32, sign: u32) -> f32 {
    f32::from_bits(value.to_bits() ^ sign)
}

/// By the next ten bits: the length of the code, from bit 4 on the symbol; 0 where the code is longer.
#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "the compiler computes it, and checks"
)]
static SCALE_FACTORS: [u16; 1 << FAST_BITS] = {
    let listing = &codebooks::SCALE_FACTORS;
    let mut table = [0; 1 << FAST_BITS];
    let (mut place, mut symbol, mut length) = (0, 0, 1);
    while length <= FAST_BITS as usize {
        let mut n = 0;
        while n < listing.counts[length - 1] {
            let end = place + (1 << (FAST_BITS as usize - length));
            while place < end {
                table[place] = listing.symbols[symbol] << 4 | length as u16;
                place += 1;
            }
            symbol += 1;
            n += 1;
        }
        length += 1;
    }
    table
};

/// A difference of scale factors, -60 to 60.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "ten bits, and at most 120")]
pub(crate) fn read_difference(bits: &mut BitReader<'_>) -> i32 {
    bits.refill();
    let entry = SCALE_FACTORS.get((bits.buffer >> (64 - FAST_BITS)) as usize).copied().unwrap_or(0);
    let (mut symbol, mut length) = (usize::from(entry >> 4), u32::from(entry & 15));
    if length == 0 {
        (symbol, length) = code(&codebooks::SCALE_FACTORS, bits.buffer);
    }
    bits.buffer <<= length;
    bits.count -= length;
    symbol as i32 - 60
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::cast_possible_truncation)]
mod tests {
    use super::*;

    /// The codes of a listing: symbol, length, bits.
    fn codes(listing: &Listing) -> Vec<(usize, u32, u64)> {
        let (mut codes, mut next, mut symbols) = (Vec::new(), 0, listing.symbols.iter());
        for (length, count) in (1..).zip(listing.counts) {
            next <<= 1;
            for _ in 0..*count {
                codes.push((usize::from(*symbols.next().unwrap_or(&0)), length, next));
                next += 1;
            }
        }
        codes
    }

    #[test]
    fn codebooks_are_whole() {
        for (listing, size) in codebooks::SPECTRUM
            .iter()
            .zip([81, 81, 81, 81, 81, 81, 64, 64, 169, 169, 289])
            .chain([(&codebooks::SCALE_FACTORS, 121)])
        {
            let codes = codes(listing);
            assert_eq!(codes.iter().map(|(_, length, _)| 1.0 / f64::from(1 << length)).sum::<f64>(), 1.0);
            let mut symbols: Vec<usize> = codes.iter().map(|(symbol, ..)| *symbol).collect();
            symbols.sort_unstable();
            assert!(symbols.into_iter().eq(0..size));
        }
    }

    #[test]
    fn every_code_with_every_sign_and_escape_is_read() {
        for (number, book) in BOOKS.iter().enumerate() {
            let (bias, num_lines) = (
                if book.is_signed { (book.base as i32 - 1) / 2 } else { 0 },
                4 / (2 - usize::from(book.is_quad)),
            );
            let num_lines = if book.is_quad { 4 } else { num_lines };
            for (symbol, length, code) in codes(book.listing) {
                for signs in 0..16_u64 {
                    let (mut stream, mut num_bits) = (u128::from(code), length);
                    let mut put = |value: u64, count: u32| {
                        stream = stream << count | u128::from(value);
                        num_bits += count;
                    };
                    let mut expected = Vec::new();
                    let digits =
                        (0..num_lines as u32).rev().map(|line| symbol / book.base.pow(line) % book.base);
                    let digits: Vec<i32> = digits.map(|digit| digit as i32 - bias).collect();
                    for (line, digit) in digits.iter().enumerate() {
                        let mut value = f64::from(*digit);
                        if !book.is_signed && *digit != 0 {
                            let sign = signs >> line & 1;
                            put(sign, 1);
                            value = if sign == 1 { -value } else { value };
                        }
                        expected.push(value);
                    }
                    for (value, digit) in expected.iter_mut().zip(&digits) {
                        if number == 10 && *digit == 16 {
                            let magnitude = [16, 31, 32, 500, 8191][(signs as usize + symbol) % 5];
                            let num_ones = magnitude_bits(magnitude) - 5;
                            put((1 << num_ones) - 1, num_ones);
                            put(0, 1);
                            put(magnitude & ((1 << (num_ones + 4)) - 1), num_ones + 4);
                            *value = value.signum() * magnitude as f64;
                        }
                    }
                    // Behind it stands the shortest code, then ones.
                    let (_, next_length, next) = codes(book.listing)[0];
                    put(next, next_length);
                    let bytes = (stream << (128 - num_bits)).to_be_bytes();
                    let mut bits = BitReader::at(&bytes, 0);
                    let lines = if book.is_quad {
                        book.read::<true>(&mut bits)
                    } else {
                        book.read::<false>(&mut bits)
                    };
                    for (line, value) in lines.iter().zip(&expected) {
                        let power = value.signum() * value.abs().powf(4.0 / 3.0);
                        let error = (f64::from(*line) - if *value == 0.0 { 0.0 } else { power }).abs();
                        assert!(error <= power.abs() * 6.1e-8, "codebook {}, symbol {symbol}", number + 1);
                    }
                    let num_read = bits.position as u32 * 8 - bits.count;
                    assert!(
                        book.is_quad && num_read == num_bits - next_length
                            || num_read >= num_bits - next_length
                    );
                }
            }
        }
    }

    fn magnitude_bits(magnitude: u64) -> u32 {
        64 - magnitude.leading_zeros()
    }

    #[test]
    fn an_escape_that_is_too_long_ends_the_packet() {
        let (_, length, code) = codes(BOOKS[10].listing)[2]; // two escapes
        let bytes = ((code << 2 | 3) << (62 - length) | ((1 << 40) - 1) << (22 - length)).to_be_bytes();
        let mut bits = BitReader::at(&bytes, 0);
        assert_eq!(codes(BOOKS[10].listing)[2].0, 288);
        BOOKS[10].read::<false>(&mut bits);
        assert!(bits.is_past_end());
        BOOKS[10].read::<false>(&mut bits);
    }

    #[test]
    fn every_difference_is_read() {
        for (symbol, length, code) in codes(&codebooks::SCALE_FACTORS) {
            let bytes = (code << (64 - length) | 1).to_be_bytes();
            let mut bits = BitReader::at(&bytes, 0);
            assert_eq!(read_difference(&mut bits), symbol as i32 - 60);
            assert_eq!(bits.position as u32 * 8 - bits.count, length);
        }
    }
}
