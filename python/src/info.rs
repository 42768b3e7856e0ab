//! `AudioInfo`: the facts of an audio file, and `Track`: those of one of its sound tracks.

use std::collections::BTreeMap;

use mapwave_core::track::Codec;
use mapwave_core::{Reader, SampleFormat, SoundTrack};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::facts::{Several, Texts, annotate, facts};
use crate::interned::{import, intern};
use crate::metadata::{Bext, Loop, Marker, Picture};

annotate! {
    Several<Track> => "tuple[Track, ...]",
    Several<Picture> => "tuple[Picture, ...]",
    Several<Marker> => "tuple[Marker, ...]",
    Several<Loop> => "tuple[Loop, ...]",
    Option<Bext> => "Bext | None",
}

facts! {
    /// A sound track of a file, as the container describes it. None stands for what it does not say.
    Track, in_one_line {
    /// The number to pass as track, counted from 0 among the sound tracks of the file.
    index: u32,
    /// The codec's short name, as FFmpeg has it: "aac", "ac3", "opus", ..., whether or not it can be decoded.
    codec: String,
    /// The language as the file states it: "eng", "fra", ...
    language: Option<String>,
    /// The number of channels.
    channels: Option<u16>,
    /// Frames per second, in Hz.
    sample_rate: Option<u32>,
    /// Whether it is the track that is read when none is chosen.
    is_default: bool,
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.facts(py)?.values().to_tuple().hash()
    }
}

facts! {
    /// What a file says about its audio, found without reading the samples. None stands for what is not known.
    AudioInfo, in_lines {
    /// The number of frames that `load` returns.
    frames: u64,
    /// Frames per second, in Hz.
    sample_rate: u32,
    /// The number of channels.
    channels: u16,
    /// The length in seconds: frames / sample_rate.
    duration: f64,
    /// The file format, by the usual extension: "wav", "aiff", "flac", "mp3", "m4a" for MPEG-4 with audio alone, "mp4" with
    /// video, "ogg", ...
    container: String,
    /// The exact variant of the format, such as "rf64", "aifc" or "M4A ", or None when it has only one.
    container_variant: Option<String>,
    /// The codec's short name, as FFmpeg has it: "pcm_s16le", "mp3", "aac", "flac", ...
    codec: String,
    /// The encoding of the samples as `save` takes it, such as "pcm16" or "float32"; the codec's name for compressed audio.
    subtype: String,
    /// The significant bits of a sample, or None for a codec without a bit depth, such as MP3.
    bit_depth: Option<u16>,
    /// The bits that a sample takes in the file, at least bit_depth, or None for compressed audio.
    bits: Option<u16>,
    /// The speaker arrangement, such as "stereo" or "5.1", or None when the file does not say.
    channel_layout: Option<String>,
    /// Whether the codec keeps every sample as it was.
    is_lossless: bool,
    /// Whether the file ends before the audio that it promises; frames counts the frames that are present.
    is_truncated: bool,
    /// The plugin that decodes the file, or None when mapwave itself reads it.
    plugin: Option<String>,
    /// The frames of encoder delay that load leaves out at the start; 0 also when the file does not state its delay.
    priming_frames: u32,
    /// The frames that load leaves out at the end, since they only fill the last packet; 0 also when the file does not say.
    padding_frames: u32,
    /// Metadata: lower-case Vorbis comment names and their values, several joined by "; ".
    tags: BTreeMap<String, String>,
    /// Pictures such as a cover, whose data are read on request.
    pictures: Several<Picture>,
    /// Markers, cue points and chapters, in frames, by their start.
    markers: Several<Marker>,
    /// Loops of a sampled instrument, in frames.
    loops: Several<Loop>,
    /// The broadcast extension of a WAV file.
    bext: Option<Bext>,
    /// The bits of audio per second: its bytes in the file over the duration, without headers and tags.
    bitrate: Option<u64>,
    /// The sound tracks of the file, of which these facts are those of one.
    tracks: Several<Track>,
    /// What codec plugins said that failed to open the file before the one in plugin did, which is logged as a warning too;
    /// empty unless a plugin has a fault.
    plugin_errors: Texts,
    }

    /// What a notebook shows: the facts as a table.
    fn _repr_html_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let of_info = import(py, intern!(py, "mapwave._notebook"))?.getattr(intern!(py, "of_info"))?;
        of_info.call1((slf,))
    }
}

impl From<SoundTrack> for Track {
    fn from(track: SoundTrack) -> Self {
        let SoundTrack { codec, language, sample_rate, num_channels, is_default } = track;
        Self { index: 0, codec, language, channels: num_channels, sample_rate, is_default }
    }
}

impl From<&Reader> for AudioInfo {
    fn from(reader: &Reader) -> Self {
        let track = reader.track();
        let pcm = track.pcm();
        let compressed = match &track.codec {
            Codec::Compressed(stream) => Some(stream),
            Codec::Pcm(_) | Codec::Packets(_) => None,
        };
        let mut metadata = reader.metadata();
        Self {
            frames: reader.num_file_frames(),
            sample_rate: track.sample_rate,
            channels: track.num_channels,
            duration: reader.duration(),
            container: track.container.name().to_owned(),
            container_variant: track.container.variant().map(str::to_owned),
            codec: track.codec.name().to_owned(),
            subtype: pcm.map_or_else(|| track.codec.name(), |format| format.subtype()).to_owned(),
            bit_depth: track.bits_per_sample,
            bits: pcm.and_then(|format| u16::try_from(format.num_bytes() * 8).ok()),
            channel_layout: track.channel_layout().map(str::to_owned),
            is_lossless: compressed
                .map_or(!pcm.is_some_and(SampleFormat::is_companded), |stream| stream.is_lossless),
            is_truncated: track.missing_bytes > 0,
            plugin: compressed.map(|stream| stream.plugin.to_owned()),
            priming_frames: compressed.map_or(0, |stream| stream.priming_frames),
            padding_frames: compressed.map_or(0, |stream| stream.padding_frames),
            bitrate: reader.bitrate(&metadata),
            tags: metadata.take_joined_tags(),
            pictures: Several(Picture::of(reader, metadata.pictures)),
            markers: Several(metadata.markers.into_iter().map(Marker::from).collect()),
            loops: Several(metadata.loops.into_iter().map(Loop::from).collect()),
            bext: metadata.bext.map(Bext::from),
            tracks: Several(
                (0..)
                    .zip(reader.sound_tracks())
                    .map(|(index, track)| Track { index, ..track.into() })
                    .collect(),
            ),
            plugin_errors: Texts(reader.plugin_failures().iter().map(ToString::to_string).collect()),
        }
    }
}
