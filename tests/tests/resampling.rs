//! Resampling with the core's own engine: every window, in any order and on any number of threads, equals that part of the whole.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, missing_docs)]

use mapwave_core::resample::{FilterQuality, Rates};
use mapwave_core::{
    Audio, Buffer, ChannelSelection, FrameSpec, Layout, MonoMode, OutputFormat, ReadControl, Reader,
    ResampleQuality, resample_array,
};
use mapwave_tests::random::Random;

/// A WAV file of 16-bit samples.
fn wav(samples: &[i16], num_channels: u16, sample_rate: u32) -> Vec<u8> {
    let num_bytes = u32::try_from(2 * samples.len()).unwrap();
    let mut file = Vec::new();
    file.extend(b"RIFF");
    file.extend((36 + num_bytes).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0");
    file.extend(num_channels.to_le_bytes());
    file.extend(sample_rate.to_le_bytes());
    file.extend((sample_rate * 2 * u32::from(num_channels)).to_le_bytes());
    file.extend((2 * num_channels).to_le_bytes());
    file.extend(b"\x10\0data");
    file.extend(num_bytes.to_le_bytes());
    file.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    file
}

fn read(reader: &Reader, frames: std::ops::Range<u64>, spec: &FrameSpec, max_threads: usize) -> Vec<u8> {
    let control = ReadControl { max_threads, ..ReadControl::ONE_THREAD };
    reader.read_with(frames, spec, Buffer::new, &control).unwrap().bytes().to_vec()
}

#[test]
fn windows_have_the_bits_of_the_whole() {
    let mut random = Random::announced();
    let rates = [8000, 11_025, 16_000, 22_050, 44_100, 44_099, 48_000, 96_000];
    for round in 0..60 {
        let quality = FilterQuality::ALL[round % FilterQuality::ALL.len()];
        let (input, output) = (rates[random.below(8)], rates[random.below(8)]);
        let num_channels = 1 + random.below(4) as u16;
        let num_frames = random.below(150_000);
        let samples: Vec<i16> =
            (0..num_frames * usize::from(num_channels)).map(|_| random.bits() as i16).collect();
        let open = || {
            let reader = Reader::from_bytes(wav(&samples, num_channels, input)).unwrap();
            reader.resampled(output, ResampleQuality::Own(quality)).unwrap()
        };
        let channels =
            if round % 3 == 0 { ChannelSelection::Mono(MonoMode::Mean) } else { ChannelSelection::All };
        let spec = FrameSpec { channels, ..FrameSpec::default() };
        let reader = open();
        let expected = Rates::new(input, output).unwrap().num_output_frames(num_frames as u64);
        assert_eq!((reader.num_frames(), reader.sample_rate()), (expected, output));
        let whole = read(&reader, 0..expected, &spec, 1);
        for max_threads in [2, 8] {
            assert!(
                read(&open(), 0..expected, &spec, max_threads) == whole,
                "{input} to {output}, {quality}"
            );
        }
        let frame_bytes = if expected == 0 { 0 } else { whole.len() / expected as usize };
        for _ in 0..6 {
            let start = random.below(expected as usize + 1) as u64;
            let end = (start + random.below(20_000) as u64).min(expected);
            let window = read(&reader, start..end, &spec, 1 + random.below(3));
            let slice = &whole[start as usize * frame_bytes..end as usize * frame_bytes];
            assert!(window == slice, "{input} to {output}, {quality}, {start}..{end}");
        }
        // Consecutive portions continue where the last one ended.
        let (mut next, mut parts) = (0, Vec::new());
        while next < expected {
            let end = (next + 1 + random.below(30_000) as u64).min(expected);
            parts.extend(read(&reader, next..end, &spec, 1));
            next = end;
        }
        assert!(parts == whole, "{input} to {output}, {quality}");
    }
}

#[test]
fn an_array_is_resampled_as_a_file_is() {
    let mut random = Random::new(1);
    let samples: Vec<i16> = (0..3 * 50_000).map(|_| random.bits() as i16).collect();
    let reader = Reader::from_bytes(wav(&samples, 3, 44_100)).unwrap();
    let reader = reader.resampled(16_000, ResampleQuality::Own(FilterQuality::Best)).unwrap();
    let rates = Rates::new(44_100, 16_000).unwrap();
    for layout in [Layout::ChannelsLast, Layout::ChannelsFirst] {
        for format in
            [OutputFormat::F32, OutputFormat::F64, OutputFormat::F16, OutputFormat::I16, OutputFormat::I32]
        {
            let spec = FrameSpec { format, layout, ..FrameSpec::default() };
            let expected = read(&reader, 0..reader.num_frames(), &spec, 1);
            let audio =
                Audio::new(&samples, OutputFormat::I16, &[50_000, 3], Some(Layout::ChannelsLast)).unwrap();
            let control = ReadControl { max_threads: 2, ..ReadControl::ONE_THREAD };
            let quality = ResampleQuality::Own(FilterQuality::Best);
            let frames = resample_array(audio, rates, quality, &spec, Buffer::new, &control).unwrap();
            assert!(frames.bytes() == expected, "{format}, {layout:?}");
        }
    }
}

#[test]
fn a_view_of_what_is_resampled_is_refused() {
    let reader = Reader::from_bytes(wav(&[1, 2, 3], 1, 8000)).unwrap();
    let reader = reader.resampled(16_000, ResampleQuality::Own(FilterQuality::Low)).unwrap();
    assert!(reader.view().unwrap_err().to_string().contains("the reader resamples them"));
    let same = reader.resampled(8000, ResampleQuality::Default).unwrap();
    assert_eq!((same.num_frames(), same.view().unwrap().bytes.len()), (3, 6));
}

#[test]
fn impossible_rates_are_refused() {
    for rate in [0, 768_001] {
        let reader = Reader::from_bytes(wav(&[1, 2, 3], 1, 8000)).unwrap();
        let message = reader.resampled(rate, ResampleQuality::Default).unwrap_err().to_string();
        assert!(message.contains("768000"), "{message}");
    }
}
