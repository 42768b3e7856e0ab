//! The time grid of a channel: where its envelopes and noise floors begin and end (ISO/IEC 14496-3, 4.6.18.3.3).

#![forbid(unsafe_code)]

use mapwave_codec_base::BitReader;

/// The most envelopes of a packet.
pub(super) const MAX_ENVELOPES: usize = 5;

/// What a packet says about time. Times are in time slots of two subband samples.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Grid {
    pub(super) num_envelopes: usize,
    /// t_E: where each envelope begins, and where the last one ends.
    borders: [usize; MAX_ENVELOPES + 1],
    /// Whether each envelope has bands of high resolution.
    pub(super) is_high: [bool; MAX_ENVELOPES],
    pub(super) num_noise_floors: usize,
    /// Where the second noise floor begins.
    pub(super) noise_border: usize,
    /// l_A: the envelope at whose beginning there is a transient.
    pub(super) transient: Option<usize>,
    /// Whether envelopes step by 3 dB instead of 1.5.
    pub(super) has_coarse_steps: bool,
}

/// bs_frame_class (table 4.111), in two bits: whether the beginning and the end are variable.
#[derive(Clone, Copy)]
struct Class {
    begins_anywhere: bool,
    ends_anywhere: bool,
}

impl Grid {
    /// Reads sbr_grid; `None` if it is not valid.
    pub(super) fn read(bits: &mut BitReader<'_>, num_slots: usize, has_coarse_steps: bool) -> Option<Self> {
        let class = bits.read(2);
        let class = Class { begins_anywhere: class & 2 != 0, ends_anywhere: class & 1 != 0 };
        let mut grid = Self { has_coarse_steps, ..Self::default() };
        if !class.begins_anywhere && !class.ends_anywhere {
            grid.read_fixed(bits, num_slots)?;
        } else {
            grid.read_variable(bits, num_slots, class)?;
        }
        grid.num_noise_floors = if grid.num_envelopes > 1 { 2 } else { 1 };
        grid.borders().is_sorted_by(|before, after| before < after).then_some(grid)
    }

    /// FIXFIX: envelopes of equal length.
    fn read_fixed(&mut self, bits: &mut BitReader<'_>, num_slots: usize) -> Option<()> {
        let num_envelopes = 1 << bits.read(2);
        if num_envelopes > MAX_ENVELOPES {
            return None;
        }
        self.num_envelopes = num_envelopes;
        if num_envelopes == 1 {
            self.has_coarse_steps = false;
        }
        let length = (num_slots + num_envelopes / 2) / num_envelopes;
        let borders = self.borders.iter_mut().take(num_envelopes).enumerate();
        borders.for_each(|(envelope, border)| *border = envelope * length);
        *self.borders.get_mut(num_envelopes)? = num_slots;
        self.is_high = [bits.read(1) != 0; MAX_ENVELOPES];
        self.noise_border = self.border(num_envelopes / 2);
        Some(())
    }

    /// FIXVAR, VARFIX and VARVAR: borders by their distances from the beginning and from the end.
    fn read_variable(&mut self, bits: &mut BitReader<'_>, num_slots: usize, class: Class) -> Option<()> {
        let start = if class.begins_anywhere { bits.read(2) as usize } else { 0 };
        let end = num_slots + if class.ends_anywhere { bits.read(2) as usize } else { 0 };
        let num_leading = if class.begins_anywhere { bits.read(2) as usize } else { 0 };
        let num_trailing = if class.ends_anywhere { bits.read(2) as usize } else { 0 };
        self.num_envelopes = num_leading + num_trailing + 1;
        if self.num_envelopes > MAX_ENVELOPES {
            return None;
        }
        let mut border = start;
        *self.borders.first_mut()? = border;
        for to in self.borders.iter_mut().skip(1).take(num_leading) {
            border += 2 * bits.read(2) as usize + 2;
            *to = border;
        }
        border = end;
        *self.borders.get_mut(self.num_envelopes)? = border;
        for to in self.borders.iter_mut().take(self.num_envelopes).rev().take(num_trailing) {
            border = border.checked_sub(2 * bits.read(2) as usize + 2)?;
            *to = border;
        }
        let pointer = bits.read(usize::BITS - self.num_envelopes.leading_zeros()) as usize;
        if pointer > self.num_envelopes + 1 {
            return None;
        }
        let is_high = self.is_high.iter_mut().take(self.num_envelopes);
        if class.begins_anywhere {
            is_high.for_each(|is_high| *is_high = bits.read(1) != 0);
        } else {
            is_high.rev().for_each(|is_high| *is_high = bits.read(1) != 0);
        }
        // Tables in 4.6.18.3.3: the middle border of noise, and l_A
        let (middle, transient) = if class.ends_anywhere {
            let middle = self.num_envelopes - pointer.saturating_sub(1).clamp(1, self.num_envelopes);
            (middle, (pointer > 0).then(|| self.num_envelopes + 1 - pointer))
        } else {
            let middle = match pointer {
                0 => 1,
                1 => self.num_envelopes - 1,
                _ => pointer - 1,
            };
            (middle, (pointer > 1).then(|| pointer - 1))
        };
        (self.noise_border, self.transient) = (self.border(middle), transient);
        Some(())
    }

    fn borders(&self) -> &[usize] {
        self.borders.get(..=self.num_envelopes).unwrap_or_default()
    }

    /// A border; the first or the last one of all, if there is no such.
    pub(super) fn border(&self, number: usize) -> usize {
        self.borders.get(number).copied().unwrap_or(0)
    }

    /// Where the last envelope ends.
    pub(super) fn end(&self) -> usize {
        self.border(self.num_envelopes)
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn borders_of_all_classes_are_in_order() {
        let (mut state, mut num_valid) = (1_u64, [0; 4]);
        for _ in 0..100_000 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let bytes = state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_be_bytes();
            for num_slots in [15, 16] {
                let Some(grid) = Grid::read(&mut BitReader::at(&bytes, 0), num_slots, true) else { continue };
                num_valid[usize::from(bytes[0] >> 6)] += 1;
                assert!(grid.end() >= num_slots && grid.end() <= num_slots + 3);
                assert!(grid.border(0) < 4 && (1..=MAX_ENVELOPES).contains(&grid.num_envelopes));
                assert!(grid.transient.is_none_or(|transient| transient <= grid.num_envelopes));
                assert!(grid.borders().contains(&grid.noise_border));
            }
        }
        assert!(num_valid.iter().all(|count| *count > 1000), "{num_valid:?}");
    }

    #[test]
    fn a_transient_is_found() {
        // FIXVAR: ends at 16 + 1; one border 2 * 1 + 2 before it; the pointer 1; resolutions 1 and 0, from the end
        let bits = [0b0101_0101, 0b0110_0000];
        let grid = Grid::read(&mut BitReader::at(&bits, 0), 16, true).unwrap_or_default();
        assert_eq!((grid.borders(), grid.transient), (&[0, 13, 17][..], Some(2)));
        assert_eq!((&grid.is_high[..2], grid.noise_border), (&[false, true][..], 13));
    }
}
