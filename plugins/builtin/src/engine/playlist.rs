//! Which frames of the decoded timeline are returned, and in which order.

#![forbid(unsafe_code)]

use mapwave_edits::Span;

/// Spans of the decoded timeline and of silence, one after the other on the trimmed timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Playlist {
    parts: Vec<Part>,
    num_frames: u64,
}

/// A span, and its first frame on the trimmed timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part {
    first: u64,
    span: Span,
}

/// Frames that one decoder returns without a new start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// The first frame on the decoded timeline; `None` for silence.
    pub(crate) source: Option<u64>,
    /// The number of frames; not 0.
    pub(crate) num_frames: u64,
}

impl Playlist {
    /// Plays the spans in this order.
    pub(crate) fn new(spans: Vec<Span>) -> Self {
        let mut num_frames = 0_u64;
        let mut parts = Vec::with_capacity(spans.len());
        for span in spans.into_iter().filter(|span| span.num_frames() > 0) {
            parts.push(Part { first: num_frames, span });
            num_frames = num_frames.saturating_add(span.num_frames());
        }
        Self { parts, num_frames }
    }

    /// Leaves out the first `priming_frames` of `decoded_frames`, and returns at most `num_frames` of the rest.
    pub(crate) fn trimmed(priming_frames: u64, num_frames: Option<u64>, decoded_frames: u64) -> Self {
        let start = priming_frames.min(decoded_frames);
        let rest = decoded_frames - start;
        let num_frames = num_frames.map_or(rest, |num_frames| num_frames.min(rest));
        Self { parts: vec![Part { first: 0, span: Span::Sound { start, num_frames } }], num_frames }
    }

    /// The same without what lies beyond the end of the decoded timeline.
    pub(crate) fn within(self, decoded_frames: u64) -> Self {
        let spans = self.parts.into_iter().map(|part| match part.span {
            Span::Sound { start, num_frames } => {
                let start = start.min(decoded_frames);
                Span::Sound { start, num_frames: num_frames.min(decoded_frames - start) }
            }
            silence @ Span::Silence { .. } => silence,
        });
        Self::new(spans.collect())
    }

    /// The length of the trimmed timeline.
    pub(crate) fn num_frames(&self) -> u64 {
        self.num_frames
    }

    /// The one span of sound, unless there are more or silence.
    pub(crate) fn single(&self) -> Option<(u64, u64)> {
        match self.parts.as_slice() {
            [Part { span: Span::Sound { start, num_frames }, .. }] => Some((*start, *num_frames)),
            _ => None,
        }
    }

    /// The frames of the decoded timeline before the first that is played.
    pub(crate) fn priming_frames(&self) -> u64 {
        let first = self.parts.iter().find_map(|part| match part.span {
            Span::Sound { start, .. } => Some(start),
            Span::Silence { .. } => None,
        });
        first.unwrap_or(0)
    }

    /// The end of the last frame of the decoded timeline that is played.
    pub(crate) fn decoded_end(&self) -> u64 {
        let ends = self.parts.iter().map(|part| match part.span {
            Span::Sound { start, num_frames } => start.saturating_add(num_frames),
            Span::Silence { .. } => 0,
        });
        ends.max().unwrap_or(0)
    }

    /// What is returned from a frame of the trimmed timeline on, to the end of its span; `None` at the end.
    pub(crate) fn run(&self, position: u64) -> Option<Run> {
        let part = self.parts.partition_point(|part| part.first <= position).checked_sub(1)?;
        let Part { first, span } = *self.parts.get(part)?;
        let ahead = position - first;
        let num_frames = span.num_frames().checked_sub(ahead).filter(|num_frames| *num_frames > 0)?;
        let source = match span {
            Span::Sound { start, .. } => Some(start.saturating_add(ahead)),
            Span::Silence { .. } => None,
        };
        Some(Run { source, num_frames })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_lie_side_by_side() {
        let sound = |start, num_frames| Span::Sound { start, num_frames };
        let silence = |num_frames| Span::Silence { num_frames };
        let list = Playlist::new(vec![silence(10), sound(100, 20), sound(7, 0), sound(50, 5), silence(3)]);
        assert_eq!((list.num_frames(), list.priming_frames(), list.decoded_end()), (38, 100, 120));
        assert_eq!(list.single(), None);
        let run = |position| list.run(position).map(|run| (run.source, run.num_frames));
        assert_eq!((run(0), run(9)), (Some((None, 10)), Some((None, 1))));
        assert_eq!((run(10), run(29)), (Some((Some(100), 20)), Some((Some(119), 1))));
        assert_eq!((run(30), run(35), run(38)), (Some((Some(50), 5)), Some((None, 3)), None));
    }

    #[test]
    fn a_trimmed_stream_is_one_span() {
        let list = Playlist::trimmed(1024, Some(500), 4096);
        assert_eq!((list.single(), list.num_frames()), (Some((1024, 500)), 500));
        assert_eq!(Playlist::trimmed(1024, None, 4096).single(), Some((1024, 3072)));
        let empty = Playlist::trimmed(5000, Some(9), 4096);
        assert_eq!((empty.single(), empty.run(0)), (Some((4096, 0)), None));
        assert_eq!(Playlist::new(Vec::new()).run(0), None);
        let cut = Playlist::new(vec![Span::Sound { start: 10, num_frames: 50 }]).within(40);
        assert_eq!(cut.single(), Some((10, 30)));
    }
}
