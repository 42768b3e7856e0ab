//! Decoding: from a file to frames.
//!
//! | module | what |
//! |---|---|
//! | `probe` | whether a file is for AudioToolbox, and of which type |
//! | `codec` | the codecs: names, depths, and how they are entered in the middle |
//! | `container` | what people call the container |
//! | `stream` | what is known of a file |
//! | `run` | a codec on its way through the file |
//! | `decoder` | the trait of the SDK |

mod codec;
mod container;
mod decoder;
mod probe;
mod run;
mod stream;

pub use decoder::AudioToolboxDecoder;
