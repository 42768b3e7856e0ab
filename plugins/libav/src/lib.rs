//! Decoding and encoding through FFmpeg's libraries, whichever of 5.1 to 9 is installed.
//!
//! libavformat finds the packets, libavcodec decodes them; neither ever accesses a path or a network. If the
//! built-in codecs read a format too, they report a higher probe score, and this plugin reads what they reject.
//!
//! | module | what |
//! |---|---|
//! | `error` | libav's error codes as plugin errors |
//! | `log` | libav's messages, which go to the host |
//! | `majors` | what differs between FFmpeg's major versions and its builds |
//! | `versions` | the libraries found, and whether they match those that the plugin was built for |
//! | `channels` | channel layouts as WAVE masks, and back |
//! | `sample_formats` | libav's sample formats, and their conversion to the host's |
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
mod majors;
mod packet;
mod sample_formats;
mod tags;
mod versions;

pub use decode::LibavDecoder;
pub use encode::{
    CafEncoder, FlacEncoder, M4aEncoder, MatroskaEncoder, Mp3Encoder, OggEncoder, WavPackEncoder, WebmEncoder,
};

mapwave_plugin::export_plugin! {
    /// The entry function of the plugin, for programs that link it in.
    pub fn entry;
    id: "libav",
    vendor: "mapwave",
    // The licence of FFmpeg is found at run time: a build with GPL parts says so among the dependencies.
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
