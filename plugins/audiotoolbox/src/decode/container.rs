//! The name of a container, and its variant.

#![forbid(unsafe_code)]

use std::ffi::CStr;

use mapwave_plugin::{Input, Result};

use crate::sys::*;

/// The number of bytes of a movie header that are searched for tracks.
const MAX_MOOV_BYTES: usize = 1 << 20;

/// The maximum number of boxes to skip before the movie header.
const MAX_BOXES: usize = 1024;

/// A container as people call it, and its variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Container {
    pub(super) name: &'static CStr,
    pub(super) variant: Option<String>,
}

impl Container {
    /// The container of a file of one of the framework's types.
    ///
    /// # Errors
    /// When the host cannot read.
    pub(super) fn of(file_type: u32, input: &Input) -> Result<Self> {
        let known = |name, variant: &str| {
            Ok(Self { name, variant: Some(variant.to_owned()).filter(|variant| !variant.is_empty()) })
        };
        match file_type {
            kAudioFileM4AType | kAudioFileM4BType => known(c"m4a", &brand(input)?),
            kAudioFileMPEG4Type | kAudioFile3GPType | kAudioFile3GP2Type => {
                known(if has_video(input)? { c"mp4" } else { c"m4a" }, &brand(input)?)
            }
            kAudioFileCAFType => known(c"caf", ""),
            kAudioFileAIFFType => known(c"aiff", "aiff"),
            kAudioFileAIFCType => known(c"aiff", "aifc"),
            kAudioFileWAVEType => known(c"wav", "wav"),
            kAudioFileRF64Type => known(c"wav", "rf64"),
            kAudioFileBW64Type => known(c"wav", "bw64"),
            kAudioFileWave64Type => known(c"wav", "w64"),
            kAudioFileAAC_ADTSType => known(c"aac", ""),
            kAudioFileLATMInLOASType => known(c"loas", ""),
            kAudioFileMP1Type => known(c"mp1", ""),
            kAudioFileMP2Type => known(c"mp2", ""),
            kAudioFileMP3Type => known(c"mp3", ""),
            kAudioFileAC3Type => known(c"ac3", ""),
            kAudioFileAMRType => known(c"amr", ""),
            kAudioFileFLACType => known(c"flac", ""),
            kAudioFileNextType => known(c"au", ""),
            _ => known(c"audiotoolbox", ""),
        }
    }
}

/// The major brand of an MP4 file (ISO/IEC 14496-12, 4.3); empty if it does not begin with one.
fn brand(input: &Input) -> Result<String> {
    let mut head = [0; 12];
    input.read_at(0, &mut head)?;
    Ok(match head {
        [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => {
            String::from_utf8(brand.to_vec()).unwrap_or_default()
        }
        _ => String::new(),
    })
}

/// Whether a movie header has a video track, which has an 'hdlr' box for 'vide' (ISO/IEC 14496-12, 8.4.3).
fn has_video(input: &Input) -> Result<bool> {
    let mut offset = 0;
    for _ in 0..MAX_BOXES {
        let mut header = [0; 16];
        if input.read_at(offset, &mut header)? < 8 {
            break;
        }
        let [a, b, c, d, kind @ .., e, f, g, h, i, j, k, l] = header;
        let num_bytes = match u32::from_be_bytes([a, b, c, d]) {
            0 => input.num_bytes().saturating_sub(offset),
            1 => u64::from_be_bytes([e, f, g, h, i, j, k, l]),
            num_bytes => num_bytes.into(),
        };
        if &kind == b"moov" {
            let num_bytes = usize::try_from(num_bytes).unwrap_or(usize::MAX).min(MAX_MOOV_BYTES);
            let mut moov = vec![0; num_bytes];
            let num_read = input.read_at(offset, &mut moov)?;
            let is_video = |bytes: &[u8]| bytes.starts_with(b"hdlr") && bytes.ends_with(b"vide");
            return Ok(moov.get(..num_read).unwrap_or_default().windows(16).any(is_video));
        }
        if num_bytes < 8 {
            break;
        }
        offset = offset.saturating_add(num_bytes);
    }
    Ok(false)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn atom(kind: &[u8; 4], payload: &[u8]) -> Vec<u8> {
        let size = u32::try_from(8 + payload.len()).unwrap();
        [&size.to_be_bytes(), kind.as_slice(), payload].concat()
    }

    fn movie(brand: &[u8; 4], handler: &[u8; 4]) -> Input {
        let handler = atom(b"hdlr", &[&[0; 8], handler.as_slice(), &[0; 12]].concat());
        let moov = atom(b"moov", &atom(b"trak", &atom(b"mdia", &handler)));
        [atom(b"ftyp", brand), atom(b"mdat", b"vide"), moov].concat().into()
    }

    #[test]
    fn mp4_is_named_by_its_tracks() {
        let of = |file_type, input: &Input| {
            let container = Container::of(file_type, input).unwrap();
            (container.name, container.variant)
        };
        let (sound, video) = (movie(b"isom", b"soun"), movie(b"isom", b"vide"));
        assert_eq!(of(kAudioFileMPEG4Type, &sound), (c"m4a", Some("isom".to_owned())));
        assert_eq!(of(kAudioFileMPEG4Type, &video), (c"mp4", Some("isom".to_owned())));
        assert_eq!(of(kAudioFileM4AType, &movie(b"M4A ", b"vide")), (c"m4a", Some("M4A ".to_owned())));
        assert_eq!(of(kAudioFileMPEG4Type, &b"no movie".to_vec().into()), (c"m4a", None));
        assert_eq!(of(kAudioFileAIFCType, &sound), (c"aiff", Some("aifc".to_owned())));
    }
}
