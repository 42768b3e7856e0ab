//! The argument `channels`: which ones are read, or how many are written.

use pyo3::prelude::*;
use pyo3::types::PyString;

use super::value::{Argument, Mismatch, whole};

/// The most channels of a file that is written.
const MAX_CHANNELS: u16 = 1024;

/// The numbers of the channels that are wanted, counted from 0.
pub(super) struct Channels(pub(super) Vec<u16>);

impl<'py> Argument<'py> for Channels {
    fn parse(value: &Bound<'py, PyAny>) -> Result<Self, Mismatch> {
        let number = |channel: i64| {
            u16::try_from(channel).map_err(|_| Mismatch::value("numbers from 0 to 65535, counted from 0"))
        };
        if let Ok(channel) = whole(value) {
            return Ok(Self(vec![number(channel)?]));
        }
        let refuse = || Mismatch::kind("a channel number or a sequence of them");
        if value.is_instance_of::<PyString>() {
            return Err(refuse());
        }
        let many = value.try_iter().map_err(|_| refuse())?;
        let numbers = many.map(|item| whole(&item?).map_err(|_| refuse()).and_then(number));
        numbers.collect::<Result<_, _>>().map(Self)
    }
}

/// How many channels a file gets.
pub(crate) struct NumChannels(pub(crate) u16);

impl<'py> Argument<'py> for NumChannels {
    fn parse(value: &Bound<'py, PyAny>) -> Result<Self, Mismatch> {
        let number = whole(value).ok().and_then(|number| u16::try_from(number).ok());
        let legal = number.filter(|number| (1..=MAX_CHANNELS).contains(number));
        legal
            .map(Self)
            .ok_or_else(|| Mismatch::value(format!("their number in mode 'w', 1 to {MAX_CHANNELS}")))
    }
}
