//! The headers of AIFF and AIFF-C (Apple, *Audio Interchange File Format 1.3*; *AIFF-C, draft 08/26/91*).

#![forbid(unsafe_code)]

use super::header::{Header, PcmFacts};
use super::tags;
use crate::error::{Error, Parameter, Result};
use crate::pcm::{ByteOrder, SampleFormat, SampleKind};

/// AIFF, or AIFF-C for samples that AIFF does not support.
pub(super) const AIFF: PcmFacts = PcmFacts {
    byte_order: ByteOrder::Big,
    has_signed_bytes: true,
    has_channel_mask: false,
    pads_samples: true,
    tag_keys: tags::IFF_KEYS,
    header: |description, num_frames| header(description, num_frames, false),
    completed: |description, num_frames| header(description, Some(num_frames), false),
};

/// AIFF-C for all samples.
pub(super) const AIFC: PcmFacts = PcmFacts {
    header: |description, num_frames| header(description, num_frames, true),
    completed: |description, num_frames| header(description, Some(num_frames), true),
    ..AIFF
};

/// The `FVER` of AIFF-C, of which only this version exists.
const VERSION: u32 = 0xa280_5140;

/// The largest value of a 32-bit size.
const MAX_BYTES: u64 = u32::MAX as u64;

/// The bytes before the samples; their number does not depend on whether the length is known.
///
/// # Errors
/// [`Error::Limit`] if the size of the file does not fit into 32 bits.
pub(super) fn header(header: &Header<'_>, num_frames: Option<u64>, is_aifc: bool) -> Result<Vec<u8>> {
    let compression = compression(header.samples)?;
    let is_aifc = is_aifc || compression.is_some();
    let data = num_frames.unwrap_or(0).saturating_mul(header.frame_bytes());
    let mut chunks = Vec::new();
    if is_aifc {
        append(&mut chunks, b"FVER", &VERSION.to_be_bytes());
    }
    append(&mut chunks, b"COMM", &common(header, num_frames, is_aifc.then(|| compression.unwrap_or(NONE)))?);
    chunks.extend(tags::iff_texts(header.tags));
    chunks.extend_from_slice(header.more);
    // After the form's size: its type, the chunks, and SSND with its header, its offset and block size, and its padding.
    let form = (4 + chunks.len() as u64 + 16).saturating_add(data).saturating_add(data % 2);
    let form = u32::try_from(form).map_err(|_| Error::Limit {
        path: None,
        what: "the size of an AIFF file (choose 'wav', 'w64' or 'caf' for longer ones)",
        max: MAX_BYTES,
        got: form,
    })?;
    let mut bytes = b"FORM".to_vec();
    bytes.extend_from_slice(&form.to_be_bytes());
    bytes.extend_from_slice(if is_aifc { b"AIFC" } else { b"AIFF" });
    bytes.append(&mut chunks);
    bytes.extend_from_slice(b"SSND");
    bytes.extend_from_slice(&u32::try_from(data + 8).unwrap_or(u32::MAX).to_be_bytes());
    bytes.extend_from_slice(&[0; 8]);
    Ok(bytes)
}

/// A compression type and its name, a Pascal string with an even number of bytes.
type Compression = (&'static [u8; 4], &'static [u8]);

const NONE: Compression = (b"NONE", b"\x0enot compressed\0");

/// The AIFF-C compression type of samples that AIFF does not support.
///
/// # Errors
/// [`Error::Argument`] for samples that AIFF-C has no type for.
fn compression(samples: SampleFormat) -> Result<Option<Compression>> {
    match (samples.kind(), samples.bits()) {
        (SampleKind::Integer, _) => Ok(None),
        (SampleKind::Float, 32) => Ok(Some((b"fl32", b"\x0f32-bit floating"))),
        (SampleKind::Float, 64) => Ok(Some((b"fl64", b"\x0f64-bit floating"))),
        (SampleKind::Alaw, _) => Ok(Some((b"alaw", b"\x09A-law 2:1"))),
        (SampleKind::Mulaw, _) => Ok(Some((b"ulaw", b"\x0bmu-law 2:1 "))),
        (SampleKind::Float, bits) => {
            let expected = "'float32' or 'float64' for floating point in AIFF-C";
            Err(Error::argument(Parameter::Encoding, expected, format!("{bits} bits")))
        }
    }
}

fn common(header: &Header<'_>, num_frames: Option<u64>, compression: Option<Compression>) -> Result<Vec<u8>> {
    let num_channels = header.num_channels;
    let num_frames = num_frames.unwrap_or(0);
    let frames = u32::try_from(num_frames).map_err(|_| Error::Limit {
        path: None,
        what: "the number of frames of an AIFF file",
        max: MAX_BYTES,
        got: num_frames,
    })?;
    // A companded sample counts as the 16 bits that it represents.
    let bits = if header.samples.is_companded() { 16 } else { header.samples.bits() };
    let mut payload = num_channels.to_be_bytes().to_vec();
    payload.extend_from_slice(&frames.to_be_bytes());
    payload.extend_from_slice(&bits.to_be_bytes());
    payload.extend_from_slice(&extended(header.sample_rate));
    if let Some((kind, name)) = compression {
        payload.extend_from_slice(kind);
        payload.extend_from_slice(name);
    }
    Ok(payload)
}

/// An integer as an IEEE 754 80-bit extended: a sign, 15 bits of exponent with a bias of 16383, and a significand with an
/// explicit integer bit.
fn extended(rate: u32) -> [u8; 10] {
    let places = rate.leading_zeros();
    let mut bytes = [0; 10];
    if let Some(significand) = u64::from(rate).checked_shl(32 + places).filter(|&bits| bits != 0) {
        let exponent = u16::try_from(16383 + 31 - places).unwrap_or(0);
        bytes = *[exponent.to_be_bytes().as_slice(), &significand.to_be_bytes()]
            .concat()
            .first_chunk()
            .unwrap_or(&bytes);
    }
    bytes
}

fn append(bytes: &mut Vec<u8>, id: &[u8; 4], payload: &[u8]) {
    bytes.extend_from_slice(id);
    bytes.extend_from_slice(&u32::try_from(payload.len()).unwrap_or(u32::MAX).to_be_bytes());
    bytes.extend_from_slice(payload);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::container;
    use crate::pcm::ByteOrder::Big;
    use crate::track::Container;

    fn stereo(samples: SampleFormat) -> Header<'static> {
        Header { samples, sample_rate: 44_100, num_channels: 2, channel_mask: 0, tags: &[], more: &[] }
    }

    #[test]
    fn rates_are_the_numbers_of_the_specification() {
        assert_eq!(extended(44_100), [0x40, 0x0e, 0xac, 0x44, 0, 0, 0, 0, 0, 0]);
        assert_eq!(extended(1), [0x3f, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(extended(u32::MAX), [0x40, 0x1e, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
    }

    #[test]
    fn aiff_has_integers_and_aiff_c_the_rest() {
        for (samples, container) in [
            (SampleFormat::S8, Container::AIFF),
            (SampleFormat::S24(Big), Container::AIFF),
            (SampleFormat::F32(Big), Container::AIFC),
            (SampleFormat::F64(Big), Container::AIFC),
            (SampleFormat::Alaw, Container::AIFC),
            (SampleFormat::Mulaw, Container::AIFC),
        ] {
            let description = stereo(samples);
            assert_eq!(
                header(&description, None, false).unwrap().len(),
                header(&description, Some(9), false).unwrap().len()
            );
            let bytes = header(&description, Some(1001), false).unwrap();
            let len = bytes.len() as u64 + 1001 * description.frame_bytes();
            let track = container::parse(&bytes, len).unwrap();
            assert_eq!((track.container, track.num_frames, track.missing_bytes), (container, Some(1001), 0));
            assert_eq!((track.pcm(), track.sample_rate), (Some(samples), 44_100));
        }
        let bytes = header(&stereo(SampleFormat::S16(Big)), Some(0), true).unwrap();
        assert_eq!(container::parse(&bytes, bytes.len() as u64).unwrap().container, Container::AIFC);
    }

    #[test]
    fn more_than_32_bits_can_say_is_refused() {
        let description = stereo(SampleFormat::S16(Big));
        let overhead = header(&description, Some(0), false).unwrap().len() as u64 - 8;
        let most = (MAX_BYTES - overhead) / 4;
        assert!(header(&description, Some(most), false).is_ok());
        let message = header(&description, Some(most + 1), false).unwrap_err().to_string();
        assert!(message.contains("'w64'"), "{message}");
        assert!(header(&description, Some(u64::MAX), false).is_err());
    }
}
