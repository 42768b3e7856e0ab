//! Tests of the index that a decoder saves and takes back.

#![forbid(unsafe_code)]

use crate::context::Context;
use crate::host::{DecoderTable, Fault, OpenOptions};
use crate::reference::{Reference, USUAL_FRAMES, drain, expect_same, references};
use crate::verdict::{Finding, Outcome};

/// How many damaged indices are tried for each file.
const NUM_DAMAGED: usize = 48;

/// A stream that is opened with its index is the same as without, and bytes that are none do no harm.
pub fn index(context: &Context) -> Outcome {
    let table = context.decoder()?;
    if !table.saves_index() {
        return Err(Finding::skipped("the decoder saves no index"));
    }
    let mut last: Option<Vec<u8>> = None;
    for reference in references(context, &table)? {
        if !context.has_time() {
            break;
        }
        context.with_input(&reference.sample.name);
        context.doing("opening it with other bytes than an index");
        let noise: Vec<u8> = (0..1000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
        for bytes in [&[0][..], &[0xff; 4096], &noise] {
            opens(&table, &reference, bytes)?;
        }
        context.doing("saving its index");
        let decoder = reference.open(&table)?;
        let saved = decoder.save_index()?;
        if decoder.fork()?.save_index()? != saved {
            return Err(Finding::broken("save_index", "a fork saves another index"));
        }
        drop(decoder);
        let Some(saved) = saved else { continue };
        if saved.len() > reference.sample.bytes.len().saturating_mul(4).saturating_add(4096) {
            let (found, file) = (saved.len(), reference.sample.bytes.len());
            let reason =
                format!("the index of a file of {file} bytes has {found}: it is a few for each packet");
            return Err(Finding::broken("save_index", reason));
        }
        context.doing("opening it with its index");
        same(&table, &reference, &saved)?;
        if let Some(other) = last.replace(saved.clone()) {
            context.doing("opening it with the index of another file");
            opens(&table, &reference, &other)?;
        }
        context.doing("opening it with its index, damaged");
        damaged(context, &table, &reference, &saved)?;
    }
    Ok(())
}

/// A stream that is opened with its own index has the same info, samples and index.
fn same(table: &DecoderTable, reference: &Reference, saved: &[u8]) -> Outcome {
    let options = OpenOptions { index: saved.to_vec(), ..OpenOptions::default() };
    let mut decoder = table.open(&reference.input, &options).map_err(|fault| refused("its index", fault))?;
    if decoder.info()? != reference.info {
        return Err(Finding::broken("index", "a stream that is opened with its index has another info"));
    }
    if decoder.save_index()?.as_deref() != Some(saved) {
        return Err(Finding::broken("save_index", "a stream that is opened with its index saves another"));
    }
    let shape = reference.shape();
    let (pcm, _) = drain(&mut decoder, shape, reference.num_frames.max(1), || USUAL_FRAMES)?;
    expect_same("index", "a stream that is opened with its index", shape, &reference.pcm, &pcm)?;
    let (frame, rest) = (reference.num_frames / 2, reference.num_frames - reference.num_frames / 2);
    decoder.seek(frame as u64)?;
    let (pcm, _) = drain(&mut decoder, shape, rest.clamp(1, USUAL_FRAMES), || USUAL_FRAMES)?;
    let mut plain = reference.open(table)?;
    plain.seek(frame as u64)?;
    let (expected, _) = drain(&mut plain, shape, rest.clamp(1, USUAL_FRAMES), || USUAL_FRAMES)?;
    expect_same("index", "a seek in a stream that is opened with its index", shape, &expected, &pcm)
}

/// A stream opens in spite of bytes that are not its index.
fn opens(table: &DecoderTable, reference: &Reference, bytes: &[u8]) -> Outcome {
    let options = OpenOptions { index: bytes.to_vec(), ..OpenOptions::default() };
    let mut decoder =
        table.open(&reference.input, &options).map_err(|fault| refused("other bytes", fault))?;
    if decoder.info()? != reference.info {
        return Err(Finding::broken("index", "bytes that are not its index change its info"));
    }
    let shape = reference.shape();
    let (pcm, _) = drain(&mut decoder, shape, reference.num_frames.max(1), || USUAL_FRAMES)?;
    expect_same("index", "a stream that is opened with other bytes", shape, &reference.pcm, &pcm)
}

/// A damaged index does no harm: what it changes may be the samples, since the host keeps such accidents from the decoder.
fn damaged(context: &Context, table: &DecoderTable, reference: &Reference, saved: &[u8]) -> Outcome {
    let shape = reference.shape();
    for number in 0..NUM_DAMAGED {
        if !context.has_time() {
            break;
        }
        let mut bytes = saved.to_vec();
        let place = number * 7919 % bytes.len();
        match (number % 3, bytes.get_mut(place)) {
            (0, _) => bytes.truncate(place),
            (1, Some(byte)) => *byte ^= 1 << (number / 3 % 8),
            (_, Some(byte)) => *byte = 0xff,
            _ => {}
        }
        let options = OpenOptions { index: bytes, ..OpenOptions::default() };
        let mut decoder =
            table.open(&reference.input, &options).map_err(|fault| refused("a damaged index", fault))?;
        match drain(&mut decoder, shape, reference.num_frames.max(1), || USUAL_FRAMES) {
            Ok(_) | Err(Fault::Refused(_)) => {}
            Err(Fault::Broken(finding)) => return Err(finding),
        }
    }
    Ok(())
}

fn refused(with: &str, fault: Fault) -> Finding {
    match fault {
        Fault::Refused(refusal) => Finding::broken(
            "index",
            format!("the file opens without an index, and with {with} open says: {refusal}"),
        ),
        Fault::Broken(finding) => finding,
    }
}
