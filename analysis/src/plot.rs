//! A picture of a file or of an array.

use std::str::FromStr;

use mapwave_core::metadata::Marker;
use mapwave_core::{Error, Parameter, ReadControl, Result};

use crate::input::Input;
use crate::picture::{Facts, Frame, Plot, Sound, Theme, arrange, duration};
use crate::{spectrum, waves};

/// The most channels that a picture shows.
const MAX_CHANNELS: usize = 16;

/// The sizes that a picture can have, in pixels.
const SIZES: std::ops::RangeInclusive<u32> = 160..=8192;

/// What a picture shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PlotKind {
    /// The extremes and the root mean square over time.
    #[default]
    Waveform,
    /// The level of each frequency over time.
    Spectrogram,
    /// Both, one below the other.
    Both,
}

impl FromStr for PlotKind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "waveform" => Ok(Self::Waveform),
            "spectrogram" => Ok(Self::Spectrogram),
            "both" => Ok(Self::Both),
            _ => {
                let what = format!("must be 'waveform', 'spectrogram' or 'both', got '{name}'");
                Err(Error::Argument { path: None, parameter: Parameter::PlotKind, what })
            }
        }
    }
}

/// How a picture is to look.
#[derive(Clone, Debug, PartialEq)]
pub struct PlotOptions {
    /// What it shows.
    pub kind: PlotKind,
    /// Its width in pixels, 160 to 8192.
    pub width: u32,
    /// Its height in pixels, 160 to 8192; `None` for what its panels need.
    pub height: Option<u32>,
    /// Its colours.
    pub theme: Theme,
    /// What stands above it; `None` for the name of the file.
    pub title: Option<String>,
    /// The frames to mark, with their labels; `None` for the markers of the file.
    pub markers: Option<Vec<Marker>>,
}

impl Default for PlotOptions {
    fn default() -> Self {
        Self {
            kind: PlotKind::default(),
            width: 1200,
            height: None,
            theme: Theme::default(),
            title: None,
            markers: None,
        }
    }
}

/// Draws a picture of all frames of the input.
///
/// ```
/// # fn main() -> mapwave_core::Result<()> {
/// use mapwave_analysis::{Input, PlotKind, PlotOptions, plot};
/// use mapwave_core::{Audio, OutputFormat, ReadControl};
///
/// let sweep: Vec<f32> = (0..48_000).map(|n| 0.5 * (n as f32 * n as f32 * 2e-5).sin()).collect();
/// let audio = Audio::new(&sweep, OutputFormat::F32, &[48_000], None)?;
/// let options = PlotOptions { kind: PlotKind::Both, ..PlotOptions::default() };
/// let picture = plot(&Input::Array { audio, sample_rate: 48_000 }, &options, &ReadControl::ONE_THREAD)?;
/// assert!(picture.svg().starts_with("<svg"));
/// assert!(picture.png().starts_with(b"\x89PNG"));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::Argument`] for a size out of range and for a marker past the end; what reading the file may fail with.
pub fn plot(input: &Input<'_>, options: &PlotOptions, control: &ReadControl<'_>) -> Result<Plot> {
    check(input, options)?;
    let facts = facts_of(input, options);
    let num_channels = usize::from(input.num_channels()).min(MAX_CHANNELS);
    let (has_waves, has_levels) = match options.kind {
        PlotKind::Waveform => (true, false),
        PlotKind::Spectrogram => (false, true),
        PlotKind::Both => (true, true),
    };
    let num_panels = num_channels * (usize::from(has_waves) + usize::from(has_levels));
    let frame = Frame::new(num_panels, options.width, options.height, &facts, has_levels);
    let (num_columns, num_rows) = frame.panel_size();
    let mut sounds = Vec::new();
    if has_waves {
        let is_long = input.num_frames() > 2 * num_columns as u64;
        if is_long {
            let columns = waves::columns(input, num_columns, control)?;
            sounds.extend((0..num_channels).zip(columns.into_iter().map(Sound::Columns)));
        } else {
            let samples = waves::samples(input, control)?;
            sounds.extend((0..num_channels).zip(samples.into_iter().map(Sound::Samples)));
        }
    }
    if has_levels {
        let levels = spectrum::levels(input, num_columns, num_rows, control)?;
        sounds.extend((0..num_channels).zip(levels.into_iter().map(Sound::Levels)));
    }
    Ok(Plot::new(arrange(&frame, &facts, &sounds), options.theme))
}

fn check(input: &Input<'_>, options: &PlotOptions) -> Result<()> {
    let refuse = |parameter, what| Err(input.named(Error::Argument { path: None, parameter, what }));
    let sizes = [(Parameter::Width, Some(options.width)), (Parameter::Height, options.height)];
    for (parameter, size) in sizes {
        if let Some(size) = size.filter(|size| !SIZES.contains(size)) {
            let what = format!("must be from {} to {} pixels, got {size}", SIZES.start(), SIZES.end());
            return refuse(parameter, what);
        }
    }
    let num_frames = input.num_frames();
    let mut given = options.markers.iter().flatten();
    if let Some(marker) = given.find(|marker| marker.start > num_frames) {
        let what = format!("must be inside the {num_frames} frames, got frame {}", marker.start);
        return refuse(Parameter::Markers, what);
    }
    Ok(())
}

fn facts_of(input: &Input<'_>, options: &PlotOptions) -> Facts {
    let (num_frames, sample_rate, num_channels) =
        (input.num_frames(), input.sample_rate(), input.num_channels());
    let (name, codec) = match input {
        Input::File(reader) => {
            let name = reader.path().and_then(|path| path.file_name());
            let name = name.map(|name| name.to_string_lossy().into_owned());
            (name, Some(reader.track().codec.name().to_owned()))
        }
        Input::Array { .. } => (None, None),
    };
    let channels = match num_channels {
        1 => "mono".to_owned(),
        2 => "stereo".to_owned(),
        many if usize::from(many) > MAX_CHANNELS => format!("{MAX_CHANNELS} of {many} channels"),
        many => format!("{many} channels"),
    };
    let rate = format!("{} kHz", f64::from(sample_rate) / 1000.0);
    let length = duration(num_frames as f64 / f64::from(sample_rate.max(1)));
    let facts = [codec, Some(channels), Some(rate), Some(length)];
    Facts {
        title: options.title.clone().or(name).unwrap_or_default(),
        subtitle: facts.into_iter().flatten().collect::<Vec<_>>().join(" · "),
        sample_rate,
        num_frames,
        channels: channel_names(num_channels, input.channel_mask()),
        markers: markers_of(input, options),
    }
}

/// The frames to mark and their labels: those given, or the file's own at the rate at which it is read.
fn markers_of(input: &Input<'_>, options: &PlotOptions) -> Vec<(u64, String)> {
    let markers = match (&options.markers, input) {
        (Some(markers), _) => markers.clone(),
        (None, Input::File(reader)) => {
            let (to, from) =
                (u128::from(reader.sample_rate()), u128::from(reader.track().sample_rate.max(1)));
            let at_rate = |marker: Marker| {
                let start = u64::try_from(u128::from(marker.start) * to / from).unwrap_or(u64::MAX);
                Marker { start, ..marker }
            };
            reader.metadata().markers.into_iter().map(at_rate).collect()
        }
        (None, Input::Array { .. }) => Vec::new(),
    };
    // A file may have markers beyond its end.
    let is_inside = |marker: &Marker| marker.start <= input.num_frames();
    markers.into_iter().filter(is_inside).map(|marker| (marker.start, marker.label)).collect()
}

/// The names of the positions of a WAVE channel mask, from its lowest bit.
const POSITIONS: [&str; 18] = [
    "left",
    "right",
    "centre",
    "LFE",
    "back left",
    "back right",
    "left of centre",
    "right of centre",
    "back centre",
    "side left",
    "side right",
    "top centre",
    "top front left",
    "top front centre",
    "top front right",
    "top back left",
    "top back centre",
    "top back right",
];

/// The names of the channels: those of their positions where the file states them or there are two, otherwise their numbers.
fn channel_names(num_channels: u16, mask: u32) -> Vec<String> {
    let mask = if mask == 0 && num_channels == 2 { 0x3 } else { mask };
    if num_channels == 1 {
        return vec![String::new()];
    }
    if mask.count_ones() == u32::from(num_channels) && mask < 1 << POSITIONS.len() {
        let names = (0..32).zip(POSITIONS).filter(|(bit, _)| mask >> bit & 1 == 1);
        return names.map(|(_, name)| name.to_owned()).collect();
    }
    (0..num_channels).map(|channel| format!("channel {channel}")).collect()
}
