//! Encoding: frames become packets in the framework's codecs, and files in its containers.
//!
//! | module | what |
//! |---|---|
//! | `plan` | what can be written, and the host's options in the framework's terms |
//! | `bitrate` | the rate control of a codec |
//! | `samples` | the host's samples in a codec's format |
//! | `store` | the framework's output, before it goes to the sink |
//! | `stream` | an encoder as a whole |

mod bitrate;
mod codec;
mod plan;
mod samples;
mod store;
mod stream;

use stream::Stream;

// One for each set of containers that hold the same codecs, so that every listed pair can be written.
mapwave_plugin::encoders! {
    over Stream;

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
