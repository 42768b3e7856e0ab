//! How files are written: the arguments that all writing commands share, and the options that they make.

#![forbid(unsafe_code)]

use std::ops::Range;
use std::path::Path;

use clap::{Args, ValueEnum};
use mapwave::{
    ChannelSelection, Dither, Encoding, Error, Marker, OnUnknown, PcmEncoding, Reader, Result, SaveOptions,
};
use mapwave_core::Parameter;
use mapwave_core::sink::{self, FileFormat};

use crate::place::Place;
use crate::progress::ProgressMode;
use crate::reading::{Depth, Reading, SourceArguments};

/// What all commands that make a file of others share.
#[derive(Clone, Debug, Args)]
pub(crate) struct FileArguments {
    #[command(flatten)]
    pub(crate) source: SourceArguments,
    #[command(flatten)]
    pub(crate) form: FormArguments,
    #[command(flatten)]
    pub(crate) replace: ReplaceArguments,
    /// How progress is shown.
    #[arg(long, value_enum, default_value_t, value_name = "KIND")]
    pub(crate) progress: ProgressMode,
}

/// The form of a new file.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct FormArguments {
    /// Format of the new file, such as wav, flac or mp3 [default: the extension's].
    #[arg(long, value_name = "NAME")]
    pub(crate) format: Option<String>,
    /// Bits per sample: 8, 16, 24 or 32 [default: those of a lossless source].
    #[arg(short = 'b', long, value_name = "N", conflicts_with = "encoding", value_parser = parse_bits)]
    pub(crate) bits: Option<PcmEncoding>,
    /// Encoding of the samples, such as pcm16, float32, alaw, or a codec such as opus.
    #[arg(long, value_name = "NAME")]
    pub(crate) encoding: Option<String>,
    /// Bitrate of a lossy codec in bits per second, such as 128k.
    #[arg(long, value_name = "RATE", value_parser = parse_bitrate)]
    pub(crate) bitrate: Option<u32>,
    /// Quality of a variable bitrate, from 1 to 100.
    #[arg(long, value_name = "N", conflicts_with = "bitrate")]
    pub(crate) quality: Option<u8>,
    /// How hard the encoder tries, from 1 to 100.
    #[arg(long, value_name = "N")]
    pub(crate) effort: Option<u8>,
    /// Noise that is added before samples are rounded.
    #[arg(long, value_enum, value_name = "KIND")]
    pub(crate) dither: Option<DitherKind>,
    /// A tag of the new file, such as title=Rain; may be given several times. Without a value, the tag is left out.
    #[arg(long = "tags", value_name = "NAME=VALUE", value_parser = parse_tag)]
    pub(crate) tags: Vec<(String, String)>,
}

/// Whether old files may be replaced.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(crate) struct ReplaceArguments {
    /// Replace files that exist.
    #[arg(long)]
    pub(crate) overwrite: bool,
}

impl ReplaceArguments {
    /// Rejects a file that exists.
    pub(crate) fn check(self, path: &Path) -> Result<()> {
        // A link that leads nowhere exists, too.
        if self.overwrite || path.symlink_metadata().is_err() {
            return Ok(());
        }
        let what = "exists already; --overwrite replaces it".to_owned();
        Err(Error::Argument { path: Some(path.to_path_buf()), parameter: Parameter::Target, what })
    }

    /// As [`check`](Self::check), for a place that may be a pipe.
    pub(crate) fn check_place(self, place: &Place) -> Result<()> {
        place.path().map_or(Ok(()), |path| self.check(path))
    }
}

/// The noise that is added before samples are rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DitherKind {
    /// No noise.
    None,
    /// Noise with a triangular distribution.
    Tpdf,
}

impl FormArguments {
    /// The format of the file at `place`.
    pub(crate) fn format_of(&self, place: &Place) -> Result<FileFormat> {
        match (&self.format, place.path()) {
            (Some(name), _) => FileFormat::named(name),
            (None, Some(path)) => FileFormat::of_path(path).map_err(|error| error.in_file(path)),
            (None, None) => Err(Error::Argument {
                path: None,
                parameter: Parameter::FileFormat,
                what: "must be given for standard output, such as --format wav".to_owned(),
            }),
        }
    }

    /// The options of a file of this format that holds these frames of `reader`, or more than them.
    pub(crate) fn options(
        &self,
        format: FileFormat,
        reader: &Reader,
        reading: &Reading,
        frames: Option<&Range<u64>>,
        max_threads: usize,
    ) -> Result<sink::SaveOptions> {
        let named = SaveOptions::for_format(format.name(), reader.sample_rate(), reading.num_channels)?;
        let mut options = named.into_inner();
        options.format = format;
        options.max_threads = max_threads;
        options.bitrate = self.bitrate;
        options.quality = self.quality;
        options.effort = self.effort;
        if self.dither == Some(DitherKind::Tpdf) {
            options.dither = Dither::Tpdf { seed: 0 };
        }
        match (&self.encoding, self.bits) {
            (Some(name), _) => options.encoding = name.parse().unwrap_or(Encoding::Pcm(PcmEncoding::F32)),
            (None, Some(bits)) => set_bits(&mut options, bits),
            (None, None) => keep_depth(&mut options, reading.depth),
        }
        self.keep_metadata(&mut options, reader, frames)?;
        if reading.spec.channels == ChannelSelection::All {
            keep_speakers(&mut options, reader.track().channel_mask);
        }
        Ok(options)
    }

    /// Has the new file keep the source's metadata, as far as its format can hold it, and sets the tags that are given.
    ///
    /// # Errors
    /// [`Error::Argument`] for a given tag that the format cannot hold.
    fn keep_metadata(
        &self,
        options: &mut sink::SaveOptions,
        reader: &Reader,
        frames: Option<&Range<u64>>,
    ) -> Result<()> {
        let given: Vec<(String, String)> =
            self.tags.iter().filter(|(_, value)| !value.is_empty()).cloned().collect();
        sink::is_lossless(&sink::SaveOptions { tags: given.clone(), ..options.clone() })?;
        let found = reader.metadata();
        let is_given = |name: &str| self.tags.iter().any(|(given, _)| given == name);
        options.tags =
            found.tags.into_iter().filter(|(name, _)| !is_given(name) && name != "encoder").collect();
        options.tags.extend(given);
        options.pictures = reader.pictures().unwrap_or_default();
        options.on_unknown = OnUnknown::Drop;
        let Some(frames) = frames else { return Ok(()) };
        let is_at_rate = reader.track().sample_rate == reader.sample_rate();
        options.markers = moved_markers(reader, found.markers, frames);
        // Its time is that of the first frame.
        if *frames == (0..reader.num_frames()) && is_at_rate {
            options.bext = found.bext;
        }
        Ok(())
    }
}

/// The markers that begin within a part of a file, counted in frames of the reader from its beginning: those of the file count its
/// own frames.
pub(crate) fn moved_markers(reader: &Reader, markers: Vec<Marker>, frames: &Range<u64>) -> Vec<Marker> {
    let (file_rate, rate) = (u128::from(reader.track().sample_rate), u128::from(reader.sample_rate()));
    let of_reader = |frame: u64| u64::try_from(u128::from(frame) * rate / file_rate).unwrap_or(u64::MAX);
    let moved = |frame: u64| of_reader(frame).clamp(frames.start, frames.end) - frames.start;
    let inside = markers.into_iter().filter(|marker| frames.contains(&of_reader(marker.start)));
    inside.map(|marker| Marker { start: moved(marker.start), end: marker.end.map(moved), ..marker }).collect()
}

/// Chooses the encoding of a bit depth: 8 bits of a codec are not an encoding of their own.
fn set_bits(options: &mut sink::SaveOptions, bits: PcmEncoding) {
    match (&options.format, bits) {
        (FileFormat::Compressed { .. }, PcmEncoding::Pcm8) => options.bits_per_sample = Some(8),
        _ => options.encoding = Encoding::Pcm(bits),
    }
}

/// Chooses an encoding that keeps every sample, where the format has one.
fn keep_depth(options: &mut sink::SaveOptions, depth: Depth) {
    let exact = match depth {
        Depth::Sixteen => PcmEncoding::Pcm16,
        Depth::TwentyFour => PcmEncoding::Pcm24,
        Depth::ThirtyTwo => PcmEncoding::Pcm32,
        Depth::Single => PcmEncoding::F32,
        Depth::Double => PcmEncoding::F64,
    };
    // A lossy codec has no bit depth, and asking further would load every plugin.
    if !sink::is_lossless(options).unwrap_or(true) {
        return;
    }
    let mut wanted = options.clone();
    wanted.encoding = Encoding::Pcm(exact);
    // What it cannot store, it rejects; then the format's default stays, and whatever else is wrong is rejected with it.
    if sink::is_lossless(&wanted).is_ok_and(|is_lossless| is_lossless) {
        options.encoding = wanted.encoding;
    }
}

/// Keeps the positions of the speakers where the format has them.
fn keep_speakers(options: &mut sink::SaveOptions, channel_mask: u32) {
    let is_ours = !matches!(options.format, FileFormat::Compressed { .. });
    if channel_mask == 0 || !(is_ours || options.format.name() == "flac") {
        return;
    }
    let wanted = sink::SaveOptions { channel_mask, ..options.clone() };
    if sink::is_lossless(&wanted).is_ok() {
        options.channel_mask = channel_mask;
    }
}

fn parse_bits(text: &str) -> std::result::Result<PcmEncoding, String> {
    match text {
        "8" => Ok(PcmEncoding::Pcm8),
        "16" => Ok(PcmEncoding::Pcm16),
        "24" => Ok(PcmEncoding::Pcm24),
        "32" => Ok(PcmEncoding::Pcm32),
        _ => Err("expected 8, 16, 24 or 32; --encoding float32 writes floats".to_owned()),
    }
}

/// A bitrate as "128000" or "128k".
fn parse_bitrate(text: &str) -> std::result::Result<u32, String> {
    let wrong = || "expected bits per second, such as 128k or 128000".to_owned();
    let thousands = text.strip_suffix(['k', 'K']);
    let number: u32 = thousands.unwrap_or(text).parse().map_err(|_| wrong())?;
    let bits = if thousands.is_some() { number.checked_mul(1000) } else { Some(number) };
    bits.filter(|&bits| bits > 0).ok_or_else(wrong)
}

pub(crate) fn parse_tag(text: &str) -> std::result::Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_lowercase(), value.to_owned())),
        _ => Err("expected NAME=VALUE, such as title=Rain".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bitrates_are_bits_or_thousands() {
        assert_eq!(parse_bitrate("128k"), Ok(128_000));
        assert_eq!(parse_bitrate("96000"), Ok(96_000));
        for wrong in ["", "k", "0", "-1", "12.5k", "5000000k"] {
            assert!(parse_bitrate(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_tag_has_a_name() {
        assert_eq!(parse_tag("Title=a=b"), Ok(("title".to_owned(), "a=b".to_owned())));
        assert_eq!(parse_tag("title="), Ok(("title".to_owned(), String::new())));
        assert!(parse_tag("title").is_err() && parse_tag("=x").is_err());
    }
}
