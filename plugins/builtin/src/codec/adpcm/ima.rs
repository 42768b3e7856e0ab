//! IMA ADPCM (*Recommended Practices for Enhancing Digital Audio Compatibility in Multimedia Systems*, IMA, 1992): 4
//! bits per sample, in Microsoft's blocks (`WAVE_FORMAT_IMA_ADPCM`) and in QuickTime's packets (`ima4`). A sample is
//! stored as its difference from the one before, as a sign and a magnitude of three bits in units of a step. Large
//! magnitudes lengthen the step, small ones shorten it, so that it follows the loudness.

#![forbid(unsafe_code)]

/// The step sizes, section 6, "Step Size Table".
const STEPS: [i32; 89] = [
    7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73, 80, 88,
    97, 107, 118, 130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449, 494, 544, 598, 658,
    724, 796, 876, 963, 1060, 1166, 1282, 1411, 1552, 1707, 1878, 2066, 2272, 2499, 2749, 3024, 3327, 3660,
    4026, 4428, 4871, 5358, 5894, 6484, 7132, 7845, 8630, 9493, 10442, 11487, 12635, 13899, 15289, 16818,
    18500, 20350, 22385, 24623, 27086, 29794, 32767,
];
const LAST_STEP: i32 = 88;

/// The bytes of a channel's header in Microsoft's blocks.
const WAV_HEADER_BYTES: usize = 4;
/// The consecutive bytes of a channel in Microsoft's blocks, and the samples in them.
const WAV_WORD_BYTES: usize = 4;
const WAV_WORD_FRAMES: usize = 8;

/// The bytes of a channel in QuickTime's packets: 2 of header and 32 of samples.
pub(crate) const QT_BYTES: usize = 34;
/// The frames of QuickTime's packets.
pub(crate) const QT_FRAMES: usize = 64;

/// The state of one channel.
#[derive(Clone, Copy, Debug)]
struct Predictor {
    sample: i32,
    step_index: i32,
}

impl Predictor {
    /// `None` if the index is beyond the table, so that the header is invalid.
    fn new(sample: i16, step_index: u8) -> Option<Self> {
        let step_index = i32::from(step_index);
        (step_index <= LAST_STEP).then_some(Self { sample: sample.into(), step_index })
    }

    fn step(&self) -> i32 {
        usize::try_from(self.step_index).ok().and_then(|index| STEPS.get(index)).copied().unwrap_or(0)
    }

    /// The next sample. `difference` turns a step and three bits into the distance.
    #[inline]
    fn next(&mut self, nibble: u8, difference: impl Fn(i32, i32) -> i32) -> i16 {
        let magnitude = i32::from(nibble & 7);
        let difference = difference(self.step(), magnitude);
        let sample = if nibble & 8 == 0 { self.sample + difference } else { self.sample - difference };
        let change = if magnitude < 4 { -1 } else { 2 * magnitude - 6 };
        self.step_index = (self.step_index + change).clamp(0, LAST_STEP);
        let sample = saturate(sample);
        self.sample = sample.into();
        sample
    }
}

/// (magnitude + 1/2) * step / 4, rounded down once.
///
/// FFmpeg and the decoders that follow it read Microsoft's blocks like this, and FFmpeg's encoder relies on it. The
/// specification's sum of shifted steps, which libsndfile uses, drops the fraction of each term, so the two drift apart
/// within a block by up to one part in a hundred.
fn product(step: i32, magnitude: i32) -> i32 {
    ((2 * magnitude + 1) * step) >> 3
}

/// The specification's sum of shifted steps, which every decoder uses for QuickTime's packets.
fn sum_of_shifts(step: i32, magnitude: i32) -> i32 {
    let term = |bit, shift| if magnitude & bit == 0 { 0 } else { step >> shift };
    (step >> 3) + term(1, 2) + term(2, 1) + term(4, 0)
}

pub(crate) fn saturate(sample: i32) -> i16 {
    i16::try_from(sample).unwrap_or(if sample < 0 { i16::MIN } else { i16::MAX })
}

/// The frames in `num_bytes` bytes of one of Microsoft's blocks (`mmreg.h`, `wSamplesPerBlock`).
pub(crate) fn wav_frames(num_bytes: usize, num_channels: usize) -> usize {
    let words = num_bytes
        .checked_sub(WAV_HEADER_BYTES * num_channels)
        .and_then(|bytes| bytes.checked_div(WAV_WORD_BYTES * num_channels));
    words.map_or(0, |words| 1 + words * WAV_WORD_FRAMES)
}

/// The frames in `num_bytes` bytes of one of QuickTime's packets; an incomplete packet has none.
pub(crate) fn qt_frames(num_bytes: usize, num_channels: usize) -> usize {
    if num_bytes < QT_BYTES * num_channels { 0 } else { QT_FRAMES }
}

/// Decodes one of Microsoft's blocks into interleaved samples; `None` if a channel's header is invalid.
///
/// Each channel has a header: its first sample, the index of its step, and a zero byte. Then the channels take turns
/// with four bytes of eight samples, the low half of a byte first.
pub(crate) fn decode_wav(block: &[u8], num_channels: usize, samples: &mut [i16]) -> Option<()> {
    let (headers, words) = block.split_at_checked(WAV_HEADER_BYTES * num_channels)?;
    for (channel, header) in headers.as_chunks::<WAV_HEADER_BYTES>().0.iter().enumerate() {
        let &[low, high, step_index, _] = header;
        let mut predictor = Predictor::new(i16::from_le_bytes([low, high]), step_index)?;
        let mut places = samples.iter_mut().skip(channel).step_by(num_channels);
        *places.next()? = i16::from_le_bytes([low, high]);
        let words = words.as_chunks::<WAV_WORD_BYTES>().0.iter().skip(channel).step_by(num_channels);
        decode_nibbles(&mut predictor, words.flatten(), places, product);
    }
    Some(())
}

/// Decodes one of QuickTime's packets into interleaved samples; `None` if a channel's header is invalid.
///
/// A channel has 34 bytes: big-endian, the upper nine bits of the sample before its first one and seven bits for its
/// step; then the samples, the low half of a byte first (Apple, *QuickTime File Format*, "IMA 4:1").
pub(crate) fn decode_qt(packet: &[u8], num_channels: usize, samples: &mut [i16]) -> Option<()> {
    for (channel, bytes) in packet.as_chunks::<QT_BYTES>().0.iter().take(num_channels).enumerate() {
        let [high, low, nibbles @ ..] = bytes;
        let mut predictor = Predictor::new(i16::from_be_bytes([*high, low & 0x80]), low & 0x7f)?;
        let places = samples.iter_mut().skip(channel).step_by(num_channels);
        decode_nibbles(&mut predictor, nibbles.iter(), places, sum_of_shifts);
    }
    Some(())
}

fn decode_nibbles<'a>(
    predictor: &mut Predictor,
    bytes: impl Iterator<Item = &'a u8>,
    mut places: impl Iterator<Item = &'a mut i16>,
    difference: impl Fn(i32, i32) -> i32 + Copy,
) {
    for byte in bytes {
        let Some(place) = places.next() else { return };
        *place = predictor.next(byte & 15, difference);
        let Some(place) = places.next() else { return };
        *place = predictor.next(byte >> 4, difference);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_grow_by_a_tenth() {
        for pair in STEPS.windows(2) {
            let &[step, next] = pair else { unreachable!() };
            let is_a_tenth = (10 * next - 11 * step).abs() <= 10;
            assert!(next > step && (is_a_tenth || next == i32::from(i16::MAX)), "{step} {next}");
        }
    }

    #[test]
    fn both_roundings_stay_close() {
        for step in STEPS {
            for magnitude in 0..8 {
                let (once, thrice) = (product(step, magnitude), sum_of_shifts(step, magnitude));
                assert!((0..=3).contains(&(once - thrice)), "{step} {magnitude}: {once} {thrice}");
            }
        }
    }

    #[test]
    fn frames_follow_from_bytes() {
        // mmreg.h: wSamplesPerBlock = (nBlockAlign - 4 * nChannels) * 8 / (4 * nChannels) + 1.
        assert_eq!(wav_frames(256, 1), 505);
        assert_eq!(wav_frames(2048, 2), 2041);
        assert_eq!([wav_frames(3, 1), wav_frames(4, 1), wav_frames(7, 1), wav_frames(8, 1)], [0, 1, 1, 9]);
        assert_eq!([qt_frames(33, 1), qt_frames(34, 1), qt_frames(67, 2), qt_frames(68, 2)], [0, 64, 0, 64]);
    }

    #[test]
    fn a_block_by_hand() {
        // Step 7: nibble 7 is (15 * 7) >> 3 = 13 up and 8 steps on, to 16; nibble 8 is (1 * 16) >> 3 = 2 down.
        let mut samples = [0; 9];
        assert_eq!(decode_wav(&[100, 0, 0, 0, 0x87, 0, 0, 0], 1, &mut samples), Some(()));
        assert_eq!(samples.first_chunk(), Some(&[100, 113, 111]));
        assert_eq!(decode_wav(&[100, 0, 89, 0], 1, &mut samples), None);
        assert_eq!(decode_wav(&[100, 0, 0], 1, &mut samples), None);
    }

    #[test]
    fn channels_take_turns() {
        let mut samples = [0; 18];
        let block = [1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0x88, 0x88, 0x88, 0x88];
        assert_eq!(decode_wav(&block, 2, &mut samples), Some(()));
        assert_eq!(samples.first_chunk(), Some(&[1, 2, 1, 2]));
        let mut packet = [0; 68];
        packet
            .as_chunks_mut::<2>()
            .0
            .iter_mut()
            .step_by(17)
            .zip([[1, 0], [2, 0x80]])
            .for_each(|(a, b)| *a = b);
        let mut samples = [0; 128];
        assert_eq!(decode_qt(&packet, 2, &mut samples), Some(()));
        assert_eq!(samples.first_chunk(), Some(&[256, 640, 256, 640]));
    }

    #[test]
    fn samples_saturate() {
        let mut samples = [0; 9];
        assert_eq!(decode_wav(&[0xff, 0x7f, 88, 0, 7, 0xff, 0, 0], 1, &mut samples), Some(()));
        // Up twice at the top; down by 15 * 29794 / 8; down by 15 * 32767 / 8.
        assert_eq!(samples.first_chunk(), Some(&[32767, 32767, 32767, -23096, -32768]));
    }
}
