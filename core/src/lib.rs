//! mapwave maps an audio file into memory and hands out its samples.
//!
//! Data flows one way: [`source`] (bytes) -> [`container`] (where the samples are) -> [`pcm`] (what they mean) ->
//! [`reader`] (frames). WAV, RIFX, RF64, BW64, Wave64, AIFF, AIFF-C and CAF are read here; a compressed stream inside
//! them becomes a [`track::Track`] for a codec plugin.

pub mod container;
pub mod cursor;
pub mod error;
pub mod pcm;
pub mod track;

pub use error::{Error, Result};
