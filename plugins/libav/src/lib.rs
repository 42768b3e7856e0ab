//! Decoding and encoding through FFmpeg's libraries, whichever of 5.1 to 9 is installed.
//!
//! libavformat finds the packets, libavcodec makes samples of them; neither ever sees a path or a network. Where the
//! built-in codecs read a format too, they are surer of it than this plugin is, and it reads what they refuse.
//!
//! | module | what |
//! |---|---|
//! | `error` | libav's error codes as errors of a plugin |
//! | `log` | libav's messages, which go to the host |
//! | `versions` | the libraries that were found, and whether they are those that the plugin was built for |
//! | `channels` | channel layouts as WAVE masks, and back |
//! | `sample_formats` | libav's sample formats, and the samples that the host wants |
//! | `packet`, `frame`, `dictionary` | libav's packets, frames and dictionaries |
//! | `tags` | the names of tags, libav's and those of Vorbis comments |
//! | `decode` | from a file to frames |
//! | `encode` | from frames to a file |

mod channels;
mod decode;
mod dictionary;
mod encode;
mod error;
mod frame;
mod log;
mod packet;
mod sample_formats;
mod tags;
mod versions;

pub use decode::LibavDecoder;
pub use encode::{
    CafEncoder, FlacEncoder, M4aEncoder, MatroskaEncoder, Mp3Encoder, OggEncoder, WavPackEncoder, WebmEncoder,
};

mapwave_plugin::export_plugin! {
    /// The entry function of the plugin, by which a program that it is linked into reaches it.
    pub fn entry;
    id: "libav",
    vendor: "mapwave",
    // What is linked with is found at run time: a build of FFmpeg with GPL parts says so among the dependencies.
    license: "(MIT OR Apache-2.0) AND LGPL-2.1-or-later",
    start: versions::start,
    decoders: [LibavDecoder],
    encoders: [
        FlacEncoder,
        Mp3Encoder,
        M4aEncoder,
        CafEncoder,
        OggEncoder,
        WebmEncoder,
        MatroskaEncoder,
        WavPackEncoder,
    ],
}
