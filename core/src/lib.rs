//! mapwave maps an audio file into memory and delivers its samples.
//!
//! Data flows one way: [`source`] (bytes) -> [`container`] (where the samples are) -> [`pcm`] (what they mean) ->
//! [`reader`] (frames). This crate reads uncompressed WAV, RIFX, RF64, BW64, Wave64, AIFF, AIFF-C and CAF. Codec plugins, which
//! [`host`] finds and calls, decode compressed streams in these containers and everything in all others.

mod array;
pub mod buffer;
pub mod container;
mod cursor;
pub mod decode;
pub mod error;
mod files;
pub mod host;
mod kept;
pub mod limits;
mod matrix;
mod memory;
pub mod metadata;
mod mix;
pub mod pcm;
pub mod reader;
pub mod resample;
mod segment;
pub mod sink;
pub mod source;
pub mod spec;
pub mod track;

pub use array::Audio;
pub use buffer::{Buffer, Frames};
pub use decode::ReadControl;
pub use error::{Error, Fault, Parameter, Result};
pub use host::Choice;
pub use limits::Limits;
pub use matrix::ChannelMatrix;
pub use metadata::Metadata;
pub use pcm::{OutputFormat, SampleFormat};
pub use reader::{Reader, View};
pub use resample::{ResampleQuality, resample_array};
pub use segment::num_processors;
pub use spec::{ChannelSelection, FrameSpec, Layout, MonoMode, Shape};
pub use track::{SoundTrack, Track};
