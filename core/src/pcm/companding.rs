//! G.711 companding: converts 8-bit logarithmic codes to 16-bit linear samples and back.
//!
//! ITU-T G.711 defines decoder output values of 13 bits (A-law, table 1) and 14 bits (mu-law, table 2). Here they are scaled to
//! 16 bits, by 8 and by 4, as in ITU-T G.191.

#![forbid(unsafe_code)]

/// The linear sample of every A-law code.
pub(super) static ALAW: [i16; 256] = table(true);

/// The linear sample of every mu-law code.
pub(super) static MULAW: [i16; 256] = table(false);

#[expect(clippy::indexing_slicing, reason = "a const fn has no iterators, and both loops end with the table")]
#[expect(clippy::cast_possible_truncation, reason = "the index stays under 256")]
const fn table(is_alaw: bool) -> [i16; 256] {
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        table[code] = if is_alaw { alaw(code as u8) } else { mulaw(code as u8) };
        code += 1;
    }
    table
}

/// Expands an A-law code: a sign bit, three segment bits and four step bits, with the even bits inverted.
const fn alaw(code: u8) -> i16 {
    let code = code ^ 0x55;
    let segment = (code >> 4) & 7;
    // The middle of the quantisation interval, which is 16 wide in the two segments closest to 0.
    let middle = ((code & 0x0f) as i16) << 4 | 8;
    let magnitude = if segment == 0 { middle } else { (middle + 0x100) << (segment - 1) };
    if code & 0x80 == 0 { -magnitude } else { magnitude }
}

/// Expands a mu-law code: a sign bit, three segment bits and four step bits, all inverted.
const fn mulaw(code: u8) -> i16 {
    /// The bias that the encoder adds so that every segment starts at a power of two: 33 in the 14-bit scale of the standard.
    const BIAS: i16 = 33 << 2;
    let code = !code;
    let magnitude = (((((code & 0x0f) as i16) << 3) + BIAS) << ((code >> 4) & 7)) - BIAS;
    if code & 0x80 == 0 { magnitude } else { -magnitude }
}

/// Compresses a linear sample to the A-law code whose interval contains it (ITU-T G.711, table 1).
#[inline(always)]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "seven bits of a magnitude of twelve"
)]
pub(super) fn alaw_code(sample: i16) -> u8 {
    // 13 bits including the sign, which is handled separately. A negative number n mirrors the positive number -n - 1.
    let sign = sample >> 15;
    let magnitude = ((sample ^ sign) as u16 >> 3) as u32;
    let segment = (32 - (magnitude | 0x1f).leading_zeros()) - 5;
    let step = magnitude >> segment.max(1) & 0x0f;
    (segment << 4 | step) as u8 ^ if sign < 0 { 0x55 } else { 0xd5 }
}

/// Compresses a linear sample to the mu-law code whose interval contains it (ITU-T G.711, table 2).
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "seven bits of a magnitude of thirteen")]
pub(super) fn mulaw_code(sample: i16) -> u8 {
    /// The largest 14-bit magnitude inside the last interval, and the bias that makes segments start at powers of two.
    const CLIP: u32 = 8158;
    const BIAS: u32 = 33;
    let linear = i32::from(sample >> 2);
    let magnitude = linear.unsigned_abs().min(CLIP) + BIAS;
    let segment = (32 - magnitude.leading_zeros()) - 6;
    let step = magnitude >> (segment + 1) & 0x0f;
    (segment << 4 | step) as u8 ^ if linear < 0 { 0x7f } else { 0xff }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    use super::*;

    /// The code whose interval contains a sample, found by the decision values of the standard: they lie half way between the
    /// values of a segment, and one step of the lower segment above its last value.
    fn searched(table: &[i16; 256], sample: i32, half_step: impl Fn(u8) -> i32) -> Vec<u8> {
        let held = |code: &u8| {
            let value = i32::from(table[usize::from(*code)]);
            let half = half_step(*code);
            if value < 0 || (value == 0 && *code & 0x80 == 0) {
                sample > value - half - 1 && sample <= value + half
            } else {
                sample >= value - half && sample < value + half
            }
        };
        (0_u8..=255).filter(held).collect()
    }

    #[test]
    fn a_sample_gets_the_code_of_its_interval() {
        for sample in i16::MIN..=i16::MAX {
            let code = alaw_code(sample);
            let half = |code: u8| 8 << ((code ^ 0x55) >> 4 & 7).saturating_sub(1);
            assert!(
                searched(&ALAW, i32::from(sample), half).contains(&code),
                "A-law of {sample}: {code:#04x}"
            );
            let (code, half) = (mulaw_code(sample), |code: u8| 4 << (!code >> 4 & 7));
            let value = i32::from(sample).clamp(-32_635, 32_635);
            let (decoded, half) = (i32::from(MULAW[usize::from(code)]), half(code));
            // One unit of the 14 bits that remain of 16.
            assert!((decoded - value).abs() <= half + 3, "mu-law of {sample}: {code:#04x} is {decoded}");
        }
    }

    #[test]
    fn codes_survive_the_way_through_samples() {
        for code in 0_u8..=255 {
            assert_eq!(alaw_code(ALAW[usize::from(code)]), code);
            // mu-law has two zeros.
            let again = mulaw_code(MULAW[usize::from(code)]);
            assert_eq!(again, if code == 0x7f { 0xff } else { code });
        }
    }

    #[test]
    fn the_published_values_come_out() {
        // The ends and the middles of the two tables, in 16 bits.
        for (code, sample) in
            [(0xd5, 8), (0x55, -8), (0xaa, 32256), (0x2a, -32256), (0x80, 5504), (0x00, -5504)]
        {
            assert_eq!(alaw(code), sample, "A-law {code:#04x}");
        }
        for (code, sample) in [(0xff, 0), (0x7f, 0), (0x80, 32124), (0x00, -32124), (0xf0, 120), (0xef, 132)]
        {
            assert_eq!(mulaw(code), sample, "mu-law {code:#04x}");
        }
    }

    #[test]
    fn alaw_follows_the_decoding_formula() {
        for (code, &sample) in (0_u8..=255).zip(&ALAW) {
            let line = code ^ 0x55;
            let (segment, step) = (i32::from(line >> 4 & 7), f64::from(line & 15));
            // In units of full scale 4096: y = 2^max(s,1) * (v + 1/2 + 16 [s > 0]).
            let value = 2_f64.powi(segment.max(1)) * (step + 0.5 + if segment > 0 { 16.0 } else { 0.0 });
            let signed = if line & 0x80 == 0 { -value } else { value };
            assert_eq!(f64::from(sample), signed * 8.0, "{code:#04x}");
        }
    }

    #[test]
    fn mulaw_follows_the_decoding_formula() {
        for (code, &sample) in (0_u8..=255).zip(&MULAW) {
            let line = !code;
            // In units of full scale 8159: y = 2^s * (2 v + 33) - 33.
            let value = 2_f64.powi(i32::from(line >> 4 & 7)) * (2.0 * f64::from(line & 15) + 33.0) - 33.0;
            let signed = if line & 0x80 == 0 { value } else { -value };
            assert_eq!(f64::from(sample), signed * 4.0, "{code:#04x}");
        }
    }

    #[test]
    fn the_two_halves_mirror_each_other() {
        for table in [&ALAW, &MULAW] {
            let (low, high) = table.split_at(128);
            assert!(low.iter().zip(high).all(|(negative, positive)| *negative == -positive));
        }
    }
}
