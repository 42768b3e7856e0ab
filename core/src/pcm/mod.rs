//! PCM samples: their formats, and the kernels that turn one into another.

mod companding;
mod convert;
mod format;
mod peak;
mod rounding;
mod scalar;
mod simd;
mod stage;
mod store;

pub use convert::Kernel;
pub use format::{ByteOrder, OutputFormat, SampleFormat};
pub(crate) use peak::peak;
pub(crate) use stage::Stage;
pub use store::StoreKernel;
