//! What mapwave's codec crates share.
//!
//! - [`BatchDecoder`] is a decoder of batches of packets, each a [`Part`].
//! - [`BitReader`] reads bits, the most significant first, in inner loops.
//! - [`DecodedSample`] is what decoders return: `i16`, `i32` or `f32`.
//! - [`write_interleaved`], [`write_pairs`] and [`write_plane`] write planes of integers as such samples to memory that may be
//!   uninitialised, [`interleave`] samples of any type; [`Room`] is such memory, filled piece by piece.
//!
//! Functions of inner loops are always inlined, so that they are compiled for the instructions of their callers.

#![deny(unsafe_code)]

mod batch;
mod bits;
#[allow(unsafe_code, reason = "memory that is initialised as it is written")]
mod planes;
#[allow(unsafe_code, reason = "memory that is initialised as it is written")]
mod room;
mod sample;

pub use batch::{BatchDecoder, BatchError, Part};
pub use bits::{BitReader, load};
pub use planes::{interleave, write_interleaved, write_pairs, write_plane};
pub use room::Room;
pub use sample::DecodedSample;
