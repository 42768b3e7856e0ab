//! Channels from vectors in which they alternate, and from magnitudes and angles.

#![forbid(unsafe_code)]

/// Undoes the coupling of two channels (section 4.3.5).
#[inline(always)]
pub(crate) fn decouple(magnitudes: &mut [f32], angles: &mut [f32]) {
    for (magnitude, angle) in magnitudes.iter_mut().zip(angles) {
        (*magnitude, *angle) = decoupled(*magnitude, *angle);
    }
}

/// Without branches: the angle takes away from the magnitude, in the channel that its sign says.
#[inline(always)]
fn decoupled(magnitude: f32, angle: f32) -> (f32, f32) {
    let difference = if magnitude > 0.0 { angle } else { -angle };
    let (first, second) = if angle > 0.0 { (0.0, difference) } else { (difference, 0.0) };
    (magnitude + first, magnitude - second)
}

/// Both at once, of two channels that are coupled with each other.
#[inline(always)]
pub(crate) fn separate_pair(interleaved: &[f32], spectra: &mut [f32], stride: usize) {
    let (pairs, _) = interleaved.as_chunks::<2>();
    let (first, second) = spectra.split_at_mut_checked(stride).unwrap_or_default();
    for ((pair, first), second) in pairs.iter().zip(first).zip(second) {
        let [magnitude, angle] = *pair;
        (*first, *second) = decoupled(magnitude, angle);
    }
}

/// Takes the values of channels out of a vector in which they alternate (section 8.6.5). Spectra are `stride` apart.
#[inline(always)]
pub(crate) fn separate(interleaved: &[f32], channels: &[usize], spectra: &mut [f32], stride: usize) {
    let num_channels = channels.len();
    let num_lines = interleaved.len() / num_channels.max(1);
    let place = |channel: usize| channel * stride..channel * stride + num_lines;
    if let [one, other] = *channels
        && let Ok([one, other]) = spectra.get_disjoint_mut([place(one), place(other)])
    {
        let (pairs, _) = interleaved.as_chunks::<2>();
        for ((pair, one), other) in pairs.iter().zip(one).zip(other) {
            [*one, *other] = *pair;
        }
        return;
    }
    for (number, channel) in channels.iter().enumerate() {
        let spectrum = spectra.get_mut(place(*channel)).unwrap_or_default();
        let values = interleaved.iter().skip(number).step_by(num_channels);
        spectrum.iter_mut().zip(values).for_each(|(to, value)| *to = *value);
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp)]
mod tests {
    use super::*;

    #[test]
    fn coupling_is_undone_as_specified() {
        for magnitude in [-2.0, -1.0, 0.0, 1.0, 2.5] {
            for angle in [-3.0, -1.0, 0.0, 1.0, 2.0] {
                let expected = match (magnitude > 0.0, angle > 0.0) {
                    (true, true) => (magnitude, magnitude - angle),
                    (true, false) => (magnitude + angle, magnitude),
                    (false, true) => (magnitude, magnitude + angle),
                    (false, false) => (magnitude - angle, magnitude),
                };
                assert_eq!(decoupled(magnitude, angle), expected, "{magnitude} {angle}");
            }
        }
    }

    #[test]
    fn channels_are_taken_apart() {
        let mut spectra = [0.0; 12];
        separate(&[1.0, 2.0, 3.0, 4.0], &[2, 0], &mut spectra, 3);
        assert_eq!(spectra, [2.0, 4.0, 0.0, 0.0, 0.0, 0.0, 1.0, 3.0, 0.0, 0.0, 0.0, 0.0]);
        separate(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[3, 1, 0], &mut spectra, 3);
        assert_eq!(spectra, [3.0, 6.0, 0.0, 2.0, 5.0, 0.0, 1.0, 3.0, 0.0, 1.0, 4.0, 0.0]);
    }
}
