//! What a container says of its length, and whether that much is there: libav reads on as if a truncated file were whole.

#![forbid(unsafe_code)]

use mapwave_plugin::{Input, Result};

use super::pieces::Bytes;
use super::promise_chunks::{is_asf_cut, is_matroska_cut, is_mp4_cut, is_ogg_cut, only_granule};

/// Whether a file is shorter than its container says.
///
/// # Errors
/// When the host cannot read.
pub(super) fn is_cut(format: &[u8], input: &Input) -> Result<bool> {
    let bytes = Bytes(input);
    match format {
        b"ogg" => is_ogg_cut(&bytes),
        b"asf" => is_asf_cut(&bytes),
        b"matroska,webm" => is_matroska_cut(&bytes),
        formats if formats.starts_with(b"mov,mp4,") => is_mp4_cut(&bytes),
        b"tta" => is_tta_cut(&bytes),
        _ => is_chunk_cut(&bytes),
    }
}

/// The number of frames of Vorbis in Ogg whose sound is in one page (Vorbis I, A.2): where libav has no page before, it trims
/// too much.
///
/// # Errors
/// When the host cannot read.
pub(super) fn vorbis_frames(format: &[u8], codec: &[u8], input: &Input) -> Result<Option<u64>> {
    if (format, codec) == (b"ogg", b"vorbis") { only_granule(&Bytes(input)) } else { Ok(None) }
}

/// The number of frames that a header promises, for streams that have one: TTA, WavPack, Monkey's Audio, FLAC and ADX.
///
/// # Errors
/// When the host cannot read.
pub(super) fn num_frames(input: &Input) -> Result<Option<u64>> {
    let bytes = Bytes(input);
    let Some(head) = bytes.at::<80>(0)? else { return Ok(None) };
    let le32 = |place: usize| {
        head.get(place..).and_then(|rest| rest.first_chunk()).map(|bytes| u32::from_le_bytes(*bytes))
    };
    let count = match head {
        // The TTA1 header: format, channels, bits, rate, frames.
        [b'T', b'T', b'A', b'1', ..] => le32(14),
        // The WavPack 5 file format, "Block header"; the flag of the first block of a frame, and that of a later file.
        [b'w', b'v', b'p', b'k', ..] => le32(12).filter(|count| *count != u32::MAX && le32(16) == Some(0)),
        // CRI ADX, whose header ends with the number of frames.
        [0x80, 0, ..] => {
            head.get(12..16).and_then(|rest| rest.first_chunk()).map(|bytes| u32::from_be_bytes(*bytes))
        }
        // Monkey's Audio from 3.98 on: the descriptor, then the header: frames of the last packet, packets.
        [b'M', b'A', b'C', b' ', low, high, ..] if u16::from_le_bytes([low, high]) >= 3980 => {
            let header = le32(8).and_then(|size| usize::try_from(size).ok()).filter(|size| *size <= 56);
            let field = |offset: usize| header.and_then(|header| le32(header.checked_add(offset)?));
            let counted = field(12).zip(field(4)).zip(field(8));
            let counted = counted.and_then(|((num_packets, per_packet), last)| {
                let before = u64::from(num_packets.checked_sub(1)?) * u64::from(per_packet);
                before.checked_add(last.into())
            });
            return Ok(counted);
        }
        // RFC 9639, section 8.2: 36 bits, of which 0 means unknown.
        [b'f', b'L', b'a', b'C', ..] => {
            let [.., b0, b1, b2, b3, b4] = head.first_chunk::<26>().copied().unwrap_or([0; 26]);
            let count = u64::from(b0 & 15) << 32 | u64::from(u32::from_be_bytes([b1, b2, b3, b4]));
            return Ok(Some(count).filter(|count| *count > 0));
        }
        _ => None,
    };
    Ok(count.map(u64::from).filter(|count| *count > 0))
}

/// TTA: a header, then a table of the packets' sizes with a checksum, then the packets.
fn is_tta_cut(bytes: &Bytes<'_>) -> Result<bool> {
    let Some([_, _, _, _, _, _, _, _, _, _, r0, r1, r2, r3, f0, f1, f2, f3, ..]) = bytes.at::<22>(0)? else {
        return Ok(true);
    };
    let (rate, num_frames) = (u32::from_le_bytes([r0, r1, r2, r3]), u32::from_le_bytes([f0, f1, f2, f3]));
    // A packet has 256/245 seconds.
    let per_packet = u64::from(rate) * 256 / 245;
    let Some(num_packets) = u64::from(num_frames).checked_next_multiple_of(per_packet.max(1)) else {
        return Ok(false);
    };
    let num_packets = num_packets / per_packet.max(1);
    let table = 22u64;
    let mut end = table.saturating_add(num_packets.saturating_mul(4)).saturating_add(4);
    for number in 0..num_packets {
        let Some(size) = bytes.at(table + number * 4)? else { return Ok(true) };
        end = end.saturating_add(u32::from_le_bytes(size).into());
    }
    Ok(end > bytes.end())
}

/// Files that consist of one chunk, or of a few such: RIFF, IFF, DSDIFF, DSF and Sun audio.
fn is_chunk_cut(bytes: &Bytes<'_>) -> Result<bool> {
    let mut place = 0u64;
    // An AVI file over 1 GB consists of several RIFF chunks.
    for _ in 0..1024 {
        let Some([m0, m1, m2, m3, s0, s1, s2, s3]) = bytes.at(place)? else { return Ok(false) };
        let (le, be) = (u32::from_le_bytes([s0, s1, s2, s3]), u32::from_be_bytes([s0, s1, s2, s3]));
        let size = match [m0, m1, m2, m3] {
            [b'R', b'I', b'F', b'F'] => u64::from(le) + 8,
            [b'F', b'O', b'R', b'M'] if place == 0 => u64::from(be) + 8,
            [b'F', b'R', b'M', b'8'] if place == 0 => match bytes.at(4)? {
                Some(size) => u64::from_be_bytes(size).saturating_add(12),
                None => return Ok(false),
            },
            [b'D', b'S', b'D', b' '] if place == 0 => match bytes.at(12)? {
                Some(size) => u64::from_le_bytes(size),
                None => return Ok(false),
            },
            [b'.', b's', b'n', b'd'] if place == 0 => match bytes.at(8)? {
                Some(size) => match u32::from_be_bytes(size) {
                    u32::MAX => return Ok(false),
                    size => u64::from(be) + u64::from(size),
                },
                None => return Ok(false),
            },
            _ => return Ok(false),
        };
        // Written as a stream, a file does not say how long it is.
        if size <= 12 || size >= u64::from(u32::MAX) {
            return Ok(false);
        }
        if place.saturating_add(size) > bytes.end() {
            return Ok(true);
        }
        // Chunks begin at even bytes.
        place = place.saturating_add(size + (size & 1));
    }
    Ok(false)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn cut(format: &[u8], bytes: &[u8]) -> bool {
        is_cut(format, &bytes.to_vec().into()).unwrap()
    }

    #[test]
    fn chunks_end_with_the_file() {
        let riff = |size: u32| [b"RIFF", &size.to_le_bytes()[..], &[0; 100]].concat();
        assert_eq!(
            [0, 4, 100, 99, 101, u32::MAX].map(|size| cut(b"avi", &riff(size))),
            [false, false, false, false, true, false]
        );
        assert!(
            !cut(b"avi", &[riff(100), riff(100)].concat()) && cut(b"avi", &[riff(100), riff(300)].concat())
        );
        let form = |size: u32| [b"FORM", &size.to_be_bytes()[..], &[0; 100]].concat();
        assert!(!cut(b"iff", &form(100)) && cut(b"iff", &form(1000)));
        let au = |size: u32| [b".snd", &24u32.to_be_bytes()[..], &size.to_be_bytes(), &[0; 112]].concat();
        assert!(!cut(b"au", &au(100)) && !cut(b"au", &au(u32::MAX)) && cut(b"au", &au(200)));
        let dsdiff = |size: u64| [b"FRM8", &size.to_be_bytes()[..], &[0; 100]].concat();
        assert!(!cut(b"iff", &dsdiff(100)) && cut(b"iff", &dsdiff(1000)));
        let dsf = |size: u64| [b"DSD ", &28u64.to_le_bytes()[..], &size.to_le_bytes(), &[0; 100]].concat();
        assert!(!cut(b"dsf", &dsf(120)) && cut(b"dsf", &dsf(1000)));
        assert!(!cut(b"au", b"") && !cut(b"amr", b"#!AMR\n") && !cut(b"avi", b"RIFF"));
    }

    #[test]
    fn packets_of_a_table_end_with_the_file() {
        // Two packets of 10 and 20 bytes.
        let tta =
            [&b"TTA1\x01\0\x02\0\x10\0"[..], &245u32.to_le_bytes(), &300u32.to_le_bytes(), &[0; 4]].concat();
        let tta = [&tta[..], &10u32.to_le_bytes(), &20u32.to_le_bytes(), &[0; 34]].concat();
        assert!(!cut(b"tta", &tta) && cut(b"tta", &tta[..tta.len() - 1]));
        assert!(cut(b"tta", &tta[..25]) && cut(b"tta", b"TTA1"));
    }

    #[test]
    fn headers_say_how_many_frames_there_are() {
        let count = |head: &[u8]| {
            let mut bytes = head.to_vec();
            bytes.resize(100, 0);
            num_frames(&bytes.into()).unwrap()
        };
        let tta = [b"TTA1\x01\0\x02\0\x10\0\x44\xac\0\0", &5000u32.to_le_bytes()[..]].concat();
        assert_eq!(count(&tta), Some(5000));
        let wavpack = |total: u32, index: u32| {
            [b"wvpk\0\0\0\0\x10\x04\0\0", &total.to_le_bytes()[..], &index.to_le_bytes()].concat()
        };
        assert_eq!(
            [(700, 0), (700, 9), (u32::MAX, 0)].map(|(total, index)| count(&wavpack(total, index))),
            [Some(700), None, None]
        );
        let mut flac = b"fLaC\0\0\0\x22".to_vec();
        flac.extend([0; 13]);
        flac.extend([0xf1, 0, 0, 0, 2]);
        assert_eq!((count(&flac), count(b"fLaC"), count(b"RIFF")), (Some((1 << 32) + 2), None, None));
        let adx =
            [&b"\x80\0\0\x24\x03\x12\x04\x01"[..], &44_100u32.to_be_bytes(), &9000u32.to_be_bytes()].concat();
        assert_eq!(count(&adx), Some(9000));
        let mut ape = b"MAC \x96\x0f\0\0\x34\0\0\0".to_vec();
        ape.resize(52, 0);
        ape.extend([0; 4]);
        ape.extend([1000u32, 300, 3].map(u32::to_le_bytes).concat());
        assert_eq!(count(&ape), Some(2300));
    }
}
