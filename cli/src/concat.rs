//! `mapwave concat`: files one after the other in one.

#![forbid(unsafe_code)]

use clap::Args;
use mapwave::{Error, Marker, Reader, Result};
use mapwave_core::{Parameter, num_processors};

use crate::convert::{guarded, named};
use crate::output::SUCCESS;
use crate::place::Place;
use crate::progress::{Progress, Unit};
use crate::reading::{Reading, SampleArguments};
use crate::transfer::{Piece, save};
use crate::writing::{FileArguments, moved_markers};

/// The arguments of the command.
#[derive(Clone, Debug, Args)]
pub(crate) struct ConcatArguments {
    /// The files in their order, and the new file, which is last.
    #[arg(required = true, num_args = 2.., value_name = "PATH")]
    paths: Vec<Place>,
    #[command(flatten)]
    samples: SampleArguments,
    #[command(flatten)]
    files: FileArguments,
}

/// Runs the command and returns the exit code.
pub(crate) fn run(arguments: &ConcatArguments) -> i32 {
    let Some((output, inputs)) = arguments.paths.split_last() else { return SUCCESS };
    guarded(|interrupt| {
        arguments.files.replace.check_place(output)?;
        let format = arguments.files.form.format_of(output)?;
        interrupt.during(num_processors(), |control| {
            let open = |input: &Place| arguments.samples.open(&arguments.files.source, input, interrupt);
            let readers: Vec<Reader> = inputs.iter().map(open).collect::<Result<_>>()?;
            let (first, mut reading) = common(inputs, &readers, &arguments.samples)?;
            let options = arguments.files.form.options(format, first, &reading, None, control.max_threads);
            let mut options = options.map_err(|error| named(error, output))?;
            options.markers = joined_markers(&readers);
            let num_frames = readers.iter().map(|reader| reader.num_frames()).sum();
            let pieces = readers.iter().map(|reader| {
                reading.spec.channels = arguments.samples.selection(reader)?;
                Ok(Piece { reader, frames: 0..reader.num_frames(), spec: reading.spec.clone() })
            });
            let pieces: Vec<Piece<'_>> = pieces.collect::<Result<_>>()?;
            let progress =
                Progress::new(arguments.files.progress, Unit::Frames(options.sample_rate), num_frames);
            let saved =
                save(output.target()?, options, &pieces, control, &|num_frames| progress.add(num_frames));
            progress.end();
            saved.map(|_| SUCCESS)
        })
    })
}

/// The markers of all files, where their files are in the new one.
fn joined_markers(readers: &[Reader]) -> Vec<Marker> {
    let mut joined = Vec::new();
    let mut start = 0;
    for reader in readers {
        let markers = moved_markers(reader, reader.metadata().markers, &(0..reader.num_frames()));
        joined.extend(markers.into_iter().map(|marker| Marker {
            start: start + marker.start,
            end: marker.end.map(|end| start + end),
            ..marker
        }));
        start += reader.num_frames();
    }
    joined
}

/// The first file, and how to read all of them: with the precision of the most precise one.
///
/// # Errors
/// [`Error::Argument`] if their rates or channels differ.
fn common<'a>(
    inputs: &[Place],
    readers: &'a [Reader],
    samples: &SampleArguments,
) -> Result<(&'a Reader, Reading)> {
    let mut all = inputs.iter().zip(readers);
    let Some((first_name, first)) = all.next() else {
        let what = "must be at least one file and the new file".to_owned();
        return Err(Error::Argument { path: None, parameter: Parameter::Target, what });
    };
    let mut reading = Reading::new(first, samples)?;
    for (_, reader) in all {
        let other = Reading::new(reader, samples)?;
        let differs = |parameter, option: &str, got: u32, expected: u32| {
            let what = format!(
                "is {got}, and that of {first_name} is {expected}: {option} {expected} converts all files to it"
            );
            reader.named(Error::Argument { path: None, parameter, what })
        };
        if reader.sample_rate() != first.sample_rate() {
            return Err(differs(Parameter::SampleRate, "-r", reader.sample_rate(), first.sample_rate()));
        }
        if other.num_channels != reading.num_channels {
            let (got, expected) = (other.num_channels.into(), reading.num_channels.into());
            return Err(differs(Parameter::Channels, "-c", got, expected));
        }
        if other.depth > reading.depth {
            reading.depth = other.depth;
        }
    }
    let changes = readers.iter().map(|reader| Ok(samples.change(reader, &samples.selection(reader)?)));
    let is_changed = changes.collect::<Result<Vec<bool>>>()?.contains(&true);
    reading.spec.format = reading.depth.format(is_changed);
    Ok((first, reading))
}
