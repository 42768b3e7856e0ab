//! Microsoft ADPCM (*Multimedia Data Standards Update*, Microsoft, 1994, "Microsoft ADPCM"): 4 bits per sample. A
//! sample is predicted from the two before it by one of several pairs of coefficients, which each block chooses. The
//! four bits are the error of the prediction in units of a step, which adapts to the size of the errors.

#![forbid(unsafe_code)]

use super::ima::saturate;

/// The weights of the two samples before in a prediction, in 256ths.
pub(crate) type Coefficients = (i16, i16);

/// The seven pairs that every file begins with.
const STANDARD: [Coefficients; 7] =
    [(256, 0), (512, -256), (0, 0), (192, 64), (240, 0), (460, -208), (392, -232)];

/// The factor by which a nibble changes the step, in 256ths ("AdaptationTable").
const ADAPTATION: [i32; 16] =
    [230, 230, 230, 230, 307, 409, 512, 614, 768, 614, 512, 409, 307, 230, 230, 230];
const LEAST_DELTA: i32 = 16;
/// The greatest step: no encoder comes near it, and nothing overflows below it.
const MOST_DELTA: i32 = i32::MAX / 768;

/// The bytes of a channel's header: predictor, delta and two samples.
const HEADER_BYTES: usize = 7;

/// All coefficients of a file: the standard ones, which a file cannot change, and those that it adds.
///
/// `config` is what follows `cbSize` in the `fmt ` chunk: samples per block, the number of coefficients, their pairs.
pub(crate) fn coefficients(config: &[u8], read: impl Fn([u8; 2]) -> i16) -> Vec<Coefficients> {
    let fields = config.as_chunks::<2>().0;
    let stated = fields.get(1).map_or(0, |count| usize::try_from(read(*count)).unwrap_or(0));
    let pairs = fields.get(2..).unwrap_or_default().as_chunks::<2>().0.iter().take(stated);
    let added = pairs.skip(STANDARD.len()).map(|[first, second]| (read(*first), read(*second)));
    STANDARD.into_iter().chain(added).collect()
}

/// The frames in `num_bytes` bytes of a block: two in the header, then a nibble for each sample.
pub(crate) fn frames(num_bytes: usize, num_channels: usize) -> usize {
    let nibbles = num_bytes.checked_sub(HEADER_BYTES * num_channels).map(|bytes| 2 * bytes);
    nibbles.and_then(|nibbles| nibbles.checked_div(num_channels)).map_or(0, |frames| 2 + frames)
}

/// The state of one channel.
#[derive(Clone, Copy, Debug, Default)]
struct Predictor {
    coefficients: (i32, i32),
    delta: i32,
    last: i32,
    last_but_one: i32,
}

impl Predictor {
    #[inline]
    fn next(&mut self, nibble: u8) -> i16 {
        let (first, second) = self.coefficients;
        let predicted = (self.last * first).saturating_add(self.last_but_one * second) / 256;
        let signed = i32::from(nibble) - if nibble & 8 == 0 { 0 } else { 16 };
        let sample = saturate(predicted.saturating_add(signed * self.delta));
        let adaptation = ADAPTATION.get(usize::from(nibble)).copied().unwrap_or(0);
        self.delta = ((self.delta * adaptation) >> 8).clamp(LEAST_DELTA, MOST_DELTA);
        self.last_but_one = self.last;
        self.last = sample.into();
        sample
    }
}

/// Decodes a block of one or two channels into interleaved samples; `None` if a header names coefficients that do not
/// exist.
///
/// The header has each field for every channel: predictor, delta, the second sample, the first sample. Interleaved
/// samples follow, the high half of a byte first.
pub(crate) fn decode(
    block: &[u8],
    num_channels: usize,
    coefficients: &[Coefficients],
    samples: &mut [i16],
) -> Option<()> {
    let (header, nibbles) = block.split_at_checked(HEADER_BYTES * num_channels)?;
    let (predictors, fields) = header.split_at_checked(num_channels)?;
    let mut fields = fields.as_chunks::<2>().0.chunks(num_channels);
    let (deltas, seconds, firsts) = (fields.next()?, fields.next()?, fields.next()?);

    let mut states = [Predictor::default(); 2];
    let states = states.get_mut(..num_channels)?;
    let (head, body) = samples.split_at_mut_checked(2 * num_channels)?;
    let (first_frame, second_frame) = head.split_at_mut_checked(num_channels)?;
    for (channel, state) in states.iter_mut().enumerate() {
        let (first, second) = *coefficients.get(usize::from(*predictors.get(channel)?))?;
        let field = |fields: &[[u8; 2]]| fields.get(channel).map(|bytes| i16::from_le_bytes(*bytes));
        let (delta, last, last_but_one) = (field(deltas)?, field(seconds)?, field(firsts)?);
        *state = Predictor {
            coefficients: (first.into(), second.into()),
            delta: delta.into(),
            last: last.into(),
            last_but_one: last_but_one.into(),
        };
        *first_frame.get_mut(channel)? = last_but_one;
        *second_frame.get_mut(channel)? = last;
    }
    let mut places = body.iter_mut();
    match states {
        [one] => {
            for (byte, place) in nibbles.iter().flat_map(|byte| [byte >> 4, byte & 15]).zip(places) {
                *place = one.next(byte);
            }
        }
        [left, right] => {
            for byte in nibbles {
                let (Some(first), Some(second)) = (places.next(), places.next()) else { break };
                *first = left.next(byte >> 4);
                *second = right.next(byte & 15);
            }
        }
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_follow_from_bytes() {
        // wSamplesPerBlock = (nBlockAlign - 7 * nChannels) * 8 / (4 * nChannels) + 2.
        assert_eq!((frames(1024, 1), frames(1024, 2), frames(2048, 1)), (2036, 1012, 4084));
        assert_eq!([frames(6, 1), frames(7, 1), frames(8, 1), frames(15, 2)], [0, 2, 4, 3]);
    }

    #[test]
    fn a_block_by_hand() {
        let coefficients = coefficients(&[], i16::from_le_bytes);
        // Predictor 1 (2 * last - last but one), delta 16, samples 10 then 20.
        let block = [1, 16, 0, 20, 0, 10, 0, 0x1f];
        let mut samples = [0; 4];
        assert_eq!(decode(&block, 1, &coefficients, &mut samples), Some(()));
        // 30 + 1 * 16 = 46, the delta stays 16 (14 is too little); 72 - 16 = 56.
        assert_eq!(samples, [10, 20, 46, 56]);
        assert_eq!(decode(&[7, 16, 0, 20, 0, 10, 0], 1, &coefficients, &mut samples), None);
        assert_eq!(decode(&[7, 16], 1, &coefficients, &mut samples), None);
    }

    #[test]
    fn two_channels_share_a_byte() {
        let coefficients = coefficients(&[], i16::from_le_bytes);
        let block = [2, 2, 16, 0, 16, 0, 3, 0, 4, 0, 1, 0, 2, 0, 0x12];
        let mut samples = [0; 6];
        assert_eq!(decode(&block, 2, &coefficients, &mut samples), Some(()));
        assert_eq!(samples, [1, 2, 3, 4, 16, 32]);
    }

    #[test]
    fn a_file_may_add_coefficients() {
        let mut config = vec![0, 2, 8, 0];
        config.extend([0; 28]);
        config.extend([0x00, 0x01, 0xff, 0xff, 9, 9, 9, 9]);
        let found = coefficients(&config, i16::from_le_bytes);
        assert_eq!(found.len(), 8);
        assert_eq!((found.first(), found.last()), (Some(&(256, 0)), Some(&(256, -1))));
        // As in big-endian RIFX, and with a count larger than the list.
        config.get_mut(2).into_iter().for_each(|byte| *byte = 0x7f);
        assert_eq!(coefficients(&config, i16::from_be_bytes).last(), Some(&(0x0909, 0x0909)));
    }

    #[test]
    fn the_worst_header_does_not_overflow() {
        let coefficients = [(i16::MIN, i16::MIN)];
        let mut block = vec![0, 0, 0x80, 0, 0x80, 0, 0x80];
        block.extend([0x88; 200]);
        let mut samples = [0; 402];
        assert_eq!(decode(&block, 1, &coefficients, &mut samples), Some(()));
    }
}
