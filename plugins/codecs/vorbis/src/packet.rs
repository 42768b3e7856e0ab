//! Packets to samples (section 4.3).

#![forbid(unsafe_code)]

use crate::bits::Bits;
use crate::error::DecodeError;
use crate::floor::Shape;
use crate::residue::Vectors;
use crate::setup::{Mapping, Submap, Tables};
use crate::simd::Simd;
use crate::spectrum::{decouple, separate, separate_pair};
use crate::transform::Work;
use crate::window::overlap;

/// Planes are not a power of two apart, so that they do not compete for the same places in caches.
const PLANE_PADDING: usize = 16;

/// What decoding keeps from packet to packet, and memory that it works in.
#[derive(Debug)]
pub(crate) struct State {
    /// Whether the last block was long, unless there is none.
    last: Option<bool>,
    /// The spectra of all channels, `stride` apart.
    spectra: Vec<f32>,
    pub(crate) stride: usize,
    /// What the spectra of the last block and of this one are transformed to, in turns; of each channel, `stride` apart.
    values: [Vec<f32>; 2],
    /// A vector in which channels alternate.
    interleaved: Vec<f32>,
    /// The class of each partition of a residue.
    classes: Vec<u8>,
    channels: Vec<Channel>,
    /// The channels of a submap that have a residue.
    numbers: Vec<usize>,
    work: Work,
}

/// A channel of the packet at hand.
#[derive(Clone, Debug)]
struct Channel {
    shape: Shape,
    has_floor: bool,
    has_residue: bool,
}

/// The values from one plane to the next.
pub(crate) fn plane_stride(tables: &Tables) -> usize {
    (1 << (tables.long_exponent() - 1)) + PLANE_PADDING
}

impl State {
    /// The bytes that [`new`](Self::new) allocates, about.
    pub(crate) fn num_bytes_for(tables: &Tables) -> u64 {
        let num_values = tables.num_channels * plane_stride(tables);
        (num_values * (4 * size_of::<f32>() + 1) + tables.num_channels * (1 << 13)) as u64
    }

    /// # Errors
    /// When there is not enough memory.
    pub(crate) fn new(tables: &Tables) -> Result<Self, DecodeError> {
        let stride = plane_stride(tables);
        let num_values = tables.num_channels * stride;
        let channel = Channel { shape: Shape::new(), has_floor: false, has_residue: false };
        Ok(Self {
            last: None,
            spectra: zeros(num_values)?,
            stride,
            values: [zeros(num_values)?, zeros(num_values)?],
            interleaved: zeros(num_values)?,
            classes: zeros(num_values)?,
            channels: vec![channel; tables.num_channels],
            numbers: Vec::with_capacity(tables.num_channels),
            work: Work::new(stride - PLANE_PADDING),
        })
    }

    pub(crate) fn reset(&mut self) {
        self.last = None;
    }

    /// Decodes a packet and returns its number of frames; writes them to planes `stride` apart, where `places` says.
    ///
    /// # Errors
    /// When it is not an audio packet of the stream.
    #[inline(always)]
    pub(crate) fn decode<S: Simd>(
        &mut self,
        simd: S,
        tables: &Tables,
        packet: &[u8],
        planes: &mut [f32],
        places: &[usize],
    ) -> Result<usize, DecodeError> {
        let mut bits = Bits::new(packet);
        let mode = tables.mode(&mut bits)?;
        if mode.is_long {
            // Which blocks are before and after is known by them, also where one is lost.
            bits.read(2);
        }
        let [short, long] = &tables.transforms;
        let transform = if mode.is_long { long } else { short };
        let missing = DecodeError::Packet("its mapping does not exist");
        let mapping = tables.mappings.get(mode.mapping).ok_or(missing)?;
        let num_lines = transform.num_lines;
        self.read_spectra(&mut bits, tables, mapping, num_lines);

        let last = self.last.replace(mode.is_long);
        let num_frames = last.map_or(0, |is_long| {
            let last = if is_long { long } else { short };
            (last.num_lines + num_lines) / 2
        });
        let smaller = if mode.is_long && last == Some(true) { long } else { short };
        let last_half = last.map_or(0, |is_long| if is_long { long.num_lines } else { short.num_lines } / 2);
        self.values.reverse();
        let [previous, values] = &mut self.values;
        let values = previous.chunks(self.stride).zip(values.chunks_mut(self.stride));
        let of_channels = self.spectra.chunks_mut(self.stride).zip(values);
        for ((number, (spectrum, (previous, values))), place) in of_channels.enumerate().zip(places) {
            let spectrum = spectrum.get_mut(..num_lines).unwrap_or_default();
            let values = values.get_mut(..num_lines).unwrap_or_default();
            let floor = mapping.floors.get(number).and_then(|floor| tables.floors.get(*floor));
            match (floor, self.channels.get(number)) {
                (Some(floor), Some(channel)) if channel.has_floor => {
                    floor.multiply(&channel.shape, mode.is_long, &tables.inverse_decibels, spectrum);
                    transform.transform(simd, spectrum, values, &mut self.work);
                }
                _ => values.fill(0.0),
            }
            if last.is_some() {
                let samples = planes.get_mut(place * self.stride..).unwrap_or_default();
                let samples = samples.get_mut(..num_frames).unwrap_or_default();
                let previous = previous.get(..last_half).unwrap_or_default();
                let current = values.get(num_lines / 2..).unwrap_or_default();
                overlap(simd, previous, current, &smaller.slope, samples);
            }
        }
        Ok(num_frames)
    }

    /// Reads floors and residues, and undoes the coupling (sections 4.3.2 to 4.3.5).
    #[inline(always)]
    fn read_spectra(&mut self, bits: &mut Bits<'_>, tables: &Tables, mapping: &Mapping, num_lines: usize) {
        for (channel, floor) in self.channels.iter_mut().zip(&mapping.floors) {
            // Not in a closure, which would be compiled for other instructions.
            channel.has_floor = match tables.floors.get(*floor) {
                Some(floor) => floor.read(bits, &tables.books, &mut channel.shape),
                None => false,
            };
            channel.has_residue = channel.has_floor;
        }
        for (magnitude, angle) in &mapping.couplings {
            let has_residue =
                |number: usize| self.channels.get(number).is_some_and(|channel| channel.has_residue);
            let either = has_residue(*magnitude) || has_residue(*angle);
            for number in [*magnitude, *angle] {
                if let Some(channel) = self.channels.get_mut(number) {
                    channel.has_residue = either;
                }
            }
        }
        for submap in &mapping.submaps {
            self.read_residue(bits, tables, submap, num_lines, mapping.is_pair);
        }
        if mapping.is_pair {
            return;
        }
        for (magnitude, angle) in mapping.couplings.iter().rev() {
            let start = |number: usize| number * self.stride..number * self.stride + num_lines;
            if let Ok([magnitude, angle]) = self.spectra.get_disjoint_mut([start(*magnitude), start(*angle)])
            {
                decouple(magnitude, angle);
            }
        }
    }

    /// Reads the residues of the channels of a submap. Those that have none stay as they are, which is not used.
    #[inline(always)]
    fn read_residue(
        &mut self,
        bits: &mut Bits<'_>,
        tables: &Tables,
        submap: &Submap,
        num_lines: usize,
        is_pair: bool,
    ) {
        let Some(residue) = tables.residues.get(submap.residue) else { return };
        let has_residue =
            |number: &&usize| self.channels.get(**number).is_some_and(|channel| channel.has_residue);
        self.numbers.clear();
        self.numbers.extend(submap.channels.iter().filter(has_residue));
        if self.numbers.is_empty() {
            return;
        }
        if !residue.is_interleaved() {
            for number in &self.numbers {
                let start = number * self.stride;
                self.spectra.get_mut(start..start + num_lines).unwrap_or_default().fill(0.0);
            }
            let (values, stride, numbers) = (&mut self.spectra, self.stride, &self.numbers);
            let mut vectors = Vectors { values, stride, num_values: num_lines, numbers };
            residue.read(bits, &tables.books, &mut vectors, &mut self.classes);
            return;
        }
        // If one channel is in the stream, all are.
        let num_values = num_lines * submap.channels.len();
        let values = self.interleaved.get_mut(..num_values).unwrap_or_default();
        values.fill(0.0);
        let mut vectors = Vectors { values, stride: num_values, num_values, numbers: &[0] };
        residue.read(bits, &tables.books, &mut vectors, &mut self.classes);
        if is_pair {
            separate_pair(values, &mut self.spectra, self.stride);
        } else {
            separate(values, &submap.channels, &mut self.spectra, self.stride);
        }
    }
}

fn zeros<T: Clone + Default>(num_values: usize) -> Result<Vec<T>, DecodeError> {
    let mut values = Vec::new();
    values.try_reserve_exact(num_values).map_err(|_| DecodeError::Memory)?;
    values.resize(num_values, T::default());
    Ok(values)
}
