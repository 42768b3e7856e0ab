//! Writes the toy format; the bitrate says what goes wrong.

use std::ffi::CStr;

use mapwave_plugin::{Block, Encoder, EncoderOptions, Error, Result, SampleFormat, Sink, Status};

pub(crate) struct ToyEncoder {
    sink: Sink,
    bitrate: Option<u32>,
    num_channels: usize,
    comment: String,
    num_calls: u32,
}

impl Encoder for ToyEncoder {
    const NAME: &'static CStr = c"toy";
    const CODECS: &'static CStr = c"toy,toy2";
    const CONTAINERS: &'static CStr = c"raw";
    const FORMATS: &'static [SampleFormat] = &[SampleFormat::I16];

    fn open(options: &EncoderOptions<'_>, mut sink: Sink) -> Result<Self> {
        let num_channels = u8::try_from(options.num_channels).map_err(|_| {
            Error::unsupported(format!("{} channels, expected at most 255", options.num_channels))
        })?;
        sink.append(b"TOY-?")?;
        let comment = format!("{options:?}");
        Ok(Self { sink, bitrate: options.bitrate, num_channels: num_channels.into(), comment, num_calls: 0 })
    }

    fn push(&mut self, frames: &Block<'_>) -> Result<()> {
        assert!(self.bitrate != Some(1), "bitrate 1");
        self.fail_at(3)?;
        let mut samples = Vec::new();
        frames.append_interleaved::<i16>(&mut samples);
        let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        self.sink.append(&bytes)
    }

    fn finish(&mut self) -> Result<()> {
        self.fail_at(4)?;
        if self.bitrate == Some(2) {
            self.sink.append(self.comment.as_bytes())?;
        }
        if self.sink.is_append_only() {
            return Ok(());
        }
        let num_channels = u8::try_from(self.num_channels).unwrap_or(u8::MAX);
        self.sink.overwrite(4, &[num_channels])
    }
}

impl ToyEncoder {
    /// Fails at that bitrate, and says how many calls have come so far.
    fn fail_at(&mut self, bitrate: u32) -> Result<()> {
        self.num_calls += 1;
        if self.bitrate != Some(bitrate) {
            return Ok(());
        }
        let message = format!("bitrate {bitrate}, call {}", self.num_calls);
        Err(Error::new(Status::BadData, message).at(8).with_native_code(-9))
    }
}
