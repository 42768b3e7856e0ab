//! Compares decoded packets, which are made at random of all tools but noise, with what the standard's formulas say in double precision,
//! and with FFmpeg.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]
#![allow(clippy::cast_possible_wrap, clippy::needless_range_loop)]

#[path = "../src/codebooks.rs"]
mod codebooks;
mod common;
mod formulas;
mod packets;

use common::{Random, adts, by_ffmpeg, decode, precision};
use formulas::Synthesis;
use mapwave_aac::{Config, Decoder, Part};
use packets::{Layout, Maker};

/// Packets of a layout agree with the formulas; with FFmpeg as well, if it can be asked.
fn check(layout: Layout, num_frames: usize, rate: u32, count: usize) {
    let what = format!("{layout:?}, {num_frames} frames, {rate} Hz");
    let mut maker = Maker::new(rate, num_frames, layout, Random(u64::from(rate) + num_frames as u64));
    let mut synthesis = Synthesis::new(num_frames, maker.num_channels());
    let (mut packets, mut expected) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let packet = maker.packet();
        packets.push(packet.bytes(&maker));
        expected.extend(synthesis.samples(&packet, &maker));
    }
    let mut config = Config::new(rate, maker.num_channels() as u32).unwrap();
    if num_frames == 960 {
        config = config.with_short_packets();
    }
    let parts: Vec<Part<'_>> = packets.iter().map(|bytes| Part { bytes, frames: 0..num_frames }).collect();
    let decoded =
        decode(&mut Decoder::new(&config), &parts).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(decoded.len(), expected.len(), "{what}");
    let found = precision(&decoded, expected.iter().copied());
    assert!(found > 110.0, "{what}: {found:.1} dB from the formulas");
    // FFmpeg filters in single precision: where filters of noise shaping are close to instability, that is as far as it gets. It
    // refuses coupling channels that no program lists.
    let is_coupled = matches!(layout, Layout::CoupledMono | Layout::CoupledStereo);
    if num_frames == 1024
        && !is_coupled
        && let Some(theirs) = by_ffmpeg(&adts(rate, maker.num_channels() as u8, &packets))
    {
        let found = precision(&decoded, theirs.iter().map(|sample| f64::from(*sample)));
        assert!(theirs.len() == decoded.len() && found > 50.0, "{what}: {found:.1} dB from FFmpeg");
    }
}

#[test]
fn packets_are_decoded_as_by_the_formulas() {
    for num_frames in [1024, 960] {
        for rate in [44_100, 96_000, 64_000, 32_000, 24_000, 16_000, 8_000] {
            check(Layout::Mono, num_frames, rate, 10);
            check(Layout::Stereo, num_frames, rate, 10);
        }
    }
}

#[test]
fn coupling_channels_are_added_as_by_the_formulas() {
    for num_frames in [1024, 960] {
        check(Layout::CoupledMono, num_frames, 48_000, 12);
        check(Layout::CoupledStereo, num_frames, 44_100, 12);
    }
}
