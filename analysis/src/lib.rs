//! Measures audio and draws it: [`loudness()`], [`silences`] and [`plot()`] of a file or of an array.
//!
//! A file is read in parts on several threads, in bounded memory. The result does not depend on their number.

#![forbid(unsafe_code)]

mod input;
mod loudness;
mod picture;
mod plot;
mod silence;
mod spectrum;
mod threads;
mod waves;

pub use input::Input;
pub use loudness::{Loudness, loudness};
pub use picture::{Plot, Theme};
pub use plot::{PlotKind, PlotOptions, plot};
pub use silence::silences;
