//! Residuals as Rice codes (RFC 9639, section 9.2.7).
//!
//! A Rice code with parameter k gives a number n, a residual whose sign is folded into its lowest bit, `(n >> k) + 1 + k` bits.
//! The best k is near the binary logarithm of the mean. Loudness changes within a block, so the block is cut into 2^order
//! partitions of one size with a parameter each.
//!
//! The search needs only the sum S of the numbers in each partition. Summed over N numbers, n >> k is (S - R) / 2^k, where R is
//! the sum of the remainders. These are close to evenly distributed over 0..2^k, so R is about N (2^k - 1) / 2, and the size is
//! N (1 + k) + (S - R) / 2^k. Two partitions join into one of a coarser partitioning by adding their sums, so the residuals are
//! read once for all orders.

#![forbid(unsafe_code)]

use crate::encode::bit_writer::{BitWriter, fold};

/// The highest order that is searched: 2^6 partitions.
const MAX_ORDER: u32 = 6;

/// The most partitions.
const MAX_PARTITIONS: usize = 1 << MAX_ORDER;

/// The largest parameter of four bits; 15 is the escape code.
const MAX_NARROW_PARAMETER: u32 = 14;

/// The largest parameter of five bits; 31 is the escape code.
const MAX_PARAMETER: u32 = 30;

/// How residuals are divided into partitions, and the parameter of each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Partitioning {
    order: u32,
    parameters: [u8; MAX_PARTITIONS],
    /// About how many bits the residuals take.
    pub(crate) num_bits: u64,
}

impl Partitioning {
    /// The partitioning that takes the fewest bits. The block has `block_size` samples, of which the first ones, as many as
    /// the predictor's order, have no residual.
    #[inline(always)]
    pub(crate) fn find(residuals: &[i32], block_size: usize, max_order: u32) -> Self {
        let predictor_order = block_size - residuals.len();
        let splits =
            |order: u32| block_size.trailing_zeros() >= order && block_size >> order > predictor_order;
        let finest = (0..=max_order.min(MAX_ORDER)).rev().find(|order| splits(*order)).unwrap_or(0);
        let mut sums = [0_u64; MAX_PARTITIONS];
        for (sum, partition) in sums.iter_mut().zip(partitions(residuals, block_size, finest)) {
            *sum = sum_of_folded(partition);
        }
        let mut best = Self::with_sums(&sums, finest, block_size, predictor_order);
        for order in (0..finest).rev() {
            for partition in 0..1 << order {
                let pair = sums.get(2 * partition..2 * partition + 2).unwrap_or_default();
                let sum = pair.iter().sum();
                sums.iter_mut().skip(partition).take(1).for_each(|place| *place = sum);
            }
            let coarser = Self::with_sums(&sums, order, block_size, predictor_order);
            if coarser.num_bits < best.num_bits {
                best = coarser;
            }
        }
        best
    }

    /// The parameters for partitions whose folded residuals have these sums.
    #[inline(always)]
    fn with_sums(
        sums: &[u64; MAX_PARTITIONS],
        order: u32,
        block_size: usize,
        predictor_order: usize,
    ) -> Self {
        let mut parameters = [0; MAX_PARTITIONS];
        let mut num_bits = 0;
        let mut num_codes = (block_size >> order) - predictor_order;
        for (place, sum) in parameters.iter_mut().zip(sums).take(1 << order) {
            let (parameter, bits) = best_parameter(*sum, num_codes as u64);
            *place = parameter;
            num_bits += bits;
            num_codes = block_size >> order;
        }
        let mut found = Self { order, parameters, num_bits };
        found.num_bits += 6 + (u64::from(found.parameter_bits()) << order);
        found
    }

    fn used(&self) -> &[u8] {
        self.parameters.get(..1 << self.order).unwrap_or_default()
    }

    /// The width of a parameter.
    fn parameter_bits(&self) -> u32 {
        let is_narrow = self.used().iter().all(|parameter| u32::from(*parameter) <= MAX_NARROW_PARAMETER);
        if is_narrow { 4 } else { 5 }
    }

    /// Writes the residuals for which the partitioning was found.
    #[inline(always)]
    pub(crate) fn write(&self, residuals: &[i32], block_size: usize, writer: &mut BitWriter) {
        let parameter_bits = self.parameter_bits();
        writer.write(u64::from(parameter_bits - 4), 2);
        writer.write(self.order.into(), 4);
        for (parameter, partition) in self.used().iter().zip(partitions(residuals, block_size, self.order)) {
            writer.write((*parameter).into(), parameter_bits);
            writer.write_rice(partition, (*parameter).into());
        }
    }
}

/// The residuals of each partition. All partitions have one size, but the first lacks the samples without a residual.
#[inline(always)]
fn partitions(residuals: &[i32], block_size: usize, order: u32) -> impl Iterator<Item = &[i32]> {
    let size = block_size >> order;
    let (first, rest) =
        residuals.split_at(size.saturating_sub(block_size - residuals.len()).min(residuals.len()));
    std::iter::once(first).chain(rest.chunks(size.max(1)))
}

/// The sum of the residuals with their signs folded into the lowest bit.
#[inline(always)]
fn sum_of_folded(residuals: &[i32]) -> u64 {
    // A vector adds twice as many sums of 32 bits, and these do not overflow for ordinary residuals.
    let (mut sum, mut union) = (0_u32, 0);
    for residual in residuals {
        let folded = fold(*residual);
        sum = sum.wrapping_add(folded);
        union |= folded;
    }
    if u64::from(union) * residuals.len() as u64 <= u32::MAX.into() {
        return sum.into();
    }
    residuals.iter().map(|residual| u64::from(fold(*residual))).sum()
}

/// About how many bits `num_residuals` residuals take in one partition, when their absolute values have this sum.
pub(crate) fn least_bits(absolute_sum: u64, num_residuals: usize) -> u64 {
    let (_, bits) = best_parameter(absolute_sum.saturating_mul(2), num_residuals as u64);
    bits
}

/// The parameter that takes the fewest bits for `num_codes` numbers with this sum, and about how many bits that is.
#[inline(always)]
fn best_parameter(sum: u64, num_codes: u64) -> (u8, u64) {
    let guess = sum.max(1).ilog2().saturating_sub(num_codes.max(1).ilog2()).min(MAX_PARAMETER);
    let mut best = (0, u64::MAX);
    for parameter in guess.saturating_sub(1)..=(guess + 1).min(MAX_PARAMETER) {
        let bits = expected_bits(sum, num_codes, parameter);
        if bits < best.1 {
            best = (parameter, bits);
        }
    }
    (u8::try_from(best.0).unwrap_or(0), best.1)
}

/// The size derived above, with remainders taken as evenly distributed.
#[inline(always)]
fn expected_bits(sum: u64, num_codes: u64, parameter: u32) -> u64 {
    let remainders = (num_codes << parameter).saturating_sub(num_codes) >> 1;
    num_codes * u64::from(1 + parameter) + (sum.saturating_sub(remainders) >> parameter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::Noise;

    fn exact_bits(residuals: &[i32], parameter: u32) -> u64 {
        residuals
            .iter()
            .map(|residual| u64::from(fold(*residual) >> parameter) + 1 + u64::from(parameter))
            .sum()
    }

    /// Residuals of a Laplacian distribution.
    #[expect(clippy::cast_possible_truncation, reason = "the cast saturates")]
    fn residuals(num_residuals: u32, scale: f64) -> Vec<i32> {
        let mut noise = Noise(1);
        let mut one = || {
            let level = noise.level();
            (-level.signum() * (1.0 - 2.0 * level.abs()).max(1e-9).ln() * scale) as i32
        };
        (0..num_residuals).map(|_| one()).collect()
    }

    #[test]
    fn the_parameter_is_within_a_hundredth_of_the_best() {
        for scale in [0.0, 0.2, 1.0, 3.0, 50.0, 3000.0, 1e6, 1e8] {
            let residuals = residuals(1000, scale);
            let sum = residuals.iter().map(|residual| u64::from(fold(*residual))).sum();
            let (parameter, _) = best_parameter(sum, 1000);
            let best =
                (0..=MAX_PARAMETER).map(|parameter| exact_bits(&residuals, parameter)).min().unwrap_or(0);
            let found = exact_bits(&residuals, parameter.into());
            assert!(found as f64 <= best as f64 * 1.01, "scale {scale}: {found} bits, best {best}");
        }
    }

    #[test]
    fn what_is_written_is_about_as_long_as_expected() {
        let mut both = residuals(2048, 5.0);
        both.extend(residuals(2048, 900.0));
        for (num_missing, num_residuals, max_order) in
            [(0, 4096, 0), (3, 4093, 5), (12, 4084, 8), (0, 2048, 6)]
        {
            let residuals = both.get(num_missing..num_missing + num_residuals).unwrap_or_default();
            let block_size = residuals.len().next_multiple_of(2048);
            let found = Partitioning::find(residuals, block_size, max_order);
            let mut writer = BitWriter::default();
            found.write(residuals, block_size, &mut writer);
            let num_bits = writer.bytes().len() as f64 * 8.0;
            assert!((num_bits / found.num_bits as f64 - 1.0).abs() < 0.04, "{num_bits} {}", found.num_bits);
        }
    }

    #[test]
    fn sums_do_not_overflow() {
        for largest in [1, 1 << 10, 1 << 20, 1 << 29, i32::MAX] {
            let residuals: Vec<i32> =
                (0..5000).map(|n| if n % 3 == 0 { -largest } else { largest }).collect();
            let expected: u64 = residuals.iter().map(|residual| u64::from(fold(*residual))).sum();
            assert_eq!(sum_of_folded(&residuals), expected);
        }
    }

    #[test]
    fn loud_and_quiet_halves_are_parted() {
        let mut both = residuals(2048, 5.0);
        both.extend(residuals(2048, 900.0));
        let parted = Partitioning::find(&both, 4096, 6);
        let whole = Partitioning::find(&both, 4096, 0);
        assert!(parted.order >= 1 && parted.num_bits * 11 < whole.num_bits * 10);
    }

    #[test]
    fn partitions_are_whole_and_longer_than_the_predictor() {
        for (num_residuals, block_size, order) in
            [(4095, 4096, 6), (4090, 4096, 6), (15, 16, 4), (4, 16, 0), (4093, 4095, 0)]
        {
            let found = Partitioning::find(&residuals(num_residuals, 9.0), block_size, 6);
            assert!(found.order <= order, "{block_size}: {}", found.order);
            let residuals = residuals(num_residuals, 9.0);
            let sizes: Vec<usize> = partitions(&residuals, block_size, order).map(<[i32]>::len).collect();
            assert_eq!(sizes.iter().sum::<usize>(), residuals.len());
            assert!(sizes.iter().skip(1).all(|size| *size == block_size >> order));
        }
    }
}
