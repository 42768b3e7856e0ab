//! How files are read: the arguments that all commands share, and what they ask of a reader.

#![forbid(unsafe_code)]

use clap::Args;
use mapwave::{
    Access, ChannelMatrix, ChannelSelection, FrameSpec, MonoMode, OpenOptions, OutputFormat, Reader,
    ResampleQuality, Result,
};

use crate::interrupt::Interrupt;
use crate::place::Place;

/// Which part of a file is read, and by whom.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct SourceArguments {
    /// Number of the sound track, counted from 0, instead of the default one.
    #[arg(long, value_name = "N")]
    pub(crate) track: Option<u32>,
    /// Name of the plugin to read with.
    #[arg(long, value_name = "NAME")]
    pub(crate) plugin: Option<String>,
}

impl SourceArguments {
    /// Opens a file.
    pub(crate) fn open(&self, place: &Place, access: Access, interrupt: &Interrupt) -> Result<Reader> {
        let mut options = OpenOptions::new().access(access);
        if let Some(track) = self.track {
            options = options.track(track);
        }
        if let Some(plugin) = &self.plugin {
            options = options.plugin(plugin);
        }
        place.open(&options, interrupt)
    }
}

/// What becomes of the samples as they are read.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct SampleArguments {
    /// Sample rate of the new file in Hz, such as 16000 or 16k.
    #[arg(short = 'r', long, value_name = "HZ", value_parser = parse_rate)]
    pub(crate) rate: Option<u32>,
    /// Number of channels: 1 is the mean of all, a single channel is copied to any number, and others, up to 8, are mixed as their
    /// speakers ask for.
    #[arg(short = 'c', long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) channels: Option<u16>,
    /// Quality of resampling, such as best, high or fastest.
    #[arg(long, value_name = "NAME")]
    pub(crate) resample_quality: Option<String>,
}

impl SampleArguments {
    /// Opens a file to be read once from front to back, at the rate that is asked for.
    pub(crate) fn open(
        &self,
        source: &SourceArguments,
        place: &Place,
        interrupt: &Interrupt,
    ) -> Result<Reader> {
        let reader = source.open(place, Access::Streamed, interrupt)?;
        let quality = match &self.resample_quality {
            Some(name) => name.parse::<ResampleQuality>()?,
            None => ResampleQuality::Default,
        };
        match self.rate {
            Some(rate) => reader.resampled(rate, quality),
            None => Ok(reader),
        }
    }

    /// The channels to read from a file.
    pub(crate) fn selection(&self, reader: &Reader) -> Result<ChannelSelection> {
        let num_channels = reader.track().num_channels;
        match self.channels {
            None => Ok(ChannelSelection::All),
            Some(wanted) if wanted == num_channels => Ok(ChannelSelection::All),
            Some(1) => Ok(ChannelSelection::Mono(MonoMode::Mean)),
            Some(wanted) if num_channels == 1 => Ok(ChannelSelection::Only(vec![0; usize::from(wanted)])),
            Some(wanted) => {
                let mask = reader.track().channel_mask;
                let matrix = ChannelMatrix::between(num_channels, mask, wanted);
                matrix.map(ChannelSelection::Matrix).map_err(|error| reader.named(error))
            }
        }
    }

    /// Whether samples change as they are read from this file.
    pub(crate) fn change(&self, reader: &Reader, channels: &ChannelSelection) -> bool {
        reader.sample_rate() != reader.track().sample_rate
            || matches!(channels, ChannelSelection::Mono(_) | ChannelSelection::Matrix(_))
    }
}

/// How frames are read from a file so that nothing is lost, and what they need to be stored in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reading {
    pub(crate) spec: FrameSpec,
    pub(crate) num_channels: u16,
    pub(crate) depth: Depth,
}

/// The precision of the samples of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Depth {
    Sixteen,
    TwentyFour,
    ThirtyTwo,
    Single,
    Double,
}

impl Depth {
    /// The precision that a decoder's own samples, or those of the file, have.
    fn of(reader: &Reader) -> Self {
        use mapwave_core::track::Codec;
        let track = reader.track();
        let (format, bits) = match &track.codec {
            Codec::Pcm(format) => (*format, track.bits_per_sample.unwrap_or(format.bits())),
            Codec::Compressed(stream) => {
                (stream.native, track.bits_per_sample.unwrap_or(stream.native.bits()))
            }
            Codec::Packets(_) => return Self::Single,
        };
        match format.bits() {
            _ if format.is_companded() => Self::Sixteen,
            _ if format.is_float() && format.num_bytes() == 4 => Self::Single,
            _ if format.is_float() => Self::Double,
            0..=16 => Self::Sixteen,
            stored => match bits.min(stored) {
                0..=16 => Self::Sixteen,
                17..=24 => Self::TwentyFour,
                25..=32 => Self::ThirtyTwo,
                _ => Self::Double,
            },
        }
    }

    /// The type that holds such samples; that of a computation with them, if they change.
    pub(crate) fn format(self, is_changed: bool) -> OutputFormat {
        match self {
            Self::Sixteen if !is_changed => OutputFormat::I16,
            Self::TwentyFour | Self::ThirtyTwo if !is_changed => OutputFormat::I32,
            Self::Sixteen | Self::TwentyFour | Self::Single => OutputFormat::F32,
            Self::ThirtyTwo | Self::Double => OutputFormat::F64,
        }
    }
}

impl Reading {
    /// How to read the file for a file that keeps samples as they are, or for a lossy one.
    pub(crate) fn new(reader: &Reader, samples: &SampleArguments) -> Result<Self> {
        let channels = samples.selection(reader)?;
        let depth = Depth::of(reader);
        let format = depth.format(samples.change(reader, &channels));
        let spec = FrameSpec { format, channels, ..FrameSpec::default() };
        let num_channels = spec.num_channels(reader.track().num_channels)?;
        let num_channels = u16::try_from(num_channels).unwrap_or(u16::MAX);
        Ok(Self { spec, num_channels, depth })
    }
}

/// A rate as "16000", "16k" or "44.1k".
fn parse_rate(text: &str) -> std::result::Result<u32, String> {
    let wrong = || "expected a rate in Hz from 1 to 768000, such as 16000 or 44.1k".to_owned();
    let thousands = text.strip_suffix(['k', 'K']);
    let number: f64 = thousands.unwrap_or(text).parse().map_err(|_| wrong())?;
    let hertz = (number * if thousands.is_some() { 1000.0 } else { 1.0 } * 1e6).round() / 1e6;
    let is_rate = (1.0..=768_000.0).contains(&hertz) && hertz.fract() == 0.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a whole number within the range"
    )]
    is_rate.then_some(hertz as u32).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_hertz_or_thousands() {
        for (text, rate) in
            [("16000", 16_000), ("16k", 16_000), ("44.1k", 44_100), ("11.025K", 11_025), ("1", 1)]
        {
            assert_eq!(parse_rate(text), Ok(rate), "{text}");
        }
        for wrong in ["", "k", "0", "-1", "16.5", "1e9", "nan", "16 k", "769k", "44.10001k"] {
            assert!(parse_rate(wrong).is_err(), "{wrong}");
        }
    }
}
