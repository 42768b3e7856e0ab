//! Converts a WAV file of 16-bit PCM to FLAC.
//!
//!     cargo run --release -p mapwave-flac --example encode_wav -- music.wav music.flac

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};

use mapwave_flac::{Encoder, EncoderSettings, Frames};

fn main() -> Result<(), Box<dyn Error>> {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    let [from, to] = paths.as_slice() else { return Err("usage: encode_wav FROM.wav TO.flac".into()) };
    let mut wav = BufReader::new(File::open(from)?);
    // The smallest header: RIFF, a "fmt " chunk of 16 bytes and "data". Other WAV files need a parser of chunks.
    let mut header = [0; 44];
    wav.read_exact(&mut header)?;
    let field = |place: usize| -> u32 {
        header.get(place..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u32::from_le_bytes(*bytes))
    };
    let (num_channels, sample_rate, bits) = (field(22) & 0xFFFF, field(24), field(34) & 0xFFFF);
    if !header.starts_with(b"RIFF") || header.get(36..40) != Some(b"data") || bits != 16 {
        return Err(format!("{from}: expected 16-bit PCM behind a header of 44 bytes").into());
    }
    let bytes_per_frame = 2 * num_channels.max(1);
    let settings = EncoderSettings {
        num_frames: Some((field(40) / bytes_per_frame).into()),
        num_threads: std::thread::available_parallelism().map_or(1, Into::into),
        ..EncoderSettings::new(sample_rate, num_channels, 16)
    };

    let mut flac = BufWriter::new(File::create(to)?);
    let mut encoder = Encoder::new(&settings)?;
    let mut data = wav.take((field(40) / bytes_per_frame * bytes_per_frame).into());
    let mut piece = Vec::new();
    while data.by_ref().take(4096 * u64::from(bytes_per_frame)).read_to_end(&mut piece)? > 0 {
        let num_whole = piece.len() - piece.len() % bytes_per_frame as usize;
        let (pairs, _) = piece.get(..num_whole).unwrap_or_default().as_chunks::<2>();
        let samples: Vec<i16> = pairs.iter().map(|pair| i16::from_le_bytes(*pair)).collect();
        encoder.push(Frames::Interleaved(&samples), |bytes| flac.write_all(bytes))?;
        piece.clear();
    }
    for patch in encoder.finish(|bytes| flac.write_all(bytes))? {
        flac.seek(SeekFrom::Start(patch.offset))?;
        flac.write_all(&patch.bytes)?;
    }
    flac.flush()?;
    println!("{to}: {} bytes", flac.get_ref().metadata()?.len());
    Ok(())
}
