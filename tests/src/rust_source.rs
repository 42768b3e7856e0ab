//! A Rust source file as the layering test sees it: what of the crate it names, and where `unsafe` stands.

use std::path::{Path, PathBuf};

/// A source file of a crate without its comments and test code, which are blanked in place.
#[derive(Clone, Debug)]
pub struct RustSource {
    /// The path below `src`, with `/` between its parts.
    pub path: String,
    text: String,
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
    let test_files: Vec<String> = files.iter().flat_map(|(path, text)| test_modules(path, text)).collect();
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

/// The files of the modules that `path` declares for tests only: `#[cfg(test)] mod name;`.
fn test_modules(path: &str, text: &str) -> Vec<String> {
    let directory = match path.strip_suffix("mod.rs").or_else(|| path.strip_suffix("lib.rs")) {
        Some(directory) => directory.to_owned(),
        None => format!("{}/", path.trim_end_matches(".rs")),
    };
    let mut lines = text.lines().map(str::trim);
    let mut names = Vec::new();
    while let Some(line) = lines.next() {
        if line == "#[cfg(test)]" {
            let item = lines.by_ref().find(|line| !line.starts_with("#[")).unwrap_or_default();
            let name = item.strip_prefix("mod ").and_then(|name| name.strip_suffix(';'));
            let name = name.or_else(|| item.split_once(" mod ").and_then(|(_, name)| name.strip_suffix(';')));
            let files = |name: &str| [format!("{directory}{name}.rs"), format!("{directory}{name}/mod.rs")];
            names.extend(name.into_iter().flat_map(files));
        }
    }
    names
}

impl RustSource {
    /// The file at `path` below `src` with this text, as rustfmt leaves it.
    pub fn new(path: &str, text: &str) -> Self {
        let mut kept = String::with_capacity(text.len());
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if line.trim() != "#[cfg(test)]" {
                let code = line.split("//").next().unwrap_or_default();
                kept.push_str(code);
                kept.push('\n');
                continue;
            }
            // rustfmt closes an item at the indentation it began at.
            let indentation = &line[..line.len() - line.trim_start().len()];
            let end = format!("{indentation}}}");
            kept.push('\n');
            for line in lines.by_ref() {
                kept.push('\n');
                let ends_at_once = line.ends_with(';') || line.ends_with("{}");
                if line.trim_end() == end
                    || (ends_at_once
                        && line.starts_with(indentation)
                        && !line[indentation.len()..].starts_with(' '))
                {
                    break;
                }
            }
        }
        Self { path: path.to_owned(), text: kept }
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
        for (start, keyword) in self.words(&["crate", "super"]) {
            let mut rest = &self.text[start..];
            let mut supers = 0;
            while let Some(after) = rest.strip_prefix("super::") {
                rest = after;
                supers += 1;
            }
            let leaves = match keyword {
                "crate" => rest.strip_prefix("crate::").map(|after| rest = after).is_some(),
                // A chain of `super` is looked at from its first word only.
                _ => supers >= depth && !self.text[..start].ends_with("super::"),
            };
            if leaves {
                let line = self.line(start);
                let mut paths = Vec::new();
                use_tree(rest, &mut Vec::new(), &mut paths);
                found.extend(paths.into_iter().map(|path| Named { line, path }));
            }
        }
        found
    }

    /// The lines in which `unsafe` opens a block or marks an item.
    pub fn unsafe_lines(&self) -> Vec<usize> {
        self.words(&["unsafe"]).into_iter().map(|(start, _)| self.line(start)).collect()
    }

    /// Whether the file's own attributes forbid unsafe code.
    pub fn forbids_unsafe(&self) -> bool {
        self.text.lines().any(|line| line.trim() == "#![forbid(unsafe_code)]")
    }

    fn line(&self, offset: usize) -> usize {
        self.text[..offset].matches('\n').count() + 1
    }

    /// Where these words stand on their own.
    fn words<'a>(&self, words: &[&'a str]) -> Vec<(usize, &'a str)> {
        let in_word = |byte: u8| byte == b'_' || byte.is_ascii_alphanumeric();
        let mut found = Vec::new();
        for word in words {
            for (start, _) in self.text.match_indices(word) {
                let before = start.checked_sub(1).map(|before| self.text.as_bytes()[before]);
                let after = self.text.as_bytes().get(start + word.len()).copied();
                if !before.is_some_and(in_word) && !after.is_some_and(in_word) {
                    found.push((start, *word));
                }
            }
        }
        found
    }
}

/// The paths of a use tree, `a::{b, c::d}` being two; returns what follows it.
fn use_tree<'a>(text: &'a str, prefix: &mut Vec<String>, paths: &mut Vec<Vec<String>>) -> &'a str {
    let mut rest = text.trim_start();
    let length = prefix.len();
    loop {
        if let Some(mut inner) = rest.strip_prefix('{') {
            while !inner.trim_start().starts_with('}') && !inner.trim_start().is_empty() {
                inner = use_tree(inner, prefix, paths).trim_start();
                inner = inner.strip_prefix(',').unwrap_or(inner);
            }
            prefix.truncate(length);
            return inner.trim_start().strip_prefix('}').unwrap_or(inner);
        }
        let end = rest.find(|character: char| character != '_' && !character.is_alphanumeric());
        let (name, after) = rest.split_at(end.unwrap_or(rest.len()));
        // A glob, or a symbol that cannot follow a path, counts as a name of one character, so that parsing goes on.
        let (name, after) = if name.is_empty() { after.split_at(after.len().min(1)) } else { (name, after) };
        prefix.push(name.to_owned());
        match after.strip_prefix("::") {
            Some(after) => rest = after.trim_start(),
            None => {
                paths.push(prefix.clone());
                prefix.truncate(length);
                let after = after.trim_start();
                let renamed = after.strip_prefix("as ");
                return renamed.map_or(after, |name| {
                    name.trim_start_matches(|c: char| c != ',' && c != '}' && c != ';')
                });
            }
        }
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
        let files = ["pcm/convert/tests.rs", "pcm/convert/tests/mod.rs"];
        assert_eq!(test_modules("pcm/convert.rs", text), files);
        assert_eq!(test_modules("container/mod.rs", text), ["container/tests.rs", "container/tests/mod.rs"]);
        let text = "#[cfg(test)]\npub(crate) mod tests;\n";
        assert_eq!(test_modules("host/mod.rs", text), ["host/tests.rs", "host/tests/mod.rs"]);
    }

    #[test]
    fn unsafe_is_a_word_of_its_own() {
        let source = RustSource::new("mix.rs", "#![allow(unsafe_code)]\n// unsafe\nunsafe { f() }\n");
        assert_eq!(source.unsafe_lines(), [3]);
    }
}
