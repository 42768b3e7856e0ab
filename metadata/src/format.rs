//! Which format a file has, by its first bytes.

use crate::error::Result;
use crate::flac::behind_id3;
use crate::input::{self, ReadAt};
use crate::mpeg;

/// The formats whose metadata is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// WAV, RIFX, RF64 and BW64.
    Wave,
    /// Sony Wave64, which is only read.
    Wave64,
    /// AIFF and AIFF-C.
    Aiff,
    /// Apple's Core Audio Format.
    Caf,
    /// FLAC.
    Flac,
    /// Ogg with Vorbis, Opus or FLAC.
    Ogg,
    /// MPEG audio, such as MP3.
    Mpeg,
    /// AAC in ADTS.
    Adts,
    /// MP4, M4A and QuickTime.
    Mp4,
    /// Matroska and WebM, which are only read.
    Matroska,
}

impl Format {
    /// The format of a file; `None` if it is another one.
    ///
    /// # Errors
    /// Those of reading.
    pub fn of(input: &dyn ReadAt) -> Result<Option<Self>> {
        let head = input::up_to(input, 0, 16)?;
        let format = match &*head {
            [b'R', b'I', b'F', b'F' | b'X', ..]
            | [b'R', b'F', b'6', b'4', ..]
            | [b'B', b'W', b'6', b'4', ..] => {
                head.get(8..12).filter(|kind| *kind == b"WAVE").map(|_| Self::Wave)
            }
            [b'r', b'i', b'f', b'f', 0x2e, 0x91, ..] => Some(Self::Wave64),
            [b'F', b'O', b'R', b'M', _, _, _, _, b'A', b'I', b'F', b'F' | b'C', ..] => Some(Self::Aiff),
            [b'c', b'a', b'f', b'f', ..] => Some(Self::Caf),
            [b'O', b'g', b'g', b'S', ..] => Some(Self::Ogg),
            [0x1a, 0x45, 0xdf, 0xa3, ..] => Some(Self::Matroska),
            [_, _, _, _, kind @ ..]
                if kind.get(..4).is_some_and(|kind| {
                    [b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot"]
                        .iter()
                        .any(|known| *known == kind)
                }) =>
            {
                Some(Self::Mp4)
            }
            _ => {
                let behind = input::up_to(input, behind_id3(input)?, 4)?;
                match &*behind {
                    b"fLaC" => Some(Self::Flac),
                    [0xff, second, ..] if second & 0xf6 == 0xf0 => Some(Self::Adts),
                    header => match header.try_into().ok().and_then(mpeg::frame_rate) {
                        Some(_) => Some(Self::Mpeg),
                        // Frames may begin later.
                        None if head.starts_with(b"ID3") => Some(Self::Mpeg),
                        None => None,
                    },
                }
            }
        };
        Ok(format)
    }

    /// Its name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Wave => "wav",
            Self::Wave64 => "w64",
            Self::Aiff => "aiff",
            Self::Caf => "caf",
            Self::Flac => "flac",
            Self::Ogg => "ogg",
            Self::Mpeg => "mp3",
            Self::Adts => "aac",
            Self::Mp4 => "m4a",
            Self::Matroska => "mka",
        }
    }
}
