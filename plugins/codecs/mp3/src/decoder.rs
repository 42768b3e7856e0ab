//! The public decoder: batches of packets in, samples out.

#![forbid(unsafe_code)]

use std::mem::MaybeUninit;
use std::ops::Range;

use mapwave_codec_base::{BitReader, Part, Room, interleave};

use crate::bands::{BlockKind, Layout, MAX_BANDS};
use crate::error::{BatchError, DecodeError};
use crate::header::Header;
use crate::huffman::{Codes, Lines, NUM_LINES};
use crate::hybrid::{self, Overlap, Spectrum};
use crate::instructions::Instructions;
use crate::scale_factors::ScaleFactors;
use crate::side_info::{ChannelInfo, SideInfo};
use crate::sizes::{NUM_SUBBANDS, SUBBAND};
use crate::stereo;
use crate::synthesis::Slots;

/// The most bytes of main data that are kept for later packets: `main_data_begin` has 9 bits.
const MAX_RESERVOIR: usize = 511;
/// The most bytes of a packet that are accepted: four times what any bit rate of the standards needs.
const MAX_PACKET: usize = 1 << 13;
/// The granules that are decoded at a time, those of both channels counted.
const MAX_JOBS: usize = 4;
/// The slots of all channels that are decoded at a time.
const MAX_SLOTS: usize = MAX_JOBS * SUBBAND;
/// Zeros behind main data, so that whole words may be read there.
const NUM_ZEROS: usize = 16;

/// Decodes packets of one stream, one after the other.
///
/// A packet depends on those before it: on their main data, on the overlap of windows, on the memory of the filter bank. After
/// [`reset`](Self::reset) and [`fill_reservoir`](Self::fill_reservoir), two granules (a packet of MPEG-1, two of MPEG-2) bring
/// a decoder to the state of one that has decoded all packets before.
///
/// Several packets at a time cost less than one after the other, so pass as many as there are. The samples depend neither on
/// the batches nor on the CPU.
///
/// ```
/// use mapwave_mp3::{Decoder, Header, Part};
///
/// // A packet of two channels without any lines: silence.
/// let mut packet = [0; 417];
/// packet[..4].copy_from_slice(&[0xFF, 0xFB, 0x90, 0x64]);
/// let num_frames = Header::parse(&packet).unwrap().num_frames();
/// let mut samples = Vec::with_capacity(num_frames * 2);
/// let part = Part { bytes: &packet, frames: 0..num_frames };
/// let decoded = Decoder::new().decode(&[part], samples.spare_capacity_mut()).unwrap();
/// assert_eq!(decoded, [0.0; 1152 * 2]);
/// ```
#[derive(Debug)]
pub struct Decoder {
    instructions: Instructions,
    /// The header of the last packet.
    last: Option<Header>,
    /// The last bytes of main data.
    reservoir: Vec<u8>,
    jobs: Vec<Job>,
    lines: Box<[Lines; MAX_JOBS]>,
    /// The main data of each kept packet.
    main_data: [Vec<u8>; MAX_JOBS],
    channels: [Channel; 2],
    spectra: Box<[Spectrum; 2]>,
    /// The samples of subbands, of one channel after the other.
    subbands: Vec<[f32; NUM_SUBBANDS]>,
    num_kept: usize,
}

/// The state and the samples of a channel.
#[derive(Debug)]
struct Channel {
    scale_factors: ScaleFactors,
    overlap: Box<Overlap>,
    slots: Slots,
    /// The samples of the kept packets, and room for a whole vector of slots.
    samples: Vec<[f32; NUM_SUBBANDS]>,
}

impl Channel {
    fn new(num_slots: usize) -> Self {
        Self {
            scale_factors: ScaleFactors::NONE,
            overlap: Box::new(Overlap::NONE),
            slots: Slots::new(num_slots),
            samples: vec![[0.0; NUM_SUBBANDS]; num_slots.next_multiple_of(8)],
        }
    }

    /// Returns to the initial state.
    fn clear(&mut self) {
        self.scale_factors = ScaleFactors::NONE;
        *self.overlap = Overlap::NONE;
        self.slots.clear();
    }
}

/// One channel of a granule.
#[derive(Clone, Debug)]
struct Job {
    /// The number of the packet that it belongs to.
    packet: usize,
    header: Header,
    info: ChannelInfo,
    /// The bits of its codes in the main data of the packet.
    codes: Range<usize>,
    gains: [f32; MAX_BANDS],
    positions: [u8; MAX_BANDS],
    num_lines: usize,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Decoder {
    /// A decoder in its initial state.
    pub fn new() -> Self {
        Self {
            instructions: Instructions::best(),
            last: None,
            reservoir: Vec::with_capacity(2 * MAX_RESERVOIR),
            jobs: Vec::with_capacity(MAX_JOBS),
            lines: Box::new([[0.0; NUM_LINES]; MAX_JOBS]),
            main_data: Default::default(),
            channels: [Channel::new(MAX_SLOTS), Channel::new(MAX_SLOTS / 2)],
            spectra: Box::new([Spectrum::NONE, Spectrum::NONE]),
            subbands: vec![[0.0; NUM_SUBBANDS]; MAX_SLOTS],
            num_kept: 0,
        }
    }

    /// Uses none but the instructions that every CPU has, for tests.
    #[must_use]
    #[doc(hidden)]
    pub fn with_plain_instructions(mut self) -> Self {
        self.instructions = Instructions::PLAIN;
        self
    }

    /// Uses no instructions of vectors, for tests.
    #[must_use]
    #[doc(hidden)]
    pub fn with_scalar_instructions(mut self) -> Self {
        self.instructions = Instructions::Scalar;
        self
    }

    /// Returns to the initial state, as before any packet.
    pub fn reset(&mut self) {
        self.last = None;
        self.reservoir.clear();
        self.num_kept = 0;
        self.channels.iter_mut().for_each(Channel::clear);
    }

    /// Takes bytes as the main data before the next packet, in place of what is known of it: the end of the packets before,
    /// each without header, checksum and side information. At most the last 511 count.
    pub fn fill_reservoir(&mut self, main_data: &[u8]) {
        self.reservoir.clear();
        keep(&mut self.reservoir, main_data);
    }

    /// Writes the wanted frames of all parts, one after the other and interleaved, to the beginning of `output`, and returns
    /// them. Afterwards the last packets are [kept](Self::num_kept).
    ///
    /// # Errors
    /// Which packet cannot be decoded, and why. Those before it are decoded. Of the rejected one, the main data counts, unless
    /// it has no header; otherwise it is as if it were not there. `output` may be written to.
    pub fn decode<'o>(
        &mut self,
        parts: &[Part<'_>],
        output: &'o mut [MaybeUninit<f32>],
    ) -> Result<&'o mut [f32], BatchError> {
        let mut room = Room::new(output);
        let mut packets: [&[u8]; MAX_JOBS] = [&[]; MAX_JOBS];
        let mut index = 0;
        while let Some(rest) = parts.get(index..).filter(|rest| !rest.is_empty()) {
            packets.iter_mut().zip(rest).for_each(|(packet, part)| *packet = part.bytes);
            let packets = packets.get(..rest.len().min(MAX_JOBS)).unwrap_or_default();
            let num_read = self.read(packets).map_err(|reason| BatchError { index, reason })?;
            for (number, part) in rest.iter().take(num_read).enumerate() {
                let written = room.write(|rest| self.write(number, part.frames.clone(), rest));
                written.map_err(|reason| BatchError { index: index + number, reason })?;
            }
            index += num_read;
        }
        Ok(room.finish())
    }

    /// Decodes the first packets of a batch, keeps their samples in place of those that were kept before, and returns their
    /// number: 1 to 4, or 0 if there are none.
    ///
    /// # Errors
    /// Why the first packet cannot be decoded, as of [`decode`](Self::decode). If another cannot, then those before it are
    /// decoded, and their number is returned.
    pub fn read(&mut self, packets: &[&[u8]]) -> Result<usize, DecodeError> {
        self.num_kept = 0;
        self.jobs.clear();
        for packet in packets.iter().take(MAX_JOBS) {
            match self.begin(packet) {
                Ok(true) => self.num_kept += 1,
                Err(reason) if self.num_kept == 0 => return Err(reason),
                Ok(false) | Err(_) => break,
            }
        }
        if let Some(header) = self.last.filter(|_| self.num_kept > 0) {
            self.read_lines();
            self.restore(header);
        }
        Ok(self.num_kept)
    }

    /// The number of packets that are kept.
    pub fn num_kept(&self) -> usize {
        self.num_kept
    }

    /// The frames of a packet that is kept; 0 if there is no such.
    pub fn kept_frames(&self, index: usize) -> usize {
        self.last.filter(|_| index < self.num_kept).map_or(0, Header::num_frames)
    }

    /// Writes frames of a packet that is kept, interleaved, to the beginning of `output`, and returns them.
    ///
    /// # Errors
    /// When there are no such frames, or no room.
    pub fn write<'o>(
        &self,
        index: usize,
        frames: Range<usize>,
        output: &'o mut [MaybeUninit<f32>],
    ) -> Result<&'o mut [f32], DecodeError> {
        let planes = [self.kept(index, 0, &frames)?, self.kept(index, 1, &frames)?];
        let num_channels = self.last.map_or(1, Header::num_channels);
        let room = output.get_mut(..frames.len() * num_channels).ok_or(DecodeError::Room)?;
        Ok(interleave(planes.get(..num_channels).unwrap_or_default(), room))
    }

    /// As [`write`](Self::write), of one channel.
    ///
    /// # Errors
    /// When there are no such frames, no such channel, or no room.
    pub fn write_channel<'o>(
        &self,
        index: usize,
        channel: usize,
        frames: Range<usize>,
        output: &'o mut [MaybeUninit<f32>],
    ) -> Result<&'o mut [f32], DecodeError> {
        let room = output.get_mut(..frames.len()).ok_or(DecodeError::Room)?;
        if self.last.is_none_or(|header| channel >= header.num_channels()) {
            return Err(DecodeError::Room);
        }
        Ok(room.write_copy_of_slice(self.kept(index, channel, &frames)?))
    }

    /// Frames of a channel of a packet that is kept. The second channel of one is empty.
    fn kept(&self, index: usize, channel: usize, frames: &Range<usize>) -> Result<&[f32], DecodeError> {
        let num_frames = self.kept_frames(index);
        if frames.end > num_frames || frames.start > frames.end {
            return Err(DecodeError::TooShort { num_frames, wanted: frames.end });
        }
        if self.last.is_none_or(|header| channel >= header.num_channels()) {
            return Ok(&[]);
        }
        let samples = self.channels.get(channel).map(|channel| channel.samples.as_flattened());
        let samples = samples.and_then(|samples| samples.get(index * num_frames..)?.get(frames.clone()));
        samples.ok_or(DecodeError::Room)
    }

    /// Reads everything of a packet but its codes; false if it does not go with those that are already begun.
    fn begin(&mut self, packet: &[u8]) -> Result<bool, DecodeError> {
        if packet.len() > MAX_PACKET {
            return Err(DecodeError::TooLarge { num_bytes: packet.len(), max: MAX_PACKET });
        }
        let header = Header::parse(packet).ok_or(DecodeError::Header)?;
        let (num_granules, num_channels) = (header.num_granules(), header.num_channels());
        let is_first = self.num_kept == 0;
        let continues = self.last.is_some_and(|last| last.is_continued_by(header));
        if !is_first && (!continues || self.jobs.len() + num_granules * num_channels > MAX_JOBS) {
            return Ok(false);
        }
        if !continues {
            self.start(header);
        }
        let main_data = packet.get(header.main_data_start()..).unwrap_or_default();
        let side = SideInfo::parse(header, packet).and_then(|side| {
            let (known, wanted) = (self.reservoir.len(), side.main_data_begin);
            if wanted > known { Err(DecodeError::Reservoir { known, wanted }) } else { Ok(side) }
        });
        if let Ok(side) = &side {
            self.begin_granules(header, side, main_data);
        }
        // One that cannot be decoded but is not the first will be begun again.
        if side.is_ok() || is_first {
            keep(&mut self.reservoir, main_data);
        }
        side.map(|_| true)
    }

    /// Begins a stream of another kind.
    fn start(&mut self, header: Header) {
        if let Some(last) = self.last {
            if (last.version(), last.sample_rate()) != (header.version(), header.sample_rate()) {
                self.reservoir.clear();
            }
            self.channels.iter_mut().for_each(Channel::clear);
        }
        self.last = Some(header);
    }

    /// Reads the scale factors of a packet.
    fn begin_granules(&mut self, header: Header, side: &SideInfo, main_data: &[u8]) {
        let number = self.num_kept;
        let Some(bytes) = self.main_data.get_mut(number) else { return };
        bytes.clear();
        let known = self.reservoir.len() - side.main_data_begin.min(self.reservoir.len());
        bytes.extend_from_slice(self.reservoir.get(known..).unwrap_or_default());
        bytes.extend_from_slice(main_data);
        bytes.extend_from_slice(&[0; NUM_ZEROS]);
        let mut start = 0;
        for granule in side.granules.iter().take(header.num_granules()) {
            let channels = granule.iter().zip(&mut self.channels).enumerate();
            for (channel_number, (info, channel)) in channels.take(header.num_channels()) {
                let layout = Layout::of(header.rate_row(), info.kind());
                let mut bits = BitReader::at_bit(bytes, start);
                let factors = &mut channel.scale_factors;
                factors.read(header, info, channel_number == 1, layout, &mut bits);
                let end = start + info.num_bits;
                self.jobs.push(Job {
                    packet: number,
                    header,
                    info: *info,
                    codes: bits.position()..end,
                    gains: factors.gains(info, layout),
                    positions: factors.positions,
                    num_lines: 0,
                });
                start = end;
            }
        }
    }

    /// Reads the codes of all granules, two channels at a time.
    fn read_lines(&mut self) {
        for (jobs, lines) in self.jobs.chunks_mut(2).zip(self.lines.chunks_mut(2)) {
            let mut codes = jobs.iter().zip(lines).map(|(job, lines)| {
                let bytes = self.main_data.get(job.packet).map(Vec::as_slice).unwrap_or_default();
                Codes::new(bytes, job.codes.clone(), &job.info, lines)
            });
            let Some(mut first) = codes.next() else { continue };
            let mut second = codes.next();
            let num_lines = self.instructions.read(&mut first, second.as_mut());
            jobs.iter_mut().zip(num_lines).for_each(|(job, num_lines)| job.num_lines = num_lines);
        }
    }

    /// Turns the lines of all granules into samples.
    fn restore(&mut self, header: Header) {
        let num_channels = header.num_channels();
        let granules = self.jobs.chunks(num_channels).zip(self.lines.chunks(num_channels));
        let num_slots = self.jobs.len() / num_channels * SUBBAND;
        for (number, (jobs, lines)) in granules.enumerate() {
            restore_stereo(self.instructions, jobs, lines, &mut self.spectra);
            let parts = self.channels.iter_mut().zip(self.spectra.iter_mut());
            let subbands = self.subbands.chunks_mut(num_slots);
            for ((job, (channel, spectrum)), subbands) in jobs.iter().zip(parts).zip(subbands) {
                let slots = subbands.get_mut(number * SUBBAND..).and_then(|slots| slots.first_chunk_mut());
                if let Some(slots) = slots {
                    let (info, rate_row) = (&job.info, header.rate_row());
                    self.instructions.restore(info, rate_row, spectrum, &mut channel.overlap, slots);
                }
            }
        }
        let channels = self.channels.iter_mut().take(num_channels);
        for (channel, subbands) in channels.zip(self.subbands.chunks(num_slots)) {
            self.instructions.synthesize(subbands, &mut channel.slots, &mut channel.samples);
        }
    }
}

/// Puts the lines of a granule in their places, and turns joint stereo into two channels.
fn restore_stereo(instructions: Instructions, jobs: &[Job], lines: &[Lines], spectra: &mut [Spectrum; 2]) {
    let layout = |job: &Job| Layout::of(job.header.rate_row(), job.info.kind());
    let is_joint = |job: &Job| job.header.is_mid_side() || job.header.is_intensity();
    // Joint stereo is of lines in the order of the stream, which is only another one if both blocks are of the same kind.
    let has_long_places = match jobs {
        [first, second] => is_joint(first) && first.info.kind() != second.info.kind(),
        _ => false,
    };
    for ((job, lines), spectrum) in jobs.iter().zip(lines).zip(&mut *spectra) {
        let has_long_places = has_long_places || job.info.kind() == BlockKind::Long;
        instructions.place(lines, job.num_lines, &job.gains, layout(job), has_long_places, spectrum);
    }
    let [first, second] = jobs else { return };
    if !is_joint(first) {
        return;
    }
    if second.header.is_intensity() {
        let places = if has_long_places { Layout::of(0, BlockKind::Long) } else { layout(second) };
        let compress = second.info.scalefac_compress;
        stereo::restore(second.header, layout(second), &places.places, &second.positions, compress, spectra);
    } else {
        instructions.unmix(spectra);
    }
    let num_groups = spectra.iter().map(|spectrum| spectrum.num_groups).max().unwrap_or(0);
    for (spectrum, job) in spectra.iter_mut().zip(jobs) {
        spectrum.num_groups = num_groups;
        if has_long_places && job.info.kind() != BlockKind::Long {
            hybrid::replace(spectrum, &layout(job).places);
        }
    }
}

/// Appends main data to the reservoir, of which the last bytes remain.
fn keep(reservoir: &mut Vec<u8>, main_data: &[u8]) {
    let new = main_data.get(main_data.len().saturating_sub(MAX_RESERVOIR)..).unwrap_or_default();
    let num_old = reservoir.len().min(MAX_RESERVOIR - new.len());
    reservoir.drain(..reservoir.len() - num_old);
    reservoir.extend_from_slice(new);
}
