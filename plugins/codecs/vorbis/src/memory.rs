//! The memory that a setup header may take.

#![forbid(unsafe_code)]

use crate::error::DecodeError;

/// Counts bytes before they are allocated.
#[derive(Debug)]
pub(crate) struct Budget {
    needed: u64,
    allowed: u64,
}

impl Budget {
    pub(crate) fn new(allowed: u64) -> Self {
        Self { needed: 0, allowed }
    }

    /// Counts values.
    pub(crate) fn take<T>(&mut self, num_values: usize) -> Result<(), DecodeError> {
        let num_bytes = (num_values as u64).saturating_mul(size_of::<T>() as u64);
        self.needed = self.needed.saturating_add(num_bytes);
        if self.needed > self.allowed {
            return Err(DecodeError::Limit { needed: self.needed, allowed: self.allowed });
        }
        Ok(())
    }

    /// An empty list with room for that many values.
    pub(crate) fn vec_with_capacity<T>(&mut self, num_values: usize) -> Result<Vec<T>, DecodeError> {
        self.take::<T>(num_values)?;
        let mut values = Vec::new();
        values.try_reserve_exact(num_values).map_err(|_| DecodeError::Memory)?;
        Ok(values)
    }

    /// A list of that many times the same value.
    pub(crate) fn vec<T: Clone>(&mut self, num_values: usize, value: T) -> Result<Vec<T>, DecodeError> {
        let mut values = self.vec_with_capacity(num_values)?;
        values.resize(num_values, value);
        Ok(values)
    }
}
