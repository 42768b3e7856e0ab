//! Noise and text are not audio: no decoder opens them, whatever it says of their first bytes.

#![allow(clippy::indexing_slicing, clippy::cast_possible_truncation)]

use mapwave_builtin::{AdtsDecoder, FlacDecoder, MatroskaDecoder, Mp4Decoder, MpegDecoder, OggDecoder};
use mapwave_plugin::{Decoder, DecoderOptions, Head, Input};

const NUM_BUFFERS: u64 = 10_000;

/// xorshift64* (Vigna, 2016).
struct Numbers(u64);

impl Numbers {
    fn bits(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.bits() >> 11) as usize % end
    }

    fn noise(&mut self, num_bytes: usize) -> Vec<u8> {
        let words = (0..num_bytes.div_ceil(8)).flat_map(|_| self.bits().to_le_bytes());
        words.take(num_bytes).collect()
    }

    fn text(&mut self, num_bytes: usize) -> Vec<u8> {
        const WORDS: [&str; 12] = [
            "the ",
            "quick ",
            "brown ",
            "fox, ",
            "{\"id\": 7}, ",
            "0.25\t",
            "\r\n",
            "ID3 ",
            "OggS ",
            "TAG ",
            "RIFF ",
            "\u{ff}\u{fb} ",
        ];
        let mut text = Vec::new();
        while text.len() < num_bytes {
            text.extend(WORDS[self.below(WORDS.len())].as_bytes());
        }
        text.truncate(num_bytes);
        text
    }
}

fn opens<D: Decoder>(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(D::PROBE_BYTES as usize)];
    let score =
        D::probe(&Head { bytes: head, total_bytes: bytes.len() as u64, extension: None, track: None });
    assert!(score < 90, "{}: {score} of 100 for noise", D::NAME.to_string_lossy());
    score > 0 && D::open(Input::from(bytes.to_vec()), &DecoderOptions::default()).is_ok()
}

fn check(bytes: &[u8], what: &str) {
    let opened = [
        opens::<MpegDecoder>(bytes),
        opens::<AdtsDecoder>(bytes),
        opens::<Mp4Decoder>(bytes),
        opens::<FlacDecoder>(bytes),
        opens::<OggDecoder>(bytes),
        opens::<MatroskaDecoder>(bytes),
    ];
    assert_eq!(opened, [false; 6], "{what} of {} bytes", bytes.len());
}

#[test]
fn noise_and_text_are_no_audio() {
    let mut numbers = Numbers(0x6d61_7077_6176_6501);
    for number in 0..NUM_BUFFERS {
        // Mostly short ones, and some that are longer than what is looked at.
        let num_bytes = if number % 500 == 0 { 400_000 } else { numbers.below(6000) };
        let noise = numbers.noise(num_bytes);
        check(&noise, "noise");
        check(&numbers.text(num_bytes), "text");
        // Noise that begins as a frame does.
        let header = [
            [0xff, 0xfb, 0x90, 0x64],
            [0xff, 0xf1, 0x50, 0x80],
            [0xff, 0xf3, 0x40, 0xc4],
            [0xff, 0xf9, 0x4c, 0x40],
        ];
        check(&[header[numbers.below(4)].as_slice(), &noise].concat(), "noise behind a header");
    }
}
