//! The pages of Ogg (RFC 3533, section 6).

use std::io;
use std::ops::Range;

use crate::bytes::Bytes;
use crate::error::Result;
use crate::input::{self, ReadAt};

/// The page begins within a packet.
pub(crate) const CONTINUED: u8 = 1;
/// The first page of a stream.
pub(crate) const FIRST: u8 = 2;

/// The bytes of a header before its segments.
const HEADER_BYTES: u64 = 27;

/// Where the number and the checksum of a page are.
const NUMBER: Range<usize> = 18..22;
const CHECKSUM: Range<usize> = 22..26;

/// A page.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) offset: u64,
    pub(crate) flags: u8,
    pub(crate) serial: u32,
    pub(crate) number: u32,
    /// The sizes of its segments.
    pub(crate) segments: Vec<u8>,
}

impl Page {
    pub(crate) fn read(input: &dyn ReadAt, offset: u64) -> Result<Option<Self>> {
        let head = input::up_to(input, offset, HEADER_BYTES + 255)?;
        let mut bytes = Bytes(&head);
        let parse = || {
            let (b"OggS", 0) = (&bytes.array::<4>()?, bytes.u8()?) else { return None };
            let flags = bytes.u8()?;
            bytes.u64_le()?;
            let (serial, number, _) = (bytes.u32_le()?, bytes.u32_le()?, bytes.u32_le()?);
            let num_segments = bytes.u8()?;
            let segments = bytes.take(num_segments.into())?.to_vec();
            Some(Self { offset, flags, serial, number, segments })
        };
        let mut parse = parse;
        Ok(parse().filter(|page| page.end() <= input.num_bytes()))
    }

    pub(crate) fn header_bytes(&self) -> u64 {
        HEADER_BYTES + self.segments.len() as u64
    }

    pub(crate) fn body_bytes(&self) -> u64 {
        self.segments.iter().map(|segment| u64::from(*segment)).sum()
    }

    pub(crate) fn end(&self) -> u64 {
        self.offset + self.header_bytes() + self.body_bytes()
    }

    pub(crate) fn body(&self, input: &dyn ReadAt) -> Result<Vec<u8>> {
        Ok(input::bytes(input, self.offset + self.header_bytes(), self.body_bytes())?.into_owned())
    }

    /// The page with another body of the same size.
    pub(crate) fn with_body(&self, input: &dyn ReadAt, body: &[u8]) -> Result<Vec<u8>> {
        let mut page = input::bytes(input, self.offset, self.header_bytes())?.into_owned();
        page.extend_from_slice(body);
        seal(&mut page);
        Ok(page)
    }
}

/// Sets the checksum of a page.
fn seal(page: &mut [u8]) {
    set(page, CHECKSUM, 0);
    let sum = checksum(page);
    set(page, CHECKSUM, sum);
}

fn set(page: &mut [u8], place: Range<usize>, value: u32) {
    if let Some(field) = page.get_mut(place) {
        field.copy_from_slice(&value.to_le_bytes());
    }
}

/// The checksum of a page: the polynomial 0x04c11db7 from the highest bit on, without inversions.
fn checksum(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = table();
    let step = |sum: u32, byte: &u8| {
        let index = (sum >> 24) as u8 ^ byte;
        sum << 8 ^ TABLE.get(usize::from(index)).copied().unwrap_or(0)
    };
    bytes.iter().fold(0, step)
}

#[allow(clippy::indexing_slicing, clippy::cast_possible_truncation)] // a const fn; the index is below the length
const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut sum = (index as u32) << 24;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum & 0x8000_0000 != 0 { sum << 1 ^ 0x04c1_1db7 } else { sum << 1 };
            bit += 1;
        }
        table[index] = sum;
        index += 1;
    }
    table
}

/// Pages of a stream with these packets, each of which ends at position 0; numbered from `first` on.
#[allow(clippy::cast_possible_truncation)] // a segment has at most 255 bytes
pub(crate) fn pages(packets: &[Vec<u8>], serial: u32, first: u32) -> Vec<Vec<u8>> {
    // The segments of all packets: whole ones of 255 bytes, then one that ends the packet.
    let mut segments: Vec<(&[u8], bool)> = Vec::new();
    for packet in packets {
        let (whole, rest) = packet.split_at(packet.len() - packet.len() % 255);
        segments.extend(whole.chunks(255).map(|segment| (segment, false)));
        segments.push((rest, true));
    }
    let (mut pages, mut is_continued) = (Vec::new(), false);
    for (number, part) in (0_u32..).zip(segments.chunks(255)) {
        let ends = part.iter().any(|(_, is_last)| *is_last);
        let mut page = b"OggS\0".to_vec();
        page.push(if is_continued { CONTINUED } else { 0 });
        // A page in which no packet ends has no position.
        page.extend(if ends { [0; 8] } else { [0xff; 8] });
        page.extend(serial.to_le_bytes());
        page.extend(first.wrapping_add(number).to_le_bytes());
        page.extend([0; 4]);
        page.push(part.len() as u8);
        page.extend(part.iter().map(|(segment, _)| segment.len() as u8));
        page.extend(part.iter().flat_map(|(segment, _)| segment.iter()));
        seal(&mut page);
        pages.push(page);
        is_continued = !part.last().is_some_and(|(_, is_last)| *is_last);
    }
    pages
}

/// Passes pages on, with `added` to the numbers of those of one stream up to the next stream of its name.
pub(crate) fn renumbered(
    input: &dyn ReadAt,
    range: Range<u64>,
    serial: u32,
    added: u32,
    write: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> Result<()> {
    let (mut offset, mut is_same) = (range.start, true);
    while offset < range.end {
        let Some(page) = Page::read(input, offset)?.filter(|page| page.end() <= range.end) else {
            // Damage: it stays as it is, up to the next page.
            let next = resynchronised(input, offset + 1, range.end)?;
            write(&input::bytes(input, offset, next - offset)?)?;
            offset = next;
            continue;
        };
        let mut bytes = input::bytes(input, offset, page.end() - offset)?.into_owned();
        is_same &= !(page.flags & FIRST != 0 && page.serial == serial);
        if is_same && page.serial == serial {
            set(&mut bytes, NUMBER, page.number.wrapping_add(added));
            seal(&mut bytes);
        }
        write(&bytes)?;
        offset = page.end();
    }
    Ok(())
}

/// The next place from `offset` on that looks like a page, or the end.
fn resynchronised(input: &dyn ReadAt, mut offset: u64, end: u64) -> Result<u64> {
    while offset + 4 <= end {
        let part = input::bytes(input, offset, (end - offset).min(65_536))?;
        if let Some(at) = part.windows(4).position(|window| window == b"OggS") {
            return Ok(offset + at as u64);
        }
        offset += part.len() as u64 - 3;
    }
    Ok(end)
}
