//! The plan of a file in the framework's terms; unsupported settings are rejected here.

#![forbid(unsafe_code)]

use std::ffi::CStr;

use mapwave_plugin::{EncoderOptions, Error, Result, SampleFormat, Status};

use super::bitrate::Steering;
use super::codec::Codec;
use crate::sys::*;

/// The FLAC block sizes that the framework supports, by rising effort: longer blocks need fewer header bytes.
const FLAC_BLOCKS: [u32; 10] = [192, 256, 512, 576, 1024, 1152, 2048, 2304, 4096, 4608];

/// A layout: the speakers in the host's channel order, and the framework's tag.
type Layout = (u32, u32);

/// The layouts that the framework's codecs support, one for each set of speakers.
const LAYOUTS: [Layout; 7] = [
    (0x7, kAudioChannelLayoutTag_AAC_3_0),
    (0x107, kAudioChannelLayoutTag_AAC_4_0),
    (0x33, kAudioChannelLayoutTag_AAC_Quadraphonic),
    (0x37, kAudioChannelLayoutTag_AAC_5_0),
    (0x3f, kAudioChannelLayoutTag_AAC_5_1),
    (0x13f, kAudioChannelLayoutTag_AAC_6_1),
    (0xff, kAudioChannelLayoutTag_AAC_7_1),
];

/// Speakers behind and speakers beside the listener: in layouts of five and six channels both are called surround.
const BACK: u32 = 0x30;
const SIDE: u32 = 0x600;

/// What to write.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) codec: Codec,
    pub(super) container: &'static str,
    pub(super) file_type: u32,
    pub(super) sample_rate: u32,
    pub(super) num_channels: u32,
    /// For more than two channels.
    pub(super) layout: Option<Layout>,
    /// The bit depth of a lossless codec; 0 for others.
    pub(super) bits_per_sample: u32,
    /// Whether the first frames decide the bit depth.
    pub(super) is_depth_open: bool,
    frames_per_packet: u32,
    pub(super) steering: Steering,
}

impl Plan {
    /// Converts the host's options, for one of the codecs and containers in an encoder's lists.
    ///
    /// # Errors
    /// [`Status::Unsupported`] for unsupported settings, with a list of the supported ones.
    pub(super) fn new(
        options: &EncoderOptions<'_>,
        codecs: &CStr,
        containers: &'static CStr,
    ) -> Result<Self> {
        let codec = choice("codec", options.codec, codecs)?;
        let codec = Codec::from_name(codec).ok_or_else(|| Error::new(Status::Internal, codec))?;
        let container = choice("container", options.container, containers)?;
        let file_type = match container {
            "m4a" => kAudioFileM4AType,
            "mp4" => kAudioFileMPEG4Type,
            "caf" => kAudioFileCAFType,
            "flac" => kAudioFileFLACType,
            _ => kAudioFileAIFCType,
        };
        if let Some((key, _)) = options.tags.first() {
            let message = format!(
                "the tag '{key}': AudioToolbox writes no tags to files of this type; leave out tags, or install FFmpeg"
            );
            return Err(Error::unsupported(message));
        }
        if options.num_frames == Some(0) {
            return Err(without_frames(container));
        }
        if !(1..=codec.max_channels()).contains(&options.num_channels) {
            let (channels, most) = (options.num_channels, codec.max_channels());
            let message = format!("{channels} channels; {} supports 1 to {most}", codec.name());
            return Err(Error::unsupported(message));
        }
        let bits_per_sample = match (codec.depths(), options.bits_per_sample) {
            ([], _) => 0,
            (_, None) => 24,
            (depths, Some(bits)) if depths.iter().any(|(depth, _)| *depth == bits) => bits,
            (depths, Some(bits)) => {
                let depths: Vec<String> = depths.iter().map(|(depth, _)| depth.to_string()).collect();
                let message =
                    format!("{bits} bits per sample; {} supports {}", codec.name(), depths.join(", "));
                return Err(Error::unsupported(message));
            }
        };
        let frames_per_packet = match options.effort {
            Some(effort) if codec == Codec::Flac => {
                let place = (effort.clamp(1, 100) as usize - 1) * FLAC_BLOCKS.len() / 100;
                FLAC_BLOCKS.get(place).copied().unwrap_or(4608)
            }
            _ => 0, // the codec's usual one
        };
        Ok(Self {
            codec,
            container,
            file_type,
            sample_rate: options.sample_rate,
            num_channels: options.num_channels,
            layout: layout(codec, options)?,
            bits_per_sample,
            is_depth_open: codec.is_lossless() && options.bits_per_sample.is_none(),
            frames_per_packet,
            steering: Steering::new(codec, options)?,
        })
    }

    /// The description for the framework to complete.
    pub(super) fn description(&self) -> AudioStreamBasicDescription {
        let flags = self.codec.depths().iter().find(|(depth, _)| *depth == self.bits_per_sample);
        AudioStreamBasicDescription {
            mSampleRate: self.sample_rate.into(),
            mFormatID: self.codec.format_id(),
            mFormatFlags: flags.map_or(0, |(_, flag)| *flag),
            mFramesPerPacket: self.frames_per_packet,
            mChannelsPerFrame: self.num_channels,
            ..AudioStreamBasicDescription::default()
        }
    }

    /// The type of the samples that go to the framework.
    pub(super) fn client(&self) -> SampleFormat {
        match (self.codec, self.bits_per_sample) {
            (Codec::Aac, _) => SampleFormat::F32,
            (Codec::Ima4, _) | (_, 16) => SampleFormat::I16,
            _ => SampleFormat::I32,
        }
    }
}

fn layout(codec: Codec, options: &EncoderOptions<'_>) -> Result<Option<Layout>> {
    let num_channels = options.num_channels;
    let refuse = |mask: u64, expected: &str| {
        let name = codec.name();
        let message =
            format!("the channel mask {mask:#x}; {name} supports {expected} for {num_channels} channels");
        Err(Error::unsupported(message))
    };
    let mask = options.channel_mask;
    if mask != 0 && mask.count_ones() != num_channels {
        return refuse(mask, "a mask with that many speakers");
    }
    if num_channels <= 2 {
        return match (num_channels, mask) {
            (1, _) | (_, 0 | 0x3) => Ok(None),
            _ => refuse(mask, "0x3"),
        };
    }
    let known = || LAYOUTS.into_iter().filter(|(mask, _)| mask.count_ones() == num_channels);
    let mut mask = u32::try_from(mask).unwrap_or(u32::MAX);
    if matches!(num_channels, 5 | 6) && mask & SIDE == SIDE && mask & BACK == 0 {
        mask = mask ^ SIDE | BACK;
    }
    let found = known().find(|(own, _)| mask == 0 || mask == *own);
    if found.is_some() {
        return Ok(found);
    }
    let list: Vec<String> = known().map(|(mask, _)| format!("{mask:#x}")).collect();
    refuse(options.channel_mask, &list.join(" or "))
}

/// What the host chose, or the first of a list.
fn choice<'a>(what: &str, name: Option<&str>, names: &'a CStr) -> Result<&'a str> {
    let names = names.to_str().unwrap_or_default();
    let name = name.or_else(|| names.split(',').next()).unwrap_or_default();
    let found = names.split(',').find(|other| *other == name);
    found.ok_or_else(|| Error::unsupported(format!("the {what} is {name:?}, expected one of {names}")))
}

/// There must be at least one frame.
pub(super) fn without_frames(container: &str) -> Error {
    Error::unsupported(format!("{container} without a frame: players need at least one"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn plan(options: EncoderOptions<'_>) -> Result<Plan> {
        Plan::new(&options, c"alac,aac,flac,adpcm_ima_qt", c"caf")
    }

    fn refusal(options: EncoderOptions<'_>) -> String {
        plan(options).unwrap_err().message().to_owned()
    }

    #[test]
    fn a_depth_becomes_a_flag() {
        let of = |codec, bits_per_sample| {
            let options =
                EncoderOptions { codec: Some(codec), bits_per_sample, ..EncoderOptions::new(48_000, 2) };
            let plan = plan(options).unwrap();
            (plan.description().mFormatFlags, plan.client(), plan.is_depth_open)
        };
        assert_eq!(of("alac", Some(16)), (1, SampleFormat::I16, false));
        assert_eq!(of("alac", Some(20)), (2, SampleFormat::I32, false));
        assert_eq!(of("flac", None), (3, SampleFormat::I32, true));
        assert_eq!(of("alac", Some(32)), (4, SampleFormat::I32, false));
        assert_eq!(of("aac", None), (0, SampleFormat::F32, false));
        assert_eq!(of("adpcm_ima_qt", None), (0, SampleFormat::I16, false));
    }

    #[test]
    fn effort_chooses_the_block_size_of_flac() {
        let of = |effort| {
            let options = EncoderOptions { codec: Some("flac"), effort, ..EncoderOptions::new(48_000, 2) };
            plan(options).unwrap().description().mFramesPerPacket
        };
        assert_eq!(
            [None, Some(1), Some(10), Some(11), Some(91), Some(100)].map(of),
            [0, 192, 192, 256, 4608, 4608]
        );
    }

    #[test]
    fn what_cannot_be_written_is_refused_with_what_can() {
        let options = || EncoderOptions::new(48_000, 2);
        assert!(refusal(EncoderOptions { codec: Some("opus"), ..options() }).contains("alac,aac"));
        assert!(refusal(EncoderOptions { container: Some("ogg"), ..options() }).contains("\"ogg\""));
        assert!(refusal(EncoderOptions { bits_per_sample: Some(8), ..options() }).contains("16, 20, 24, 32"));
        assert!(refusal(EncoderOptions { tags: vec![("title", "x")], ..options() }).contains("'title'"));
        assert!(refusal(EncoderOptions { num_frames: Some(0), ..options() }).contains("without a frame"));
        let many = EncoderOptions { codec: Some("adpcm_ima_qt"), ..EncoderOptions::new(48_000, 3) };
        assert!(refusal(many).contains("1 to 2"));
        assert!(refusal(EncoderOptions::new(48_000, 9)).contains("1 to 8"));
    }

    #[test]
    fn speakers_have_layouts() {
        let of = |num_channels, channel_mask| {
            let options = EncoderOptions { channel_mask, ..EncoderOptions::new(48_000, num_channels) };
            plan(options).map(|plan| plan.layout.map(|(mask, _)| mask)).ok()
        };
        assert_eq!((of(1, 0), of(2, 3), of(2, 0x30)), (Some(None), Some(None), None));
        assert_eq!(
            (of(6, 0), of(6, 0x60f), of(5, 0x607)),
            (Some(Some(0x3f)), Some(Some(0x3f)), Some(Some(0x37)))
        );
        assert_eq!((of(4, 0), of(4, 0x33), of(4, 0xf)), (Some(Some(0x107)), Some(Some(0x33)), None));
        assert_eq!((of(8, 0xff), of(6, 0x3), of(3, 1 << 40 | 3)), (Some(Some(0xff)), None, None));
    }
}
