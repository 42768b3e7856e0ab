//! Which crate may depend on which.

use crate::{crates, repository};

/// What everybody may depend on: the plugin interface, the locks of processes that fork, and the parsers of metadata, which are
/// pure functions.
const COMMON: [&str; 3] = ["mapwave-plugin-abi", "mapwave-fork", "mapwave-metadata"];

/// What the core must do without beside the other crates of the workspace: it knows neither Python nor a codec.
const FOREIGN: [&str; 3] = ["pyo3", "numpy", "symphonia"];

/// The names of a manifest's dependencies with their lines; those of tests only where `with_tests`.
fn dependencies(manifest: &str, with_tests: bool) -> Vec<(usize, String)> {
    let mut section = "";
    let mut found = Vec::new();
    for (index, line) in manifest.lines().enumerate() {
        let line = line.trim();
        if line.starts_with('[') {
            section = line.trim_matches(['[', ']']);
        }
        // Both `name = ..` in a section of dependencies and a section of its own, `[dependencies.name]`.
        let (kind, name) = match section.rsplit_once("dependencies.") {
            Some((kind, name)) if line.starts_with('[') => (kind, name),
            _ => match section.strip_suffix("dependencies") {
                Some(kind) if !line.starts_with(['[', '#']) => {
                    (kind, line.split(['=', '.', ' ']).next().unwrap_or_default())
                }
                _ => continue,
            },
        };
        let counts = with_tests || !kind.ends_with("dev-");
        if counts && !name.is_empty() {
            found.push((index + 1, name.to_owned()));
        }
    }
    found
}

/// What the manifest of a crate in this directory must not have.
fn broken(member: &str, manifest: &str) -> Vec<String> {
    let is_core = member == "core";
    let is_codec = member.starts_with("plugins/codecs/");
    let is_ours = |name: &str| name.starts_with("mapwave");
    let is_wrong = |name: &str| match member {
        "plugins/abi" => true,
        "plugins/fork" => is_ours(name),
        _ if is_core => {
            !COMMON.contains(&name)
                && (is_ours(name) || FOREIGN.iter().any(|foreign| name.starts_with(foreign)))
        }
        // Codecs may use each other, but neither the interface nor what plugins are made with.
        _ if is_codec => {
            is_ours(name)
                && (name.starts_with("mapwave-plugin") || matches!(name, "mapwave-core" | "mapwave-builtin"))
        }
        _ => false,
    };
    let found = dependencies(manifest, is_core || is_codec);
    let wrong = found.into_iter().filter(|(_, name)| is_wrong(name));
    wrong.map(|(line, name)| format!("{member}/Cargo.toml:{line}: it may not depend on {name}")).collect()
}

#[test]
fn crates_depend_on_nothing_to_their_right() {
    let members = crates();
    for expected in ["core", "plugins/abi", "plugins/codecs/flac"] {
        assert!(members.iter().any(|member| member == expected), "{expected} is a crate");
    }
    let manifest =
        |member: &String| std::fs::read_to_string(repository().join(member).join("Cargo.toml")).unwrap();
    let broken: Vec<String> = members.iter().flat_map(|member| broken(member, &manifest(member))).collect();
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn every_rule_can_be_broken() {
    assert_eq!(broken("core", "[dependencies]\npyo3 = \"1\"\nlibc = \"0.2\"\n").len(), 1);
    assert_eq!(broken("core", "[target.'cfg(unix)'.dependencies.pyo3]\nversion = \"1\"\n").len(), 1);
    assert_eq!(broken("core", "[dependencies]\nmapwave-plugin-soxr.workspace = true\n").len(), 1);
    assert_eq!(broken("core", "[dev-dependencies]\nmapwave-builtin.workspace = true\n").len(), 1);
    assert_eq!(
        broken("core", "[dependencies]\nmapwave-plugin-abi.workspace = true # the interface\n").len(),
        0
    );
    assert_eq!(broken("core", "[dependencies]\nmapwave-fork.workspace = true\n").len(), 0);
    assert_eq!(broken("plugins/fork", "[dependencies]\nmapwave-plugin-abi.workspace = true\n").len(), 1);
    assert_eq!(broken("plugins/abi", "[dependencies]\n# why\nlibc = \"0.2\"\n").len(), 1);
    assert_eq!(broken("plugins/abi", "[dev-dependencies]\nlibc = \"0.2\"\n").len(), 0);
    assert_eq!(broken("plugins/codecs/x", "[dependencies]\nmapwave-plugin.workspace = true\n").len(), 1);
    assert_eq!(
        broken("plugins/codecs/x", "[dependencies.mapwave-core]\npath = \"../../../core\"\n").len(),
        1
    );
    assert_eq!(
        broken("plugins/codecs/x", "[dev-dependencies]\nmapwave-plugin-abi.workspace = true\n").len(),
        1
    );
    assert_eq!(broken("plugins/codecs/x", "[dependencies]\nmapwave-flac.workspace = true\n").len(), 0);
}
