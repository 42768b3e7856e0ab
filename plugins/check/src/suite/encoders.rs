//! Tests of several encoders: side by side, on several threads, and in large numbers.

#![forbid(unsafe_code)]

use std::sync::Barrier;
use std::thread;

use crate::context::Context;
use crate::host::{EncodeOptions, Encoder, EncoderTable, Fault, Format, GuardedBuffer, Layout};
use crate::process_state::ProcessState;
use crate::signal;
use crate::stack;
use crate::suite::handles::grows_by_nothing;
use crate::suite::original::{Original, first_format, usual};
use crate::verdict::{Finding, Outcome};

const NUM_THREADS: usize = 8;

/// The frames of a block, where several are pushed.
const BLOCK: usize = 700;

/// Encoders work in turn and in parallel, each on any thread.
pub fn threads(context: &Context) -> Outcome {
    let table = context.encoder()?;
    let format = first_format(&table)?;
    let original = usual(&table, 5003)?;
    let encode = |original: &Original| {
        original.encode(&table, &original.with_count(), (format, Layout::Interleaved), || BLOCK)
    };
    context.doing("encoding one stream after another");
    let expected = encode(&original)?;
    // Another stream, so that a mix-up shows.
    let mut other = usual(&table, 5003)?;
    other.samples = signal::chord(other.options.num_channels, 5003, other.options.sample_rate, 2);
    let other_expected = encode(&other)?;

    context.doing("encoding three streams in turn");
    let streams = [(&original, &expected), (&other, &other_expected), (&original, &expected)];
    for (bytes, (_, expected)) in
        by_turns(&table, format, streams.map(|(stream, _)| stream))?.iter().zip(streams)
    {
        expect_bytes("an encoder used in turn with others", expected, bytes)?;
    }
    context.doing("moving an encoder from thread to thread");
    expect_bytes(
        "an encoder that was moved between threads",
        &expected,
        &on_any_thread(&table, format, &original)?,
    )?;
    for _ in 0..3 {
        if !context.has_time() {
            break;
        }
        context.doing("encoding eight streams on eight threads");
        let barrier = Barrier::new(NUM_THREADS);
        let work = |number: usize| {
            barrier.wait();
            let (stream, expected) =
                if number < NUM_THREADS / 2 { (&original, &expected) } else { (&other, &other_expected) };
            expect_bytes("one of eight encoders in parallel", expected, &encode(stream)?)
        };
        thread::scope(|scope| {
            let work = &work;
            let spawn = |number| stack::spawn(scope, move || work(number));
            let threads = (0..NUM_THREADS).map(spawn).collect::<Outcome<Vec<_>>>()?;
            threads.into_iter().try_for_each(|thread| stack::join(thread)?)
        })?;
    }
    Ok(())
}

fn expect_bytes(what: &str, expected: &[u8], got: &[u8]) -> Outcome {
    match expected == got {
        true => Ok(()),
        false => Err(Finding::broken("R4", format!("{what} gave other bytes than one that works alone"))),
    }
}

/// The blocks of a stream.
fn blocks(format: Format, original: &Original) -> Vec<GuardedBuffer> {
    let num_channels = original.options.num_channels;
    let block = |samples: &[i16]| {
        GuardedBuffer::of(format, Layout::Interleaved, num_channels, &signal::encode(format, samples))
    };
    original.samples.chunks(BLOCK * num_channels as usize).map(block).collect()
}

fn by_turns(table: &EncoderTable, format: Format, streams: [&Original; 3]) -> Outcome<Vec<Vec<u8>>> {
    let mut encoders: Vec<Encoder> =
        streams.iter().map(|stream| table.open(&stream.with_count())).collect::<Result<_, Fault>>()?;
    let mut blocks: Vec<_> = streams.iter().map(|stream| blocks(format, stream).into_iter()).collect();
    while blocks.iter().any(|rest| rest.len() > 0) {
        for (encoder, rest) in encoders.iter_mut().zip(&mut blocks) {
            if let Some(mut block) = rest.next() {
                encoder.push_buffer(&mut block)?;
            }
        }
    }
    for encoder in &mut encoders {
        encoder.finish()?;
    }
    Ok(encoders.iter().map(|encoder| encoder.sink().bytes()).collect())
}

fn on_any_thread(table: &EncoderTable, format: Format, original: &Original) -> Outcome<Vec<u8>> {
    let mut encoder = stack::run(|| table.open(&original.with_count()))??;
    for (number, mut block) in blocks(format, original).into_iter().enumerate() {
        if number % 4 == 0 {
            encoder.push_buffer(&mut block)?;
            continue;
        }
        let (moved, result) = stack::run(move || {
            let result = encoder.push_buffer(&mut block);
            (encoder, result)
        })?;
        result?;
        encoder = moved;
    }
    let (encoder, result) = stack::run(move || {
        let result = encoder.finish();
        (encoder, result)
    })?;
    result?;
    let bytes = encoder.sink().bytes();
    stack::run(move || drop(encoder))?;
    Ok(bytes)
}

/// A thousand encoders leak no memory, descriptor or thread, whether they finish, are abandoned, or do not open.
pub fn leaks(context: &Context) -> Outcome {
    let table = context.encoder()?;
    let format = first_format(&table)?;
    let original = usual(&table, 500)?;
    let options = original.with_count();
    let mut block = blocks(format, &original).remove(0);
    let mut push = |is_finished: bool| -> Outcome {
        let mut encoder = table.open(&options)?;
        encoder.push_buffer(&mut block)?;
        if is_finished { Ok(encoder.finish()?) } else { Ok(()) }
    };
    grows_by_nothing(context, "encoding a stream", &mut || push(true))?;
    grows_by_nothing(context, "abandoning a stream", &mut || push(false))?;
    let refused = [
        EncodeOptions { codec: Some("no-such-codec".to_owned()), ..options.clone() },
        EncodeOptions { sample_rate: 1, ..options.clone() },
        EncodeOptions { append_only: true, num_frames: None, ..options.clone() },
    ];
    grows_by_nothing(context, "opening an encoder with options that it may refuse", &mut || {
        for options in &refused {
            if let Err(Fault::Broken(finding)) = table.open(options) {
                return Err(finding);
            }
        }
        Ok(())
    })?;
    grows_by_nothing(context, "encoding a stream whose first write fails", &mut || {
        let options = EncodeOptions { failing_write: Some(0), ..options.clone() };
        match original.encode(&table, &options, (format, Layout::Interleaved), || BLOCK) {
            Err(Fault::Broken(finding)) => Err(finding),
            Ok(_) | Err(Fault::Refused(_)) => Ok(()),
        }
    })
}

/// Encoding leaves the state of the process as it is.
pub fn process_state(context: &Context) -> Outcome {
    let library = context.library()?;
    let before = ProcessState::now();
    let plugin = library.enter()?;
    let tables = plugin.each_encoder()?;
    let Some(Ok(table)) = tables.into_iter().nth(context.job.table) else {
        return Err(Finding::broken("get", "get no longer returns the encoder"));
    };
    let format = first_format(&table)?;
    let original = usual(&table, 5003)?;
    before.check("R5")?;
    context.doing("opening an encoder");
    let mut encoder = table.open(&original.options)?;
    before.check("R5")?;
    for mut block in blocks(format, &original) {
        context.doing("pushing frames");
        encoder.push_buffer(&mut block)?;
        before.check("R5")?;
    }
    context.doing("finishing");
    encoder.finish()?;
    before.check("R5")?;
    context.doing("closing");
    drop(encoder);
    before.check("R5")
}
