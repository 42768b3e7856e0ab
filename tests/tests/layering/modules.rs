//! Data flows one way: what each module of the core may name, and where it may be unsafe.

use mapwave_tests::rust::{Named, RustSource, files_below};

use crate::repository;

/// The modules from left to right; a module may name only what stands before it.
///
/// The two parts of `resample` stand apart: its mathematics far to the left of what applies them to files.
const ORDER: [&str; 24] = [
    "files",
    "memory",
    "error",
    "track",
    "pcm",
    "resample::engine",
    "matrix",
    "spec",
    "array",
    "cursor",
    "container",
    "source",
    "metadata",
    "segment",
    "buffer",
    "limits",
    "mix",
    "host",
    "decode",
    "resample::read",
    "resample",
    "kept",
    "reader",
    "sink",
];

/// The modules that may name each other: an error names a container, a track a sample format, a format an error.
const BASE: [&str; 3] = ["error", "track", "pcm"];

/// What each module may name, whole modules or single items of them.
const ALLOWED: [(&str, &[&str]); 24] = [
    ("files", &[]),
    ("memory", &[]),
    ("error", &["track"]),
    ("track", &["pcm::SampleFormat"]),
    ("pcm", &["error"]),
    ("resample::engine", &["error"]),
    ("matrix", &["error"]),
    ("spec", &["error", "pcm::OutputFormat", "matrix"]),
    ("array", &["error", "pcm::OutputFormat", "spec::Layout"]),
    ("cursor", &["error", "track"]),
    ("container", &["error", "track", "cursor", "pcm::SampleFormat", "pcm::ByteOrder", "pcm::OutputFormat"]),
    ("source", &["files", "error"]),
    ("metadata", &["error", "source"]),
    ("segment", &["error"]),
    ("buffer", &["memory", "error", "spec", "pcm::OutputFormat", "array::Audio"]),
    ("limits", &["memory::physical_memory", "error"]),
    ("mix", &["error", "pcm", "matrix", "spec"]),
    (
        "host",
        &[
            "files",
            "error",
            "track",
            "pcm::SampleFormat",
            "pcm::ByteOrder",
            "pcm::OutputFormat",
            "source",
            "metadata::Marker",
            "metadata::Picture",
            "limits::Limits",
        ],
    ),
    (
        "decode",
        &[
            "error",
            "track",
            "pcm::SampleFormat",
            "spec",
            "source",
            "metadata::Marker",
            "metadata::Picture",
            "segment",
            "mix",
            "host",
        ],
    ),
    (
        "resample::read",
        &[
            "error",
            "pcm",
            "resample::engine",
            "spec",
            "array",
            "source::Source",
            "segment",
            "buffer",
            "host",
            "decode::ReadControl",
            "decode::FrameTrack",
        ],
    ),
    ("resample", &["resample::engine", "resample::read"]),
    ("kept", &["decode::CompressedTrack", "host", "source::Identity", "source::Source", "track::Track"]),
    (
        "reader",
        &[
            "error",
            "track",
            "pcm::OutputFormat",
            "resample",
            "spec",
            "container",
            "source",
            "metadata",
            "segment",
            "buffer",
            "limits::Limits",
            "host",
            "decode",
            "kept",
        ],
    ),
    (
        "sink",
        &[
            "files",
            "error",
            "pcm",
            "spec::Layout",
            "array::Audio",
            "container::caf_description",
            "container::channel_layout",
            "container::w64",
            "container::wave_tags",
            "host",
            "metadata",
            "decode::ReadControl",
            // What a third-party plugin has encoded is opened again.
            "reader::Reader",
            "source::Access",
            "source::Source",
            "track::Codec",
        ],
    ),
];

/// The files that may hold unsafe code outside their tests; a `*` stands for the rest of a name.
const UNSAFE: [&str; 28] = [
    "memory/unix.rs",
    "source/guard/unix.rs",
    "source/mapped.rs",
    "source/paged/unix.rs",
    "source/paged/pages.rs",
    "buffer.rs",
    "reader.rs",
    "pcm/convert.rs",
    "pcm/kernel/mod.rs",
    "pcm/simd*",
    "pcm/stage.rs",
    "pcm/store_kernel/mod.rs",
    "host/ffi/fault.rs",
    "host/ffi/input.rs",
    "host/ffi/log.rs",
    "host/ffi/output.rs",
    "host/ffi/raw.rs",
    "host/loading/library.rs",
    "host/loading/unix.rs",
    "host/table/decoder.rs",
    "host/table/encoder.rs",
    "host/table/items.rs",
    "host/table/option.rs",
    "host/table/resampler.rs",
    "host/table/stream_info.rs",
    "array.rs",
    "resample/read/input.rs",
    "resample/read/mod.rs",
];

fn position(module: &str) -> Option<usize> {
    ORDER.iter().position(|name| *name == module)
}

/// The module of the order in which a path from the crate's root leads: of two that do, the inner one.
fn module_of<'a>(path: &[impl AsRef<str>], modules: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let leads = |module: &&str| {
        let mut parts = path.iter();
        module.split("::").all(|name| parts.next().is_some_and(|part| part.as_ref() == name))
    };
    modules.filter(leads).max_by_key(|module| module.len())
}

/// What a file names against the order.
fn edges(file: &RustSource) -> Vec<String> {
    let path = file.module();
    if path.is_empty() {
        return Vec::new();
    }
    let found = module_of(&path, ORDER.into_iter());
    let Some((module, allowed)) = ALLOWED.iter().find(|(name, _)| Some(*name) == found) else {
        return vec![format!("{}: module {} has no place in the order", file.path, path.join("::"))];
    };
    let breaks = file.named().into_iter().filter(|named| {
        let target = module_of(&named.path, ORDER.into_iter());
        target != Some(module) && module_of(&named.path, allowed.iter().copied()).is_none()
    });
    let list = if allowed.is_empty() { "nothing".to_owned() } else { allowed.join(", ") };
    let message = |named: Named| {
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

#[test]
fn every_module_names_only_what_is_left_of_it() {
    let files = files_below(&repository().join("core/src"));
    assert!(files.iter().any(|file| file.path == "container/wav.rs"), "the files were found");
    for module in ORDER {
        let is_there = |file: &RustSource| module_of(&file.module(), [module].into_iter()).is_some();
        assert!(files.iter().any(is_there), "{module} is a module");
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
            let path: Vec<&str> = edge.split("::").collect();
            let target = module_of(&path, ORDER.into_iter()).unwrap();
            let leftward = position(target).is_some_and(|target| target < place);
            let in_base = BASE.contains(module) && BASE.contains(&target);
            assert!(leftward || in_base, "{module} -> {edge} goes rightward");
        }
    }
}

#[test]
fn unsafe_code_stands_where_it_is_allowed() {
    let broken: Vec<String> = files_below(&repository().join("core/src")).iter().flat_map(unsafety).collect();
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
    assert_eq!(edge("resample/engine/plan.rs", "use crate::resample::read::Converter;").len(), 1);
    assert_eq!(edge("resample/engine/plan.rs", "use crate::resample::Converter;").len(), 1);
    assert_eq!(edge("resample/engine/plan.rs", "use crate::resample::engine::Rates;").len(), 0);
    assert_eq!(edge("resample/read/run.rs", "use crate::resample::engine::Rates;").len(), 0);
    assert_eq!(edge("container/caf.rs", "use super::riff; use crate::container::wav;").len(), 0);

    let unsafety = |path: &str, text: &str| unsafety(&RustSource::new(path, text));
    assert_eq!(unsafety("mix.rs", "fn f() { unsafe { g() } }").len(), 1);
    assert_eq!(unsafety("buffer.rs", "fn f() { unsafe { g() } }").len(), 0);
    assert_eq!(unsafety("pcm/simd/neon.rs", "fn f() { unsafe { g() } }").len(), 0);
    assert_eq!(unsafety("mix.rs", "#[cfg(test)]\nmod tests {\n    unsafe fn f() {}\n}\n").len(), 0);
    assert_eq!(unsafety("container/au.rs", "").len(), 1);
}
