//! The plugin in C that keeps every rule, or breaks one, and its files.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The ending of a shared library's name.
pub const SUFFIX: &str = if cfg!(target_os = "macos") { "dylib" } else { "so" };

/// Where the plugin's sources are.
pub fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins")
}

/// Whether there is a C compiler; prints a notice if there is none.
pub fn has_compiler() -> bool {
    let found = Command::new("cc").arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        println!("skipped: there is no C compiler named cc");
    }
    found
}

/// Compiles the plugin with these macros to `name.so` in a directory.
///
/// # Panics
/// When the compiler rejects it.
pub fn compile(directory: &Path, name: &str, macros: &[&str]) -> PathBuf {
    compile_source(directory, name, &sources().join("misbehaving.c"), macros)
}

/// As [`compile`], from another source.
///
/// # Panics
/// When the compiler rejects it.
pub fn compile_source(directory: &Path, name: &str, source: &Path, macros: &[&str]) -> PathBuf {
    let library = directory.join(format!("{name}.{SUFFIX}"));
    let output = Command::new("cc")
        .args(["-std=c99", "-D_DEFAULT_SOURCE", "-O1", "-shared", "-fPIC", "-pthread", "-w"])
        .args(macros.iter().map(|name| format!("-D{name}")))
        .arg("-I")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/abi/include"))
        .arg(source)
        .arg("-o")
        .arg(&library)
        .arg("-lm")
        .output()
        .unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    library
}

/// A file of the plugin's format, with 16-bit samples that differ from frame to frame.
pub fn file(num_channels: u32, num_frames: u64) -> Vec<u8> {
    let mut bytes = header(num_channels, num_frames);
    let num_samples = num_frames * u64::from(num_channels);
    bytes.extend((0..num_samples).flat_map(|index| ((index * 40_503) as u16).to_le_bytes()));
    bytes
}

/// The beginning of such a file.
pub fn header(num_channels: u32, num_frames: u64) -> Vec<u8> {
    let mut bytes = b"TOYPCM\0\x01".to_vec();
    bytes.extend(44_100u32.to_le_bytes());
    bytes.extend(num_channels.to_le_bytes());
    bytes.extend(num_frames.to_le_bytes());
    bytes
}
