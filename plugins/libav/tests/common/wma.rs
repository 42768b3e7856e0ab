//! WMA with a bit reservoir, which FFmpeg decodes but does not write.
//!
//! FFmpeg's encoder gives each frame a packet of its own. Here the frames are packed into superframes, in which each
//! frame begins in one packet and ends in the next, with silent frames (a single zero bit) between them. The same frames in
//! packets of their own are the twin: decoded from the front, both have the same samples.

use std::path::Path;
use std::process::Command;

/// The frames in a silent frame's place, and those of the reservoir.
pub struct Reservoir {
    /// The WAV file with one frame a packet.
    pub twin: Vec<u8>,
    /// The WAV file with the reservoir.
    pub packed: Vec<u8>,
}

/// Bits, one a byte.
type Bits = Vec<u8>;

fn number(value: usize, width: usize) -> Bits {
    (0..width).rev().map(|bit| (value >> bit & 1) as u8).collect()
}

fn bytes(bits: &[u8]) -> Vec<u8> {
    bits.chunks(8)
        .map(|byte| byte.iter().fold(0, |value, bit| value << 1 | bit) << (8 - byte.len()))
        .collect()
}

/// A WAV file of a codec.
fn wav(format: &[u8], data: &[u8]) -> Vec<u8> {
    let chunk = |name: &[u8], content: &[u8]| [name, &(content.len() as u32).to_le_bytes(), content].concat();
    chunk(b"RIFF", &[b"WAVE", &chunk(b"fmt ", format)[..], &chunk(b"data", data)].concat())
}

/// Packs the frames of a mono WAV file of WMA 2, written by ffmpeg, with a reservoir.
pub fn pack(file: &[u8]) -> Reservoir {
    let find = |name: &[u8]| file.windows(4).position(|bytes| bytes == name).unwrap();
    let size = |place: usize| u32::from_le_bytes(file[place + 4..place + 8].try_into().unwrap()) as usize;
    let (format, data) = (find(b"fmt "), find(b"data"));
    let mut format = file[format + 8..format + 8 + size(format)].to_vec();
    let data = &file[data + 8..data + 8 + size(data)];
    let num_bytes = usize::from(u16::from_le_bytes([format[12], format[13]]));
    let bytes_per_second = f64::from(u32::from_le_bytes(format[8..12].try_into().unwrap()));
    let sample_rate = f64::from(u32::from_le_bytes(format[4..8].try_into().unwrap()));
    // The width of the field that says where in a packet the first frame of its own begins.
    let bytes_per_frame = bytes_per_second / sample_rate * 2048.0;
    let width = (bytes_per_frame + 0.5).log2() as usize + 2 + 3;
    let frames: Vec<Bits> = data
        .chunks_exact(num_bytes)
        .map(|frame| frame.iter().flat_map(|byte| number(usize::from(*byte), 8)).collect())
        .collect();
    let packet_bits = (num_bytes + 2) * 8;
    let (mut twin, mut packed) = (Vec::new(), Vec::new());
    let mut rest: &[u8] = &[];
    for index in 0..=frames.len() {
        let num_silent = 1 + index % 3;
        if let Some(frame) = index.checked_sub(1).and_then(|before| frames.get(before)) {
            twin.extend(bytes(frame));
        }
        twin.extend(vec![0; num_bytes * num_silent]);
        // The number of the superframe, that of its frames, and the end of the frame before it.
        let mut packet = [number(0, 4), number(1 + num_silent, 4), number(rest.len(), width)].concat();
        packet.extend(rest);
        packet.extend(vec![0; num_silent]);
        let room = packet_bits - packet.len();
        rest = &[];
        if let Some(frame) = frames.get(index) {
            packet.extend(&frame[..room.min(frame.len())]);
            rest = &frame[room.min(frame.len())..];
        }
        packet.resize(packet_bits, 0);
        packed.extend(bytes(&packet));
    }
    let twin = wav(&format, &twin);
    format[18 + 4] |= 2; // the flag of the reservoir
    format[12..14].copy_from_slice(&((num_bytes + 2) as u16).to_le_bytes());
    Reservoir { twin, packed: wav(&format, &packed) }
}

/// A file of the reservoir and its twin, written to `packed.wav` and `packed.wma`, and `twin.wav`; false without ffmpeg.
pub fn write(directory: &super::written::Directory, seconds: u32) -> bool {
    let source = format!("aevalsrc='0.4*sin(2*PI*(220+40*t)*t)+0.05*random(0)':s=44100:d={seconds}");
    let run = |arguments: &str, path: &Path| {
        let mut command = Command::new("ffmpeg");
        command.args(["-v", "quiet", "-nostdin", "-y"]).args(arguments.split(' ')).arg(path);
        command.status().is_ok_and(|status| status.success())
    };
    let plain = directory.join("plain.wav");
    if !run(&format!("-f lavfi -i {source} -c:a wmav2 -b:a 64k"), &plain) {
        println!("skipped: ffmpeg does not write WMA here");
        return false;
    }
    let Reservoir { twin, packed } = pack(&std::fs::read(plain).unwrap());
    std::fs::write(directory.join("twin.wav"), twin).unwrap();
    let path = directory.join("packed.wav");
    std::fs::write(&path, packed).unwrap();
    run(&format!("-i {} -c copy", path.display()), &directory.join("packed.wma"))
}
