//! PCM samples: their formats, and the kernels that turn one into another.

mod companding;
mod convert;
mod format;
mod rounding;
mod scalar;
mod simd;

pub use convert::Kernel;
pub use format::{ByteOrder, OutputFormat, SampleFormat};
