//! The positions of a stream's packets in the file and on its timeline.

#![forbid(unsafe_code)]

use mapwave_plugin::{Error, Result, Status};

use super::increasing::Increasing;
use super::listed::Listed;
use super::saved::{Saved, Saver};

/// Packets per block. Only a block's offset is stored; offsets within it are sums of sizes.
const PACKETS_PER_BLOCK: u32 = 64;

/// The positions of all packets: sizes of four bytes each, or one size for all, and the offset of every block; or, of packets with a
/// header each, their offsets alone.
#[derive(Debug)]
pub(crate) struct PacketTable {
    sizes: Sizes,
    blocks: Vec<Block>,
    runs: Vec<Run>,
    num_packets: u32,
    /// The end of the last packet.
    end: u64,
    limits: Limits,
}

#[derive(Debug)]
enum Sizes {
    /// All packets have this many bytes.
    Alike(u32),
    Each(Vec<u32>),
    /// Each packet ends where the header of the next one begins.
    Framed(Framed),
    /// They are in the file, and no packet is added.
    Listed(Listed),
}

/// Packets behind headers of one size.
#[derive(Debug)]
struct Framed {
    offsets: Increasing,
    header_bytes: u32,
    last_bytes: u32,
    /// The packets behind which something else comes, and their sizes.
    exceptions: Vec<(u32, u32)>,
}

impl Framed {
    /// The offset and the size of a packet.
    fn get(&self, packet: u32) -> Option<(u64, u32)> {
        let offset = self.offsets.get(packet as usize)?;
        let Some(next) = self.offsets.get(packet as usize + 1) else {
            return Some((offset, self.last_bytes));
        };
        let found = self.exceptions.binary_search_by_key(&packet, |(packet, _)| *packet).ok();
        let exception = found.and_then(|found| self.exceptions.get(found));
        Some((offset, exception.map_or_else(|| self.before(offset, next), |(_, num_bytes)| *num_bytes)))
    }

    /// The size of a packet that the header of one at `next` follows.
    fn before(&self, offset: u64, next: u64) -> u32 {
        let num_bytes = next.saturating_sub(offset).saturating_sub(self.header_bytes.into());
        u32::try_from(num_bytes).unwrap_or(u32::MAX)
    }
}

/// Packets that follow each other without a gap.
#[derive(Clone, Copy, Debug)]
struct Block {
    first_packet: u32,
    offset: u64,
}

/// Packets with the same number of frames.
#[derive(Clone, Copy, Debug)]
struct Run {
    first_packet: u32,
    first_frame: u64,
    frames_per_packet: u32,
}

/// The limits of a table.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// The length of the file.
    file_bytes: u64,
    /// The bytes that packets may still take. In a valid file packets do not overlap, so together they fit the file; a
    /// table whose packets take more is an attack.
    bytes_left: u64,
    max_alloc: u64,
}

/// A packet in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) offset: u64,
    pub(crate) num_bytes: u32,
    pub(crate) first_frame: u64,
    pub(crate) num_frames: u32,
}

/// Whether a packet is completely in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Added {
    /// All of it is in the file.
    Whole,
    /// It ends beyond the end of the file and was not added.
    BeyondEnd,
}

/// A position between packets of a table.
#[derive(Clone, Debug, Default)]
struct Walk {
    packet: u32,
    /// The blocks that have begun.
    num_blocks: usize,
    offset: u64,
}

impl PacketTable {
    /// An empty table for a file of that many bytes.
    pub(crate) fn new(file_bytes: u64, max_alloc: u64) -> Self {
        Self {
            sizes: Sizes::Alike(0),
            blocks: Vec::new(),
            runs: Vec::new(),
            num_packets: 0,
            end: 0,
            limits: Limits { file_bytes, bytes_left: file_bytes, max_alloc },
        }
    }

    /// An empty table of packets behind headers of so many bytes.
    pub(crate) fn framed(file_bytes: u64, max_alloc: u64, header_bytes: u32) -> Self {
        let (offsets, exceptions) = (Increasing::default(), Vec::new());
        let sizes = Sizes::Framed(Framed { offsets, header_bytes, last_bytes: 0, exceptions });
        Self { sizes, ..Self::new(file_bytes, max_alloc) }
    }

    /// The table of so many packets in a file of that many bytes, which the file lists; `None` if the last is beyond its end.
    pub(crate) fn listed(file_bytes: u64, max_alloc: u64, listed: Listed, num_packets: u32) -> Option<Self> {
        let (offset, num_bytes) = listed.get(num_packets.checked_sub(1)?)?;
        let end = offset.checked_add(num_bytes.into()).filter(|end| *end <= file_bytes)?;
        let sizes = Sizes::Listed(listed);
        Some(Self { sizes, num_packets, end, ..Self::new(file_bytes, max_alloc) })
    }

    /// Writes a table of packets behind headers, without their numbers of frames; nothing of another one.
    pub(crate) fn save(&self, saver: &mut Saver) {
        let Sizes::Framed(framed) = &self.sizes else { return };
        saver.number(framed.last_bytes.into());
        saver.number(framed.exceptions.len() as u64);
        for (packet, num_bytes) in &framed.exceptions {
            saver.number((*packet).into());
            saver.number((*num_bytes).into());
        }
        framed.offsets.save(saver);
    }

    /// Reads what [`save`](Self::save) wrote into an empty table of packets behind headers; `None` if it is not that, or the packets
    /// do not lie in the file.
    pub(crate) fn load(mut self, saved: &mut Saved<'_>) -> Option<Self> {
        let Sizes::Framed(framed) = &mut self.sizes else { return None };
        framed.last_bytes = saved.small()?;
        let count: usize = saved.small()?;
        let mut last: Option<u32> = None;
        for _ in 0..count {
            let (packet, num_bytes) = (saved.small()?, saved.small()?);
            if last.is_some_and(|last| last >= packet) {
                return None;
            }
            framed.exceptions.push((packet, num_bytes));
            last = Some(packet);
        }
        framed.offsets = Increasing::load(saved, self.limits.file_bytes)?;
        self.num_packets = u32::try_from(framed.offsets.len()).ok()?;
        self.end = match self.num_packets.checked_sub(1) {
            Some(last) => framed.offsets.get(last as usize)?.checked_add(framed.last_bytes.into())?,
            None => 0,
        };
        (self.end <= self.limits.file_bytes).then_some(self)
    }

    /// Reserves memory for packets, at most as many as the file can hold.
    ///
    /// # Errors
    /// [`Status::Limit`] and [`Status::NoMemory`].
    pub(crate) fn reserve(&mut self, num_packets: u32) -> Result<()> {
        let num_bytes = u64::from(num_packets) * 4;
        if num_bytes > self.limits.max_alloc.min(self.limits.file_bytes.saturating_mul(4)) {
            return Err(self.limit(num_bytes));
        }
        let mut sizes = Vec::new();
        let reserved = sizes.try_reserve_exact(usize::try_from(num_packets).unwrap_or(usize::MAX));
        reserved.map_err(|_| Error::new(Status::NoMemory, "not enough memory for the table of packets"))?;
        if self.num_packets == 0 {
            self.sizes = Sizes::Each(sizes);
        }
        Ok(())
    }

    fn limit(&self, num_bytes: u64) -> Error {
        let max_alloc = self.limits.max_alloc;
        Error::new(
            Status::Limit,
            format!("the table of packets needs {num_bytes} bytes, but only {max_alloc} may be allocated"),
        )
    }

    /// Adds a packet.
    ///
    /// # Errors
    /// When the packets take more bytes than the file has, or the table more than the limit.
    pub(crate) fn push(&mut self, offset: u64, num_bytes: u32) -> Result<Added> {
        let end = offset.saturating_add(num_bytes.into());
        if end > self.limits.file_bytes {
            return Ok(Added::BeyondEnd);
        }
        // An empty packet counts as one byte, so that there are no more packets than bytes.
        let left = self.limits.bytes_left.checked_sub(u64::from(num_bytes.max(1)));
        self.limits.bytes_left =
            left.ok_or_else(|| Error::bad_data(offset, "the packets take more bytes than the file has"))?;
        let next = self.num_packets.checked_add(1);
        let next = next.ok_or_else(|| Error::new(Status::Limit, "more than 4294967295 packets"))?;
        if let Sizes::Framed(framed) = &mut self.sizes {
            if let Some(last) = self.num_packets.checked_sub(1)
                && let Some(before) = framed.offsets.get(last as usize)
                && framed.before(before, offset) != framed.last_bytes
            {
                framed.exceptions.push((last, framed.last_bytes));
            }
            framed.offsets.push(offset)?;
            framed.last_bytes = num_bytes;
            let taken = framed.offsets.num_bytes() + framed.exceptions.capacity() * size_of::<(u32, u32)>();
            (self.num_packets, self.end) = (next, end);
            return if taken as u64 * 2 > self.limits.max_alloc {
                Err(self.limit(taken as u64 * 2))
            } else {
                Ok(Added::Whole)
            };
        }
        self.push_size(num_bytes)?;
        let block = self.blocks.last();
        let is_full = block.is_none_or(|block| self.num_packets - block.first_packet >= PACKETS_PER_BLOCK);
        if is_full || offset != self.end {
            if self.blocks.len() as u64 * 2 * size_of::<Block>() as u64 > self.limits.max_alloc {
                return Err(self.limit(self.limits.max_alloc.saturating_add(1)));
            }
            self.blocks.push(Block { first_packet: self.num_packets, offset });
        }
        (self.num_packets, self.end) = (next, end);
        Ok(Added::Whole)
    }

    /// Adds consecutive packets with big-endian sizes, as repeated [`push`](Self::push) would.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub(crate) fn push_all(&mut self, mut offset: u64, sizes: &[[u8; 4]]) -> Result<Added> {
        for part in sizes.chunks(PACKETS_PER_BLOCK as usize) {
            if let Some(end) = self.push_block(offset, part) {
                offset = end;
                continue;
            }
            for size in part {
                let num_bytes = u32::from_be_bytes(*size);
                if self.push(offset, num_bytes)? == Added::BeyondEnd {
                    return Ok(Added::BeyondEnd);
                }
                offset = offset.saturating_add(num_bytes.into());
            }
        }
        Ok(Added::Whole)
    }

    /// Adds a block of packets at once and returns its end; `None` if they must be added one by one.
    fn push_block(&mut self, offset: u64, part: &[[u8; 4]]) -> Option<u64> {
        let Sizes::Each(sizes) = &mut self.sizes else { return None };
        let count = u32::try_from(part.len()).ok()?;
        let is_worth_it = count >= PACKETS_PER_BLOCK / 4 && sizes.capacity() - sizes.len() >= part.len();
        let has_room = self.blocks.len() < self.blocks.capacity();
        if !is_worth_it || !has_room {
            return None;
        }
        let part = part.iter().map(|size| u32::from_be_bytes(*size));
        let (num_bytes, taken) = part.clone().fold((0u64, 0u64), |(num_bytes, taken), size| {
            (num_bytes + u64::from(size), taken + u64::from(size.max(1)))
        });
        let end = offset.checked_add(num_bytes).filter(|end| *end <= self.limits.file_bytes)?;
        let (left, next) = (self.limits.bytes_left.checked_sub(taken)?, self.num_packets.checked_add(count)?);
        sizes.extend(part);
        self.blocks.push(Block { first_packet: self.num_packets, offset });
        (self.limits.bytes_left, self.num_packets, self.end) = (left, next, end);
        Some(end)
    }

    fn push_size(&mut self, num_bytes: u32) -> Result<()> {
        match &mut self.sizes {
            Sizes::Alike(size) if self.num_packets == 0 || *size == num_bytes => *size = num_bytes,
            Sizes::Alike(size) => {
                let all = (*size, self.num_packets);
                self.limits_allow(self.num_packets.saturating_add(1))?;
                let mut sizes = vec![all.0; usize::try_from(all.1).unwrap_or(0)];
                sizes.push(num_bytes);
                self.sizes = Sizes::Each(sizes);
            }
            Sizes::Each(sizes) => {
                sizes.push(num_bytes);
                self.limits_allow(self.num_packets)?;
            }
            Sizes::Framed(_) | Sizes::Listed(_) => {}
        }
        Ok(())
    }

    /// While a vector grows, its old and its new memory exist together, three times what it needs.
    fn limits_allow(&self, num_packets: u32) -> Result<()> {
        let num_bytes = u64::from(num_packets) * 12;
        if num_bytes > self.limits.max_alloc { Err(self.limit(num_bytes)) } else { Ok(()) }
    }

    /// Sets the number of frames of each packet from `first_packet` on; called in the order of packets.
    ///
    /// # Errors
    /// [`Status::Limit`] when the table reaches its limit.
    pub(crate) fn set_frames_from(&mut self, first_packet: u32, frames_per_packet: u32) -> Result<()> {
        let first_frame = match self.runs.last().copied() {
            None => 0,
            Some(run) if run.frames_per_packet == frames_per_packet => return Ok(()),
            Some(run) => frame_in(run, first_packet),
        };
        if self.runs.last().is_some_and(|run| run.first_packet == first_packet) {
            self.runs.pop();
        }
        if self.runs.len() as u64 * 2 * size_of::<Run>() as u64 > self.limits.max_alloc {
            return Err(self.limit(self.limits.max_alloc.saturating_add(1)));
        }
        self.runs.push(Run { first_packet, first_frame, frames_per_packet });
        Ok(())
    }

    /// Sets the number of frames of each packet, one by one.
    ///
    /// # Errors
    /// As [`set_frames_from`](Self::set_frames_from).
    pub(crate) fn measure(&mut self, frames_of: impl Fn(Place) -> u32) -> Result<()> {
        self.runs.clear();
        self.set_frames_from(0, 0)?; // `get` needs a number of frames for every packet
        let mut walk = Walk::default();
        for packet in 0..self.num_packets {
            let place = self.step(&mut walk).map(|(offset, num_bytes)| Place {
                offset,
                num_bytes,
                first_frame: 0,
                num_frames: 0,
            });
            let num_frames = place.map_or(0, &frames_of);
            self.set_frames_from(packet, num_frames)?;
        }
        Ok(())
    }

    /// Where the last packet ends.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// The number of packets.
    pub(crate) fn num_packets(&self) -> u32 {
        self.num_packets
    }

    /// The length of the decoded timeline.
    pub(crate) fn num_frames(&self) -> u64 {
        self.runs.last().map_or(0, |run| frame_in(*run, self.num_packets.max(run.first_packet)))
    }

    /// The packet that holds `frame` of the decoded timeline; the number of packets for a frame beyond the end.
    pub(crate) fn packet_at(&self, frame: u64) -> u32 {
        let run = self.runs.partition_point(|run| run.first_frame <= frame).checked_sub(1);
        let Some(run) = run.and_then(|run| self.runs.get(run)) else { return 0 };
        let ahead = (frame - run.first_frame).checked_div(run.frames_per_packet.into()).unwrap_or(0);
        let ahead = u32::try_from(ahead).unwrap_or(u32::MAX);
        run.first_packet.saturating_add(ahead).min(self.num_packets)
    }

    /// The offset and the size of a packet.
    fn place(&self, packet: u32) -> Option<(u64, u32)> {
        match &self.sizes {
            Sizes::Framed(framed) => return framed.get(packet),
            Sizes::Listed(listed) => return listed.get(packet),
            Sizes::Alike(_) | Sizes::Each(_) => {}
        }
        let block = self.blocks.partition_point(|block| block.first_packet <= packet).checked_sub(1)?;
        let block = self.blocks.get(block)?;
        let (ahead, num_bytes) = match &self.sizes {
            Sizes::Alike(size) => (u64::from(packet - block.first_packet) * u64::from(*size), *size),
            Sizes::Each(sizes) => {
                let last = usize::try_from(packet).ok()?;
                let ahead = sizes.get(usize::try_from(block.first_packet).ok()?..last)?;
                (ahead.iter().map(|size| u64::from(*size)).sum(), *sizes.get(last)?)
            }
            Sizes::Framed(_) | Sizes::Listed(_) => return None,
        };
        Some((block.offset + ahead, num_bytes))
    }

    /// The offsets and sizes of all packets in order, which takes much less time than to get each.
    pub(crate) fn places(&self) -> impl Iterator<Item = (u64, u32)> + Clone + '_ {
        let mut walk = Walk::default();
        std::iter::from_fn(move || self.step(&mut walk))
    }

    /// The offset and the size of the next packet of a walk.
    fn step(&self, walk: &mut Walk) -> Option<(u64, u32)> {
        let packet = walk.packet;
        if packet >= self.num_packets {
            return None;
        }
        let num_bytes = match &self.sizes {
            Sizes::Framed(_) | Sizes::Listed(_) => return self.place(packet).inspect(|_| walk.packet += 1),
            Sizes::Alike(size) => *size,
            Sizes::Each(sizes) => *sizes.get(usize::try_from(packet).ok()?)?,
        };
        if let Some(block) = self.blocks.get(walk.num_blocks).filter(|block| block.first_packet == packet) {
            (walk.offset, walk.num_blocks) = (block.offset, walk.num_blocks + 1);
        }
        let offset = walk.offset;
        (walk.packet, walk.offset) = (packet + 1, offset.saturating_add(num_bytes.into()));
        Some((offset, num_bytes))
    }

    /// A packet by its number.
    pub(crate) fn get(&self, packet: u32) -> Option<Place> {
        if packet >= self.num_packets {
            return None;
        }
        let (offset, num_bytes) = self.place(packet)?;
        let run = self.runs.partition_point(|run| run.first_packet <= packet).checked_sub(1)?;
        let run = self.runs.get(run)?;
        Some(Place {
            offset,
            num_bytes,
            first_frame: frame_in(*run, packet),
            num_frames: run.frames_per_packet,
        })
    }
}

/// The first frame of a packet of the run, or of one after it.
fn frame_in(run: Run, packet: u32) -> u64 {
    let ahead = u64::from(packet.saturating_sub(run.first_packet)) * u64::from(run.frames_per_packet);
    run.first_frame.saturating_add(ahead)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::cast_possible_truncation)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_found_where_they_were_put() {
        let sizes: Vec<u32> = (0..1000).map(|n| n * 7 % 90).collect();
        let mut table = PacketTable::new(1 << 20, 1 << 20);
        let (mut offset, mut places) = (100, Vec::new());
        for (n, size) in sizes.iter().enumerate() {
            offset += if n % 150 == 0 { 33 } else { 0 };
            assert_eq!(table.push(offset, *size).unwrap(), Added::Whole);
            places.push((offset, *size));
            offset += u64::from(*size);
        }
        table.set_frames_from(0, 1024).unwrap();
        table.set_frames_from(999, 17).unwrap();
        assert_eq!(table.num_frames(), 999 * 1024 + 17);
        for (n, (offset, num_bytes)) in places.iter().enumerate() {
            let place = table.get(n as u32).unwrap();
            assert_eq!((place.offset, place.num_bytes), (*offset, *num_bytes));
            assert_eq!(place.first_frame, n as u64 * 1024);
            assert_eq!(table.packet_at(place.first_frame), n as u32);
            assert_eq!(table.packet_at(place.first_frame + u64::from(place.num_frames) - 1), n as u32);
        }
        assert_eq!((table.get(1000), table.packet_at(u64::MAX)), (None, 1000));
        assert_eq!(table.places().collect::<Vec<_>>(), places);
    }

    #[test]
    fn packets_behind_headers_are_found_where_they_were_put_and_saved() {
        let sizes: Vec<u32> = (0..1000).map(|n| 1 + n * 7 % 900).collect();
        let mut table = PacketTable::framed(1 << 20, 1 << 20, 7);
        let (mut offset, mut places) = (7, Vec::new());
        for (n, size) in sizes.iter().enumerate() {
            // Something else is between some of them, and one header is longer.
            offset += if n % 150 == 149 { 33 } else { 0 } + if n == 500 { 2 } else { 0 };
            assert_eq!(table.push(offset, *size).unwrap(), Added::Whole);
            places.push((offset, *size));
            offset += u64::from(*size) + 7;
        }
        let mut saver = Saver::new(b"a test 1");
        table.save(&mut saver);
        let bytes = saver.finish();
        let load = |bytes: &[u8], file_bytes| {
            PacketTable::framed(file_bytes, 1 << 20, 7).load(&mut Saved::new(bytes, b"a test 1").unwrap())
        };
        let end = places.last().map_or(0, |(offset, size)| offset + u64::from(*size));
        assert!(load(&bytes, end - 1).is_none());
        assert!((8..bytes.len()).all(|length| load(bytes.get(..length).unwrap(), end).is_none()));
        let mut loaded = load(&bytes, end).unwrap();
        for table in [&mut table, &mut loaded] {
            table.set_frames_from(0, 1024).unwrap();
            assert_eq!(table.num_packets(), 1000);
            let found = (0..).map_while(|n| table.get(n)).map(|place| (place.offset, place.num_bytes));
            assert_eq!(found.collect::<Vec<_>>(), places);
        }
    }

    #[test]
    fn packets_of_a_chunk_are_found_as_those_added_one_by_one() {
        let sizes: Vec<[u8; 4]> = (0..5000u32).map(|n| (n * 31 % 7).to_be_bytes()).collect();
        let total: u64 = sizes.iter().map(|size| u64::from(u32::from_be_bytes(*size))).sum();
        for file_bytes in [total + 1000, total + 777, total / 2] {
            let mut tables = [(); 2].map(|()| PacketTable::new(file_bytes, 1 << 20));
            for table in &mut tables {
                table.reserve(5000).unwrap();
                table.set_frames_from(0, 1024).unwrap();
            }
            let [one_by_one, at_once] = &mut tables;
            let mut offset = 777;
            for chunk in sizes.chunks(150) {
                let found = at_once.push_all(offset, chunk).unwrap();
                let expected = chunk.iter().map(|size| u32::from_be_bytes(*size)).try_for_each(|size| {
                    let added = one_by_one.push(offset, size).unwrap();
                    offset += u64::from(size);
                    if added == Added::Whole { Ok(()) } else { Err(()) }
                });
                assert_eq!(found == Added::Whole, expected.is_ok());
                if expected.is_err() {
                    break;
                }
            }
            assert_eq!(one_by_one.num_packets(), at_once.num_packets());
            for n in 0..one_by_one.num_packets() {
                assert_eq!(one_by_one.get(n), at_once.get(n));
            }
        }
    }

    #[test]
    fn frames_are_measured_one_by_one() {
        let mut table = PacketTable::new(1000, 1 << 20);
        for n in 0..100 {
            table.push(n * 7, 7).unwrap();
        }
        table.set_frames_from(0, 1024).unwrap();
        let frames_of = |place: Place| *[5, 5, 0, 9].get(place.offset as usize / 7 % 4).unwrap();
        table.measure(frames_of).unwrap();
        assert_eq!(table.num_frames(), 25 * 19);
        let mut first_frame = 0;
        for n in 0..100 {
            let place = table.get(n).unwrap();
            assert_eq!((place.first_frame, place.num_frames), (first_frame, frames_of(place)));
            first_frame += u64::from(place.num_frames);
            assert!(place.num_frames == 0 || table.packet_at(first_frame - 1) == n);
        }
    }

    #[test]
    fn sizes_that_are_alike_take_no_room() {
        let mut table = PacketTable::new(1 << 30, 1 << 20);
        for n in 0..1_000_000u64 {
            assert_eq!(table.push(n * 4, 4).unwrap(), Added::Whole);
        }
        table.set_frames_from(0, 1).unwrap();
        assert!(matches!(table.sizes, Sizes::Alike(4)));
        assert_eq!(table.get(777_777).unwrap().offset, 4 * 777_777);
    }

    #[test]
    fn a_table_is_bounded_by_the_file_and_by_the_limit() {
        let mut table = PacketTable::new(1000, 1 << 20);
        assert_eq!(table.push(990, 11).unwrap(), Added::BeyondEnd);
        assert_eq!(table.push(u64::MAX, 11).unwrap(), Added::BeyondEnd);
        for _ in 0..1000 {
            table.push(0, 1).unwrap();
        }
        assert_eq!(table.push(0, 1).unwrap_err().status(), Status::BadData);
        assert_eq!(table.reserve(u32::MAX).unwrap_err().status(), Status::Limit);
    }
}
