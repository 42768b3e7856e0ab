//! The plugin host: which plugins it finds and rejects, which one it selects, and how it handles those that break the rules.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, missing_docs)]

use std::fs::Permissions;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use mapwave_tests::misbehaving::{self, SUFFIX, has_compiler};

/// Directories for plugins, files and remembered trials that no other process shares.
struct Place {
    directory: tempfile::TempDir,
    variables: Vec<(&'static str, String)>,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        for name in ["plugins", "data", "cache", "empty"] {
            std::fs::create_dir(directory.path().join(name)).unwrap();
        }
        Self { directory, variables: Vec::new() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The directory that `MAPWAVE_PLUGIN_PATH` names.
    fn plugins(&self) -> PathBuf {
        self.path("plugins")
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    /// Compiles the plugin under its own name, which is also its id.
    fn compile(&self, id: &str, macros: &[&str]) -> PathBuf {
        let id_macro = format!("TOY_ID=\"{id}\"");
        let macros: Vec<&str> = macros.iter().copied().chain([id_macro.as_str()]).collect();
        misbehaving::compile(&self.plugins(), id, &macros)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn output(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plugin_host"));
        command
            .args(arguments)
            .current_dir(self.path("empty"))
            .env("MAPWAVE_PLUGIN_PATH", self.plugins())
            .env("XDG_DATA_HOME", self.path("data"))
            .env("XDG_CACHE_HOME", self.path("cache"))
            .env("HOME", self.path("empty"))
            .env("MAPWAVE_PLUGIN_TIME_LIMIT", "60")
            .env_remove("MAPWAVE_PLUGIN_TRIAL");
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.output().unwrap()
    }

    /// Runs the program, which must finish, and returns its output.
    fn run(&self, arguments: &[&str]) -> Vec<String> {
        let output = self.output(arguments);
        let (said, error) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let mut lines: Vec<String> = said.lines().map(str::to_owned).collect();
        let last = lines.pop();
        assert!(
            output.status.success() && last.as_deref() == Some("done"),
            "{arguments:?}: {}, {last:?} after {lines:#?}: {error}",
            output.status
        );
        lines
    }

    fn memory(&self) -> String {
        std::fs::read_to_string(self.path("cache/mapwave/plugins.tsv")).unwrap_or_default()
    }
}

fn check(line: &str, expected: &str) {
    assert!(line.contains(expected), "expected '{expected}' in: {line}");
}

fn check_refused(lines: &[String], file: &str, expected: &str) {
    let line = lines.iter().find(|line| line.contains(&format!("/{file}.{SUFFIX} ")));
    let line = line.unwrap_or_else(|| panic!("{file} is not among {lines:#?}"));
    check(line, " refused: ");
    check(line, expected);
}

/// The ids of the loaded plugins, in order.
fn loaded(lines: &[String]) -> Vec<&str> {
    let is_loaded = |line: &&String| line.ends_with(" loaded");
    lines.iter().filter(is_loaded).map(|line| line.split(' ').next().unwrap()).collect()
}

/// A library that crashes while it is being loaded.
fn crashing(place: &Place) -> PathBuf {
    let source = b"void abort(void); __attribute__((constructor)) void construct(void) { abort(); }";
    let source = place.write("crash.c", source);
    misbehaving::compile_source(&place.plugins(), "bad", Path::new(&source), &[])
}

/// The toy in Rust, which is built beside this test.
fn rust_toy() -> PathBuf {
    std::env::current_exe().unwrap().with_file_name(format!("libmapwave_toy.{SUFFIX}"))
}

#[test]
fn plugins_are_found_in_order_and_each_file_once() {
    if !has_compiler() {
        return;
    }
    let place = Place::new();
    let (one, two) = (place.compile("one", &[]), place.compile("two", &[]));
    let nested = |name: &str| {
        let directory = place.path(name);
        std::fs::create_dir_all(&directory).unwrap();
        directory
    };
    let to = |directory: PathBuf, library: &Path| {
        std::fs::rename(library, directory.join(library.file_name().unwrap())).unwrap();
    };
    to(nested("plugins/abi1"), &two);
    to(nested("data/mapwave/plugins/abi1"), &place.compile("three", &[]));
    to(nested("bundle/abi1"), &place.compile("four", &[]));
    to(nested("elsewhere"), &place.compile("five", &[]));
    // Not searched: other directories, other names, the current directory.
    to(nested("plugins/deeper"), &place.compile("six", &[]));
    to(nested("empty"), &place.compile("seven", &[]));
    let eight = place.compile("eight", &[]);
    std::fs::rename(&eight, place.path("plugins/eight.so.1")).unwrap();
    // The same file again, by a hard or symbolic link, and the same name again in another file.
    symlink(&one, place.path("plugins/symbolic.so")).unwrap();
    std::fs::hard_link(&one, place.path("plugins/hard.so")).unwrap();
    std::fs::copy(&one, place.path("plugins/zero.so")).unwrap();
    let (bundle, five) = (place.path("bundle"), place.path("elsewhere/five.so"));
    let (bundle, five) = (bundle.to_str().unwrap(), five.to_str().unwrap());
    let lines = place.run(&["embed", "bundled", bundle, "register", five, "list"]);
    assert_eq!(lines[0], "registered five");
    assert_eq!(loaded(&lines[1..]), ["five", "one", "two", "three", "builtin", "four"]);
    check_refused(&lines, "zero", "the name 'one' is taken by ");
    assert_eq!(lines.len(), 1 + 7, "{lines:#?}");
    let origins: Vec<&str> = lines[1..].iter().map(|line| line.split(' ').nth(1).unwrap()).collect();
    let expected = ["registered", "environment", "environment", "environment", "user", "embedded", "bundled"];
    assert_eq!(origins, expected, "{lines:#?}");

    // A known plugin that is then registered comes first, and is not loaded again.
    let two = place.path("plugins/abi1/two.so");
    let lines = place.run(&["list", "register", two.to_str().unwrap(), "list"]);
    assert_eq!(loaded(&lines[..lines.len() / 2]), ["one", "two", "three"]);
    assert_eq!(loaded(&lines[lines.len() / 2..]), ["two", "one", "three"]);

    let lines = place.run(&["bundled", bundle, "directories"]);
    let names: Vec<&str> = lines.iter().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(names, ["environment", "environment", "user", "bundled", "system", "system"]);
}

#[test]
fn what_is_not_to_be_trusted_or_no_plugin_is_refused_with_the_reason() {
    if !has_compiler() {
        return;
    }
    let place = Place::new();
    place.compile("good", &[]);
    let chmod = |path: &Path, mode| std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    chmod(&place.compile("writable", &[]), 0o666);
    chmod(&place.compile("group", &[]), 0o664);
    let is_root = rustix::process::geteuid().is_root();
    if is_root {
        std::os::unix::fs::chown(place.compile("foreign", &[]), Some(12_345), None).unwrap();
    } else {
        println!("skipped: a library of another user needs root's rights");
    }
    std::fs::write(place.path("plugins/text.so"), "no library").unwrap();
    std::fs::create_dir(place.path("plugins/directory.so")).unwrap();
    symlink(place.path("nowhere"), place.path("plugins/dangling.so")).unwrap();
    // A link into a world-writable directory.
    let open = place.path("open");
    std::fs::create_dir(&open).unwrap();
    std::fs::rename(place.compile("exposed", &[]), open.join("exposed.so")).unwrap();
    symlink(open.join("exposed.so"), place.path("plugins/exposed.so")).unwrap();
    chmod(&open, 0o777);
    let other = place.write("other.c", b"const void *mapwave_plugin_entry_v2(void) { return 0; }");
    misbehaving::compile_source(&place.plugins(), "later", Path::new(&other), &[]);
    let null = place.write("null.c", b"const void *mapwave_plugin_entry_v1(void) { return 0; }");
    misbehaving::compile_source(&place.plugins(), "null", Path::new(&null), &[]);
    for (id, switch) in [
        ("no-entry", "BREAK_NO_ENTRY"),
        ("major", "BREAK_ABI_MAJOR"),
        ("id", "BREAK_EMPTY_ID"),
        ("function", "BREAK_MISSING_FUNCTION"),
        ("table", "BREAK_TABLE_SIZE"),
        ("unbound", "BREAK_UNBOUND"),
    ] {
        place.compile(id, &[switch]);
    }
    misbehaving::compile(&place.plugins(), "letters", &["TOY_ID=\"Big Letters\""]);
    let lines = place.run(&["list"]);
    assert_eq!(loaded(&lines), ["good", "group"], "what is refused costs nothing else");
    for (file, expected) in [
        ("writable", "everybody may write to the file (mode 666)"),
        ("text", "text.so: "),
        ("directory", "not a regular file"),
        ("dangling", "cannot be opened"),
        ("exposed", "everybody may write to the directory"),
        ("later", "mapwave_plugin_entry_v2, which is for another version of mapwave"),
        ("null", "internal fault"),
        ("no-entry", "does not export mapwave_plugin_entry_v1: it is not a mapwave plugin"),
        ("major", "too new: made for version 2"),
        ("id", "its id \"\""),
        ("letters", "lower-case"),
        ("function", "no function 'fork'"),
        ("table", "its encoder"),
        ("unbound", "undefined symbol: no_such_function"),
    ] {
        check_refused(&lines, file, expected);
    }
    if is_root {
        check_refused(&lines, "foreign", "the file belongs to user 12345");
    }
    // The same by name; the reasons are part of the error for a file that no plugin reads.
    for (file, expected) in [
        ("plugins/writable.so", "error: Plugin Broken: "),
        ("plugins/no-entry.so", "does not export"),
        ("plugins/none.so", "error: Io: "),
    ] {
        let path = place.path(file);
        let lines = place.run(&["register", path.to_str().unwrap()]);
        check(&lines[0], expected);
        check(&lines[0], path.to_str().unwrap());
    }
    let unread = place.write("unread.xyz", b"nobody knows this");
    let lines = place.run(&["open", &unread]);
    check(&lines[0], "error: Unsupported: ");
    check(&lines[0], "none of the codec plugins 'good', 'group' reads it");
    check(&lines[0], "text.so was not loaded: ");

    // A world-writable directory is reported, and nothing in it is loaded.
    chmod(&place.plugins(), 0o777);
    let lines = place.run(&["directories", "list"]);
    check(&lines[0], "refused: everybody may write to the directory");
    check_refused(&lines, "good", "everybody may write to the directory");
}

#[test]
fn the_surest_is_asked_first_then_the_next_and_a_name_picks_one() {
    if !has_compiler() {
        return;
    }
    let place = Place::new();
    place.compile("a", &["TOY_SCORE=60"]);
    place.compile("b", &["TOY_SCORE=90", "TOY_REFUSES=\"not this one\""]);
    place.compile("c", &["TOY_SCORE=60"]);
    place.compile("d", &["TOY_SCORE=0"]);
    let file = place.write("x.toy", &misbehaving::file(2, 100));
    assert_eq!(place.run(&["open", &file, "who"]), ["opened toypcm 100", "a"]);
    for name in ["c", "d"] {
        assert_eq!(place.run(&["codec", name, "open", &file, "who"]), ["opened toypcm 100", name]);
    }
    let lines = place.run(&["codec", "b", "open", &file]);
    check(&lines[0], "error: Plugin Unsupported: ");
    check(&lines[0], "(plugin 'b', opening): not this one");
    let lines = place.run(&["codec", "e", "open", &file]);
    check(&lines[0], "error: Argument: ");
    check(&lines[0], "('a', 'b', 'c', 'd')");
    // A registered plugin takes precedence over others with the same score.
    let c = place.path("plugins/c.so");
    assert_eq!(place.run(&["register", c.to_str().unwrap(), "open", &file, "who"])[2], "c");

    let place = Place::new();
    place.compile("a", &["TOY_SCORE=60", "TOY_REFUSES=\"says a\""]);
    place.compile("b", &["TOY_SCORE=90", "TOY_REFUSES=\"says b\""]);
    let file = place.write("x.toy", &misbehaving::file(2, 100));
    let lines = place.run(&["open", &file]);
    check(&lines[0], "(plugin 'b', opening): says b; plugin 'a' (toypcm) says: says a");
}

#[test]
fn pictures_and_chapters_of_a_plugin_are_metadata() {
    if !has_compiler() {
        return;
    }
    let place = Place::new();
    place.compile("a", &[]);
    let file = place.write("x.toy", &misbehaving::file(2, 100));
    let cover = "kind: 3, mime: \"image/png\", description: \"a cover\", width: Some(640), height: Some(480)";
    let other = "kind: 0, mime: \"image/x-toy\", description: \"\", width: None, height: None";
    let mut expected = vec!["opened toypcm 100".to_owned()];
    for data in ["", "137, 80, 78, 71, 13, 10, 26, 10"] {
        for facts in [cover, other] {
            expected.push(format!("Picture {{ {facts}, num_bytes: 8, data: [{data}] }}"));
        }
    }
    // By their start.
    expected.push("Marker { label: \"the toy\", start: 0, end: Some(50) }".to_owned());
    expected.push("Marker { label: \"\", start: 50, end: None }".to_owned());
    assert_eq!(place.run(&["open", &file, "items"]), expected);

    // What no file may have is left out.
    for (fault, left) in [("PICTURE_EMPTY", 3), ("PICTURE_NULL", 3), ("CHAPTER_ORDER", 5)] {
        let place = Place::new();
        place.compile("a", &[&format!("BREAK_{fault}")]);
        let file = place.write("x.toy", &misbehaving::file(2, 100));
        assert_eq!(place.run(&["open", &file, "items"]).len(), left, "{fault}");
    }
    // A list without end has one all the same.
    let place = Place::new();
    place.compile("a", &["BREAK_PICTURE_ENDLESS"]);
    let file = place.write("x.toy", &misbehaving::file(2, 100));
    assert_eq!(place.run(&["open", &file, "items"]).len(), 1 + 2 * 256 + 2);
}

#[test]
fn only_a_plugin_that_is_certain_has_the_last_word_on_damage() {
    if !has_compiler() {
        return;
    }
    for (score, expected) in [(99, "opened toypcm 100"), (100, "(plugin 'b', opening): a frame is missing")] {
        let place = Place::new();
        place.compile("a", &["TOY_SCORE=60"]);
        place.compile("b", &[&format!("TOY_SCORE={score}"), "TOY_DAMAGED=\"a frame is missing\""]);
        let file = place.write("x.toy", &misbehaving::file(2, 100));
        check(&place.run(&["open", &file])[0], expected);
        assert_eq!(place.run(&["codec", "a", "open", &file, "who"]), ["opened toypcm 100", "a"]);
    }
}

#[test]
fn a_library_is_tried_in_a_process_of_its_own_once() {
    if !has_compiler() {
        return;
    }
    let place = Place::new();
    place.compile("good", &[]);
    let bad = crashing(&place);
    place.compile("late", &["BREAK_NO_ENTRY"]);
    let lines = place.run(&["checker", "list"]);
    assert_eq!(loaded(&lines), ["good"]);
    check_refused(&lines, "bad", "it crashed while it was loaded (signal 6)");
    check_refused(&lines, "late", "does not export");
    let memory = place.memory();
    assert_eq!(memory.lines().count(), 2, "an orderly refusal is not remembered: {memory}");
    assert!(memory.lines().any(|line| line.starts_with("ok\t") && line.ends_with("/good.so")), "{memory}");

    // A remembered verdict needs no child process.
    let lines = place.run(&["checker-command", "kill -ILL $$", "list"]);
    assert_eq!(loaded(&lines), ["good"]);
    check_refused(&lines, "bad", "(signal 6) (as seen before; it is tried again when the file changes)");
    check_refused(&lines, "late", "(signal 4)");
    // A changed file is tried again, and its earlier verdict is dropped.
    std::fs::remove_file(&bad).unwrap();
    place.compile("bad", &["BREAK_NOTHING"]);
    let late = place.compile("late", &["BREAK_NOTHING"]);
    assert_eq!(loaded(&place.run(&["checker", "list"])), ["bad", "good", "late"]);
    assert_eq!(place.memory().lines().count(), 3, "{}", place.memory());
    assert_eq!(place.memory().lines().filter(|line| line.starts_with("ok\t")).count(), 3);

    // A failed trial that says nothing about the library is not remembered: a program that cannot run, or was killed.
    std::fs::write(place.path("cache/mapwave/plugins.tsv"), "").unwrap();
    for (command, expected) in [
        ("exit 3", "exit status 3"),
        ("kill -INT $$", "signal 2"),
        ("kill -KILL $$", "signal 9"),
        ("kill -TERM $$", "signal 15"),
    ] {
        let lines = place.run(&["checker-command", command, "list"]);
        check_refused(&lines, "late", expected);
        assert_eq!(place.memory(), "", "after '{command}'");
    }
    let lines = place.run(&["checker-command", "kill -SEGV $$", "list"]);
    check_refused(&lines, "late", "signal 11");
    assert_eq!(place.memory().lines().count(), 3);
    // A registered library is tried, too.
    let lines = place.run(&["checker", "register", late.to_str().unwrap()]);
    check(&lines[0], "as seen before");

    // Without a trial the process ends with the library.
    let place = Place::new().with("MAPWAVE_PLUGIN_TRIAL", "0");
    crashing(&place);
    assert_eq!(place.output(&["checker", "list"]).status.signal(), Some(6));
}

#[test]
fn a_plugin_that_lies_is_an_error_and_the_process_goes_on() {
    if !has_compiler() {
        return;
    }
    let sound = misbehaving::file(2, 50_000);
    for (switch, expected) in [
        ("BREAK_NOTHING", "read 50000 "),
        ("BREAK_OVERRUN", "it wrote past the "),
        ("BREAK_OVERCOUNT", "frames of"),
        ("BREAK_NUM_FRAMES", "the sound ended at frame 50000 of the 50001 that the plugin promised"),
        ("BREAK_GRID", "anchored on a grid of 0 frames"),
        ("BREAK_FORMAT_SUM", "native format is not among its output formats"),
        ("BREAK_END", "read 50000 "),
        ("BREAK_SEEK_END", "read 50000 "),
        ("BREAK_INFO_CHANGES", "read 50000 "),
        ("BREAK_WRITES_MORE", "read 50000 "),
    ] {
        let place = Place::new();
        place.compile("toy", &[switch]);
        let file = place.write("x.toy", &sound);
        let opened = place.run(&["open", &file]);
        let line = match opened[0].starts_with("error: ") {
            true => opened[0].clone(),
            false => {
                let lines =
                    place.run(&["threads", "3", "open", &file, "whole", "whole", "close", "threads-left"]);
                assert_eq!(lines[1], lines[2], "{switch}: the same again");
                assert_eq!(lines[3], "1 threads", "{switch}");
                lines[1].clone()
            }
        };
        check(&line, expected);
        if line.starts_with("error: ") {
            check(&line, "error: Plugin Broken: ");
            check(&line, "x.toy: the plugin failed (plugin 'toy', ");
        }
    }
    // Small buffers are filled completely.
    let place = Place::new();
    place.compile("toy", &["BREAK_OVERRUN"]);
    let file = place.write("x.toy", &sound);
    check(
        &place.run(&["open", &file, "window", "10", "20"])[1],
        "it wrote past the 10 frames it was asked for",
    );

    let place = Place::new();
    place.compile("toy", &["BREAK_PROBE_RANGE"]);
    let file = place.write("x.toy", b"x");
    check(&place.run(&["open", &file])[0], "its probe answered 101, and a score is from 0 to 100");
    let place = Place::new();
    place.compile("toy", &["BREAK_STATUS"]);
    let file = place.write("x.toy", &[b'x'; 100]);
    check(&place.run(&["codec", "toy", "open", &file])[0], "status 77, which this interface does not define");
    let place = Place::new();
    place.compile("toy", &["BREAK_MESSAGE"]);
    let file = place.write("x.toy", &[b'x'; 100]);
    check(&place.run(&["codec", "toy", "open", &file])[0], "\u{fffd}o magic number");
}

#[test]
fn a_plugin_reads_the_tracks_that_it_lists_and_no_other() {
    if !has_compiler() {
        return;
    }
    let sound = misbehaving::file(2, 100);
    let track = |codec: &str, language: &str| {
        format!(
            "track SoundTrack {{ codec: \"{codec}\", language: {language}, sample_rate: Some(44100), num_channels: Some(2), \
             is_default: true }}"
        )
    };
    // Whatever it says, one track is the default, and the open one has the codec that is decoded.
    for (switches, language) in [
        (&["BREAK_NOTHING"][..], "Some(\"tlh\")"),
        (&["BREAK_STREAM_DEFAULT"], "Some(\"tlh\")"),
        (&["BREAK_STREAM_CODEC"], "Some(\"tlh\")"),
        (&["BREAK_STREAM_TEXT"], "None"),
        (&["TOY_NO_LIST"], "None"),
    ] {
        let place = Place::new();
        place.compile("toy", switches);
        let file = place.write("x.toy", &sound);
        let lines = place.run(&["open", &file, "tracks", "track", "0", "open", &file, "tracks"]);
        assert_eq!(lines[1], track("toypcm", language), "{switches:?}");
        assert_eq!(lines[3], lines[1], "{switches:?}");
    }
    for (switch, expected) in [
        ("BREAK_NOTHING", "error: Argument: {file}: track 1 does not exist; there is one stream"),
        ("TOY_NO_LIST", "it reads the first sound track of a file and no other, not track 1"),
        ("BREAK_STREAM_OPENS", "it opened track 1, which it does not list"),
    ] {
        let place = Place::new();
        place.compile("toy", &[switch]);
        let file = place.write("x.toy", &sound);
        for open in [&["open"][..], &["codec", "toy", "open"]] {
            let lines = place.run(&[&["track", "1"], open, &[&file]].concat());
            check(&lines[0], &expected.replace("{file}", &file));
        }
    }
    // An endless list ends.
    let place = Place::new();
    place.compile("toy", &["BREAK_STREAM_ENDLESS"]);
    let file = place.write("x.toy", &sound);
    let lines = place.run(&["open", &file, "tracks"]);
    assert_eq!(lines.iter().filter(|line| line.starts_with("track ")).count(), 1024);
    assert_eq!(lines.iter().filter(|line| line.contains("is_default: true")).count(), 1);
}

#[test]
fn a_plugin_that_panics_is_an_error_and_the_process_goes_on() {
    let library = rust_toy();
    let library = library.to_str().unwrap();
    let samples: Vec<u8> = (0..4000u32).map(|index| (index * 7) as u8).collect();
    for (mode, expected, by_fork) in [
        ('-', "read 1000 ", false),
        ('o', "panicked", false),
        ('s', "panicked", false),
        ('d', "panicked", false),
        ('v', "panicked", false),
        ('f', "panicked", true),
        ('t', "panicked", false),
        ('x', "read 1000 ", false),
        ('b', "malformed file", false),
        ('i', "info is not legal", false),
        ('u', "read 1000 ", false),
        ('w', "read 1000 ", false),
    ] {
        let place = Place::new();
        let mut bytes = format!("TOY{mode}\u{2}").into_bytes();
        bytes.extend(&samples);
        let file = place.write("x.toy", &bytes);
        let file = file.as_str();
        for way in [&["embed-toy"][..], &["register", library]] {
            let start: Vec<&str> = way.iter().copied().chain(["open", file]).collect();
            let opened = place.run(&start);
            let opened = opened.last().unwrap();
            if opened.contains("undefined symbol: __asan") {
                println!(
                    "skipped: a library that AddressSanitizer watches cannot be loaded into a program in Rust"
                );
                continue;
            }
            let line = if opened.starts_with("error: ") {
                opened.clone()
            } else {
                let all: Vec<&str> = start
                    .iter()
                    .copied()
                    .chain(["tags", "whole", "whole", "close", "threads-left"])
                    .collect();
                let lines = place.run(&all);
                let [.., first, second, left] = lines.as_slice() else { panic!("{lines:?}") };
                assert_eq!(left, "1 threads", "mode {mode}, {way:?}");
                // A handle that panicked reports that on the next call.
                let is_same = first == second || (by_fork && second.contains("panicked"));
                assert!(is_same, "mode {mode}, {way:?}: {first}, then {second}");
                first.clone()
            };
            assert!(line.contains(expected), "mode {mode}, {way:?}: expected '{expected}' in: {line}");
            assert!(!by_fork || line.contains("decoding"), "mode {mode}: the first read forks: {line}");
        }
    }
}

#[test]
fn a_plugin_that_hangs_is_left_alone_and_the_process_ends() {
    if !has_compiler() {
        return;
    }
    let sound = misbehaving::file(2, 50_000);
    for (switch, expected) in [
        ("BREAK_HANG_DECODE", "it has not come back from decoding within 1 seconds"),
        ("TOY_HANGS_IN_OPEN", "it has not come back from opening within 1 seconds"),
    ] {
        let place = Place::new().with("MAPWAVE_PLUGIN_TIME_LIMIT", "1");
        place.compile("toy", &[switch]);
        let file = place.write("x.toy", &sound);
        let is_open = switch.contains("OPEN");
        let lines = match is_open {
            true => place.run(&["open", &file]),
            false => place.run(&["open", &file, "whole"]),
        };
        check(lines.last().unwrap(), expected);
        check(lines.last().unwrap(), "error: Plugin Broken: ");
    }
    let place = Place::new().with("MAPWAVE_PLUGIN_TIME_LIMIT", "1");
    place.compile("toy", &["BREAK_HANG_ENTRY"]);
    place.compile("other", &[]);
    let lines = place.run(&["list"]);
    assert_eq!(loaded(&lines), ["other"]);
    check_refused(&lines, "toy", "it has not come back from loading within 1 seconds");

    // The limit is 60 seconds here, and no test waits for it.
    let place = Place::new();
    place.compile("toy", &["BREAK_HANG_DECODE"]);
    let file = place.write("x.toy", &sound);
    for threads in ["1", "3"] {
        for after in ["0", "120"] {
            let lines = place.run(&["threads", threads, "interrupt", after, "open", &file, "whole"]);
            assert_eq!(lines, ["opened toypcm 50000", "error: Interrupted: interrupted"]);
        }
    }
}

/// A sparse file of a gigabyte.
fn sparse(place: &Place, name: &str, beginning: &[u8]) -> String {
    let path = place.path(name);
    let mut file = std::fs::File::create(&path).unwrap();
    file.write_all(beginning).unwrap();
    file.set_len(1 << 30).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_plugin_reads_through_a_callback_what_cannot_be_mapped() {
    if !has_compiler() {
        return;
    }
    let place = Place::new();
    place.compile("toy", &[]);
    let num_frames = ((1u64 << 30) - 24) / 4;
    let mut beginning = misbehaving::header(2, num_frames);
    beginning.extend(&misbehaving::file(2, 100_000)[24..]);
    let file = sparse(&place, "large.toy", &beginning);
    // There is no address space for the map of such a file.
    let mut wave =
        b"RIFF\0\0\0\x30WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\xbb\0\0\0\x77\x01\0\x02\0\x10\0data".to_vec();
    wave.extend(((1u32 << 30) - 44).to_le_bytes());
    let wave = sparse(&place, "large.wav", &wave);
    check(&place.run(&["no-maps", "open", &wave, "view"])[1], "the file cannot be mapped");

    let end = (num_frames - 1000).to_string();
    let last = num_frames.to_string();
    for open in ["open", "open-once"] {
        let read = [open, &file, "window", "0", "100000", "window", "7", "70000", "window", &end, &last];
        let mapped = place.run(&read);
        let without: Vec<&str> = ["no-maps"].into_iter().chain(read).collect();
        assert_eq!(place.run(&without), mapped);
        assert!(mapped[3].starts_with("read 1000 "), "{mapped:?}");
        // The file is truncated where the plugin reads.
        let cut = ["no-maps", open, &file, "cut", "5000", "window", "0", "100000", "window", "0", "100"];
        let lines = place.run(&cut);
        check(&lines[1], "error: Io: ");
        check(&lines[1], "the file shrank from 1073741824");
        let file = std::fs::OpenOptions::new().write(true).open(&file).unwrap();
        file.set_len(0).unwrap();
        std::fs::write(place.path("large.toy"), &beginning).unwrap();
        file.set_len(1 << 30).unwrap();
    }
}

#[test]
fn a_file_that_shrinks_under_a_plugin_is_an_error() {
    if !has_compiler() {
        return;
    }
    let place = Place::new();
    place.compile("toy", &[]);
    let sound = misbehaving::file(2, 300_000);
    for open in ["open", "open-once"] {
        for length in ["0", "10", "24", "5000", "8192", "600000", "1200000"] {
            let file = place.write("x.toy", &sound);
            let lines = place
                .run(&["threads", "2", open, &file, "window", "0", "10", "cut", length, "whole", "close"]);
            check(&lines[2], "error: Io: ");
            check(&lines[2], &format!("x.toy: reading: the file shrank from 1200024 to {length} bytes"));
        }
    }
}

#[test]
fn a_forked_process_opens_the_file_again() {
    if !has_compiler() {
        return;
    }
    let place = Place::new();
    place.compile("toy", &[]);
    let file = place.write("x.toy", &misbehaving::file(2, 1000));
    let lines = place.run(&["open", &file, "whole", "fork", "whole"]);
    let [_, before, tags, child, status, after] = lines.as_slice() else { panic!("{lines:#?}") };
    assert!(before.starts_with("read 1000 "), "{before}");
    assert_eq!((before, before), (child, after), "the child and the parent");
    assert_eq!((tags.as_str(), status.as_str()), ("[(\"title\", \"a toy\")]", "child 0"));
}

#[test]
fn relative_directories_are_made_absolute_and_empty_ones_are_none() {
    let place = Place::new().with("MAPWAVE_PLUGIN_PATH", "");
    let lines = place.run(&["directories"]);
    assert!(lines.iter().all(|line| !line.starts_with("environment ")), "{lines:?}");
    let place = Place::new().with("MAPWAVE_PLUGIN_PATH", "::relative:");
    let lines = place.run(&["directories"]);
    let expected = format!("environment {}", place.path("empty/relative").display());
    assert_eq!(lines[0], expected, "a relative name is made absolute, and an empty one is none");
    assert!(lines[2].starts_with("user "), "{lines:?}");
}

#[test]
fn the_names_of_our_own_plugins_are_reserved() {
    let place = Place::new();
    let stranger = place.compile("builtin", &[]);
    let lines = place.run(&["embed", "list"]);
    assert_eq!(loaded(&lines), ["builtin"]);
    check_refused(
        &lines,
        "builtin",
        "the name 'builtin' is reserved for the plugin 'builtin' that comes with",
    );
    assert!(lines.iter().any(|line| line == "builtin embedded - loaded"), "{lines:#?}");
    // A bundled one keeps its name from all but its own vendor, who may bring another version of it.
    std::fs::remove_file(stranger).unwrap();
    let bundled = place.compile("four", &[]);
    let bundle = place.path("bundle");
    std::fs::create_dir_all(bundle.join("abi1")).unwrap();
    std::fs::rename(&bundled, bundle.join(format!("abi1/four.{SUFFIX}"))).unwrap();
    let list = ["embed", "bundled", bundle.to_str().unwrap(), "list"];
    place.compile("four", &["OTHER_VENDOR"]);
    let lines = place.run(&list);
    check_refused(&lines, "plugins/four", "the name 'four' is reserved");
    assert!(
        lines.iter().any(|line| line.starts_with("four bundled ") && line.ends_with(" loaded")),
        "{lines:#?}"
    );
    place.compile("four", &[]);
    let lines = place.run(&list);
    check_refused(&lines, "abi1/four", "the name 'four' is taken by ");
    assert!(
        lines.iter().any(|line| line.starts_with("four environment ") && line.ends_with(" loaded")),
        "{lines:#?}"
    );
}

#[test]
fn a_library_in_place_of_a_directory_is_named() {
    let place = Place::new();
    let library = place.compile("one", &[]);
    let place = place.with("MAPWAVE_PLUGIN_PATH", library.to_str().unwrap());
    let lines = place.run(&["directories"]);
    let expected = format!("environment {}", library.display());
    assert!(lines[0].starts_with(&expected), "{lines:?}");
    assert!(lines[0].contains("it is a file, expected a directory: name the one that holds it"), "{lines:?}");
}
