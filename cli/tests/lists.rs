//! The lists of plugins and directories, for a directory with a good plugin and two rejected ones.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

const SUFFIX: &str = if cfg!(target_os = "macos") { "dylib" } else { "so" };

/// A plugin directory of its own.
struct Plugins {
    directory: TempDir,
}

impl Plugins {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        for name in ["data", "cache", "plugins/abi1"] {
            fs::create_dir_all(directory.path().join(name)).unwrap();
        }
        Self { directory }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().canonicalize().unwrap().join("plugins").join(name)
    }

    /// Runs the command and returns its output; it must succeed and print no errors.
    fn run(&self, arguments: &[&str]) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_mapwave"))
            .args(arguments)
            .env("MAPWAVE_PLUGIN_PATH", self.path(""))
            .env("XDG_DATA_HOME", self.directory.path().join("data"))
            .env("XDG_CACHE_HOME", self.directory.path().join("cache"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stderr.is_empty());
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, list: &str) -> Vec<Value> {
        let report: Value = serde_json::from_str(&self.run(&["plugins", list, "--format", "json"])).unwrap();
        report.as_object().unwrap().values().next().unwrap().as_array().unwrap().clone()
    }
}

/// The library of the example in Rust, which cargo leaves beside the test.
fn qoa() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().unwrap().join(format!("libmapwave_qoa.{SUFFIX}"))
}

fn named<'a>(rows: &'a [Value], path: &Path) -> &'a Value {
    rows.iter().find(|row| row["path"] == path.to_str().unwrap()).unwrap()
}

#[test]
fn plugins_are_used_or_refused() {
    let plugins = Plugins::new();
    let good = plugins.path(&format!("abi1/qoa.{SUFFIX}"));
    let text = plugins.path(&format!("text.{SUFFIX}"));
    let writable = plugins.path(&format!("writable.{SUFFIX}"));
    fs::copy(qoa(), &good).unwrap();
    fs::write(&text, "not a library").unwrap();
    fs::copy(qoa(), &writable).unwrap();
    fs::set_permissions(&writable, Permissions::from_mode(0o777)).unwrap();

    let rows = plugins.json("list");
    assert_eq!(rows.len(), 4, "one is part of the command");
    let row = named(&rows, &good);
    assert_eq!((&row["id"], &row["state"], &row["reason"]), (&"qoa".into(), &"used".into(), &Value::Null));
    assert_eq!((&row["origin"], &row["license"]), (&"environment".into(), &"MIT OR Apache-2.0".into()));
    assert_eq!(
        (&row["decoders"][0]["codecs"][0], &row["encoders"][0]["codecs"][0]),
        (&"qoa".into(), &"qoa".into())
    );
    let reason = |path: &Path| named(&rows, path)["reason"].as_str().unwrap().to_owned();
    assert!(reason(&text).contains(text.to_str().unwrap()), "the loader's own words");
    assert!(reason(&writable).contains("everybody may write to the file (mode 777)"));
    let embedded = rows.iter().find(|row| row["origin"] == "embedded").unwrap();
    assert_eq!(
        (&embedded["id"], &embedded["state"], &embedded["path"]),
        (&"builtin".into(), &"used".into(), &Value::Null)
    );

    let table = plugins.run(&["plugins", "list"]);
    for words in ["qoa", "used", "REFUSED", "environment", "MIT OR Apache-2.0", "everybody may write"] {
        assert!(table.contains(words), "{words} in\n{table}");
    }
    // Only a path may be longer than a line.
    let too_long = |line: &&str| line.chars().count() > 100 && !line.contains('/');
    assert_eq!(table.lines().find(too_long), None);
}

#[test]
fn directories_are_in_order_of_precedence() {
    let plugins = Plugins::new();
    fs::set_permissions(plugins.path("abi1"), Permissions::from_mode(0o777)).unwrap();
    let rows = plugins.json("dirs");
    let origins: Vec<&str> = rows.iter().map(|row| row["origin"].as_str().unwrap()).collect();
    assert_eq!(origins, ["environment", "environment", "user", "system", "system"]);
    assert_eq!((&rows[0]["exists"], &rows[0]["refused"]), (&true.into(), &Value::Null));
    let why = rows[1]["refused"].as_str().unwrap();
    assert!(why.contains("everybody may write to the directory (mode 777)"), "{why}");
    assert!(rows[2]["path"].as_str().unwrap().ends_with("data/mapwave/plugins/abi1"));
    assert_eq!(rows[2]["exists"], false);
    let table = plugins.run(&["plugins", "dirs"]);
    assert!(
        table.contains("not there") && table.contains("searched") && table.contains("REFUSED"),
        "{table}"
    );
}

#[test]
fn a_library_is_tried_in_a_process_of_its_own() {
    let plugins = Plugins::new();
    fs::copy(qoa(), plugins.path(&format!("qoa.{SUFFIX}"))).unwrap();
    assert_eq!(plugins.json("list").len(), 2, "one is part of the command");
    let cache = fs::read_to_string(plugins.directory.path().join("cache/mapwave/plugins.tsv")).unwrap();
    assert!(cache.starts_with("ok\t"), "{cache}");
}
