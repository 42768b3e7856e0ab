//! `mapwave plugins list`: the plugins and their states.

#![forbid(unsafe_code)]

use mapwave_core::host::{self, CodecOption, Plugin, State};
use serde::Serialize;

use crate::format::Format;
use crate::table::Table;

/// All plugins.
#[derive(Debug, Serialize)]
struct Report {
    plugins: Vec<Row>,
}

/// A plugin in the report.
#[derive(Debug, Default, Serialize)]
struct Row {
    id: String,
    /// "used" or "refused".
    state: &'static str,
    /// Why it is rejected.
    reason: Option<String>,
    origin: &'static str,
    /// The library; `None` if the plugin is part of mapwave.
    path: Option<String>,
    version: String,
    vendor: String,
    license: String,
    dependencies: String,
    decoders: Vec<Decoder>,
    encoders: Vec<Encoder>,
    resamplers: Vec<Resampler>,
}

#[derive(Debug, Serialize)]
struct Decoder {
    name: String,
    codecs: Vec<String>,
    extensions: Vec<String>,
    options: Vec<OptionRow>,
}

#[derive(Debug, Serialize)]
struct Encoder {
    name: String,
    codecs: Vec<String>,
    containers: Vec<String>,
    options: Vec<OptionRow>,
}

/// An option of a plugin's own.
#[derive(Debug, Serialize)]
struct OptionRow {
    name: String,
    kind: &'static str,
    values: String,
    default: Option<String>,
    description: String,
}

impl From<CodecOption> for OptionRow {
    fn from(option: CodecOption) -> Self {
        Self {
            kind: option.kind.name(),
            values: option.values(),
            name: option.name,
            default: option.default_value,
            description: option.description,
        }
    }
}

impl OptionRow {
    fn to_text(&self) -> String {
        let default = self.default.as_ref().map_or_else(String::new, |value| format!(", {value} by default"));
        let description = if self.description.is_empty() { "" } else { ": " };
        format!("{} ({}{default}){description}{}", self.name, self.values, self.description)
    }
}

#[derive(Debug, Serialize)]
struct Resampler {
    name: String,
    qualities: Vec<String>,
}

impl From<Plugin> for Row {
    fn from(plugin: Plugin) -> Self {
        let (state, reason) = match plugin.state {
            State::Loaded => ("used", None),
            State::Refused(reason) => ("refused", Some(reason)),
        };
        let decoders = plugin.decoders.into_iter().map(|decoder| Decoder {
            name: decoder.name,
            codecs: decoder.codecs,
            extensions: decoder.extensions,
            options: decoder.options.into_iter().map(OptionRow::from).collect(),
        });
        let encoders = plugin.encoders.into_iter().map(|encoder| Encoder {
            name: encoder.name,
            codecs: encoder.codecs,
            containers: encoder.containers,
            options: encoder.options.into_iter().map(OptionRow::from).collect(),
        });
        let resamplers = plugin
            .resamplers
            .into_iter()
            .map(|resampler| Resampler { name: resampler.name, qualities: resampler.qualities });
        Self {
            id: plugin.id,
            state,
            reason,
            origin: plugin.origin.name(),
            path: plugin.path.map(|path| path.to_string_lossy().into_owned()),
            version: plugin.version,
            vendor: plugin.vendor,
            license: plugin.license,
            dependencies: plugin.dependencies,
            decoders: decoders.collect(),
            encoders: encoders.collect(),
            resamplers: resamplers.collect(),
        }
    }
}

/// The report, in order of precedence.
pub fn report(format: Format) -> String {
    let report = Report { plugins: host::plugins().into_iter().map(Row::from).collect() };
    match format {
        Format::Text => report.to_text(),
        Format::Json => serde_json::to_string_pretty(&report).unwrap_or_default() + "\n",
    }
}

impl Report {
    fn to_text(&self) -> String {
        let mut table = Table::new(&["PLUGIN", "VERSION", "STATE", "ORIGIN", "LICENCE"]);
        for row in &self.plugins {
            let state = if row.reason.is_some() { "REFUSED" } else { row.state };
            table.push(&[&row.id, &row.version, state, row.origin, &row.license]);
            table.detail("because", row.reason.as_deref().unwrap_or_default());
            table.detail("path", row.path.as_deref().unwrap_or("part of mapwave"));
            table.detail("vendor", &row.vendor);
            table.detail("needs", &row.dependencies);
            table.detail("decodes", &joined(row.decoders.iter().map(|decoder| &decoder.codecs)));
            for option in row.decoders.iter().flat_map(|decoder| &decoder.options) {
                table.detail("option to read", &option.to_text());
            }
            table.detail("encodes", &joined(row.encoders.iter().map(|encoder| &encoder.codecs)));
            for option in row.encoders.iter().flat_map(|encoder| &encoder.options) {
                table.detail("option to write", &option.to_text());
            }
            table.detail("resamples", &joined(row.resamplers.iter().map(|resampler| &resampler.qualities)));
        }
        table.to_text()
    }
}

/// The items of all lists, each once.
fn joined<'a>(lists: impl Iterator<Item = &'a Vec<String>>) -> String {
    let mut items: Vec<&str> = Vec::new();
    for item in lists.flatten() {
        if !items.contains(&item.as_str()) {
            items.push(item);
        }
    }
    items.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_is_used_or_refused_for_a_reason() {
        let decoder = |name: &str, codecs: &[&str]| Decoder {
            name: name.to_owned(),
            codecs: codecs.iter().map(|&codec| codec.to_owned()).collect(),
            extensions: Vec::new(),
            options: Vec::new(),
        };
        let used = Row {
            id: "many".to_owned(),
            state: "used",
            origin: "embedded",
            version: "1.2".to_owned(),
            license: "MIT".to_owned(),
            decoders: vec![decoder("a", &["flac", "mp3"]), decoder("b", &["flac", "vorbis"])],
            ..Row::default()
        };
        let refused = Row {
            id: "x.so".to_owned(),
            state: "refused",
            reason: Some("file too short".to_owned()),
            origin: "environment",
            path: Some("/p/x.so".to_owned()),
            ..Row::default()
        };
        let report = Report { plugins: vec![used, refused] };
        let expected = "PLUGIN  VERSION  STATE    ORIGIN       LICENCE\n\
                        many    1.2      used     embedded     MIT\n    path      part of mapwave\n    decodes   flac, mp3, vorbis\n\
                        x.so             REFUSED  environment\n    because   file too short\n    path      /p/x.so\n";
        assert_eq!(report.to_text(), expected);
        assert!(
            serde_json::to_string(&report).is_ok_and(|json| json.contains(r#""reason":"file too short""#))
        );
    }
}
