//! The Quite OK Audio format, decoded and encoded: the worked example of a mapwave plugin in Rust.
//!
//! It is written from "The Quite OK Audio Format" (<https://qoaformat.org/qoa-specification.pdf>), which has one page. A
//! file is a header of 8 bytes and then what the specification calls frames: up to 5120 samples of every channel, in
//! slices of 20 samples and 8 bytes, before which the whole state of the predictor is written down. Here these are
//! *packets*, because a *frame* is one sample of every channel everywhere in mapwave.
//!
//! | module | what |
//! |---|---|
//! | `lms` | the predictor |
//! | `slice` | 20 samples in 64 bits, both ways |
//! | `packet` | the header of a packet, and the sizes that follow from it |
//! | `stream` | what is known of a file |
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
    /// The entry function of the plugin, by which a program that it is linked into reaches it.
    pub fn entry;
    id: "qoa",
    vendor: "mapwave",
    license: "MIT OR Apache-2.0",
    decoders: [QoaDecoder],
    encoders: [QoaEncoder],
}
