//! Which speakers a codec's channels are for.
//!
//! The channels of a frame come in the order of the WAVE mask, which is libav's as well; its encoders put them into the order
//! of their codec.

#![forbid(unsafe_code)]

use mapwave_plugin::{Error, Result};

use super::codec::Codec;
use super::container::Container;

const MONO: u64 = 0x4;

/// The layouts of a codec that has one for each number of channels: FL FR FC LFE BL BR FLC FRC BC SL SR from bit 0 on.
const AAC: &[u64] = &[MONO, 0x3, 0x7, 0x107, 0x37, 0x3f];
const XIPH: &[u64] = &[MONO, 0x3, 0x7, 0x33, 0x37, 0x3f, 0x70f, 0x63f];

/// Speakers behind and speakers beside the listener: in layouts of five and six channels both are called surround.
const BACK: u64 = 0x30;
const SIDE: u64 = 0x600;

/// The mask to be encoded.
///
/// # Errors
/// When the codec has no such layout, with those that it has.
pub(super) fn choose(codec: Codec, container: &Container, mask: u64, num_channels: u32) -> Result<u64> {
    let layouts = match codec {
        Codec::Aac => AAC,
        // FFmpeg's encoder of ALAC gives packets of more than two channels too little room, and ends the process when it has no
        // more.
        Codec::Alac | Codec::Mp3 => &[MONO, 0x3],
        // FFmpeg's table of Opus channels confuses those of 5.0 and 6.1: what is for the centre comes out behind.
        Codec::Opus => &[MONO, 0x3, 0x7, 0x33, 0x3f, 0x63f],
        Codec::Flac | Codec::Vorbis | Codec::WavPack => XIPH,
    };
    let Some(own) = layouts.iter().copied().find(|mask| mask.count_ones() == num_channels) else {
        let (name, known) = (codec.name(), layouts.iter().map(|mask| mask.count_ones().to_string()));
        let known = known.collect::<Vec<_>>().join(", ");
        let message = format!("{num_channels} channels; {name} is encoded with {known}");
        return Err(Error::unsupported(message));
    };
    let keeps_masks = codec == Codec::WavPack || (codec == Codec::Flac && container.name == "flac");
    if mask == 0 || mask == own {
        return Ok(own);
    }
    if keeps_masks {
        return Ok(mask); // `channels::layout` sees to it that it fits
    }
    let is_own = match num_channels {
        1 => mask.count_ones() == 1,
        5 | 6 => mask & BACK == 0 && mask & SIDE == SIDE && mask ^ BACK ^ SIDE == own,
        _ => false,
    };
    if is_own {
        return Ok(own);
    }
    let (name, container) = (codec.name(), container.name);
    let message =
        format!("the channel mask {mask:#x}; {num_channels} channels of {name} in {container} are {own:#x}");
    Err(Error::unsupported(message))
}
