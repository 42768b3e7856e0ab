//! mapwave maps an audio file into memory and hands out its samples.
//!
//! Data flows one way: [`source`] (bytes) -> [`container`] (where the samples are) -> [`pcm`] (what they mean) ->
//! [`reader`] (frames). WAV, RIFX, RF64, BW64, Wave64, AIFF, AIFF-C and CAF are read here; compressed streams, in them and in
//! every other format, are decoded by codec plugins, which [`host`] finds and calls.

mod audio;
pub mod container;
pub mod cursor;
pub mod decode;
pub mod error;
pub mod frames;
pub mod host;
mod mix;
pub mod pcm;
pub mod reader;
pub mod resample;
mod resampled;
pub mod segment;
pub mod sink;
pub mod source;
pub mod spec;
pub mod track;

pub use audio::Audio;
pub use decode::Effort;
pub use error::{Error, Fault, Result};
pub use frames::{Buffer, Frames};
pub use pcm::{OutputFormat, SampleFormat};
pub use reader::{Reader, View};
pub use resampled::{ResampleQuality, resample_array};
pub use spec::{ChannelSelection, FrameSpec, Layout, MonoMode, Shape};
pub use track::Track;
