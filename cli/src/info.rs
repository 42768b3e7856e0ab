//! `mapwave info`: the facts of a file and of its sound tracks.

#![forbid(unsafe_code)]

use std::path::PathBuf;

use clap::Args;
use mapwave_core::source::{Access, Source};
use mapwave_core::track::Codec;
use mapwave_core::{Choice, Reader, SoundTrack};
use serde::Serialize;

use crate::format::{Format, OutputArguments};
use crate::output::{fail, print};
use crate::table::Table;

/// The arguments of the command.
#[derive(Debug, Args)]
pub(crate) struct InfoArguments {
    /// The file.
    file: PathBuf,
    /// Number of the sound track, counted from 0, instead of the default one.
    #[arg(long)]
    track: Option<u32>,
    /// Name of the plugin to read it with.
    #[arg(long)]
    plugin: Option<String>,
    #[command(flatten)]
    output: OutputArguments,
}

/// Runs the command and returns the exit code.
pub(crate) fn run(arguments: &InfoArguments) -> i32 {
    let choice = Choice {
        plugin: arguments.plugin.as_deref(),
        track: arguments.track,
        options: &[],
        seek_table: None,
    };
    let opened = Source::open(&arguments.file, Access::Once).and_then(|source| Reader::new(source, choice));
    let facts = match opened {
        Ok(reader) => Facts::new(arguments, &reader),
        Err(error) => return fail(&error.to_string()),
    };
    print(&match arguments.output.format {
        Format::Text => facts.to_text(),
        Format::Json => serde_json::to_string_pretty(&facts).unwrap_or_default() + "\n",
    })
}

/// What is reported of a file.
#[derive(Debug, Serialize)]
struct Facts {
    path: String,
    container: &'static str,
    codec: String,
    sample_rate: u32,
    channels: u16,
    frames: u64,
    duration: f64,
    is_truncated: bool,
    plugin: Option<&'static str>,
    tracks: Vec<Row>,
}

/// A sound track in the report.
#[derive(Debug, Serialize)]
struct Row {
    index: usize,
    codec: String,
    language: Option<String>,
    channels: Option<u16>,
    sample_rate: Option<u32>,
    is_default: bool,
}

impl Row {
    fn new(index: usize, track: SoundTrack) -> Self {
        let SoundTrack { codec, language, sample_rate, num_channels, is_default } = track;
        Self { index, codec, language, channels: num_channels, sample_rate, is_default }
    }
}

impl Facts {
    fn new(arguments: &InfoArguments, reader: &Reader) -> Self {
        let track = reader.track();
        let tracks = reader.sound_tracks().into_iter().enumerate();
        Self {
            path: arguments.file.to_string_lossy().into_owned(),
            container: track.container.name(),
            codec: track.codec.name().to_owned(),
            sample_rate: track.sample_rate,
            channels: track.num_channels,
            frames: reader.num_file_frames(),
            duration: reader.duration(),
            is_truncated: track.missing_bytes > 0,
            plugin: match &track.codec {
                Codec::Compressed(stream) => Some(stream.plugin),
                Codec::Pcm(_) | Codec::Packets(_) => None,
            },
            tracks: tracks.map(|(index, track)| Row::new(index, track)).collect(),
        }
    }

    fn to_text(&self) -> String {
        let mut file =
            Table::new(&["CONTAINER", "CODEC", "CHANNELS", "RATE", "FRAMES", "SECONDS", "PLUGIN", "FILE"]);
        let (channels, rate) = (self.channels.to_string(), self.sample_rate.to_string());
        let (frames, seconds) = (self.frames.to_string(), format!("{:.3}", self.duration));
        let plugin = self.plugin.unwrap_or("-");
        file.push(&[self.container, &self.codec, &channels, &rate, &frames, &seconds, plugin, &self.path]);
        if self.is_truncated {
            file.detail("truncated", "the file ends before the audio that it promises");
        }
        let mut tracks = Table::new(&["TRACK", "CODEC", "LANGUAGE", "CHANNELS", "RATE", ""]);
        for row in &self.tracks {
            let text =
                |number: Option<u32>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
            let (channels, rate) = (text(row.channels.map(u32::from)), text(row.sample_rate));
            let (index, language) = (row.index.to_string(), row.language.as_deref().unwrap_or("-"));
            let default = if row.is_default { "default" } else { "" };
            tracks.push(&[&index, &row.codec, language, &channels, &rate, default]);
        }
        format!("{}\n{}", file.to_text(), tracks.to_text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_track_is_a_row() {
        let row = |index, codec: &str, language: Option<&str>, facts: Option<(u16, u32)>| Row {
            index,
            codec: codec.to_owned(),
            language: language.map(str::to_owned),
            channels: facts.map(|(channels, _)| channels),
            sample_rate: facts.map(|(_, sample_rate)| sample_rate),
            is_default: index == 1,
        };
        let facts = Facts {
            path: "film.mkv".to_owned(),
            container: "mkv",
            codec: "flac".to_owned(),
            sample_rate: 48_000,
            channels: 2,
            frames: 72_000,
            duration: 1.5,
            is_truncated: true,
            plugin: Some("builtin"),
            tracks: vec![row(0, "ac3", Some("eng"), None), row(1, "flac", None, Some((2, 48_000)))],
        };
        let expected = "CONTAINER  CODEC  CHANNELS  RATE   FRAMES  SECONDS  PLUGIN   FILE\n\
                        mkv        flac   2         48000  72000   1.500    builtin  film.mkv\n    \
                        truncated the file ends before the audio that it promises\n\
                        \n\
                        TRACK  CODEC  LANGUAGE  CHANNELS  RATE\n\
                        0      ac3    eng       -         -\n\
                        1      flac   -         2         48000  default\n";
        assert_eq!(facts.to_text(), expected);
    }
}
