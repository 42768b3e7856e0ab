//! Compares decoded packets with what FFmpeg decodes, however they are batched and wherever decoding begins.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod common;

use common::{Stream, by_ffmpeg, decode, encoded, precision};
use mapwave_aac::{Config, DecodeError, Decoder, Noise, Part};

/// All ways to decode a stream give the same samples, bit for bit, which are returned.
fn check_ways(stream: &Stream, what: &str) -> Vec<f32> {
    let parts = stream.parts();
    let new = || Decoder::new(&stream.config);
    let expected = decode(&mut new(), &parts).unwrap();
    let bits = |samples: &[f32]| samples.iter().map(|sample| sample.to_bits()).collect::<Vec<_>>();
    let expected_bits = bits(&expected);
    for (name, plain) in [("best", false), ("plain", true)] {
        for batch in [1, 2, 3, 5] {
            let mut decoder = if plain { new().with_plain_instructions() } else { new() };
            let decoded: Vec<f32> =
                parts.chunks(batch).flat_map(|parts| decode(&mut decoder, parts).unwrap()).collect();
            assert!(bits(&decoded) == expected_bits, "{what}, {name}: batches of {batch}");
        }
    }
    // From the packet before on, everything is as from the beginning; also of a decoder that was used.
    let num_channels = stream.config.num_channels();
    let packet_samples = stream.config.frames_per_packet() * num_channels;
    let mut decoder = new();
    let packets: Vec<&[u8]> = parts.iter().map(|part| part.bytes).collect();
    for first in (1..parts.len()).step_by(7) {
        decoder.reset();
        let num_lines = decoder.num_noise_lines(&packets[..first - 1]);
        decoder.set_noise(Some(Noise::default().after(num_lines)));
        let window = &parts[first - 1..parts.len().min(first + 3)];
        let decoded = decode(&mut decoder, window).unwrap();
        let (found, wanted) = (&decoded[packet_samples..], &expected[first * packet_samples..]);
        assert!(bits(found) == bits(&wanted[..found.len()]), "{what}: from packet {first} on");
    }
    // Parts of packets, and channels one by one.
    let mut decoder = new();
    decoder.read(&[parts[0].bytes]).unwrap();
    let mut room = vec![std::mem::MaybeUninit::uninit(); 100 * num_channels];
    let written = decoder.write(0, 50..150, &mut room).unwrap().to_vec();
    assert!(bits(&written) == bits(&expected[50 * num_channels..150 * num_channels]), "{what}");
    for channel in 0..num_channels {
        let plane = decoder.write_channel(0, channel, 50..150, &mut room).unwrap();
        assert!(written.iter().skip(channel).step_by(num_channels).eq(plane.iter()), "{what}");
    }
    expected
}

/// All ways to decode a file agree with FFmpeg.
fn check(file: &[u8], what: &str) {
    check_in_order(file, what, &[]);
}

/// As [`check`], where FFmpeg has the channels in another order.
fn check_in_order(file: &[u8], what: &str, order: &[usize]) {
    let stream = Stream::parse(file);
    let decoded = check_ways(&stream, what);
    let Some(mut expected) = by_ffmpeg(file) else { return };
    if !order.is_empty() {
        let frames = expected.chunks_exact(order.len());
        expected = frames.flat_map(|frame| order.iter().map(|place| frame[*place])).collect();
    }
    assert_eq!(decoded.len(), expected.len(), "{what}");
    let found = precision(&decoded, expected.iter().map(|sample| f64::from(*sample)));
    assert!(found > 110.0, "{what}: {found:.1} dB");
}

#[test]
fn every_rate_agrees_with_ffmpeg() {
    for rate in common::RATES {
        for (layout, num_channels) in [("mono", 1), ("stereo", 2)] {
            let Some(file) = encoded(rate, layout, num_channels, 1.1, &["-aac_pns", "0"]) else { return };
            check(&file, &format!("{rate} Hz, {layout}"));
        }
    }
}

#[test]
fn every_tool_and_bit_rate_agrees_with_ffmpeg() {
    for bit_rate in ["24k", "64k", "128k", "320k"] {
        for tools in [
            &["-aac_tns", "0", "-aac_is", "0", "-aac_ms", "0"][..],
            &["-aac_tns", "1", "-aac_is", "0", "-aac_ms", "0"],
            &["-aac_tns", "0", "-aac_is", "1", "-aac_ms", "1"],
            &["-aac_coder", "fast", "-aac_ms", "1"],
            &["-profile:a", "mpeg2_aac_low"],
        ] {
            let options = [&["-aac_pns", "0", "-b:a", bit_rate], tools].concat();
            let Some(file) = encoded(44_100, "stereo", 2, 1.5, &options) else { return };
            check(&file, &format!("{bit_rate}, {tools:?}"));
        }
    }
}

#[test]
fn every_layout_agrees_with_ffmpeg() {
    for (layout, num_channels, mask) in [
        ("mono", 1, 0x4),
        ("stereo", 2, 0x3),
        ("3.0", 3, 0x7),
        ("4.0", 4, 0x107),
        ("5.0", 5, 0x37),
        ("5.1", 6, 0x3f),
        ("7.1", 8, 0x63f),
        ("2.1", 3, 0xb),
        ("3.0(back)", 3, 0x103),
        ("3.1", 4, 0xf),
        ("quad", 4, 0x33),
        ("quad(side)", 4, 0x603),
        ("5.0(side)", 5, 0x607),
        ("5.1(side)", 6, 0), // the channel of low frequencies is one alone at the side
        ("6.0", 6, 0x707),
        ("6.1", 7, 0), // as well
        ("7.0", 7, 0x637),
    ] {
        let options = ["-aac_pns", "0", "-b:a", "384k"];
        let Some(file) = encoded(48_000, layout, num_channels, 0.7, &options) else { return };
        let found = Stream::parse(&file).config.channel_mask();
        assert_eq!(found, mask, "{layout}: {found:x}");
        // FFmpeg calls these unknown, and leaves their channels in the order of the elements: sides before what is at the back.
        let order: &[usize] = match layout {
            "6.0" => &[0, 1, 2, 5, 3, 4],
            "7.0" => &[0, 1, 2, 5, 6, 3, 4],
            _ => &[],
        };
        check_in_order(&file, layout, order);
    }
}

#[test]
fn noise_is_that_of_ffmpeg() {
    for (layout, num_channels, bit_rate) in
        [("mono", 1, "24k"), ("stereo", 2, "48k"), ("stereo", 2, "96k"), ("5.1", 6, "160k")]
    {
        let options = ["-b:a", bit_rate, "-aac_pns", "1"];
        let Some(file) = encoded(44_100, layout, num_channels, 3.0, &options) else { return };
        let what = format!("noise, {layout}, {bit_rate}");
        let decoded = check_ways(&Stream::parse(&file), &what);
        let Some(expected) = by_ffmpeg(&file) else { return };
        let expected = expected.iter().map(|sample| f64::from(*sample));
        let found = precision(&decoded, expected);
        assert!(found > 110.0, "{what}: {found:.1} dB");
    }
}

#[test]
fn noise_without_its_generator_is_refused_and_goes_on() {
    let Some(file) = encoded(44_100, "stereo", 2, 2.0, &["-b:a", "48k", "-aac_pns", "1"]) else { return };
    let stream = Stream::parse(&file);
    let (parts, mut decoder) = (stream.parts(), Decoder::new(&stream.config));
    let expected = decode(&mut decoder, &parts).unwrap();
    decoder.reset();
    let counts: Vec<u64> = parts.iter().map(|part| decoder.num_noise_lines(&[part.bytes])).collect();
    assert!(counts.contains(&0) && counts.iter().any(|count| *count > 0));
    let (mut found, mut noise, mut num_refused) = (Vec::new(), Noise::default(), 0);
    for (part, count) in parts.iter().zip(&counts) {
        decoder.set_noise(None);
        let parts = [part.clone()];
        found.extend(decode(&mut decoder, &parts).unwrap_or_else(|error| {
            assert_eq!((error.reason, *count > 0), (DecodeError::NoNoise, true));
            num_refused += 1;
            decoder.set_noise(Some(noise));
            decode(&mut decoder, &parts).unwrap()
        }));
        noise = noise.after(*count);
    }
    assert!(found == expected && num_refused == counts.iter().filter(|count| **count > 0).count());
}

#[test]
fn what_cannot_be_decoded_is_named_and_the_rest_goes_on() {
    let Some(file) = encoded(44_100, "stereo", 2, 0.5, &["-aac_pns", "0"]) else { return };
    let stream = Stream::parse(&file);
    let frames = 0..1024;
    let good = |n: usize| Part { bytes: &stream.packets[n], frames: frames.clone() };
    let mut decoder = Decoder::new(&stream.config);
    let whole = decode(&mut decoder, &stream.parts()).unwrap();
    for (place, broken) in [(0, &[][..]), (1, &[0; 30]), (2, &stream.packets[5][..20]), (3, &[0xff; 40])] {
        decoder.reset();
        let mut parts: Vec<Part<'_>> = (0..4).map(good).collect();
        parts[place].bytes = broken;
        let mut room = vec![std::mem::MaybeUninit::new(7.0); 4 * 2048];
        let error = decoder.decode(&parts, &mut room).map(|samples| samples.len());
        assert_eq!(error.map_err(|error| error.index), Err(place));
        let after = decode(&mut decoder, &[good(5), good(6)]).unwrap();
        assert!(after[2048..] == whole[6 * 2048..7 * 2048], "behind packet {place}");
    }
    let error = decode(&mut decoder, &[Part { bytes: &stream.packets[0], frames: 0..1025 }]).unwrap_err();
    assert_eq!(error.reason, DecodeError::TooShort { num_frames: 1024, wanted: 1025 });
    let mut room = [std::mem::MaybeUninit::uninit(); 100];
    assert_eq!(decoder.decode(&[good(0)], &mut room).unwrap_err().reason, DecodeError::Room);
    assert_eq!(decoder.write_channel(0, 2, 0..1, &mut room), Err(DecodeError::Room));
    let mono = Config::new(44_100, 1).unwrap();
    let error = decode(&mut Decoder::new(&mono), &[good(0)]).map(|samples| samples.len());
    assert!(matches!(error.unwrap_err().reason, DecodeError::Packet(_)));
}
