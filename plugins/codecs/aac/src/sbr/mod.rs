//! Spectral band replication (ISO/IEC 14496-3, 4.6.18): high frequencies from low ones, at twice the rate of the core.
//!
//! A fill element behind each element of a packet says what its high frequencies are like. The samples of the core are split into 32
//! subbands; some of those are copied upwards, given the energies that the packet states, mixed with noise and sinusoids, and joined
//! with the others by a filter bank of 64 subbands.

#![forbid(unsafe_code)]

mod adjustment;
mod bands;
mod codebooks;
mod data;
mod filter_bank;
mod generation;
mod grid;
mod header;
mod levels;
mod noise_table;
mod parameters;
pub(crate) mod slots;
mod window;

use adjustment::{Adjustment, Input};
pub(crate) use bands::has_rate;
use data::ChannelData;
use filter_bank::{Analysis, Synthesis};
use generation::{Chirp, Filters};
use levels::Levels;
use parameters::Parameters;
pub(crate) use parameters::Payload;
use slots::{DELAY, LowSlots, MAX_SLOTS, NUM_LOW, NUM_SUBBANDS, SLOTS_AHEAD, SLOTS_BEFORE, Slot, Slots};

use mapwave_codec_base::BitReader;

use crate::lines::MAX_LINES;
use crate::program::{Kind, Program};
use crate::ps::Stereo;
use crate::transform::Vector;

/// The samples of a channel of the output.
pub(crate) type Wide = [f32; 2 * MAX_LINES];

/// What a channel keeps of the packets before.
#[derive(Clone, Debug)]
struct Channel {
    data: ChannelData,
    levels: Levels,
    chirp: Chirp,
    adjustment: Adjustment,
    analysis: Analysis,
    low_before: [Slot<NUM_LOW>; SLOTS_BEFORE],
    /// The high subbands of slots that belong to the next packet.
    high_ahead: [Slot<NUM_SUBBANDS>; SLOTS_AHEAD],
    synthesis: Synthesis,
}

impl Default for Channel {
    fn default() -> Self {
        Self {
            data: ChannelData::default(),
            levels: Levels::default(),
            chirp: Chirp::default(),
            adjustment: Adjustment::default(),
            analysis: Analysis::default(),
            low_before: [Slot::SILENT; SLOTS_BEFORE],
            high_ahead: [Slot::SILENT; SLOTS_AHEAD],
            synthesis: Synthesis::default(),
        }
    }
}

/// An element of the program.
#[derive(Clone, Debug)]
pub(crate) struct Element {
    /// The channels of the core, which are those of the output.
    planes: [usize; 2],
    parameters: Parameters,
    channels: Vec<Channel>,
    /// Parametric stereo, and the second channel's filter bank.
    stereo: Option<Box<(Stereo, Synthesis)>>,
    /// Whether a packet had parametric stereo.
    has_met_stereo: bool,
}

/// What is kept of the packets before.
pub(crate) type Elements = Vec<Element>;

/// Subband samples that are being worked on.
#[derive(Clone, Debug)]
struct Workspace {
    low: LowSlots,
    high: Slots,
    joined: Slots,
    /// Of the second channel.
    other: Slots,
}

/// The band replication of a stream.
#[derive(Clone, Debug)]
pub(crate) struct Replication {
    elements: Elements,
    workspace: Box<Workspace>,
}

impl Replication {
    /// `sample_rate` is that of the output, `num_frames` those of a packet of the core.
    pub(crate) fn new(program: &Program, sample_rate: u32, num_frames: usize, is_parametric: bool) -> Self {
        let element = |slot: &crate::program::Slot| Element {
            planes: slot.planes.map(usize::from),
            parameters: Parameters::new(sample_rate, num_frames / 64),
            channels: vec![Channel::default(); if slot.kind == Kind::Pair { 2 } else { 1 }],
            stereo: is_parametric.then(Box::default),
            has_met_stereo: false,
        };
        Self {
            elements: program.slots().iter().map(element).collect(),
            workspace: Box::new(Workspace {
                low: [Slot::SILENT; SLOTS_BEFORE + MAX_SLOTS],
                high: [Slot::SILENT; MAX_SLOTS + SLOTS_AHEAD],
                joined: [Slot::SILENT; MAX_SLOTS + SLOTS_AHEAD],
                other: [Slot::SILENT; MAX_SLOTS + SLOTS_AHEAD],
            }),
        }
    }

    pub(crate) fn has_met_stereo(&self) -> bool {
        self.elements.iter().any(|element| element.has_met_stereo)
    }

    pub(crate) fn elements(&self) -> Elements {
        self.elements.clone()
    }

    pub(crate) fn set_elements(&mut self, elements: &Elements) {
        self.elements.clone_from(elements);
    }

    /// Goes back to the beginning of a stream.
    pub(crate) fn reset(&mut self) {
        for element in &mut self.elements {
            element.parameters.reset();
            element.has_met_stereo = false;
            element.stereo.iter_mut().for_each(|stereo| **stereo = Default::default());
            element.channels.fill(Channel::default());
        }
    }

    /// Forgets the samples of the packets before, but not what they say.
    pub(crate) fn reset_signal(&mut self) {
        for channel in self.elements.iter_mut().flat_map(|element| &mut element.channels) {
            let Channel { analysis, low_before, high_ahead, synthesis, .. } = Channel::default();
            (channel.analysis, channel.low_before) = (analysis, low_before);
            (channel.high_ahead, channel.synthesis) = (high_ahead, synthesis);
        }
        for (stereo, synthesis) in
            self.elements.iter_mut().filter_map(|element| element.stereo.as_deref_mut())
        {
            stereo.reset_signal();
            *synthesis = Synthesis::default();
        }
    }

    /// Turns the samples of a packet of the core, a plane for each channel, into twice as many. `payloads` are those of the elements.
    #[inline(always)]
    pub(crate) fn apply<V: Vector>(
        &mut self,
        proof: V::Proof,
        bytes: &[u8],
        payloads: &[Option<Payload>],
        core: &[&[f32]],
        output: &mut [Wide],
    ) {
        for (element, payload) in self.elements.iter_mut().zip(payloads) {
            let Element { planes, parameters, channels, stereo, has_met_stereo } = element;
            if let Some(payload) = payload {
                let mut data: Vec<&mut ChannelData> =
                    channels.iter_mut().map(|channel| &mut channel.data).collect();
                let extensions = parameters.read(bytes, payload, &mut data);
                if let Some(extensions) = extensions.filter(|bits| has_stereo(bytes, bits)) {
                    *has_met_stereo = true;
                    if let Some(stereo) = stereo {
                        let mut bits = BitReader::at_bit(bytes, extensions.start + 2);
                        stereo.0.read(&mut bits, extensions.len() - 2);
                    }
                }
                if parameters.is_reset {
                    channels.iter_mut().for_each(|channel| channel.adjustment.restart_noise());
                }
            }
            parameters.finish();
            if parameters.is_on {
                set_levels(parameters, channels);
            }
            for (channel, plane) in channels.iter_mut().zip(planes) {
                let Some(core) = core.get(*plane) else { continue };
                channel.replicate::<V>(proof, parameters, core, &mut self.workspace);
                let Workspace { joined, other, .. } = &mut *self.workspace;
                let num_samples = 2 * core.len();
                if let Some((stereo, synthesis)) = stereo.as_deref_mut() {
                    let [_, (start, num_high)] = parameters.high_ranges;
                    stereo.apply(joined, other, start + num_high);
                    let output = output.get_mut(*plane + 1).and_then(|output| output.get_mut(..num_samples));
                    synthesis.apply::<V>(proof, other, output.unwrap_or_default());
                }
                let output = output.get_mut(*plane).and_then(|output| output.get_mut(..num_samples));
                channel.synthesis.apply::<V>(proof, joined, output.unwrap_or_default());
            }
        }
    }
}

/// The number of the extension that parametric stereo is.
const EXTENSION_ID_PS: u32 = 2;

/// Whether extensions begin with parametric stereo.
fn has_stereo(bytes: &[u8], range: &std::ops::Range<usize>) -> bool {
    range.len() > 7 && BitReader::at_bit(bytes, range.start).read(2) == EXTENSION_ID_PS
}

fn set_levels(parameters: &Parameters, channels: &mut [Channel]) {
    if parameters.is_coupled
        && let [left, right] = channels
    {
        Levels::set_pair([&mut left.levels, &mut right.levels], [&left.data, &right.data]);
    } else {
        channels.iter_mut().for_each(|channel| channel.levels.set(&channel.data));
    }
}

impl Channel {
    /// Makes the subbands of the output, and those ahead.
    #[inline(always)]
    fn replicate<V: Vector>(
        &mut self,
        proof: V::Proof,
        parameters: &Parameters,
        core: &[f32],
        workspace: &mut Workspace,
    ) {
        let Workspace { low, high, joined, .. } = workspace;
        let num_slots = core.len() / NUM_LOW;
        let [(start_before, num_before), (start, num_high)] = parameters.high_ranges;
        let (first, _) = low.split_at_mut(SLOTS_BEFORE);
        first.copy_from_slice(&self.low_before);
        self.analysis.apply::<V>(proof, core, low);
        let tail = low.get(num_slots..num_slots + SLOTS_BEFORE).unwrap_or_default();
        self.low_before.copy_from_slice(tail);
        // Subbands of the core above the crossover frequency do not count.
        let (first, rest) = low.split_at_mut(SLOTS_BEFORE);
        first.iter_mut().for_each(|slot| silence_from(slot, start_before));
        rest.iter_mut().for_each(|slot| silence_from(slot, start));

        let ahead_before = self.high_ahead;
        if parameters.is_on {
            high.fill(Slot::SILENT);
            self.generate(parameters, low, num_slots, high);
            let ahead = high.get(num_slots..num_slots + SLOTS_AHEAD).unwrap_or_default();
            self.high_ahead.copy_from_slice(ahead);
        }

        // Slots that the last envelope of the packet before reaches are of its bands.
        let num_ahead = (2 * self.data.end_before).saturating_sub(num_slots);
        joined.fill(Slot::SILENT);
        let each = joined.iter_mut().zip(low.iter().skip(DELAY)).take(num_slots + SLOTS_AHEAD);
        for (slot, (to, low)) in each.enumerate() {
            let (start, high, num_high) = if slot < num_ahead {
                (start_before, ahead_before.get(slot), num_before)
            } else {
                (start, high.get(slot).filter(|_| slot < num_slots && parameters.is_on), num_high)
            };
            copy(to, low, 0..start);
            if let Some(high) = high {
                copy(to, high, start..start + num_high);
            }
        }
    }

    #[inline(always)]
    fn generate(&mut self, parameters: &Parameters, low: &LowSlots, num_slots: usize, high: &mut Slots) {
        let Parameters { header, bands, is_reset, .. } = parameters;
        let filters = Filters::new(low, num_slots);
        generation::advance_chirp(&mut self.chirp, &self.data, bands.num_noise_bands());
        let grid = &self.data.grid;
        let slots = 2 * grid.border(0)..2 * grid.end();
        generation::generate(low, &filters, bands, &self.chirp, slots, high);
        let input = Input { header, bands, data: &self.data, levels: &self.levels, is_reset: *is_reset };
        self.adjustment.apply(&input, high);
    }
}

fn silence_from<const COUNT: usize>(slot: &mut Slot<COUNT>, start: usize) {
    for part in [&mut slot.re, &mut slot.im] {
        part.iter_mut().skip(start).for_each(|sample| *sample = 0.0);
    }
}

/// Copies subbands.
#[inline(always)]
fn copy<const COUNT: usize>(
    to: &mut Slot<NUM_SUBBANDS>,
    from: &Slot<COUNT>,
    subbands: std::ops::Range<usize>,
) {
    for (to, from) in [(&mut to.re, &from.re), (&mut to.im, &from.im)] {
        if let (Some(to), Some(from)) = (to.get_mut(subbands.clone()), from.get(subbands.clone())) {
            to.copy_from_slice(from);
        }
    }
}
