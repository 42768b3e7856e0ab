//! Many files on several threads: `batch_load`, `iter_load`, and the batches of a `Loader`.

mod batches;
mod each;
mod failure;
mod file;
mod list;
mod memory;
mod progress;
mod stack;

pub(crate) use batches::Batches;
pub(crate) use each::{Loading, Order};
pub(crate) use failure::OnError;
pub(crate) use file::{Batch, interruptible};
pub(crate) use list::load;
pub(crate) use stack::load_stacked;
