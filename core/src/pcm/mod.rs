//! PCM samples: their formats, and the kernels that turn one into another.

mod format;

pub use format::{ByteOrder, OutputFormat, SampleFormat};
