//! `mapwave plugins dirs`: the directories that are searched for plugins.

#![forbid(unsafe_code)]

use mapwave_core::host::{self, Directory};
use serde::Serialize;

use crate::format::Format;
use crate::table::Table;

/// The directories that are searched.
#[derive(Debug, Serialize)]
struct Report {
    directories: Vec<Row>,
}

/// A directory in the report.
#[derive(Debug, Serialize)]
struct Row {
    path: String,
    origin: &'static str,
    exists: bool,
    refused: Option<String>,
}

impl From<Directory> for Row {
    fn from(directory: Directory) -> Self {
        Self {
            path: directory.path.to_string_lossy().into_owned(),
            origin: directory.origin.name(),
            exists: directory.path.is_dir(),
            refused: directory.refused,
        }
    }
}

/// The report, in order of precedence.
pub fn report(format: Format) -> String {
    let directories = host::directories().into_iter().map(Row::from).collect();
    let report = Report { directories };
    match format {
        Format::Text => report.to_text(),
        Format::Json => serde_json::to_string_pretty(&report).unwrap_or_default() + "\n",
    }
}

impl Report {
    fn to_text(&self) -> String {
        let mut table = Table::new(&["ORIGIN", "STATE", "DIRECTORY"]);
        for row in &self.directories {
            let state = match (&row.refused, row.exists) {
                (Some(_), _) => "REFUSED",
                (None, true) => "searched",
                (None, false) => "not there",
            };
            table.push(&[row.origin, state, &row.path]);
            table.detail("because", row.refused.as_deref().unwrap_or_default());
        }
        table.to_text()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_searched_not_there_or_refused() {
        let row = |path: &str, exists, refused: Option<&str>| Row {
            path: path.to_owned(),
            origin: "user",
            exists,
            refused: refused.map(str::to_owned),
        };
        let directories = vec![row("/a", true, None), row("/b", false, None), row("/c", true, Some("why"))];
        let expected = "ORIGIN  STATE      DIRECTORY\n\
                        user    searched   /a\n\
                        user    not there  /b\n\
                        user    REFUSED    /c\n    because   why\n";
        assert_eq!(Report { directories }.to_text(), expected);
    }
}
