use crate::host::{Wish, pairs};
use crate::oracle::{by_ffmpeg, by_mapwave};
use crate::sound::{levels, music, signal_to_noise};

#[test]
fn explore_snr() {
    let num = |name: &str| std::env::var(name).ok().map(|x| x.parse::<u32>().unwrap());
    let only = std::env::var("ONLY").unwrap_or_default();
    for pair in pairs() {
        if !format!("{}/{}", pair.0, pair.1).contains(&only) { continue; }
        for rate in [44100, 48000] {
            for channels in [1, 2, 6] {
                let n = 10 * rate as usize + 77;
                let sound = music(rate, channels, n);
                let wish = Wish { bitrate: num("BITRATE").unwrap_or(0) * channels, quality: num("QUALITY").unwrap_or(0), effort: num("EFFORT").unwrap_or(0), ..Wish::new(pair, rate, channels) };
                let Ok(file) = wish.encode(&sound) else { continue };
                let a = by_mapwave(&file).or_else(|_| by_ffmpeg(&file, pair.0)).unwrap();
                let truth = levels(&sound);
                println!("{pair:?} {rate} {channels}: {:.1} dB, {} kbit/s", signal_to_noise(&truth, &a.levels()), file.len() * 8 / 10 / 1000);
            }
        }
    }
}
