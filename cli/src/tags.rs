//! `mapwave tags`: shows and changes the metadata of files, without decoding them.

#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use mapwave::{Access, Edit, Error, Metadata, OnUnknown, OpenOptions, Picture, Result, metadata, retag};
use mapwave_core::Parameter;
use serde::Serialize;

use crate::convert::guarded;
use crate::format::{Format, OutputArguments};
use crate::output::{FAILURE, SUCCESS, fail_with, message, print};
use crate::place::trouble;
use crate::table::printable;
use crate::writing::{ReplaceArguments, parse_tag};

/// The commands for metadata.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum TagsCommand {
    /// Show tags, pictures and markers.
    Show(ShowArguments),
    /// Set or remove tags.
    Set(SetArguments),
    /// Set, write out or remove the picture of the front cover.
    Cover(CoverArguments),
    /// Copy tags, pictures and markers from a file to others.
    Copy(CopyArguments),
}

/// The files to show.
#[derive(Clone, Debug, Args)]
pub(crate) struct ShowArguments {
    /// The files.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    output: OutputArguments,
}

/// What becomes of tags that the format cannot hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Unknown {
    /// The file stays as it is.
    #[default]
    Error,
    /// They are left out.
    Drop,
}

impl From<Unknown> for OnUnknown {
    fn from(unknown: Unknown) -> Self {
        match unknown {
            Unknown::Error => Self::Error,
            Unknown::Drop => Self::Drop,
        }
    }
}

/// The tags to set.
#[derive(Clone, Debug, Args)]
pub(crate) struct SetArguments {
    /// The files.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// A tag, such as title=Rain; may be given several times. Without a value, the tag is removed.
    #[arg(long = "tags", value_name = "NAME=VALUE", value_parser = parse_tag, required_unless_present = "clear")]
    tags: Vec<(String, String)>,
    /// Remove all other tags.
    #[arg(long)]
    clear: bool,
    /// What becomes of a tag that the format cannot hold.
    #[arg(long, value_enum, default_value_t, value_name = "ACTION")]
    on_unknown_tags: Unknown,
}

/// The picture.
#[derive(Clone, Debug, Args)]
pub(crate) struct CoverArguments {
    /// The file.
    file: PathBuf,
    /// The new picture.
    #[arg(required_unless_present_any = ["extract", "remove"])]
    image: Option<PathBuf>,
    /// Write the picture into this file instead.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["image", "remove"])]
    extract: Option<PathBuf>,
    /// Remove all pictures instead.
    #[arg(long, conflicts_with = "image")]
    remove: bool,
    #[command(flatten)]
    replace: ReplaceArguments,
}

/// The files to copy between.
#[derive(Clone, Debug, Args)]
pub(crate) struct CopyArguments {
    /// The file that has the metadata.
    from: PathBuf,
    /// The files that get it.
    #[arg(required = true, value_name = "TO")]
    to: Vec<PathBuf>,
    /// What becomes of what the format cannot hold.
    #[arg(long, value_enum, default_value_t, value_name = "ACTION")]
    on_unknown_tags: Unknown,
}

/// Runs one of the commands and returns the exit code.
pub(crate) fn run(command: &TagsCommand) -> i32 {
    match command {
        TagsCommand::Show(arguments) => show(arguments),
        TagsCommand::Set(arguments) => each(&arguments.files, |path| set(arguments, path)),
        TagsCommand::Cover(arguments) => guarded(|_| cover(arguments).map(|()| SUCCESS)),
        TagsCommand::Copy(arguments) => guarded(|_| {
            let found = metadata(&arguments.from)?;
            let edit = Edit {
                tags: Some(found.tags),
                pictures: Some(found.pictures),
                markers: Some(found.markers),
                on_unknown: arguments.on_unknown_tags.into(),
                ..Edit::default()
            };
            Ok(each(&arguments.to, |path| retag(path, &edit).map(|_| ())))
        }),
    }
}

/// Does something with each file; those that fail are reported, and the others are done.
fn each(files: &[PathBuf], work: impl Fn(&Path) -> Result<()>) -> i32 {
    guarded(|interrupt| {
        let mut code = SUCCESS;
        for path in files {
            if interrupt.is_asked() {
                return Err(Error::Interrupted);
            }
            if let Err(error) = work(path) {
                code = fail_with(&error.in_file(path));
            }
        }
        Ok(code)
    })
}

fn set(arguments: &SetArguments, path: &Path) -> Result<()> {
    let mut tags = if arguments.clear { Vec::new() } else { metadata(path)?.tags };
    tags.retain(|(name, _)| !arguments.tags.iter().any(|(given, _)| given == name));
    tags.extend(arguments.tags.iter().filter(|(_, value)| !value.is_empty()).cloned());
    let edit = Edit { tags: Some(tags), on_unknown: arguments.on_unknown_tags.into(), ..Edit::default() };
    retag(path, &edit).map(|_| ())
}

/// The front cover among pictures (type 3 of ID3's APIC), or the first one.
fn front(pictures: &[Picture]) -> Option<&Picture> {
    pictures.iter().find(|picture| picture.kind == 3).or_else(|| pictures.first())
}

fn cover(arguments: &CoverArguments) -> Result<()> {
    let CoverArguments { file, image, extract, remove, replace } = arguments;
    let refuse = |path: &Path, what: &str| {
        let parameter = Parameter::Target;
        Err(Error::Argument { path: Some(path.to_path_buf()), parameter, what: what.to_owned() })
    };
    if let Some(path) = extract {
        replace.check(path)?;
        let found = metadata(file)?;
        let Some(picture) = front(&found.pictures) else { return refuse(file, "has no picture") };
        return fs::write(path, &picture.data).map_err(|error| trouble("writing", path, error));
    }
    let mut pictures = metadata(file)?.pictures;
    match image {
        _ if *remove => pictures.clear(),
        None => return Ok(()),
        Some(image) => {
            let bytes = fs::read(image).map_err(|error| trouble("reading", image, error))?;
            let Some(picture) = Picture::new(bytes) else {
                return refuse(image, "is not a JPEG, PNG, GIF or WebP image");
            };
            pictures.retain(|picture| picture.kind != 3);
            pictures.insert(0, picture);
        }
    }
    retag(file, &Edit { pictures: Some(pictures), ..Edit::default() }).map(|_| ())
}

/// What is reported of a file.
#[derive(Debug, Default, Serialize)]
struct Shown {
    path: String,
    tags: BTreeMap<String, Vec<String>>,
    pictures: Vec<PictureRow>,
    markers: Vec<MarkerRow>,
    error: Option<String>,
}

#[derive(Debug, Serialize)]
struct PictureRow {
    kind: u8,
    mime: String,
    width: Option<u32>,
    height: Option<u32>,
    bytes: u64,
}

#[derive(Debug, Serialize)]
struct MarkerRow {
    label: String,
    start: u64,
    end: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Report {
    files: Vec<Shown>,
}

/// The metadata of a file. A codec plugin is asked only where mapwave itself finds none.
fn found(path: &Path) -> Result<Metadata> {
    let found = metadata(path)?;
    let is_empty = found.tags.is_empty() && found.pictures.is_empty() && found.markers.is_empty();
    // What is not audio has an error to report.
    if is_empty {
        OpenOptions::new().access(Access::Once).open(path).map(|reader| reader.metadata())
    } else {
        Ok(found)
    }
}

fn show(arguments: &ShowArguments) -> i32 {
    mapwave::set_up();
    let mut code = SUCCESS;
    let mut files = Vec::with_capacity(arguments.files.len());
    for path in &arguments.files {
        let shown = match found(path) {
            Ok(found) => Shown::new(found),
            Err(error) => {
                code = fail_with(&error);
                Shown { error: Some(message(&error)), ..Shown::default() }
            }
        };
        files.push(Shown { path: path.to_string_lossy().into_owned(), ..shown });
    }
    let report = Report { files };
    let text = match arguments.output.format() {
        Format::Text => report.files.iter().filter(|file| file.error.is_none()).map(Shown::to_text).collect(),
        Format::Json => serde_json::to_string_pretty(&report).unwrap_or_default() + "\n",
    };
    if print(&text) == SUCCESS { code } else { FAILURE }
}

impl Shown {
    fn new(found: Metadata) -> Self {
        let mut tags = BTreeMap::<String, Vec<String>>::new();
        for (name, value) in found.tags {
            tags.entry(name).or_default().push(value);
        }
        let picture = |picture: Picture| PictureRow {
            kind: picture.kind,
            mime: picture.mime,
            width: picture.width,
            height: picture.height,
            bytes: picture.num_bytes,
        };
        let markers = found.markers.into_iter();
        Self {
            tags,
            pictures: found.pictures.into_iter().map(picture).collect(),
            markers: markers
                .map(|marker| MarkerRow { label: marker.label, start: marker.start, end: marker.end })
                .collect(),
            ..Self::default()
        }
    }

    fn to_text(&self) -> String {
        let mut text = printable(&self.path) + "\n";
        let mut line =
            |label: &str, value: &str| text += &format!("  {:14}{}\n", printable(label), printable(value));
        for (name, value) in
            self.tags.iter().flat_map(|(name, values)| values.iter().map(move |value| (name, value)))
        {
            line(name, value);
        }
        for PictureRow { kind, mime, width, height, bytes } in &self.pictures {
            let size = width
                .zip(*height)
                .map_or_else(String::new, |(width, height)| format!(", {width} x {height}"));
            let kind = if *kind == 3 { "front cover".to_owned() } else { format!("type {kind}") };
            line("picture", &format!("{kind}, {mime}{size}, {bytes} bytes"));
        }
        for MarkerRow { label, start, end } in &self.markers {
            let end = end.map_or_else(String::new, |end| format!(" to {end}"));
            line("marker", &format!("frame {start}{end}: {label}"));
        }
        text
    }
}
