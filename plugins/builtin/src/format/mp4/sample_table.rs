//! The sample table: sizes, positions and durations of a track's packets (ISO/IEC 14496-12, 8.6 and 8.7).

#![forbid(unsafe_code)]

use mapwave_edits::{Durations, sound_in_packets};
use mapwave_plugin::{Error, Memory, Result};

use crate::bytes::Bytes;
use crate::codec::packet_setup::AudioSetup;
use crate::engine::listed::{ChunkRun, Listed};
use crate::engine::packet_table::{Added, PacketTable, Place};
use crate::format::table_stream::bytes_at;

/// A table of fewer packets is read whole, however much its bytes cost, and so is one with longer chunks, whose sizes are added up for
/// every packet.
const MANY_PACKETS: u32 = 4096;
const MOST_IN_CHUNK: u32 = 4096;

/// Adds the packets of a sample table ("stbl"); false if the file ends before the last.
///
/// # Errors
/// When tables are missing, truncated or inconsistent.
pub(crate) fn read_packets(stbl: Bytes<'_>, table: &mut PacketTable) -> Result<bool> {
    let (mut sizes, num_packets) = read_sizes(stbl)?;
    if num_packets == 0 {
        return Ok(true); // as in fragmented files
    }
    if matches!(sizes, Sizes::Each(_) | Sizes::Short { .. }) {
        table.reserve(num_packets)?;
    }
    let mut chunks = Chunks::read(stbl)?;
    let mut left = num_packets;
    while left > 0 {
        let Some((mut offset, in_chunk)) = chunks.next()? else {
            let message = format!("{left} of {num_packets} packets are in no chunk");
            return Err(Error::bad_data(stbl.offset(), message));
        };
        if let Sizes::Each(bytes) = &mut sizes {
            let part = bytes.take(in_chunk.min(left) as usize * 4)?;
            if table.push_all(offset, part.rest().as_chunks().0)? == Added::BeyondEnd {
                return Ok(false);
            }
            left = left.saturating_sub(in_chunk);
            continue;
        }
        for _ in 0..in_chunk.min(left) {
            let num_bytes = sizes.next()?;
            if table.push(offset, num_bytes)? == Added::BeyondEnd {
                return Ok(false);
            }
            offset = offset.saturating_add(num_bytes.into());
        }
        left = left.saturating_sub(in_chunk);
    }
    Ok(true)
}

/// The table of a track's packets, if it is so long that it should stay in the file; `None` for one that [`read_packets`] should read,
/// among them every one that is damaged.
pub(crate) fn list_packets(memory: &Memory, stbl: Bytes<'_>, max_alloc: u64) -> Option<PacketTable> {
    let (Sizes::Each(sizes), num_packets) = read_sizes(stbl).ok()? else { return None };
    if num_packets < MANY_PACKETS {
        return None;
    }
    let mut chunks = Chunks::read(stbl).ok()?;
    let (offsets, are_64_bit, num_chunks) = (chunks.offsets, chunks.are_64_bit, chunks.left);
    let mut runs = Vec::new();
    let (mut first_packet, mut next_chunk) = (0_u32, 1);
    while let Some((first_chunk, in_chunk)) = chunks.next_run {
        chunks.next_run = chunks.read_run().ok()?;
        let end = chunks.next_run.map_or(num_chunks.checked_add(1)?, |(first, _)| first);
        let is_in_order = first_chunk == next_chunk && end > first_chunk && end - 1 <= num_chunks;
        if !is_in_order || !(1..=MOST_IN_CHUNK).contains(&in_chunk) {
            return None;
        }
        runs.push(ChunkRun { first_packet, first_chunk: first_chunk - 1, in_chunk });
        first_packet = first_packet.checked_add((end - first_chunk).checked_mul(in_chunk)?)?;
        next_chunk = end;
    }
    if first_packet < num_packets {
        return None;
    }
    let range = |bytes: Bytes<'_>| {
        let start = usize::try_from(bytes.offset()).ok()?;
        Some(start..start.checked_add(bytes.rest().len())?)
    };
    let (sizes, offsets) = (range(sizes)?, range(offsets)?);
    let listed = Listed { memory: memory.clone(), sizes, offsets, are_64_bit, runs };
    PacketTable::listed(memory.len() as u64, max_alloc, listed, num_packets)
}

fn missing(stbl: Bytes<'_>, what: &str) -> Error {
    Error::bad_data(stbl.offset(), format!("the track has no {what}"))
}

/// The sizes of packets ("stsz" or "stz2", 8.7.3).
enum Sizes<'a> {
    Alike(u32),
    Each(Bytes<'a>),
    /// Sizes of fewer than 32 bits, and the unread half of a byte.
    Short {
        bits: u8,
        bytes: Bytes<'a>,
        nibble: Option<u8>,
    },
}

fn read_sizes(stbl: Bytes<'_>) -> Result<(Sizes<'_>, u32)> {
    if let Some(mut stsz) = stbl.find(*b"stsz") {
        stsz.version_and_flags()?;
        return match stsz.u32()? {
            0 => {
                let num_packets = stsz.entries(4)?;
                Ok((Sizes::Each(stsz), num_packets))
            }
            size => Ok((Sizes::Alike(size), stsz.u32()?)),
        };
    }
    let mut stz2 = stbl.find(*b"stz2").ok_or_else(|| missing(stbl, "sizes of packets"))?;
    stz2.version_and_flags()?;
    let at = stz2.offset();
    let [_, _, _, bits] = stz2.array()?;
    let num_packets = match bits {
        4 => {
            let (mut count, room) = (stz2, stz2.rest().len().saturating_sub(4) as u64 * 2);
            let num_packets = count.u32()?;
            if u64::from(num_packets) > room {
                return Err(Error::bad_data(
                    at,
                    format!("a table has {num_packets} sizes of packets, but room for only {room}"),
                ));
            }
            stz2 = count;
            num_packets
        }
        8 => stz2.entries(1)?,
        16 => stz2.entries(2)?,
        _ => {
            return Err(Error::bad_data(
                at,
                format!("sizes of packets have {bits} bits, expected 4, 8 or 16"),
            ));
        }
    };
    Ok((Sizes::Short { bits, bytes: stz2, nibble: None }, num_packets))
}

impl Sizes<'_> {
    fn next(&mut self) -> Result<u32> {
        match self {
            Self::Alike(size) => Ok(*size),
            Self::Each(bytes) => bytes.u32(),
            Self::Short { bits: 16, bytes, .. } => bytes.u16().map(u32::from),
            Self::Short { bits: 8, bytes, .. } => bytes.u8().map(u32::from),
            Self::Short { bytes, nibble, .. } => match nibble.take() {
                Some(low) => Ok(low.into()),
                None => {
                    let byte = bytes.u8()?;
                    *nibble = Some(byte & 15);
                    Ok(u32::from(byte >> 4))
                }
            },
        }
    }
}

/// Consecutive packets: chunk offsets ("stco" or "co64", 8.7.5) and the number of packets in each ("stsc", 8.7.4).
struct Chunks<'a> {
    offsets: Bytes<'a>,
    are_64_bit: bool,
    left: u32,
    /// The number of the next chunk, counted from 1.
    next_chunk: u32,
    runs: Bytes<'a>,
    num_runs: u32,
    /// The number of packets in a chunk of the current run.
    in_chunk: u32,
    /// The first chunk of the next run.
    next_run: Option<(u32, u32)>,
}

impl<'a> Chunks<'a> {
    fn read(stbl: Bytes<'a>) -> Result<Self> {
        let (mut offsets, are_64_bit) = match (stbl.find(*b"stco"), stbl.find(*b"co64")) {
            (Some(stco), _) => (stco, false),
            (None, Some(co64)) => (co64, true),
            (None, None) => return Err(missing(stbl, "positions of packets")),
        };
        offsets.version_and_flags()?;
        let left = offsets.entries(if are_64_bit { 8 } else { 4 })?;
        let mut runs = stbl.find(*b"stsc").ok_or_else(|| missing(stbl, "chunks of packets"))?;
        runs.version_and_flags()?;
        let num_runs = runs.entries(12)?;
        let mut chunks =
            Self { offsets, are_64_bit, left, next_chunk: 1, runs, num_runs, in_chunk: 0, next_run: None };
        chunks.next_run = chunks.read_run()?;
        Ok(chunks)
    }

    fn read_run(&mut self) -> Result<Option<(u32, u32)>> {
        let Some(left) = self.num_runs.checked_sub(1) else { return Ok(None) };
        self.num_runs = left;
        let (first_chunk, in_chunk) = (self.runs.u32()?, self.runs.u32()?);
        self.runs.u32()?; // the number of the sample description
        Ok(Some((first_chunk, in_chunk)))
    }

    /// The next chunk: its offset and its number of packets.
    fn next(&mut self) -> Result<Option<(u64, u32)>> {
        while let Some((_, in_chunk)) = self.next_run.filter(|(first, _)| *first <= self.next_chunk) {
            self.in_chunk = in_chunk;
            self.next_run = self.read_run()?;
        }
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        self.next_chunk = self.next_chunk.saturating_add(1);
        let offset = if self.are_64_bit { self.offsets.u64()? } else { self.offsets.u32()?.into() };
        Ok(Some((offset, self.in_chunk)))
    }
}

/// Reads the durations of a sample table ("stts", 8.6.1.2), a number of packets and the ticks of each at a time; there are none
/// without that box.
///
/// # Errors
/// When the table is truncated.
pub(crate) fn read_durations(stbl: Bytes<'_>, mut each: impl FnMut(u32, u32) -> Result<()>) -> Result<()> {
    let Some(mut stts) = stbl.find(*b"stts") else { return Ok(()) };
    stts.version_and_flags()?;
    for _ in 0..stts.entries(8)? {
        each(stts.u32()?, stts.u32()?)?;
    }
    Ok(())
}

/// Derives the number of frames of packets from durations in ticks. All AAC packets have the same number, but part of
/// the last may be padding. ALAC, FLAC and Opus packets have as many as their durations, if ticks are frames; part of the last
/// one of Opus may be padding, too.
#[derive(Debug)]
pub(crate) struct Timeline<'a> {
    setup: &'a AudioSetup,
    ticks_per_second: u32,
    durations: Durations,
    /// Whether the lengths of FLAC and Opus packets must be read from the packets.
    is_vague: bool,
}

impl<'a> Timeline<'a> {
    /// The timeline of a track with that many ticks per second; 0 if its durations mean nothing.
    pub(crate) fn new(setup: &'a AudioSetup, ticks_per_second: u32) -> Self {
        Self { setup, ticks_per_second, durations: Durations::default(), is_vague: false }
    }

    /// Adds the durations of the next packets.
    ///
    /// # Errors
    /// When the table of packets reaches its limit.
    pub(crate) fn add(&mut self, table: &mut PacketTable, num_packets: u32, ticks: u32) -> Result<()> {
        if num_packets == 0 {
            return Ok(());
        }
        let whole = self.setup.frames_per_packet();
        let ticks_are_frames = self.ticks_per_second == self.setup.sample_rate();
        let is_known = ticks_are_frames && (1..=whole).contains(&ticks);
        let frames = match self.setup {
            AudioSetup::Alac(_) | AudioSetup::Flac(_) | AudioSetup::Opus(_) if is_known => ticks,
            _ => whole,
        };
        self.is_vague |= !is_known;
        if let Some(first) = self.num_packets(table.num_packets()) {
            table.set_frames_from(first, frames)?;
        }
        self.durations.add(num_packets, ticks);
        Ok(())
    }

    /// The packets that have a duration so far, if they are fewer than `num_packets`.
    fn num_packets(&self, num_packets: u32) -> Option<u32> {
        u32::try_from(self.durations.num_packets()).ok().filter(|first| *first < num_packets)
    }

    /// Completes the packets without a duration, and the last packet, from the bytes of the file. Durations say where AAC
    /// audio ends.
    ///
    /// # Errors
    /// When the table of packets reaches its limit.
    pub(crate) fn finish(self, table: &mut PacketTable, bytes: &[u8]) -> Result<()> {
        let num_packets = table.num_packets();
        let whole = self.setup.frames_per_packet();
        let without_duration = self.num_packets(num_packets);
        if without_duration.is_some() || num_packets == 0 {
            table.set_frames_from(without_duration.unwrap_or(0), whole)?;
        }
        let measured = |place: Place| {
            let packet = bytes_at(bytes, place.offset, place.num_bytes);
            packet.map_or(0, |packet| self.setup.frames_of(packet))
        };
        let is_false = |place: Place| num_packets > 1 && place.num_frames != measured(place);
        let is_vague = match self.setup {
            AudioSetup::Aac(_) | AudioSetup::Alac(_) => false,
            AudioSetup::Flac(_) => self.is_vague || without_duration.is_some(),
            AudioSetup::Opus(_) => {
                self.is_vague || without_duration.is_some() || table.get(0).is_some_and(is_false)
            }
        };
        if is_vague {
            return table.measure(measured);
        }
        let Some(last_packet) = num_packets.checked_sub(1) else { return Ok(()) };
        let frames = match self.setup {
            AudioSetup::Alac(_) | AudioSetup::Flac(_) => table.get(last_packet).map_or(whole, measured),
            AudioSetup::Opus(_) => {
                table.get(last_packet).map_or(whole, |place| place.num_frames.min(measured(place)))
            }
            AudioSetup::Aac(_) => {
                let (track, sample_rate) = (self.ticks_per_second, self.setup.sample_rate());
                let sound = sound_in_packets(&self.durations, num_packets.into(), whole, track, sample_rate);
                let before = u64::from(last_packet) * u64::from(whole);
                u32::try_from(sound.saturating_sub(before)).unwrap_or(whole)
            }
        };
        table.set_frames_from(last_packet, frames)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::cast_possible_truncation)]
mod tests {
    use mapwave_plugin::Status;

    use super::*;
    use crate::codec::aac::AacSetup;

    fn atom(kind: &[u8; 4], payload: &[u32]) -> Vec<u8> {
        let mut bytes = (payload.len() as u32 * 4 + 8).to_be_bytes().to_vec();
        bytes.extend(kind);
        bytes.extend(payload.iter().flat_map(|word| word.to_be_bytes()));
        bytes
    }

    fn packets(boxes: &[Vec<u8>]) -> Result<(PacketTable, bool)> {
        let bytes = boxes.concat();
        let mut table = PacketTable::new(1000, 1 << 20);
        let is_whole = read_packets(Bytes::new(&bytes), &mut table)?;
        table.set_frames_from(0, 1024).unwrap();
        Ok((table, is_whole))
    }

    fn places(table: &PacketTable) -> Vec<(u64, u32)> {
        (0..).map_while(|n| table.get(n)).map(|place| (place.offset, place.num_bytes)).collect()
    }

    #[test]
    fn packets_lie_side_by_side_in_chunks() {
        let stsz = atom(b"stsz", &[0, 0, 5, 10, 20, 30, 40, 50]);
        let stsc = atom(b"stsc", &[0, 2, 1, 2, 1, 2, 1, 1]);
        let stco = atom(b"stco", &[0, 4, 100, 300, 500, 700]);
        let co64 = atom(b"co64", &[0, 4, 0, 100, 0, 300, 0, 500, 0, 700]);
        let expected = [(100, 10), (110, 20), (300, 30), (500, 40), (700, 50)];
        for offsets in [stco, co64] {
            let (table, is_whole) = packets(&[stsz.clone(), stsc.clone(), offsets]).unwrap();
            assert!(is_whole);
            assert_eq!(places(&table), expected);
        }
    }

    #[test]
    fn sizes_come_in_every_width() {
        let stsc = atom(b"stsc", &[0, 1, 1, 100, 1]);
        let stco = atom(b"stco", &[0, 1, 40]);
        let all = |sizes: Vec<u8>| places(&packets(&[sizes, stsc.clone(), stco.clone()]).unwrap().0);
        assert_eq!(all(atom(b"stsz", &[0, 7, 3])), [(40, 7), (47, 7), (54, 7)]);
        assert_eq!(all(atom(b"stz2", &[0, 4, 3, 0x3450_0000])), [(40, 3), (43, 4), (47, 5)]);
        assert_eq!(all(atom(b"stz2", &[0, 8, 3, 0x0304_0500])), [(40, 3), (43, 4), (47, 5)]);
        assert_eq!(all(atom(b"stz2", &[0, 16, 2, 0x0003_0104])), [(40, 3), (43, 260)]);
    }

    #[test]
    fn packets_behind_the_end_end_the_stream() {
        let stsz = atom(b"stsz", &[0, 0, 3, 10, 20, 30]);
        let stsc = atom(b"stsc", &[0, 1, 1, 3, 1]);
        let (table, is_whole) = packets(&[stsz, stsc, atom(b"stco", &[0, 1, 941])]).unwrap();
        assert_eq!((places(&table), is_whole), (vec![(941, 10), (951, 20)], false));
    }

    #[test]
    fn a_table_that_stays_in_the_file_has_the_same_packets() {
        use mapwave_plugin::Input;

        // Runs of chunks with 7, 5 and 7 packets; the last chunk has room for more than there are.
        let (num_packets, in_chunks) = (5001_u32, [(1, 7), (301, 5), (400, 7)]);
        let in_chunk = |chunk: u32| if (301..400).contains(&chunk) { 5 } else { 7 };
        let sizes: Vec<u32> = (0..num_packets).map(|n| n * 31 % 97).collect();
        let (mut offsets, mut next) = (Vec::new(), 0);
        let mut offset = 60_000;
        while next < num_packets {
            offset += 13;
            offsets.push(offset);
            let end = (next + in_chunk(offsets.len() as u32)).min(num_packets);
            offset += sizes.iter().skip(next as usize).take((end - next) as usize).sum::<u32>();
            next = end;
        }
        let runs = in_chunks.iter().flat_map(|(first, count)| [*first, *count, 1]);
        let stsc: Vec<u32> = [0, in_chunks.len() as u32].into_iter().chain(runs).collect();
        let stsz: Vec<u32> = [0, 0, num_packets].into_iter().chain(sizes).collect();
        let long: Vec<u32> = offsets.iter().flat_map(|offset| [0, *offset]).collect();
        for (kind, list) in [(b"stco", &offsets), (b"co64", &long)] {
            let stco: Vec<u32> = [0, offsets.len() as u32].into_iter().chain(list.iter().copied()).collect();
            let mut bytes = [atom(b"stsz", &stsz), atom(kind, &stco), atom(b"stsc", &stsc)].concat();
            bytes.resize(offset as usize, 0);
            let listed = |bytes: &[u8]| {
                let memory = Input::from(bytes.to_vec()).into_memory(1 << 20).unwrap();
                list_packets(&memory, Bytes::new(&memory), 1 << 20)
            };
            let mut table = listed(&bytes).unwrap();
            table.set_frames_from(0, 1024).unwrap();
            let mut expected = PacketTable::new(bytes.len() as u64, 1 << 20);
            assert!(read_packets(Bytes::new(&bytes), &mut expected).unwrap());
            expected.set_frames_from(0, 1024).unwrap();
            assert_eq!(places(&table).len(), 5001);
            assert_eq!((places(&table), table.end()), (places(&expected), expected.end()));
            // What is damaged is left to the reader of whole tables.
            bytes.pop();
            assert!(listed(&bytes).is_none());
            bytes.truncate(30_000);
            assert!(listed(&bytes).is_none());
        }
    }

    #[test]
    fn tables_that_lie_are_refused_without_room_for_them() {
        let stsc = atom(b"stsc", &[0, 1, 1, u32::MAX, 1]);
        let stco = atom(b"stco", &[0, 1, 0]);
        let status = |boxes: &[Vec<u8>]| packets(boxes).unwrap_err().status();
        let huge = atom(b"stsz", &[0, 0, u32::MAX, 1]);
        assert_eq!(status(&[huge, stsc.clone(), stco.clone()]), Status::BadData);
        let few = atom(b"stsz", &[0, 0, 3, 1, 1, 1]);
        let empty = atom(b"stsc", &[0, 0]);
        assert_eq!(status(&[few, empty, stco.clone()]), Status::BadData);
        // One size for all packets: endless packets of one byte.
        let same = atom(b"stsc", &[0, 1, 1, 1, 1]);
        let offsets: Vec<u32> = [0, 2000].into_iter().chain([5; 2000]).collect();
        let alike = atom(b"stsz", &[0, 1, 2000]);
        assert_eq!(status(&[alike, same, atom(b"stco", &offsets)]), Status::BadData);
        // One size for all packets, one more than the file holds.
        let alike = atom(b"stsz", &[0, 1, u32::MAX]);
        let (table, is_whole) = packets(&[alike, stsc, stco]).unwrap();
        assert_eq!((table.num_packets(), is_whole), (1000, false));
    }

    #[test]
    fn the_last_duration_tells_where_sound_ends() {
        let setup = AudioSetup::Aac(AacSetup::new(2, 44100, 2).unwrap());
        let length = |ticks_per_second, durations: &[(u32, u32)]| {
            let mut table = PacketTable::new(1000, 1 << 20);
            for n in 0..4 {
                table.push(n * 10, 10).unwrap();
            }
            let mut timeline = Timeline::new(&setup, ticks_per_second);
            for (num_packets, ticks) in durations {
                timeline.add(&mut table, *num_packets, *ticks).unwrap();
            }
            timeline.finish(&mut table, &[]).unwrap();
            table.num_frames()
        };
        assert_eq!(length(44100, &[(3, 1024), (1, 473)]), 3 * 1024 + 473);
        assert_eq!(length(44100, &[(4, 1024)]), 4096);
        assert_eq!(length(44100, &[(2, 1024)]), 4096);
        assert_eq!(length(44100, &[]), 4096);
        assert_eq!(length(90000, &[(3, 2090), (1, 10)]), 3 * 1024 + 5);
        assert_eq!(length(44100, &[(4, 2048)]), 4096);
        assert_eq!(length(44100, &[(9, 1024), (1, 3)]), 4096); // truncated
        assert_eq!(length(0, &[(3, 1024), (1, 3)]), 4096); // ticks without meaning
    }
}
