//! Tests of encoders.

#![forbid(unsafe_code)]

use crate::context::Context;
use crate::guard_pages::{GuardedBytes, Side};
use crate::host::{
    DecoderTable, EncodeOptions, EncoderTable, ErrorSpace, Fault, Format, GuardedBuffer, Input, Layout,
    OpenOptions,
};
use crate::reference::{Shape, USUAL_FRAMES, drain};
use crate::signal;
use crate::verdict::{Finding, Outcome};

/// Sample rates to try; an encoder probably supports the first.
const RATES: [u32; 6] = [44_100, 48_000, 32_000, 24_000, 16_000, 8000];

/// The lowest signal-to-noise ratio in decibels that a lossy codec may have.
const LEAST_SNR: f64 = 10.0;

/// The frame counts to encode: small, large, and around powers of two.
const COUNTS: [usize; 6] = [1, 2, 1000, 4096, 5121, 30_000];

/// A stream to be encoded.
pub struct Original {
    options: EncodeOptions,
    samples: Vec<i16>,
}

impl Original {
    /// A chord at a rate that the encoder supports; `None` if it supports none with that many channels.
    pub fn new(table: &EncoderTable, num_channels: u32, num_frames: usize) -> Outcome<Option<Self>> {
        for rate in RATES {
            let options = EncodeOptions::new(rate, num_channels);
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
    fn encode(
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

    fn with_count(&self) -> EncodeOptions {
        let num_frames = self.samples.len() / self.options.num_channels.max(1) as usize;
        EncodeOptions { num_frames: Some(num_frames as u64), ..self.options.clone() }
    }
}

fn first_format(table: &EncoderTable) -> Outcome<Format> {
    let formats = table.formats()?;
    formats.first().copied().ok_or_else(|| Finding::broken("R1", "the encoder has no format"))
}

/// A mono or stereo stream, whichever the encoder supports.
fn usual(table: &EncoderTable, num_frames: usize) -> Outcome<Original> {
    for num_channels in [2, 1] {
        if let Some(original) = Original::new(table, num_channels, num_frames)? {
            return Ok(original);
        }
    }
    Err(Finding::skipped("the encoder rejects mono and stereo at every common rate"))
}

/// An encoded stream decodes to the same samples, or to similar ones if it is lossy.
pub fn round_trip(context: &Context) -> Outcome {
    let table = context.encoder()?;
    let decoders = context.plugin()?.decoders()?;
    let mut num_trips = 0;
    for num_channels in [1, 2, 3, 6] {
        for num_frames in COUNTS {
            let Some(original) = Original::new(&table, num_channels, num_frames)? else { continue };
            for format in table.formats()? {
                for layout in [Layout::Interleaved, Layout::Planar] {
                    let what =
                        format!("{num_frames} frames of {num_channels} channels, {format:?} {layout:?}");
                    context.doing(format!("encoding {what}"));
                    let bytes =
                        original.encode(&table, &original.with_count(), (format, layout), || USUAL_FRAMES)?;
                    context.doing(format!("decoding {what} that were encoded"));
                    let Some(decoder) = reader(&decoders, &bytes)? else { continue };
                    come_back(&original, decoder, &bytes, format, &what)?;
                    num_trips += 1;
                }
            }
        }
    }
    if num_trips == 0 {
        return Err(Finding::skipped("the plugin has no decoder that claims what its encoder writes"));
    }
    Ok(())
}

/// The decoder with the highest probe score for a file.
fn reader<'a>(decoders: &'a [DecoderTable], bytes: &[u8]) -> Outcome<Option<&'a DecoderTable>> {
    let mut best = (0, None);
    for decoder in decoders {
        let head = GuardedBytes::new(bytes.get(..decoder.probe_bytes()).unwrap_or(bytes), Side::End)?;
        let score = decoder.probe(&head, bytes.len() as u64, None, None);
        if score > best.0 {
            best = (score, Some(decoder));
        }
    }
    Ok(best.1)
}

fn come_back(
    original: &Original,
    decoder: &DecoderTable,
    bytes: &[u8],
    format: Format,
    what: &str,
) -> Outcome {
    let input = Input::memory(bytes, Side::End)?;
    let mut decoder = decoder.open(&input, &OpenOptions::default())?;
    let info = decoder.info()?;
    let options = &original.options;
    if (info.sample_rate, info.num_channels) != (options.sample_rate, options.num_channels) {
        let reason = format!(
            "{what} at {} Hz came back as {} channels at {} Hz",
            options.sample_rate, info.num_channels, info.sample_rate
        );
        return Err(Finding::broken("finish", reason));
    }
    let shape = Shape::native(&info);
    let (pcm, _) = drain(&mut decoder, shape, usize::MAX, || USUAL_FRAMES)?;
    let (got, expected) = (
        signal::levels(shape.format, &pcm),
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
    let fits = info.bits_per_sample >= 16 || format == shape.format;
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

/// The bytes do not depend on how frames are divided into calls of `push`.
pub fn pushes(context: &Context) -> Outcome {
    let table = context.encoder()?;
    let original = usual(&table, 10_007)?;
    let mut random = context.random();
    for format in table.formats()? {
        let options = original.with_count();
        let whole = original.encode(&table, &options, (format, Layout::Interleaved), || 1 << 20)?;
        for layout in [Layout::Interleaved, Layout::Planar] {
            for size in [1, 7, 1024, 4099] {
                context.doing(format!("pushing {size} frames a call, {format:?} {layout:?}"));
                let bytes = original.encode(&table, &options, (format, layout), || size)?;
                expect_bytes(&format!("pushing {size} frames a call, {layout:?}"), &whole, &bytes)?;
            }
        }
        for _ in 0..4 {
            let seed = random.u64(..);
            let mut sizes = fastrand::Rng::with_seed(seed);
            let what = format!("pushing a random number of frames a call (seed {seed})");
            context.doing(&what);
            let bytes =
                original.encode(&table, &options, (format, Layout::Interleaved), || sizes.usize(1..3000))?;
            expect_bytes(&what, &whole, &bytes)?;
        }
    }
    Ok(())
}

fn expect_bytes(what: &str, expected: &[u8], got: &[u8]) -> Outcome {
    if expected == got {
        return Ok(());
    }
    let place = expected.iter().zip(got).position(|(a, b)| a != b).unwrap_or(expected.len().min(got.len()));
    let reason = format!(
        "{what} gave other bytes than pushing all at once: {} and {} bytes, different from byte {place} on",
        got.len(),
        expected.len()
    );
    Err(Finding::broken("push", reason))
}

/// Every failed write is reported as an error.
pub fn write_errors(context: &Context) -> Outcome {
    let table = context.encoder()?;
    let original = usual(&table, 10_007)?;
    let format = first_format(&table)?;
    context.doing("counting its writes");
    let mut encoder = table.open(&original.with_count())?;
    let pcm = signal::encode(format, &original.samples);
    encoder.push_buffer(&mut GuardedBuffer::of(
        format,
        Layout::Interleaved,
        original.options.num_channels,
        &pcm,
    ))?;
    encoder.finish()?;
    let num_writes = encoder.sink().num_writes();
    drop(encoder);
    let step = num_writes.div_ceil(200).max(1);
    for number in (0..num_writes).step_by(usize::try_from(step).unwrap_or(1)) {
        for errors in [ErrorSpace::FULL, ErrorSpace::Null] {
            context.doing(format!("encoding with an error at write {number} of {num_writes}"));
            let options = EncodeOptions { failing_write: Some(number), errors, ..original.with_count() };
            match original.encode(&table, &options, (format, Layout::Interleaved), || 1 << 20) {
                Err(Fault::Refused(_)) => {}
                Err(Fault::Broken(finding)) => return Err(finding),
                Ok(_) => {
                    let reason =
                        format!("write {number} of {num_writes} failed, and no call of the encoder did");
                    return Err(Finding::broken("R6", reason));
                }
            }
        }
    }
    Ok(())
}

/// Closing without finishing writes nothing more.
pub fn abandon(context: &Context) -> Outcome {
    let table = context.encoder()?;
    let original = usual(&table, 5000)?;
    let format = first_format(&table)?;
    for num_pushes in 0..3 {
        context.doing(format!("pushing {num_pushes} times, and closing without finishing"));
        let mut encoder = table.open(&original.with_count())?;
        for _ in 0..num_pushes {
            let pcm = signal::encode(format, &original.samples);
            encoder.push_buffer(&mut GuardedBuffer::of(
                format,
                Layout::Interleaved,
                original.options.num_channels,
                &pcm,
            ))?;
        }
        let sink = encoder.sink();
        let num_writes = sink.num_writes();
        drop(encoder);
        if sink.num_writes() != num_writes {
            return Err(Finding::broken("close", "close before finish wrote to the sink"));
        }
    }
    Ok(())
}

/// An append-only sink is only appended to, or rejected by `open`.
pub fn append_only(context: &Context) -> Outcome {
    let table = context.encoder()?;
    let original = usual(&table, 5000)?;
    let format = first_format(&table)?;
    let decoders = context.plugin()?.decoders()?;
    let mut containers = vec![None];
    containers.extend(table.containers()?.into_iter().map(Some));
    for container in containers {
        for options in [original.with_count(), original.options.clone()] {
            let options = EncodeOptions { append_only: true, container: container.clone(), ..options };
            context
                .doing(format!("encoding to an append-only sink, with num_frames {:?}", options.num_frames));
            match original.encode(&table, &options, (format, Layout::Interleaved), || 1000) {
                Ok(bytes) => {
                    if let Some(decoder) = reader(&decoders, &bytes)? {
                        let what = "a stream written to an append-only sink";
                        come_back(&original, decoder, &bytes, format, what)?;
                    }
                }
                Err(Fault::Refused(refusal)) if refusal.call == "open" => {
                    context.note(format!("an append-only sink is rejected: {refusal}"));
                }
                Err(fault) => return Err(fault.into()),
            }
        }
    }
    Ok(())
}

/// A stream without frames is not an error, and decodes to none.
pub fn no_frames(context: &Context) -> Outcome {
    let table = context.encoder()?;
    let original = usual(&table, 0)?;
    let format = first_format(&table)?;
    let decoders = context.plugin()?.decoders()?;
    for options in [original.with_count(), original.options.clone()] {
        context.doing("encoding no frames");
        let bytes = match original.encode(&table, &options, (format, Layout::Interleaved), || 1) {
            Ok(bytes) => bytes,
            Err(Fault::Refused(refusal)) => {
                context.warn(format!("a stream without frames is rejected: {refusal}"));
                continue;
            }
            Err(Fault::Broken(finding)) => return Err(finding),
        };
        context.doing("decoding no frames that were encoded");
        if let Some(decoder) = reader(&decoders, &bytes)? {
            come_back(&original, decoder, &bytes, format, "no frames")?;
        }
    }
    Ok(())
}
