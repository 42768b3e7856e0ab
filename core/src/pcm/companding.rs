//! G.711 companding: 8-bit logarithmic codes to 16-bit linear samples.
//!
//! ITU-T G.711 gives decoder output values of 13 bits (A-law, table 1) and 14 bits (mu-law, table 2). They are scaled
//! here to fill 16 bits, by 8 and by 4, as in ITU-T G.191.

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

/// Expands an A-law code: sign, three bits of segment, four of step, the even bits inverted on the line.
const fn alaw(code: u8) -> i16 {
    let code = code ^ 0x55;
    let segment = (code >> 4) & 7;
    // The middle of the quantisation interval, which is 16 wide in the two segments nearest to 0.
    let middle = ((code & 0x0f) as i16) << 4 | 8;
    let magnitude = if segment == 0 { middle } else { (middle + 0x100) << (segment - 1) };
    if code & 0x80 == 0 { -magnitude } else { magnitude }
}

/// Expands a mu-law code: sign, three bits of segment, four of step, all inverted on the line.
const fn mulaw(code: u8) -> i16 {
    /// What the encoder adds, so that every segment begins at a power of two: 33 in the 14-bit scale of the standard.
    const BIAS: i16 = 33 << 2;
    let code = !code;
    let magnitude = (((((code & 0x0f) as i16) << 3) + BIAS) << ((code >> 4) & 7)) - BIAS;
    if code & 0x80 == 0 { magnitude } else { -magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;

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
