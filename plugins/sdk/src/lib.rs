//! Write codec plugins for mapwave in safe Rust.
//!
//! A decoder is a type with the trait [`Decoder`], an encoder one with [`Encoder`], a resampler one with [`Resampler`].
//! A plugin is a `cdylib` crate that names its types in `export_plugin!`, which makes the tables of the C ABI of them and
//! catches every panic at the wall.

mod block;
mod decoder;
mod encoder;
mod error;
#[doc(hidden)]
pub mod export;
mod host;
mod input;
mod output;
mod resampler;
mod sample;
mod track;

pub use block::Block;
pub use decoder::{Decoder, DecoderOptions, Head, SeekClass, StreamInfo};
pub use encoder::{Encoder, EncoderOptions, Sink};
pub use error::{Error, Result, Status};
pub use host::{Level, log};
pub use input::{Input, Memory};
pub use mapwave_plugin_abi as abi;
pub use output::Output;
pub use resampler::{Resampler, ResamplerOptions};
pub use sample::{Layout, Sample, SampleFormat};
pub use track::Track;
