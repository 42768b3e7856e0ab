//! The corpus: real files of many origins with what several decoders agree on, kept beside the repository.

use std::path::{Path, PathBuf};

use mapwave::OutputFormat;

/// What is known of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Two decoders or more agree.
    Valid,
    /// One decoder reads it.
    SingleOracle,
    /// Cut off; the frames are those that are there.
    Truncated,
    /// Whole, without a single frame.
    ZeroFrames,
    /// Every decoder refuses it.
    MustError,
    /// Decoders differ; nothing is expected but good behaviour.
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
    /// Where it is.
    pub path: PathBuf,
    /// What is known of it.
    pub status: Status,
    /// Its container, as the manifest calls it.
    pub container: String,
    /// Its codec in FFmpeg's terms, when known.
    pub codec: Option<String>,
    /// Frames a second.
    pub sample_rate: Option<u32>,
    /// Samples in a frame.
    pub num_channels: Option<u16>,
    /// Frames.
    pub num_frames: Option<u64>,
    /// What the samples are that the digest is of.
    pub canon: Option<OutputFormat>,
    /// The SHA-256 of the samples, interleaved and little-endian.
    pub sha256: Option<String>,
    /// How far the decoders agree.
    pub precision: String,
}

/// The rows of the manifest; `None`, with a notice, when there is no corpus on this machine.
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
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
    Some(lines.map(|line| row(&directory, &header, line)).collect())
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
    }
}
