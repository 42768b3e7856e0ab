//! Subband samples: of each time slot a complex number for each subband.

#![forbid(unsafe_code)]

/// The most slots of a packet.
pub(crate) const MAX_SLOTS: usize = 32;
/// The subbands of the output.
pub(crate) const NUM_SUBBANDS: usize = 64;
/// The subbands of the core.
pub(super) const NUM_LOW: usize = 32;
/// t_HFGen: the slots of the packet before that generation takes.
pub(super) const SLOTS_BEFORE: usize = 8;
/// t_HFAdj: the slots by which subband samples are late.
pub(super) const DELAY: usize = 2;
/// The slots of the next packet that parametric stereo takes.
pub(crate) const SLOTS_AHEAD: usize = SLOTS_BEFORE - DELAY;

/// Samples of one slot, all real parts and all imaginary parts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot<const COUNT: usize> {
    pub(crate) re: [f32; COUNT],
    pub(crate) im: [f32; COUNT],
}

impl<const COUNT: usize> Slot<COUNT> {
    pub(crate) const SILENT: Self = Self { re: [0.0; COUNT], im: [0.0; COUNT] };
}

/// The samples of a packet, and those ahead.
pub(crate) type Slots = [Slot<NUM_SUBBANDS>; MAX_SLOTS + SLOTS_AHEAD];
/// The samples of the core, and those before.
pub(super) type LowSlots = [Slot<NUM_LOW>; SLOTS_BEFORE + MAX_SLOTS];
