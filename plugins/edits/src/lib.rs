#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod durations;
mod elst;
mod error;
mod play;

pub use durations::{Durations, sound_in_packets};
pub use elst::{Edit, Edits, edits};
pub use error::Error;
pub use play::{Clocks, Itunes, Media, Span, play};
