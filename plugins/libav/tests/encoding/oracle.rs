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
    all_by_ffmpeg(&[file], container).pop().unwrap()
}

/// Decodes several files with one `ffmpeg`, which takes longer to start than to decode a short file.
pub fn all_by_ffmpeg(files: &[&[u8]], container: &str) -> Vec<Result<Decoded, String>> {
    let directory = tempfile::tempdir().unwrap();
    let place = |index: usize, ending: &str| directory.path().join(format!("{index}.{ending}"));
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-xerror", "-nostdin"]);
    for (index, file) in files.iter().enumerate() {
        std::fs::write(place(index, container), file).unwrap();
        command.arg("-i").arg(place(index, container));
    }
    for index in 0..files.len() {
        command.args(["-map", &format!("{index}:a:0"), "-c:a", "pcm_s32be", "-f", "au"]);
        command.arg(place(index, "decoded"));
    }
    let output = command.output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    // ffmpeg guesses a layout for files without one.
    let is_fine = words.lines().all(|line| line.contains("Guessed Channel Layout"));
    match output.status.success() && is_fine {
        true => {
            let read = |index| Ok(read_au(&std::fs::read(place(index, "decoded")).unwrap()));
            (0..files.len()).map(read).collect()
        }
        false if files.len() == 1 => vec![Err(words)],
        // Which of them it is.
        false => files.iter().map(|file| by_ffmpeg(file, container)).collect(),
    }
}

/// The samples in a file of Sun's audio format: after the magic, the place of the samples, their number, the encoding, the rate and
/// the number of channels as 32-bit integers.
fn read_au(bytes: &[u8]) -> Decoded {
    let number = |index: usize| u32::from_be_bytes(bytes[4 * index..4 * index + 4].try_into().unwrap());
    assert_eq!((&bytes[..4], number(3)), (&b".snd"[..], 5), "32-bit integers");
    let samples = bytes[number(1) as usize..].chunks_exact(4);
    let samples = samples.map(|bytes| i32::from_be_bytes(bytes.try_into().unwrap())).collect();
    Decoded { sample_rate: number(4), num_channels: number(5), samples }
}

/// An entry of the first stream, or of the file, as `ffprobe` prints it.
pub fn probe(file: &[u8], container: &str, entry: &str) -> Result<String, String> {
    printed(file, container, entry, "default=nw=1:nk=1")
}

/// Entries with their names, one a line.
pub fn probe_named(file: &[u8], container: &str, entries: &str) -> Result<String, String> {
    printed(file, container, entries, "default=nw=1")
}

fn printed(file: &[u8], container: &str, entries: &str, format: &str) -> Result<String, String> {
    with_file(file, container, |path| {
        let arguments = ["-v", "error", "-show_entries", entries, "-of", format, path];
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
