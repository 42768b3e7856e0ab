//! FLAC, encoded: written from RFC 9639, in safe Rust that compilers make vectors of.
//!
//! What the specification calls a *frame* is a *block* of frames here where only its samples are meant: in mapwave a frame
//! is one sample of every channel. Blocks do not depend on each other, so they are coded on as many threads as the host
//! allows. The bytes depend neither on the number of threads, nor on how frames are pushed, nor on the CPU's instructions.
//!
//! | module | what | RFC 9639 |
//! |---|---|---|
//! | `encoder` | the trait of the SDK: options, blocks in, bytes out | |
//! | `settings` | what the levels of effort try | |
//! | `depth` | samples of the host's formats, at the depth of the file | |
//! | `metadata`, `stream_info` | the blocks before the first frame | 8 |
//! | `frame`, `stereo` | a header, and the channels as they code best | 9.1, 9.3 |
//! | `subframe` | one channel: the predictor that takes the fewest bits | 9.2 |
//! | `predictor` | fixed and linear prediction | 9.2.5, 9.2.6 |
//! | `rice` | residuals | 9.2.7 |
//! | `bit_writer`, `crc` | bits and checksums | 9.1.8, 9.3 |
//! | `batch` | blocks on threads | |
//! | `digest` | the MD5 of the samples | 8.2 |
//! | `instructions` | the same code for wider registers | |

mod batch;
mod bit_writer;
mod crc;
mod depth;
mod digest;
mod encoder;
mod frame;
mod instructions;
mod metadata;
#[cfg(test)]
mod noise;
mod predictor;
mod rice;
mod settings;
mod stereo;
mod stream_info;
mod subframe;

pub use encoder::FlacEncoder;

mapwave_plugin::plugin! {
    /// The plugin's entry function, for hosts that link it in.
    pub fn entry;
    id: "flac",
    vendor: "mapwave",
    license: "MIT OR Apache-2.0",
    dependencies: "",
    decoders: [],
    encoders: [FlacEncoder],
    resamplers: [],
}
