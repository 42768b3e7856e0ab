//! The verdict of a test.

#![forbid(unsafe_code)]

use std::fmt;

use serde::{Deserialize, Serialize};

/// A rule of the interface: its number in the header, or the function whose comment states it.
pub type Rule = &'static str;

/// The result of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The plugin keeps the rule, as far as the test can tell.
    Passed,
    /// The plugin breaks the rule.
    Failed,
    /// The test does not apply.
    Skipped,
    /// The test lacks something it needs, such as a file to decode: nothing is known about the plugin.
    Untested,
    /// The plugin does something slow or unwise, but breaks no rule for certain.
    Warning,
}

/// Why a test ends early.
#[derive(Clone, Debug)]
pub enum Finding {
    /// A rule is broken.
    Broken {
        /// The rule.
        rule: Rule,
        /// What was found and what was expected.
        reason: String,
    },
    /// The test does not apply.
    Skipped(String),
    /// The test lacks something it needs.
    Untested(String),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken { rule, reason } => write!(f, "{rule}: {reason}"),
            Self::Skipped(reason) | Self::Untested(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for Finding {}

impl Finding {
    /// A rule is broken.
    pub fn broken(rule: Rule, reason: impl Into<String>) -> Self {
        Self::Broken { rule, reason: reason.into() }
    }

    /// The test does not apply.
    pub fn skipped(reason: impl Into<String>) -> Self {
        Self::Skipped(reason.into())
    }

    /// The test lacks something it needs, which the reason names.
    pub fn untested(reason: impl Into<String>) -> Self {
        Self::Untested(reason.into())
    }
}

/// What a test returns.
pub type Outcome<T = ()> = Result<T, Finding>;

/// The verdict of a test, as reported.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Verdict {
    /// The result.
    pub result: Kind,
    /// The broken rule, if any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rule: Option<String>,
    /// The reason; empty when the test passed.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub reason: String,
    /// What the test was doing, and with which input.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub during: String,
    /// Remarks, such as what was left out.
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

    /// The verdict for a test's outcome.
    pub fn of(outcome: Outcome, during: String, warnings: Vec<String>, notes: Vec<String>) -> Self {
        let verdict = match outcome {
            Ok(()) if warnings.is_empty() => Self::new(Kind::Passed, ""),
            Ok(()) => Self::new(Kind::Warning, warnings.join("; ")),
            Err(Finding::Skipped(reason)) => Self::new(Kind::Skipped, reason),
            Err(Finding::Untested(reason)) => Self::new(Kind::Untested, reason),
            Err(Finding::Broken { rule, reason }) => Self { during, ..Self::broken(rule, reason) },
        };
        Self { notes, ..verdict }
    }
}

/// The number of items that a note names.
const NUM_NAMED: usize = 5;

/// The first few of a list, and how many more there are.
pub fn some_of(mut items: Vec<String>) -> String {
    let rest = items.len().saturating_sub(NUM_NAMED);
    items.truncate(NUM_NAMED);
    let more = if rest > 0 { format!(", and {rest} more") } else { String::new() };
    items.join(", ") + &more
}
