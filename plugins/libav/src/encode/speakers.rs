//! The speaker layouts of each codec.
//!
//! The channels of a frame are in the order of the WAVE mask, which is also libav's; its encoders reorder them to that
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

/// The maximum number of channels without speakers in Opus (RFC 7845, 5.1.1.3), as libav counts them.
const MAX_DISCRETE: u32 = 254;

/// The layouts of a codec with one for each number of channels: FL FR FC LFE BL BR FLC FRC BC SL SR from bit 0 on.
const AAC: &[u64] = &[MONO, 0x3, 0x7, 0x107, 0x37, FIVE_ONE];
const XIPH: &[u64] = &[MONO, 0x3, 0x7, 0x33, 0x37, FIVE_ONE, 0x70f, 0x63f];

/// Speakers behind and speakers beside the listener: in layouts of five and six channels both are called surround.
const BACK: u64 = 0x30;
const SIDE: u64 = 0x600;

/// The sample rates at which libvorbis treats six channels as 5.1 and low-pass filters the fourth at about 100 Hz; at others it
/// treats all channels alike.
const VORBIS_WITH_BASS: RangeInclusive<u32> = 40_000..=70_000;

/// The mask to encode, 0 for channels without speakers.
///
/// The codec low-pass filters a low-frequency channel, so no channel becomes one unless the mask says so.
///
/// # Errors
/// When the codec does not support the layout, with a list of the supported ones.
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
        // FFmpeg's ALAC encoder allocates too little memory for packets of more than two channels, and aborts the process when it runs
        // more.
        Codec::Alac | Codec::Mp3 => &[MONO, 0x3],
        // FFmpeg's table of Opus channels confuses those of 5.0 and 6.1: the centre comes out at the back.
        Codec::Opus => &[MONO, 0x3, 0x7, 0x33, FIVE_ONE, 0x63f],
        Codec::Flac | Codec::Vorbis | Codec::WavPack => XIPH,
    };
    let Some(own) = layouts.iter().copied().find(|mask| mask.count_ones() == num_channels) else {
        let (name, known) = (codec.name(), layouts.iter().map(|mask| mask.count_ones().to_string()));
        let known = known.collect::<Vec<_>>().join(", ");
        let message = match (codec, mask) {
            (Codec::Opus, 0) => format!("{num_channels} channels; opus supports 1 to {MAX_DISCRETE}"),
            (Codec::Opus, _) => format!(
                "the channel mask {mask:#x}; opus has layouts for {known} channels, and supports others without a mask"
            ),
            _ => format!("{num_channels} channels; {name} supports {known}"),
        };
        return Err(Error::unsupported(message));
    };
    // A WavPack block of mono or stereo has no place for a mask.
    let keeps_masks =
        (codec == Codec::WavPack && num_channels > 2) || (codec == Codec::Flac && container.name == "flac");
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
