//! The frames of a track that are played: from its edit list (ISO/IEC 14496-12, 8.6.6) or from iTunes' tag.

#![forbid(unsafe_code)]

use mapwave_plugin::Result;

use crate::bytes::Bytes;
use crate::format::table_stream::Trim;

/// A part of a track's media that is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Edit {
    /// In ticks of the movie; 0 in fragmented files, whose length is unknown when the list is written.
    duration: u64,
    /// Where it begins, in ticks of the track; `None` for a pause.
    media_time: Option<u64>,
}

/// The ticks per second of a movie and of a track in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clocks {
    pub(crate) movie: u32,
    pub(crate) track: u32,
    /// Frames per second.
    pub(crate) sample_rate: u32,
}

impl Clocks {
    fn frames_of_track(&self, ticks: u64) -> u64 {
        scale(ticks, self.sample_rate, self.track)
    }

    fn frames_of_movie(&self, ticks: u64) -> u64 {
        scale(ticks, self.sample_rate, self.movie)
    }

    /// Whether two lengths in frames differ by at most a tick of the movie, to which edits are rounded.
    fn agree(&self, a: u64, b: u64) -> bool {
        let tick = u64::from(self.sample_rate.div_ceil(self.movie.max(1)));
        a.abs_diff(b) <= tick
    }
}

/// `ticks * rate / clock`, rounded to the nearest.
fn scale(ticks: u64, rate: u32, clock: u32) -> u64 {
    let clock = u128::from(clock.max(1));
    let scaled = (u128::from(ticks) * u128::from(rate) + clock / 2) / clock;
    u64::try_from(scaled).unwrap_or(u64::MAX)
}

/// Whether a track has an edit list.
pub(crate) fn is_there(trak: Bytes<'_>) -> bool {
    trak.find_path(&[*b"edts", *b"elst"]).is_some()
}

/// The frames to return of a track's `decoded_frames`: those of its edit list, or those of `itunes`, or all.
///
/// # Errors
/// When the edit list is truncated.
pub(crate) fn read_trim(
    trak: Bytes<'_>,
    itunes: Option<Trim>,
    clocks: Clocks,
    decoded_frames: u64,
) -> Result<Trim> {
    let all = Trim { priming_frames: 0, num_frames: None };
    let otherwise = itunes.unwrap_or(all);
    let Some(mut elst) = trak.find_path(&[*b"edts", *b"elst"]) else { return Ok(otherwise) };
    let Some(edit) = read_edit(&mut elst)? else { return Ok(otherwise) };
    let Some(media_time) = edit.media_time else { return Ok(otherwise) };
    let priming_frames = clocks.frames_of_track(media_time);
    if priming_frames >= decoded_frames {
        return Ok(otherwise); // no frames would be left
    }
    if edit.duration == 0 {
        return Ok(Trim { priming_frames, num_frames: None });
    }
    // The edit's length is rounded to ticks of the movie. If another source agrees up to that rounding, it is exact.
    let rest = decoded_frames - priming_frames;
    let edited = clocks.frames_of_movie(edit.duration);
    let itunes = itunes.filter(|itunes| itunes.priming_frames == priming_frames);
    let exact = itunes.and_then(|itunes| itunes.num_frames).into_iter().chain([rest]);
    let num_frames = exact.into_iter().find(|exact| clocks.agree(*exact, edited)).unwrap_or(edited);
    Ok(Trim { priming_frames, num_frames: Some(num_frames) })
}

/// All edits joined into one: initial pauses are dropped, and an edit that continues the one before is merged. `None`
/// without an edit, or if edits jump, which only an editor plays.
fn read_edit(elst: &mut Bytes<'_>) -> Result<Option<Edit>> {
    let (version, _) = elst.version_and_flags()?;
    let mut whole: Option<Edit> = None;
    for _ in 0..elst.entries(if version == 0 { 12 } else { 20 })? {
        let duration = elst.u32_or_u64(version)?;
        let media_time = if version == 0 {
            u64::try_from(elst.u32()?.cast_signed()).ok()
        } else {
            u64::try_from(elst.u64()?.cast_signed()).ok()
        };
        elst.u32()?; // the rate
        match (whole, media_time) {
            (None, Some(_)) => whole = Some(Edit { duration, media_time }),
            (None, None) => {}
            (Some(_), _) => return Ok(None),
        }
    }
    Ok(whole)
}

/// Reads priming, padding and length from iTunes ("iTunSMPB"): hexadecimal numbers, of which the second to fourth are
/// the frames to drop at the start, those at the end, and the frames between.
pub(crate) fn parse_itunes(text: &str) -> Option<Trim> {
    let mut numbers = text.split_ascii_whitespace().map(|number| u64::from_str_radix(number, 16).ok());
    numbers.next()??;
    let priming_frames = numbers.next()??;
    numbers.next()??;
    let num_frames = numbers.next()??;
    Some(Trim { priming_frames, num_frames: (num_frames > 0).then_some(num_frames) })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::cast_possible_truncation)]
mod tests {
    use super::*;

    const CLOCKS: Clocks = Clocks { movie: 1000, track: 44100, sample_rate: 44100 };

    fn trim(edits: &[[i32; 2]], itunes: Option<Trim>, clocks: Clocks, decoded_frames: u64) -> Trim {
        let mut elst = vec![0u8; 4];
        elst.extend((edits.len() as u32).to_be_bytes());
        for [duration, media_time] in edits {
            elst.extend(duration.to_be_bytes());
            elst.extend(media_time.to_be_bytes());
            elst.extend([0, 1, 0, 0]);
        }
        let atom = |kind: &[u8; 4], payload: &[u8]| {
            let mut bytes = (payload.len() as u32 + 8).to_be_bytes().to_vec();
            bytes.extend(kind);
            bytes.extend(payload);
            bytes
        };
        let edts = atom(b"edts", &atom(b"elst", &elst));
        read_trim(Bytes::new(&edts), itunes, clocks, decoded_frames).unwrap()
    }

    fn found(priming_frames: u64, num_frames: u64) -> Trim {
        Trim { priming_frames, num_frames: Some(num_frames) }
    }

    #[test]
    fn an_edit_that_is_rounded_gives_way_to_what_is_exact() {
        // 150 ms are 6615 frames; the table of durations has 6617.
        assert_eq!(trim(&[[150, 1024]], None, CLOCKS, 7641), found(1024, 6617));
        // An initial pause is dropped.
        assert_eq!(trim(&[[23, -1], [150, 1024]], None, CLOCKS, 7641), found(1024, 6617));
        // iTunes knows where the padding of the last packet begins.
        let clocks = Clocks { movie: 600, ..CLOCKS };
        let itunes = Some(found(2112, 132_300));
        assert_eq!(trim(&[[1800, 2112]], itunes, clocks, 135_168), found(2112, 132_300));
        let rounded = Some(found(2112, 132_310));
        assert_eq!(trim(&[[1800, 2112]], rounded, clocks, 135_168), found(2112, 132_310));
    }

    #[test]
    fn an_edit_that_says_something_else_is_believed() {
        assert_eq!(trim(&[[100, 1024]], Some(found(9, 6617)), CLOCKS, 7641), found(1024, 4410));
        // Ticks of the track that differ from frames.
        let clocks = Clocks { track: 22050, ..CLOCKS };
        assert_eq!(trim(&[[100, 512]], None, clocks, 9000), found(1024, 4410));
        // Fragmented: the length was unknown.
        let open = Trim { priming_frames: 1024, num_frames: None };
        assert_eq!(trim(&[[0, 1024]], None, CLOCKS, 9000), open);
    }

    #[test]
    fn edits_without_sense_are_not_played() {
        let all = Trim { priming_frames: 0, num_frames: None };
        assert_eq!(trim(&[], None, CLOCKS, 9000), all);
        assert_eq!(trim(&[[100, -1]], None, CLOCKS, 9000), all);
        assert_eq!(trim(&[[100, 9000]], None, CLOCKS, 9000), all);
        assert_eq!(trim(&[[100, 0], [100, 0]], None, CLOCKS, 9000), all);
        assert_eq!(trim(&[], Some(found(5, 6)), CLOCKS, 9000), found(5, 6));
    }

    #[test]
    fn itunes_counts_in_hexadecimal() {
        let text = " 00000000 00000840 000001CA 00000000003F31F6 00000000 00000000";
        assert_eq!(parse_itunes(text), Some(found(0x840, 0x3f_31f6)));
        assert_eq!(
            parse_itunes("00000000 00000840 000001CA 0"),
            Some(Trim { num_frames: None, ..found(0x840, 0) })
        );
        assert_eq!(parse_itunes("00000000 84z"), None);
        assert_eq!(parse_itunes(""), None);
    }
}
