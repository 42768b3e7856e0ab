//! What differs between FFmpeg's major versions and its builds, in one place.
//!
//! Structs and functions come from the headers that the plugin is built with; here is what the headers do not show.

#![forbid(unsafe_code)]

use std::ffi::CStr;

/// Codecs for which a library's decoder is preferred to FFmpeg's own, and its name.
///
/// Speex: FFmpeg's own decoder of ultra-wideband is 10 to 18 dB from libspeex in 5.1 and 9.0, and gives twice as many frames as
/// there are in 7.1.
const PREFERRED: [(&CStr, &CStr); 1] = [(c"speex", c"libspeex")];

/// The name of the decoder to prefer for a codec, where a build has it.
pub(crate) fn preferred_decoder(codec: &CStr) -> Option<&'static CStr> {
    PREFERRED.iter().find(|(name, _)| *name == codec).map(|(_, decoder)| *decoder)
}

/// Whether the durations of a format's packets are numbers of frames, where its time base is the sample rate. From FFmpeg 9 on, those
/// of CAF are the mean of all packets; 7.1 has none, and 5.1 the right ones.
pub(crate) fn has_frame_durations(format: &CStr) -> bool {
    format != c"caf"
}

/// The number of frames in a packet of Speex, by the header of its stream (the Speex manual, section 5.2): the size of a frame
/// and their number. `None` without such a header.
pub(crate) fn speex_packet_frames(header: &[u8]) -> Option<u32> {
    let field = |place: usize| {
        let bytes = header.get(place..)?.first_chunk()?;
        Some(u32::from_le_bytes(*bytes)).filter(|value| (1..1 << 16).contains(value))
    };
    header.starts_with(b"Speex   ").then_some(())?;
    field(56)?.checked_mul(field(64)?)
}

/// Whether a decoder has left out already what a demuxer wants to be discarded from a packet of `num_frames` frames. From FFmpeg 9 on,
/// CAF's asks for that of the last packet, whatever the codec. A packet of ALAC says itself how many frames it has
/// (`ALACSpecificConfig` in Apple's description of the format has the most, `frameLength`).
pub(crate) fn is_left_out(codec: &CStr, setup: &[u8], num_frames: u32, discard: u32) -> bool {
    if codec != c"alac" {
        return false;
    }
    // The configuration alone, or in its box.
    let config = if setup.get(4..8) == Some(b"alac") { 12 } else { 0 };
    let most = setup.get(config..).and_then(<[u8]>::first_chunk).map(|bytes| u32::from_be_bytes(*bytes));
    most == num_frames.checked_add(discard) && discard > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_versions_differ_in_is_named() {
        assert!(has_frame_durations(c"mov,mp4,m4a,3gp,3g2,mj2") && !has_frame_durations(c"caf"));
        assert_eq!((preferred_decoder(c"speex"), preferred_decoder(c"opus")), (Some(c"libspeex"), None));
        let mut header = b"Speex   ".to_vec();
        header.resize(56, 0);
        header.extend([640u32, 0, 2].map(u32::to_le_bytes).concat());
        assert_eq!(speex_packet_frames(&header), Some(1280));
        let config = 4096u32.to_be_bytes();
        let boxed = [&[0, 0, 0, 36], &b"alac"[..], &[0; 4], &config].concat();
        for setup in [&config[..], &boxed] {
            assert!(is_left_out(c"alac", setup, 2521, 1575));
            assert!(!is_left_out(c"alac", setup, 4096, 1575) && !is_left_out(c"alac", setup, 4096, 0));
            assert!(!is_left_out(c"aac", setup, 2521, 1575));
        }
        assert!(!is_left_out(c"alac", &[], 2521, 1575));
        assert_eq!((speex_packet_frames(b"Speex   "), speex_packet_frames(&[0; 80])), (None, None));
    }
}
