//! The headers of a link, and what they say about its packets.

#![forbid(unsafe_code)]

use mapwave_plugin::{Error, Result};

use super::flac;
use super::links::Kind;
use super::packets::{Packets, Place};
use crate::codec::flac::{FrameHeader, StreamInfoBlock};
use crate::codec::vorbis::{VorbisSetup, frames_between};
use crate::tags::vorbis_comment;
use crate::tags::vorbis_comment::Comments;

/// The setup in the headers of a link.
#[derive(Debug)]
pub(crate) enum Setup {
    Vorbis(VorbisSetup),
    Flac(StreamInfoBlock),
}

impl Setup {
    pub(crate) fn sample_rate(&self) -> u32 {
        match self {
            Self::Vorbis(setup) => setup.sample_rate,
            Self::Flac(info) => info.sample_rate,
        }
    }

    pub(crate) fn num_channels(&self) -> u32 {
        match self {
            Self::Vorbis(setup) => setup.num_channels,
            Self::Flac(info) => info.num_channels,
        }
    }

    /// The depth in bits; 0 for Vorbis, which has none.
    pub(crate) fn bits_per_sample(&self) -> u32 {
        match self {
            Self::Vorbis(_) => 0,
            Self::Flac(info) => info.bits_per_sample,
        }
    }

    /// The number of frames of a packet after one with the state `previous`, and its own state; `None` if it is not an
    /// audio packet of the stream.
    pub(crate) fn measure(&self, packet: &[u8], previous: u8) -> Option<(u64, u8)> {
        match self {
            Self::Vorbis(setup) => {
                let exponent = setup.exponent(packet)?;
                let num_frames = if previous == 0 { 0 } else { frames_between(previous, exponent) };
                Some((num_frames, exponent))
            }
            Self::Flac(info) => info.frames_of(packet).map(|num_frames| (num_frames.into(), 1)),
        }
    }

    /// Reads the headers of a link of Vorbis or FLAC at `offset`; returns also the comments, and the place of the first packet
    /// of audio.
    ///
    /// # Errors
    /// When they violate the specification or are damaged, or a decoder would take more than `max_alloc` bytes.
    pub(crate) fn read(
        kind: Kind,
        packets: &Packets<'_>,
        max_alloc: u64,
        offset: u64,
    ) -> Result<(Self, Comments, Place)> {
        match kind {
            Kind::Vorbis => vorbis_headers(packets, max_alloc, offset),
            Kind::Flac => flac_headers(packets, max_alloc, offset),
            other => {
                Err(Error::unsupported(format!("a chained stream continues as {}", other.name())).at(offset))
            }
        }
    }

    /// Checks that a link at `offset` with the setup `next` continues a file that began with this one.
    ///
    /// # Errors
    /// When codec, rate, channels or depth differ.
    pub(crate) fn check_continued_by(&self, next: &Self, offset: u64) -> Result<()> {
        let describe = |setup: &Self| {
            let (channels, rate, bits) = (setup.num_channels(), setup.sample_rate(), setup.bits_per_sample());
            match setup {
                Self::Vorbis(_) => format!("Vorbis with {channels} channels at {rate} Hz"),
                Self::Flac(_) => format!("FLAC with {channels} channels of {bits} bits at {rate} Hz"),
            }
        };
        let (expected, found) = (describe(self), describe(next));
        if expected == found {
            return Ok(());
        }
        let message =
            format!("a chained stream continues as {found}, expected {expected} as at its beginning");
        Err(Error::unsupported(message).at(offset))
    }
}

/// Reads the three headers (Vorbis I specification, section 4.2).
fn vorbis_headers(packets: &Packets<'_>, max_alloc: u64, offset: u64) -> Result<(Setup, Comments, Place)> {
    let mut place = Place::default();
    let mut header = || {
        let packet = packets.next(&mut place, true);
        packet.ok_or_else(|| Error::bad_data(offset, "the Vorbis stream ends within its headers"))
    };
    let (identification, comment, setup) = (header()?, header()?, header()?);
    check_intact(packets, setup.last_page)?;
    let setup = VorbisSetup::parse(&identification.bytes, &setup.bytes, max_alloc, offset)?;
    let comments = comment.bytes.strip_prefix(b"\x03vorbis").map(vorbis_comment::parse);
    Ok((Setup::Vorbis(setup), comments.unwrap_or_default(), place))
}

/// Reads the headers (RFC 9639, section 10.1) and the first frame's.
fn flac_headers(packets: &Packets<'_>, max_alloc: u64, offset: u64) -> Result<(Setup, Comments, Place)> {
    let mut place = Place::default();
    let first = packets.next(&mut place, true);
    let first =
        first.ok_or_else(|| Error::bad_data(offset, "the FLAC stream ends within its first packet"))?;
    check_intact(packets, first.last_page)?;
    let mut info = flac::stream_info(&first.bytes, offset)?;
    let mut comments = Comments::new();
    loop {
        let mut next = place;
        let Some(packet) = packets.next(&mut next, true) else { break };
        if flac::is_header(&packet.bytes) {
            if comments.is_empty() {
                comments = flac::comments(&packet.bytes).unwrap_or_default();
            }
            place = next;
            continue;
        }
        // Where they differ, the frame is right.
        if let Some(header) = FrameHeader::parse(&packet.bytes) {
            info.sample_rate = header.sample_rate.unwrap_or(info.sample_rate);
            info.bits_per_sample = header.bits_per_sample.unwrap_or(info.bits_per_sample);
            info.num_channels = header.num_channels;
        }
        break;
    }
    if info.max_block_size == 0 {
        info.max_block_size = u16::MAX.into();
    }
    if info.sample_rate == 0 || info.bits_per_sample < 4 {
        let message = format!("{} Hz with {} bits is not valid", info.sample_rate, info.bits_per_sample);
        return Err(Error::bad_data(offset, message));
    }
    info.check_room(max_alloc).map_err(|error| error.at(offset))?;
    Ok((Setup::Flac(info), comments, place))
}

/// Checks the pages of the headers, up to `last`.
fn check_intact(packets: &Packets<'_>, last: usize) -> Result<()> {
    for number in 0..=last {
        if let Some(page) = packets.page(number)
            && !page.is_intact(packets.bytes)
        {
            let message = "a page with headers of the stream is damaged: its checksum is wrong";
            return Err(Error::bad_data(page.offset as u64, message));
        }
    }
    Ok(())
}
