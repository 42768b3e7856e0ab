//! The C header of the plugin interface matches the Rust source, and C and C++ agree with Rust.

#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use mapwave_plugin_abi as abi;

/// The files of the source, in the order in which the header has their declarations.
const FILES: [&str; 14] = [
    "version",
    "status",
    "format",
    "host",
    "input",
    "stream",
    "option",
    "metadata",
    "buffer",
    "sink",
    "decoder",
    "encoder",
    "resampler",
    "plugin",
];

/// Set to write the header instead of comparing it.
const UPDATE: &str = "MAPWAVE_UPDATE_HEADER";

const BEGIN: &str = r#"#ifndef MAPWAVE_PLUGIN_H
#define MAPWAVE_PLUGIN_H

#include <stdint.h>

/// Makes the entry function visible if all other symbols of a library are hidden.
#if defined(_WIN32)
#define MW_EXPORT __declspec(dllexport)
#elif defined(__GNUC__)
#define MW_EXPORT __attribute__((visibility("default")))
#else
#define MW_EXPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif
"#;

const END: &str = r#"
/// What a plugin defines and exports, an `mw_plugin_entry`.
MW_EXPORT const mw_plugin *mapwave_plugin_entry_v1(const mw_host *host, mw_error *error);

#ifdef __cplusplus
} // extern "C"
#endif

#endif // MAPWAVE_PLUGIN_H
"#;

fn abi_directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/abi")
}

fn header_path() -> PathBuf {
    abi_directory().join("include/mapwave_plugin.h")
}

/// Converts Rust's names in comments to those of C.
fn plain(comment: &str) -> String {
    comment.replace("](mw_plugin_entry)", "]").replace("[`", "`").replace("`]", "`").replace("::", ".")
}

/// The crate's own documentation, which holds the rules, as the comment at the top.
fn preamble(source: &str) -> String {
    let mut text = "/*\n".to_owned();
    for line in source.lines().map_while(|line| line.strip_prefix("//!")) {
        let line = plain(line).replace("**", "").replace(" # Rules", " RULES");
        text.push_str(format!(" *{line}").trim_end());
        text.push('\n');
    }
    text + " *\n * Made of plugins/abi/src; changes belong there.\n *\n * SPDX-License-Identifier: MIT OR Apache-2.0\n */\n\n"
}

/// The declarations that cbindgen generates from the source, with their comments, by name.
fn declarations(source: &Path) -> HashMap<String, String> {
    let config = cbindgen::Config::from_file(abi_directory().join("cbindgen.toml")).unwrap();
    let bindings = cbindgen::Builder::new().with_config(config).with_src(source).generate().unwrap();
    let mut text = Vec::new();
    bindings.write(&mut text);
    let text = String::from_utf8(text).unwrap();
    let blocks = text.split("\n\n").map(str::trim).filter(|block| !block.is_empty());
    blocks.map(|block| (declared_name(block), as_c_is_written(block))).collect()
}

fn declared_name(block: &str) -> String {
    let last = block.lines().next_back().unwrap();
    let name = match (last.strip_prefix("#define "), last.split_once("(*")) {
        (Some(define), _) => define.split(' ').next(),
        (None, Some((_, function))) => function.split(')').next(),
        (None, None) => last.trim_end_matches(';').rsplit(' ').next(),
    };
    name.unwrap().to_owned()
}

/// Names of types without `struct`, negative numbers in parentheses.
fn as_c_is_written(block: &str) -> String {
    let lines = block.lines().map(|line| match line.trim_start() {
        comment if comment.starts_with("///") => plain(line),
        start if start.starts_with("typedef struct ") => line.to_owned(),
        _ => match line.strip_prefix("#define ").and_then(|define| define.split_once(" -")) {
            Some((name, number)) => format!("#define {name} (-{number})"),
            None => line.replace("struct mw_", "mw_"),
        },
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// All declarations of the source, as one file.
fn source() -> String {
    let file = |name: &str| fs::read_to_string(abi_directory().join(format!("src/{name}.rs"))).unwrap();
    let crate_itself = file("lib");
    let modules = crate_itself.lines().filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'));
    assert_eq!(
        modules.collect::<BTreeSet<_>>(),
        BTreeSet::from(FILES),
        "each file has its place in the header"
    );
    let crate_itself =
        crate_itself.lines().take_while(|line| line.starts_with("//!") || line.starts_with("#!"));
    let mut source = crate_itself.map(|line| format!("{line}\n")).collect::<String>();
    for name in FILES {
        let text = file(name);
        source.extend(text.lines().filter(|line| !line.starts_with("//!")).map(|line| format!("{line}\n")));
    }
    source
}

/// The header: everything in the order, and with the paragraphs, of the source.
fn header() -> String {
    let source = source();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("source.rs");
    fs::write(&path, &source).unwrap();
    let mut declarations = declarations(&path);
    let mut header = preamble(&source) + BEGIN;
    let (mut comment, mut is_apart) = (String::new(), true);
    for line in source.lines() {
        if line.is_empty() {
            (comment, is_apart) = (String::new(), true);
        } else if line.starts_with("///") {
            comment += &format!("{}\n", plain(line));
        }
        let Some(item) = line.strip_prefix("pub ") else { continue };
        let name = item.split([' ', ':', ';', '=']).nth(1).unwrap();
        let declaration = match (declarations.remove(name), item.split_once("&str = ")) {
            (Some(declaration), _) => declaration,
            (None, Some((_, value))) => format!("{comment}#define {name} {}", value.trim_end_matches(';')),
            (None, None) if item.starts_with("struct") => format!("{comment}typedef struct {name} {name};"),
            (None, None) => continue,
        };
        header += if is_apart { "\n" } else { "" };
        header += &declaration;
        header.push('\n');
        (comment, is_apart) = (String::new(), false);
    }
    assert!(declarations.is_empty(), "cbindgen found what the source does not show: {declarations:?}");
    header + END
}

#[test]
fn the_header_is_what_the_source_makes_of_it() {
    let header = header();
    if std::env::var_os(UPDATE).is_some() {
        fs::write(header_path(), &header).unwrap();
    }
    let found = fs::read_to_string(header_path()).unwrap_or_default();
    let differs =
        header.lines().zip(found.lines().chain(std::iter::repeat(""))).find(|(new, old)| new != old);
    assert_eq!(differs, None, "new and old; {UPDATE}=1 updates the header");
    assert_eq!(found, header);
}

/// Compiles a file and fails on any warning; false if there is no such compiler.
fn compile(compiler: &str, standard: &str, name: &str, source: &str) -> bool {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    fs::write(&path, source).unwrap();
    let mut command = Command::new(compiler);
    command.args([standard, "-Wall", "-Wextra", "-pedantic", "-Werror", "-c", "-o"]);
    command.arg(directory.path().join("object")).arg("-I").arg(abi_directory().join("include")).arg(&path);
    match command.output() {
        Ok(output) => {
            let words = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{compiler} {standard}: {words}");
            true
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            eprintln!("skipped: there is no {compiler}");
            false
        }
        Err(error) => panic!("{compiler}: {error}"),
    }
}

const PLUGIN: &str = r#"
#include "mapwave_plugin.h"
#include "mapwave_plugin.h"

const mw_plugin *mapwave_plugin_entry_v1(const mw_host *host, mw_error *error) {
    mw_plugin_entry itself = mapwave_plugin_entry_v1;
    mw_decoder *none = 0;
    if (error && error->size >= sizeof *error) error->status = MW_UNSUPPORTED;
    return host && itself && none && MW_UNKNOWN && MW_DECODER_INTERFACE[0] ? (const mw_plugin *)0 : 0;
}
"#;

#[test]
fn it_compiles_as_c_and_cpp() {
    compile("cc", "-std=c99", "plugin.c", PLUGIN);
    compile("c++", "-std=c++11", "plugin.cpp", PLUGIN);
}

#[test]
fn c_lays_everything_out_as_rust_does() {
    let mut source = "#include <stddef.h>\n#include \"mapwave_plugin.h\"\n".to_owned();
    let mut check = |condition: String| {
        writeln!(source, "_Static_assert({condition}, \"differs from Rust\");").unwrap();
    };
    for (name, size, fields) in abi::layout::LAYOUT {
        check(format!("sizeof({name}) == {size}"));
        fields.iter().for_each(|(field, offset)| check(format!("offsetof({name}, {field}) == {offset}")));
    }
    let codes = [
        ("MW_ABI_MAJOR", i128::from(abi::MW_ABI_MAJOR)),
        ("MW_END", abi::MW_END.into()),
        ("MW_INTERNAL", abi::MW_INTERNAL.into()),
        ("MW_UNKNOWN", abi::MW_UNKNOWN.into()),
        ("MW_I32", abi::MW_I32.into()),
        ("MW_SEEK_EXACT", abi::MW_SEEK_EXACT.into()),
    ];
    codes
        .iter()
        .for_each(|(name, value)| check(format!("{name} == {value}{}", if *value > 9 { "u" } else { "" })));
    let texts = [
        ("MW_DECODER_INTERFACE", abi::MW_DECODER_INTERFACE),
        ("MW_ENCODER_INTERFACE", abi::MW_ENCODER_INTERFACE),
        ("MW_RESAMPLER_INTERFACE", abi::MW_RESAMPLER_INTERFACE),
        ("MW_ENTRY_SYMBOL", abi::MW_ENTRY_SYMBOL),
    ];
    let header = fs::read_to_string(header_path()).unwrap();
    for (name, text) in texts {
        assert!(header.contains(&format!("#define {name} {text:?}\n")), "{name} is {text:?}");
    }
    if compile("cc", "-std=c11", "layout.c", &source) {
        assert!(source.lines().count() > 100, "as many fields and more were compared");
    }
}
