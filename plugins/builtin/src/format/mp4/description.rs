//! The sample description: the codec of a track and its setup (ISO/IEC 14496-12, 8.5.2; QuickTime File Format, "Sound
//! Sample Descriptions").

#![forbid(unsafe_code)]

use mapwave_plugin::{Error, Result};

use super::atoms::Kind;
use crate::bytes::Bytes;
use crate::codec::aac::AacSetup;
use crate::codec::alac::AlacSetup;
use crate::codec::flac::FlacSetup;
use crate::codec::opus::OpusSetup;
use crate::codec::packet_setup::AudioSetup;

/// The kind of a track's packets.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Description {
    /// Packets of a codec whose setup is in the description.
    Compressed(AudioSetup),
    /// MPEG audio of layers I to III, whose frames have their setup in their headers.
    Mpeg,
}

/// Reads the first entry of a sample description ("stsd").
///
/// # Errors
/// When the codec is not supported, with its name, or the bytes are malformed.
pub(crate) fn read_setup(mut stsd: Bytes<'_>, max_alloc: u64) -> Result<Description> {
    stsd.version_and_flags()?;
    let at = stsd.offset();
    let num_entries = stsd.u32()?;
    let Some(entry) = stsd.boxes().next() else {
        return Err(Error::bad_data(
            at,
            format!("the track has no sample description, but announces {num_entries}"),
        ));
    };
    match &entry.kind {
        b"mp4a" => mpeg4_audio(entry.payload),
        b"alac" => {
            let cookie = find(entry.payload, *b"alac")?;
            let mut cookie = cookie.ok_or_else(|| missing(entry.offset, "ALAC setup"))?;
            cookie.version_and_flags()?;
            let setup = AlacSetup::from_cookie(cookie, max_alloc)?;
            Ok(Description::Compressed(AudioSetup::Alac(setup)))
        }
        b"fLaC" => {
            let mut blocks =
                find(entry.payload, *b"dfLa")?.ok_or_else(|| missing(entry.offset, "FLAC setup"))?;
            blocks.version_and_flags()?;
            let setup = FlacSetup::from_blocks(blocks, max_alloc)?;
            Ok(Description::Compressed(AudioSetup::Flac(setup)))
        }
        b".mp3" | b"ms\0\x55" => Ok(Description::Mpeg),
        b"Opus" => {
            let header = find(entry.payload, *b"dOps")?.ok_or_else(|| missing(entry.offset, "Opus setup"))?;
            let setup = OpusSetup::from_box(header)?;
            setup.check_room(max_alloc)?;
            Ok(Description::Compressed(AudioSetup::Opus(setup)))
        }
        kind => Err(Error::unsupported(format!(
            "the codec '{}' in MP4 needs another plugin, such as libav",
            kind.escape_ascii()
        ))
        .at(entry.offset)),
    }
}

fn missing(offset: u64, what: &str) -> Error {
    Error::bad_data(offset, format!("the sample description lacks the {what}"))
}

/// A box in a sound description: after the fields of its version, or in QuickTime's "wave".
pub(crate) fn find(mut entry: Bytes<'_>, kind: Kind) -> Result<Option<Bytes<'_>>> {
    entry.take(8)?; // reserved, data reference
    let version = entry.u16()?;
    entry.take(18)?; // revision, vendor, channels, depth, compression, packet size, rate
    // Versions 1 and 2 are QuickTime's; in an ISO file, version 1 may add nothing.
    let extra: &[usize] = match version {
        1 => &[16, 0],
        2 => &[36, 0],
        _ => &[0],
    };
    for num_bytes in extra {
        let mut boxes = entry;
        if boxes.take(*num_bytes).is_err() {
            continue;
        }
        if let Some(found) = boxes.find(kind).or_else(|| boxes.find(*b"wave")?.find(kind)) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn mpeg4_audio(entry: Bytes<'_>) -> Result<Description> {
    let mut esds = find(entry, *b"esds")?.ok_or_else(|| missing(entry.offset(), "elementary stream"))?;
    esds.version_and_flags()?;
    read_descriptors(esds)
}

/// Reads an elementary stream descriptor (ISO/IEC 14496-1, 7.2.6.5), which is also CAF's magic cookie of AAC.
///
/// # Errors
/// As [`read_setup`].
pub(crate) fn read_descriptors(esds: Bytes<'_>) -> Result<Description> {
    let (object_type, setup) = decoder_configuration(esds)?;
    match object_type {
        0x40 | 0x66..=0x68 => {
            let setup = setup.ok_or_else(|| missing(esds.offset(), "AAC setup"))?;
            let setup = AacSetup::from_config(setup.rest(), setup.offset())?;
            Ok(Description::Compressed(AudioSetup::Aac(setup)))
        }
        0x69 | 0x6b => Ok(Description::Mpeg),
        other => Err(Error::unsupported(format!(
            "MPEG-4 audio of object type {other:#04x} needs another plugin, such as libav"
        ))),
    }
}

/// The object type of an elementary stream descriptor, and its codec's setup, if there is one.
///
/// # Errors
/// When the bytes are malformed.
pub(crate) fn decoder_configuration(esds: Bytes<'_>) -> Result<(u8, Option<Bytes<'_>>)> {
    let (mut stream, offset) = (esds, esds.offset());
    let mut stream = descriptor(&mut stream, 3)?.ok_or_else(|| missing(offset, "elementary stream"))?;
    stream.u16()?; // its number
    let flags = stream.u8()?;
    if flags & 0x80 != 0 {
        stream.u16()?; // the stream it depends on
    }
    if flags & 0x40 != 0 {
        let url_bytes = stream.u8()?;
        stream.take(url_bytes.into())?;
    }
    if flags & 0x20 != 0 {
        stream.u16()?; // the clock's stream
    }
    let mut config = descriptor(&mut stream, 4)?.ok_or_else(|| missing(offset, "decoder configuration"))?;
    let object_type = config.u8()?;
    config.take(12)?; // kind of stream, buffer size, bit rates
    Ok((object_type, descriptor(&mut config, 5)?))
}

/// The next descriptor with a tag, after others (ISO/IEC 14496-1, 8.3.3).
fn descriptor<'a>(bytes: &mut Bytes<'a>, tag: u8) -> Result<Option<Bytes<'a>>> {
    while !bytes.rest().is_empty() {
        let found = bytes.u8()?;
        let mut num_bytes = 0usize;
        for _ in 0..4 {
            let byte = bytes.u8()?;
            num_bytes = num_bytes << 7 | usize::from(byte & 0x7f);
            if byte & 0x80 == 0 {
                break;
            }
        }
        // Some writers include the bytes after the descriptor in its size.
        let payload = bytes.take(num_bytes.min(bytes.rest().len()))?;
        if found == tag {
            return Ok(Some(payload));
        }
    }
    Ok(None)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::cast_possible_truncation)]
mod tests {
    use mapwave_plugin::Status;

    use super::*;

    /// A sample description of one entry, with `extra` bytes between its fields and its boxes.
    fn stsd(kind: &[u8; 4], version: u8, extra: usize, boxes: &[u8]) -> Vec<u8> {
        let mut entry = vec![0u8; 6];
        entry.extend([0, 1, 0, version]);
        entry.extend(vec![0; 18 + extra]);
        entry.extend(boxes);
        let mut bytes = vec![0, 0, 0, 0, 0, 0, 0, 1];
        bytes.extend((entry.len() as u32 + 8).to_be_bytes());
        bytes.extend(kind);
        bytes.extend(entry);
        bytes
    }

    fn atom(kind: &[u8; 4], payload: &[u8]) -> Vec<u8> {
        let mut bytes = (payload.len() as u32 + 8).to_be_bytes().to_vec();
        bytes.extend(kind);
        bytes.extend(payload);
        bytes
    }

    /// An elementary stream descriptor, its lengths in one byte or in four.
    fn esds(object_type: u8, long: bool) -> Vec<u8> {
        let descriptor = |tag: u8, payload: &[u8]| {
            let mut bytes = vec![tag];
            bytes.extend(if long { &[0x80u8, 0x80, 0x80][..] } else { &[] });
            bytes.push(payload.len() as u8);
            bytes.extend(payload);
            bytes
        };
        let mut config = vec![object_type];
        config.extend([0x15, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        config.extend(descriptor(5, &[0x12, 0x10]));
        let mut stream = vec![0, 1, 0];
        stream.extend(descriptor(4, &config));
        stream.extend(descriptor(6, &[2]));
        let mut bytes = vec![0, 0, 0, 0];
        bytes.extend(descriptor(3, &stream));
        bytes
    }

    fn setup(bytes: &[u8]) -> Result<Description> {
        read_setup(Bytes::new(bytes), 1 << 20)
    }

    #[test]
    fn aac_is_found_in_every_version_of_a_description() {
        let expected = Description::Compressed(AudioSetup::Aac(AacSetup::new(2, 44100, 2).unwrap()));
        let boxes = atom(b"esds", &esds(0x40, false));
        let mut inside = atom(b"frma", b"mp4a");
        inside.extend(atom(b"esds", &esds(0x67, true)));
        let wave = atom(b"wave", &inside);
        for (version, extra) in [(0, 0), (1, 0), (1, 16), (2, 36)] {
            assert_eq!(setup(&stsd(b"mp4a", version, extra, &boxes)).unwrap(), expected);
            assert_eq!(setup(&stsd(b"mp4a", version, extra, &wave)).unwrap(), expected);
        }
    }

    #[test]
    fn other_codecs_are_refused_by_name() {
        let error = setup(&stsd(b"ac-3", 0, 0, &[])).unwrap_err();
        assert_eq!(error.status(), Status::Unsupported);
        assert!(error.message().contains("'ac-3'"), "{error}");
        let error = setup(&stsd(b"mp4a", 0, 0, &atom(b"esds", &esds(0xa9, false)))).unwrap_err();
        assert_eq!(error.status(), Status::Unsupported);
        assert!(error.message().contains("0xa9"), "{error}");
        let error = setup(&stsd(b"Opus", 0, 0, &[])).unwrap_err();
        assert_eq!(error.status(), Status::BadData);
        assert!(error.message().contains("lacks the Opus setup"), "{error}");
    }

    #[test]
    fn mpeg_audio_goes_by_many_names() {
        for object_type in [0x69, 0x6b] {
            let boxes = atom(b"esds", &esds(object_type, false));
            assert_eq!(setup(&stsd(b"mp4a", 0, 0, &boxes)).unwrap(), Description::Mpeg);
        }
        assert_eq!(setup(&stsd(b".mp3", 1, 16, &[])).unwrap(), Description::Mpeg);
    }

    #[test]
    fn a_description_that_is_cut_off_is_bad_data() {
        let whole = stsd(b"mp4a", 0, 0, &atom(b"esds", &esds(0x40, false)));
        let setup_end = whole.len() - 3; // an irrelevant descriptor follows
        for end in 0..setup_end {
            let cut = whole.get(..end).unwrap();
            assert_eq!(setup(cut).unwrap_err().status(), Status::BadData, "{end}");
        }
    }
}
