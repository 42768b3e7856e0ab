//! The measurements with a [`ReadControl`](crate::ReadControl): the number of threads, and a way to interrupt them.
//!
//! The functions of the crate itself, such as [`mapwave::loudness`](crate::loudness()), use all processors.

#![forbid(unsafe_code)]

pub use mapwave_analysis::{Input, Loudness, Plot, PlotKind, PlotOptions, Theme, loudness, plot, silences};
