//! The packets of a stream: stored by their position in the file if they are contiguous there, else in memory.

#![forbid(unsafe_code)]

use mapwave_plugin::{Error, Input, Result, Status};

use crate::packet::Packet;

/// How far past the position that a container states a packet is searched for: past a page or block header.
const WINDOW: usize = 320;

/// The maximum size of what an MP3 packet has beside main data: header, CRC and side information (ISO 11172-3, 2.4.1).
const HEADER_BYTES: u64 = 38;

/// The overhead of a packet in memory, in bytes.
const PACKET_BYTES: u64 = 256;

/// The location of a packet.
enum Stored {
    File { offset: u64, num_bytes: u32 },
    Memory(Packet),
}

/// The packets.
pub(super) struct Store {
    input: Input,
    packets: Vec<Stored>,
    /// The end of the last packet, where the next one often begins.
    end: u64,
    /// The number of bytes that may still be allocated.
    budget: u64,
    scratch: Vec<u8>,
}

impl Store {
    /// A store for the packets of a file.
    pub(super) fn new(input: Input, max_alloc: u64) -> Self {
        Self { input, packets: Vec::new(), end: 0, budget: max_alloc, scratch: Vec::new() }
    }

    /// Counts this many bytes as allocated.
    ///
    /// # Errors
    /// [`Status::Limit`] when not that many are left.
    pub(super) fn allocate(&mut self, num_bytes: u64) -> Result<()> {
        let Some(budget) = self.budget.checked_sub(num_bytes) else {
            let message =
                format!("the packet list of {} packets or more exceeds the memory limit", self.packets.len());
            return Err(Error::new(Status::Limit, message));
        };
        self.budget = budget;
        Ok(())
    }

    /// Adds a packet.
    ///
    /// # Errors
    /// When the host cannot read, or memory runs out.
    pub(super) fn push(&mut self, packet: &Packet) -> Result<()> {
        self.allocate(size_of::<Stored>() as u64)?;
        let bytes = packet.bytes();
        let place = if packet.has_side_data() { None } else { self.locate(bytes, packet.position())? };
        let stored = match (place, u32::try_from(bytes.len())) {
            (Some(offset), Ok(num_bytes)) => {
                self.end = offset + u64::from(num_bytes);
                Stored::File { offset, num_bytes }
            }
            _ => {
                self.allocate(bytes.len() as u64 + packet.num_side_bytes() + PACKET_BYTES)?;
                Stored::Memory(packet.duplicate()?)
            }
        };
        self.packets.push(stored);
        Ok(())
    }

    /// The position in the file of exactly the bytes of a packet.
    fn locate(&mut self, bytes: &[u8], position: Option<u64>) -> Result<Option<u64>> {
        let Some(position) = position else { return Ok(None) };
        if position <= self.end && self.end - position < 1 << 16 && self.is_at(self.end, bytes)? {
            return Ok(Some(self.end));
        }
        let found = match self.input.bytes() {
            Some(file) => {
                let start = usize::try_from(position).unwrap_or(usize::MAX);
                find(file.get(start..).unwrap_or_default(), bytes)
            }
            None => {
                self.scratch.resize(bytes.len() + WINDOW, 0);
                let count = self.input.read_at(position, &mut self.scratch)?;
                find(self.scratch.get(..count).unwrap_or_default(), bytes)
            }
        };
        Ok(found.map(|distance| position + distance as u64))
    }

    fn is_at(&mut self, place: u64, bytes: &[u8]) -> Result<bool> {
        if let Some(file) = self.input.bytes() {
            let start = usize::try_from(place).unwrap_or(usize::MAX);
            return Ok(file.get(start..).is_some_and(|rest| rest.starts_with(bytes)));
        }
        self.scratch.resize(bytes.len(), 0);
        let count = self.input.read_at(place, &mut self.scratch)?;
        Ok(self.scratch.get(..count) == Some(bytes))
    }

    /// The length of the file.
    pub(super) fn num_file_bytes(&self) -> u64 {
        self.input.num_bytes()
    }

    /// The number of packets.
    pub(super) fn num_packets(&self) -> usize {
        self.packets.len()
    }

    /// The last packet from which on, up to a packet, there are this many bytes, apart from headers.
    pub(super) fn before(&self, number: usize, num_bytes: u64) -> usize {
        let (mut start, mut found) = (number, 0u64);
        while start > 0 && found < num_bytes {
            start -= 1;
            let packet = match self.packets.get(start) {
                Some(Stored::File { num_bytes, .. }) => u64::from(*num_bytes),
                Some(Stored::Memory(packet)) => packet.bytes().len() as u64,
                None => 0,
            };
            found += packet.saturating_sub(HEADER_BYTES);
        }
        start
    }

    /// Drops all packets after the first `count`.
    pub(super) fn truncate(&mut self, num_packets: usize) {
        self.packets.truncate(num_packets);
    }

    /// Ends adding packets and frees what only that needed.
    pub(super) fn close(&mut self) {
        self.packets.shrink_to_fit();
        self.scratch = Vec::new();
    }

    /// The place of a packet in the file, for messages.
    pub(super) fn offset(&self, number: usize) -> Option<u64> {
        match self.packets.get(number)? {
            Stored::File { offset, .. } => Some(*offset),
            Stored::Memory(packet) => packet.position(),
        }
    }

    /// Reads a packet; `time` is that of its first frame. Returns false if there is no packet with that number.
    ///
    /// # Errors
    /// When the host cannot read, or memory runs out.
    pub(super) fn read(&self, number: usize, time: u64, packet: &mut Packet) -> Result<bool> {
        match self.packets.get(number) {
            None => return Ok(false),
            Some(Stored::Memory(kept)) => packet.refer_to(kept)?,
            Some(Stored::File { offset, num_bytes }) => packet.fill(*num_bytes as usize, |bytes| {
                let count = self.input.read_at(*offset, bytes)?;
                if count < bytes.len() {
                    let end = offset + count as u64;
                    let message =
                        format!("the file ends at byte {end}, inside a packet that was there before");
                    return Err(Error::new(Status::BadData, message).at(*offset));
                }
                Ok(())
            })?,
        }
        packet.set_time(i64::try_from(time).unwrap_or(i64::MAX));
        Ok(true)
    }
}

/// The distance from the front at which `bytes` lie, if it is short.
fn find(file: &[u8], bytes: &[u8]) -> Option<usize> {
    (0..WINDOW).find(|distance| file.get(*distance..).is_some_and(|rest| rest.starts_with(bytes)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn packet(bytes: &[u8], position: i64) -> Packet {
        let mut packet = Packet::new().unwrap();
        packet.write(bytes).unwrap();
        packet.set_position(position);
        packet
    }

    #[test]
    fn packets_come_back_wherever_they_are() {
        let file: Vec<u8> = (0..=255).chain(0..100).collect();
        let mut store = Store::new(file.clone().into(), 10_000);
        let packets =
            [(&file[30..50], 20), (&file[50..90], 20), (b"not there", 20), (&file[0..7], -1), (&[], 5)];
        for (bytes, position) in packets {
            store.push(&packet(bytes, position)).unwrap();
        }
        store.close();
        let mut read = Packet::new().unwrap();
        for (number, (bytes, _)) in packets.iter().enumerate() {
            assert!(store.read(number, 7, &mut read).unwrap());
            assert_eq!(read.bytes(), *bytes);
        }
        assert_eq!([0, 1, 2].map(|number| store.offset(number)), [Some(30), Some(50), Some(20)]);
        assert!(!store.read(packets.len(), 0, &mut read).unwrap());
    }

    #[test]
    fn memory_is_bounded() {
        let mut store = Store::new(vec![0; 10].into(), 1000);
        let result = (0..100).try_for_each(|_| store.push(&packet(b"abcdefgh", -1)));
        assert_eq!(result.unwrap_err().status(), Status::Limit);
        assert!(store.num_packets() < 5);
    }
}
