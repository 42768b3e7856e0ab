//! Shared by the tests of the whole system, which are in `tests/`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]

pub mod allocation;
pub mod corpus;
pub mod decoded;
pub mod fixture;
pub mod misbehaving;
pub mod random;
pub mod refusal;
pub mod rust;
pub mod wave;
