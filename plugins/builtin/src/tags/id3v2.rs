//! The header of an ID3v2 tag (ID3v2.4.0, "Overview" and section 3.1).

#![forbid(unsafe_code)]

/// The size of a header, and of the footer that some tags have.
pub(crate) const HEADER_BYTES: usize = 10;

/// A tag by its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Id3v2 {
    /// The major version: 2, 3, 4 or a future one.
    pub(crate) version: u8,
    /// The flags of the header.
    pub(crate) flags: u8,
    /// The size between header and footer.
    pub(crate) body_bytes: usize,
}

impl Id3v2 {
    /// The tag at the beginning of `bytes`.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        match *bytes.first_chunk::<HEADER_BYTES>()? {
            [b'I', b'D', b'3', version, revision, flags, size @ ..]
                if version < 0xFF && revision < 0xFF && size.iter().all(|byte| *byte < 0x80) =>
            {
                let body_bytes = size.iter().fold(0, |value, byte| value << 7 | usize::from(*byte));
                Some(Self { version, flags, body_bytes })
            }
            _ => None,
        }
    }

    /// The size of the whole tag, including its footer, which only version 4 has.
    pub(crate) fn num_bytes(self) -> usize {
        let footer = if self.version >= 4 && self.flags & 0x10 != 0 { HEADER_BYTES } else { 0 };
        HEADER_BYTES + self.body_bytes + footer
    }
}

/// The size of the tags at the beginning of a file, which may extend beyond `bytes`.
pub(crate) fn leading_bytes(bytes: &[u8]) -> usize {
    let mut num_bytes = 0_usize;
    while let Some(tag) = bytes.get(num_bytes..).and_then(Id3v2::parse) {
        num_bytes = num_bytes.saturating_add(tag.num_bytes());
    }
    num_bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_counted_with_their_footers() {
        assert_eq!(leading_bytes(b"fLaC"), 0);
        assert_eq!(leading_bytes(b"ID3\x04\0\0\0\0\x01"), 0);
        let tag = b"ID3\x04\0\0\0\0\x00\x02ab";
        let with_footer = b"ID3\x04\0\x10\0\0\x00\x02ab3DI\x04\0\x10\0\0\x00\x02";
        assert_eq!(leading_bytes(&[tag.as_slice(), with_footer, tag, b"..."].concat()), 12 + 22 + 12);
        assert_eq!(leading_bytes(b"ID3\x04\0\0\x7f\x7f\x7f\x7f"), 10 + (1 << 28) - 1);
        assert_eq!(leading_bytes(b"ID3\x03\0\x10\0\0\x00\x02ab"), 12, "version 3 has no footer");
        assert_eq!(leading_bytes(b"ID3\xff\0\0\0\0\x00\x02ab"), 0, "no version");
        assert_eq!(leading_bytes(b"ID3\x04\0\0\0\0\x00\x80"), 0, "no size");
    }
}
