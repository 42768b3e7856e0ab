//! Four-character codes: the names of chunks, forms and codecs.

#![forbid(unsafe_code)]

use std::fmt;

/// A four-character code, in the order of its bytes in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FourCc(pub [u8; 4]);

impl FourCc {
    /// Whether every character is printable ASCII, as the specifications of RIFF and IFF demand.
    pub fn is_printable(self) -> bool {
        self.0.iter().all(|byte| (0x20..=0x7e).contains(byte))
    }

    /// The code as a big-endian number.
    pub fn number(self) -> u32 {
        u32::from_be_bytes(self.0)
    }
}

impl fmt::Display for FourCc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}'", self.0.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_what_a_terminal_can() {
        assert_eq!(FourCc(*b"fmt ").to_string(), "'fmt '");
        assert_eq!(FourCc(*b"ms\0\x11").to_string(), r"'ms\x00\x11'");
    }

    #[test]
    fn only_ascii_is_printable() {
        assert!(FourCc(*b"XxX ").is_printable());
        assert!(!FourCc(*b"FAn\0").is_printable());
        assert!(!FourCc(*b"da\xe9a").is_printable());
    }
}
