//! How metadata is read.

/// How metadata is read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// The rate whose frames times are converted to; `None` for the one that the file states.
    pub sample_rate: Option<u32>,
    /// Whether pictures are returned with their data.
    pub with_data: bool,
}
