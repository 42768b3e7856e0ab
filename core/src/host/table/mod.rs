//! A plugin's tables and raw handles, made safe to call: sizes, counts and statuses are checked here.

pub(crate) mod decoder;
pub(crate) mod encoder;
pub(crate) mod facts;
mod items;
pub(crate) mod option;
pub(crate) mod resampler;
pub(crate) mod standing;
pub(crate) mod stream_info;
