//! The muxer: an AVFormatContext that writes a container.

#![allow(unsafe_code)] // what is behind an AVFormatContext

use std::ffi::{CStr, c_int};
use std::ptr::{self, NonNull};

use ffmpeg_sys_next as ffi;
use mapwave_plugin::{Error, Result, Sink, Status};

use super::context::CodecContext;
use super::output::SinkContext;
use crate::dictionary::Dictionary;
use crate::error::{check, from_code, no_memory};
use crate::packet::Packet;

/// A muxer for one stream, and its output.
pub(super) struct Muxer {
    context: NonNull<ffi::AVFormatContext>,
    /// Freed after the context that writes to it.
    output: SinkContext,
    /// The stream's time base, once the header is written.
    time_base: Option<ffi::AVRational>,
}

// SAFETY: the pointer is owned alone, and nothing in a muxer is tied to a thread.
unsafe impl Send for Muxer {}

impl Muxer {
    /// Creates a muxer by libav's name. Nothing is written yet.
    pub(super) fn new(name: &CStr, sink: Sink) -> Result<Self> {
        // No such file is opened: the M4A muxer warns about players that rely on the file extension.
        const FILE_NAME: &CStr = c"sound.m4a";
        let mut output = SinkContext::new(sink)?;
        let mut context = ptr::null_mut();
        // SAFETY: writes a context, or null; the name ends in a zero byte.
        let code = unsafe {
            ffi::avformat_alloc_output_context2(
                &raw mut context,
                ptr::null(),
                name.as_ptr(),
                FILE_NAME.as_ptr(),
            )
        };
        let Some(mut context) = NonNull::new(context) else {
            if code == ffi::AVERROR(ffi::ENOMEM) {
                return Err(no_memory("a muxer"));
            }
            let message = format!("this FFmpeg was built without its {} muxer", name.to_string_lossy());
            return Err(Error::unsupported(message).with_native_code(code.into()));
        };
        // SAFETY: the context is alive, and owned alone.
        let fields = unsafe { context.as_mut() };
        fields.pb = output.as_ptr();
        // The same input gives the same bytes: no dates, no random numbers, no versions.
        fields.flags |= ffi::AVFMT_FLAG_BITEXACT | ffi::AVFMT_FLAG_CUSTOM_IO;
        Ok(Self { context, output, time_base: None })
    }

    /// Whether the container stores the codec configuration apart from the packets.
    pub(super) fn has_global_header(&self) -> bool {
        // SAFETY: the context is alive, and its format is a constant of libav's.
        let format = unsafe { self.context.as_ref() }.oformat;
        // SAFETY: as above.
        let flags = unsafe { (*format).flags };
        flags & ffi::AVFMT_GLOBALHEADER != 0
    }

    /// Writes the header of a file with the encoder's stream.
    pub(super) fn write_header(
        &mut self,
        codec: &CodecContext,
        tags: Dictionary,
        options: &mut Dictionary,
    ) -> Result<()> {
        // SAFETY: the context is alive, and no header is written.
        let stream = unsafe { ffi::avformat_new_stream(self.context.as_ptr(), ptr::null()) };
        let mut stream = NonNull::new(stream).ok_or_else(|| no_memory("a stream"))?;
        // SAFETY: the stream lives as long as the context; nobody else has it now.
        let fields = unsafe { stream.as_mut() };
        fields.time_base = codec.time_base();
        // SAFETY: the stream is alive, and so are its parameters.
        unsafe { codec.describe(fields.codecpar) }?;
        // SAFETY: the context is alive, and owned alone.
        let context = unsafe { self.context.as_mut() };
        context.metadata = tags.into_raw();
        // SAFETY: the context has an output and a stream with its parameters.
        let code = unsafe { ffi::avformat_write_header(self.context.as_ptr(), options.as_ptr()) };
        self.answer(code, "writing the header")?;
        // SAFETY: the stream lives as long as the context.
        self.time_base = Some(unsafe { stream.as_ref() }.time_base);
        Ok(())
    }

    /// Writes a packet whose times are in `unit`, and releases its contents.
    pub(super) fn write(&mut self, packet: &mut Packet, unit: ffi::AVRational) -> Result<()> {
        let Some(time_base) = self.time_base else {
            return Err(Error::new(Status::BadState, "a packet before the header"));
        };
        packet.rescale(unit, time_base);
        // SAFETY: the header is written, and the packet is alive; it is left empty.
        let code = unsafe { ffi::av_interleaved_write_frame(self.context.as_ptr(), packet.as_ptr()) };
        self.answer(code, "writing a packet")
    }

    /// Finishes the file and returns the output, for what libav does not write.
    pub(super) fn finish(&mut self) -> Result<&mut SinkContext> {
        if self.time_base.is_none() {
            return Err(Error::new(Status::BadState, "the end of the file before its header"));
        }
        // SAFETY: the header is written, and this comes once: the unit of times is forgotten.
        let code = unsafe { ffi::av_write_trailer(self.context.as_ptr()) };
        self.time_base = None;
        self.answer(code, "finishing the file")?;
        self.output.flush()?;
        Ok(&mut self.output)
    }

    /// The number of bytes written so far, libav's buffer included.
    pub(super) fn num_bytes(&mut self) -> Result<u64> {
        self.output.flush()?;
        Ok(self.output.num_bytes())
    }

    /// The result of a call. The sink's own error takes precedence, and may exist even if libav reports success.
    fn answer(&self, code: c_int, doing: &str) -> Result<()> {
        self.output.check()?;
        if code == ffi::AVERROR(ffi::EINVAL) {
            let error = from_code(code, doing);
            return Err(Error::unsupported(error.message()).with_native_code(code.into()));
        }
        check(code, doing)
    }
}

impl Drop for Muxer {
    fn drop(&mut self) {
        // SAFETY: the context is alive and owned alone. The output is not its own, and stays for `SinkContext` to free.
        unsafe { ffi::avformat_free_context(self.context.as_ptr()) };
    }
}
