//! An MP3 decoder in Rust, from packets to samples: MPEG-1, MPEG-2 and MPEG-2.5 audio, layer III.
//!
//! [`Decoder`] turns packets, which the caller has found in whatever container, into samples; [`Header`] tells how long a
//! packet is and what it decodes to. Neither touches files, devices or logs. A packet is what the standards call a frame;
//! here, a frame is one sample of each channel.
//!
//! The format is described by ISO/IEC 11172-3 (MPEG-1) and ISO/IEC 13818-3 (MPEG-2, lower sampling frequencies); comments name
//! their clauses and tables.
//!
//! # How a packet is decoded
//!
//! 1. The *main data* of a packet may begin in the packets before it, in what encoders left of them for the hard parts: the bit
//!    reservoir.
//! 2. A granule of a channel is 576 *lines*, in Huffman codes of pairs and quadruples. Each code waits for the one before it, so
//!    two channels or two granules are read in one loop.
//! 3. Lines are multiplied with the gains of their bands, and turned from sum and difference, or from one channel and its
//!    share, into two channels.
//! 4. An inverse cosine transform of each of 32 subbands, and an overlap of windows, give 18 samples of each subband. Eight
//!    subbands stand side by side in the lanes of a vector.
//! 5. A filter bank makes 32 samples of one sample of each subband. In its transform, eight times stand side by side.

#![deny(unsafe_code)]

#[cfg(target_arch = "x86_64")]
mod avx2;
mod bands;
#[allow(missing_docs, reason = "public to tests only")]
mod codes;
mod decoder;
mod error;
#[cfg(any(target_arch = "aarch64", target_arch = "x86_64"))]
mod four;
mod header;
mod huffman;
mod hybrid;
mod instructions;
mod lanes;
mod maths;
mod scale_factors;
mod side_info;
mod sizes;
mod stereo;
mod synthesis;
mod window;

pub use decoder::Decoder;
pub use error::{BatchError, DecodeError};
pub use header::{Header, Version, has_right_checksum};
pub use mapwave_codec_base::Part;

/// The tables of the standards, for the reference decoder of the tests.
#[doc(hidden)]
pub mod tables {
    pub use crate::bands::{LONG_WIDTHS, SHORT_WIDTHS};
    pub use crate::codes::*;
    pub use crate::window::window;
}

#[doc = include_str!("../README.md")]
#[cfg(doctest)]
struct Readme;
