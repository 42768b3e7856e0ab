//! The headers of a file, shared by all handles.

#![forbid(unsafe_code)]

use mapwave_plugin::{Error, Input, Result};

use crate::packet::{
    FILE_HEADER_BYTES, HEADER_BYTES, MAGIC, PACKET_FRAMES, PacketHeader, frames_within, packet_bytes,
};

/// The offset of the first packet.
const FIRST_PACKET: u64 = FILE_HEADER_BYTES as u64;

/// A file whose headers were read.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) input: Input,
    pub(crate) sample_rate: u32,
    pub(crate) num_channels: u8,
    /// The number of frames in the file.
    pub(crate) num_frames: u64,
    /// The number of frames according to the file, at least as many.
    promised_frames: u64,
    /// Whether the file ends early.
    pub(crate) is_truncated: bool,
}

impl Stream {
    /// Reads the header of a file and that of its first packet. Every packet but the last has the same size, so the position of
    /// the others follows. If the file was streamed, all headers are read for the sum of their frames.
    ///
    /// # Errors
    /// When they violate the specification.
    pub(crate) fn open(input: Input) -> Result<Self> {
        let num_bytes = input.num_bytes();
        let mut header = [0; FILE_HEADER_BYTES];
        if input.read_at(0, &mut header)? < header.len() {
            return Err(Error::bad_data(0, format!("the file has {num_bytes} bytes, too few for a header")));
        }
        let ([magic, samples], _) = header.as_chunks() else {
            return Err(Error::unsupported("the header has no magic").at(0));
        };
        if *magic != MAGIC {
            return Err(
                Error::unsupported(format!("the file begins with {magic:02x?}, not with \"qoaf\"")).at(0)
            );
        }
        let Some(first) = read_header(&input, FIRST_PACKET)? else {
            let what = "the file ends before its first packet; the specification requires at least one";
            return Err(Error::bad_data(num_bytes, what));
        };
        first.check(FIRST_PACKET)?;

        let num_channels = first.num_channels;
        let promised = match u32::from_be_bytes(*samples) {
            0 => Promise::of_stream(&input, &first)?,
            num_frames => Promise { num_frames: num_frames.into(), is_cut: false },
        };
        let present = frames_in(num_channels, num_bytes.saturating_sub(FIRST_PACKET));
        Ok(Self {
            input,
            sample_rate: first.sample_rate,
            num_channels,
            num_frames: present.min(promised.num_frames),
            promised_frames: promised.num_frames,
            is_truncated: promised.is_cut || present < promised.num_frames,
        })
    }

    /// The offset of a packet.
    pub(crate) fn packet_offset(&self, packet: u64) -> u64 {
        let packet_bytes = packet_bytes(self.num_channels, PACKET_FRAMES) as u64;
        packet.saturating_mul(packet_bytes).saturating_add(FIRST_PACKET)
    }

    /// Checks that a header is that of a packet's number.
    ///
    /// # Errors
    /// When it is not.
    pub(crate) fn check(&self, packet: u64, header: &PacketHeader) -> Result<()> {
        let offset = self.packet_offset(packet);
        header.check(offset)?;
        self.check_sameness(offset, header)?;
        let first_frame = packet.saturating_mul(PACKET_FRAMES as u64);
        let expected = self.promised_frames.saturating_sub(first_frame).min(PACKET_FRAMES as u64);
        if u64::from(header.num_frames) != expected {
            let what = format!("packet {packet} has {} frames, expected {expected}", header.num_frames);
            return Err(Error::bad_data(offset, what));
        }
        let is_last = first_frame.saturating_add(expected) >= self.promised_frames;
        check_size(offset, header, is_last)
    }

    fn check_sameness(&self, offset: u64, header: &PacketHeader) -> Result<()> {
        let first = PacketHeader {
            num_channels: self.num_channels,
            sample_rate: self.sample_rate,
            num_frames: 0,
            num_bytes: 0,
        };
        check_sameness(offset, &first, header).map_err(|error| Error::bad_data(offset, error.message()))
    }
}

/// The number of frames according to a file.
struct Promise {
    num_frames: u64,
    /// Whether the file ends inside the header of a packet.
    is_cut: bool,
}

impl Promise {
    /// The sum of all packets, if the header of the file has 0: "the encoder is streaming".
    fn of_stream(input: &Input, first: &PacketHeader) -> Result<Self> {
        let (mut offset, mut num_frames) = (FIRST_PACKET, 0_u64);
        while let Some(header) = read_header(input, offset)? {
            header.check(offset)?;
            check_sameness(offset, first, &header)?;
            let end = offset.saturating_add(header.num_bytes.into());
            let is_last = end >= input.num_bytes();
            if !is_last && usize::from(header.num_frames) != PACKET_FRAMES {
                let what = format!(
                    "the packet has {} frames, which only the last may have, but another packet follows at byte {end}",
                    header.num_frames
                );
                return Err(Error::bad_data(offset, what));
            }
            check_size(offset, &header, is_last)?;
            num_frames = num_frames.saturating_add(header.num_frames.into());
            offset = end;
        }
        Ok(Self { num_frames, is_cut: offset < input.num_bytes() })
    }
}

/// The frames in packets of `num_bytes` bytes altogether, of which the last may be truncated.
fn frames_in(num_channels: u8, num_bytes: u64) -> u64 {
    let full_packet = packet_bytes(num_channels, PACKET_FRAMES) as u64;
    let whole = (num_bytes / full_packet).saturating_mul(PACKET_FRAMES as u64);
    let rest = usize::try_from(num_bytes % full_packet).unwrap_or(0); // a part of a packet
    whole.saturating_add(frames_within(num_channels, rest) as u64)
}

/// The header at `offset`; `None` if the file ends inside it.
fn read_header(input: &Input, offset: u64) -> Result<Option<PacketHeader>> {
    let mut bytes = [0; HEADER_BYTES];
    let is_whole = input.read_at(offset, &mut bytes)? == bytes.len();
    Ok(is_whole.then(|| PacketHeader::from_bytes(&bytes)))
}

/// Rejects a change of channels or rate within the file, which the format allows in streams but an array cannot hold.
fn check_sameness(offset: u64, first: &PacketHeader, header: &PacketHeader) -> Result<()> {
    let (channels, rate) = (first.num_channels, first.sample_rate);
    if (header.num_channels, header.sample_rate) == (channels, rate) {
        return Ok(());
    }
    let what = format!(
        "from here on there are {} channels at {} Hz, before that {channels} at {rate} Hz; split the file here",
        header.num_channels, header.sample_rate
    );
    Err(Error::unsupported(what).at(offset))
}

/// Rejects a packet that is larger than its frames need, unless it is the last: the position of the next would be wrong.
fn check_size(offset: u64, header: &PacketHeader, is_last: bool) -> Result<()> {
    let expected = packet_bytes(header.num_channels, header.num_frames.into());
    if is_last || usize::from(header.num_bytes) == expected {
        return Ok(());
    }
    let what = format!("the packet reports a size of {} bytes, expected {expected}", header.num_bytes);
    Err(Error::bad_data(offset, what))
}
