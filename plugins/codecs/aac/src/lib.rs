//! A decoder of AAC Low Complexity and HE-AAC in Rust, from packets to samples.
//!
//! [`Config`] is the setup of a stream, which containers keep apart. [`Decoder`] turns packets, which the caller has found in whatever
//! container, into samples. Neither touches files, devices or logs.
//!
//! The format is ISO/IEC 14496-3, subpart 4 (and ISO/IEC 13818-7); comments cite its clauses and tables.
//!
//! # How a packet is decoded
//!
//! 1. The lines of each channel are Huffman codes, of which each waits for the one before it. Two packets are read in one loop, so that
//!    the processor works on one while the other waits. Tables give lines that are already raised to 4/3, with their signs.
//! 2. Lines are scaled, replaced by noise, mixed, and filtered, as the packet says.
//! 3. A transform of 1024 lines, or eight of 128, makes samples, which overlap those of the packet before.
//! 4. In HE-AAC, a filter bank splits the samples into subbands, of which higher ones are made, and perhaps those of a second channel;
//!    another one joins them.
//!
//! All tables are constants: a new decoder costs no more than its memory. No sum and product are fused, so that every CPU gives the same
//! bits.

#![deny(unsafe_code)]

mod bands;
mod codebooks;
mod codes;
mod config;
mod coupling;
mod decoder;
mod error;
mod filter_bank;
mod grouping;
mod huffman;
mod instructions;
mod lines;
mod math;
mod noise;
mod packet;
mod program;
mod ps;
mod sbr;
mod scale;
mod side;
mod spectrum;
mod stereo;
mod synthesis;
mod tns;
mod transform;
mod windows;

pub use config::Config;
pub use decoder::{Decoder, Snapshot};
pub use error::{BatchError, DecodeError};
pub use mapwave_codec_base::Part;
pub use noise::Noise;

#[doc = include_str!("../README.md")]
#[cfg(doctest)]
struct Readme;
