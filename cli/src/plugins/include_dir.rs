//! `mapwave plugins include-dir`: where the headers of the plugin interface are.

#![forbid(unsafe_code)]

use std::env;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use mapwave_core::host::{self, Origin};

/// The headers, and their names.
pub const HEADERS: [(&str, &str); 2] = [
    ("mapwave_plugin.h", mapwave_plugin_abi::headers::PLUGIN),
    ("mapwave_plugin_util.h", mapwave_plugin_abi::headers::PLUGIN_UTIL),
];

/// Prints the directory and returns the exit code.
///
/// A package has the headers beside its plugins. A command without a package writes its own to the user's data directory.
pub fn run() -> i32 {
    let directory = packaged().map_or_else(|| own(&data_directory()?), Ok);
    match directory {
        Ok(directory) => {
            // Nobody reads the output if it cannot be written.
            let _ = writeln!(io::stdout(), "{}", directory.display());
            0
        }
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error}");
            1
        }
    }
}

/// The directory of the package that this command belongs to.
fn packaged() -> Option<PathBuf> {
    let bundled = host::directories().into_iter().find(|directory| directory.origin == Origin::Bundled)?;
    // PACKAGE/plugins/abi1
    let include = bundled.path.parent()?.parent()?.join("include");
    HEADERS.iter().all(|(name, _)| include.join(name).is_file()).then_some(include)
}

/// Writes the headers below a directory, if they are not there already.
fn own(data: &Path) -> io::Result<PathBuf> {
    let include = data.join("mapwave/include");
    for (name, text) in HEADERS {
        let path = include.join(name);
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        if fs::read(&path).is_ok_and(|found| found == text.as_bytes()) {
            continue;
        }
        fs::create_dir_all(&include).map_err(named)?;
        // A compiler that reads it meanwhile shall not see a part.
        let part = include.join(format!("{name}.{}", std::process::id()));
        fs::write(&part, text).and_then(|()| fs::rename(&part, &path)).map_err(named)?;
    }
    Ok(include)
}

/// Where the user's data are.
fn data_directory() -> io::Result<PathBuf> {
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = absolute("HOME").ok_or_else(|| io::Error::other("HOME is not set"));
    if cfg!(target_os = "macos") {
        return Ok(home?.join("Library/Application Support"));
    }
    absolute("XDG_DATA_HOME").map_or_else(|| Ok(home?.join(".local/share")), Ok)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_headers_are_written_once() {
        let directory = tempfile::tempdir().unwrap();
        for _ in 0..2 {
            let include = own(directory.path()).unwrap();
            assert_eq!(include, directory.path().join("mapwave/include"));
            for (name, text) in HEADERS {
                assert_eq!(fs::read_to_string(include.join(name)).unwrap(), text);
            }
            assert_eq!(fs::read_dir(&include).unwrap().count(), HEADERS.len());
            fs::write(include.join("mapwave_plugin.h"), "an older one").unwrap();
        }
    }
}
