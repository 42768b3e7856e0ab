//! Several encoders over one stream.

/// Declares encoders that differ in nothing but what they write: each is a type with the [`Encoder`](crate::Encoder) trait over
/// the same stream.
///
/// The stream has `open(&EncoderOptions, Sink, codecs: &CStr, containers: &CStr) -> Result<Self>`, which is given the encoder's own
/// lists, and the trait's `push` and `finish`. It takes samples of every format.
///
/// ```
/// use std::ffi::CStr;
///
/// use mapwave_plugin::{Block, Encoder, EncoderOptions, Result, Sink};
///
/// #[derive(Debug)]
/// struct Raw(Sink);
///
/// impl Raw {
///     fn open(_: &EncoderOptions<'_>, sink: Sink, _codecs: &CStr, _containers: &CStr) -> Result<Self> {
///         Ok(Self(sink))
///     }
///
///     fn push(&mut self, frames: &Block<'_>) -> Result<()> {
///         let _ = frames;
///         Ok(())
///     }
///
///     fn finish(&mut self) -> Result<()> {
///         Ok(())
///     }
/// }
///
/// mapwave_plugin::encoders! {
///     over Raw;
///
///     /// Bytes in boxes.
///     BoxEncoder: c"box", codecs: c"pcm_s16le", containers: c"box",
///         lossless: c"pcm_s16le=16", default_codecs: c"box=pcm_s16le", extensions: c"";
///     /// Bytes in bags.
///     BagEncoder: c"bag", codecs: c"pcm_s16le", containers: c"bag",
///         lossless: c"pcm_s16le=16", default_codecs: c"bag=pcm_s16le", extensions: c"sack=bag";
/// }
///
/// assert_eq!((BoxEncoder::NAME, BagEncoder::EXTENSIONS), (c"box", c"sack=bag"));
/// ```
#[macro_export]
macro_rules! encoders {
    (
        over $stream:ty;
        $(
            $(#[$doc:meta])* $name:ident: $id:literal, codecs: $codecs:literal, containers: $containers:literal,
                lossless: $lossless:literal, default_codecs: $default_codecs:literal, extensions: $extensions:literal;
        )*
    ) => {
        $(
            $(#[$doc])*
            pub struct $name($stream);

            impl $crate::Encoder for $name {
                const NAME: &'static ::core::ffi::CStr = $id;
                const CODECS: &'static ::core::ffi::CStr = $codecs;
                const CONTAINERS: &'static ::core::ffi::CStr = $containers;
                const FORMATS: &'static [$crate::SampleFormat] =
                    &[$crate::SampleFormat::F32, $crate::SampleFormat::I16, $crate::SampleFormat::I32];
                const LOSSLESS: &'static ::core::ffi::CStr = $lossless;
                const DEFAULT_CODECS: &'static ::core::ffi::CStr = $default_codecs;
                const EXTENSIONS: &'static ::core::ffi::CStr = $extensions;

                fn open(options: &$crate::EncoderOptions<'_>, sink: $crate::Sink) -> $crate::Result<Self> {
                    <$stream>::open(options, sink, Self::CODECS, Self::CONTAINERS).map(Self)
                }

                fn push(&mut self, frames: &$crate::Block<'_>) -> $crate::Result<()> {
                    self.0.push(frames)
                }

                fn finish(&mut self) -> $crate::Result<()> {
                    self.0.finish()
                }
            }

            impl ::core::fmt::Debug for $name {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    f.write_str(stringify!($name))
                }
            }
        )*
    };
}
