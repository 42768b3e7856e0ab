//! The arguments of the public functions, each described once.
//!
//! A function's text signature is the one list of its arguments and their defaults: it is what `help` shows, and what
//! [`Signature`] binds a call by. PyO3's own signatures show only the defaults that are literals of the Rust type, and
//! cannot suggest a name. [`Reading`] and [`Writing`] hold what the functions that read and those that write share.

mod channels;
pub(crate) mod defaults;
mod encoding;
pub(crate) mod limits;
mod metadata;
mod names;
mod numbers;
mod plugin_options;
mod reading;
mod signature;
mod spelling;
mod storage;
mod value;
mod words;
mod writing;

pub(crate) use channels::NumChannels;
pub(crate) use metadata::{Broadcast, Markers, Pictures, Tags, Unknown};
pub(crate) use numbers::{ArrayRate, Count, Threads, Whole};
pub(crate) use reading::{Reading, Selection, Window, Windows};
pub(crate) use signature::{Arguments, Signature};
pub(crate) use value::{Argument, Mismatch, wrong_type};
pub(crate) use words::{AnyLayout, Dtype, Mode, ResampleMethod};
pub(crate) use writing::{ONLY_WRITING, Settlement, Writing};
