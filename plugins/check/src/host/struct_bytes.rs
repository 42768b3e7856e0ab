//! The sizes that structs of the interface begin with.

/// The size of a struct of the interface, as it stands in its first field.
#[allow(clippy::cast_possible_truncation)] // a few hundred bytes
pub(super) const fn struct_bytes<T>() -> u32 {
    size_of::<T>() as u32
}
