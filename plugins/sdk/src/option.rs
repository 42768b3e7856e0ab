//! Options of a codec's own, and the values that users give.

use std::ffi::CStr;

use crate::error::{Error, Result};

/// An option of a decoder's or encoder's own, which users set by `plugin_options={"name": value}`.
///
/// ```
/// use mapwave_plugin::{CodecOption, OptionKind};
///
/// const STEPS: CodecOption = CodecOption {
///     name: c"steps",
///     kind: OptionKind::Integer { minimum: 1, maximum: 64 },
///     default_value: Some(c"8"),
///     description: c"how often the network refines a frame",
/// };
/// assert!(STEPS.check("16").is_ok());
/// assert_eq!(STEPS.check("65").unwrap_err().message(), "option 'steps' must be from 1 to 64, got '65'");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct CodecOption {
    /// The name: lower-case letters, digits and '_'.
    pub name: &'static CStr,
    /// What its values are.
    pub kind: OptionKind,
    /// The value that it has if it is not given, as text.
    pub default_value: Option<&'static CStr>,
    /// What it does, in a few words.
    pub description: &'static CStr,
}

/// The values of an option.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OptionKind {
    /// "0" or "1".
    Flag,
    /// Whole numbers; without limits, both are 0.
    Integer {
        /// The least.
        minimum: i32,
        /// The greatest.
        maximum: i32,
    },
    /// Finite numbers; without limits, both are 0.
    Number {
        /// The least.
        minimum: f64,
        /// The greatest.
        maximum: f64,
    },
    /// Texts.
    Text {
        /// The legal ones, separated by commas; `None` for any.
        choices: Option<&'static CStr>,
    },
}

impl CodecOption {
    /// Checks a value.
    ///
    /// # Errors
    /// [`Status::BadArgument`](crate::Status::BadArgument) if it is not legal.
    pub fn check(&self, value: &str) -> Result<()> {
        let is_within = |number: f64, minimum: f64, maximum: f64| {
            number.is_finite() && (minimum == maximum || (minimum..=maximum).contains(&number))
        };
        let (is_legal, expected) = match self.kind {
            OptionKind::Flag => (matches!(value, "0" | "1"), "0 or 1".to_owned()),
            OptionKind::Integer { minimum, maximum } => {
                let number = value.parse::<i64>().ok();
                let is_legal =
                    number.is_some_and(|number| is_within(number as f64, minimum.into(), maximum.into()));
                let any = "a whole number".to_owned();
                (is_legal, if minimum == maximum { any } else { format!("from {minimum} to {maximum}") })
            }
            OptionKind::Number { minimum, maximum } => {
                let is_legal = value.parse().is_ok_and(|number| is_within(number, minimum, maximum));
                let any = "a finite number".to_owned();
                (is_legal, if minimum == maximum { any } else { format!("from {minimum} to {maximum}") })
            }
            OptionKind::Text { choices: None } => (true, String::new()),
            OptionKind::Text { choices: Some(choices) } => {
                let choices = choices.to_string_lossy();
                (choices.split(',').any(|choice| choice == value), format!("one of {choices}"))
            }
        };
        if is_legal {
            return Ok(());
        }
        let name = self.name.to_string_lossy();
        Err(Error::bad_argument(format!("option '{name}' must be {expected}, got '{value}'")))
    }
}

/// The values that a user has given to options of a codec's own. Those that come from a host are legal.
///
/// ```
/// use mapwave_plugin::Settings;
///
/// let settings = Settings::from(vec![("steps", "16"), ("fast", "1")]);
/// assert_eq!((settings.integer("steps"), settings.flag("fast")), (Some(16), Some(true)));
/// assert_eq!(settings.number("gain"), None);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings<'a>(Vec<(&'a str, &'a str)>);

impl<'a> From<Vec<(&'a str, &'a str)>> for Settings<'a> {
    fn from(settings: Vec<(&'a str, &'a str)>) -> Self {
        Self(settings)
    }
}

impl<'a> Settings<'a> {
    /// The value of an option; `None` if it is not given.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(key, _)| *key == name).map(|(_, value)| *value)
    }

    /// The value of a flag; `None` if it is not given.
    pub fn flag(&self, name: &str) -> Option<bool> {
        self.text(name).map(|value| value == "1")
    }

    /// The value as a whole number; `None` if it is not given or not such a number.
    pub fn integer(&self, name: &str) -> Option<i64> {
        self.text(name)?.parse().ok()
    }

    /// The value as a number; `None` if it is not given or not a number.
    pub fn number(&self, name: &str) -> Option<f64> {
        self.text(name)?.parse().ok()
    }

    /// Checks them against the options that there are.
    pub(crate) fn check(&self, options: &[CodecOption]) -> Result<()> {
        for (name, value) in &self.0 {
            let is_it = |option: &&CodecOption| option.name.to_bytes() == name.as_bytes();
            match options.iter().find(is_it) {
                Some(option) => option.check(value)?,
                None => return Err(Error::bad_argument(format!("there is no option '{name}'"))),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn option(kind: OptionKind) -> CodecOption {
        CodecOption { name: c"x", kind, default_value: None, description: c"" }
    }

    #[test]
    fn values_are_legal_or_refused() {
        let (small, any) =
            (OptionKind::Integer { minimum: -2, maximum: 2 }, OptionKind::Integer { minimum: 0, maximum: 0 });
        let (part, real) = (
            OptionKind::Number { minimum: 0.0, maximum: 0.5 },
            OptionKind::Number { minimum: 0.0, maximum: 0.0 },
        );
        let (word, text) = (OptionKind::Text { choices: Some(c"a,b") }, OptionKind::Text { choices: None });
        for (kind, legal, refused) in [
            (OptionKind::Flag, &["0", "1"][..], &["", "2", "true", " 1"][..]),
            (small, &["-2", "0", "2"], &["3", "-3", "1.0", "", "x", "9999999999999999999"]),
            (any, &["-7", "123456789"], &["1e3", "nan"]),
            (part, &["0", "0.5", "1e-3"], &["0.51", "-0.1", "nan", "inf", ""]),
            (real, &["-1e9", "7"], &["nan", "-inf", "one"]),
            (word, &["a", "b"], &["", "c", "a,b"]),
            (text, &["", "anything"], &[]),
        ] {
            legal.iter().for_each(|value| option(kind).check(value).unwrap());
            refused.iter().for_each(|value| assert!(option(kind).check(value).is_err(), "{kind:?} {value}"));
        }
    }

    #[test]
    fn only_known_options_can_be_set() {
        let options = [option(OptionKind::Flag)];
        assert!(Settings::from(vec![("x", "1")]).check(&options).is_ok());
        assert!(Settings::from(vec![("x", "2")]).check(&options).is_err());
        let error = Settings::from(vec![("y", "1")]).check(&options).unwrap_err();
        assert_eq!(error.message(), "there is no option 'y'");
    }
}
