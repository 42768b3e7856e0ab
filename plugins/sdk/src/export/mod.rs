//! The C interface: tables and functions made from the traits.

#![allow(unsafe_code)] // pointers of the C interface

mod answer;
mod buffer;
mod decoder;
mod encoder;
mod handle;
mod library;
mod limits;
mod macros;
mod option;
mod resampler;
mod text;

pub use decoder::DecoderTable;
pub use encoder::EncoderTable;
pub use library::{Define, Library, c_str, enter};
pub use resampler::ResamplerTable;
