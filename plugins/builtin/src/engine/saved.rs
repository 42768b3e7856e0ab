//! What a decoder keeps of a scan, as bytes: a tag of the format and its version, then numbers of seven bits a byte.

#![forbid(unsafe_code)]

/// Writes an index.
#[derive(Debug)]
pub(crate) struct Saver(Vec<u8>);

impl Saver {
    /// Begins with a tag.
    pub(crate) fn new(tag: &[u8; 8]) -> Self {
        Self(tag.to_vec())
    }

    /// Adds a number, the least significant bits first.
    pub(crate) fn number(&mut self, mut number: u64) {
        while number > 0x7f {
            self.0.push(number.to_le_bytes()[0] | 0x80);
            number >>= 7;
        }
        self.0.push(number.to_le_bytes()[0]);
    }

    /// Adds numbers that increase, after their number.
    pub(crate) fn list(&mut self, numbers: &[u32]) {
        self.number(numbers.len() as u64);
        let mut last = 0;
        for number in numbers {
            self.number(u64::from(number.wrapping_sub(last)));
            last = *number;
        }
    }

    /// Adds bytes.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// All bytes.
    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Reads an index, which may hold anything.
#[derive(Clone, Debug)]
pub(crate) struct Saved<'a>(&'a [u8]);

impl<'a> Saved<'a> {
    /// The bytes behind the tag, if they begin with it.
    pub(crate) fn new(bytes: &'a [u8], tag: &[u8; 8]) -> Option<Self> {
        bytes.strip_prefix(tag).map(Self)
    }

    /// How many bytes are left.
    pub(crate) fn num_bytes(&self) -> usize {
        self.0.len()
    }

    /// The next number.
    pub(crate) fn number(&mut self) -> Option<u64> {
        let (mut number, mut shift) = (0_u64, 0);
        loop {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f)
                .checked_shl(shift)
                .filter(|part| part >> shift == u64::from(byte & 0x7f))?;
            if byte & 0x80 == 0 {
                return Some(number);
            }
            shift += 7;
        }
    }

    /// The next number as one of fewer bits.
    pub(crate) fn small<T: TryFrom<u64>>(&mut self) -> Option<T> {
        T::try_from(self.number()?).ok()
    }

    /// The next list of numbers, which increase and lie below `end`.
    pub(crate) fn list(&mut self, end: u32) -> Option<Vec<u32>> {
        let count: usize = self.small()?;
        let mut numbers = Vec::with_capacity(count.min(self.num_bytes()));
        let mut last: Option<u32> = None;
        for _ in 0..count {
            let distance: u32 = self.small()?;
            let number = last.unwrap_or(0).checked_add(distance)?;
            if number >= end || last.is_some() && distance == 0 {
                return None;
            }
            last = Some(number);
            numbers.push(number);
        }
        Some(numbers)
    }

    /// The next bytes.
    pub(crate) fn bytes(&mut self, num_bytes: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(num_bytes)?;
        self.0 = rest;
        Some(taken)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_lists_come_back() {
        let mut saver = Saver::new(b"a test 1");
        let numbers = [0, 1, 127, 128, 1 << 35, u64::MAX];
        numbers.iter().for_each(|number| saver.number(*number));
        saver.list(&[0, 3, 4, 1000]);
        saver.bytes(b"end");
        let bytes = saver.finish();
        let mut saved = Saved::new(&bytes, b"a test 1").unwrap();
        assert!(numbers.iter().all(|number| saved.number() == Some(*number)));
        assert_eq!(saved.clone().list(1000), None);
        assert_eq!(saved.list(1001).unwrap(), [0, 3, 4, 1000]);
        assert_eq!((saved.bytes(4), saved.bytes(3), saved.number()), (None, Some(&b"end"[..]), None));
        assert!(Saved::new(&bytes, b"a test 2").is_none());
        // A number of more than 64 bits.
        assert_eq!(
            Saved::new(&[b"a test 1".as_slice(), &[0xff; 9], &[2]].concat(), b"a test 1").unwrap().number(),
            None
        );
    }
}
