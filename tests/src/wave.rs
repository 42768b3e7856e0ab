//! WAV files made on the spot.

use crate::random::Random;

/// A WAV file of a 44-byte header and `data`: PCM at 48 kHz of up to 32 bits a sample.
pub fn pcm(num_channels: u16, bits: u16, data: &[u8]) -> Vec<u8> {
    file(1, num_channels, bits, data)
}

/// A WAV file of a 44-byte header and `data`: 32-bit IEEE float at 48 kHz.
pub fn float(num_channels: u16, data: &[u8]) -> Vec<u8> {
    file(3, num_channels, 32, data)
}

/// About `num_bytes` of noise, whole frames of which `bytes_per_frame` make one; no two places alike.
pub fn noise(num_bytes: usize, bytes_per_frame: usize) -> Vec<u8> {
    let mut random = Random::new(num_bytes as u64);
    let words = num_bytes / bytes_per_frame * bytes_per_frame;
    let mut bytes = Vec::with_capacity(words + 8);
    while bytes.len() < words {
        bytes.extend(random.bits().to_le_bytes());
    }
    bytes.truncate(words);
    bytes
}

fn file(tag: u16, num_channels: u16, bits: u16, data: &[u8]) -> Vec<u8> {
    let block_align = num_channels * bits.div_ceil(8);
    let data_len = u32::try_from(data.len()).expect("a WAV file holds less than 4 GB");
    let mut wav = Vec::with_capacity(44 + data.len());
    wav.extend(b"RIFF");
    wav.extend((data_len + 36).to_le_bytes());
    wav.extend(b"WAVEfmt ");
    wav.extend(16u32.to_le_bytes());
    wav.extend(tag.to_le_bytes());
    wav.extend(num_channels.to_le_bytes());
    wav.extend(48_000u32.to_le_bytes());
    wav.extend((48_000 * u32::from(block_align)).to_le_bytes());
    wav.extend(block_align.to_le_bytes());
    wav.extend(bits.to_le_bytes());
    wav.extend(b"data");
    wav.extend(data_len.to_le_bytes());
    wav.extend(data);
    wav
}
