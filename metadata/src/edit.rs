//! What is to be changed.

use crate::error::{Error, Result};
use crate::model::{Bext, Marker, Picture};

/// What to do with what a format cannot hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnUnknown {
    /// Refuse it by name, and change nothing.
    #[default]
    Error,
    /// Leave it out.
    Drop,
}

/// A change: `None` keeps what the file has, `Some` replaces all of it, and what is empty removes it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Edit {
    /// Lower-case Vorbis comment names and their values; a name may repeat.
    pub tags: Option<Vec<(String, String)>>,
    /// Pictures with their data.
    pub pictures: Option<Vec<Picture>>,
    /// Markers.
    pub markers: Option<Vec<Marker>>,
    /// The broadcast extension.
    pub bext: Option<Option<Bext>>,
    /// What to do with what the format cannot hold.
    pub on_unknown: OnUnknown,
}

impl Edit {
    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.tags.is_none() && self.pictures.is_none() && self.markers.is_none() && self.bext.is_none()
    }

    /// Reports what a format cannot hold, unless it is to be left out.
    pub(crate) fn lacks(
        &self,
        format: &'static str,
        item: &'static str,
        what: impl Into<String>,
    ) -> Result<()> {
        match self.on_unknown {
            OnUnknown::Drop => Ok(()),
            OnUnknown::Error => Err(Error::Lacks { format, item, what: what.into() }),
        }
    }

    /// Reports pictures, markers or a broadcast extension that a format cannot hold at all.
    pub(crate) fn lacks_all(&self, format: &'static str, items: &[&'static str]) -> Result<()> {
        for item in items {
            let is_given = match *item {
                "tags" => self.tags.as_ref().is_some_and(|tags| !tags.is_empty()),
                "pictures" => self.pictures.as_ref().is_some_and(|pictures| !pictures.is_empty()),
                "markers" => self.markers.as_ref().is_some_and(|markers| !markers.is_empty()),
                _ => matches!(self.bext, Some(Some(_))),
            };
            if is_given {
                self.lacks(format, item, "it cannot hold them")?;
            }
        }
        Ok(())
    }

    /// Refuses to lose what follows the first `num_read` of the old items and could not be read, unless all are replaced.
    pub(crate) fn check_lost(&self, items: &str, num_read: usize) -> Result<()> {
        if self.tags.is_some() && self.pictures.is_some() && self.markers.is_some() {
            return Ok(());
        }
        Err(Error::unsupported(format!(
            "the {items} behind the first {num_read} cannot be read and would be lost; tags, pictures and markers, given \
             together, replace all of them"
        )))
    }

    /// Rejects what no format can hold.
    pub(crate) fn check(&self) -> Result<()> {
        let refuse = |item, what: String| Err(Error::Lacks { format: "audio", item, what });
        for (name, value) in self.tags.iter().flatten() {
            let is_name =
                !name.is_empty() && name.bytes().all(|byte| (0x20..0x7e).contains(&byte) && byte != b'=');
            if !is_name || value.contains('\0') {
                return refuse(
                    "tags",
                    format!(
                        "names are printable ASCII characters other than '=', and values have no zero bytes; \
                         got {name:?}: {value:?}"
                    ),
                );
            }
        }
        for (index, picture) in self.pictures.iter().flatten().enumerate() {
            if picture.data.is_empty() {
                return refuse("pictures", format!("picture {index} has no data"));
            }
            if picture.mime.contains('\0') || picture.description.contains('\0') {
                return refuse(
                    "pictures",
                    format!("picture {index} has a zero byte in its type or description"),
                );
            }
        }
        for marker in self.markers.iter().flatten() {
            if marker.end.is_some_and(|end| end < marker.start) {
                return refuse("markers", format!("a marker ends before it starts: {marker:?}"));
            }
            if marker.label.contains('\0') {
                return refuse("markers", format!("a label has a zero byte: {:?}", marker.label));
            }
        }
        Ok(())
    }
}
