//! The host of codec plugins: finds libraries, loads them, and calls them without trusting them.
//!
//! Nothing here runs before a file needs a plugin: reading PCM never loads a library. Then the directories are searched, and the
//! libraries in them are loaded, those that come with this program one after the other as they are needed. [`plugins`] loads all and
//! reports libraries that cannot be loaded; they have no other effect.

mod ffi;
mod listing;
mod loading;
mod registry;
mod selection;
mod session;
mod table;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use ffi::fault::Failure;
pub use ffi::input::PacketTrack;
pub use ffi::log::{Level, Message, drain_messages};
pub use ffi::output::ByteSink;
pub use listing::{Plugin, State};
pub use loading::directories::{Directory, Origin};
pub use loading::hints::{Hint, register_hint};
pub use loading::probation::{set_checker, try_load};
pub(crate) use registry::loaded_plugins;
pub use registry::{directories, embed, plugins, register, set_bundled};
pub use selection::decoder::{Choice, PluginFailure};
pub(crate) use selection::decoder::{NotOpened, Opened, open};
pub(crate) use selection::encoder::no_writer;
pub use selection::encoder::{encoders, open_encoder};
pub(crate) use selection::resampler::{default_resampler, no_resampler, qualities, quality, resampler};
pub(crate) use selection::seek_table::seek_table;
pub(crate) use selection::writable::Writable;
#[cfg(test)]
pub(crate) use selection::writable::tests::{three_plugins, three_stages};
pub(crate) use session::decoder::{Decoder, Opener};
pub use session::encoder::Encoder;
pub use session::interruption::interruptible;
pub(crate) use session::resampler::{Portion, Resampler};
pub(crate) use session::supervisor::given_up;
pub(crate) use table::decoder::Chunk;
pub use table::decoder::DecoderSummary;
pub use table::encoder::{EncoderRequest, EncoderSummary};
pub use table::facts::{FileExtension, LosslessCodec};
pub use table::option::{CodecOption, OptionKind};
pub use table::resampler::ResamplerSummary;
pub(crate) use table::resampler::{Channels, ResamplerKind, ResamplerRequest, Restart};
pub(crate) use table::stream_info::{SeekClass, StreamInfo};
