//! Tests of seeks, also after an error.

#![forbid(unsafe_code)]

use crate::context::Context;
use crate::host::{Decoder, DecoderTable, Fault, OpenOptions, ReadPlan, SeekClass};
use crate::reference::{Reference, Shape, USUAL_FRAMES, drain, expect_same, references};
use crate::verdict::{Finding, Outcome};

/// The total number of seeks over all inputs.
const NUM_SEEKS: usize = 200;

/// The minimum number of seeks per input.
const MIN_SEEKS: usize = 16;

/// The maximum number of frames to decode after a seek.
const MAX_FRAMES: usize = 6000;

/// A seek does what its class promises.
pub fn seek(context: &Context) -> Outcome {
    let table = context.decoder()?;
    let references = references(context, &table)?;
    let num_seeks = (NUM_SEEKS / references.len().max(1)).max(MIN_SEEKS);
    let mut random = context.random();
    for reference in references {
        if !context.has_time() {
            break;
        }
        context.with_input(&reference.sample.name);
        let mut places = vec![0, reference.num_frames, reference.num_frames.saturating_sub(1), 0];
        places.extend((0..num_seeks).map(|_| random.usize(0..=reference.num_frames)));
        match reference.info.seek_class {
            SeekClass::Exact => exact(context, &table, &reference, &places, &mut random)?,
            SeekClass::Anchored { grid_frames } => {
                let grid = usize::try_from(grid_frames).unwrap_or(usize::MAX);
                // The host seeks to grid points.
                for place in places.iter_mut().skip(4).step_by(2) {
                    *place = *place / grid * grid;
                }
                anchored(context, &table, &reference, &places)?;
            }
            SeekClass::None => forward(context, &table, &reference)?,
        }
        if reference.info.seek_class != SeekClass::None {
            the_end(context, &table, &reference)?;
        }
    }
    Ok(())
}

/// At most `count` frames after a seek.
fn after(decoder: &mut Decoder, shape: Shape, frame: usize, count: usize) -> Outcome<Vec<u8>> {
    decoder.seek(frame as u64)?;
    Ok(drain(decoder, shape, count, || USUAL_FRAMES)?.0)
}

fn exact(
    context: &Context,
    table: &DecoderTable,
    reference: &Reference,
    places: &[usize],
    random: &mut fastrand::Rng,
) -> Outcome {
    let shape = reference.shape();
    let mut decoder = reference.open(table)?;
    for frame in places {
        if !context.has_time() {
            return Ok(());
        }
        let count = if random.bool() { random.usize(1..50) } else { random.usize(1..MAX_FRAMES) };
        context.doing(format!("seeking to frame {frame} of {} and decoding {count}", reference.num_frames));
        let pcm = after(&mut decoder, shape, *frame, count)?;
        let what = format!("seek({frame}) of a stream that says MW_SEEK_EXACT");
        expect_same("seek", &what, shape, reference.frames(*frame, count), &pcm)?;
    }
    Ok(())
}

fn anchored(context: &Context, table: &DecoderTable, reference: &Reference, places: &[usize]) -> Outcome {
    let shape = reference.shape();
    let mut used = reference.open(table)?;
    for frame in places {
        if !context.has_time() {
            return Ok(());
        }
        context.doing(format!("seeking to frame {frame} of {} on three handles", reference.num_frames));
        let mut fresh = reference.open(table)?;
        let expected = after(&mut fresh, shape, *frame, MAX_FRAMES)?;
        let rest = (reference.num_frames - frame).min(MAX_FRAMES);
        if expected.len() != rest * shape.frame_bytes() {
            let got = expected.len() / shape.frame_bytes().max(1);
            let reason = format!("after seek({frame}) there are {got} frames, expected {rest}");
            return Err(Finding::broken("seek", reason));
        }
        for (handle, mut decoder) in [("a fork", used.fork()?), ("a fork of a fresh handle", fresh.fork()?)] {
            let pcm = after(&mut decoder, shape, *frame, MAX_FRAMES)?;
            let what =
                format!("seek({frame}) of an MW_SEEK_ANCHORED stream on {handle} instead of a fresh handle");
            expect_same("seek", &what, shape, &expected, &pcm)?;
        }
        let pcm = after(&mut used, shape, *frame, MAX_FRAMES)?;
        let what =
            format!("seek({frame}) of an MW_SEEK_ANCHORED stream on a used handle instead of a fresh one");
        expect_same("seek", &what, shape, &expected, &pcm)?;
    }
    Ok(())
}

fn forward(context: &Context, table: &DecoderTable, reference: &Reference) -> Outcome {
    let shape = reference.shape();
    let mut decoder = reference.open(table)?;
    for half in [1, reference.num_frames / 2, reference.num_frames] {
        context.doing(format!("decoding {half} frames and seeking to the first"));
        drain(&mut decoder, shape, half, || USUAL_FRAMES)?;
        let pcm = after(&mut decoder, shape, 0, usize::MAX)?;
        expect_same("seek", "seek(0)", shape, &reference.pcm, &pcm)?;
    }
    let half = reference.num_frames / 2;
    context.doing(format!("decoding {half} frames and seeking to where it stands"));
    decoder.seek(0)?;
    drain(&mut decoder, shape, half, || USUAL_FRAMES)?;
    let pcm = after(&mut decoder, shape, half, usize::MAX)?;
    expect_same("seek", "seek to the present position", shape, reference.frames(half, usize::MAX), &pcm)
}

/// The end is the last valid seek target; a seek past it fails, and a later seek works again.
fn the_end(context: &Context, table: &DecoderTable, reference: &Reference) -> Outcome {
    let shape = reference.shape();
    let mut decoder = reference.open(table)?;
    let end = reference.num_frames as u64;
    context.doing("seeking to the end, and decoding there");
    decoder.seek(end)?;
    if decoder.decode_into(&mut shape.buffer(USUAL_FRAMES))? != 0 {
        return Err(Finding::broken(
            "seek",
            format!("after seek({end}), the end of the stream, decode gave frames"),
        ));
    }
    for frame in [end + 1, end + 100_000, u64::MAX - 1, u64::MAX] {
        context.doing(format!("seeking to frame {frame} of {end}"));
        match decoder.seek(frame) {
            Err(Fault::Refused(_)) => {}
            Err(Fault::Broken(finding)) => return Err(finding),
            Ok(()) => {
                let reason =
                    format!("seek({frame}) of a stream of {end} frames returned MW_OK, expected an error");
                return Err(Finding::broken("seek", reason));
            }
        }
    }
    context.doing("seeking to the first frame after seeks that failed");
    let first = after(&mut reference.open(table)?, shape, 0, MAX_FRAMES)?;
    let pcm = after(&mut decoder, shape, 0, MAX_FRAMES)?;
    expect_same("seek", "seek(0) after a seek past the end", shape, &first, &pcm)
}

/// After an error in the middle, a seek makes the handle usable again.
pub fn recovery(context: &Context) -> Outcome {
    let table = context.decoder()?;
    let mut num_errors = 0;
    for reference in references(context, &table)? {
        context.with_input(&reference.sample.name);
        let shape = reference.shape();
        context.doing("counting its reads");
        let counting = reference.sample.callback(ReadPlan::Full)?;
        let Ok(mut decoder) = table.open(&counting, &OpenOptions::default()) else { continue };
        let first = counting.num_reads();
        drain(&mut decoder, shape, usize::MAX, || USUAL_FRAMES)?;
        let last = counting.num_reads();
        let step = usize::try_from((last - first).div_ceil(16).max(1)).unwrap_or(1);
        for number in (first..last).step_by(step) {
            if !context.has_time() {
                break;
            }
            context.doing(format!(
                "decoding until read {number} of {last} fails, and seeking to the first frame"
            ));
            let input = reference.sample.callback(ReadPlan::FailingAt(number))?;
            let mut decoder = table.open(&input, &OpenOptions::default())?;
            match drain(&mut decoder, shape, usize::MAX, || USUAL_FRAMES) {
                Ok(_) => continue,
                Err(Fault::Broken(finding)) => return Err(finding),
                Err(Fault::Refused(_)) => num_errors += 1,
            }
            let pcm = after(&mut decoder, shape, 0, usize::MAX)?;
            let expected = after(&mut reference.open(&table)?, shape, 0, usize::MAX)?;
            expect_same("seek", "seek(0) after an error of decode", shape, &expected, &pcm)?;
        }
    }
    if num_errors == 0 {
        return Err(Finding::skipped("no read after open could be made to fail"));
    }
    Ok(())
}
