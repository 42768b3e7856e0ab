//! Decodes and encodes the Quite OK Audio format: the worked example of a mapwave plugin in Rust.
//!
//! It follows the specification, "The Quite OK Audio Format" (<https://qoaformat.org/qoa-specification.pdf>), of one page. A
//! file is a header of 8 bytes and a sequence of what the specification calls frames: the state of the predictor, then up to
//! 5120 samples of every channel in slices of 20 samples and 8 bytes. This crate calls them *packets*, because in mapwave a
//! *frame* is one sample of every channel.
//!
//! | module | what |
//! |---|---|
//! | `lms` | the predictor |
//! | `slice` | 20 samples to 64 bits and back |
//! | `packet` | the header of a packet, and the sizes that follow from it |
//! | `stream` | the headers of a file |
//! | `decoder`, `encoder` | the traits of the SDK |

mod decoder;
mod encoder;
mod lms;
mod packet;
mod slice;
mod stream;

pub use decoder::QoaDecoder;
pub use encoder::QoaEncoder;

mapwave_plugin::export_plugin! {
    /// The plugin's entry function, for programs that link it in.
    pub fn entry;
    id: "qoa",
    vendor: "mapwave",
    license: "MIT OR Apache-2.0",
    decoders: [QoaDecoder],
    encoders: [QoaEncoder],
}
