//! Discovery of what to test: the tables of a plugin, and files that its decoders read.

#![forbid(unsafe_code)]

use std::fs;
use std::path::PathBuf;

use mapwave_core::host::PacketTrack;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::guard_pages::{GuardedBytes, Side};
use crate::host::{self, DecoderTable, Description, EncoderTable};
use crate::suite::encode::Original;
use crate::verdict::{Finding, Outcome};

/// The maximum number of files to test a decoder with.
const MAX_INPUTS: usize = 24;

/// The maximum size of a test file in bytes.
pub const MAX_INPUT_BYTES: u64 = 16 << 20;

/// The streams that the plugin's encoder writes for its decoder: channels and frames.
const SHAPES: [(u32, usize); 5] = [(1, 0), (1, 1), (2, 1000), (1, 5121), (2, 30_000)];

/// The tables of a plugin, and what to test them with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Discovery {
    /// The plugin's description of itself.
    pub description: Description,
    /// Its decoders.
    pub decoders: Vec<Found>,
    /// The names of its encoders.
    pub encoders: Vec<String>,
    /// The names of its resamplers.
    pub resamplers: Vec<String>,
}

/// A decoder, and the files that it claims.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Found {
    /// Its name.
    pub name: String,
    /// The files that it is tested with.
    pub inputs: Vec<PathBuf>,
    /// The number of files that it claims.
    pub num_claimed: usize,
}

/// Discovers what to test. The job's inputs are the candidate files; without any, the plugin's encoders write some.
pub fn discover(context: &Context) -> Outcome<Discovery> {
    let plugin = context.plugin()?;
    let description = plugin.describe()?;
    let encoders = plugin.encoders()?;
    let mut files = context.job.inputs.clone();
    if files.is_empty() {
        for (number, encoder) in encoders.iter().enumerate() {
            files.extend(make_inputs(context, number, encoder)?);
        }
    }
    let decoders = plugin.decoders()?;
    let decoders = decoders.iter().map(|decoder| claims(context, decoder, &files)).collect::<Outcome<_>>()?;
    let encoders = encoders.iter().map(EncoderTable::name).collect::<Outcome<_>>()?;
    let resamplers = plugin.resamplers()?.iter().map(|table| table.name()).collect::<Outcome<_>>()?;
    Ok(Discovery { description, decoders, encoders, resamplers })
}

fn make_inputs(context: &Context, number: usize, encoder: &EncoderTable) -> Outcome<Vec<PathBuf>> {
    let name = encoder.name()?;
    let mut paths = Vec::new();
    for (num_channels, num_frames) in SHAPES {
        let what = format!("{name}-{num_channels}ch-{num_frames}f");
        context.doing(format!("encoding {what} as an input"));
        let Some(original) = Original::new(encoder, num_channels, num_frames)? else { continue };
        // A failing encoder is reported by its own tests.
        let Ok(bytes) = original.encode_usually(encoder) else { continue };
        let path = context.job.directory.join(format!("{number}-{what}"));
        let written = fs::write(&path, bytes);
        written.map_err(|error| Finding::skipped(format!("{}: {error}", path.display())))?;
        paths.push(path);
    }
    Ok(paths)
}

/// The files that a decoder claims; an even selection, if there are many.
fn claims(context: &Context, decoder: &DecoderTable, files: &[PathBuf]) -> Outcome<Found> {
    let name = decoder.name()?;
    let mut claimed = Vec::new();
    for path in files {
        context.doing(format!("probing {}", path.display()));
        let Ok(bytes) = fs::read(path) else { continue };
        let head = bytes.get(..decoder.probe_bytes()).unwrap_or(&bytes);
        let described = host::track(&bytes);
        let track = described.as_ref().map(PacketTrack::to_abi);
        if decoder.probe(&GuardedBytes::new(head, Side::End)?, bytes.len() as u64, None, track.as_ref()) > 0 {
            claimed.push(path.clone());
        }
    }
    let num_claimed = claimed.len();
    let count = num_claimed.min(MAX_INPUTS);
    let chosen = (0..count).filter_map(|number| claimed.get(number * num_claimed / count).cloned());
    Ok(Found { name, inputs: chosen.collect(), num_claimed })
}
