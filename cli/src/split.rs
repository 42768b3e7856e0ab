//! `mapwave split`: a file in parts.

#![forbid(unsafe_code)]

use std::ops::Range;
use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};
use mapwave::analysis::{self, Input};
use mapwave::{Error, Reader, Result};
use mapwave_core::{Parameter, num_processors};

use crate::convert::{guarded, named};
use crate::output::{SUCCESS, print};
use crate::place::{Place, trouble};
use crate::progress::{Progress, Unit};
use crate::reading::{Reading, SampleArguments};
use crate::time::Time;
use crate::transfer::{Piece, save};
use crate::writing::FileArguments;

/// The most parts of one file: more are a mistake in the length.
const MAX_PARTS: u64 = 100_000;

/// The arguments of the command.
#[derive(Clone, Debug, Args)]
#[command(group = ArgGroup::new("places").required(true).args(["every", "silence", "markers"]))]
pub(crate) struct SplitArguments {
    /// The file, or "-" for standard input.
    input: Place,
    /// Length of the parts: 30, 1:30, or 44100f for frames.
    #[arg(long, value_name = "TIME")]
    every: Option<Time>,
    /// Write what is between silences, which are left out.
    #[arg(long)]
    silence: bool,
    /// The level in decibels of full scale that no sample of a silence exceeds.
    #[arg(
        long,
        value_name = "DB",
        default_value_t = -50.0,
        allow_negative_numbers = true,
        requires = "silence"
    )]
    threshold: f64,
    /// The least length of a silence in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 0.3, requires = "silence")]
    min_silence: f64,
    /// Begin a part at each marker of the file.
    #[arg(long)]
    markers: bool,
    /// Directory of the parts [default: that of the file].
    #[arg(long, value_name = "DIR")]
    to_dir: Option<PathBuf>,
    #[command(flatten)]
    samples: SampleArguments,
    #[command(flatten)]
    files: FileArguments,
}

/// Runs the command and returns the exit code.
pub(crate) fn run(arguments: &SplitArguments) -> i32 {
    guarded(|interrupt| {
        let reader = arguments.samples.open(&arguments.files.source, &arguments.input, interrupt)?;
        let reading = Reading::new(&reader, &arguments.samples)?;
        let parts = match arguments.every {
            Some(every) => parts(&reader, every)?,
            None if arguments.markers => between_markers(&reader)?,
            None => interrupt.during(num_processors(), |control| {
                let (threshold, min_silence) = (arguments.threshold, arguments.min_silence);
                let silences = analysis::silences(&Input::from(&reader), threshold, min_silence, control)?;
                between(&reader, &silences)
            })?,
        };
        let outputs = outputs(arguments, &reader, parts.len());
        for output in &outputs {
            arguments.files.replace.check(output)?;
        }
        if let Some(directory) = &arguments.to_dir {
            std::fs::create_dir_all(directory)
                .map_err(|error| trouble("creating the directory", directory, error))?;
        }
        let progress =
            Progress::new(arguments.files.progress, Unit::Frames(reader.sample_rate()), reader.num_frames());
        let written = interrupt.during(num_processors(), |control| {
            for (frames, path) in parts.iter().zip(&outputs) {
                let output = Place::Path(path.clone());
                let format = arguments.files.form.format_of(&output)?;
                let options = arguments.files.form.options(
                    format,
                    &reader,
                    &reading,
                    Some(frames),
                    control.max_threads,
                );
                let options = options.map_err(|error| named(error, &output))?;
                let piece = Piece { reader: &reader, frames: frames.clone(), spec: reading.spec.clone() };
                save(output.target()?, options, &[piece], control, &|num_frames| progress.add(num_frames))?;
            }
            Ok(())
        });
        progress.end();
        written?;
        let names: String = outputs.iter().map(|path| format!("{}\n", path.display())).collect();
        Ok(if names.is_empty() { SUCCESS } else { print(&names) })
    })
}

/// The frames of each part; the last one may be shorter.
fn parts(reader: &Reader, every: Time) -> Result<Vec<Range<u64>>> {
    let wrong = |what: String| {
        Err(reader.named(Error::Argument { path: None, parameter: Parameter::Duration, what }))
    };
    let seconds = every.seconds(reader.track().sample_rate);
    let num_frames = reader.num_frames();
    let step = match every {
        Time::Frame(frame) if reader.sample_rate() == reader.track().sample_rate => frame,
        _ if seconds >= reader.duration() => num_frames.max(1),
        // Inside the file, so that the window is as long as asked for.
        _ => reader.window(0.0, Some(seconds.max(f64::MIN_POSITIVE)))?.end,
    };
    if step == 0 {
        return wrong("of a part must be at least one frame".to_owned());
    }
    let num_parts = num_frames.div_ceil(step);
    if num_parts > MAX_PARTS {
        return wrong(format!("of a part gives {num_parts} parts, more than the limit of {MAX_PARTS}"));
    }
    Ok((0..num_parts).map(|part| part * step..num_frames.min((part + 1) * step)).collect())
}

/// What is between silences, which are in order.
///
/// # Errors
/// [`Error::Argument`] if that is nothing.
fn between(reader: &Reader, silences: &[Range<u64>]) -> Result<Vec<Range<u64>>> {
    let starts = std::iter::once(0).chain(silences.iter().map(|silence| silence.end));
    let ends = silences.iter().map(|silence| silence.start).chain([reader.num_frames()]);
    let parts: Vec<Range<u64>> =
        starts.zip(ends).filter(|(start, end)| start < end).map(|(start, end)| start..end).collect();
    if parts.is_empty() {
        let what = "is silent from the first frame to the last; nothing is left to write".to_owned();
        return Err(reader.named(Error::Argument { path: None, parameter: Parameter::Audio, what }));
    }
    Ok(parts)
}

/// The parts that begin at the markers of a file, and what is before the first one.
///
/// # Errors
/// [`Error::Argument`] if the file has no markers.
fn between_markers(reader: &Reader) -> Result<Vec<Range<u64>>> {
    let (file_rate, rate) = (u128::from(reader.track().sample_rate), u128::from(reader.sample_rate()));
    // Markers count frames of the file, which may be resampled.
    let frame = |frame: u64| u64::try_from(u128::from(frame) * rate / file_rate).unwrap_or(u64::MAX);
    let markers = reader.metadata().markers;
    if markers.is_empty() {
        let what = "has no markers to split it at".to_owned();
        return Err(reader.named(Error::Argument { path: None, parameter: Parameter::Audio, what }));
    }
    let mut cuts: Vec<u64> =
        markers.iter().map(|marker| frame(marker.start).min(reader.num_frames())).collect();
    cuts.extend([0, reader.num_frames()]);
    cuts.sort_unstable();
    cuts.dedup();
    let ends = cuts.iter().skip(1);
    Ok(cuts.iter().zip(ends).map(|(&start, &end)| start..end).collect())
}

/// The paths of the parts: the name of the file and a number, which all have as many digits.
fn outputs(arguments: &SplitArguments, reader: &Reader, num_parts: usize) -> Vec<PathBuf> {
    let input = arguments.input.path();
    let stem = input.and_then(Path::file_stem).map_or_else(|| "part".into(), |stem| stem.to_string_lossy());
    let own = input.and_then(Path::extension).map(|extension| extension.to_string_lossy().into_owned());
    let extension = arguments.files.form.format.clone().or(own);
    let extension = extension.unwrap_or_else(|| reader.track().container.name().to_owned());
    let beside = input.and_then(Path::parent).map(Path::to_path_buf).unwrap_or_default();
    let directory = arguments.to_dir.clone().unwrap_or(beside);
    let num_digits = num_parts.to_string().len().max(3);
    let name = |number: usize| format!("{stem}-{number:0num_digits$}.{extension}");
    (1..=num_parts).map(|number| directory.join(name(number))).collect()
}
