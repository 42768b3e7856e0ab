//! Compares FLAC with the corpus and windows with the whole, and decodes damaged files.
#![allow(clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod corpus;

use corpus::{Numbers, Row, check_windows, open, read_all, rows, survive};
use mapwave_builtin::FlacDecoder;
use mapwave_plugin::{Decoder, Head, SampleFormat};
use sha2::{Digest, Sha256};

fn flac_rows() -> Vec<Row> {
    rows().into_iter().filter(|row| row.container == "flac").collect()
}

/// All samples, left-justified in 32 bits.
fn samples(decoder: &mut FlacDecoder) -> mapwave_plugin::Result<Vec<i32>> {
    match decoder.info().native_format {
        SampleFormat::I16 => {
            let samples = read_all::<_, i16>(decoder)?;
            let shifted: Vec<i32> = samples.iter().map(|sample| i32::from(*sample) << 16).collect();
            assert!(shifted == read_all::<_, i32>(decoder)?, "both formats tell the same");
            Ok(shifted)
        }
        _ => read_all(decoder),
    }
}

#[test]
fn valid_files_decode_bit_by_bit() {
    let mut num_files = 0;
    for row in flac_rows().iter().filter(|row| row.status.starts_with("valid")) {
        let bytes = std::fs::read(&row.path).expect("a file of the corpus");
        let mut decoder: FlacDecoder = open(&bytes).unwrap_or_else(|error| panic!("{}: {error}", row.name));
        let info = decoder.info().clone();
        assert_eq!(Some(info.sample_rate), row.sample_rate, "{}", row.name);
        assert_eq!(Some(info.num_channels), row.num_channels, "{}", row.name);
        assert_eq!(info.num_frames, row.num_frames, "{}", row.name);
        let samples = samples(&mut decoder).unwrap_or_else(|error| panic!("{}: {error}", row.name));
        let canon: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let digest: String = Sha256::digest(&canon).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digest, row.sha256, "{}", row.name);
        check_windows(&mut decoder, &samples, 200, &row.name);
        num_files += 1;
    }
    println!("{num_files} files bit-exact");
}

#[test]
fn what_every_decoder_refuses_is_refused() {
    for row in flac_rows().iter().filter(|row| row.status == "must-error") {
        let bytes = std::fs::read(&row.path).expect("a file of the corpus");
        let result = open::<FlacDecoder>(&bytes).and_then(|mut decoder| samples(&mut decoder));
        let Err(error) = result else { panic!("{} was not refused", row.name) };
        println!("{}: {error} at {:?}", row.name, error.offset());
    }
}

#[test]
fn ambiguous_files_give_frames_or_an_error() {
    for row in flac_rows().iter().filter(|row| row.status == "ambiguous") {
        let bytes = std::fs::read(&row.path).expect("a file of the corpus");
        match open::<FlacDecoder>(&bytes).and_then(|mut decoder| samples(&mut decoder)) {
            Ok(samples) => println!("{}: {} samples", row.name, samples.len()),
            Err(error) => println!("{}: {error} at {:?}", row.name, error.offset()),
        }
    }
}

fn small_file() -> Option<Vec<u8>> {
    let rows = flac_rows();
    let row = rows.iter().find(|row| row.name.ends_with("libsndfile-1.2.2/flac_pcm_s8_2ch.flac"))?;
    std::fs::read(&row.path).ok()
}

#[test]
fn a_cut_file_gives_its_whole_frames_and_says_so() {
    let Some(bytes) = small_file() else { return };
    let linear = samples(&mut open(&bytes).expect("a whole file")).expect("samples");
    let mut counts = Vec::new();
    for num_bytes in 0..bytes.len() {
        let Ok(mut decoder) = open::<FlacDecoder>(&bytes[..num_bytes]) else {
            assert!(counts.is_empty(), "once there was a frame there always is");
            continue;
        };
        let info = decoder.info().clone();
        assert!(info.is_truncated, "cut after {num_bytes} bytes");
        let samples = samples(&mut decoder).expect("whole frames");
        assert_eq!(Some((samples.len() / 2) as u64), info.num_frames);
        assert!(samples == linear[..samples.len()]);
        counts.push(samples.len());
    }
    assert!(counts.is_sorted());
    counts.dedup();
    assert!(counts.len() > 1, "{counts:?}");
}

#[test]
fn a_flipped_bit_is_an_error_or_changes_nothing() {
    let Some(bytes) = small_file() else { return };
    let linear = samples(&mut open(&bytes).expect("a whole file")).expect("samples");
    let mut num_errors = 0;
    for place in (42..bytes.len()).step_by(3) {
        let mut bytes = bytes.clone();
        bytes[place] ^= 1 << (place % 8);
        survive::<FlacDecoder>(&bytes);
        match open::<FlacDecoder>(&bytes) {
            Err(_) => num_errors += 1,
            Ok(mut decoder) => {
                let is_truncated = decoder.info().is_truncated;
                match samples(&mut decoder) {
                    Err(error) => {
                        assert!(error.offset().is_some());
                        num_errors += 1;
                    }
                    Ok(samples) => {
                        assert!(samples == linear[..samples.len()], "byte {place}");
                        assert!(is_truncated || samples.len() == linear.len(), "byte {place}");
                    }
                }
            }
        }
    }
    println!("{num_errors} errors");
}

#[test]
fn tags_before_and_after_do_not_count() {
    let Some(bytes) = small_file() else { return };
    let linear = samples(&mut open(&bytes).expect("a whole file")).expect("samples");
    let id3 = [b"ID3\x04\0\0\0\0\x01\x02".as_slice(), &[0xFF; 130]].concat();
    let trailer = [b"TAG".as_slice(), &[0xFF; 125]].concat();
    let tagged = [id3.as_slice(), &bytes, &trailer].concat();
    let mut decoder: FlacDecoder = open(&tagged).expect("a tagged file");
    assert!(samples(&mut decoder).expect("samples") == linear);
    assert!(!decoder.info().is_truncated);
    let head = |bytes| Head { bytes, total_bytes: 1 << 20, extension: None, track: None };
    assert_eq!(FlacDecoder::probe(&head(&tagged)), 100);
    assert_eq!(FlacDecoder::probe(&head(&bytes)), 100);
    assert_eq!(FlacDecoder::probe(&head(b"fLa")), 0);
    assert_eq!(FlacDecoder::probe(&head(b"OggS")), 0);
}

#[test]
fn a_total_that_is_unknown_or_wrong_is_found() {
    let Some(bytes) = small_file() else { return };
    let linear = samples(&mut open(&bytes).expect("a whole file")).expect("samples");
    for total in [0_u8, 1, 0xFF] {
        let mut bytes = bytes.clone();
        bytes[8 + 16] = total; // 8 bits of the 36
        bytes[8 + 17] = if total == 0 { 0 } else { 1 };
        let mut decoder: FlacDecoder = open(&bytes).expect("a file");
        assert_eq!(decoder.info().num_frames, Some((linear.len() / 2) as u64));
        assert_eq!(decoder.info().is_truncated, total == 0xFF);
        assert!(samples(&mut decoder).expect("samples") == linear);
    }
}

/// The checksum of a frame, bit by bit.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            (crc << 1) ^ if crc & 0x8000 == 0 { 0 } else { 0x8005 }
        })
    })
}

#[test]
fn no_malice_makes_it_panic() {
    let rows = flac_rows();
    let mut numbers = Numbers(0x1234_5678_9ABC);
    for name in
        ["libsndfile-1.2.2/flac_pcm_s8_2ch.flac", "libsndfile-1.2.2/flac_pcm_24_2ch.flac", "flac_51_24.flac"]
    {
        let Some(row) = rows.iter().find(|row| row.name.ends_with(name)) else { return };
        let bytes = std::fs::read(&row.path).expect("a file of the corpus");
        let is_header =
            |place: &usize| bytes[*place..].starts_with(b"\xFF\xF8") && bytes.get(place + 4) < Some(&8);
        let starts: Vec<usize> = (42..bytes.len() - 4).filter(is_header).collect();
        for _ in 0..2000 {
            let mut bytes = bytes.clone();
            let frame = numbers.below(starts.len() as u64) as usize;
            let (start, end) = (starts[frame], starts.get(frame + 1).copied().unwrap_or(bytes.len()));
            for _ in 0..numbers.below(4) + 1 {
                // Half of the damage is in the first bytes, which hold the predictor's kind and order.
                let reach = if numbers.below(2) == 0 { 40 } else { (end - start - 2) as u64 };
                let place = start + 6 + numbers.below(reach.min((end - start - 8) as u64)) as usize;
                bytes[place] ^= 1 << numbers.below(8);
            }
            let crc = crc16(&bytes[start..end - 2]);
            bytes[end - 2..end].copy_from_slice(&crc.to_be_bytes());
            survive::<FlacDecoder>(&bytes);
        }
    }
}

/// The difference of two channels of 32 bits has 33: full scale of both signs in one frame, stored as left and difference.
#[test]
fn channels_of_32_bits_may_be_stored_as_a_difference() {
    let frames = [(i32::MAX, i32::MIN), (i32::MIN, i32::MAX), (-7, 9)];
    let mut bits = String::from("00000010"); // verbatim
    bits.extend(frames.map(|(left, _)| format!("{left:032b}")));
    bits.push_str("00000010");
    let side = |(left, right): (i32, i32)| (i64::from(left) - i64::from(right)) & ((1 << 33) - 1);
    bits.extend(frames.map(|frame| format!("{:033b}", side(frame))));
    bits.extend(std::iter::repeat_n('0', (8 - bits.len() % 8) % 8));
    let mut frame = vec![0xFF, 0xF8, 0x69, 0x8E, 0, frames.len() as u8 - 1];
    frame.push(mapwave_flac::crc::crc8(&frame));
    let ascii = bits.as_bytes().as_chunks::<8>().0;
    frame.extend(ascii.iter().map(|bits| bits.iter().fold(0, |byte, bit| byte << 1 | (bit - b'0'))));
    frame.extend(crc16(&frame).to_be_bytes());
    let mut file = b"fLaC\x80\0\0\x22".to_vec();
    file.extend([0, 16, 0, 16, 0, 0, 0, 0, 0, 0]);
    let packed = 44_100_u64 << 44 | 1 << 41 | 31 << 36 | frames.len() as u64;
    file.extend(packed.to_be_bytes());
    file.extend([0; 16]);
    file.extend(frame);
    let mut decoder: FlacDecoder = open(&file).expect("a file");
    assert_eq!((decoder.info().bits_per_sample, decoder.info().num_frames), (32, Some(3)));
    let expected: Vec<i32> = frames.into_iter().flat_map(|(left, right)| [left, right]).collect();
    assert_eq!(samples(&mut decoder).expect("samples"), expected);
    if let Some(reference) = decoded_by_flac(&file) {
        assert_eq!(reference, expected);
    }
}

/// The samples of a file of 32 bits by the reference decoder; `None` when it is not installed.
fn decoded_by_flac(file: &[u8]) -> Option<Vec<i32>> {
    let path = std::env::temp_dir().join(format!("mapwave-flac-32-{}.flac", std::process::id()));
    std::fs::write(&path, file).expect("a temporary file");
    let raw = ["-d", "-s", "-c", "--force-raw-format", "--endian=little", "--sign=signed"];
    let output = std::process::Command::new("flac").args(raw).arg(&path).output();
    std::fs::remove_file(&path).expect("the temporary file");
    let Ok(output) = output else {
        println!("skipped: flac is not installed");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (samples, _) = output.stdout.as_chunks::<4>();
    Some(samples.iter().map(|bytes| i32::from_le_bytes(*bytes)).collect())
}
