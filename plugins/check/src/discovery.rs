//! The survey of what to test: the tables of a plugin, files that its encoders make, and files that its decoders read. Each of
//! these is found out in a process of its own, so that a table or a file that ends one does not keep the rest from being tested.

#![forbid(unsafe_code)]

use std::ffi::CString;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::context::{Context, File};
use crate::host::Description;
use crate::suite::original::Original;
use crate::verdict::{Finding, Outcome};

/// The maximum number of files to test a decoder with.
pub const MAX_INPUTS: usize = 24;

/// The maximum size of a test file in bytes.
pub const MAX_INPUT_BYTES: u64 = 16 << 20;

/// The streams that the plugin's encoder writes for its decoder: channels and frames.
const SHAPES: [(u32, usize); 5] = [(1, 0), (1, 1), (2, 1000), (1, 5121), (2, 30_000)];

/// What a job of the survey has found out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Survey {
    /// The tables.
    Tables(Tables),
    /// Files that an encoder has made.
    Made(Vec<PathBuf>),
    /// The files that a decoder claims.
    Claimed(Vec<File>),
}

/// The tables of a plugin.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tables {
    /// The plugin's description of itself, if it is valid.
    pub description: Option<Description>,
    /// Its decoders.
    pub decoders: Vec<Table>,
    /// Its encoders.
    pub encoders: Vec<Table>,
    /// Its resamplers.
    pub resamplers: Vec<Table>,
}

/// A table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Table {
    /// Its name, or its number if it has none.
    pub name: String,
    /// The extensions that a decoder lists.
    pub extensions: Vec<String>,
    /// Why it cannot be used: the rule that it breaks, and how.
    pub fault: Option<(String, String)>,
}

impl Table {
    fn new<T>(number: usize, table: Outcome<T>, describe: impl Fn(&T) -> Outcome<(String, String)>) -> Self {
        match table.and_then(|table| describe(&table)) {
            Ok((name, extensions)) => {
                let extensions = extensions.split(',').filter(|name| !name.is_empty());
                Self { name, extensions: extensions.map(str::to_owned).collect(), fault: None }
            }
            Err(finding) => {
                let rule = if let Finding::Broken { rule, .. } = finding { rule } else { "" };
                let reason = match finding {
                    Finding::Broken { reason, .. } | Finding::Skipped(reason) | Finding::Untested(reason) => {
                        reason
                    }
                };
                let fault = Some((rule.to_owned(), reason));
                Self { name: format!("number {number}"), extensions: Vec::new(), fault }
            }
        }
    }
}

/// Lists the tables.
pub fn tables(context: &Context) -> Outcome<Survey> {
    let plugin = context.plugin()?;
    let (decoders, encoders) = (plugin.each_decoder()?, plugin.each_encoder()?);
    let resamplers = plugin.each_resampler()?;
    Ok(Survey::Tables(Tables {
        // One that is not valid is reported by another test.
        description: plugin.describe().ok(),
        decoders: numbered(decoders, |table| Ok((table.name()?, table.extensions()?))),
        encoders: numbered(encoders, |table| Ok((table.name()?, String::new()))),
        resamplers: numbered(resamplers, |table| Ok((table.name()?, String::new()))),
    }))
}

fn numbered<T>(tables: Vec<Outcome<T>>, describe: impl Fn(&T) -> Outcome<(String, String)>) -> Vec<Table> {
    tables.into_iter().enumerate().map(|(number, table)| Table::new(number, table, &describe)).collect()
}

/// Files that the job's encoder makes.
pub fn make(context: &Context) -> Outcome<Survey> {
    let encoder = context.encoder()?;
    let name = encoder.name()?;
    // The name of a container is the usual extension.
    let container = encoder.containers()?.into_iter().next().unwrap_or_default();
    let mut paths = Vec::new();
    for (num_channels, num_frames) in SHAPES {
        let what = format!("{name}-{num_channels}ch-{num_frames}f.{container}");
        context.doing(format!("encoding {what} as an input"));
        let Some(original) = Original::new(&encoder, num_channels, num_frames)? else { continue };
        // A failing encoder is reported by its own tests.
        let Ok(bytes) = original.encode_usually(&encoder) else { continue };
        let path = context.job.directory.join(what.replace('/', "-"));
        let written = fs::write(&path, bytes);
        written.map_err(|error| Finding::skipped(format!("{}: {error}", path.display())))?;
        paths.push(path);
    }
    Ok(Survey::Made(paths))
}

/// Those of the job's files that its decoder claims, by their bytes or, as a host asks when nobody claims them so, by their
/// extensions.
pub fn claim(context: &Context) -> Outcome<Survey> {
    let decoder = context.decoder()?;
    let mut claimed = Vec::new();
    for File { path, .. } in &context.job.inputs {
        context.doing(format!("probing {}", path.display()));
        let Ok(bytes) = fs::read(path) else { continue };
        let extension = extension(path);
        if decoder.score_named(&bytes, None)? > 0 {
            claimed.push(File { path: path.clone(), extension: None });
        } else if let Some(name) = extension
            && decoder.score_named(&bytes, Some(&CString::new(&*name).unwrap_or_default()))? > 0
        {
            claimed.push(File { path: path.clone(), extension: Some(name) });
        }
    }
    Ok(Survey::Claimed(claimed))
}

/// The extension of a file's name, as decoders get it.
pub fn extension(path: &Path) -> Option<String> {
    path.extension().map(|name| name.to_string_lossy().to_lowercase())
}

/// An even selection of files, if there are many.
pub fn select(files: &[File]) -> Vec<File> {
    let count = files.len().min(MAX_INPUTS);
    (0..count).filter_map(|number| files.get(number * files.len() / count).cloned()).collect()
}
