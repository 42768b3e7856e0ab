//! Any file by the plugin over FFmpeg.

#![no_main]

libfuzzer_sys::fuzz_target!(
    init: {
        mapwave_fuzz::begin();
        mapwave_core::host::embed(mapwave_libav::entry);
    },
    |bytes: &[u8]| {
        mapwave_fuzz::timed(bytes, mapwave_oracle::read_by_libav);
    }
);
