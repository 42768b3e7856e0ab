//! A plugin that does every right and wrong thing that the tests of the SDK ask for.

#![forbid(unsafe_code)] // which is what an author may do as well

mod decoder;
mod encoder;
mod resampler;

pub use decoder::file;

mapwave_plugin::export_plugin! {
    /// The entry of the toy.
    pub fn entry;
    id: "toy",
    vendor: "mapwave's tests",
    license: "MIT OR Apache-2.0",
    dependencies: "libtoy 1.2",
    decoders: [decoder::ToyDecoder],
    encoders: [encoder::ToyEncoder],
    resamplers: [resampler::ToyResampler],
}

/// Plugins that cannot start.
pub mod broken {
    use mapwave_plugin::{Error, Result, Status};

    fn find_nothing() -> Result<String> {
        Err(Error::new(Status::MissingDependency, "libtoy.so.7 is not installed").with_native_code(7))
    }

    fn panic_at_start() -> Result<String> {
        panic!("no start");
    }

    fn find_two() -> Result<String> {
        Ok("libone 1, libtwo 2".into())
    }

    mapwave_plugin::plugin! {
        /// Lacks a library.
        pub fn missing; id: "missing", vendor: "", license: "MIT", start: find_nothing
    }
    mapwave_plugin::plugin! {
        /// Panics.
        pub fn panicking; id: "panicking", vendor: "", license: "MIT", start: panic_at_start
    }
    mapwave_plugin::plugin! {
        /// Finds libraries.
        pub fn finding; id: "finding", vendor: "", license: "MIT", start: find_two
    }
}
