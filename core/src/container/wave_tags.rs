//! WAVE format tags (RFC 2361, Microsoft's `mmreg.h`) and the sub-format GUIDs that represent them.

#![forbid(unsafe_code)]

use std::fmt;

use crate::pcm::ByteOrder;

/// `WAVE_FORMAT_PCM`.
pub(crate) const PCM: u16 = 0x0001;
/// `WAVE_FORMAT_IEEE_FLOAT`.
pub(crate) const IEEE_FLOAT: u16 = 0x0003;
/// `WAVE_FORMAT_ALAW`.
pub(crate) const ALAW: u16 = 0x0006;
/// `WAVE_FORMAT_MULAW`.
pub(crate) const MULAW: u16 = 0x0007;
/// `WAVE_FORMAT_EXTENSIBLE`.
pub(crate) const EXTENSIBLE: u16 = 0xfffe;

/// The bytes that follow the tag in its GUID, as stored in a little-endian file.
pub(crate) const SUB_FORMAT: [u8; 14] = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];

const ADPCM_MS: u16 = 0x0002;
const ADPCM_IMA: u16 = 0x0011;
const GSM_610: u16 = 0x0031;
const GSM_MSN: u16 = 0x0032;
const ADPCM_IMA_ROGUE: u16 = 0x0069;
const GSM_DIVX: u16 = 0x1500;

/// The short name of a tag's codec.
///
/// Tag 0x0038 is deliberately missing: it is registered for NMS VBXADPCM, but AMR files use it.
pub(super) fn codec_name(tag: u16) -> String {
    let name = match tag {
        ADPCM_MS => "adpcm_ms",
        0x000a => "wmavoice",
        0x0010 | 0x0017 => "adpcm_ima_oki",
        ADPCM_IMA | ADPCM_IMA_ROGUE => "adpcm_ima_wav",
        0x0014 | 0x0040 | 0x0045 | 0x0064 => "adpcm_g726",
        0x0020 => "adpcm_yamaha",
        0x0022 | 0x1501 => "truespeech",
        GSM_610 | GSM_MSN | GSM_DIVX => "gsm_ms",
        0x0042 | 0x0111 | 0xa100 => "g723_1",
        0x0050 => "mp2",
        0x0055 => "mp3",
        0x0057 => "amr_nb",
        0x0058 => "amr_wb",
        0x0061 => "adpcm_ima_dk4",
        0x0062 => "adpcm_ima_dk3",
        0x0075 => "metasound",
        0x0083 | 0x729a => "g729",
        0x00ff | 0x1600 | 0x4143 | 0x706d | 0xa106 => "aac",
        0x0130 => "sipr",
        0x0135 => "acelp.kelvin",
        0x0160 => "wmav1",
        0x0161 => "wmav2",
        0x0162 => "wmapro",
        0x0163 => "wmalossless",
        0x0165 => "xma1",
        0x0166 => "xma2",
        0x0200 => "adpcm_ct",
        0x0215 | 0x0216 => "dvaudio",
        0x0270 => "atrac3",
        0x028e => "msnsiren",
        0x028f => "adpcm_g722",
        0x0401 => "imc",
        0x0402 => "iac",
        0x1602 => "aac_latm",
        0x2000 => "ac3",
        0x2001 => "dts",
        0x5346 => "adpcm_swf",
        0x566f => "vorbis",
        0x594a => "xan_dpcm",
        0xa109 => "speex",
        0xf1ac => "flac",
        _ => return format!("wav:0x{tag:04x}"),
    };
    name.to_string()
}

/// Where the number of frames per packet comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FramesPerPacket {
    /// `wSamplesPerBlock`, the first field after `cbSize`; this number if it is absent or 0.
    SamplesPerBlock(u32),
    /// Only the codec knows.
    Varies,
}

/// How the frames per packet are determined for a tag's codec.
pub(super) fn frames_per_packet(tag: u16) -> FramesPerPacket {
    match tag {
        ADPCM_MS | ADPCM_IMA | ADPCM_IMA_ROGUE => FramesPerPacket::SamplesPerBlock(0),
        // GSM 6.10 packs two frames of 160 samples into 65 bytes.
        GSM_610 | GSM_MSN | GSM_DIVX => FramesPerPacket::SamplesPerBlock(320),
        _ => FramesPerPacket::Varies,
    }
}

/// A sub-format GUID, as stored in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SubFormat {
    data1: u32,
    data2: u16,
    data3: u16,
    data4: [u8; 8],
}

impl SubFormat {
    /// Reads the GUID's first three fields in the byte order of the file: RIFX writers store them in big-endian.
    pub fn read(bytes: [u8; 16], order: ByteOrder) -> Self {
        let [a0, a1, a2, a3, b0, b1, c0, c1, data4 @ ..] = bytes;
        let (data1, data2, data3) = ([a0, a1, a2, a3], [b0, b1], [c0, c1]);
        match order {
            ByteOrder::Little => Self {
                data1: u32::from_le_bytes(data1),
                data2: u16::from_le_bytes(data2),
                data3: u16::from_le_bytes(data3),
                data4,
            },
            ByteOrder::Big => Self {
                data1: u32::from_be_bytes(data1),
                data2: u16::from_be_bytes(data2),
                data3: u16::from_be_bytes(data3),
                data4,
            },
        }
    }

    /// The format tag that this GUID represents.
    pub fn tag(self) -> Option<u16> {
        let tag = u16::try_from(self.data1).ok().filter(|&tag| tag != EXTENSIBLE)?;
        match (self.data2, self.data3, self.data4) {
            // KSDATAFORMAT_SUBTYPE_xxx: {tag-0000-0010-8000-00AA00389B71}.
            (0x0000, 0x0010, [0x80, 0x00, 0x00, 0xaa, 0x00, 0x38, 0x9b, 0x71]) => Some(tag),
            // Ambisonic B-format: {tag-0721-11D3-8644-C8C1CA000000}, PCM or float.
            (0x0721, 0x11d3, [0x86, 0x44, 0xc8, 0xc1, 0xca, 0x00, 0x00, 0x00]) => Some(tag),
            _ => None,
        }
    }
}

impl fmt::Display for SubFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, tail @ ..] = self.data4;
        write!(f, "{{{:08x}-{:04x}-{:04x}-{a:02x}{b:02x}-", self.data1, self.data2, self.data3)?;
        tail.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str("}")
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    use super::*;

    const PCM_LE: [u8; 16] = [1, 0, 0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];
    const PCM_BE: [u8; 16] = [0, 0, 0, 1, 0, 0, 0, 0x10, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];

    #[test]
    fn a_guid_gives_its_tag_in_both_byte_orders() {
        assert_eq!(SubFormat::read(PCM_LE, ByteOrder::Little).tag(), Some(PCM));
        assert_eq!(SubFormat::read(PCM_BE, ByteOrder::Big).tag(), Some(PCM));
        assert_eq!(SubFormat::read(PCM_BE, ByteOrder::Little).tag(), None);
    }

    #[test]
    fn b_format_is_known() {
        let guid = [3, 0, 0, 0, 0x21, 0x07, 0xd3, 0x11, 0x86, 0x44, 0xc8, 0xc1, 0xca, 0, 0, 0];
        assert_eq!(SubFormat::read(guid, ByteOrder::Little).tag(), Some(IEEE_FLOAT));
    }

    #[test]
    fn a_guid_does_not_stand_for_extensible_itself() {
        let mut guid = PCM_LE;
        guid[..2].copy_from_slice(&[0xfe, 0xff]);
        assert_eq!(SubFormat::read(guid, ByteOrder::Little).tag(), None);
        assert_eq!(
            SubFormat::read(guid, ByteOrder::Little).to_string(),
            "{0000fffe-0000-0010-8000-00aa00389b71}"
        );
    }

    #[test]
    fn unknown_tags_are_named_by_number() {
        assert_eq!(codec_name(0x0055), "mp3");
        assert_eq!(codec_name(0x0038), "wav:0x0038");
    }
}
