//! A source file: what of its crate it names, and where `unsafe` stands.

use std::path::{Path, PathBuf};

use super::modules::{Import, use_tree};
use super::tokens::{Kind, Token, test_modules, tokens};

/// A source file of a crate without its comments and test code.
#[derive(Clone, Debug)]
pub struct RustSource {
    /// The path below `src`, with `/` between its parts.
    pub path: String,
    tokens: Vec<Token>,
}

/// A path such as `crate::pcm::Kernel` in a source file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The line it stands in, counted from 1.
    pub line: usize,
    /// Its parts after `crate`.
    pub path: Vec<String>,
}

/// Every source file below `src` but those that are only compiled for tests.
pub fn files_below(src: &Path) -> Vec<RustSource> {
    let mut paths = Vec::new();
    collect(src, &mut paths);
    paths.sort();
    let read = |path: &PathBuf| {
        let below = path.strip_prefix(src).unwrap().to_str().unwrap().to_owned();
        (below, std::fs::read_to_string(path).unwrap())
    };
    let files: Vec<(String, String)> = paths.iter().map(read).collect();
    let test_files: Vec<String> = files.iter().flat_map(|(path, text)| test_files(path, text)).collect();
    let is_test = |path: &str| {
        test_files.iter().any(|file| {
            let directory = file.trim_end_matches("mod.rs");
            path == file || (directory.ends_with('/') && path.starts_with(directory))
        })
    };
    let files = files.into_iter().filter(|(path, _)| !is_test(path));
    files.map(|(path, text)| RustSource::new(&path, &text)).collect()
}

fn collect(directory: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}

/// The files that hold the modules that `path` declares for tests only.
fn test_files(path: &str, text: &str) -> Vec<String> {
    let directory = match path.strip_suffix("mod.rs").or_else(|| path.strip_suffix("lib.rs")) {
        Some(directory) => directory.to_owned(),
        None => format!("{}/", path.trim_end_matches(".rs")),
    };
    let files = |name: String| [format!("{directory}{name}.rs"), format!("{directory}{name}/mod.rs")];
    test_modules(text).into_iter().flat_map(files).collect()
}

impl RustSource {
    /// The file at `path` below `src` with this text.
    pub fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), tokens: tokens(text) }
    }

    /// The names of the modules that lead to this file, `["pcm", "convert"]` for `pcm/convert.rs`.
    pub fn module(&self) -> Vec<&str> {
        let path = self.path.trim_end_matches(".rs");
        path.trim_end_matches("/mod").split('/').filter(|name| *name != "lib").collect()
    }

    /// Every path from the crate's root: `crate::..`, and `super::..` where it leads out of the top module.
    pub fn named(&self) -> Vec<Named> {
        let depth = self.module().len();
        let mut found = Vec::new();
        for (at, token) in self.tokens.iter().enumerate() {
            // A chain of `super` is looked at from its first word only.
            if at > 0 && self.tokens[at - 1].is_mark("::") {
                continue;
            }
            let is_step = |pair: &[Token]| pair[0].is_word("super") && pair[1].is_mark("::");
            let num_supers = self.tokens[at..].chunks_exact(2).take_while(|pair| is_step(pair)).count();
            let rest = match token.text.as_str() {
                "crate" if self.tokens.get(at + 1).is_some_and(|next| next.is_mark("::")) => at + 2,
                "super" if num_supers >= depth && num_supers > 0 => at + 2 * num_supers,
                _ => continue,
            };
            let mut imports: Vec<Import> = Vec::new();
            use_tree(&self.tokens[rest..], &mut Vec::new(), &mut imports);
            found.extend(imports.into_iter().map(|import| Named { line: token.line, path: import.path }));
        }
        found
    }

    /// The lines in which `unsafe` opens a block or marks an item; the type of a function, `unsafe fn(..)`, is neither.
    pub fn unsafe_lines(&self) -> Vec<usize> {
        let is_type = |after: &[Token]| {
            let mut after = after.iter().filter(|token| token.kind != Kind::Text && !token.is_word("extern"));
            after.next().is_some_and(|token| token.is_word("fn"))
                && after.next().is_some_and(|token| token.is_mark("("))
        };
        let places = self.tokens.iter().enumerate().filter(|(_, token)| token.is_word("unsafe"));
        places.filter(|(at, _)| !is_type(&self.tokens[at + 1..])).map(|(_, token)| token.line).collect()
    }

    /// Whether the file's own attributes forbid unsafe code.
    pub fn forbids_unsafe(&self) -> bool {
        const ATTRIBUTE: [&str; 8] = ["#", "!", "[", "forbid", "(", "unsafe_code", ")", "]"];
        self.tokens.windows(ATTRIBUTE.len()).any(|tokens| tokens.iter().map(|t| &t.text).eq(ATTRIBUTE.iter()))
    }

    /// Its names, and the texts of its strings, with their lines.
    pub fn words(&self) -> impl Iterator<Item = (usize, &str)> {
        let is_word = |token: &&Token| matches!(token.kind, Kind::Word | Kind::Text);
        self.tokens.iter().filter(is_word).map(|token| (token.line, token.text.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(path: &str, text: &str) -> Vec<(usize, String)> {
        let named = RustSource::new(path, text).named();
        named.into_iter().map(|named| (named.line, named.path.join("::"))).collect()
    }

    #[test]
    fn a_use_tree_names_each_of_its_paths() {
        let text = "use crate::error::{Error, Result as R};\nuse crate::{\n    pcm::Kernel,\n    spec,\n};\n";
        let expected = [(1, "error::Error"), (1, "error::Result"), (2, "pcm::Kernel"), (2, "spec")];
        assert_eq!(named("reader.rs", text), expected.map(|(line, path)| (line, path.to_owned())));
    }

    #[test]
    fn a_path_in_an_expression_counts_and_one_in_a_comment_or_a_test_does_not() {
        let text = "// crate::a\nfn f() { crate::b::c() } // crate::d\n#[cfg(test)]\nmod tests {\n    use crate::e;\n}\n";
        assert_eq!(named("mix.rs", text), [(2, "b::c".to_owned())]);
    }

    #[test]
    fn super_counts_where_it_leaves_the_top_module() {
        assert_eq!(named("mix.rs", "use super::reader::Reader;"), [(1, "reader::Reader".to_owned())]);
        assert_eq!(named("pcm/stage.rs", "use super::Kernel;"), []);
        assert_eq!(named("pcm/stage.rs", "use super::super::reader;"), [(1, "reader".to_owned())]);
        assert_eq!(named("pcm/mod.rs", "use super::mix;"), [(1, "mix".to_owned())]);
    }

    #[test]
    fn files_of_test_modules_are_known_by_their_declaration() {
        let text = "#[cfg(test)]\n#[path = \"x\"]\nmod tests;\nmod other;\n";
        assert_eq!(test_files("pcm/convert.rs", text), ["pcm/convert/tests.rs", "pcm/convert/tests/mod.rs"]);
        assert_eq!(test_files("container/mod.rs", text), ["container/tests.rs", "container/tests/mod.rs"]);
    }

    #[test]
    fn unsafe_is_a_word_of_its_own() {
        let source = RustSource::new("mix.rs", "#![allow(unsafe_code)]\n// unsafe\nunsafe { f() }\n");
        assert_eq!(source.unsafe_lines(), [3]);
        let text =
            "type A = unsafe fn(u8);\ntype B = unsafe extern \"C\" fn(u8);\nunsafe extern \"C\" fn f() {}";
        assert_eq!(RustSource::new("mix.rs", text).unsafe_lines(), [3]);
        assert!(!source.forbids_unsafe());
        assert!(RustSource::new("mix.rs", "//! Mix.\n#![forbid(unsafe_code)]\n").forbids_unsafe());
    }

    #[test]
    fn names_and_strings_are_words() {
        let source = RustSource::new("mix.rs", "// a\nuse b; const C: &str = \"d e\";");
        let words: Vec<(usize, &str)> = source.words().collect();
        assert_eq!(words, [(2, "use"), (2, "b"), (2, "const"), (2, "C"), (2, "str"), (2, "d e")]);
    }
}
