//! Advice about missing plugins and the libraries that they need.
//!
//! The core knows no plugin by name. A program that knows where to get one registers a [`Hint`], which messages quote.

#![forbid(unsafe_code)]

use std::path::Path;

use mapwave_fork::Shared;

use crate::host::listing::{Plugin, State};

/// Information about a plugin that may be missing.
///
/// ```
/// use mapwave_core::host::{Hint, register_hint};
///
/// register_hint(Hint {
///     plugin: "mycodec",
///     product: "MyCodec",
///     libraries: &["libmycodec"],
///     install: "get libmycodec",
///     absent: "which comes with MyCodec",
///     reads: true,
///     writes: &["myc"],
///     qualities: &[],
/// });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hint {
    /// The plugin's id. The file name of its library contains `mapwave_` and the id.
    pub plugin: &'static str,
    /// The users' name for the software behind the plugin.
    pub product: &'static str,
    /// The prefixes of the file names of the shared libraries that the plugin needs and the system provides.
    pub libraries: &'static [&'static str],
    /// The command that installs those libraries; empty if there are none.
    pub install: &'static str,
    /// The text after "looked for a plugin '..'," if the plugin itself is missing: where to get it. `install` follows in
    /// parentheses.
    pub absent: &'static str,
    /// Whether the plugin reads formats that no other plugin reads.
    pub reads: bool,
    /// The extensions, containers and codecs that the plugin writes.
    pub writes: &'static [&'static str],
    /// The resampling qualities of the plugin.
    pub qualities: &'static [&'static str],
}

impl Hint {
    /// What the file name of the plugin's library contains.
    fn library(&self) -> String {
        format!("mapwave_{}", self.plugin)
    }
}

static HINTS: Shared<Vec<Hint>> = Shared::new();

fn hints() -> &'static [Hint] {
    HINTS.get().map_or(&[], Vec::as_slice)
}

/// Registers a hint, which replaces an earlier one for the same plugin.
pub fn register_hint(hint: Hint) {
    HINTS.update(|hints| {
        let others = hints.into_iter().flatten().filter(|other| other.plugin != hint.plugin);
        others.copied().chain([hint]).collect()
    });
}

/// The loader's message, with an explanation if it did not find a library for which there is a hint.
pub(crate) fn explained(words: String) -> String {
    explained_by(hints(), words)
}

fn explained_by(hints: &[Hint], words: String) -> String {
    match hints.iter().find_map(|hint| Some((hint, missing_library(&words, hint.libraries)?))) {
        Some((Hint { product, install, .. }, library)) => {
            format!("{product} not found: looked for {library} ({install}); the loader says: {words}")
        }
        None => words,
    }
}

/// The missing library, according to the message of the Linux or macOS loader.
fn missing_library<'a>(words: &'a str, libraries: &[&str]) -> Option<&'a str> {
    let is_missing = words.contains("cannot open shared object file") || words.contains("Library not loaded");
    let is_end = |character: char| character.is_whitespace() || ":,'\"()".contains(character);
    let start = libraries.iter().filter_map(|library| words.find(library)).min().filter(|_| is_missing)?;
    let name = words.get(start..)?;
    name.split(is_end).next()
}

/// Whether a library is that of a plugin that needs libraries of the system.
pub(crate) fn needs_system_libraries(library: &Path) -> bool {
    let name = library.file_name().unwrap_or_default().to_string_lossy();
    hints().iter().any(|hint| !hint.libraries.is_empty() && name.contains(&hint.library()))
}

/// Leaves out libraries that come with this program for other versions of a product than the one that is installed: several of them
/// hold the same plugin, and each needs another version. If none is loaded, one stays, with what all of them looked for.
pub(crate) fn without_variants(plugins: Vec<Plugin>) -> Vec<Plugin> {
    without_variants_of(hints(), plugins)
}

fn without_variants_of(hints: &[Hint], mut plugins: Vec<Plugin>) -> Vec<Plugin> {
    for hint in hints {
        let library = hint.library();
        let missing = |plugin: &Plugin| match &plugin.state {
            State::Refused(why) if plugin.origin.is_ours() && plugin.id.contains(&library) => {
                missing_library(why, hint.libraries).map(str::to_owned)
            }
            _ => None,
        };
        let is_loaded =
            plugins.iter().any(|plugin| plugin.id == hint.plugin && plugin.state == State::Loaded);
        let libraries: Vec<String> = plugins.iter().filter_map(missing).collect();
        if libraries.len() + usize::from(is_loaded) < 2 {
            continue;
        }
        let (libraries, Hint { product, install, .. }) = (libraries.join(" or "), hint);
        let mut is_wanted = !is_loaded;
        plugins.retain_mut(|plugin| {
            if missing(plugin).is_none() {
                return true;
            }
            plugin.state = State::Refused(format!("{product} not found: looked for {libraries} ({install})"));
            std::mem::take(&mut is_wanted)
        });
    }
    plugins
}

/// The addition to a message that no plugin reads a file.
pub(crate) fn for_reading(plugins: &[Plugin]) -> String {
    absences(hints(), plugins, |hint| hint.reads)
}

/// The addition to a message that no plugin writes a file with one of these names.
pub(crate) fn for_writing(names: &[&str], plugins: &[Plugin]) -> String {
    absences(hints(), plugins, |hint| hint.writes.iter().any(|name| names.contains(name)))
}

/// The addition to a message that no plugin has a quality.
pub(crate) fn for_quality(quality: &str, plugins: &[Plugin]) -> String {
    absences(hints(), plugins, |hint| hint.qualities.contains(&quality))
}

/// The hint for a plugin with a quality, and the quality.
pub(crate) fn with_quality(quality: &str) -> Option<(Hint, &'static str)> {
    let named = |hint: &Hint| hint.qualities.iter().find(|name| **name == quality).map(|name| (*hint, *name));
    hints().iter().find_map(named)
}

/// The qualities of all hints.
pub(crate) fn qualities() -> Vec<&'static str> {
    hints().iter().flat_map(|hint| hint.qualities).copied().collect()
}

/// Every applicable hint whose plugin is neither loaded nor rejected.
fn absences(hints: &[Hint], plugins: &[Plugin], helps: impl Fn(&Hint) -> bool) -> String {
    let is_absent = |hint: &&Hint| {
        let library = format!("mapwave_{}", hint.plugin);
        let is_it = |plugin: &Plugin| match &plugin.state {
            State::Loaded => plugin.id == hint.plugin,
            State::Refused(_) => plugin.id.contains(&library),
        };
        !plugins.iter().any(is_it)
    };
    let said = |Hint { product, plugin, absent, install, .. }: &Hint| {
        let install = if install.is_empty() { String::new() } else { format!(" ({install})") };
        format!("; {product} not found: looked for a plugin '{plugin}', {absent}{install}")
    };
    hints.iter().filter(|hint| helps(hint)).filter(is_absent).map(said).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::host::Origin;

    const HINT: Hint = Hint {
        plugin: "many",
        product: "ManyCodecs",
        libraries: &["libmanycodec", "libmanyformat"],
        install: "get manycodecs",
        absent: "which is sold separately",
        reads: true,
        writes: &["m4a", "aac"],
        qualities: &["polished"],
    };

    #[test]
    fn a_library_that_is_not_there_is_named() {
        let words = "libmanyformat.so.59: cannot open shared object file: No such file or directory";
        let said = explained_by(&[HINT], words.to_owned());
        assert!(
            said.starts_with("ManyCodecs not found: looked for libmanyformat.so.59 (get manycodecs)"),
            "{said}"
        );
        assert!(said.ends_with(words));
        let words = "dlopen(/p/libmapwave_many.dylib, 2): Library not loaded: '@rpath/libmanycodec.61.dylib'";
        assert_eq!(missing_library(words, HINT.libraries), Some("libmanycodec.61.dylib"));
    }

    #[test]
    fn other_words_stay_as_they_are() {
        for words in ["libfoo.so: cannot open shared object file", "libmanycodec.so.59: undefined symbol: x"]
        {
            assert_eq!(explained_by(&[HINT], words.to_owned()), words);
        }
    }

    fn plugin(id: &str, state: State) -> Plugin {
        Plugin {
            id: id.to_owned(),
            origin: Origin::Bundled,
            path: None,
            state,
            version: String::new(),
            vendor: String::new(),
            license: String::new(),
            dependencies: String::new(),
            decoders: Vec::new(),
            encoders: Vec::new(),
            resamplers: Vec::new(),
        }
    }

    #[test]
    fn libraries_for_other_versions_are_silent() {
        let missing = |version: u32| {
            let words = format!("libmanycodec.so.{version}: cannot open shared object file: No such file");
            plugin(&format!("libmapwave_many{version}.so"), State::Refused(explained_by(&[HINT], words)))
        };
        let left = |plugins: &[Plugin]| -> Vec<(String, State)> {
            let left = without_variants_of(&[HINT], plugins.to_vec());
            left.into_iter().map(|plugin| (plugin.id, plugin.state)).collect()
        };
        let facts = |plugin: &Plugin| (plugin.id.clone(), plugin.state.clone());
        let (loaded, broken) = (
            plugin("many", State::Loaded),
            plugin("libmapwave_many60.so", State::Refused("undefined symbol".to_owned())),
        );
        let all = [missing(59), loaded.clone(), broken.clone(), missing(61)];
        assert_eq!(left(&all), [facts(&loaded), facts(&broken)]);
        // Without any, all that would do are named once.
        let words =
            "ManyCodecs not found: looked for libmanycodec.so.59 or libmanycodec.so.61 (get manycodecs)";
        let one = ("libmapwave_many59.so".to_owned(), State::Refused(words.to_owned()));
        assert_eq!(left(&[missing(59), broken.clone(), missing(61)]), [one, facts(&broken)]);
        // A single one keeps the loader's words, and so do libraries of others.
        assert_eq!(left(&[missing(59)]), [facts(&missing(59))]);
        let theirs = Plugin { origin: Origin::User, ..missing(61) };
        assert_eq!(left(&[loaded.clone(), theirs.clone()]), [facts(&loaded), facts(&theirs)]);
    }

    #[test]
    fn an_absence_is_told_only_where_it_is_one_and_helps() {
        let others = [plugin("other", State::Loaded)];
        let told = absences(&[HINT], &others, |hint| hint.reads);
        let expected =
            "; ManyCodecs not found: looked for a plugin 'many', which is sold separately (get manycodecs)";
        assert_eq!(told, expected);
        assert_eq!(absences(&[HINT], &others, |hint| hint.writes.contains(&"xyz")), "");
        assert_eq!(absences(&[HINT], &[plugin("many", State::Loaded)], |_| true), "");
        let refused = State::Refused("it is broken".to_owned());
        assert_eq!(absences(&[HINT], &[plugin("libmapwave_many59.so", refused)], |_| true), "");
    }

    #[test]
    fn a_quality_that_is_not_there_is_told_with_where_to_get_it() {
        let hint = Hint {
            plugin: "polisher",
            install: "",
            reads: false,
            writes: &[],
            qualities: &["glossy"],
            ..HINT
        };
        register_hint(Hint { absent: "which was another", ..hint });
        register_hint(hint);
        assert_eq!(with_quality("glossy"), Some((hint, "glossy")));
        assert_eq!(with_quality("dull"), None);
        assert!(for_quality("glossy", &[]).ends_with("'polisher', which is sold separately"));
    }
}
