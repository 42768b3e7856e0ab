//! Turns the samples of a file into the requested frames: conversion, channel selection, mixing and layout.

use std::mem::MaybeUninit;

use bytemuck::{AnyBitPattern, NoUninit};

use crate::matrix::ChannelMatrix;
use crate::pcm::{ByteOrder, Kernel, OutputFormat, SampleFormat, Stage};
use crate::spec::{ChannelSelection, FrameSpec, Layout};

/// The number of samples processed per stage: 32 KiB of doubles.
const STAGE_SAMPLES: usize = 4096;

/// The decisions that are made once for a whole read.
#[derive(Debug)]
pub(crate) struct Mixer {
    from: SampleFormat,
    num_channels: usize,
    path: Path,
    /// The number of slices of the output, and the size of a frame in each.
    num_planes: usize,
    plane_frame_bytes: usize,
}

/// How samples are processed; the first variant that applies is the fastest.
#[derive(Debug)]
enum Path {
    /// All samples in order: a single kernel from file to array.
    Direct(Kernel),
    /// Selected channels, or planar output.
    Gather { kernel: Kernel, channels: Vec<usize>, format: OutputFormat, planar: bool },
    /// The mean of two channels in single precision, if a single rounding is its only error.
    StereoMean(Kernel),
    /// Channels summed and scaled in double precision, then rounded to the output.
    Mono { to_f64: Kernel, gain: f64, from_f64: Kernel, format: OutputFormat },
    /// Channels mixed by a matrix in double precision, then rounded to the output.
    Matrix { to_f64: Kernel, matrix: ChannelMatrix, from_f64: Kernel, format: OutputFormat, planar: bool },
}

impl Mixer {
    /// The conversion from a file's samples to `spec`, which must match the file's channels.
    pub(crate) fn new(from: SampleFormat, num_channels: u16, spec: &FrameSpec) -> Self {
        let kernel = || Kernel::new(from, spec.format);
        let gather = |channels: Vec<usize>| Path::Gather {
            kernel: kernel(),
            channels,
            format: spec.format,
            planar: spec.layout == Layout::ChannelsFirst,
        };
        let all = || (0..usize::from(num_channels)).collect();
        let path = match &spec.channels {
            ChannelSelection::All | ChannelSelection::Mono(_) | ChannelSelection::Count(_)
                if num_channels == 1 =>
            {
                Path::Direct(kernel())
            }
            ChannelSelection::All | ChannelSelection::Count(_) if spec.layout == Layout::ChannelsLast => {
                Path::Direct(kernel())
            }
            ChannelSelection::All | ChannelSelection::Count(_) => gather(all()),
            ChannelSelection::Only(channels) => {
                gather(channels.iter().map(|&channel| channel.into()).collect())
            }
            ChannelSelection::Matrix(matrix) => Path::Matrix {
                to_f64: Kernel::new(from, OutputFormat::F64),
                matrix: matrix.clone(),
                from_f64: Kernel::new(SampleFormat::F64(ByteOrder::NATIVE), spec.format),
                format: spec.format,
                planar: spec.layout == Layout::ChannelsFirst && matrix.num_outputs() > 1,
            },
            ChannelSelection::Mono(mode) => {
                let gain = mode.gain(num_channels);
                let single = spec.format == OutputFormat::F32 && from.fits_f32();
                if single && num_channels == 2 && gain == 0.5 {
                    Path::StereoMean(Kernel::new(from, OutputFormat::F32))
                } else {
                    let from_f64 = Kernel::new(SampleFormat::F64(ByteOrder::NATIVE), spec.format);
                    Path::Mono {
                        to_f64: Kernel::new(from, OutputFormat::F64),
                        gain,
                        from_f64,
                        format: spec.format,
                    }
                }
            }
        };
        let num_output_channels = match &spec.channels {
            // A number is that of the file by now: the reader has put a matrix in the place of others.
            ChannelSelection::All | ChannelSelection::Count(_) => num_channels.into(),
            ChannelSelection::Only(channels) => channels.len(),
            ChannelSelection::Mono(_) => 1,
            ChannelSelection::Matrix(matrix) => matrix.num_outputs(),
        };
        let is_planar = matches!(path, Path::Gather { planar: true, .. } | Path::Matrix { planar: true, .. });
        let num_planes = if is_planar { num_output_channels } else { 1 };
        let plane_frame_bytes = num_output_channels / num_planes.max(1) * spec.format.num_bytes();
        Self { from, num_channels: num_channels.into(), path, num_planes, plane_frame_bytes }
    }

    /// The number of slices of the output: one per channel if it is planar.
    pub(crate) fn num_planes(&self) -> usize {
        self.num_planes
    }

    /// The size of a frame in a slice of the output.
    pub(crate) fn plane_frame_bytes(&self) -> usize {
        self.plane_frame_bytes
    }

    /// Whether the samples of all channels are copied unchanged to a slice per channel.
    pub(crate) fn is_planar_copy(&self, format: OutputFormat) -> bool {
        match &self.path {
            Path::Gather { channels, planar: true, .. } => {
                self.from.native() == Some(format) && channels.iter().copied().eq(0..self.num_channels)
            }
            _ => false,
        }
    }

    /// Whether the output is an unchanged copy of the file's bytes.
    pub(crate) fn is_copy(&self, format: OutputFormat) -> bool {
        matches!(self.path, Path::Direct(_)) && self.from.native() == Some(format)
    }

    /// Whether the output has a slice per channel.
    pub(crate) fn is_planar(&self) -> bool {
        matches!(self.path, Path::Gather { planar: true, .. } | Path::Matrix { planar: true, .. })
    }

    /// Converts whole frames of the file into the planes and initialises all of them.
    pub(crate) fn convert(&self, input: &[u8], planes: &mut [&mut [MaybeUninit<u8>]]) {
        match &self.path {
            Path::Direct(kernel) => {
                if let [plane] = planes {
                    kernel.convert(input, plane);
                }
            }
            Path::Gather { kernel, channels, format, planar } => {
                let gather = Gather { mixer: self, kernel: *kernel, channels, planar: *planar };
                match format.num_bytes() {
                    2 => gather.run::<u16>(input, planes),
                    4 => gather.run::<u32>(input, planes),
                    _ => gather.run::<u64>(input, planes),
                }
            }
            Path::StereoMean(kernel) => self.in_stages(*kernel, input, |first, samples: &[f32]| {
                let means = samples.as_chunks::<2>().0.iter().map(|[left, right]| (left + right) * 0.5);
                store(planes, first, means);
            }),
            Path::Matrix { to_f64, matrix, from_f64, format, planar } => {
                let size = format.num_bytes();
                let mut mixed: Vec<f64> = Vec::with_capacity(STAGE_SAMPLES);
                let put = |plane: &mut [MaybeUninit<u8>], first: usize, mixed: &[f64]| {
                    let plane = plane.get_mut(first * size..(first + mixed.len()) * size);
                    from_f64.convert(bytemuck::cast_slice(mixed), plane.unwrap_or_default());
                };
                self.in_stages(*to_f64, input, |first, samples: &[f64]| {
                    let frames = || samples.chunks_exact(self.num_channels);
                    if *planar {
                        for (plane, row) in planes.iter_mut().zip(matrix.rows()) {
                            mixed.clear();
                            mixed.extend(frames().map(|frame| dot(frame, row)));
                            put(plane, first, &mixed);
                        }
                    } else if let Some(plane) = planes.first_mut() {
                        mixed.clear();
                        mixed.extend(frames().flat_map(|frame| matrix.rows().map(|row| dot(frame, row))));
                        put(plane, first * matrix.num_outputs(), &mixed);
                    }
                });
            }
            Path::Mono { to_f64, gain, from_f64, format } => {
                let mut mono = Vec::with_capacity(STAGE_SAMPLES);
                let size = format.num_bytes();
                self.in_stages(*to_f64, input, |first, samples: &[f64]| {
                    mono.clear();
                    match self.num_channels {
                        2 => mono.extend(
                            samples.as_chunks::<2>().0.iter().map(|[left, right]| (left + right) * gain),
                        ),
                        n => {
                            mono.extend(samples.chunks_exact(n).map(|frame| frame.iter().sum::<f64>() * gain))
                        }
                    }
                    let end = first + mono.len();
                    let plane = planes.first_mut().and_then(|plane| plane.get_mut(first * size..end * size));
                    from_f64.convert(bytemuck::cast_slice(&mono), plane.unwrap_or_default());
                });
            }
        }
    }

    /// Converts `input` stage by stage and passes on each stage with the number of its first frame.
    fn in_stages<T: AnyBitPattern>(&self, kernel: Kernel, input: &[u8], mut pass: impl FnMut(usize, &[T])) {
        let frames_per_stage = (STAGE_SAMPLES / self.num_channels).max(1);
        let bytes_per_stage = frames_per_stage * self.num_channels * self.from.num_bytes();
        let mut stage = Stage::new(frames_per_stage * self.num_channels);
        for (index, input) in input.chunks(bytes_per_stage).enumerate() {
            let samples = stage.convert(kernel, input, input.len() / self.from.num_bytes());
            pass(index * frames_per_stage, samples);
        }
    }
}

/// The sum of a frame's samples, each by its gain.
fn dot(frame: &[f64], gains: &[f64]) -> f64 {
    frame.iter().zip(gains).map(|(sample, gain)| sample * gain).sum()
}

struct Gather<'a> {
    mixer: &'a Mixer,
    kernel: Kernel,
    channels: &'a [usize],
    planar: bool,
}

impl Gather<'_> {
    /// Moves the selected samples, as the bit patterns `T`, to their places.
    fn run<T: AnyBitPattern + NoUninit>(&self, input: &[u8], planes: &mut [&mut [MaybeUninit<u8>]]) {
        let num_channels = self.mixer.num_channels;
        self.mixer.in_stages(self.kernel, input, |first, samples: &[T]| {
            if self.planar {
                for (plane, &channel) in planes.iter_mut().zip(self.channels) {
                    let one = samples.iter().skip(channel).step_by(num_channels).copied();
                    store(std::slice::from_mut(plane), first, one);
                }
            } else {
                let chosen = samples.chunks_exact(num_channels).flat_map(|frame| {
                    self.channels.iter().filter_map(|&channel| frame.get(channel).copied())
                });
                store(planes, first * self.channels.len(), chosen);
            }
        });
    }
}

/// Writes consecutive samples into the first plane, starting at sample number `first`.
fn store<T: NoUninit>(planes: &mut [&mut [MaybeUninit<u8>]], first: usize, samples: impl Iterator<Item = T>) {
    let plane =
        planes.first_mut().and_then(|plane| plane.get_mut(first * size_of::<T>()..)).unwrap_or_default();
    for (place, sample) in plane.chunks_exact_mut(size_of::<T>()).zip(samples) {
        place.write_copy_of_slice(bytemuck::bytes_of(&sample));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]
mod tests {
    use super::*;
    use crate::spec::MonoMode;

    const S16: SampleFormat = SampleFormat::S16(ByteOrder::Little);

    /// Runs a mixer over `samples` and returns its planes as samples of `T`.
    fn mix<T: bytemuck::Pod>(samples: &[i16], num_channels: u16, spec: &FrameSpec) -> Vec<Vec<T>> {
        let input: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let mixer = Mixer::new(S16, num_channels, spec);
        let num_frames = samples.len() / usize::from(num_channels);
        let num_out = spec.num_channels(num_channels).unwrap();
        let (num_planes, plane_samples) =
            if mixer.is_planar() { (num_out, num_frames) } else { (1, num_out * num_frames) };
        let mut buffers = vec![vec![MaybeUninit::<u64>::uninit(); plane_samples]; num_planes];
        let mut planes: Vec<&mut [MaybeUninit<u8>]> = buffers
            .iter_mut()
            .map(|buffer| {
                #[allow(unsafe_code)]
                // SAFETY: a prefix of the buffer's bytes; any byte is a valid MaybeUninit.
                unsafe {
                    std::slice::from_raw_parts_mut(buffer.as_mut_ptr().cast(), plane_samples * size_of::<T>())
                }
            })
            .collect();
        mixer.convert(&input, &mut planes);
        let read = |plane: &&mut [MaybeUninit<u8>]| {
            #[allow(unsafe_code)]
            // SAFETY: `convert` initialises its planes.
            let bytes = unsafe { plane.assume_init_ref() };
            bytemuck::pod_collect_to_vec::<u8, T>(bytes)
        };
        planes.iter().map(read).collect()
    }

    fn spec(channels: ChannelSelection, layout: Layout, format: OutputFormat) -> FrameSpec {
        FrameSpec { channels, layout, format, squeeze_mono: false }
    }

    fn ramp(num_frames: usize, num_channels: usize) -> Vec<i16> {
        (0..num_frames * num_channels).map(|i| (i * 7919 % 65536) as u16 as i16).collect()
    }

    #[test]
    fn planes_are_the_columns_of_the_frames() {
        let samples = ramp(5000, 3);
        let planes =
            mix::<i16>(&samples, 3, &spec(ChannelSelection::All, Layout::ChannelsFirst, OutputFormat::I16));
        for (channel, plane) in planes.iter().enumerate() {
            let expected: Vec<i16> = samples.iter().skip(channel).step_by(3).copied().collect();
            assert_eq!(plane, &expected);
        }
    }

    #[test]
    fn chosen_channels_come_in_the_order_asked_for() {
        let samples = ramp(3000, 4);
        let only = || ChannelSelection::Only(vec![3, 0, 3]);
        let expected: Vec<i32> = samples
            .chunks(4)
            .flat_map(|f| [f[3], f[0], f[3]])
            .map(|sample| i32::from(sample) << 16)
            .collect();
        let last = mix::<i32>(&samples, 4, &spec(only(), Layout::ChannelsLast, OutputFormat::I32));
        assert_eq!(last, [expected]);
        let first = mix::<f64>(&samples, 4, &spec(only(), Layout::ChannelsFirst, OutputFormat::F64));
        assert_eq!(first[1], samples.chunks(4).map(|f| f64::from(f[0]) / 32768.0).collect::<Vec<_>>());
        assert_eq!(first[0], first[2]);
    }

    #[test]
    fn mixing_rounds_once() {
        for num_channels in [2u16, 3, 6] {
            let samples = ramp(4100, num_channels.into());
            for mode in [MonoMode::Mean, MonoMode::EqualPower] {
                let exact = samples.chunks(num_channels.into()).map(|frame| {
                    let sum: f64 = frame.iter().map(|&sample| f64::from(sample) / 32768.0).sum();
                    match mode {
                        MonoMode::Mean => sum * (1.0 / f64::from(num_channels)),
                        MonoMode::EqualPower => sum * (1.0 / f64::from(num_channels).sqrt()),
                    }
                });
                let exact: Vec<f64> = exact.collect();
                let mono = |format| spec(ChannelSelection::Mono(mode), Layout::ChannelsLast, format);
                let single: Vec<f32> = exact.iter().map(|&value| value as f32).collect();
                assert_eq!(mix::<f32>(&samples, num_channels, &mono(OutputFormat::F32)), [single]);
                let integer: Vec<i16> =
                    exact.iter().map(|value| (value * 32768.0).round_ties_even() as i16).collect();
                assert_eq!(mix::<i16>(&samples, num_channels, &mono(OutputFormat::I16)), [integer]);
                assert_eq!(mix::<f64>(&samples, num_channels, &mono(OutputFormat::F64)), [exact]);
            }
        }
    }

    #[test]
    fn a_matrix_is_a_sum_of_products_rounded_once() {
        let samples = ramp(3001, 6);
        let matrix = ChannelMatrix::between(6, 0, 2).unwrap();
        let mixed: Vec<Vec<f64>> = (0..2)
            .map(|output| {
                let row = matrix.row(output);
                let sample = |frame: &[i16]| (0..6).map(|i| f64::from(frame[i]) / 32768.0 * row[i]).sum();
                samples.chunks(6).map(sample).collect()
            })
            .collect();
        let spec = |layout, format| spec(ChannelSelection::Matrix(matrix.clone()), layout, format);
        assert_eq!(mix::<f64>(&samples, 6, &spec(Layout::ChannelsFirst, OutputFormat::F64)), mixed);
        let integer = |value: &f64| (value * 32768.0).round_ties_even() as i16;
        let expected: Vec<i16> =
            (0..3001).flat_map(|frame| [integer(&mixed[0][frame]), integer(&mixed[1][frame])]).collect();
        assert_eq!(mix::<i16>(&samples, 6, &spec(Layout::ChannelsLast, OutputFormat::I16)), [expected]);
    }

    #[test]
    fn mono_of_one_channel_and_identity_are_direct() {
        let mono =
            spec(ChannelSelection::Mono(MonoMode::EqualPower), Layout::ChannelsFirst, OutputFormat::I16);
        assert!(Mixer::new(S16, 1, &mono).is_copy(OutputFormat::I16));
        assert_eq!(mix::<i16>(&[1, -2, 3], 1, &mono), [[1, -2, 3]]);
        let all = spec(ChannelSelection::All, Layout::ChannelsLast, OutputFormat::F32);
        assert!(!Mixer::new(S16, 2, &all).is_copy(OutputFormat::F32));
    }
}
