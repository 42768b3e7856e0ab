//! Files of other formats, which may contain frames of MPEG audio or ADTS among other data.

#![forbid(unsafe_code)]

use mapwave_plugin::{Error, Result};

/// The offset of the first bytes of such formats, and the bytes.
const MAGIC: [(usize, &[u8]); 21] = [
    (0, b"RIFF"),
    (0, b"RIFX"),
    (0, b"RF64"),
    (0, b"BW64"),
    (0, b"riff"),
    (0, b"FORM"),
    (0, b"caff"),
    (0, b"fLaC"),
    (0, b"OggS"),
    (0, b"wvpk"),
    (0, b"MPCK"),
    (0, b"\x1A\x45\xDF\xA3"),                 // Matroska
    (0, b"\x30\x26\xB2\x75\x8E\x66\xCF\x11"), // ASF
    (0, b"\x06\x0E\x2B\x34"),                 // MXF
    (0, b"\0\0\x01\xBA"),                     // MPEG program streams
    (0, b"FLV\x01"),
    (0, b".RMF"),
    (0, b"FWS"), // Flash
    (0, b"CWS"),
    (4, b"ftyp"),
    (4, b"moov"),
];

/// The bytes of a packet of an MPEG transport stream, and its first byte.
const TRANSPORT_BYTES: usize = 188;
const TRANSPORT_SYNC: u8 = 0x47;

/// Whether the bytes begin like such a format.
pub(crate) fn begins(bytes: &[u8]) -> bool {
    let is_transport = (0..3).all(|packet| bytes.get(packet * TRANSPORT_BYTES) == Some(&TRANSPORT_SYNC));
    is_transport
        || MAGIC.iter().any(|(at, magic)| bytes.get(*at..).is_some_and(|bytes| bytes.starts_with(magic)))
}

/// Refuses a file of such a format behind tags, which the head of the file may have hidden.
///
/// # Errors
/// When one begins there.
pub(crate) fn refuse_behind(bytes: &[u8], start: usize) -> Result<()> {
    if start > 0 && bytes.get(start..).is_some_and(begins) {
        return Err(Error::unsupported("a file of another format follows the tags").at(start as u64));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_formats_are_known_by_their_first_bytes() {
        assert!(begins(b"RIFF\0\0\0\0WAVE") && begins(b"\0\0\0\x20ftypM4A "));
        assert!(!begins(b"ID3\x04") && !begins(b"") && !begins(&[0xFF, 0xFB, 0x90, 0x64]));
        let mut transport = vec![0; 377];
        transport.iter_mut().step_by(188).for_each(|byte| *byte = 0x47);
        assert!(begins(&transport) && !begins(transport.get(1..).unwrap_or_default()));
    }
}
