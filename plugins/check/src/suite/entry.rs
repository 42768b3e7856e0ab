//! Tests of the library as a whole.

#![forbid(unsafe_code)]

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use mapwave_plugin_abi::{MW_DECODER_INTERFACE, MW_ENCODER_INTERFACE, MW_RESAMPLER_INTERFACE};

use crate::context::{Context, Target};
use crate::host::{ErrorSpace, Plugin};
use crate::process_state::ProcessState;
use crate::stack;
use crate::verdict::{Finding, Outcome};

/// The time limit of the entry function.
const ENTRY_TIME: Duration = Duration::from_millis(50);

/// The maximum number of tables of one kind to request.
const MAX_TABLES: u32 = 70;

/// The ids of the plugins that come with mapwave, which refuses another plugin of these names.
const RESERVED: [&str; 5] = ["audiotoolbox", "builtin", "lame", "libav", "soxr"];

/// Loading binds every symbol and does no work.
pub fn load(context: &Context) -> Outcome {
    if let Target::Linked(_) = context.job.target {
        return Err(Finding::skipped("the plugin is linked into the program that checks it"));
    }
    let before = ProcessState::now();
    context.library()?;
    before.check("R7")
}

/// The entry function returns the same pointer each time, within its time limit.
pub fn entry(context: &Context) -> Outcome {
    let library = context.library()?;
    context.doing("calling the entry function");
    let before = ProcessState::now();
    let started = Instant::now();
    let first = library.enter()?;
    let time = started.elapsed();
    if time > ENTRY_TIME {
        context.warn(format!("the entry function took {} ms, expected at most 50", time.as_millis()));
    }
    before.check("R5")?;
    context.doing("calling the entry function again");
    for space in [ErrorSpace::FULL, ErrorSpace::Null, ErrorSpace::Bytes(8), ErrorSpace::Bytes(600)] {
        if library.enter_with(space)? != first {
            return Err(Finding::broken("entry", "a second call of entry returned another pointer"));
        }
    }
    Ok(())
}

/// The entry function returns the same pointer to several threads that call it at once for the first time.
pub fn entry_threads(context: &Context) -> Outcome {
    let library = context.library()?;
    context.doing("calling the entry function from eight threads at once");
    let barrier = Barrier::new(8);
    let call = || {
        barrier.wait();
        let plugin = library.enter()?;
        Ok::<Plugin, Finding>(plugin)
    };
    let answers: Vec<Outcome<Plugin>> = thread::scope(|scope| {
        let threads = (0..8).map(|_| stack::spawn(scope, call)).collect::<Outcome<Vec<_>>>()?;
        Ok::<_, Finding>(threads.into_iter().map(|thread| stack::join(thread)?).collect())
    })?;
    let answers: Vec<Plugin> = answers.into_iter().collect::<Outcome<_>>()?;
    match answers.windows(2).all(|pair| matches!(pair, [a, b] if a == b)) {
        true => Ok(()),
        false => Err(Finding::broken("R4", "eight calls of entry at once returned different pointers")),
    }
}

/// The library's description of itself is valid.
pub fn description(context: &Context) -> Outcome {
    let description = context.plugin()?.describe()?;
    if RESERVED.contains(&&*description.id) && description.vendor != "mapwave" {
        let id = description.id;
        let reason = format!("the id \"{id}\" is that of a plugin which comes with mapwave; choose another");
        return Err(Finding::broken("R3", reason));
    }
    for (name, value) in [("version", description.version), ("license", description.license)] {
        if value.is_empty() {
            context.warn(format!("the plugin's {name} is empty"));
        }
    }
    Ok(())
}

/// The tables are complete and always the same.
pub fn interfaces(context: &Context) -> Outcome {
    let plugin = context.plugin()?;
    let mut num_tables = 0;
    for interface in [MW_DECODER_INTERFACE, MW_ENCODER_INTERFACE, MW_RESAMPLER_INTERFACE] {
        context.doing(format!("asking for {interface}"));
        let first: Vec<usize> =
            (0..MAX_TABLES).map(|index| plugin.table(interface, index)).collect::<Outcome<_>>()?;
        let again: Vec<usize> =
            (0..MAX_TABLES).map(|index| plugin.table(interface, index)).collect::<Outcome<_>>()?;
        if first != again {
            return Err(Finding::broken(
                "get",
                format!("get({interface}) returned another table the second time"),
            ));
        }
        let count = first.iter().position(|table| *table == 0).unwrap_or(first.len());
        if first.iter().skip(count).any(|table| *table != 0) {
            return Err(Finding::broken("get", format!("get({interface}) has a null between tables")));
        }
        if plugin.table(interface, u32::MAX)? != 0 {
            return Err(Finding::broken("get", format!("get({interface}, 4294967295) is not null")));
        }
        num_tables += count;
    }
    for unknown in ["", "mapwave.decoder/2", "mapwave.decoder", "no such thing"] {
        context.doing(format!("asking for the unknown interface \"{unknown}\""));
        if plugin.table(unknown, 0)? != 0 {
            return Err(Finding::broken("get", format!("get(\"{unknown}\", 0) is not null")));
        }
    }
    if num_tables == 0 {
        context.warn("the plugin offers no decoder, no encoder and no resampler");
    }
    let mut names = Vec::new();
    context.doing("examining its tables, and closing null handles");
    for decoder in plugin.decoders()? {
        decoder.check_description()?;
        decoder.close_null();
        names.push(("decoder", decoder.name()?));
    }
    for encoder in plugin.encoders()? {
        encoder.check_description()?;
        encoder.close_null();
        names.push(("encoder", encoder.name()?));
    }
    for resampler in plugin.resamplers()? {
        resampler.check_description()?;
        resampler.close_null();
        names.push(("resampler", resampler.name()?));
    }
    names.sort();
    match names.windows(2).find(|pair| matches!(pair, [a, b] if a == b)) {
        Some([(kind, name), ..]) => {
            Err(Finding::broken("get", format!("two {kind}s of the library are named \"{name}\"")))
        }
        _ => Ok(()),
    }
}
