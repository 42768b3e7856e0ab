//! Data flows one way: what each module of the core may name, and where it may be unsafe.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, missing_docs)]

use std::path::{Path, PathBuf};

use mapwave_tests::rust_source::{RustSource, files_below};

/// The modules from left to right; a module may name only what stands before it.
const ORDER: [&str; 17] = [
    "error",
    "track",
    "pcm",
    "resample",
    "spec",
    "audio",
    "cursor",
    "container",
    "source",
    "segment",
    "frames",
    "mix",
    "host",
    "decode",
    "resampled",
    "reader",
    "sink",
];

/// The modules that may name each other: an error names a container, a track a sample format, a format an error.
const BASE: [&str; 3] = ["error", "track", "pcm"];

/// What each module may name, whole modules or single items of them.
const ALLOWED: [(&str, &[&str]); 17] = [
    ("error", &["track"]),
    ("track", &["pcm::SampleFormat"]),
    ("pcm", &["error"]),
    ("resample", &["error"]),
    ("spec", &["error", "pcm::OutputFormat"]),
    ("audio", &["error", "pcm::OutputFormat", "spec::Layout"]),
    ("cursor", &["error", "track"]),
    ("container", &["error", "track", "cursor", "pcm::SampleFormat", "pcm::ByteOrder", "pcm::OutputFormat"]),
    ("source", &["error"]),
    ("segment", &["error"]),
    ("frames", &["error", "spec", "pcm::OutputFormat"]),
    ("mix", &["error", "pcm", "spec"]),
    ("host", &["error", "track", "pcm::SampleFormat", "pcm::ByteOrder", "pcm::OutputFormat", "source"]),
    ("decode", &["error", "track", "pcm::SampleFormat", "spec", "source", "segment", "mix", "host"]),
    (
        "resampled",
        &[
            "error",
            "pcm",
            "resample",
            "spec",
            "audio",
            "source::Source",
            "segment",
            "frames",
            "host",
            "decode::Effort",
            "decode::FrameTrack",
        ],
    ),
    (
        "reader",
        &[
            "error",
            "track",
            "pcm::OutputFormat",
            "resample::Rates",
            "resampled",
            "spec",
            "container",
            "source",
            "segment",
            "frames",
            "host",
            "decode",
        ],
    ),
    (
        "sink",
        &[
            "error",
            "pcm",
            "spec::Layout",
            "audio::Audio",
            "container::caf_description",
            "container::channel_layout",
            "container::w64",
            "container::wave_tags",
            "host",
            "decode::Effort",
        ],
    ),
];

/// The files that may hold unsafe code outside their tests; a `*` stands for the rest of a name.
const UNSAFE: [&str; 23] = [
    "source/guard.rs",
    "source/mapped.rs",
    "frames.rs",
    "reader.rs",
    "pcm/convert.rs",
    "pcm/simd*",
    "pcm/stage.rs",
    "pcm/store.rs",
    "host/decoder.rs",
    "host/encoder.rs",
    "host/fake.rs",
    "host/fake_encoder.rs",
    "host/fault.rs",
    "host/input.rs",
    "host/library.rs",
    "host/log.rs",
    "host/output.rs",
    "host/raw.rs",
    "host/resampler.rs",
    "host/fake_resampler.rs",
    "audio.rs",
    "resampled/input.rs",
    "resampled/mod.rs",
];

/// What the core must do without: it knows neither Python nor the plugins, but for their interface.
const FOREIGN: [&str; 4] = ["pyo3", "numpy", "mapwave", "symphonia"];

fn core() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../core")
}

fn position(module: &str) -> Option<usize> {
    ORDER.iter().position(|name| *name == module)
}

/// What a file names against the order.
fn edges(file: &RustSource) -> Vec<String> {
    let module = file.module().first().map(ToString::to_string);
    let Some(module) = module else { return Vec::new() };
    let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == module) else {
        return vec![format!("{}: module {module} has no place in the order", file.path)];
    };
    let breaks = file.named().into_iter().filter(|named| {
        let first = named.path.first().map_or("", String::as_str);
        let item = named.path.get(..2).map(|item| item.join("::"));
        first != module && !allowed.iter().any(|edge| *edge == first || item.as_deref() == Some(edge))
    });
    let list = if allowed.is_empty() { "nothing".to_owned() } else { allowed.join(", ") };
    let message = |named: mapwave_tests::rust_source::Named| {
        let path = named.path.join("::");
        format!("{}:{}: names crate::{path}, and {module} may name only {list}", file.path, named.line)
    };
    breaks.map(message).collect()
}

/// Where a file is unsafe without leave, or may become so.
fn unsafety(file: &RustSource) -> Vec<String> {
    let allowed = UNSAFE.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(start) => file.path.starts_with(start),
        None => file.path == *pattern,
    });
    let lines = if allowed { Vec::new() } else { file.unsafe_lines() };
    let message = |line| format!("{}:{line}: unsafe, which only {} may be", file.path, UNSAFE.join(", "));
    let mut broken: Vec<String> = lines.into_iter().map(message).collect();
    if file.module().first() == Some(&"container") && !file.forbids_unsafe() {
        broken.push(format!("{}:1: a container file without #![forbid(unsafe_code)]", file.path));
    }
    broken
}

/// The dependencies of a manifest that the core must do without.
fn foreign_dependencies(manifest: &str) -> Vec<String> {
    let mut section = "";
    let mut broken = Vec::new();
    for (index, line) in manifest.lines().enumerate() {
        let line = line.trim();
        if line.starts_with('[') {
            section = line.trim_matches(['[', ']']);
        }
        // Both `name = ..` in a section of dependencies and a section of its own, `[dependencies.name]`.
        let name = match section.rsplit_once("dependencies.") {
            Some((_, name)) if line.starts_with('[') => name,
            _ if section.ends_with("dependencies") => line.split(['=', '.', ' ']).next().unwrap_or_default(),
            _ => "",
        };
        if name != "mapwave-plugin-abi" && FOREIGN.iter().any(|foreign| name.starts_with(foreign)) {
            broken.push(format!("core/Cargo.toml:{}: the core depends on {name}", index + 1));
        }
    }
    broken
}

#[test]
fn every_module_names_only_what_is_left_of_it() {
    let files = files_below(&core().join("src"));
    assert!(files.iter().any(|file| file.path == "container/wav.rs"), "the files were found");
    for module in ORDER {
        assert!(files.iter().any(|file| file.module().first() == Some(&module)), "{module} is a module");
    }
    let broken: Vec<String> = files.iter().flat_map(edges).collect();
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
    println!(
        "layering: {} paths in {} files",
        files.iter().map(|f| f.named().len()).sum::<usize>(),
        files.len()
    );
}

#[test]
fn the_table_of_edges_follows_the_order() {
    for ((module, allowed), place) in ALLOWED.iter().zip(0..) {
        assert_eq!(
            position(module),
            Some(place),
            "{module} stands in the table where it stands in the order"
        );
        for edge in *allowed {
            let target = edge.split("::").next().unwrap();
            let leftward = position(target).is_some_and(|target| target < place);
            let in_base = BASE.contains(module) && BASE.contains(&target);
            assert!(leftward || in_base, "{module} -> {edge} goes rightward");
        }
    }
}

#[test]
fn unsafe_code_stands_where_it_is_allowed() {
    let broken: Vec<String> = files_below(&core().join("src")).iter().flat_map(unsafety).collect();
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn the_core_depends_on_neither_python_nor_plugins() {
    let broken = foreign_dependencies(&std::fs::read_to_string(core().join("Cargo.toml")).unwrap());
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn every_rule_can_be_broken() {
    let edge = |path: &str, text: &str| edges(&RustSource::new(path, text));
    assert_eq!(edge("mix.rs", "\nuse crate::reader::Reader;").len(), 1);
    assert!(
        edge("mix.rs", "\nuse crate::reader::Reader;")[0]
            .starts_with("mix.rs:2: names crate::reader::Reader")
    );
    assert_eq!(edge("container/caf.rs", "use crate::{error::Result, source::Source};").len(), 1);
    assert_eq!(edge("container/caf.rs", "use crate::pcm::{Kernel, SampleFormat};").len(), 1);
    assert_eq!(edge("container/caf.rs", "use super::super::decode;").len(), 1);
    assert_eq!(edge("decode.rs", "fn f() { crate::reader::open() }").len(), 1);
    assert_eq!(edge("remix.rs", "").len(), 1);
    assert_eq!(edge("container/caf.rs", "use super::riff; use crate::container::wav;").len(), 0);

    let unsafety = |path: &str, text: &str| unsafety(&RustSource::new(path, text));
    assert_eq!(unsafety("mix.rs", "fn f() { unsafe { g() } }").len(), 1);
    assert_eq!(unsafety("frames.rs", "fn f() { unsafe { g() } }").len(), 0);
    assert_eq!(unsafety("pcm/simd/neon.rs", "fn f() { unsafe { g() } }").len(), 0);
    assert_eq!(unsafety("mix.rs", "#[cfg(test)]\nmod tests {\n    unsafe fn f() {}\n}\n").len(), 0);
    assert_eq!(unsafety("container/au.rs", "").len(), 1);

    assert_eq!(foreign_dependencies("[dependencies]\npyo3 = \"1\"\nlibc = \"0.2\"\n").len(), 1);
    assert_eq!(foreign_dependencies("[target.'cfg(unix)'.dependencies.pyo3]\nversion = \"1\"\n").len(), 1);
    assert_eq!(foreign_dependencies("[dependencies]\nmapwave-plugin-soxr.workspace = true\n").len(), 1);
    assert_eq!(foreign_dependencies("[dependencies]\nmapwave-plugin-abi.workspace = true\n").len(), 0);
}
