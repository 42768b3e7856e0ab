//! Write codec plugins for mapwave in safe Rust.
//!
//! A decoder is a type with the trait [`Decoder`], an encoder one with [`Encoder`], a resampler one with [`Resampler`].
//! A plugin is a `cdylib` crate that names its types in [`export_plugin!`], which makes the tables of the C ABI and
//! catches every panic at the plugin boundary. None of it needs `unsafe`.
//!
//! # A whole plugin
//!
//! It reads a format of 16-bit samples after a header of 8 bytes: `RAW1`, the rate as 24 bits, the number of channels,
//! all little-endian. In `Cargo.toml` stand `crate-type = ["cdylib"]` and `panic = "unwind"`; the library goes into a
//! directory of `MAPWAVE_PLUGIN_PATH`.
//!
//! ```standalone_crate
//! # fn main() -> Result<(), mapwave_plugin::Error> {
//! use std::ffi::CStr;
//!
//! use mapwave_plugin::{
//!     Decoder, DecoderOptions, Error, Head, Input, Output, Result, SampleFormat, SeekClass, StreamInfo,
//! };
//!
//! struct RawDecoder {
//!     input: Input,
//!     info: StreamInfo,
//!     position: u64, // in frames
//! }
//!
//! impl Decoder for RawDecoder {
//!     const NAME: &'static CStr = c"raw1";
//!     const CODECS: &'static CStr = c"pcm_s16le";
//!     const EXTENSIONS: &'static CStr = c"raw1";
//!     const PROBE_BYTES: u32 = 4;
//!
//!     fn probe(head: &Head<'_>) -> u8 {
//!         if head.bytes.starts_with(b"RAW1") { 95 } else { 0 }
//!     }
//!
//!     fn open(input: Input, _options: &DecoderOptions<'_>) -> Result<Self> {
//!         let mut header = [0; 8];
//!         input.read_at(0, &mut header)?;
//!         let [b'R', b'A', b'W', b'1', r0, r1, r2, num_channels @ 1..=u8::MAX] = header else {
//!             return Err(Error::unsupported("no RAW1 with channels"));
//!         };
//!         let sample_rate = u32::from_le_bytes([r0, r1, r2, 0]);
//!         if sample_rate == 0 {
//!             return Err(Error::bad_data(4, "the rate is 0, expected at least 1"));
//!         }
//!         // What the file holds is believed, not what a header could promise.
//!         let num_frames = (input.num_bytes() - 8) / (2 * u64::from(num_channels));
//!         let info = StreamInfo {
//!             sample_rate,
//!             num_channels: num_channels.into(),
//!             channel_mask: 0,
//!             num_frames: Some(num_frames),
//!             bits_per_sample: 16,
//!             native_format: SampleFormat::I16,
//!             formats: &[SampleFormat::I16, SampleFormat::F32],
//!             seek_class: SeekClass::Exact,
//!             is_lossless: true,
//!             is_truncated: false,
//!             priming_frames: 0,
//!             padding_frames: 0,
//!             seek_cost_frames: 0,
//!             codec: c"pcm_s16le",
//!             container: c"raw1",
//!         };
//!         Ok(Self { input, info, position: 0 })
//!     }
//!
//!     fn info(&self) -> &StreamInfo {
//!         &self.info
//!     }
//!
//!     fn seek(&mut self, frame: u64) -> Result<()> {
//!         self.position = frame;
//!         Ok(())
//!     }
//!
//!     fn decode(&mut self, output: &mut Output<'_>) -> Result<()> {
//!         let frame_bytes = 2 * self.info.num_channels as usize;
//!         let mut bytes = vec![0; frame_bytes * output.room().min(4096)];
//!         let offset = 8 + self.position * frame_bytes as u64;
//!         let num_read = self.input.read_at(offset, &mut bytes)?;
//!         let (samples, _) = bytes[..num_read].as_chunks::<2>();
//!         let num_written = match output.format() {
//!             SampleFormat::F32 => {
//!                 output.write_interleaved(samples, |sample| f32::from(i16::from_le_bytes(sample)) / 32768.0)
//!             }
//!             _ => output.write_interleaved(samples, i16::from_le_bytes),
//!         };
//!         self.position += num_written as u64;
//!         Ok(())
//!     }
//!
//!     fn fork(&self) -> Result<Self> {
//!         Ok(Self { input: self.input.clone(), info: self.info.clone(), position: 0 })
//!     }
//! }
//!
//! mapwave_plugin::export_plugin! {
//!     id: "raw1",
//!     vendor: "you",
//!     license: "MIT",
//!     decoders: [RawDecoder],
//! }
//!
//! // How a test of it goes:
//! let file = b"RAW1\x40\x1f\0\x02\x01\0\x02\0\x03\0\x04\0".to_vec();
//! let mut decoder = RawDecoder::open(Input::from(file), &DecoderOptions::default())?;
//! assert_eq!((decoder.info().sample_rate, decoder.info().num_frames), (8000, Some(2)));
//!
//! let mut samples = [0i16; 8];
//! let num_frames = Output::with_slice(&mut samples, 2, |output| {
//!     decoder.decode(output).map(|()| output.num_written())
//! })?;
//! assert_eq!((num_frames, samples), (2, [1, 2, 3, 4, 0, 0, 0, 0]));
//! # Ok(())
//! # }
//! ```

mod block;
mod decoder;
pub mod depth;
mod encoder;
mod encoders;
mod error;
#[doc(hidden)]
pub mod export;
mod guard;
mod host;
mod input;
mod items;
mod option;
mod output;
mod resampler;
mod sample;
mod sized;
mod streams;
mod track;

pub use block::Block;
pub use decoder::{Decoder, DecoderOptions, Head, SeekClass, StreamInfo};
pub use encoder::{Encoder, EncoderOptions, Sink};
pub use error::{Error, Result, Status};
pub use host::{Level, is_cancelled, log};
pub use input::{Input, Memory, Sweep};
pub use items::{Chapter, Picture};
pub use mapwave_fork as fork;
pub use mapwave_plugin_abi as abi;
pub use option::{CodecOption, OptionKind, Settings};
pub use output::Output;
pub use resampler::{Resampler, ResamplerOptions, Restart};
pub use sample::{Layout, Sample, SampleFormat};
pub use streams::StreamEntry;
pub use track::Track;
