//! What a packet says of each channel: envelopes, noise floors and sinusoids (ISO/IEC 14496-3, 4.4.2.8: sbr_data, and 4.6.18.3.4 to
//! 4.6.18.3.5).

#![forbid(unsafe_code)]

use mapwave_codec_base::BitReader;

use super::bands::{Bands, MAX_HIGH, MAX_NOISE_BANDS};
use super::codebooks as books;
use super::grid::{Grid, MAX_ENVELOPES};
use crate::codes::Codebook;

/// The most noise floors of a packet.
pub(super) const MAX_NOISE_FLOORS: usize = 2;

/// The scale factors of an envelope, band by band.
pub(super) type Envelope = [i32; MAX_HIGH];
/// The scale factors of a noise floor, band by band.
pub(super) type NoiseFloor = [i32; MAX_NOISE_BANDS];

/// What a packet says of a channel, and what of the packet before counts.
#[derive(Clone, Debug)]
pub(super) struct ChannelData {
    pub(super) grid: Grid,
    /// Where the last envelope of the packet before ended.
    pub(super) end_before: usize,
    /// Whether the packet before had a transient at its end.
    pub(super) begins_with_transient: bool,
    /// Of the packet before.
    last_is_high: bool,
    last_envelope: Envelope,
    last_noise_floor: NoiseFloor,
    envelopes: [Envelope; MAX_ENVELOPES],
    pub(super) noise_floors: [NoiseFloor; MAX_NOISE_FLOORS],
    /// Of the packet before, and of this one.
    pub(super) inverse_filtering: [[u8; MAX_NOISE_BANDS]; 2],
    /// Whether each band of high resolution has a sinusoid.
    pub(super) has_sinusoid: [bool; MAX_HIGH],
    pub(super) has_sinusoids: bool,
    /// Whether the scale factors of each envelope and noise floor are differences in time.
    is_in_time: [bool; MAX_ENVELOPES],
    is_noise_in_time: [bool; MAX_NOISE_FLOORS],
}

impl Default for ChannelData {
    fn default() -> Self {
        Self {
            grid: Grid::default(),
            end_before: 0,
            begins_with_transient: false,
            last_is_high: false,
            last_envelope: [0; MAX_HIGH],
            last_noise_floor: [0; MAX_NOISE_BANDS],
            envelopes: [[0; MAX_HIGH]; MAX_ENVELOPES],
            noise_floors: [[0; MAX_NOISE_BANDS]; MAX_NOISE_FLOORS],
            inverse_filtering: [[0; MAX_NOISE_BANDS]; 2],
            has_sinusoid: [false; MAX_HIGH],
            has_sinusoids: false,
            is_in_time: [false; MAX_ENVELOPES],
            is_noise_in_time: [false; MAX_NOISE_FLOORS],
        }
    }
}

/// The codebooks of differences in time and in frequency, the bits of the first scale factor, and what differences are multiplied by.
struct Coding {
    in_time: &'static Codebook,
    in_frequency: &'static Codebook,
    num_first_bits: u32,
    factor: i32,
}

impl ChannelData {
    /// The scale factors of an envelope.
    pub(super) fn envelope(&self, number: usize) -> &Envelope {
        self.envelopes.get(number).unwrap_or(&self.last_envelope)
    }

    /// Takes the grid of this packet in place of that of the packet before.
    fn advance(&mut self, grid: Grid) {
        let before = &self.grid;
        self.last_is_high = before
            .num_envelopes
            .checked_sub(1)
            .and_then(|last| before.is_high.get(last))
            .copied()
            .unwrap_or(false);
        self.end_before = before.end();
        self.begins_with_transient = before.transient == Some(before.num_envelopes);
        self.grid = grid;
    }

    /// Reads sbr_dtdf.
    fn read_directions(&mut self, bits: &mut BitReader<'_>) {
        let envelopes = self.is_in_time.iter_mut().take(self.grid.num_envelopes);
        envelopes.for_each(|is_in_time| *is_in_time = bits.read(1) != 0);
        let noise_floors = self.is_noise_in_time.iter_mut().take(self.grid.num_noise_floors);
        noise_floors.for_each(|is_in_time| *is_in_time = bits.read(1) != 0);
    }

    /// Reads sbr_invf.
    #[expect(clippy::cast_possible_truncation, reason = "two bits")]
    fn read_inverse_filtering(&mut self, bits: &mut BitReader<'_>, num_bands: usize) {
        let [before, now] = &mut self.inverse_filtering;
        *before = *now;
        now.iter_mut().take(num_bands).for_each(|mode| *mode = bits.read(2) as u8);
    }

    /// Reads sbr_envelope; `None` if a scale factor is out of range.
    fn read_envelopes(&mut self, bits: &mut BitReader<'_>, bands: &Bands, is_balance: bool) -> Option<()> {
        let coding = match (is_balance, self.grid.has_coarse_steps) {
            (false, false) => coding(&books::T_ENVELOPE_FINE, &books::F_ENVELOPE_FINE, 7, 1),
            (false, true) => coding(&books::T_ENVELOPE, &books::F_ENVELOPE, 6, 1),
            (true, false) => coding(&books::T_BALANCE_FINE, &books::F_BALANCE_FINE, 6, 2),
            (true, true) => coding(&books::T_BALANCE, &books::F_BALANCE, 5, 2),
        };
        let (mut before, mut was_high) = (self.last_envelope, self.last_is_high);
        let Grid { num_envelopes, is_high, .. } = self.grid;
        let is_odd = bands.num_bands(true) % 2;
        let each = self.envelopes.iter_mut().zip(is_high).zip(self.is_in_time).take(num_envelopes);
        for ((envelope, is_high), is_in_time) in each {
            let num_bands = bands.num_bands(is_high);
            if is_in_time {
                // The band of the envelope before that begins where this one does, or holds it.
                let same = |band: usize| match (was_high, is_high) {
                    (false, true) => (band + is_odd) / 2,
                    (true, false) => (2 * band).saturating_sub(is_odd),
                    _ => band,
                };
                for (band, factor) in envelope.iter_mut().enumerate().take(num_bands) {
                    let from = before.get(same(band)).copied().unwrap_or(0);
                    *factor = from + coding.factor * coding.in_time.read(bits);
                }
            } else {
                read_in_frequency(bits, &coding, envelope.get_mut(..num_bands)?);
            }
            let factors = envelope.get(..num_bands)?;
            if !factors.iter().all(|factor| (0..=127).contains(factor)) {
                return None;
            }
            (before, was_high) = (*envelope, is_high);
        }
        self.last_envelope = before;
        Some(())
    }

    /// Reads sbr_noise; `None` if a scale factor is out of range.
    fn read_noise(&mut self, bits: &mut BitReader<'_>, num_bands: usize, is_balance: bool) -> Option<()> {
        let coding = if is_balance {
            coding(&books::T_NOISE_BALANCE, &books::F_BALANCE, 5, 2)
        } else {
            coding(&books::T_NOISE, &books::F_ENVELOPE, 5, 1)
        };
        let mut before = self.last_noise_floor;
        let each = self.noise_floors.iter_mut().zip(self.is_noise_in_time).take(self.grid.num_noise_floors);
        for (floor, is_in_time) in each {
            let factors = floor.get_mut(..num_bands)?;
            if is_in_time {
                for (factor, before) in factors.iter_mut().zip(before) {
                    *factor = before + coding.factor * coding.in_time.read(bits);
                }
            } else {
                read_in_frequency(bits, &coding, factors);
            }
            if !factors.iter().all(|factor| (0..=30).contains(factor)) {
                return None;
            }
            before = *floor;
        }
        self.last_noise_floor = before;
        Some(())
    }

    /// Reads sbr_sinusoidal_coding, if there is any.
    fn read_sinusoids(&mut self, bits: &mut BitReader<'_>, num_bands: usize) {
        self.has_sinusoids = bits.read(1) != 0;
        if self.has_sinusoids {
            self.has_sinusoid.iter_mut().take(num_bands).for_each(|has_one| *has_one = bits.read(1) != 0);
        }
    }
}

fn coding(
    in_time: &'static Codebook,
    in_frequency: &'static Codebook,
    num_first_bits: u32,
    factor: i32,
) -> Coding {
    Coding { in_time, in_frequency, num_first_bits, factor }
}

/// Reads scale factors that are differences from band to band.
fn read_in_frequency(bits: &mut BitReader<'_>, coding: &Coding, factors: &mut [i32]) {
    let mut factor = 0;
    for (band, to) in factors.iter_mut().enumerate() {
        factor += coding.factor
            * if band == 0 {
                bits.read(coding.num_first_bits).cast_signed()
            } else {
                coding.in_frequency.read(bits)
            };
        *to = factor;
    }
}

/// Reads sbr_single_channel_element; `None` if it is not valid.
pub(super) fn read_single(
    bits: &mut BitReader<'_>,
    num_slots: usize,
    has_coarse_steps: bool,
    bands: &Bands,
    channel: &mut ChannelData,
) -> Option<()> {
    if bits.read(1) != 0 {
        bits.read(4);
    }
    channel.advance(Grid::read(bits, num_slots, has_coarse_steps)?);
    channel.read_directions(bits);
    channel.read_inverse_filtering(bits, bands.num_noise_bands());
    channel.read_envelopes(bits, bands, false)?;
    channel.read_noise(bits, bands.num_noise_bands(), false)?;
    channel.read_sinusoids(bits, bands.num_bands(true));
    Some(())
}

/// Reads sbr_channel_pair_element, and returns whether the second channel is the balance of both (bs_coupling); `None` if it is not
/// valid.
pub(super) fn read_pair(
    bits: &mut BitReader<'_>,
    num_slots: usize,
    has_coarse_steps: bool,
    bands: &Bands,
    [first, second]: [&mut ChannelData; 2],
) -> Option<bool> {
    if bits.read(1) != 0 {
        bits.read(8);
    }
    let num_noise_bands = bands.num_noise_bands();
    let is_coupled = bits.read(1) != 0;
    let grid = Grid::read(bits, num_slots, has_coarse_steps)?;
    let second_grid = if is_coupled { grid } else { Grid::read(bits, num_slots, has_coarse_steps)? };
    first.advance(grid);
    second.advance(second_grid);
    first.read_directions(bits);
    second.read_directions(bits);
    first.read_inverse_filtering(bits, num_noise_bands);
    if is_coupled {
        let [before, now] = &mut second.inverse_filtering;
        (*before, *now) = (*now, first.inverse_filtering[1]);
        first.read_envelopes(bits, bands, false)?;
        first.read_noise(bits, num_noise_bands, false)?;
        second.read_envelopes(bits, bands, true)?;
        second.read_noise(bits, num_noise_bands, true)?;
    } else {
        second.read_inverse_filtering(bits, num_noise_bands);
        first.read_envelopes(bits, bands, false)?;
        second.read_envelopes(bits, bands, false)?;
        first.read_noise(bits, num_noise_bands, false)?;
        second.read_noise(bits, num_noise_bands, false)?;
    }
    first.read_sinusoids(bits, bands.num_bands(true));
    second.read_sinusoids(bits, bands.num_bands(true));
    Some(is_coupled)
}
