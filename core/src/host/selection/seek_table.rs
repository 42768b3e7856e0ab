//! A decoder's index of a file as bytes that travel: with what it belongs to, and checked against that.
//!
//! Nothing in it is trusted. A table that is damaged, of another file, of another decoder or of another version of it is not used;
//! the decoder then scans the file, as without one.

#![forbid(unsafe_code)]

use std::ops::Range;

use crate::host::session::decoder::Decoder;
use crate::host::table::decoder::DecoderKind;
use crate::source::{Scratch, Source};

const SIGNATURE: &[u8; 8] = b"mwseek01";

/// Smaller files are scanned as fast as their index is read.
const MIN_FILE_BYTES: u64 = 256 << 10;

/// The most bytes of an index.
const MAX_INDEX_BYTES: u64 = 16 << 20;

/// How many places of a file identify it, and the bytes of each.
const NUM_PLACES: u64 = 8;
const PLACE_BYTES: u64 = 1024;

/// The most bytes that the index of this file may take; `None` if it is too short to be worth one.
pub(crate) fn worth_saving(source: &Source) -> Option<usize> {
    let most = (source.len() / 4).min(MAX_INDEX_BYTES);
    usize::try_from(most).ok().filter(|_| source.len() >= MIN_FILE_BYTES)
}

/// A table for a file that is about to be opened.
#[derive(Clone, Copy, Debug)]
pub(super) struct SeekTable<'a> {
    plugin: &'a [u8],
    version: &'a [u8],
    decoder: &'a [u8],
    track: Option<u32>,
    pub(super) index: &'a [u8],
}

impl<'a> SeekTable<'a> {
    /// The table in `bytes`, if it is whole and of this file.
    pub(super) fn parse(bytes: &'a [u8], source: &Source) -> Option<Self> {
        let (sealed, seal) = bytes.split_last_chunk::<8>()?;
        let mut rest = sealed.strip_prefix(SIGNATURE)?;
        if u64::from_le_bytes(*seal) != digest(0, sealed) {
            return None;
        }
        let file = take(&mut rest, 16)?;
        let (num_bytes, contents) = (number(file.get(..8)?)?, number(file.get(8..)?)?);
        let track = u32::try_from(number(take(&mut rest, 8)?)?).ok();
        let [plugin, version, decoder] = [text(&mut rest)?, text(&mut rest)?, text(&mut rest)?];
        let is_of_file = num_bytes == source.len() && Some(contents) == digest_of(source);
        is_of_file.then_some(Self { plugin, version, decoder, track, index: rest })
    }

    /// Whether this decoder has made it for this track.
    pub(super) fn is_of(&self, kind: &DecoderKind, track: Option<u32>) -> bool {
        let names = [kind.plugin(), kind.version(), kind.name()].map(str::as_bytes);
        (names, track) == ([self.plugin, self.version, self.decoder], self.track)
    }
}

/// The table of an open file; `None` if opening it again would cost as little without.
pub(crate) fn seek_table(decoder: &mut Decoder, source: &Source) -> Option<Vec<u8>> {
    let index = decoder.save_index(worth_saving(source)?)?;
    to_bytes(decoder.kind(), decoder.stream(), source, &index)
}

fn to_bytes(kind: &DecoderKind, track: Option<u32>, source: &Source, index: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = SIGNATURE.to_vec();
    let track = track.map_or(u64::MAX, u64::from);
    for number in [source.len(), digest_of(source)?, track] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    for text in [kind.plugin(), kind.version(), kind.name()] {
        bytes.push(u8::try_from(text.len()).ok()?);
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes.extend_from_slice(index);
    let seal = digest(0, &bytes);
    bytes.extend_from_slice(&seal.to_le_bytes());
    Some(bytes)
}

fn take<'a>(rest: &mut &'a [u8], num_bytes: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(num_bytes)?;
    *rest = left;
    Some(taken)
}

fn text<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let num_bytes = usize::from(*take(rest, 1)?.first()?);
    take(rest, num_bytes)
}

fn number(bytes: &[u8]) -> Option<u64> {
    bytes.first_chunk::<8>().map(|bytes| u64::from_le_bytes(*bytes))
}

/// A digest of a file's first and last bytes and of some places between.
fn digest_of(source: &Source) -> Option<u64> {
    let last = source.len().saturating_sub(PLACE_BYTES);
    let places = (0..NUM_PLACES).map(|place| {
        let start = last / (NUM_PLACES - 1) * place;
        let start = if place + 1 == NUM_PLACES { last } else { start };
        Range { start, end: source.len().min(start.saturating_add(PLACE_BYTES)) }
    });
    let mut scratch = Scratch::new();
    let mut sum = source.len();
    for place in places {
        sum = digest(sum, source.read(place, &mut scratch).ok()?);
    }
    Some(sum)
}

/// A digest that finds accidents: each step is a bijection of the state, so that no single changed word goes unnoticed. It is not
/// proof against intent.
fn digest(seed: u64, bytes: &[u8]) -> u64 {
    /// An odd number without a pattern: 2^64 divided by the golden ratio.
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let step = |state: u64, word: u64| {
        let state = (state ^ word).wrapping_mul(FACTOR);
        state ^ state >> 29
    };
    let (words, rest) = bytes.as_chunks::<8>();
    let state = words.iter().fold(seed, |state, word| step(state, u64::from_le_bytes(*word)));
    let state = rest.iter().fold(state, |state, byte| step(state, u64::from(*byte)));
    step(state, bytes.len() as u64)
}
