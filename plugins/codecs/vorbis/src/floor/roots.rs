//! Floors of type 0: line spectral pairs (section 6). No encoder has written them since 2001.

#![forbid(unsafe_code)]

use super::shape::Shape;
use crate::bits::{Bits, num_bits};
use crate::codebook::Codebook;
use crate::error::DecodeError;
use crate::memory::Budget;

/// A floor of the setup.
#[derive(Debug)]
pub(crate) struct RootFloor {
    order: usize,
    amplitude_bits: u32,
    /// In decibels.
    amplitude_offset: f64,
    books: Vec<usize>,
    map_size: f64,
    /// For the short and the long block, which step of the Bark scale each value of a spectrum is on.
    maps: [Vec<u16>; 2],
}

impl RootFloor {
    /// Section 6.2.1.
    pub(super) fn parse(
        bits: &mut Bits<'_>,
        books: &mut [Codebook],
        block_exponents: [u32; 2],
        budget: &mut Budget,
    ) -> Result<Self, DecodeError> {
        let (order, rate, map_size) = (bits.read(8), bits.read(16), bits.read(16));
        let (amplitude_bits, amplitude_offset) = (bits.read(6), bits.read(8));
        if order == 0 || rate == 0 || map_size == 0 {
            return Err(DecodeError::Header("floor has no order, rate or map"));
        }
        let mut numbers = Vec::new();
        for _ in 0..bits.read(4) + 1 {
            let number = bits.read(8) as usize;
            let book = books.get_mut(number);
            let book = book.ok_or(DecodeError::Header("setup refers to a codebook that does not exist"))?;
            book.make_vectors(budget)?;
            numbers.push(number);
        }
        if bits.is_past_end() {
            return Err(DecodeError::TruncatedHeader);
        }
        let mut maps = [Vec::new(), Vec::new()];
        for (map, exponent) in maps.iter_mut().zip(block_exponents) {
            *map = make_map(f64::from(rate), f64::from(map_size), 1 << (exponent - 1), budget)?;
        }
        Ok(Self {
            order: order as usize,
            amplitude_bits,
            amplitude_offset: amplitude_offset.into(),
            books: numbers,
            map_size: map_size.into(),
            maps,
        })
    }

    /// Reads amplitude and coefficients (section 6.2.2); `None` if the amplitude is 0, or the packet ends in them.
    pub(super) fn read(&self, bits: &mut Bits<'_>, books: &[Codebook], shape: &mut Shape) -> Option<()> {
        let low = u64::from(bits.read(self.amplitude_bits.min(32)));
        let high = u64::from(bits.read(self.amplitude_bits.saturating_sub(32)));
        let amplitude = high << 32 | low;
        if amplitude == 0 {
            return None;
        }
        let number = bits.read(num_bits(u32::try_from(self.books.len()).unwrap_or(0)));
        let book = books.get(*self.books.get(number as usize)?)?;
        shape.coefficients.clear();
        while shape.coefficients.len() < self.order {
            let last = shape.coefficients.last().copied().unwrap_or(0.0);
            let entry = book.read(bits)?;
            let missing = self.order - shape.coefficients.len();
            let vector = book.vector(entry).iter().take(missing);
            shape.coefficients.extend(vector.map(|value| f64::from(*value) + last));
        }
        shape.coefficients.iter_mut().for_each(|coefficient| *coefficient = coefficient.cos());
        let greatest = ((1_u64 << self.amplitude_bits) - 1) as f64;
        shape.amplitude = amplitude as f64 * self.amplitude_offset / greatest;
        Some(())
    }

    /// Section 6.2.3.
    #[expect(clippy::cast_possible_truncation, reason = "spectra are single precision")]
    pub(super) fn multiply(&self, shape: &Shape, is_long: bool, spectrum: &mut [f32]) {
        let [short, long] = &self.maps;
        let map = if is_long { long } else { short };
        let mut last = (u16::MAX, 0.0);
        for (value, step) in spectrum.iter_mut().zip(map) {
            if *step != last.0 {
                let angle = std::f64::consts::PI * f64::from(*step) / self.map_size;
                let square = square(&shape.coefficients, angle.cos());
                let level = shape.amplitude / square.sqrt() - self.amplitude_offset;
                last = (*step, (0.115_129_25 * level).exp().min(f32::MAX.into()) as f32);
            }
            *value *= last.1;
        }
    }
}

/// p + q of section 6.2.3, at an angle with that cosine; `coefficients` are cosines as well.
fn square(coefficients: &[f64], cosine: f64) -> f64 {
    let (mut odd, mut even) = (1.0, 1.0);
    for pair in coefficients.chunks(2) {
        let factor = |coefficient: f64| 4.0 * (coefficient - cosine).powi(2);
        match *pair {
            [first, second] => {
                even *= factor(first);
                odd *= factor(second);
            }
            [first] => even *= factor(first),
            _ => {}
        }
    }
    if coefficients.len().is_multiple_of(2) {
        (odd * (1.0 - cosine) + even * (1.0 + cosine)) / 2.0
    } else {
        odd * (1.0 - cosine * cosine) + even / 4.0
    }
}

/// The step of the Bark scale of each of `num_values` frequencies.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "steps are below 65536")]
fn make_map(
    rate: f64,
    map_size: f64,
    num_values: usize,
    budget: &mut Budget,
) -> Result<Vec<u16>, DecodeError> {
    let bark = |frequency: f64| {
        13.1 * (0.000_74 * frequency).atan()
            + 2.24 * (0.000_000_018_5 * frequency * frequency).atan()
            + 0.0001 * frequency
    };
    let mut map = budget.vec_with_capacity(num_values)?;
    map.extend((0..num_values).map(|number| {
        let frequency = rate * number as f64 / (2.0 * num_values as f64);
        let step = (bark(frequency) * map_size / bark(0.5 * rate)).floor();
        step.min(map_size - 1.0) as u16
    }));
    Ok(map)
}
