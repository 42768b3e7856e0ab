//! From an edit list to the frames that are played, by the rule in the crate's documentation.

use crate::elst::Edit;
use crate::error::Error;

/// Rate 1, in units of 1/65536.
const NORMAL_RATE: i32 = 1 << 16;

/// The most spans. A longer list is an attack: each span costs a new start of the decoder.
const MAX_SPANS: usize = 1 << 16;

/// The ticks per second of a movie and of a track in it, and the frames per second. None may be 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clocks {
    /// Ticks per second of the movie (`mvhd`).
    pub movie: u32,
    /// Ticks per second of the track (`mdhd`).
    pub track: u32,
    /// Frames per second.
    pub sample_rate: u32,
}

/// What the `iTunSMPB` comment states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Itunes {
    /// The frames before the sound.
    pub priming_frames: u64,
    /// The frames of sound; `None` for all that follow.
    pub num_frames: Option<u64>,
}

/// What is known of a track beside its edit list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Media {
    /// The frames that its packets decode to, without the padding of the last packet if its duration excludes that.
    pub num_frames: u64,
    /// What iTunes states of them.
    pub itunes: Option<Itunes>,
    /// The most frames that may be played. Without a limit, a few bytes could demand any amount of memory.
    pub max_frames: u64,
}

/// Frames that are played one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// Frames of the media.
    Sound {
        /// The first, counted from the first frame of the first packet.
        start: u64,
        /// Their number.
        num_frames: u64,
    },
    /// Silence.
    Silence {
        /// The number of frames.
        num_frames: u64,
    },
}

impl Span {
    /// The number of frames.
    pub fn num_frames(self) -> u64 {
        match self {
            Self::Sound { num_frames, .. } | Self::Silence { num_frames } => num_frames,
        }
    }
}

impl Itunes {
    /// Reads the comment: hexadecimal numbers, of which the second to fourth are the frames to leave out at the start, those
    /// at the end, and the frames between.
    pub fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split_ascii_whitespace().map(|number| u64::from_str_radix(number, 16).ok());
        numbers.next()??;
        let priming_frames = numbers.next()??;
        numbers.next()??;
        let num_frames = numbers.next()??;
        Some(Self { priming_frames, num_frames: (num_frames > 0).then_some(num_frames) })
    }
}

impl Clocks {
    /// The frames in a tick of the movie, to which durations are rounded.
    fn tick(self) -> u64 {
        u64::from(self.sample_rate.div_ceil(self.movie.max(1)))
    }
}

/// `ticks * rate / clock`, rounded to the nearest.
pub(crate) fn scale(ticks: u64, rate: u32, clock: u32) -> u64 {
    let clock = u128::from(clock.max(1));
    let scaled = (u128::from(ticks) * u128::from(rate) + clock / 2) / clock;
    u64::try_from(scaled).unwrap_or(u64::MAX)
}

/// The frames that a track plays, in order: those of its edit list, or else those that iTunes states, or else all. Spans that
/// follow each other in the media are joined, and none is empty.
///
/// # Errors
/// [`Error::Rate`] and [`Error::Limit`].
pub fn play(edits: impl IntoIterator<Item = Edit>, clocks: Clocks, media: Media) -> Result<Vec<Span>, Error> {
    let mut spans = listed(edits, clocks, media)?;
    let first_start = spans.iter().find_map(|span| match span {
        Span::Sound { start, .. } => Some(*start),
        Span::Silence { .. } => None,
    });
    let itunes_end = media
        .itunes
        .filter(|itunes| Some(itunes.priming_frames) == first_start)
        .and_then(|itunes| itunes.num_frames?.checked_add(itunes.priming_frames));
    for span in &mut spans {
        let Span::Sound { start, num_frames } = span else { continue };
        let end = start.saturating_add(*num_frames);
        let mut exact = itunes_end.into_iter().chain([media.num_frames]);
        let end = exact.find(|exact| exact.abs_diff(end) <= clocks.tick()).unwrap_or(end);
        *num_frames = end.min(media.num_frames).saturating_sub(*start);
    }
    spans.retain(|span| span.num_frames() > 0);
    if !spans.iter().any(|span| matches!(span, Span::Sound { .. })) {
        let start = media.itunes.map_or(0, |itunes| itunes.priming_frames).min(media.num_frames);
        let rest = media.num_frames - start;
        let stated = media.itunes.and_then(|itunes| itunes.num_frames);
        let num_frames = stated.map_or(rest, |stated| stated.min(rest));
        return Ok(vec![Span::Sound { start, num_frames }]);
    }
    let total = spans.iter().fold(0_u64, |total, span| total.saturating_add(span.num_frames()));
    if total > media.max_frames {
        return Err(Error::Limit { what: "frames", max: media.max_frames });
    }
    Ok(spans)
}

/// The spans of a list, joined but neither cut nor made exact.
fn listed(edits: impl IntoIterator<Item = Edit>, clocks: Clocks, media: Media) -> Result<Vec<Span>, Error> {
    let mut spans: Vec<Span> = Vec::new();
    let mut edits = edits.into_iter().enumerate().peekable();
    // The end of the edits so far, in ticks and in frames.
    let (mut ticks, mut frames) = (0_u64, 0_u64);
    while let Some((number, edit)) = edits.next() {
        ticks = ticks.saturating_add(edit.duration);
        let before = std::mem::replace(&mut frames, scale(ticks, clocks.sample_rate, clocks.movie));
        let mut num_frames = frames - before;
        let Some(media_time) = edit.media_time else {
            match spans.last_mut() {
                Some(Span::Silence { num_frames: last }) => *last = last.saturating_add(num_frames),
                _ => spans.push(Span::Silence { num_frames }),
            }
            continue;
        };
        let start = scale(media_time, clocks.sample_rate, clocks.track);
        if edit.duration == 0 {
            if edits.peek().is_some() {
                continue;
            }
            num_frames = media.num_frames.saturating_sub(start);
        }
        if edit.rate != NORMAL_RATE {
            return Err(Error::Rate { number, rate: edit.rate });
        }
        match spans.last_mut() {
            Some(Span::Sound { start: first, num_frames: last })
                if start > *first && start.abs_diff(first.saturating_add(*last)) <= clocks.tick() =>
            {
                *last = (start - *first).saturating_add(num_frames);
            }
            _ => spans.push(Span::Sound { start, num_frames }),
        }
        if spans.len() > MAX_SPANS {
            return Err(Error::Limit { what: "pieces", max: MAX_SPANS as u64 });
        }
    }
    Ok(spans)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const CLOCKS: Clocks = Clocks { movie: 1000, track: 44_100, sample_rate: 44_100 };

    fn edit(duration: u64, media_time: i64) -> Edit {
        Edit { duration, media_time: u64::try_from(media_time).ok(), rate: NORMAL_RATE }
    }

    fn played(list: &[(u64, i64)], clocks: Clocks, itunes: Option<Itunes>, num_frames: u64) -> Vec<Span> {
        let media = Media { num_frames, itunes, max_frames: u64::MAX };
        play(list.iter().map(|(duration, time)| edit(*duration, *time)), clocks, media).unwrap()
    }

    fn itunes(priming_frames: u64, num_frames: u64) -> Option<Itunes> {
        Some(Itunes { priming_frames, num_frames: Some(num_frames) })
    }

    fn sound(start: u64, num_frames: u64) -> Span {
        Span::Sound { start, num_frames }
    }

    fn silence(num_frames: u64) -> Span {
        Span::Silence { num_frames }
    }

    #[test]
    fn an_edit_that_is_rounded_gives_way_to_what_is_exact() {
        // 150 ms are 6615 frames; the table of durations has 6617.
        assert_eq!(played(&[(150, 1024)], CLOCKS, None, 7641), [sound(1024, 6617)]);
        // iTunes knows where the padding of the last packet begins.
        let clocks = Clocks { movie: 600, ..CLOCKS };
        let found = |num_frames| played(&[(1800, 2112)], clocks, itunes(2112, num_frames), 135_168);
        assert_eq!(found(132_300), [sound(2112, 132_300)]);
        assert_eq!(found(132_310), [sound(2112, 132_310)]);
        // What differs by more than the rounding is something else.
        assert_eq!(found(132_400), [sound(2112, 132_300)]);
    }

    #[test]
    fn an_edit_that_says_something_else_is_believed() {
        assert_eq!(played(&[(100, 1024)], CLOCKS, itunes(9, 6617), 7641), [sound(1024, 4410)]);
        // Ticks of the track that differ from frames.
        let clocks = Clocks { track: 22_050, ..CLOCKS };
        assert_eq!(played(&[(100, 512)], clocks, None, 9000), [sound(1024, 4410)]);
        // Fragmented: the length was unknown.
        assert_eq!(played(&[(0, 1024)], CLOCKS, None, 9000), [sound(1024, 7976)]);
        assert_eq!(played(&[(20, -1), (0, 1024)], CLOCKS, None, 9000), [silence(882), sound(1024, 7976)]);
    }

    #[test]
    fn edits_in_a_row_are_one() {
        let once = played(&[(1000, 1024)], CLOCKS, None, 46_080);
        assert_eq!(once, [sound(1024, 44_100)]);
        assert_eq!(played(&[(400, 1024), (600, 18_664)], CLOCKS, None, 46_080), once);
        // The joint lies between two ticks of the movie: 16976 frames are 384.94 ms.
        assert_eq!(
            played(&[(385, 1024), (615, 18_000)], CLOCKS, None, 46_080),
            [sound(1024, 16_976 + 27_121)]
        );
        let thousand: Vec<(u64, i64)> = (0..1000).map(|number| (1, 1024 + number * 441 / 10)).collect();
        assert_eq!(played(&thousand, CLOCKS, None, 45_124), [sound(1024, 44_100)]);
    }

    #[test]
    fn edits_are_played_in_their_order_with_pauses() {
        let cut = played(&[(400, 1024), (400, 27_484)], CLOCKS, None, 45_124);
        assert_eq!(cut, [sound(1024, 17_640), sound(27_484, 17_640)]);
        let back = played(&[(100, 27_484), (50, -1), (50, -1), (100, 1024)], CLOCKS, None, 45_124);
        assert_eq!(back, [sound(27_484, 4410), silence(4410), sound(1024, 4410)]);
        let twice = played(&[(1000, 1024), (1000, 1024), (10, -1)], CLOCKS, None, 45_130);
        assert_eq!(twice, [sound(1024, 44_106), sound(1024, 44_106), silence(441)]);
    }

    #[test]
    fn roundings_do_not_add_up() {
        // 3 ticks of 1/7 s are 18900 frames at 44.1 kHz; a thirtieth of a second is 1470.
        let clocks = Clocks { movie: 7, ..CLOCKS };
        let list: Vec<(u64, i64)> = (0..7).map(|_| (1, -1)).chain([(7, 0)]).collect();
        assert_eq!(played(&list, clocks, None, 90_000), [silence(44_100), sound(0, 44_100)]);
        let clocks = Clocks { movie: 11, track: 8000, sample_rate: 8000 };
        let list = [(1, 0), (1, 4000), (1, 8000), (1, 0)];
        let lengths: Vec<u64> =
            played(&list, clocks, None, 90_000).iter().map(|span| span.num_frames()).collect();
        assert_eq!((lengths.as_slice(), lengths.iter().sum()), ([727, 728, 727, 727].as_slice(), 2909_u64));
    }

    #[test]
    fn what_lies_beyond_the_media_is_cut() {
        assert_eq!(played(&[(900, 1024)], CLOCKS, None, 9000), [sound(1024, 7976)]);
        let list = [(100, 1024), (100, 50_000), (10, -1), (900, 8000)];
        assert_eq!(played(&list, CLOCKS, None, 9000), [sound(1024, 4410), silence(441), sound(8000, 1000)]);
    }

    #[test]
    fn a_list_that_leaves_no_sound_does_not_count() {
        for list in [&[][..], &[(100, -1)], &[(100, 9000)], &[(0, 0), (100, -1)]] {
            assert_eq!(played(list, CLOCKS, None, 9000), [sound(0, 9000)], "{list:?}");
            assert_eq!(played(list, CLOCKS, itunes(5, 6), 9000), [sound(5, 6)], "{list:?}");
            assert_eq!(played(list, CLOCKS, itunes(8000, 6000), 9000), [sound(8000, 1000)], "{list:?}");
        }
    }

    #[test]
    fn other_rates_and_huge_lists_are_refused() {
        let media = Media { num_frames: 9000, itunes: None, max_frames: 1 << 20 };
        let fast = Edit { rate: 2 << 16, ..edit(100, 0) };
        assert_eq!(play([edit(1, -1), fast], CLOCKS, media), Err(Error::Rate { number: 1, rate: 2 << 16 }));
        assert_eq!(
            play([Edit { rate: 0, ..edit(100, 0) }], CLOCKS, media),
            Err(Error::Rate { number: 0, rate: 0 })
        );
        // The rate of silence says nothing.
        let pause = Edit { rate: 0, ..edit(10, -1) };
        assert_eq!(play([pause, edit(100, 0)], CLOCKS, media), Ok(vec![silence(441), sound(0, 4410)]));
        let long = [edit(1 << 50, -1), edit(100, 0)];
        assert_eq!(play(long, CLOCKS, media), Err(Error::Limit { what: "frames", max: 1 << 20 }));
        let many = (0..200_000).map(|number| edit(1, if number % 2 == 0 { 0 } else { 4410 }));
        assert_eq!(play(many, CLOCKS, media), Err(Error::Limit { what: "pieces", max: 1 << 16 }));
    }

    #[test]
    fn itunes_counts_in_hexadecimal() {
        let text = " 00000000 00000840 000001CA 00000000003F31F6 00000000 00000000";
        assert_eq!(Itunes::parse(text), itunes(0x840, 0x3f_31f6));
        let unknown = Some(Itunes { priming_frames: 0x840, num_frames: None });
        assert_eq!(Itunes::parse("00000000 00000840 000001CA 0"), unknown);
        assert_eq!((Itunes::parse("00000000 84z"), Itunes::parse("")), (None, None));
    }
}
