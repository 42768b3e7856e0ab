//! The tests themselves, by what they look at. Each runs in a process of its own.

pub mod bounds;
pub mod damage;
pub mod encode;
pub mod entry;
pub mod handles;
pub mod info;
pub mod output;
pub mod plan;
pub mod probe;
pub mod resample;
pub mod seek;
pub mod sizes;
