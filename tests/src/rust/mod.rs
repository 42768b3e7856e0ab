//! Rust source code as the layering tests see it: what each file names, where it is unsafe, and what it imports from which file.

pub mod circles;
pub mod modules;
pub mod source;
pub mod tokens;

pub use circles::{Edge, circles, ties};
pub use modules::Crate;
pub use source::{Named, RustSource, files_below};
