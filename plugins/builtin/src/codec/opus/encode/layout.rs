//! Which channels each stream has (RFC 7845, section 5.1.1).

#![forbid(unsafe_code)]

use mapwave_plugin::{EncoderOptions, Error, Result};

use super::super::head::WAVE_ORDER;
use crate::tags::vorbis_comment::default_channel_mask;

/// The most channels without speakers (section 5.1.1.3).
const MAX_DISCRETE: u32 = 255;

/// Speakers behind and speakers beside the listener: in layouts of five and six channels both are called surround.
const BACK: u64 = 0x30;
const SIDE: u64 = 0x600;

/// The low-frequency speaker.
const LOW: u64 = 0x8;

/// The decoded channel of each channel in the order of Vorbis, and the number of coupled streams, from 3 channels on.
const SURROUND: [(&[u8], u8); 6] = [
    (&[0, 2, 1], 1),
    (&[0, 1, 2, 3], 2),
    (&[0, 4, 1, 2, 3], 2),
    (&[0, 4, 1, 2, 3, 5], 2),
    (&[0, 4, 1, 2, 3, 5, 6], 2),
    (&[0, 6, 1, 2, 3, 4, 5, 7], 3),
];

/// How channels are divided among streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) family: u8,
    pub(super) num_coupled: u8,
    /// The decoded channel of each channel in the order of the file.
    pub(super) mapping: Vec<u8>,
    /// The channels of input of each stream, one or two, in WAVE order.
    pub(super) streams: Vec<Vec<usize>>,
    /// The stream of low frequencies alone.
    pub(super) low: Option<usize>,
}

impl Layout {
    /// The layout for the channels of a file.
    ///
    /// No channel becomes one of low frequencies, unless the mask says so.
    ///
    /// # Errors
    /// When Opus has none, with those that it has.
    pub(super) fn choose(options: &EncoderOptions<'_>) -> Result<Self> {
        let (mask, num_channels) = (options.channel_mask, options.num_channels);
        let own = default_channel_mask(num_channels);
        match num_channels {
            3..=MAX_DISCRETE if mask == 0 => return Ok(Self::discrete(num_channels)),
            0 | 256.. => {
                return Err(Error::unsupported(format!("{num_channels} channels; opus supports 1 to 255")));
            }
            _ => {}
        }
        let is_own = match num_channels {
            1 => mask.count_ones() <= 1,
            5 | 6 => mask == own || mask & BACK == 0 && mask & SIDE == SIDE && mask ^ BACK ^ SIDE == own,
            _ => mask == own || mask == 0,
        };
        if own == 0 || !is_own {
            let message = match own {
                0 => format!(
                    "the channel mask {mask:#x}; opus has layouts for 1 to 8 channels, and supports more without a mask"
                ),
                _ => format!("the channel mask {mask:#x}; {num_channels} channels of opus are {own:#x}"),
            };
            return Err(Error::unsupported(message));
        }
        Ok(match num_channels {
            1 => Self { family: 0, num_coupled: 0, mapping: vec![0], streams: vec![vec![0]], low: None },
            2 => {
                Self { family: 0, num_coupled: 1, mapping: vec![0, 1], streams: vec![vec![0, 1]], low: None }
            }
            _ => Self::surround(num_channels as usize, own),
        })
    }

    /// A stream for each channel.
    fn discrete(num_channels: u32) -> Self {
        let channels = 0..num_channels as usize;
        Self {
            family: 255,
            num_coupled: 0,
            mapping: channels.clone().filter_map(|channel| u8::try_from(channel).ok()).collect(),
            streams: channels.map(|channel| vec![channel]).collect(),
            low: None,
        }
    }

    fn surround(num_channels: usize, mask: u64) -> Self {
        let (mapping, num_coupled) = SURROUND.get(num_channels - 3).copied().unwrap_or((&[], 0));
        let order = WAVE_ORDER.get(num_channels).copied().unwrap_or_default();
        // The channel of input that becomes a decoded one.
        let source = |decoded: usize| {
            let place = mapping.iter().position(|channel| usize::from(*channel) == decoded).unwrap_or(0);
            order.iter().position(|other| *other == place).unwrap_or(0)
        };
        let coupled = usize::from(num_coupled);
        let pairs = (0..coupled).map(|pair| vec![source(pair * 2), source(pair * 2 + 1)]);
        let single = (coupled * 2..num_channels).map(|decoded| vec![source(decoded)]);
        let streams: Vec<Vec<usize>> = pairs.chain(single).collect();
        let low = (mask & LOW != 0).then(|| (mask & (LOW - 1)).count_ones() as usize);
        let low = low.and_then(|low| streams.iter().position(|channels| channels.as_slice() == [low]));
        Self { family: 1, num_coupled, mapping: mapping.to_vec(), streams, low }
    }

    /// The header of a stream with that pre-skip, encoded from that rate.
    pub(super) fn header(&self, pre_skip: u16, sample_rate: u32) -> Vec<u8> {
        let byte = |number: usize| u8::try_from(number).unwrap_or(u8::MAX);
        let mut header = b"OpusHead\x01".to_vec();
        header.push(byte(self.mapping.len()));
        header.extend(pre_skip.to_le_bytes());
        header.extend(sample_rate.to_le_bytes());
        header.extend([0, 0, self.family]);
        if self.family > 0 {
            header.extend([byte(self.streams.len()), self.num_coupled]);
            header.extend(&self.mapping);
        }
        header
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::super::super::OpusSetup;
    use super::*;

    fn choose(num_channels: u32, channel_mask: u64) -> Result<Layout> {
        Layout::choose(&EncoderOptions { channel_mask, ..EncoderOptions::new(48_000, num_channels) })
    }

    #[test]
    fn a_decoder_returns_each_channel_to_its_place() {
        for (num_channels, mask) in
            [(1, 0), (2, 3), (3, 7), (4, 0x33), (5, 0x37), (6, 0x60F), (7, 0x70F), (8, 0x63F), (9, 0)]
        {
            let layout = choose(num_channels, mask).unwrap();
            let setup = OpusSetup::from_head(&layout.header(312, 48_000), 0).unwrap();
            let decoded: Vec<usize> = layout.streams.iter().flatten().copied().collect();
            let places: Vec<usize> = setup.channels.iter().map(|channel| decoded[channel.unwrap()]).collect();
            assert_eq!(places, (0..num_channels as usize).collect::<Vec<_>>(), "{num_channels} channels");
        }
        assert_eq!(choose(6, 0x3F).unwrap().low, Some(3));
        assert_eq!(choose(8, 0x63F).unwrap().low, Some(4));
        assert_eq!(choose(6, 0).unwrap().low, None);
    }

    #[test]
    fn masks_that_opus_has_not_are_refused() {
        assert!(choose(2, 0x30).is_err() && choose(6, 0x137).is_err() && choose(9, 0x1FF).is_err());
        assert!(choose(0, 0).is_err() && choose(256, 0).is_err());
        assert!(choose(1, 0x8).is_ok() && choose(255, 0).is_ok());
    }
}
