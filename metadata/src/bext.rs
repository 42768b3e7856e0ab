//! The broadcast extension (EBU Tech 3285, version 2, section 2.3).

use crate::bytes::{Bytes, head, text, whole_text};
use crate::edit::Edit;
use crate::error::Result;
use crate::model::Bext;

/// The bytes before the coding history.
const FIXED_BYTES: usize = 602;

/// A loudness value that is not set.
const UNSET: i16 = 0x7fff;

pub(crate) fn parse(chunk: &[u8]) -> Option<Bext> {
    let mut bytes = Bytes(chunk);
    let mut field = |num_bytes| bytes.take(num_bytes).map(text);
    let (description, originator, originator_reference) = (field(256)?, field(32)?, field(32)?);
    let (origination_date, origination_time) = (field(10)?, field(8)?);
    let time_reference = bytes.u64_le()?;
    let version = bytes.u16_le().unwrap_or(0);
    let umid = bytes.take(64).filter(|umid| version >= 1 && umid.iter().any(|byte| *byte != 0));
    let mut level = || {
        let value = bytes.u16_le()?.cast_signed();
        Some(f64::from(value) / 100.0).filter(|_| version >= 2 && value != UNSET)
    };
    let levels = [level(), level(), level(), level(), level()];
    let [
        loudness_value,
        loudness_range,
        max_true_peak_level,
        max_momentary_loudness,
        max_short_term_loudness,
    ] = levels;
    Some(Bext {
        description,
        originator,
        originator_reference,
        origination_date,
        origination_time,
        time_reference,
        version,
        umid: umid.unwrap_or_default().to_vec(),
        loudness_value,
        loudness_range,
        max_true_peak_level,
        max_momentary_loudness,
        max_short_term_loudness,
        coding_history: chunk.get(FIXED_BYTES..).map(whole_text).unwrap_or_default(),
    })
}

/// The payload of the chunk.
pub(crate) fn compose(bext: &Bext, edit: &Edit) -> Result<Vec<u8>> {
    let mut chunk = Vec::with_capacity(FIXED_BYTES + bext.coding_history.len() + 2);
    for (name, value, max) in [
        ("description", &bext.description, 256),
        ("originator", &bext.originator, 32),
        ("originator_reference", &bext.originator_reference, 32),
        ("origination_date", &bext.origination_date, 10),
        ("origination_time", &bext.origination_time, 8),
    ] {
        if value.len() > max {
            edit.lacks("wav", "bext", format!("{name} has at most {max} bytes, got {}", value.len()))?;
        }
        chunk.extend_from_slice(head(value, max).as_bytes());
        chunk.resize(chunk.len() + max - head(value, max).len(), 0);
    }
    chunk.extend(bext.time_reference.to_le_bytes());
    let levels = [
        bext.loudness_value,
        bext.loudness_range,
        bext.max_true_peak_level,
        bext.max_momentary_loudness,
        bext.max_short_term_loudness,
    ];
    let needed = match () {
        () if levels.iter().any(Option::is_some) => 2,
        () if !bext.umid.is_empty() => 1,
        () => 0,
    };
    chunk.extend(bext.version.max(needed).to_le_bytes());
    if bext.umid.len() > 64 {
        edit.lacks("wav", "bext", format!("umid has at most 64 bytes, got {}", bext.umid.len()))?;
    }
    let umid = bext.umid.get(..64).unwrap_or(&bext.umid);
    chunk.extend_from_slice(umid);
    chunk.resize(chunk.len() + 64 - umid.len(), 0);
    for level in levels {
        chunk.extend(level.map_or(UNSET, hundredths).to_le_bytes());
    }
    chunk.resize(FIXED_BYTES, 0);
    if !bext.coding_history.is_empty() {
        chunk.extend_from_slice(bext.coding_history.as_bytes());
        chunk.push(0);
    }
    Ok(chunk)
}

/// A level in hundredths, which is never the value for none.
#[allow(clippy::cast_possible_truncation)] // it is clamped
fn hundredths(level: f64) -> i16 {
    (level * 100.0).round().clamp(-32_768.0, 32_766.0) as i16
}
