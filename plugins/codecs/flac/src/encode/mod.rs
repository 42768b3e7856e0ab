//! Samples to a FLAC file.
//!
//! | module | what | RFC 9639 |
//! |---|---|---|
//! | `encoder` | the public encoder: frames in, bytes out | |
//! | `settings`, `level` | what the caller chooses, what each compression level searches | |
//! | `plan` | checked settings, and how many blocks fit into memory | |
//! | `frames` | the caller's samples at the depth of the file | |
//! | `metadata`, `stream_info` | the blocks before the first FLAC frame | 8 |
//! | `frame`, `stereo` | a FLAC frame's header, and how two channels are stored | 9.1, 9.3 |
//! | `subframe` | one channel: the predictor that takes the fewest bits | 9.2 |
//! | `predictor` | fixed and linear prediction | 9.2.5, 9.2.6 |
//! | `rice` | residuals | 9.2.7 |
//! | `bit_writer` | bits | |
//! | `batch` | blocks on threads | |
//! | `digest` | the MD5 of the samples | 8.2 |
//! | `instructions` | the same code for wider registers | |

mod batch;
mod bit_writer;
mod digest;
mod encoder;
mod frame;
mod frames;
mod instructions;
mod level;
mod limits;
mod metadata;
mod plan;
mod predictor;
mod rice;
mod settings;
mod stereo;
mod stream_info;
mod subframe;

pub use encoder::{Encoder, Patch, encode};
pub use frames::{Frames, Sample};
pub(crate) use limits::{MAX_BLOCK_BYTES, MAX_CHANNELS, MAX_SAMPLE_RATE};
pub use limits::{MAX_FRAMES, MAX_LEVEL};
pub use settings::EncoderSettings;
