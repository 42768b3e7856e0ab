//! Measuring and drawing on all processors.

#![forbid(unsafe_code)]

use std::ops::Range;

use mapwave_analysis::{Input, Loudness, Plot, PlotOptions};
use mapwave_core::{ReadControl, Result, num_processors};

use crate::reader::Reader;

impl<'a> From<&'a Reader> for Input<'a> {
    fn from(reader: &'a Reader) -> Self {
        Self::File(reader)
    }
}

/// All processors, without interruption.
fn on_all_processors() -> ReadControl<'static> {
    ReadControl { max_threads: num_processors(), ..ReadControl::ONE_THREAD }
}

/// Measures the loudness of a file or an array by EBU R 128: integrated loudness, loudness range, true peak and sample peak.
///
/// The file is read in parts on all processors, in bounded memory.
///
/// ```
/// # fn main() -> mapwave::Result<()> {
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/compressed/vorbis.ogg");
/// let measured = mapwave::loudness(&mapwave::open(path)?)?;
/// println!("{:.1} LUFS, {:.1} dBTP", measured.integrated, measured.true_peak);
/// # assert!(measured.integrated < 0.0 && measured.sample_peak <= measured.true_peak);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::Argument`](crate::Error::Argument) for a rate below 4000 Hz and for samples that are not finite; what reading the file
/// may fail with.
pub fn loudness<'a>(input: impl Into<Input<'a>>) -> Result<Loudness> {
    mapwave_analysis::loudness(&input.into(), &on_all_processors())
}

/// The stretches of frames in which no sample exceeds `threshold_db` dBFS, of at least `min_duration` seconds each.
///
/// ```
/// # fn main() -> mapwave::Result<()> {
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/compressed/vorbis.ogg");
/// let reader = mapwave::open(path)?;
/// for silence in mapwave::silences(&reader, -50.0, 0.3)? {
///     println!("silent from frame {} to {}", silence.start, silence.end);
/// }
/// # assert_eq!(mapwave::silences(&reader, 0.0, 0.0)?, [0..reader.num_frames()]);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::Argument`](crate::Error::Argument) for a threshold that is not a number or positive, and a duration that is not finite or
/// negative; what reading the file may fail with.
pub fn silences<'a>(
    input: impl Into<Input<'a>>,
    threshold_db: f64,
    min_duration: f64,
) -> Result<Vec<Range<u64>>> {
    mapwave_analysis::silences(&input.into(), threshold_db, min_duration, &on_all_processors())
}

/// Draws a picture of a file or an array: its waveform, its spectrogram, or both.
///
/// ```
/// use mapwave::{PlotKind, PlotOptions};
///
/// # fn main() -> mapwave::Result<()> {
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/compressed/vorbis.ogg");
/// # let directory = tempfile::tempdir().unwrap();
/// let options = PlotOptions { kind: PlotKind::Both, ..PlotOptions::default() };
/// let picture = mapwave::plot(&mapwave::open(path)?, &options)?;
/// picture.save(directory.path().join("music.svg"))?;
/// picture.save(directory.path().join("music.png"))?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::Argument`](crate::Error::Argument) for a size out of range and for a marker past the end; what reading the file may fail
/// with.
pub fn plot<'a>(input: impl Into<Input<'a>>, options: &PlotOptions) -> Result<Plot> {
    mapwave_analysis::plot(&input.into(), options, &on_all_processors())
}
