//! Allocated memory as counted by the C library. There is one test, because the count covers the whole process.

#![cfg(all(target_os = "linux", target_env = "gnu"))]
#![allow(unsafe_code)] // mallinfo2
#![allow(clippy::unwrap_used, missing_docs)]

use mapwave_plugin::{Block, Output, Resampler, ResamplerOptions, SampleFormat, Status};
use mapwave_soxr::SoxrResampler;

/// `struct mallinfo2` of malloc.h.
#[repr(C)]
struct MallInfo {
    arena: usize,
    num_free: usize,
    num_fast: usize,
    num_mapped: usize,
    mapped_bytes: usize,
    unused: usize,
    fast_bytes: usize,
    used_bytes: usize,
    free_bytes: usize,
    top_bytes: usize,
}

unsafe extern "C" {
    fn mallinfo2() -> MallInfo;
}

fn bytes_in_use() -> usize {
    // SAFETY: returns numbers.
    let info = unsafe { mallinfo2() };
    info.used_bytes + info.mapped_bytes
}

#[test]
fn memory_stays_below_what_is_allowed_and_all_of_it_is_freed() {
    let mut room = vec![0.0f32; 1 << 16];
    let input = vec![0.1f32; 1 << 16];
    for (input_rate, output_rate, quality) in [
        (44_100, 16_000, "soxr_vhq"),
        (3001, 768_000, "soxr_vhq"),
        (768_000, 3001, "soxr_vhq"),
        (8000, 768_000, "soxr_hq"),
        (767_999, 768_000, "soxr_mq"),
        (44_100, 44_099, "soxr_vhq"),
        (44_100, 44_099, "soxr_qq"),
    ] {
        let mut options = ResamplerOptions {
            input_rate,
            output_rate,
            num_channels: 2,
            input_format: SampleFormat::F32,
            max_threads: 1,
            quality,
            max_alloc: 1,
        };
        let refused = SoxrResampler::open(&options).err().unwrap();
        assert_eq!(refused.status(), Status::Limit);
        // The number of bytes in the message is the most that it takes.
        let needed =
            refused.message().split(' ').find_map(|word| word.parse::<u64>().ok().filter(|bytes| *bytes > 2));
        options.max_alloc = needed.unwrap();
        let before = bytes_in_use();
        let mut num_frames = 0;
        for _ in 0..3 {
            let mut resampler = SoxrResampler::open(&options).unwrap();
            for _ in 0..20 {
                let result = Output::with_slice(&mut room, 2, |output| {
                    let result = Block::with_slice(&input, 2, |block| resampler.process(Some(block), output));
                    num_frames += output.num_written();
                    result
                });
                result.unwrap();
                let growth = bytes_in_use().saturating_sub(before) as u64;
                assert!(growth <= options.max_alloc, "{options:?}: {growth} bytes");
            }
        }
        let left = bytes_in_use().saturating_sub(before);
        assert!(left < 1 << 20, "{options:?}: {left} bytes were not freed");
        assert!(num_frames > 0, "{options:?}");
    }
}
