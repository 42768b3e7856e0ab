//! Reference decoders: mapwave's built-in decoders, and FFmpeg's programs.

use std::io::Write;
use std::process::Command;
use std::sync::Once;

use mapwave_core::{FrameSpec, OutputFormat, Reader};

/// Decoded samples and their format.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    pub sample_rate: u32,
    pub num_channels: u32,
    pub samples: Vec<i32>,
}

impl Decoded {
    pub fn num_frames(&self) -> usize {
        self.samples.len() / self.num_channels as usize
    }

    /// The samples, full scale at 1.
    pub fn levels(&self) -> Vec<f64> {
        self.samples.iter().map(|sample| f64::from(*sample) / 2_147_483_648.0).collect()
    }
}

/// Decodes a file with mapwave's own decoders to 32-bit integers; `Err` if none reads it.
pub fn by_mapwave(file: &[u8]) -> Result<Decoded, String> {
    static EMBEDDED: Once = Once::new();
    EMBEDDED.call_once(|| mapwave_core::host::embed(mapwave_builtin::entry));
    let reader = Reader::from_bytes(file.to_vec()).map_err(|error| error.to_string())?;
    let is_lossless = reader.track().bits_per_sample.is_some();
    let format = if is_lossless { OutputFormat::I32 } else { OutputFormat::F32 };
    let spec = FrameSpec { format, ..FrameSpec::default() };
    let frames = reader.read(0..reader.num_frames(), &spec).map_err(|error| error.to_string())?;
    let samples = if is_lossless {
        frames.samples::<i32>().unwrap().to_vec()
    } else {
        frames
            .samples::<f32>()
            .unwrap()
            .iter()
            .map(|sample| (f64::from(*sample) * 2_147_483_648.0) as i32)
            .collect()
    };
    let track = reader.track();
    Ok(Decoded { sample_rate: track.sample_rate, num_channels: track.num_channels.into(), samples })
}

/// Whether `ffmpeg` and `ffprobe` are installed; tests that need them are skipped otherwise.
pub fn has_ffmpeg() -> bool {
    let is_there =
        |program| Command::new(program).arg("-version").output().is_ok_and(|output| output.status.success());
    let has_both = is_there("ffmpeg") && is_there("ffprobe");
    if !has_both {
        println!("skipped: ffmpeg and ffprobe are not installed");
    }
    has_both
}

fn with_file<R>(file: &[u8], container: &str, then: impl FnOnce(&str) -> R) -> R {
    let mut named = tempfile::Builder::new().suffix(&format!(".{container}")).tempfile().unwrap();
    named.write_all(file).unwrap();
    then(named.path().to_str().unwrap())
}

/// Decodes a file with `ffmpeg` to 32-bit integers.
pub fn by_ffmpeg(file: &[u8], container: &str) -> Result<Decoded, String> {
    let found = probe(file, container, "stream=sample_rate,channels")?;
    let mut numbers = found.lines().map_while(|line| line.parse::<u32>().ok());
    let (Some(sample_rate), Some(num_channels)) = (numbers.next(), numbers.next()) else { return Err(found) };
    with_file(file, container, |path| {
        let arguments = ["-v", "error", "-xerror", "-i", path, "-f", "s32le", "-"];
        let output = Command::new("ffmpeg").args(arguments).output().unwrap();
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        // ffmpeg guesses a layout for files without one.
        let is_fine = words.lines().all(|line| line.contains("Guessed Channel Layout"));
        if !output.status.success() || !is_fine {
            return Err(words);
        }
        let sample = |bytes: &[u8]| i32::from_le_bytes(bytes.try_into().unwrap());
        let samples = output.stdout.chunks_exact(4).map(sample).collect();
        Ok(Decoded { sample_rate, num_channels, samples })
    })
}

/// An entry of the first stream, or of the file, as `ffprobe` prints it.
pub fn probe(file: &[u8], container: &str, entry: &str) -> Result<String, String> {
    with_file(file, container, |path| {
        let arguments = ["-v", "error", "-show_entries", entry, "-of", "default=nw=1:nk=1", path];
        let output = Command::new("ffprobe").args(arguments).output().unwrap();
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    })
}

/// The number of frames that `sox` finds in a file; `None` if it is not installed or does not read the container.
pub fn by_sox(file: &[u8], container: &str) -> Option<usize> {
    let output = with_file(file, container, |path| Command::new("soxi").args(["-s", path]).output().ok())?;
    let found = output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().parse().ok())
        .flatten();
    if found.is_none() {
        println!("skipped: no sox that reads {container}");
    }
    found
}
