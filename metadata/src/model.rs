//! What files say beside their audio.

use std::collections::BTreeMap;

/// The metadata of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metadata {
    /// Lower-case Vorbis comment names and their values, in the order of the file; a name may repeat.
    pub tags: Vec<(String, String)>,
    /// Pictures, such as a cover.
    pub pictures: Vec<Picture>,
    /// Markers, cue points and chapters, by their start.
    pub markers: Vec<Marker>,
    /// Loops of a sampled instrument.
    pub loops: Vec<Loop>,
    /// The broadcast extension (EBU Tech 3285).
    pub bext: Option<Bext>,
    /// How many bytes hold the audio, without headers and tags; `None` if the container does not say without being read through.
    pub audio_bytes: Option<u64>,
}

impl Metadata {
    /// Takes the tags out, by name, the values of each name joined by "; " in their order.
    pub fn take_joined_tags(&mut self) -> BTreeMap<String, String> {
        let mut tags = std::mem::take(&mut self.tags);
        tags.sort_by(|(name, _), (other, _)| name.cmp(other));
        tags.dedup_by(|(name, value), (before, values)| {
            let is_same = name == before;
            if is_same {
                if !values.is_empty() {
                    values.push_str("; ");
                }
                values.push_str(value);
            }
            is_same
        });
        tags.into_iter().collect()
    }
}

/// A picture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Picture {
    /// What it shows, as ID3v2 numbers it (section 4.14 of its frames): 3 is the front cover, 0 anything else.
    pub kind: u8,
    /// The type of the data, such as `image/jpeg`.
    pub mime: String,
    /// A description; often empty.
    pub description: String,
    /// The width in pixels, if the file or the image says it.
    pub width: Option<u32>,
    /// The height in pixels, if the file or the image says it.
    pub height: Option<u32>,
    /// The size of the data in bytes.
    pub num_bytes: u64,
    /// The image file; empty if it was not requested.
    pub data: Vec<u8>,
}

/// A position in the audio that has a name, or a range of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marker {
    /// The name; may be empty.
    pub label: String,
    /// The first frame.
    pub start: u64,
    /// The frame behind the last one, if it is a range.
    pub end: Option<u64>,
}

/// How a loop is played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LoopKind {
    /// From start to end, and again.
    #[default]
    Forward,
    /// Forth and back.
    PingPong,
    /// From end to start.
    Backward,
}

/// A range of frames that an instrument repeats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loop {
    /// The first frame.
    pub start: u64,
    /// The frame behind the last one.
    pub end: u64,
    /// How it is played.
    pub kind: LoopKind,
    /// How many times; `None` for as long as the note sounds.
    pub count: Option<u32>,
}

/// The broadcast extension of WAV (EBU Tech 3285, version 2).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bext {
    /// What the sound is; at most 256 bytes.
    pub description: String,
    /// Who made it; at most 32 bytes.
    pub originator: String,
    /// The originator's reference; at most 32 bytes.
    pub originator_reference: String,
    /// The date as `yyyy-mm-dd`.
    pub origination_date: String,
    /// The time as `hh:mm:ss`.
    pub origination_time: String,
    /// The first frame, counted from midnight.
    pub time_reference: u64,
    /// The version of the chunk: 0, 1 with a UMID, 2 with loudness.
    pub version: u16,
    /// The unique material identifier (SMPTE 330M): 64 bytes, or none.
    pub umid: Vec<u8>,
    /// The integrated loudness in LUFS.
    pub loudness_value: Option<f64>,
    /// The loudness range in LU.
    pub loudness_range: Option<f64>,
    /// The maximum true peak level in dBTP.
    pub max_true_peak_level: Option<f64>,
    /// The highest momentary loudness in LUFS.
    pub max_momentary_loudness: Option<f64>,
    /// The highest short-term loudness in LUFS.
    pub max_short_term_loudness: Option<f64>,
    /// A line for each step of coding.
    pub coding_history: String,
}
