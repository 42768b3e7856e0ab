//! The tests, by subject. Each runs in its own process.

pub mod bounds;
pub mod damage;
pub mod encode;
pub mod encoders;
pub mod entry;
pub mod handles;
pub mod index;
pub mod info;
pub mod items;
pub mod original;
pub mod output;
pub mod plan;
pub mod probe;
pub mod resample;
pub mod seek;
pub mod settings;
pub mod sizes;
pub mod streams;
