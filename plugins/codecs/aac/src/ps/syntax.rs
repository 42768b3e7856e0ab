//! What packets say about parametric stereo (ISO/IEC 14496-3, 8.4.1 and 8.5: ps_data).

#![forbid(unsafe_code)]

use mapwave_codec_base::BitReader;

use super::codebooks as books;
use crate::codes::Codebook;

/// The most envelopes of a packet: four, and one that continues the last to the end.
pub(super) const MAX_ENVELOPES: usize = 5;
/// The most bands of parameters.
pub(super) const MAX_BANDS: usize = 34;
/// The slots of a packet.
pub(super) const NUM_SLOTS: usize = 32;

/// The parameters of an envelope, band by band.
pub(super) type Row = [i32; MAX_BANDS];

/// A kind of parameters: how many bands there are, and what their values are. Values keep those of the packet before, which differences
/// may refer to.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) is_enabled: bool,
    pub(super) num_bands: usize,
    pub(super) rows: [Row; MAX_ENVELOPES],
}

impl Default for Table {
    fn default() -> Self {
        Self { is_enabled: false, num_bands: 0, rows: [[0; MAX_BANDS]; MAX_ENVELOPES] }
    }
}

/// The parameters that hold.
#[derive(Clone, Debug, Default)]
pub(super) struct Parameters {
    /// Whether there was a header, and no error since.
    pub(super) is_on: bool,
    /// Differences of intensity, in steps of one of two scales.
    pub(super) intensity: Table,
    pub(super) has_fine_intensity: bool,
    pub(super) coherence: Table,
    /// Whether mixing is of the second kind (mode B).
    pub(super) mixes_by_rotation: bool,
    /// The phase between the channels, and that of both; either is enabled if both are.
    pub(super) phase: Table,
    pub(super) overall_phase: Table,
    has_extension: bool,
    pub(super) num_envelopes: usize,
    pub(super) num_envelopes_before: usize,
    /// The last slot of the envelope before each, and that of the last.
    pub(super) borders: [i32; MAX_ENVELOPES + 1],
    pub(super) is_34: bool,
    pub(super) was_34: bool,
}

/// The bands of a mode of intensity or coherence (tables 8.24 and 8.27), and those of phases.
const NUM_BANDS: [usize; 3] = [10, 20, 34];
const NUM_PHASE_BANDS: [usize; 3] = [5, 11, 17];
/// The last slot of a packet.
const LAST_SLOT: i32 = 31;

/// What a value may be.
enum Values {
    Between(i32, i32),
    /// Eighths of a turn.
    Phase,
}

impl Table {
    /// Reads the parameters of an envelope; `None` if one is out of range.
    fn read(
        &mut self,
        bits: &mut BitReader<'_>,
        envelope: usize,
        num_before: usize,
        [in_frequency, in_time]: [&Codebook; 2],
        values: &Values,
    ) -> Option<()> {
        let is_in_time = bits.read(1) != 0;
        let from = if envelope > 0 { envelope - 1 } else { num_before.saturating_sub(1) };
        let before = self.rows.get(from).copied()?;
        let row = self.rows.get_mut(envelope)?;
        let mut value = 0;
        for (to, before) in row.iter_mut().zip(before).take(self.num_bands) {
            value = if is_in_time { before + in_time.read(bits) } else { value + in_frequency.read(bits) };
            match values {
                Values::Phase => value &= 7,
                Values::Between(least, most) if !(*least..=*most).contains(&value) => return None,
                Values::Between(..) => {}
            }
            *to = value;
        }
        Some(())
    }

    fn clear(&mut self) {
        self.rows = [[0; MAX_BANDS]; MAX_ENVELOPES];
    }

    fn copy_row(&mut self, from: usize, to: usize) {
        let row = self.rows.get(from).copied().unwrap_or([0; MAX_BANDS]);
        self.rows.get_mut(to).into_iter().for_each(|to| *to = row);
    }
}

impl Parameters {
    /// Reads ps_data, of at most so many bits. What is not valid ends stereo until the next header.
    pub(super) fn read(&mut self, bits: &mut BitReader<'_>, num_bits: usize) {
        let start = bits.position();
        let read = self.read_valid(bits);
        if read.is_none() || bits.position() > start + num_bits {
            self.is_on = false;
            for table in [&mut self.intensity, &mut self.coherence, &mut self.phase, &mut self.overall_phase]
            {
                table.clear();
            }
            *bits = BitReader::at_bit(bits.bytes, start + num_bits);
        }
    }

    fn read_valid(&mut self, bits: &mut BitReader<'_>) -> Option<()> {
        let has_header = bits.read(1) != 0;
        if has_header {
            self.read_header(bits)?;
        }
        self.read_borders(bits);
        let num_before = self.num_envelopes_before;
        if self.intensity.is_enabled {
            let (codes, most) = if self.has_fine_intensity {
                ([&books::F_IID_FINE, &books::T_IID_FINE], 15)
            } else {
                ([&books::F_IID, &books::T_IID], 7)
            };
            for envelope in 0..self.num_envelopes {
                self.intensity.read(bits, envelope, num_before, codes, &Values::Between(-most, most))?;
            }
        } else {
            self.intensity.clear();
        }
        if self.coherence.is_enabled {
            let codes = [&books::F_ICC, &books::T_ICC];
            for envelope in 0..self.num_envelopes {
                self.coherence.read(bits, envelope, num_before, codes, &Values::Between(0, 7))?;
            }
        } else {
            self.coherence.clear();
        }
        if self.has_extension {
            self.read_extension(bits)?;
        }
        self.complete();
        self.was_34 = self.is_34;
        if self.intensity.is_enabled || self.coherence.is_enabled {
            let is_34 = |table: &Table| table.is_enabled && table.num_bands == 34;
            self.is_34 = is_34(&self.intensity) || is_34(&self.coherence);
        }
        if !self.phase.is_enabled {
            self.phase.clear();
            self.overall_phase.clear();
        }
        self.is_on |= has_header;
        Some(())
    }

    fn read_header(&mut self, bits: &mut BitReader<'_>) -> Option<()> {
        self.intensity.is_enabled = bits.read(1) != 0;
        if self.intensity.is_enabled {
            let mode = bits.read(3) as usize;
            self.intensity.num_bands = *NUM_BANDS.get(mode % 3).filter(|_| mode < 6)?;
            self.has_fine_intensity = mode > 2;
            self.phase.num_bands = *NUM_PHASE_BANDS.get(mode % 3)?;
            self.overall_phase.num_bands = self.phase.num_bands;
        }
        self.coherence.is_enabled = bits.read(1) != 0;
        if self.coherence.is_enabled {
            let mode = bits.read(3) as usize;
            self.coherence.num_bands = *NUM_BANDS.get(mode % 3).filter(|_| mode < 6)?;
            self.mixes_by_rotation = mode > 2;
        }
        self.has_extension = bits.read(1) != 0;
        Some(())
    }

    fn read_borders(&mut self, bits: &mut BitReader<'_>) {
        let is_variable = bits.read(1) != 0;
        self.num_envelopes_before = self.num_envelopes;
        let number = bits.read(2) as usize;
        let counts = if is_variable { [1, 2, 3, 4] } else { [0, 1, 2, 4] };
        self.num_envelopes = counts.get(number).copied().unwrap_or(0);
        let count = self.num_envelopes;
        let [first, rest @ ..] = &mut self.borders;
        *first = -1;
        for (envelope, border) in (1..).zip(rest.iter_mut().take(count)) {
            *border = if is_variable {
                bits.read(5).cast_signed()
            } else {
                i32::try_from(envelope * NUM_SLOTS / count).unwrap_or(0) - 1
            };
        }
    }

    fn read_extension(&mut self, bits: &mut BitReader<'_>) -> Option<()> {
        let mut num_bytes = bits.read(4) as usize;
        if num_bytes == 15 {
            num_bytes += bits.read(8) as usize;
        }
        let end = bits.position() + 8 * num_bytes;
        while end.saturating_sub(bits.position()) > 7 {
            if bits.read(2) != 0 {
                continue; // of another kind, whose length nothing says
            }
            let is_enabled = bits.read(1) != 0;
            (self.phase.is_enabled, self.overall_phase.is_enabled) = (is_enabled, is_enabled);
            let num_before = self.num_envelopes_before;
            for envelope in (0..self.num_envelopes).filter(|_| is_enabled) {
                let codes = [&books::F_IPD, &books::T_IPD];
                self.phase.read(bits, envelope, num_before, codes, &Values::Phase)?;
                let codes = [&books::F_OPD, &books::T_OPD];
                self.overall_phase.read(bits, envelope, num_before, codes, &Values::Phase)?;
            }
            bits.read(1);
        }
        (bits.position() <= end).then(|| *bits = BitReader::at_bit(bits.bytes, end))
    }

    /// Continues the last envelope to the end of the packet.
    fn complete(&mut self) {
        let count = self.num_envelopes;
        let end = self.borders.get(count).copied().unwrap_or(LAST_SLOT);
        if count > 0 && end >= LAST_SLOT {
            return;
        }
        let source = if count > 0 { Some(count - 1) } else { self.num_envelopes_before.checked_sub(1) };
        if let Some(source) = source.filter(|source| *source != count) {
            for table in [&mut self.intensity, &mut self.coherence, &mut self.phase, &mut self.overall_phase]
            {
                if table.is_enabled {
                    table.copy_row(source, count);
                }
            }
        }
        self.num_envelopes = count + 1;
        self.borders.get_mut(count + 1).into_iter().for_each(|border| *border = LAST_SLOT);
    }
}
