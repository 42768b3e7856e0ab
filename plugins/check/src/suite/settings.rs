//! Tests of the options of encoders: what an encoder takes has an effect, and what it cannot do it rejects.

#![forbid(unsafe_code)]

use crate::context::Context;
use crate::host::{EncodeOptions, EncoderTable, Fault, Layout};
use crate::suite::original::{Original, Readers, first_format, usual};
use crate::verdict::{Finding, Outcome};

/// Bit rates to ask for, of which a lossy encoder does not do the same for all.
const BITRATES: [u32; 6] = [24_000, 48_000, 64_000, 96_000, 128_000, 256_000];

/// Qualities to ask for.
const QUALITIES: [u32; 4] = [1, 40, 70, 100];

/// Depths to ask for.
const DEPTHS: [u32; 6] = [8, 12, 16, 20, 24, 32];

/// The speakers at the sides, which are not what two channels usually are.
const SIDES: u64 = 0x600;

/// The front speakers, left, right and centre.
const FRONT: u64 = 0x7;

/// An encoder, a stream that it takes, and what reads it back.
struct Trial<'a> {
    context: &'a Context,
    table: EncoderTable,
    readers: Readers,
    original: Original,
}

impl Trial<'_> {
    /// The stream encoded with these options; `None` if the encoder rejects them.
    fn encode(&self, what: &str, options: EncodeOptions) -> Outcome<Option<Vec<u8>>> {
        self.context.doing(format!("encoding with {what}"));
        let format = first_format(&self.table)?;
        match self.original.encode(&self.table, &options, (format, Layout::Interleaved), || 4096) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(Fault::Refused(refusal)) if refusal.call == "open" => Ok(None),
            Err(fault) => Err(fault.into()),
        }
    }

    /// Rejects an option that is taken with every value and changes nothing.
    fn has_effect(&self, option: &str, values: &[u32], with: impl Fn(u32) -> EncodeOptions) -> Outcome {
        let mut streams = Vec::new();
        for value in values {
            if let Some(bytes) = self.encode(&format!("{option} {value}"), with(*value))? {
                streams.push((value, bytes));
            }
        }
        let (Some((first, one)), Some((last, other))) = (streams.first(), streams.last()) else {
            return Ok(());
        };
        if streams.len() < 2 || streams.iter().any(|(_, bytes)| bytes.len() != one.len()) {
            return Ok(());
        }
        let decode = |bytes| self.readers.decode(&self.original, &self.table, bytes);
        let is_same = match (decode(one)?, decode(other)?) {
            // A header may name what has no effect.
            (Some((_, one)), Some((_, other))) => one == other,
            _ => one == other,
        };
        if is_same {
            let reason = format!(
                "{option} {first} and {last} are taken and change nothing; expected an error, or an effect"
            );
            return Err(Finding::broken("open", reason));
        }
        Ok(())
    }
}

/// Options that are taken have an effect; others are rejected.
pub fn settings(context: &Context) -> Outcome {
    let table = context.encoder()?;
    let original = usual(&table, 20_000)?;
    let trial = Trial { context, table, readers: Readers::new(context)?, original };
    let usual = trial.original.with_count();
    for (what, options) in [
        (
            "a codec that does not exist",
            EncodeOptions { codec: Some("no-such-codec".into()), ..usual.clone() },
        ),
        (
            "a container that does not exist",
            EncodeOptions { container: Some("no-such-box".into()), ..usual.clone() },
        ),
        ("0 channels", EncodeOptions { num_channels: 0, ..usual.clone() }),
        ("a sample rate of 0", EncodeOptions { sample_rate: 0, ..usual.clone() }),
    ] {
        context.doing(format!("opening an encoder with {what}"));
        match table.open(&options) {
            Err(Fault::Refused(_)) => {}
            Err(Fault::Broken(finding)) => return Err(finding),
            Ok(_) => return Err(Finding::broken("open", format!("{what} is taken, expected an error"))),
        }
    }
    trial.has_effect("bitrate", &BITRATES, |bitrate| EncodeOptions { bitrate, ..usual.clone() })?;
    trial.has_effect("quality", &QUALITIES, |quality| EncodeOptions { quality, ..usual.clone() })?;
    depths(&trial, &usual)?;
    speakers(&trial)?;
    tags(&trial, &usual)
}

/// A depth that is taken is kept, if the stream is lossless, and not all depths are the same.
fn depths(trial: &Trial<'_>, usual: &EncodeOptions) -> Outcome {
    let mut taken = Vec::new();
    for depth in DEPTHS {
        let options = EncodeOptions { bits_per_sample: depth, ..usual.clone() };
        let Some(bytes) = trial.encode(&format!("bits_per_sample {depth}"), options)? else { continue };
        let Some((info, _)) = trial.readers.decode(&trial.original, &trial.table, &bytes)? else {
            return Ok(());
        };
        let bits = info.bits_per_sample;
        if !info.is_lossless || bits == 0 {
            continue;
        }
        taken.push((depth, bits));
        let has_no_effect = taken.len() > 1 && taken.iter().all(|(_, other)| *other == bits);
        if bits < depth || has_no_effect {
            let reason = format!(
                "bits_per_sample {depth} is taken, and the stream has {bits} bits; expected an error, or an effect"
            );
            return Err(Finding::broken("open", reason));
        }
    }
    Ok(())
}

/// A channel mask that is taken is that of the stream, and one that does not fit the channels is rejected.
fn speakers(trial: &Trial<'_>) -> Outcome {
    let Some(original) = Original::new(&trial.table, 2, 5000)? else { return Ok(()) };
    let trial = Trial { original, readers: Readers::new(trial.context)?, ..*trial };
    let usual = trial.original.with_count();
    let what = format!("channel_mask {FRONT:#x}, of 3 speakers, for 2 channels");
    if trial.encode(&what, EncodeOptions { channel_mask: FRONT, ..usual.clone() })?.is_some() {
        return Err(Finding::broken("open", format!("{what} is taken, expected an error")));
    }
    let what = format!("channel_mask {SIDES:#x}");
    let Some(bytes) = trial.encode(&what, EncodeOptions { channel_mask: SIDES, ..usual.clone() })? else {
        return Ok(());
    };
    let is_ignored = match trial.readers.decode(&trial.original, &trial.table, &bytes)? {
        Some((info, _)) => info.channel_mask != SIDES,
        None => trial.encode("no channel_mask", usual)?.is_some_and(|usual| usual == bytes),
    };
    if is_ignored {
        let reason =
            format!("{what} is taken and is not that of the stream; expected an error, or an effect");
        return Err(Finding::broken("open", reason));
    }
    Ok(())
}

/// Tags do no harm, whether or not they are written.
fn tags(trial: &Trial<'_>, usual: &EncodeOptions) -> Outcome {
    let given = [("title", "T\u{e4}st \u{1f3b5} of a title"), ("no such tag", ""), ("comment", "two\nlines")];
    let given = given.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
    let options = EncodeOptions { tags: given, ..usual.clone() };
    let Some(bytes) = trial.encode("tags", options)? else { return Ok(()) };
    let format = first_format(&trial.table)?;
    trial.readers.come_back(&trial.original, &trial.table, &bytes, format, "a stream with tags").map(drop)
}
