//! PCM samples: their formats, and the kernels that turn one into another.

mod companding;
mod convert;
mod format;
mod kernel;
mod peak;
mod rounding;
mod scalar;
mod simd;
mod stage;
mod store;
mod store_kernel;

pub use format::{ByteOrder, OutputFormat, SampleFormat, SampleKind};
pub use kernel::Kernel;
pub(crate) use peak::peak;
pub(crate) use stage::Stage;
pub use store_kernel::StoreKernel;
