//! Whether a file looks like one that libav reads, by its first bytes.
//!
//! The scores stay below those of the built-in codecs for the formats that both read, so that those come first.

#![forbid(unsafe_code)]

use mapwave_plugin::Head;

/// The score for a container that the host has parsed, whose codec libav may know. The built-in codecs score 95.
const TRACK: u8 = 50;

/// The score for a file extension that is usually right.
const EXTENSION: u8 = 15;

/// Bytes at an offset, and the score of a file that has them there.
struct Magic {
    place: usize,
    bytes: &'static [u8],
    score: u8,
}

const fn magic(place: usize, bytes: &'static [u8], score: u8) -> Magic {
    Magic { place, bytes, score }
}

/// Formats that only libav reads, and formats that it reads, too.
const MAGIC: [Magic; 60] = [
    // An Ogg stream's first page begins with its first packet.
    magic(28, b"OpusHead", 95),
    magic(28, b"Speex   ", 95),
    magic(0, b"OggS", 60),
    magic(0, b"\x1a\x45\xdf\xa3", 80),
    magic(4, b"ftyp", 80),
    magic(4, b"moov", 60),
    magic(4, b"mdat", 60),
    magic(4, b"wide", 60),
    magic(4, b"skip", 55),
    magic(4, b"free", 55),
    magic(0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c", 98),
    magic(0, b"\xb7\xd8\x00\x20\x37\x49\xda\x11\xa6\x4e\x00\x07\xe9\x5e\xad\x8d", 95),
    magic(0, b"MAC ", 95),
    magic(0, b"wvpk", 95),
    magic(0, b"TTA1", 95),
    magic(0, b"tBaK", 95),
    magic(0, b"ajkg", 92),
    magic(0, b"MPCK", 95),
    magic(0, b"MP+", 90),
    magic(0, b"DSD ", 92),
    magic(0, b"FRM8", 92),
    magic(0, b"#!AMR", 97),
    magic(0, b"#!iLBC", 97),
    magic(0, b"FLV\x01", 95),
    magic(0, b".RMF", 95),
    magic(0, b".ra\xfd", 95),
    magic(0, b".snd", 85),
    magic(0, b"Creative Voice File\x1a", 98),
    magic(0, b"NIST_1A", 92),
    magic(0, b"2BIT", 85),
    magic(0, b"TWIN", 85),
    magic(0, b"ea3\x03", 90),
    magic(0, b"EA3\x01", 90),
    magic(0, b"RSTM", 90),
    magic(0, b"CSTM", 90),
    magic(0, b"FSTM", 90),
    magic(0, b"VAGp", 90),
    magic(0, b".SoX", 90),
    magic(0, b"XoS.", 90),
    magic(0, b"PVF1\n", 90),
    magic(0, b"\x64\xa3\x01\x00", 85),
    magic(0, b"\x64\xa3\x02\x00", 85),
    magic(0, b"\x00\x01\xa3\x64", 85),
    magic(0, b"\x00\x02\xa3\x64", 85),
    magic(0, b"BIKi", 85),
    magic(0, b"THP\0", 90),
    magic(0, b"nut/multimedia container\0", 98),
    magic(0, b"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02", 95),
    magic(0, b"\x00\x00\x01\xba", 85),
    magic(0, b"\x7f\xfe\x80\x01", 88),
    magic(0, b"\xfe\x7f\x01\x80", 88),
    magic(0, b"\x1f\xff\xe8\x00", 88),
    magic(0, b"\xff\x1f\x00\xe8", 88),
    magic(0, b"DTSHDHDR", 95),
    magic(4, b"\xf8\x72\x6f\xba", 88),
    magic(4, b"\xf8\x72\x6f\xbb", 88),
    magic(0, b"\x84\x10\xff\xff\xff\xff", 90),
    magic(0, b"ADIF", 60),
    magic(0, b"fLaC", 50),
    magic(0, b"ID3", 20),
];

/// RIFF and IFF forms that the host does not parse itself.
const FORMS: [(&[u8], &[u8], u8); 7] = [
    (b"RIFF", b"AVI ", 95),
    (b"RIFF", b"AVIX", 80),
    (b"RIFF", b"XWMA", 95),
    (b"RIFF", b"QLCM", 95),
    (b"RIFF", b"CDXA", 60),
    (b"FORM", b"8SVX", 90),
    (b"FORM", b"16SV", 90),
];

/// The probe score for a file.
pub(super) fn score(head: &Head<'_>, extensions: &[u8]) -> u8 {
    if let Some(track) = &head.track {
        // libav reads the samples of this form in the wrong order.
        return if track.container == "rifx" { 0 } else { TRACK };
    }
    let bytes = head.bytes;
    let has = |magic: &Magic| bytes.get(magic.place..).is_some_and(|rest| rest.starts_with(magic.bytes));
    let by_magic = MAGIC.iter().filter(|magic| has(magic)).map(|magic| magic.score).max();
    let by_form = FORMS.iter().find(|(form, kind, _)| {
        bytes.starts_with(form) && bytes.get(8..).is_some_and(|rest| rest.starts_with(kind))
    });
    let by_form = by_form.map(|(.., score)| *score);
    let is_named = head.extension.is_some_and(|extension| {
        extensions.split(|byte| *byte == b',').any(|known| known == extension.as_bytes())
    });
    let by_name = if is_named { EXTENSION } else { 0 };
    let scores = [by_magic, by_form, transport_stream(bytes), syncs(bytes)];
    scores.into_iter().flatten().max().unwrap_or(0).max(by_name)
}

/// MPEG transport streams: packets of 188 bytes, some with a four-byte time stamp before or parity after them.
fn transport_stream(bytes: &[u8]) -> Option<u8> {
    let is_stream =
        |start: usize, step: usize| (0..4).all(|number| bytes.get(start + number * step) == Some(&0x47));
    let found = is_stream(0, 188) || is_stream(4, 192) || is_stream(0, 204);
    found.then_some(85)
}

/// Codecs without a container: a sync word, and another where the first frame ends.
fn syncs(bytes: &[u8]) -> Option<u8> {
    let next = |num_bytes: usize| bytes.get(num_bytes..);
    match *bytes {
        // AC-3 frames have their length in a table, E-AC-3 frames in the header.
        [0x0b, 0x77, ..] if bytes.get(5).is_some_and(|byte| byte >> 3 <= 10) => {
            let code = usize::from(*bytes.get(4)?);
            let num_bytes = ac3_frame_bytes(code)?;
            Some(if next(num_bytes).is_some_and(|rest| rest.starts_with(b"\x0b\x77")) { 88 } else { 55 })
        }
        [0x0b, 0x77, high, low, _, id, ..] if id >> 3 <= 16 => {
            let num_bytes = (usize::from(high & 7) << 8 | usize::from(low)) * 2 + 2;
            Some(if next(num_bytes).is_some_and(|rest| rest.starts_with(b"\x0b\x77")) { 88 } else { 55 })
        }
        // AAC in LOAS.
        [0x56, high, low, ..] if high & 0xe0 == 0xe0 => {
            let num_bytes = (usize::from(high & 0x1f) << 8 | usize::from(low)) + 3;
            let is_chain = matches!(next(num_bytes), Some([0x56, high, ..]) if high & 0xe0 == 0xe0);
            Some(if is_chain { 85 } else { 30 })
        }
        // AAC in ADTS, MPEG audio.
        [0xff, second, ..] if second & 0xf6 == 0xf0 => Some(50),
        [0xff, second, ..] if second & 0xe0 == 0xe0 => Some(20),
        // CRI ADX: the start of the data, after the copyright string.
        [0x80, 0, high, low, ..] => {
            let copyright = (usize::from(high) << 8 | usize::from(low)).checked_sub(2)?;
            next(copyright).filter(|rest| rest.starts_with(b"(c)CRI")).map(|_| 95)
        }
        _ => None,
    }
}

/// ETSI TS 102 366, table 4.13: the bytes of a frame for the code of its rate and bitrate.
pub(super) fn ac3_frame_bytes(code: usize) -> Option<usize> {
    const KILOBITS: [usize; 19] =
        [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640];
    let kilobits = KILOBITS.get((code & 0x3f) / 2)?;
    let sample_rate = [48_000, 44_100, 32_000].get(code >> 6)?;
    let words = kilobits * 1000 * 1536 / 16 / sample_rate;
    let is_longer = *sample_rate == 44_100 && code & 1 == 1;
    Some((words + usize::from(is_longer)) * 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8], extension: Option<&str>) -> u8 {
        score(&Head { bytes, total_bytes: 10_000, extension, track: None }, b"wma,ogg,g722")
    }

    #[test]
    fn magic_numbers_are_known() {
        let opus = [&b"OggS\0\x02"[..], &[0; 22], b"OpusHead\x01"].concat();
        assert_eq!(of(&opus, None), 95);
        assert_eq!(of(b"RIFF\x10\0\0\0AVI LIST", None), 95);
        assert_eq!(of(b"RIFF\x10\0\0\0WAVEfmt ", None), 0, "the host's own");
        assert_eq!(of(b"\0\0\0\x20ftypM4A ", None), 80);
        assert_eq!(of(b"hello", Some("wma")), 15);
        assert_eq!((of(b"hello", Some("wm")), of(b"", None)), (0, 0));
    }

    #[test]
    fn a_second_frame_makes_a_synchronisation_word_surer() {
        let mut frames = vec![0; 900];
        // 48 kHz and 96 kbit/s: 384 bytes.
        for place in [0, 384, 768] {
            if let Some(frame) = frames.get_mut(place..place + 6) {
                frame.copy_from_slice(&[0x0b, 0x77, 1, 2, 12, 8 << 3]);
            }
        }
        assert_eq!(of(&frames, None), 88);
        assert_eq!(of(frames.get(..380).unwrap_or_default(), None), 55);
        assert_eq!([0, 1, 12, 64, 65, 0x80].map(ac3_frame_bytes), [128, 128, 384, 138, 140, 192].map(Some));
        assert_eq!((ac3_frame_bytes(0xc0), ac3_frame_bytes(0x3f)), (None, None));
        let mut packets = vec![0; 1000];
        packets.iter_mut().step_by(188).for_each(|byte| *byte = 0x47);
        assert_eq!(of(&packets, None), 85);
    }
}
