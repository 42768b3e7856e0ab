//! Where decoding starts, so that a frame is the same in every read.
//!
//! CELT predicts energies from the frame before, with factors below 1, and its filters fade: whatever a decoder began with, it
//! has forgotten every bit of it after a second. Measured on music, speech, noise and tones, with frames of 2.5 to 20 ms: half
//! of all starts are equal to linear decoding after 0.6 s and all after 0.9 s; each further frame halves the rest. Where
//! [`PRE_ROLL`] of such packets precede a frame, decoding may start there.
//!
//! SILK and hybrid frames are another matter: the rounding of their filters can keep a difference for ever, a tone did for two
//! minutes. So does the estimate of noise that fills frames left out. For them the timeline is divided into cells, and a cell is
//! decoded by a new decoder that has been through the [`CELL_PRE_ROLL`] before it: in linear decoding, in windows and on every
//! thread. A stream shorter than a cell is decoded as libopus does from its first packet; in a longer one the pre-roll mostly
//! makes the two the same (speech: after 3 s at the most).

#![forbid(unsafe_code)]

use std::ops::Range;
use std::sync::atomic::{AtomicU8, Ordering};

use super::packet::Kind;

/// The frames of a cell.
pub(crate) const CELL_FRAMES: u64 = 30 * 48_000;
/// The frames of pre-roll before a cell.
pub(super) const CELL_PRE_ROLL: u64 = 4 * 48_000;
/// The frames of pre-roll among packets of CELT.
pub(super) const PRE_ROLL: u64 = 60_000;

const UNKNOWN: u8 = 0;
const CELT: u8 = 1;
const SPEECH: u8 = 2;
const MIXED: u8 = 3;

/// Which of two decoders is right for a cell. Where both are, they give the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    /// For packets of CELT alone and of SILK alone, hybrid or not; where CELT ends it differs by an LSB of 16 bits.
    Fast,
    /// For every mode; in CELT it is wrong in one packet of 50,000.
    General,
}

/// The cells of a stream.
#[derive(Debug)]
pub(crate) struct Cells {
    /// The first frame that is played, on the decoded timeline. Cell 0 begins there, and has what precedes it, too.
    origin: u64,
    /// What the packets of each are made of, as far as it is known.
    known: Vec<AtomicU8>,
}

impl Cells {
    /// The cells of a timeline that begins to be played at `origin` and ends at `end`.
    pub(crate) fn new(origin: u64, end: u64) -> Self {
        let num_cells = end.saturating_sub(origin) / CELL_FRAMES + 1;
        // More cells than a file can have packets are not remembered.
        let num_known = usize::try_from(num_cells).unwrap_or(usize::MAX).min(1 << 20);
        Self { origin, known: (0..num_known).map(|_| AtomicU8::new(UNKNOWN)).collect() }
    }

    fn number(&self, frame: u64) -> u64 {
        frame.saturating_sub(self.origin) / CELL_FRAMES
    }

    fn start(&self, cell: u64) -> u64 {
        match cell {
            0 => 0,
            _ => self.origin.saturating_add(cell.saturating_mul(CELL_FRAMES)),
        }
    }

    /// What the packets of a cell are made of; `kind_of` looks at those of a range of frames.
    fn kind(&self, cell: u64, kind_of: impl Fn(Range<u64>) -> Kind) -> Kind {
        let known = usize::try_from(cell).ok().and_then(|cell| self.known.get(cell));
        match known.map(|known| known.load(Ordering::Relaxed)) {
            Some(CELT) => return Kind::Celt,
            Some(SPEECH) => return Kind::Speech,
            Some(MIXED) => return Kind::Mixed,
            _ => {}
        }
        let kind = kind_of(self.start(cell)..self.start(cell.saturating_add(1)));
        if let Some(known) = known {
            let code = match kind {
                Kind::Celt => CELT,
                Kind::Speech => SPEECH,
                Kind::Mixed => MIXED,
            };
            known.store(code, Ordering::Relaxed);
        }
        kind
    }

    /// Whether a cell has only packets of CELT.
    fn is_plain(&self, cell: u64, kind_of: impl Fn(Range<u64>) -> Kind) -> bool {
        self.kind(cell, kind_of) == Kind::Celt
    }

    /// Whether a new decoder begins at a cell in linear decoding.
    fn begins(&self, cell: u64, kind_of: impl Fn(Range<u64>) -> Kind) -> bool {
        cell == 0 || !self.is_plain(cell - 1, &kind_of) || !self.is_plain(cell, &kind_of)
    }

    /// The frame from which on packets are decoded for `frame`; in between a new decoder never begins. `kind_of` looks at the
    /// packets that have frames of a range.
    pub(crate) fn entry(&self, frame: u64, kind_of: impl Fn(Range<u64>) -> Kind) -> u64 {
        let cell = self.number(frame);
        let (start, near) = (self.start(cell), frame.saturating_sub(PRE_ROLL));
        if self.is_plain(cell, &kind_of) && (near >= start || !self.begins(cell, &kind_of)) {
            return near;
        }
        start.saturating_sub(CELL_PRE_ROLL)
    }

    /// The next frame after `frame` at which a cell begins.
    pub(crate) fn next(&self, frame: u64) -> u64 {
        self.start(self.number(frame).saturating_add(1))
    }

    /// Whether linear decoding reaches `frame` with the decoder of the frame before.
    pub(crate) fn continues(&self, frame: u64, kind_of: impl Fn(Range<u64>) -> Kind) -> bool {
        let cell = self.number(frame);
        frame > 0 && (frame != self.start(cell) || !self.begins(cell, kind_of))
    }

    /// The decoder for the cell of a frame.
    pub(crate) fn engine(&self, frame: u64, kind_of: impl Fn(Range<u64>) -> Kind) -> Engine {
        let cell = self.number(frame);
        let kind = self.kind(cell, &kind_of);
        // A cell of speech has been preceded by the end of the one before.
        let before = cell.checked_sub(1).filter(|_| kind == Kind::Speech);
        let is_alike = before.is_none_or(|before| self.kind(before, &kind_of) == Kind::Speech);
        if kind != Kind::Mixed && is_alike { Engine::Fast } else { Engine::General }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CELL: u64 = CELL_FRAMES;

    #[test]
    fn plain_cells_are_entered_shortly_before_the_frame() {
        let cells = Cells::new(312, 10 * CELL);
        let plain = |_| Kind::Celt;
        assert_eq!([cells.entry(0, plain), cells.entry(PRE_ROLL + 7, plain)], [0, 7]);
        assert_eq!(cells.entry(5 * CELL, plain), 5 * CELL - PRE_ROLL);
        assert_eq!([cells.next(0), cells.next(CELL + 312)], [CELL + 312, 2 * CELL + 312]);
        assert!(cells.continues(CELL + 312, plain) && !cells.continues(0, plain));
        assert_eq!(cells.engine(7, plain), Engine::Fast);
    }

    #[test]
    fn other_cells_are_decoded_from_their_beginning() {
        let cells = Cells::new(312, 10 * CELL);
        let is_third = |frames: Range<u64>| match frames.start {
            start if start == 2 * CELL + 312 => Kind::Mixed,
            _ => Kind::Celt,
        };
        assert_eq!(cells.entry(312 + 3 * CELL - 1, is_third), 312 + 2 * CELL - CELL_PRE_ROLL);
        // So is the beginning of the next one; later, enough in front is plain.
        assert_eq!(cells.entry(312 + 3 * CELL + 100, is_third), 312 + 3 * CELL - CELL_PRE_ROLL);
        assert_eq!(cells.entry(312 + 3 * CELL + PRE_ROLL, is_third), 312 + 3 * CELL);
        assert_eq!(cells.entry(312 + 4 * CELL, is_third), 312 + 4 * CELL - PRE_ROLL);
        let continues = [1, 2, 3, 4].map(|cell| cells.continues(312 + cell * CELL, is_third));
        assert_eq!(continues, [true, false, false, true]);
        assert_eq!(cells.engine(312 + 2 * CELL, is_third), Engine::General);
        assert_eq!(cells.entry(400, |_| Kind::Mixed), 0);
        let speech = Cells::new(312, 10 * CELL);
        let from_second = |frames: Range<u64>| if frames.start < CELL { Kind::Celt } else { Kind::Speech };
        let engines = [0, 1, 2].map(|cell| speech.engine(312 + cell * CELL, from_second));
        assert_eq!(engines, [Engine::Fast, Engine::General, Engine::Fast]);
    }
}
