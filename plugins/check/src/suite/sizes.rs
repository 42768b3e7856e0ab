//! Tests with structs of other versions' sizes.

#![forbid(unsafe_code)]

use mapwave_plugin_abi::MW_BAD_ARGUMENT;

use crate::context::Context;
use crate::guard_pages::Side;
use crate::host::{
    DecoderTable, ErrorSpace, FIRST_INFO_BYTES, FULL_INFO_BYTES, Fault, HostVersion, Input, OpenOptions,
};
use crate::reference::references;
use crate::verdict::{Finding, Outcome};

/// Sizes of `mw_error`: structs that end after a field, which may stay as they are, and longer ones.
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
        if !context.has_time() {
            break;
        }
        context.with_input(&reference.sample.name);
        let decoder = reference.open(&table)?;
        let whole = decoder.info_bytes(FULL_INFO_BYTES)?;
        for size in (8..FULL_INFO_BYTES).step_by(8) {
            context.doing(format!("asking for info in a struct of {size} bytes, of {FULL_INFO_BYTES}"));
            let (result, bytes) = decoder.fill_info(size);
            let part = bytes?;
            if size < FIRST_INFO_BYTES {
                too_small(size, result)?;
                continue;
            }
            if let Err(fault) = result {
                let reason = format!(
                    "info in a struct of {size} bytes, where version 1.0 has {FIRST_INFO_BYTES}, failed: {fault}"
                );
                return Err(Finding::broken("R1", reason));
            }
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
        for (host, what) in [
            (HostVersion::First, "a host of version 1.0, whose structs are shorter"),
            (HostVersion::Newer, "a newer host, whose structs are longer"),
        ] {
            context.doing(format!("opening it for {what}"));
            let options = OpenOptions { host, ..OpenOptions::default() };
            let opened = table.open(&reference.input, &options);
            let opened = opened.map_err(|fault| match fault {
                Fault::Refused(refusal) => Finding::broken("R1", format!("for {what}, {refusal}")),
                Fault::Broken(finding) => finding,
            })?;
            if opened.info()? != reference.info {
                return Err(Finding::broken("R1", format!("{what}, gets a different info")));
            }
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

/// A struct smaller than that of version 1.0 is an error.
fn too_small(size: u32, result: Result<(), Fault>) -> Outcome {
    let expected = format!(
        "info in a struct of {size} bytes, where version 1.0 has {FIRST_INFO_BYTES}: expected MW_BAD_ARGUMENT"
    );
    match result {
        Err(Fault::Refused(refusal)) if refusal.status == MW_BAD_ARGUMENT => Ok(()),
        Err(Fault::Refused(refusal)) => Err(Finding::broken("R1", format!("{expected}, got: {refusal}"))),
        Ok(()) => Err(Finding::broken("R1", format!("{expected}, got MW_OK"))),
        Err(Fault::Broken(finding)) => Err(finding),
    }
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
