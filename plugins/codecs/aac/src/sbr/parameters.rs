//! What an element says about its high frequencies, packet after packet (ISO/IEC 14496-3, 4.4.2.8: sbr_extension_data).

#![forbid(unsafe_code)]

use mapwave_codec_base::BitReader;

use super::bands::Bands;
use super::data::{ChannelData, read_pair, read_single};
use super::header::{Header, Spectrum};

/// An extension payload of a packet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Payload {
    /// The bit at which it begins, behind its type.
    pub(crate) position: usize,
    /// The bit at which its fill element ends.
    pub(crate) end: usize,
    pub(crate) has_checksum: bool,
}

/// The subbands of the core, when no others are replicated.
const ALL_LOW: (usize, usize) = (32, 0);

/// What holds for both channels of an element.
#[derive(Clone, Debug)]
pub(super) struct Parameters {
    sample_rate: u32,
    /// The time slots of a packet: 16, or 15.
    num_time_slots: usize,
    /// Whether subbands are replicated; otherwise the core is only brought to the rate of the output.
    pub(super) is_on: bool,
    pub(super) header: Header,
    /// The spectrum that the bands are of, unless they are not valid.
    spectrum: Option<Spectrum>,
    pub(super) bands: Bands,
    /// Whether this packet has brought other bands.
    pub(super) is_reset: bool,
    pub(super) is_coupled: bool,
    /// The first subband that is replicated, and how many there are: of the packet before, and of this one.
    pub(super) high_ranges: [(usize, usize); 2],
    has_data: bool,
    has_advanced: bool,
}

impl Parameters {
    pub(super) fn new(sample_rate: u32, num_time_slots: usize) -> Self {
        Self {
            sample_rate,
            num_time_slots,
            is_on: false,
            header: Header::default(),
            spectrum: None,
            bands: Bands::default(),
            is_reset: false,
            is_coupled: false,
            high_ranges: [ALL_LOW; 2],
            has_data: false,
            has_advanced: false,
        }
    }

    pub(super) fn reset(&mut self) {
        *self = Self::new(self.sample_rate, self.num_time_slots);
    }

    /// Replicates nothing until the next header.
    fn turn_off(&mut self) {
        (self.is_on, self.has_data, self.spectrum) = (false, false, None);
        self.high_ranges[1] = ALL_LOW;
    }

    fn advance(&mut self) {
        let [before, now] = &mut self.high_ranges;
        *before = *now;
        self.has_advanced = true;
    }

    /// Reads a payload, and returns the extensions that it has, as a range of bits. What cannot be read turns replication off, as in
    /// FFmpeg.
    pub(super) fn read(
        &mut self,
        bytes: &[u8],
        payload: &Payload,
        channels: &mut [&mut ChannelData],
    ) -> Option<std::ops::Range<usize>> {
        self.is_reset = false;
        self.advance();
        let mut bits = BitReader::at_bit(bytes, payload.position);
        if payload.has_checksum {
            bits.read(10);
        }
        if bits.read(1) != 0 {
            self.read_header(&mut bits);
        }
        if !self.is_on {
            return None;
        }
        let extensions = self.read_data(&mut bits, channels);
        if extensions.is_none() || bits.position() > payload.end {
            self.turn_off();
            return None;
        }
        self.has_data = true;
        extensions
    }

    fn read_header(&mut self, bits: &mut BitReader<'_>) {
        let limiter_before = self.header.limiter_bands;
        self.header = Header::read(bits);
        (self.is_on, self.has_data) = (true, false);
        if self.spectrum == Some(self.header.spectrum) {
            if self.header.limiter_bands != limiter_before {
                self.bands.set_limiter(self.header.limiter_bands);
            }
            return;
        }
        let Some(bands) = Bands::new(&self.header, self.sample_rate) else { return self.turn_off() };
        (self.is_reset, self.spectrum) = (true, Some(self.header.spectrum));
        self.high_ranges[1] = bands.high_range();
        self.bands = bands;
    }

    fn read_data(
        &mut self,
        bits: &mut BitReader<'_>,
        channels: &mut [&mut ChannelData],
    ) -> Option<std::ops::Range<usize>> {
        let (num_slots, has_coarse_steps) = (self.num_time_slots, self.header.has_coarse_steps);
        match channels {
            [only] => {
                read_single(bits, num_slots, has_coarse_steps, &self.bands, only)?;
                self.is_coupled = false;
            }
            [first, second] => {
                self.is_coupled = read_pair(bits, num_slots, has_coarse_steps, &self.bands, [first, second])?;
            }
            _ => return None,
        }
        let mut num_bytes = 0;
        if bits.read(1) != 0 {
            num_bytes = bits.read(4) as usize;
            if num_bytes == 15 {
                num_bytes += bits.read(8) as usize;
            }
        }
        let start = bits.position();
        *bits = BitReader::at_bit(bits.bytes, start + 8 * num_bytes);
        Some(start..start + 8 * num_bytes)
    }

    /// Ends the reading of a packet, which may have no payload.
    pub(super) fn finish(&mut self) {
        if self.is_on && !self.has_data {
            self.turn_off();
        }
        if !self.has_advanced {
            self.advance();
        }
        (self.has_data, self.has_advanced) = (false, false);
    }
}
