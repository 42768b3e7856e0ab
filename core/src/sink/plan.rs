//! How a file is going to be written: every choice made, and everything refused that cannot be.

#![forbid(unsafe_code)]

use super::dither::Dither;
use super::encoding::{Encoding, PcmEncoding};
use super::format::{FileFormat, known_formats};
use super::options::SaveOptions;
use super::tags;
use crate::error::{Error, Result};
use crate::host;
use crate::pcm::{OutputFormat, SampleFormat};

/// Codecs from which samples come out as they went in.
const LOSSLESS: [&str; 6] = ["flac", "alac", "wavpack", "tta", "ape", "mlp"];

/// The depth of a lossless codec for samples that are not of 16 bits.
const DEEP: u16 = 24;

/// How a file is going to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// By this crate, with these samples.
    Pcm(SampleFormat),
    /// By a codec plugin.
    Coded {
        container: String,
        codec: String,
        /// The depth of a lossless codec in bits; `None` for a lossy one.
        bits: Option<u16>,
    },
}

impl Plan {
    /// Makes all choices for samples of the type `from`.
    ///
    /// # Errors
    /// [`Error::Argument`] that lists what is possible; [`Error::Unsupported`] when no plugin writes the container.
    pub(super) fn new(options: &SaveOptions, from: OutputFormat) -> Result<Self> {
        if options.sample_rate == 0 {
            return Err(Error::argument("sr", "at least 1 Hz", 0));
        }
        if options.num_channels == 0 {
            return Err(Error::argument("channels", "at least 1", 0));
        }
        let num_speakers = options.channel_mask.count_ones();
        if num_speakers > 0 && num_speakers != options.num_channels.into() {
            let expected = format!("a mask of {} speakers, one for each channel", options.num_channels);
            return Err(Error::argument("channel_mask", expected, format!("{num_speakers} speakers")));
        }
        let plan = Self::choose(options, from)?;
        plan.check(options)?;
        tags::check(&options.format, &options.tags)?;
        Ok(plan)
    }

    fn choose(options: &SaveOptions, from: OutputFormat) -> Result<Self> {
        let format = &options.format;
        match (&options.encoding, format) {
            (Encoding::Pcm(depth), FileFormat::Coded { .. }) => Self::default_codec(options, *depth, from),
            (Encoding::Pcm(depth), _) => {
                format.sample_format(*depth).map(Self::Pcm).ok_or_else(|| refuse_encoding(options, &[]))
            }
            (Encoding::Codec(codec), _) => {
                let codecs = format.codecs();
                if codecs.is_empty() && matches!(format, FileFormat::Coded { .. }) {
                    return Err(unwritable(format));
                }
                if !codecs.contains(codec) {
                    return Err(refuse_encoding(options, &codecs));
                }
                Ok(Self::coded(options, codec.clone(), None, from))
            }
        }
    }

    /// The codec that a container usually has; a depth of integers is a lossless codec's.
    fn default_codec(options: &SaveOptions, depth: PcmEncoding, from: OutputFormat) -> Result<Self> {
        let codecs = options.format.codecs();
        let usual = match options.format.name() {
            // AAC and Vorbis are what their containers were made for, in whatever order plugins list them.
            "m4a" => Some("aac"),
            "ogg" => Some("vorbis"),
            _ => None,
        };
        let usual = usual.filter(|usual| codecs.iter().any(|codec| codec == usual)).map(str::to_owned);
        let Some(codec) = usual.or_else(|| codecs.first().cloned()) else {
            return Err(unwritable(&options.format));
        };
        let is_lossless = LOSSLESS.contains(&codec.as_str());
        match depth.integer_bits() {
            None if depth == PcmEncoding::F32 => Ok(Self::coded(options, codec, None, from)),
            Some(bits) if is_lossless => Ok(Self::coded(options, codec, Some(bits), from)),
            _ => Err(refuse_encoding(options, &codecs)),
        }
    }

    fn coded(options: &SaveOptions, codec: String, bits: Option<u16>, from: OutputFormat) -> Self {
        let is_lossless = LOSSLESS.contains(&codec.as_str());
        let usual = if from == OutputFormat::I16 { 16 } else { DEEP };
        let bits = is_lossless.then(|| bits.or(options.bits_per_sample).unwrap_or(usual));
        Self::Coded { container: options.format.name().to_owned(), codec, bits }
    }

    /// Whether samples end as integers.
    pub(super) fn is_integer(&self) -> bool {
        match self {
            Self::Pcm(format) => format.is_integer(),
            Self::Coded { bits, .. } => bits.is_some(),
        }
    }

    /// Whether any sample fits, also beyond full scale.
    pub(super) fn fits_all(&self) -> bool {
        matches!(self, Self::Pcm(format) if format.is_float())
    }

    /// Refuses what is asked for and would be of no effect.
    fn check(&self, options: &SaveOptions) -> Result<()> {
        let encoding = match self {
            Self::Pcm(format) => format.subtype(),
            Self::Coded { codec, .. } => codec,
        };
        let refuse = |name, what: &str, got: String| {
            Err(Error::argument(
                name,
                format!("left out: {encoding} in {} {what}", options.format.name()),
                got,
            ))
        };
        let is_lossless = !matches!(self, Self::Coded { bits: None, .. });
        if let Some(bitrate) = options.bitrate.filter(|_| is_lossless) {
            return refuse("bitrate", "is lossless and has none to choose", bitrate.to_string());
        }
        if let Some(quality) = options.quality.filter(|_| is_lossless) {
            return refuse("quality", "is lossless and has none to choose", quality.to_string());
        }
        for (name, percent) in [("quality", options.quality), ("effort", options.effort)] {
            if let Some(percent) = percent.filter(|percent| !(1..=100).contains(percent)) {
                return Err(Error::argument(name, "from 1 to 100", percent));
            }
        }
        if let (Some(effort), Self::Pcm(_)) = (options.effort, self) {
            return refuse("effort", "is not compressed", effort.to_string());
        }
        let is_aiff = matches!(options.format, FileFormat::Aiff | FileFormat::Aifc);
        if is_aiff && options.channel_mask != 0 {
            return refuse("channel_mask", "has no place for it", format!("{:#x}", options.channel_mask));
        }
        if options.bitrate == Some(0) {
            return Err(Error::argument("bitrate", "at least 1 bit a second", 0));
        }
        if options.dither != Dither::None && !self.is_integer() {
            return refuse("dither", "does not round samples to integers", "'tpdf'".to_owned());
        }
        match (self, options.bits_per_sample) {
            (_, None) => {}
            (Self::Coded { bits: Some(_), .. }, Some(8..=32)) => {}
            (Self::Coded { bits: Some(_), .. }, Some(bits)) => {
                return Err(Error::argument("bit_depth", "from 8 to 32", bits));
            }
            (_, Some(bits)) => {
                return refuse("bit_depth", "has no depth of its own to choose", bits.to_string());
            }
        }
        if let (Self::Pcm(_), Some(plugin)) = (self, &options.plugin) {
            return refuse("codec", "is written without a plugin", format!("'{plugin}'"));
        }
        Ok(())
    }
}

fn refuse_encoding(options: &SaveOptions, codecs: &[String]) -> Error {
    let mut names: Vec<&str> = Vec::new();
    if let FileFormat::Coded { .. } = options.format {
        if codecs.first().is_some_and(|codec| LOSSLESS.contains(&codec.as_str())) {
            names.extend(["pcm16", "pcm24"]);
        }
        names.push("float32");
    } else {
        names.extend(PcmEncoding::ALL.map(PcmEncoding::name));
    }
    names.extend(codecs.iter().map(String::as_str));
    let names: Vec<String> = names.into_iter().map(|name| format!("'{name}'")).collect();
    let expected = format!("one of {} for a {} file", names.join(", "), options.format.name());
    Error::argument("encoding", expected, format!("'{}'", options.encoding))
}

fn unwritable(format: &FileFormat) -> Error {
    let what = format!("no loaded plugin writes '{}'; the format is {}", format.name(), known_formats());
    Error::Unsupported { path: None, container: None, codec: None, what: what + &host::not_there() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::pcm::ByteOrder::{Big, Little};

    fn options(format: &str, encoding: &str) -> SaveOptions {
        let encoding = encoding.parse().unwrap();
        SaveOptions { encoding, ..SaveOptions::new(FileFormat::named(format).unwrap(), 44_100, 2) }
    }

    fn refusal(options: &SaveOptions) -> String {
        Plan::new(options, OutputFormat::F32).unwrap_err().to_string()
    }

    #[test]
    fn every_depth_has_its_samples_in_every_container_of_ours() {
        for (format, order) in [
            ("wav", Little),
            ("rf64", Little),
            ("w64", Little),
            ("aiff", Big),
            ("aifc", Big),
            ("caf", Little),
        ] {
            for depth in PcmEncoding::ALL {
                let plan = Plan::new(&options(format, depth.name()), OutputFormat::F32).unwrap();
                let Plan::Pcm(samples) = plan else { panic!("{format} is ours") };
                if let Some(bits) = depth.integer_bits() {
                    assert_eq!(samples.num_bytes() * 8, bits.into());
                }
                if depth == PcmEncoding::Pcm24 {
                    assert_eq!(samples, SampleFormat::S24(order));
                }
            }
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_before_anything_is_written() {
        let wav = || options("wav", "pcm16");
        assert!(refusal(&SaveOptions { sample_rate: 0, ..wav() }).starts_with("sr must be at least 1 Hz"));
        assert!(refusal(&SaveOptions { num_channels: 0, ..wav() }).contains("channels"));
        assert!(refusal(&SaveOptions { channel_mask: 0x3f, ..wav() }).contains("6 speakers"));
        assert!(
            refusal(&SaveOptions { bitrate: Some(128_000), ..wav() }).starts_with("bitrate must be left out")
        );
        assert!(refusal(&SaveOptions { quality: Some(5), ..wav() }).starts_with("quality must be left out"));
        assert!(refusal(&SaveOptions { effort: Some(5), ..wav() }).contains("not compressed"));
        assert!(refusal(&SaveOptions { bits_per_sample: Some(20), ..wav() }).starts_with("bit_depth"));
        assert!(
            refusal(&SaveOptions { plugin: Some("libav".to_owned()), ..wav() }).contains("without a plugin")
        );
        let aiff = SaveOptions { channel_mask: 0x3, ..options("aiff", "pcm16") };
        assert!(refusal(&aiff).starts_with("channel_mask must be left out"));
        let floats = SaveOptions { dither: Dither::Tpdf { seed: 0 }, ..options("wav", "float32") };
        assert!(refusal(&floats).contains("does not round"));
        let message = refusal(&options("wav", "opus"));
        assert!(message.contains("'float32', 'pcm16'") && message.contains("got 'opus'"), "{message}");
        assert!(refusal(&options("xyz", "float32")).contains("no loaded plugin writes 'xyz'"));
    }
}
