//! The metadata of audio files: tags, pictures, markers, loops and the broadcast extension.
//!
//! [`read`] finds them in a file of any format that this crate knows, and [`plan`] makes the [`Plan`] of a change: new bytes, and the
//! ranges of the old file that stay. No function decodes audio, and none allocates more than a file holds.
//!
//! ```
//! use mapwave_metadata::{Edit, Options, plan, read};
//!
//! # fn main() -> Result<(), mapwave_metadata::Error> {
//! let file: &[u8] = b"RIFF\x2c\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\x08\0\0\0\0\0\0\0\0\0\0\0";
//! let edit = Edit { tags: Some(vec![("title".into(), "Four frames".into())]), ..Edit::default() };
//! let changed = plan(&file, &edit, None)?.apply(&file)?;
//! assert_eq!(read(&&*changed, &Options::default())?.tags, edit.tags.unwrap());
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

mod aiff;
mod atoms;
mod base64;
mod bext;
mod bytes;
mod caf;
mod chunks;
mod comments;
mod cue;
mod edit;
mod error;
mod flac;
mod format;
mod id3;
mod id3_frames;
mod id3_names;
mod image;
mod input;
mod matroska;
mod model;
mod mp4;
mod mp4_items;
mod mp4_plan;
mod mpeg;
mod ogg;
mod ogg_page;
mod options;
mod plan;
mod read;
mod text_names;
mod time;
mod w64;
mod wave;

pub use comments::is_tag;
pub use edit::{Edit, OnUnknown};
pub use error::{Error, Result};
pub use format::Format;
pub use input::ReadAt;
pub use model::{Bext, Loop, LoopKind, Marker, Metadata, Picture};
pub use options::Options;
pub use plan::{Piece, Plan};
pub use read::{check, chunks, plan, read};
pub use text_names::{CAF as CAF_NAMES, IFF as IFF_NAMES, INFO as INFO_NAMES};
