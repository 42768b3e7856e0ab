//! The positions of a stream's packets on its timelines.
//!
//! The *decoded* timeline has every frame that decoding gives; the *trimmed* one only those that are heard, without priming,
//! padding and frames before an edit.

#![forbid(unsafe_code)]

use std::ops::Range;

use crate::packet::Trim;

/// A packet on both timelines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Its first frame on the decoded timeline.
    pub(super) decoded: u64,
    /// Its frames on the decoded timeline.
    pub(super) num_frames: u32,
    /// The first audible one, relative to the first, and one past the last.
    pub(super) heard: (u32, u32),
    /// Its first frame on the trimmed timeline: the number of audible frames before it.
    pub(super) trimmed: u64,
}

impl Place {
    /// The frames that are heard, on the decoded timeline.
    pub(super) fn heard(&self) -> Range<u64> {
        self.decoded + u64::from(self.heard.0)..self.decoded + u64::from(self.heard.1)
    }

    /// One past its last frame on the decoded timeline.
    pub(super) fn end(&self) -> u64 {
        self.decoded + u64::from(self.num_frames)
    }

    /// One past its last frame on the trimmed timeline.
    pub(super) fn trimmed_end(&self) -> u64 {
        self.trimmed + u64::from(self.heard.1 - self.heard.0)
    }
}

/// The sample rate of the output, and the rate in which a container counts trimmed frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scale {
    pub(super) decoded: u32,
    pub(super) told: u32,
}

impl Scale {
    /// Both are the same.
    pub(super) const ONE: Self = Self { decoded: 1, told: 1 };

    /// Converts a number of the container's frames, rounded to the nearest.
    fn frames(self, told: u32) -> u32 {
        let (decoded, rate) = (u64::from(self.decoded), u64::from(self.told.max(1)));
        u32::try_from((u64::from(told) * decoded + rate / 2) / rate).unwrap_or(u32::MAX)
    }
}

/// The packets of a stream in order.
#[derive(Debug)]
pub(super) struct Timeline {
    places: Vec<Place>,
    /// The number of frames still to skip from coming packets.
    skip: u32,
}

impl Timeline {
    /// A timeline that skips its first frames, unless its first packet says otherwise.
    pub(super) fn new(skip: u32) -> Self {
        Self { places: Vec::new(), skip }
    }

    /// Adds a packet of this many frames. Its trimming may be counted at another rate.
    pub(super) fn push(&mut self, num_frames: u32, trim: Trim, scale: Scale) {
        let (decoded, trimmed) = (self.decoded_end(), self.num_frames());
        match trim.skip {
            // In Matroska, a packet that is both first and last states only the trimming at its end.
            Some(0) if self.places.is_empty() && trim.discard > 0 => {}
            Some(skip) => self.skip = scale.frames(skip),
            None => {}
        }
        let first = self.skip.min(num_frames);
        self.skip -= first;
        let mut heard = (first, num_frames);
        if trim.is_unheard {
            heard = (num_frames, num_frames);
        }
        // libav ignores a padding that is longer than the packet.
        let discard = scale.frames(trim.discard);
        if discard <= heard.1 - heard.0 {
            heard.1 -= discard;
        }
        self.places.push(Place { decoded, num_frames, heard, trimmed });
    }

    /// The packets.
    pub(super) fn places(&self) -> &[Place] {
        &self.places
    }

    /// The frames of the decoded timeline.
    pub(super) fn decoded_end(&self) -> u64 {
        self.places.last().map_or(0, Place::end)
    }

    /// The frames of the trimmed timeline.
    pub(super) fn num_frames(&self) -> u64 {
        self.places.last().map_or(0, Place::trimmed_end)
    }

    /// The number of frames trimmed before the first audible frame, and after the last.
    pub(super) fn left_out(&self) -> (u64, u64) {
        let last = self.places.iter().rev().find(|place| place.heard.0 < place.heard.1);
        let Some(last) = last else { return (self.decoded_end(), 0) };
        let first = self.places.iter().find(|place| place.heard.0 < place.heard.1);
        let priming = first.map_or(0, |first| first.heard().start);
        (priming, self.decoded_end() - last.heard().end)
    }

    /// The number of the packet that holds a frame of the trimmed timeline; at the end, that of the last packet.
    pub(super) fn find(&self, frame: u64) -> usize {
        self.places
            .partition_point(|place| place.trimmed_end() <= frame)
            .min(self.places.len().saturating_sub(1))
    }

    /// The number of the packet whose frames are at a place of the decoded timeline.
    pub(super) fn find_decoded(&self, decoded: u64) -> usize {
        self.places.partition_point(|place| place.end() <= decoded)
    }

    /// The size of the list per packet in bytes.
    pub(super) const PLACE_BYTES: u64 = size_of::<Place>() as u64;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skip(num_frames: u32) -> Trim {
        Trim { skip: Some(num_frames), ..Trim::default() }
    }

    #[test]
    fn priming_and_padding_are_left_out() {
        let mut timeline = Timeline::new(0);
        timeline.push(960, skip(1000), Scale::ONE);
        timeline.push(960, Trim::default(), Scale::ONE);
        timeline.push(960, Trim { discard: 60, ..Trim::default() }, Scale::ONE);
        let heard: Vec<Range<u64>> = timeline.places().iter().map(Place::heard).collect();
        assert_eq!(heard, [960..960, 1000..1920, 1920..2820]);
        assert_eq!(
            (timeline.decoded_end(), timeline.num_frames(), timeline.left_out()),
            (2880, 1820, (1000, 60))
        );
        assert_eq!([0, 919, 920, 1819, 1820].map(|frame| timeline.find(frame)), [1, 1, 2, 2, 2]);
        assert_eq!([0, 959, 960, 2880].map(|frame| timeline.find_decoded(frame)), [0, 0, 1, 3]);
    }

    #[test]
    fn trims_are_told_at_a_rate_of_their_own() {
        let from_8_khz = Scale { decoded: 48_000, told: 8000 };
        assert_eq!((from_8_khz.frames(108), from_8_khz.frames(u32::MAX)), (648, u32::MAX));
        assert_eq!(Scale { decoded: 48_000, told: 44_100 }.frames(595), 648);
        assert_eq!(Scale { decoded: 2, told: 0 }.frames(5), 10);
    }

    #[test]
    fn a_codec_may_know_its_delay_itself() {
        let mut timeline = Timeline::new(300);
        timeline.push(200, Trim::default(), Scale::ONE);
        timeline.push(200, Trim::default(), Scale::ONE);
        assert_eq!((timeline.num_frames(), timeline.left_out()), (100, (300, 0)));
        let mut timeline = Timeline::new(300);
        timeline.push(200, skip(50), Scale::ONE);
        assert_eq!(timeline.num_frames(), 150);
    }

    #[test]
    fn the_middle_may_be_left_out_too() {
        let mut timeline = Timeline::new(0);
        timeline.push(100, Trim::default(), Scale::ONE);
        timeline.push(100, Trim { is_unheard: true, ..Trim::default() }, Scale::ONE);
        timeline.push(100, skip(30), Scale { decoded: 2, told: 1 });
        timeline.push(100, Trim { discard: 101, ..Trim::default() }, Scale::ONE);
        let trimmed: Vec<u64> = timeline.places().iter().map(|place| place.trimmed).collect();
        assert_eq!((trimmed, timeline.num_frames()), (vec![0, 100, 100, 140], 240));
        assert_eq!(timeline.find(100), 2);
        assert_eq!(timeline.left_out(), (0, 0));
    }
}
