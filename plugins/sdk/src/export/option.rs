//! Options of a codec's own in the C interface.

use mapwave_plugin_abi as abi;

use super::answer::answer;
use super::text;
use crate::error::{Error, Result};
use crate::option::{CodecOption, OptionKind, Settings};
use crate::sized;

/// Fills the host's struct with an option; [`abi::MW_END`] past the last.
///
/// # Safety
/// By the contract of `option` in the tables.
pub(super) unsafe fn describe(
    options: &'static [CodecOption],
    index: u32,
    option: *mut abi::mw_option,
    error: *mut abi::mw_error,
) -> abi::mw_status {
    let result = match options.get(index as usize) {
        // SAFETY: by the contract of `option`.
        Some(found) => unsafe { sized::fill(option, &to_host(found)) }.map(|()| abi::MW_OK),
        None => Ok(abi::MW_END),
    };
    // SAFETY: by the contract of `option`.
    unsafe { answer(result, error) }
}

fn to_host(option: &CodecOption) -> abi::mw_option {
    let (kind, minimum, maximum, choices) = match option.kind {
        OptionKind::Flag => (abi::MW_OPTION_FLAG, 0.0, 0.0, None),
        OptionKind::Integer { minimum, maximum } => {
            (abi::MW_OPTION_INTEGER, minimum.into(), maximum.into(), None)
        }
        OptionKind::Number { minimum, maximum } => (abi::MW_OPTION_NUMBER, minimum, maximum, None),
        OptionKind::Text { choices } => (abi::MW_OPTION_TEXT, 0.0, 0.0, choices),
    };
    abi::mw_option {
        size: sized::code::<abi::mw_option>(),
        kind,
        name: option.name.as_ptr(),
        default_value: option.default_value.map_or(std::ptr::null(), std::ffi::CStr::as_ptr),
        choices: choices.map_or(std::ptr::null(), std::ffi::CStr::as_ptr),
        description: option.description.as_ptr(),
        minimum,
        maximum,
    }
}

/// Pairs of texts from the host, which `what` calls by their kind.
///
/// # Safety
/// `list` has `number` entries, whose strings stay as they are for `'a`.
pub(super) unsafe fn pairs<'a>(
    list: *const abi::mw_tag,
    number: u64,
    what: &str,
) -> Result<Vec<(&'a str, &'a str)>> {
    let Some(number) = usize::try_from(number).ok().filter(|number| *number > 0) else {
        return Ok(Vec::new());
    };
    if list.is_null() || !list.is_aligned() {
        return Err(Error::bad_argument(format!("the list of {what}s is null or not aligned")));
    }
    // SAFETY: the host lists as many there.
    let list = unsafe { std::slice::from_raw_parts(list, number) };
    let one = |(number, pair): (usize, &abi::mw_tag)| {
        // SAFETY: the caller promised it.
        let key = unsafe { text::choice(pair.key, "a key") }?;
        // SAFETY: the caller promised it.
        let value = unsafe { text::choice(pair.value, "a value") }?;
        let missing = || Error::bad_argument(format!("{what} {number} has no key or no value"));
        key.zip(value).ok_or_else(missing)
    };
    list.iter().enumerate().map(one).collect()
}

/// The values that the user has given to `options`.
///
/// # Safety
/// As for [`pairs`].
pub(super) unsafe fn settings<'a>(
    list: *const abi::mw_tag,
    number: u64,
    options: &[CodecOption],
) -> Result<Settings<'a>> {
    // SAFETY: the caller promised it.
    let settings = Settings::from(unsafe { pairs(list, number, "option") }?);
    settings.check(options)?;
    Ok(settings)
}
