//! `mapwave convert`: one file, or all files of directories and patterns.

#![forbid(unsafe_code)]

mod many;
mod report;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use mapwave::{Error, ReadControl, Result};
use mapwave_core::num_processors;
use mapwave_core::sink::Saved;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::interrupt::Interrupt;
use crate::output::{SUCCESS, TROUBLE, fail, fail_with};
use crate::place::Place;
use crate::progress::{Progress, ProgressMode, Unit};
use crate::python::EngineArguments;
use crate::reading::{Reading, SampleArguments, SourceArguments};
use crate::time::{Time, window};
use crate::transfer::{LoudnessTarget, Piece, save, save_at_loudness};
use crate::writing::{FormArguments, ReplaceArguments};

pub(crate) use many::{ManyArguments, OnError};
use report::Converted;

/// The arguments of the command.
#[derive(Clone, Debug, Args)]
pub(crate) struct ConvertArguments {
    /// The file and the new file; with --to-dir, any number of files, directories and patterns. "-" is standard input or output.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) work: Work,
    #[command(flatten)]
    pub(crate) many: ManyArguments,
    #[command(flatten)]
    pub(crate) engine: EngineArguments,
    #[command(flatten)]
    replace: ReplaceArguments,
    /// How progress is shown.
    #[arg(long, value_enum, default_value_t, value_name = "KIND")]
    progress: ProgressMode,
}

/// The greatest true peak for --loudness, in decibels (EBU R 128).
const DEFAULT_TRUE_PEAK: f64 = -1.0;

/// What becomes of a file.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Work {
    #[command(flatten)]
    pub(crate) samples: SampleArguments,
    /// Where the part to convert begins: 12.5, 1:02:03.5, or 44100f for a frame.
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<Time>,
    /// Where the part to convert ends, from the start of the file.
    #[arg(long, value_name = "TIME")]
    pub(crate) to: Option<Time>,
    /// Integrated loudness of the new file in LUFS, such as -23.
    #[arg(long, value_name = "LUFS", allow_negative_numbers = true, value_parser = parse_level)]
    pub(crate) loudness: Option<f64>,
    /// Greatest true peak of the new file in decibels, which limits --loudness [default: -1].
    #[arg(long, value_name = "DB", allow_negative_numbers = true, requires = "loudness", value_parser = parse_level)]
    pub(crate) true_peak: Option<f64>,
    #[command(flatten)]
    pub(crate) source: SourceArguments,
    #[command(flatten)]
    pub(crate) form: FormArguments,
}

impl Work {
    /// Converts one file. It calls `started` with the number of frames and their rate, and the function that this returns with the
    /// number of frames of each block that has been written.
    pub(crate) fn run<'a>(
        &self,
        input: &Place,
        output: &Place,
        interrupt: &Interrupt,
        control: &ReadControl<'_>,
        started: impl FnOnce(u64, u32) -> Box<dyn Fn(u64) + 'a>,
    ) -> Result<Converted> {
        let format = self.form.format_of(output)?;
        let reader = self.samples.open(&self.source, input, interrupt)?;
        let frames = window(&reader, self.from, self.to)?;
        let reading = Reading::new(&reader, &self.samples)?;
        let options = self.form.options(format, &reader, &reading, Some(&frames), control.max_threads);
        let options = options.map_err(|error| named(error, output))?;
        let (sample_rate, channels) = (options.sample_rate, options.num_channels);
        let moved = started(frames.end - frames.start, sample_rate);
        let piece = Piece { reader: &reader, frames, spec: reading.spec };
        let target = output.target()?;
        let saved = match self.loudness {
            None => save(target, options, &[piece], control, &*moved),
            Some(integrated) => {
                let true_peak = self.true_peak.unwrap_or(DEFAULT_TRUE_PEAK);
                let loudness = LoudnessTarget { integrated, true_peak };
                save_at_loudness(target, options, &piece, loudness, control, &*moved)
            }
        };
        let Saved { num_frames, num_bytes } = saved?;
        Ok(Converted { output_bytes: num_bytes, frames: num_frames, sample_rate, channels })
    }
}

/// What the Python package converts a directory by: the arguments of `mapwave.ray.transcode`.
#[derive(Debug, Serialize)]
pub(crate) struct ForPython {
    source: PathBuf,
    to_dir: PathBuf,
    format: String,
    address: Option<String>,
    resume: bool,
    on_error: OnError,
    num_workers: Option<u16>,
    report: Option<PathBuf>,
    load: Map<String, Value>,
    save: Map<String, Value>,
}

impl ConvertArguments {
    /// The arguments for the Python package, or the exit code after what a cluster cannot do was reported.
    pub(crate) fn for_python(&self) -> std::result::Result<ForPython, i32> {
        let refuse = |what: &str| {
            fail(what);
            Err(TROUBLE)
        };
        let ([source], Some(to_dir)) = (self.paths.as_slice(), self.many.to_dir.clone()) else {
            return refuse(
                "--engine ray converts one directory: mapwave convert DIR --to-dir DIR --format NAME --engine ray",
            );
        };
        let Work { samples, from, to, source: SourceArguments { track, plugin }, form, .. } = &self.work;
        if self.work.loudness.is_some() {
            return refuse("--loudness does not apply to --engine ray");
        }
        let Some(format) = form.format.clone() else {
            return refuse("--to-dir needs --format, which is the extension of the new files");
        };
        if from.is_some() || to.is_some() {
            return refuse("--from and --to do not apply to --engine ray, which converts whole files");
        }
        let mut load = Map::new();
        let mut save = Map::new();
        let put = |map: &mut Map<String, Value>, name: &str, value: Option<Value>| {
            if let Some(value) = value {
                map.insert(name.to_owned(), value);
            }
        };
        match samples.channels {
            None => {}
            Some(1) => put(&mut load, "mono", Some(true.into())),
            Some(_) => return refuse("-c must be 1 with --engine ray"),
        }
        put(&mut load, "sr", samples.rate.map(Value::from));
        put(&mut load, "resample_quality", samples.resample_quality.clone().map(Value::from));
        put(&mut load, "track", track.map(Value::from));
        put(&mut load, "plugin", plugin.clone().map(Value::from));
        let bits = form.bits.map(|bits| bits.name().to_owned());
        put(&mut save, "encoding", form.encoding.clone().or(bits).map(Value::from));
        put(&mut save, "bitrate", form.bitrate.map(Value::from));
        put(&mut save, "quality", form.quality.map(Value::from));
        put(&mut save, "effort", form.effort.map(Value::from));
        let dither = form.dither.and_then(|dither| dither.to_possible_value());
        put(&mut save, "dither", dither.map(|dither| Value::from(dither.get_name())));
        if !form.tags.is_empty() {
            let tags = form.tags.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str())));
            put(&mut save, "tags", Some(Value::Object(tags.collect())));
        }
        Ok(ForPython {
            source: source.clone(),
            to_dir,
            format,
            address: self.engine.address.clone(),
            resume: self.many.resume,
            on_error: self.many.on_error.unwrap_or_default(),
            num_workers: self.many.jobs,
            report: self.many.report.clone(),
            load,
            save,
        })
    }
}

/// Adds the file that is written to an error that names none.
pub(crate) fn named(error: Error, output: &Place) -> Error {
    match output.path() {
        Some(path) => error.in_file(path),
        None => error,
    }
}

/// A level in decibels at or below full scale.
fn parse_level(text: &str) -> std::result::Result<f64, String> {
    let level: Option<f64> = text.parse().ok().filter(|level| (-120.0..=0.0).contains(level));
    level.ok_or_else(|| "expected decibels from -120 to 0".to_owned())
}

/// Runs the command and returns the exit code.
pub(crate) fn run(arguments: &ConvertArguments) -> i32 {
    if let Some(directory) = &arguments.many.to_dir {
        return many::run(arguments, &arguments.paths, directory);
    }
    if let Some(option) = arguments.many.first_given() {
        fail(&format!("{option} is for many files: give a directory with --to-dir"));
        return TROUBLE;
    }
    let [input, output] = arguments.paths.as_slice() else {
        fail("one file and one new file are expected; to convert several, give a directory with --to-dir");
        return TROUBLE;
    };
    one(
        &Place::from(input.clone()),
        &Place::from(output.clone()),
        &arguments.work,
        arguments.replace,
        arguments.progress,
    )
}

/// Converts a file and returns the exit code.
pub(crate) fn one(
    input: &Place,
    output: &Place,
    work: &Work,
    replace: ReplaceArguments,
    mode: ProgressMode,
) -> i32 {
    guarded(|interrupt| {
        replace.check_place(output)?;
        let progress = std::cell::OnceCell::new();
        let converted = interrupt.during(num_processors(), |control| {
            work.run(input, output, interrupt, control, |num_frames, rate| {
                let progress: &Progress =
                    progress.get_or_init(|| Progress::new(mode, Unit::Frames(rate), num_frames));
                Box::new(|num_frames| progress.add(num_frames))
            })
        });
        if let Some(progress) = progress.get() {
            progress.end();
        }
        converted.map(|_| SUCCESS)
    })
}

/// Runs work that Ctrl-C ends without leaving anything half-written, and returns its exit code.
pub(crate) fn guarded(work: impl FnOnce(&Interrupt) -> Result<i32>) -> i32 {
    mapwave::set_up();
    let interrupt = match Interrupt::heed() {
        Ok(interrupt) => interrupt,
        Err(error) => return fail(&format!("signals cannot be handled: {error}")),
    };
    let code = work(&interrupt).unwrap_or_else(|error| fail_with(&error));
    interrupt.resign();
    code
}
