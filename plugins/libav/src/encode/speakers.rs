//! Which speakers a codec's channels are for.
//!
//! The channels of a frame come in the order of the WAVE mask, which is libav's as well; its encoders put them into the order
//! of their codec.

#![forbid(unsafe_code)]

use std::ops::RangeInclusive;

use mapwave_plugin::{EncoderOptions, Error, Result};

use super::codec::Codec;
use super::container::Container;

const MONO: u64 = 0x4;
const FIVE_ONE: u64 = 0x3f;
/// Three in front and three behind.
const HEXAGONAL: u64 = 0x137;

/// The most channels without speakers that Opus has (RFC 7845, 5.1.1.3), as libav counts them.
const MAX_DISCRETE: u32 = 254;

/// The layouts of a codec that has one for each number of channels: FL FR FC LFE BL BR FLC FRC BC SL SR from bit 0 on.
const AAC: &[u64] = &[MONO, 0x3, 0x7, 0x107, 0x37, FIVE_ONE];
const XIPH: &[u64] = &[MONO, 0x3, 0x7, 0x33, 0x37, FIVE_ONE, 0x70f, 0x63f];

/// Speakers behind and speakers beside the listener: in layouts of five and six channels both are called surround.
const BACK: u64 = 0x30;
const SIDE: u64 = 0x600;

/// The rates at which libvorbis takes six channels for 5.1 and lets little more than 100 Hz of the fourth through; at others it
/// treats all alike.
const VORBIS_WITH_BASS: RangeInclusive<u32> = 40_000..=70_000;

/// The mask to be encoded, 0 for channels without speakers.
///
/// A channel that is for low frequencies alone is cut to them by the codec, so none becomes one unless a mask says that it is.
///
/// # Errors
/// When the codec has no such layout, with those that it has.
pub(super) fn choose(codec: Codec, container: &Container, options: &EncoderOptions<'_>) -> Result<u64> {
    let (mask, num_channels) = (options.channel_mask, options.num_channels);
    if mask == 0 {
        match (codec, num_channels) {
            (Codec::Aac, 6) => return Ok(HEXAGONAL),
            (Codec::Opus, 3..=MAX_DISCRETE) => return Ok(0),
            (Codec::Vorbis, 6) if VORBIS_WITH_BASS.contains(&options.sample_rate) => {
                let message = "6 channels of vorbis at this rate are 5.1, and the fourth is for low frequencies alone; \
                               say so with the channel mask 0x3f, or take opus or flac";
                return Err(Error::unsupported(message));
            }
            _ => {}
        }
    }
    let layouts = match codec {
        Codec::Aac => AAC,
        // FFmpeg's encoder of ALAC gives packets of more than two channels too little room, and ends the process when it has no
        // more.
        Codec::Alac | Codec::Mp3 => &[MONO, 0x3],
        // FFmpeg's table of Opus channels confuses those of 5.0 and 6.1: what is for the centre comes out behind.
        Codec::Opus => &[MONO, 0x3, 0x7, 0x33, FIVE_ONE, 0x63f],
        Codec::Flac | Codec::Vorbis | Codec::WavPack => XIPH,
    };
    let Some(own) = layouts.iter().copied().find(|mask| mask.count_ones() == num_channels) else {
        let (name, known) = (codec.name(), layouts.iter().map(|mask| mask.count_ones().to_string()));
        let known = known.collect::<Vec<_>>().join(", ");
        let message = match (codec, mask) {
            (Codec::Opus, 0) => format!("{num_channels} channels; opus is encoded with 1 to {MAX_DISCRETE}"),
            (Codec::Opus, _) => format!(
                "the channel mask {mask:#x}; opus has layouts of {known} channels, and takes others without a mask"
            ),
            _ => format!("{num_channels} channels; {name} is encoded with {known}"),
        };
        return Err(Error::unsupported(message));
    };
    let keeps_masks = codec == Codec::WavPack || (codec == Codec::Flac && container.name == "flac");
    if mask == 0 || mask == own || (codec == Codec::Aac && mask == HEXAGONAL) {
        return Ok(if mask == 0 { own } else { mask });
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
