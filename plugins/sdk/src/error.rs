//! Errors, as the host reads them.

use std::fmt;

use mapwave_plugin_abi as abi;

/// The result of every fallible function of a plugin.
///
/// ```
/// fn num_channels(code: u8) -> mapwave_plugin::Result<u8> {
///     Some(code).filter(|code| *code > 0).ok_or_else(|| mapwave_plugin::Error::bad_data(3, "no channels"))
/// }
/// assert!(num_channels(0).is_err());
/// ```
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The kind of an error.
///
/// ```
/// use mapwave_plugin::{Status, abi};
///
/// assert_eq!(Status::BadData.code(), abi::MW_BAD_DATA);
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The plugin does not support the format or this variant of it; another plugin may.
    Unsupported,
    /// An argument breaks the contract.
    BadArgument,
    /// The bytes violate the format's specification.
    BadData,
    /// The host could not read or write.
    Io,
    /// Not enough memory.
    NoMemory,
    /// The state of the handle does not allow the call.
    BadState,
    /// A library or device is missing.
    MissingDependency,
    /// The host asked to stop.
    Cancelled,
    /// The call needs more than is allowed.
    Limit,
    /// The plugin panicked.
    Panic,
    /// An internal error of the plugin.
    Internal,
}

impl Status {
    /// The number in the C interface.
    pub fn code(self) -> abi::mw_status {
        match self {
            Self::Unsupported => abi::MW_UNSUPPORTED,
            Self::BadArgument => abi::MW_BAD_ARGUMENT,
            Self::BadData => abi::MW_BAD_DATA,
            Self::Io => abi::MW_IO,
            Self::NoMemory => abi::MW_NO_MEMORY,
            Self::BadState => abi::MW_BAD_STATE,
            Self::MissingDependency => abi::MW_MISSING_DEPENDENCY,
            Self::Cancelled => abi::MW_CANCELLED,
            Self::Limit => abi::MW_LIMIT,
            Self::Panic => abi::MW_PANIC,
            Self::Internal => abi::MW_INTERNAL,
        }
    }
}

/// An error that states what was found, what was expected, and where.
///
/// ```
/// use mapwave_plugin::{Error, Status};
///
/// let error = Error::bad_data(12, "the frame has 0 channels, expected 1 to 8");
/// assert_eq!((error.status(), error.offset()), (Status::BadData, Some(12)));
///
/// let error = Error::new(Status::NoMemory, "not enough memory for 4096 frames").at(7).with_native_code(-12);
/// assert_eq!((error.message(), error.native_code()), ("not enough memory for 4096 frames", -12));
/// assert_eq!(Error::unsupported("9 channels").offset(), None);
/// ```
#[derive(Clone, Debug)]
pub struct Error {
    status: Status,
    offset: Option<u64>,
    native_code: i64,
    message: String,
}

impl Error {
    /// An error of any kind.
    pub fn new(status: Status, message: impl Into<String>) -> Self {
        Self { status, offset: None, native_code: 0, message: message.into() }
    }

    /// The bytes at `offset` of the input are malformed.
    pub fn bad_data(offset: u64, message: impl Into<String>) -> Self {
        Self { offset: Some(offset), ..Self::new(Status::BadData, message) }
    }

    /// The plugin does not support the format or this variant of it.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(Status::Unsupported, message)
    }

    /// An argument of the host breaks the contract.
    pub(crate) fn bad_argument(message: impl Into<String>) -> Self {
        Self::new(Status::BadArgument, message)
    }

    /// The host asks for a stream beyond those of the file.
    pub(crate) fn no_such_stream(num_streams: usize) -> Self {
        let plural = if num_streams == 1 { "" } else { "s" };
        Self::bad_argument(format!("the file has {num_streams} sound track{plural}"))
    }

    /// Adds the offset in the input, in bytes.
    #[must_use]
    pub fn at(self, offset: u64) -> Self {
        Self { offset: Some(offset), ..self }
    }

    /// Adds the code of a library below the plugin.
    #[must_use]
    pub fn with_native_code(self, native_code: i64) -> Self {
        Self { native_code, ..self }
    }

    /// The kind.
    pub fn status(&self) -> Status {
        self.status
    }

    /// The offset in the input, in bytes, if known.
    pub fn offset(&self) -> Option<u64> {
        self.offset
    }

    /// The code of a library below the plugin, or 0.
    pub fn native_code(&self) -> i64 {
        self.native_code
    }

    /// What was found and what was expected.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
