//! Encodes MP3 with LAME, in a plugin library of its own: LAME is under the LGPL and is linked into no other part of mapwave.
//!
//! | module | what |
//! |---|---|
//! | `encoder` | the trait of the SDK: frames in, an MP3 file out |
//! | `settings` | the sample rates, bitrates and qualities of MP3 |
//! | `lame` | LAME itself |
//! | `id3` | tags at the beginning of the file |

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
