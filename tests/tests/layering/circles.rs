//! No two files import each other, straight or through others, but for a few natural pairs.

use std::path::Path;

use mapwave_tests::rust::{Crate, Edge, circles, ties};

use crate::{crates, repository};

/// The most pairs that there may be.
const MAX_PAIRS: usize = 5;

/// The pairs of files that may import each other, and why.
const PAIRS: [(&str, &str, &str); 3] = [
    (
        "cli/src/convert/many.rs",
        "cli/src/convert/mod.rs",
        "the arguments of the command contain those for many files, of which each is converted as one file is",
    ),
    (
        "plugins/builtin/src/format/mpeg/codec.rs",
        "plugins/builtin/src/format/mpeg/stream.rs",
        "a stream says what its codec is, and the codec fills its bit reservoir from the stream",
    ),
    (
        "python/src/dlpack.rs",
        "python/src/frames.rs",
        "a tensor keeps the frames that own its memory, and frames are exported as a tensor",
    ),
];

/// The files at which compilation of a crate begins.
fn roots(directory: &Path, member: &str) -> Vec<String> {
    let mut roots = Vec::new();
    let mut add = |path: String| {
        if directory.join(&path).is_file() {
            roots.push(path);
        }
    };
    for file in ["src/lib.rs", "src/main.rs", "lib.rs", "build.rs"] {
        add(format!("{member}/{file}"));
    }
    for folder in ["src/bin", "tests", "benches", "examples"] {
        let entries = std::fs::read_dir(directory.join(member).join(folder)).into_iter().flatten();
        for entry in entries {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let file = if name.ends_with(".rs") { name } else { format!("{name}/main.rs") };
            add(format!("{member}/{folder}/{file}"));
        }
    }
    roots.sort();
    roots
}

/// The circles among these edges that the list of pairs lacks, each with what ties it, and the listed pairs that do not form a circle.
fn broken(edges: &[Edge], pairs: &[(&str, &str, &str)]) -> Vec<String> {
    let circles = circles(edges);
    let is_pair = |circle: &Vec<String>| pairs.iter().any(|(one, other, _)| *circle == [*one, *other]);
    let is_circle =
        |(one, other, _): &&(&str, &str, &str)| circles.iter().any(|circle| *circle == [*one, *other]);
    let message =
        |circle: &Vec<String>| format!("a circle of {} files:\n{}", circle.len(), ties(circle, edges));
    let mut broken: Vec<String> = circles.iter().filter(|circle| !is_pair(circle)).map(message).collect();
    let gone = pairs.iter().filter(|pair| !is_circle(pair));
    broken.extend(
        gone.map(|(one, other, _)| {
            format!("{one} and {other} are no circle any more: take them off the list")
        }),
    );
    broken
}

#[test]
fn no_files_import_each_other_but_natural_pairs() {
    let root = repository();
    let (mut edges, mut num_files, mut num_paths) = (Vec::new(), 0, 0);
    for member in crates() {
        let roots = roots(&root, &member);
        assert!(!roots.is_empty(), "{member} has no file to begin at");
        for file in roots {
            let graph = Crate::read(&root, &file);
            num_files += graph.files().len();
            num_paths += graph.num_paths();
            edges.extend(graph.edges());
        }
    }
    println!("circles: {num_paths} paths in {num_files} files, {} imports", edges.len());
    assert!(
        edges.iter().any(|edge| edge.from == "core/src/reader.rs" && edge.to == "core/src/source/mod.rs")
    );
    let broken = broken(&edges, &PAIRS);
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn the_list_of_pairs_is_short_and_has_reasons() {
    assert!(PAIRS.len() <= MAX_PAIRS, "{} pairs", PAIRS.len());
    for (one, other, reason) in PAIRS {
        assert!(one < other, "{one} and {other} stand in order");
        assert!(!reason.is_empty(), "{one} and {other} have a reason");
    }
}

#[test]
fn every_rule_can_be_broken() {
    let edges = |files: &[(&str, &str)]| {
        let read =
            |path: &str| files.iter().find(|(name, _)| *name == path).map(|(_, text)| (*text).to_owned());
        Crate::new(files[0].0, &read).edges()
    };
    let root = ("src/lib.rs", "mod a;\nmod b;\npub use a::A;");
    let straight = [root, ("src/a.rs", "use crate::b::B;\npub struct A;"), ("src/b.rs", "pub struct B;")];
    assert!(broken(&edges(&straight), &[]).is_empty());

    let both = [root, straight[1], ("src/b.rs", "pub struct B;\nfn f(a: crate::A) {}")];
    let found = broken(&edges(&both), &[]);
    assert!(
        found[0].contains("a circle of 2 files") && found[0].contains("src/b.rs:2 names crate::A"),
        "{found:?}"
    );
    assert!(broken(&edges(&both), &[("src/a.rs", "src/b.rs", "a pair")]).is_empty());

    let gone = broken(&edges(&straight), &[("src/a.rs", "src/b.rs", "a pair")]);
    assert!(gone[0].contains("no circle any more"), "{gone:?}");

    let parent = [
        ("src/lib.rs", "mod a;\nfn f() { a::g() }\npub const C: u8 = 1;"),
        ("src/a.rs", "pub fn g() { super::C; }"),
    ];
    assert_eq!(broken(&edges(&parent), &[]).len(), 1, "a module with code of its own and its child");
}
