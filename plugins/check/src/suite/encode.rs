//! Tests of what encoders write.

#![forbid(unsafe_code)]

use crate::context::Context;
use crate::host::{EncodeOptions, EncoderTable, ErrorSpace, Fault, GuardedBuffer, Layout};
use crate::reference::USUAL_FRAMES;
use crate::signal;
use crate::suite::original::{Original, Readers, first_format, usual};
use crate::verdict::{Finding, Outcome};

/// The frame counts to encode: small, large, and around powers of two.
const COUNTS: [usize; 6] = [1, 2, 1000, 4096, 5121, 30_000];

/// An encoded stream decodes to the same samples, or to similar ones if it is lossy.
pub fn round_trip(context: &Context) -> Outcome {
    let table = context.encoder()?;
    let readers = Readers::new(context)?;
    let mut num_trips = 0;
    for num_channels in [1, 2, 3, 6] {
        for num_frames in COUNTS {
            if num_trips > 0 && !context.has_time() {
                break;
            }
            let Some(original) = Original::new(&table, num_channels, num_frames)? else { continue };
            for format in table.formats()? {
                for layout in [Layout::Interleaved, Layout::Planar] {
                    let what =
                        format!("{num_frames} frames of {num_channels} channels, {format:?} {layout:?}");
                    context.doing(format!("encoding {what}"));
                    let bytes =
                        original.encode(&table, &original.with_count(), (format, layout), || USUAL_FRAMES)?;
                    context.doing(format!("decoding {what} that were encoded"));
                    num_trips +=
                        usize::from(readers.come_back(&original, &table, &bytes, format, &what)?.is_some());
                }
            }
        }
    }
    if num_trips == 0 { Err(no_reader()) } else { Ok(()) }
}

/// Nothing reads what the encoder writes.
fn no_reader() -> Finding {
    Finding::untested(
        "what the encoder writes was not read back: no decoder of the plugin claims it, and no built-in one; add one",
    )
}

/// In every codec and container, all frames come back, whether or not their number was announced, from a sink of either kind.
pub fn targets(context: &Context) -> Outcome {
    let table = context.encoder()?;
    let readers = Readers::new(context)?;
    let format = first_format(&table)?;
    let mut num_trips = 0;
    for (codec, container) in combinations(&table)? {
        for num_frames in [1000, 10_007] {
            let wanted =
                |options| EncodeOptions { codec: codec.clone(), container: container.clone(), ..options };
            let Some(original) = Original::any(&table, num_frames, &wanted)? else { break };
            for append_only in [false, true] {
                for is_announced in [true, false] {
                    if num_trips > 0 && !context.has_time() {
                        break;
                    }
                    let options = if is_announced { original.with_count() } else { original.options.clone() };
                    let options = EncodeOptions { append_only, ..options };
                    let what = target(&options, num_frames);
                    context.doing(format!("encoding {what}"));
                    let encoded = original.encode(&table, &options, (format, Layout::Interleaved), || 1000);
                    let bytes = match encoded {
                        Ok(bytes) => bytes,
                        Err(Fault::Refused(refusal)) if refusal.call == "open" => continue,
                        Err(fault) => return Err(fault.into()),
                    };
                    context.doing(format!("decoding {what} that were encoded"));
                    let came = readers.come_back(&original, &table, &bytes, format, &what)?;
                    num_trips += usize::from(came.is_some());
                }
            }
        }
    }
    if num_trips == 0 { Err(no_reader()) } else { Ok(()) }
}

/// The codecs and containers of an encoder; it need not take every pair.
fn combinations(table: &EncoderTable) -> Outcome<Vec<(Option<String>, Option<String>)>> {
    let mut pairs = vec![(None, None)];
    for container in table.containers()? {
        for codec in table.codecs()? {
            pairs.push((Some(codec), Some(container.clone())));
        }
    }
    Ok(pairs)
}

fn target(options: &EncodeOptions, num_frames: usize) -> String {
    let sink =
        if options.append_only { "an append-only sink" } else { "a sink that can be written anywhere" };
    let count = if options.num_frames.is_some() { "announced" } else { "not announced" };
    let kind = match (&options.codec, &options.container) {
        (Some(codec), Some(container)) => format!(" as {codec} in {container}"),
        _ => String::new(),
    };
    format!("{num_frames} frames{kind}, their number {count}, to {sink}")
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
    let readers = Readers::new(context)?;
    let mut containers = vec![None];
    containers.extend(table.containers()?.into_iter().map(Some));
    for container in containers {
        for options in [original.with_count(), original.options.clone()] {
            let options = EncodeOptions { append_only: true, container: container.clone(), ..options };
            context
                .doing(format!("encoding to an append-only sink, with num_frames {:?}", options.num_frames));
            match original.encode(&table, &options, (format, Layout::Interleaved), || 1000) {
                Ok(bytes) => {
                    let what = "a stream written to an append-only sink";
                    readers.come_back(&original, &table, &bytes, format, what)?;
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
    let readers = Readers::new(context)?;
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
        readers.come_back(&original, &table, &bytes, format, "no frames")?;
    }
    Ok(())
}
