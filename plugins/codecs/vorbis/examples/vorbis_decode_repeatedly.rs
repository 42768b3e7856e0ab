//! Decodes an Ogg Vorbis file as often as asked, for programs that count instructions.
//!
//!     cargo run --release -p mapwave-vorbis --example vorbis_decode_repeatedly -- best 3 music.ogg
//!
//! The arguments: `best` for the processor's instructions or `plain`; how often; the file. Prints how many samples are decoded
//! each time (`tools/platforms/instructions.sh` divides by that) and a sum of them.

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::mem::MaybeUninit;

use mapwave_vorbis::{Decoder, Part, Setup};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [way, times, path] = arguments.as_slice() else {
        return Err("expected best or plain, how often, a file".into());
    };
    let times: usize = times.parse()?;
    let packets = packets(&std::fs::read(path)?).ok_or("no Ogg file of one stream")?;
    let [identification, _, setup_header, packets @ ..] = packets.as_slice() else {
        return Err("no Vorbis headers".into());
    };
    let setup = Setup::parse(identification, setup_header, 1 << 26)?;
    let mut last = None;
    let part = |bytes| {
        let size = setup.block_size(bytes)? as usize;
        let num_frames = last.replace(size).map_or(0, |last| (last + size) / 4);
        Some(Part { bytes, frames: 0..num_frames })
    };
    let parts: Option<Vec<Part<'_>>> = packets.iter().map(|packet| &**packet).map(part).collect();
    let parts = parts.ok_or("a packet is not one of audio")?;
    let num_samples = parts.iter().map(|part| part.frames.len()).sum::<usize>() * setup.num_channels();
    let mut room = vec![MaybeUninit::<f32>::uninit(); num_samples];
    let mut sum = 0.0;
    for _ in 0..times {
        let decoder = Decoder::new(&setup)?;
        let mut decoder = if way == "plain" { decoder.with_plain_instructions() } else { decoder };
        let samples = decoder.decode(&parts, &mut room)?;
        sum += samples.iter().step_by(97).map(|sample| f64::from(*sample)).sum::<f64>();
    }
    println!("{num_samples} samples, sum {sum}");
    Ok(())
}

/// The packets of an Ogg file (RFC 3533) that has a single stream.
fn packets(file: &[u8]) -> Option<Vec<Vec<u8>>> {
    let (mut packets, mut packet, mut rest) = (Vec::new(), Vec::new(), file);
    while let Some(header) = rest.strip_prefix(b"OggS") {
        let num_segments = usize::from(*header.get(22)?);
        let lacing = header.get(23..23 + num_segments)?;
        rest = header.get(23 + num_segments..)?;
        for size in lacing {
            let (piece, after) = rest.split_at_checked(usize::from(*size))?;
            packet.extend_from_slice(piece);
            rest = after;
            if *size < 255 {
                packets.push(std::mem::take(&mut packet));
            }
        }
    }
    Some(packets)
}
