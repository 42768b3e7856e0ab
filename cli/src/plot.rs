//! `mapwave plot`: a picture of a file.

#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use mapwave::analysis::{self, Input};
use mapwave::{Access, PlotKind, PlotOptions, Theme};
use mapwave_core::num_processors;

use crate::convert::guarded;
use crate::output::SUCCESS;
use crate::place::Place;
use crate::reading::SourceArguments;
use crate::writing::ReplaceArguments;

/// The arguments of the command.
#[derive(Clone, Debug, Args)]
pub(crate) struct PlotArguments {
    /// The file, or "-" for standard input.
    file: Place,
    /// The picture: a name in .svg or .png.
    #[arg(short = 'o', long, value_name = "FILE")]
    out: PathBuf,
    /// What is drawn.
    #[arg(long, value_parser = one_of::<PlotKind>(["waveform", "spectrogram", "both"]), default_value = "waveform", value_name = "KIND")]
    kind: PlotKind,
    /// The colours: those of the viewer, or one of the two.
    #[arg(long, value_parser = one_of::<Theme>(["auto", "light", "dark"]), default_value = "auto", value_name = "THEME")]
    theme: Theme,
    /// A heading.
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// Width in pixels.
    #[arg(long, value_name = "N")]
    width: Option<u32>,
    /// Height in pixels.
    #[arg(long, value_name = "N")]
    height: Option<u32>,
    #[command(flatten)]
    source: SourceArguments,
    #[command(flatten)]
    replace: ReplaceArguments,
}

/// Runs the command and returns the exit code.
pub(crate) fn run(arguments: &PlotArguments) -> i32 {
    guarded(|interrupt| {
        arguments.replace.check(&arguments.out)?;
        let reader = arguments.source.open(&arguments.file, Access::Streamed, interrupt)?;
        let defaults = PlotOptions::default();
        let options = PlotOptions {
            kind: arguments.kind,
            theme: arguments.theme,
            title: arguments.title.clone(),
            width: arguments.width.unwrap_or(defaults.width),
            height: arguments.height,
            ..defaults
        };
        let picture = interrupt
            .during(num_processors(), |control| analysis::plot(&Input::from(&reader), &options, control));
        picture?.save(&arguments.out)?;
        Ok(SUCCESS)
    })
}

/// A parser for one of these words.
fn one_of<T: FromStr + Clone + Send + Sync + 'static>(
    words: [&'static str; 3],
) -> impl TypedValueParser<Value = T> {
    // Every word is one that the type knows.
    PossibleValuesParser::new(words).try_map(|word| word.parse::<T>().map_err(|_| word))
}
