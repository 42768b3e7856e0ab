//! Finds, tries and loads plugin libraries.

pub(crate) mod directories;
pub(crate) mod hints;
pub(crate) mod library;
pub(crate) mod pinned;
mod privilege;
pub(crate) mod probation;
