//! Pictures of audio: what they show is found elsewhere, arranged by `layout`, and painted as SVG or PNG.

mod axis;
mod colour;
mod layout;
mod raster;
mod scene;
mod svg;
mod text;
mod theme;

use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use mapwave_core::{Error, Parameter, Result};

pub(crate) use axis::{duration, frequency_of, mel};
use colour::Ink;
pub(crate) use layout::{Facts, Frame, Sound, arrange};
use scene::Scene;
pub use theme::Theme;

/// A picture of audio, to be written as SVG or PNG.
#[derive(Clone, Debug)]
pub struct Plot {
    scene: Scene,
    theme: Theme,
}

impl Plot {
    pub(crate) fn new(scene: Scene, theme: Theme) -> Self {
        Self { scene, theme }
    }

    /// The width in pixels.
    pub fn width(&self) -> u32 {
        self.scene.width
    }

    /// The height in pixels.
    pub fn height(&self) -> u32 {
        self.scene.height
    }

    /// The picture as an SVG, complete in itself. Its writing is text, in a font of the system.
    pub fn svg(&self) -> String {
        svg::svg(&self.scene, self.theme)
    }

    /// Writes the picture to a file: an SVG or a PNG, as the extension says. The path holds either the old file or the complete new
    /// one at any time.
    ///
    /// # Errors
    /// [`Error::Argument`] for another extension, before anything is written; [`Error::Io`] if the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let extension = path.extension().and_then(OsStr::to_str).map(str::to_ascii_lowercase);
        let bytes = match extension.as_deref() {
            Some("svg") => self.svg().into_bytes(),
            Some("png") => self.png(),
            _ => {
                let what = format!("must be a name that ends in .svg or .png, got '{}'", path.display());
                return Err(Error::Argument { path: None, parameter: Parameter::Target, what });
            }
        };
        replace(path, &bytes).map_err(|cause| Error::Io {
            path: Some(path.to_path_buf()),
            doing: "writing the picture",
            offset: None,
            cause,
        })
    }

    /// The picture as a PNG.
    pub fn png(&self) -> Vec<u8> {
        let colour_of = if self.theme == Theme::Dark { Ink::dark } else { Ink::light };
        raster::png(&self.scene, colour_of)
    }
}

/// Puts a complete new file in the place of an old one, or leaves the old one as it is.
fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut name = OsStr::new(".").to_os_string();
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(name);
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&part)
        .and_then(|mut file| file.write_all(bytes))
        .and_then(|()| std::fs::rename(&part, path));
    if written.as_ref().is_err_and(|error| error.kind() != std::io::ErrorKind::AlreadyExists) {
        // There is nothing to do about a part that stays.
        let _ = std::fs::remove_file(&part);
    }
    written
}
