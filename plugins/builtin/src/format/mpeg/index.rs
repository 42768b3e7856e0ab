//! The index: the position of every frame, from one pass over the headers.

use mapwave_plugin::{Error, Result, Status, Sweep};

use super::header::Header;
use super::reservoir::SideInfo;
use super::sync::{Again, Sync};
use super::tags;
use super::xing::Description;

/// The positions of all frames of sound. It takes four bytes per frame, and a few for each irregularity.
#[derive(Debug)]
pub(crate) struct Index {
    /// The low halves of the offsets.
    offsets: Vec<u32>,
    /// The frames at which the high half of the offset increases by one.
    carries: Vec<u32>,
    /// The frames with a gap before them, so that no main data is kept for them.
    breaks: Vec<u32>,
    /// The frames that cannot be decoded.
    silent: Vec<u32>,
    /// The first frame of the file, whether or not it is a description.
    pub(crate) first: Sync,
    /// The Xing, Info or VBRI description at the beginning, and its offset.
    pub(crate) description: Option<(usize, Description)>,
    /// Whether the sound ends in the middle of a frame, which therefore cannot be decoded.
    pub(crate) is_cut: bool,
    /// Whether the last frame lacks bytes but can be decoded.
    pub(crate) is_short: bool,
    /// Where a stream of another kind begins and this one ends.
    pub(crate) other: Option<Sync>,
    /// The first frame with another number of channels than the first one, and that number.
    pub(crate) mixed: Option<(usize, u8)>,
}

/// The state of the pass over the frames.
struct Builder {
    index: Index,
    high: usize,
    max_bytes: usize,
    kept_bytes: usize,
}

impl Index {
    /// Finds the frames of `bytes`, which otherwise hold only tags and damage, and which `sweep` scans. The index
    /// allocates at most `max_alloc`.
    ///
    /// # Errors
    /// [`Status::BadData`] when there are none, [`Status::Limit`] when there are too many.
    pub(crate) fn build(bytes: &[u8], sweep: &mut Sweep, max_alloc: u64) -> Result<Self> {
        let start = tags::skip_leading(bytes, 0);
        let sound = bytes.get(..tags::skip_trailing(bytes, start)).unwrap_or_default();
        let Some(first) = Sync::first(sound, start) else {
            return Err(Error::bad_data(
                start as u64,
                "no MPEG audio: the file has no consecutive frame headers of layer I, II or III",
            ));
        };
        let index = Self {
            offsets: Vec::new(),
            carries: Vec::new(),
            breaks: Vec::new(),
            silent: Vec::new(),
            first,
            description: None,
            is_cut: false,
            is_short: false,
            other: None,
            mixed: None,
        };
        let max_bytes = usize::try_from(max_alloc).unwrap_or(usize::MAX);
        let mut builder = Builder { index, high: 0, max_bytes, kept_bytes: 0 };
        let num_frames = (sound.len() - first.at) / first.header.num_bytes(first.free_bytes).max(1);
        builder.reserve(num_frames.min(max_bytes / 16) + 1)?;
        builder.walk(sound, sweep)?;
        builder.index.offsets.shrink_to_fit();
        Ok(builder.index)
    }

    /// The number of frames.
    pub(crate) fn num_packets(&self) -> u32 {
        u32::try_from(self.offsets.len()).unwrap_or(u32::MAX)
    }

    /// The offset of frame `number`; `None` beyond the last.
    pub(crate) fn offset(&self, number: u32) -> Option<usize> {
        let low = *self.offsets.get(number as usize)?;
        let high = self.carries.partition_point(|carry| *carry <= number);
        Some(high << 32 | low as usize)
    }

    /// Whether there is a gap before frame `number`.
    pub(crate) fn is_break(&self, number: u32) -> bool {
        number == 0 || self.breaks.binary_search(&number).is_ok()
    }

    /// Whether frame `number` cannot be decoded, according to the side information of layer III.
    pub(crate) fn is_silent(&self, number: u32) -> bool {
        self.silent.binary_search(&number).is_ok()
    }

    /// Whether no frame can be decoded, according to their side information.
    pub(crate) fn is_all_silent(&self) -> bool {
        self.silent.len() == self.offsets.len()
    }

    /// The bytes it has allocated.
    fn num_bytes(&self) -> usize {
        let lists = [&self.offsets, &self.carries, &self.breaks, &self.silent];
        lists.map(|list| list.capacity() * size_of::<u32>()).iter().sum()
    }
}

impl Builder {
    fn walk(&mut self, sound: &[u8], sweep: &mut Sweep) -> Result<()> {
        let first = self.index.first;
        let is_layer3 = first.header.layer() == 3;
        let mut at = first.at;
        let mut is_break = true;
        loop {
            sweep.pass(at);
            let rest = sound.get(at..).unwrap_or_default();
            let header = Header::parse(rest).filter(|header| first.header.is_consistent(*header));
            let Some(header) = header else {
                let Some(found) = self.find(sound, at, &mut is_break) else { return Ok(()) };
                at = found;
                continue;
            };
            let num_bytes = header.num_bytes(first.free_bytes);
            if num_bytes > rest.len() {
                // In layer III the main data may still be complete: it can be in the frames before.
                if is_layer3 && rest.len() >= header.main_data_start() {
                    let own_bytes = rest.len() - header.main_data_start();
                    let kept_bytes = if is_break { 0 } else { self.kept_bytes };
                    if SideInfo::parse(header, rest).advance(kept_bytes, Some(own_bytes)).is_ok() {
                        self.index.is_short = true;
                        return self.push(at, is_break);
                    }
                }
                self.index.is_cut = true;
                return Ok(());
            }
            if is_layer3 {
                let side = SideInfo::parse(header, rest);
                let is_first = self.index.offsets.is_empty() && self.index.description.is_none();
                if is_first || (side.main_data_begin, side.num_bits) == (0, 0) {
                    let frame = rest.get(..num_bytes).unwrap_or_default();
                    if let Some(description) = Description::parse(header, frame) {
                        if is_first {
                            self.index.description = Some((at, description));
                        }
                        at += num_bytes;
                        continue;
                    }
                }
                if is_break {
                    self.kept_bytes = 0;
                }
                let own_bytes = num_bytes.checked_sub(header.main_data_start());
                let advanced = side.advance(self.kept_bytes, own_bytes);
                self.kept_bytes = advanced.unwrap_or_else(|kept_bytes| kept_bytes);
                if advanced.is_err() {
                    self.check(4)?;
                    self.index.silent.push(self.index.num_packets());
                }
            }
            if header.num_channels() != first.header.num_channels() && self.index.mixed.is_none() {
                self.index.mixed = Some((at, header.num_channels()));
            }
            self.push(at, is_break)?;
            is_break = false;
            at += num_bytes;
        }
    }

    /// The next frame from `at` on, where there is no frame: after tags, which leave no gap, or after unknown bytes.
    fn find(&mut self, sound: &[u8], at: usize, is_break: &mut bool) -> Option<usize> {
        let behind = tags::skip_leading(sound, at);
        if behind > at {
            return Some(behind);
        }
        match self.index.first.again(sound, at) {
            Again::Found(found) => {
                *is_break = true;
                Some(found)
            }
            Again::Other(other) => {
                self.index.other = Some(other);
                None
            }
            Again::None => None,
        }
    }

    fn push(&mut self, at: usize, is_break: bool) -> Result<()> {
        let number = self.index.num_packets();
        if self.index.offsets.len() == self.index.offsets.capacity() {
            self.reserve(self.index.offsets.len().max(64))?;
        }
        while self.high < at >> 32 {
            self.high += 1;
            self.index.carries.push(number);
        }
        if is_break && number > 0 {
            self.check(4)?;
            self.index.breaks.push(number);
        }
        self.index.offsets.push(low_half(at));
        Ok(())
    }

    /// Makes room for `additional` more frames.
    fn reserve(&mut self, additional: usize) -> Result<()> {
        // The old and the new list exist together while one is copied to the other.
        self.check((self.index.offsets.len() + additional).saturating_mul(4))?;
        let reserved = self.index.offsets.try_reserve_exact(additional);
        reserved
            .map_err(|_| Error::new(Status::NoMemory, "not enough memory for the index of MPEG audio frames"))
    }

    /// Fails unless `additional` more bytes may be allocated.
    fn check(&self, additional: usize) -> Result<()> {
        // A list that grows by one may double.
        let lists = 4 * (self.index.breaks.len() + self.index.silent.len());
        let num_bytes = self.index.num_bytes().saturating_add(lists).saturating_add(additional);
        if num_bytes > self.max_bytes || self.index.offsets.len() >= u32::MAX as usize {
            let message = format!(
                "the index of {} MPEG audio frames needs more than the {} bytes that may be allocated",
                self.index.offsets.len(),
                self.max_bytes
            );
            return Err(Error::new(Status::Limit, message));
        }
        Ok(())
    }
}

/// The low half of an offset.
#[allow(clippy::cast_possible_truncation)] // the truncation is intended
fn low_half(offset: usize) -> u32 {
    offset as u32
}
