//! Tests of stream info and metadata.

#![forbid(unsafe_code)]

use crate::context::Context;
use crate::host::{Decoder, DecoderTable, KeptNames, KeptTag, SeekClass};
use crate::reference::{Reference, USUAL_FRAMES, drain, references};
use crate::verdict::{Finding, Outcome};

/// Keys and values.
type Tags = Vec<(String, String)>;

/// The maximum number of tags that a file may have.
const MAX_TAGS: u32 = 100_000;

fn expect_info(reference: &Reference, decoder: &Decoder, when: &str) -> Outcome {
    let info = decoder.info()?;
    if info == reference.info {
        return Ok(());
    }
    let reason = format!("info changed {when}: it was {:?}, and now is {info:?}", reference.info);
    Err(Finding::broken("info", reason))
}

/// `info` is valid, constant for a handle and its forks, and correct about the number of frames.
pub fn info(context: &Context) -> Outcome {
    let table = context.decoder()?;
    let mut earlier: Vec<(KeptNames, (String, String))> = Vec::new();
    for reference in references(context, &table)? {
        if !context.has_time() {
            break;
        }
        context.with_input(&reference.sample.name);
        true_count(context, &reference)?;
        constant(context, &table, &reference)?;
        context.doing("looking at the names of other streams");
        earlier.push((reference.open(&table)?.kept_names()?, reference.info.names.clone()));
        for (kept, names) in &earlier {
            let now = kept.read()?;
            if now != *names {
                let reason = format!(
                    "codec and container, which are valid until the process exits, changed: {names:?}, {now:?}"
                );
                return Err(Finding::broken("R2", reason));
            }
        }
    }
    Ok(())
}

fn true_count(context: &Context, reference: &Reference) -> Outcome {
    let decoded = reference.num_frames as u64;
    if decoded == 0 && reference.info.num_frames != Some(0) {
        context.note("a stream without frames has another num_frames than 0");
    }
    match reference.info.num_frames {
        Some(count) if count != decoded => {
            let reason = format!("info says {count} frames, and decode gives {decoded} until the end");
            Err(Finding::broken("info", reason))
        }
        _ => Ok(()),
    }
}

fn constant(context: &Context, table: &DecoderTable, reference: &Reference) -> Outcome {
    let mut decoder = reference.open(table)?;
    expect_info(reference, &decoder, "with another handle")?;
    context.doing("decoding a little, and asking for info again");
    drain(&mut decoder, reference.shape(), 1, || 1)?;
    expect_info(reference, &decoder, "after decoding a frame")?;
    let fork = decoder.fork()?;
    expect_info(reference, &fork, "in a fork")?;
    drop(fork);
    drain(&mut decoder, reference.shape(), usize::MAX, || USUAL_FRAMES)?;
    expect_info(reference, &decoder, "at the end of the stream")?;
    expect_info(reference, &decoder.fork()?, "in a fork made at the end")?;
    context.doing("seeking, and asking for info again");
    decoder.seek(0)?;
    expect_info(reference, &decoder, "after a seek")?;
    if reference.info.seek_class != SeekClass::None {
        decoder.seek(reference.num_frames as u64 / 2)?;
        expect_info(reference, &decoder, "after a seek")?;
    }
    Ok(())
}

/// The strings of tags stay valid until their handle is closed, whatever else is asked for.
fn kept_tags(
    context: &Context,
    table: &DecoderTable,
    reference: &Reference,
    decoder: &Decoder,
    tags: &[(String, String)],
) -> Outcome {
    context.doing("asking for its tags on other handles");
    let mut kept = Vec::new();
    for index in (0..).take(tags.len()) {
        kept.extend(decoder.kept_tag(index)?);
    }
    expect_kept(decoder, &kept, tags, "the next tag was asked for")?;
    let other = reference.open(table)?;
    for handle in [&other, &other.fork()?] {
        for index in (0..=u32::MAX).take(tags.len() + 1) {
            handle.tag(index)?;
        }
        expect_kept(decoder, &kept, tags, "another handle was asked")?;
    }
    drop(other);
    expect_kept(decoder, &kept, tags, "another handle was closed")
}

fn expect_kept(decoder: &Decoder, kept: &[KeptTag], expected: &[(String, String)], when: &str) -> Outcome {
    for (index, (kept, expected)) in kept.iter().zip(expected).enumerate() {
        let now = kept.read(decoder)?;
        if now != *expected {
            let reason = format!(
                "the strings of tag {index}, which are valid until close, changed after {when}: {expected:?}, {now:?}"
            );
            return Err(Finding::broken("tag", reason));
        }
    }
    Ok(())
}

/// Tags are text, and always the same.
pub fn metadata(context: &Context) -> Outcome {
    let table = context.decoder()?;
    let mut earlier: Option<(Decoder, Vec<KeptTag>, Tags)> = None;
    for reference in references(context, &table)? {
        if !context.has_time() {
            break;
        }
        context.with_input(&reference.sample.name);
        let decoder = reference.open(&table)?;
        let mut tags = Vec::new();
        for index in 0.. {
            context.doing(format!("asking for tag {index}"));
            let Some((key, value)) = decoder.tag(index)? else { break };
            // Vorbis comment specification, "Comment encoding": 0x20 to 0x7d without '='.
            let may =
                |letter: char| (' '..='}').contains(&letter) && letter != '=' && !letter.is_ascii_uppercase();
            if key.is_empty() || !key.chars().all(may) {
                let reason = format!("a tag has the key {key:?}, expected a lower-case Vorbis comment name");
                return Err(Finding::broken("tag", reason));
            }
            tags.push((key, value));
            if let Some((other, kept, expected)) = &earlier {
                expect_kept(other, kept, expected, "a tag of a handle over another file was asked for")?;
            }
            if index == MAX_TAGS {
                return Err(Finding::broken("tag", format!("there is still a tag at index {MAX_TAGS}")));
            }
        }
        if decoder.tag(u32::MAX)?.is_some() {
            return Err(Finding::broken("tag", "there is a tag at index 4294967295"));
        }
        kept_tags(context, &table, &reference, &decoder, &tags)?;
        let fork = decoder.fork()?;
        let kept = (0..).take(tags.len()).map_while(|index| decoder.kept_tag(index).transpose());
        let kept: Vec<KeptTag> = kept.collect::<Result<_, _>>()?;
        earlier = Some((decoder, kept, tags.clone()));
        for (index, expected) in (0..).zip(tags) {
            if fork.tag(index)? != Some(expected) {
                return Err(Finding::broken("tag", format!("tag {index} is another one in a fork")));
            }
        }
    }
    Ok(())
}
