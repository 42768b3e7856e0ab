//! Files that are cut, damaged, or lie.

#![forbid(unsafe_code)]

use crate::context::{Context, Sample};
use crate::guard_pages::Side;
use crate::host::{DecoderTable, Fault, OpenOptions, ReadPlan, StreamInfo};
use crate::process_state::{limit_address_space, peak_bytes};
use crate::reference::{Shape, USUAL_FRAMES, drain};
use crate::verdict::{Finding, Outcome};

/// The most places in a file at which it is cut, and the number of times that bits of it are turned.
const MAX_CUTS: usize = 400;
const NUM_FLIPS: usize = 400;

/// The most frames that are decoded of a damaged file.
const MAX_FRAMES: usize = 1 << 20;

/// The bytes at the beginning of a file in which headers lie, most likely.
const HEADER_BYTES: usize = 256;

/// What a handle may allocate in a test of just that, and what the check and the C library need beside it.
const MAX_ALLOC: u64 = 1 << 20;
const SLACK: u64 = 6 << 20;

/// Opens and decodes what may be anything.
fn endure(table: &DecoderTable, sample: &Sample, bytes: &[u8], side: Side) -> Outcome {
    let input = sample.memory_of(bytes, side)?;
    let refused = match table.open(&input, &OpenOptions::default()) {
        Err(fault) => fault,
        Ok(mut decoder) => match play(&mut decoder) {
            Err(fault) => fault,
            Ok((info, num_frames, is_whole)) => return true_count(&info, num_frames, is_whole),
        },
    };
    match refused {
        Fault::Refused(_) => Ok(()),
        Fault::Broken(finding) => Err(finding),
    }
}

fn play(decoder: &mut crate::host::Decoder) -> Result<(StreamInfo, u64, bool), Fault> {
    let info = decoder.info()?;
    let shape = Shape::native(&info);
    let most = MAX_FRAMES.min((64 << 20) / shape.frame_bytes().max(1)).max(1);
    let (pcm, is_whole) = drain(decoder, shape, most, || USUAL_FRAMES)?;
    Ok((info, (pcm.len() / shape.frame_bytes().max(1)) as u64, is_whole))
}

fn true_count(info: &StreamInfo, num_frames: u64, is_whole: bool) -> Outcome {
    match info.num_frames {
        Some(count) if (is_whole && count != num_frames) || count < num_frames => {
            let reason = format!(
                "a damaged file opened, info says {count} frames, and decode gives {num_frames} without an error"
            );
            Err(Finding::broken("info", reason))
        }
        _ => Ok(()),
    }
}

/// Cut and damaged files give errors or frames, and do no harm.
pub fn damage(context: &Context) -> Outcome {
    let table = context.decoder()?;
    let samples = context.samples()?;
    for sample in &samples {
        context.with_input(&sample.name);
        cut(context, &table, sample)?;
    }
    let mut random = context.random();
    for sample in samples.iter().filter(|sample| !sample.bytes.is_empty()) {
        context.with_input(&sample.name);
        flip(context, &table, sample, &mut random)?;
    }
    Ok(())
}

fn cut(context: &Context, table: &DecoderTable, sample: &Sample) -> Outcome {
    let num_bytes = sample.bytes.len();
    let step = num_bytes.div_ceil(MAX_CUTS).max(1);
    // The header's bytes one by one, the rest in steps.
    let places = (0..num_bytes.min(MAX_CUTS)).chain((MAX_CUTS..num_bytes).step_by(step));
    for count in places {
        if !context.has_time() {
            break;
        }
        context.doing(format!("decoding its first {count} bytes"));
        endure(table, sample, sample.bytes.get(..count).unwrap_or_default(), Side::End)?;
    }
    Ok(())
}

fn flip(context: &Context, table: &DecoderTable, sample: &Sample, random: &mut fastrand::Rng) -> Outcome {
    for number in 0..NUM_FLIPS {
        if !context.has_time() {
            break;
        }
        let mut bytes = sample.bytes.clone();
        // Headers are where a bit does most.
        let end = if number % 2 == 0 { bytes.len().min(HEADER_BYTES) } else { bytes.len() };
        let mut turned = Vec::new();
        for _ in 0..random.usize(1..4) {
            let (place, bit) = (random.usize(0..end), random.u8(0..8));
            if let Some(byte) = bytes.get_mut(place) {
                *byte ^= 1 << bit;
                turned.push(format!("{place}.{bit}"));
            }
        }
        context.doing(format!("decoding it with flipped bits (byte.bit {})", turned.join(", ")));
        endure(table, sample, &bytes, if number % 4 == 0 { Side::Start } else { Side::End })?;
    }
    Ok(())
}

/// A header that lies about sizes makes nothing large.
pub fn max_alloc(context: &Context) -> Outcome {
    const LIES: [&[u8]; 7] = [
        &[0xff; 4],
        &[0x7f, 0xff, 0xff, 0xff],
        &[0xff, 0xff, 0xff, 0x7f],
        &[0x00, 0xff, 0xff, 0xff],
        &[0xff, 0xff, 0xff, 0x00],
        &[0xff; 8],
        &[0x0f, 0xff, 0xff, 0xff, 0xff, 0xff],
    ];
    let table = context.decoder()?;
    let samples = context.samples()?;
    // What decoding needs besides, such as tables made at the first use, is there before it is measured.
    for sample in &samples {
        if !context.has_time() {
            break;
        }
        context.with_input(&sample.name);
        context.doing("decoding it as it is");
        attempt(&table, sample, &sample.bytes, true)?;
    }
    limit_address_space(peak_bytes().saturating_add(2 << 30));
    for sample in &samples {
        context.with_input(&sample.name);
        for lie in LIES {
            for place in 0..sample.bytes.len().min(HEADER_BYTES) {
                if !context.has_time() {
                    return Ok(());
                }
                let mut bytes = sample.bytes.clone();
                bytes.iter_mut().skip(place).zip(lie).for_each(|(to, from)| *to = *from);
                context.doing(format!("decoding it with {lie:02x?} at byte {place}, max_alloc {MAX_ALLOC}"));
                let before = peak_bytes();
                attempt(&table, sample, &bytes, place % 2 == 0)?;
                let growth = peak_bytes().saturating_sub(before);
                let allowed = MAX_ALLOC + 2 * bytes.len() as u64 + SLACK;
                if growth > allowed {
                    let reason = format!(
                        "with {lie:02x?} at byte {place} and a max_alloc of {MAX_ALLOC}, memory grew by {growth} bytes"
                    );
                    return Err(Finding::broken("R6", reason));
                }
            }
        }
    }
    Ok(())
}

fn attempt(table: &DecoderTable, sample: &Sample, bytes: &[u8], in_memory: bool) -> Outcome {
    let input = match in_memory {
        true => sample.memory_of(bytes, Side::End)?,
        false => sample.callback_of(bytes, ReadPlan::Full)?,
    };
    let options = OpenOptions { max_alloc: MAX_ALLOC, ..OpenOptions::default() };
    let result = table.open(&input, &options).and_then(|mut decoder| {
        let info = decoder.info()?;
        let shape = Shape::native(&info);
        // One frame of many channels does not count as an allocation of the plugin.
        let most = (256 << 10) / shape.frame_bytes().max(1);
        if most == 0 { Ok(()) } else { drain(&mut decoder, shape, most, || most.min(512)).map(drop) }
    });
    match result {
        Err(Fault::Broken(finding)) => Err(finding),
        Ok(()) | Err(Fault::Refused(_)) => Ok(()),
    }
}
