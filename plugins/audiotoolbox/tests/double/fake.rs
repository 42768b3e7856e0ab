//! The double's files: a header and plain samples.

use crate::sys::*;

/// The bytes before the samples.
pub const HEADER_BYTES: usize = 108;

const MAX_CHANNELS: u32 = 1024;
const MAX_PACKET_FRAMES: u32 = 65_536;
const MAX_TRIM: u32 = 1 << 20;

/// One of the double's files.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fake {
    pub file_type: u32,
    pub format_id: u32,
    pub format_flags: u32,
    pub sample_rate: u32,
    pub num_channels: u32,
    pub frames_per_packet: u32,
    pub priming: u32,
    pub remainder: u32,
    /// 0 for no layout.
    pub layout_tag: u32,
    /// The packets after a seek that come out wrong.
    pub cold_packets: u32,
    /// Whether the file states priming and remainder.
    pub has_packet_table: u32,
    /// Whether samples have noise that depends on how many packets the codec has decoded.
    pub is_noisy: u32,
    /// The rate of the best layer; 0 when there are none.
    pub best_rate: u32,
    /// 0 if the file does not state it.
    pub source_depth: u32,
    pub bitrate: u32,
    pub bitrate_mode: u32,
    pub vbr_quality: u32,
    pub codec_quality: u32,
    /// All frames, priming and remainder too, as the header promises them.
    pub num_encoded: u32,
    /// Floats of a lossy codec or 32-bit integers of a lossless one, side by side.
    pub samples: Vec<u32>,
}

impl Fake {
    /// A stream of a lossy codec with default settings.
    pub fn lossy(format_id: u32, sample_rate: u32, num_channels: u32, samples: &[f32]) -> Self {
        let (file_type, frames_per_packet, cold_packets) = match format_id {
            kAudioFormatMPEGLayer3 => (kAudioFileMP3Type, 1152, 9),
            kAudioFormatAMR => (kAudioFileAMRType, 160, 1),
            kAudioFormatAppleIMA4 => (kAudioFileAIFCType, 64, 1),
            _ => (kAudioFileM4AType, 1024, 2),
        };
        Self {
            file_type,
            format_id,
            frames_per_packet,
            cold_packets,
            samples: samples.iter().map(|sample| sample.to_bits()).collect(),
            ..Self::new(sample_rate, num_channels, samples.len())
        }
    }

    /// A stream of a lossless codec, of which the samples fill 32 bits from above.
    pub fn lossless(
        format_id: u32,
        flags: u32,
        sample_rate: u32,
        num_channels: u32,
        samples: &[i32],
    ) -> Self {
        Self {
            file_type: if format_id == kAudioFormatFLAC { kAudioFileFLACType } else { kAudioFileM4AType },
            format_id,
            format_flags: flags,
            frames_per_packet: if format_id == kAudioFormatLinearPCM { 1 } else { 4096 },
            samples: samples.iter().map(|sample| *sample as u32).collect(),
            ..Self::new(sample_rate, num_channels, samples.len())
        }
    }

    fn new(sample_rate: u32, num_channels: u32, num_samples: usize) -> Self {
        let num_encoded = num_samples as u32 / num_channels.max(1);
        Self { sample_rate, num_channels, num_encoded, ..Self::default() }
    }

    /// With priming and padding.
    pub fn with_packet_table(self, priming: u32, remainder: u32) -> Self {
        Self { priming, remainder, has_packet_table: 1, ..self }
    }

    pub fn is_lossless(&self) -> bool {
        matches!(self.format_id, kAudioFormatAppleLossless | kAudioFormatFLAC | kAudioFormatLinearPCM)
    }

    fn numbers(&self) -> [u32; 19] {
        [
            self.file_type,
            self.format_id,
            self.format_flags,
            self.sample_rate,
            self.num_channels,
            self.frames_per_packet,
            self.priming,
            self.remainder,
            self.layout_tag,
            self.cold_packets,
            self.has_packet_table,
            self.is_noisy,
            self.best_rate,
            self.source_depth,
            self.bitrate,
            self.bitrate_mode,
            self.vbr_quality,
            self.codec_quality,
            self.num_encoded,
        ]
    }

    /// The first bytes of a real file of that type.
    fn magic(file_type: u32) -> &'static [u8] {
        match file_type {
            kAudioFileM4AType => b"\0\0\0\x20ftypM4A ",
            kAudioFileMPEG4Type => b"\0\0\0\x20ftypmp42",
            kAudioFileCAFType => b"caff\0\x01\0\0",
            kAudioFileMP3Type => b"ID3\x04\0\0\0\0\0\0",
            kAudioFileAMRType => b"#!AMR\n",
            kAudioFileFLACType => b"fLaC",
            kAudioFileAIFCType => b"FORM\0\0\0\0AIFC",
            _ => b"????",
        }
    }

    pub fn header(&self) -> Vec<u8> {
        let mut bytes = Self::magic(self.file_type).to_vec();
        bytes.resize(16, 0);
        bytes.extend(b"FAKE");
        bytes.extend(self.numbers().iter().flat_map(|number| number.to_le_bytes()));
        bytes.resize(HEADER_BYTES, 0);
        bytes
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.header();
        bytes.extend(self.samples.iter().flat_map(|sample| sample.to_le_bytes()));
        bytes
    }

    /// Reads a header, and the samples that follow it.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let header = bytes.get(..HEADER_BYTES).filter(|header| &header[16..20] == b"FAKE")?;
        let word = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().unwrap());
        let numbers: Vec<u32> = header[20..].chunks_exact(4).map(word).collect();
        // Counts that no real file has are rejected: a codec would have to allocate memory for them.
        let [_, _, _, _, num_channels, frames_per_packet, priming, remainder, ..] = numbers[..] else {
            return None;
        };
        if num_channels > MAX_CHANNELS
            || !(1..=MAX_PACKET_FRAMES).contains(&frames_per_packet)
            || priming.max(remainder) > MAX_TRIM
        {
            return None;
        }
        let samples = bytes[HEADER_BYTES..].chunks_exact(4).map(word).collect();
        Some(Self {
            file_type: numbers[0],
            format_id: numbers[1],
            format_flags: numbers[2],
            sample_rate: numbers[3],
            num_channels: numbers[4],
            frames_per_packet: numbers[5],
            priming: numbers[6],
            remainder: numbers[7],
            layout_tag: numbers[8],
            cold_packets: numbers[9],
            has_packet_table: numbers[10],
            is_noisy: numbers[11],
            best_rate: numbers[12],
            source_depth: numbers[13],
            bitrate: numbers[14],
            bitrate_mode: numbers[15],
            vbr_quality: numbers[16],
            codec_quality: numbers[17],
            num_encoded: numbers[18],
            samples,
        })
    }

    /// The frames that are sound.
    pub fn num_valid(&self) -> i64 {
        let outside = if self.has_packet_table == 0 { 0 } else { self.priming + self.remainder };
        i64::from(self.num_encoded) - i64::from(outside)
    }

    /// The frame of all that the first of the sound is.
    pub fn first_valid(&self) -> i64 {
        if self.has_packet_table == 0 { 0 } else { self.priming.into() }
    }

    pub fn description(&self) -> AudioStreamBasicDescription {
        let is_linear = self.format_id == kAudioFormatLinearPCM;
        AudioStreamBasicDescription {
            mSampleRate: self.sample_rate.into(),
            mFormatID: self.format_id,
            mFormatFlags: self.format_flags,
            mFramesPerPacket: self.frames_per_packet,
            mChannelsPerFrame: self.num_channels,
            mBitsPerChannel: if is_linear { 32 } else { 0 },
            ..AudioStreamBasicDescription::default()
        }
    }
}
