//! Tests of how the input is read.

#![forbid(unsafe_code)]

use std::sync::Arc;

use mapwave_plugin_abi::MW_UNSUPPORTED;

use crate::context::Context;
use crate::guard_pages::Side;
use crate::host::{DecoderTable, Fault, Input, OpenOptions, ReadPlan, Refusal};
use crate::reference::{Reference, Shape, USUAL_FRAMES, drain, expect_same, references};
use crate::verdict::{Finding, Outcome};

/// The maximum number of failing reads to try per file.
const MAX_FAILURES: u64 = 64;

/// Decodes an input from start to end.
fn play(table: &DecoderTable, input: &Arc<Input>, reference: &Reference) -> Result<Vec<u8>, Fault> {
    let mut decoder = table.open(input, &OpenOptions::default())?;
    let info = decoder.info()?;
    if info != reference.info {
        let reason = format!("info depends on where the bytes come from: {:?}, {info:?}", reference.info);
        return Err(Fault::broken("info", reason));
    }
    drain(&mut decoder, Shape::native(&info), usize::MAX, || USUAL_FRAMES).map(|(pcm, _)| pcm)
}

/// The input is read within its bounds, and decodes the same from memory as from a callback.
pub fn bounds(context: &Context) -> Outcome {
    let table = context.decoder()?;
    for reference in references(context, &table)? {
        if !context.has_time() {
            break;
        }
        context.with_input(&reference.sample.name);
        for side in [Side::End, Side::Start] {
            let what = match side {
                Side::End => "decoding it before an inaccessible page",
                Side::Start => "decoding it after an inaccessible page",
            };
            context.doing(what);
            let input = reference.sample.memory(side)?;
            let pcm = play(&table, &input, &reference)?;
            expect_same("R8", "another place in memory", reference.shape(), &reference.pcm, &pcm)?;
        }
        for plan in [ReadPlan::Full, ReadPlan::Short(context.job.seed)] {
            context.doing(format!("decoding it through read_at ({plan:?})"));
            let input = reference.sample.callback(plan)?;
            match play(&table, &input, &reference) {
                Ok(pcm) => {
                    expect_same("mw_input", "read_at", reference.shape(), &reference.pcm, &pcm)?;
                }
                Err(Fault::Refused(Refusal { status: MW_UNSUPPORTED, call: "open", .. })) => {
                    context.note("read_at is not supported: open returned MW_UNSUPPORTED");
                }
                Err(fault) => return Err(fault.into()),
            }
        }
    }
    Ok(())
}

/// Every failed read is reported as an error.
pub fn read_errors(context: &Context) -> Outcome {
    let table = context.decoder()?;
    let mut num_failures = 0;
    for reference in references(context, &table)? {
        context.with_input(&reference.sample.name);
        let input = reference.sample.callback(ReadPlan::Full)?;
        match play(&table, &input, &reference) {
            Ok(_) => {}
            Err(Fault::Refused(_)) => continue,
            Err(Fault::Broken(finding)) => return Err(finding),
        }
        let num_reads = input.num_reads();
        let step = num_reads.div_ceil(MAX_FAILURES).max(1);
        for number in (0..num_reads).step_by(usize::try_from(step).unwrap_or(1)) {
            for plan in [ReadPlan::FailingAt(number), ReadPlan::FailingFrom(number)] {
                if !context.has_time() {
                    return Ok(());
                }
                context
                    .doing(format!("decoding it with an error at read {number} of {num_reads} ({plan:?})"));
                num_failures += 1;
                failing(&table, &reference, plan, number)?;
            }
        }
    }
    if num_failures == 0 {
        return Err(Finding::skipped("read_at is not supported, so no read can fail"));
    }
    Ok(())
}

fn failing(table: &DecoderTable, reference: &Reference, plan: ReadPlan, number: u64) -> Outcome {
    let input = reference.sample.callback(plan)?;
    let pcm = match play(table, &input, reference) {
        Err(Fault::Refused(_)) => return Ok(()),
        Err(Fault::Broken(Finding::Broken { rule: "info", reason })) => {
            let reason = format!("read {number} of read_at failed and open did not; {reason}");
            return Err(Finding::broken("R6", reason));
        }
        Err(Fault::Broken(finding)) => return Err(finding),
        Ok(pcm) => pcm,
    };
    // A read that was not needed, or was repeated, may fail without an effect.
    let what = format!("read {number} of read_at failed, no call did, and decode");
    expect_same("R6", &what, reference.shape(), &reference.pcm, &pcm)
}
