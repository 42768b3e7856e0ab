//! The inner loops, compiled a second time for CPUs with wider registers, and the choice between both.
//!
//! Both versions are the same source, and round alike. Unsafe code is allowed in this file to call functions compiled for instructions
//! that not every CPU has.

#![allow(unsafe_code)]

use crate::error::DecodeError;
use crate::lines::Lines;
use crate::packet::{Block, Packet};
use crate::sbr::{Payload, Replication, Wide};
use crate::spectrum;
use crate::synthesis::{State, Stream, synthesize};
#[cfg(target_arch = "x86_64")]
use crate::transform::{Avx2, Register};
use crate::transform::{Lanes, Vector};

/// Which instructions are used.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Instructions {
    /// Those that every CPU has.
    Plain,
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
}

/// A packet of the core, of which band replication makes a wide one.
pub(crate) struct Narrow<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) payloads: &'a [Option<Payload>],
    pub(crate) planes: &'a [&'a [f32]],
}

/// What became of two packets.
type Outcomes = [Result<(), DecodeError>; 2];

impl Instructions {
    /// The best of this CPU.
    pub(crate) fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(proof) = Avx2::detect() {
            return Self::Avx2(proof);
        }
        Self::Plain
    }

    /// Reads one packet or two.
    pub(crate) fn read(self, first: &mut Packet<'_, '_>, second: Option<&mut Packet<'_, '_>>) -> Outcomes {
        match self {
            Self::Plain => read(first, second),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the proof says that this CPU has the instructions.
            Self::Avx2(_) => unsafe { read_avx2(first, second) },
        }
    }

    /// As [`synthesize`].
    pub(crate) fn synthesize(
        self,
        stream: &Stream,
        block: &mut Block,
        state: &mut State,
        planes: &mut [Lines],
    ) {
        match self {
            Self::Plain => synthesize::<Lanes>((), stream, block, state, planes),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the proof says that this CPU has the instructions.
            Self::Avx2(proof) => unsafe { synthesize_avx2(proof, stream, block, state, planes) },
        }
    }

    /// As [`Replication::apply`].
    pub(crate) fn replicate(self, replication: &mut Replication, packet: &Narrow<'_>, output: &mut [Wide]) {
        match self {
            Self::Plain => replicate::<Lanes>((), replication, packet, output),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the proof says that this CPU has the instructions.
            Self::Avx2(proof) => unsafe { replicate_avx2(proof, replication, packet, output) },
        }
    }
}

#[inline(always)]
fn replicate<V: Vector>(
    proof: V::Proof,
    replication: &mut Replication,
    packet: &Narrow<'_>,
    output: &mut [Wide],
) {
    replication.apply::<V>(proof, packet.bytes, packet.payloads, packet.planes, output);
}

#[inline(always)]
fn read(first: &mut Packet<'_, '_>, second: Option<&mut Packet<'_, '_>>) -> Outcomes {
    let Some(second) = second else { return [read_rest(first), Ok(())] };
    loop {
        match (first.advance(), second.advance()) {
            (Ok(true), Ok(true)) => {
                let (mut one, mut two) = (first.spectrum(), second.spectrum());
                spectrum::read_two(&mut one, &mut two);
                spectrum::read(&mut one);
                spectrum::read(&mut two);
                let (one, two) = (one.bits, two.bits);
                match (first.finish(one), second.finish(two)) {
                    (Ok(()), Ok(())) => {}
                    (one, two) => {
                        return [one.and_then(|()| read_rest(first)), two.and_then(|()| read_rest(second))];
                    }
                }
            }
            (one, two) => {
                let finish = |packet: &mut Packet<'_, '_>, is_pending| {
                    if is_pending { read_channel(packet).and_then(|()| read_rest(packet)) } else { Ok(()) }
                };
                let one = one.and_then(|is_pending| finish(first, is_pending));
                return [one, two.and_then(|is_pending| finish(second, is_pending))];
            }
        }
    }
}

#[inline(always)]
fn read_rest(packet: &mut Packet<'_, '_>) -> Result<(), DecodeError> {
    while packet.advance()? {
        read_channel(packet)?;
    }
    Ok(())
}

#[inline(always)]
fn read_channel(packet: &mut Packet<'_, '_>) -> Result<(), DecodeError> {
    let mut channel = packet.spectrum();
    spectrum::read(&mut channel);
    let bits = channel.bits;
    packet.finish(bits)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt")]
fn read_avx2(first: &mut Packet<'_, '_>, second: Option<&mut Packet<'_, '_>>) -> Outcomes {
    read(first, second)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt")]
fn synthesize_avx2(proof: Avx2, stream: &Stream, block: &mut Block, state: &mut State, planes: &mut [Lines]) {
    synthesize::<Register>(proof, stream, block, state, planes);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt")]
fn replicate_avx2(proof: Avx2, replication: &mut Replication, packet: &Narrow<'_>, output: &mut [Wide]) {
    replicate::<Register>(proof, replication, packet, output);
}
