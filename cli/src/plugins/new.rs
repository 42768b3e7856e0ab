//! `mapwave plugins new`: the project of a plugin, which builds and passes the check.

#![forbid(unsafe_code)]

use std::f64::consts::TAU;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

/// The project to write.
#[derive(Clone, Debug, Args)]
pub struct NewArguments {
    /// The plugin's name, by which users choose it: lower-case letters, digits, '-' and '_'.
    name: String,
    /// The language of the project.
    #[arg(long, value_enum)]
    lang: Language,
    /// Write an encoder too.
    #[arg(long)]
    encoder: bool,
    /// The directory to write to, which must not exist [default: one of the plugin's name].
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Where the SDK of a plugin in Rust is: a checkout of mapwave, or the URL of a git repository [default: mapwave's repository].
    #[arg(long, value_name = "PATH or URL")]
    sdk: Option<String>,
}

/// A language that plugins are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Language {
    /// C99, on one header.
    C,
    /// Safe Rust, on the traits of `mapwave-plugin`.
    Rust,
}

const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

/// The names of plugins that come with mapwave.
const RESERVED: [&str; 5] = ["audiotoolbox", "builtin", "lame", "libav", "soxr"];

/// The extensions that mapwave reads and writes itself.
const TAKEN: [&str; 10] = ["wav", "wave", "bwf", "rf64", "w64", "aiff", "aif", "aifr", "aifc", "caf"];

/// Names that a package in Rust cannot have.
const NOT_IN_RUST: [&str; 36] = [
    "alloc",
    "core",
    "std",
    "test",
    "proc_macro",
    "as",
    "async",
    "await",
    "break",
    "const",
    "continue",
    "crate",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "match",
    "mod",
    "move",
    "mut",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "struct",
    "type",
];

/// The longest name.
const MAX_NAME: usize = 40;

/// Writes a project and returns the exit code.
pub fn run(arguments: &NewArguments) -> i32 {
    let directory = arguments.dir.clone().unwrap_or_else(|| PathBuf::from(&arguments.name));
    let written = files(arguments).and_then(|files| {
        write(&directory, &files).map_err(|error| format!("{}: {error}", directory.display()))
    });
    // The exit code carries the result even if nobody reads the text.
    match written {
        Ok(()) => {
            let _ = io::stdout().write_all(next_steps(arguments, &directory).as_bytes());
            0
        }
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error}");
            1
        }
    }
}

/// A file of the project.
type File = (String, Vec<u8>);

/// The names that stand in templates, and what they stand for.
struct Words {
    pairs: Vec<(&'static str, String)>,
    has_encoder: bool,
}

fn files(arguments: &NewArguments) -> Result<Vec<File>, String> {
    let words = Words::new(arguments)?;
    let extension = words.value("@EXT@");
    let ident = words.value("@IDENT@");
    let mut files: Vec<File> = match arguments.lang {
        Language::C => vec![
            (format!("{ident}.c"), words.fill(include_str!("templates/c/plugin.c.in"))),
            ("Makefile".to_owned(), words.fill(include_str!("templates/c/Makefile.in"))),
            ("README.md".to_owned(), words.fill(include_str!("templates/c/README.md.in"))),
            (".gitignore".to_owned(), b"*.so\n*.dylib\n".to_vec()),
        ],
        Language::Rust => vec![
            ("Cargo.toml".to_owned(), words.fill(include_str!("templates/rust/Cargo.toml.in"))),
            ("src/lib.rs".to_owned(), words.fill(include_str!("templates/rust/lib.rs.in"))),
            ("src/decoder.rs".to_owned(), words.fill(include_str!("templates/rust/decoder.rs.in"))),
            ("tests/files.rs".to_owned(), words.fill(include_str!("templates/rust/test.rs.in"))),
            ("README.md".to_owned(), words.fill(include_str!("templates/rust/README.md.in"))),
            (".gitignore".to_owned(), b"/target\n".to_vec()),
        ],
    };
    match arguments.lang {
        Language::C => files.extend(
            super::include_dir::HEADERS
                .map(|(name, text)| (format!("include/{name}"), text.as_bytes().to_vec())),
        ),
        Language::Rust if arguments.encoder => {
            files.push((
                "src/encoder.rs".to_owned(),
                words.fill(include_str!("templates/rust/encoder.rs.in")),
            ));
        }
        Language::Rust => {}
    }
    let tone = tone(&words.magic());
    files.push((format!("corpus/cut.{extension}"), tone.get(..1001).unwrap_or_default().to_vec()));
    files.push((format!("corpus/tone.{extension}"), tone));
    Ok(files)
}

impl Words {
    fn new(arguments: &NewArguments) -> Result<Self, String> {
        let name = &arguments.name;
        let may =
            |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-_".contains(letter);
        if !name.starts_with(|first: char| first.is_ascii_lowercase())
            || !name.chars().all(may)
            || name.len() > MAX_NAME
        {
            return Err(format!(
                "the name is \"{name}\", expected a letter and then at most {} of a-z, 0-9, - and _",
                MAX_NAME - 1
            ));
        }
        let extension: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        let ident = name.replace('-', "_");
        if RESERVED.contains(&&**name) {
            return Err(format!("the name \"{name}\" is that of a plugin which comes with mapwave"));
        }
        if TAKEN.contains(&&*extension) {
            return Err(format!(
                "files that end in .{extension} are read by mapwave itself: choose another name"
            ));
        }
        if arguments.lang == Language::Rust && NOT_IN_RUST.contains(&&*ident) {
            return Err(format!("\"{name}\" is not a name for a package in Rust"));
        }
        let capitalized = |part: &str| {
            let (first, rest) = part.split_at_checked(1).unwrap_or((part, ""));
            first.to_uppercase() + rest
        };
        let type_name: String = ident.split('_').map(capitalized).collect();
        let magic: String = extension.to_uppercase().chars().take(7).collect();
        let with = |text: &str| if arguments.encoder { text.to_owned() } else { String::new() };
        let uses = match arguments.encoder {
            true => format!(
                "use {ident}::{{MAGIC, {type_name}Decoder, {type_name}Encoder}};\n\
                 use mapwave_plugin::{{Block, Decoder, DecoderOptions, Encoder, EncoderOptions, Input, Output, Sink}};"
            ),
            false => format!(
                "use {ident}::{{MAGIC, {type_name}Decoder}};\n\
                 use mapwave_plugin::{{Decoder, DecoderOptions, Input, Output}};"
            ),
        };
        let pairs = vec![
            ("@NAME@", name.clone()),
            ("@IDENT@", ident),
            ("@TYPE@", type_name),
            ("@EXT@", extension.clone()),
            ("@CODEC@", extension),
            ("@MAGIC_RUST@", magic.clone() + &"\\0".repeat(8 - magic.len())),
            ("@MAGIC@", magic),
            ("@AND_WRITES@", with(" and writes")),
            ("@AND_WRITTEN@", with(", and written")),
            ("@ENCODER_FILE@", with(", and `src/encoder.rs` writes it")),
            ("@USES@", uses),
            ("@SDK@", dependency(arguments)?),
            ("@REPOSITORY@", REPOSITORY.to_owned()),
            ("@VERSION@", env!("CARGO_PKG_VERSION").to_owned()),
        ];
        Ok(Self { pairs, has_encoder: arguments.encoder })
    }

    fn value(&self, word: &str) -> &str {
        self.pairs.iter().find(|(name, _)| *name == word).map_or("", |(_, value)| value)
    }

    fn magic(&self) -> [u8; 8] {
        let mut magic = [0; 8];
        magic.iter_mut().zip(self.value("@MAGIC@").bytes()).for_each(|(to, from)| *to = from);
        magic
    }

    /// A template with its words replaced, without the lines for encoders if there is none.
    fn fill(&self, template: &str) -> Vec<u8> {
        let mut is_wanted = true;
        let mut text = String::new();
        for line in template.lines() {
            match line {
                "//+encoder" => is_wanted = self.has_encoder,
                "//-encoder" => is_wanted = true,
                _ if is_wanted => {
                    let filled = self
                        .pairs
                        .iter()
                        .fold(line.to_owned(), |line, (word, value)| line.replace(word, value));
                    text.push_str(&filled);
                    text.push('\n');
                }
                _ => {}
            }
        }
        text.into_bytes()
    }
}

/// The SDK as a dependency of a package.
fn dependency(arguments: &NewArguments) -> Result<String, String> {
    let git = |url: &str| Ok(format!("mapwave-plugin = {{ git = \"{url}\" }}"));
    let Some(place) = &arguments.sdk else { return git(REPOSITORY) };
    let is_url = place.contains("://") || place.starts_with("git@");
    if is_url {
        return git(place);
    }
    let sdk = ["plugins/sdk", ""].map(|below| Path::new(place).join(below));
    let found = sdk.iter().find(|path| {
        fs::read_to_string(path.join("Cargo.toml"))
            .is_ok_and(|text| text.contains("name = \"mapwave-plugin\""))
    });
    let Some(path) = found.and_then(|path| path.canonicalize().ok()) else {
        return Err(format!("{place}: there is no plugins/sdk; expected a checkout of mapwave, or a URL"));
    };
    Ok(format!("mapwave-plugin = {{ path = {:?} }}", path.display().to_string()))
}

/// A file with a tone in two channels.
fn tone(magic: &[u8; 8]) -> Vec<u8> {
    let (sample_rate, num_frames) = (16_000u32, 4000u32);
    let mut bytes = magic.to_vec();
    bytes.extend(sample_rate.to_le_bytes());
    bytes.extend(2u32.to_le_bytes());
    bytes.extend(u64::from(num_frames).to_le_bytes());
    for frame in 0..num_frames {
        for pitch in [440.0, 660.0] {
            let level = (TAU * pitch * f64::from(frame) / f64::from(sample_rate)).sin();
            #[allow(clippy::cast_possible_truncation)] // half of full scale
            bytes.extend(((level * 16_000.0) as i16).to_le_bytes());
        }
    }
    bytes
}

fn write(directory: &Path, files: &[File]) -> io::Result<()> {
    fs::create_dir(directory)?;
    for (name, bytes) in files {
        let path = directory.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, bytes)?;
    }
    Ok(())
}

fn next_steps(arguments: &NewArguments, directory: &Path) -> String {
    let place = directory.display();
    let suffix = if cfg!(target_os = "macos") { "dylib" } else { "so" };
    let ident = arguments.name.replace('-', "_");
    match arguments.lang {
        Language::C => format!(
            "wrote {place}\n\n    cd '{place}'\n    make check      # builds {name}.{suffix} and checks it\n    make install\n",
            name = arguments.name
        ),
        Language::Rust => format!(
            "wrote {place}\n\n    cd '{place}'\n    cargo test\n    cargo build --release\n    \
             mapwave plugins check target/release/lib{ident}.{suffix} --corpus corpus\n"
        ),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn arguments(name: &str, lang: Language) -> NewArguments {
        NewArguments { name: name.to_owned(), lang, encoder: false, dir: None, sdk: None }
    }

    #[test]
    fn names_that_a_plugin_cannot_have_are_rejected() {
        for (name, why) in [
            ("", "expected a letter"),
            ("1st", "expected a letter"),
            ("Big", "expected a letter"),
            ("a b", "expected a letter"),
            ("a/../b", "expected a letter"),
            ("soxr", "comes with mapwave"),
            ("w-a-v", "read by mapwave itself"),
        ] {
            let error = files(&arguments(name, Language::C)).unwrap_err();
            assert!(error.contains(why), "{name}: {error}");
        }
        assert!(files(&arguments("loop", Language::Rust)).unwrap_err().contains("not a name for a package"));
        assert!(files(&arguments("loop", Language::C)).is_ok());
    }

    #[test]
    fn no_word_of_a_template_is_left() {
        for lang in [Language::C, Language::Rust] {
            for encoder in [false, true] {
                let arguments = NewArguments { encoder, ..arguments("my-codec2", lang) };
                for (name, bytes) in files(&arguments).unwrap() {
                    let text = String::from_utf8_lossy(&bytes).into_owned();
                    let is_left = |word: &str| word.starts_with(|first: char| first.is_ascii_uppercase());
                    let words: Vec<&str> =
                        text.split('@').skip(1).step_by(2).filter(|word| is_left(word)).collect();
                    assert!(
                        words.is_empty() || name == "Makefile" || name.starts_with("corpus"),
                        "{name}: {words:?}"
                    );
                    let has_encoder = text.contains("Encoder") || text.contains("mw_encoder_table");
                    assert!(encoder || !has_encoder || name.starts_with("include"), "{name}");
                }
            }
        }
    }

    #[test]
    fn the_sdk_is_depended_on_by_path_or_git() {
        let with = |sdk: Option<&str>| {
            dependency(&NewArguments { sdk: sdk.map(str::to_owned), ..arguments("x", Language::Rust) })
        };
        assert_eq!(with(None).unwrap(), format!("mapwave-plugin = {{ git = \"{REPOSITORY}\" }}"));
        assert_eq!(with(Some("https://x/y")).unwrap(), "mapwave-plugin = { git = \"https://x/y\" }");
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for place in [checkout.clone(), checkout.join("plugins/sdk")] {
            let found = with(place.to_str()).unwrap();
            assert!(found.contains("{ path = \"/") && found.contains("plugins/sdk\""), "{found}");
        }
        assert!(with(Some("/no/such/place")).unwrap_err().contains("there is no plugins/sdk"));
    }
}
