//! The lengths that containers of nested elements and pages state: Ogg, ASF, Matroska and MP4.

#![forbid(unsafe_code)]

use mapwave_plugin::Result;

use super::pieces::Bytes;

/// The maximum size of an Ogg page (RFC 3533, section 6).
const PAGE_BYTES: u64 = 65_307;

/// The number of elements after which the walk through a file ends.
const MAX_ELEMENTS: u32 = 1 << 20;

/// Ogg: the last page is whole and has the flag of a stream's end (RFC 3533, section 6).
pub(super) fn is_ogg_cut(bytes: &Bytes<'_>) -> Result<bool> {
    let start = bytes.end().saturating_sub(2 * PAGE_BYTES);
    let tail = bytes.up_to(start, usize::try_from(2 * PAGE_BYTES).unwrap_or(0))?;
    let last = tail.windows(4).rposition(|bytes| bytes == b"OggS");
    let Some(page) = last.and_then(|place| tail.get(place..)) else { return Ok(false) };
    let (Some(flags), Some(num_segments)) = (page.get(5), page.get(26)) else { return Ok(true) };
    let Some(segments) = page.get(27..27 + usize::from(*num_segments)) else { return Ok(true) };
    let num_bytes = 27 + segments.len() + segments.iter().map(|size| usize::from(*size)).sum::<usize>();
    Ok(flags & 4 == 0 || num_bytes > page.len())
}

/// The number of pages that a file whose sound is in one page has at most, beside many pages of headers.
const MAX_FEW_PAGES: u32 = 64;

/// Ogg: the granule position of the only page with sound, in a file of one stream; `None` for any other file.
pub(super) fn only_granule(bytes: &Bytes<'_>) -> Result<Option<u64>> {
    let (mut place, mut serial, mut only) = (0_u64, None, None);
    for _ in 0..MAX_FEW_PAGES {
        let Some(head) = bytes.at::<27>(place)? else { return Ok(only) };
        let [b'O', b'g', b'g', b'S', _, _, g0, g1, g2, g3, g4, g5, g6, g7, s0, s1, s2, s3, .., num_segments] =
            head
        else {
            return Ok(None);
        };
        let granule = i64::from_le_bytes([g0, g1, g2, g3, g4, g5, g6, g7]);
        let is_other = *serial.get_or_insert([s0, s1, s2, s3]) != [s0, s1, s2, s3];
        // Headers have 0, and pages on which no packet ends -1.
        if is_other || granule > 0 && only.replace(granule.unsigned_abs()).is_some() {
            return Ok(None);
        }
        let segments = bytes.up_to(place + 27, num_segments.into())?;
        place += 27 + segments.len() as u64 + segments.iter().map(|size| u64::from(*size)).sum::<u64>();
    }
    Ok(None)
}

/// The identifiers of ASF's header, its file properties and its data (Advanced Systems Format, 10.1 and 10.2).
const ASF_HEADER: [u8; 16] = *b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c";
const ASF_PROPERTIES: [u8; 16] = *b"\xa1\xdc\xab\x8c\x47\xa9\xcf\x11\x8e\xe4\x00\xc0\x0c\x20\x53\x65";
const ASF_DATA: [u8; 16] = *b"\x36\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c";

/// ASF: the header states the number of packets, all of one size, unless the file is a broadcast (section 3.2).
pub(super) fn is_asf_cut(bytes: &Bytes<'_>) -> Result<bool> {
    let (mut place, mut packets) = (0u64, None);
    for _ in 0..1024 {
        let (Some(name), Some(size)) = (bytes.at::<16>(place)?, bytes.at(place.saturating_add(16))?) else {
            return Ok(place > 0);
        };
        let size = u64::from_le_bytes(size);
        match name {
            // Its objects follow.
            ASF_HEADER => {
                place = place.saturating_add(30);
                continue;
            }
            ASF_PROPERTIES => {
                let fields = (bytes.at(place.saturating_add(56))?, bytes.at(place.saturating_add(88))?);
                if let (Some(count), Some([f0, _, _, _, s0, s1, s2, s3])) = fields {
                    let is_broadcast = f0 & 1 != 0;
                    let num_bytes = u64::from(u32::from_le_bytes([s0, s1, s2, s3]));
                    packets =
                        Some(u64::from_le_bytes(count).saturating_mul(num_bytes)).filter(|_| !is_broadcast);
                }
            }
            ASF_DATA => {
                let end = packets.map(|packets| place.saturating_add(50).saturating_add(packets));
                return Ok(end.is_some_and(|end| end > bytes.end()));
            }
            _ => {}
        }
        if size < 24 {
            return Ok(false);
        }
        place = place.saturating_add(size);
    }
    Ok(false)
}

/// Matroska: elements of a stated size end with the file at the latest (RFC 8794, section 6).
pub(super) fn is_matroska_cut(bytes: &Bytes<'_>) -> Result<bool> {
    const SEGMENT: u64 = 0x1853_8067;
    const CLUSTER: u64 = 0x1f43_b675;
    let mut place = 0u64;
    for _ in 0..MAX_ELEMENTS {
        let head = bytes.up_to(place, 12)?;
        let Some((name, name_bytes)) = element_number(&head, false) else { return Ok(false) };
        let size = head.get(name_bytes..).unwrap_or_default();
        let Some((size, size_bytes)) = element_number(size, true) else { return Ok(!head.is_empty()) };
        let content = place.saturating_add((name_bytes + size_bytes) as u64);
        let unknown = (1u64 << (7 * size_bytes)) - 1;
        place = match (name, size == unknown) {
            // Its size says all, or nothing.
            (SEGMENT, false) => return Ok(content.saturating_add(size) > bytes.end()),
            (SEGMENT | CLUSTER, true) => content,
            (_, true) => return Ok(false),
            (_, false) => content.saturating_add(size),
        };
        if place >= bytes.end() {
            return Ok(place > bytes.end());
        }
    }
    Ok(false)
}

/// A number of variable length and its length; the mark of the length is part of identifiers, and not of sizes.
fn element_number(bytes: &[u8], is_size: bool) -> Option<(u64, usize)> {
    let first = *bytes.first()?;
    let num_bytes = first.leading_zeros() as usize + 1;
    let rest = bytes.get(1..num_bytes)?;
    let mark = if is_size { 0x80u8.checked_shr(first.leading_zeros()).unwrap_or(0) } else { 0 };
    Some((
        rest.iter().fold(u64::from(first & !mark), |number, byte| number << 8 | u64::from(*byte)),
        num_bytes,
    ))
}

/// MP4: the boxes of the file end with it (ISO/IEC 14496-12, section 4.2).
pub(super) fn is_mp4_cut(bytes: &Bytes<'_>) -> Result<bool> {
    let mut place = 0u64;
    for _ in 0..MAX_ELEMENTS {
        let Some([s0, s1, s2, s3, k0, k1, k2, k3]) = bytes.at(place)? else { return Ok(false) };
        let size = match u32::from_be_bytes([s0, s1, s2, s3]) {
            0 => return Ok(false),
            1 => match bytes.at(place.saturating_add(8))? {
                Some(size) => u64::from_be_bytes(size),
                None => return Ok(true),
            },
            size => u64::from(size),
        };
        // Other bytes may follow the boxes.
        let is_name = [k0, k1, k2, k3].iter().all(|byte| matches!(byte, b' '..=b'~' | 0xa9));
        if size < 8 || !is_name {
            return Ok(false);
        }
        place = place.saturating_add(size);
        if place >= bytes.end() {
            return Ok(place > bytes.end());
        }
    }
    Ok(false)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use mapwave_plugin::Input;

    use super::*;

    fn cut(format: &[u8], bytes: &[u8]) -> bool {
        let input = Input::from(bytes.to_vec());
        let is_cut = match format {
            b"ogg" => is_ogg_cut,
            b"asf" => is_asf_cut,
            b"matroska,webm" => is_matroska_cut,
            _ => is_mp4_cut,
        };
        is_cut(&Bytes(&input)).unwrap()
    }

    #[test]
    fn ogg_ends_with_a_flag() {
        let page = |flags: u8, num_bytes: u8| {
            let head = [b"OggS\0", &[flags][..], &[0; 20], &[1, num_bytes]].concat();
            [head, vec![7; usize::from(num_bytes)]].concat()
        };
        let whole = [page(2, 30), page(0, 100), page(4, 50)].concat();
        assert!(!cut(b"ogg", &whole));
        for num_bytes in [whole.len() - 1, whole.len() - 60, whole.len() - 78, 60] {
            assert!(cut(b"ogg", &whole[..num_bytes]), "{num_bytes}");
        }
        assert!(!cut(b"ogg", b""));
    }

    #[test]
    fn asf_has_as_many_packets_as_it_says() {
        let file = |flags: u8, num_packets: u64| {
            let mut properties = ASF_PROPERTIES.to_vec();
            properties.extend(104u64.to_le_bytes());
            properties.resize(56, 0);
            properties.extend(num_packets.to_le_bytes());
            properties.resize(88, 0);
            properties.extend([flags, 0, 0, 0, 100, 0, 0, 0, 100, 0, 0, 0]);
            properties.resize(104, 0);
            let header = [&ASF_HEADER[..], &134u64.to_le_bytes(), &[1, 0, 0, 0, 1, 2]].concat();
            [header, properties, ASF_DATA.to_vec(), 350u64.to_le_bytes().to_vec(), vec![0; 326]].concat()
        };
        assert!(!cut(b"asf", &file(0, 3)) && cut(b"asf", &file(0, 4)) && !cut(b"asf", &file(1, 4)));
        assert!(cut(b"asf", &file(0, 3)[..400]) && cut(b"asf", &file(0, 3)[..100]));
    }

    #[test]
    fn matroska_elements_end_with_the_file() {
        let ebml = b"\x1a\x45\xdf\xa3\x84abcd";
        let segment =
            |size: u8| [&ebml[..], b"\x18\x53\x80\x67", &[0x80 | size], &[0xec, 0x88], &[0; 8]].concat();
        assert!(!cut(b"matroska,webm", &segment(10)) && cut(b"matroska,webm", &segment(11)));
        // A live stream: only the blocks have sizes.
        let live = [&ebml[..], b"\x18\x53\x80\x67\xff\x1f\x43\xb6\x75\xff\xa3\x84abcd\xa3\x84abcd"].concat();
        assert!(!cut(b"matroska,webm", &live) && cut(b"matroska,webm", &live[..live.len() - 1]));
        assert!(!cut(b"matroska,webm", &live[..live.len() - 6]), "nothing says that more should come");
        assert_eq!(element_number(b"\x40\x02", true), Some((2, 2)));
        assert_eq!(
            (element_number(b"\x42\x82", false), element_number(b"", true)),
            (Some((0x4282, 2)), None)
        );
        assert_eq!((element_number(b"\0", true), element_number(b"\x40", true)), (None, None));
    }

    #[test]
    fn mp4_boxes_end_with_the_file() {
        let boxed =
            |size: u32, content: usize| [&size.to_be_bytes()[..], b"mdat", &vec![0; content]].concat();
        let large = [&1u32.to_be_bytes()[..], b"mdat", &40u64.to_be_bytes(), &[0; 24]].concat();
        const MP4: &[u8] = b"mov,mp4,m4a,3gp,3g2,mj2";
        assert!(!cut(MP4, &boxed(20, 12)) && cut(MP4, &boxed(20, 11)) && !cut(MP4, &boxed(0, 11)));
        assert!(!cut(MP4, &large) && cut(MP4, &large[..39]) && cut(MP4, &large[..12]));
        assert!(!cut(MP4, &[&boxed(20, 12)[..], &[0xff; 30]].concat()), "something else follows");
    }
}
