//! ADPCM in WAV, Wave64, AIFF-C and CAF files, whose containers the host parses: IMA ADPCM in Microsoft's and in
//! QuickTime's form, and Microsoft ADPCM.

#![forbid(unsafe_code)]

mod blocks;
mod ima;
mod ms;
#[cfg(test)]
mod tests;

use std::ffi::CStr;
use std::fmt;
use std::sync::Arc;

use mapwave_plugin::{Decoder, DecoderOptions, Error, Head, Input, Output, Result, Status, StreamInfo};

use crate::engine::packets::{PacketDecoder, PacketStream};
use blocks::Blocks;

/// The probe score for a stream that the host has named.
const NAMED: u8 = 95;

/// Decodes ADPCM in containers that the host has parsed. Blocks do not depend on each other, so a seek costs nothing.
pub struct AdpcmDecoder {
    frames: PacketDecoder<Blocks>,
}

impl fmt::Debug for AdpcmDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AdpcmDecoder({:?})", self.info().codec)
    }
}

impl Decoder for AdpcmDecoder {
    const NAME: &'static CStr = c"adpcm";
    const CODECS: &'static CStr = c"adpcm_ima_wav,adpcm_ima_qt,adpcm_ms";
    const EXTENSIONS: &'static CStr = c"wav,w64,rf64,aifc,caf";

    fn probe(head: &Head<'_>) -> u8 {
        let codec = head.track.as_ref().map(|track| track.codec);
        match codec {
            Some("adpcm_ima_wav" | "adpcm_ima_qt" | "adpcm_ms") => NAMED,
            _ => 0,
        }
    }

    fn open(input: Input, options: &DecoderOptions<'_>) -> Result<Self> {
        Ok(Self { frames: PacketDecoder::new(Arc::new(Blocks::open(input, options)?)) })
    }

    fn info(&self) -> &StreamInfo {
        self.frames.stream().info()
    }

    fn seek(&mut self, frame: u64) -> Result<()> {
        let num_frames = self.info().num_frames.unwrap_or(0);
        if frame > num_frames {
            let message = format!("cannot seek to frame {frame} of {num_frames}");
            return Err(Error::new(Status::BadArgument, message));
        }
        self.frames.seek(frame);
        Ok(())
    }

    fn decode(&mut self, output: &mut Output<'_>) -> Result<()> {
        self.frames.decode(output)
    }

    fn fork(&self) -> Result<Self> {
        Ok(Self { frames: PacketDecoder::new(Arc::clone(self.frames.stream())) })
    }
}
