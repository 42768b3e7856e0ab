//! An AVCodecContext: an open encoder.

#![allow(unsafe_code)] // what is behind an AVCodecContext

use std::ffi::{CStr, CString, c_int};
use std::ptr::{self, NonNull};

use ffmpeg_sys_next as ffi;
use mapwave_plugin::fork::hold_off;
use mapwave_plugin::{Error, Result, Status};

use crate::channels;
use crate::dictionary::Dictionary;
use crate::error::{check, from_code, no_memory};
use crate::frame::FrameBuffer;
use crate::packet::Packet;
use crate::sample_formats::LibavFormat;

/// The configuration of an encoder.
pub(super) struct Setup {
    /// libav's name of the encoder.
    pub(super) encoder: &'static CStr,
    pub(super) sample_rate: u32,
    pub(super) num_channels: u32,
    /// The channel mask.
    pub(super) channel_mask: u64,
    pub(super) format: LibavFormat,
    /// The bit depth of the samples, which are left-aligned in the format; 0 for floats.
    pub(super) bits_per_sample: u32,
    /// The bitrate, if the encoder uses one.
    pub(super) bitrate: Option<u32>,
    /// The quality in libav's units, if the encoder uses it.
    pub(super) quality: Option<f32>,
    /// The encoder's effort, in its own units.
    pub(super) level: Option<i32>,
    /// The encoder's own options.
    pub(super) options: Vec<(&'static CStr, CString)>,
}

/// An open encoder.
pub(super) struct CodecContext {
    context: NonNull<ffi::AVCodecContext>,
    format: LibavFormat,
}

// SAFETY: the pointer is owned alone; an encoder of one thread is tied to none.
unsafe impl Send for CodecContext {}

/// Whether this build of FFmpeg has an encoder.
pub(super) fn has_encoder(name: &CStr) -> bool {
    // SAFETY: the name ends in a zero byte.
    !unsafe { ffi::avcodec_find_encoder_by_name(name.as_ptr()) }.is_null()
}

impl CodecContext {
    /// Opens an encoder. `has_global_header` says that the container stores the codec's setup apart from the packets.
    pub(super) fn open(setup: &Setup, has_global_header: bool) -> Result<Self> {
        // SAFETY: the name ends in a zero byte.
        let codec = unsafe { ffi::avcodec_find_encoder_by_name(setup.encoder.as_ptr()) };
        if codec.is_null() {
            let message = format!("this FFmpeg was built without {}", setup.encoder.to_string_lossy());
            return Err(Error::unsupported(message));
        }
        // SAFETY: the codec is a constant of libav's.
        let context = unsafe { ffi::avcodec_alloc_context3(codec) };
        let context = NonNull::new(context).ok_or_else(|| no_memory("an encoder"))?;
        let mut new = Self { context, format: setup.format };
        new.set(setup, has_global_header)?;
        let mut options = Dictionary::new();
        for (key, value) in &setup.options {
            options.set(key, value)?;
        }
        // libavcodec has a lock around the start of some codecs, which would stay locked in a child that is forked meanwhile.
        // SAFETY: the context is alive and not open, and made for this codec.
        let code = hold_off(|| unsafe { ffi::avcodec_open2(new.context.as_ptr(), codec, options.as_ptr()) });
        if code < 0 {
            return Err(refusal(code, setup));
        }
        Ok(new)
    }

    fn set(&mut self, setup: &Setup, has_global_header: bool) -> Result<()> {
        let layout = channels::layout(setup.channel_mask, setup.num_channels)?;
        let rate = |_| Error::unsupported(format!("{} Hz", setup.sample_rate));
        // SAFETY: the context is alive, and owned alone.
        let fields = unsafe { self.context.as_mut() };
        fields.sample_rate = c_int::try_from(setup.sample_rate).map_err(rate)?;
        fields.sample_fmt = setup.format.av_format();
        fields.time_base = ffi::AVRational { num: 1, den: fields.sample_rate };
        fields.bits_per_raw_sample = c_int::try_from(setup.bits_per_sample).unwrap_or(0);
        fields.thread_count = 1;
        let mut flags = ffi::AV_CODEC_FLAG_BITEXACT;
        if has_global_header {
            flags |= ffi::AV_CODEC_FLAG_GLOBAL_HEADER;
        }
        if let Some(bitrate) = setup.bitrate {
            fields.bit_rate = bitrate.into();
        }
        if let Some(quality) = setup.quality {
            flags |= ffi::AV_CODEC_FLAG_QSCALE;
            #[allow(clippy::cast_possible_truncation)] // at most 100 * 118
            let quality = (f64::from(quality) * f64::from(ffi::FF_QP2LAMBDA)).round() as c_int;
            fields.global_quality = quality;
        }
        if let Some(level) = setup.level {
            fields.compression_level = level;
        }
        fields.flags |= flags.cast_signed();
        // SAFETY: both layouts are valid, and the context's is freed with it.
        let code = unsafe { ffi::av_channel_layout_copy(&raw mut fields.ch_layout, &raw const layout) };
        check(code, "setting the channels")
    }

    pub(super) fn num_channels(&self) -> usize {
        usize::try_from(self.fields().ch_layout.nb_channels).unwrap_or(0)
    }

    /// The number of frames that it takes at once, except the last time.
    pub(super) fn frame_size(&self) -> usize {
        usize::try_from(self.fields().frame_size).unwrap_or(0)
    }

    /// The priming in frames.
    pub(super) fn initial_padding(&self) -> u64 {
        u64::try_from(self.fields().initial_padding).unwrap_or(0)
    }

    /// The codec's setup.
    pub(super) fn extradata(&self) -> &[u8] {
        let fields = self.fields();
        let num_bytes = usize::try_from(fields.extradata_size).unwrap_or(0);
        if fields.extradata.is_null() || num_bytes == 0 {
            return &[];
        }
        // SAFETY: the context has as many bytes, and keeps them while it is borrowed.
        unsafe { std::slice::from_raw_parts(fields.extradata, num_bytes) }
    }

    /// Its time base.
    pub(super) fn time_base(&self) -> ffi::AVRational {
        self.fields().time_base
    }

    /// A buffer for the frames that it takes at once.
    pub(super) fn frame_buffer(&self) -> Result<FrameBuffer> {
        let fields = self.fields();
        FrameBuffer::new(self.format, fields.sample_rate, self.frame_size(), |to| {
            // SAFETY: both are valid layouts, and a new frame's owns nothing.
            let code = unsafe { ffi::av_channel_layout_copy(to, &raw const fields.ch_layout) };
            check(code, "setting the channels")
        })
    }

    /// Describes the encoder's stream to a muxer.
    ///
    /// # Safety
    /// `parameters` are those of a stream that is alive.
    pub(super) unsafe fn describe(&self, parameters: *mut ffi::AVCodecParameters) -> Result<()> {
        // SAFETY: the caller promised it, and the context is alive.
        let code = unsafe { ffi::avcodec_parameters_from_context(parameters, self.context.as_ptr()) };
        check(code, "describing the stream")
    }

    /// Sends frames to the encoder; `None` after the last.
    pub(super) fn send(&mut self, frame: Option<&FrameBuffer>) -> Result<()> {
        let frame = frame.map_or(ptr::null(), FrameBuffer::as_ptr);
        // SAFETY: the context is open; the frame is alive, or null for the end.
        check(unsafe { ffi::avcodec_send_frame(self.context.as_ptr(), frame) }, "encoding")
    }

    /// Receives a packet from the encoder; returns false if it has none.
    pub(super) fn receive(&mut self, packet: &mut Packet) -> Result<bool> {
        // SAFETY: the context is open and the packet alive.
        match unsafe { ffi::avcodec_receive_packet(self.context.as_ptr(), packet.as_ptr()) } {
            code if code == ffi::AVERROR(ffi::EAGAIN) || code == ffi::AVERROR_EOF => Ok(false),
            code => check(code, "encoding").map(|()| true),
        }
    }

    fn fields(&self) -> &ffi::AVCodecContext {
        // SAFETY: the context is alive, and nobody changes it while `self` is borrowed.
        unsafe { self.context.as_ref() }
    }
}

/// Why an encoder did not open: its own checks come last, so a failure means an unsupported setting.
fn refusal(code: c_int, setup: &Setup) -> Error {
    let error = from_code(code, "opening the encoder");
    if matches!(error.status(), Status::NoMemory) {
        return error;
    }
    let steered = match (setup.bitrate, setup.quality) {
        (Some(bitrate), _) => format!(" at {bitrate} bits per second"),
        (_, Some(quality)) => format!(" at its quality {quality}"),
        _ => String::new(),
    };
    let message = format!(
        "{} rejects {} channels at {} Hz{steered}: libav says: {}",
        setup.encoder.to_string_lossy(),
        setup.num_channels,
        setup.sample_rate,
        crate::error::words(code)
    );
    Error::unsupported(message).with_native_code(code.into())
}

impl Drop for CodecContext {
    fn drop(&mut self) {
        let mut context = self.context.as_ptr();
        // SAFETY: the context is alive and owned alone.
        unsafe { ffi::avcodec_free_context(&raw mut context) };
    }
}
