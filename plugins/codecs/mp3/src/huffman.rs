//! Huffman codes of lines (ISO/IEC 11172-3, 2.4.1.8 and 2.4.2.7): pairs of three regions, then quadruples of lines that are
//! -1, 0 or 1, then zeros.
//!
//! A table tells from eleven bits what code they begin with, how many bits it takes with the signs, and what lines it stands
//! for. Codes that are longer, or that are followed by a number, are rare. Each code waits for the one before it, so two
//! channels are read in one loop, of which one goes on while the other waits.

#![forbid(unsafe_code)]

use std::ops::Range;

use mapwave_codec_base::load;

use crate::codes::{self, NUM_LINEAR_BITS, QUADS_A};
use crate::maths::cube_root;
use crate::side_info::ChannelInfo;
use crate::sizes::GRANULE;

/// The bits that are looked up at once.
const NUM_BITS: u32 = 11;
/// The bits of quadruples, with their signs.
const NUM_QUAD_BITS: u32 = 10;
/// The number of bits of a code that is read in another way.
const RARE: u16 = 63;
/// The greatest value of a line: 15 and 13 bits.
const MAX_VALUE: usize = 15 + 0x1FFF;
/// Room for the lines of a granule and the rest of a quadruple, or of a vector.
pub(crate) const NUM_LINES: usize = GRANULE + 16;

/// The lines of a granule.
pub(crate) type Lines = [f32; NUM_LINES];

/// What pairs codes stand for.
struct Pairs {
    /// What the next bits begin with: the number of bits with the signs, 6 bits; that of the signs, 2 bits; the pair. If the
    /// number of bits is [`RARE`], then the number of the first code in the list that begins so.
    found: [u16; 1 << NUM_BITS],
    codes: &'static [u16],
}

/// The tables in the order of this file.
static PAIRS: [Pairs; 16] = [
    Pairs { found: [0; 1 << NUM_BITS], codes: &[] }, // zeros, without any bits
    Pairs::new(&codes::TABLE_1, false),
    Pairs::new(&codes::TABLE_2, false),
    Pairs::new(&codes::TABLE_3, false),
    Pairs::new(&codes::TABLE_5, false),
    Pairs::new(&codes::TABLE_6, false),
    Pairs::new(&codes::TABLE_7, false),
    Pairs::new(&codes::TABLE_8, false),
    Pairs::new(&codes::TABLE_9, false),
    Pairs::new(&codes::TABLE_10, false),
    Pairs::new(&codes::TABLE_11, false),
    Pairs::new(&codes::TABLE_12, false),
    Pairs::new(&codes::TABLE_13, false),
    Pairs::new(&codes::TABLE_15, false),
    Pairs::new(&codes::TABLE_16, true),
    Pairs::new(&codes::TABLE_24, true),
];

/// Which of [`PAIRS`] each table is. Tables 4 and 14 do not exist.
const PLACES: [u8; 32] = [
    0, 1, 2, 3, 0, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0, 13, 14, 14, 14, 14, 14, 14, 14, 14, 15, 15, 15, 15, 15,
    15, 15, 15,
];

impl Pairs {
    #[allow(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "made by the compiler")]
    const fn new(codes: &'static [u16], has_linear_bits: bool) -> Self {
        let mut found = [0; 1 << NUM_BITS];
        let (mut number, mut bits) = (0, 0_u32);
        while number < codes.len() {
            let code = codes[number];
            let (length, first, second) = ((code >> 8) as u32, code >> 4 & 15, code & 15);
            let num_signs = (first > 0) as u16 + (second > 0) as u16;
            let is_rare = length > NUM_BITS || has_linear_bits && (first == 15 || second == 15);
            let last = bits + ((1 << (32 - length)) - 1);
            let mut place = (bits >> (32 - NUM_BITS)) as usize;
            while place <= (last >> (32 - NUM_BITS)) as usize {
                if !is_rare {
                    found[place] = ((code >> 8) + num_signs) | (num_signs << 6) | (code & 0xFF) << 8;
                } else if found[place] == 0 {
                    found[place] = RARE | (number as u16) << 8;
                }
                place += 1;
            }
            bits = last.wrapping_add(1);
            number += 1;
        }
        assert!(bits == 0); // the codes fill all bits
        Self { found, codes }
    }

    /// The table of a number in the side information.
    #[expect(clippy::indexing_slicing, reason = "5 bits, and 4")]
    fn of(table: u8) -> &'static Self {
        &PAIRS[PLACES[usize::from(table & 31)] as usize & 15]
    }
}

/// What quadruples codes stand for, with their signs: the number of bits, 4 bits; the number of the quadruple.
struct Quads {
    found: [u16; 1 << NUM_QUAD_BITS],
}

/// Tables A and B of quadruples.
#[allow(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "made by the compiler")]
static QUADS: [Quads; 2] = [
    Quads::new(&QUADS_A),
    // All codes of table B have 4 bits.
    Quads::new(&{
        let mut codes = [0; 16];
        let mut code = 0;
        while code < 16 {
            codes[code] = 4 << 8 | (15 - code as u16);
            code += 1;
        }
        codes
    }),
];

#[allow(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "made by the compiler")]
impl Quads {
    const fn new(codes: &[u16; 16]) -> Self {
        let mut found = [0; 1 << NUM_QUAD_BITS];
        let (mut number, mut place) = (0, 0);
        while number < codes.len() {
            let num_others = NUM_QUAD_BITS - (codes[number] >> 8) as u32;
            let mut others = 0_usize;
            while others < 1 << num_others {
                // The signs are the highest of the other bits.
                let (mut signs, mut quad, mut line) = (0, 0, 0);
                while line < 4 {
                    let digit = if codes[number] >> (3 - line) & 1 == 0 {
                        0
                    } else {
                        signs += 1;
                        1 + (others >> (num_others - signs) & 1) as u16
                    };
                    quad = quad * 3 + digit;
                    line += 1;
                }
                found[place] = ((codes[number] >> 8) + signs as u16) | quad << 4;
                place += 1;
                others += 1;
            }
            number += 1;
        }
        assert!(place == found.len());
        Self { found }
    }
}

/// The lines of quadruples: four digits of base 3, which are 0, 1 and -1.
#[allow(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "made by the compiler")]
static QUAD_LINES: [[f32; 4]; 128] = {
    let mut lines = [[0.0; 4]; 128];
    let mut quad = 0;
    while quad < 81 {
        let mut line = 0;
        let mut rest = quad;
        while line < 4 {
            lines[quad][3 - line] = [0.0, 1.0, -1.0][rest % 3];
            rest /= 3;
            line += 1;
        }
        quad += 1;
    }
    lines
};

/// Numbers to the power of 4/3, as lines are stored (2.4.3.4.7.1).
#[allow(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "made by the compiler")]
static POWERS: [f32; MAX_VALUE + 1] = {
    let mut powers = [0.0; MAX_VALUE + 1];
    let (mut value, mut root) = (1, 1.0);
    while value <= MAX_VALUE {
        root = cube_root(value as f64, root);
        powers[value] = (value as f64 * root) as f32;
        value += 1;
    }
    powers
};

/// The lines of pairs, the signs in the lowest two bits: the second is of the line that is not 0.
#[allow(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "made by the compiler")]
static PAIR_LINES: [[f32; 2]; 1024] = {
    let mut lines = [[0.0; 2]; 1024];
    let mut pair = 0;
    while pair < 1024 {
        let (first, second) = (POWERS[pair >> 6], POWERS[pair >> 2 & 15]);
        let is_negative = [pair >> 1 & 1 == 1, (if pair >> 6 == 0 { pair >> 1 } else { pair }) & 1 == 1];
        lines[pair] =
            [if is_negative[0] { -first } else { first }, if is_negative[1] { -second } else { second }];
        pair += 1;
    }
    lines
};

/// The next bits, the first of them the highest.
#[derive(Clone, Copy, Debug)]
struct Bits<'a> {
    bytes: &'a [u8],
    position: usize,
    buffer: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    #[expect(clippy::cast_possible_truncation, reason = "below 8")]
    fn at(bytes: &'a [u8], bit: usize) -> Self {
        let mut bits = Self { bytes, position: bit / 8, buffer: 0, count: 0 };
        bits.refill();
        bits.skip((bit % 8) as u32);
        bits
    }

    /// Makes at least 56 bits valid.
    #[inline(always)]
    fn refill(&mut self) {
        self.buffer |= load(self.bytes, self.position) >> self.count;
        self.position += ((63 - self.count) >> 3) as usize;
        self.count |= 56;
    }

    #[inline(always)]
    fn skip(&mut self, num_bits: u32) {
        self.buffer <<= num_bits;
        self.count -= num_bits;
    }

    /// A number of 0 to 32 bits.
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation, reason = "32 bits")]
    fn read(&mut self, num_bits: u32) -> usize {
        let value = self.buffer >> 1 >> (63 - num_bits);
        self.skip(num_bits);
        value as usize
    }

    fn position(&self) -> usize {
        (self.position * 8).saturating_sub(self.count as usize)
    }

    /// A pair; at least 13 bits are valid.
    #[inline(always)]
    #[allow(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "11 bits and 10 bits")]
    fn pair(&mut self, table: &Pairs, linear_bits: u32) -> [f32; 2] {
        let found = u32::from(table.found[(self.buffer >> (64 - NUM_BITS)) as usize]);
        if found & 63 == RARE.into() {
            let (pair, bits) = rare_pair(*self, table, linear_bits, found >> 8);
            *self = bits;
            return pair;
        }
        let (num_bits, num_signs) = (found & 63, found >> 6 & 3);
        let signs = self.buffer << ((num_bits - num_signs) & 63) >> 62;
        self.buffer <<= num_bits & 63;
        self.count -= num_bits;
        PAIR_LINES[(found >> 8 << 2 | signs as u32) as usize & 1023]
    }

    /// The number of bits and the lines of a quadruple; at least 10 bits are valid.
    #[inline(always)]
    #[allow(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "10 bits and 7 bits")]
    fn quad(&mut self, table: &Quads) -> (u32, &'static [f32; 4]) {
        let found = u32::from(table.found[(self.buffer >> (64 - NUM_QUAD_BITS)) as usize]);
        let num_bits = found & 15;
        self.buffer <<= num_bits;
        self.count -= num_bits;
        (num_bits, &QUAD_LINES[(found >> 4) as usize & 127])
    }
}

/// A pair whose code is long, or has a number behind it, and the bits behind it, of which 56 are valid.
#[cold]
#[inline(never)]
#[allow(clippy::cast_possible_truncation, reason = "the upper half")]
fn rare_pair<'a>(mut bits: Bits<'a>, table: &Pairs, linear_bits: u32, first: u32) -> ([f32; 2], Bits<'a>) {
    bits.refill();
    let next = (bits.buffer >> 32) as u32;
    // The first code of those that begin with the same bits begins with zeros after them, unless it is shorter.
    let mut start = next >> (32 - NUM_BITS) << (32 - NUM_BITS);
    let mut code = 0;
    for candidate in table.codes.iter().skip(first as usize) {
        code = *candidate;
        let size = 1_u32 << (32 - u32::from(code >> 8));
        start &= !(size - 1);
        if next - start < size {
            break;
        }
        start = start.wrapping_add(size);
    }
    bits.skip(u32::from(code >> 8));
    let pair = [code >> 4 & 15, code & 15].map(|value| {
        let mut value = usize::from(value);
        if value == 15 {
            value += bits.read(linear_bits);
        }
        let line = POWERS.get(value).copied().unwrap_or(0.0);
        let is_negative = value > 0 && bits.read(1) == 1;
        if is_negative { -line } else { line }
    });
    bits.refill();
    (pair, bits)
}

/// The codes of one channel of a granule.
pub(crate) struct Codes<'a, 'l> {
    bits: Bits<'a>,
    /// The bit after the last one, where the codes should end.
    end: usize,
    info: &'a ChannelInfo,
    region: usize,
    /// The pairs that are left of the region.
    num_pairs: usize,
    lines: &'l mut Lines,
    /// The lines that are read.
    num_lines: usize,
}

impl<'a, 'l> Codes<'a, 'l> {
    /// The codes in a range of bits of the main data.
    pub(crate) fn new(
        bytes: &'a [u8],
        bits: Range<usize>,
        info: &'a ChannelInfo,
        lines: &'l mut Lines,
    ) -> Self {
        let [num_pairs, _, _] = info.region_pairs;
        let Range { start, end } = bits;
        Self { bits: Bits::at(bytes, start), end, info, region: 0, num_pairs, lines, num_lines: 0 }
    }

    /// The pairs that are left of the region, or else of the next that has any; 0 after the last one.
    fn next_run(&mut self) -> usize {
        while self.num_pairs == 0 && self.region < 2 {
            self.region += 1;
            self.num_pairs = self.info.region_pairs.get(self.region).copied().unwrap_or(0);
        }
        self.num_pairs
    }

    /// The table of the region, and its number of linear bits.
    fn table(&self) -> (&'static Pairs, u32) {
        let table = self.info.tables.get(self.region).copied().unwrap_or(0);
        (Pairs::of(table), NUM_LINEAR_BITS.get(usize::from(table)).copied().unwrap_or(0).into())
    }
}

/// The places of the next pairs, which then count as read.
fn take_pairs<'l>(lines: &'l mut [f32], num_lines: &mut usize, num_pairs: usize) -> &'l mut [[f32; 2]] {
    let (pairs, _) =
        lines.get_mut(*num_lines..*num_lines + 2 * num_pairs).unwrap_or_default().as_chunks_mut();
    *num_lines += 2 * num_pairs;
    pairs
}

/// Reads the lines of one channel or of two at a time; their numbers without the zeros at the end, and zeros there.
#[inline(always)]
pub(crate) fn read(first: &mut Codes<'_, '_>, mut second: Option<&mut Codes<'_, '_>>) -> [usize; 2] {
    if let Some(second) = &mut second {
        loop {
            let num_pairs = first.next_run().min(second.next_run());
            if num_pairs == 0 {
                break;
            }
            read_two_runs(first, second, num_pairs);
        }
        read_runs(second);
    }
    read_runs(first);
    if let Some(second) = second {
        read_two_quads(first, second);
        read_quads(second);
        read_quads(first);
        return [finish(first), finish(second)];
    }
    read_quads(first);
    [finish(first), 0]
}

#[inline(always)]
fn finish(codes: &mut Codes<'_, '_>) -> usize {
    codes.lines.get_mut(codes.num_lines..).unwrap_or_default().fill(0.0);
    codes.num_lines.min(GRANULE)
}

#[inline(always)]
fn read_two_runs(first: &mut Codes<'_, '_>, second: &mut Codes<'_, '_>, num_pairs: usize) {
    let ((table, linear_bits), (second_table, second_linear_bits)) = (first.table(), second.table());
    let (mut one, mut two) = (first.bits, second.bits);
    let lines = take_pairs(first.lines, &mut first.num_lines, num_pairs);
    let second_lines = take_pairs(second.lines, &mut second.num_lines, num_pairs);
    let ((fours, rest), (second_fours, second_rest)) =
        (lines.as_chunks_mut::<4>(), second_lines.as_chunks_mut::<4>());
    for (pairs, second_pairs) in fours.iter_mut().zip(second_fours) {
        one.refill();
        two.refill();
        for (pair, second_pair) in pairs.iter_mut().zip(second_pairs) {
            *pair = one.pair(table, linear_bits);
            *second_pair = two.pair(second_table, second_linear_bits);
        }
    }
    one.refill();
    two.refill();
    for (pair, second_pair) in rest.iter_mut().zip(second_rest) {
        *pair = one.pair(table, linear_bits);
        *second_pair = two.pair(second_table, second_linear_bits);
    }
    (first.bits, second.bits) = (one, two);
    first.num_pairs -= num_pairs;
    second.num_pairs -= num_pairs;
}

#[inline(always)]
fn read_runs(codes: &mut Codes<'_, '_>) {
    loop {
        let num_pairs = codes.next_run();
        if num_pairs == 0 {
            return;
        }
        let (table, linear_bits) = codes.table();
        let mut bits = codes.bits;
        let (fours, rest) = take_pairs(codes.lines, &mut codes.num_lines, num_pairs).as_chunks_mut::<4>();
        for pairs in fours {
            bits.refill();
            for pair in pairs {
                *pair = bits.pair(table, linear_bits);
            }
        }
        bits.refill();
        for pair in rest {
            *pair = bits.pair(table, linear_bits);
        }
        codes.bits = bits;
        codes.num_pairs = 0;
    }
}

impl Codes<'_, '_> {
    fn quads(&self) -> &'static Quads {
        let [usual, flat] = &QUADS;
        if self.info.has_flat_quads { flat } else { usual }
    }

    /// The bits that are left, negative if the pairs have taken more than there are.
    fn num_left(&self) -> i32 {
        let (end, position) = (i32::try_from(self.end), i32::try_from(self.bits.position()));
        end.unwrap_or(0).saturating_sub(position.unwrap_or(i32::MAX))
    }
}

/// Reads a quadruple, unless it ends after the last bit; false if it does.
macro_rules! quad {
    ($bits:ident, $table:ident, $left:ident, $place:ident) => {{
        let (num_bits, lines) = $bits.quad($table);
        $left -= num_bits.cast_signed();
        if $left >= 0 {
            *$place = *lines;
        }
        $left >= 0
    }};
}

/// Reads quadruples of both channels until one of them ends.
#[inline(always)]
fn read_two_quads(first: &mut Codes<'_, '_>, second: &mut Codes<'_, '_>) {
    let (table, second_table) = (first.quads(), second.quads());
    let (mut one, mut two) = (first.bits, second.bits);
    let (mut left, mut second_left) = (first.num_left(), second.num_left());
    let (places, _) = first.lines.get_mut(first.num_lines..).unwrap_or_default().as_chunks_mut::<4>();
    let (second_places, _) =
        second.lines.get_mut(second.num_lines..).unwrap_or_default().as_chunks_mut::<4>();
    let num_most = (GRANULE.saturating_sub(first.num_lines.max(second.num_lines))).div_ceil(4);
    let (mut num_read, mut second_num_read) = (0, 0);
    for (place, second_place) in places.iter_mut().zip(second_places).take(num_most) {
        one.refill();
        two.refill();
        if !quad!(one, table, left, place) {
            first.end = 0;
            break;
        }
        num_read += 1;
        if !quad!(two, second_table, second_left, second_place) {
            second.end = 0;
            break;
        }
        second_num_read += 1;
    }
    (first.bits, second.bits) = (one, two);
    first.num_lines += 4 * num_read;
    second.num_lines += 4 * second_num_read;
}

#[inline(always)]
fn read_quads(codes: &mut Codes<'_, '_>) {
    let table = codes.quads();
    let mut bits = codes.bits;
    let mut left = codes.num_left();
    let num_most = (GRANULE.saturating_sub(codes.num_lines)).div_ceil(4);
    let (places, _) = codes.lines.get_mut(codes.num_lines..).unwrap_or_default().as_chunks_mut::<4>();
    let mut num_read = 0;
    for place in places.iter_mut().take(num_most) {
        bits.refill();
        if !quad!(bits, table, left, place) {
            break;
        }
        num_read += 1;
    }
    codes.bits = bits;
    codes.num_lines += 4 * num_read;
}
