//! Resamples with libsoxr, in a plugin library of its own: libsoxr is under the LGPL and is linked into no other part of
//! mapwave.
//!
//! | module | what |
//! |---|---|
//! | `resampler` | the trait of the SDK: frames in, frames out |
//! | `lane` | the channels of one thread |
//! | `restart` | where in a signal a resampler may start and give the same frames |
//! | `quality` | the names of libsoxr's qualities |
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
