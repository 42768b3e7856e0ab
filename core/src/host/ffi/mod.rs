//! The plugin boundary: what crosses it in either direction, as C types and functions.

pub(crate) mod cancel;
pub(crate) mod fault;
pub(crate) mod input;
pub(crate) mod log;
pub(crate) mod output;
pub(crate) mod raw;
