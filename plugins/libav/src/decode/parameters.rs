//! The codec parameters that a container states for a stream, and its decoder.

#![allow(unsafe_code)] // structs of libav's

use std::ffi::{CStr, c_int, c_void};
use std::ptr::{self, NonNull};

use ffmpeg_sys_next as ffi;
use mapwave_plugin::{Error, Result, Status};

use crate::error::{check, no_memory};
use crate::majors::preferred_decoder;

/// An immutable copy of a stream's parameters.
pub(super) struct Parameters(NonNull<ffi::AVCodecParameters>);

// SAFETY: the parameters are owned and never change.
unsafe impl Send for Parameters {}
// SAFETY: as above.
unsafe impl Sync for Parameters {}

/// A codec as libav knows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct CodecKind {
    /// Its name in FFmpeg's terms.
    pub(super) name: &'static CStr,
    /// Whether the codec is lossless.
    pub(super) is_lossless: bool,
}

impl Parameters {
    /// A copy.
    ///
    /// # Errors
    /// When memory runs out.
    ///
    /// # Safety
    /// `parameters` points to those of an open stream.
    pub(super) unsafe fn copy(parameters: *const ffi::AVCodecParameters) -> Result<Self> {
        // SAFETY: returns parameters or null.
        let copy = unsafe { ffi::avcodec_parameters_alloc() };
        let copy = NonNull::new(copy).map(Self).ok_or_else(|| no_memory("the codec's setup"))?;
        // SAFETY: both are parameters, by the caller's promise.
        let code = unsafe { ffi::avcodec_parameters_copy(copy.0.as_ptr(), parameters) };
        check(code, "copying the codec's setup")?;
        Ok(copy)
    }

    /// The pointer for libav.
    pub(super) fn as_ptr(&self) -> *const ffi::AVCodecParameters {
        self.0.as_ptr()
    }

    fn get(&self) -> &ffi::AVCodecParameters {
        // SAFETY: they are owned and initialised.
        unsafe { self.0.as_ref() }
    }

    /// Frames per second, if the container states it.
    pub(super) fn sample_rate(&self) -> u32 {
        u32::try_from(self.get().sample_rate).unwrap_or(0)
    }

    /// Samples per frame, if the container states it.
    pub(super) fn num_channels(&self) -> u32 {
        u32::try_from(self.get().ch_layout.nb_channels).unwrap_or(0)
    }

    /// The codec's setup as the container has it; empty if there is none.
    pub(super) fn setup(&self) -> &[u8] {
        let parameters = self.get();
        match usize::try_from(parameters.extradata_size) {
            // SAFETY: libav has as many bytes there, which are part of the parameters.
            Ok(size) if size > 0 && !parameters.extradata.is_null() => unsafe {
                std::slice::from_raw_parts(parameters.extradata, size)
            },
            _ => &[],
        }
    }

    /// The number of valid bits per sample, or 0.
    pub(super) fn bits_per_raw_sample(&self) -> u32 {
        u32::try_from(self.get().bits_per_raw_sample).unwrap_or(0)
    }

    /// The number of bits per compressed sample, or 0.
    pub(super) fn bits_per_coded_sample(&self) -> u32 {
        u32::try_from(self.get().bits_per_coded_sample).unwrap_or(0)
    }

    /// libav's number of the codec. Newer libraries have numbers that these headers lack, so it is not read as the enum.
    fn codec_id(&self) -> u32 {
        let id = &raw const self.get().codec_id;
        // SAFETY: the field is there, of the size and alignment of a u32.
        unsafe { id.cast::<u32>().read() }
    }

    /// The codec.
    ///
    /// # Errors
    /// [`Status::Unsupported`] when libav does not know it.
    pub(super) fn kind(&self) -> Result<CodecKind> {
        let id = self.codec_id();
        let mut descriptor = ptr::null();
        loop {
            // SAFETY: walks a constant list that begins with null.
            descriptor = unsafe { ffi::avcodec_descriptor_next(descriptor) };
            // SAFETY: it is null or an entry of the list, which is constant.
            let Some(found) = (unsafe { descriptor.as_ref() }) else { break };
            // SAFETY: the field is there, of the size and alignment of a u32.
            if unsafe { (&raw const found.id).cast::<u32>().read() } == id {
                // SAFETY: a descriptor has a name, constant as the library is never unloaded (R7).
                let name = unsafe { CStr::from_ptr(found.name) };
                let is_lossless = found.props & ffi::AV_CODEC_PROP_LOSSLESS != 0
                    && found.props & ffi::AV_CODEC_PROP_LOSSY == 0;
                return Ok(CodecKind { name, is_lossless });
            }
        }
        let tag = self.get().codec_tag;
        Err(Error::unsupported(format!("libav does not know the stream's codec, tag {tag:#x}")))
    }

    /// libav's decoder.
    ///
    /// # Errors
    /// [`Status::MissingDependency`] when libav was built without one.
    pub(super) fn decoder(&self) -> Result<NonNull<ffi::AVCodec>> {
        let id = self.codec_id();
        let preferred = self.kind().ok().and_then(|kind| preferred_decoder(kind.name));
        let preferred = preferred.and_then(|name| {
            // SAFETY: the name is a text; returns an entry of libav's list, which is constant, or null.
            let codec = unsafe { ffi::avcodec_find_decoder_by_name(name.as_ptr()) };
            NonNull::new(codec.cast_mut())
        });
        if let Some(codec) = preferred {
            return Ok(codec);
        }
        let mut state: *mut c_void = ptr::null_mut();
        let mut experimental = None;
        loop {
            // SAFETY: walks a constant list, with a state that begins with null.
            let codec = unsafe { ffi::av_codec_iterate(&raw mut state) };
            let Some(codec) = NonNull::new(codec.cast_mut()) else { break };
            // SAFETY: an entry of the list.
            let is_decoder = unsafe { ffi::av_codec_is_decoder(codec.as_ptr()) } != 0;
            // SAFETY: an entry of the list, which is constant.
            let found = unsafe { codec.as_ref() };
            // SAFETY: the field is there, of the size and alignment of a u32.
            let found_id = unsafe { (&raw const found.id).cast::<u32>().read() };
            if !is_decoder || found_id != id {
                continue;
            }
            let capabilities = u32::from_ne_bytes(found.capabilities.to_ne_bytes());
            if capabilities & ffi::AV_CODEC_CAP_EXPERIMENTAL == 0 {
                return Ok(codec);
            }
            experimental.get_or_insert(codec);
        }
        experimental.ok_or_else(|| {
            let name = self.kind().map_or("?".into(), |kind| kind.name.to_string_lossy());
            Error::new(Status::Unsupported, format!("this build of libav has no decoder for {name}"))
                .with_native_code(ffi::AVERROR_DECODER_NOT_FOUND.into())
        })
    }

    /// Whether the parameters are those of an audio stream.
    ///
    /// # Safety
    /// `parameters` points to those of an open stream.
    pub(super) unsafe fn is_audio(parameters: *const ffi::AVCodecParameters) -> bool {
        // SAFETY: the field is there, by the caller's promise.
        let kind = unsafe { &raw const (*parameters).codec_type };
        // SAFETY: it is of the size and alignment of a c_int.
        let kind = unsafe { kind.cast::<c_int>().read() };
        kind == ffi::AVMediaType::AVMEDIA_TYPE_AUDIO as c_int
    }
}

impl Parameters {
    /// Whether the codec of a stream is known, or that it has none to be found.
    ///
    /// # Safety
    /// `parameters` points to those of an open stream.
    pub(super) unsafe fn is_known(parameters: *const ffi::AVCodecParameters) -> bool {
        // SAFETY: the field is there, by the caller's promise.
        let id = unsafe { &raw const (*parameters).codec_id };
        // SAFETY: it is of the size and alignment of a u32.
        let id = unsafe { id.cast::<u32>().read() };
        // SAFETY: as above.
        let kind = unsafe { &raw const (*parameters).codec_type };
        // SAFETY: as above.
        let kind = unsafe { kind.cast::<c_int>().read() };
        let is_open = kind == ffi::AVMediaType::AVMEDIA_TYPE_UNKNOWN as c_int
            || kind == ffi::AVMediaType::AVMEDIA_TYPE_DATA as c_int;
        id != ffi::AVCodecID::AV_CODEC_ID_NONE as u32 || !is_open
    }
}

impl Drop for Parameters {
    fn drop(&mut self) {
        let mut parameters = self.0.as_ptr();
        // SAFETY: they are owned.
        unsafe { ffi::avcodec_parameters_free(&raw mut parameters) };
    }
}
