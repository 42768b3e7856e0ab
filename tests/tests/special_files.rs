//! Anything but a regular file, or a file that cannot be opened, is rejected at once by an error that names it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, missing_docs)]

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use mapwave_core::{Error, OutputFormat, Reader};
use mapwave_tests::{decoded, wave};
use tempfile::TempDir;

/// How long an answer may take; a hanging one takes forever.
const PATIENCE: Duration = Duration::from_secs(5);

/// Opens `path` in both ways; each must answer in time.
fn open(path: &Path) -> [Box<mapwave_core::Result<Reader>>; 2] {
    let ways: [fn(PathBuf) -> mapwave_core::Result<Reader>; 2] = [Reader::open, Reader::open_once];
    ways.map(|open| {
        let (send, receive) = mpsc::channel();
        let start = Instant::now();
        let owned = path.to_owned();
        // Not a scoped thread: a hanging thread must not keep the test from failing.
        std::thread::spawn(move || send.send(Box::new(open(owned))));
        let result = receive.recv_timeout(PATIENCE);
        println!("{}: answered in {:?}", path.display(), start.elapsed());
        result.unwrap_or_else(|_| panic!("{}: no answer in {PATIENCE:?}", path.display()))
    })
}

/// Requires that `path` is rejected with a system error that starts with its name and continues with `why`.
fn refused(path: &Path, why: &str) {
    for result in open(path) {
        let error = result.expect_err("it is refused");
        let message = error.to_string();
        assert!(message.starts_with(&format!("{}: ", path.display())), "{message}");
        assert!(message.contains(why), "no '{why}' in: {message}");
        let expected = Some(path);
        match &error {
            Error::Io { path, .. } | Error::Unsupported { path, .. } => assert_eq!(path.as_deref(), expected),
            other => panic!("{other:?}"),
        }
    }
}

fn directory() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn sound() -> Vec<u8> {
    wave::pcm(1, 16, &wave::noise(1000, 2))
}

#[test]
fn a_fifo_without_a_writer() {
    let directory = directory();
    let path = directory.path().join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    refused(&path, "a FIFO");
}

#[test]
fn a_directory() {
    let directory = directory();
    refused(directory.path(), "directory");
}

#[test]
fn a_device_without_an_end() {
    refused(Path::new("/dev/zero"), "a device");
}

#[test]
fn a_socket() {
    let directory = directory();
    let path = directory.path().join("socket");
    let _listener = UnixListener::bind(&path).unwrap();
    refused(&path, "opening");
}

#[test]
fn an_empty_file() {
    let directory = directory();
    let path = directory.path().join("empty.wav");
    std::fs::write(&path, b"").unwrap();
    refused(&path, "empty (0 bytes)");
}

#[test]
fn a_file_without_permission() {
    if rustix::process::geteuid().is_root() {
        println!("skipped: nothing is forbidden to root");
        return;
    }
    let directory = directory();
    let path = directory.path().join("private.wav");
    std::fs::write(&path, sound()).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
    refused(&path, "ermission denied");
}

#[test]
fn a_link_to_nothing() {
    let directory = directory();
    let path = directory.path().join("dangling.wav");
    symlink(directory.path().join("nothing.wav"), &path).unwrap();
    refused(&path, "No such file");
}

#[test]
fn a_link_to_itself() {
    let directory = directory();
    let path = directory.path().join("loop.wav");
    symlink(&path, &path).unwrap();
    refused(&path, "symbolic links");
}

#[test]
fn a_file_in_a_file() {
    let directory = directory();
    let path = directory.path().join("sound.wav");
    std::fs::write(&path, sound()).unwrap();
    refused(&path.join("inner.wav"), "ot a directory");
}

#[test]
fn a_name_with_a_zero_byte() {
    refused(Path::new("no\0name.wav"), "NUL byte");
}

#[test]
fn a_link_to_a_sound() {
    let directory = directory();
    let (path, link) = (directory.path().join("sound.wav"), directory.path().join("link.wav"));
    std::fs::write(&path, sound()).unwrap();
    symlink(&path, &link).unwrap();
    for reader in open(&link) {
        assert_eq!(decoded::whole(&reader.unwrap(), OutputFormat::I16).unwrap(), sound()[44..]);
    }
}

#[test]
fn names_that_are_no_utf8() {
    let directory = directory();
    let missing = directory.path().join(OsStr::from_bytes(b"missing \xff\xfe.wav"));
    refused(&missing, "No such file");
    let path = directory.path().join(OsStr::from_bytes(b"sound \xff\xfe.wav"));
    match std::fs::write(&path, sound()) {
        Ok(()) => {
            for reader in open(&path) {
                let reader = reader.unwrap();
                assert_eq!(reader.path(), Some(path.as_path()));
                assert_eq!(decoded::whole(&reader, OutputFormat::I16).unwrap(), sound()[44..]);
            }
        }
        // Some file systems accept only UTF-8 names.
        Err(error) => println!("skipped: {error}"),
    }
}
