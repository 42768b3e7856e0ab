//! FLAC frames to samples.
//!
//! | module | what | RFC 9639 |
//! |---|---|---|
//! | `decoder` | the public decoder: batches of FLAC frames in, samples out | |
//! | `error` | why a FLAC frame is rejected | |
//! | `frame_header` | what stands before the subframes | 9.1 |
//! | `cursor` | a FLAC frame that is being read, up to the next run of Rice codes | 9.2 |
//! | `rice` | runs of Rice codes, of one FLAC frame or of two at once | 9.2.7 |
//! | `predictor` | residuals to samples | 9.2.5, 9.2.6 |
//! | `wide` | a difference of 33 bits | 9.2.3 |
//! | `stereo` | two channels from one and the difference | 4.2, 9.1.3 |
//! | `instructions` | the same code for wider registers | |
//! | `avx2`, `neon` | residuals of four subframes to samples in the lanes of one vector | |
//!
//! # Why it is fast
//!
//! Reading Rice codes is a chain: where a code begins is known only when the one before it has been read. So two FLAC frames
//! are read in one loop, and the processor works on one chain while the other waits. Prediction is a chain as well, from
//! sample to sample; there, four subframes stand side by side in the lanes of a vector. Neither needs anything but several
//! FLAC frames at a time, which is why [`Decoder::decode`] takes batches.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod cursor;
mod decoder;
mod error;
mod frame_header;
mod instructions;
#[cfg(target_arch = "aarch64")]
mod neon;
mod predictor;
mod rice;
mod stereo;
mod wide;

pub use decoder::Decoder;
pub use error::{BatchError, DecodeError};
pub use frame_header::{Decorrelation, FrameHeader};
pub use mapwave_codec_base::{DecodedSample, Part};
