//! The extension module `mapwave._core`: converts arguments, errors and arrays, nothing else.

mod api;
mod arrays;
mod batch;
mod build_info;
mod command;
mod dlpack;
mod errors;
mod frames;
mod info;
mod input;
mod options;
mod plugins;
mod reader;
mod stream;

/// The Rust side of mapwave.
#[pyo3::pymodule]
mod _core {
    #[pymodule_export]
    use super::api::{Api, api_of};
    #[pymodule_export]
    use super::build_info::build_info;
    #[pymodule_export]
    use super::command::run_command;
    #[pymodule_export]
    use super::frames::{Frames, zeros};
    #[pymodule_export]
    use super::info::AudioInfo;
    #[pymodule_export]
    use super::plugins::{
        Plugin, PluginDirectory, plugin_directories, plugins, register_plugin, set_up_plugins, try_plugin,
    };
    #[pymodule_export]
    use super::reader::{Blocks, Reader};
    #[pymodule_export]
    use super::stream::Stream;
}
