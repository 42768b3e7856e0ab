//! `mapwave verify`: decodes everything, checks what the files say of themselves, and tells where they are damaged.
//!
//! The decoders check the sums of frames and pages (the CRCs of FLAC, Ogg and MP3); a FLAC file also states the MD5 of its samples
//! (RFC 9639, section 8.2), which is computed here. Files are read one after the other, since decoders report to one log.

#![forbid(unsafe_code)]

mod digest;

use std::ops::Range;
use std::path::Path;

use clap::Args;
use mapwave::{Access, Error, FrameSpec, OpenOptions, OutputFormat, ReadControl, Reader, Result};
use mapwave_core::host::{self, Level};
use mapwave_core::{Buffer, num_processors};
use serde::Serialize;

use self::digest::Digest;
use crate::convert::guarded;
use crate::format::{Format, OutputArguments};
use crate::interrupt::{Interrupt, is_interruption};
use crate::output::{FAILURE, SUCCESS, message, print};
use crate::place::Place;
use crate::progress::{Progress, ProgressMode, Unit};
use crate::table::printable;
use crate::time::clock;

/// The frames of a block, and of the pieces by which damage in it is located.
const BLOCK_FRAMES: u64 = 1 << 17;
const PIECE_FRAMES: u64 = 1 << 10;

/// The most places of one file that are reported.
const MAX_PLACES: usize = 20;

/// The arguments of the command.
#[derive(Clone, Debug, Args)]
pub(crate) struct VerifyArguments {
    /// The files, or "-" for standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<Place>,
    #[command(flatten)]
    output: OutputArguments,
    /// How progress is shown.
    #[arg(long, value_enum, default_value_t, value_name = "KIND")]
    progress: ProgressMode,
}

/// What is reported of a file.
#[derive(Debug, Default, Serialize)]
struct Verdict {
    path: String,
    /// Whether nothing is wrong with it.
    is_sound: bool,
    /// `None` if damage keeps the file from being opened.
    frames: Option<u64>,
    /// Whether the file ends before the audio that it promises.
    is_truncated: bool,
    /// Whether the samples have the MD5 that the file states; `None` if it states none.
    md5_matches: Option<bool>,
    damage: Vec<Damage>,
    /// The number of damaged places beyond those in `damage`.
    more_damage: u64,
    /// Why it cannot be read at all.
    error: Option<String>,
}

/// A damaged place.
#[derive(Debug, Serialize)]
struct Damage {
    /// Its first byte in the file, if the decoder tells.
    offset: Option<u64>,
    /// The frames in or around it, and their time; `None` if damage keeps the file from being opened.
    start: Option<u64>,
    end: Option<u64>,
    start_seconds: Option<f64>,
    /// What the decoder says of the first of it.
    what: String,
}

#[derive(Debug, Serialize)]
struct Report {
    files: Vec<Verdict>,
}

/// Runs the command and returns the exit code: 1 if a file is damaged or cannot be read.
pub(crate) fn run(arguments: &VerifyArguments) -> i32 {
    guarded(|interrupt| {
        let progress = Progress::new(arguments.progress, Unit::Files, arguments.files.len() as u64);
        let mut files = Vec::with_capacity(arguments.files.len());
        for place in &arguments.files {
            let verdict = interrupt.during(num_processors(), |control| verdict(place, interrupt, control));
            progress.add(1);
            let verdict = match verdict {
                Err(error) if is_interruption(&error) => return Err(error),
                Err(error) => Verdict::unopened(&error),
                Ok(verdict) => verdict,
            };
            files.push(Verdict { path: place.to_string(), ..verdict });
        }
        progress.end();
        let report = Report { files };
        let printed = print(&match arguments.output.format() {
            Format::Text => report.files.iter().map(Verdict::to_text).collect(),
            Format::Json => serde_json::to_string_pretty(&report).unwrap_or_default() + "\n",
        });
        let is_sound = report.files.iter().all(|file| file.is_sound);
        Ok(if is_sound && printed == SUCCESS { SUCCESS } else { FAILURE })
    })
}

fn verdict(place: &Place, interrupt: &Interrupt, control: &ReadControl<'_>) -> Result<Verdict> {
    let file = place.file(interrupt)?;
    let name = place.path().unwrap_or(Path::new("standard input"));
    let stated = digest::stated(&file);
    host::drain_messages();
    let reader = OpenOptions::new().access(Access::Streamed).open_file(file, name)?;
    let mut verdict = Verdict {
        frames: Some(reader.num_frames()),
        is_truncated: reader.track().missing_bytes > 0,
        ..Verdict::default()
    };
    let mut digest = stated.and_then(|stated| Digest::new(stated, &reader));
    let spec = FrameSpec { format: OutputFormat::I32, ..FrameSpec::default() };
    let mut start = 0;
    while start < reader.num_frames() {
        let block = start..reader.num_frames().min(start + BLOCK_FRAMES);
        start = block.end;
        match reader.read_with(block.clone(), &spec, Buffer::recycled, control) {
            Ok(frames) => {
                if let Some(digest) = &mut digest {
                    digest.update(frames.samples::<i32>().unwrap_or_default());
                }
                // The decoders have put silence in place of what they warn of.
                if let Some(text) = warnings().next() {
                    verdict.locate(&reader, block, (None, text), &spec, control)?;
                }
            }
            Err(error) if is_interruption(&error) => return Err(error),
            Err(error) => {
                digest = None;
                verdict.locate(&reader, block, place_and_what(&error), &spec, control)?;
            }
        }
    }
    verdict.md5_matches = match (stated, digest) {
        (Some(_), Some(digest)) => Some(digest.matches()),
        (Some(_), None) => Some(false),
        (None, _) => None,
    };
    verdict.is_sound =
        verdict.damage.is_empty() && !verdict.is_truncated && verdict.md5_matches != Some(false);
    Ok(verdict)
}

/// What decoders have warned of since the last call.
fn warnings() -> impl Iterator<Item = String> {
    host::drain_messages()
        .into_iter()
        .filter(|message| message.level >= Level::Warning)
        .map(|message| message.text)
}

impl Verdict {
    /// Finds the damaged pieces of a block in which there is something wrong.
    fn locate(
        &mut self,
        reader: &Reader,
        block: Range<u64>,
        wrong: (Option<u64>, String),
        spec: &FrameSpec,
        control: &ReadControl<'_>,
    ) -> Result<()> {
        let mut is_located = false;
        let mut start = block.start;
        while start < block.end {
            let piece = start..block.end.min(start + PIECE_FRAMES);
            start = piece.end;
            match reader.read_with(piece.clone(), spec, Buffer::recycled, control) {
                Ok(_) => {
                    for text in warnings() {
                        is_located = true;
                        self.add(reader, piece.clone(), None, text);
                    }
                }
                Err(error) if is_interruption(&error) => return Err(error),
                Err(error) => {
                    is_located = true;
                    let (offset, what) = place_and_what(&error);
                    self.add(reader, piece, offset, what);
                }
            }
        }
        if !is_located {
            let (offset, what) = wrong;
            self.add(reader, block, offset, what);
        }
        Ok(())
    }

    /// Adds a place, or lengthens the last one if it goes on there.
    fn add(&mut self, reader: &Reader, frames: Range<u64>, offset: Option<u64>, what: String) {
        if let Some(known) = self.damage.last_mut().filter(|known| known.end >= Some(frames.start)) {
            known.end = known.end.max(Some(frames.end));
        } else if self.damage.len() < MAX_PLACES {
            let start_seconds = Some(frames.start as f64 / f64::from(reader.sample_rate()));
            let (start, end) = (Some(frames.start), Some(frames.end));
            self.damage.push(Damage { offset, start, end, start_seconds, what });
        } else {
            self.more_damage += 1;
        }
    }

    /// The verdict on a file that cannot be opened: damaged if there is a place in it to tell, otherwise unreadable.
    fn unopened(error: &Error) -> Self {
        match place_and_what(error) {
            (None, _) => Self { error: Some(message(error)), ..Self::default() },
            (offset, what) => {
                let damage = Damage { offset, start: None, end: None, start_seconds: None, what };
                Self { damage: vec![damage], ..Self::default() }
            }
        }
    }

    fn to_text(&self) -> String {
        if let Some(error) = &self.error {
            return format!("UNREADABLE  {error}\n");
        }
        let verdict = if self.is_sound { "sound" } else { "DAMAGED" };
        let digest = match self.md5_matches {
            Some(true) => ", MD5 matches",
            Some(false) => ", MD5 DIFFERS",
            None => "",
        };
        let frames = self.frames.map_or_else(String::new, |frames| format!(": {frames} frames"));
        let mut text = format!("{verdict:12}{}{frames}{digest}\n", printable(&self.path));
        let mut detail = |what: &str| text += &format!("            {}\n", printable(what));
        if self.is_truncated {
            detail("the file ends before the audio that it promises");
        }
        for Damage { offset, start, end, start_seconds, what } in &self.damage {
            let at = start_seconds.map(|seconds| format!(", at {}", clock(seconds))).unwrap_or_default();
            let frames = start
                .zip(*end)
                .map(|(start, end)| format!("frames {start} to {}{at}", end.saturating_sub(1)));
            let byte = offset.map(|offset| format!("byte {offset}"));
            let places: Vec<String> = [frames, byte].into_iter().flatten().collect();
            detail(&format!("{}: {what}", places.join(", ")));
        }
        if self.more_damage > 0 {
            text += &format!("            and {} more places\n", self.more_damage);
        }
        text
    }
}

/// Where in the file an error is, and its message without the file and the place.
fn place_and_what(error: &Error) -> (Option<u64>, String) {
    match error {
        Error::Plugin { offset, what, .. } => (*offset, what.to_string()),
        Error::Malformed { offset, what, .. } => (Some(*offset), what.clone()),
        error => (None, message(error)),
    }
}
