//! The threads and the interruption of a read.

#![forbid(unsafe_code)]

/// How many threads a read may use, and how it is interrupted. Writing and resampling take it as well.
pub struct ReadControl<'a> {
    /// The maximum number of threads, including the caller's.
    pub max_threads: usize,
    /// Called on the caller's thread every few hundred microseconds; true ends the read with [`Error::Interrupted`].
    ///
    /// [`Error::Interrupted`]: crate::Error::Interrupted
    pub interrupted: &'a dyn Fn() -> bool,
}

impl ReadControl<'_> {
    /// One thread, never interrupted.
    pub const ONE_THREAD: ReadControl<'static> = ReadControl { max_threads: 1, interrupted: &|| false };
}
