//! Options of a decoder's or encoder's own, and tags.

use core::ffi::c_char;

/// An option is "0" or "1"; since version 1.2.
pub const MW_OPTION_FLAG: u32 = 1;
/// An option is a whole number in decimal digits; since version 1.2.
pub const MW_OPTION_INTEGER: u32 = 2;
/// An option is a number such as "0.5" or "1e-3"; since version 1.2.
pub const MW_OPTION_NUMBER: u32 = 3;
/// An option is a text; since version 1.2.
pub const MW_OPTION_TEXT: u32 = 4;

/// An option of a decoder's or encoder's own. Its strings are valid until the process exits; since version 1.2.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mw_option {
    /// The size of this struct.
    pub size: u32,
    /// `MW_OPTION_*`.
    pub kind: u32,
    /// The name, unique in the table: lower-case letters, digits and '_'.
    pub name: *const c_char,
    /// The value that the option has if it is not given, as text; null if there is none.
    pub default_value: *const c_char,
    /// The legal values of a text, separated by commas; null if any is legal.
    pub choices: *const c_char,
    /// What it does, in a few words; null if there is nothing to say.
    pub description: *const c_char,
    /// The least legal number; without limits, both are 0.
    pub minimum: f64,
    /// The greatest legal number.
    pub maximum: f64,
}

/// A tag, or an option and its value.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mw_tag {
    /// A lower-case Vorbis comment name, such as "title", or the name of an option.
    pub key: *const c_char,
    /// Its value.
    pub value: *const c_char,
}
