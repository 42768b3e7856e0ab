//! What a test found.

#![forbid(unsafe_code)]

use std::fmt;

use serde::{Deserialize, Serialize};

/// A rule of the interface, by the number that it has in the header, or a function whose own comment is the rule.
pub type Rule = &'static str;

/// What a test came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The plugin keeps the rule, as far as the test can see.
    Passed,
    /// It breaks it.
    Failed,
    /// The test does not apply, or lacks what it needs.
    Skipped,
    /// The plugin is slow, or unwise, but breaks no rule for certain.
    Warning,
}

/// Why a test ends before its end.
#[derive(Clone, Debug)]
pub enum Finding {
    /// A rule is broken.
    Broken {
        /// Which.
        rule: Rule,
        /// What was seen and what was expected.
        reason: String,
    },
    /// The test cannot be made.
    Skipped(String),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken { rule, reason } => write!(f, "{rule}: {reason}"),
            Self::Skipped(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for Finding {}

impl Finding {
    /// A rule is broken.
    pub fn broken(rule: Rule, reason: impl Into<String>) -> Self {
        Self::Broken { rule, reason: reason.into() }
    }

    /// The test cannot be made.
    pub fn skipped(reason: impl Into<String>) -> Self {
        Self::Skipped(reason.into())
    }
}

/// What a test returns.
pub type Outcome<T = ()> = Result<T, Finding>;

/// What a test came to, as it is reported.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Verdict {
    /// In a word.
    pub result: Kind,
    /// The rule that is broken.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rule: Option<String>,
    /// What was seen; empty when it passed.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub reason: String,
    /// What was being done, and with which input.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub during: String,
    /// What else the reader should know, such as what was left out.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub notes: Vec<String>,
}

impl Verdict {
    /// A verdict without a rule.
    pub fn new(result: Kind, reason: impl Into<String>) -> Self {
        Self { result, rule: None, reason: reason.into(), during: String::new(), notes: Vec::new() }
    }

    /// A rule is broken.
    pub fn broken(rule: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { rule: Some(rule.into()), ..Self::new(Kind::Failed, reason) }
    }

    /// What a test's outcome comes to.
    pub fn of(outcome: Outcome, during: String, warnings: Vec<String>, notes: Vec<String>) -> Self {
        let verdict = match outcome {
            Ok(()) if warnings.is_empty() => Self::new(Kind::Passed, ""),
            Ok(()) => Self::new(Kind::Warning, warnings.join("; ")),
            Err(Finding::Skipped(reason)) => Self::new(Kind::Skipped, reason),
            Err(Finding::Broken { rule, reason }) => Self { during, ..Self::broken(rule, reason) },
        };
        Self { notes, ..verdict }
    }
}
