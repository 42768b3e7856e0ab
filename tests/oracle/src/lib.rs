//! What must hold for any bytes, whoever made them.
//!
//! Each [`Target`] takes bytes and panics where a promise is broken. The fuzz targets in `fuzz/` call them with what a fuzzer makes up,
//! and the tests of this crate with all that fuzzing has found (`fixtures/fuzz`), and with damaged fixtures.

#![allow(clippy::indexing_slicing, clippy::cast_possible_truncation)]

pub mod allocation;
mod arguments;
pub mod damage;
mod file;
mod metadata;
mod packets;
mod plugin;
mod repair;
mod saving;
pub mod seeds;
mod stored;

use crate::allocation::Counted;

/// A way to take bytes.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, which is that of the program that fuzzes it, and of the directory of what that has found.
    pub name: &'static str,
    /// How the files begin that it is meant for; any if there are none.
    magics: &'static [(usize, &'static [u8])],
    /// Panics where a promise is broken; returns whether the bytes are accepted.
    check: fn(&[u8]) -> bool,
}

/// Every target.
pub const TARGETS: &[Target] = &[
    Target {
        name: "wav",
        magics: &[(0, b"RIFF"), (0, b"RIFX"), (0, b"RF64"), (0, b"BW64"), (0, b"riff")],
        check: file::check,
    },
    Target { name: "aiff", magics: &[(0, b"FORM")], check: file::check },
    Target { name: "caf", magics: &[(0, b"caff")], check: file::check },
    Target {
        name: "flac",
        magics: &[(0, b"fLaC"), (0, b"ID3")],
        check: |bytes| file::check(&repair::flac(bytes)),
    },
    Target { name: "mpeg", magics: &[(0, b"\xff"), (0, b"ID3")], check: file::check },
    Target {
        name: "adts",
        magics: &[(0, b"\xff\xf0"), (0, b"\xff\xf1"), (0, b"\xff\xf8"), (0, b"\xff\xf9"), (0, b"ID3")],
        check: file::check,
    },
    Target {
        name: "mp4",
        magics: &[(4, b"ftyp"), (4, b"moov"), (4, b"free"), (4, b"mdat")],
        check: file::check,
    },
    Target { name: "ogg", magics: &[(0, b"OggS")], check: |bytes| file::check(&repair::ogg(bytes)) },
    Target { name: "matroska", magics: &[(0, b"\x1a\x45\xdf\xa3")], check: file::check },
    Target { name: "any", magics: &[], check: file::check },
    Target { name: "plugin", magics: &[(0, plugin::MAGIC)], check: plugin::check },
    Target { name: "metadata", magics: &[], check: metadata::check },
    Target { name: "saving", magics: &[], check: saving::check },
    Target { name: "arguments", magics: &[], check: arguments::check },
    Target { name: "aac_packets", magics: &[], check: packets::aac },
    Target { name: "alac_packets", magics: &[], check: packets::alac },
    Target { name: "flac_packets", magics: &[], check: packets::flac },
    Target { name: "mp3_packets", magics: &[], check: packets::mp3 },
    Target { name: "vorbis_packets", magics: &[], check: packets::vorbis },
];

/// What became of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// They are not of the kind that the target is meant for.
    Other,
    /// They are refused, in an orderly way.
    Refused,
    /// A file opens, a packet decodes, options save, a command is understood.
    Accepted,
}

/// The memory that bytes may cost: so many times their number, and so much more.
const MAX_FACTOR: u64 = 100;
const SLACK: u64 = 64 << 20;

/// Takes any file by the plugin over FFmpeg, which the program has registered; returns whether it opens.
///
/// # Panics
/// When a promise is broken.
pub fn read_by_libav(bytes: &[u8]) -> bool {
    file::check_with(bytes, &mapwave::OpenOptions::new().plugin("libav"))
}

impl Target {
    /// The target of a name.
    ///
    /// # Panics
    /// When there is none.
    pub fn named(name: &str) -> Self {
        *TARGETS
            .iter()
            .find(|target| target.name == name)
            .unwrap_or_else(|| panic!("no target is called {name}"))
    }

    /// Whether bytes are of the kind that the target is meant for.
    pub fn takes(&self, bytes: &[u8]) -> bool {
        let is_here =
            |(place, magic): &(usize, &[u8])| bytes.get(*place..).is_some_and(|rest| rest.starts_with(magic));
        self.magics.is_empty() || self.magics.iter().any(is_here)
    }

    /// Takes bytes.
    ///
    /// # Panics
    /// When a promise is broken.
    pub fn run(&self, bytes: &[u8]) -> Outcome {
        if !self.takes(bytes) {
            return Outcome::Other;
        }
        let (is_accepted, peak) = Counted::peak_of(|| (self.check)(bytes));
        let limit = MAX_FACTOR * bytes.len() as u64 + SLACK;
        assert!(peak <= limit, "{} bytes cost {peak} bytes of memory, more than {limit}", bytes.len());
        if is_accepted { Outcome::Accepted } else { Outcome::Refused }
    }
}
