//! Parametric stereo (ISO/IEC 14496-3, 8.6.4): two channels from one, and from what packets say about their differences.
//!
//! The subbands of band replication are split further where they are low. A decorrelated copy is made of them, and each channel is a mix
//! of the sound and its copy, by the differences in intensity, coherence and phase that the packet states for bands of several.

#![forbid(unsafe_code)]

mod codebooks;
mod decorrelation;
mod hybrid;
mod mapping;
mod mixing;
mod syntax;

use decorrelation::{Decorrelation, Layout, layout_of};
use hybrid::{Analysis, Hybrid, MAX_HYBRID};
use mapwave_codec_base::BitReader;
use syntax::{MAX_BANDS, MAX_ENVELOPES, NUM_SLOTS, Parameters};

use crate::sbr::slots::{Slot, Slots};

/// A number of each of the four elements of mixing matrices, by parameters.
type Factors = [[f32; MAX_BANDS]; 4];

/// What is kept of the packets before.
#[derive(Clone, Debug)]
pub(crate) struct Stereo {
    parameters: Parameters,
    analysis: Analysis,
    decorrelation: Decorrelation,
    /// The matrices at the ends of envelopes, the first of which is that of the packet before: real and imaginary parts.
    matrices: [[Factors; MAX_ENVELOPES + 1]; 2],
    /// The last two phases of each band: of both channels, and between them.
    phases: [[[usize; 2]; MAX_BANDS]; 2],
}

impl Default for Stereo {
    fn default() -> Self {
        Self {
            parameters: Parameters::default(),
            analysis: Analysis::default(),
            decorrelation: Decorrelation::default(),
            matrices: [[[[0.0; MAX_BANDS]; 4]; MAX_ENVELOPES + 1]; 2],
            phases: [[[0; 2]; MAX_BANDS]; 2],
        }
    }
}

impl Stereo {
    /// Forgets the samples of the packets before, but not what they say.
    pub(crate) fn reset_signal(&mut self) {
        (self.analysis, self.decorrelation) = (Analysis::default(), Decorrelation::default());
    }

    /// Reads what a packet says, of at most so many bits.
    pub(crate) fn read(&mut self, bits: &mut BitReader<'_>, num_bits: usize) {
        self.parameters.read(bits, num_bits);
    }

    /// Turns the subbands of one channel, of which there are `num_subbands`, into those of two.
    #[inline(always)]
    pub(crate) fn apply(&mut self, left: &mut Slots, right: &mut Slots, num_subbands: usize) {
        if !self.parameters.is_on {
            right.copy_from_slice(left);
            return;
        }
        let is_34 = self.parameters.is_34;
        let layout = layout_of(is_34);
        let mut sound = [Slot::SILENT; NUM_SLOTS];
        let mut copy = [Slot::SILENT; NUM_SLOTS];
        self.decorrelation.silence_from(num_subbands + layout.num_hybrid - 64);
        self.analysis.apply(left, is_34, &mut sound);
        if is_34 != self.parameters.was_34 {
            self.decorrelation = Decorrelation::default();
        }
        self.decorrelation.apply(&sound, layout, &mut copy);
        self.set_matrices();
        self.mix(layout, &mut sound, &mut copy);
        hybrid::join(&sound, is_34, left);
        hybrid::join(&copy, is_34, right);
    }

    /// Finds the matrices at the ends of all envelopes.
    #[expect(clippy::indexing_slicing, reason = "at most 34 bands and five envelopes")]
    fn set_matrices(&mut self) {
        let Self { parameters, matrices, phases, .. } = self;
        let is_34 = parameters.is_34;
        for matrices in &mut *matrices {
            if parameters.num_envelopes_before > 0 {
                matrices[0] = matrices[parameters.num_envelopes_before.min(MAX_ENVELOPES)];
            }
            if is_34 != parameters.was_34 {
                matrices[0] = matrices[0]
                    .map(|factors| if is_34 { mapping::to_34(&factors) } else { mapping::to_20(&factors) });
            }
        }
        if is_34 != parameters.was_34 {
            *phases = [[[0; 2]; MAX_BANDS]; 2];
        }
        for envelope in 0..parameters.num_envelopes.min(MAX_ENVELOPES) {
            let row = |table| mapping::mapped(table, envelope, is_34);
            let (intensity, coherence) = (row(&parameters.intensity), row(&parameters.coherence));
            let phase_rows = [row(&parameters.overall_phase), row(&parameters.phase)];
            for b in 0..layout_of(is_34).num_parameters {
                let is_fine = parameters.has_fine_intensity;
                let is_rotated = parameters.mixes_by_rotation;
                let mut matrix = mixing::matrix(intensity[b], is_fine, coherence[b], is_rotated);
                if parameters.phase.is_enabled && b < parameters.phase.num_bands {
                    let [overall, between] = [0, 1].map(|kind| {
                        let [before_that, before] = phases[kind][b];
                        let now = usize::try_from(phase_rows[kind][b]).unwrap_or(0);
                        phases[kind][b] = [before, now];
                        mixing::direction([before_that, before, now])
                    });
                    // The right channel's phase is that of the left less the difference.
                    let right = [
                        overall[0] * between[0] + overall[1] * between[1],
                        overall[1] * between[0] - overall[0] * between[1],
                    ];
                    for (element, direction) in [overall, right, overall, right].into_iter().enumerate() {
                        matrices[1][envelope + 1][element][b] = matrix[element] * direction[1];
                        matrix[element] *= direction[0];
                    }
                }
                for element in 0..4 {
                    matrices[0][envelope + 1][element][b] = matrix[element];
                }
            }
        }
    }

    /// Mixes the sound and its copy to the left and to the right channel, by matrices between those at the ends of envelopes.
    #[inline(always)]
    #[expect(clippy::indexing_slicing, reason = "at most 91 bands, 34 parameters and five envelopes")]
    fn mix(&self, layout: &Layout, sound: &mut Hybrid, copy: &mut Hybrid) {
        let Parameters { num_envelopes, borders, phase, is_34, .. } = &self.parameters;
        // Bands of negative frequencies turn the other way.
        let mirrored = if *is_34 { 9..14 } else { 0..2 };
        for envelope in 0..(*num_envelopes).min(MAX_ENVELOPES) {
            let (start, end) = (borders[envelope], borders[envelope + 1]);
            let width = 1.0 / (end - start) as f32;
            let mut factors = [[[0.0; MAX_HYBRID]; 4]; 2];
            let mut steps = factors;
            for (part, matrices) in self.matrices.iter().enumerate() {
                for element in 0..4 {
                    for k in 0..layout.num_hybrid {
                        let b = usize::from(layout.parameters[k]);
                        let before = matrices[envelope][element][b];
                        let before = if part == 1 && mirrored.contains(&k) { -before } else { before };
                        factors[part][element][k] = before;
                        steps[part][element][k] = (matrices[envelope + 1][element][b] - before) * width;
                    }
                }
            }
            let slots = usize::try_from(start + 1).unwrap_or(0)..usize::try_from(end + 1).unwrap_or(0);
            let (Some(sound), Some(copy)) = (sound.get_mut(slots.clone()), copy.get_mut(slots)) else {
                continue;
            };
            for (sound, copy) in sound.iter_mut().zip(copy) {
                for (factors, steps) in factors.as_flattened_mut().iter_mut().zip(steps.as_flattened()) {
                    factors.iter_mut().zip(steps).for_each(|(factor, step)| *factor += step);
                }
                let [[h11, h12, h21, h22], imaginary] = &factors;
                for k in 0..layout.num_hybrid {
                    let (s_re, s_im) = (sound.re[k], sound.im[k]);
                    let (d_re, d_im) = (copy.re[k], copy.im[k]);
                    let mut left = [h11[k] * s_re + h21[k] * d_re, h11[k] * s_im + h21[k] * d_im];
                    let mut right = [h12[k] * s_re + h22[k] * d_re, h12[k] * s_im + h22[k] * d_im];
                    if phase.is_enabled {
                        let [i11, i12, i21, i22] = imaginary;
                        left[0] -= i11[k] * s_im + i21[k] * d_im;
                        left[1] += i11[k] * s_re + i21[k] * d_re;
                        right[0] -= i12[k] * s_im + i22[k] * d_im;
                        right[1] += i12[k] * s_re + i22[k] * d_re;
                    }
                    (sound.re[k], sound.im[k]) = (left[0], left[1]);
                    (copy.re[k], copy.im[k]) = (right[0], right[1]);
                }
            }
        }
    }
}
