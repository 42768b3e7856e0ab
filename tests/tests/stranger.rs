//! A program outside the workspace that depends on the crate `mapwave` alone.

#![allow(clippy::unwrap_used, missing_docs)]

use std::path::{Path, PathBuf};
use std::process::Command;

/// The program in docs/rust.md: open an MP3, read a window, save a FLAC.
fn program(root: &Path) -> String {
    let document = std::fs::read_to_string(root.join("docs/rust.md")).unwrap();
    let (_, program) = document.split_once("```rust\n").unwrap();
    program.split_once("```").unwrap().0.to_owned()
}

#[test]
fn ten_lines_on_the_front_door_alone_open_read_and_save() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| -> PathBuf { directory.path().join(name) };
    std::fs::create_dir(file("src")).unwrap();
    std::fs::write(file("src/main.rs"), program(&root)).unwrap();
    let manifest = format!(
        "[package]\nname = \"stranger\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\nmapwave = {{ path = {:?} }}\n",
        root.join("rust")
    );
    std::fs::write(file("Cargo.toml"), manifest).unwrap();
    // The versions that this workspace is tested with.
    std::fs::copy(root.join("Cargo.lock"), file("Cargo.lock")).unwrap();
    std::fs::copy(root.join("fixtures/compressed/mp3-lame.mp3"), file("talk.mp3")).unwrap();

    let built = Command::new(env!("CARGO"))
        .args(["run", "--quiet"])
        .current_dir(directory.path())
        .env("CARGO_TARGET_DIR", root.join("target/stranger"))
        .env("CARGO_INCREMENTAL", "0")
        .env("CARGO_PROFILE_DEV_DEBUG", "false")
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));

    let (talk, saved) =
        (mapwave::open(file("talk.mp3")).unwrap(), mapwave::open(file("window.flac")).unwrap());
    let window = talk.window(0.5, Some(0.5)).unwrap();
    assert_eq!(saved.num_frames(), window.end - window.start);
    assert_eq!(saved.sample_rate(), talk.sample_rate());
    // 24 bits are within half a step of the floats.
    let spec = mapwave::FrameSpec::default();
    let (expected, found) =
        (talk.read(window.clone(), &spec).unwrap(), saved.read(0..saved.num_frames(), &spec).unwrap());
    let pairs = expected.samples::<f32>().unwrap().iter().zip(found.samples::<f32>().unwrap());
    assert!(pairs.into_iter().all(|(a, b)| (a.clamp(-1.0, 1.0) - b).abs() <= 1.0 / f32::from(2_u8).powi(23)));
}
