//! The decoder: a stream at a position.

#![forbid(unsafe_code)]

use std::ffi::CStr;
use std::sync::Arc;

use mapwave_plugin::{
    Decoder, DecoderOptions, Head, Input, Output, Result, Sample, SampleFormat, SeekClass, StreamInfo,
};

use super::probe;
use super::run::{MAX_FRAMES, Run, early_end};
use super::stream::Stream;

/// A decoder for every format that macOS reads.
pub struct AudioToolboxDecoder {
    stream: Arc<Stream>,
    run: Option<Run>,
    /// The next frame to be written.
    position: u64,
}

impl Decoder for AudioToolboxDecoder {
    const NAME: &'static CStr = c"audiotoolbox";
    const CODECS: &'static CStr =
        c"aac,alac,flac,mp3,mp2,mp1,ac3,eac3,amr_nb,amr_wb,adpcm_ima_qt,adpcm_ima_wav,ilbc,gsm_ms,opus";
    const EXTENSIONS: &'static CStr =
        c"m4a,m4b,m4r,mp4,3gp,3gpp,3g2,aac,adts,loas,latm,amr,awb,ac3,ec3,mp3,mp2,mp1,mpa,flac,caf,aifc,au";
    const PROBE_BYTES: u32 = 16;
    // AudioToolbox opens the first sound track of a file.
    const LISTS_STREAMS: bool = false;

    fn probe(head: &Head<'_>) -> u8 {
        probe::score(head)
    }

    fn open(input: Input, options: &DecoderOptions<'_>) -> Result<Self> {
        let (stream, run) = Stream::open(input, options)?;
        Ok(Self { stream: Arc::new(stream), run: Some(run), position: 0 })
    }

    fn info(&self) -> &StreamInfo {
        &self.stream.info
    }

    fn seek(&mut self, frame: u64) -> Result<()> {
        self.position = frame;
        // The output after a seek must not depend on what came before it.
        if let Some(run) = self.run.as_mut().filter(|_| self.stream.info.seek_class != SeekClass::Exact) {
            run.forget();
        }
        Ok(())
    }

    fn decode(&mut self, output: &mut Output<'_>) -> Result<()> {
        match output.format() {
            SampleFormat::F32 => self.fill::<f32>(output),
            SampleFormat::I16 => self.fill::<i16>(output),
            SampleFormat::I32 => self.fill::<i32>(output),
        }
    }

    fn fork(&self) -> Result<Self> {
        Ok(Self { stream: Arc::clone(&self.stream), run: None, position: 0 })
    }

    fn container_variant(&self) -> Option<&str> {
        self.stream.container_variant.as_deref()
    }
}

impl AudioToolboxDecoder {
    fn fill<T: Sample>(&mut self, output: &mut Output<'_>) -> Result<()> {
        let Stream { input, hint, setup, info, .. } = &*self.stream;
        let num_frames = info.num_frames.unwrap_or(0);
        let num_channels = setup.num_channels as usize;
        let mut samples = vec![T::default(); output.room().min(MAX_FRAMES) * num_channels];
        while output.room() > 0 && self.position < num_frames {
            let run = match &mut self.run {
                Some(run) => run,
                None => self.run.insert(Run::open(input.clone(), *hint)?),
            };
            run.enter::<T>(self.position, setup)?;
            let rest = usize::try_from(num_frames - self.position).unwrap_or(usize::MAX);
            let wanted = rest.min(output.room()).min(MAX_FRAMES);
            let room = samples.get_mut(..wanted * num_channels).unwrap_or_default();
            let count = run.read(room)?;
            if count == 0 {
                return Err(early_end(self.position, num_frames));
            }
            let decoded = samples.get(..count * num_channels).unwrap_or_default();
            self.position += output.write_interleaved(decoded, |sample: T| sample) as u64;
        }
        Ok(())
    }
}
