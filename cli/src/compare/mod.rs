//! `mapwave compare`: whether two files hold the same sound, and how far apart they are.

#![forbid(unsafe_code)]

mod correlation;

use std::ops::Range;

use clap::Args;
use mapwave::{
    Access, ChannelSelection, FrameSpec, MonoMode, OutputFormat, ReadControl, Reader, ResampleQuality, Result,
};
use mapwave_core::{Buffer, num_processors};
use serde::Serialize;

use crate::convert::guarded;
use crate::format::{Format, OutputArguments};
use crate::interrupt::is_interruption;
use crate::output::{FAILURE, SUCCESS, TROUBLE, fail_with, print};
use crate::place::Place;
use crate::reading::SourceArguments;

/// The frames of a block.
const BLOCK_FRAMES: u64 = 1 << 17;

/// The arguments of the command.
#[derive(Clone, Debug, Args)]
pub(crate) struct CompareArguments {
    /// The file to compare with.
    first: Place,
    /// The file to compare.
    second: Place,
    #[command(flatten)]
    source: SourceArguments,
    #[command(flatten)]
    output: OutputArguments,
}

/// The facts of one of the files.
#[derive(Debug, Serialize)]
struct Side {
    path: String,
    sample_rate: u32,
    channels: u16,
    frames: u64,
}

/// What is reported.
#[derive(Debug, Serialize)]
struct Comparison {
    files: [Side; 2],
    /// Whether rate, channels, frames and every sample are the same.
    is_bit_exact: bool,
    /// The first frame that differs, if the files can be compared frame by frame and differ.
    first_difference: Option<u64>,
    /// The frames by which the second file is late, found by correlation; negative if it is early. `None` if none fits.
    offset: Option<i64>,
    /// The power of the first file over that of the difference in decibels, without the offset. `None` without a difference.
    snr_db: Option<f64>,
    /// The largest difference of two samples in decibels of full scale. `None` without one.
    peak_difference_db: Option<f64>,
    /// How many frames were compared for these two.
    compared_frames: u64,
}

/// Runs the command and returns the exit code: 0 for the same samples, 1 for others, 2 if they cannot be compared.
pub(crate) fn run(arguments: &CompareArguments) -> i32 {
    guarded(|interrupt| {
        let compared = interrupt.during(num_processors(), |control| {
            let open = |place| arguments.source.open(place, Access::Kept, interrupt);
            let first = open(&arguments.first)?;
            let mut second = open(&arguments.second)?;
            let files = [side(&arguments.first, &first), side(&arguments.second, &second)];
            if first.sample_rate() != second.sample_rate() {
                second = second.resampled(first.sample_rate(), ResampleQuality::Default)?;
            }
            compare(files, &first, &second, control)
        });
        Ok(match compared {
            Ok(comparison) => {
                let printed = print(&match arguments.output.format() {
                    Format::Text => comparison.to_text(),
                    Format::Json => serde_json::to_string_pretty(&comparison).unwrap_or_default() + "\n",
                });
                match printed {
                    SUCCESS if comparison.is_bit_exact => SUCCESS,
                    SUCCESS => FAILURE,
                    _ => TROUBLE,
                }
            }
            Err(error) if is_interruption(&error) => TROUBLE,
            Err(error) => {
                fail_with(&error);
                TROUBLE
            }
        })
    })
}

fn side(place: &Place, reader: &Reader) -> Side {
    Side {
        path: place.to_string(),
        sample_rate: reader.track().sample_rate,
        channels: reader.track().num_channels,
        frames: reader.num_file_frames(),
    }
}

/// Compares readers of one rate.
fn compare(
    files: [Side; 2],
    first: &Reader,
    second: &Reader,
    control: &ReadControl<'_>,
) -> Result<Comparison> {
    let [one, two] = &files;
    let has_same_form = (one.sample_rate, one.channels) == (two.sample_rate, two.channels);
    let channels = match one.channels == two.channels {
        true => ChannelSelection::All,
        // What has other channels is compared as one.
        false => ChannelSelection::Mono(MonoMode::Mean),
    };
    let spec = FrameSpec { format: OutputFormat::F64, channels, ..FrameSpec::default() };
    let common = first.num_frames().min(second.num_frames());
    let direct = difference(first, 0..common, second, 0, &spec, control)?;
    let is_bit_exact = has_same_form && one.frames == two.frames && direct.first.is_none();
    let offset = match direct.first {
        None => Some(0),
        Some(_) => correlation::offset(first, second, control)?,
    };
    let aligned = match offset {
        None | Some(0) => direct,
        Some(offset) => {
            let late = offset.unsigned_abs();
            let (from_first, from_second) = if offset > 0 { (0, late) } else { (late, 0) };
            let left = first.num_frames().saturating_sub(from_first);
            let length = left.min(second.num_frames().saturating_sub(from_second));
            let found =
                difference(first, from_first..from_first + length, second, from_second, &spec, control)?;
            Difference { first: direct.first, ..found }
        }
    };
    Ok(Comparison {
        is_bit_exact,
        first_difference: if has_same_form { aligned.first } else { None },
        offset,
        snr_db: aligned.snr_db(),
        peak_difference_db: (aligned.peak > 0.0).then(|| 20.0 * aligned.peak.log10()),
        compared_frames: aligned.num_frames,
        files,
    })
}

/// How far two signals are apart.
#[derive(Clone, Copy, Debug, Default)]
struct Difference {
    num_frames: u64,
    /// The first frame that differs.
    first: Option<u64>,
    /// The sums of the squares of the first signal and of the difference.
    signal: f64,
    noise: f64,
    /// The largest difference.
    peak: f64,
}

impl Difference {
    fn snr_db(&self) -> Option<f64> {
        (self.noise > 0.0 && self.signal > 0.0).then(|| 10.0 * (self.signal / self.noise).log10())
    }
}

/// Compares frames of one file with as many of the other from `start` on.
fn difference(
    first: &Reader,
    frames: Range<u64>,
    second: &Reader,
    start: u64,
    spec: &FrameSpec,
    control: &ReadControl<'_>,
) -> Result<Difference> {
    let mut total = Difference { num_frames: frames.end - frames.start, ..Difference::default() };
    let mut at = frames.start;
    while at < frames.end {
        let end = frames.end.min(at + BLOCK_FRAMES);
        let other = at - frames.start + start;
        let one = first.read_with(at..end, spec, Buffer::recycled, control)?;
        let two = second.read_with(other..other + (end - at), spec, Buffer::recycled, control)?;
        let num_channels = one.shape().num_samples() / one.shape().num_frames().max(1);
        let samples =
            one.samples::<f64>().unwrap_or_default().iter().zip(two.samples::<f64>().unwrap_or_default());
        for (index, (&a, &b)) in samples.enumerate() {
            let apart = b - a;
            total.signal += a * a;
            // A NaN is the same as another NaN.
            if a != b && !(a.is_nan() && b.is_nan()) {
                total.noise += apart * apart;
                total.peak = total.peak.max(apart.abs());
                total.first.get_or_insert(at + (index / num_channels.max(1)) as u64);
            }
        }
        at = end;
    }
    Ok(total)
}

impl Comparison {
    fn to_text(&self) -> String {
        let mut text = String::new();
        for side in &self.files {
            let Side { path, sample_rate, channels, frames } = side;
            let plural = if *channels == 1 { "" } else { "s" };
            text += &format!("{path}: {frames} frames, {sample_rate} Hz, {channels} channel{plural}\n");
        }
        let mut line = |label: &str, value: String| text += &format!("{label:12}{value}\n");
        line("bit-exact", if self.is_bit_exact { "yes" } else { "no" }.to_owned());
        if self.is_bit_exact {
            return text;
        }
        if let Some(frame) = self.first_difference {
            line("differs", format!("from frame {frame} on"));
        }
        line(
            "offset",
            match self.offset {
                None => "unknown: no part of the second file fits the first".to_owned(),
                Some(0) => "0 frames".to_owned(),
                Some(late) if late > 0 => format!("{late} frames: the second file is late"),
                Some(early) => format!("{early} frames: the second file is early"),
            },
        );
        match self.snr_db {
            Some(ratio) => line("SNR", format!("{ratio:.1} dB over {} frames", self.compared_frames)),
            None if self.peak_difference_db.is_none() => {
                line("SNR", format!("infinite over {} frames", self.compared_frames));
            }
            None => {}
        }
        if let Some(peak) = self.peak_difference_db {
            line("difference", format!("{peak:.1} dB of full scale at most"));
        }
        text
    }
}
