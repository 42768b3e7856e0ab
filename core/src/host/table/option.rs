//! Options of a codec's own: what a plugin states about them, and the values that users give.

#![allow(unsafe_code)] // what a plugin's table points to

use mapwave_plugin_abi as abi;

use crate::error::{Error, Parameter, Result as ArgumentResult};
use crate::host::ffi::fault::{Answer, Failure};
use crate::host::ffi::raw::{self, Sized32};

/// The maximum number of options of a table.
const MAX_OPTIONS: u32 = 256;

/// An option of a decoder's or encoder's own.
#[derive(Clone, Debug, PartialEq)]
pub struct CodecOption {
    /// The name.
    pub name: String,
    /// What its values are.
    pub kind: OptionKind,
    /// The value that it has if it is not given.
    pub default_value: Option<String>,
    /// The legal values; empty if the plugin lists none.
    pub choices: Vec<String>,
    /// The least and the greatest legal number, if there are limits.
    pub limits: Option<(f64, f64)>,
    /// What it does; may be empty.
    pub description: String,
}

/// The values of an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionKind {
    /// "0" or "1".
    Flag,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// A text.
    Text,
}

impl OptionKind {
    /// The word for it in a list.
    pub fn name(self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Text => "text",
        }
    }
}

/// The function of a table that describes its options.
pub(super) type Describe =
    Option<unsafe extern "C" fn(u32, *mut abi::mw_option, *mut abi::mw_error) -> abi::mw_status>;

/// The options that a table describes.
///
/// # Safety
/// `describe` is the function of a plugin's table.
pub(super) unsafe fn options(describe: Describe) -> Result<Vec<CodecOption>, Failure> {
    let mut options: Vec<CodecOption> = Vec::new();
    let Some(describe) = describe else { return Ok(options) };
    for index in 0..MAX_OPTIONS {
        let (mut answer, mut option) = (Answer::new(), abi::mw_option::zeroed());
        // SAFETY: both structs are sized and live through the call.
        match unsafe { describe(index, &raw mut option, answer.as_mut_ptr()) } {
            abi::MW_OK => {}
            abi::MW_END => return Ok(options),
            status => return Err(answer.into_failure(status)),
        }
        // SAFETY: the plugin has filled `option`; its strings are valid until the process exits.
        let option = unsafe { CodecOption::new(&option) };
        match option.filter(|option| options.iter().all(|other| other.name != option.name)) {
            Some(option) => options.push(option),
            None => {
                let what = format!(
                    "its option number {index} has no name of lower-case letters, digits and '_' \
                                    of its own, or an unknown kind"
                );
                return Err(Failure::broken(what));
            }
        }
    }
    Err(Failure::broken(format!("it has more than {MAX_OPTIONS} options")))
}

impl CodecOption {
    /// # Safety
    /// The strings of `option` are null or valid.
    unsafe fn new(option: &abi::mw_option) -> Option<Self> {
        // SAFETY: the caller's promise.
        let text = |text| unsafe { raw::text(text) };
        let name = text(option.name).filter(|name| {
            let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
            (1..=64).contains(&name.len()) && name.bytes().all(is_plain)
        })?;
        let (minimum, maximum) = (option.minimum, option.maximum);
        Some(Self {
            name,
            kind: match option.kind {
                abi::MW_OPTION_FLAG => OptionKind::Flag,
                abi::MW_OPTION_INTEGER => OptionKind::Integer,
                abi::MW_OPTION_NUMBER => OptionKind::Number,
                abi::MW_OPTION_TEXT => OptionKind::Text,
                _ => return None,
            },
            default_value: text(option.default_value),
            choices: raw::split(text(option.choices)),
            limits: (minimum < maximum).then_some((minimum, maximum)),
            description: text(option.description).unwrap_or_default(),
        })
    }

    /// Whether a value is legal; if not, what is.
    fn check(&self, value: &str) -> Result<(), String> {
        let is_within =
            |number: f64| self.limits.is_none_or(|(least, most)| (least..=most).contains(&number));
        let is_listed = self.choices.is_empty() || self.choices.iter().any(|choice| choice == value);
        let is_legal = is_listed
            && match self.kind {
                OptionKind::Flag => matches!(value, "0" | "1"),
                OptionKind::Integer => value.parse::<i64>().is_ok_and(|number| is_within(number as f64)),
                OptionKind::Number => {
                    value.parse::<f64>().is_ok_and(|number| number.is_finite() && is_within(number))
                }
                OptionKind::Text => !value.contains('\0'),
            };
        if is_legal { Ok(()) } else { Err(self.values()) }
    }

    /// The legal values, for the user.
    pub fn values(&self) -> String {
        match (self.choices.as_slice(), self.limits, self.kind) {
            ([_, ..], ..) => format!("one of {}", self.choices.join(", ")),
            (_, Some((least, most)), OptionKind::Integer) => format!("a whole number from {least} to {most}"),
            (_, Some((least, most)), _) => format!("a number from {least} to {most}"),
            (_, None, OptionKind::Flag) => "True or False".to_owned(),
            (_, None, OptionKind::Integer) => "a whole number".to_owned(),
            (_, None, OptionKind::Number) => "a number".to_owned(),
            (_, None, OptionKind::Text) => "a text".to_owned(),
        }
    }
}

/// Checks the values that a user has given to the options of `owner`.
///
/// # Errors
/// [`Error::Argument`] if there is no such option, or if its value is not legal.
pub(crate) fn check(options: &[CodecOption], given: &[(String, String)], owner: &str) -> ArgumentResult<()> {
    for (number, (name, value)) in given.iter().enumerate() {
        if given.iter().take(number).any(|(other, _)| other == name) {
            return Err(Error::argument(Parameter::PluginOptions, "each option once", name));
        }
        let Some(option) = options.iter().find(|option| option.name == *name) else {
            let names: Vec<&str> = options.iter().map(|option| option.name.as_str()).collect();
            let expected = match names.as_slice() {
                [] => format!("left out: {owner} has no options of its own"),
                names => format!("options of {owner}: {}", names.join(", ")),
            };
            return Err(Error::argument(Parameter::PluginOptions, expected, format!("'{name}'")));
        };
        option.check(value).map_err(|expected| {
            let expected = format!("{expected} for '{name}'");
            Error::argument(Parameter::PluginOptions, expected, format!("'{value}'"))
        })?;
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn option(name: &str, kind: OptionKind, choices: &[&str], limits: Option<(f64, f64)>) -> CodecOption {
        CodecOption {
            name: name.to_owned(),
            kind,
            default_value: None,
            choices: choices.iter().map(|&choice| choice.to_owned()).collect(),
            limits,
            description: String::new(),
        }
    }

    fn refusal(given: &[(&str, &str)]) -> Option<String> {
        let options = [
            option("fast", OptionKind::Flag, &[], None),
            option("steps", OptionKind::Integer, &[], Some((1.0, 64.0))),
            option("gain", OptionKind::Number, &[], None),
            option("mode", OptionKind::Text, &["a", "b"], None),
        ];
        let given: Vec<_> = given.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        check(&options, &given, "plugin 'x'").err().map(|error| error.to_string())
    }

    #[test]
    fn legal_values_pass() {
        assert_eq!(refusal(&[]), None);
        assert_eq!(refusal(&[("fast", "1"), ("steps", "64"), ("gain", "-1e3"), ("mode", "b")]), None);
    }

    #[test]
    fn what_is_not_legal_is_named() {
        for (given, words) in [
            (("fast", "true"), "True or False for 'fast', got 'true'"),
            (("steps", "65"), "a whole number from 1 to 64 for 'steps', got '65'"),
            (("steps", "1.5"), "a whole number from 1 to 64"),
            (("gain", "nan"), "a number for 'gain'"),
            (("mode", "c"), "one of a, b for 'mode', got 'c'"),
            (("other", "1"), "options of plugin 'x': fast, steps, gain, mode, got 'other'"),
        ] {
            let refusal = refusal(&[given]).unwrap();
            assert!(refusal.starts_with("plugin_options must be ") && refusal.contains(words), "{refusal}");
        }
        assert!(refusal(&[("fast", "1"), ("fast", "0")]).unwrap().contains("each option once"));
        assert!(check(&[], &[("a".to_owned(), "1".to_owned())], "plugin 'y'").is_err());
    }
}
