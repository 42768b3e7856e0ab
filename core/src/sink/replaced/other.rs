//! Files of Windows, whose rights are lists for which the standard library has no calls.

#![forbid(unsafe_code)]

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::path::Path;

/// There is none: a new file would have the rights that its directory gives, and others could read what they could not before.
#[derive(Debug)]
pub(in crate::sink) enum Replaced {}

impl Replaced {
    pub(in crate::sink) fn new(_: &Path, _: Metadata) -> io::Result<Self> {
        let what = "there is a file of this name already, and on this system mapwave cannot keep the rights to it: remove it, or \
                    save under another name";
        Err(io::Error::new(io::ErrorKind::Unsupported, what))
    }

    pub(in crate::sink) fn give_to(&self, _: &Path, _: &File) -> io::Result<()> {
        match *self {}
    }
}

/// It is never private, since it replaces no other.
pub(in crate::sink) fn create_new(path: &Path, _is_private: bool) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

pub(in crate::sink) const RESERVES: bool = false;

pub(in crate::sink) fn reserve(_: &File, _start: u64, _num_bytes: u64) -> bool {
    false
}

pub(in crate::sink) fn open_directory(_: &Path) -> io::Result<File> {
    let what =
        "on this system mapwave cannot write the name of a file to the disk at once; save without that";
    Err(io::Error::new(io::ErrorKind::Unsupported, what))
}
