//! The lines of a channel: runs of codes, of one packet, or of two at a time.
//!
//! Where a code ends is known only when it has been read, so that reading waits for itself. While it does, the processor reads
//! those of another packet.

#![forbid(unsafe_code)]

use mapwave_codec_base::BitReader;

use crate::huffman::{BOOKS, Book};

/// Lines of one codebook. Both ends are multiples of four.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Run {
    /// 1 to 11.
    pub(crate) book: u8,
    pub(crate) start: u16,
    pub(crate) end: u16,
}

/// The lines of a channel, and where they are put, in the order of the packet.
pub(crate) struct Spectrum<'a, 'l> {
    pub(crate) bits: BitReader<'a>,
    pub(crate) lines: &'l mut [f32],
    pub(crate) runs: std::slice::Iter<'l, Run>,
    /// What is left of the last run.
    current: Run,
}

impl<'a, 'l> Spectrum<'a, 'l> {
    pub(crate) fn new(bits: BitReader<'a>, lines: &'l mut [f32], runs: &'l [Run]) -> Self {
        Self { bits, lines, runs: runs.iter(), current: Run::default() }
    }

    /// Makes the next run current where one is done; `None` at the end.
    #[inline(always)]
    fn book(&mut self) -> Option<&'static Book> {
        while self.current.start >= self.current.end {
            self.current = *self.runs.next()?;
        }
        BOOKS.get(usize::from(self.current.book).wrapping_sub(1))
    }

    /// The next quads of the current run, which are no longer part of it.
    #[inline(always)]
    fn take(&mut self, num_quads: usize) -> &mut [[f32; 4]] {
        let start = usize::from(self.current.start);
        #[expect(clippy::cast_possible_truncation, reason = "less than the run is long")]
        let end = self.current.start + num_quads as u16 * 4;
        self.current.start = end;
        self.lines.get_mut(start..usize::from(end)).unwrap_or_default().as_chunks_mut().0
    }

    #[inline(always)]
    fn num_quads(&self) -> usize {
        usize::from((self.current.end - self.current.start) / 4)
    }
}

/// Reads two channels together as far as both go.
#[inline(always)]
pub(crate) fn read_two(one: &mut Spectrum<'_, '_>, two: &mut Spectrum<'_, '_>) {
    while let (Some(book_one), Some(book_two)) = (one.book(), two.book()) {
        let num_quads = one.num_quads().min(two.num_quads());
        match (book_one.is_quad, book_two.is_quad) {
            (true, true) => read_side_by_side::<true, true>(one, two, book_one, book_two, num_quads),
            (true, false) => read_side_by_side::<true, false>(one, two, book_one, book_two, num_quads),
            (false, true) => read_side_by_side::<false, true>(one, two, book_one, book_two, num_quads),
            (false, false) => read_side_by_side::<false, false>(one, two, book_one, book_two, num_quads),
        }
    }
}

#[inline(always)]
fn read_side_by_side<const ONE_IS_QUAD: bool, const TWO_IS_QUAD: bool>(
    one: &mut Spectrum<'_, '_>,
    two: &mut Spectrum<'_, '_>,
    book_one: &Book,
    book_two: &Book,
    num_quads: usize,
) {
    let (mut bits_one, mut bits_two) = (one.bits, two.bits);
    for (to_one, to_two) in one.take(num_quads).iter_mut().zip(two.take(num_quads)) {
        *to_one = book_one.read::<ONE_IS_QUAD>(&mut bits_one);
        *to_two = book_two.read::<TWO_IS_QUAD>(&mut bits_two);
    }
    (one.bits, two.bits) = (bits_one, bits_two);
}

/// Reads what is left of a channel.
#[inline(always)]
pub(crate) fn read(channel: &mut Spectrum<'_, '_>) {
    while let Some(book) = channel.book() {
        let num_quads = channel.num_quads();
        if book.is_quad {
            read_alone::<true>(channel, book, num_quads);
        } else {
            read_alone::<false>(channel, book, num_quads);
        }
    }
}

#[inline(always)]
fn read_alone<const IS_QUAD: bool>(channel: &mut Spectrum<'_, '_>, book: &Book, num_quads: usize) {
    let mut bits = channel.bits;
    for to in channel.take(num_quads) {
        *to = book.read::<IS_QUAD>(&mut bits);
    }
    channel.bits = bits;
}
