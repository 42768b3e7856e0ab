//! The host of codec plugins: finds libraries, loads them, and calls them without trusting them.
//!
//! Nothing here runs before a file needs a plugin: reading PCM never loads a library. Then, once, the directories are
//! searched and everything in them is loaded; what cannot be loaded is reported by [`plugins`] and costs nothing else.

mod choice;
mod decoder;
mod decoding;
mod directories;
mod encoder;
mod encoding;
#[cfg(test)]
pub(crate) mod fake;
#[cfg(test)]
mod fake_encoder;
#[cfg(test)]
mod fake_resampler;
mod fault;
mod ffmpeg;
mod input;
mod library;
mod log;
mod output;
mod probation;
mod raw;
mod registry;
mod resampler;
mod resampling;
mod supervisor;
mod worker;

pub(crate) use choice::not_there;
pub use choice::{encoders, open_encoder, writable, writable_containers};
pub use decoder::DecoderSummary;
pub(crate) use decoder::{Chunk, SeekClass, StreamInfo};
pub(crate) use decoding::Decoder;
pub use directories::{Directory, Origin};
pub use encoder::{EncoderRequest, EncoderSummary};
pub use encoding::Encoder;
pub(crate) use fault::Failure;
pub use input::PacketTrack;
pub use log::{Level, Message, drain_messages};
pub use output::Output;
pub use probation::{set_checker, try_load};
pub(crate) use registry::{NotOpened, open};
pub use registry::{Plugin, State, directories, embed, plugins, register, set_bundled};
pub use resampler::ResamplerSummary;
pub(crate) use resampler::{Channels, ResamplerKind, ResamplerRequest, Restart};
pub(crate) use resampling::{Portion, Resampler, no_resampler, resampler};
pub(crate) use supervisor::{INTERVAL, given_up};
