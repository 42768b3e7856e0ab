//! The tables of the interface, called as any host may call them, with everything about each call looked at.
//!
//! Only these modules, [`range`](crate::guard_pages) and [`process`](super::process) hold unsafe code. What a plugin promises cannot
//! be proved from this side: where a proof leans on a rule, a plugin that breaks it ends the child process in which
//! one test runs, and that is the verdict.

mod decoder;
mod encoder;
mod guarded_buffer;
mod input;
mod library;
mod refusal;
mod resampler;
mod stream_info;

pub use decoder::{Decoder, DecoderTable, OpenOptions};
pub use encoder::{EncodeOptions, EncoderTable};
pub use guarded_buffer::{Format, GuardedBuffer, Layout};
pub use input::{Input, ReadPlan, track};
pub use library::{Description, Library, Plugin};
pub use refusal::{ErrorSpace, Fault, Refusal};
pub use resampler::{ResampleOptions, ResamplerTable};
pub use stream_info::{FULL_INFO_BYTES, SeekClass, StreamInfo};

/// The size of a struct of the interface, as it stands in its first field.
#[allow(clippy::cast_possible_truncation)] // a few hundred bytes
const fn struct_bytes<T>() -> u32 {
    size_of::<T>() as u32
}
