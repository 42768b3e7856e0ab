//! The frames of a track that are played: from its edit list, or from iTunes' tag, by the rule of `mapwave-edits`.

#![forbid(unsafe_code)]

use mapwave_edits::{Clocks, Itunes, Media, edits, play};
use mapwave_plugin::{Error, Result, Status};

use crate::bytes::Bytes;
use crate::engine::playlist::Playlist;

/// The most frames that a byte of a file may play, as in the host: edits can repeat sound, and silence takes no bytes.
const MAX_FRAMES_PER_BYTE: u64 = 1 << 16;

/// The frames to return of a track's `decoded_frames`; `None` if neither an edit list nor `itunes` states any.
///
/// # Errors
/// When the edit list is truncated, or plays at another rate or more than a file of `file_bytes` bytes may.
pub(crate) fn read_playlist(
    trak: Bytes<'_>,
    itunes: Option<Itunes>,
    clocks: Clocks,
    decoded_frames: u64,
    file_bytes: u64,
) -> Result<Option<Playlist>> {
    let elst = trak.find_path(&[*b"edts", *b"elst"]);
    if elst.is_none() && itunes.is_none() {
        return Ok(None);
    }
    let max_frames = file_bytes.saturating_mul(MAX_FRAMES_PER_BYTE);
    let media = Media { num_frames: decoded_frames, itunes, max_frames };
    let spans = match elst {
        Some(elst) => edits(elst.rest()).and_then(|edits| play(edits, clocks, media)),
        None => play([], clocks, media),
    };
    let offset = elst.map_or(0, |elst| elst.offset());
    spans.map(|spans| Some(Playlist::new(spans))).map_err(|error| refusal(&error, offset))
}

/// The error for an edit list that is not played.
fn refusal(error: &mapwave_edits::Error, offset: u64) -> Error {
    let status = match error {
        mapwave_edits::Error::Rate { .. } => Status::Unsupported,
        mapwave_edits::Error::Limit { .. } => Status::Limit,
        _ => Status::BadData,
    };
    Error::new(status, error.to_string()).at(offset)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::cast_possible_truncation)]
mod tests {
    use super::*;

    const CLOCKS: Clocks = Clocks { movie: 1000, track: 44100, sample_rate: 44100 };

    fn trak(edits: &[[i32; 3]]) -> Vec<u8> {
        let mut elst = vec![0u8; 4];
        elst.extend((edits.len() as u32).to_be_bytes());
        edits.iter().flatten().for_each(|number| elst.extend(number.to_be_bytes()));
        let atom = |kind: &[u8; 4], payload: &[u8]| {
            let mut bytes = (payload.len() as u32 + 8).to_be_bytes().to_vec();
            bytes.extend(kind);
            bytes.extend(payload);
            bytes
        };
        atom(b"edts", &atom(b"elst", &elst))
    }

    #[test]
    fn a_track_without_a_list_has_no_playlist() {
        let itunes = Some(Itunes { priming_frames: 2112, num_frames: Some(5000) });
        assert_eq!(read_playlist(Bytes::new(&[]), None, CLOCKS, 9000, 9000).unwrap(), None);
        let found = read_playlist(Bytes::new(&[]), itunes, CLOCKS, 9000, 9000).unwrap().unwrap();
        assert_eq!(found.single(), Some((2112, 5000)));
        let listed = trak(&[[100, 1024, 1 << 16]]);
        let found = read_playlist(Bytes::new(&listed), itunes, CLOCKS, 9000, 9000).unwrap().unwrap();
        assert_eq!(found.single(), Some((1024, 4410)));
    }

    #[test]
    fn a_list_that_is_not_played_is_refused_with_its_place() {
        let error = |bytes: &[u8]| read_playlist(Bytes::new(bytes), None, CLOCKS, 9000, 1).unwrap_err();
        let fast = error(&trak(&[[100, 0, 2 << 16]]));
        assert_eq!((fast.status(), fast.offset()), (Status::Unsupported, Some(16)));
        let long = error(&trak(&[[100, 0, 1 << 16], [i32::MAX, -1, 1 << 16]]));
        assert_eq!(long.status(), Status::Limit);
        let mut cut = trak(&[[100, 0, 1 << 16]]);
        cut.splice(20..24, [0, 0, 0, 9]);
        assert_eq!(error(&cut).status(), Status::BadData);
    }
}
