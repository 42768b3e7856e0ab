//! What fuzzing begins with, made from the fixtures of the repository.

use std::path::{Path, PathBuf};

use crate::{Target, plugin};

/// Where streams are cut, so that a run takes little time.
const CUT: usize = 6000;

/// The largest file that is taken as a whole.
const MAX_WHOLE: usize = 40_000;

/// Command lines, with spaces for the ends of lines.
const COMMANDS: [&str; 22] = [
    "info a.wav --json",
    "info a.flac --tracks",
    "convert a.wav b.flac --encoding pcm24 --rate 16000",
    "convert a.wav b.opus --bitrate 96k --channels 0,1",
    "convert in out --format flac --jobs 4 --dry-run",
    "concat a.wav b.wav -o c.wav --gap 0.5",
    "split a.wav --every 10 --format wav",
    "split a.wav --silence --min-silence 0.3 --threshold -40",
    "cut a.wav b.wav --from 1:02.5 --to 3m",
    "compare a.wav b.wav --tolerance 1e-4",
    "verify a.flac b.mp3",
    "loudness a.wav --json",
    "plot a.wav -o a.svg --width 800 --height 200 --theme dark",
    "tags show a.mp3",
    "tags set a.mp3 title=A artist=B",
    "tags remove a.mp3 title",
    "plugins list",
    "plugins check x.so",
    "bench --quick",
    "doctor --json",
    "completions bash",
    "index build in -o x.parquet",
];

/// The seeds of a target. Those of packets and of damaged checksums are what the target takes.
pub fn seeds(target: &Target) -> Vec<Vec<u8>> {
    match target.name {
        "plugin" => answers(),
        "saving" => saves(),
        "arguments" => COMMANDS.iter().map(|line| line.replace(' ', "\n").into_bytes()).collect(),
        "aac_packets" => vec![aac()],
        "alac_packets" => vec![alac("alac16.caf")],
        "flac_packets" => {
            vec![flac("flac16.flac", 16, 2), flac("flac24.flac", 24, 2), flac("flac8-mono.flac", 8, 1)]
        }
        "mp3_packets" => ["mp3-cbr.mp3", "mp3-vbr-mono.mp3", "mp3-lame.mp3"].map(mp3).into(),
        "vorbis_packets" => ["vorbis.ogg", "vorbis-mono.ogg"].map(vorbis).into(),
        _ => files(target),
    }
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

fn compressed(name: &str) -> Vec<u8> {
    std::fs::read(fixtures().join("compressed").join(name)).expect("the fixture is there")
}

/// The fixtures that a target is meant for, in order, and cuts of those that are streams.
fn files(target: &Target) -> Vec<Vec<u8>> {
    let mut paths = Vec::new();
    for directory in ["compressed", "valid", "malformed"] {
        let entries = std::fs::read_dir(fixtures().join(directory)).expect("the fixtures are there");
        paths.extend(entries.flatten().map(|entry| entry.path()));
    }
    paths.retain(|path| path.extension().is_some_and(|kind| kind != "tsv" && kind != "md"));
    paths.sort();
    let mut seeds = Vec::new();
    for path in paths {
        let bytes = std::fs::read(&path).expect("a fixture is read");
        if !target.takes(&bytes) {
            continue;
        }
        let is_index_behind = bytes.get(4..8) == Some(b"ftyp") || bytes.starts_with(b"caff");
        if bytes.len() > CUT && !is_index_behind {
            seeds.push(bytes[..CUT].to_vec());
        }
        if bytes.len() <= MAX_WHOLE {
            seeds.push(bytes);
        }
    }
    seeds
}

/// Files of the plugin that answers: one without a lie, and some with a few.
fn answers() -> Vec<Vec<u8>> {
    let file = |answers: &[u8]| [plugin::MAGIC, answers].concat();
    let mut files = vec![file(&[1, 27]), file(&[0, 255, 0, 0, 0, 0, 0, 0, 0, 0])];
    for place in 2..24 {
        for lie in [1, 2, 9, 17, 130, 201, 255] {
            let mut answers = vec![0; 30];
            answers[..2].copy_from_slice(&[1, 27]);
            answers[place] = lie;
            files.push(file(&answers));
        }
    }
    files
}

/// Options for each format, and samples.
fn saves() -> Vec<Vec<u8>> {
    let samples: Vec<u8> = (0..1200_u32).flat_map(|n| ((n * 37 % 2000) as i16 * 9).to_le_bytes()).collect();
    let of = |format: u8, encoding: &[u8], from: u8| {
        // Format, rate, channels, encoding, mask, gain, overflow, dither, bit rate, quality, effort, bits, unknown, threads, tags,
        // markers, type.
        let mut bytes = vec![format, 0, 1];
        bytes.extend(encoding);
        bytes.extend([0; 8]);
        bytes.extend([0, 0, 0, 0, 0, from]);
        bytes.extend(&samples);
        bytes
    };
    let mut seeds = Vec::new();
    for format in 0..11 {
        seeds.push(of(format, &[0], 0));
        seeds.push(of(format, &[200, 1], 1));
        seeds.push(of(format, &[200, 2], 2));
    }
    seeds
}

fn record(bytes: &[u8]) -> Vec<u8> {
    let size = bytes.len().min(usize::from(u16::MAX));
    [&(size as u16).to_le_bytes(), &bytes[..size]].concat()
}

fn records<'a>(packets: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    packets.into_iter().take(14).flat_map(record).collect()
}

/// ADTS packets without their headers (ISO/IEC 13818-7, 6.2), behind an AudioSpecificConfig.
fn aac() -> Vec<u8> {
    let file = compressed("aac.aac");
    let (profile, rate, channels) = (file[2] >> 6, file[2] >> 2 & 15, (file[2] & 1) << 2 | file[3] >> 6);
    let setup =
        (u16::from(profile + 1) << 11 | u16::from(rate) << 7 | u16::from(channels) << 3).to_be_bytes();
    let mut packets: Vec<&[u8]> = vec![&setup];
    let mut place = 0;
    while let Some(header) = file.get(place..place + 7) {
        let size =
            usize::from(header[3] & 3) << 11 | usize::from(header[4]) << 3 | usize::from(header[5]) >> 5;
        packets.extend(file.get(place + 7..place + size));
        place += size.max(7);
    }
    records(packets)
}

/// The packets of a CAF file behind its magic cookie (Apple Core Audio Format Specification, "Packet Table Chunk").
fn alac(name: &str) -> Vec<u8> {
    let file = compressed(name);
    let (mut cookie, mut sizes, mut data): (&[u8], Vec<usize>, &[u8]) = (&[], Vec::new(), &[]);
    let mut place = 8;
    while let Some(header) = file.get(place..place + 12) {
        let size = u64::from_be_bytes([
            header[4], header[5], header[6], header[7], header[8], header[9], header[10], header[11],
        ]) as usize;
        let body = &file[place + 12..(place + 12).saturating_add(size).min(file.len())];
        match &header[..4] {
            // The last of it is what the codec knows; atoms stand before.
            b"kuki" => cookie = &body[body.len().saturating_sub(24)..],
            b"data" => data = &body[4..],
            b"pakt" => {
                let mut value = 0;
                for byte in &body[24..] {
                    value = value << 7 | usize::from(byte & 0x7f);
                    if byte & 0x80 == 0 {
                        sizes.push(std::mem::take(&mut value));
                    }
                }
            }
            _ => {}
        }
        place += 12 + size;
    }
    let mut packets = vec![cookie];
    for size in sizes {
        let (packet, rest) = data.split_at(size.min(data.len()));
        packets.push(packet);
        data = rest;
    }
    records(packets)
}

fn flac(name: &str, bits: u8, num_channels: u8) -> Vec<u8> {
    let file = compressed(name);
    let is_start = |place: &usize| mapwave_flac::FrameHeader::parse(&file[*place..]).is_some();
    let starts: Vec<usize> = (42..file.len()).filter(is_start).collect();
    let ends = starts.iter().copied().skip(1).chain([file.len()]);
    let setup = [num_channels, bits];
    records(
        [&setup[..]]
            .into_iter()
            .chain(starts.iter().zip(ends).map(|(start, end)| &file[*start..end]).take(3)),
    )
}

fn mp3(name: &str) -> Vec<u8> {
    let file = compressed(name);
    let mut packets = Vec::new();
    let mut place = 0;
    while place + 4 <= file.len() {
        let Some(header) = mapwave_mp3::Header::parse(&file[place..]) else {
            place += 1;
            continue;
        };
        let size = header.num_bytes(0).max(4);
        packets.extend(file.get(place..place + size));
        place += size;
    }
    records(packets)
}

/// The packets of an Ogg file (RFC 3533), of which the second, the comments, is left out.
fn vorbis(name: &str) -> Vec<u8> {
    let file = compressed(name);
    let mut packets: Vec<Vec<u8>> = vec![Vec::new()];
    let mut place = 0;
    while let Some(header) = file.get(place..place + 27) {
        let lacing = &file[place + 27..place + 27 + usize::from(header[26])];
        place += 27 + lacing.len();
        for value in lacing {
            let count = usize::from(*value);
            packets.last_mut().expect("there is one").extend(&file[place..place + count]);
            place += count;
            if *value < 255 {
                packets.push(Vec::new());
            }
        }
    }
    packets.remove(1);
    records(packets.iter().map(Vec::as_slice))
}
