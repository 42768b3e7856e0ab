//! Resampling by libsoxr, as a plugin library of its own: libsoxr is free under the LGPL, and is linked into nothing else of
//! mapwave.
//!
//! | module | what |
//! |---|---|
//! | `resampler` | the trait of the SDK: frames in, frames out |
//! | `lane` | the channels that one thread works on |
//! | `restart` | where in a signal one may begin so that the same frames come |
//! | `quality` | libsoxr's qualities by their names |
//! | `sys` | libsoxr itself |

mod lane;
mod quality;
mod resampler;
mod restart;
mod sys;

pub use resampler::SoxrResampler;

mapwave_plugin::export_plugin! {
    /// The plugin's entry function, for the tests.
    pub fn entry;
    id: "soxr",
    vendor: "mapwave",
    license: "(MIT OR Apache-2.0) AND LGPL-2.1-or-later",
    start: sys::version,
    decoders: [],
    encoders: [],
    resamplers: [SoxrResampler],
}
