//! Compares parametric stereo of all resolutions, which no encoder at hand writes, with what FFmpeg decodes: parameters that are made at
//! random replace the end of the band replication of packets in one channel.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]

#[path = "../src/ps/codebooks.rs"]
mod codebooks;
#[path = "../src/codes.rs"]
mod codes;
mod common;
mod payloads;

use codes::Codebook;
use common::{Random, Stream, adts, by_ffmpeg, decode, precision};
use mapwave_aac::{Decoder, Part};
use payloads::{Bits, packet, push, splits};

fn push_code(bits: &mut Bits, book: &Codebook, value: i32) {
    let mut start = 0_u64;
    for (other, length) in book.codes() {
        if i32::from(*other) == value {
            push(bits, (start >> (32 - length)) as usize, u32::from(*length));
            return;
        }
        start += 1 << (32 - length);
    }
    panic!("no code has the value {value}");
}

/// What a stream of parameters may have.
#[derive(Clone, Copy, Debug)]
struct Kind {
    /// iid_mode and icc_mode
    modes: &'static [(usize, usize)],
    has_phases: bool,
}

/// Makes parameters, packet by packet.
struct Maker {
    random: Random,
    kind: Kind,
    mode: (usize, usize),
    is_first: bool,
    last: [Vec<i32>; 4],
}

const NUM_BANDS: [usize; 3] = [10, 20, 34];
const NUM_PHASES: [usize; 3] = [5, 11, 17];

impl Maker {
    fn new(kind: Kind, seed: u64) -> Self {
        let none = [(); 4].map(|()| vec![0; 34]);
        Self { random: Random(seed), kind, mode: kind.modes[0], is_first: true, last: none }
    }

    /// Indices of an envelope: some of them differ from those before.
    fn push_indices(
        &mut self,
        bits: &mut Bits,
        which: usize,
        books: [&Codebook; 2],
        range: (i32, i32),
        can_be_in_time: bool,
    ) {
        let num = if which < 2 {
            NUM_BANDS[[self.mode.0, self.mode.1][which] % 3]
        } else {
            NUM_PHASES[self.mode.0 % 3]
        };
        let is_in_time = can_be_in_time && self.random.below(2) == 0;
        push(bits, usize::from(is_in_time), 1);
        let mut before = 0;
        for band in 0..num {
            let reference = if is_in_time { self.last[which][band] } else { before };
            // Mostly by one, so that packets do not become too long.
            let step = [0, 0, 0, 0, 1, -1][self.random.below(6)];
            let next = if self.random.below(30) == 0 {
                range.0 + self.random.below((range.1 - range.0 + 1) as usize) as i32
            } else {
                (reference + step).clamp(range.0, range.1)
            };
            let difference = next - reference;
            push_code(
                bits,
                books[usize::from(is_in_time)],
                if which < 2 { difference } else { difference & 7 },
            );
            self.last[which][band] = next;
            before = next;
        }
    }

    fn parameters(&mut self) -> Bits {
        let mut bits = Bits::new();
        let has_header = self.is_first || self.random.below(3) == 0;
        if has_header {
            self.mode = self.kind.modes[self.random.below(self.kind.modes.len())];
        }
        let (iid_mode, icc_mode) = self.mode;
        push(&mut bits, usize::from(has_header), 1);
        if has_header {
            push(&mut bits, 8 | iid_mode, 4);
            push(&mut bits, 8 | icc_mode, 4);
            push(&mut bits, usize::from(self.kind.has_phases), 1);
        }
        let has_borders = self.random.below(2) == 0;
        push(&mut bits, usize::from(has_borders), 1);
        let code = self.random.below(4).max(usize::from(has_header && !has_borders));
        push(&mut bits, code, 2);
        let num_envelopes = if has_borders { code + 1 } else { [0, 1, 2, 4][code] };
        if has_borders {
            let mut borders: Vec<usize> = (0..num_envelopes).map(|_| self.random.below(32)).collect();
            borders.sort_unstable();
            borders.iter().for_each(|border| push(&mut bits, *border, 5));
        }
        let (iid_books, most) = if iid_mode > 2 {
            ([&codebooks::F_IID_FINE, &codebooks::T_IID_FINE], 15)
        } else {
            ([&codebooks::F_IID, &codebooks::T_IID], 7)
        };
        for envelope in 0..num_envelopes {
            self.push_indices(&mut bits, 0, iid_books, (-most, most), !has_header || envelope > 0);
        }
        for envelope in 0..num_envelopes {
            let books = [&codebooks::F_ICC, &codebooks::T_ICC];
            self.push_indices(&mut bits, 1, books, (0, 7), !has_header || envelope > 0);
        }
        if self.kind.has_phases {
            let mut extension = vec![0, 0, 1];
            for envelope in 0..num_envelopes {
                let is_later = !has_header || envelope > 0;
                let books = [&codebooks::F_IPD, &codebooks::T_IPD];
                self.push_indices(&mut extension, 2, books, (0, 7), is_later);
                let books = [&codebooks::F_OPD, &codebooks::T_OPD];
                self.push_indices(&mut extension, 3, books, (0, 7), is_later);
            }
            extension.push(0);
            let num_bytes = extension.len().div_ceil(8);
            extension.resize(8 * num_bytes, 0);
            push(&mut bits, num_bytes.min(15), 4);
            if num_bytes >= 15 {
                push(&mut bits, num_bytes - 15, 8);
            }
            bits.extend(extension);
        }
        self.is_first = false;
        bits
    }
}

/// A packet with parameters in an extension that begins at a bit of the payload.
fn joined(Place { before, payload, flag }: &Place, parameters: &[u8]) -> Vec<u8> {
    let mut extension = vec![1, 0];
    extension.extend(parameters);
    let num_bytes = extension.len().div_ceil(8);
    extension.resize(8 * num_bytes, 0);
    let mut fill = payload[..*flag].to_vec();
    push(&mut fill, 1, 1);
    push(&mut fill, num_bytes.min(15), 4);
    if num_bytes >= 15 {
        push(&mut fill, num_bytes - 15, 8);
    }
    fill.extend(extension);
    assert!(num_bytes <= 270, "{num_bytes} bytes");
    packet(before, &fill)
}

fn is_stereo(samples: &[f32]) -> bool {
    samples.as_chunks::<2>().0.iter().any(|[left, right]| left != right)
}

/// A packet: what comes before its payload, the payload, and the bit of it that says whether there is an extension.
struct Place {
    before: Bits,
    payload: Bits,
    flag: usize,
}

/// The packets of a stream.
fn places(stream: &Stream) -> Vec<Place> {
    // A header, an envelope, the same intensity in ten bands, the same coherence.
    let mut probe = vec![1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0];
    push_code(&mut probe, &codebooks::F_IID, 5);
    (0..9).for_each(|_| push_code(&mut probe, &codebooks::F_IID, 0));
    probe.push(0);
    (0..10).for_each(|_| push_code(&mut probe, &codebooks::F_ICC, 0));
    let mut decoder = Decoder::new(&stream.config);
    // The first packets are silent: they come again behind the last.
    decode(&mut decoder, &stream.parts()).unwrap();
    let mut places = Vec::new();
    for packet in &stream.packets {
        let snapshot = decoder.snapshot();
        let mut is_read = |place: &Place| {
            decoder.restore(&snapshot);
            let bytes = joined(place, &probe);
            let part = Part { bytes: &bytes, frames: 0..2048 };
            decode(&mut decoder, &[part]).is_ok_and(|samples| is_stereo(&samples))
        };
        let found = splits(packet).into_iter().find_map(|(before, payload)| {
            // Behind the right bit, one that is set changes nothing.
            let mut place = Place { before, flag: payload.len(), payload };
            while place.flag > 0 {
                place.flag -= 1;
                if is_read(&place) {
                    return Some(place);
                }
            }
            None
        });
        decoder.restore(&snapshot);
        decode(&mut decoder, &[Part { bytes: packet, frames: 0..2048 }]).unwrap();
        places.push(found.expect("the packet has band replication"));
    }
    places
}

#[test]
fn parameters_of_all_resolutions_are_those_of_ffmpeg() {
    let path = format!("{}/tests/he_aac/mono_24000.aac", env!("CARGO_MANIFEST_DIR"));
    let mut stream = Stream::parse(&std::fs::read(path).unwrap());
    stream.config = stream.config.with_band_replication().unwrap().with_parametric_stereo().unwrap();
    let places = places(&stream);
    for kind in [
        Kind { modes: &[(0, 0), (3, 0)], has_phases: false },
        Kind { modes: &[(1, 1), (4, 4), (1, 0), (0, 4)], has_phases: false },
        Kind { modes: &[(2, 2), (5, 5), (2, 1), (0, 5), (5, 3)], has_phases: false },
        Kind { modes: &[(0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (5, 5)], has_phases: false },
        Kind { modes: &[(1, 1), (4, 4)], has_phases: true },
        Kind { modes: &[(2, 2), (5, 5)], has_phases: true },
    ] {
        for seed in 1..=4 {
            let mut maker = Maker::new(kind, seed);
            let packets = places.iter().chain(&places).map(|place| joined(place, &maker.parameters()));
            let packets: Vec<Vec<u8>> = packets.collect();
            let parts: Vec<Part<'_>> = packets.iter().map(|bytes| Part { bytes, frames: 0..2048 }).collect();
            let decoded = decode(&mut Decoder::new(&stream.config), &parts).unwrap();
            assert!(decoded.chunks(4096).skip(3).all(is_stereo), "{kind:?}, {seed}");
            let Some(expected) = by_ffmpeg(&adts(12_000, 1, &packets)) else { return };
            assert_eq!(decoded.len(), expected.len(), "{kind:?}");
            let found = precision(&decoded, expected.iter().map(|sample| f64::from(*sample)));
            println!("{kind:?}: {found:.1} dB");
            assert!(found > 90.0, "{kind:?}, {seed}: {found:.1} dB");
        }
    }
}

#[test]
fn parameters_that_are_noise_are_errors_or_other_samples() {
    let path = format!("{}/tests/he_aac/mono_24000.aac", env!("CARGO_MANIFEST_DIR"));
    let mut stream = Stream::parse(&std::fs::read(path).unwrap());
    stream.config = stream.config.with_band_replication().unwrap().with_parametric_stereo().unwrap();
    let places = places(&stream);
    let mut random = Random(23);
    let mut decoders = [Decoder::new(&stream.config), Decoder::new(&stream.config).with_plain_instructions()];
    let (mut num_stereo, wanted) = (0, 2000);
    for _ in 0..wanted {
        let place = &places[random.below(places.len())];
        let num_bits = random.below(800);
        // A header with a mode that is not reserved, and codes that are mostly short.
        let mut parameters = vec![1, 1, 0, 1, 1, 1, 0, 1, 1];
        parameters[2..5].rotate_left(random.below(3));
        parameters[6..9].rotate_left(random.below(3));
        parameters.extend((0..num_bits).map(|_| u8::from(random.below(4) == 0)));
        let bytes = joined(place, &parameters);
        let [found, plain] = decoders.each_mut().map(|decoder| {
            let samples = decode(decoder, &[Part { bytes: &bytes, frames: 0..2048 }]).unwrap();
            samples.iter().map(|sample| sample.to_bits()).collect::<Vec<_>>()
        });
        assert!(found == plain, "without vectors");
        num_stereo += usize::from(found.as_chunks::<2>().0.iter().any(|[left, right]| left != right));
    }
    assert!(num_stereo > wanted / 10 && num_stereo < wanted, "{num_stereo} of {wanted} in stereo");
}
