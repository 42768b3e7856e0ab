//! A decoder of Apple Lossless (ALAC) in Rust, from packets to samples.
//!
//! [`Config`] is the setup of a stream, which containers keep apart ("magic cookie"). [`Decoder`] turns packets, which the
//! caller has found in whatever container, into samples. Neither touches files, devices or logs.
//!
//! The format is described by Apple's reference implementation (github.com/macosforge/alac) and its
//! ALACMagicCookieDescription; comments name the functions there.
//!
//! # How a packet is decoded
//!
//! 1. The residuals of each channel are adaptive Golomb codes, of which each waits for the one before it. Two packets are read
//!    in one loop, so that the processor works on one while the other waits.
//! 2. Each channel is predicted from its own past by coefficients that learn from every sample. Where the processor has AVX2,
//!    eight channels stand side by side in the lanes of one vector: four packets of two channels.
//! 3. Two channels that were mixed are unmixed, and bits that were stored apart are put below the others.

#![deny(unsafe_code)]

#[cfg(target_arch = "x86_64")]
mod avx2;
mod config;
mod decoder;
mod error;
mod golomb;
mod instructions;
mod mix;
mod packet;
mod predictor;

pub use config::{Config, MAX_FRAMES_PER_PACKET};
pub use decoder::Decoder;
pub use error::{BatchError, DecodeError};
pub use mapwave_codec_base::{DecodedSample, Part};

#[doc = include_str!("../README.md")]
#[cfg(doctest)]
struct Readme;
