//! A decoder of Vorbis I in Rust, from packets to samples.
//!
//! [`Setup`] holds the headers of a stream with all tables. [`Decoder`] turns packets, which the caller has found in whatever
//! container, into samples. Neither touches files, devices or logs.
//!
//! The format is described by the [Vorbis I specification](https://xiph.org/vorbis/doc/Vorbis_I_spec.html); comments cite its
//! sections.
//!
//! # How a packet is decoded
//!
//! 1. The *floor* of each channel, the coarse shape of its spectrum, is read: amplitudes at a few frequencies (section 7).
//! 2. The *residue*, what makes the spectrum of it, is read as sums of vectors from codebooks (section 8). Two channels may be given
//!    as magnitude and angle, which is undone (section 4.3.5).
//! 3. Spectra are multiplied by their floors and become a block of samples each, by an inverse MDCT. Blocks have one of two
//!    sizes, and overlap by half of the smaller one under a window (sections 4.3.6 to 4.3.8).
//!
//! All is done eight lanes at a time where the processor has AVX2, and as two times four with NEON. The end of a packet is not an
//! error: what is missing is silence in the highest frequencies, or in all (section 2.1.8).

#![deny(unsafe_code)]

#[cfg(target_arch = "x86_64")]
mod avx2;
mod bits;
mod codebook;
mod decoder;
mod error;
mod floor;
mod instructions;
mod memory;
#[cfg(target_arch = "aarch64")]
mod neon;
mod packet;
mod residue;
mod setup;
mod simd;
mod spectrum;
mod transform;
mod window;

pub use decoder::Decoder;
pub use error::{BatchError, DecodeError};
pub use mapwave_codec_base::Part;
pub use setup::Setup;

#[doc = include_str!("../README.md")]
#[cfg(doctest)]
struct Readme;
