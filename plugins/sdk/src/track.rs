//! A stream inside a container that the host has parsed.

use std::ops::Range;

/// Compressed packets in a WAV, AIFF or CAF file, parsed by the host. All ranges are within the input.
///
/// ```
/// use mapwave_plugin::Track;
///
/// fn num_whole_packets(track: &Track<'_>) -> Option<u64> {
///     (track.data.end - track.data.start).checked_div(track.bytes_per_packet.into())
/// }
///
/// let track = Track {
///     container: "wav",
///     codec: "adpcm_ms",
///     tag: 2,
///     sample_rate: 22_050,
///     num_channels: 1,
///     channel_mask: 0,
///     bits_per_sample: 4,
///     bytes_per_packet: 512,
///     frames_per_packet: 1012,
///     priming_frames: 0,
///     padding_frames: 0,
///     num_frames: Some(2000),
///     data: 90..1114,
///     config: 38..70,
///     table: 0..0,
///     num_packets: 0,
/// };
/// assert_eq!(num_whole_packets(&track), Some(2));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track<'a> {
    /// The container: "wav", "rifx", "rf64", "bw64", "w64", "aiff", "aifc" or "caf".
    pub container: &'a str,
    /// The codec in FFmpeg's terms, such as "adpcm_ms" or "alac", or the container's tag as text.
    pub codec: &'a str,
    /// The container's tag of the codec: a WAVE format tag, or a four-character code as a big-endian number.
    pub tag: u32,
    /// Frames per second.
    pub sample_rate: u32,
    /// Samples per frame.
    pub num_channels: u32,
    /// Speaker positions as a WAVE channel mask; 0 if unknown.
    pub channel_mask: u64,
    /// The depth in bits; 0 if the codec has none.
    pub bits_per_sample: u32,
    /// Bytes per packet; 0 if they vary.
    pub bytes_per_packet: u32,
    /// Frames per packet; 0 if they vary.
    pub frames_per_packet: u32,
    /// Encoder delay in frames, from a packet table.
    pub priming_frames: u32,
    /// Padding of the last packet in frames, from a packet table.
    pub padding_frames: u32,
    /// The number of frames that the container states, without priming and padding. It is not reliable.
    pub num_frames: Option<u64>,
    /// The range of the packets.
    pub data: Range<u64>,
    /// The codec's setup: the rest of a WAVE `fmt ` chunk after its first 18 bytes, a CAF magic cookie; empty without one.
    pub config: Range<u64>,
    /// The entries of a CAF packet table; empty without one.
    pub table: Range<u64>,
    /// The number of packets that the table describes.
    pub num_packets: u64,
}
