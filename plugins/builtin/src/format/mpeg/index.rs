//! The index: the position of every frame, from one pass over the headers.

use mapwave_plugin::{Error, Result, Status, Sweep};

use super::header::Header;
use super::reservoir::SideInfo;
use super::sync::{Again, Sync};
use super::tags;
use super::xing::Description;
use crate::engine::increasing::Increasing;
use crate::engine::saved::{Saved, Saver};

/// The tag of a saved index.
const TAG: &[u8; 8] = b"mpeg   1";
/// The bytes from the first frame on that confirm it.
const FIRST_BYTES: usize = 64 << 10;
/// How many frames of a saved index are looked at before it is believed.
const NUM_SAMPLES: u32 = 32;

/// The positions of all frames of sound. It takes a byte or two per frame, and a few for each irregularity.
#[derive(Debug)]
pub(crate) struct Index {
    offsets: Increasing,
    /// The frames of a stream that was not scanned, instead.
    regular: Option<Regular>,
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

/// Frames of one bitrate without anything between them: each is where its number says, or a byte before or after.
#[derive(Clone, Copy, Debug)]
struct Regular {
    /// The bytes of the sound, of which each frame has its share, and the offset of the first.
    num_bytes: u64,
    num_frames: u32,
    start: usize,
}

/// The state of the pass over the frames.
struct Builder {
    index: Index,
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
            offsets: Increasing::default(),
            regular: None,
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
        let mut builder = Builder { index, max_bytes, kept_bytes: 0 };
        builder.walk(sound, sweep)?;
        Ok(builder.index)
    }

    /// The index as bytes; `None` if the stream changes, which must be told again.
    pub(crate) fn save(&self) -> Option<Vec<u8>> {
        if self.other.is_some() || self.mixed.is_some() || self.regular.is_some() {
            return None;
        }
        let mut saver = Saver::new(TAG);
        saver.number(self.first.at as u64);
        saver.number(u64::from(self.description.is_some()));
        saver.number(u64::from(self.is_cut));
        saver.number(u64::from(self.is_short));
        saver.list(&self.breaks);
        saver.list(&self.silent);
        self.offsets.save(&mut saver);
        Some(saver.finish())
    }

    /// The index of `bytes` that [`save`](Self::save) returned; `None` if it is not that of these bytes, as far as a look at the
    /// beginning and at some frames shows.
    pub(crate) fn load(saved: &[u8], bytes: &[u8], max_alloc: u64) -> Option<Self> {
        let mut saved = Saved::new(saved, TAG)?;
        if saved.num_bytes() as u64 > max_alloc {
            return None;
        }
        let start = tags::skip_leading(bytes, 0);
        let sound = bytes.get(..tags::skip_trailing(bytes, start))?;
        let at: usize = saved.small()?;
        // It was found by the chain of frames that it begins.
        let first = Sync::first(sound.get(..sound.len().min(at.saturating_add(FIRST_BYTES)))?, start)?;
        let flags: [u64; 3] = [saved.number()?, saved.number()?, saved.number()?];
        let description = describing(first, sound).map(|description| (first.at, description));
        if first.at != at || u64::from(description.is_some()) != flags[0] {
            return None;
        }
        let (breaks, silent) = (saved.list(u32::MAX)?, saved.list(u32::MAX)?);
        let offsets = Increasing::load(&mut saved, sound.len() as u64)?;
        let [_, is_cut, is_short] = flags.map(|flag| flag == 1);
        let (other, mixed) = (None, None);
        let regular = None;
        let index =
            Self { offsets, regular, breaks, silent, first, description, is_cut, is_short, other, mixed };
        index.fits(sound).then_some(index)
    }

    /// Whether frames are where the index has them, and follow each other.
    fn fits(&self, sound: &[u8]) -> bool {
        let num_packets = self.num_packets();
        let header_at = |number: u32| {
            let offset = self.offset(number)?;
            let header = sound.get(offset..).and_then(Header::parse)?;
            self.first.header.is_consistent(header).then_some((offset, header))
        };
        let follows = |number: u32| {
            let Some((offset, header)) = header_at(number) else { return false };
            let end = offset.saturating_add(header.num_bytes(self.first.free_bytes));
            let next = number.saturating_add(1);
            match self.offset(next) {
                // Tags, or a frame that describes, may be between.
                Some(following) => end == following || end < following && header_at(next).is_some(),
                None => end <= sound.len() || self.is_short,
            }
        };
        let step = (num_packets / NUM_SAMPLES).max(1);
        num_packets > 0 && (0..num_packets).step_by(step as usize).all(follows) && follows(num_packets - 1)
    }

    /// The number of frames.
    pub(crate) fn num_packets(&self) -> u32 {
        match self.regular {
            Some(regular) => regular.num_frames,
            None => u32::try_from(self.offsets.len()).unwrap_or(u32::MAX),
        }
    }

    /// The offset of frame `number`; `None` beyond the last.
    pub(crate) fn offset(&self, number: u32) -> Option<usize> {
        let Some(Regular { num_bytes, num_frames, start }) = self.regular else {
            return usize::try_from(self.offsets.get(number as usize)?).ok();
        };
        let share = u64::from(number).checked_mul(num_bytes)? / u64::from(num_frames);
        (number < num_frames).then_some(start + usize::try_from(share).ok()?)
    }

    /// The offset of frame `number` where that of [`offset`](Self::offset) may be off by a byte; `None` if no frame is there.
    pub(crate) fn exact_offset(&self, bytes: &[u8], number: u32) -> Option<usize> {
        let near = self.offset(number)?;
        if self.regular.is_none() {
            return Some(near);
        }
        let size = |header: Header| header.num_bytes(0).saturating_sub(header.padding_bytes());
        let is_frame = |offset: &usize| {
            let header = bytes.get(*offset..).and_then(Header::parse);
            header.is_some_and(|header| {
                self.first.header.is_consistent(header) && size(header) == size(self.first.header)
            })
        };
        [near, near + 1, near.saturating_sub(1)].into_iter().find(is_frame)
    }

    /// Whether frames are where their numbers say, give or take a byte, and none was looked for.
    pub(crate) fn is_regular(&self) -> bool {
        self.regular.is_some()
    }

    /// The index of a stream that is not scanned, since all its frames have one bitrate: where its encoder says that and how many there
    /// are, or says nothing, and that fits the bytes, and the frames here and there and at the end.
    pub(crate) fn trust(bytes: &[u8]) -> Option<Self> {
        let start = tags::skip_leading(bytes, 0);
        let sound = bytes.get(..tags::skip_trailing(bytes, start))?;
        let first = Sync::first(sound, start)?;
        let size = first.header.num_bytes(first.free_bytes);
        let plain = size.saturating_sub(first.header.padding_bytes()) as u64;
        let description = describing(first, sound);
        // The first frame of sound, the bytes of all, their number, and how many of them are looked at.
        let (at, num_bytes, num_frames, num_looks) = match description {
            Some(Description {
                num_frames: Some(count), num_bytes: Some(all), is_constant: true, ..
            }) => {
                let all = Some(all as usize).filter(|all| first.at.checked_add(*all) == Some(sound.len()));
                (first.at + size, all?.checked_sub(size)? as u64, count, 2)
            }
            Some(_) => return None,
            None => {
                let num_bytes = sound.len().checked_sub(first.at)? as u64;
                (first.at, num_bytes, first.header.num_frames_in(num_bytes)?, 4)
            }
        };
        let count = u64::from(num_frames);
        let fits = first.free_bytes == 0 && (plain * count..=(plain + 1) * count).contains(&num_bytes);
        let index = Self {
            offsets: Increasing::default(),
            regular: Some(Regular { num_bytes, num_frames, start: at }),
            breaks: Vec::new(),
            silent: Vec::new(),
            first,
            description: description.map(|description| (first.at, description)),
            is_cut: false,
            is_short: false,
            other: None,
            mixed: None,
        };
        let has_frame = |number: u64| {
            let number = u32::try_from(number).ok();
            number.is_some_and(|number| index.exact_offset(bytes, number).is_some())
        };
        let is_there = || (1..=num_looks).all(|look| has_frame((count * look / num_looks).saturating_sub(1)));
        (fits && count >= num_looks && is_there()).then_some(index)
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
        self.silent.len() == self.num_packets() as usize
    }

    /// The bytes it has allocated.
    fn num_bytes(&self) -> usize {
        (self.breaks.capacity() + self.silent.capacity()) * size_of::<u32>() + self.offsets.num_bytes()
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
                let is_first = self.index.num_packets() == 0 && self.index.description.is_none();
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
        // Of a block, which may double the memory of its list.
        if number.is_multiple_of(64) {
            self.check(self.index.offsets.num_bytes())?;
        }
        if is_break && number > 0 {
            self.check(4)?;
            self.index.breaks.push(number);
        }
        self.index.offsets.push(at as u64)
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

/// The description in the first frame, if it is one.
fn describing(first: Sync, sound: &[u8]) -> Option<Description> {
    let num_bytes = first.header.num_bytes(first.free_bytes);
    let frame = sound.get(first.at..)?.get(..num_bytes)?;
    if first.header.layer() == 3 { Description::parse(first.header, frame) } else { None }
}
