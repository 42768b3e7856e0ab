//! What the encoders write, as others read it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, missing_docs)]

mod counts;
mod host;
mod oracle;
mod snr_explore;
mod sound;
