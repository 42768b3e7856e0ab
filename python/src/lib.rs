//! The extension module `mapwave._core`: converts arguments, errors and arrays, nothing else.

mod analysis;
mod api;
mod arguments;
mod arrays;
mod batch;
mod build_info;
mod command;
mod decoding;
mod dlpack;
mod dlpack_import;
mod errors;
mod facts;
mod file_object;
mod frames;
mod growing;
mod info;
mod input;
mod interned;
mod interpreters;
mod interruption;
mod log;
mod metadata;
mod picture;
mod pipe;
mod plugins;
mod pool;
mod prepared;
mod preview;
mod ranges;
mod reader;
mod resample;
mod samples;
mod scan;
mod stream;
mod writer;

/// The Rust side of mapwave.
#[pyo3::pymodule(gil_used = true)]
mod _core {
    #[pymodule_export]
    use super::analysis::{Loudness, loudness, silences};
    #[pymodule_export]
    use super::api::{Api, api_of, prepare_save, retag, save, save_prepared};
    #[pymodule_export]
    use super::arguments::defaults::defaults;
    #[pymodule_export]
    use super::arguments::limits::{Limits, limits};
    #[pymodule_export]
    use super::batch::{Batches, Loading};
    #[pymodule_export]
    use super::build_info::build_info;
    #[pymodule_export]
    use super::command::run_command;
    #[pymodule_export]
    use super::decoding::Decoding;
    #[pymodule_export]
    use super::frames::{Frames, zeros};
    #[pymodule_export]
    use super::info::{AudioInfo, Track};
    #[pymodule_export]
    use super::interpreters::check_interpreter;
    #[pymodule_export]
    use super::interruption::Cancellation;
    #[pymodule_export]
    use super::metadata::{Bext, Loop, Marker, Picture};
    #[pymodule_export]
    use super::picture::{Plot, plot};
    #[pymodule_export]
    use super::plugins::{
        Plugin, PluginDirectory, plugin_directories, plugins, register_plugin, set_up_plugins, try_plugin,
    };
    #[pymodule_export]
    use super::prepared::PreparedAudio;
    #[pymodule_export]
    use super::reader::{Blocks, Reader, reopen};
    #[pymodule_export]
    use super::resample::supports_soxr;
    #[pymodule_export]
    use super::scan::{members, scan};
    #[pymodule_export]
    use super::stream::Stream;
    #[pymodule_export]
    use super::writer::Writer;
}
