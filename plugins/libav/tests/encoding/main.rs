//! The encoders' files, as other programs read them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, missing_docs)]

mod counts;
mod fidelity;
mod lossless;
mod oracle;
mod refusals;
mod sinks;
mod sound;
mod tags;
mod wish;
