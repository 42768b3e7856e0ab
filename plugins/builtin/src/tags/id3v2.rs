//! ID3v2 tags before streams of other formats (ID3v2.4.0, "Overview" and section 3.1).

#![forbid(unsafe_code)]

/// The size of the ID3v2 tags at the beginning of a file.
pub(crate) fn leading_bytes(bytes: &[u8]) -> usize {
    let mut num_bytes = 0_usize;
    while let Some(&[b'I', b'D', b'3', major, minor, flags, a, b, c, d]) =
        bytes.get(num_bytes..).and_then(|rest| rest.first_chunk())
    {
        if major == 0xFF || minor == 0xFF || (a | b | c | d) & 0x80 != 0 {
            break;
        }
        let body = [a, b, c, d].iter().fold(0, |size, byte| (size << 7) | usize::from(*byte));
        let footer = if flags & 0x10 != 0 { 10 } else { 0 };
        num_bytes = num_bytes.saturating_add(10 + body + footer);
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
        assert_eq!(leading_bytes(b"ID3\xff\0\0\0\0\x00\x02ab"), 0, "no version");
        assert_eq!(leading_bytes(b"ID3\x04\0\0\0\0\x00\x80"), 0, "no size");
    }
}
