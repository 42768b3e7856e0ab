//! `mapwave split`: a file in parts.

#![forbid(unsafe_code)]

use std::ops::Range;
use std::path::{Path, PathBuf};

use clap::Args;
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
pub(crate) struct SplitArguments {
    /// The file, or "-" for standard input.
    input: Place,
    /// Length of the parts: 30, 1:30, or 44100f for frames.
    #[arg(long, value_name = "TIME")]
    every: Time,
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
        let parts = parts(&reader, arguments.every)?;
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
