//! The audio tracks of a file as they are listed, whether or not their codecs are supported.

#![forbid(unsafe_code)]

use mapwave_plugin::StreamEntry;

use super::pcm::PcmFormat;
use super::segment::TrackEntry;

/// The codecs that are not supported here, in Matroska's terms and in FFmpeg's (Matroska Codec, section 6.4).
const CODECS: [(&str, &str); 19] = [
    ("A_AC3", "ac3"),
    ("A_AC3/BSID9", "ac3"),
    ("A_AC3/BSID10", "ac3"),
    ("A_EAC3", "eac3"),
    ("A_DTS", "dts"),
    ("A_DTS/EXPRESS", "dts"),
    ("A_DTS/LOSSLESS", "dts"),
    ("A_TRUEHD", "truehd"),
    ("A_MLP", "mlp"),
    ("A_TTA1", "tta"),
    ("A_WAVPACK4", "wavpack"),
    ("A_REAL/14_4", "ra_144"),
    ("A_REAL/28_8", "ra_288"),
    ("A_REAL/COOK", "cook"),
    ("A_REAL/SIPR", "sipr"),
    ("A_REAL/ATRC", "atrac3"),
    ("A_ATRAC/AT1", "atrac1"),
    ("A_QUICKTIME/QDM2", "qdm2"),
    ("A_QUICKTIME/QDMC", "qdmc"),
];

/// Those that are, by what their names begin with.
const OWN_CODECS: [(&str, &str); 8] = [
    ("A_AAC", "aac"),
    ("A_ALAC", "alac"),
    ("A_FLAC", "flac"),
    ("A_MPEG/L1", "mp1"),
    ("A_MPEG/L2", "mp2"),
    ("A_MPEG/L3", "mp3"),
    ("A_OPUS", "opus"),
    ("A_VORBIS", "vorbis"),
];

/// The entry of a track.
pub(crate) fn entry(track: &TrackEntry) -> StreamEntry {
    let codec = codec(track);
    let frequency = track.output_sampling_frequency.max(track.sampling_frequency).round();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // saturates
    let sample_rate = if codec == "opus" { 48_000 } else { frequency as u32 };
    StreamEntry {
        sample_rate,
        num_channels: u32::try_from(track.num_channels).unwrap_or(0),
        is_default: track.is_default,
        ..StreamEntry::new(&codec, &track.language)
    }
}

/// The codec in FFmpeg's terms, or else as the file names it.
fn codec(track: &TrackEntry) -> String {
    let id = track.codec_id.as_str();
    if let Some(format) = PcmFormat::new(id, track.bit_depth) {
        return format.codec().to_string_lossy().into_owned();
    }
    let own = OWN_CODECS.iter().find(|(name, _)| id.starts_with(name));
    let known = own.or_else(|| CODECS.iter().find(|(name, _)| id == *name));
    match (known, id) {
        (Some((_, codec)), _) => (*codec).to_owned(),
        (None, "") => "unknown".to_owned(),
        (None, id) => id.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry_of(codec_id: &str, sampling_frequency: f64) -> StreamEntry {
        let track = TrackEntry {
            codec_id: codec_id.to_owned(),
            language: "und".to_owned(),
            sampling_frequency,
            num_channels: 2,
            bit_depth: 24,
            ..TrackEntry::default()
        };
        entry(&track)
    }

    #[test]
    fn codecs_have_the_names_of_ffmpeg() {
        for (id, expected) in [
            ("A_AAC/MPEG4/LC", "aac"),
            ("A_AC3", "ac3"),
            ("A_PCM/INT/LIT", "pcm_s24le"),
            ("A_MPEG/L3", "mp3"),
            ("A_NEW", "A_NEW"),
            ("", "unknown"),
        ] {
            let entry = entry_of(id, 44_099.6);
            assert_eq!((entry.codec.to_str(), entry.language), (Ok(expected), None));
            assert_eq!((entry.sample_rate, entry.num_channels, entry.is_default), (44_100, 2, false));
        }
        assert_eq!(entry_of("A_OPUS", 16_000.0).sample_rate, 48_000);
        assert_eq!(entry_of("A_AAC", f64::NAN).sample_rate, 0);
    }
}
