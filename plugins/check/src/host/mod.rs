//! A host over the plugin interface, for tests: it calls the tables as any host may call them, and examines each call.
//!
//! [`Library`] loads a plugin or takes the entry function of one that is linked in; [`Plugin`] lists its tables. A decoder
//! reads from an [`Input`], bytes in memory or behind a callback; an encoder writes to a [`Sink`] in memory; a resampler is
//! given samples. Every call returns a [`Fault`] when it fails: [`Fault::Refused`] for an error that the plugin reported as it
//! may, [`Fault::Broken`] for a call that broke a rule of the interface, such as a byte written past the frames.
//!
//! ```
//! use mapwave_plugin_check::host::{EncodeOptions, Input, Layout, Library, OpenOptions, Side};
//!
//! let plugin = Library::linked(mapwave_qoa::entry).enter()?;
//! assert_eq!(plugin.describe()?.id, "qoa");
//!
//! // Half a second of a tone, in stereo.
//! let samples: Vec<i16> = (0..22_050).flat_map(|frame| [(frame % 100) * 200 - 10_000; 2]).collect();
//! let encoders = plugin.encoders()?;
//! let file = encoders[0].encode(&EncodeOptions::new(44_100, 2), &samples)?;
//!
//! let decoders = plugin.decoders()?;
//! let input = Input::memory(&file, Side::End)?;
//! let mut decoder = decoders[0].open(&input, &OpenOptions::default())?;
//! assert_eq!(decoder.info()?.num_frames, Some(22_050));
//! let decoded: Vec<i16> = decoder.rest(Layout::Interleaved, 4096)?;
//! assert_eq!(decoded.len(), samples.len());
//!
//! decoder.seek(22_000)?;
//! assert_eq!(decoder.read::<i16>(Layout::Planar, 1000)?, decoded[2 * 22_000..]);
//! # Ok::<(), mapwave_plugin_check::host::Fault>(())
//! ```
//!
//! Only these modules, `guard_pages`, `linked_entry` and `process_state` hold unsafe code. What a plugin promises cannot be
//! proved from this side: where a proof relies on a rule, a plugin that breaks it does what it likes to this process. The
//! check runs each test in a child process for that reason.

mod decoder;
mod encoder;
mod guarded_buffer;
mod index;
mod input;
mod items;
mod library;
mod option;
mod refusal;
mod resampler;
mod sample;
mod sized_box;
mod statements;
mod stream_entry;
mod stream_info;
mod struct_bytes;
mod text;

pub use decoder::{Decoder, DecoderTable, HostVersion, OpenOptions};
pub(crate) use decoder::{KeptNames, KeptTag};
pub use encoder::{EncodeOptions, Encoder, EncoderTable, Sink};
pub(crate) use guarded_buffer::GuardedBuffer;
pub use guarded_buffer::{Format, Layout};
pub use input::{Input, ReadPlan};
pub use items::{Chapter, Picture};
pub(crate) use items::{KeptChapter, KeptPicture};
pub use library::{Description, Library, Plugin};
pub use refusal::{ErrorSpace, Fault, Refusal};
pub use resampler::{Processed, ResampleOptions, Resampler, ResamplerTable};
pub use sample::Sample;
pub use stream_entry::StreamEntry;
pub use stream_info::{FIRST_INFO_BYTES, FULL_INFO_BYTES, SeekClass, StreamInfo};

pub use crate::guard_pages::Side;
pub use crate::verdict::{Finding, Outcome};
