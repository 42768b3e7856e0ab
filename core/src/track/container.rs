//! The names of file formats that hold sound.

#![forbid(unsafe_code)]

use std::fmt;

/// The bytes of the longest [`Container::variant`].
const VARIANT_BYTES: usize = 16;

/// An audio file format: its everyday name, and the variant of it that a file uses.
///
/// The containers that this crate reads are constants such as [`Container::WAV`]; [`container::ALL`](crate::container::ALL) lists
/// them. A plugin names the containers that it reads.
///
/// ```
/// use mapwave_core::track::Container;
///
/// assert_eq!((Container::RF64.name(), Container::RF64.variant()), ("wav", Some("rf64")));
/// assert_eq!((Container::CAF.name(), Container::CAF.variant()), ("caf", None));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Container {
    name: &'static str,
    /// ASCII, padded with zeros.
    variant: [u8; VARIANT_BYTES],
}

impl Container {
    /// A container that has a single variant.
    pub(crate) const fn new(name: &'static str) -> Self {
        Self { name, variant: [0; VARIANT_BYTES] }
    }

    /// A variant of a container. A `variant` that is empty, too long or not printable ASCII counts as none.
    #[expect(
        clippy::indexing_slicing,
        reason = "a const fn has no iterators, and the loop ends with the slice"
    )]
    pub(crate) const fn of_variant(name: &'static str, variant: &[u8]) -> Self {
        let mut kept = [0; VARIANT_BYTES];
        if variant.len() > VARIANT_BYTES {
            return Self { name, variant: kept };
        }
        let mut place = 0;
        while place < variant.len() {
            let byte = variant[place];
            if !byte.is_ascii_graphic() && byte != b' ' {
                return Self { name, variant: [0; VARIANT_BYTES] };
            }
            kept[place] = byte;
            place += 1;
        }
        Self { name, variant: kept }
    }

    /// The everyday name, which is the usual file extension: "wav", "aiff" or "caf", or a plugin's, such as "m4a", "flac" or
    /// "mp3".
    pub fn name(self) -> &'static str {
        self.name
    }

    /// The exact variant, for a container that has several: "wav", "rifx", "rf64", "bw64" or "w64" for "wav"; "aiff" or "aifc"
    /// for "aiff"; the major brand, such as "M4A ", for MP4.
    pub fn variant(&self) -> Option<&str> {
        let num_bytes = self.variant.iter().position(|&byte| byte == 0).unwrap_or(VARIANT_BYTES);
        let text = self.variant.get(..num_bytes).and_then(|bytes| std::str::from_utf8(bytes).ok());
        text.filter(|text| !text.is_empty())
    }

    /// The variant if there is one, otherwise the name. Plugins receive it for a container that this crate parses.
    pub fn exact_name(&self) -> &str {
        self.variant().unwrap_or(self.name)
    }
}

impl fmt::Debug for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Container({}, {:?})", self.name, self.variant())
    }
}

impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variant_is_kept_if_it_is_short_printable_text() {
        let variant = |bytes: &[u8]| Container::of_variant("x", bytes).variant().map(str::to_owned);
        assert_eq!(variant(b"M4A ").as_deref(), Some("M4A "));
        assert_eq!(variant(b"sixteen letters.").as_deref(), Some("sixteen letters."));
        for rejected in [&b""[..], b"seventeen letters", b"a\nb", b"\xff", b"a\0b"] {
            assert_eq!(variant(rejected), None, "{rejected:?}");
        }
    }
}
