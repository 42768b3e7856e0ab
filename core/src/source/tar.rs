//! Where the members of a tar archive are.
//!
//! Source: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Header Block"; GNU tar manual, "Basic Tar Format", for long
//! names (types `L` and `K`) and for sizes in base 256.

#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use mapwave_fork::Lock;

use super::recent::Identity;
use crate::error::{Error, Result};
use crate::files;

/// Headers are one block, and the bytes of members whole blocks.
const BLOCK: u64 = 512;

/// The most that a long name or a pax header may take.
const MAX_EXTENSION: u64 = 1 << 20;

/// How many archives are remembered, and how many members one may have for that.
const NUM_REMEMBERED: usize = 8;
const MAX_REMEMBERED: usize = 1 << 18;

/// A regular file in an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The name as the archive has it.
    pub name: OsString,
    /// Where its bytes are in the archive.
    pub bytes: Range<u64>,
}

/// The members of an archive by their names, as [`plain`] has them.
type Directory = HashMap<Box<[u8]>, Range<u64>>;

/// The directories of the archives used last. Nobody waits for this lock: without it, the headers are read again.
static REMEMBERED: Lock<Vec<(Identity, Arc<Directory>)>> = Lock::new();

/// Where a member's bytes are; None if the archive has no member of this name. Of several, the last one counts, as for tar.
pub(super) fn find(
    file: &File,
    identity: Option<Identity>,
    len: u64,
    name: &OsStr,
) -> Result<Option<Range<u64>>> {
    let known = identity.zip(REMEMBERED.try_lock()).and_then(|(identity, remembered)| {
        remembered.iter().find(|(other, _)| *other == identity).map(|(_, directory)| Arc::clone(directory))
    });
    let directory = match known {
        Some(directory) => directory,
        None => {
            let members = members(file, len)?;
            let directory: Directory =
                members.into_iter().map(|member| (plain(&member.name).into(), member.bytes)).collect();
            let directory = Arc::new(directory);
            if let Some(identity) = identity
                && directory.len() <= MAX_REMEMBERED
                && let Some(mut remembered) = REMEMBERED.try_lock()
            {
                if remembered.len() >= NUM_REMEMBERED {
                    remembered.remove(0);
                }
                remembered.push((identity, Arc::clone(&directory)));
            }
            directory
        }
    };
    Ok(directory.get(plain(name)).cloned())
}

/// A name without the `./` that tar writes when it is given a directory.
fn plain(name: &OsStr) -> &[u8] {
    let bytes = name.as_encoded_bytes();
    bytes.strip_prefix(b"./").unwrap_or(bytes)
}

/// The regular files of an archive of `len` bytes, in its order.
///
/// # Errors
/// [`Error::Io`] if it cannot be read; [`Error::Unsupported`] if it is not a tar archive, or a damaged or truncated one.
pub(super) fn members(file: &File, len: u64) -> Result<Vec<Member>> {
    let mut found = Vec::new();
    let mut offset = 0;
    // What an extended header says of the next member.
    let (mut long_name, mut size_override) = (None, None);
    while let Some(header) = block(file, offset, len)? {
        let Some(size) = size_of(&header).filter(|_| is_header(&header)) else {
            return Err(damaged(offset, "expected the header of a member here, with the right checksum"));
        };
        let kind = byte(&header, 156);
        let is_file = matches!(kind, 0 | b'0' | b'7');
        let size = if is_file { size_override.take().unwrap_or(size) } else { size };
        let start = offset + BLOCK;
        let end = start.checked_add(size).filter(|end| *end <= len);
        let Some(end) = end else {
            let what =
                format!("a member of {size} bytes begins {} bytes before the end", len - start.min(len));
            return Err(damaged(offset, &what));
        };
        match kind {
            b'L' => long_name = Some(files::name_of_bytes(text(extension(file, offset, start..end)?))),
            b'x' => {
                let pax = extension(file, offset, start..end)?;
                for (key, value) in
                    records(&pax).ok_or_else(|| damaged(offset, "a pax header is malformed"))?
                {
                    match key {
                        b"path" => long_name = Some(files::name_of_bytes(value.to_vec())),
                        b"size" => {
                            size_override = std::str::from_utf8(value).ok().and_then(|size| size.parse().ok())
                        }
                        _ => {}
                    }
                }
            }
            // Headers for all members, and names of the targets of links.
            b'g' | b'K' => {}
            _ => {
                let name = long_name.take().unwrap_or_else(|| name_of(&header));
                size_override = None;
                if is_file {
                    found.push(Member { name, bytes: start..end });
                }
            }
        }
        offset = end.checked_next_multiple_of(BLOCK).unwrap_or(u64::MAX);
    }
    Ok(found)
}

/// The header at `offset`; None at the end of the archive, which is a block of zeros or the end of the file.
fn block(file: &File, offset: u64, len: u64) -> Result<Option<Vec<u8>>> {
    if offset >= len {
        return Ok(None);
    }
    let mut header = vec![0; 512];
    match files::read_exact_at(file, &mut header, offset) {
        Ok(()) => Ok(Some(header).filter(|header| header.iter().any(|byte| *byte != 0))),
        Err(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => {
            Err(damaged(offset, "the archive ends inside a header"))
        }
        Err(cause) => Err(Error::io("reading", cause)),
    }
}

fn extension(file: &File, offset: u64, range: Range<u64>) -> Result<Vec<u8>> {
    let size = range.end - range.start;
    let num_bytes = usize::try_from(size).ok().filter(|_| size <= MAX_EXTENSION);
    let num_bytes =
        num_bytes.ok_or_else(|| damaged(offset, "an extended header has more than a megabyte"))?;
    let mut bytes = vec![0; num_bytes];
    files::read_exact_at(file, &mut bytes, range.start).map_err(|cause| Error::io("reading", cause))?;
    Ok(bytes)
}

/// The records of a pax header: "length key=value\n", where the length is of all of it.
fn records(mut bytes: &[u8]) -> Option<Vec<(&[u8], &[u8])>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let space = bytes.iter().position(|byte| *byte == b' ')?;
        let length: usize = std::str::from_utf8(bytes.get(..space)?).ok()?.parse().ok()?;
        let record = bytes.get(space + 1..length)?.strip_suffix(b"\n")?;
        let equals = record.iter().position(|byte| *byte == b'=')?;
        found.push((record.get(..equals)?, record.get(equals + 1..)?));
        bytes = bytes.get(length..)?;
    }
    Some(found)
}

/// Whether the checksum is that of the header: the sum of its bytes, with spaces in the place of the checksum.
fn is_header(header: &[u8]) -> bool {
    let expected = octal(field(header, 148..156));
    let sum: u64 = header.iter().map(|byte| u64::from(*byte)).sum();
    let own: u64 = field(header, 148..156).iter().map(|byte| u64::from(*byte)).sum();
    expected == Some(sum - own + 8 * u64::from(b' '))
}

fn size_of(header: &[u8]) -> Option<u64> {
    let digits = field(header, 124..136);
    match digits.split_first() {
        // A number in base 256.
        Some((0x80, rest)) => {
            rest.iter().try_fold(0_u64, |number, byte| number.checked_mul(256)?.checked_add(u64::from(*byte)))
        }
        _ => octal(digits),
    }
}

/// The name, behind its prefix in a header of POSIX.
fn name_of(header: &[u8]) -> OsString {
    let name = text(field(header, 0..100).to_vec());
    let prefix = text(field(header, 345..500).to_vec());
    if field(header, 257..263) != b"ustar\0" || prefix.is_empty() {
        return files::name_of_bytes(name);
    }
    files::name_of_bytes([prefix, name].join(&b'/'))
}

fn field(header: &[u8], range: Range<usize>) -> &[u8] {
    header.get(range).unwrap_or_default()
}

fn byte(header: &[u8], index: usize) -> u8 {
    header.get(index).copied().unwrap_or_default()
}

/// The bytes up to the first zero.
fn text(mut bytes: Vec<u8>) -> Vec<u8> {
    let length = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    bytes.truncate(length);
    bytes
}

fn octal(digits: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(digits).ok()?.trim_matches(['\0', ' ']);
    if digits.is_empty() { Some(0) } else { u64::from_str_radix(digits, 8).ok() }
}

fn damaged(offset: u64, what: &str) -> Error {
    let what = format!("the tar archive is damaged at byte {offset}: {what}");
    Error::Unsupported { path: None, container: None, codec: None, what }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]
mod tests {
    #[cfg(unix)]
    use std::process::Command;

    use super::*;

    /// An archive that the program tar makes of files in a directory.
    #[cfg(unix)]
    fn archive(dir: &std::path::Path, format: &str, names: &[&str]) -> std::path::PathBuf {
        for (number, name) in names.iter().enumerate() {
            let path = dir.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, vec![number as u8; 700 * number]).unwrap();
        }
        let to = dir.join(format!("{format}.tar"));
        let mut tar = Command::new("tar");
        tar.args(["--format", format, "-cf"]).arg(&to).arg("-C").arg(dir).args(names);
        assert!(tar.status().unwrap().success());
        to
    }

    #[cfg(unix)]
    fn list(path: &std::path::Path) -> Result<Vec<Member>> {
        let file = File::open(path).unwrap();
        let len = file.metadata().unwrap().len();
        members(&file, len)
    }

    #[cfg(unix)]
    #[test]
    fn members_are_where_tar_puts_them() {
        let dir = tempfile::tempdir().unwrap();
        let long = format!("{}/{}.flac", "d".repeat(120), "n".repeat(180));
        let unicode = "höher/weiter.wav";
        for format in ["ustar", "gnu", "pax", "v7"] {
            let mut names = vec!["a.flac", "b/c.wav", unicode];
            if format == "gnu" || format == "pax" {
                names.push(&long);
            }
            let path = archive(dir.path(), format, &names);
            let (bytes, found) = (std::fs::read(&path).unwrap(), list(&path).unwrap());
            let found_names: Vec<_> = found.iter().map(|member| member.name.to_str().unwrap()).collect();
            assert_eq!(found_names, names, "{format}");
            for (number, member) in found.iter().enumerate() {
                let range = member.bytes.start as usize..member.bytes.end as usize;
                assert_eq!(bytes[range], vec![number as u8; 700 * number], "{format} {number}");
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_damaged_archive_is_refused_and_never_panics() {
        let dir = tempfile::tempdir().unwrap();
        let path = archive(dir.path(), "pax", &["a.flac", "höher/weiter.wav", "c"]);
        let bytes = std::fs::read(&path).unwrap();
        let damaged = dir.path().join("damaged.tar");
        let error = |bytes: &[u8]| {
            std::fs::write(&damaged, bytes).unwrap();
            list(&damaged).err().map(|error| error.to_string())
        };
        for length in (1..bytes.len()).step_by(97) {
            // An archive that ends between two members has no mark of its end, and is read up to there.
            error(&bytes[..length]);
        }
        for place in [0, 124, 148, 156, 600, 1500] {
            let mut changed = bytes.clone();
            changed[place] ^= 0x55;
            error(&changed);
        }
        let mut changed = bytes.clone();
        changed[3] ^= 1;
        assert!(error(&changed).unwrap().contains("damaged at byte 0: expected the header of a member"));
        assert!(error(&bytes[..300]).unwrap().contains("ends inside a header"));
        assert!(error(b"not a tar archive at all").unwrap().contains("damaged at byte 0"));
    }

    #[test]
    fn a_size_of_base_256_cannot_overflow() {
        let mut header = vec![0; 512];
        header[124] = 0x80;
        header[135] = 7;
        assert_eq!(size_of(&header), Some(7));
        header[125..136].fill(0xff);
        assert_eq!(size_of(&header), None);
    }
}
