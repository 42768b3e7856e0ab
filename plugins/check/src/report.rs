//! The report of a check.

#![forbid(unsafe_code)]

use std::fmt::Write as _;
use std::path::PathBuf;

use serde::Serialize;

use crate::host::Description;
use crate::verdict::{Kind, Verdict};

/// The result of one test of one subject.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The test.
    pub test: String,
    /// What it ran for, such as "decoder qoa".
    pub subject: String,
    /// What it tests.
    pub about: String,
    /// The verdict.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// How long it took.
    pub seconds: f64,
    /// The last lines that a test which failed wrote to standard output and error.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub output: Vec<String>,
}

/// The number of tests for each result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Tests that passed.
    pub passed: usize,
    /// Tests that failed.
    pub failed: usize,
    /// Tests that were skipped because they do not apply.
    pub skipped: usize,
    /// Tests that lack what they need.
    pub untested: usize,
    /// Tests that ended with a warning.
    pub warnings: usize,
}

/// The result of a check.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The library; `None` for a plugin that is linked into the program.
    pub library: Option<PathBuf>,
    /// The plugin's description of itself, if it could be read.
    pub plugin: Option<Description>,
    /// The seed of the random choices.
    pub seed: u64,
    /// The directory of test files.
    pub corpus: Option<PathBuf>,
    /// Remarks on the check as a whole.
    pub notes: Vec<String>,
    /// The result of each test.
    pub results: Vec<Row>,
    /// The number of tests for each result.
    pub summary: Summary,
}

impl Report {
    /// Counts the results.
    pub fn summarize(&mut self) {
        let count = |kind| self.results.iter().filter(|row| row.verdict.result == kind).count();
        self.summary = Summary {
            passed: count(Kind::Passed),
            failed: count(Kind::Failed),
            skipped: count(Kind::Skipped),
            untested: count(Kind::Untested),
            warnings: count(Kind::Warning),
        };
    }

    /// Panics with the report as text unless every test passed, was skipped or ended with a warning.
    ///
    /// # Panics
    /// When a test failed, or lacks what it needs.
    pub fn assert_passed(&self) {
        assert!(self.summary.failed == 0, "the plugin breaks rules of the interface:\n{}", self.to_text());
        assert!(self.summary.untested == 0, "part of the plugin is not tested:\n{}", self.to_text());
    }

    /// What the command exits with: 0 if the plugin passed, 1 if a test failed, 2 if a test lacks what it needs.
    pub fn exit_code(&self) -> i32 {
        match self.summary {
            Summary { failed: 1.., .. } => 1,
            Summary { untested: 1.., .. } => 2,
            _ => 0,
        }
    }

    /// As JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// As a table for people to read.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        self.write_text(&mut text);
        text
    }

    fn write_text(&self, text: &mut String) {
        // Writing to a string does not fail.
        let _ = match &self.library {
            Some(path) => write!(text, "{}", path.display()),
            None => write!(text, "the plugin that is linked in"),
        };
        if let Some(plugin) = &self.plugin {
            let _ = write!(text, ": {} {}, {}, {}", plugin.id, plugin.version, plugin.vendor, plugin.license);
        }
        text.push('\n');
        for note in &self.notes {
            let _ = writeln!(text, "note: {note}");
        }
        let mut subject = "";
        for row in &self.results {
            if row.subject != subject {
                subject = &row.subject;
                let _ = writeln!(text, "\n{subject}");
            }
            self.write_row(text, row);
        }
        let Summary { passed, failed, skipped, untested, warnings } = self.summary;
        let _ = writeln!(
            text,
            "\n{passed} passed, {failed} failed, {skipped} skipped, {untested} untested, {warnings} with warnings"
        );
        if failed == 0 && untested > 0 {
            let mut missing: Vec<String> = Vec::new();
            for row in self.results.iter().filter(|row| row.verdict.result == Kind::Untested) {
                let what = format!("{}: {}", row.subject, row.verdict.reason);
                if !missing.contains(&what) {
                    missing.push(what);
                }
            }
            let _ = writeln!(text, "Not passed, because part of the plugin is not tested:");
            for what in missing {
                let _ = writeln!(text, "  {what}");
            }
        }
    }

    fn write_row(&self, text: &mut String, row: &Row) {
        let word = match row.verdict.result {
            Kind::Passed => "passed",
            Kind::Failed => "FAILED",
            Kind::Skipped => "skipped",
            Kind::Untested => "UNTESTED",
            Kind::Warning => "warning",
        };
        let _ = writeln!(text, "  {word:8}  {:15}  {}", row.test, row.about);
        let indent = " ".repeat(12);
        if !row.verdict.reason.is_empty() {
            let rule = row.verdict.rule.as_ref().map(|rule| format!("{rule}: ")).unwrap_or_default();
            let _ = writeln!(text, "{indent}{rule}{}", row.verdict.reason);
        }
        if row.verdict.result == Kind::Failed {
            if !row.verdict.during.is_empty() {
                let _ = writeln!(text, "{indent}while {}", row.verdict.during);
            }
            for line in &row.output {
                let _ = writeln!(text, "{indent}| {line}");
            }
            let _ = writeln!(text, "{indent}again: {}", self.repetition(row));
        }
        for note in &row.verdict.notes {
            let _ = writeln!(text, "{indent}note: {note}");
        }
    }

    /// How to run a test again: a command, or the options for a plugin that is linked in.
    fn repetition(&self, row: &Row) -> String {
        let Some(library) = &self.library else {
            return format!("Options {{ only: vec![{:?}.into()], seed: {}, .. }}", row.test, self.seed);
        };
        let corpus = self.corpus.as_ref().map(|path| format!(" --corpus '{}'", path.display()));
        let decoder = row.subject.strip_prefix("decoder ").map(|name| format!(" --decoder '{name}'"));
        format!(
            "mapwave plugins check '{}' --only {} --seed {}{}{}",
            library.display(),
            row.test,
            self.seed,
            corpus.unwrap_or_default(),
            decoder.unwrap_or_default()
        )
    }
}
