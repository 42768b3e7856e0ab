//! Packets made up of random numbers that make sense, and those of files.

use mapwave_mp3::{Header, Version};

/// Numbers that look random and are the same each time.
pub struct Numbers(pub u64);

impl Numbers {
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit.max(1)
    }

    pub fn chance(&mut self, of: usize) -> bool {
        self.below(of) == 0
    }
}

/// What random packets are of.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// The bits of the version: 3, 2, and 0 of MPEG-2.5.
    pub version: u8,
    pub rate: u8,
    /// The mode and its extension: 0xC is one channel.
    pub mode: u8,
    /// How many of eight granules have switched windows.
    pub switched: usize,
    pub has_checksum: bool,
}

/// Writes bits.
#[derive(Default)]
struct Writer(Vec<u8>, usize);

impl Writer {
    fn put(&mut self, value: usize, num_bits: usize) {
        for bit in (0..num_bits).rev() {
            if self.1.is_multiple_of(8) {
                self.0.push(0);
            }
            let last = self.0.len() - 1;
            self.0[last] |= u8::try_from(value >> bit & 1).unwrap() << (7 - self.1 % 8);
            self.1 += 1;
        }
    }
}

/// Packets with random fields and random main data, which any bits are.
pub fn random_packets(kind: Kind, count: usize, numbers: &mut Numbers) -> Vec<Vec<u8>> {
    let mut known = 0_usize;
    (0..count)
        .map(|_| {
            let bitrate = 5 + numbers.below(10);
            let mut writer = Writer::default();
            writer.put(0x7FF, 11);
            writer.put(kind.version.into(), 2);
            writer.put(1, 2);
            writer.put(usize::from(!kind.has_checksum), 1);
            writer.put(bitrate, 4);
            writer.put(kind.rate.into(), 2);
            writer.put(numbers.below(4), 2);
            writer.put(kind.mode.into(), 4);
            writer.put(4, 4);
            let header = Header::parse(&writer.0).unwrap();
            let num_own = header.num_bytes(0) - header.main_data_start();
            if kind.has_checksum {
                writer.put(numbers.below(0x1_0000), 16);
            }
            let is_mpeg1 = header.version() == Version::Mpeg1;
            let begin = numbers.below(known.min(if is_mpeg1 { 511 } else { 255 }) + 1);
            known = (known + num_own).min(511);
            writer.put(begin, if is_mpeg1 { 9 } else { 8 });
            let num_channels = header.num_channels();
            writer.put(
                numbers.below(8),
                match (is_mpeg1, num_channels) {
                    (true, 1) => 5,
                    (true, _) => 3,
                    (false, number) => number,
                },
            );
            if is_mpeg1 {
                writer.put(numbers.below(256), 4 * num_channels);
            }
            let num_granules = num_channels * if is_mpeg1 { 2 } else { 1 };
            let mut left = (begin + num_own) * 8;
            for number in 0..num_granules {
                let even = left / (num_granules - number);
                let length = (even / 2 + numbers.below(even / 2 + 1)).min(4095);
                left -= length;
                writer.put(length, 12);
                // Mostly as many pairs as there are bits for.
                let most = if numbers.chance(8) { 288 } else { (length / 10).min(288) };
                writer.put(numbers.below(most + 1), 9);
                writer.put(150 + numbers.below(20), 8);
                writer.put(numbers.below(512), if is_mpeg1 { 4 } else { 9 });
                if numbers.below(8) < kind.switched {
                    writer.put(1, 1);
                    writer.put(1 + numbers.below(3), 2);
                    writer.put(numbers.below(2), 1);
                    writer.put(numbers.below(1024), 10);
                    writer.put(numbers.below(512), 9);
                } else {
                    writer.put(0, 1);
                    writer.put(numbers.below(1 << 15), 15);
                    writer.put(numbers.below(128), 7);
                }
                writer.put(numbers.below(8), if is_mpeg1 { 3 } else { 2 });
            }
            assert_eq!(writer.0.len(), header.main_data_start());
            writer.0.extend((0..num_own).map(|_| u8::try_from(numbers.below(256)).unwrap()));
            writer.0
        })
        .collect()
}

/// The packets of a file: headers of the same kind as the first that has another one behind it.
pub fn split(file: &[u8]) -> Vec<&[u8]> {
    let (mut packets, mut at) = (Vec::<&[u8]>::new(), 0);
    while at < file.len() {
        let rest = &file[at..];
        let header = Header::parse(rest);
        let packet = header.and_then(|header| rest.get(..header.num_bytes(free_bytes(rest, header))));
        let is_one = packet.is_some_and(|packet| {
            let behind = &rest[packet.len()..];
            packet.len() > 4 && (behind.len() < 4 || Header::parse(behind).is_some() || !packets.is_empty())
        });
        match packet {
            Some(packet) if is_one => {
                packets.push(packet);
                at += packet.len();
            }
            _ => at += 1,
        }
    }
    packets
}

/// The bytes of a packet of free bit rate without padding: up to the next header.
fn free_bytes(bytes: &[u8], header: Header) -> usize {
    if header.bit_rate().is_some() {
        return 0;
    }
    let next = (header.main_data_start()..bytes.len().min(2400)).find(|at| {
        Header::parse(&bytes[*at..])
            .is_some_and(|next| next.bit_rate().is_none() && next.sample_rate() == header.sample_rate())
    });
    next.map_or(0, |next| next - usize::from(header.is_padded()))
}
