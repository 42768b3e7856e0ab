//! `mapwave info`: the facts of files and of their sound tracks.

#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use mapwave::{Access, Picture, Reader, Result, SampleFormat, SoundTrack};
use mapwave_core::track::Codec;
use serde::Serialize;

use crate::format::{Format, OutputArguments};
use crate::interrupt::Interrupt;
use crate::output::{FAILURE, SUCCESS, fail_with, message, print};
use crate::place::Place;
use crate::reading::SourceArguments;
use crate::table::{Table, printable};
use crate::time::clock;

/// The arguments of the command.
#[derive(Debug, Args)]
pub(crate) struct InfoArguments {
    /// The files: one is described, several are listed. "-" is standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    source: SourceArguments,
    #[command(flatten)]
    output: OutputArguments,
}

/// Runs the command and returns the exit code.
pub(crate) fn run(arguments: &InfoArguments) -> i32 {
    mapwave::set_up();
    let mut code = SUCCESS;
    let mut files = Vec::with_capacity(arguments.files.len());
    for path in &arguments.files {
        match described(arguments, path) {
            Ok(facts) => files.push(Described::Facts(Box::new(facts))),
            Err(error) => {
                code = fail_with(&error);
                files.push(Described::Error {
                    path: path.to_string_lossy().into_owned(),
                    error: message(&error),
                });
            }
        }
    }
    let facts = || files.iter().filter_map(Described::facts);
    let report = match (arguments.output.format(), files.as_slice()) {
        (Format::Json, _) => {
            serde_json::to_string_pretty(&Report { files: &files }).unwrap_or_default() + "\n"
        }
        (Format::Text, [Described::Facts(facts)]) => facts.to_text(),
        (Format::Text, _) if facts().next().is_none() => String::new(),
        (Format::Text, _) => table(facts()),
    };
    match print(&report) {
        SUCCESS => code,
        _ => FAILURE,
    }
}

fn described(arguments: &InfoArguments, path: &Path) -> Result<Facts> {
    let place = Place::from(path.to_path_buf());
    let reader = arguments.source.open(&place, Access::Once, &Interrupt::default())?;
    let bytes = place.path().and_then(|path| path.metadata().ok()).map(|metadata| metadata.len());
    Ok(Facts::new(place.to_string(), bytes, &reader))
}

#[derive(Debug, Serialize)]
struct Report<'a> {
    files: &'a [Described],
}

/// The facts of a file, or why there are none.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Described {
    Facts(Box<Facts>),
    Error { path: String, error: String },
}

impl Described {
    fn facts(&self) -> Option<&Facts> {
        match self {
            Self::Facts(facts) => Some(facts),
            Self::Error { .. } => None,
        }
    }
}

/// What is reported of a file.
#[derive(Debug, Default, Serialize)]
struct Facts {
    path: String,
    /// The size of the file; `None` for standard input.
    bytes: Option<u64>,
    container: &'static str,
    container_variant: Option<String>,
    codec: String,
    subtype: String,
    sample_rate: u32,
    channels: u16,
    channel_layout: Option<&'static str>,
    bit_depth: Option<u16>,
    frames: u64,
    duration: f64,
    /// The bits of audio per second, without headers and tags.
    bitrate: Option<u64>,
    is_lossless: bool,
    is_truncated: bool,
    priming_frames: u32,
    padding_frames: u32,
    plugin: Option<&'static str>,
    tags: BTreeMap<String, String>,
    /// For the text alone.
    #[serde(skip)]
    pictures: Vec<String>,
    #[serde(skip)]
    num_markers: usize,
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
    fn new(path: String, bytes: Option<u64>, reader: &Reader) -> Self {
        let track = reader.track();
        let pcm = track.pcm();
        let compressed = match &track.codec {
            Codec::Compressed(stream) => Some(stream),
            Codec::Pcm(_) | Codec::Packets(_) => None,
        };
        let duration = reader.duration();
        let is_exact = || !pcm.is_some_and(SampleFormat::is_companded);
        let mut metadata = reader.metadata();
        Self {
            path,
            bytes,
            container: track.container.name(),
            container_variant: track.container.variant().map(str::to_owned),
            codec: track.codec.name().to_owned(),
            subtype: pcm.map_or_else(|| track.codec.name(), |format| format.subtype()).to_owned(),
            sample_rate: track.sample_rate,
            channels: track.num_channels,
            channel_layout: track.channel_layout(),
            bit_depth: track.bits_per_sample,
            frames: reader.num_file_frames(),
            duration,
            bitrate: reader.bitrate(&metadata),
            is_lossless: compressed.map_or_else(is_exact, |stream| stream.is_lossless),
            is_truncated: track.missing_bytes > 0,
            priming_frames: compressed.map_or(0, |stream| stream.priming_frames),
            padding_frames: compressed.map_or(0, |stream| stream.padding_frames),
            plugin: compressed.map(|stream| stream.plugin),
            pictures: metadata.pictures.iter().map(picture_text).collect(),
            num_markers: metadata.markers.len(),
            tags: metadata.take_joined_tags(),
            tracks: reader
                .sound_tracks()
                .into_iter()
                .enumerate()
                .map(|(n, track)| Row::new(n, track))
                .collect(),
        }
    }

    /// The file as a list of facts.
    fn to_text(&self) -> String {
        let mut text = printable(&self.path) + "\n";
        let mut line = |label: &str, value: &str| text += &format!("  {label:12}{}\n", printable(value));
        let variant = self.container_variant.as_deref().map(str::trim).filter(|&name| name != self.container);
        line(
            "container",
            [Some(self.container), variant].map(Option::unwrap_or_default).join(" ").trim_end(),
        );
        let plugin = self.plugin.map_or_else(String::new, |plugin| format!(", by plugin {plugin}"));
        let kind = if self.is_lossless { "lossless" } else { "lossy" };
        line("codec", &format!("{} ({kind}){plugin}", self.codec));
        let depth = self.bit_depth.map_or_else(String::new, |bits| format!(", {bits} bits"));
        line("samples", &format!("{} Hz, {}{depth}", self.sample_rate, self.channels_text()));
        line(
            "duration",
            &format!("{} ({:.6} s, {} frames)", clock(self.duration), self.duration, self.frames),
        );
        if let Some(bytes) = self.bytes {
            line("size", &format!("{bytes} bytes"));
        }
        if let Some(bitrate) = self.bitrate {
            line("bitrate", &format!("{:.1} kbit/s", bitrate as f64 / 1000.0));
        }
        if self.priming_frames + self.padding_frames > 0 {
            let (priming, padding) = (self.priming_frames, self.padding_frames);
            line("left out", &format!("{priming} frames of encoder delay, {padding} of padding"));
        }
        if self.is_truncated {
            line("truncated", "the file ends before the audio that it promises");
        }
        for (number, (name, value)) in self.tags.iter().enumerate() {
            line(if number == 0 { "tags" } else { "" }, &format!("{name}: {value}"));
        }
        for picture in &self.pictures {
            line("picture", picture);
        }
        if self.num_markers > 0 {
            line("markers", &self.num_markers.to_string());
        }
        if self.tracks.len() > 1 {
            for (number, row) in self.tracks.iter().enumerate() {
                line(if number == 0 { "tracks" } else { "" }, &row.to_text());
            }
        }
        text
    }

    fn channels_text(&self) -> String {
        match (self.channel_layout, self.channels) {
            (Some(layout), 1 | 2) => layout.to_owned(),
            (Some(layout), number) => format!("{number} channels ({layout})"),
            (None, 1) => "1 channel".to_owned(),
            (None, number) => format!("{number} channels"),
        }
    }
}

impl Row {
    fn to_text(&self) -> String {
        let rate = self.sample_rate.map(|rate| format!("{rate} Hz"));
        let plural = |number| if number == 1 { "" } else { "s" };
        let channels = self.channels.map(|number| format!("{number} channel{}", plural(number)));
        let default = self.is_default.then(|| "default".to_owned());
        let facts = [self.language.clone(), rate, channels, default].into_iter().flatten();
        let facts: Vec<String> =
            std::iter::once(format!("{}: {}", self.index, self.codec)).chain(facts).collect();
        facts.join(", ")
    }
}

/// A row for each file.
fn table<'a>(files: impl Iterator<Item = &'a Facts>) -> String {
    let mut table = Table::new(&["DURATION", "RATE", "CHANNELS", "CODEC", "BITS", "KBIT/S", "FILE"]);
    for facts in files {
        let optional = |number: Option<String>| number.unwrap_or_else(|| "-".to_owned());
        let bits = optional(facts.bit_depth.map(|bits| bits.to_string()));
        let rate = optional(facts.bitrate.map(|rate| format!("{:.0}", rate as f64 / 1000.0)));
        let (sample_rate, channels) = (facts.sample_rate.to_string(), facts.channels.to_string());
        table.push(&[
            &clock(facts.duration),
            &sample_rate,
            &channels,
            &facts.codec,
            &bits,
            &rate,
            &facts.path,
        ]);
        if facts.is_truncated {
            table.detail("truncated", "the file ends before the audio that it promises");
        }
    }
    table.to_text()
}

fn picture_text(picture: &Picture) -> String {
    format!("{}, {} bytes", picture.mime, picture.num_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_described_and_every_track_has_a_line() {
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
            bytes: Some(150_000),
            container: "mkv",
            codec: "flac".to_owned(),
            sample_rate: 48_000,
            channels: 2,
            channel_layout: Some("stereo"),
            bit_depth: Some(16),
            frames: 72_000,
            duration: 1.5,
            bitrate: Some(800_000),
            is_lossless: true,
            is_truncated: true,
            plugin: Some("builtin"),
            tags: BTreeMap::from([("title".to_owned(), "A; B\n".to_owned())]),
            tracks: vec![row(0, "ac3", Some("eng"), None), row(1, "flac", None, Some((2, 48_000)))],
            ..Facts::default()
        };
        let expected = "film.mkv\n  \
                        container   mkv\n  \
                        codec       flac (lossless), by plugin builtin\n  \
                        samples     48000 Hz, stereo, 16 bits\n  \
                        duration    0:01.5 (1.500000 s, 72000 frames)\n  \
                        size        150000 bytes\n  \
                        bitrate     800.0 kbit/s\n  \
                        truncated   the file ends before the audio that it promises\n  \
                        tags        title: A; B\\n\n  \
                        tracks      0: ac3, eng\n              \
                        1: flac, 48000 Hz, 2 channels, default\n";
        assert_eq!(facts.to_text(), expected);
        let expected = "DURATION  RATE   CHANNELS  CODEC  BITS  KBIT/S  FILE\n\
                        0:01.5    48000  2         flac   16    800     film.mkv\n    \
                        truncated the file ends before the audio that it promises\n";
        assert_eq!(table([&facts].into_iter()), expected);
    }
}
