//! The examples do what they say.

#![allow(clippy::unwrap_used, missing_docs)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/compressed").join(name)
}

/// Runs an example, which cargo has built beside this test.
fn run(name: &str, arguments: &[&Path]) -> Output {
    let tests = std::env::current_exe().unwrap();
    let program = tests.parent().and_then(Path::parent).unwrap().join("examples").join(name);
    assert!(program.exists(), "{} is not built: cargo build -p mapwave --examples", program.display());
    Command::new(program).args(arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn read_reports_rate_and_level() {
    let reader = mapwave::open(fixture("mp3-lame.mp3")).unwrap();
    let said = said(&run("read", &[&fixture("mp3-lame.mp3")]));
    let first = format!("{} frames at {} Hz", reader.num_frames(), reader.sample_rate());
    assert!(said.starts_with(&first) && said.contains("rms -"), "{said}");
    let failed = run("read", &[Path::new("missing.mp3")]);
    assert!(!failed.status.success() && String::from_utf8_lossy(&failed.stderr).contains("missing.mp3"));
}

#[test]
fn window_saves_the_frames_of_the_window() {
    let directory = tempfile::tempdir().unwrap();
    let target = directory.path().join("window.flac");
    said(&run("window", &[&fixture("flac16.flac"), Path::new("0.25"), &target]));
    let (whole, part) = (mapwave::open(fixture("flac16.flac")).unwrap(), mapwave::open(target).unwrap());
    assert_eq!(
        (part.sample_rate(), part.track().num_channels),
        (whole.sample_rate(), whole.track().num_channels)
    );
    let window = whole.window(0.25, Some(2.0)).unwrap();
    let spec = mapwave::FrameSpec::default();
    let expected = whole.read(window, &spec).unwrap();
    assert_eq!(part.read(0..part.num_frames(), &spec).unwrap().bytes(), expected.bytes());
}

#[test]
fn stream_prints_a_line_for_every_second() {
    let reader = mapwave::open(fixture("vorbis.ogg")).unwrap();
    let seconds = reader.duration().ceil();
    assert_eq!(said(&run("stream", &[&fixture("vorbis.ogg")])).lines().count() as f64, seconds);
}

#[test]
fn convert_keeps_samples_and_tags() {
    let directory = tempfile::tempdir().unwrap();
    let target = directory.path().join("song.flac");
    said(&run("convert", &[&fixture("flac16.flac"), &target]));
    let (before, after) = (mapwave::open(fixture("flac16.flac")).unwrap(), mapwave::open(target).unwrap());
    let spec = mapwave::FrameSpec { format: mapwave::OutputFormat::I32, ..mapwave::FrameSpec::default() };
    let samples =
        |reader: &mapwave::Reader| reader.read(0..reader.num_frames(), &spec).unwrap().bytes().to_vec();
    assert!(samples(&before) == samples(&after));
    for (name, value) in before.tags().into_iter().filter(|(name, _)| name != "encoder") {
        assert!(after.tags().contains(&(name.clone(), value)), "{name}");
    }
}
