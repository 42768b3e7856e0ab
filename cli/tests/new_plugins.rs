//! The projects that `mapwave plugins new` writes: they build, pass the check and have tests that pass.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

const SUFFIX: &str = if cfg!(target_os = "macos") { "dylib" } else { "so" };

fn mapwave(directory: &TempDir, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mapwave"))
        .args(arguments)
        .current_dir(directory.path())
        .env("XDG_DATA_HOME", directory.path().join("data"))
        .env("XDG_CACHE_HOME", directory.path().join("cache"))
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn runs(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", said(&output));
    said(&output)
}

fn has(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        println!("skipped: there is no {program}");
    }
    found
}

/// Checks the library of a project with its own files; nothing may be left untested.
fn passes(directory: &TempDir, project: &Path, library: &Path, has_encoder: bool) {
    let corpus = project.join("corpus");
    let output = mapwave(
        directory,
        &["plugins", "check", library.to_str().unwrap(), "--corpus", corpus.to_str().unwrap()],
    );
    let text = said(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains(" 0 untested"), "{text}");
    assert_eq!(text.contains("\nencoder my-codec\n"), has_encoder, "{text}");
    assert!(!text.contains("left out") && !text.contains("warning "), "{text}");
}

#[test]
fn a_project_in_c_builds_and_passes() {
    if !has("cc") || !has("make") {
        return;
    }
    for encoder in [false, true] {
        let directory = tempfile::tempdir().unwrap();
        let mut arguments = vec!["plugins", "new", "my-codec", "--lang", "c"];
        arguments.extend(encoder.then_some("--encoder"));
        let output = mapwave(&directory, &arguments);
        assert!(output.status.success(), "{}", said(&output));
        let project = directory.path().join("my-codec");
        runs(Command::new("make").arg("CFLAGS=-O1 -pedantic -Werror").current_dir(&project));
        passes(&directory, &project, &project.join(format!("my-codec.{SUFFIX}")), encoder);
        if encoder {
            // As the README says.
            let again = format!("MAPWAVE={}", env!("CARGO_BIN_EXE_mapwave"));
            runs(Command::new("make").arg("check").arg(again).current_dir(&project));
        }
    }
}

#[test]
fn a_project_in_rust_builds_and_passes() {
    if !has("cargo") {
        return;
    }
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let target = tempfile::tempdir().unwrap();
    for encoder in [false, true] {
        let directory = tempfile::tempdir().unwrap();
        let mut arguments =
            vec!["plugins", "new", "my-codec", "--lang", "rust", "--sdk", checkout.to_str().unwrap()];
        arguments.extend(encoder.then_some("--encoder"));
        let output = mapwave(&directory, &arguments);
        assert!(output.status.success(), "{}", said(&output));
        let project = directory.path().join("my-codec");
        // The dependencies that are locked for this workspace are those that are there.
        fs::copy(checkout.join("Cargo.lock"), project.join("Cargo.lock")).unwrap();
        let cargo = |word: &str| {
            let mut command = Command::new("cargo");
            command.args([word, "--quiet", "--offline"]).current_dir(&project);
            command.env("CARGO_TARGET_DIR", target.path()).env("RUSTFLAGS", "-D warnings");
            command
        };
        runs(&mut cargo("test"));
        runs(&mut cargo("build"));
        let prefix = std::env::consts::DLL_PREFIX;
        let library = target.path().join(format!("debug/{prefix}my_codec.{SUFFIX}"));
        passes(&directory, &project, &library, encoder);
    }
}

#[test]
fn a_directory_that_exists_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("mine")).unwrap();
    let output = mapwave(&directory, &["plugins", "new", "mine", "--lang", "c"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).starts_with("error: mine: File exists"), "{}", said(&output));
    assert_eq!(fs::read_dir(directory.path().join("mine")).unwrap().count(), 0);
    let output = mapwave(&directory, &["plugins", "new", "soxr", "--lang", "c"]);
    assert!(
        output.status.code() == Some(1) && said(&output).contains("comes with mapwave"),
        "{}",
        said(&output)
    );
}

#[test]
fn the_headers_are_where_it_says() {
    let directory = tempfile::tempdir().unwrap();
    let include = |directory: &TempDir| {
        let output = mapwave(directory, &["plugins", "include-dir"]);
        assert!(output.status.success(), "{}", said(&output));
        PathBuf::from(String::from_utf8(output.stdout).unwrap().trim_end())
    };
    let found = include(&directory);
    assert_eq!(found, directory.path().join("data/mapwave/include"));
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/abi/include");
    for name in ["mapwave_plugin.h", "mapwave_plugin_util.h"] {
        assert_eq!(fs::read(found.join(name)).unwrap(), fs::read(own.join(name)).unwrap(), "{name}");
    }
    assert_eq!(include(&directory), found);
}
