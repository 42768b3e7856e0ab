//! Identifies files that no parser of this crate reads.

#![forbid(unsafe_code)]

use crate::error::Error;

use super::unsupported;

/// The offset of the magic bytes, the bytes, and the format they identify.
const MAGIC: &[(usize, &[u8], &str)] = &[
    (0, b"fLaC", "a FLAC stream"),
    (0, b"OggS", "an Ogg stream (Vorbis, Opus, FLAC or Speex)"),
    (0, b"ID3", "a file that begins with an ID3v2 tag, most likely an MP3 stream"),
    (4, b"ftyp", "an MP4, M4A or QuickTime file"),
    (4, b"moov", "a QuickTime file"),
    (4, b"mdat", "a QuickTime file"),
    (0, b"\x1a\x45\xdf\xa3", "a Matroska or WebM file"),
    (0, b".snd", "a Sun AU file"),
    (0, b"dns.", "a DEC AU file"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "an ASF file (WMA or WMV)"),
    (0, b"ADIF", "an AAC stream (ADIF)"),
    (0, b"wvpk", "a WavPack stream"),
    (0, b"MAC ", "a Monkey's Audio file"),
    (0, b"TTA1", "a True Audio stream"),
    (0, b"MPCK", "a Musepack stream"),
    (0, b"MP+", "a Musepack stream"),
    (0, b"OFR ", "an OptimFROG file"),
    (0, b"tBaK", "a TAK stream"),
    (0, b"DSD ", "a DSF file (DSD)"),
    (0, b"FRM8", "a DSDIFF file (DSD)"),
    (0, b"#!AMR", "an AMR stream"),
    (0, b"Creative Voice File", "a Creative Voice file"),
    (0, b"NIST_1A", "a NIST SPHERE file"),
    (0, b".SoX", "a SoX file"),
    (0, b"XoS.", "a SoX file"),
    (0, b"qoaf", "a QOA file"),
    (0, b"\x0b\x77", "an AC-3 stream"),
    (0, b"\x7f\xfe\x80\x01", "a DTS stream"),
    (0, b"FLV\x01", "a Flash video"),
    (0, b"MThd", "a MIDI file, which contains notes, not audio"),
];

/// The same for files that are not audio, whatever follows: an archive may contain an unchanged MP3, and every large file contains
/// accidental sync words.
const NOT_AUDIO: &[(usize, &[u8], &str)] = &[
    (0, b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (0, b"\xff\xd8\xff", "a JPEG image"),
    (0, b"GIF8", "a GIF image"),
    (0, b"%PDF", "a PDF document"),
    (0, b"PK\x03\x04", "a zip archive; unpack it first"),
    (0, b"PK\x05\x06", "an empty zip archive"),
    (0, b"\x1f\x8b", "a gzip file; unpack it first"),
    (0, b"BZh", "a bzip2 file; unpack it first"),
    (0, b"\xfd7zXZ\0", "an xz file; unpack it first"),
    (0, b"\x28\xb5\x2f\xfd", "a Zstandard file; unpack it first"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it first"),
    (0, b"Rar!", "a RAR archive; unpack it first"),
    (0, b"\x93NUMPY", "a NumPy array; numpy.load reads it"),
    (0, b"\x89HDF", "an HDF5 file"),
    (0, b"MATLAB", "a MATLAB file"),
    (0, b"version https://git-lfs", "a Git LFS pointer: the file itself was not downloaded (git lfs pull)"),
    (0, b"<!DOCTYPE", "an HTML or XML page, perhaps an error page saved in place of a download"),
    (0, b"<!doctype", "an HTML page, perhaps an error page saved in place of a download"),
    (0, b"<html", "an HTML page, perhaps an error page saved in place of a download"),
    (0, b"<HTML", "an HTML page, perhaps an error page saved in place of a download"),
    (0, b"<?xml", "an XML document, perhaps an error page saved in place of a download"),
];

/// How many bytes of an unknown file the error message shows.
const BYTES_SHOWN: usize = 16;

/// The error for a file that begins with `head` and is not one of this crate's containers.
pub(super) fn refuse(head: &[u8]) -> Error {
    if head.is_empty() {
        return unsupported(None, None, "the file is empty");
    }
    let what = match name(head) {
        Some(name) => name.to_string(),
        None => format!("not a known audio file: it begins with {}", first_bytes(head)),
    };
    unsupported(None, None, what)
}

fn name(head: &[u8]) -> Option<&'static str> {
    find(MAGIC, head).or_else(|| stream(head)).or_else(|| not_audio(head))
}

/// The kind of a file that is not audio, in which plugins must not search for audio; `None` for all other files.
pub(crate) fn not_audio(head: &[u8]) -> Option<&'static str> {
    find(NOT_AUDIO, head).or_else(|| {
        is_tar(head).then_some("a tar archive; name a member, as in shard.tar::clip.flac, or unpack it")
    })
}

fn find(table: &[(usize, &[u8], &'static str)], head: &[u8]) -> Option<&'static str> {
    let is_at = |offset, magic: &[u8]| head.get(offset..).is_some_and(|bytes| bytes.starts_with(magic));
    table.iter().find(|(offset, magic, _)| is_at(*offset, magic)).map(|(_, _, name)| *name)
}

/// Whether a file starts with a tar header, according to its checksum (POSIX.1-2017, pax, "ustar Interchange Format").
///
/// The header is 512 bytes. Bytes 148 to 155 hold the sum of all of them in octal digits, computed as if those eight were spaces.
/// Every tar file has it, also one without the ustar magic. Only a header with a name counts: blocks of zeros end an archive.
fn is_tar(head: &[u8]) -> bool {
    let Some(header) = head.first_chunk::<512>() else { return false };
    let (name, rest) = header.split_at(148);
    let (digits, after) = rest.split_at(8);
    let digits = digits.iter().skip_while(|&&byte| byte == b' ');
    let digits: Vec<u8> = digits.take_while(|byte| (b'0'..=b'7').contains(byte)).copied().collect();
    let stated = digits.iter().fold(0_u32, |sum, digit| (sum << 3) | u32::from(digit - b'0'));
    let sum: u32 = name.iter().chain(after).map(|&byte| u32::from(byte)).sum();
    header.first() != Some(&0) && digits.len() >= 2 && stated == sum + 8 * u32::from(b' ')
}

/// Raw MPEG streams have no magic, only the sync word of their first frame (ISO/IEC 11172-3, 2.4.2.3; 14496-3, 1.A.2.2).
fn stream(head: &[u8]) -> Option<&'static str> {
    let &[0xff, second, third, ..] = head else { return None };
    let (version, layer) = (second >> 3 & 3, second >> 1 & 3);
    let (bitrate, rate) = (third >> 4, third >> 2 & 3);
    match second >> 4 {
        0xf if layer == 0 => Some("an AAC stream (ADTS)"),
        0xe | 0xf if version != 1 && layer != 0 && bitrate != 15 && rate != 3 => {
            Some(if layer == 1 { "an MP3 stream" } else { "an MPEG audio stream (layer I or II)" })
        }
        _ => None,
    }
}

/// The first bytes in hexadecimal and, if printable, in ASCII.
fn first_bytes(head: &[u8]) -> String {
    let shown = head.get(..BYTES_SHOWN).unwrap_or(head);
    let hex: Vec<_> = shown.iter().map(|byte| format!("{byte:02x}")).collect();
    let is_readable = |byte: &u8| (0x20..=0x7e).contains(byte);
    let ascii: String =
        shown.iter().map(|byte| if is_readable(byte) { char::from(*byte) } else { '.' }).collect();
    format!("{} \"{ascii}\"", hex.join(" "))
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    use super::*;

    /// A header as tar writes it: a name, a mode, a checksum, and optionally a magic.
    fn tar_header(magic: &[u8]) -> Vec<u8> {
        let mut header = vec![0; 512];
        header[..7].copy_from_slice(b"one.mp3");
        header[100..107].copy_from_slice(b"0000644");
        header[257..257 + magic.len()].copy_from_slice(magic);
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
        header[148..154].copy_from_slice(format!("{sum:06o}").as_bytes());
        header[154] = 0;
        header
    }

    #[test]
    fn a_tar_is_known_by_its_checksum_with_and_without_a_magic() {
        for magic in [&b"ustar\x0000"[..], b"ustar  \0", b""] {
            let mut header = tar_header(magic);
            assert_eq!(
                not_audio(&header),
                Some("a tar archive; name a member, as in shard.tar::clip.flac, or unpack it")
            );
            assert_eq!(not_audio(&header[..511]), None);
            header[3] ^= 1;
            assert_eq!(not_audio(&header), None);
        }
        assert_eq!(not_audio(&[0; 512]), None);
    }

    #[test]
    fn what_may_hold_audio_is_left_to_plugins() {
        for (_, magic, name) in MAGIC {
            assert_eq!(not_audio(magic), None, "{name}");
        }
        assert_eq!(not_audio(b"\xff\xfb\x90\x64"), None);
    }

    fn message(head: &[u8]) -> String {
        refuse(head).to_string()
    }

    #[test]
    fn sound_that_a_plugin_could_decode_is_named() {
        assert_eq!(message(b"fLaC\0\0\0\x22"), "unsupported format: a FLAC stream");
        for (head, name) in [
            (&b"OggS\0\x02"[..], "an Ogg stream"),
            (b"ID3\x04\0", "an ID3v2 tag"),
            (b"\0\0\0\x20ftypM4A ", "an MP4, M4A or QuickTime file"),
            (b"\x1a\x45\xdf\xa3\x01", "a Matroska or WebM file"),
            (b".snd\0\0\0\x18", "a Sun AU file"),
            (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6", "an ASF file"),
            (b"\xff\xfb\x90\x64", "an MP3 stream"),
            (b"\xff\xf3\x90\x64", "an MP3 stream"),
            (b"\xff\xfd\xa4\x04", "an MPEG audio stream (layer I or II)"),
            (b"\xff\xf1\x50\x80", "an AAC stream (ADTS)"),
        ] {
            let message = message(head);
            assert!(message.contains(name), "{message}");
        }
    }

    #[test]
    fn what_is_no_sound_is_named() {
        for (head, name) in [
            (&b"\x89PNG\r\n\x1a\n\0"[..], "a PNG image"),
            (b"\xff\xd8\xff\xe0\0", "a JPEG image"),
            (b"PK\x03\x04\x14", "a zip archive"),
            (b"\x1f\x8b\x08", "a gzip file"),
            (b"<!DOCTYPE html>", "an HTML or XML page"),
        ] {
            let message = message(head);
            assert!(message.contains(name), "{message}");
        }
    }

    #[test]
    fn unknown_bytes_are_shown() {
        assert_eq!(
            message(b"\0\x01Hello\xff"),
            "unsupported format: not a known audio file: it begins with 00 01 48 65 6c 6c 6f ff \"..Hello.\""
        );
        assert!(message(&[0x41; 100]).ends_with("41 41 \"AAAAAAAAAAAAAAAA\""));
        assert!(message(&[0xff; 4]).contains("ff ff ff ff"));
    }

    #[test]
    fn an_empty_file_is_called_empty() {
        assert_eq!(message(b""), "unsupported format: the file is empty");
    }
}
