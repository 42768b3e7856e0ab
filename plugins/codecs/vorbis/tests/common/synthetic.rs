//! Streams of noise: valid setups with everything that the specification allows, and packets of random bits.

use super::Random;

/// Writes bits, the least significant first.
#[derive(Default)]
pub struct Writer {
    pub bytes: Vec<u8>,
    num_bits: usize,
}

impl Writer {
    pub fn put(&mut self, value: usize, num_bits: usize) {
        for bit in 0..num_bits {
            if self.num_bits.is_multiple_of(8) {
                self.bytes.push(0);
            }
            *self.bytes.last_mut().unwrap() |= ((value as u64 >> bit & 1) as u8) << (self.num_bits % 8);
            self.num_bits += 1;
        }
    }
}

/// A stream.
pub struct Synthetic {
    pub identification: Vec<u8>,
    pub setup_header: Vec<u8>,
    pub packets: Vec<Vec<u8>>,
    pub num_channels: usize,
}

fn bits_of(number: usize) -> usize {
    (usize::BITS - number.leading_zeros()) as usize
}

/// A book as the other parts of the setup see it.
#[derive(Clone, Copy)]
struct Book {
    dimensions: usize,
    has_vectors: bool,
}

pub fn stream(random: &mut Random, num_packets: usize) -> Synthetic {
    let num_channels = match random.below(12) {
        0 => 9 + random.below(12),
        1 => 255,
        _ => 1 + random.below(8),
    };
    let largest = match random.below(20) {
        0 if num_channels < 4 => 13,
        _ if num_channels > 100 => 6,
        _ => 10,
    };
    let short = 6 + random.below(largest - 5);
    let long = short + random.below(largest - short + 1);
    let mut identification = b"\x01vorbis\0\0\0\0".to_vec();
    identification.push(num_channels as u8);
    identification.extend(44_100_u32.to_le_bytes());
    identification.extend([0; 12]);
    identification.extend([(short | long << 4) as u8, 1]);

    let bits = &mut Writer::default();
    let num_books = 3 + random.below(8);
    bits.put(num_books - 1, 8);
    let books: Vec<Book> = (0..num_books).map(|number| put_book(random, bits, number)).collect();
    let of_vectors: Vec<usize> = (0..num_books).filter(|number| books[*number].has_vectors).collect();
    bits.put(0, 6 + 16);
    let num_floors = 1 + random.below(4);
    bits.put(num_floors - 1, 6);
    for _ in 0..num_floors {
        if random.below(4) == 0 {
            put_floor0(random, bits, &of_vectors);
        } else {
            put_floor1(random, bits, num_books);
        }
    }
    let num_residues = 1 + random.below(4);
    bits.put(num_residues - 1, 6);
    for _ in 0..num_residues {
        put_residue(random, bits, num_books, &of_vectors, (num_channels << long) / 2);
    }
    let num_mappings = 1 + random.below(4);
    bits.put(num_mappings - 1, 6);
    for _ in 0..num_mappings {
        put_mapping(random, bits, num_channels, num_floors, num_residues);
    }
    let num_modes = 1 + random.below(6);
    bits.put(num_modes - 1, 6);
    for _ in 0..num_modes {
        bits.put(random.below(2), 1);
        bits.put(0, 32);
        bits.put(random.below(num_mappings), 8);
    }
    bits.put(1, 1);
    let setup_header = [b"\x05vorbis".as_slice(), &bits.bytes].concat();

    let mode_bits = bits_of(num_modes - 1);
    let most_bytes = (num_channels << long) / 16;
    let packets = (0..num_packets).map(|_| {
        let num_bytes = 1 + random.below(most_bytes).min(random.below(most_bytes) * 2);
        let mut packet: Vec<u8> = (0..num_bytes).map(|_| random.bits() as u8).collect();
        let mode = random.below(num_modes) << 1;
        packet[0] = packet[0] >> (mode_bits + 1) << (mode_bits + 1) | mode as u8;
        // Most channels have a floor.
        packet[0] |= if random.below(2) == 0 { (0xF0_usize << mode_bits) as u8 } else { 0 };
        packet
    });
    let packets = packets.collect();
    Synthetic { identification, setup_header, packets, num_channels }
}

/// The lengths of the words of a full tree.
fn lengths(random: &mut Random, num_words: usize) -> Vec<usize> {
    if num_words < 2 {
        return vec![1; num_words];
    }
    let mut lengths = vec![0];
    let is_deep = random.below(3) == 0;
    while lengths.len() < num_words {
        let leaf =
            if is_deep && random.below(4) > 0 { lengths.len() - 1 } else { random.below(lengths.len()) };
        if lengths[leaf] < 32 {
            lengths[leaf] += 1;
            lengths.push(lengths[leaf]);
        }
    }
    for place in (1..lengths.len()).rev() {
        lengths.swap(place, random.below(place + 1));
    }
    lengths
}

fn put_book(random: &mut Random, bits: &mut Writer, number: usize) -> Book {
    let num_words = match random.below(12) {
        0 => random.below(2),
        1 => 400 + random.below(800),
        _ => 2 + random.below(80),
    };
    // The first can be used for everything.
    let num_words = if number == 0 { num_words.max(3) } else { num_words };
    let dimensions = if number == 0 { 2 } else { random.choose(&[1, 2, 2, 4, 4, 8, 3, 5]) };
    let mut lengths = lengths(random, num_words);
    bits.put(0x56_4342, 24);
    bits.put(dimensions, 16);
    if random.below(4) == 0 && num_words > 1 {
        lengths.sort_unstable();
        bits.put(lengths.len(), 24);
        bits.put(1, 1);
        let mut length = lengths[0];
        bits.put(length - 1, 5);
        let mut rest = lengths.as_slice();
        while !rest.is_empty() {
            let num = rest.iter().take_while(|other| **other == length).count();
            bits.put(num, bits_of(rest.len()));
            rest = &rest[num..];
            length += 1;
        }
    } else {
        let is_sparse = num_words == 0 || random.below(2) == 0;
        if is_sparse {
            for _ in 0..1 + random.below(20) {
                lengths.insert(random.below(lengths.len() + 1), 0);
            }
        }
        bits.put(lengths.len(), 24);
        bits.put(0, 1);
        bits.put(is_sparse.into(), 1);
        for length in &lengths {
            if is_sparse {
                bits.put((*length > 0).into(), 1);
            }
            if *length > 0 {
                bits.put(length - 1, 5);
            }
        }
    }
    let lookup = if number == 0 { 1 } else { random.below(3) };
    bits.put(lookup, 4);
    if lookup > 0 {
        // Values are multiples of 1/64, which have few bits.
        let mut float = |sign: usize| sign << 31 | (788 - 6 + random.below(5)) << 21 | random.below(64);
        let (minimum, delta) = (float(1), float(0));
        bits.put(minimum, 32);
        bits.put(delta, 32);
        let value_bits = 1 + random.below(6);
        bits.put(value_bits - 1, 4);
        bits.put(usize::from(random.below(4) == 0), 1);
        let mut num_values = lengths.len() * dimensions;
        if lookup == 1 {
            num_values = (0..=lengths.len())
                .take_while(|value| value.pow(dimensions as u32) <= lengths.len())
                .last()
                .unwrap();
        }
        (0..num_values).for_each(|_| bits.put(random.bits() as usize, value_bits));
    }
    Book { dimensions, has_vectors: lookup > 0 }
}

fn put_floor0(random: &mut Random, bits: &mut Writer, of_vectors: &[usize]) {
    bits.put(0, 16);
    bits.put(1 + random.below(30), 8);
    bits.put(8000 + random.below(40_000), 16);
    bits.put(16 + random.below(500), 16);
    bits.put(random.choose(&[1, 6, 8, 40]), 6);
    bits.put(1 + random.below(40), 8);
    let num_books = 1 + random.below(4);
    bits.put(num_books - 1, 4);
    (0..num_books).for_each(|_| bits.put(random.choose(of_vectors), 8));
}

fn put_floor1(random: &mut Random, bits: &mut Writer, num_books: usize) {
    bits.put(1, 16);
    let num_partitions = random.below(9);
    bits.put(num_partitions, 5);
    let classes: Vec<usize> = (0..num_partitions).map(|_| random.below(4)).collect();
    classes.iter().for_each(|class| bits.put(*class, 4));
    let mut dimensions = Vec::new();
    for _ in 0..classes.iter().max().map_or(0, |class| class + 1) {
        dimensions.push(1 + random.below(7));
        bits.put(dimensions.last().unwrap() - 1, 3);
        let subclass_bits = random.below(4);
        bits.put(subclass_bits, 2);
        if subclass_bits > 0 {
            bits.put(random.below(num_books), 8);
        }
        (0..1 << subclass_bits).for_each(|_| bits.put(random.below(num_books + 1), 8));
    }
    bits.put(random.below(4), 2);
    let range_bits = random.choose(&[7, 7, 8, 9, 10, 12, 15]);
    bits.put(range_bits, 4);
    let mut places = vec![0];
    for class in classes {
        for _ in 0..dimensions[class] {
            let place = loop {
                let place = 1 + random.below((1 << range_bits) - 1);
                if !places.contains(&place) {
                    break place;
                }
            };
            places.push(place);
            bits.put(place, range_bits);
        }
    }
}

fn put_residue(random: &mut Random, bits: &mut Writer, num_books: usize, of_vectors: &[usize], most: usize) {
    bits.put(random.below(3), 16);
    let begin = if random.below(2) == 0 { 0 } else { random.below(most / 8) };
    bits.put(begin, 24);
    bits.put(begin + random.below(most + most / 4), 24);
    bits.put(random.choose(&[1, 4, 6, 8, 16, 32, 32, 64]) - 1, 24);
    let num_classes = 1 + random.below(7);
    bits.put(num_classes - 1, 6);
    bits.put(if random.below(3) == 0 { random.below(num_books) } else { 0 }, 8);
    let cascades: Vec<usize> = (0..num_classes).map(|_| random.below(256) & random.below(256)).collect();
    for cascade in &cascades {
        bits.put(cascade & 7, 3);
        bits.put((cascade >> 3 > 0).into(), 1);
        if cascade >> 3 > 0 {
            bits.put(cascade >> 3, 5);
        }
    }
    let num_used: u32 = cascades.iter().map(|cascade| cascade.count_ones()).sum();
    (0..num_used).for_each(|_| bits.put(random.choose(of_vectors), 8));
}

fn put_mapping(
    random: &mut Random,
    bits: &mut Writer,
    num_channels: usize,
    num_floors: usize,
    num_residues: usize,
) {
    bits.put(0, 16);
    let num_submaps = if random.below(2) == 0 { 1 } else { 2 + random.below(3) };
    bits.put((num_submaps > 1).into(), 1);
    if num_submaps > 1 {
        bits.put(num_submaps - 1, 4);
    }
    let is_coupled = num_channels > 1 && random.below(3) > 0;
    bits.put(is_coupled.into(), 1);
    if is_coupled {
        let num_steps = 1 + random.below(num_channels.min(6));
        bits.put(num_steps - 1, 8);
        for _ in 0..num_steps {
            let magnitude = random.below(num_channels);
            let angle = (magnitude + 1 + random.below(num_channels - 1)) % num_channels;
            bits.put(magnitude, bits_of(num_channels - 1));
            bits.put(angle, bits_of(num_channels - 1));
        }
    }
    bits.put(0, 2);
    if num_submaps > 1 {
        (0..num_channels).for_each(|_| bits.put(random.below(num_submaps), 4));
    }
    for _ in 0..num_submaps {
        bits.put(0, 8);
        bits.put(random.below(num_floors), 8);
        bits.put(random.below(num_residues), 8);
    }
}
