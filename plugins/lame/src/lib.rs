//! MP3 by LAME, as a plugin library of its own: LAME is free under the LGPL, and is linked into nothing else of mapwave.
//!
//! | module | what |
//! |---|---|
//! | `encoder` | the trait of the SDK: frames in, an MP3 file out |
//! | `settings` | which rates, bitrates and qualities there are |
//! | `lame` | LAME itself |
//! | `id3` | tags in front of the file |

mod encoder;
mod id3;
mod lame;
mod settings;

pub use encoder::Mp3Encoder;

mapwave_plugin::export_plugin! {
    /// The plugin's entry function, for the tests.
    pub fn entry;
    id: "lame",
    vendor: "mapwave",
    license: "(MIT OR Apache-2.0) AND LGPL-3.0-only AND LGPL-2.0-or-later",
    dependencies: "LAME 3.100, built in",
    decoders: [],
    encoders: [Mp3Encoder],
    resamplers: [],
}
