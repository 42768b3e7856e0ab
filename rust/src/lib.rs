//! mapwave reads and writes audio files.
//!
//! WAV, AIFF and CAF are read straight from a memory map. MP3, AAC, ALAC, FLAC and Vorbis are decoded, and FLAC is encoded, by
//! codecs that are part of this crate. Every other format comes from a codec plugin that is installed on the machine.
//!
//! ```standalone_crate
//! use mapwave::FrameSpec;
//!
//! # fn main() -> mapwave::Result<()> {
//! # let directory = tempfile::tempdir().unwrap();
//! # let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/compressed");
//! # std::fs::copy(fixtures.join("mp3-lame.mp3"), directory.path().join("talk.mp3")).unwrap();
//! # std::env::set_current_dir(directory.path()).unwrap();
//! let reader = mapwave::open("talk.mp3")?;
//! let window = reader.window(0.1, Some(0.2))?; // seconds to frames
//! let frames = reader.read(window, &FrameSpec::default())?;
//! mapwave::save("window.flac", &frames, reader.sample_rate())?;
//! # let saved = mapwave::open("window.flac")?;
//! # assert_eq!(saved.num_frames(), frames.shape().num_frames() as u64);
//! # assert_eq!(saved.sample_rate(), reader.sample_rate());
//! # Ok(())
//! # }
//! ```
//!
//! - [`open`] a file, or use [`OpenOptions`] to name a plugin or a sound track, or to stream it.
//! - [`Reader::read`](mapwave_core::Reader::read) any window, [`Reader::blocks`] one block after the other,
//!   [`Reader::resampled`] at another sample rate.
//! - [`save`] frames, or use a [`Writer`] for audio that does not fit into memory.
//! - [`metadata`] reads tags, pictures and markers, and [`retag`] changes them without decoding.
//! - [`loudness()`] measures a file, [`silences`] finds where nothing is heard, [`plot()`]
//!   draws a waveform or a spectrogram as SVG or PNG.
//! - [`plugins`] lists the codec plugins and loads more.
//!
//! Frames are exact: the number of frames that a [`Reader`] reports is the number that it delivers, without the encoder's delay
//! and padding, and a window has the same bits as that part of the whole file, on any number of threads.

pub mod analysis;
mod builtin;
mod hints;
mod measure;
mod metadata;
mod open;
mod options;
pub mod plugins;
mod reader;
mod save;

pub use builtin::{set_up, set_up_with};
pub use hints::PluginSources;
pub use mapwave_analysis::{Input, Loudness, Plot, PlotKind, PlotOptions, Theme};
pub use mapwave_core::resample::FilterQuality;
pub use mapwave_core::sink::{Dither, Encoding, Overflow, PcmEncoding, Saved};
pub use mapwave_core::source::Access;
pub use mapwave_core::{
    Audio, ChannelMatrix, ChannelSelection, Error, FrameSpec, Frames, Layout, Limits, MonoMode, OutputFormat,
    ReadControl, ResampleQuality, Result, SampleFormat, Shape, SoundTrack, Track, View,
};
pub use measure::{loudness, plot, silences};
pub use metadata::{
    Bext, Edit, Loop, LoopKind, Marker, Metadata, OnUnknown, Picture, Retagged, metadata, retag,
};
pub use open::{OpenOptions, open};
pub use options::SaveOptions;
pub use reader::{Blocks, Reader};
pub use save::{Writer, save, save_with};
