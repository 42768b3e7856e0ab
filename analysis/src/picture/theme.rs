//! Which colours a picture has.

use std::str::FromStr;

use mapwave_core::{Error, Parameter, Result};

/// The colours of a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
    /// An SVG follows the preference of the system that shows it; a PNG is light.
    #[default]
    Auto,
    /// An SVG that is part of a page has no ground of its own, and writes in the page's colour; a PNG is light.
    Page,
}

impl FromStr for Theme {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "light" => Ok(Self::Light),
            "dark" => Ok(Self::Dark),
            "auto" => Ok(Self::Auto),
            "page" => Ok(Self::Page),
            _ => Err(Error::Argument {
                path: None,
                parameter: Parameter::Theme,
                what: format!("must be 'auto', 'light', 'dark' or 'page', got '{name}'"),
            }),
        }
    }
}
