//! Vectors of eight numbers: what the transform needs of a processor.
//!
//! Every implementation has the same results, to the bit: none fuses a multiplication with an addition.

#![forbid(unsafe_code)]

/// The numbers of a vector.
pub(crate) const NUM_LANES: usize = 8;

/// A vector in memory.
pub(crate) type Block = [f32; NUM_LANES];

/// The instructions of a processor, which a value of this type proves to be there.
pub(crate) trait Simd: Copy {
    /// Eight numbers.
    type Lanes: Copy;

    fn load(self, from: &Block) -> Self::Lanes;

    fn store(self, lanes: Self::Lanes, to: &mut Block);

    fn splat(self, number: f32) -> Self::Lanes;

    fn add(self, one: Self::Lanes, other: Self::Lanes) -> Self::Lanes;

    fn sub(self, one: Self::Lanes, other: Self::Lanes) -> Self::Lanes;

    fn mul(self, one: Self::Lanes, other: Self::Lanes) -> Self::Lanes;

    fn negate(self, lanes: Self::Lanes) -> Self::Lanes;

    /// In reverse order.
    fn reverse(self, lanes: Self::Lanes) -> Self::Lanes;

    /// The first of both, then the second of both, and so on.
    fn interleave(self, one: Self::Lanes, other: Self::Lanes) -> (Self::Lanes, Self::Lanes);

    /// The reverse of [`interleave`](Self::interleave).
    fn deinterleave(self, one: Self::Lanes, other: Self::Lanes) -> (Self::Lanes, Self::Lanes);

    /// Rows as columns.
    fn transpose(self, rows: [Self::Lanes; NUM_LANES]) -> [Self::Lanes; NUM_LANES];
}

/// The instructions that every processor has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plain;

#[expect(clippy::indexing_slicing, reason = "lanes are numbered 0 to 7")]
impl Simd for Plain {
    type Lanes = Block;

    #[inline(always)]
    fn load(self, from: &Block) -> Block {
        *from
    }

    #[inline(always)]
    fn store(self, lanes: Block, to: &mut Block) {
        *to = lanes;
    }

    #[inline(always)]
    fn splat(self, number: f32) -> Block {
        [number; NUM_LANES]
    }

    #[inline(always)]
    fn add(self, one: Block, other: Block) -> Block {
        std::array::from_fn(|lane| one[lane] + other[lane])
    }

    #[inline(always)]
    fn sub(self, one: Block, other: Block) -> Block {
        std::array::from_fn(|lane| one[lane] - other[lane])
    }

    #[inline(always)]
    fn mul(self, one: Block, other: Block) -> Block {
        std::array::from_fn(|lane| one[lane] * other[lane])
    }

    #[inline(always)]
    fn negate(self, lanes: Block) -> Block {
        lanes.map(|number| -number)
    }

    #[inline(always)]
    fn reverse(self, lanes: Block) -> Block {
        std::array::from_fn(|lane| lanes[NUM_LANES - 1 - lane])
    }

    #[inline(always)]
    fn interleave(self, one: Block, other: Block) -> (Block, Block) {
        let at = |place: usize| if place.is_multiple_of(2) { one[place / 2] } else { other[place / 2] };
        (std::array::from_fn(at), std::array::from_fn(|lane| at(NUM_LANES + lane)))
    }

    #[inline(always)]
    fn deinterleave(self, one: Block, other: Block) -> (Block, Block) {
        let at = |place: usize| if place < NUM_LANES { one[place] } else { other[place - NUM_LANES] };
        (std::array::from_fn(|lane| at(2 * lane)), std::array::from_fn(|lane| at(2 * lane + 1)))
    }

    #[inline(always)]
    fn transpose(self, rows: [Block; NUM_LANES]) -> [Block; NUM_LANES] {
        std::array::from_fn(|row| std::array::from_fn(|lane| rows[lane][row]))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Compares all operations with those of [`Plain`].
    pub(crate) fn check<S: Simd>(simd: S) {
        let block = |start: f32| -> Block { std::array::from_fn(|lane| start + (lane as f32).sin()) };
        let stored = |lanes: S::Lanes| {
            let mut to = [0.0; NUM_LANES];
            simd.store(lanes, &mut to);
            to
        };
        let (one, other) = (block(1.0), block(-2.5));
        let (a, b) = (simd.load(&one), simd.load(&other));
        assert_eq!(stored(a), one);
        assert_eq!(stored(simd.splat(0.3)), Plain.splat(0.3));
        assert_eq!(stored(simd.add(a, b)), Plain.add(one, other));
        assert_eq!(stored(simd.sub(a, b)), Plain.sub(one, other));
        assert_eq!(stored(simd.mul(a, b)), Plain.mul(one, other));
        assert_eq!(stored(simd.negate(a)), Plain.negate(one));
        assert_eq!(stored(simd.reverse(a)), Plain.reverse(one));
        let pair = |(a, b): (S::Lanes, S::Lanes)| (stored(a), stored(b));
        assert_eq!(pair(simd.interleave(a, b)), Plain.interleave(one, other));
        assert_eq!(pair(simd.deinterleave(a, b)), Plain.deinterleave(one, other));
        let rows: [Block; NUM_LANES] = std::array::from_fn(|row| block(row as f32));
        let transposed = simd.transpose(rows.map(|row| simd.load(&row)));
        assert_eq!(transposed.map(stored), Plain.transpose(rows));
    }

    #[test]
    fn lanes_are_where_they_should_be() {
        let (one, other): (Block, Block) =
            (std::array::from_fn(|lane| lane as f32), std::array::from_fn(|lane| lane as f32 + 10.0));
        let (low, high) = Plain.interleave(one, other);
        assert_eq!(low, [0.0, 10.0, 1.0, 11.0, 2.0, 12.0, 3.0, 13.0]);
        assert_eq!(high, [4.0, 14.0, 5.0, 15.0, 6.0, 16.0, 7.0, 17.0]);
        assert_eq!(Plain.deinterleave(low, high), (one, other));
        check(Plain);
    }
}
