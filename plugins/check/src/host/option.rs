//! Options of a codec's own, as its table describes them.

#![allow(unsafe_code)] // a struct that a callee fills

use std::ptr::null;

use mapwave_plugin_abi::{
    MW_OPTION_FLAG, MW_OPTION_INTEGER, MW_OPTION_NUMBER, MW_OPTION_TEXT, mw_error, mw_option, mw_status,
};

use super::refusal::{ErrorBox, ErrorSpace, Fault, judge};
use super::sized_box::SizedBox;
use super::struct_bytes::struct_bytes;
use super::text::line;
use crate::verdict::{Finding, Outcome};

/// The maximum number of options of a table, which a host stops at.
const MAX_OPTIONS: u32 = 256;

/// The longest name.
const MAX_NAME_BYTES: usize = 64;

/// The function of a table that describes its options.
pub(super) type Describe = Option<unsafe extern "C" fn(u32, *mut mw_option, *mut mw_error) -> mw_status>;

/// An option, and the values that are legal.
#[derive(Debug, PartialEq)]
struct CodecOption {
    name: String,
    kind: u32,
    default_value: Option<String>,
    choices: Vec<String>,
    limits: (f64, f64),
}

/// Rejects options that a host cannot show or check.
pub(super) fn check_options(describe: Describe) -> Outcome {
    let mut options: Vec<CodecOption> = Vec::new();
    let Some(describe) = describe else { return Ok(()) };
    for index in 0..MAX_OPTIONS {
        let Some(option) = ask(describe, index)? else { break };
        if ask(describe, index)?.as_ref() != Some(&option) {
            return Err(Finding::broken("option", format!("option {index} is another one the second time")));
        }
        check(&option)?;
        if options.iter().any(|other| other.name == option.name) {
            return Err(Finding::broken("option", format!("two options are named \"{}\"", option.name)));
        }
        options.push(option);
    }
    for beyond in [MAX_OPTIONS, u32::MAX] {
        if ask(describe, beyond)?.is_some() {
            return Err(Finding::broken("option", format!("there is an option at index {beyond}")));
        }
    }
    Ok(())
}

fn ask(
    describe: unsafe extern "C" fn(u32, *mut mw_option, *mut mw_error) -> mw_status,
    index: u32,
) -> Result<Option<CodecOption>, Fault> {
    let fields = mw_option {
        size: struct_bytes::<mw_option>(),
        kind: 0,
        name: null(),
        default_value: null(),
        choices: null(),
        description: null(),
        minimum: 0.0,
        maximum: 0.0,
    };
    let mut option = SizedBox::new(fields);
    let mut error = ErrorBox::new(ErrorSpace::FULL);
    // SAFETY: both structs are as large as they say, and live through the call; any index is legal.
    let status = unsafe { describe(index, option.pointer(), error.pointer()) };
    let is_end = judge("option", status, &error, true)?;
    let fields = option.fields("option", "mw_option")?;
    if is_end {
        return Ok(None);
    }
    let optional = |pointer: *const std::ffi::c_char, what: &str| match pointer.is_null() {
        true => Ok(None),
        false => line(pointer, what).map(Some),
    };
    optional(fields.description, "the description of an option")?;
    let choices = optional(fields.choices, "the choices of an option")?.unwrap_or_default();
    Ok(Some(CodecOption {
        name: line(fields.name, "the name of an option")?,
        kind: fields.kind,
        default_value: optional(fields.default_value, "the default value of an option")?,
        choices: choices.split(',').filter(|_| !choices.is_empty()).map(str::to_owned).collect(),
        limits: (fields.minimum, fields.maximum),
    }))
}

fn check(option: &CodecOption) -> Outcome {
    let CodecOption { name, kind, default_value, choices, limits: (minimum, maximum) } = option;
    let may = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    if !(1..=MAX_NAME_BYTES).contains(&name.len()) || !name.chars().all(may) {
        return Err(Finding::broken(
            "option",
            format!("the name of an option is {name:?}, expected a-z, 0-9 and _"),
        ));
    }
    if !(MW_OPTION_FLAG..=MW_OPTION_TEXT).contains(kind) {
        return Err(Finding::broken(
            "option",
            format!("the kind of option {name} is {kind}, expected MW_OPTION_*"),
        ));
    }
    if !minimum.is_finite() || !maximum.is_finite() || minimum > maximum {
        let reason = format!("option {name} is {minimum} at least and {maximum} at most");
        return Err(Finding::broken("option", reason));
    }
    if let Some(value) = choices.iter().chain(default_value).find(|value| !is_legal(option, value)) {
        let reason =
            format!("\"{value}\", the default or a choice of option {name}, is not one of its legal values");
        return Err(Finding::broken("option", reason));
    }
    Ok(())
}

fn is_legal(option: &CodecOption, value: &str) -> bool {
    let (minimum, maximum) = option.limits;
    let is_within = |number: f64| minimum == maximum || (minimum..=maximum).contains(&number);
    let is_listed = option.choices.is_empty() || option.choices.iter().any(|choice| choice == value);
    is_listed
        && match option.kind {
            MW_OPTION_FLAG => matches!(value, "0" | "1"),
            MW_OPTION_INTEGER => value.parse::<i64>().is_ok_and(|number| is_within(number as f64)),
            MW_OPTION_NUMBER => {
                value.parse::<f64>().is_ok_and(|number| number.is_finite() && is_within(number))
            }
            _ => !value.is_empty(),
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn option(kind: u32, default_value: &str, choices: &[&str], limits: (f64, f64)) -> CodecOption {
        CodecOption {
            name: "steps".to_owned(),
            kind,
            default_value: Some(default_value.to_owned()),
            choices: choices.iter().map(|&choice| choice.to_owned()).collect(),
            limits,
        }
    }

    #[test]
    fn a_default_is_a_legal_value() {
        for good in [
            option(MW_OPTION_FLAG, "1", &[], (0.0, 0.0)),
            option(MW_OPTION_INTEGER, "-7", &[], (0.0, 0.0)),
            option(MW_OPTION_INTEGER, "8", &[], (1.0, 8.0)),
            option(MW_OPTION_NUMBER, "1e-3", &[], (0.0, 1.0)),
            option(MW_OPTION_TEXT, "fast", &["fast", "good"], (0.0, 0.0)),
        ] {
            assert!(check(&good).is_ok(), "{good:?}");
        }
        for bad in [
            option(MW_OPTION_FLAG, "true", &[], (0.0, 0.0)),
            option(MW_OPTION_INTEGER, "9", &[], (1.0, 8.0)),
            option(MW_OPTION_INTEGER, "1.5", &[], (0.0, 0.0)),
            option(MW_OPTION_NUMBER, "inf", &[], (0.0, 0.0)),
            option(MW_OPTION_NUMBER, "0.5", &[], (1.0, f64::NAN)),
            option(MW_OPTION_TEXT, "best", &["fast", "good"], (0.0, 0.0)),
            option(MW_OPTION_INTEGER, "1", &["1", "two"], (0.0, 0.0)),
            option(0, "1", &[], (0.0, 0.0)),
            CodecOption { name: "Steps".to_owned(), ..option(MW_OPTION_FLAG, "1", &[], (0.0, 0.0)) },
        ] {
            assert!(check(&bad).is_err(), "{bad:?}");
        }
    }
}
