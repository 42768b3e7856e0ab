//! Tests of several handles: side by side, on several threads, and in large numbers.

#![forbid(unsafe_code)]

use std::sync::Barrier;
use std::thread;

use crate::context::Context;
use crate::guard_pages::Side;
use crate::host::{Decoder, DecoderTable, Fault, OpenOptions, ReadPlan};
use crate::process_state::{ProcessState, held_bytes};
use crate::reference::{Reference, Shape, USUAL_FRAMES, drain, expect_same, references};
use crate::stack;
use crate::verdict::{Finding, Outcome};

const NUM_THREADS: usize = 8;

/// The number of handles to open and close in the leak test.
const NUM_HANDLES: usize = 1000;

/// The number that there is always time for.
const MIN_HANDLES: usize = 20;

/// Growth below this per handle is the C library's own bookkeeping.
const LEAK_BYTES: u64 = 16;

/// A fork starts at the first frame and is independent of its original.
pub fn fork(context: &Context) -> Outcome {
    let table = context.decoder()?;
    for reference in references(context, &table)? {
        if !context.has_time() {
            break;
        }
        context.with_input(&reference.sample.name);
        let shape = reference.shape();
        let half = reference.num_frames / 2;
        let mut original = reference.open(&table)?;
        let (mut pcm, _) = drain(&mut original, shape, half, || USUAL_FRAMES)?;
        context.doing("forking in the middle, and decoding the fork");
        let mut fork = original.fork()?;
        let (forked, _) = drain(&mut fork, shape, usize::MAX, || USUAL_FRAMES)?;
        expect_same("fork", "a fork made in the middle", shape, &reference.pcm, &forked)?;
        context.doing("decoding the original after its fork");
        pcm.extend(drain(&mut original, shape, usize::MAX, || USUAL_FRAMES)?.0);
        expect_same("fork", "a handle whose fork was used", shape, &reference.pcm, &pcm)?;
        context.doing("decoding the fork of a fork after both were closed");
        let mut last = fork.fork()?;
        drop(original);
        drop(fork);
        let (pcm, _) = drain(&mut last, shape, usize::MAX, || USUAL_FRAMES)?;
        expect_same("fork", "a fork whose original was closed", shape, &reference.pcm, &pcm)?;
    }
    Ok(())
}

/// Handles work in parallel, and each works on any thread.
pub fn threads(context: &Context) -> Outcome {
    let table = context.decoder()?;
    for reference in references(context, &table)? {
        if !context.has_time() {
            break;
        }
        context.with_input(&reference.sample.name);
        context.doing("decoding two handles in turn");
        by_turns(&table, &reference)?;
        context.doing("moving a handle from thread to thread");
        on_any_thread(&table, &reference)?;
        for _ in 0..3 {
            if !context.has_time() {
                break;
            }
            context.doing("decoding eight handles on eight threads");
            in_parallel(&table, &reference)?;
        }
    }
    Ok(())
}

fn by_turns(table: &DecoderTable, reference: &Reference) -> Outcome {
    let shape = reference.shape();
    let mut handles = [reference.open(table)?, reference.open(table)?, reference.open(table)?.fork()?];
    let mut outputs = [Vec::new(), Vec::new(), Vec::new()];
    let size = (reference.num_frames / 20).clamp(1, USUAL_FRAMES);
    let mut is_end = false;
    while !is_end {
        for (number, (handle, pcm)) in handles.iter_mut().zip(&mut outputs).enumerate() {
            let (part, ended) = drain(handle, shape, size + number, || size + number)?;
            pcm.extend(part);
            is_end = ended;
        }
    }
    for (mut handle, mut pcm) in handles.into_iter().zip(outputs) {
        pcm.extend(drain(&mut handle, shape, usize::MAX, || USUAL_FRAMES)?.0);
        expect_same("R4", "a handle used in turn with others", shape, &reference.pcm, &pcm)?;
    }
    Ok(())
}

fn on_any_thread(table: &DecoderTable, reference: &Reference) -> Outcome {
    let shape = reference.shape();
    let size = (reference.num_frames / 4).max(1);
    let mut decoder: Decoder = stack::run(|| reference.open(table))??;
    let mut pcm = Vec::new();
    loop {
        let (mut moved, result) = stack::run(move || {
            let result = drain(&mut decoder, shape, size, || size);
            (decoder, result)
        })?;
        let (part, is_end) = result?;
        pcm.extend(part);
        if is_end {
            stack::run(move || drop(moved))?;
            break;
        }
        // One call on this thread, too.
        pcm.extend(drain(&mut moved, shape, 1, || 1)?.0);
        decoder = moved;
    }
    expect_same("R4", "a handle that was moved between threads", shape, &reference.pcm, &pcm)
}

fn in_parallel(table: &DecoderTable, reference: &Reference) -> Outcome {
    let shape: Shape = reference.shape();
    let barrier = Barrier::new(NUM_THREADS);
    let forks: Vec<Decoder> = {
        let first = reference.open(table)?;
        (0..NUM_THREADS / 2).map(|_| first.fork()).collect::<Result<_, Fault>>()?
    };
    let play = |fork: Option<Decoder>, number: usize| {
        barrier.wait();
        let mut decoder = match fork {
            Some(fork) => fork,
            None => reference.open(table)?,
        };
        let size = [17, 512, 4096, 1000].get(number % 4).copied().unwrap_or(USUAL_FRAMES);
        Ok::<_, Finding>(drain(&mut decoder, shape, usize::MAX, || size)?.0)
    };
    let results: Vec<Outcome<Vec<u8>>> = thread::scope(|scope| {
        let handles = forks.into_iter().map(Some).chain([const { None }; NUM_THREADS / 2]);
        let play = &play;
        let spawn = |(number, fork)| stack::spawn(scope, move || play(fork, number));
        let threads = handles.enumerate().map(spawn).collect::<Outcome<Vec<_>>>()?;
        Ok::<_, Finding>(threads.into_iter().map(|thread| stack::join(thread)?).collect())
    })?;
    for pcm in results {
        expect_same("R4", "one of eight handles in parallel", shape, &reference.pcm, &pcm?)?;
    }
    Ok(())
}

/// A thousand handles leak no memory, descriptor or thread; nor do a thousand files that do not open, or a thousand calls.
pub fn leaks(context: &Context) -> Outcome {
    let table = context.decoder()?;
    let mut references = references(context, &table)?;
    // Small files show as much in less time.
    references.sort_by_key(|reference| reference.pcm.len());
    references.truncate(3);
    for reference in references {
        context.with_input(&reference.sample.name);
        let shape = reference.shape();
        let mut buffer = shape.buffer(256);
        let mut taken = Vec::with_capacity(256 * shape.frame_bytes());
        let mut once = || -> Outcome {
            let mut decoder = reference.open(&table)?;
            taken.clear();
            match decoder.decode_into(&mut buffer)? {
                0 => {}
                frames => buffer.take(frames, &mut taken),
            }
            if decoder.seek(u64::MAX).is_ok() {
                return Ok(());
            }
            drop(decoder.fork()?);
            Ok(decoder.seek(0)?)
        };
        grows_by_nothing(context, "opening and closing handles, each with a fork", &mut once)?;

        // Where opening ends early, what was allocated so far must be freed.
        let bytes = &reference.sample.bytes;
        for cut in [bytes.len() / 2, 40, 24, 12, 4] {
            let cut = bytes.get(..cut).unwrap_or_default();
            for damaged in [cut.to_vec(), cut.iter().map(|byte| !byte).collect()] {
                let input = reference.sample.callback_of(&damaged, ReadPlan::Full)?;
                let failing = reference.sample.callback_of(bytes, ReadPlan::FailingFrom(1))?;
                let what = format!("opening its first {} bytes, or without being able to read", cut.len());
                grows_by_nothing(context, &what, &mut || {
                    for input in [&input, &failing] {
                        if let Err(Fault::Broken(finding)) = table.open(input, &OpenOptions::default()) {
                            return Err(finding);
                        }
                    }
                    Ok(())
                })?;
            }
        }

        let mut decoder = reference.open(&table)?;
        let mut buffer = shape.buffer(16);
        grows_by_nothing(context, "calling the functions of one handle", &mut || {
            decoder.info()?;
            decoder.tag(0)?;
            decoder.tag(u32::MAX)?;
            decoder.stream(0)?;
            decoder.seek(0)?;
            if decoder.decode_into(&mut buffer)? > 0 {
                buffer.take(16, &mut Vec::new());
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// Does something many times, and rejects memory, descriptors and threads that stay.
pub fn grows_by_nothing(context: &Context, what: &str, once: &mut dyn FnMut() -> Outcome) -> Outcome {
    repeat(context, what, NUM_HANDLES / 5, once)?;
    let before = ProcessState::now();
    let (mut growth, mut count) = grow(context, what, once)?;
    if growth >= limit(count) {
        // What is kept for later is kept once; a leak goes on.
        (growth, count) = grow(context, what, once)?;
    }
    before.check("R2")?;
    if growth >= limit(count) {
        let each = growth / count.max(1) as u64;
        let reason = format!("after {what} {count} times, {growth} bytes were not freed: {each} each time");
        return Err(Finding::broken("R2", reason));
    }
    Ok(())
}

/// How many bytes may stay.
fn limit(count: usize) -> u64 {
    LEAK_BYTES * count.max(NUM_HANDLES / 10) as u64
}

/// Does something many times; returns by how many bytes the memory grew, and how often it was done.
fn grow(context: &Context, what: &str, once: &mut dyn FnMut() -> Outcome) -> Outcome<(u64, usize)> {
    let before = held_bytes();
    let count = repeat(context, what, NUM_HANDLES, once)?;
    Ok((held_bytes().saturating_sub(before), count))
}

fn repeat(context: &Context, what: &str, most: usize, once: &mut dyn FnMut() -> Outcome) -> Outcome<usize> {
    let mut count = 0;
    while count < most && (count < MIN_HANDLES || context.has_time()) {
        if count % 50 == 0 {
            context.doing(format!("{what}, time {count} of {most}"));
        }
        once()?;
        count += 1;
    }
    Ok(count)
}

/// The process state does not change: signal handlers, locale, floating-point mode, threads and descriptors.
pub fn process_state(context: &Context) -> Outcome {
    let library = context.library()?;
    let before = ProcessState::now();
    let plugin = library.enter()?;
    before.check("R5")?;
    let tables = plugin.decoders()?;
    let Some(table) = tables.get(context.job.table) else {
        return Err(Finding::broken("get", "get no longer returns the decoder"));
    };
    for sample in context.samples()? {
        if !context.has_time() {
            break;
        }
        context.with_input(&sample.name);
        let input = sample.memory(Side::End)?;
        // A failed open must leave the state unchanged, too.
        if let Ok(mut decoder) = table.open(&input, &OpenOptions::default()) {
            before.check("R5")?;
            if let Ok(info) = decoder.info() {
                context.doing("decoding it");
                let _ = drain(&mut decoder, Shape::native(&info), 1 << 20, || USUAL_FRAMES);
                before.check("R5")?;
            }
        }
        context.doing("closing it");
        before.check("R5")?;
    }
    Ok(())
}
