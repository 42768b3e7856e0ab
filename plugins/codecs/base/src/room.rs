//! The caller's memory, which may be uninitialised, filled piece by piece.
//!
//! Unsafe code is allowed in this file to call memory initialised that was written piece by piece.

use std::mem::MaybeUninit;

/// Memory of which the first part is written.
///
/// ```
/// use std::mem::MaybeUninit;
///
/// use mapwave_codec_base::Room;
///
/// let mut memory = [MaybeUninit::<i16>::uninit(); 8];
/// let mut room = Room::new(&mut memory);
/// for piece in [[1, 2], [3, 4]] {
///     room.write(|rest| Ok::<_, ()>(rest[..2].write_copy_of_slice(&piece)))?;
/// }
/// assert_eq!(room.finish(), [1, 2, 3, 4]);
/// # Ok::<(), ()>(())
/// ```
#[derive(Debug)]
pub struct Room<'o, S> {
    all: &'o mut [MaybeUninit<S>],
    /// All samples before this one are initialised; at most the length.
    num_written: usize,
}

impl<'o, S> Room<'o, S> {
    /// Memory of which nothing is written.
    pub fn new(all: &'o mut [MaybeUninit<S>]) -> Self {
        Self { all, num_written: 0 }
    }

    /// Has the rest written by a function, which returns what it has written: the beginning of it.
    ///
    /// # Errors
    /// Those of the function.
    ///
    /// # Panics
    /// When it returns something else.
    pub fn write<E>(
        &mut self,
        write: impl for<'r> FnOnce(&'r mut [MaybeUninit<S>]) -> Result<&'r mut [S], E>,
    ) -> Result<(), E> {
        let rest = self.all.get_mut(self.num_written..).unwrap_or_default();
        let (start, num_samples) = (rest.as_ptr().cast::<S>(), rest.len());
        let written = write(rest)?;
        assert!(
            written.is_empty() || written.as_ptr() == start && written.len() <= num_samples,
            "the beginning"
        );
        self.num_written += written.len();
        Ok(())
    }

    /// What is written.
    pub fn finish(self) -> &'o mut [S] {
        let (written, _) = self.all.split_at_mut(self.num_written);
        // SAFETY: `write` has counted only samples that it got back as a slice of `S` at this very place, which no safe code
        // makes but of samples that are initialised.
        unsafe { written.assume_init_mut() }
    }
}
