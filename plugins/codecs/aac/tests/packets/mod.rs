//! Random packets: what they hold, and their bits (ISO/IEC 14496-3, 4.4.2).

use crate::codebooks::{self, Listing};
use crate::common::Random;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    Mono,
    Stereo,
    CoupledMono,
    CoupledStereo,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sequence {
    Long,
    Start,
    Short,
    Stop,
}

/// A filter of noise shaping.
#[derive(Clone, Debug)]
pub struct Filter {
    pub window: usize,
    pub num_bands: usize,
    pub is_downward: bool,
    /// In `resolution` bits, in two's complement.
    pub codes: Vec<i32>,
    pub resolution: u32,
    pub is_compressed: bool,
}

#[derive(Clone, Debug)]
pub struct Channel {
    pub sequence: Sequence,
    pub is_kbd: bool,
    pub num_bands: usize,
    pub groups: Vec<usize>,
    /// By group and band: the codebook, and the scale factor or the position.
    pub books: Vec<Vec<u8>>,
    pub scales: Vec<Vec<i32>>,
    /// Integers of all windows, before pulses.
    pub lines: Vec<i32>,
    pub filters: Vec<Filter>,
    /// The first band, and the distance and amplitude of each.
    pub pulses: Option<(usize, Vec<(usize, i32)>)>,
}

#[derive(Clone, Debug)]
pub struct Coupling {
    pub channel: Channel,
    /// 0 before and 1 after noise shaping, 2 of samples.
    pub point: u32,
    pub has_signs: bool,
    pub step: u32,
    /// Left and right have lists of their own.
    pub has_two_lists: bool,
    /// Of the second list: that of all, or that of each group and band.
    pub common: Option<i32>,
    pub each: Vec<Vec<i32>>,
}

pub struct Packet {
    pub channels: Vec<Channel>,
    pub common_window: bool,
    /// 0 none, 1 a mask, 2 all.
    pub mask_kind: u32,
    pub mask: Vec<Vec<bool>>,
    pub coupling: Option<Coupling>,
}

/// Makes packets of a stream.
pub struct Maker {
    pub num_frames: usize,
    pub long: Vec<usize>,
    pub short: Vec<usize>,
    pub max_tns: [usize; 2],
    layout: Layout,
    random: Random,
    sequence: Sequence,
}

impl Maker {
    pub fn new(rate: u32, num_frames: usize, layout: Layout, random: Random) -> Self {
        let (long, short, max_tns) = bands(rate);
        let cut = |starts: Vec<usize>, end: usize| {
            let mut starts: Vec<usize> = starts.into_iter().filter(|start| *start < end).collect();
            starts.push(end);
            starts
        };
        let (long, short) = (cut(long, num_frames), cut(short, num_frames / 8));
        Self { num_frames, long, short, max_tns, layout, random, sequence: Sequence::Long }
    }

    pub fn num_channels(&self) -> usize {
        if matches!(self.layout, Layout::Mono | Layout::CoupledMono) { 1 } else { 2 }
    }

    pub fn starts(&self, sequence: Sequence) -> &[usize] {
        if sequence == Sequence::Short { &self.short } else { &self.long }
    }

    pub fn packet(&mut self) -> Packet {
        let next: &[Sequence] = match self.sequence {
            Sequence::Long | Sequence::Stop => &[Sequence::Long, Sequence::Long, Sequence::Start],
            Sequence::Start | Sequence::Short => &[Sequence::Short, Sequence::Stop],
        };
        self.sequence = next[self.random.below(next.len())];
        let first = self.channel(None, false);
        let mut channels = vec![first.clone()];
        let common_window = self.random.below(3) > 0;
        let mut mask_kind = 0;
        if self.num_channels() == 2 {
            channels.push(self.channel(common_window.then_some(&first), common_window));
            mask_kind = if common_window { self.random.below(3) as u32 } else { 0 };
        }
        let mask = first
            .books
            .iter()
            .map(|books| books.iter().map(|_| mask_kind == 2 || self.random.below(2) == 1).collect());
        let mask = mask.collect();
        let is_coupled = matches!(self.layout, Layout::CoupledMono | Layout::CoupledStereo);
        let coupling = is_coupled.then(|| self.coupling(&first));
        Packet { channels, common_window, mask_kind, mask, coupling }
    }

    fn coupling(&mut self, first: &Channel) -> Coupling {
        let point = self.random.below(3) as u32;
        let mut channel = self.channel(Some(first), false);
        channel.pulses = None;
        let is_pair = self.num_channels() == 2;
        let each =
            channel.books.iter().map(|books| books.iter().map(|_| self.random.below(9) as i32 - 4).collect());
        let each = each.collect();
        let common = (point == 2 || self.random.below(2) == 0).then(|| self.random.below(9) as i32 - 4);
        Coupling {
            channel,
            point,
            has_signs: self.random.below(2) == 1,
            step: self.random.below(4) as u32,
            has_two_lists: is_pair && self.random.below(3) > 0,
            common,
            each,
        }
    }

    fn channel(&mut self, like: Option<&Channel>, has_intensity: bool) -> Channel {
        let sequence = self.sequence;
        let starts = self.starts(sequence).to_vec();
        let num_windows = if sequence == Sequence::Short { 8 } else { 1 };
        let mut groups = vec![1];
        for _ in 1..num_windows {
            if self.random.below(2) == 0 {
                groups.push(1);
            } else {
                *groups.last_mut().unwrap() += 1;
            }
        }
        let (mut is_kbd, mut num_bands) = (self.random.below(2) == 1, self.random.below(starts.len()));
        if let Some(like) = like {
            (is_kbd, num_bands, groups) = (like.is_kbd, like.num_bands, like.groups.clone());
        }
        let mut lines = vec![0; self.num_frames];
        let (mut books, mut scales) = (Vec::new(), Vec::new());
        let (mut scale, mut position, mut first_window) = (120 + self.random.below(20) as i32, 0, 0);
        for length in &groups {
            let (mut books_of_group, mut scales_of_group) = (Vec::new(), Vec::new());
            for band in 0..num_bands {
                let book = match self.random.below(16) {
                    book @ 0..12 => book as u8,
                    14 | 15 if has_intensity => 14 + self.random.below(2) as u8,
                    _ => 11,
                };
                books_of_group.push(book);
                if book >= 14 {
                    position += self.random.below(21) as i32 - 10;
                    position = position.clamp(-40, 40);
                    scales_of_group.push(position);
                    continue;
                }
                scale = (scale + self.random.below(31) as i32 - 15).clamp(90, 150);
                scales_of_group.push(scale);
                let most = [0, 1, 1, 2, 2, 4, 4, 7, 7, 12, 12, 8191][usize::from(book)];
                for window in first_window..first_window + length {
                    for line in starts[band]..starts[band + 1] {
                        let most = if most > 16 && self.random.below(6) > 0 { 16 } else { most };
                        let most = if most > 16 && self.random.below(6) > 0 { 200 } else { most };
                        let value = self.random.below(2 * most + 1) as i32 - most as i32;
                        lines[window * starts[starts.len() - 1] + line] = value;
                    }
                }
            }
            first_window += length;
            books.push(books_of_group);
            scales.push(scales_of_group);
        }
        let (is_short, mut filters) = (sequence == Sequence::Short, Vec::new());
        if self.random.below(2) == 0 {
            for window in 0..num_windows {
                for _ in 0..self.random.below(if is_short { 2 } else { 4 }) {
                    let is_compressed = self.random.below(2) == 1;
                    let order = self.random.below(if is_short { 8 } else { 13 });
                    let resolution = 3 + (window as u32 + num_bands as u32) % 2; // the same for all of a window
                    let half = 1 << (resolution - 1 - u32::from(is_compressed));
                    let codes =
                        (0..order).map(|_| self.random.below(2 * half) as i32 - half as i32).collect();
                    let num_bands = self.random.below(if is_short { 16 } else { 40 });
                    let is_downward = self.random.below(2) == 1;
                    filters.push(Filter { window, num_bands, is_downward, codes, resolution, is_compressed });
                }
            }
        }
        let mut pulses = None;
        if !is_short && self.random.below(3) == 0 && num_bands > 5 {
            let each =
                (0..1 + self.random.below(4)).map(|_| (self.random.below(32), self.random.below(16) as i32));
            let each = each.collect();
            pulses = Some((self.random.below(5), each));
        }
        Channel { sequence, is_kbd, num_bands, groups, books, scales, lines, filters, pulses }
    }
}

/// Numbers of bands and their widths.
type Runs = &'static [(usize, usize)];

/// The bands of rates (tables 4.129 to 4.147), and how far noise shaping reaches.
fn bands(rate: u32) -> (Vec<usize>, Vec<usize>, [usize; 2]) {
    // The widths of bands, as runs of equal ones.
    let (long, short, max_tns): (Runs, Runs, [usize; 2]) = match rate {
        96_000 => (
            &[
                (14, 4),
                (4, 8),
                (1, 8),
                (4, 12),
                (1, 12),
                (2, 16),
                (1, 24),
                (1, 28),
                (1, 36),
                (1, 44),
                (11, 64),
            ],
            &[(6, 4), (3, 8), (1, 16), (1, 28), (1, 36)],
            [31, 9],
        ),
        64_000 => (
            &[(14, 4), (4, 8), (3, 12), (3, 16), (1, 20), (2, 24), (1, 28), (1, 36), (18, 40)],
            &[(6, 4), (3, 8), (1, 16), (1, 28), (1, 36)],
            [34, 10],
        ),
        44_100 | 48_000 | 32_000 => (
            &[(10, 4), (7, 8), (4, 12), (2, 16), (2, 20), (2, 24), (2, 28), (22, 32)],
            &[(5, 4), (3, 8), (3, 12), (3, 16)],
            [
                if rate == 48_000 {
                    40
                } else if rate == 44_100 {
                    42
                } else {
                    51
                },
                14,
            ],
        ),
        24_000 => (
            &[
                (11, 4),
                (10, 8),
                (4, 12),
                (3, 16),
                (2, 20),
                (2, 24),
                (2, 28),
                (1, 32),
                (2, 36),
                (1, 40),
                (1, 44),
                (1, 48),
                (2, 52),
                (5, 64),
            ],
            &[(7, 4), (3, 8), (2, 12), (2, 16), (1, 20)],
            [46, 14],
        ),
        16_000 => (
            &[
                (11, 8),
                (9, 12),
                (4, 16),
                (3, 20),
                (2, 24),
                (2, 28),
                (1, 32),
                (1, 36),
                (2, 40),
                (1, 44),
                (1, 48),
                (1, 52),
                (1, 56),
                (1, 60),
                (3, 64),
            ],
            &[(8, 4), (2, 8), (2, 12), (1, 16), (2, 20)],
            [42, 14],
        ),
        _ => (
            &[
                (13, 12),
                (7, 16),
                (4, 20),
                (3, 24),
                (2, 28),
                (1, 32),
                (2, 36),
                (1, 40),
                (1, 44),
                (1, 48),
                (1, 52),
                (1, 56),
                (1, 60),
                (1, 64),
                (1, 80),
            ],
            &[(7, 4), (4, 8), (1, 12), (1, 16), (2, 20)],
            [39, 14],
        ),
    };
    let starts = |runs: &[(usize, usize)], end| {
        let mut starts = vec![0];
        for (count, width) in runs {
            for _ in 0..*count {
                starts.push(starts[starts.len() - 1] + width);
            }
        }
        // The last band of 44.1 and 48 kHz is what is left.
        while starts[starts.len() - 1] > end {
            starts.pop();
        }
        starts
    };
    let (mut long, short) = (starts(long, 1024), starts(short, 128));
    if matches!(rate, 44_100 | 48_000) {
        long.truncate(49);
        long.push(1024);
    }
    (long, short, max_tns)
}

/// Bits, the most significant first.
#[derive(Default)]
struct Writer {
    bits: Vec<bool>,
}

impl Writer {
    fn put(&mut self, value: u64, count: u32) {
        self.bits.extend((0..count).rev().map(|bit| value >> bit & 1 == 1));
    }

    fn code(&mut self, listing: &Listing, symbol: usize) {
        let (mut next, mut symbols) = (0, listing.symbols.iter());
        for (length, count) in (1..).zip(listing.counts) {
            next <<= 1;
            for _ in 0..*count {
                if usize::from(*symbols.next().unwrap()) == symbol {
                    return self.put(next, length);
                }
                next += 1;
            }
        }
        panic!("no symbol {symbol}");
    }

    fn difference(&mut self, difference: i32) {
        self.code(&codebooks::SCALE_FACTORS, (difference + 60) as usize);
    }

    fn lines(&mut self, book: u8, lines: &[i32]) {
        let (is_signed, base): (_, i32) = [
            (true, 3),
            (true, 3),
            (false, 3),
            (false, 3),
            (true, 9),
            (true, 9),
            (false, 8),
            (false, 8),
            (false, 13),
            (false, 13),
            (false, 17),
        ][usize::from(book) - 1];
        for tuple in lines.chunks(if book < 5 { 4 } else { 2 }) {
            let digit = |line: &i32| if is_signed { line + base / 2 } else { line.abs().min(base - 1) };
            let symbol = tuple.iter().fold(0, |symbol, line| symbol * base + digit(line));
            self.code(&codebooks::SPECTRUM[usize::from(book) - 1], symbol as usize);
            if !is_signed {
                tuple.iter().filter(|line| **line != 0).for_each(|line| self.put(u64::from(*line < 0), 1));
            }
            if book == 11 {
                for line in tuple.iter().filter(|line| line.abs() >= 16) {
                    let magnitude = line.unsigned_abs();
                    let more = magnitude.ilog2() - 4;
                    self.put((1 << (more + 1)) - 2, more + 1);
                    self.put(u64::from(magnitude - (1 << (more + 4))), more + 4);
                }
            }
        }
    }

    fn windows(&mut self, channel: &Channel) {
        self.put(channel.sequence as u64, 3); // with a reserved bit before it
        self.put(channel.is_kbd.into(), 1);
        if channel.sequence == Sequence::Short {
            self.put(channel.num_bands as u64, 4);
            for (number, length) in channel.groups.iter().enumerate() {
                if number > 0 {
                    self.put(0, 1);
                }
                (1..*length).for_each(|_| self.put(1, 1));
            }
        } else {
            self.put(channel.num_bands as u64, 6);
            self.put(0, 1);
        }
    }

    fn channel(&mut self, channel: &Channel, has_windows: bool, maker: &Maker) {
        let is_short = channel.sequence == Sequence::Short;
        let gain = channel.scales.iter().flatten().zip(channel.books.iter().flatten());
        let gain = gain.clone().find(|(_, book)| (1..12).contains(*book)).map_or(100, |(scale, _)| *scale);
        self.put(gain as u64, 8);
        if has_windows {
            self.windows(channel);
        }
        let (length_bits, escape) = if is_short { (3, 7) } else { (5, 31) };
        for books in &channel.books {
            let mut band = 0;
            while band < books.len() {
                let mut length = books[band..].iter().take_while(|book| **book == books[band]).count();
                self.put(books[band].into(), 4);
                band += length;
                while length >= escape {
                    self.put(escape as u64, length_bits);
                    length -= escape;
                }
                self.put(length as u64, length_bits);
            }
        }
        let (mut scale, mut position) = (gain, 0);
        for (book, value) in channel.books.iter().flatten().zip(channel.scales.iter().flatten()) {
            let before = match book {
                0 => continue,
                14 | 15 => &mut position,
                _ => &mut scale,
            };
            self.difference(value - *before);
            *before = *value;
        }
        self.put(channel.pulses.is_some().into(), 1);
        if let Some((band, each)) = &channel.pulses {
            self.put(each.len() as u64 - 1, 2);
            self.put(*band as u64, 6);
            for (distance, amplitude) in each {
                self.put(*distance as u64, 5);
                self.put(*amplitude as u64, 4);
            }
        }
        self.put((!channel.filters.is_empty()).into(), 1);
        if !channel.filters.is_empty() {
            self.filters(channel);
        }
        self.put(0, 1); // no gain control
        let starts = maker.starts(channel.sequence);
        let mut first = 0;
        for (books, length) in channel.books.iter().zip(&channel.groups) {
            for (band, book) in books.iter().enumerate().filter(|(_, book)| (1..12).contains(*book)) {
                for window in first..first + length {
                    let base = window * starts[starts.len() - 1];
                    self.lines(*book, &channel.lines[base + starts[band]..base + starts[band + 1]]);
                }
            }
            first += length;
        }
    }

    fn filters(&mut self, channel: &Channel) {
        let is_short = channel.sequence == Sequence::Short;
        for window in 0..if is_short { 8 } else { 1 } {
            let filters: Vec<&Filter> =
                channel.filters.iter().filter(|filter| filter.window == window).collect();
            self.put(filters.len() as u64, if is_short { 1 } else { 2 });
            let Some(first) = filters.first() else { continue };
            self.put(u64::from(first.resolution - 3), 1);
            for filter in filters {
                self.put(filter.num_bands as u64, if is_short { 4 } else { 6 });
                self.put(filter.codes.len() as u64, if is_short { 3 } else { 5 });
                if !filter.codes.is_empty() {
                    self.put(filter.is_downward.into(), 1);
                    self.put(filter.is_compressed.into(), 1);
                    let num_bits = filter.resolution - u32::from(filter.is_compressed);
                    filter
                        .codes
                        .iter()
                        .for_each(|code| self.put(*code as u64 & ((1 << num_bits) - 1), num_bits));
                }
            }
        }
    }
}

impl Packet {
    /// The bits of the packet.
    pub fn bytes(&self, maker: &Maker) -> Vec<u8> {
        let mut writer = Writer::default();
        let is_pair = self.channels.len() == 2;
        if let Some(coupling) = &self.coupling {
            writer.put(2, 3);
            writer.put(5, 4);
            writer.put((coupling.point == 2).into(), 1);
            writer.put(0, 3); // one target
            writer.put(is_pair.into(), 1);
            writer.put(9, 4);
            if is_pair {
                writer.put(if coupling.has_two_lists { 3 } else { 0 }, 2);
            }
            writer.put((coupling.point == 1).into(), 1);
            writer.put(coupling.has_signs.into(), 1);
            writer.put(coupling.step.into(), 2);
            writer.channel(&coupling.channel, true, maker);
            if coupling.has_two_lists {
                if coupling.point != 2 {
                    writer.put(coupling.common.is_some().into(), 1);
                }
                if let Some(gain) = coupling.common {
                    writer.difference(gain);
                } else {
                    let each = coupling.channel.books.iter().flatten().zip(coupling.each.iter().flatten());
                    each.filter(|(book, _)| **book != 0).for_each(|(_, gain)| writer.difference(*gain));
                }
            }
        }
        writer.put(4, 3); // data of two bytes, aligned
        writer.put(0, 4);
        writer.put(1, 1);
        writer.put(2, 8);
        while !writer.bits.len().is_multiple_of(8) {
            writer.put(0, 1);
        }
        writer.put(0xabcd, 16);
        writer.put(is_pair.into(), 3);
        writer.put(9, 4);
        if is_pair {
            writer.put(self.common_window.into(), 1);
            if self.common_window {
                writer.windows(&self.channels[0]);
                writer.put(self.mask_kind.into(), 2);
                if self.mask_kind == 1 {
                    self.mask.iter().flatten().for_each(|is_marked| writer.put((*is_marked).into(), 1));
                }
            }
        }
        for channel in &self.channels {
            writer.channel(channel, !(is_pair && self.common_window), maker);
        }
        writer.put(6, 3); // a fill of two bytes
        writer.put(2, 4);
        writer.put(0, 16);
        writer.put(7, 3);
        writer
            .bits
            .chunks(8)
            .map(|bits| (0..8).fold(0, |byte, n| byte << 1 | u8::from(bits.get(n) == Some(&true))))
            .collect()
    }
}
