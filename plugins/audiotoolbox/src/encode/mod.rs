//! Encoding: frames become packets in the framework's codecs, and files in its containers.
//!
//! | module | what |
//! |---|---|
//! | `plan` | what can be written, and the host's options in the framework's terms |
//! | `bitrate` | how a codec is steered |
//! | `samples` | the host's samples as a codec takes them |
//! | `store` | what the framework writes, on its way to the sink |
//! | `stream` | all of it at work |

mod bitrate;
mod codec;
mod plan;
mod samples;
mod store;
mod stream;

use std::ffi::CStr;
use std::fmt;

use mapwave_plugin::{Block, Encoder, EncoderOptions, Result, SampleFormat, Sink};

use stream::Stream;

macro_rules! encoders {
    ($(
        $(#[$doc:meta])* $name:ident: $id:literal, codecs: $codecs:literal, containers: $containers:literal,
            lossless: $lossless:literal, default_codecs: $default_codecs:literal, extensions: $extensions:literal;
    )*) => {
        $(
            $(#[$doc])*
            pub struct $name(Stream);

            impl Encoder for $name {
                const NAME: &'static CStr = $id;
                const CODECS: &'static CStr = $codecs;
                const CONTAINERS: &'static CStr = $containers;
                const FORMATS: &'static [SampleFormat] = &[SampleFormat::F32, SampleFormat::I16, SampleFormat::I32];
                const LOSSLESS: &'static CStr = $lossless;
                const DEFAULT_CODECS: &'static CStr = $default_codecs;
                const EXTENSIONS: &'static CStr = $extensions;

                fn open(options: &EncoderOptions<'_>, sink: Sink) -> Result<Self> {
                    Stream::open(options, sink, Self::CODECS, Self::CONTAINERS).map(Self)
                }

                fn push(&mut self, frames: &Block<'_>) -> Result<()> {
                    self.0.push(frames)
                }

                fn finish(&mut self) -> Result<()> {
                    self.0.finish()
                }
            }

            impl fmt::Debug for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(stringify!($name))
                }
            }
        )*
    };
}

// One for each set of containers that hold the same codecs: what is listed is what can be written.
encoders! {
    /// AAC and ALAC in MPEG-4 files.
    M4aEncoder: c"m4a", codecs: c"aac,alac", containers: c"m4a,mp4",
        lossless: c"alac=16/20/24/32", default_codecs: c"m4a=aac,mp4=aac", extensions: c"m4b=m4a,mp4=m4a";
    /// ALAC, AAC, FLAC and IMA4 in Core Audio files.
    CafEncoder: c"caf", codecs: c"alac,aac,flac,adpcm_ima_qt", containers: c"caf",
        lossless: c"alac=16/20/24/32,flac=16/24", default_codecs: c"", extensions: c"";
    /// FLAC in its own container.
    FlacEncoder: c"flac", codecs: c"flac", containers: c"flac",
        lossless: c"flac=16/24", default_codecs: c"flac=flac", extensions: c"fla=flac";
    /// IMA4 in AIFF-C.
    AifcEncoder: c"aifc", codecs: c"adpcm_ima_qt", containers: c"aifc",
        lossless: c"", default_codecs: c"", extensions: c"";
}
