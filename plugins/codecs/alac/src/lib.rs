//! A decoder and an encoder of Apple Lossless (ALAC) in Rust, between packets and samples.
//!
//! [`Config`] is the setup of a stream, which containers keep apart ("magic cookie"). [`Decoder`] turns packets, which the
//! caller has found in whatever container, into samples; [`Encoder`] makes packets of samples. None touches files, devices or logs.
//!
//! The format is described by Apple's reference implementation (github.com/macosforge/alac) and its
//! ALACMagicCookieDescription; comments name the functions there.
//!
//! # How a packet is decoded
//!
//! 1. The residuals of each channel are adaptive Golomb codes, of which each waits for the one before it. Two packets are read
//!    in one loop, so that the processor works on one while the other waits.
//! 2. Each channel is predicted from its own past by coefficients that learn from every sample. Where the processor has AVX2,
//!    eight channels stand side by side in the lanes of one vector, four packets of two channels; four with NEON.
//! 3. Two channels that were mixed are unmixed, and bits that were stored apart are put below the others.
//!
//! # How a packet is encoded
//!
//! 1. The low bits of samples of 24 and 32 bits, which nothing predicts, are set apart.
//! 2. Two channels are mixed by the weights that leave the least to code.
//! 3. Predictors of four and of eight coefficients, found by least squares, are tried on each channel, and the one with the fewest bits of
//!    codes is taken. Where codes take more room than samples, the samples are stored as they are.

#![deny(unsafe_code)]

#[cfg(target_arch = "x86_64")]
mod avx2;
mod config;
mod decoder;
mod encode;
mod error;
mod golomb;
mod instructions;
mod mix;
#[cfg(target_arch = "aarch64")]
mod neon;
mod packet;
mod predictor;

pub use config::{Config, MAX_FRAMES_PER_PACKET};
pub use decoder::Decoder;
pub use encode::Encoder;
pub use error::{BatchError, DecodeError, EncodeError};
pub use mapwave_codec_base::{DecodedSample, Part};

#[doc = include_str!("../README.md")]
#[cfg(doctest)]
struct Readme;
