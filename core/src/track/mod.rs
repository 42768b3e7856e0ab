//! What a container says about its audio: where the samples are and how they are encoded.

#![forbid(unsafe_code)]

mod container;
mod sound_track;

use std::ops::Range;

use crate::pcm::SampleFormat;

pub use container::Container;
pub use sound_track::SoundTrack;

/// How the samples of a track are encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Codec {
    /// Uncompressed or companded samples, which this crate reads. The position of each follows from its number.
    Pcm(SampleFormat),
    /// Compressed packets, which only a codec plugin can decode.
    Packets(PacketCodec),
    /// A compressed stream that a codec plugin has opened.
    Compressed(CompressedStream),
}

impl Codec {
    /// The codec's short name, such as `pcm_s16le`, `adpcm_ms` or `alac`.
    pub fn name(&self) -> &str {
        match self {
            Self::Pcm(format) => format.name(),
            Self::Packets(packets) => &packets.name,
            Self::Compressed(stream) => stream.name,
        }
    }
}

/// A compressed stream, as described by the codec plugin that decodes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompressedStream {
    /// The codec's short name, such as `mp3` or `flac`.
    pub name: &'static str,
    /// The plugin that decodes it.
    pub plugin: &'static str,
    /// The decoder's output format that loses nothing: `S16`, `S32` or `F32` in this machine's byte order.
    pub native: SampleFormat,
    /// Whether the decoded samples equal the samples that were encoded.
    pub is_lossless: bool,
    /// The encoder delay in frames, which is removed.
    pub priming_frames: u32,
    /// Frames that pad the last packet, which are removed.
    pub padding_frames: u32,
}

/// A compressed stream inside a container that this crate parses, described for a codec plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PacketCodec {
    /// The codec's short name if it has one, otherwise the container's own tag, such as `wav:0x0038` or `caf:'xyz '`.
    pub name: String,
    /// The container's tag: the WAVE format tag or the four-character code as a big-endian number.
    pub tag: u32,
    /// Where the codec's setup bytes are in the file: the rest of a WAVE `fmt ` chunk or a CAF `kuki`; empty if there are none.
    pub config: Range<u64>,
    /// Bytes per packet; 0 if they vary.
    pub bytes_per_packet: u32,
    /// Frames per packet; 0 if they vary.
    pub frames_per_packet: u32,
    /// CAF's packet table, if there is one.
    pub packet_table: Option<PacketTable>,
}

/// A CAF `pakt` chunk: the number of packets, and which of their frames are audio.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PacketTable {
    /// The number of packets in the data chunk, at most as many as the table's bytes can describe.
    pub num_packets: u64,
    /// Frames of audio: all frames without priming and remainder.
    pub num_valid_frames: u64,
    /// Frames of encoder delay at the start.
    pub priming_frames: u32,
    /// Frames that pad the last packet.
    pub remainder_frames: u32,
    /// Where the entries are in the file: variable-length integers with 7 bits per byte, most significant first.
    pub entries: Range<u64>,
}

/// The audio in a file, as its container describes it.
///
/// A track depends on nothing but the file's bytes, and all its ranges lie inside the file.
///
/// ```
/// let wav = b"RIFF\x28\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\x04\0\0\0\x00\x40\x00\xc0";
/// let track = mapwave_core::container::parse(wav, wav.len() as u64)?;
/// assert_eq!((track.sample_rate, track.num_channels, track.num_frames), (8000, 1, Some(2)));
/// assert_eq!((track.codec.name(), track.duration()), ("pcm_s16le", Some(0.00025)));
/// assert_eq!(track.data, 44..48);
/// # Ok::<(), mapwave_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
    /// The container.
    pub container: Container,
    /// How the samples are encoded.
    pub codec: Codec,
    /// Frames per second, at least 1.
    pub sample_rate: u32,
    /// Samples per frame, at least 1.
    pub num_channels: u16,
    /// Speaker positions as a WAVE channel mask (bit 0 front left, bit 1 front right, ...); 0 when unknown.
    pub channel_mask: u32,
    /// The significant bits of a sample, which can be fewer than its storage size; `None` for codecs without a bit depth.
    pub bits_per_sample: Option<u16>,
    /// The number of whole frames in the file; `None` if only the codec can tell.
    pub num_frames: Option<u64>,
    /// Where the audio bytes are in the file.
    pub data: Range<u64>,
    /// How many bytes the container promises beyond the end of the file: more than 0 only for a truncated file. A codec plugin
    /// only reports whether the file is truncated; then this is 1.
    pub missing_bytes: u64,
}

impl Track {
    /// The sample format, if the samples are PCM.
    pub fn pcm(&self) -> Option<SampleFormat> {
        match self.codec {
            Codec::Pcm(format) => Some(format),
            Codec::Packets(_) | Codec::Compressed(_) => None,
        }
    }

    /// Bytes per frame, if the samples are PCM.
    pub fn bytes_per_frame(&self) -> Option<u64> {
        self.pcm().map(|format| format.num_bytes() as u64 * u64::from(self.num_channels))
    }

    /// The length in seconds; `None` if the number of frames is unknown.
    pub fn duration(&self) -> Option<f64> {
        self.num_frames.map(|num_frames| num_frames as f64 / f64::from(self.sample_rate))
    }

    /// The name of the speaker arrangement, such as `mono`, `stereo` or `5.1`; `None` if the file does not state it.
    pub fn channel_layout(&self) -> Option<&'static str> {
        match (self.channel_mask, self.num_channels) {
            (0 | 0x4, 1) => Some("mono"),
            (0 | 0x3, 2) => Some("stereo"),
            (0x7, 3) => Some("3.0"),
            (0xb, 3) => Some("2.1"),
            (0x33, 4) => Some("quad"),
            (0x107, 4) => Some("4.0"),
            (0x37, 5) => Some("5.0"),
            (0x607, 5) => Some("5.0(side)"),
            (0x3f, 6) => Some("5.1"),
            (0x60f, 6) => Some("5.1(side)"),
            (0x13f, 7) => Some("6.1"),
            (0x70f, 7) => Some("6.1"),
            (0x63f, 8) => Some("7.1"),
            (0xff, 8) => Some("7.1(wide)"),
            _ => None,
        }
    }
}
