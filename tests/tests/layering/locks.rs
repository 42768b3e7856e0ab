//! A process can fork at any time: no lock or lazy value is used that a thread of the parent would leave halfway in the child.

use mapwave_tests::rust::{RustSource, files_below};

use crate::{crates, repository};

/// What a forked child may wait for without end. `plugins/fork` has substitutes.
const HALFWAY: [&str; 11] = [
    "Mutex",
    "RwLock",
    "Condvar",
    "call_once",
    "OnceLock",
    "LazyLock",
    "Barrier",
    "parking_lot",
    "once_cell",
    "spawn",
    "spawn_scoped",
];

/// The files that use them all the same, and why a child never meets them halfway.
const ALLOWED: [(&str, &str, &str); 14] = [
    ("core/src/host/loading/probation.rs", "spawn", "a process, not a thread"),
    ("core/src/segment.rs", "Mutex", "a variable of a call, whose threads end with it"),
    ("plugins/codecs/flac/src/encode/batch.rs", "Mutex", "a variable of a call, whose threads end with it"),
    (
        "plugins/codecs/flac/src/encode/batch.rs",
        "OnceLock",
        "a variable of a call, whose threads end with it",
    ),
    ("plugins/libav/src/log.rs", "call_once", "set while the library is loaded, for which a fork waits"),
    ("plugins/sdk/src/encoder.rs", "Mutex", "a place in memory for the tests of plugins"),
    (
        "plugins/sdk/src/export/library.rs",
        "OnceLock",
        "set while the library is loaded, for which a fork waits",
    ),
    (
        "plugins/sdk/src/export/macros.rs",
        "OnceLock",
        "set while the library is loaded, for which a fork waits",
    ),
    ("plugins/sdk/src/guard.rs", "call_once", "set while the library is loaded, for which a fork waits"),
    ("python/src/reader.rs", "Mutex", "only locked with the interpreter's lock, which a fork needs"),
    ("python/src/stream.rs", "Mutex", "only locked with the interpreter's lock, which a fork needs"),
    ("plugins/fork/src/threads.rs", "spawn", "while a fork waits"),
    ("plugins/fork/src/threads.rs", "spawn_scoped", "while a fork waits"),
    ("plugins/fork/src/lock.rs", "Mutex", "what the lock is made of"),
];

/// The crates that do not run in a user's process.
const TOOLS: [&str; 4] = ["benches/micro", "plugins/check", "tests", "tests/oracle"];

/// What a file names of [`HALFWAY`], with the lines.
fn halfway(file: &RustSource) -> Vec<(usize, &'static str)> {
    let names = file
        .words()
        .filter_map(|(line, word)| HALFWAY.iter().find(|name| **name == word).map(|name| (line, *name)));
    names.collect()
}

#[test]
fn no_lock_can_be_left_behind_in_a_forked_child() {
    let mut broken = Vec::new();
    let mut seen = Vec::new();
    for directory in crates().iter().filter(|member| !TOOLS.contains(&member.as_str())) {
        let directory = format!("{directory}/src");
        let files = files_below(&repository().join(&directory));
        assert!(!files.is_empty(), "{directory} has files");
        for file in files {
            let path = format!("{directory}/{}", file.path);
            for (line, name) in halfway(&file) {
                let is_it = |allowed: &&(&str, &str, &str)| (allowed.0, allowed.1) == (path.as_str(), name);
                match ALLOWED.iter().find(is_it) {
                    Some(allowed) => seen.push(*allowed),
                    None => {
                        broken.push(format!("{path}:{line}: {name}, for which plugins/fork has a substitute"))
                    }
                }
            }
        }
    }
    broken.dedup();
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
    for allowed in ALLOWED {
        assert!(seen.contains(&allowed), "{} does not name {} any more", allowed.0, allowed.1);
    }
}

#[test]
fn a_lock_is_seen_wherever_it_stands() {
    let lines = |text: &str| halfway(&RustSource::new("a.rs", text)).len();
    assert_eq!(lines("use std::sync::Mutex;\nstatic A: Mutex<u8> = Mutex::new(0);"), 3);
    assert_eq!(lines("fn f() { parking_lot::Mutex::new(1); }"), 2);
    assert_eq!(lines("// Mutex\nfn f(x: impl FnOnce()) { x() } const A: Access = Access::Once;"), 0);
}
