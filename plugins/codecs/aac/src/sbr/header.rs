//! The header of band replication (ISO/IEC 14496-3, 4.4.2.8: sbr_header), which holds until the next one.

#![forbid(unsafe_code)]

use mapwave_codec_base::BitReader;

/// What defines the frequency bands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Spectrum {
    /// bs_start_freq
    pub(super) start: usize,
    /// bs_stop_freq
    pub(super) stop: usize,
    /// bs_xover_band
    pub(super) crossover: usize,
    /// bs_freq_scale
    pub(super) scale: u32,
    /// bs_alter_scale
    pub(super) is_altered: bool,
    /// bs_noise_bands
    pub(super) noise_bands: u32,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Header {
    /// bs_amp_res: whether envelopes step by 3 dB instead of 1.5.
    pub(super) has_coarse_steps: bool,
    pub(super) spectrum: Spectrum,
    /// bs_limiter_bands
    pub(super) limiter_bands: usize,
    /// bs_limiter_gains
    pub(super) limiter_gains: usize,
    /// bs_interpol_freq: whether energies are measured subband by subband.
    pub(super) has_fine_energies: bool,
    /// Whether gains are smoothed in time: bs_smoothing_mode is 0.
    pub(super) is_smoothed: bool,
}

impl Header {
    pub(super) fn read(bits: &mut BitReader<'_>) -> Self {
        let has_coarse_steps = bits.read(1) != 0;
        let mut spectrum = Spectrum {
            start: bits.read(4) as usize,
            stop: bits.read(4) as usize,
            crossover: bits.read(3) as usize,
            scale: 2,
            is_altered: true,
            noise_bands: 2,
        };
        bits.read(2);
        let (has_extra_1, has_extra_2) = (bits.read(1) != 0, bits.read(1) != 0);
        if has_extra_1 {
            spectrum.scale = bits.read(2);
            spectrum.is_altered = bits.read(1) != 0;
            spectrum.noise_bands = bits.read(2);
        }
        let mut header = Self {
            has_coarse_steps,
            spectrum,
            limiter_bands: 2,
            limiter_gains: 2,
            has_fine_energies: true,
            is_smoothed: false,
        };
        if has_extra_2 {
            header.limiter_bands = bits.read(2) as usize;
            header.limiter_gains = bits.read(2) as usize;
            header.has_fine_energies = bits.read(1) != 0;
            header.is_smoothed = bits.read(1) == 0;
        }
        header
    }
}
