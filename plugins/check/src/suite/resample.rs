//! Tests of resamplers.

#![forbid(unsafe_code)]

use std::sync::Barrier;
use std::thread;

use crate::context::Context;
use crate::host::{Fault, Format, GuardedBuffer, Layout, ResampleOptions, ResamplerTable};
use crate::reference::{Shape, expect_same};
use crate::signal;
use crate::stack;
use crate::suite::handles::grows_by_nothing;
use crate::verdict::{Finding, Outcome};

/// Input and output rates.
const RATES: [(u32, u32); 5] =
    [(44_100, 16_000), (16_000, 44_100), (48_000, 44_100), (8000, 48_000), (44_100, 44_100)];

/// More calls than the streams that are resampled in turn need.
const MAX_TURNS: usize = 10_000;

/// The number of resamplers at once.
const NUM_THREADS: u64 = 8;

/// How a stream is divided into calls: frames per input block, and frames of output space.
type Division = (usize, usize);

/// The complete output, interleaved.
fn resample(
    table: &ResamplerTable,
    options: &ResampleOptions,
    samples: &[i16],
    (block, buffer): Division,
    layout: Layout,
) -> Result<Vec<u8>, Fault> {
    let mut resampler = table.open(options)?;
    let shape = Shape { format: options.input_format, layout, num_channels: options.num_channels };
    let output_shape = Shape { format: Format::F32, ..shape };
    let pcm = signal::encode(options.input_format, samples);
    let frame_bytes = shape.frame_bytes().max(1);
    let mut output = output_shape.buffer(buffer);
    let mut got = Vec::new();
    let mut rest = pcm.as_slice();
    let mut num_idle = 0;
    loop {
        let part = rest.get(..block * frame_bytes).unwrap_or(rest);
        let mut input = (!part.is_empty())
            .then(|| GuardedBuffer::of(options.input_format, layout, options.num_channels, part));
        let done = resampler.process_buffers(input.as_mut(), &mut output)?;
        if done.is_end {
            signal::check_floats("process", false, &got)?;
            return Ok(got);
        }
        output.take(done.num_written, &mut got);
        rest = rest.get(done.num_read * frame_bytes..).unwrap_or_default();
        num_idle = if done.num_read == 0 && done.num_written == 0 { num_idle + 1 } else { 0 };
        if num_idle == 3 {
            return Err(Fault::broken(
                "process",
                "process neither read nor wrote a frame, three times in a row",
            ));
        }
    }
}

fn each_options(table: &ResamplerTable, mut work: impl FnMut(&ResampleOptions) -> Outcome) -> Outcome {
    for quality in table.qualities()? {
        for (input_rate, output_rate) in RATES {
            for num_channels in [1, 2] {
                for input_format in table.formats()? {
                    work(&ResampleOptions {
                        input_rate,
                        output_rate,
                        num_channels,
                        input_format,
                        quality: quality.clone(),
                    })?;
                }
            }
        }
    }
    Ok(())
}

/// The number of output frames is `round(n * output_rate / input_rate)`.
pub fn output_count(context: &Context) -> Outcome {
    let table = context.resampler()?;
    let mut num_streams = 0;
    each_options(&table, |options| {
        for num_frames in [0, 1, 2, 100, 4097, 20_011] {
            if num_streams > 0 && !context.has_time() {
                return Ok(());
            }
            context.doing(format!("resampling {num_frames} frames, {options:?}"));
            let samples = signal::chord(options.num_channels, num_frames, options.input_rate, 1);
            let got = match resample(&table, options, &samples, (1024, 4096), Layout::Interleaved) {
                Ok(got) => got,
                Err(Fault::Refused(refusal)) if refusal.call == "open" => {
                    context.note(format!("{} to {} Hz: {refusal}", options.input_rate, options.output_rate));
                    return Ok(());
                }
                Err(fault) => return Err(fault.into()),
            };
            num_streams += 1;
            let count = got.len() / 4 / options.num_channels as usize;
            let exact = num_frames as f64 * f64::from(options.output_rate) / f64::from(options.input_rate);
            // Halfway between two numbers, both are correct.
            if (count as f64 - exact).abs() > 0.5 {
                let reason = format!(
                    "{num_frames} frames at {} Hz became {count} at {}, expected {exact:.1}, rounded",
                    options.input_rate, options.output_rate
                );
                return Err(Finding::broken("process", reason));
            }
        }
        Ok(())
    })?;
    if num_streams == 0 {
        return Err(Finding::untested("the resampler rejects every common pair of rates"));
    }
    Ok(())
}

/// The output does not depend on how the input is divided into calls, nor on the layout.
pub fn splits(context: &Context) -> Outcome {
    let table = context.resampler()?;
    each_options(&table, |options| {
        if !context.has_time() {
            return Ok(());
        }
        let samples = signal::chord(options.num_channels, 7001, options.input_rate, 1);
        let shape =
            Shape { format: Format::F32, layout: Layout::Interleaved, num_channels: options.num_channels };
        let whole = match resample(&table, options, &samples, (1 << 16, 1 << 16), Layout::Interleaved) {
            Ok(whole) => whole,
            Err(Fault::Refused(refusal)) if refusal.call == "open" => return Ok(()),
            Err(fault) => return Err(fault.into()),
        };
        for division in [(1, 4096), (64, 1), (7, 13), (1021, 509), (1 << 16, 100), (100, 1 << 16)] {
            for layout in [Layout::Interleaved, Layout::Planar] {
                if !context.has_time() {
                    return Ok(());
                }
                let (block, buffer) = division;
                let what = format!("{block} frames a call with room for {buffer}, {layout:?}");
                context.doing(format!("resampling {what}, {options:?}"));
                let got = resample(&table, options, &samples, division, layout)?;
                expect_same("process", &what, shape, &whole, &got)?;
            }
        }
        Ok(())
    })
}

/// The output of two resamplers over different streams, which are called in turn.
fn by_turns(table: &ResamplerTable, options: &ResampleOptions) -> Outcome<[Vec<u8>; 2]> {
    let streams = [0, 1]
        .map(|seed| signal::encode(options.input_format, &signal::chord(2, 5003, options.input_rate, seed)));
    let frame_bytes = 2 * options.input_format.num_bytes();
    let output_shape = Shape { format: Format::F32, layout: Layout::Interleaved, num_channels: 2 };
    let mut resamplers = [table.open(options)?, table.open(options)?];
    let mut rests = streams.each_ref().map(Vec::as_slice);
    let mut got = [Vec::new(), Vec::new()];
    let mut is_end = [false; 2];
    for _ in 0..MAX_TURNS {
        for (((resampler, rest), got), is_end) in
            resamplers.iter_mut().zip(&mut rests).zip(&mut got).zip(&mut is_end)
        {
            if *is_end {
                continue;
            }
            let part = rest.get(..500 * frame_bytes).unwrap_or(rest);
            let mut input = (!part.is_empty())
                .then(|| GuardedBuffer::of(options.input_format, Layout::Interleaved, 2, part));
            let mut output = output_shape.buffer(700);
            let done = resampler.process_buffers(input.as_mut(), &mut output)?;
            *is_end = done.is_end;
            if !done.is_end {
                output.take(done.num_written, got);
                *rest = rest.get(done.num_read * frame_bytes..).unwrap_or_default();
            }
        }
        if is_end == [true; 2] {
            return Ok(got);
        }
    }
    Err(Finding::broken("process", format!("5003 frames have no end after {MAX_TURNS} calls")))
}

/// Resamplers work in parallel, and a thousand of them leak nothing.
pub fn handles(context: &Context) -> Outcome {
    let table = context.resampler()?;
    let qualities = table.qualities()?;
    let (Some(quality), Some(input_format)) = (qualities.first(), table.formats()?.first().copied()) else {
        return Ok(());
    };
    let options = |(input_rate, output_rate)| ResampleOptions {
        input_rate,
        output_rate,
        num_channels: 2,
        input_format,
        quality: quality.clone(),
    };
    let Some(options) = RATES.into_iter().map(options).find(|options| table.open(options).is_ok()) else {
        return Err(Finding::untested("the resampler rejects every common pair of rates"));
    };
    let shape = Shape { format: Format::F32, layout: Layout::Interleaved, num_channels: 2 };
    let work = |seed: u64| {
        let samples = signal::chord(2, 5003, options.input_rate, seed);
        Ok::<_, Finding>(resample(&table, &options, &samples, (500, 700), Layout::Interleaved)?)
    };
    context.doing(format!("resampling one stream after another, {options:?}"));
    let expected = (0..NUM_THREADS).map(&work).collect::<Outcome<Vec<_>>>()?;
    context.doing(format!("resampling two streams in turn, {options:?}"));
    for (expected, got) in expected.iter().zip(by_turns(&table, &options)?) {
        expect_same("R4", "a resampler used in turn with another", shape, expected, &got)?;
    }
    for _ in 0..3 {
        if !context.has_time() {
            break;
        }
        context.doing(format!("resampling {NUM_THREADS} streams on as many threads, {options:?}"));
        let barrier = Barrier::new(usize::try_from(NUM_THREADS).unwrap_or(1));
        let got: Vec<Outcome<Vec<u8>>> = thread::scope(|scope| {
            let (work, barrier) = (&work, &barrier);
            let spawn = |seed| {
                stack::spawn(scope, move || {
                    barrier.wait();
                    work(seed)
                })
            };
            let threads = (0..NUM_THREADS).map(spawn).collect::<Outcome<Vec<_>>>()?;
            Ok::<_, Finding>(threads.into_iter().map(|thread| stack::join(thread)?).collect())
        })?;
        for (expected, got) in expected.iter().zip(got) {
            expect_same("R4", "one of eight resamplers in parallel", shape, expected, &got?)?;
        }
    }
    let samples = signal::chord(2, 300, options.input_rate, 1);
    grows_by_nothing(context, "resampling a stream", &mut || {
        resample(&table, &options, &samples, (300, 400), Layout::Interleaved)?;
        Ok(())
    })?;
    let unknown = ResampleOptions { quality: "no-such-quality".to_owned(), ..options.clone() };
    grows_by_nothing(context, "opening a resampler of a quality that does not exist", &mut || match table
        .open(&unknown)
    {
        Err(Fault::Broken(finding)) => Err(finding),
        Err(Fault::Refused(_)) => Ok(()),
        Ok(_) => {
            let reason = "the quality \"no-such-quality\" is taken, expected an error";
            Err(Finding::broken("open", reason))
        }
    })
}

/// The maximum number of frames to resample before the restart point.
const MAX_START_FRAMES: u64 = 1 << 20;

/// A resampler that starts at a restart point continues as one that started at the beginning.
pub fn restart(context: &Context) -> Outcome {
    let table = context.resampler()?;
    each_options(&table, |options| {
        // Testing every format and channel count would take long and show nothing more.
        if options.num_channels != 1
            || table.formats()?.first() != Some(&options.input_format)
            || !context.has_time()
        {
            return Ok(());
        }
        let (input, output) = (u64::from(options.input_rate), u64::from(options.output_rate));
        context.doing(format!("asking for the restart grid, {options:?}"));
        let (grid, preroll) = match table.restart(options) {
            Ok(Some((grid, preroll))) if grid > 0 => (grid, preroll),
            Ok(_) => return Ok(()),
            Err(Fault::Refused(_)) => return Ok(()),
            Err(fault) => return Err(fault.into()),
        };
        let whole = u128::from(grid) * u128::from(output);
        if !whole.is_multiple_of(u128::from(input)) {
            let reason =
                format!("{grid} frames at {input} Hz are not a whole number of frames at {output} Hz");
            return Err(Finding::broken("restart", reason));
        }
        let num_starts = (MAX_START_FRAMES / 4 / grid).clamp(1, 3);
        let (start, length) = (grid * num_starts, preroll.saturating_mul(2).saturating_add(20_000));
        let Some(num_frames) = start.checked_add(length).filter(|frames| *frames <= 2 * MAX_START_FRAMES)
        else {
            context.note(format!(
                "{input} to {output} Hz: the restart grid of {grid} frames takes too long to test"
            ));
            return Ok(());
        };
        let frames = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let samples = signal::chord(1, frames(num_frames), options.input_rate, 1);
        let rest = samples.get(frames(start)..).unwrap_or_default();
        context.doing(format!("resampling from frame {start} on, {options:?}"));
        let first = frames(start * output / input).saturating_add(frames((preroll * output).div_ceil(input)));
        let skipped = frames((preroll * output).div_ceil(input));
        let whole = resample(&table, options, &samples, (1 << 16, 1 << 16), Layout::Planar)?;
        let whole = whole.get(4 * first..).unwrap_or_default();
        let shape = Shape { format: Format::F32, layout: Layout::Planar, num_channels: 1 };
        for division in [(1 << 16, 1 << 16), (1021, 5099)] {
            let part = resample(&table, options, rest, division, Layout::Planar)?;
            let part = part.get(4 * skipped..).unwrap_or_default();
            expect_same("restart", &format!("what began at frame {start}"), shape, whole, part)?;
        }
        Ok(())
    })
}
