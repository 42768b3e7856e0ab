//! Tests with structs of other versions' sizes.

#![forbid(unsafe_code)]

use crate::context::Context;
use crate::guard_pages::Side;
use crate::host::{DecoderTable, ErrorSpace, FULL_INFO_BYTES, Fault, Input, OpenOptions};
use crate::reference::references;
use crate::verdict::{Finding, Outcome};

/// The sizes of `mw_error` that a host may pass: structs that end after a field, and longer ones.
const ERROR_SIZES: [ErrorSpace; 7] = [
    ErrorSpace::Null,
    ErrorSpace::Bytes(8),
    ErrorSpace::Bytes(16),
    ErrorSpace::Bytes(24),
    ErrorSpace::Bytes(40),
    ErrorSpace::FULL,
    ErrorSpace::Bytes(700),
];

/// Output structs are filled up to their size, and a null error is accepted.
pub fn struct_sizes(context: &Context) -> Outcome {
    let table = context.decoder()?;
    for errors in ERROR_SIZES {
        refusals(context, &table, errors)?;
    }
    for reference in references(context, &table)? {
        context.with_input(&reference.sample.name);
        let decoder = reference.open(&table)?;
        let whole = decoder.info_bytes(FULL_INFO_BYTES)?;
        for size in (8..FULL_INFO_BYTES).step_by(8) {
            context.doing(format!("asking for info in a struct of {size} bytes, of {FULL_INFO_BYTES}"));
            // A size below that of version 1.0 is an error, to be rejected, or the struct is filled as far as it goes.
            let part = match decoder.info_bytes(size) {
                Ok(part) => part,
                Err(Fault::Refused(_)) => continue,
                Err(Fault::Broken(finding)) => return Err(finding),
            };
            if !whole.starts_with(&part) {
                let reason =
                    format!("info in a struct of {size} bytes differs from the beginning of the whole");
                return Err(Finding::broken("R1", reason));
            }
        }
        for size in [FULL_INFO_BYTES + 8, FULL_INFO_BYTES + 200] {
            context.doing(format!("asking for info in a struct of {size} bytes, of {FULL_INFO_BYTES}"));
            let longer = decoder.info_bytes(size)?;
            if !longer.starts_with(&whole) {
                return Err(Finding::broken("R1", format!("info in a struct of {size} bytes differs")));
            }
        }
        context.doing("opening it with structs of a newer host");
        let options = OpenOptions { newer_host: true, ..OpenOptions::default() };
        let newer = table.open(&reference.input, &options)?;
        if newer.info()? != reference.info {
            return Err(Finding::broken(
                "R1",
                "a newer host, whose structs are longer, gets a different info",
            ));
        }
        for errors in ERROR_SIZES {
            context.doing(format!("seeking too far with {errors:?} for an error"));
            let mut decoder = reference.open(&table)?;
            decoder.errors = errors;
            match decoder.seek(u64::MAX) {
                Err(Fault::Broken(finding)) => return Err(finding),
                Err(Fault::Refused(_)) | Ok(()) => {}
            }
        }
    }
    Ok(())
}

/// Opens inputs that no decoder reads.
fn refusals(context: &Context, table: &DecoderTable, errors: ErrorSpace) -> Outcome {
    let mut random = context.random();
    let noise: Vec<u8> = (0..3000).map(|_| random.u8(..)).collect();
    for bytes in [&[][..], &[0], &[0; 1000], &noise] {
        for stream in [0, 1, u32::MAX] {
            context.doing(format!(
                "opening stream {stream} of {} bytes that are not a file, with {errors:?} for an error",
                bytes.len()
            ));
            let input = Input::memory(bytes, Side::End)?;
            let options = OpenOptions { errors, stream: Some(stream), ..OpenOptions::default() };
            if let Err(Fault::Broken(finding)) = table.open(&input, &options) {
                return Err(finding);
            }
        }
    }
    Ok(())
}
