//! Finds frames among other bytes, as a chain of consistent headers.

use memchr::memchr;

use super::header::Header;

/// The headers in a row that confirm a stream: random bytes have such a chain once in 10^20.
const CHAIN: usize = 4;
/// The largest frame of free bitrate that is searched for and that the decoder accepts.
pub(crate) const MAX_FREE_BYTES: usize = 2303;

/// A frame, with everything needed to find the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sync {
    /// The offset of the frame.
    pub(crate) at: usize,
    /// Its header.
    pub(crate) header: Header,
    /// The size of an unpadded frame if the bitrate is free, or else 0.
    pub(crate) free_bytes: usize,
}

/// A chain of headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chain {
    /// Their number, up to the requested limit.
    pub(crate) num_headers: usize,
    /// Whether the bytes end with the last frame, which is complete.
    pub(crate) is_to_end: bool,
}

impl Sync {
    /// The headers from this frame on, at most `max_headers`.
    pub(crate) fn chain(self, bytes: &[u8], max_headers: usize) -> Chain {
        let (mut at, mut header) = (self.at, self.header);
        for num_headers in 1..=max_headers {
            at += header.num_bytes(self.free_bytes);
            if at == bytes.len() {
                return Chain { num_headers, is_to_end: true };
            }
            match bytes.get(at..).and_then(Header::parse) {
                Some(next) if self.header.is_consistent(next) => header = next,
                _ => return Chain { num_headers, is_to_end: false },
            }
        }
        Chain { num_headers: max_headers, is_to_end: false }
    }

    /// The first frame of a stream, searched from `start` on. Directly after tags a frame is expected, and one that
    /// follows is enough to confirm it; further on, confirmation takes more. Frames of free bitrate are accepted only
    /// directly after tags, because noise often looks like them.
    pub(crate) fn first(bytes: &[u8], start: usize) -> Option<Self> {
        let mut at = start;
        while let Some(header) = next_header(bytes, &mut at) {
            let free_bytes = if header.is_free_format() {
                (at == start).then(|| free_frame_bytes(bytes, at, header)).flatten()
            } else {
                Some(0)
            };
            if let Some(free_bytes) = free_bytes {
                let sync = Self { at, header, free_bytes };
                let chain = sync.chain(bytes, CHAIN);
                let enough = if at == start { 2 } else { CHAIN };
                if chain.num_headers >= enough || chain.is_to_end && (at == start || chain.num_headers > 1) {
                    return Some(sync);
                }
            }
            at += 1;
        }
        None
    }

    /// The next frame of the same stream from `start` on, or what precedes it.
    pub(crate) fn again(self, bytes: &[u8], start: usize) -> Again {
        let mut at = start;
        while let Some(header) = next_header(bytes, &mut at) {
            let sync = Self { at, header, free_bytes: self.free_bytes };
            if self.header.is_consistent(header) {
                let chain = sync.chain(bytes, 2);
                if chain.num_headers >= 2 || chain.is_to_end {
                    return Again::Found(at);
                }
            } else if !header.is_free_format() {
                let sync = Self { free_bytes: 0, ..sync };
                let chain = sync.chain(bytes, CHAIN);
                if chain.num_headers == CHAIN {
                    return Again::Other(sync);
                }
            }
            at += 1;
        }
        Again::None
    }
}

/// The result of the search for the next frame of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// A frame of the stream.
    Found(usize),
    /// The beginning of a stream of another version, layer or sampling frequency.
    Other(Sync),
    /// Neither.
    None,
}

/// The next valid header from `at` on, which advances to it.
fn next_header(bytes: &[u8], at: &mut usize) -> Option<Header> {
    loop {
        let rest = bytes.get(*at..)?;
        let found = memchr(0xFF, rest)?;
        *at += found;
        if let Some(header) = rest.get(found..).and_then(Header::parse) {
            return Some(header);
        }
        *at += 1;
    }
}

/// The size of an unpadded frame of free bitrate that begins at `at`: the distance to the next header, which a third at the
/// same distance confirms.
fn free_frame_bytes(bytes: &[u8], at: usize, header: Header) -> Option<usize> {
    let frame = bytes.get(at..)?;
    let first = header.main_data_start().max(header.padding_bytes() + 1);
    let found = |distance: usize| {
        let next = Header::parse(frame.get(distance..)?).filter(|next| header.is_consistent(*next))?;
        let unpadded = distance - header.padding_bytes();
        let after = distance + unpadded + next.padding_bytes();
        let is_confirmed = after == frame.len()
            || Header::parse(frame.get(after..)?).is_some_and(|third| header.is_consistent(third));
        (is_confirmed && unpadded <= MAX_FREE_BYTES).then_some(unpadded)
    };
    (first..=MAX_FREE_BYTES + 4).find_map(found)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]
mod tests {
    use super::*;

    fn first(bytes: &[u8]) -> Option<Sync> {
        Sync::first(bytes, 0)
    }

    const HEADER: [u8; 4] = [0xFF, 0xFB, 0x90, 0x64];

    fn frames(header: [u8; 4], num_bytes: usize, count: usize) -> Vec<u8> {
        [header.as_slice(), &vec![0x55; num_bytes - 4]].concat().repeat(count)
    }

    #[test]
    fn a_frame_where_it_is_expected_needs_one_more() {
        assert!(first(&frames(HEADER, 417, 1)).is_some(), "a whole file of one frame");
        assert!(first(&[frames(HEADER, 417, 1), vec![1; 50]].concat()).is_none());
        assert!(first(&[frames(HEADER, 417, 2), vec![1; 50]].concat()).is_some());
        assert!(first(&[vec![1; 50], frames(HEADER, 417, 3), vec![1; 50]].concat()).is_none());
        let found = first(&[vec![0xFF; 50], frames(HEADER, 417, 4), vec![1; 50]].concat()).unwrap();
        assert_eq!(found.at, 50);
    }

    #[test]
    fn the_size_of_free_frames_is_found() {
        let free = [0xFF, 0xFB, 0x00, 0x64];
        let found = first(&frames(free, 1234, 5)).unwrap();
        assert_eq!((found.at, found.free_bytes), (0, 1234));
        assert!(first(&frames(free, 3000, 5)).is_none());
    }

    #[test]
    fn another_stream_is_told_from_noise() {
        let first = first(&frames(HEADER, 417, 4)).unwrap();
        let other = [0xFF, 0xF3, 0x80, 0x64]; // MPEG-2 at 22.05 kHz and 64 kbit/s: 208 bytes
        let bytes = [vec![0; 9], frames(other, 208, 4), frames(HEADER, 417, 2)].concat();
        assert!(matches!(first.again(&bytes, 0), Again::Other(sync) if sync.at == 9));
        let bytes = [vec![0; 9], frames(other, 208, 2), frames(HEADER, 417, 2)].concat();
        assert_eq!(first.again(&bytes, 0), Again::Found(9 + 416));
        assert_eq!(first.again(&[0xFF; 1000], 0), Again::None);
    }
}
