//! Packets of every kind, compared with the formulas of the standards and with another decoder; batches, entries and damage.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod packets;
mod reference;

use std::mem::MaybeUninit;
use std::path::{Path, PathBuf};

use mapwave_mp3::{DecodeError, Decoder, Header, Part};

use packets::{Kind, Numbers, random_packets, split};
use reference::Reference;

/// The most that the mean square error of a decoder of full accuracy may be (ISO/IEC 11172-4, 2.4.2.2.1).
const MAX_RMS: f64 = 1.0 / 32_768.0 / 3.464_101_615_137_754_6;

/// All versions and sampling frequencies, modes, and amounts of switched windows.
fn kinds() -> Vec<Kind> {
    let mut kinds = Vec::new();
    for version in [3, 2, 0] {
        for rate in 0..3 {
            for mode in [0xC, 0x0, 0x4, 0x5, 0x6, 0x7, 0xB] {
                for switched in [0, 3, 8] {
                    let has_checksum = mode == 0x4;
                    kinds.push(Kind { version, rate, mode, switched, has_checksum });
                }
            }
        }
    }
    kinds
}

fn frames_of(packet: &[u8]) -> usize {
    Header::parse(packet).unwrap().num_frames()
}

/// All frames of packets that decode, so many packets at a time, interleaved.
fn decode(decoder: &mut Decoder, packets: &[&[u8]], batch: usize) -> Vec<f32> {
    let mut samples = Vec::new();
    for batch in packets.chunks(batch) {
        let parts: Vec<_> = batch.iter().map(|bytes| Part { bytes, frames: 0..frames_of(bytes) }).collect();
        let mut room = vec![MaybeUninit::uninit(); 2 * 1152 * batch.len()];
        samples.extend_from_slice(decoder.decode(&parts, &mut room).unwrap());
    }
    samples
}

fn slices(packets: &[Vec<u8>]) -> Vec<&[u8]> {
    packets.iter().map(Vec::as_slice).collect()
}

/// The same bits: zeros of either sign differ.
fn bits(samples: &[f32]) -> Vec<u32> {
    samples.iter().map(|sample| sample.to_bits()).collect()
}

/// Energies of a signal and of what another one differs.
#[derive(Default)]
struct Ratio {
    signal: f64,
    noise: f64,
    count: usize,
    most: f64,
}

impl Ratio {
    fn add(&mut self, expected: f64, found: f32) {
        let difference = expected - f64::from(found);
        self.signal += expected * expected;
        self.noise += difference * difference;
        self.count += 1;
        self.most = self.most.max(difference.abs());
    }

    fn decibels(&self) -> f64 {
        10.0 * (self.signal / self.noise.max(1e-30)).log10()
    }

    fn rms(&self) -> f64 {
        (self.noise / self.count.max(1) as f64).sqrt()
    }
}

#[test]
fn every_kind_of_packet_is_decoded_as_the_formulas_say() {
    let mut least = f64::INFINITY;
    for (number, kind) in kinds().into_iter().enumerate() {
        let packets = random_packets(kind, 6, &mut Numbers(number as u64));
        let samples = decode(&mut Decoder::new(), &slices(&packets), 64);
        let plain = decode(&mut Decoder::new().with_plain_instructions(), &slices(&packets), 64);
        assert!(bits(&samples) == bits(&plain), "{kind:?}: instructions change samples");
        let scalar = decode(&mut Decoder::new().with_scalar_instructions(), &slices(&packets), 64);
        assert!(bits(&samples) == bits(&scalar), "{kind:?}: instructions change samples");
        let (mut reference, mut ratio, mut samples) = (Reference::new(), Ratio::default(), samples.iter());
        for packet in &packets {
            let planes = reference.decode(packet);
            for frame in 0..planes[0].len() {
                for plane in &planes {
                    ratio.add(plane[frame], *samples.next().unwrap());
                }
            }
        }
        assert!(samples.next().is_none());
        assert!(ratio.signal > 0.0, "{kind:?}: silence");
        least = least.min(ratio.decibels());
        assert!(ratio.decibels() > 110.0, "{kind:?}: {:.1} dB", ratio.decibels());
    }
    println!("at least {least:.1} dB");
}

#[test]
fn batches_change_nothing() {
    for (number, kind) in kinds().into_iter().enumerate().step_by(5) {
        let packets = random_packets(kind, 21, &mut Numbers(1000 + number as u64));
        let packets = slices(&packets);
        let expected = decode(&mut Decoder::new(), &packets, 64);
        for batch in [1, 2, 3, 5, 8] {
            assert!(
                bits(&decode(&mut Decoder::new(), &packets, batch)) == bits(&expected),
                "{kind:?} {batch}"
            );
        }
        // Some frames of each packet, and one channel.
        let mut decoder = Decoder::new();
        let num_channels = Header::parse(packets[0]).unwrap().num_channels();
        let mut numbers = Numbers(number as u64);
        let (mut at, mut first_frame) = (0, 0);
        while at < packets.len() {
            let num_read =
                decoder.read(&packets[at..(at + 1 + numbers.below(5)).min(packets.len())]).unwrap();
            assert_eq!(decoder.num_kept(), num_read);
            for index in 0..num_read {
                let num_frames = decoder.kept_frames(index);
                let start = numbers.below(num_frames);
                let frames = start..start + numbers.below(num_frames - start + 1);
                let mut room = [MaybeUninit::uninit(); 2304];
                let of_all =
                    &expected[(first_frame + frames.start) * num_channels..][..frames.len() * num_channels];
                assert_eq!(decoder.write(index, frames.clone(), &mut room).unwrap(), of_all);
                for channel in 0..num_channels {
                    let of_channel: Vec<f32> =
                        of_all.iter().skip(channel).step_by(num_channels).copied().collect();
                    assert_eq!(
                        decoder.write_channel(index, channel, frames.clone(), &mut room).unwrap(),
                        of_channel
                    );
                }
                let mut room = [MaybeUninit::uninit(); 1];
                assert_eq!(decoder.write(index, 0..2, &mut room), Err(DecodeError::Room));
                let mut room = [MaybeUninit::uninit(); 2400];
                let too_many = decoder.write(index, 0..num_frames + 1, &mut room);
                assert_eq!(too_many, Err(DecodeError::TooShort { num_frames, wanted: num_frames + 1 }));
                assert_eq!(
                    decoder.write_channel(index, num_channels, 0..1, &mut room),
                    Err(DecodeError::Room)
                );
                first_frame += num_frames;
            }
            at += num_read;
        }
    }
}

#[test]
fn two_granules_bring_a_decoder_to_the_state_of_another() {
    for (number, kind) in kinds().into_iter().enumerate().step_by(4) {
        let packets = random_packets(kind, 20, &mut Numbers(2000 + number as u64));
        let packets = slices(&packets);
        let header = Header::parse(packets[0]).unwrap();
        let expected = decode(&mut Decoder::new(), &packets, 7);
        let num_before = if header.num_frames() == 1152 { 1 } else { 2 };
        let mut decoder = Decoder::new();
        for target in num_before..packets.len() {
            let first = target - num_before;
            let main_data =
                |packet: &&[u8]| packet[Header::parse(packet).unwrap().main_data_start()..].to_vec();
            let main_data: Vec<u8> = packets[..first].iter().flat_map(main_data).collect();
            decoder.reset();
            decoder.fill_reservoir(&main_data);
            let found = decode(&mut decoder, &packets[first..], 3);
            let skipped = header.num_frames() * header.num_channels();
            assert!(
                bits(&found[num_before * skipped..]) == bits(&expected[target * skipped..]),
                "{kind:?}: packet {target}"
            );
        }
    }
}

#[test]
fn what_is_rejected_says_why() {
    let kind = Kind { version: 3, rate: 0, mode: 0, switched: 0, has_checksum: false };
    let good = random_packets(kind, 3, &mut Numbers(5));
    let mut decoder = Decoder::new();
    let mut reject = |packet: &[u8]| decoder.read(&[packet]).unwrap_err();
    assert_eq!(reject(&[]), DecodeError::Header);
    assert_eq!(reject(&[0xFF, 0xFD, 0x90, 0]), DecodeError::Header);
    assert_eq!(reject(&good[0][..35]), DecodeError::Truncated);
    let mut packet = good[0].clone();
    packet[4] = 0x80; // main_data_begin of 256
    assert_eq!(reject(&packet), DecodeError::Reservoir { known: 0, wanted: 256 });
    assert_eq!(
        reject(&[good[0].as_slice(), &[0; 9000]].concat()),
        DecodeError::TooLarge { num_bytes: good[0].len() + 9000, max: 8192 }
    );
    let mut packet = good[0].clone();
    packet[8..10].fill(0xFF); // all bits of big_values
    assert_eq!(reject(&packet), DecodeError::Packet("a granule has more than 288 pairs of lines"));

    // Those before it are decoded, and those after it: its main data counts.
    let parts: Vec<_> =
        [&good[0], &packet, &good[1]].map(|bytes| Part { bytes: bytes.as_slice(), frames: 0..1152 }).into();
    let mut room = vec![MaybeUninit::uninit(); 3 * 2304];
    let mut decoder = Decoder::new();
    let error = decoder.decode(&parts, &mut room).unwrap_err();
    assert_eq!((error.index, error.reason), (1, reject(&packet)));
    decoder.read(&[good[1].as_slice()]).unwrap();
}

#[test]
fn a_stream_of_another_kind_begins_anew() {
    let mut kind = Kind { version: 3, rate: 0, mode: 0, switched: 2, has_checksum: false };
    let stereo = random_packets(kind, 4, &mut Numbers(5));
    kind.mode = 0xC;
    let mono = random_packets(kind, 4, &mut Numbers(6));
    kind.version = 2;
    let low = random_packets(kind, 4, &mut Numbers(7));
    let all = [&stereo, &mono, &low].map(|packets| decode(&mut Decoder::new(), &slices(packets), 8)).concat();
    let packets = [slices(&stereo), slices(&mono), slices(&low)].concat();
    for batch in [1, 3, 12] {
        assert!(bits(&decode(&mut Decoder::new(), &packets, batch)) == bits(&all));
    }
}

/// The files of the corpus and of the fixtures that may hold MPEG audio.
fn files() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let corpus =
        std::env::var_os("MAPWAVE_CORPUS").map_or_else(|| root.join("../shared/corpus"), PathBuf::from);
    if !corpus.exists() {
        println!("skipped: there is no corpus at {}", corpus.display());
    }
    let (mut files, mut folders) = (Vec::new(), vec![corpus, root.join("fixtures")]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = path.to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if [".mp3", ".bit"].iter().any(|end| name.ends_with(end)) {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// The other decoder's samples of a packet; `None` if it rejects it.
fn by_nanomp3(decoder: &mut nanomp3_core::Decoder, packet: &[u8]) -> Option<Vec<f32>> {
    let mut samples = vec![0.0; nanomp3_core::MAX_SAMPLES_PER_FRAME];
    let decoded = decoder.decode(packet, &mut samples).1.ok()?;
    samples.truncate(decoded.samples_produced * usize::from(decoded.channels.num()));
    Some(samples)
}

#[test]
fn files_are_decoded_as_by_others() {
    let (mut num_files, mut num_packets, mut num_rejected, mut least, mut worst) =
        (0, 0, 0, f64::INFINITY, 0.0_f64);
    for path in files() {
        let file = std::fs::read(&path).unwrap();
        let packets = split(&file);
        let mut decoder = Decoder::new();
        let (mut other, mut reference) = (nanomp3_core::Decoder::new(), Some(Reference::new()));
        let (mut to_other, mut to_reference) = (Ratio::default(), Ratio::default());
        let mut last = None;
        for (number, packet) in packets.iter().enumerate() {
            let header = Header::parse(packet).unwrap();
            let kind = (header.version(), header.sample_rate(), header.num_channels());
            if last.replace(kind).is_some_and(|last| last != kind) {
                // Another stream, which begins again.
                (other, reference) = (nanomp3_core::Decoder::new(), Some(Reference::new()));
            }
            let expected = by_nanomp3(&mut other, packet);
            let found = decoder.read(&[packet]);
            if found.is_err() {
                assert!(expected.is_none(), "{}: packet {number}: {found:?}", path.display());
                // The other one keeps its state, and this one too; the formulas do not know of damage.
                num_rejected += 1;
                reference = None;
                other = nanomp3_core::Decoder::new();
                decoder.reset();
                continue;
            }
            num_packets += 1;
            let mut room = [MaybeUninit::uninit(); 2304];
            let samples = &*decoder.write(0, 0..frames_of(packet), &mut room).unwrap();
            match expected {
                Some(expected) => {
                    assert_eq!(expected.len(), samples.len(), "{}: packet {number}", path.display());
                    expected.iter().zip(samples).for_each(|(one, two)| to_other.add((*one).into(), *two));
                }
                None => {
                    // It forgets main data that was used once, and a rejected packet is as if it was not there.
                    other = nanomp3_core::Decoder::new();
                    decoder.reset();
                    reference = None;
                }
            }
            // The formulas take their time.
            if number < 60
                && let Some(reference) = &mut reference
            {
                let planes = reference.decode(packet);
                let interleaved =
                    (0..planes[0].len()).flat_map(|frame| planes.iter().map(move |plane| plane[frame]));
                interleaved.zip(samples).for_each(|(one, two)| to_reference.add(one, *two));
            }
        }
        if to_other.count == 0 {
            continue;
        }
        num_files += 1;
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let (one, two) = (to_other.decibels(), to_reference.decibels());
        println!("{one:6.1} dB, {two:6.1} dB to the formulas, rms {:.1e}: {name}", to_reference.rms());
        // In these, nanomp3 differs from FFmpeg and mpg123 in the highest band of intensity stereo, and this crate does not.
        let is_like_others = !matches!(&*name, "l3-test45.bit" | "l3-test46.bit");
        assert!(!is_like_others || to_other.signal == 0.0 || one > 95.0, "{name}: {one:.1} dB");
        if to_reference.signal > 0.0 {
            // Where there is next to silence, what is below a float's last bit of full scale.
            assert!(two > 110.0 || to_reference.rms() < 1e-9, "{name}: {two:.1} dB");
            assert!(to_reference.rms() < MAX_RMS && to_reference.most < 2.0_f64.powi(-14), "{name}");
            (least, worst) = (least.min(two), worst.max(to_reference.rms()));
        }
    }
    println!(
        "{num_files} files, {num_packets} packets, {num_rejected} rejected, {least:.1} dB, rms {worst:.1e}"
    );
    assert!(num_files > 2, "the fixtures are there");
}

#[test]
fn damaged_packets_do_no_harm() {
    // As many as the variable says; a few otherwise.
    let wanted = std::env::var("MAPWAVE_MP3_DAMAGED_PACKETS").map_or(4000, |count| count.parse().unwrap());
    let mut originals: Vec<Vec<Vec<u8>>> = Vec::new();
    for (number, kind) in kinds().into_iter().enumerate().step_by(if wanted > 4000 { 1 } else { 9 }) {
        originals.push(random_packets(kind, 12, &mut Numbers(number as u64)));
    }
    for path in files().iter().filter(|path| wanted > 4000 || path.to_string_lossy().contains("fixtures")) {
        let file = std::fs::read(path).unwrap();
        let packets: Vec<Vec<u8>> = split(&file).iter().take(50).map(|packet| packet.to_vec()).collect();
        originals.extend((!packets.is_empty()).then_some(packets));
    }
    let mut numbers = Numbers(77);
    let (mut count, mut num_decoded) = (0, 0);
    let mut decoders =
        [Decoder::new(), Decoder::new().with_plain_instructions(), Decoder::new().with_scalar_instructions()];
    while count < wanted {
        let mut packets = originals[numbers.below(originals.len())].clone();
        count += packets.len();
        for packet in &mut packets {
            for _ in 0..numbers.below(4) {
                // More often where the header and the side information are.
                let within = if numbers.chance(2) { packet.len() } else { packet.len().min(40) };
                let at = numbers.below(within);
                match numbers.below(4) {
                    0 => packet[at] = u8::try_from(numbers.below(256)).unwrap(),
                    1 => packet.truncate(at + 1),
                    2 => packet.insert(at, u8::try_from(numbers.below(256)).unwrap()),
                    _ => packet[at] ^= 1 << numbers.below(8),
                }
            }
        }
        let swap = numbers.below(packets.len());
        packets.swap(0, swap);
        let slices = slices(&packets);
        let mut expected: Option<Vec<u32>> = None;
        for decoder in &mut decoders {
            decoder.reset();
            let batch = 1 + numbers.below(9);
            let (mut at, mut samples) = (0, Vec::new());
            while at < slices.len() {
                match decoder.read(&slices[at..(at + batch).min(slices.len())]) {
                    Ok(num_read) => {
                        num_decoded += num_read;
                        for index in 0..num_read {
                            let mut room = [MaybeUninit::uninit(); 2304];
                            let written =
                                decoder.write(index, 0..decoder.kept_frames(index), &mut room).unwrap();
                            assert!(written.iter().all(|sample| sample.is_finite()));
                            samples.extend(bits(written));
                        }
                        at += num_read;
                    }
                    Err(_) => at += 1,
                }
            }
            // Neither batches nor instructions change anything, whatever the packets.
            match &expected {
                Some(expected) => assert!(*expected == samples),
                None => expected = Some(samples),
            }
        }
    }
    println!("{count} packets, {} decoded", num_decoded / decoders.len());
    assert!(num_decoded > count);
}
