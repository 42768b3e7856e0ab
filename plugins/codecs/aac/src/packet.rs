//! The elements of a packet (ISO/IEC 14496-3, 4.4.2.1: raw_data_block).
//!
//! Reading a packet stops in front of the lines of each channel, so that they are read together with those of another packet.

#![forbid(unsafe_code)]

use mapwave_codec_base::BitReader;

use crate::bands::Bands;
use crate::coupling::Coupling;
use crate::error::DecodeError;
use crate::grouping::Windows;
use crate::huffman;
use crate::lines::{Lines, MAX_LINES};
use crate::program::{Kind, MAX_CHANNELS, Program, Slot};
use crate::sbr::Payload;
use crate::side::{Channel, MAX_BANDS};
use crate::spectrum::Spectrum;

/// Types of extension payloads (table 4.121).
const EXT_SBR_DATA: u32 = 13;
const EXT_SBR_DATA_CRC: u32 = 14;

/// The most coupling channels of a packet: one for each tag.
const MAX_COUPLINGS: usize = 16;

/// What an element says about its channels together.
#[derive(Clone, Debug)]
pub(crate) struct ElementSide {
    /// The instance tag, if the packet has the element.
    pub(crate) tag: Option<u8>,
    /// Whether bands hold sum and difference.
    pub(crate) is_mid_side: [bool; MAX_BANDS],
    pub(crate) has_mid_side: bool,
}

impl Default for ElementSide {
    fn default() -> Self {
        Self { tag: None, is_mid_side: [false; MAX_BANDS], has_mid_side: false }
    }
}

/// An element with lines.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Element {
    /// One of the program.
    Slot(usize),
    Coupling(usize),
}

/// What a packet is read into.
#[derive(Debug, Default)]
pub(crate) struct Block {
    /// The elements in the order of the packet.
    pub(crate) order: Vec<Element>,
    /// Each channel of the output.
    pub(crate) channels: Vec<Channel>,
    pub(crate) lines: Vec<Lines>,
    /// Each element of the program.
    pub(crate) elements: Vec<ElementSide>,
    /// Of which the first count.
    pub(crate) couplings: Vec<Coupling>,
    pub(crate) num_couplings: usize,
    /// The band replication of each element of the program.
    pub(crate) payloads: Vec<Option<Payload>>,
}

impl Block {
    pub(crate) fn new(program: &Program) -> Self {
        Self {
            order: Vec::with_capacity(MAX_CHANNELS + MAX_COUPLINGS),
            channels: vec![Channel::default(); program.num_channels()],
            lines: vec![[0.0; MAX_LINES]; program.num_channels()],
            elements: vec![ElementSide::default(); program.slots().len()],
            couplings: Vec::new(),
            num_couplings: 0,
            payloads: vec![None; program.slots().len()],
        }
    }
}

impl Block {
    /// The lines of noise of the packet.
    pub(crate) fn num_noise_lines(&self, program: &Program, bands: &[Bands; 2]) -> usize {
        let of = |channel: Option<&Channel>| channel.map_or(0, |channel| channel.num_noise_lines(bands));
        let elements = self.order.iter().map(|element| match *element {
            Element::Slot(number) => {
                let [first, second] =
                    program.slots().get(number).map_or([0; 2], |slot| slot.planes.map(usize::from));
                let second = if second == first { 0 } else { of(self.channels.get(second)) };
                of(self.channels.get(first)) + second
            }
            Element::Coupling(number) => of(self.couplings.get(number).map(|coupling| &coupling.channel)),
        });
        elements.sum()
    }
}

/// Which channel has lines next.
#[derive(Clone, Copy, Debug)]
enum Pending {
    Channel(usize),
    Coupling,
}

/// A packet that is being read.
pub(crate) struct Packet<'a, 'b> {
    bits: BitReader<'a>,
    program: &'b Program,
    bands: &'b [Bands; 2],
    block: &'b mut Block,
    pending: Pending,
    /// The second channel of a pair whose first is read, and the windows that both have.
    second: Option<(usize, Option<Windows>)>,
    num_seen: usize,
}

fn malformed(what: &'static str) -> DecodeError {
    DecodeError::Packet(what)
}

impl<'a, 'b> Packet<'a, 'b> {
    pub(crate) fn new(
        bytes: &'a [u8],
        program: &'b Program,
        bands: &'b [Bands; 2],
        block: &'b mut Block,
    ) -> Self {
        block.elements.iter_mut().for_each(|element| element.tag = None);
        block.order.clear();
        block.num_couplings = 0;
        block.payloads.fill(None);
        let bits = BitReader::at(bytes, 0);
        Self { bits, program, bands, block, pending: Pending::Coupling, second: None, num_seen: 0 }
    }

    /// Reads up to the lines of the next channel; false at the end.
    ///
    /// # Errors
    /// When the packet is malformed, truncated, or has what is not supported.
    pub(crate) fn advance(&mut self) -> Result<bool, DecodeError> {
        if let Some((plane, windows)) = self.second.take() {
            self.begin_channel(plane, windows)?;
            return Ok(true);
        }
        loop {
            if self.is_complete_without_end() {
                return Ok(false);
            }
            let kind = self.bits.read(3);
            if self.bits.is_past_end() {
                return Err(DecodeError::Truncated);
            }
            match kind {
                0 => self.begin_single(Kind::Single)?,
                1 => self.begin_pair()?,
                2 => self.begin_coupling()?,
                3 => self.begin_single(Kind::Lfe)?,
                4 => self.skip_data(),
                5 => {
                    // What the channels are is known from the beginning.
                    Program::read(&mut self.bits).map_err(|_| malformed("its program is not valid"))?;
                }
                6 => self.read_fill(),
                _ if self.num_seen == 0 => return Err(malformed("it has no channels")),
                _ => return Ok(false),
            }
            if kind < 4 {
                return Ok(true);
            }
        }
    }

    /// Whether all channels are there, and no bits for an end element, which some encoders leave out.
    fn is_complete_without_end(&self) -> bool {
        let mut bits = self.bits;
        bits.read(3);
        self.num_seen == self.program.slots().len() && bits.is_past_end()
    }

    /// The lines of the channel that is next.
    pub(crate) fn spectrum(&mut self) -> Spectrum<'a, '_> {
        match self.pending {
            Pending::Channel(plane) => {
                if let (Some(channel), Some(lines)) =
                    (self.block.channels.get(plane), self.block.lines.get_mut(plane))
                {
                    lines.fill(0.0);
                    return Spectrum::new(self.bits, lines, channel.runs());
                }
            }
            Pending::Coupling => {
                if let Some(coupling) = self.block.couplings.get_mut(self.block.num_couplings) {
                    coupling.lines.fill(0.0);
                    return Spectrum::new(self.bits, &mut coupling.lines, coupling.channel.runs());
                }
            }
        }
        Spectrum::new(self.bits, &mut [], &[])
    }

    /// Goes on behind the lines of a channel.
    pub(crate) fn finish(&mut self, bits: BitReader<'a>) -> Result<(), DecodeError> {
        self.bits = bits;
        match self.pending {
            Pending::Channel(plane) => {
                if let (Some(channel), Some(lines)) =
                    (self.block.channels.get(plane), self.block.lines.get_mut(plane))
                {
                    add_pulses(channel, lines);
                }
            }
            Pending::Coupling => {
                if let Some(coupling) = self.block.couplings.get_mut(self.block.num_couplings) {
                    add_pulses(&coupling.channel, &mut coupling.lines);
                    coupling.read_gains(&mut self.bits);
                    self.block.num_couplings += 1;
                }
            }
        }
        if self.bits.is_past_end() { Err(DecodeError::Truncated) } else { Ok(()) }
    }

    fn begin_channel(&mut self, plane: usize, windows: Option<Windows>) -> Result<(), DecodeError> {
        self.pending = Pending::Channel(plane);
        let Some(channel) = self.block.channels.get_mut(plane) else { return Ok(()) };
        channel.read(&mut self.bits, windows, self.bands)
    }

    /// The element of the program that the packet has next.
    fn slot(&mut self, kind: Kind) -> Result<(usize, Slot), DecodeError> {
        #[expect(clippy::cast_possible_truncation, reason = "four bits")]
        let tag = self.bits.read(4) as u8;
        let slots = self.program.slots().iter().zip(&mut self.block.elements).enumerate();
        let mut free = slots.filter(|(_, (_, element))| element.tag.is_none());
        // A channel alone in place of the one of low frequencies is that, as some encoders write.
        let mut fallback = None;
        let found = free.find(|(number, (slot, _))| {
            let fits = slot.kind == kind && slot.tag.is_none_or(|expected| expected == tag);
            if !fits && fallback.is_none() && (kind, slot.kind, slot.tag) == (Kind::Single, Kind::Lfe, None) {
                fallback = Some(*number);
            }
            fits
        });
        let number = found.map(|(number, _)| number).or(fallback);
        let number = number.ok_or(malformed("it has an element that the stream has not, or not twice"))?;
        if let Some(element) = self.block.elements.get_mut(number) {
            (element.tag, element.has_mid_side) = (Some(tag), false);
        }
        self.num_seen += 1;
        self.block.order.push(Element::Slot(number));
        Ok((number, self.program.slots().get(number).copied().unwrap_or_default()))
    }

    fn begin_single(&mut self, kind: Kind) -> Result<(), DecodeError> {
        let (_, slot) = self.slot(kind)?;
        self.begin_channel(usize::from(slot.planes[0]), None)
    }

    fn begin_pair(&mut self) -> Result<(), DecodeError> {
        let (number, slot) = self.slot(Kind::Pair)?;
        let [first, second] = slot.planes.map(usize::from);
        let mut windows = None;
        if self.bits.read(1) != 0 {
            let common = Windows::read(&mut self.bits, self.bands)?;
            windows = Some(common);
            let num_bands = common.num_bands * common.num_groups;
            if let Some(element) = self.block.elements.get_mut(number) {
                let is_mid_side = element.is_mid_side.iter_mut().take(num_bands);
                match self.bits.read(2) {
                    0 => {}
                    1 => {
                        is_mid_side.for_each(|is_mid_side| *is_mid_side = self.bits.read(1) != 0);
                        element.has_mid_side = true;
                    }
                    2 => {
                        is_mid_side.for_each(|is_mid_side| *is_mid_side = true);
                        element.has_mid_side = true;
                    }
                    _ => return Err(malformed("a pair has a reserved mask of sums and differences")),
                }
            }
        }
        self.second = Some((second, windows));
        self.begin_channel(first, windows)
    }

    fn begin_coupling(&mut self) -> Result<(), DecodeError> {
        self.pending = Pending::Coupling;
        let number = self.block.num_couplings;
        if number >= MAX_COUPLINGS {
            return Err(malformed("it has more than 16 coupling channels"));
        }
        if self.block.couplings.len() <= number {
            self.block.couplings.push(Coupling::default());
        }
        self.block.order.push(Element::Coupling(number));
        let Some(coupling) = self.block.couplings.get_mut(number) else { return Ok(()) };
        coupling.read(&mut self.bits, self.bands)
    }

    /// data_stream_element
    fn skip_data(&mut self) {
        self.bits.read(4);
        let is_aligned = self.bits.read(1) != 0;
        let mut num_bytes = self.bits.read(8);
        if num_bytes == 255 {
            num_bytes += self.bits.read(8);
        }
        if is_aligned {
            self.bits.align();
        }
        self.bits.skip_bytes(num_bytes as usize);
    }

    /// fill_element: filling, band replication of the element before, or what is for other decoders.
    fn read_fill(&mut self) {
        let mut num_bytes = self.bits.read(4);
        if num_bytes == 15 {
            num_bytes = (14 + self.bits.read(8)).max(14);
        }
        let end = self.bits.position() + 8 * num_bytes as usize;
        let mut bits = self.bits;
        let kind = bits.read(4);
        if num_bytes > 0
            && matches!(kind, EXT_SBR_DATA | EXT_SBR_DATA_CRC)
            && let Some(Element::Slot(number)) = self.block.order.last()
            && let Some(payload) = self.block.payloads.get_mut(*number)
        {
            let has_checksum = kind == EXT_SBR_DATA_CRC;
            payload.get_or_insert(Payload { position: bits.position(), end, has_checksum });
        }
        self.bits.skip_bytes(num_bytes as usize);
    }
}

/// Adds pulses to lines, away from 0, which counts as negative (4.6.3.3).
fn add_pulses(channel: &Channel, lines: &mut Lines) {
    for (line, amplitude) in channel.pulses.each.iter().take(channel.pulses.count) {
        let Some(line) = lines.get_mut(usize::from(*line)) else { continue };
        let magnitude = f64::from(line.abs()).powf(0.75).round() + f64::from(*amplitude);
        *line = if magnitude == 0.0 {
            0.0
        } else if *line > 0.0 {
            huffman::power(magnitude)
        } else {
            -huffman::power(magnitude)
        };
    }
}
