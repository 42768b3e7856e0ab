//! Compares band replication with what FFmpeg decodes, where headers have what the encoder of the test signals does not write: all
//! limiters, smoothing, and energies of whole bands.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod common;
mod payloads;

use common::{Stream, adts, by_ffmpeg, decode, precision};
use mapwave_aac::{Decoder, Part};
use payloads::{number, packet, push, splits};

/// The place of bs_header_flag behind the type of the payload, and that of bs_header_extra_1.
const HEADER: usize = 4;
const EXTRA: usize = 19;

/// The packet with those fields in its header (bs_limiter_bands, bs_limiter_gains, bs_interpol_freq and bs_smoothing_mode), if it has
/// one.
fn with_header(bytes: &[u8], fields: usize) -> Option<Vec<u8>> {
    let (before, payload) = splits(bytes).into_iter().next()?;
    if number(&payload[..HEADER]) != 13 || payload[HEADER] == 0 {
        return None;
    }
    let (has_first, has_second) = (payload[EXTRA] == 1, payload[EXTRA + 1] == 1);
    let first_end = EXTRA + 2 + if has_first { 5 } else { 0 };
    let end = first_end + if has_second { 6 } else { 0 };
    let mut changed = payload[..=EXTRA].to_vec();
    changed.push(1);
    changed.extend(&payload[EXTRA + 2..first_end]);
    push(&mut changed, fields, 6);
    changed.extend(&payload[end..]);
    Some(packet(&before, &changed))
}

#[test]
fn all_headers_mean_what_they_mean_to_ffmpeg() {
    for (name, rate, channels) in [("mono_24000", 12_000, 1), ("stereo_44100", 22_050, 2)] {
        let path = format!("{}/tests/he_aac/{name}.aac", env!("CARGO_MANIFEST_DIR"));
        let mut stream = Stream::parse(&std::fs::read(path).unwrap());
        stream.config = stream.config.with_band_replication().unwrap();
        let mut outputs = Vec::new();
        for fields in (0..64).step_by(5) {
            let mut num_changed = 0;
            let packets = stream.packets.iter().map(|packet| match with_header(packet, fields) {
                Some(changed) => {
                    num_changed += 1;
                    changed
                }
                None => packet.clone(),
            });
            let packets: Vec<Vec<u8>> = packets.collect();
            assert!(num_changed > 0, "{name} has headers");
            let parts: Vec<Part<'_>> = packets.iter().map(|bytes| Part { bytes, frames: 0..2048 }).collect();
            let decoded = decode(&mut Decoder::new(&stream.config), &parts).unwrap();
            let Some(mut expected) = by_ffmpeg(&adts(rate, channels, &packets)) else { return };
            if channels == 1 {
                expected = expected.iter().step_by(2).copied().collect();
            }
            assert_eq!(decoded.len(), expected.len(), "{name}, {fields:#b}");
            let found = precision(&decoded, expected.iter().map(|sample| f64::from(*sample)));
            assert!(found > 90.0, "{name}, {fields:#b}: {found:.1} dB");
            outputs.push(decoded);
        }
        outputs.sort_by(|a, b| a.partial_cmp(b).unwrap());
        outputs.dedup();
        assert_eq!(outputs.len(), 13, "{name}: all headers differ");
    }
}
