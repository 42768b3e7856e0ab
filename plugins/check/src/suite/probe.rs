//! Tests of `probe`.

#![forbid(unsafe_code)]

use std::time::{Duration, Instant};

use crate::context::Context;
use crate::guard_pages::{GuardedBytes, Side};
use crate::host::DecoderTable;
use crate::process_state::{ProcessState, held_bytes};
use crate::verdict::{Finding, Outcome};

/// The time limit of a probe.
const PROBE_TIME: Duration = Duration::from_millis(1);

/// The maximum number of prefixes of a file to probe.
const MAX_PREFIXES: usize = 2048;

/// From this score on, a decoder has found a plausible structure.
const PLAUSIBLE: i32 = 50;

/// The number of probes in which a leak shows.
const NUM_PROBES: usize = 2000;

/// From this score on, a decoder claims certainty.
const CERTAIN: i32 = 90;

/// Probes a file and checks the score.
fn score(context: &Context, table: &DecoderTable, file: &[u8], what: &str) -> Outcome<i32> {
    let head = file.get(..table.probe_bytes()).unwrap_or(file);
    let total_bytes = file.len() as u64;
    let guarded = GuardedBytes::new(head, Side::End)?;
    let started = Instant::now();
    let score = table.probe(&guarded, total_bytes, None, None);
    let mut time = started.elapsed();
    if !(0..=100).contains(&score) {
        return Err(Finding::broken("probe", format!("probe gave {score} for {what}, expected 0 to 100")));
    }
    let elsewhere = GuardedBytes::new(head, Side::Start)?;
    for bytes in [&guarded, &elsewhere] {
        let started = Instant::now();
        let again = table.probe(bytes, total_bytes, None, None);
        time = time.min(started.elapsed());
        if again != score {
            let reason = format!("probe gave {score} for {what}, and {again} the next time");
            return Err(Finding::broken("probe", reason));
        }
    }
    if time > PROBE_TIME {
        let time = time.as_micros();
        context.warn(format!("probe took {time} us for {what}, three times in a row; expected at most 1000"));
    }
    Ok(score)
}

/// Probing allocates nothing that stays, and changes nothing.
fn leaves_nothing(table: &DecoderTable, files: &[&[u8]]) -> Outcome {
    let mut heads = Vec::new();
    for file in files {
        let head = file.get(..table.probe_bytes()).unwrap_or(file);
        heads.push((GuardedBytes::new(head, Side::End)?, file.len() as u64));
    }
    let probe_all = || {
        for _ in 0..NUM_PROBES / heads.len().max(1) {
            for (head, total_bytes) in &heads {
                for extension in [None, Some(c"wav")] {
                    table.probe(head, *total_bytes, extension, None);
                }
            }
        }
    };
    probe_all();
    let before = (ProcessState::now(), held_bytes());
    probe_all();
    let growth = held_bytes().saturating_sub(before.1);
    before.0.check("probe")?;
    if growth >= NUM_PROBES as u64 {
        let reason = format!("probe was called {} times, and {growth} bytes were not freed", 2 * NUM_PROBES);
        return Err(Finding::broken("probe", reason));
    }
    Ok(())
}

/// `probe` returns 0 to 100 from its arguments alone, and is not certain about noise.
pub fn probe(context: &Context) -> Outcome {
    let table = context.decoder()?;
    let mut random = context.random();
    let mut noises: Vec<Vec<u8>> = vec![Vec::new()];
    noises.extend((0..=255).map(|byte| vec![byte]));
    noises.extend([vec![0; 70_000], vec![255; 70_000]]);
    for number in 0..128 {
        let count = if number % 2 == 0 { random.usize(1..100) } else { random.usize(1..70_000) };
        noises.push((0..count).map(|_| random.u8(..)).collect());
    }
    for (number, noise) in noises.iter().enumerate() {
        let what = match noise.as_slice() {
            [] => "an empty file".to_owned(),
            [byte] => format!("the single byte {byte:#04x}"),
            [0, ..] if noise.len() == 70_000 => "a file of zeros".to_owned(),
            bytes => format!("{} random bytes (number {number})", bytes.len()),
        };
        context.doing(format!("probing {what}"));
        let score = score(context, &table, noise, &what)?;
        if score >= CERTAIN {
            let reason = format!(
                "probe gave {score} for {what}; {CERTAIN} and more stand for an unmistakable magic number"
            );
            return Err(Finding::broken("probe", reason));
        }
    }
    context.doing("probing noise many times");
    let noise: Vec<&[u8]> = noises.iter().rev().take(8).map(Vec::as_slice).collect();
    leaves_nothing(&table, &noise)?;
    let samples = match context.samples() {
        Ok(samples) => samples,
        Err(Finding::Untested(reason)) => {
            context.note(format!("only noise was probed: {reason}"));
            return Ok(());
        }
        Err(finding) => return Err(finding),
    };
    for sample in samples {
        if !context.has_time() {
            break;
        }
        context.with_input(&sample.name);
        let most = sample.bytes.len().min(table.probe_bytes() + 1);
        let step = most.div_ceil(MAX_PREFIXES).max(1);
        for count in (0..=most).step_by(step).chain([most]) {
            let what = format!("its first {count} bytes");
            context.doing(format!("probing {what}"));
            score(context, &table, sample.bytes.get(..count).unwrap_or_default(), &what)?;
        }
        if let Some(extension) = &sample.extension {
            context.doing("probing it with its extension");
            let score = table.score_named(&sample.bytes, Some(extension))?;
            if score >= PLAUSIBLE {
                let reason = format!(
                    "probe gave {score} for the extension {extension:?} alone, expected 1 to {}: a guess",
                    PLAUSIBLE - 1
                );
                return Err(Finding::broken("probe", reason));
            }
        }
        context.doing("probing it many times");
        leaves_nothing(&table, &[&sample.bytes])?;
        context.doing("probing it with names of extensions that it may not have");
        let head = sample.bytes.get(..table.probe_bytes()).unwrap_or(&sample.bytes);
        let head = GuardedBytes::new(head, Side::End)?;
        for extension in [c"", c"wav", c"x", c"an-extension-longer-than-any-that-was-ever-used"] {
            let score = table.probe(&head, sample.bytes.len() as u64, Some(extension), None);
            if !(0..=100).contains(&score) {
                let reason =
                    format!("probe gave {score} with the extension {extension:?}, expected 0 to 100");
                return Err(Finding::broken("probe", reason));
            }
        }
    }
    Ok(())
}
