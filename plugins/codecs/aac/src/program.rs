//! Which elements a stream has, and which channels they are (ISO/IEC 14496-3, table 1.19 and 4.5.1.2).

#![forbid(unsafe_code)]

use mapwave_codec_base::BitReader;

use crate::error::DecodeError;

/// The most channels of a stream.
pub(crate) const MAX_CHANNELS: usize = 8;

/// The kinds of elements with channels of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    #[default]
    Single,
    Pair,
    Lfe,
}

/// An element, and its channels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) kind: Kind,
    /// Its instance tag, if the program says it.
    pub(crate) tag: Option<u8>,
    /// The channels of the output.
    pub(crate) planes: [u8; 2],
}

/// The elements of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Program {
    slots: [Slot; MAX_CHANNELS],
    num_slots: usize,
    num_channels: usize,
    mask: u32,
}

/// Speakers of a WAVE channel mask.
const FRONT: [u32; 2] = [0x1, 0x2];
const CENTRE: u32 = 0x4;
const LFE: u32 = 0x8;
const BACK: [u32; 2] = [0x10, 0x20];
const FRONT_OF_CENTRE: [u32; 2] = [0x40, 0x80];
const BACK_CENTRE: u32 = 0x100;
const SIDE: [u32; 2] = [0x200, 0x400];
const TOP_FRONT: [u32; 2] = [0x1000, 0x4000];
/// No speaker that the mask has.
const OTHER: u32 = 0;

/// An element and its speakers.
type Element = (Kind, [u32; 2]);

impl Program {
    /// The elements of a channel configuration. Number 7 is by the standard a pair left and right of the centre and one at the back, but
    /// encoders write it for a pair at each side and one at the back; as in FFmpeg, it is that.
    ///
    /// # Errors
    /// When there is no such configuration, or it has more than eight channels.
    pub(crate) fn of_configuration(number: u32) -> Result<Self, DecodeError> {
        use Kind::{Lfe, Pair, Single};
        let centre = (Single, [CENTRE, OTHER]);
        let front = (Pair, FRONT);
        let (back, side) = ((Pair, BACK), (Pair, SIDE));
        let back_centre = (Single, [BACK_CENTRE, OTHER]);
        let lfe = (Lfe, [LFE, OTHER]);
        let elements: &[Element] = match number {
            1 => &[centre],
            2 => &[front],
            3 => &[centre, front],
            4 => &[centre, front, back_centre],
            5 => &[centre, front, back],
            6 => &[centre, front, back, lfe],
            7 | 12 => &[centre, front, side, back, lfe],
            11 => &[centre, front, back, back_centre, lfe],
            14 => &[centre, front, back, lfe, (Pair, TOP_FRONT)],
            0 => return Err(DecodeError::Config("has no channels")),
            13 => return Err(DecodeError::Unsupported("more than 8 channels")),
            _ => return Err(DecodeError::Config("has a reserved channel configuration")),
        };
        Self::of_elements(elements.iter().map(|element| (*element, None)))
    }

    /// Reads a program (4.4.1.1, program_config_element).
    ///
    /// # Errors
    /// When it is truncated, has no channels, or more than eight.
    #[expect(clippy::cast_possible_truncation, reason = "four bits")]
    pub(crate) fn read(bits: &mut BitReader<'_>) -> Result<Self, DecodeError> {
        bits.read(4 + 2 + 4); // the tag, the object type and the rate
        let counts = [bits.read(4), bits.read(4), bits.read(4)];
        let (num_lfe, num_data, num_couplings) = (bits.read(2), bits.read(3), bits.read(4));
        for width in [4, 4, 3] {
            if bits.read(1) != 0 {
                bits.read(width); // how to mix it down
            }
        }
        let mut places = [[(Kind::Single, 0); 15]; 3];
        for (places, count) in places.iter_mut().zip(counts) {
            for place in places.iter_mut().take(count as usize) {
                let kind = if bits.read(1) != 0 { Kind::Pair } else { Kind::Single };
                *place = (kind, bits.read(4) as u8);
            }
        }
        let mut lfe = [0; 3];
        lfe.iter_mut().take(num_lfe as usize).for_each(|tag| *tag = bits.read(4) as u8);
        bits.read_wide(num_data * 4);
        for _ in 0..num_couplings {
            bits.read(5);
        }
        bits.align();
        let num_bytes = bits.read(8);
        bits.skip_bytes(num_bytes as usize); // a comment
        if bits.is_past_end() {
            return Err(DecodeError::Config("has a program that is truncated"));
        }
        let mut elements: [(Element, Option<u8>); 48] = [((Kind::Single, [OTHER; 2]), None); 48];
        let mut num_elements = 0;
        let mut push = |kind, speakers, tag| {
            if let Some(to) = elements.get_mut(num_elements) {
                *to = ((kind, speakers), Some(tag));
                num_elements += 1;
            }
        };
        for (row, (places, count)) in places.iter().zip(counts).enumerate() {
            let places = places.get(..count as usize).unwrap_or_default();
            for (kind, tag, speakers) in speakers(row, places) {
                push(kind, speakers, tag);
            }
        }
        for (number, tag) in lfe.iter().take(num_lfe as usize).enumerate() {
            push(Kind::Lfe, if number == 0 { [LFE, OTHER] } else { [OTHER; 2] }, *tag);
        }
        Self::of_elements(elements.into_iter().take(num_elements))
    }

    fn of_elements(elements: impl Iterator<Item = (Element, Option<u8>)>) -> Result<Self, DecodeError> {
        let mut program = Self::default();
        let mut speakers = [OTHER; MAX_CHANNELS];
        let (mut is_placed, mut mask) = (true, 0);
        for ((kind, at), tag) in elements {
            let num_channels = if kind == Kind::Pair { 2 } else { 1 };
            let first = program.num_channels;
            if first + num_channels > MAX_CHANNELS {
                return Err(DecodeError::Unsupported("more than 8 channels"));
            }
            for (to, speaker) in speakers.iter_mut().skip(first).zip(at.into_iter().take(num_channels)) {
                is_placed &= speaker != OTHER && mask & speaker == 0;
                mask |= speaker;
                *to = speaker;
            }
            if let Some(slot) = program.slots.get_mut(program.num_slots) {
                #[expect(clippy::cast_possible_truncation, reason = "at most eight channels")]
                let planes = [first as u8, (first + num_channels - 1) as u8];
                *slot = Slot { kind, tag, planes };
            }
            program.num_slots += 1;
            program.num_channels += num_channels;
        }
        if program.num_channels == 0 {
            return Err(DecodeError::Config("has no channels"));
        }
        if is_placed {
            program.mask = mask;
            for plane in program.slots.iter_mut().flat_map(|slot| &mut slot.planes) {
                let speaker = speakers.get(usize::from(*plane)).copied().unwrap_or(OTHER);
                *plane = u8::try_from((mask & speaker.wrapping_sub(1)).count_ones()).unwrap_or(0);
            }
        }
        Ok(program)
    }

    pub(crate) fn slots(&self) -> &[Slot] {
        self.slots.get(..self.num_slots).unwrap_or_default()
    }

    pub(crate) fn num_channels(&self) -> usize {
        self.num_channels
    }

    pub(crate) fn channel_mask(&self) -> u32 {
        self.mask
    }
}

/// The speakers of the elements at the front, at the sides or at the back, which are listed from the centre of the front outwards and
/// end at that of the back.
fn speakers(row: usize, places: &[(Kind, u8)]) -> impl Iterator<Item = (Kind, u8, [u32; 2])> + '_ {
    let num_pairs = places.iter().filter(|(kind, _)| *kind == Kind::Pair).count();
    let num_singles = places.len() - num_pairs;
    // Two channels alone, one after the other, are a pair, as FFmpeg writes them.
    let mut pairs_left = num_pairs + num_singles / 2;
    let mut singles_left = num_singles;
    let mut half = None;
    places.iter().map(move |(kind, tag)| {
        let mut next_pair = || {
            pairs_left = pairs_left.saturating_sub(1);
            match (row, pairs_left) {
                (0, 0) => FRONT,
                (0, 1) => FRONT_OF_CENTRE,
                (1, 0) => SIDE,
                (2, 0) => BACK,
                _ => [OTHER; 2],
            }
        };
        let at = match kind {
            Kind::Pair => next_pair(),
            _ if half.is_some() => [half.take().unwrap_or(OTHER), OTHER],
            // The first at the front, and the last at the back, are in the middle.
            _ if singles_left % 2 == 1 && (row == 0 || singles_left == 1) => {
                singles_left -= 1;
                [[CENTRE, OTHER, BACK_CENTRE].get(row).copied().unwrap_or(OTHER), OTHER]
            }
            _ => {
                singles_left = singles_left.saturating_sub(2);
                let [left, right] = next_pair();
                half = Some(right);
                [left, OTHER]
            }
        };
        (*kind, *tag, at)
    })
}
