//! What stands before the lines of a channel (ISO/IEC 14496-3, 4.4.2.7: individual_channel_stream).

#![forbid(unsafe_code)]

use mapwave_codec_base::BitReader;

use crate::bands::Bands;
use crate::error::DecodeError;
use crate::grouping::{Sequence, Windows};
use crate::huffman::read_difference;
use crate::math;
use crate::spectrum::Run;
use crate::tns::Tns;

/// The most bands of all windows: 15 of 8 short windows. A long window has at most 51.
pub(crate) const MAX_BANDS: usize = 120;

/// Codebooks that stand for something else (table 4.151).
pub(crate) const ZERO: u8 = 0;
const LAST_SPECTRAL: u8 = 11;
pub(crate) const NOISE: u8 = 13;
pub(crate) const OPPOSITE_INTENSITY: u8 = 14;
pub(crate) const INTENSITY: u8 = 15;

/// A scale factor that multiplies by 1 (4.6.2.3.3).
const SCALE_OFFSET: i32 = 100;
/// Noise energies begin so far below the global gain (4.6.13.3).
const NOISE_OFFSET: i32 = 90;
/// Positions of intensity stereo and energies of noise are held within what changes anything, as FFmpeg does.
const INTENSITY_RANGE: (i32, i32) = (-155, 100);
const NOISE_RANGE: (i32, i32) = (-100, 155);

/// 2 to the power of a quarter of the scale factor, by scale factors from -100 to 155.
#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "the compiler computes it, and checks"
)]
static SCALES: [f32; 256] = {
    let mut scales = [0.0; 256];
    let mut place = 0;
    while place < 256 {
        scales[place] = math::exp2_quarters(place as i32 - SCALE_OFFSET) as f32;
        place += 1;
    }
    scales
};

/// Lines that are changed after they are read (4.6.3.3, pulse_data).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pulses {
    pub(crate) count: usize,
    /// The line and the amplitude of each.
    pub(crate) each: [(u16, u8); 4],
}

/// What stands before the lines of a channel.
#[derive(Clone, Debug)]
pub(crate) struct Channel {
    pub(crate) windows: Windows,
    /// The codebook of each band, group after group.
    pub(crate) books: [u8; MAX_BANDS],
    /// What the lines of each band are multiplied by; of noise, the square root of its energy.
    pub(crate) scales: [f32; MAX_BANDS],
    /// The runs of lines of one codebook.
    runs: [Run; MAX_BANDS],
    num_runs: usize,
    pub(crate) has_noise: bool,
    pub(crate) pulses: Pulses,
    pub(crate) tns: Tns,
}

impl Default for Channel {
    fn default() -> Self {
        Self {
            windows: Windows::default(),
            books: [ZERO; MAX_BANDS],
            scales: [0.0; MAX_BANDS],
            runs: [Run::default(); MAX_BANDS],
            num_runs: 0,
            has_noise: false,
            pulses: Pulses::default(),
            tns: Tns::default(),
        }
    }
}

impl Channel {
    /// The runs of lines of one codebook.
    pub(crate) fn runs(&self) -> &[Run] {
        self.runs.get(..self.num_runs).unwrap_or_default()
    }

    /// The lines of noise, of all windows.
    pub(crate) fn num_noise_lines(&self, bands: &[Bands; 2]) -> usize {
        if !self.has_noise {
            return 0;
        }
        let bands = self.windows.bands(bands);
        let groups = self.windows.groups().zip(self.books.chunks(self.windows.num_bands.max(1)));
        let lines = groups.flat_map(|((_, length), books)| {
            let noise = books.iter().enumerate().filter(|(_, book)| **book == NOISE);
            noise.map(move |(band, _)| (bands.start(band + 1) - bands.start(band)) * length)
        });
        lines.sum()
    }

    /// A channel that is not in the packet: silence.
    pub(crate) fn clear(&mut self) {
        self.windows =
            Windows { num_groups: 1, group_lengths: [1, 0, 0, 0, 0, 0, 0, 0], ..Windows::default() };
        (self.num_runs, self.has_noise, self.pulses.count) = (0, false, 0);
        self.tns.clear();
    }

    /// Reads all that stands before the lines. `common` are the windows that two channels have in common.
    pub(crate) fn read(
        &mut self,
        bits: &mut BitReader<'_>,
        common: Option<Windows>,
        bands: &[Bands; 2],
    ) -> Result<(), DecodeError> {
        let gain = bits.read(8).cast_signed();
        self.windows = match common {
            Some(windows) => windows,
            None => Windows::read(bits, bands)?,
        };
        self.read_books(bits, bands)?;
        self.read_scales(bits, gain)?;
        self.pulses.count = 0;
        if bits.read(1) != 0 {
            self.read_pulses(bits, bands)?;
        }
        self.tns.clear();
        if bits.read(1) != 0 {
            self.tns.read(bits, self.windows.sequence == Sequence::Short)?;
        }
        if bits.read(1) != 0 {
            return Err(DecodeError::Unsupported("gain control"));
        }
        if bits.is_past_end() { Err(DecodeError::Truncated) } else { Ok(()) }
    }

    /// The codebooks (section_data).
    fn read_books(&mut self, bits: &mut BitReader<'_>, bands: &[Bands; 2]) -> Result<(), DecodeError> {
        let windows = self.windows;
        let bands = windows.bands(bands);
        let length_bits = if windows.sequence == Sequence::Short { 3 } else { 5 };
        let escape = (1 << length_bits) - 1;
        (self.num_runs, self.has_noise) = (0, false);
        let num_lines = bands.start(usize::MAX);
        for (group, (first_window, num_windows)) in windows.groups().enumerate() {
            let mut band = 0;
            while band < windows.num_bands {
                #[expect(clippy::cast_possible_truncation, reason = "four bits")]
                let book = bits.read(4) as u8;
                let mut end = band;
                loop {
                    let more = bits.read(length_bits) as usize;
                    end += more;
                    if more != escape || end > windows.num_bands {
                        break;
                    }
                }
                if end > windows.num_bands {
                    return Err(DecodeError::Packet("a section has more bands than there are"));
                }
                if book == LAST_SPECTRAL + 1 {
                    return Err(DecodeError::Packet("a section has the codebook 12, which is reserved"));
                }
                if bits.is_past_end() {
                    return Err(DecodeError::Truncated); // sections may be empty
                }
                let base = group * windows.num_bands;
                self.books.get_mut(base + band..base + end).unwrap_or_default().fill(book);
                self.has_noise |= book == NOISE;
                if (1..=LAST_SPECTRAL).contains(&book) && end > band {
                    let line = |band| first_window * num_lines + bands.start(band) * num_windows;
                    self.push_run(book, line(band), line(end));
                }
                band = end;
            }
        }
        Ok(())
    }

    #[expect(clippy::cast_possible_truncation, reason = "at most 1024 lines")]
    fn push_run(&mut self, book: u8, start: usize, end: usize) {
        if let Some(run) = self.runs.get_mut(self.num_runs) {
            *run = Run { book, start: start as u16, end: end as u16 };
            self.num_runs += 1;
        }
    }

    /// The scale factors (scale_factor_data).
    fn read_scales(&mut self, bits: &mut BitReader<'_>, gain: i32) -> Result<(), DecodeError> {
        let (mut scale, mut position, mut noise) = (gain, 0, None);
        let num_bands = self.windows.num_bands * self.windows.num_groups;
        for (book, to) in self.books.iter().zip(&mut self.scales).take(num_bands) {
            *to = match *book {
                ZERO => 0.0,
                INTENSITY | OPPOSITE_INTENSITY => {
                    position += read_difference(bits);
                    scale_of(-position.clamp(INTENSITY_RANGE.0, INTENSITY_RANGE.1))
                }
                NOISE => {
                    let energy = match noise {
                        // The first one is a number of nine bits (4.6.13.3).
                        None => gain - NOISE_OFFSET + bits.read(9).cast_signed() - 256,
                        Some(energy) => energy + read_difference(bits),
                    };
                    noise = Some(energy);
                    scale_of(energy.clamp(NOISE_RANGE.0, NOISE_RANGE.1))
                }
                _ => {
                    scale += read_difference(bits);
                    if !(0..=255).contains(&scale) {
                        return Err(DecodeError::Packet("a scale factor is not from 0 to 255"));
                    }
                    scale_of(scale - SCALE_OFFSET)
                }
            };
        }
        Ok(())
    }

    fn read_pulses(&mut self, bits: &mut BitReader<'_>, bands: &[Bands; 2]) -> Result<(), DecodeError> {
        if self.windows.sequence == Sequence::Short {
            return Err(DecodeError::Packet("short windows have pulses"));
        }
        let bands = self.windows.bands(bands);
        let count = bits.read(2) as usize + 1;
        let first_band = bits.read(6) as usize;
        if first_band >= bands.count {
            return Err(DecodeError::Packet("its pulses begin behind the last band"));
        }
        let mut line = bands.start(first_band);
        for pulse in self.pulses.each.iter_mut().take(count) {
            line += bits.read(5) as usize;
            #[expect(clippy::cast_possible_truncation, reason = "four bits, and a line")]
            let (at, amplitude) = (line as u16, bits.read(4) as u8);
            *pulse = (at, amplitude);
        }
        if line >= bands.start(usize::MAX) {
            return Err(DecodeError::Packet("a pulse lies behind the last line"));
        }
        self.pulses.count = count;
        Ok(())
    }
}

/// 2 to the power of quarters from -100 to 155.
fn scale_of(quarters: i32) -> f32 {
    let place = usize::try_from(quarters + SCALE_OFFSET).unwrap_or(0);
    SCALES.get(place).copied().unwrap_or_default()
}
