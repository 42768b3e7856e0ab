//! The SDK as a host sees it: through the tables of a toy plugin, linked in and loaded.

// Every unsafe block here calls a function of a table, or looks at what one gave, with what the test sets up around it.
#![allow(unsafe_code, clippy::undocumented_unsafe_blocks, clippy::multiple_unsafe_ops_per_block)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)] // a test may fail

mod abort;
mod decoding;
mod encoding;
mod entry;
mod input;
mod panics;
mod raw;
mod resampling;
mod sizes;
