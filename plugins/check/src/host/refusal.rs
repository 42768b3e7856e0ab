//! What a call returns: its status, and the error struct that explains a failure.

#![forbid(unsafe_code)]

use std::fmt;

use mapwave_plugin_abi::{MW_END, MW_INTERNAL, MW_OK, MW_UNKNOWN, mw_error, mw_status};

use super::struct_bytes::struct_bytes;
use crate::pulse;
use crate::verdict::Finding;

/// The byte that fills memory where nothing may be written.
pub const CANARY: u8 = 0xa5;

/// The number of words for an error struct and the canaries after it.
const WORDS: usize = 128;

/// The error struct to pass to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorSpace {
    /// A null pointer.
    Null,
    /// A struct of this size, as an older or newer host passes it.
    Bytes(u32),
}

impl ErrorSpace {
    /// The struct of this version of the interface.
    pub const FULL: Self = Self::Bytes(struct_bytes::<mw_error>());
}

/// An `mw_error` between canaries.
#[derive(Debug)]
pub struct ErrorBox {
    space: ErrorSpace,
    words: Box<[u64; WORDS]>,
}

impl ErrorBox {
    /// Zeroed, with its size set.
    pub fn new(space: ErrorSpace) -> Self {
        let mut bytes = [CANARY; WORDS * 8];
        if let ErrorSpace::Bytes(size) = space {
            // The size may end inside a word.
            bytes.iter_mut().take(size as usize).for_each(|byte| *byte = 0);
            bytes.iter_mut().zip(size.to_ne_bytes()).for_each(|(byte, of_size)| *byte = of_size);
        }
        let mut words = Box::new([0; WORDS]);
        for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
            *word = u64::from_ne_bytes(*bytes);
        }
        Self { space, words }
    }

    /// The pointer to pass to the call.
    pub fn pointer(&mut self) -> *mut mw_error {
        match self.space {
            ErrorSpace::Null => std::ptr::null_mut(),
            ErrorSpace::Bytes(_) => self.words.as_mut_ptr().cast(),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        self.words.iter().flat_map(|word| word.to_ne_bytes()).collect()
    }
}

/// An error that a call reported.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The call.
    pub call: &'static str,
    /// What it returned.
    pub status: mw_status,
    /// The message.
    pub message: String,
    /// The byte offset in the input, if given.
    pub offset: Option<u64>,
    /// The error code of a library below the plugin, or 0.
    pub native_code: i64,
}

impl Refusal {
    /// What a call reported in its error struct beside its status and message.
    pub(crate) fn new(call: &'static str, status: mw_status, message: String, error: &ErrorBox) -> Self {
        let ErrorSpace::Bytes(size) = error.space else {
            return Self { call, status, message, offset: None, native_code: 0 };
        };
        // Native code and offset are the second and third word, where the struct is large enough to have them.
        let word = |at: usize| error.words.get(at).copied().filter(|_| size as usize >= 8 * (at + 1));
        let offset = word(2).filter(|offset| *offset != MW_UNKNOWN);
        Self { call, status, message, offset, native_code: word(1).unwrap_or_default().cast_signed() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} returned {}", self.call, status_name(self.status))?;
        if self.message.is_empty() { Ok(()) } else { write!(f, " (\"{}\")", self.message) }
    }
}

/// Why a call did not succeed.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It reported an error, as it may.
    Refused(Refusal),
    /// It broke a rule.
    Broken(Finding),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Broken(finding) => finding.fmt(f),
        }
    }
}

impl std::error::Error for Fault {}

impl Fault {
    /// The error that the plugin reported.
    ///
    /// # Panics
    /// When the call broke a rule instead.
    pub fn refusal(self) -> Refusal {
        match self {
            Self::Refused(refusal) => refusal,
            Self::Broken(finding) => panic!("{finding}"),
        }
    }

    /// A rule is broken.
    pub fn broken(rule: &'static str, reason: impl Into<String>) -> Self {
        Self::Broken(Finding::broken(rule, reason))
    }
}

impl From<Finding> for Fault {
    fn from(finding: Finding) -> Self {
        Self::Broken(finding)
    }
}

/// Where a call must not fail, an error is a broken rule.
impl From<Fault> for Finding {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Broken(finding) => finding,
            Fault::Refused(refusal) => Self::broken(refusal.call, refusal.to_string()),
        }
    }
}

/// The name of a status in the header.
pub fn status_name(status: mw_status) -> String {
    const NAMES: [&str; 13] = [
        "MW_OK",
        "MW_UNSUPPORTED",
        "MW_BAD_ARGUMENT",
        "MW_BAD_DATA",
        "MW_IO",
        "MW_NO_MEMORY",
        "MW_BAD_STATE",
        "MW_MISSING_DEPENDENCY",
        "MW_CANCELLED",
        "MW_LIMIT",
        "MW_PANIC",
        "MW_INTERNAL",
        "",
    ];
    if status == MW_END {
        return "MW_END".to_owned();
    }
    let name = usize::try_from(-i64::from(status)).ok().and_then(|index| NAMES.get(index));
    name.filter(|name| !name.is_empty()).map_or_else(|| status.to_string(), |name| (*name).to_owned())
}

/// Checks a status and its error struct, after every call. Returns whether the call reported the end, which is allowed only if
/// `may_end` is set.
pub fn judge(call: &'static str, status: mw_status, error: &ErrorBox, may_end: bool) -> Result<bool, Fault> {
    pulse::beat();
    let is_known = (MW_INTERNAL..=MW_OK).contains(&status) || (status == MW_END && may_end);
    if !is_known {
        let meaning =
            if status == MW_END { "which this call does not return" } else { "which is not a status" };
        return Err(Fault::broken("R6", format!("{call} returned {}, {meaning}", status_name(status))));
    }
    let refusal = judge_error(call, status, error)?;
    match refusal {
        None => Ok(status == MW_END),
        Some(message) => Err(Fault::Refused(Refusal::new(call, status, message, error))),
    }
}

/// The message of a call that failed; `None` for one that did not.
pub fn judge_error(call: &'static str, status: mw_status, error: &ErrorBox) -> Result<Option<String>, Fault> {
    let failed = status < 0;
    let ErrorSpace::Bytes(size) = error.space else { return Ok(failed.then(String::new)) };
    let bytes = error.bytes();
    let (inside, outside) = bytes.split_at_checked(size as usize).unwrap_or((&bytes, &[]));
    if let Some(place) = outside.iter().position(|byte| *byte != CANARY) {
        let reason =
            format!("{call} wrote to byte {} of an mw_error whose size says {size}", size as usize + place);
        return Err(Fault::broken("R1", reason));
    }
    let number =
        |at: usize| inside.get(at..at + 4).and_then(|four| four.try_into().ok()).map(i32::from_ne_bytes);
    if number(0).is_none_or(|now| i64::from(now) != i64::from(size)) {
        return Err(Fault::broken("R1", format!("{call} changed the size of the mw_error it was given")));
    }
    if !failed {
        if inside.iter().skip(4).any(|byte| *byte != 0) {
            let reason = format!("{call} returned {} and still filled mw_error", status_name(status));
            return Err(Fault::broken("R6", reason));
        }
        return Ok(None);
    }
    // A struct smaller than that of version 1.0 may stay as it is.
    let is_whole = size >= struct_bytes::<mw_error>();
    if let Some(named) = number(4).filter(|named| *named != status && (is_whole || *named != MW_OK)) {
        let (returned, named) = (status_name(status), status_name(named));
        return Err(Fault::broken(
            "R6",
            format!("{call} returned {returned}, and its mw_error says {named}"),
        ));
    }
    let message = inside.get(24..).unwrap_or_default();
    let message = message.get(..mapwave_plugin_abi::MW_MESSAGE_BYTES).unwrap_or(message);
    if message.is_empty() {
        return Ok(Some(String::new()));
    }
    let Some(end) = message.iter().position(|byte| *byte == 0) else {
        return Err(Fault::broken("R3", format!("the message of {call} has no zero byte at its end")));
    };
    match std::str::from_utf8(message.get(..end).unwrap_or_default()) {
        Ok(text) => Ok(Some(text.to_owned())),
        Err(error) => Err(Fault::broken("R3", format!("the message of {call} is not UTF-8: {error}"))),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn is_broken<T>(result: Result<T, Fault>, rule: &str) -> bool {
        matches!(result, Err(Fault::Broken(Finding::Broken { rule: broken, .. })) if broken == rule)
    }

    #[test]
    fn a_status_is_one_of_the_header() {
        let error = ErrorBox::new(ErrorSpace::FULL);
        assert!(!judge("seek", MW_OK, &error, false).unwrap());
        assert!(judge("decode", MW_END, &error, true).unwrap());
        assert!(is_broken(judge("seek", MW_END, &error, false), "R6"));
        assert!(is_broken(judge("seek", -12, &error, false), "R6"));
        assert!(is_broken(judge("seek", i32::MIN, &error, false), "R6"));
        assert_eq!(status_name(-3), "MW_BAD_DATA");
    }

    #[test]
    fn an_error_is_filled_only_by_failing_and_within_its_size() {
        let mut error = ErrorBox::new(ErrorSpace::Bytes(16));
        error.words[0] |= u64::from((-3i32).cast_unsigned()) << 32;
        assert!(matches!(judge("open", -3, &error, false), Err(Fault::Refused(_))));
        assert!(is_broken(judge("open", -4, &error, false), "R6"));
        assert!(is_broken(judge("open", MW_OK, &error, false), "R6"));
        error.words[2] = 0;
        assert!(is_broken(judge("open", -3, &error, false), "R1"));
        let untouched = ErrorBox::new(ErrorSpace::Bytes(16));
        assert!(matches!(judge("open", -3, &untouched, false), Err(Fault::Refused(_))));
        let untouched = ErrorBox::new(ErrorSpace::FULL);
        assert!(is_broken(judge("open", -3, &untouched, false), "R6"));
    }

    #[test]
    fn an_untouched_error_of_any_size_is_in_order() {
        for size in 8..=1000 {
            let error = ErrorBox::new(ErrorSpace::Bytes(size));
            assert!(!judge("seek", MW_OK, &error, false).unwrap(), "{size} bytes");
        }
    }

    #[test]
    fn a_message_is_text() {
        let mut error = ErrorBox::new(ErrorSpace::FULL);
        error.words[0] |= u64::from((-3i32).cast_unsigned()) << 32;
        error.words[3] = u64::from_ne_bytes(*b"broken\0\0");
        match judge("open", -3, &error, false) {
            Err(Fault::Refused(refusal)) => {
                assert_eq!(refusal.to_string(), "open returned MW_BAD_DATA (\"broken\")")
            }
            other => panic!("{other:?}"),
        }
        error.words[3] = 0xff;
        assert!(is_broken(judge("open", -3, &error, false), "R3"));
        error.words[3..67].fill(u64::from_ne_bytes(*b"nonsense"));
        assert!(is_broken(judge("open", -3, &error, false), "R3"));
    }
}
