//! `AudioInfo`: what a file says about itself.

use std::collections::BTreeMap;

use mapwave_core::track::Codec;
use mapwave_core::{Reader, SampleFormat};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// What is known of an audio file without reading its samples.
#[pyclass(frozen, eq, get_all, module = "mapwave")]
#[derive(Clone, PartialEq)]
pub(crate) struct AudioInfo {
    /// The number of frames that `load` returns.
    frames: u64,
    /// Frames a second, in Hz.
    sample_rate: u32,
    /// Samples in a frame.
    channels: u16,
    /// The length in seconds: frames / sample_rate.
    duration: f64,
    /// The encoding, such as "pcm16" or "float32".
    subtype: String,
    /// The file format, such as "wav".
    container: String,
    /// The codec in FFmpeg's terms, such as "pcm_s16le".
    codec: String,
    /// The coded depth: the bits of a sample that carry sound.
    bit_depth: u16,
    /// The bits that a sample takes in the file, at least bit_depth.
    bits: u16,
    /// The speaker arrangement, such as "stereo" or "5.1", or None when the file does not say.
    channel_layout: Option<String>,
    /// Whether the file ends before the sound does that it promises; frames counts what is there.
    is_truncated: bool,
    /// Whether the samples are those that were recorded or given to the encoder.
    is_lossless: bool,
    /// The codec plugin that decodes it, or None when mapwave reads it itself.
    plugin: Option<String>,
    /// The encoder's delay in frames, which is left out.
    priming_frames: u32,
    /// Frames at the end that only fill the last packet, which are left out.
    padding_frames: u32,
    /// Metadata: lower-case Vorbis comment names and their values, several joined by "; ".
    tags: BTreeMap<String, String>,
}

impl From<&Reader> for AudioInfo {
    fn from(reader: &Reader) -> Self {
        let track = reader.track();
        let pcm = track.pcm();
        let compressed = match &track.codec {
            Codec::Compressed(stream) => Some(stream),
            Codec::Pcm(_) | Codec::Packets(_) => None,
        };
        let mut tags = BTreeMap::<String, String>::new();
        for (key, value) in reader.tags() {
            let values = tags.entry(key).or_default();
            if !values.is_empty() {
                values.push_str("; ");
            }
            values.push_str(&value);
        }
        Self {
            frames: reader.num_frames(),
            sample_rate: track.sample_rate,
            channels: track.num_channels,
            duration: track.duration(),
            subtype: pcm.map_or_else(|| track.codec.name(), |format| format.subtype()).to_owned(),
            container: track.container.name().to_owned(),
            codec: track.codec.name().to_owned(),
            bit_depth: track.bits_per_sample.unwrap_or(0),
            bits: pcm.and_then(|format| u16::try_from(format.num_bytes() * 8).ok()).unwrap_or(0),
            channel_layout: track.channel_layout().map(str::to_owned),
            is_truncated: track.missing_bytes > 0,
            is_lossless: compressed
                .map_or(!pcm.is_some_and(SampleFormat::is_companded), |stream| stream.is_lossless),
            plugin: compressed.map(|stream| stream.plugin.to_owned()),
            priming_frames: compressed.map_or(0, |stream| stream.priming_frames),
            padding_frames: compressed.map_or(0, |stream| stream.padding_frames),
            tags,
        }
    }
}

#[pymethods]
impl AudioInfo {
    #[new]
    #[allow(clippy::too_many_arguments)] // one for each field, for pickle
    fn new(
        frames: u64,
        sample_rate: u32,
        channels: u16,
        duration: f64,
        subtype: String,
        container: String,
        codec: String,
        bit_depth: u16,
        bits: u16,
        channel_layout: Option<String>,
        is_truncated: bool,
        is_lossless: bool,
        plugin: Option<String>,
        priming_frames: u32,
        padding_frames: u32,
        tags: BTreeMap<String, String>,
    ) -> Self {
        Self {
            frames,
            sample_rate,
            channels,
            duration,
            subtype,
            container,
            codec,
            bit_depth,
            bits,
            channel_layout,
            is_truncated,
            is_lossless,
            plugin,
            priming_frames,
            padding_frames,
            tags,
        }
    }

    fn __repr__(&self) -> String {
        let layout = self.channel_layout.as_ref().map_or("None".to_owned(), |layout| format!("'{layout}'"));
        let plugin = self.plugin.as_ref().map_or("None".to_owned(), |plugin| format!("'{plugin}'"));
        let bool = |value| if value { "True" } else { "False" };
        format!(
            "AudioInfo(frames={}, sample_rate={}, channels={}, duration={:.6}, subtype='{}', container='{}', \
             codec='{}', bit_depth={}, bits={}, channel_layout={layout}, is_truncated={}, is_lossless={}, \
             plugin={plugin}, priming_frames={}, padding_frames={}, tags=<{}>)",
            self.frames,
            self.sample_rate,
            self.channels,
            self.duration,
            self.subtype,
            self.container,
            self.codec,
            self.bit_depth,
            self.bits,
            bool(self.is_truncated),
            bool(self.is_lossless),
            self.priming_frames,
            self.padding_frames,
            self.tags.len(),
        )
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let kind = py.get_type::<Self>().into_any();
        let fields = (
            (self.frames, self.sample_rate, self.channels, self.duration, &self.subtype, &self.container),
            (&self.codec, self.bit_depth, self.bits, self.channel_layout.as_deref(), self.is_truncated),
        );
        let more = (
            self.is_lossless,
            self.plugin.as_deref(),
            self.priming_frames,
            self.padding_frames,
            self.tags.clone(),
        );
        let (first, second) = (fields.0.into_pyobject(py)?, fields.1.into_pyobject(py)?);
        let all = first.add(second)?.add(more.into_pyobject(py)?)?;
        Ok((kind, all.cast_into::<PyTuple>()?))
    }
}
