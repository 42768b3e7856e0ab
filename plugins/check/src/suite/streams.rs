//! Tests of the list of a file's audio streams.

#![forbid(unsafe_code)]

use mapwave_plugin_abi::{MW_BAD_ARGUMENT, MW_DEFAULT_STREAM, MW_UNSUPPORTED};

use crate::context::Context;
use crate::host::{Decoder, DecoderTable, Fault, OpenOptions, StreamEntry};
use crate::reference::{Reference, USUAL_FRAMES, drain, expect_same, references};
use crate::verdict::{Finding, Outcome};

/// The maximum number of audio streams that a file may have.
const MAX_STREAMS: usize = 1024;

/// Every listed stream opens or is refused for its codec, one is the default and opens without a number, and no other stream
/// opens.
pub fn streams(context: &Context) -> Outcome {
    let table = context.decoder()?;
    if !table.lists_streams() {
        return Err(Finding::skipped("the decoder reads one stream of a file and has no list"));
    }
    for reference in references(context, &table)? {
        context.with_input(&reference.sample.name);
        context.doing("listing its streams");
        let decoder = reference.open(&table)?;
        let listed = list(&decoder)?;
        if list(&decoder.fork()?)? != listed {
            return Err(Finding::broken("stream", "a fork lists other streams"));
        }
        drop(decoder);
        let defaults: Vec<usize> = (0..listed.len()).filter(|index| is_default(&listed, *index)).collect();
        let &[default] = defaults.as_slice() else {
            let reason = format!("of {} listed streams {} are the default", listed.len(), defaults.len());
            return Err(Finding::broken("stream", reason));
        };
        for (index, entry) in listed.iter().enumerate() {
            context.doing(format!("opening stream {index} of {}", listed.len()));
            let expected = (index == default).then_some(&reference);
            opens(context, &table, &reference, &listed, (index, entry), expected)?;
        }
        let beyond = u32::try_from(listed.len()).unwrap_or(u32::MAX);
        for index in [beyond, MW_DEFAULT_STREAM - 1] {
            context.doing(format!("opening stream {index} of {}", listed.len()));
            refuses(&table, &reference, index)?;
        }
    }
    Ok(())
}

fn is_default(listed: &[StreamEntry], index: usize) -> bool {
    listed.get(index).is_some_and(|entry| entry.is_default)
}

/// All streams that a handle lists.
fn list(decoder: &Decoder) -> Outcome<Vec<StreamEntry>> {
    let mut listed = Vec::new();
    for index in 0.. {
        let Some(entry) = decoder.stream(index)? else { break };
        listed.push(entry);
        if listed.len() > MAX_STREAMS {
            return Err(Finding::broken("stream", format!("more than {MAX_STREAMS} streams are listed")));
        }
    }
    if listed.is_empty() {
        return Err(Finding::broken("stream", "the open stream is not in the list, which is empty"));
    }
    if decoder.stream(u32::MAX)?.is_some() {
        return Err(Finding::broken("stream", "there is a stream at index 4294967295"));
    }
    Ok(listed)
}

/// A stream that is listed opens, with its codec and the same list, unless its codec is not supported. The default one is the
/// `expected` one.
fn opens(
    context: &Context,
    table: &DecoderTable,
    reference: &Reference,
    listed: &[StreamEntry],
    (index, entry): (usize, &StreamEntry),
    expected: Option<&Reference>,
) -> Outcome {
    let options = OpenOptions { stream: u32::try_from(index).ok(), ..OpenOptions::default() };
    let mut decoder = match table.open(&reference.input, &options) {
        Ok(decoder) => decoder,
        Err(Fault::Refused(refusal)) if refusal.status == MW_UNSUPPORTED && expected.is_none() => {
            context.note("streams of codecs that the decoder does not support were left out");
            return Ok(());
        }
        Err(Fault::Refused(refusal)) => {
            let reason = format!("stream {index} is listed, and open says: {refusal}");
            return Err(Finding::broken("stream", reason));
        }
        Err(Fault::Broken(finding)) => return Err(finding),
    };
    let codec = decoder.info()?.names.0;
    if codec != entry.codec {
        let reason = format!("stream {index} is listed with the codec {}, and has {codec}", entry.codec);
        return Err(Finding::broken("stream", reason));
    }
    if list(&decoder)? != listed {
        return Err(Finding::broken("stream", format!("a handle of stream {index} lists other streams")));
    }
    let Some(expected) = expected else { return Ok(()) };
    if decoder.info()? != expected.info {
        let reason = format!("stream {index} is the default, and has another info than without a number");
        return Err(Finding::broken("stream", reason));
    }
    let shape = expected.shape();
    let (pcm, _) = drain(&mut decoder, shape, expected.num_frames.max(1), || USUAL_FRAMES)?;
    expect_same("stream", "the default stream, opened by its number,", shape, &expected.pcm, &pcm)
}

/// A stream that is not listed is not there.
fn refuses(table: &DecoderTable, reference: &Reference, index: u32) -> Outcome {
    let options = OpenOptions { stream: Some(index), ..OpenOptions::default() };
    match table.open(&reference.input, &options) {
        Ok(_) => Err(Finding::broken("stream", format!("stream {index} is not listed, and opens"))),
        Err(Fault::Refused(refusal)) if refusal.status == MW_BAD_ARGUMENT => Ok(()),
        Err(Fault::Refused(refusal)) => {
            let reason = format!("stream {index} is not there, expected MW_BAD_ARGUMENT, got: {refusal}");
            Err(Finding::broken("stream", reason))
        }
        Err(Fault::Broken(finding)) => Err(finding),
    }
}
