//! How plugin libraries are found, tried and loaded.

pub(crate) mod directories;
pub(crate) mod hints;
pub(crate) mod library;
pub(crate) mod probation;
