//! The output of a reader, as bytes to compare.

use std::fmt::Write;

use mapwave_core::{FrameSpec, OutputFormat, Reader, Result};
use sha2::{Digest, Sha256};

/// All frames of a file, interleaved, as the bytes of an array.
///
/// # Errors
/// As [`Reader::read`].
pub fn whole(reader: &Reader, format: OutputFormat) -> Result<Vec<u8>> {
    let spec = FrameSpec { format, ..FrameSpec::default() };
    Ok(reader.read(0..reader.num_frames(), &spec)?.bytes().to_vec())
}

/// The bytes that all frames of a file take as interleaved samples of `format`.
pub fn num_bytes(reader: &Reader, format: OutputFormat) -> u64 {
    reader.num_frames() * u64::from(reader.track().num_channels) * format.num_bytes() as u64
}

/// The SHA-256 of samples in little-endian order, as hexadecimal digits.
pub fn sha256(native: &[u8], format: OutputFormat) -> String {
    let digest = match cfg!(target_endian = "big") {
        false => Sha256::digest(native),
        true => {
            let swapped = native.chunks_exact(format.num_bytes()).flat_map(|sample| sample.iter().rev());
            Sha256::digest(swapped.copied().collect::<Vec<u8>>())
        }
    };
    digest.iter().fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}
