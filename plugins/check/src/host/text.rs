//! Strings of the plugin's, and lists of names in them.

#![allow(unsafe_code)] // strings of a plugin

use std::ffi::{CStr, c_char};

use crate::verdict::{Finding, Outcome};

/// A string of the plugin's.
pub fn text(pointer: *const c_char, what: &str) -> Outcome<String> {
    if pointer.is_null() {
        return Err(Finding::broken("R3", format!("{what} is null")));
    }
    // SAFETY: a pointer to a string of the plugin's, which ends in a zero byte by R3 and is valid by R2.
    let text = unsafe { CStr::from_ptr(pointer) };
    let text =
        text.to_str().map_err(|error| Finding::broken("R3", format!("{what} is not UTF-8: {error}")))?;
    Ok(text.to_owned())
}

/// Whether a text is the name of a codec or a container.
pub fn is_name(text: &str) -> bool {
    let may =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-_.+".contains(letter);
    !text.is_empty() && text.chars().all(may)
}

/// A string of one line, for people to read.
pub fn line(pointer: *const c_char, what: &str) -> Outcome<String> {
    let text = text(pointer, what)?;
    match text.chars().find(|letter| letter.is_control()) {
        Some(letter) => Err(Finding::broken("R3", format!("{what} holds the control character {letter:?}"))),
        None => Ok(text),
    }
}

/// A string that a plugin may leave out, which is empty then.
pub fn optional_text(pointer: *const c_char, what: &str) -> Outcome<String> {
    if pointer.is_null() { Ok(String::new()) } else { text(pointer, what) }
}

/// A comma-separated list of at least one name, of characters that `may` accepts.
pub fn names(pointer: *const c_char, what: &str, may: fn(char) -> bool) -> Outcome<Vec<String>> {
    let list = text(pointer, what)?;
    let names: Vec<String> = list.split(',').map(str::to_owned).collect();
    if let Some(name) = names.iter().find(|name| name.is_empty() || !name.chars().all(may)) {
        return Err(Finding::broken("R3", format!("{what} holds \"{name}\" (all of it: \"{list}\")")));
    }
    Ok(names)
}
