//! Damaged files from whole ones, the same for the same seed.

/// A xorshift64* generator (Vigna, "An experimental exploration of Marsaglia's xorshift generators", 2016).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The generator of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).max(1))
    }

    fn bits(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.bits() >> 11) as usize % end
    }
}

/// Numbers that parsers stumble over.
const EXTREMES: [u64; 8] = [0, 1, 0x7f, 0xff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, u64::MAX];

/// A damaged copy of a file: bits flipped, numbers replaced, parts cut out, doubled or moved.
pub fn damaged(file: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = file.to_vec();
    for _ in 0..=random.below(4) {
        if bytes.len() < 2 {
            break;
        }
        // Half of the damage is where the headers are.
        let reach = if random.below(2) == 0 { bytes.len().min(400) } else { bytes.len() };
        let place = random.below(reach);
        let count = (1 + random.below(64)).min(bytes.len() - place);
        match random.below(6) {
            0 => bytes[place] ^= 1 << random.below(8),
            1 => bytes[place] = random.below(256) as u8,
            2 => {
                let width = [1, 2, 4, 8][random.below(4)].min(bytes.len() - place);
                let value = EXTREMES[random.below(EXTREMES.len())];
                let value = if random.below(2) == 0 {
                    value.to_le_bytes()
                } else {
                    (value << (64 - 8 * width)).to_be_bytes()
                };
                bytes[place..place + width].copy_from_slice(&value[..width]);
            }
            3 => drop(bytes.drain(place..place + count)),
            4 => {
                let part = bytes[place..place + count].to_vec();
                let to = random.below(bytes.len());
                bytes.splice(to..to, part);
            }
            _ => bytes.truncate(place + 1),
        }
    }
    bytes
}
