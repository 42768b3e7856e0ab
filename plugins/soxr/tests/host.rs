//! The plugin as mapwave calls it.

#![allow(unsafe_code)] // soxr_oneshot, and samples that the host says were written
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, missing_docs)]

mod oracle;

use std::mem::MaybeUninit;

use mapwave::OutputFormat;
use mapwave::host::{Resampler, ResamplerRequest, embed, resampler_for, resamplers};
use oracle::Oracle;

#[test]
fn it_is_found_by_its_qualities_and_gives_what_libsoxr_gives() {
    embed(mapwave_soxr::entry);
    assert!(resamplers().iter().any(|(plugin, summary)| *plugin == "soxr" && summary.qualities.len() == 5));
    assert!(resampler_for("best").is_none());
    let kind = resampler_for("soxr_vhq").unwrap();
    let planes: Vec<Vec<i16>> = [7919i32, 104_729]
        .map(|step| {
            (0..200_000i32).map(|frame| frame.wrapping_mul(step).wrapping_mul(frame) as i16).collect()
        })
        .to_vec();
    let request = ResamplerRequest {
        input_rate: 44_100,
        output_rate: 16_000,
        num_channels: 2,
        format: OutputFormat::I16,
        max_threads: 2,
        quality: "soxr_vhq".to_owned(),
    };
    let bytes: Vec<Vec<u8>> =
        planes.iter().map(|plane| plane.iter().flat_map(|sample| sample.to_ne_bytes()).collect()).collect();
    let total = request.num_output_frames(200_000) as usize;
    let mut output = vec![vec![MaybeUninit::<u8>::uninit(); 4 * total]; 2];
    let mut resampler = Resampler::open(&kind, &request, &|| false).unwrap();
    let (mut num_read, mut num_written) = (0, 0);
    while num_written < total {
        let input: Vec<&[u8]> = bytes.iter().map(|plane| &plane[2 * num_read..]).collect();
        let input = (num_read < 200_000).then_some(input.as_slice());
        let mut room: Vec<&mut [MaybeUninit<u8>]> =
            output.iter_mut().map(|plane| &mut plane[4 * num_written..]).collect();
        let (read, written) = resampler.process(input, &mut room, &|| false).unwrap();
        (num_read, num_written) = (num_read + read as usize, num_written + written as usize);
    }
    let expected = Oracle::linked().oneshot((44_100, 16_000), 6, &planes);
    for (plane, expected) in output.iter().zip(&expected) {
        // SAFETY: the host has written all of `total` frames.
        let plane: Vec<u8> = plane.iter().map(|byte| unsafe { byte.assume_init() }).collect();
        let expected: Vec<u8> = expected.iter().flat_map(|sample| sample.to_ne_bytes()).collect();
        assert!(plane == expected);
    }
    // 3336 frames a block, and 160 frames of 441.
    let restart = Resampler::restart(&kind, &request).unwrap().unwrap();
    assert_eq!(restart.0 % 441, 0);
}
