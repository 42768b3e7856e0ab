//! A file as libavformat reads it: streams, metadata, and packets in order.

#![allow(unsafe_code)] // contexts of libav's

use std::ffi::{CStr, CString, c_char, c_int};
use std::ptr::{self, NonNull};

use ffmpeg_sys_next as ffi;
use mapwave_plugin::fork::hold_off;
use mapwave_plugin::{Error, Input, Picture, Result, Status, StreamEntry};

use super::amr;
use super::identify;
use super::io::InputIo;
use super::items::{self, Section};
use super::parameters::Parameters;
use crate::dictionary::entries;
use crate::error::{check_file, from_file, is_no_memory, no_memory};
use crate::log;
use crate::packet::Packet;

/// Demuxers that open other files or the network, need no file, or generate endless output from a score. In a list of
/// names, one is enough.
const REFUSED: [&str; 25] = [
    "hls",
    "dash",
    "concat",
    "concatf",
    "image2",
    "image2pipe",
    "sdp",
    "rtsp",
    "rtp",
    "sap",
    "imf",
    "ffmetadata",
    "webm_dash_manifest",
    "lavfi",
    "tty",
    "avisynth",
    "vapoursynth",
    "libgme",
    "bluray",
    "dvdvideo",
    "mpjpeg",
    "rcwt",
    "s337m",
    "srt",
    "webvtt",
];

/// The numbers of bytes behind the tags that libav examines to identify a file: few, and then more. It takes many times as long
/// over a file that looks a little like everything as over others.
const MIN_PROBE_BYTES: usize = 2 << 10;
const MAX_PROBE_BYTES: usize = 256 << 10;
/// The score of 100 up to which libav examines more bytes, if there are more (`AVPROBE_SCORE_RETRY`).
const RETRY_SCORE: c_int = 25;
/// The maximum number of bytes that it examines to find what the streams are.
const MAX_ANALYSED_BYTES: u64 = 5 << 20;

/// The minimum probe score, of 100, for libav's identification of a file to be trusted.
const MIN_SCORE: c_int = 25;

/// The most audio streams that are listed.
const MAX_STREAMS: usize = 1024;

/// The number of packets of other streams, or of calls without a packet, after which a demuxer counts as stuck.
const MAX_IDLE: u32 = 1 << 20;

/// A file that libavformat has open.
pub(super) struct Demuxer {
    context: NonNull<ffi::AVFormatContext>,
    // Closed after the context, by the order in `drop`.
    io: InputIo,
    format: &'static CStr,
}

// SAFETY: the context is owned, has no threads, and is used by one call at a time.
unsafe impl Send for Demuxer {}

/// How a demuxer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Packet,
    End,
    /// The rest is damaged, and libav does not continue.
    Broken(c_int),
}

/// The time base of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TimeBase {
    pub(super) numerator: u32,
    pub(super) denominator: u32,
}

impl Demuxer {
    /// Opens a file of any format.
    ///
    /// # Errors
    /// [`Status::Unsupported`] when libav does not recognise it or needs other files.
    pub(super) fn open(input: Input, extension: Option<&str>, max_alloc: u64) -> Result<Self> {
        // Before anything is logged; a host that links this plugin in may not have called its entry function.
        log::install();
        log::begin();
        let mut io = InputIo::new(input.clone())?;
        let format = match identify::by_frames(&input)? {
            Some(name) => named(name)?,
            None => find_format(&input, extension, max_alloc)?,
        };
        // SAFETY: a format of libav's list, which is constant.
        let found = unsafe { format.as_ref() };
        // SAFETY: a format has a name, constant as the library is never unloaded (R7).
        let name: &'static CStr = unsafe { CStr::from_ptr(found.name) };
        if let Some(sizes) = amr::without_header(name)
            && !amr::is_chain(&input, sizes)?
        {
            return Err(Error::unsupported(format!(
                "libav takes it for AMR without a header ('{}'), but it does not consist of AMR frames",
                name.to_string_lossy()
            )));
        }
        if found.flags & ffi::AVFMT_NOFILE != 0 || is_refused(name) {
            let name = name.to_string_lossy();
            return Err(Error::unsupported(format!(
                "libav identifies it as '{name}', which needs more than one file"
            )));
        }
        // SAFETY: returns a context or null.
        let context = unsafe { ffi::avformat_alloc_context() };
        let Some(mut context) = NonNull::new(context) else { return Err(no_memory("a demuxer")) };
        // SAFETY: the context is owned.
        let fields = unsafe { context.as_mut() };
        fields.pb = io.as_ptr();
        fields.flags |= ffi::AVFMT_FLAG_CUSTOM_IO;
        fields.io_open = Some(refuse_to_open);
        fields.probesize = i64::try_from(MAX_ANALYSED_BYTES.min(max_alloc / 2).max(2048)).unwrap_or(2048);
        // No protocol is on the list.
        // SAFETY: the context is one of libav's objects with options; the texts are copied.
        let code = unsafe {
            ffi::av_opt_set(context.as_ptr().cast(), c"protocol_whitelist".as_ptr(), c"".as_ptr(), 0)
        };
        let mut context = context.as_ptr();
        let code = if code < 0 {
            code
        } else {
            // SAFETY: the context has its way to the file; the format is libav's. The context is freed where it fails.
            hold_off(|| unsafe {
                ffi::avformat_open_input(&raw mut context, c"".as_ptr(), format.as_ptr(), ptr::null_mut())
            })
        };
        let doing = || format!("opening it as '{}'", name.to_string_lossy());
        if code < 0 {
            // SAFETY: owned or null.
            unsafe { ffi::avformat_free_context(context) };
            return Err(io.take_failure().unwrap_or_else(|| {
                if is_no_memory(code) {
                    // The sizes that parsers allocate are the file's.
                    let message = format!("{}: it asks for more memory than there is", doing());
                    return Error::new(Status::BadData, message).with_native_code(code.into());
                }
                from_file(code, &doing())
            }));
        }
        let context = NonNull::new(context).ok_or_else(|| no_memory("a demuxer"))?;
        let mut this = Self { context, io, format: name };
        this.analyse()?;
        Ok(this)
    }

    fn get(&self) -> &ffi::AVFormatContext {
        // SAFETY: the context is owned, and its public fields are initialised.
        unsafe { self.context.as_ref() }
    }

    /// libav's name of the format, which may be several names separated by commas.
    pub(super) fn format(&self) -> &'static CStr {
        self.format
    }

    /// Whether there is a video stream other than an attached picture, such as a cover.
    pub(super) fn has_video(&self) -> bool {
        self.streams().into_iter().any(|stream| {
            // SAFETY: the stream is of the open context.
            let parameters = unsafe { (*stream).codecpar };
            // SAFETY: as above.
            let disposition = unsafe { (*stream).disposition };
            // SAFETY: a stream has parameters.
            let kind = unsafe { (*parameters).codec_type };
            kind == ffi::AVMediaType::AVMEDIA_TYPE_VIDEO
                && disposition & ffi::AV_DISPOSITION_ATTACHED_PIC == 0
        })
    }

    /// Whether the container belongs to the MP4 family.
    pub(super) fn is_mp4(&self) -> bool {
        self.format.to_bytes().starts_with(b"mov,mp4")
    }

    /// Finds out what the header does not state, without decoding pictures.
    fn analyse(&mut self) -> Result<()> {
        let is_open_ended = self.get().ctx_flags & ffi::AVFMTCTX_NOHEADER != 0;
        let mut is_known = !is_open_ended;
        for stream in self.streams() {
            // SAFETY: the stream is of the open context.
            let parameters = unsafe { (*stream).codecpar };
            // SAFETY: a stream has parameters.
            if unsafe { Parameters::is_audio(parameters) } {
                // SAFETY: as above.
                let copy = unsafe { Parameters::copy(parameters) }?;
                is_known &= copy.sample_rate() > 0 && copy.num_channels() > 0 && copy.kind().is_ok();
            // SAFETY: as above.
            } else if unsafe { Parameters::is_known(parameters) } {
                // SAFETY: the stream is of the open context, which is owned.
                unsafe { (*stream).discard = ffi::AVDiscard::AVDISCARD_ALL };
            } else {
                // Transport streams do not always name a codec, and libav finds out by the packets.
                is_known = false;
            }
        }
        if is_known {
            return Ok(());
        }
        // It starts codecs, see `Codec`.
        // SAFETY: the context is open; options are left out.
        let code =
            hold_off(|| unsafe { ffi::avformat_find_stream_info(self.context.as_ptr(), ptr::null_mut()) });
        match self.io.take_failure() {
            Some(failure) => Err(failure),
            None => check_file(code, "searching for streams"),
        }
    }

    fn streams(&self) -> Vec<*mut ffi::AVStream> {
        let context = self.get();
        let count = context.nb_streams as usize;
        if context.streams.is_null() || count == 0 {
            return Vec::new();
        }
        // SAFETY: libav lists as many streams there.
        unsafe { std::slice::from_raw_parts(context.streams, count) }.to_vec()
    }

    /// Selects the audio stream of this number, or the default one; the demuxer then skips all others.
    ///
    /// # Errors
    /// [`Status::Unsupported`] when there is none, [`Status::BadArgument`] when there are not that many.
    pub(super) fn choose(&mut self, number: Option<u32>) -> Result<Chosen> {
        let is_audio = |stream: &*mut ffi::AVStream| {
            // SAFETY: the stream is of the open context.
            let parameters = unsafe { (**stream).codecpar };
            // SAFETY: a stream has parameters.
            unsafe { Parameters::is_audio(parameters) }
        };
        let streams = self.streams();
        let audio: Vec<*mut ffi::AVStream> = streams.iter().copied().filter(is_audio).collect();
        // SAFETY: the streams are of the open context, and nobody else uses them.
        let listed = audio.iter().take(MAX_STREAMS).map(|stream| entry(unsafe { &**stream }));
        let mut listed: Vec<StreamEntry> = listed.collect::<Result<_>>()?;
        let number = StreamEntry::choose(&mut listed, number).map_err(|error| match audio.len() {
            0 => Error::unsupported(format!("the {} file has no sound track", self.format.to_string_lossy())),
            _ => error,
        })?;
        let Some(&chosen) = audio.get(number) else { return Err(no_memory("the list of streams")) };
        for stream in streams.into_iter().filter(|stream| *stream != chosen) {
            // SAFETY: the stream is of the open context, which is owned.
            unsafe { (*stream).discard = ffi::AVDiscard::AVDISCARD_ALL };
        }
        // SAFETY: the stream is of the open context, and nobody else uses it.
        let stream = unsafe { &*chosen };
        let (numerator, denominator) = (stream.time_base.num, stream.time_base.den);
        Ok(Chosen {
            index: stream.index,
            listed,
            number,
            // SAFETY: a stream has parameters.
            parameters: unsafe { Parameters::copy(stream.codecpar) }?,
            time_base: TimeBase {
                numerator: u32::try_from(numerator).unwrap_or(0),
                denominator: u32::try_from(denominator).unwrap_or(0),
            },
            tags: entries(stream.metadata),
            // SAFETY: the context is open, and nobody else uses it.
            sections: unsafe { items::sections(self.get(), stream) },
        })
    }

    /// The pictures that are attached to the file.
    pub(super) fn pictures(&self) -> Vec<Picture> {
        // SAFETY: the streams are of the open context, and nobody else uses them.
        unsafe { items::pictures(&self.streams()) }
    }

    /// The file's metadata.
    pub(super) fn tags(&self) -> Vec<(CString, CString)> {
        entries(self.get().metadata)
    }

    /// Reads the next packet of a stream.
    ///
    /// # Errors
    /// When the host cannot read, or memory runs out.
    pub(super) fn next(&mut self, stream: c_int, packet: &mut Packet) -> Result<Next> {
        for _ in 0..MAX_IDLE {
            packet.clear();
            // SAFETY: both are initialised, and the packet is empty.
            let code = unsafe { ffi::av_read_frame(self.context.as_ptr(), packet.as_ptr()) };
            if let Some(failure) = self.io.take_failure() {
                return Err(failure);
            }
            match code {
                0.. if packet.stream_index() == stream => return Ok(Next::Packet),
                0.. => {}
                ffi::AVERROR_EOF => return Ok(Next::End),
                code if code == ffi::AVERROR(ffi::EAGAIN) => {}
                code if is_no_memory(code) => {
                    let message = "the next packet asks for more memory than there is";
                    return Err(Error::new(Status::BadData, message).with_native_code(code.into()));
                }
                code => return Ok(Next::Broken(code)),
            }
        }
        let message = format!("{MAX_IDLE} packets of other streams, and none of stream {stream}");
        Err(Error::new(Status::BadData, message))
    }
}

/// The selected stream.
pub(super) struct Chosen {
    /// Its index in libav.
    pub(super) index: c_int,
    /// All audio streams, and the number of this one among them.
    pub(super) listed: Vec<StreamEntry>,
    pub(super) number: usize,
    pub(super) parameters: Parameters,
    pub(super) time_base: TimeBase,
    /// Its metadata.
    pub(super) tags: Vec<(CString, CString)>,
    /// The chapters of the file.
    pub(super) sections: Vec<Section>,
}

impl Drop for Demuxer {
    fn drop(&mut self) {
        let mut context = self.context.as_ptr();
        // SAFETY: the context is owned; what it reads from is not its own, and is closed afterwards.
        unsafe { ffi::avformat_close_input(&raw mut context) };
    }
}

/// The entry of an audio stream. libav's flag of a default track is that of Matroska, and that of an enabled track in MP4.
fn entry(stream: &ffi::AVStream) -> Result<StreamEntry> {
    // SAFETY: a stream has parameters.
    let parameters = unsafe { Parameters::copy(stream.codecpar) }?;
    let codec = parameters.kind().map_or(c"unknown", |kind| kind.name).to_string_lossy();
    let metadata = entries(stream.metadata);
    let language = metadata.iter().find(|(key, _)| key.as_c_str() == c"language");
    let language = language.map_or("".into(), |(_, language)| language.to_string_lossy());
    Ok(StreamEntry {
        // Opus is decoded at this rate, whatever the container states.
        sample_rate: if codec == "opus" { 48_000 } else { parameters.sample_rate() },
        num_channels: parameters.num_channels(),
        is_default: stream.disposition & ffi::AV_DISPOSITION_DEFAULT != 0,
        ..StreamEntry::new(&codec, &language)
    })
}

/// libav's format of this name.
fn named(name: &'static CStr) -> Result<NonNull<ffi::AVInputFormat>> {
    // SAFETY: the name is a text; returns a format of libav's list, which is constant, or null.
    let format = unsafe { ffi::av_find_input_format(name.as_ptr()) };
    NonNull::new(format.cast_mut()).ok_or_else(|| {
        Error::unsupported(format!("this build of libav does not read {}", name.to_string_lossy()))
    })
}

/// libav's identification of a file from its first bytes behind ID3v2 tags, and its extension.
fn find_format(
    input: &Input,
    extension: Option<&str>,
    max_alloc: u64,
) -> Result<NonNull<ffi::AVInputFormat>> {
    let extension = extension.filter(|extension| extension.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let name = extension.map_or(String::new(), |extension| format!("input.{extension}"));
    let name = CString::new(name).unwrap_or_default();
    let start = identify::after_tags(input)?;
    let max_bytes = usize::try_from(max_alloc / 2).unwrap_or(usize::MAX);
    let max_bytes = max_bytes.clamp(MIN_PROBE_BYTES, MAX_PROBE_BYTES);
    let mut num_bytes = MIN_PROBE_BYTES;
    loop {
        let mut bytes = vec![0; num_bytes];
        let count = input.read_at(start, &mut bytes)?;
        // libav reads zeros behind the end.
        bytes.truncate(count);
        bytes.resize(count + ffi::AVPROBE_PADDING_SIZE as usize, 0);
        let is_last = count < num_bytes || num_bytes == max_bytes;
        let data = ffi::AVProbeData {
            filename: name.as_ptr(),
            buf: bytes.as_mut_ptr(),
            buf_size: c_int::try_from(count).unwrap_or(0),
            mime_type: ptr::null(),
        };
        let mut score = if is_last { 0 } else { RETRY_SCORE };
        // SAFETY: the bytes and the name live as long as the call, and have the padding that libav asks for.
        let format = unsafe { ffi::av_probe_input_format2(&raw const data, 1, &raw mut score) };
        match NonNull::new(format.cast_mut()) {
            Some(format) if score >= MIN_SCORE => return Ok(format),
            Some(_) => {
                return Err(Error::unsupported(format!(
                    "libav cannot identify the file: its score is {score} of 100, expected at least {MIN_SCORE}"
                )));
            }
            None if is_last => return Err(Error::unsupported("libav does not recognise the file")),
            None => num_bytes = (2 * num_bytes).min(max_bytes),
        }
    }
}

fn is_refused(names: &CStr) -> bool {
    names
        .to_bytes()
        .split(|byte| *byte == b',')
        .any(|name| REFUSED.iter().any(|refused| refused.as_bytes() == name))
}

/// Replaces libav's function that opens other files.
unsafe extern "C" fn refuse_to_open(
    _context: *mut ffi::AVFormatContext,
    _io: *mut *mut ffi::AVIOContext,
    _url: *const c_char,
    _flags: c_int,
    _options: *mut *mut ffi::AVDictionary,
) -> c_int {
    ffi::AVERROR(ffi::EPERM)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_the_one_file_is_read() {
        let refused = |text: &str, extension| match Demuxer::open(
            text.as_bytes().to_vec().into(),
            extension,
            1 << 30,
        ) {
            Ok(_) => panic!("{text} was opened"),
            Err(error) => error,
        };
        let playlist = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile:///etc/passwd\n";
        let error = refused(playlist, Some("m3u8"));
        assert!(error.message().contains("which needs more than one file"), "{error}");
        let list = "ffconcat version 1.0\nfile '/etc/passwd'\n";
        assert!(refused(list, Some("ffconcat")).message().contains("concat"));
        let session =
            "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 4000 RTP/AVP 0\n";
        assert!(refused(session, Some("sdp")).message().contains("sdp"));
        assert_eq!(refused("hello", None).status(), Status::Unsupported);
        assert_eq!(refused("", None).status(), Status::Unsupported);
    }
}
