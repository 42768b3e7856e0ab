//! What changes when a file is replaced or written to.

#![forbid(unsafe_code)]

/// What tells a file from all others and from itself with other contents. Times are in seconds and nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileState {
    /// The device and the number that the file has there.
    pub(crate) place: (u64, u64),
    pub(crate) len: u64,
    pub(crate) modified: (i64, i64),
    /// When anything of the file changed; only the system sets this time.
    pub(crate) changed: (i64, i64),
}
