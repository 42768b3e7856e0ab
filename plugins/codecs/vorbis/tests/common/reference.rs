//! A decoder in double precision, slow, straight from the formulas of the specification.

#![allow(clippy::needless_range_loop)]

use std::collections::HashMap;
use std::f64::consts::PI;

/// Bits one by one; `None` beyond the end.
struct Bits<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl Bits<'_> {
    fn bit(&mut self) -> Option<u64> {
        let byte = self.bytes.get(self.position / 8)?;
        let bit = byte >> (self.position % 8) & 1;
        self.position += 1;
        Some(bit.into())
    }

    fn read(&mut self, num_bits: u32) -> Option<u64> {
        let mut value = 0;
        for place in 0..num_bits {
            value |= self.bit()? << place;
        }
        Some(value)
    }

    fn size(&mut self, num_bits: u32) -> Option<usize> {
        self.read(num_bits).map(|value| value as usize)
    }
}

/// Section 9.2.1.
fn ilog(mut number: u64) -> u32 {
    let mut num_bits = 0;
    while number > 0 {
        num_bits += 1;
        number >>= 1;
    }
    num_bits
}

struct Book {
    dimensions: usize,
    /// By length and word.
    words: HashMap<(u32, u32), usize>,
    vectors: Option<Vec<Vec<f64>>>,
}

impl Book {
    fn parse(bits: &mut Bits<'_>) -> Option<Self> {
        assert_eq!(bits.read(24)?, 0x56_4342);
        let (dimensions, entries) = (bits.size(16)?, bits.size(24)?);
        let mut lengths = Vec::new();
        if bits.read(1)? == 0 {
            let is_sparse = bits.read(1)? == 1;
            for _ in 0..entries {
                let is_used = !is_sparse || bits.read(1)? == 1;
                lengths.push(if is_used { bits.read(5)? as u32 + 1 } else { 0 });
            }
        } else {
            let mut length = bits.read(5)? as u32 + 1;
            while lengths.len() < entries {
                let number = bits.size(ilog((entries - lengths.len()) as u64))?;
                lengths.extend(std::iter::repeat_n(length, number));
                length += 1;
            }
        }
        // Each entry takes the lowest free word of its length: intervals of numbers of 32 bits, in order.
        let mut taken: Vec<(u64, u64)> = Vec::new();
        let mut words = HashMap::new();
        for (entry, length) in lengths.iter().enumerate().filter(|(_, length)| **length > 0) {
            let size = 1_u64 << (32 - length);
            let (mut start, mut place) = (0_u64, 0);
            while place < taken.len() && start + size > taken[place].0 {
                start = taken[place].1.next_multiple_of(size);
                place += 1;
            }
            taken.insert(place, (start, start + size));
            words.insert((*length, (start >> (32 - length)) as u32), entry);
        }
        if words.len() == 1 {
            let entry = *words.values().next().unwrap();
            words.extend([((1, 0), entry), ((1, 1), entry)]);
        }
        let lookup = bits.read(4)?;
        let mut vectors = None;
        if lookup > 0 {
            let (minimum, delta) = (float(bits.read(32)?), float(bits.read(32)?));
            let value_bits = bits.read(4)? as u32 + 1;
            let is_sequence = bits.read(1)? == 1;
            let mut num_values = entries * dimensions;
            if lookup == 1 {
                num_values = 0;
                while (num_values + 1).checked_pow(dimensions as u32).is_some_and(|power| power <= entries) {
                    num_values += 1;
                }
            }
            let multiplicands: Option<Vec<u64>> = (0..num_values).map(|_| bits.read(value_bits)).collect();
            let multiplicands = multiplicands?;
            let vector = |entry: usize| {
                let (mut last, mut divisor) = (0.0, 1_usize);
                (0..dimensions)
                    .map(move |place| {
                        let number = if lookup == 1 {
                            entry / divisor % num_values
                        } else {
                            entry * dimensions + place
                        };
                        divisor = divisor.saturating_mul(num_values);
                        (number, place)
                    })
                    .map(|(number, _)| {
                        let value = multiplicands[number] as f64 * delta + minimum + last;
                        if is_sequence {
                            last = value;
                        }
                        value
                    })
                    .collect::<Vec<f64>>()
            };
            vectors = Some((0..entries).map(vector).collect());
        }
        Some(Self { dimensions, words, vectors })
    }

    fn entry(&self, bits: &mut Bits<'_>) -> Option<usize> {
        if self.words.is_empty() {
            return None; // as libvorbis, without reading anything
        }
        let mut word = 0;
        for length in 1..=32 {
            word = word << 1 | bits.bit()? as u32;
            if let Some(entry) = self.words.get(&(length, word)) {
                return Some(*entry);
            }
        }
        None
    }

    fn vector(&self, bits: &mut Bits<'_>) -> Option<&[f64]> {
        let entry = self.entry(bits)?;
        Some(&self.vectors.as_ref().unwrap()[entry])
    }
}

/// Section 9.2.2.
fn float(packed: u64) -> f64 {
    let value = (packed & 0x1f_ffff) as f64 * 2.0_f64.powi((packed >> 21 & 0x3ff) as i32 - 788);
    if packed & 0x8000_0000 != 0 { -value } else { value }
}

struct Floor0 {
    order: usize,
    rate: f64,
    map_size: f64,
    amplitude_bits: u32,
    amplitude_offset: f64,
    books: Vec<usize>,
}

struct Floor1 {
    partitions: Vec<usize>,
    dimensions: Vec<usize>,
    subclass_bits: Vec<u32>,
    masters: Vec<usize>,
    books: Vec<Vec<Option<usize>>>,
    multiplier: usize,
    places: Vec<i64>,
}

enum Floor {
    Zero(Floor0),
    One(Floor1),
}

struct Residue {
    kind: u64,
    begin: usize,
    end: usize,
    partition_size: usize,
    num_classes: usize,
    class_book: usize,
    books: Vec<[Option<usize>; 8]>,
}

struct Mapping {
    couplings: Vec<(usize, usize)>,
    multiplex: Vec<usize>,
    /// Floor and residue.
    submaps: Vec<(usize, usize)>,
}

/// The decoder.
pub struct Reference {
    channels: usize,
    block_sizes: [usize; 2],
    books: Vec<Book>,
    floors: Vec<Floor>,
    residues: Vec<Residue>,
    mappings: Vec<Mapping>,
    modes: Vec<(usize, usize)>,
    /// The last block of each channel, without its window.
    last: Option<Vec<Vec<f64>>>,
}

impl Reference {
    /// A decoder for a stream whose headers are right.
    pub fn new(identification: &[u8], setup: &[u8]) -> Option<Self> {
        let channels = usize::from(identification[11]);
        let block_sizes = [1 << (identification[28] & 15), 1 << (identification[28] >> 4)];
        let bits = &mut Bits { bytes: &setup[7..], position: 0 };
        let num_books = bits.read(8)? + 1;
        let books: Vec<Book> = (0..num_books).map(|_| Book::parse(bits)).collect::<Option<_>>()?;
        for _ in 0..bits.read(6)? + 1 {
            assert_eq!(bits.read(16)?, 0);
        }
        let num_floors = bits.read(6)? + 1;
        let floors = (0..num_floors).map(|_| Floor::parse(bits)).collect::<Option<_>>()?;
        let num_residues = bits.read(6)? + 1;
        let residues = (0..num_residues).map(|_| Residue::parse(bits)).collect::<Option<_>>()?;
        let num_mappings = bits.read(6)? + 1;
        let mappings = (0..num_mappings).map(|_| Mapping::parse(bits, channels)).collect::<Option<_>>()?;
        let mut modes = Vec::new();
        for _ in 0..bits.read(6)? + 1 {
            let is_long = bits.size(1)?;
            assert_eq!(bits.read(32)?, 0);
            modes.push((is_long, bits.size(8)?));
        }
        assert_eq!(bits.read(1)?, 1);
        Some(Self { channels, block_sizes, books, floors, residues, mappings, modes, last: None })
    }

    /// The frames of a packet, interleaved in the order of the stream.
    pub fn decode(&mut self, packet: &[u8]) -> Vec<f64> {
        let bits = &mut Bits { bytes: packet, position: 0 };
        assert_eq!(bits.read(1), Some(0));
        let (is_long, mapping) = self.modes[bits.size(ilog(self.modes.len() as u64 - 1)).unwrap()];
        if is_long == 1 {
            let _ = bits.read(2);
        }
        let size = self.block_sizes[is_long];
        let mapping = &self.mappings[mapping];
        let curves: Vec<Option<Vec<f64>>> = (0..self.channels)
            .map(|channel| match &self.floors[mapping.submaps[mapping.multiplex[channel]].0] {
                Floor::Zero(floor) => floor.curve(bits, &self.books, size / 2),
                Floor::One(floor) => floor.curve(bits, &self.books, size / 2),
            })
            .collect();
        let mut is_coded: Vec<bool> = curves.iter().map(Option::is_some).collect();
        for (magnitude, angle) in &mapping.couplings {
            if is_coded[*magnitude] || is_coded[*angle] {
                (is_coded[*magnitude], is_coded[*angle]) = (true, true);
            }
        }
        let mut spectra = vec![vec![0.0; size / 2]; self.channels];
        for (number, (_, residue)) in mapping.submaps.iter().enumerate() {
            let mine: Vec<usize> =
                (0..self.channels).filter(|channel| mapping.multiplex[*channel] == number).collect();
            let coded: Vec<bool> = mine.iter().map(|channel| is_coded[*channel]).collect();
            let vectors = self.residues[*residue].decode(bits, &self.books, &coded, size / 2);
            for (channel, vector) in mine.iter().zip(vectors) {
                spectra[*channel] = vector;
            }
        }
        for (magnitude, angle) in mapping.couplings.iter().rev() {
            for line in 0..size / 2 {
                let (m, a) = (spectra[*magnitude][line], spectra[*angle][line]);
                let (new_m, new_a) = match (m > 0.0, a > 0.0) {
                    (true, true) => (m, m - a),
                    (true, false) => (m + a, m),
                    (false, true) => (m, m + a),
                    (false, false) => (m - a, m),
                };
                (spectra[*magnitude][line], spectra[*angle][line]) = (new_m, new_a);
            }
        }
        let blocks: Vec<Vec<f64>> = spectra
            .iter()
            .zip(&curves)
            .map(|(spectrum, curve)| match curve {
                Some(curve) => {
                    imdct(&spectrum.iter().zip(curve).map(|(line, floor)| line * floor).collect::<Vec<_>>())
                }
                None => vec![0.0; size],
            })
            .collect();
        let mut samples = Vec::new();
        if let Some(last) = &self.last {
            let last_size = last[0].len();
            let overlap = size.min(last_size) / 2;
            for frame in 0..last_size / 4 + size / 4 {
                // Counted from the middle of the overlap.
                let place = frame as f64 + 0.5 - (last_size / 4) as f64;
                for (last, block) in last.iter().zip(&blocks) {
                    let earlier = last.get(last_size / 2 + frame).copied().unwrap_or(0.0);
                    let later = (size / 4 + frame).checked_sub(last_size / 4).map_or(0.0, |at| block[at]);
                    samples.push(earlier * slope(-place, overlap) + later * slope(place, overlap));
                }
            }
        }
        self.last = Some(blocks);
        samples
    }
}

/// The rising window (section 4.3.1) at a distance from the middle of its slope, which is `length` long.
fn slope(distance: f64, length: usize) -> f64 {
    let place = (distance / length as f64 + 0.5).clamp(0.0, 1.0);
    (PI / 2.0 * (PI / 2.0 * place).sin().powi(2)).sin()
}

fn imdct(lines: &[f64]) -> Vec<f64> {
    let half = lines.len();
    let cosines: Vec<f64> =
        (0..8 * half).map(|phase| (PI * phase as f64 / (4 * half) as f64).cos()).collect();
    let sample = |place: usize| {
        let step = 2 * (2 * place + 1 + half);
        let mut phase = step / 2;
        let mut sum = 0.0;
        for line in lines {
            sum += line * cosines[phase % (8 * half)];
            phase += step;
        }
        sum
    };
    (0..2 * half).map(sample).collect()
}

impl Floor {
    fn parse(bits: &mut Bits<'_>) -> Option<Self> {
        if bits.read(16)? == 0 {
            let (order, rate, map_size) = (bits.size(8)?, bits.read(16)? as f64, bits.read(16)? as f64);
            let (amplitude_bits, amplitude_offset) = (bits.read(6)? as u32, bits.read(8)? as f64);
            let num_books = bits.read(4)? + 1;
            let books = (0..num_books).map(|_| bits.size(8)).collect::<Option<_>>()?;
            return Some(Self::Zero(Floor0 {
                order,
                rate,
                map_size,
                amplitude_bits,
                amplitude_offset,
                books,
            }));
        }
        let num_partitions = bits.read(5)?;
        let partitions: Vec<usize> = (0..num_partitions).map(|_| bits.size(4)).collect::<Option<_>>()?;
        let (mut dimensions, mut subclass_bits, mut masters, mut books) = (vec![], vec![], vec![], vec![]);
        for _ in 0..partitions.iter().max().map_or(0, |class| class + 1) {
            dimensions.push(bits.size(3)? + 1);
            let num_bits = bits.read(2)? as u32;
            subclass_bits.push(num_bits);
            masters.push(if num_bits > 0 { bits.size(8)? } else { 0 });
            let of_class: Option<Vec<usize>> = (0..1 << num_bits).map(|_| bits.size(8)).collect();
            books.push(of_class?.into_iter().map(|book| book.checked_sub(1)).collect());
        }
        let multiplier = bits.size(2)? + 1;
        let range_bits = bits.read(4)? as u32;
        let mut places = vec![0, 1 << range_bits];
        for class in &partitions {
            for _ in 0..dimensions[*class] {
                places.push(bits.read(range_bits)? as i64);
            }
        }
        Some(Self::One(Floor1 { partitions, dimensions, subclass_bits, masters, books, multiplier, places }))
    }
}

impl Floor0 {
    /// Sections 6.2.2 and 6.2.3.
    fn curve(&self, bits: &mut Bits<'_>, books: &[Book], num_lines: usize) -> Option<Vec<f64>> {
        let amplitude = bits.read(self.amplitude_bits)?;
        if amplitude == 0 {
            return None;
        }
        let book = bits.size(ilog(self.books.len() as u64))?;
        let book = &books[*self.books.get(book)?];
        let (mut coefficients, mut last) = (Vec::new(), 0.0);
        while coefficients.len() < self.order {
            let vector: Vec<f64> = book.vector(bits)?.iter().map(|value| value + last).collect();
            last = *vector.last().unwrap();
            coefficients.extend(vector);
        }
        let bark =
            |x: f64| 13.1 * (0.000_74 * x).atan() + 2.24 * (0.000_000_018_5 * x * x).atan() + 0.0001 * x;
        let value = |line: usize| {
            let frequency = self.rate * line as f64 / (2 * num_lines) as f64;
            let step = (bark(frequency) * self.map_size / bark(0.5 * self.rate)).floor();
            let omega = PI * step.min(self.map_size - 1.0) / self.map_size;
            let factor = |number: usize| 4.0 * (coefficients[number].cos() - omega.cos()).powi(2);
            let order = self.order;
            let odd: f64 = (1..order).step_by(2).map(factor).product();
            let even: f64 = (0..order).step_by(2).map(factor).product();
            let (p, q) = if order % 2 == 1 {
                ((1.0 - omega.cos().powi(2)) * odd, even / 4.0)
            } else {
                ((1.0 - omega.cos()) / 2.0 * odd, (1.0 + omega.cos()) / 2.0 * even)
            };
            let greatest = ((1_u64 << self.amplitude_bits) - 1) as f64;
            let level = amplitude as f64 * self.amplitude_offset / (greatest * (p + q).sqrt());
            (0.115_129_25 * (level - self.amplitude_offset)).exp()
        };
        Some((0..num_lines).map(value).collect())
    }
}

impl Floor1 {
    /// Sections 7.2.3 and 7.2.4.
    fn curve(&self, bits: &mut Bits<'_>, books: &[Book], num_lines: usize) -> Option<Vec<f64>> {
        if bits.read(1)? == 0 {
            return None;
        }
        let range = [256, 128, 86, 64][self.multiplier - 1];
        let mut coded = vec![0_i64; 2];
        for value in &mut coded {
            *value = bits.read(ilog(range as u64 - 1))? as i64;
        }
        for class in &self.partitions {
            let num_bits = self.subclass_bits[*class];
            let mut subclasses = if num_bits > 0 { books[self.masters[*class]].entry(bits)? } else { 0 };
            for _ in 0..self.dimensions[*class] {
                let book = self.books[*class][subclasses & ((1 << num_bits) - 1)];
                subclasses >>= num_bits;
                coded.push(match book {
                    Some(book) => books[book].entry(bits)? as i64,
                    None => 0,
                });
            }
        }
        let places = &self.places;
        let (mut is_used, mut amplitudes) = (vec![true; 2], coded[..2].to_vec());
        for number in 2..places.len() {
            let before = || (0..number).filter(|other| places[*other] != places[number]);
            let low =
                before().filter(|other| places[*other] < places[number]).max_by_key(|other| places[*other]);
            let high =
                before().filter(|other| places[*other] > places[number]).min_by_key(|other| places[*other]);
            let (low, high) = (low.unwrap(), high.unwrap());
            let (dy, dx) = (amplitudes[high] - amplitudes[low], places[high] - places[low]);
            let error = dy.abs() * (places[number] - places[low]);
            let predicted = amplitudes[low] + dy.signum() * (error / dx);
            let value = coded[number];
            let (high_room, low_room) = (range - predicted, predicted);
            let room = 2 * high_room.min(low_room);
            is_used.push(value != 0);
            if value != 0 {
                (is_used[low], is_used[high]) = (true, true);
            }
            let amplitude = if value >= room && value != 0 {
                if high_room > low_room {
                    value - low_room + predicted
                } else {
                    predicted - value + high_room - 1
                }
            } else if value % 2 == 1 {
                predicted - (value + 1) / 2
            } else {
                predicted + value / 2
            };
            // The specification leaves open what is out of range.
            amplitudes.push(amplitude.clamp(0, 32767));
        }
        let mut order: Vec<usize> = (0..places.len()).filter(|number| is_used[*number]).collect();
        order.sort_by_key(|number| places[*number]);
        let level = |number: usize| (amplitudes[number] * self.multiplier as i64).min(255);
        let mut levels = Vec::new();
        for pair in order.windows(2) {
            line((places[pair[0]], level(pair[0])), (places[pair[1]], level(pair[1])), &mut levels);
        }
        levels.resize(levels.len().max(num_lines), level(*order.last().unwrap()));
        let amplitude = |level: &i64| {
            let exact = (0.115_129_25 * 0.546_875 * (*level as f64 - 255.0)).exp();
            format!("{exact:.7e}").parse::<f64>().unwrap()
        };
        Some(levels[..num_lines].iter().map(amplitude).collect())
    }
}

/// `render_line` of section 9.2.7.
fn line((x0, y0): (i64, i64), (x1, y1): (i64, i64), levels: &mut Vec<i64>) {
    let (dy, adx) = (y1 - y0, x1 - x0);
    let base = dy / adx;
    let sy = if dy < 0 { base - 1 } else { base + 1 };
    let ady = dy.abs() - base.abs() * adx;
    let (mut y, mut err) = (y0, 0);
    levels.push(y);
    for _ in x0 + 1..x1 {
        err += ady;
        if err >= adx {
            err -= adx;
            y += sy;
        } else {
            y += base;
        }
        levels.push(y);
    }
}

impl Residue {
    fn parse(bits: &mut Bits<'_>) -> Option<Self> {
        let kind = bits.read(16)?;
        let (begin, end) = (bits.size(24)?, bits.size(24)?);
        let partition_size = bits.size(24)? + 1;
        let num_classes = bits.size(6)? + 1;
        let class_book = bits.size(8)?;
        let mut cascades = Vec::new();
        for _ in 0..num_classes {
            let low = bits.read(3)?;
            let high = if bits.read(1)? == 1 { bits.read(5)? } else { 0 };
            cascades.push(high * 8 + low);
        }
        let mut books = Vec::new();
        for cascade in cascades {
            let mut of_class = [None; 8];
            for (pass, book) in of_class.iter_mut().enumerate() {
                if cascade >> pass & 1 == 1 {
                    *book = Some(bits.size(8)?);
                }
            }
            books.push(of_class);
        }
        Some(Self { kind, begin, end, partition_size, num_classes, class_book, books })
    }

    fn decode(
        &self,
        bits: &mut Bits<'_>,
        books: &[Book],
        is_coded: &[bool],
        num_lines: usize,
    ) -> Vec<Vec<f64>> {
        let num_channels = is_coded.len();
        if self.kind < 2 {
            let mut vectors = vec![vec![0.0; num_lines]; num_channels];
            let _ = self.read(bits, books, is_coded, &mut vectors);
            return vectors;
        }
        let mut vector = vec![vec![0.0; num_lines * num_channels]];
        if is_coded.contains(&true) {
            let _ = self.read(bits, books, &[true], &mut vector);
        }
        (0..num_channels)
            .map(|channel| vector[0].iter().copied().skip(channel).step_by(num_channels).collect())
            .collect()
    }

    /// Section 8.6.2, up to the end of the packet.
    fn read(
        &self,
        bits: &mut Bits<'_>,
        books: &[Book],
        is_coded: &[bool],
        vectors: &mut [Vec<f64>],
    ) -> Option<()> {
        let size = vectors.first()?.len();
        let (begin, end) = (self.begin.min(size), self.end.min(size));
        let per_word = books[self.class_book].dimensions;
        let num_partitions = (end - begin) / self.partition_size;
        let mut classes = vec![vec![0; num_partitions + per_word]; vectors.len()];
        for pass in 0..8 {
            let mut partition = 0;
            while partition < num_partitions {
                if pass == 0 {
                    for (classes, _) in classes.iter_mut().zip(is_coded).filter(|(_, is_coded)| **is_coded) {
                        let mut word = books[self.class_book].entry(bits)?;
                        for place in (0..per_word).rev() {
                            classes[partition + place] = word % self.num_classes;
                            word /= self.num_classes;
                        }
                    }
                }
                for _ in 0..per_word {
                    if partition == num_partitions {
                        break;
                    }
                    for (number, vector) in
                        vectors.iter_mut().enumerate().filter(|(number, _)| is_coded[*number])
                    {
                        if let Some(book) = self.books[classes[number][partition]][pass] {
                            let start = begin + partition * self.partition_size;
                            self.add(bits, &books[book], &mut vector[start..start + self.partition_size])?;
                        }
                    }
                    partition += 1;
                }
            }
        }
        Some(())
    }

    /// Sections 8.6.3 and 8.6.4. Vectors that do not fit the partition are cut, as by libvorbis.
    fn add(&self, bits: &mut Bits<'_>, book: &Book, values: &mut [f64]) -> Option<()> {
        if book.words.is_empty() {
            return Some(());
        }
        let size = values.len();
        if self.kind == 0 {
            let step = size / book.dimensions;
            for first in 0..step {
                for (place, value) in book.vector(bits)?.iter().enumerate() {
                    values[first + place * step] += value;
                }
            }
            return Some(());
        }
        let mut place = 0;
        while place < size {
            for value in book.vector(bits)? {
                if place < size {
                    values[place] += value;
                    place += 1;
                }
            }
        }
        Some(())
    }
}

impl Mapping {
    fn parse(bits: &mut Bits<'_>, channels: usize) -> Option<Self> {
        assert_eq!(bits.read(16)?, 0);
        let num_submaps = if bits.read(1)? == 1 { bits.size(4)? + 1 } else { 1 };
        let mut couplings = Vec::new();
        if bits.read(1)? == 1 {
            let num_bits = ilog(channels as u64 - 1);
            for _ in 0..bits.read(8)? + 1 {
                couplings.push((bits.size(num_bits)?, bits.size(num_bits)?));
            }
        }
        assert_eq!(bits.read(2)?, 0);
        let multiplex = (0..channels).map(|_| if num_submaps > 1 { bits.size(4) } else { Some(0) });
        let multiplex = multiplex.collect::<Option<_>>()?;
        let mut submaps = Vec::new();
        for _ in 0..num_submaps {
            bits.read(8)?;
            submaps.push((bits.size(8)?, bits.size(8)?));
        }
        Some(Self { couplings, multiplex, submaps })
    }
}
