//! What is encoded in tests, and how it is read back.

#![forbid(unsafe_code)]

use std::ffi::CString;

use mapwave_plugin_abi::MW_UNSUPPORTED;

use crate::context::Context;
use crate::guard_pages::Side;
use crate::host::{
    Decoder, DecoderTable, EncodeOptions, EncoderTable, Fault, Format, GuardedBuffer, Input, Layout,
    OpenOptions, Refusal, StreamInfo,
};
use crate::reference::{Shape, USUAL_FRAMES, drain};
use crate::signal;
use crate::verdict::{Finding, Outcome};

/// Sample rates to try; an encoder probably supports one of the first.
const RATES: [u32; 12] =
    [44_100, 48_000, 32_000, 24_000, 16_000, 8000, 22_050, 11_025, 12_000, 96_000, 192_000, 6000];

/// Numbers of channels to try, where any will do.
const CHANNELS: [u32; 7] = [2, 1, 6, 4, 3, 8, 5];

/// The lowest signal-to-noise ratio in decibels that a lossy codec may have.
const LEAST_SNR: f64 = 10.0;

/// A stream to be encoded.
pub struct Original {
    /// The options that the encoder takes, without the number of frames.
    pub options: EncodeOptions,
    /// The samples, interleaved.
    pub samples: Vec<i16>,
}

impl Original {
    /// A chord at a rate that the encoder supports; `None` if it supports none with that many channels.
    pub fn new(table: &EncoderTable, num_channels: u32, num_frames: usize) -> Outcome<Option<Self>> {
        Self::with(table, num_channels, num_frames, &|options| options)
    }

    /// As [`Original::new`], of as many channels as the encoder supports, with options that are changed first.
    pub fn any(
        table: &EncoderTable,
        num_frames: usize,
        wanted: &dyn Fn(EncodeOptions) -> EncodeOptions,
    ) -> Outcome<Option<Self>> {
        for num_channels in CHANNELS {
            if let Some(original) = Self::with(table, num_channels, num_frames, wanted)? {
                return Ok(Some(original));
            }
        }
        Ok(None)
    }

    fn with(
        table: &EncoderTable,
        num_channels: u32,
        num_frames: usize,
        wanted: &dyn Fn(EncodeOptions) -> EncodeOptions,
    ) -> Outcome<Option<Self>> {
        for rate in RATES {
            let options = wanted(EncodeOptions::new(rate, num_channels));
            match table.open(&options) {
                Ok(_) => {
                    let samples = signal::chord(num_channels, num_frames, rate, 1);
                    return Ok(Some(Self { options, samples }));
                }
                Err(Fault::Refused(_)) => {}
                Err(Fault::Broken(finding)) => return Err(finding),
            }
        }
        Ok(None)
    }

    fn shape(&self, format: Format, layout: Layout) -> Shape {
        Shape { format, layout, num_channels: self.options.num_channels }
    }

    /// The stream encoded, in blocks of `next_size` frames.
    pub fn encode(
        &self,
        table: &EncoderTable,
        options: &EncodeOptions,
        (format, layout): (Format, Layout),
        mut next_size: impl FnMut() -> usize,
    ) -> Result<Vec<u8>, Fault> {
        let mut encoder = table.open(options)?;
        let pcm = signal::encode(format, &self.samples);
        let frame_bytes = self.shape(format, layout).frame_bytes().max(1);
        let mut rest = pcm.as_slice();
        while !rest.is_empty() {
            let (block, after) = rest.split_at_checked(next_size() * frame_bytes).unwrap_or((rest, &[]));
            encoder.push_buffer(&mut GuardedBuffer::of(format, layout, options.num_channels, block))?;
            rest = after;
        }
        encoder.finish()?;
        let sink = encoder.sink();
        let bytes = sink.bytes();
        let num_writes = sink.num_writes();
        drop(encoder);
        if sink.num_writes() != num_writes {
            return Err(Fault::broken("write_at", "close wrote after finish"));
        }
        Ok(bytes)
    }

    /// The stream encoded in the usual way, from the encoder's first format.
    pub fn encode_usually(&self, table: &EncoderTable) -> Outcome<Vec<u8>> {
        let format = first_format(table)?;
        let options = self.with_count();
        Ok(self.encode(table, &options, (format, Layout::Interleaved), || USUAL_FRAMES)?)
    }

    /// The options, with the number of frames.
    pub fn with_count(&self) -> EncodeOptions {
        let num_frames = self.samples.len() / self.options.num_channels.max(1) as usize;
        EncodeOptions { num_frames: Some(num_frames as u64), ..self.options.clone() }
    }
}

/// The first format that the encoder takes.
pub fn first_format(table: &EncoderTable) -> Outcome<Format> {
    let formats = table.formats()?;
    formats.first().copied().ok_or_else(|| Finding::broken("R1", "the encoder has no format"))
}

/// A stream that the encoder supports.
pub fn usual(table: &EncoderTable, num_frames: usize) -> Outcome<Original> {
    let original = Original::any(table, num_frames, &|options| options)?;
    original.ok_or_else(|| {
        let channels = CHANNELS.map(|count| count.to_string()).join(", ");
        let reason =
            format!("the encoder rejects {channels} channels at each of {} common rates", RATES.len());
        Finding::untested(reason)
    })
}

/// The decoders that read what an encoder writes.
pub struct Readers {
    own: Vec<DecoderTable>,
    others: Vec<DecoderTable>,
}

impl Readers {
    /// Those of the plugin, and those of the plugins that the check knows.
    pub fn new(context: &Context) -> Outcome<Self> {
        let (own, others) = context.readers()?;
        Ok(Self { own, others })
    }

    /// The decoders that claim a file, the highest score first: those of the plugin, by its bytes and then by the extension, and those of
    /// others.
    fn claiming(&self, bytes: &[u8], extension: &str) -> Outcome<Vec<(&DecoderTable, Option<CString>)>> {
        let extension = CString::new(extension).unwrap_or_default();
        let mut claiming = Vec::new();
        for (decoders, name) in [(&self.own, None), (&self.own, Some(extension)), (&self.others, None)] {
            let mut scored = Vec::new();
            for decoder in decoders {
                scored.push((decoder.score_named(bytes, name.as_deref())?, decoder));
            }
            scored.retain(|(score, _)| *score > 0);
            scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
            claiming.extend(scored.into_iter().map(|(_, decoder)| (decoder, name.clone())));
        }
        Ok(claiming)
    }

    fn open(&self, original: &Original, table: &EncoderTable, bytes: &[u8]) -> Outcome<Option<Decoder>> {
        // The name of a container is the usual extension.
        let container = match &original.options.container {
            Some(container) => container.clone(),
            None => table.containers()?.into_iter().next().unwrap_or_default(),
        };
        for (decoder, extension) in self.claiming(bytes, &container)? {
            let input = Input::memory_named(bytes, Side::End, extension)?;
            match decoder.open(&input, &OpenOptions::default()) {
                // Another may read it, as after a guess that was wrong.
                Err(Fault::Refused(Refusal { status: MW_UNSUPPORTED, .. })) => {}
                opened => return Ok(Some(opened?)),
            }
        }
        Ok(None)
    }

    /// The info and the samples of an encoded stream; `None` if no decoder reads it.
    pub fn decode(
        &self,
        original: &Original,
        table: &EncoderTable,
        bytes: &[u8],
    ) -> Outcome<Option<(StreamInfo, Vec<u8>)>> {
        let Some(mut decoder) = self.open(original, table, bytes)? else { return Ok(None) };
        let info = decoder.info()?;
        let (pcm, _) = drain(&mut decoder, Shape::native(&info), usize::MAX, || USUAL_FRAMES)?;
        Ok(Some((info, pcm)))
    }

    /// Rejects an encoded stream that does not come back; `None` if no decoder reads it.
    pub fn come_back(
        &self,
        original: &Original,
        table: &EncoderTable,
        bytes: &[u8],
        format: Format,
        what: &str,
    ) -> Outcome<Option<()>> {
        match self.decode(original, table, bytes)? {
            Some((info, pcm)) => compare(original, &info, &pcm, format, what).map(Some),
            None => Ok(None),
        }
    }
}

fn compare(original: &Original, info: &StreamInfo, pcm: &[u8], format: Format, what: &str) -> Outcome {
    let options = &original.options;
    if (info.sample_rate, info.num_channels) != (options.sample_rate, options.num_channels) {
        let reason = format!(
            "{what} of {} channels at {} Hz came back as {} channels at {} Hz",
            options.num_channels, options.sample_rate, info.num_channels, info.sample_rate
        );
        return Err(Finding::broken("finish", reason));
    }
    let (got, expected) = (
        signal::levels(info.native_format, pcm),
        signal::levels(Format::I16, &signal::encode(Format::I16, &original.samples)),
    );
    if got.len() != expected.len() {
        let channels = options.num_channels as usize;
        let reason = format!(
            "{what}: {} frames came back, expected {}",
            got.len() / channels,
            expected.len() / channels
        );
        return Err(Finding::broken("finish", reason));
    }
    let fits = info.bits_per_sample >= 16 || format == info.native_format;
    if info.is_lossless && fits {
        return match got.iter().zip(&expected).position(|(a, b)| a != b) {
            None => Ok(()),
            Some(place) => {
                let reason =
                    format!("{what}: sample {place} changed, although the stream is declared lossless");
                Err(Finding::broken("push", reason))
            }
        };
    }
    // A lossy codec may lose much of a very short stream.
    let decibels = signal::signal_to_noise(&expected, &got);
    if decibels < LEAST_SNR && expected.len() >= 1000 {
        let reason = format!(
            "{what}: the difference is {decibels:.1} dB below the sound, expected at least {LEAST_SNR}"
        );
        return Err(Finding::broken("push", reason));
    }
    Ok(())
}
