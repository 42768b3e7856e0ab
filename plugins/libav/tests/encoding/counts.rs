//! As many frames come back as went in, whatever the container and the codec.

use crate::host::{Wish, pairs};
use crate::oracle::{by_ffmpeg, by_mapwave, has_ffmpeg};
use crate::sound::music;

#[test]
fn explore() {
    let lengths: Vec<usize> = std::env::var("LENGTHS").map(|l| l.split(',').map(|x| x.parse().unwrap()).collect()).unwrap_or(vec![1, 100, 1023, 1024, 1025, 44_100, 100_003]);
    let only = std::env::var("ONLY").unwrap_or_default();
    let rates: Vec<u32> = std::env::var("RATES").map(|l| l.split(',').map(|x| x.parse().unwrap()).collect()).unwrap_or(vec![8000, 16000, 22050, 24000, 32000, 44100, 48000, 96000, 192000]);
    for pair in pairs() {
        if !format!("{}/{}", pair.0, pair.1).contains(&only) { continue; }
        for rate in &rates {
            for channels in [1, 2, 6] {
                let mut out = Vec::new();
                for n in &lengths {
                    let wish = Wish::new(pair, *rate, channels);
                    match wish.encode(&music(*rate, channels, *n)) {
                        Err(failure) => { out.push(format!("{n}: {}", failure.message)); break; }
                        Ok(file) => {
                            if let Ok(dir) = std::env::var("OUT") { std::fs::write(format!("{dir}/{}_{rate}_{channels}_{n}.{}", pair.1, pair.0), &file).unwrap(); }
                            let a = by_mapwave(&file).map(|d| (d.num_frames(), d.sample_rate, d.num_channels));
                            let b = by_ffmpeg(&file, pair.0).map(|d| (d.num_frames(), d.sample_rate, d.num_channels));
                            if a != Ok((*n, *rate, channels)) { out.push(format!("{n}: mapwave {a:?}")); }
                            if b != Ok((*n, *rate, channels)) { out.push(format!("{n}: ffmpeg {b:?}")); }
                        }
                    }
                }
                println!("{pair:?} {rate} {channels}: {}", if out.is_empty() { "ok".to_owned() } else { out.join("; ") });
            }
        }
    }
}
