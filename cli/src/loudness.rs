//! `mapwave loudness`: how loud files are, by EBU R 128.

#![forbid(unsafe_code)]

use clap::Args;
use mapwave::analysis::{self, Input, Loudness};
use mapwave::{Access, Result};
use mapwave_core::num_processors;
use serde::Serialize;

use crate::convert::guarded;
use crate::format::{Format, OutputArguments};
use crate::interrupt::{Interrupt, is_interruption};
use crate::output::{FAILURE, SUCCESS, fail_with, message, print};
use crate::place::Place;
use crate::progress::{Progress, ProgressMode, Unit};
use crate::reading::SourceArguments;
use crate::table::Table;

/// The arguments of the command.
#[derive(Clone, Debug, Args)]
pub(crate) struct LoudnessArguments {
    /// The files, or "-" for standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<Place>,
    #[command(flatten)]
    source: SourceArguments,
    #[command(flatten)]
    output: OutputArguments,
    /// How progress is shown.
    #[arg(long, value_enum, default_value_t, value_name = "KIND")]
    progress: ProgressMode,
}

/// What is reported of a file. What is minus infinity is `None`.
#[derive(Debug, Default, Serialize)]
struct Row {
    path: String,
    /// Integrated loudness in LUFS.
    integrated: Option<f64>,
    /// Loudness range in LU.
    range: Option<f64>,
    /// The loudest 400 milliseconds and the loudest three seconds in LUFS.
    max_momentary: Option<f64>,
    max_short_term: Option<f64>,
    /// Decibels of full scale, between the samples and of the samples.
    true_peak: Option<f64>,
    sample_peak: Option<f64>,
    /// Why it cannot be measured.
    error: Option<String>,
}

#[derive(Debug, Serialize)]
struct Report {
    files: Vec<Row>,
}

/// Runs the command and returns the exit code.
pub(crate) fn run(arguments: &LoudnessArguments) -> i32 {
    guarded(|interrupt| {
        let progress = Progress::new(arguments.progress, Unit::Files, arguments.files.len() as u64);
        let mut code = SUCCESS;
        let mut files = Vec::with_capacity(arguments.files.len());
        for place in &arguments.files {
            let row = match measured(arguments, place, interrupt) {
                Ok(measured) => Row::new(&measured),
                Err(error) if is_interruption(&error) => return Err(error),
                Err(error) => {
                    code = progress.aside(|| fail_with(&error));
                    Row { error: Some(message(&error)), ..Row::default() }
                }
            };
            files.push(Row { path: place.to_string(), ..row });
            progress.add(1);
        }
        progress.end();
        let report = Report { files };
        let text = match arguments.output.format() {
            Format::Text => report.to_text(),
            Format::Json => serde_json::to_string_pretty(&report).unwrap_or_default() + "\n",
        };
        Ok(if print(&text) == SUCCESS { code } else { FAILURE })
    })
}

fn measured(arguments: &LoudnessArguments, place: &Place, interrupt: &Interrupt) -> Result<Loudness> {
    let reader = arguments.source.open(place, Access::Streamed, interrupt)?;
    interrupt.during(num_processors(), |control| analysis::loudness(&Input::from(&reader), control))
}

impl Row {
    fn new(measured: &Loudness) -> Self {
        let finite = |figure: f64| figure.is_finite().then_some(figure);
        Self {
            integrated: finite(measured.integrated),
            range: finite(measured.range),
            max_momentary: finite(measured.max_momentary),
            max_short_term: finite(measured.max_short_term),
            true_peak: finite(measured.true_peak),
            sample_peak: finite(measured.sample_peak),
            ..Self::default()
        }
    }
}

impl Report {
    fn to_text(&self) -> String {
        let mut table = Table::new(&["LUFS", "RANGE LU", "TRUE PEAK dB", "PEAK dB", "FILE"]);
        let shown =
            |figure: Option<f64>| figure.map_or_else(|| "-inf".to_owned(), |figure| format!("{figure:.1}"));
        let rows: Vec<&Row> = self.files.iter().filter(|row| row.error.is_none()).collect();
        if rows.is_empty() {
            return String::new();
        }
        for row in rows {
            let figures = [row.integrated, row.range, row.true_peak, row.sample_peak].map(shown);
            let [integrated, range, true_peak, peak] = &figures;
            table.push(&[integrated, range, true_peak, peak, &row.path]);
        }
        table.to_text()
    }
}
