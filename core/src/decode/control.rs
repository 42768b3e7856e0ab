//! How a read may use the machine.

#![forbid(unsafe_code)]

/// How a read may use the machine and when it stops.
pub struct ReadControl<'a> {
    /// The most threads to use, the caller's included.
    pub max_threads: usize,
    /// Asked on the caller's thread every few hundred microseconds; true ends the read with [`Error::Interrupted`].
    ///
    /// [`Error::Interrupted`]: crate::Error::Interrupted
    pub interrupted: &'a dyn Fn() -> bool,
}

impl ReadControl<'_> {
    /// One thread, never interrupted.
    pub const ONE_THREAD: ReadControl<'static> = ReadControl { max_threads: 1, interrupted: &|| false };
}
