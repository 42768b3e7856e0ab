//! Where the sound ends: the durations of packets (ISO/IEC 14496-12, 8.6.1.2 and 8.8.8).

use crate::play::scale;

/// The durations of a track's packets, in ticks of the track.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Durations {
    num_packets: u64,
    sum: u64,
    /// The longest but the last.
    longest: u32,
    last: u32,
}

impl Durations {
    /// Adds the duration of the next packets.
    pub fn add(&mut self, num_packets: u32, ticks: u32) {
        if num_packets == 0 {
            return;
        }
        self.longest = self.longest.max(if num_packets > 1 { ticks } else { self.last }).max(self.last);
        self.last = ticks;
        self.num_packets = self.num_packets.saturating_add(num_packets.into());
        self.sum = self.sum.saturating_add(u64::from(num_packets).saturating_mul(ticks.into()));
    }

    /// The packets with a duration.
    pub fn num_packets(&self) -> u64 {
        self.num_packets
    }
}

/// The frames of sound in `num_packets` packets of `frames_per_packet` frames each, for `track` ticks and `sample_rate` frames
/// per second: all but the padding of the last packet, whose duration is shorter if it has any.
///
/// Where ticks are not frames, durations are rounded: a last duration that is a tick less than the others does not count, and the
/// sum of all, if it lies within the last packet, is more exact than the last.
pub fn sound_in_packets(
    durations: &Durations,
    num_packets: u64,
    frames_per_packet: u32,
    track: u32,
    sample_rate: u32,
) -> u64 {
    let all = num_packets.saturating_mul(frames_per_packet.into());
    let before_last = all.saturating_sub(frames_per_packet.into());
    if durations.last == 0 || durations.num_packets != num_packets {
        return all;
    }
    if track == sample_rate {
        return before_last.saturating_add(durations.last.min(frames_per_packet).into());
    }
    let usual = match durations.longest {
        0 => u32::try_from(scale(frames_per_packet.into(), track, sample_rate)).unwrap_or(u32::MAX),
        longest => longest,
    };
    let sum = scale(durations.sum, sample_rate, track);
    let is_short = durations.last.saturating_add(1) < usual;
    if is_short && (before_last + 1..all).contains(&sum) { sum } else { all }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound(track: u32, list: &[(u32, u32)]) -> u64 {
        let mut durations = Durations::default();
        list.iter().for_each(|(num_packets, ticks)| durations.add(*num_packets, *ticks));
        sound_in_packets(&durations, 4, 1024, track, 44_100)
    }

    #[test]
    fn the_last_duration_tells_where_sound_ends() {
        assert_eq!(sound(44_100, &[(3, 1024), (1, 473)]), 3 * 1024 + 473);
        assert_eq!(sound(44_100, &[(1, 1024), (1, 1024), (1, 1024), (0, 9), (1, 1023)]), 4095);
        assert_eq!(sound(44_100, &[(4, 1024)]), 4096);
        // Ticks of another clock.
        assert_eq!(sound(90_000, &[(3, 2090), (1, 10)]), 3077);
        assert_eq!(sound(90_000, &[(1, 2090), (1, 2089), (1, 2090), (1, 2089)]), 4096);
        assert_eq!(sound(1000, &[(1, 23), (2, 24), (1, 10)]), 3572);
        let mut one = Durations::default();
        one.add(1, 500);
        assert_eq!(sound_in_packets(&one, 1, 1024, 44_100, 44_100), 500);
        assert_eq!(sound_in_packets(&one, 1, 1024, 22_050, 44_100), 1000);
    }

    #[test]
    fn durations_that_do_not_fit_the_packets_do_not_count() {
        assert_eq!(sound(44_100, &[]), 4096);
        assert_eq!(sound(44_100, &[(2, 1024)]), 4096, "packets without a duration");
        assert_eq!(sound(44_100, &[(9, 1024), (1, 3)]), 4096, "a truncated file");
        assert_eq!(sound(44_100, &[(4, 2048)]), 4096, "frames after band replication");
        assert_eq!(sound(90_000, &[(3, 1500), (1, 473)]), 4096, "packets that overlap");
        assert_eq!(sound(44_100, &[(3, 1024), (1, 0)]), 4096, "unknown");
        // Each rounded down: the sum is short, but the last is not shorter than the others.
        assert_eq!(sound(1000, &[(4, 22)]), 4096);
        assert_eq!(sound(44_100, &[(u32::MAX, u32::MAX), (1, 3)]), 4096);
    }
}
