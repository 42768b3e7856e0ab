//! Sample rates stored as real numbers: AIFF's 80-bit extended, CAF's double.

#![forbid(unsafe_code)]

/// Why a sample rate cannot be used, as a predicate for "the sample rate".
pub(super) type Refusal = &'static str;

const ZERO: Refusal = "is 0, expected at least 1 Hz";
const NEGATIVE: Refusal = "is negative, expected at least 1 Hz";
const NOT_FINITE: Refusal = "is infinite or not a number, expected at least 1 Hz";
const TOO_HIGH: Refusal = "is more than 4294967295 Hz";

/// An IEEE 754 80-bit extended, big-endian, rounded to the nearest integer (Apple, *Numerics Manual*; AIFF 1.3, "Data types").
///
/// It has a sign bit, 15 bits of exponent with a bias of 16383, and a 64-bit significand with an explicit integer bit.
pub(super) fn from_extended(bytes: [u8; 10]) -> Result<u32, Refusal> {
    let [e1, e0, m @ ..] = bytes;
    let sign_and_exponent = u16::from_be_bytes([e1, e0]);
    let significand = u128::from(u64::from_be_bytes(m));
    let exponent = i32::from(sign_and_exponent & 0x7fff);
    if exponent == 0x7fff {
        return Err(NOT_FINITE);
    }
    if significand == 0 {
        return Err(ZERO);
    }
    if sign_and_exponent & 0x8000 != 0 {
        return Err(NEGATIVE);
    }
    // The value is significand * 2^(exponent - 16383 - 63). Adding half the divisor before the shift rounds to nearest; a
    // shift by 65 or more leaves nothing of 64 bits.
    let rate = match 16383 + 63 - exponent {
        places @ 1..=64 => (significand + (1 << (places - 1))) >> places,
        places @ -63..=0 => significand << -places,
        places if places > 0 => 0,
        _ => return Err(TOO_HIGH),
    };
    whole(rate)
}

/// A double, rounded to the nearest integer.
pub(super) fn from_f64(rate: f64) -> Result<u32, Refusal> {
    if !rate.is_finite() {
        return Err(NOT_FINITE);
    }
    if rate < 0.0 {
        return Err(NEGATIVE);
    }
    // The conversion from floating point saturates, and u64::MAX is over the limit as well.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let rate = rate.round() as u64;
    whole(u128::from(rate))
}

fn whole(rate: u128) -> Result<u32, Refusal> {
    match u32::try_from(rate) {
        Ok(0) => Err(ZERO),
        Ok(rate) => Ok(rate),
        Err(_) => Err(TOO_HIGH),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn extended(exponent: u16, significand: u64) -> [u8; 10] {
        let mut bytes = [0; 10];
        let (head, tail) = bytes.split_at_mut(2);
        head.copy_from_slice(&exponent.to_be_bytes());
        tail.copy_from_slice(&significand.to_be_bytes());
        bytes
    }

    #[test]
    fn reads_the_rates_of_the_trade() {
        assert_eq!(from_extended([0x40, 0x0e, 0xac, 0x44, 0, 0, 0, 0, 0, 0]), Ok(44100));
        assert_eq!(from_extended([0x40, 0x0e, 0xbb, 0x80, 0, 0, 0, 0, 0, 0]), Ok(48000));
        assert_eq!(from_extended([0x40, 0x0b, 0xfa, 0, 0, 0, 0, 0, 0, 0]), Ok(8000));
        // The Macintosh rate, 22254.5454... Hz.
        assert_eq!(from_extended([0x40, 0x0d, 0xad, 0xdd, 0x17, 0x45, 0xd1, 0x45, 0x82, 0x6c]), Ok(22255));
    }

    #[test]
    fn rounds_to_the_nearest() {
        assert_eq!(from_extended(extended(16383, 0xbfff_ffff_ffff_ffff)), Ok(1));
        assert_eq!(from_extended(extended(16383, 0xc000_0000_0000_0000)), Ok(2));
        assert_eq!(from_extended(extended(16382, 1 << 63)), Ok(1));
        assert_eq!(from_f64(0.5), Ok(1));
        assert_eq!(from_f64(44099.6), Ok(44100));
    }

    #[test]
    fn holds_the_largest_and_refuses_one_more() {
        assert_eq!(from_extended(extended(16383 + 31, 0xffff_ffff_0000_0000)), Ok(u32::MAX));
        assert_eq!(from_extended(extended(16383 + 31, 0xffff_ffff_8000_0000)), Err(TOO_HIGH));
        assert_eq!(from_extended(extended(16383 + 32, 1 << 63)), Err(TOO_HIGH));
        assert_eq!(from_extended(extended(0x7ffe, u64::MAX)), Err(TOO_HIGH));
        assert_eq!(from_f64(4_294_967_295.0), Ok(u32::MAX));
        assert_eq!(from_f64(4_294_967_296.0), Err(TOO_HIGH));
        assert_eq!(from_f64(1e300), Err(TOO_HIGH));
    }

    #[test]
    fn an_unnormal_number_counts_for_what_it_is() {
        assert_eq!(from_extended(extended(16383 + 63, 44100)), Ok(44100));
        assert_eq!(from_extended(extended(16383 + 64, 22050)), Ok(44100));
    }

    #[test]
    fn refuses_what_is_not_a_rate() {
        assert_eq!(from_extended([0; 10]), Err(ZERO));
        assert_eq!(from_extended(extended(0, u64::MAX)), Err(ZERO));
        assert_eq!(from_extended(extended(16381, u64::MAX)), Err(ZERO));
        assert_eq!(from_extended(extended(0xc00e, 0xac44 << 48)), Err(NEGATIVE));
        assert_eq!(from_extended(extended(0x7fff, 1 << 63)), Err(NOT_FINITE));
        assert_eq!(from_extended(extended(0x7fff, 0)), Err(NOT_FINITE));
        assert_eq!(from_extended(extended(0xffff, u64::MAX)), Err(NOT_FINITE));
        assert_eq!(from_f64(0.4), Err(ZERO));
        assert_eq!(from_f64(-0.0), Err(ZERO));
        assert_eq!(from_f64(-1.0), Err(NEGATIVE));
        assert_eq!(from_f64(f64::NAN), Err(NOT_FINITE));
        assert_eq!(from_f64(f64::NEG_INFINITY), Err(NOT_FINITE));
    }
}
