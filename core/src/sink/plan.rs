//! Plans how to write a file: makes all choices and rejects unsupported options.

#![forbid(unsafe_code)]

use super::dither::Dither;
use super::encoding::{Encoding, PcmEncoding};
use super::format::{FileFormat, known_formats};
use super::metadata::check_tags;
use super::options::SaveOptions;
use crate::error::{Error, Parameter, Result, a_file};
use crate::host::{self, Writable};
use crate::pcm::{OutputFormat, SampleFormat};

/// The bit depth of a lossless codec for samples that do not have 16 bits.
const DEEP: u16 = 24;

/// The bit depths to which samples can be rounded for a codec.
const DEPTHS: [u16; 4] = [8, 16, 24, 32];

/// How to write a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// By this crate, with this sample format.
    Pcm(SampleFormat),
    /// By a codec plugin.
    Compressed {
        container: String,
        codec: String,
        /// The bit depth of a lossless codec; `None` for a lossy one.
        bits_per_sample: Option<u16>,
    },
}

impl Plan {
    /// Makes all choices for samples of the type `from`.
    ///
    /// # Errors
    /// [`Error::Argument`], with a list of the supported values; [`Error::Unsupported`] if no plugin writes the container.
    pub(super) fn new(options: &SaveOptions, from: OutputFormat) -> Result<Self> {
        Self::among(options, from, Writable::stages)
    }

    /// As [`new`](Self::new), with the formats of plugins, which are only asked if one is needed.
    fn among<W>(options: &SaveOptions, from: OutputFormat, stages: impl Fn() -> W) -> Result<Self>
    where
        W: IntoIterator<Item = Writable>,
    {
        if options.sample_rate == 0 {
            return Err(Error::argument(Parameter::SampleRate, "at least 1 Hz", 0));
        }
        if options.num_channels == 0 {
            return Err(Error::argument(Parameter::Channels, "at least 1", 0));
        }
        if !(options.gain > 0.0 && options.gain.is_finite()) {
            return Err(Error::argument(Parameter::Gain, "greater than 0 and finite", options.gain));
        }
        let num_speakers = options.channel_mask.count_ones();
        if num_speakers > 0 && num_speakers != options.num_channels.into() {
            let expected = format!("a mask of {} speakers, one for each channel", options.num_channels);
            return Err(Error::argument(
                Parameter::ChannelMask,
                expected,
                format!("{num_speakers} speakers"),
            ));
        }
        let plan = Self::choose(options, from, || Codecs::among(options, from, stages()))?;
        plan.check(options)?;
        check_tags(options)?;
        Ok(plan)
    }

    fn choose(options: &SaveOptions, from: OutputFormat, codecs: impl Fn() -> Codecs) -> Result<Self> {
        let format = &options.format;
        match (&options.encoding, format) {
            (Encoding::Pcm(depth), FileFormat::Compressed { .. }) => {
                Self::default_codec(options, *depth, &codecs(), from)
            }
            (Encoding::Pcm(depth), _) => format
                .sample_format(*depth)
                .map(Self::Pcm)
                .ok_or_else(|| refuse_encoding(options, &Codecs::default())),
            (Encoding::Codec(codec), _) => {
                let codecs = codecs();
                if codecs.names.is_empty() && matches!(format, FileFormat::Compressed { .. }) {
                    return Err(unwritable(format));
                }
                if !codecs.names.contains(codec) {
                    return Err(refuse_encoding(options, &codecs));
                }
                Ok(Self::compressed(options, codec, &codecs, None, from))
            }
        }
    }

    /// The default codec of a container. An integer encoding sets the bit depth of a lossless codec.
    fn default_codec(
        options: &SaveOptions,
        depth: PcmEncoding,
        codecs: &Codecs,
        from: OutputFormat,
    ) -> Result<Self> {
        let Some(codec) = &codecs.usual else { return Err(unwritable(&options.format)) };
        match depth.integer_bits() {
            None if depth == PcmEncoding::F32 => Ok(Self::compressed(options, codec, codecs, None, from)),
            Some(bits) if codecs.depths(codec).is_some() => {
                Ok(Self::compressed(options, codec, codecs, Some(bits), from))
            }
            _ => Err(refuse_encoding(options, codecs)),
        }
    }

    fn compressed(
        options: &SaveOptions,
        codec: &str,
        codecs: &Codecs,
        bits: Option<u16>,
        from: OutputFormat,
    ) -> Self {
        let depths = codecs.depths(codec);
        let bits_per_sample = depths.map(|depths| {
            bits.or(options.bits_per_sample).unwrap_or_else(|| nearest(&depths, depth_for(from)))
        });
        Self::Compressed {
            container: options.format.name().to_owned(),
            codec: codec.to_owned(),
            bits_per_sample,
        }
    }

    /// Whether samples are stored as integers.
    pub(super) fn is_integer(&self) -> bool {
        match self {
            Self::Pcm(format) => format.is_integer(),
            Self::Compressed { bits_per_sample, .. } => bits_per_sample.is_some(),
        }
    }

    /// Whether all samples fit, even beyond full scale.
    pub(super) fn fits_all(&self) -> bool {
        matches!(self, Self::Pcm(format) if format.is_float())
    }

    /// Rejects options that would be ignored.
    fn check(&self, options: &SaveOptions) -> Result<()> {
        let encoding = match self {
            Self::Pcm(format) => format.subtype(),
            Self::Compressed { codec, .. } => codec,
        };
        let ignored = |parameter, why: &str, got: String| {
            let what = format!("does not apply to {encoding} in {}, {why}; got {got}", options.format.name());
            Err(Error::Argument { path: None, parameter, what })
        };
        let is_lossless = !matches!(self, Self::Compressed { bits_per_sample: None, .. });
        if let Some(bitrate) = options.bitrate.filter(|_| is_lossless) {
            return ignored(Parameter::Bitrate, "which is lossless", bitrate.to_string());
        }
        if let Some(quality) = options.quality.filter(|_| is_lossless) {
            return ignored(Parameter::Quality, "which is lossless", quality.to_string());
        }
        for (parameter, percent) in
            [(Parameter::Quality, options.quality), (Parameter::Effort, options.effort)]
        {
            if let Some(percent) = percent.filter(|percent| !(1..=100).contains(percent)) {
                return Err(Error::argument(parameter, "from 1 to 100", percent));
            }
        }
        if let (Some(effort), Self::Pcm(_)) = (options.effort, self) {
            return ignored(Parameter::Effort, "which is not compressed", effort.to_string());
        }
        let has_mask = options.format.facts().is_none_or(|facts| facts.has_channel_mask);
        if !has_mask && options.channel_mask != 0 {
            let got = format!("{:#x}", options.channel_mask);
            return ignored(Parameter::ChannelMask, "which cannot store it", got);
        }
        if options.bitrate == Some(0) {
            return Err(Error::argument(Parameter::Bitrate, "at least 1 bit per second", 0));
        }
        if options.dither != Dither::None && !self.is_integer() {
            let why = "which does not round samples to integers";
            return ignored(Parameter::Dither, why, "'tpdf'".to_owned());
        }
        match (self, options.bits_per_sample) {
            (_, None) => {}
            (Self::Compressed { bits_per_sample: Some(_), .. }, Some(8..=32)) => {}
            (Self::Compressed { bits_per_sample: Some(_), .. }, Some(bits)) => {
                return Err(Error::argument(Parameter::BitsPerSample, "from 8 to 32", bits));
            }
            (Self::Compressed { bits_per_sample: None, .. }, Some(bits)) => {
                return ignored(Parameter::BitsPerSample, "which has no bit depth", bits.to_string());
            }
            (Self::Pcm(_), Some(bits)) => {
                let known = PcmEncoding::ALL.into_iter().find(|known| known.integer_bits() == Some(bits));
                let why = match known {
                    Some(known) => format!("whose encoding sets it: choose the encoding '{}'", known.name()),
                    None => "whose encoding sets it".to_owned(),
                };
                return ignored(Parameter::BitsPerSample, &why, bits.to_string());
            }
        }
        if let (Self::Pcm(_), Some(plugin)) = (self, &options.plugin) {
            return ignored(Parameter::Plugin, "which is written without a plugin", format!("'{plugin}'"));
        }
        if let (Self::Pcm(_), Some((name, _))) = (self, options.plugin_options.first()) {
            let why = "which is written without a plugin";
            return ignored(Parameter::PluginOptions, why, format!("'{name}'"));
        }
        Ok(())
    }
}

/// Whether the file that the options describe keeps samples as they are, within its bit depth.
///
/// ```
/// use mapwave_core::sink::{self, FileFormat, SaveOptions};
///
/// assert!(sink::is_lossless(&SaveOptions::new(FileFormat::Wav, 16_000, 1))?);
/// # Ok::<(), mapwave_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Argument`] and [`Error::Unsupported`] for options that no file can have.
pub fn is_lossless(options: &SaveOptions) -> Result<bool> {
    let plan = Plan::new(options, OutputFormat::F32)?;
    Ok(!matches!(plan, Plan::Compressed { bits_per_sample: None, .. }))
}

/// The codecs that plugins write in a format.
#[derive(Debug, Default)]
struct Codecs {
    /// Every codec.
    names: Vec<String>,
    /// The default that a plugin states.
    stated: Option<String>,
    /// The default, stated or not.
    usual: Option<String>,
    writable: Writable,
}

impl Codecs {
    /// Those of the first stage that decides, or of the last, which has all plugins.
    fn among(options: &SaveOptions, from: OutputFormat, stages: impl IntoIterator<Item = Writable>) -> Self {
        let mut last = Self::default();
        for writable in stages {
            last = Self::new(options, &writable);
            if last.decides(options, from, &writable) {
                break;
            }
        }
        last
    }

    /// Whether plugins that come later would change nothing: neither what is written nor an error.
    fn decides(&self, options: &SaveOptions, from: OutputFormat, all: &Writable) -> bool {
        let (codec, depth) = match &options.encoding {
            Encoding::Codec(codec) => (Some(codec), None),
            Encoding::Pcm(depth) => (implied(options).or(self.stated.as_ref()), Some(*depth)),
        };
        let Some(codec) = codec.filter(|codec| self.names.contains(codec)) else { return false };
        let has_plugin = options.plugin.as_deref().is_none_or(|plugin| all.has_plugin(plugin));
        let is_given = options.bits_per_sample.is_some();
        has_plugin
            && match (self.depths(codec), depth) {
                (None, depth) => depth.is_none_or(|depth| depth == PcmEncoding::F32),
                (Some(_), Some(depth)) if depth.integer_bits().is_some() => true,
                (Some(depths), _) => is_given || depths.contains(&depth_for(from)),
            }
    }

    fn new(options: &SaveOptions, writable: &Writable) -> Self {
        let container = options.format.name();
        let writable = writable.of_container(container, options.plugin.as_deref());
        let mut names = writable.codecs();
        if let Some(codec) = implied(options) {
            names.retain(|name| name == codec);
        }
        let stated = writable.default_codec(container).filter(|codec| names.contains(codec));
        let usual = stated.clone().or_else(|| names.first().cloned());
        Self { names, stated, usual, writable }
    }

    /// The bit depths of a lossless codec, or all if none are stated; `None` for a lossy codec.
    fn depths(&self, codec: &str) -> Option<Vec<u16>> {
        let mut depths = self.writable.lossless_depths(codec)?;
        depths.retain(|bits| DEPTHS.contains(bits));
        Some(if depths.is_empty() { DEPTHS.to_vec() } else { depths })
    }
}

/// The codec that the name of the format implies.
fn implied(options: &SaveOptions) -> Option<&String> {
    match &options.format {
        FileFormat::Compressed { codec, .. } => codec.as_ref(),
        _ => None,
    }
}

/// The bit depth that keeps samples of a type.
fn depth_for(from: OutputFormat) -> u16 {
    if from == OutputFormat::I16 { 16 } else { DEEP }
}

/// Among ascending bit depths, the wanted one, otherwise the next higher one, otherwise the highest.
fn nearest(depths: &[u16], wanted: u16) -> u16 {
    let enough = depths.iter().find(|bits| **bits >= wanted);
    enough.or(depths.last()).copied().unwrap_or(wanted)
}

fn refuse_encoding(options: &SaveOptions, codecs: &Codecs) -> Error {
    let mut names: Vec<&str> = Vec::new();
    if let FileFormat::Compressed { .. } = options.format {
        let depths = codecs.usual.as_deref().and_then(|codec| codecs.depths(codec)).unwrap_or_default();
        let has = |depth: &PcmEncoding| depth.integer_bits().is_some_and(|bits| depths.contains(&bits));
        // 8-bit samples are signed in some containers and unsigned in others: `bits_per_sample` requests them.
        let known = [PcmEncoding::Pcm16, PcmEncoding::Pcm24, PcmEncoding::Pcm32].into_iter().filter(has);
        names.extend(known.map(PcmEncoding::name));
        names.push("float32");
    } else {
        names.extend(PcmEncoding::ALL.map(PcmEncoding::name));
    }
    let names = names.into_iter().chain(codecs.names.iter().map(String::as_str));
    let names: Vec<String> = names.map(|name| format!("'{name}'")).collect();
    let expected = format!("one of {} for {}", names.join(", "), a_file(options.format.name()));
    let absent = match &options.encoding {
        Encoding::Codec(codec) if options.plugin.is_none() => host::no_writer(&[codec]),
        _ => String::new(),
    };
    Error::argument(Parameter::Encoding, expected, format!("'{}'{absent}", options.encoding))
}

fn unwritable(format: &FileFormat) -> Error {
    let what = format!("no loaded plugin writes '{}'; the format must be {}", format.name(), known_formats());
    Error::Unsupported {
        path: None,
        container: None,
        codec: None,
        what: what + &host::no_writer(&[format.name()]),
    }
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
        assert!(
            refusal(&SaveOptions { sample_rate: 0, ..wav() })
                .starts_with("sample_rate must be at least 1 Hz")
        );
        assert!(refusal(&SaveOptions { num_channels: 0, ..wav() }).contains("channels"));
        for gain in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(refusal(&SaveOptions { gain, ..wav() }).starts_with("gain must be greater than 0"));
        }
        assert!(refusal(&SaveOptions { channel_mask: 0x3f, ..wav() }).contains("6 speakers"));
        assert!(
            refusal(&SaveOptions { bitrate: Some(128_000), ..wav() }).starts_with("bitrate does not apply")
        );
        assert!(refusal(&SaveOptions { quality: Some(5), ..wav() }).starts_with("quality does not apply"));
        assert!(refusal(&SaveOptions { effort: Some(5), ..wav() }).contains("not compressed"));
        assert!(
            refusal(&SaveOptions { bits_per_sample: Some(20), ..wav() })
                .starts_with("bits_per_sample does not apply to pcm16 in wav")
        );
        assert!(
            refusal(&SaveOptions { plugin: Some("any".to_owned()), ..wav() }).contains("without a plugin")
        );
        let aiff = SaveOptions { channel_mask: 0x3, ..options("aiff", "pcm16") };
        assert!(refusal(&aiff).starts_with("channel_mask does not apply"));
        let floats = SaveOptions { dither: Dither::Tpdf { seed: 0 }, ..options("wav", "float32") };
        assert!(refusal(&floats).contains("does not round"));
        let message = refusal(&options("wav", "opus"));
        assert!(message.contains("'float32', 'pcm16'") && message.contains("got 'opus'"), "{message}");
        assert!(refusal(&options("xyz", "float32")).contains("no loaded plugin writes 'xyz'"));
    }

    fn compressed(format: &str, encoding: &str, from: OutputFormat, plugin: Option<&str>) -> Result<Plan> {
        let format = FileFormat::Compressed { container: format.to_owned(), codec: None };
        let encoding = encoding.parse().unwrap();
        let plugin = plugin.map(str::to_owned);
        let options = SaveOptions { encoding, plugin, ..SaveOptions::new(format, 44_100, 2) };
        Plan::among(&options, from, || [host::three_plugins()])
    }

    #[test]
    fn a_codec_is_what_its_plugin_says() {
        use OutputFormat::{F32, I16, I32};
        let plan =
            |format: &str, encoding: &str, from, plugin| match compressed(format, encoding, from, plugin) {
                Ok(Plan::Compressed { codec, bits_per_sample, .. }) => (codec, bits_per_sample),
                other => panic!("{format} {encoding}: {other:?}"),
            };
        let is = |codec: &str, bits| (codec.to_owned(), bits);
        assert_eq!(plan("ogg", "float32", I32, None), is("vorbis", None), "the default that is stated");
        assert_eq!(plan("box", "float32", I32, None), is("opus", None), "the first where none is stated");
        assert_eq!(
            plan("ogg", "float32", I32, Some("plain")),
            is("opus", None),
            "of the plugin that is wanted"
        );
        assert_eq!(plan("exa", "float32", F32, None), is("exact", Some(24)));
        assert_eq!(plan("exa", "float32", I16, None), is("exact", Some(16)));
        assert_eq!(plan("exa", "pcm16", I32, None), is("exact", Some(16)));
        assert_eq!(plan("exa", "old", I32, None), is("old", Some(16)), "no deeper than the codec is");
        assert_eq!(plan("exa", "squeeze", I32, None), is("squeeze", None));
        assert_eq!(plan("m4a", "exact", I16, None), is("exact", Some(24)), "no shallower than the samples");
        let refusal = |format, encoding| compressed(format, encoding, F32, None).unwrap_err().to_string();
        let message = refusal("exa", "mp3");
        let expected =
            "one of 'pcm16', 'pcm24', 'float32', 'exact', 'squeeze', 'old' for an exa file, got 'mp3'";
        assert!(message.contains(expected), "{message}");
        assert!(refusal("ogg", "pcm16").contains("one of 'float32', 'opus'"));
        assert!(refusal("xyz", "float32").contains("no loaded plugin writes 'xyz'"));
    }

    #[test]
    fn no_more_plugins_are_asked_than_decide() {
        use OutputFormat::{F32, I16, I32};
        let cases = [
            ("ogg", "opus", F32, None, 1),
            ("exa", "exact", F32, None, 2),
            ("exa", "pcm16", I32, None, 3),
            ("exa", "old", I16, None, 2),
            ("exa", "old", I32, None, 3),
            ("exa", "exact", F32, Some("exact"), 2),
            ("m4a", "exact", F32, Some("many"), 3),
            ("ogg", "opus", F32, Some("many"), 3),
            ("ogg", "float32", F32, None, 3),
            ("box", "float32", F32, None, 3),
        ];
        for (format, encoding, from, plugin, expected) in cases {
            let asked = std::cell::Cell::new(0);
            let count = |stage| {
                asked.set(asked.get() + 1);
                stage
            };
            let file = FileFormat::Compressed { container: format.to_owned(), codec: None };
            let options = SaveOptions {
                encoding: encoding.parse().unwrap(),
                plugin: plugin.map(str::to_owned),
                ..SaveOptions::new(file, 44_100, 2)
            };
            let plan = Plan::among(&options, from, || host::three_stages().map(count)).unwrap();
            assert_eq!(plan, compressed(format, encoding, from, plugin).unwrap(), "{format} {encoding}");
            assert_eq!(asked.get(), expected, "{format} {encoding} {plugin:?}");
        }
    }
}
