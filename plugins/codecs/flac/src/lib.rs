//! A FLAC encoder and decoder (RFC 9639) in Rust.
//!
//! [`encode`] makes a whole file of samples in memory. [`Encoder`] takes frames as they come and passes the bytes of the
//! file to a closure. [`Decoder`] turns FLAC frames, which the caller has found in whatever container, into samples. None
//! touches files, devices or logs.
//!
//! In this crate, as everywhere in mapwave, a *frame* is one sample of every channel. What the specification calls a frame,
//! a header with one compressed block of every channel, is a *FLAC frame*. Blocks do not depend on each other, so several
//! are encoded at a time, on as many threads as [`EncoderSettings::num_threads`] allows. The bytes depend neither on the
//! number of threads, nor on how frames are divided into calls, nor on the CPU's instructions.
//!
//! ```
//! use mapwave_flac::{EncoderSettings, Frames, encode};
//!
//! let samples = [0_i16, 0, 100, -100, 200, -200]; // three frames of two channels
//! let settings = EncoderSettings { level: 8, ..EncoderSettings::new(44_100, 2, 16) };
//! let file = encode(&settings, Frames::Interleaved(&samples))?;
//! assert!(file.starts_with(b"fLaC"));
//! # Ok::<(), mapwave_flac::Error>(())
//! ```
//!
//! Decoding takes batches of FLAC frames, straight into the caller's memory:
//!
//! ```
//! use mapwave_flac::{Decoder, EncoderSettings, FrameHeader, Frames, Part, encode};
//!
//! let samples: Vec<i16> = (0..20_000).map(|n| (n % 100) * 90).collect();
//! let file = encode(&EncoderSettings::new(16_000, 1, 16), Frames::Interleaved(&samples))?;
//! # let first = (0..file.len()).find(|place| FrameHeader::parse(&file[*place..]).is_some()).unwrap();
//! // A FLAC frame reaches up to the next header; see `FrameHeader` and the checksums in `crc`.
//! let starts: Vec<usize> =
//!     (first..file.len()).filter(|place| FrameHeader::parse(&file[*place..]).is_some()).collect();
//! let parts: Vec<Part<'_>> = starts
//!     .iter()
//!     .map(|start| {
//!         let bytes = &file[*start..];
//!         Part { bytes, frames: 0..FrameHeader::parse(bytes).unwrap().block_size as usize }
//!     })
//!     .collect();
//! let mut decoded = Vec::<i16>::with_capacity(samples.len());
//! let decoded = Decoder::new(1, 16).unwrap().decode(&parts, decoded.spare_capacity_mut()).unwrap();
//! assert!(decoded == samples);
//! # Ok::<(), mapwave_flac::Error>(())
//! ```
//!
//! # How a block is compressed
//!
//! 1. Two channels may be stored as left and right, or with their difference in place of one of them, or as mid and side,
//!    whichever takes the fewest bits (section 4.2).
//! 2. Each channel is predicted from its own past, by a polynomial or by a linear predictor (sections 9.2.5, 9.2.6). What
//!    the prediction misses, the *residual*, is much smaller than the signal.
//! 3. Residuals are stored as Rice codes, which give small numbers few bits (section 9.2.7).

#![deny(unsafe_code)]

pub mod crc;
mod decode;
mod encode;
mod error;
#[cfg(test)]
mod noise;

pub use decode::{BatchError, DecodeError, DecodedSample, Decoder, Decorrelation, FrameHeader, Part};
pub use encode::{Encoder, EncoderSettings, Frames, MAX_FRAMES, MAX_LEVEL, Patch, Sample, encode};
pub use error::{EncodeError, Error};

#[doc = include_str!("../README.md")]
#[cfg(doctest)]
struct Readme;
