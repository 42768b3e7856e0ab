//! The corpus: real files of many origins with the results that several decoders agree on, kept outside the repository.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use mapwave_core::OutputFormat;

/// How much is known about a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Two decoders or more agree.
    Valid,
    /// One decoder reads it.
    SingleOracle,
    /// Truncated; the frames are the existing ones.
    Truncated,
    /// Whole, without a single frame.
    ZeroFrames,
    /// Every decoder rejects it.
    MustError,
    /// Decoders differ; only good behaviour is expected.
    Ambiguous,
}

impl Status {
    /// Whether the frames of such a file are known.
    pub fn has_frames(self) -> bool {
        matches!(self, Self::Valid | Self::SingleOracle | Self::Truncated | Self::ZeroFrames)
    }

    fn parse(name: &str) -> Self {
        match name {
            "valid" => Self::Valid,
            "valid-single-oracle" => Self::SingleOracle,
            "valid-but-truncated" => Self::Truncated,
            "valid-zero-frames" => Self::ZeroFrames,
            "must-error" => Self::MustError,
            "ambiguous" => Self::Ambiguous,
            _ => panic!("the corpus knows no status '{name}'"),
        }
    }
}

/// A file of the corpus.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its name in the manifest.
    pub name: String,
    /// Its path.
    pub path: PathBuf,
    /// What is known of it.
    pub status: Status,
    /// Its container, as the manifest calls it.
    pub container: String,
    /// Its codec in FFmpeg's terms, when known.
    pub codec: Option<String>,
    /// Frames per second.
    pub sample_rate: Option<u32>,
    /// Samples per frame.
    pub num_channels: Option<u16>,
    /// Frames.
    pub num_frames: Option<u64>,
    /// The sample type of the digest.
    pub canon: Option<OutputFormat>,
    /// The SHA-256 of the samples, interleaved and little-endian.
    pub sha256: Option<String>,
    /// How closely the decoders agree.
    pub precision: String,
    /// Statistics of the samples, each a list with one number per channel: `rms`, `peak`, `first1000.rms`, `last1000.rms`.
    pub statistics: Vec<(String, Vec<f64>)>,
}

/// How far a statistic may differ from the manifest's, which is rounded and comes from another decoder.
const TOLERANCE: f64 = 2e-3;

impl Row {
    /// Compares the statistics of interleaved samples.
    ///
    /// # Errors
    /// In words, the statistic that differs.
    pub fn check_statistics(&self, samples: &[f32], num_channels: usize) -> Result<(), String> {
        let num_frames = samples.len() / num_channels.max(1);
        for (name, expected) in &self.statistics {
            let frames = match name.split_once('.') {
                Some(("first1000", _)) => 0..num_frames.min(1000),
                Some(("last1000", _)) => num_frames.saturating_sub(1000)..num_frames,
                _ => 0..num_frames,
            };
            for (channel, &expected) in expected.iter().enumerate() {
                let of_channel =
                    samples.iter().skip(channel).step_by(num_channels).map(|&sample| f64::from(sample));
                let chosen = of_channel.skip(frames.start).take(frames.len());
                let found = match name.ends_with("peak") {
                    true => chosen.fold(0.0, |peak: f64, sample| peak.max(sample.abs())),
                    false => (chosen.map(|sample| sample * sample).sum::<f64>() / frames.len().max(1) as f64)
                        .sqrt(),
                };
                if (found - expected).abs() > TOLERANCE * expected.max(1.0) {
                    return Err(format!("{name} of channel {channel} is {found}, expected {expected}"));
                }
            }
        }
        Ok(())
    }
}

/// The rows of the manifest; `None`, with a notice, if there is no corpus on this machine.
pub fn rows() -> Option<Vec<Row>> {
    let directory = match std::env::var_os("MAPWAVE_CORPUS") {
        Some(directory) => PathBuf::from(directory),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus"),
    };
    let manifest = directory.join("expected.tsv");
    let Ok(text) = std::fs::read_to_string(&manifest) else {
        println!(
            "skipped: there is no corpus at {} (MAPWAVE_CORPUS names another place)",
            manifest.display()
        );
        return None;
    };
    let statistics = statistics(&directory.join("expected.json"));
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
    let mut rows: Vec<Row> = lines.map(|line| row(&directory, &header, line)).collect();
    for row in &mut rows {
        row.statistics = statistics.get(&row.name).cloned().unwrap_or_default();
    }
    Some(rows)
}

/// The statistics of each file.
fn statistics(path: &Path) -> HashMap<String, Vec<(String, Vec<f64>)>> {
    let text = std::fs::read_to_string(path).unwrap();
    let files: serde_json::Value = serde_json::from_str(&text).unwrap();
    let numbers = |value: &serde_json::Value| -> Vec<f64> {
        value.as_array().into_iter().flatten().filter_map(serde_json::Value::as_f64).collect()
    };
    let known = |file: &serde_json::Value| {
        let stats = &file["expected"]["stats"];
        let names = ["/rms", "/peak", "/first1000/rms", "/last1000/rms"];
        let found = names.iter().filter_map(|name| {
            let numbers = numbers(stats.pointer(name)?);
            Some((name.trim_start_matches('/').replace('/', "."), numbers))
        });
        (file["path"].as_str().unwrap_or_default().to_owned(), found.collect())
    };
    files.as_array().into_iter().flatten().map(known).collect()
}

fn row(directory: &Path, header: &[&str], line: &str) -> Row {
    let fields: Vec<&str> = line.split('\t').collect();
    let field = |name: &str| {
        let column = header.iter().position(|column| *column == name);
        *column.and_then(|column| fields.get(column)).unwrap_or_else(|| panic!("no {name} in {line:?}"))
    };
    let known = |name: &str| Some(field(name)).filter(|value| !matches!(*value, "None" | ""));
    let name = field("path").to_owned();
    Row {
        path: directory.join(&name),
        name,
        status: Status::parse(field("status")),
        container: field("container").to_owned(),
        codec: known("codec").map(str::to_owned),
        sample_rate: known("sample_rate").map(|rate| rate.parse().unwrap()),
        num_channels: known("channels").map(|channels| channels.parse().unwrap()),
        num_frames: known("frames").map(|frames| frames.parse().unwrap()),
        canon: known("canon").map(|canon| canon.parse().unwrap()),
        sha256: known("sha256").map(str::to_owned),
        precision: field("precision").to_owned(),
        statistics: Vec::new(),
    }
}
