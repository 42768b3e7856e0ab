//! The versions of the interface, and what it gives every call.

/// The major version of this ABI, which is in the name of the entry function.
pub const MW_ABI_MAJOR: u32 = 1;
/// The minor version of this ABI, which grows when a field or a function is appended.
pub const MW_ABI_MINOR: u32 = 2;

/// The bytes of stack that a host gives every call at least: a plugin may use as much.
pub const MW_MIN_STACK_BYTES: u32 = 8 << 20;
