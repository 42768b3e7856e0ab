//! Subframes: one channel of a block in the form that takes the fewest bits (RFC 9639, section 9.2).

#![forbid(unsafe_code)]

use crate::encode::bit_writer::BitWriter;
use crate::encode::level::Level;
use crate::encode::predictor::autocorrelation::autocorrelation;
use crate::encode::predictor::fixed;
use crate::encode::predictor::linear::{Candidate, Predictor, candidates};
use crate::encode::predictor::window::Weights;
use crate::encode::rice::{self, Partitioning};

/// The bits of a subframe's header, without the number of wasted bits.
const HEADER_BITS: u64 = 8;

/// One channel of a block, ready to be written.
#[derive(Debug, Default)]
pub(crate) struct Subframe {
    kind: Kind,
    /// The samples without their wasted bits, if they have any.
    shifted: Vec<i32>,
    /// The low bits that are zero in every sample, which are not stored (section 9.2.2).
    num_wasted: u32,
    residuals: Vec<i32>,
    /// About how many bits the subframe takes.
    num_bits: u64,
}

/// How samples are stored.
#[derive(Clone, Copy, Debug, Default)]
enum Kind {
    /// As one value that all samples have.
    #[default]
    Constant,
    /// Uncompressed.
    Verbatim,
    /// As residuals of the fixed predictor of an order.
    Fixed(usize, Partitioning),
    /// As residuals of a linear predictor.
    Linear(Predictor, Partitioning),
}

/// The working memory of the search for a subframe.
#[derive(Debug)]
pub(crate) struct Search {
    level: Level,
    weights: Weights,
    weighted: Vec<f32>,
    residuals: Vec<i32>,
}

impl Search {
    pub(crate) fn new(level: Level) -> Self {
        Self { level, weights: Weights::new(level.windows), weighted: Vec::new(), residuals: Vec::new() }
    }

    /// The most bytes that a search and `num_subframes` subframes allocate.
    pub(crate) fn num_bytes(level: Level, num_subframes: usize) -> u64 {
        let per_sample =
            size_of::<f32>() * (level.windows.len() + 1) + size_of::<i32>() * (1 + 2 * num_subframes);
        (level.block_size * per_sample) as u64
    }
}

impl Subframe {
    /// About how many bits it takes.
    pub(crate) fn num_bits(&self) -> u64 {
        self.num_bits
    }

    /// Finds the form in which the samples take the fewest bits.
    #[inline(always)]
    pub(crate) fn plan(&mut self, samples: &[i32], bits_per_sample: u32, search: &mut Search) {
        self.num_wasted = 0;
        let first = samples.first().copied().unwrap_or(0);
        if samples.iter().all(|sample| *sample == first) {
            self.kind = Kind::Constant;
            self.num_bits = HEADER_BITS + u64::from(bits_per_sample);
            return;
        }
        self.num_wasted = samples.iter().fold(0, |union, sample| union | sample).trailing_zeros();
        if self.num_wasted == 0 {
            self.predict(samples, bits_per_sample, search);
            return;
        }
        let mut shifted = std::mem::take(&mut self.shifted);
        shifted.clear();
        shifted.extend(samples.iter().map(|sample| sample >> self.num_wasted));
        self.predict(&shifted, bits_per_sample - self.num_wasted, search);
        self.num_bits += u64::from(self.num_wasted);
        self.shifted = shifted;
    }

    /// Finds the predictor whose residuals take the fewest bits.
    #[inline(always)]
    fn predict(&mut self, samples: &[i32], bits_per_sample: u32, search: &mut Search) {
        self.kind = Kind::Verbatim;
        self.num_bits = HEADER_BITS + samples.len() as u64 * u64::from(bits_per_sample);
        if samples.len() <= fixed::MAX_ORDER {
            return;
        }
        for window in 0..search.weights.num_windows() {
            let Some(predictor) = search.linear(window, samples, bits_per_sample) else { continue };
            if predictor.residuals(samples, bits_per_sample, &mut search.residuals) {
                let order = predictor.coefficients().len();
                let extra = 9 + order as u64 * u64::from(predictor.precision);
                self.keep_if_better(samples.len(), order, bits_per_sample, extra, search, |found| {
                    Kind::Linear(predictor, found)
                });
            }
        }
        let sums = fixed::absolute_sums(samples, bits_per_sample);
        let order = (0..sums.len()).min_by_key(|order| sums.get(*order)).unwrap_or(0);
        let sum = sums.get(order).copied().unwrap_or(0);
        // Partitions save at most an eighth or so over one parameter for all. If a linear predictor is better than that,
        // the exact size need not be known.
        if rice::least_bits(sum, samples.len()) / 8 * 7 < self.num_bits {
            fixed::residuals(samples, order, &mut search.residuals);
            self.keep_if_better(samples.len(), order, bits_per_sample, 0, search, |found| {
                Kind::Fixed(order, found)
            });
        }
    }

    /// Keeps the residuals of a search if they take fewer bits, together with the first `order` samples and `extra` bits.
    #[inline(always)]
    fn keep_if_better(
        &mut self,
        num_samples: usize,
        order: usize,
        bits_per_sample: u32,
        extra: u64,
        search: &mut Search,
        kind: impl FnOnce(Partitioning) -> Kind,
    ) {
        let found = Partitioning::find(&search.residuals, num_samples, search.level.max_partition_order);
        let num_bits = HEADER_BITS + extra + order as u64 * u64::from(bits_per_sample) + found.num_bits;
        if num_bits < self.num_bits {
            self.num_bits = num_bits;
            self.kind = kind(found);
            std::mem::swap(&mut self.residuals, &mut search.residuals);
        }
    }

    /// Writes the subframe of the samples for which it was planned.
    #[inline(always)]
    pub(crate) fn write(&self, samples: &[i32], bits_per_sample: u32, writer: &mut BitWriter) {
        let code = match self.kind {
            Kind::Constant => 0,
            Kind::Verbatim => 1,
            Kind::Fixed(order, _) => 8 | order,
            Kind::Linear(predictor, _) => 31 + predictor.coefficients().len(),
        };
        let has_wasted = self.num_wasted > 0;
        writer.write(code as u64, 7);
        writer.write(has_wasted.into(), 1);
        if has_wasted {
            writer.write_unary(self.num_wasted - 1);
        }
        let bits_per_sample = bits_per_sample - self.num_wasted;
        let samples = if has_wasted { &self.shifted } else { samples };
        let num_plain = match self.kind {
            Kind::Constant => 1,
            Kind::Verbatim => samples.len(),
            Kind::Fixed(order, _) => order,
            Kind::Linear(predictor, _) => predictor.coefficients().len(),
        };
        for sample in samples.iter().take(num_plain) {
            writer.write_signed(*sample, bits_per_sample);
        }
        match self.kind {
            Kind::Constant | Kind::Verbatim => {}
            Kind::Fixed(_, partitioning) => partitioning.write(&self.residuals, samples.len(), writer),
            Kind::Linear(predictor, partitioning) => {
                writer.write(u64::from(predictor.precision - 1), 4);
                writer.write(predictor.shift.into(), 5);
                for coefficient in predictor.coefficients() {
                    writer.write_signed(*coefficient, predictor.precision);
                }
                partitioning.write(&self.residuals, samples.len(), writer);
            }
        }
    }
}

impl Search {
    /// The linear predictor that is expected to take the fewest bits, if there is one.
    #[inline(always)]
    fn linear(&mut self, window: usize, samples: &[i32], bits_per_sample: u32) -> Option<Predictor> {
        // At least as many samples are predicted as precede the first prediction.
        let max_order = self.level.max_linear_order.min(samples.len() / 2);
        let precision = precision(samples.len(), bits_per_sample);
        self.weights.prepare(samples.len());
        self.weights.apply(window, samples, &mut self.weighted);
        let correlation = autocorrelation(&self.weighted, max_order);
        let bits = |candidate: &Candidate| {
            candidate.expected_bits(samples.len(), self.weighted.len(), bits_per_sample, precision)
        };
        let best = candidates(&correlation, max_order).min_by(|a, b| bits(a).total_cmp(&bits(b)))?;
        best.quantize(precision)
    }
}

/// The width of a linear predictor's coefficients in bits. Finer coefficients pay off in longer blocks.
fn precision(num_samples: usize, bits_per_sample: u32) -> u32 {
    match bits_per_sample {
        ..16 => (2 + bits_per_sample / 2).max(5),
        16..=17 => num_samples.max(1).ilog2().clamp(7, 12),
        _ => 14,
    }
}
