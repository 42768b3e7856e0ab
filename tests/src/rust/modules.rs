//! The modules of a crate, and which file each name in it leads to.
//!
//! A name is followed through `pub use` to the file that defines it, so that a module which only hands names on ties nobody
//! to anybody; a name that is found nowhere, as one that a macro defines, belongs to the file of the module it is looked for
//! in. Naming a module alone imports nothing; naming what is in it does.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::circles::Edge;
use super::tokens::{Kind, Token, end_of_group, tokens};

/// The modules of a crate with what they define, import and name.
#[derive(Debug, Default)]
pub struct Crate {
    files: Vec<String>,
    modules: Vec<Module>,
    /// The files that define macros, by the macros' names.
    macros: BTreeMap<String, usize>,
}

#[derive(Debug, Default)]
struct Module {
    file: usize,
    parent: Option<usize>,
    children: BTreeMap<String, usize>,
    items: BTreeSet<String>,
    imports: Vec<Import>,
    /// Paths in code, outside `use`.
    paths: Vec<(usize, Vec<String>)>,
    /// Calls of macros by their bare names.
    calls: Vec<(usize, String)>,
}

/// One name that a `use` binds, or `*`.
#[derive(Clone, Debug)]
pub(super) struct Import {
    line: usize,
    name: String,
    pub(super) path: Vec<String>,
}

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Module(usize),
    /// An item that this file defines.
    Item(usize),
    /// Another crate's.
    Outside,
}

/// How many re-exports a name is followed through at most: those that lead in circles end nowhere.
const MAX_STEPS: usize = 32;

impl Crate {
    /// The crate whose root is the file `root`, a path below `directory`.
    pub fn read(directory: &Path, root: &str) -> Self {
        Self::new(root, &|path| std::fs::read_to_string(directory.join(path)).ok())
    }

    /// The crate whose files `read` gives by their paths.
    pub fn new(root: &str, read: &dyn Fn(&str) -> Option<String>) -> Self {
        let mut this = Self::default();
        let text = read(root).unwrap_or_else(|| panic!("{root} can be read"));
        let directory = root.rsplit_once('/').map_or(String::new(), |(directory, _)| format!("{directory}/"));
        this.add(root.to_owned(), &text, &directory, None, read);
        this
    }

    /// The paths of its files.
    pub fn files(&self) -> &[String] {
        &self.files
    }

    /// How many paths its files name, in `use` and in code.
    pub fn num_paths(&self) -> usize {
        self.modules.iter().map(|module| module.imports.len() + module.paths.len()).sum()
    }

    /// Who imports whom.
    pub fn edges(&self) -> Vec<Edge> {
        let mut edges = Vec::new();
        let mut edge = |from: usize, to: usize, line: usize, name: String| {
            let (from, to) = (self.files[from].clone(), self.files[to].clone());
            if from != to {
                edges.push(Edge { from, to, line, name });
            }
        };
        for (index, module) in self.modules.iter().enumerate() {
            let imports = module.imports.iter().map(|import| (import.line, &import.path));
            for (line, path) in imports.chain(module.paths.iter().map(|(line, path)| (*line, path))) {
                if let Target::Item(file) = self.resolve(index, path, MAX_STEPS) {
                    edge(module.file, file, line, path.join("::"));
                }
            }
            for (line, name) in &module.calls {
                if let Some(&file) = self.macros.get(name) {
                    edge(module.file, file, *line, format!("{name}!"));
                }
            }
        }
        edges
    }

    /// Adds the module of a file, whose own modules are files in `directory`.
    fn add(
        &mut self,
        path: String,
        text: &str,
        directory: &str,
        parent: Option<usize>,
        read: &dyn Fn(&str) -> Option<String>,
    ) -> usize {
        self.files.push(path);
        let file = self.files.len() - 1;
        self.modules.push(Module { file, parent, ..Module::default() });
        let module = self.modules.len() - 1;
        for (parent, name, place) in self.scan(module, &tokens(text), directory) {
            let beside = place.clone().map(|place| format!("{}{place}", directory_of(&self.files[file])));
            let paths = match beside {
                Some(path) => vec![path],
                None => vec![format!("{name}.rs"), format!("{name}/mod.rs")],
            };
            for path in paths {
                let Some(text) = read(&path) else { continue };
                let inside = match path.strip_suffix("mod.rs") {
                    Some(directory) => directory.to_owned(),
                    None => format!("{}/", path.trim_end_matches(".rs")),
                };
                let short = name.rsplit('/').next().unwrap_or_default().to_owned();
                let child = self.add(path, &text, &inside, Some(parent), read);
                self.modules[parent].children.insert(short, child);
                break;
            }
        }
        module
    }

    /// Notes what a file's tokens define and name; returns the modules it declares in other files: in which module, at which
    /// path without its ending, and where an attribute puts them.
    fn scan(
        &mut self,
        root: usize,
        tokens: &[Token],
        directory: &str,
    ) -> Vec<(usize, String, Option<String>)> {
        let file = self.modules[root].file;
        let mut declared = Vec::new();
        let (mut module, mut place) = (root, directory.to_owned());
        // What each open brace belongs to: the module around an inline module, or nothing that matters.
        let mut open: Vec<Option<(usize, String)>> = Vec::new();
        let mut attribute_path = None;
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let next = tokens.get(at + 1);
            let is_item_level = open.iter().all(Option::is_some);
            let follows = |mark: &str| next.is_some_and(|next| next.is_mark(mark));
            let name = next.filter(|next| next.kind == Kind::Word).map(|next| next.text.clone());
            match (token.kind, token.text.as_str()) {
                (Kind::Mark, "{") => open.push(None),
                (Kind::Mark, "}") => {
                    if let Some(Some((outer, around))) = open.pop() {
                        (module, place) = (outer, around);
                    }
                }
                (Kind::Word, "path")
                    if at >= 2 && tokens[at - 1].is_mark("[") && tokens[at - 2].is_mark("#") =>
                {
                    attribute_path = tokens.get(at + 2).map(|text| text.text.clone());
                }
                (Kind::Word, "pub") if follows("(") => {
                    at = end_of_group(tokens, at + 1);
                    continue;
                }
                (Kind::Word, "mod")
                    if name.is_some() && tokens.get(at + 2).is_some_and(|t| t.is_mark(";")) =>
                {
                    declared.push((
                        module,
                        format!("{place}{}", name.unwrap_or_default()),
                        attribute_path.take(),
                    ));
                    at += 2;
                }
                (Kind::Word, "mod")
                    if name.is_some() && tokens.get(at + 2).is_some_and(|t| t.is_mark("{")) =>
                {
                    let name = name.unwrap_or_default();
                    self.modules.push(Module { file, parent: Some(module), ..Module::default() });
                    let inner = self.modules.len() - 1;
                    self.modules[module].children.insert(name.clone(), inner);
                    open.push(Some((module, place.clone())));
                    place = format!("{place}{name}/");
                    module = inner;
                    at += 2;
                }
                (Kind::Word, "use") if !follows("<") => {
                    at = self.add_imports(module, tokens, at + 1);
                    continue;
                }
                (Kind::Word, "macro_rules") if follows("!") => {
                    if let Some(name) = tokens.get(at + 2) {
                        self.macros.insert(name.text.clone(), file);
                        self.modules[module].items.insert(name.text.clone());
                    }
                    at += 2;
                }
                (Kind::Word, word) if is_item_level && DEFINES.contains(&word) && name.is_some() => {
                    let name = name.unwrap_or_default();
                    // `const fn f`, `static mut X`: the name follows on the second word.
                    if !QUALIFIERS.contains(&name.as_str()) {
                        self.modules[module].items.insert(name);
                        at += 1;
                    } else if name == "mut" {
                        at += 1;
                        self.modules[module].items.extend(tokens.get(at + 1).map(|token| token.text.clone()));
                    }
                }
                (Kind::Word, _) => {
                    at = self.add_path(module, tokens, at);
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
        declared
    }

    /// Notes the path or the call of a macro that begins at `at`, and returns where it ends.
    fn add_path(&mut self, module: usize, tokens: &[Token], at: usize) -> usize {
        let (mut path, mut end) = (vec![tokens[at].text.clone()], at + 1);
        while let [mark, word, ..] = &tokens[end..]
            && mark.is_mark("::")
            && word.kind == Kind::Word
        {
            path.push(word.text.clone());
            end += 2;
        }
        let is_part = at > 0 && (tokens[at - 1].is_mark("::") || tokens[at - 1].is_mark("."));
        if path.len() > 1 && !is_part {
            self.modules[module].paths.push((tokens[at].line, path));
        } else if let [mark, next, ..] = &tokens[end..]
            && path.len() == 1
            && mark.is_mark("!")
            && ["(", "[", "{"].iter().any(|bracket| next.is_mark(bracket))
        {
            self.modules[module].calls.push((tokens[at].line, path.swap_remove(0)));
        }
        end
    }

    /// Notes what a `use` binds, whose tree begins at `at`, and returns where it ends.
    fn add_imports(&mut self, module: usize, tokens: &[Token], at: usize) -> usize {
        let length = tokens[at..].iter().position(|token| token.is_mark(";")).unwrap_or(tokens.len() - at);
        let tree = &tokens[at..at + length];
        // A path that begins with `::` is another crate's.
        if !tree.first().is_some_and(|token| token.is_mark("::")) {
            use_tree(tree, &mut Vec::new(), &mut self.modules[module].imports);
        }
        at + length + 1
    }

    fn resolve(&self, module: usize, path: &[String], steps: usize) -> Target {
        let Some((first, rest)) = path.split_first() else { return Target::Module(module) };
        if steps == 0 {
            return Target::Outside;
        }
        let target = match first.as_str() {
            "crate" => Target::Module(0),
            "self" => Target::Module(module),
            "super" => Target::Module(self.modules[module].parent.unwrap_or(0)),
            _ => match self.find(module, first, rest.is_empty(), steps) {
                Some(target) => target,
                None => return Target::Outside,
            },
        };
        self.follow(target, rest, steps)
    }

    fn follow(&self, mut target: Target, path: &[String], steps: usize) -> Target {
        for (index, name) in path.iter().enumerate() {
            let Target::Module(module) = target else { return target };
            let is_last = index + 1 == path.len();
            target = match name.as_str() {
                "self" | "*" => Target::Module(module),
                "super" => Target::Module(self.modules[module].parent.unwrap_or(0)),
                name => {
                    // A macro that is exported stands at the root, wherever it is defined.
                    let exported = || self.macros.get(name).filter(|_| module == 0).copied();
                    let file = || exported().unwrap_or(self.modules[module].file);
                    self.find(module, name, is_last, steps).unwrap_or_else(|| Target::Item(file()))
                }
            };
        }
        target
    }

    /// What a name means in a module.
    fn find(&self, module: usize, name: &str, is_last: bool, steps: usize) -> Option<Target> {
        let here = &self.modules[module];
        let item = || here.items.contains(name).then_some(Target::Item(here.file));
        let child = || here.children.get(name).copied().map(Target::Module);
        // A module and a function may have one name; where the path goes on it is the module.
        let own = if is_last { item().or_else(child) } else { child().or_else(item) };
        let import = || {
            let import = here.imports.iter().find(|import| import.name == name)?;
            Some(self.resolve_import(module, &import.path, steps))
        };
        let glob = || {
            let globs = here.imports.iter().filter(|import| import.name == "*");
            globs.filter_map(|import| self.find_in_glob(module, import, name, is_last, steps)).next()
        };
        own.or_else(import).or_else(glob)
    }

    /// An import is looked for without itself: `use name::name` goes on in the crate of that name.
    fn resolve_import(&self, module: usize, path: &[String], steps: usize) -> Target {
        let Some(first) = path.first() else { return Target::Outside };
        let here = &self.modules[module];
        let binds_itself = path.len() > 1
            && !here.children.contains_key(first)
            && here.imports.iter().any(|import| import.name == *first && import.path == path);
        if binds_itself || steps == 0 { Target::Outside } else { self.resolve(module, path, steps - 1) }
    }

    fn find_in_glob(
        &self,
        module: usize,
        import: &Import,
        name: &str,
        is_last: bool,
        steps: usize,
    ) -> Option<Target> {
        if steps == 0 {
            return None;
        }
        match self.resolve(module, &import.path, steps - 1) {
            Target::Module(other) if other != module => self.find(other, name, is_last, steps - 1),
            _ => None,
        }
    }
}

/// The words that the name of an item follows.
const DEFINES: [&str; 8] = ["const", "enum", "fn", "static", "struct", "trait", "type", "union"];

/// The words that may stand between them and the name.
const QUALIFIERS: [&str; 5] = ["async", "extern", "fn", "mut", "unsafe"];

fn directory_of(path: &str) -> String {
    path.rsplit_once('/').map_or(String::new(), |(directory, _)| format!("{directory}/"))
}

/// The names that a use tree binds; returns what follows it.
pub(super) fn use_tree<'a>(
    tree: &'a [Token],
    prefix: &mut Vec<String>,
    imports: &mut Vec<Import>,
) -> &'a [Token] {
    let length = prefix.len();
    let mut rest = tree;
    while let Some((token, after)) = rest.split_first() {
        if token.is_mark("{") {
            let mut inner = after;
            while inner.first().is_some_and(|token| !token.is_mark("}")) {
                inner = use_tree(inner, prefix, imports);
                if inner.first().is_some_and(|token| token.is_mark(",")) {
                    inner = &inner[1..];
                }
            }
            prefix.truncate(length);
            return inner.get(1..).unwrap_or_default();
        }
        // `$crate` in a macro.
        if token.is_mark("$") {
            rest = after;
            continue;
        }
        prefix.push(token.text.clone());
        if after.first().is_some_and(|next| next.is_mark("::")) {
            rest = &after[1..];
            continue;
        }
        let mut rest = after;
        // `a::{self}` binds `a`.
        let mut name = match token.text.as_str() {
            "self" => prefix.len().checked_sub(2).map_or(String::new(), |last| prefix[last].clone()),
            text => text.to_owned(),
        };
        if rest.first().is_some_and(|next| next.is_word("as")) {
            name = rest.get(1).map_or(String::new(), |token| token.text.clone());
            rest = rest.get(2..).unwrap_or_default();
        }
        imports.push(Import { line: token.line, name, path: prefix.clone() });
        prefix.truncate(length);
        return rest;
    }
    prefix.truncate(length);
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The edges of a crate of these files, as `from -> to`.
    fn edges(files: &[(&str, &str)]) -> Vec<String> {
        let read =
            |path: &str| files.iter().find(|(name, _)| *name == path).map(|(_, text)| (*text).to_owned());
        let edges = Crate::new(files[0].0, &read).edges();
        let mut lines: Vec<String> =
            edges.iter().map(|edge| format!("{} -> {}", edge.from, edge.to)).collect();
        lines.sort();
        lines.dedup();
        lines
    }

    #[test]
    fn a_name_is_followed_through_the_module_that_hands_it_on() {
        let files = [
            ("lib.rs", "mod a;\nmod b;\npub use a::Thing as Other;"),
            ("a/mod.rs", "mod thing;\npub(crate) use thing::Thing;"),
            ("a/thing.rs", "pub struct Thing;"),
            ("b.rs", "use crate::a::{self, Thing};\nfn f() { a::Thing; crate::Other }"),
        ];
        let expected = ["a/mod.rs -> a/thing.rs", "b.rs -> a/thing.rs", "lib.rs -> a/thing.rs"];
        assert_eq!(edges(&files), expected);
    }

    #[test]
    fn a_child_imports_what_its_parent_defines() {
        let files = [
            ("lib.rs", "mod a;\npub fn shared() {}"),
            ("a.rs", "mod b;\nstruct Own;\nfn f() { b::g() }"),
            ("a/b.rs", "pub fn g() -> super::Own { crate::shared() }"),
        ];
        assert_eq!(edges(&files), ["a.rs -> a/b.rs", "a/b.rs -> a.rs", "a/b.rs -> lib.rs"]);
    }

    #[test]
    fn a_path_through_an_imported_module_counts_and_the_import_alone_does_not() {
        let files = [
            ("lib.rs", "mod a;\nmod b;\nmod c;"),
            ("a.rs", "pub fn f() {}\npub const X: u8 = 1;"),
            ("b.rs", "use crate::a;\nfn g() { a::f() }"),
            ("c.rs", "use super::a as first;\nuse std::fmt;\nfn g() { fmt::Display; local.a::f; T::X }"),
        ];
        assert_eq!(edges(&files), ["b.rs -> a.rs"]);
    }

    #[test]
    fn globs_inline_modules_and_macros_are_seen_through() {
        let files = [
            ("lib.rs", "#[macro_use]\nmod a;\nmod b;\nmod c { pub use super::a::*; }\nmod d;"),
            ("a.rs", "macro_rules! mine { () => {} }\npub fn f() {}"),
            ("b.rs", "mine!();"),
            ("d.rs", "use crate::c::f;\nuse crate::made::G;"),
        ];
        assert_eq!(edges(&files), ["b.rs -> a.rs", "d.rs -> a.rs", "d.rs -> lib.rs"]);
    }

    #[test]
    fn methods_are_no_items_and_test_code_imports_nothing() {
        let files = [
            ("a/main.rs", "mod b;\npub use b::open;\nimpl X { fn open() {} }\nmod c;"),
            ("a/b.rs", "pub fn open() {}\n#[cfg(test)]\nmod tests {\n    use crate::c::Y;\n}"),
            ("a/c.rs", "use crate::open;\npub(in crate::b) struct Y;"),
        ];
        assert_eq!(edges(&files), ["a/c.rs -> a/b.rs", "a/main.rs -> a/b.rs"]);
    }

    #[test]
    fn modules_that_are_elsewhere_are_found() {
        let files = [
            ("tests/x.rs", "#[path = \"common/host.rs\"]\nmod host;\nmod y;\nuse host::H;"),
            ("tests/common/host.rs", "pub struct H;"),
            ("tests/y/mod.rs", "use crate::host::H;"),
        ];
        let expected = ["tests/x.rs -> tests/common/host.rs", "tests/y/mod.rs -> tests/common/host.rs"];
        assert_eq!(edges(&files), expected);
    }
}
