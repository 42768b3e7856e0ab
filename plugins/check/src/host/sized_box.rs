//! A struct that a plugin fills, and what lies behind it.

#![allow(unsafe_code)] // the first field of a struct

use super::refusal::{CANARY, Fault};
use super::struct_bytes::struct_bytes;

/// The bytes behind a struct that are watched.
const NUM_CANARIES: usize = 64;

/// A struct that a plugin fills, before canaries.
#[repr(C)]
pub(super) struct SizedBox<T> {
    fields: T,
    rest: [u8; NUM_CANARIES],
}

impl<T> SizedBox<T> {
    /// A struct of the interface, which begins with its size.
    pub(super) fn new(fields: T) -> Self {
        Self { fields, rest: [CANARY; NUM_CANARIES] }
    }

    /// The pointer to pass to `function`.
    pub(super) fn pointer(&mut self) -> *mut T {
        std::ptr::from_mut(self).cast()
    }

    /// What `function` has filled in, if it kept to the size of the struct.
    pub(super) fn fields(&self, function: &str, name: &str) -> Result<&T, Fault> {
        if self.rest.iter().any(|byte| *byte != CANARY) {
            let reason = format!("{function} wrote past the end of the {name} it was given");
            return Err(Fault::broken("R1", reason));
        }
        // SAFETY: a struct of the interface begins with its size, a u32.
        let size = unsafe { std::ptr::from_ref(&self.fields).cast::<u32>().read() };
        if size != struct_bytes::<T>() {
            let reason = format!("{function} changed the size of the {name} it was given");
            return Err(Fault::broken("R1", reason));
        }
        Ok(&self.fields)
    }
}
