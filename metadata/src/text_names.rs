//! The names of tags in the text chunks of RIFF, AIFF and CAF.

use crate::edit::Edit;
use crate::error::Result;

/// RIFF's `INFO` (Microsoft, *Multimedia Programming Interface and Data Specifications 1.0*, "INFO List Chunk"; `ITRK` and `IPRT`
/// are conventions among players). The first identifier of a name is written.
pub const INFO: [(&str, &[u8; 4]); 11] = [
    ("title", b"INAM"),
    ("artist", b"IART"),
    ("album", b"IPRD"),
    ("date", b"ICRD"),
    ("genre", b"IGNR"),
    ("comment", b"ICMT"),
    ("copyright", b"ICOP"),
    ("encoder", b"ISFT"),
    ("tracknumber", b"ITRK"),
    ("tracknumber", b"IPRT"),
    ("language", b"ILNG"),
];

/// AIFF's text chunks (*Audio Interchange File Format 1.3*, "Text Chunks").
pub const IFF: [(&str, &[u8; 4]); 4] =
    [("title", b"NAME"), ("artist", b"AUTH"), ("copyright", b"(c) "), ("comment", b"ANNO")];

/// CAF's keys (*Apple Core Audio Format Specification 1.0*, "Information Chunk") where they differ.
pub const CAF: [(&str, &str); 4] = [
    ("tracknumber", "track number"),
    ("date", "recorded date"),
    ("comment", "comments"),
    ("encoder", "encoding application"),
];

/// The name of a tag with an identifier.
pub(crate) fn name_of(names: &[(&'static str, &'static [u8; 4])], id: &[u8; 4]) -> Option<&'static str> {
    names.iter().find(|(_, known)| *known == id).map(|(name, _)| *name)
}

/// The identifier of a tag with a name.
pub(crate) fn id_of(names: &[(&'static str, &'static [u8; 4])], name: &str) -> Option<&'static [u8; 4]> {
    names.iter().find(|(known, _)| *known == name).map(|(_, id)| *id)
}

/// Reports tags that have no place among `names`.
pub(crate) fn check(
    names: &[(&'static str, &'static [u8; 4])],
    tags: &[(String, String)],
    format: &'static str,
    edit: &Edit,
) -> Result<()> {
    let mut known: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
    known.dedup();
    for (name, _) in tags.iter().filter(|(name, _)| id_of(names, name).is_none()) {
        edit.lacks(format, "tags", format!("it can store {}, got {name:?}", known.join(", ")))?;
    }
    Ok(())
}
