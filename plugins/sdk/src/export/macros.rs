//! The two macros that make a library of types.

/// Defines the entry function of a plugin that is linked into another program, or exported by
/// [`export_plugin!`](crate::export_plugin!).
///
/// All keys but `id`, `vendor` and `license` may be left out; the order is fixed. The version is that of the crate.
///
/// - `id`: the name by which a user picks the plugin: lower-case letters, digits, '-' and '_'.
/// - `vendor`: who made it.
/// - `license`: an SPDX expression, what it is linked with included.
/// - `dependencies`: the libraries it needs, with their versions, for the user to read.
/// - `start`: a function `fn() -> Result<String>` that runs once, at the first entry, and says instead which libraries it
///   found, or why the plugin cannot work here ([`Status::MissingDependency`](crate::Status::MissingDependency)).
/// - `decoders`, `encoders`, `resamplers`: types with the traits of that name.
///
/// ```
/// mapwave_plugin::plugin! {
///     /// The entry of a plugin that can do nothing yet.
///     pub fn entry;
///     id: "nothing",
///     vendor: "mapwave",
///     license: "MIT OR Apache-2.0",
///     decoders: [],
/// }
///
/// // SAFETY: a host and an error may be left out.
/// let plugin = unsafe { entry(std::ptr::null(), std::ptr::null_mut()).as_ref() };
/// assert_eq!(plugin.unwrap().abi_major, 1);
/// ```
#[macro_export]
macro_rules! plugin {
    (
        $(#[$attribute:meta])*
        $visibility:vis fn $entry:ident;
        id: $id:literal,
        vendor: $vendor:literal,
        license: $license:literal
        $(, dependencies: $dependencies:literal)?
        $(, start: $start:path)?
        $(, decoders: [$($decoder:ty),* $(,)?])?
        $(, encoders: [$($encoder:ty),* $(,)?])?
        $(, resamplers: [$($resampler:ty),* $(,)?])?
        $(,)?
    ) => {
        $crate::__refuse_abort!();

        $(#[$attribute])*
        ///
        /// # Safety
        /// `host` and `error` are null or keep the contract of `mw_plugin_entry`.
        $visibility unsafe extern "C" fn $entry(
            host: *const $crate::abi::mw_host,
            error: *mut $crate::abi::mw_error,
        ) -> *const $crate::abi::mw_plugin {
            enum Definition {}
            impl $crate::export::Define for Definition {
                fn library() -> &'static $crate::export::Library {
                    const DECODERS: &[&$crate::abi::mw_decoder_table] =
                        &[$($(&$crate::export::DecoderTable::<$decoder>::TABLE),*)?];
                    const ENCODERS: &[&$crate::abi::mw_encoder_table] =
                        &[$($(&$crate::export::EncoderTable::<$encoder>::TABLE),*)?];
                    const RESAMPLERS: &[&$crate::abi::mw_resampler_table] =
                        &[$($(&$crate::export::ResamplerTable::<$resampler>::TABLE),*)?];
                    static LIBRARY: $crate::export::Library = $crate::export::Library {
                        id: $crate::export::Library::check_id($crate::export::c_str(concat!($id, "\0"))),
                        version: $crate::export::c_str(concat!(env!("CARGO_PKG_VERSION"), "\0")),
                        vendor: $crate::export::c_str(concat!($vendor, "\0")),
                        license: $crate::export::c_str(concat!($license, "\0")),
                        dependencies: $crate::export::c_str(concat!($($dependencies,)? "\0")),
                        start: {
                            let start: ::core::option::Option<fn() -> $crate::Result<::std::string::String>> =
                                ::core::option::Option::None;
                            $(let start = { let _ = start; ::core::option::Option::Some($start as fn() -> _) };)?
                            start
                        },
                        decoders: DECODERS,
                        encoders: ENCODERS,
                        resamplers: RESAMPLERS,
                        entered: ::std::sync::OnceLock::new(),
                    };
                    &LIBRARY
                }
            }
            // SAFETY: the caller keeps the contract of the entry function.
            unsafe { $crate::export::enter::<Definition>(host, error) }
        }
    };
}

/// Exports a plugin from a `cdylib` crate, as `mapwave_plugin_entry_v1`.
///
/// Takes what [`plugin!`](crate::plugin!) takes, with or without the line of the entry function, or the path of an entry
/// function that `plugin!` made in another crate. Once in a library.
///
/// ```standalone_crate
/// mapwave_plugin::export_plugin! {
///     id: "nothing",
///     vendor: "mapwave",
///     license: "MIT OR Apache-2.0",
/// }
/// ```
///
/// A crate that only exports what is elsewhere:
///
/// ```standalone_crate
/// mod elsewhere {
///     mapwave_plugin::plugin! { pub fn entry; id: "nothing", vendor: "mapwave", license: "MIT" }
/// }
/// mapwave_plugin::export_plugin!(elsewhere::entry);
/// ```
#[macro_export]
macro_rules! export_plugin {
    ($(#[$attribute:meta])* $visibility:vis fn $entry:ident; $($definition:tt)*) => {
        $crate::plugin! { $(#[$attribute])* $visibility fn $entry; $($definition)* }
        $crate::export_plugin!($entry);
    };
    (id: $($definition:tt)*) => {
        const _: () = {
            $crate::plugin! { fn entry; id: $($definition)* }
            $crate::export_plugin!(entry);
        };
    };
    ($entry:path) => {
        $crate::__refuse_abort!();

        const _: () = {
            /// The entry function of the library.
            #[unsafe(no_mangle)]
            pub unsafe extern "C" fn mapwave_plugin_entry_v1(
                host: *const $crate::abi::mw_host,
                error: *mut $crate::abi::mw_error,
            ) -> *const $crate::abi::mw_plugin {
                // SAFETY: the host keeps the contract of the entry function.
                unsafe { $entry(host, error) }
            }
        };
    };
}

/// Stops the build of a plugin that could not keep rule R5.
#[doc(hidden)]
#[macro_export]
macro_rules! __refuse_abort {
    () => {
        #[cfg(panic = "abort")]
        ::core::compile_error!(
            "a mapwave plugin must be built with panic = \"unwind\": a panic is to become an error and never to end \
             the host's process. Remove panic = \"abort\" from the profile in Cargo.toml or from RUSTFLAGS."
        );
    };
}
