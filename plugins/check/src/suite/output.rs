//! Tests of what `decode` writes, and where.

#![forbid(unsafe_code)]

use crate::context::Context;
use crate::host::{DecoderTable, Format, Layout};
use crate::reference::{Reference, Shape, USUAL_FRAMES, drain, expect_same, references};
use crate::signal::{self, Relation};
use crate::verdict::{Finding, Outcome};

/// The number of frames that are decoded one by one.
const MAX_SINGLES: usize = 50_000;

/// Room for more frames than a packet of any codec has.
const LARGE: usize = 1 << 18;

/// The frames do not depend on how they are divided into calls, and after the end no more follow.
pub fn splits(context: &Context) -> Outcome {
    let table = context.decoder()?;
    let mut random = context.random();
    for reference in references(context, &table)? {
        if !context.has_time() {
            break;
        }
        context.with_input(&reference.sample.name);
        let shape = reference.shape();
        for size in [1, 2, 3, 7, 31, 127, 509, 1021, 1152, 8191, LARGE] {
            if !context.has_time() {
                break;
            }
            context.doing(format!("decoding {size} frames a call"));
            let mut decoder = reference.open(&table)?;
            let most = if size == 1 { MAX_SINGLES } else { usize::MAX };
            let most = most.min(reference.most_frames(context, size));
            let (pcm, _) = drain(&mut decoder, shape, most, || size)?;
            let what = format!("decoding {size} frames a call");
            expect_same("decode", &what, shape, reference.frames(0, most), &pcm)?;
        }
        for _ in 0..4 {
            if !context.has_time() {
                break;
            }
            let seed = random.u64(..);
            let mut sizes = fastrand::Rng::with_seed(seed);
            let what = format!("decoding a random number of frames a call (seed {seed})");
            context.doing(&what);
            let mut decoder = reference.open(&table)?;
            let next = || if sizes.bool() { sizes.usize(1..40) } else { sizes.usize(1..5000) };
            let most = reference.most_frames(context, 20);
            let (pcm, is_end) = drain(&mut decoder, shape, most, next)?;
            expect_same("decode", &what, shape, reference.frames(0, most), &pcm)?;
            if !is_end {
                decoder.seek(0)?;
                drain(&mut decoder, shape, usize::MAX, || LARGE)?;
            }
            context.doing("decoding past the end");
            for size in [1, USUAL_FRAMES] {
                if decoder.decode_into(&mut shape.buffer(size))? != 0 {
                    return Err(Finding::broken("decode", "after MW_END, decode gave frames again"));
                }
            }
        }
    }
    Ok(())
}

/// Nothing is written beyond the reported frames, whatever the buffer, format and layout.
pub fn overrun(context: &Context) -> Outcome {
    let table = context.decoder()?;
    for reference in references(context, &table)? {
        if !context.has_time() {
            break;
        }
        context.with_input(&reference.sample.name);
        for shape in shapes(&reference) {
            for size in [1, 2, 5, 63, 1000, reference.num_frames + 1000] {
                if !context.has_time() {
                    break;
                }
                context
                    .doing(format!("decoding {size} frames a call, {:?} {:?}", shape.format, shape.layout));
                let mut decoder = reference.open(&table)?;
                let most = if size < 63 { 3000 } else { usize::MAX };
                let most = most.min(reference.most_frames(context, size));
                drain(&mut decoder, shape, most, || size)?;
            }
        }
    }
    Ok(())
}

fn shapes(reference: &Reference) -> Vec<Shape> {
    let layouts = |format: &Format| {
        let format = *format;
        let num_channels = reference.info.num_channels;
        [Layout::Interleaved, Layout::Planar].map(|layout| Shape { format, layout, num_channels })
    };
    reference.info.formats.iter().flat_map(layouts).collect()
}

/// Every offered format decodes in both layouts to the same signal.
pub fn formats(context: &Context) -> Outcome {
    let table = context.decoder()?;
    for reference in references(context, &table)? {
        if !context.has_time() {
            break;
        }
        context.with_input(&reference.sample.name);
        let mut decoded = Vec::new();
        for format in &reference.info.formats {
            let pcm = either_layout(context, &table, &reference, *format)?;
            decoded.push((*format, pcm));
        }
        context.doing("comparing its formats");
        if let Some((_, floats)) = decoded.iter().find(|(format, _)| *format == Format::F32) {
            // A file of floats may hold any of them.
            let may_hold_any = reference.info.is_lossless && reference.info.native_format == Format::F32;
            signal::check_floats("decode", may_hold_any, floats)?;
        }
        let relation = if reference.info.is_lossless { Relation::Exact } else { Relation::Near };
        let depth = reference.info.bits_per_sample;
        for (number, (format, pcm)) in decoded.iter().enumerate() {
            for (other, other_pcm) in decoded.iter().skip(number + 1) {
                signal::compare(relation, depth, (*format, pcm), (*other, other_pcm))?;
            }
        }
    }
    Ok(())
}

fn either_layout(
    context: &Context,
    table: &DecoderTable,
    reference: &Reference,
    format: Format,
) -> Outcome<Vec<u8>> {
    let num_channels = reference.info.num_channels;
    let play = |layout| {
        context.doing(format!("decoding it to {format:?}, {layout:?}"));
        let shape = Shape { format, layout, num_channels };
        let mut decoder = reference.open(table)?;
        let (pcm, _) = drain(&mut decoder, shape, usize::MAX, || USUAL_FRAMES)?;
        Ok::<_, Finding>((shape, pcm))
    };
    let (shape, interleaved) = play(Layout::Interleaved)?;
    let (_, planar) = play(Layout::Planar)?;
    expect_same(
        "decode",
        &format!("planar {format:?} instead of interleaved"),
        shape,
        &interleaved,
        &planar,
    )?;
    let num_frames = interleaved.len() / shape.frame_bytes().max(1);
    if num_frames != reference.num_frames {
        let (native, expected) = (reference.info.native_format, reference.num_frames);
        let reason = format!("{num_frames} frames decode as {format:?}, and {expected} as {native:?}");
        return Err(Finding::broken("decode", reason));
    }
    Ok(interleaved)
}
