//! A decoder straight from the formulas of the standards, in double precision, bit by bit and without any transform that is
//! fast. Clauses are those of ISO/IEC 11172-3, unless said otherwise.

#![allow(clippy::precedence, clippy::needless_range_loop)]

use std::collections::HashMap;
use std::f64::consts::PI;

use mapwave_mp3::tables::{self, LONG_WIDTHS, NUM_LINEAR_BITS, QUADS_A, SHORT_WIDTHS};

/// The most bytes before the main data of a packet.
const MAX_RESERVOIR: usize = 511;
/// `scalefac_compress` in MPEG-1 (2.4.2.7): slen1 and slen2.
const SLEN: [[usize; 16]; 2] =
    [[0, 0, 0, 0, 3, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4], [0, 1, 2, 3, 0, 1, 2, 3, 1, 2, 3, 1, 2, 3, 2, 3]];
/// Table 3-B.6.
const PRETAB: [usize; 22] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 3, 2, 0];
/// Table 3-B.9.
const ALIAS: [f64; 8] = [-0.6, -0.535, -0.33, -0.185, -0.095, -0.041, -0.0142, -0.0037];

/// Bits from some place on; zeros after the end.
struct Bits<'a>(&'a [u8], usize);

impl Bits<'_> {
    fn take(&mut self, count: usize) -> usize {
        (0..count).fold(0, |value, _| {
            let bit = self.0.get(self.1 / 8).map_or(0, |byte| byte >> (7 - self.1 % 8) & 1);
            self.1 += 1;
            value << 1 | usize::from(bit)
        })
    }
}

/// The fields of one channel of a granule.
#[derive(Clone, Default)]
struct Granule {
    part2_3_length: usize,
    big_values: usize,
    global_gain: usize,
    scalefac_compress: usize,
    is_switched: bool,
    block_type: usize,
    is_mixed: bool,
    table_select: [usize; 3],
    subblock_gain: [usize; 3],
    region_count: [usize; 2],
    preflag: bool,
    scalefac_scale: usize,
    count1table_select: bool,
}

/// A band of lines in the order of the stream: its lines, and its window and number if it is short.
#[derive(Clone, Copy)]
struct Band {
    start: usize,
    end: usize,
    window: Option<usize>,
    number: usize,
}

pub struct Reference {
    reservoir: Vec<u8>,
    factors: [[usize; 39]; 2],
    overlap: [Vec<[f64; 18]>; 2],
    v: [Vec<f64>; 2],
    codes: HashMap<(usize, usize, usize), (usize, usize)>,
}

impl Reference {
    pub fn new() -> Self {
        let mut codes = HashMap::new();
        for (table, list) in [
            (1, &tables::TABLE_1[..]),
            (2, &tables::TABLE_2),
            (3, &tables::TABLE_3),
            (5, &tables::TABLE_5),
            (6, &tables::TABLE_6),
            (7, &tables::TABLE_7),
            (8, &tables::TABLE_8),
            (9, &tables::TABLE_9),
            (10, &tables::TABLE_10),
            (11, &tables::TABLE_11),
            (12, &tables::TABLE_12),
            (13, &tables::TABLE_13),
            (15, &tables::TABLE_15),
            (16, &tables::TABLE_16),
            (24, &tables::TABLE_24),
            (32, &QUADS_A),
        ] {
            let mut next = 0;
            for code in list {
                let length = usize::from(code >> 8);
                let pair = (usize::from(code >> 4 & 15), usize::from(code & 15));
                codes.insert((table, length, next >> (32 - length)), pair);
                next += 1 << (32 - length);
            }
        }
        Self {
            reservoir: Vec::new(),
            factors: [[0; 39]; 2],
            overlap: [vec![[0.0; 18]; 32], vec![[0.0; 18]; 32]],
            v: [vec![0.0; 1024], vec![0.0; 1024]],
            codes,
        }
    }

    /// The samples of each channel.
    pub fn decode(&mut self, packet: &[u8]) -> Vec<Vec<f64>> {
        let mut bits = Bits(packet, 11);
        let (version, _layer, no_crc) = (bits.take(2), bits.take(2), bits.take(1) == 1);
        bits.take(4);
        let rate = bits.take(2);
        bits.take(2);
        let (mode, extension) = (bits.take(2), bits.take(2));
        bits.take(if no_crc { 4 } else { 20 });
        let is_mpeg1 = version == 3;
        let row = rate + [6, 0, 3, 0][version];
        let num_channels = if mode == 3 { 1 } else { 2 };
        let (is_ms, is_intensity) = (mode == 1 && extension & 2 != 0, mode == 1 && extension & 1 != 0);

        let main_data_begin = bits.take(if is_mpeg1 { 9 } else { 8 });
        bits.take(match (is_mpeg1, num_channels) {
            (true, 1) => 5,
            (true, _) => 3,
            (_, number) => number,
        });
        let mut scfsi = [[false; 4]; 2];
        if is_mpeg1 {
            scfsi.iter_mut().take(num_channels).flatten().for_each(|flag| *flag = bits.take(1) == 1);
        }
        let num_granules = if is_mpeg1 { 2 } else { 1 };
        let granules: Vec<Granule> =
            (0..num_granules * num_channels).map(|_| side(&mut bits, is_mpeg1)).collect();

        let own = &packet[bits.1 / 8..];
        let mut data = self.reservoir[self.reservoir.len() - main_data_begin..].to_vec();
        data.extend_from_slice(own);
        self.reservoir.extend_from_slice(own);
        self.reservoir.drain(..self.reservoir.len().saturating_sub(MAX_RESERVOIR));

        let mut samples = vec![Vec::new(); num_channels];
        let mut start = 0;
        for (number, channels) in granules.chunks(num_channels).enumerate() {
            let (mut lines, mut positions) = (Vec::new(), Vec::new());
            for (channel, granule) in channels.iter().enumerate() {
                let mut bits = Bits(&data, start);
                let shared = if number == 1 { scfsi[channel] } else { [false; 4] };
                let is_share = is_intensity && channel == 1;
                positions = self.scale_factors(&mut bits, channel, granule, is_mpeg1, shared, is_share, row);
                start += granule.part2_3_length;
                let values = self.huffman(&mut bits, granule, start, row);
                lines.push(requantize(&values, granule, &self.factors[channel], row, is_mpeg1));
            }
            if let [first, second] = &mut lines[..] {
                let bands = bands(&channels[1], row, is_mpeg1);
                let scale = channels[1].scalefac_compress & 1;
                stereo(first, second, &bands, &positions, is_ms, is_intensity, is_mpeg1, scale);
            }
            for (channel, granule) in channels.iter().enumerate() {
                let subbands = hybrid(&lines[channel], granule, row, is_mpeg1, &mut self.overlap[channel]);
                synthesis(&subbands, &mut self.v[channel], &mut samples[channel]);
            }
        }
        samples
    }

    /// 2.4.1.8; ISO/IEC 13818-3, 2.4.3.2. Returns the positions of intensity stereo, `None` where they are illegal.
    #[allow(clippy::too_many_arguments)]
    fn scale_factors(
        &mut self,
        bits: &mut Bits<'_>,
        channel: usize,
        granule: &Granule,
        is_mpeg1: bool,
        shared: [bool; 4],
        is_share: bool,
        row: usize,
    ) -> Vec<Option<usize>> {
        let factors = &mut self.factors[channel];
        let num_bands = bands(granule, row, is_mpeg1).len();
        let is_short = granule.block_type == 2;
        let mut illegal = vec![7; 39];
        let mut groups = Vec::new();
        let compress = granule.scalefac_compress;
        if is_mpeg1 {
            let [slen1, slen2] = [SLEN[0][compress], SLEN[1][compress]];
            groups = match (is_short, granule.is_mixed) {
                (false, _) => vec![(6, slen1), (5, slen1), (5, slen2), (5, slen2)],
                (true, false) => vec![(18, slen1), (18, slen2)],
                (true, true) => vec![(17, slen1), (18, slen2)],
            };
        } else {
            let column = usize::from(is_short) + usize::from(is_short && granule.is_mixed);
            let (counts, lengths) = if is_share {
                let half = compress >> 1;
                match half {
                    0..180 => (
                        [[7, 7, 7, 0], [12, 12, 12, 0], [6, 15, 12, 0]],
                        [half / 36, half % 36 / 6, half % 6, 0],
                    ),
                    180..244 => {
                        let rest = half - 180;
                        let lengths = [rest % 64 >> 4, rest % 16 >> 2, rest % 4, 0];
                        ([[6, 6, 6, 3], [12, 9, 9, 6], [6, 12, 9, 6]], lengths)
                    }
                    _ => {
                        let rest = half - 244;
                        ([[8, 8, 5, 0], [15, 12, 9, 0], [6, 18, 9, 0]], [rest / 3, rest % 3, 0, 0])
                    }
                }
            } else {
                match compress {
                    0..400 => {
                        let lengths =
                            [(compress >> 4) / 5, (compress >> 4) % 5, compress % 16 >> 2, compress % 4];
                        ([[6, 5, 5, 5], [9, 9, 9, 9], [6, 9, 9, 9]], lengths)
                    }
                    400..500 => {
                        let rest = compress - 400;
                        (
                            [[6, 5, 7, 3], [9, 9, 12, 6], [6, 9, 12, 6]],
                            [(rest >> 2) / 5, (rest >> 2) % 5, rest % 4, 0],
                        )
                    }
                    _ => {
                        let rest = compress - 500;
                        ([[11, 10, 0, 0], [18, 18, 0, 0], [15, 18, 0, 0]], [rest / 3, rest % 3, 0, 0])
                    }
                }
            };
            let mut at = 0;
            for (count, length) in counts[column].into_iter().zip(lengths) {
                groups.push((count, length));
                // A field without bits is legal.
                illegal[at..at + count].fill(if length > 0 { (1 << length) - 1 } else { usize::MAX });
                at += count;
            }
        }
        let mut at = 0;
        for (group, (count, length)) in groups.into_iter().enumerate() {
            for band in at..at + count {
                if is_short || !shared.get(group).copied().unwrap_or(false) {
                    factors[band] = bits.take(length);
                }
            }
            at += count;
        }
        factors[at..].fill(0);
        (0..num_bands).map(|band| Some(factors[band]).filter(|factor| *factor != illegal[band])).collect()
    }

    /// 2.4.1.8 and 2.4.2.7.
    fn huffman(&self, bits: &mut Bits<'_>, granule: &Granule, end: usize, row: usize) -> Vec<i32> {
        let long =
            |band: usize| LONG_WIDTHS[row].iter().take(band).map(|width| usize::from(*width)).sum::<usize>();
        let short =
            |band: usize| SHORT_WIDTHS[row].iter().take(band).map(|width| usize::from(*width)).sum::<usize>();
        let (second, third) = match (granule.is_switched, granule.block_type) {
            (false, _) => {
                let [first, second] = granule.region_count;
                (long(first + 1), long(first + second + 2))
            }
            (true, 2) => (3 * short(3), 576),
            (true, _) => (long(8), 576),
        };
        let mut values = Vec::new();
        while values.len() < 2 * granule.big_values {
            let region = usize::from(values.len() >= second) + usize::from(values.len() >= third);
            let select = granule.table_select[region];
            let table = match select {
                0 | 4 | 14 => {
                    values.extend([0, 0]);
                    continue;
                }
                16..24 => 16,
                24.. => 24,
                other => other,
            };
            let (x, y) = self.code(bits, table);
            for mut value in [x, y] {
                if value == 15 && select >= 16 {
                    value += bits.take(NUM_LINEAR_BITS[select].into());
                }
                values.push(signed(value, bits));
            }
        }
        while values.len() < 576 {
            let quad = if granule.count1table_select { 15 - bits.take(4) } else { self.code(bits, 32).1 };
            let four: Vec<i32> = (0..4).map(|line| signed(quad >> (3 - line) & 1, bits)).collect();
            if bits.1 > end {
                break;
            }
            values.extend(four);
        }
        values.resize(576, 0);
        values
    }

    fn code(&self, bits: &mut Bits<'_>, table: usize) -> (usize, usize) {
        let mut code = 0;
        for length in 1..20 {
            code = code << 1 | bits.take(1);
            if let Some(pair) = self.codes.get(&(table, length, code)) {
                return *pair;
            }
        }
        unreachable!("the codes fill all bits")
    }
}

fn signed(value: usize, bits: &mut Bits<'_>) -> i32 {
    let value = i32::try_from(value).unwrap();
    if value != 0 && bits.take(1) == 1 { -value } else { value }
}

/// 2.4.1.7.
fn side(bits: &mut Bits<'_>, is_mpeg1: bool) -> Granule {
    let mut granule = Granule {
        part2_3_length: bits.take(12),
        big_values: bits.take(9),
        global_gain: bits.take(8),
        scalefac_compress: bits.take(if is_mpeg1 { 4 } else { 9 }),
        is_switched: bits.take(1) == 1,
        ..Granule::default()
    };
    if granule.is_switched {
        granule.block_type = bits.take(2);
        granule.is_mixed = bits.take(1) == 1;
        granule.table_select = [bits.take(5), bits.take(5), 0];
        granule.subblock_gain = [bits.take(3), bits.take(3), bits.take(3)];
    } else {
        granule.table_select = [bits.take(5), bits.take(5), bits.take(5)];
        granule.region_count = [bits.take(4), bits.take(3)];
    }
    granule.preflag = if is_mpeg1 { bits.take(1) == 1 } else { granule.scalefac_compress >= 500 };
    granule.scalefac_scale = bits.take(1);
    granule.count1table_select = bits.take(1) == 1;
    granule
}

/// The bands of a granule, in the order of the stream.
fn bands(granule: &Granule, row: usize, is_mpeg1: bool) -> Vec<Band> {
    let (mut bands, mut start) = (Vec::new(), 0);
    let num_long = match (granule.block_type, granule.is_mixed) {
        (2, false) => 0,
        (2, true) => {
            if is_mpeg1 {
                8
            } else {
                6
            }
        }
        _ => 22,
    };
    for (number, width) in LONG_WIDTHS[row].into_iter().enumerate().take(num_long) {
        let end = start + usize::from(width);
        bands.push(Band { start, end, window: None, number });
        start = end;
    }
    if granule.block_type == 2 {
        let first = if num_long > 0 { 3 } else { 0 };
        for (number, width) in SHORT_WIDTHS[row].into_iter().enumerate().skip(first) {
            for window in 0..3 {
                let end = start + usize::from(width);
                bands.push(Band { start, end, window: Some(window), number });
                start = end;
            }
        }
    }
    assert_eq!(start, 576);
    bands
}

/// 2.4.3.4.7.1.
fn requantize(values: &[i32], granule: &Granule, factors: &[usize], row: usize, is_mpeg1: bool) -> Vec<f64> {
    let multiplier = if granule.scalefac_scale == 1 { 1.0 } else { 0.5 };
    let mut lines = vec![0.0; 576];
    for (band, factor) in bands(granule, row, is_mpeg1).into_iter().zip(factors) {
        let (gain, factor) = match band.window {
            Some(window) => (8.0 * granule.subblock_gain[window] as f64, *factor),
            // Only granules of long blocks alone are emphasised.
            None if granule.preflag && granule.block_type != 2 => (0.0, factor + PRETAB[band.number]),
            None => (0.0, *factor),
        };
        let exponent = (granule.global_gain as f64 - 210.0 - gain) / 4.0 - multiplier * factor as f64;
        for line in band.start..band.end {
            let value = f64::from(values[line]);
            lines[line] = value.signum() * value.abs().powf(4.0 / 3.0) * exponent.exp2();
        }
    }
    lines
}

/// 2.4.3.4.9; ISO/IEC 13818-3, 2.4.3.2.
#[allow(clippy::too_many_arguments)]
fn stereo(
    first: &mut [f64],
    second: &mut [f64],
    bands: &[Band],
    positions: &[Option<usize>],
    is_ms: bool,
    is_intensity: bool,
    is_mpeg1: bool,
    scale: usize,
) {
    let has_lines: Vec<bool> =
        bands.iter().map(|band| second[band.start..band.end].iter().any(|line| *line != 0.0)).collect();
    let is_above = |number: usize| {
        let band = bands[number];
        (number..bands.len()).all(|other| {
            let is_counted = band.window.is_none() || bands[other].window == band.window;
            !is_counted || !has_lines[other]
        })
    };
    for (number, band) in bands.iter().enumerate() {
        let step = if band.window.is_some() { 3 } else { 1 };
        let source = if number + step >= bands.len() { number - step } else { number };
        let position = positions[source].filter(|_| is_intensity && is_above(number));
        for (left, right) in first[band.start..band.end].iter_mut().zip(&mut second[band.start..band.end]) {
            let (m, s) = (*left, *right);
            (*left, *right) = match position {
                Some(position) if is_mpeg1 => {
                    let ratio = (position as f64 * PI / 12.0).tan();
                    if position == 6 { (m, 0.0) } else { (m * ratio / (1.0 + ratio), m / (1.0 + ratio)) }
                }
                Some(position) => {
                    let base = if scale == 1 { 0.5_f64.sqrt() } else { 0.5_f64.sqrt().sqrt() };
                    let less = base.powf(position.div_ceil(2) as f64);
                    if position % 2 == 1 { (m * less, m) } else { (m, m * less) }
                }
                None if is_ms => ((m + s) / 2.0_f64.sqrt(), (m - s) / 2.0_f64.sqrt()),
                None => (m, s),
            };
        }
    }
}

/// From lines to 18 samples of each subband: 2.4.3.4.8, 2.4.3.4.10.1 to 2.4.3.4.10.4.
fn hybrid(
    lines: &[f64],
    granule: &Granule,
    row: usize,
    is_mpeg1: bool,
    overlap: &mut [[f64; 18]],
) -> Vec<[f64; 18]> {
    let mut ordered = lines.to_vec();
    let bands = bands(granule, row, is_mpeg1);
    for band in &bands {
        if let Some(window) = band.window {
            let width = band.end - band.start;
            for line in 0..width {
                ordered[band.start - window * width + 3 * line + window] = lines[band.start + line];
            }
        }
    }
    // Mixed blocks have two subbands of long blocks, at 8 kHz four.
    let num_long = if row == 8 { 4 } else { 2 };
    let num_borders = match (granule.block_type, granule.is_mixed) {
        (2, false) => 0,
        (2, true) => num_long - 1,
        _ => 31,
    };
    for border in 0..num_borders {
        for (i, c) in ALIAS.into_iter().enumerate() {
            let (cs, ca) = (1.0 / (1.0 + c * c).sqrt(), c / (1.0 + c * c).sqrt());
            let (below, above) = (18 * border + 17 - i, 18 * border + 18 + i);
            let (low, high) = (ordered[below], ordered[above]);
            ordered[below] = low * cs - high * ca;
            ordered[above] = high * cs + low * ca;
        }
    }
    let mut subbands = vec![[0.0; 18]; 32];
    for (subband, lines) in ordered.chunks(18).enumerate() {
        let block_type = if granule.is_mixed && subband < num_long { 0 } else { granule.block_type };
        let mut samples = [0.0; 36];
        if block_type == 2 {
            for window in 0..3 {
                for i in 0..12 {
                    let sum: f64 = (0..6)
                        .map(|k| {
                            lines[3 * k + window] * (PI / 24.0 * ((2 * i + 7) * (2 * k + 1)) as f64).cos()
                        })
                        .sum();
                    samples[6 + 6 * window + i] += sum * (PI / 12.0 * (i as f64 + 0.5)).sin();
                }
            }
        } else {
            for (i, sample) in samples.iter_mut().enumerate() {
                let sum: f64 =
                    (0..18).map(|k| lines[k] * (PI / 72.0 * ((2 * i + 19) * (2 * k + 1)) as f64).cos()).sum();
                let long = (PI / 36.0 * (i as f64 + 0.5)).sin();
                let short = |i: usize| (PI / 12.0 * (i as f64 + 0.5)).sin();
                *sample = sum
                    * match (block_type, i) {
                        (1, 18..24) | (3, 12..18) => 1.0,
                        (1, 24..30) => short(i - 18),
                        (3, 6..12) => short(i - 6),
                        (1, 30..) | (3, 0..6) => 0.0,
                        _ => long,
                    };
            }
        }
        for i in 0..18 {
            let sum = samples[i] + overlap[subband][i];
            subbands[subband][i] = if subband % 2 == 1 && i % 2 == 1 { -sum } else { sum };
            overlap[subband][i] = samples[18 + i];
        }
    }
    subbands
}

/// Figure 3-A.2.
fn synthesis(subbands: &[[f64; 18]], v: &mut [f64], samples: &mut Vec<f64>) {
    for slot in 0..18 {
        v.copy_within(..960, 64);
        for (i, v) in v.iter_mut().enumerate().take(64) {
            *v = (0..32)
                .map(|k| ((16 + i) as f64 * (2 * k + 1) as f64 * PI / 64.0).cos() * subbands[k][slot])
                .sum();
        }
        for j in 0..32 {
            let sum = (0..16).map(|i| {
                let u = if i % 2 == 0 { v[i / 2 * 128 + j] } else { v[i / 2 * 128 + 96 + j] };
                u * tables::window(j + 32 * i)
            });
            samples.push(sum.sum());
        }
    }
}
