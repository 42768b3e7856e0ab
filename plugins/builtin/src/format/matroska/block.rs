//! Blocks: the packets of one track at one time (RFC 9559, section 10).

#![forbid(unsafe_code)]

use std::ops::Range;

use super::ebml::VarInt;

/// The track's number and the positions of packets in a `SimpleBlock` or `Block`; `None` if its sizes are inconsistent.
pub(crate) fn packets(data: &[u8]) -> Option<(u64, Vec<Range<usize>>)> {
    let track = VarInt::read(data)?;
    let [_, _, flags] = *data.get(track.num_bytes..)?.first_chunk::<3>()?;
    let mut reader = Lace { data, position: track.num_bytes + 3 };
    let sizes = match flags >> 1 & 3 {
        0 => vec![],
        1 => reader.xiph()?,
        3 => reader.ebml()?,
        _ => reader.fixed()?,
    };
    let mut packets = Vec::with_capacity(sizes.len() + 1);
    let mut start = reader.position;
    for size in sizes {
        let end = start.checked_add(size).filter(|end| *end <= data.len())?;
        packets.push(start..end);
        start = end;
    }
    packets.push(start..data.len());
    Some((track.value, packets))
}

/// The lacing between a block's header and its packets: the sizes of all but the last, which takes the rest.
struct Lace<'a> {
    data: &'a [u8],
    position: usize,
}

impl Lace<'_> {
    fn byte(&mut self) -> Option<usize> {
        let byte = *self.data.get(self.position)?;
        self.position += 1;
        Some(byte.into())
    }

    /// Section 10.3.2: each size is a sum of bytes, all 255 but the last.
    fn xiph(&mut self) -> Option<Vec<usize>> {
        let num_sizes = self.byte()?;
        (0..num_sizes).map(|_| self.xiph_size()).collect()
    }

    fn xiph_size(&mut self) -> Option<usize> {
        let mut size = 0;
        loop {
            let byte = self.byte()?;
            size += byte;
            if byte < 255 {
                return Some(size);
            }
        }
    }

    /// Section 10.3.3: the first size, then how much each is larger than the one before.
    fn ebml(&mut self) -> Option<Vec<usize>> {
        let num_sizes = self.byte()?;
        let mut sizes: Vec<usize> = Vec::with_capacity(num_sizes);
        for _ in 0..num_sizes {
            let number = VarInt::read(self.data.get(self.position..)?)?;
            self.position += number.num_bytes;
            let size = match sizes.last() {
                None => usize::try_from(number.value).ok()?,
                Some(last) => last.checked_add_signed(isize::try_from(number.signed()).ok()?)?,
            };
            sizes.push(size);
        }
        Some(sizes)
    }

    /// Section 10.3.4: all packets have the same size. A byte would make 256 empty ones.
    fn fixed(&mut self) -> Option<Vec<usize>> {
        let num_sizes = self.byte()?;
        let rest = self.data.len().checked_sub(self.position)?;
        let num_packets = num_sizes + 1;
        let is_consistent = rest % num_packets == 0 && (rest > 0 || num_sizes == 0);
        is_consistent.then(|| vec![rest / num_packets; num_sizes])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(block: &[u8]) -> Option<Vec<usize>> {
        let (track, packets) = packets(block)?;
        assert_eq!(track, 1);
        assert_eq!(packets.last()?.end, block.len());
        Some(packets.iter().map(Range::len).collect())
    }

    fn block(flags: u8, lace: &[u8], num_bytes: usize) -> Vec<u8> {
        [&[0x81, 0, 0, flags], lace, &vec![7; num_bytes]].concat()
    }

    #[test]
    fn every_lacing() {
        // The example of section 10.3: packets of 800, 500 and 1000 bytes.
        let expected = Some(vec![800, 500, 1000]);
        assert_eq!(sizes(&block(0x02, &[2, 255, 255, 255, 35, 255, 245], 2300)), expected);
        assert_eq!(sizes(&block(0x06, &[2, 0x43, 0x20, 0x5e, 0xd3], 2300)), expected);
        assert_eq!(sizes(&block(0x04, &[2], 2400)), Some(vec![800; 3]));
        assert_eq!(sizes(&block(0x80, &[], 100)), Some(vec![100]));
    }

    #[test]
    fn contradictions() {
        assert_eq!(sizes(&block(0x02, &[1, 200], 100)), None);
        assert_eq!(sizes(&block(0x06, &[2, 0x85, 0x80], 100)), None);
        assert_eq!(sizes(&block(0x04, &[2], 100)), None);
        assert_eq!(sizes(&block(0x04, &[255], 0)), None);
        for block in [&[][..], &[0x81], &[0x81, 0, 0], &[0x81, 0, 0, 2], &[0x81, 0, 0, 2, 1, 255]] {
            assert_eq!(packets(block), None);
        }
    }
}
