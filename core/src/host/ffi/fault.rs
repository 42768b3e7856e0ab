//! The errors that plugins return, and their translation.

use std::io;

use mapwave_plugin_abi as abi;

use super::raw::{self, Sized32};
use crate::error::{Error, Fault};
use crate::track::Container;

/// Memory for a plugin's error.
pub(crate) struct Answer(abi::mw_error);

impl Answer {
    pub(crate) fn new() -> Self {
        Self(abi::mw_error { offset: abi::MW_UNKNOWN, ..abi::mw_error::zeroed() })
    }

    pub(crate) fn as_mut_ptr(&mut self) -> *mut abi::mw_error {
        &raw mut self.0
    }

    /// The message, with invalid UTF-8 replaced.
    fn message(&self) -> String {
        // C's char has a sign on some machines only.
        let bytes = self.0.message.iter().flat_map(|byte| byte.to_ne_bytes());
        let bytes: Vec<u8> = bytes.take_while(|&byte| byte != 0).collect();
        String::from_utf8_lossy(&bytes).trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
    }

    /// The failure of a call that returned null, with the status in the error if there is one.
    pub(crate) fn refusal(self) -> Failure {
        let status = if self.0.status < 0 { self.0.status } else { abi::MW_INTERNAL };
        self.into_failure(status)
    }

    /// The failure in the terms of this crate.
    pub(crate) fn into_failure(self, status: abi::mw_status) -> Failure {
        let (fault, otherwise) = match status {
            abi::MW_BAD_DATA => (Fault::BadData, "the data are damaged"),
            abi::MW_UNSUPPORTED => (Fault::Unsupported, "this kind of file is not supported"),
            abi::MW_IO => (Fault::Io, "the file could not be read"),
            abi::MW_NO_MEMORY => (Fault::Memory, "not enough memory"),
            abi::MW_LIMIT => (Fault::Memory, "the memory limit would be exceeded"),
            abi::MW_MISSING_DEPENDENCY => (Fault::MissingDependency, "a library that it needs is missing"),
            abi::MW_PANIC => (Fault::Broken, "it panicked"),
            abi::MW_BAD_ARGUMENT => (Fault::Broken, "it rejected an argument"),
            abi::MW_BAD_STATE => (Fault::Broken, "it was in a wrong state"),
            abi::MW_CANCELLED => (Fault::Broken, "it cancelled the call"),
            abi::MW_INTERNAL => (Fault::Broken, "it has an internal fault"),
            unknown => {
                let what = format!("it returned status {unknown}, which this interface does not define");
                return Failure { fault: Fault::Broken, offset: None, what };
            }
        };
        let message = self.message();
        let mut what = if message.is_empty() { otherwise.to_owned() } else { message };
        if self.0.native_code != 0 {
            what.push_str(&format!(" (code {})", self.0.native_code));
        }
        let offset = Some(self.0.offset).filter(|&offset| offset != abi::MW_UNKNOWN);
        Failure { fault, offset, what }
    }

    /// The failure of an encoder. The statuses with which a decoder reports a bad file mean that the encoder rejected its settings.
    pub(crate) fn into_encoding_failure(self, status: abi::mw_status) -> Failure {
        let failure = self.into_failure(status);
        match status {
            abi::MW_BAD_ARGUMENT | abi::MW_LIMIT => Failure { fault: Fault::Refused, ..failure },
            // The host knows every failed write, and there was none.
            abi::MW_IO => {
                Failure::broken(format!("it says that writing failed, which it did not: {}", failure.what))
            }
            _ => failure,
        }
    }
}

/// Why a call to a plugin failed.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) fault: Fault,
    pub(crate) offset: Option<u64>,
    pub(crate) what: String,
}

impl Failure {
    /// A failure of a plugin that broke a rule.
    pub(crate) fn broken(what: impl Into<String>) -> Self {
        Self { fault: Fault::Broken, offset: None, what: what.into() }
    }

    /// As an error about a file.
    pub(crate) fn into_error(
        self,
        plugin: &'static str,
        doing: &'static str,
        container: Option<Container>,
    ) -> Error {
        let Self { fault, offset, what } = self;
        let container = container.map(Box::new);
        Error::Plugin { path: None, plugin, doing, fault, offset, container, what: what.into() }
    }
}

/// Why an encoder's call failed.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The output failed, whatever the plugin reported.
    Writing {
        /// The offset.
        offset: u64,
        /// The first error.
        cause: io::Error,
    },
    /// The plugin failed.
    Plugin(Failure),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Plugin(failure)
    }
}

impl Trouble {
    /// As an error about a file.
    pub(crate) fn into_error(
        self,
        plugin: &'static str,
        doing: &'static str,
        container: Option<Container>,
    ) -> Error {
        match self {
            Self::Writing { offset, cause } => {
                Error::Io { path: None, doing: "writing", offset: Some(offset), cause }
            }
            Self::Plugin(failure) => failure.into_error(plugin, doing, container),
        }
    }
}

/// A plugin's string, which must be a short name of printable ASCII.
///
/// # Safety
/// As [`raw::text`].
#[allow(unsafe_code)] // passes its caller's promise on
pub(crate) unsafe fn required_name(
    text: *const std::ffi::c_char,
    what: &str,
) -> Result<&'static str, Failure> {
    // SAFETY: the caller's promise.
    let text = unsafe { raw::text(text) };
    text.as_deref().and_then(raw::name).ok_or_else(|| match text {
        Some(text) => Failure::broken(format!("its {what} {text:?} is not a short printable text")),
        None => Failure::broken(format!("its {what} is missing or not UTF-8")),
    })
}
