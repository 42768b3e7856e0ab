//! The rules that the project's structure keeps, each shown to be breakable.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, missing_docs)]

mod circles;
mod dependencies;
mod locks;
mod modules;
mod products;

use std::path::PathBuf;

/// The repository's own directory.
fn repository() -> PathBuf {
    std::fs::canonicalize(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).unwrap()
}

/// The directories of the workspace's crates, below the repository's own.
fn crates() -> Vec<String> {
    let manifest = std::fs::read_to_string(repository().join("Cargo.toml")).unwrap();
    let members = manifest.split("members = [").nth(1).and_then(|rest| rest.split(']').next()).unwrap();
    members.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}
