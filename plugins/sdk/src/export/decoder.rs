//! The table of functions of a decoder.

use std::cell::OnceCell;
use std::ffi::{CString, c_char};
use std::marker::PhantomData;
use std::ops::Range;

use mapwave_plugin_abi as abi;

use super::answer::answer;
use super::buffer::Buffer;
use super::handle::Handle;
use super::limits::{max_alloc, max_threads};
use super::{option, text};
use crate::decoder::{Decoder, DecoderOptions, Head, SeekClass, StreamInfo};
use crate::encoder::Sink;
use crate::error::{Error, Result, Status};
use crate::guard;
use crate::input::Input;
use crate::items::{Chapter, Picture};
use crate::sample::SampleFormat;
use crate::sized;
use crate::streams::StreamEntry;
use crate::track::Track;

/// The table of a decoder.
pub struct DecoderTable<D>(PhantomData<D>);

impl<D: Decoder> DecoderTable<D> {
    /// The table for the C interface.
    pub const TABLE: abi::mw_decoder_table = {
        assert!(D::PROBE_BYTES <= 327_680, "PROBE_BYTES is at most 327680");
        assert!(!D::NAME.is_empty(), "a decoder has a name");
        abi::mw_decoder_table {
            size: sized::code::<abi::mw_decoder_table>(),
            probe_bytes: D::PROBE_BYTES,
            name: D::NAME.as_ptr(),
            codecs: D::CODECS.as_ptr(),
            extensions: D::EXTENSIONS.as_ptr(),
            probe: Some(probe::<D>),
            open: Some(open::<D>),
            info: Some(info::<D>),
            seek: Some(seek::<D>),
            decode: Some(decode::<D>),
            fork: Some(fork::<D>),
            tag: Some(tag::<D>),
            close: Some(close::<D>),
            stream: if D::LISTS_STREAMS { Some(stream::<D>) } else { None },
            option: if D::OPTIONS.is_empty() { None } else { Some(describe::<D>) },
            save_index: if D::HAS_INDEX { Some(save_index::<D>) } else { None },
            picture: Some(picture::<D>),
            chapter: Some(chapter::<D>),
        }
    };
}

/// The target of a decoder's handle. It keeps the properties that the host has read, because the host's memory depends
/// on them, even if the decoder changes its own later.
struct Opened<D> {
    decoder: D,
    info: StreamInfo,
    tags: OnceCell<Vec<(CString, CString)>>,
    streams: OnceCell<Vec<StreamEntry>>,
    pictures: OnceCell<Vec<Picture>>,
    chapters: OnceCell<Vec<Chapter>>,
    /// An error after frames were written, for the next call to return.
    pending: Option<Error>,
}

impl<D: Decoder> Opened<D> {
    fn new(decoder: D) -> Result<Self> {
        let info = decoder.info().clone();
        let grid_is_empty = matches!(info.seek_class, SeekClass::Anchored { grid_frames: 0 });
        if info.sample_rate == 0
            || info.num_channels == 0
            || grid_is_empty
            || !info.formats.contains(&info.native_format)
        {
            return Err(Error::new(Status::Internal, format!("the decoder's info is not legal: {info:?}")));
        }
        Ok(Self {
            decoder,
            info,
            tags: OnceCell::new(),
            streams: OnceCell::new(),
            pictures: OnceCell::new(),
            chapters: OnceCell::new(),
            pending: None,
        })
    }

    /// The audio streams, whose strings are valid until `close`, even if the decoder changes its own.
    fn streams(&self) -> &[StreamEntry] {
        self.streams.get_or_init(|| match self.decoder.streams() {
            [] => vec![only_stream(&self.info)],
            streams => streams.to_vec(),
        })
    }
}

unsafe extern "C" fn probe<D: Decoder>(
    head: *const u8,
    num_bytes: u64,
    total_bytes: u64,
    extension: *const c_char,
    track: *const abi::mw_track,
) -> i32 {
    let num_bytes = usize::try_from(num_bytes).unwrap_or(usize::MAX).min(D::PROBE_BYTES as usize);
    if head.is_null() && num_bytes > 0 {
        return 0;
    }
    let bytes = if num_bytes == 0 {
        &[]
    } else {
        // SAFETY: the host passes as many bytes or more, for the time of the call.
        unsafe { std::slice::from_raw_parts(head, num_bytes) }
    };
    // SAFETY: by the contract of `probe`.
    let extension = unsafe { text::hint(extension) };
    // SAFETY: by the contract of `probe`.
    let Ok(track) = (unsafe { track_from_host(track, total_bytes) }) else { return 0 };
    let head = Head { bytes, total_bytes, extension, track };
    guard::catch(|| D::probe(&head)).unwrap_or(0).min(100).into()
}

unsafe extern "C" fn describe<D: Decoder>(
    index: u32,
    option: *mut abi::mw_option,
    error: *mut abi::mw_error,
) -> abi::mw_status {
    // SAFETY: by the contract of `option`.
    unsafe { option::describe(D::OPTIONS, index, option, error) }
}

unsafe extern "C" fn open<D: Decoder>(
    input: *const abi::mw_input,
    options: *const abi::mw_decoder_options,
    decoder: *mut *mut abi::mw_decoder,
    error: *mut abi::mw_error,
) -> abi::mw_status {
    let make = || {
        // SAFETY: by the contract of `open`.
        let host_input = unsafe { sized::read(input) }?;
        // SAFETY: `Input` and its clones live in the decoder and its forks; the host keeps the bytes until those are closed.
        let input = unsafe { Input::from_host(&host_input) }?;
        let mut chosen = DecoderOptions::default();
        if !options.is_null() {
            // SAFETY: by the contract of `open`.
            let options = unsafe { sized::read(options) }?;
            chosen.stream = Some(options.stream).filter(|stream| *stream != abi::MW_DEFAULT_STREAM);
            chosen.max_threads = max_threads(options.max_threads);
            chosen.max_alloc = max_alloc(options.max_alloc);
            // SAFETY: by the contract of `mw_decoder_options`.
            chosen.settings =
                unsafe { option::settings(options.settings, options.num_settings, D::OPTIONS) }?;
            let index_bytes = usize::try_from(options.index_bytes).unwrap_or(usize::MAX);
            if !options.index.is_null() && index_bytes <= isize::MAX as usize {
                // SAFETY: by the contract of `mw_decoder_options`: as many bytes, for the time of the call.
                chosen.index = unsafe { std::slice::from_raw_parts(options.index, index_bytes) };
            }
        }
        // SAFETY: by the contract of `mw_input`.
        chosen.extension = unsafe { text::hint(host_input.extension) };
        // SAFETY: by the contract of `mw_input`.
        chosen.track = unsafe { track_from_host(host_input.track, host_input.num_bytes) }?;
        if !D::LISTS_STREAMS && chosen.stream.is_some_and(|stream| stream > 0) {
            return Err(Error::unsupported("only the first sound track of a file can be read"));
        }
        let opened = Opened::new(D::open(input, &chosen)?)?;
        let num_streams = opened.streams().len();
        match chosen.stream {
            Some(stream) if stream as usize >= num_streams => Err(Error::no_such_stream(num_streams)),
            _ => Ok(opened),
        }
    };
    // SAFETY: by the contract of `open`.
    let result = unsafe { Handle::<Opened<D>>::open(decoder, make) };
    // SAFETY: by the contract of `open`.
    unsafe { answer(result.map(|()| abi::MW_OK), error) }
}

unsafe extern "C" fn info<D: Decoder>(
    decoder: *const abi::mw_decoder,
    info: *mut abi::mw_stream_info,
    error: *mut abi::mw_error,
) -> abi::mw_status {
    let call = |opened: &mut Opened<D>| {
        // SAFETY: by the contract of `info`.
        unsafe { sized::fill(info, &info_to_host(&opened.info, opened.decoder.container_variant())) }?;
        Ok(abi::MW_OK)
    };
    // SAFETY: by the contract of `info`.
    let result = unsafe { Handle::call(decoder.cast_mut(), call) };
    // SAFETY: by the contract of `info`.
    unsafe { answer(result, error) }
}

unsafe extern "C" fn seek<D: Decoder>(
    decoder: *mut abi::mw_decoder,
    frame: u64,
    error: *mut abi::mw_error,
) -> abi::mw_status {
    let call = |opened: &mut Opened<D>| {
        if let Some(num_frames) = opened.info.num_frames.filter(|num_frames| frame > *num_frames) {
            return Err(Error::bad_argument(format!("cannot seek to frame {frame} of {num_frames}")));
        }
        opened.pending = None;
        opened.decoder.seek(frame)?;
        Ok(abi::MW_OK)
    };
    // SAFETY: by the contract of `seek`.
    let result = unsafe { Handle::call(decoder, call) };
    // SAFETY: by the contract of `seek`.
    unsafe { answer(result, error) }
}

unsafe extern "C" fn decode<D: Decoder>(
    decoder: *mut abi::mw_decoder,
    buffer: *const abi::mw_buffer,
    num_frames: *mut u64,
    error: *mut abi::mw_error,
) -> abi::mw_status {
    // SAFETY: by the contract of `decode`, where null is a mistake that is answered below.
    if let Some(num_frames) = unsafe { num_frames.as_mut() } {
        *num_frames = 0;
    }
    let call = |opened: &mut Opened<D>| {
        if num_frames.is_null() {
            return Err(Error::bad_argument("the place for the number of frames is null"));
        }
        // SAFETY: by the contract of `decode`; the planes are the decoder's until it returns.
        let buffer = unsafe { Buffer::from_host(buffer, opened.info.formats, opened.info.num_channels) }?;
        if buffer.num_frames() == 0 {
            return Err(Error::bad_argument("the buffer has room for no frame"));
        }
        if let Some(pending) = opened.pending.take() {
            return Err(pending);
        }
        // SAFETY: by the contract of `decode`.
        let mut output = unsafe { buffer.into_output() };
        let result = opened.decoder.decode(&mut output);
        match (result, output.num_written()) {
            (Ok(()), 0) => Ok(abi::MW_END),
            (Err(failure), 0) => Err(failure),
            (result, num_written) => {
                opened.pending = result.err();
                // SAFETY: it is not null, by the check above.
                unsafe { num_frames.write(num_written as u64) };
                Ok(abi::MW_OK)
            }
        }
    };
    // SAFETY: by the contract of `decode`.
    let result = unsafe { Handle::call(decoder, call) };
    // SAFETY: by the contract of `decode`.
    unsafe { answer(result, error) }
}

unsafe extern "C" fn fork<D: Decoder>(
    decoder: *const abi::mw_decoder,
    fork: *mut *mut abi::mw_decoder,
    error: *mut abi::mw_error,
) -> abi::mw_status {
    let call = |opened: &mut Opened<D>| Opened::new(opened.decoder.fork()?);
    // SAFETY: by the contract of `fork`.
    let made = unsafe { Handle::call(decoder.cast_mut(), call) };
    // SAFETY: by the contract of `fork`.
    let result = made.and_then(|made| unsafe { Handle::open(fork, || Ok(made)) });
    // SAFETY: by the contract of `fork`.
    unsafe { answer(result.map(|()| abi::MW_OK), error) }
}

unsafe extern "C" fn tag<D: Decoder>(
    decoder: *const abi::mw_decoder,
    index: u32,
    key: *mut *const c_char,
    value: *mut *const c_char,
) -> abi::mw_status {
    let call = |opened: &mut Opened<D>| {
        if key.is_null() || value.is_null() {
            return Err(Error::bad_argument("the place for the key or the value is null"));
        }
        // These strings are valid until `close`, even if the decoder changes its own.
        let tags = opened.tags.get_or_init(|| opened.decoder.tags().to_vec());
        let Some((found_key, found_value)) = tags.get(index as usize) else { return Ok(abi::MW_END) };
        // SAFETY: it is not null, and the host lets it be written.
        unsafe { key.write(found_key.as_ptr()) };
        // SAFETY: as above.
        unsafe { value.write(found_value.as_ptr()) };
        Ok(abi::MW_OK)
    };
    // SAFETY: by the contract of `tag`.
    let result = unsafe { Handle::call(decoder.cast_mut(), call) };
    result.unwrap_or_else(|failure| failure.status().code())
}

unsafe extern "C" fn stream<D: Decoder>(
    decoder: *const abi::mw_decoder,
    index: u32,
    entry: *mut abi::mw_stream_entry,
    error: *mut abi::mw_error,
) -> abi::mw_status {
    let call = |opened: &mut Opened<D>| {
        let Some(found) = opened.streams().get(index as usize) else { return Ok(abi::MW_END) };
        let found = abi::mw_stream_entry {
            size: sized::code::<abi::mw_stream_entry>(),
            flags: if found.is_default { abi::MW_ENTRY_DEFAULT } else { 0 },
            sample_rate: found.sample_rate,
            num_channels: found.num_channels,
            codec: found.codec.as_ptr(),
            language: found.language.as_ref().map_or(std::ptr::null(), |language| language.as_ptr()),
        };
        // SAFETY: by the contract of `stream`.
        unsafe { sized::fill(entry, &found) }?;
        Ok(abi::MW_OK)
    };
    // SAFETY: by the contract of `stream`.
    let result = unsafe { Handle::call(decoder.cast_mut(), call) };
    // SAFETY: by the contract of `stream`.
    unsafe { answer(result, error) }
}

unsafe extern "C" fn picture<D: Decoder>(
    decoder: *const abi::mw_decoder,
    index: u32,
    picture: *mut abi::mw_picture,
    error: *mut abi::mw_error,
) -> abi::mw_status {
    let call = |opened: &mut Opened<D>| {
        // These bytes are valid until `close`, even if the decoder changes its own.
        let pictures = opened.pictures.get_or_init(|| opened.decoder.pictures().to_vec());
        let Some(found) = pictures.get(index as usize) else { return Ok(abi::MW_END) };
        let found = abi::mw_picture {
            size: sized::code::<abi::mw_picture>(),
            kind: found.kind,
            mime: found.mime.as_ptr(),
            description: found.description.as_ref().map_or(std::ptr::null(), |text| text.as_ptr()),
            width: found.width,
            height: found.height,
            data: found.data.as_ptr(),
            num_bytes: found.data.len() as u64,
        };
        // SAFETY: by the contract of `picture`.
        unsafe { sized::fill(picture, &found) }?;
        Ok(abi::MW_OK)
    };
    // SAFETY: by the contract of `picture`.
    let result = unsafe { Handle::call(decoder.cast_mut(), call) };
    // SAFETY: by the contract of `picture`.
    unsafe { answer(result, error) }
}

unsafe extern "C" fn chapter<D: Decoder>(
    decoder: *const abi::mw_decoder,
    index: u32,
    chapter: *mut abi::mw_chapter,
    error: *mut abi::mw_error,
) -> abi::mw_status {
    let call = |opened: &mut Opened<D>| {
        let chapters = opened.chapters.get_or_init(|| opened.decoder.chapters().to_vec());
        let Some(found) = chapters.get(index as usize) else { return Ok(abi::MW_END) };
        let found = abi::mw_chapter {
            size: sized::code::<abi::mw_chapter>(),
            reserved: 0,
            label: found.label.as_ref().map_or(std::ptr::null(), |label| label.as_ptr()),
            start: found.start,
            end: found.end.unwrap_or(abi::MW_UNKNOWN),
        };
        // SAFETY: by the contract of `chapter`.
        unsafe { sized::fill(chapter, &found) }?;
        Ok(abi::MW_OK)
    };
    // SAFETY: by the contract of `chapter`.
    let result = unsafe { Handle::call(decoder.cast_mut(), call) };
    // SAFETY: by the contract of `chapter`.
    unsafe { answer(result, error) }
}

unsafe extern "C" fn save_index<D: Decoder>(
    decoder: *const abi::mw_decoder,
    sink: *const abi::mw_sink,
    error: *mut abi::mw_error,
) -> abi::mw_status {
    let call = |opened: &mut Opened<D>| {
        // SAFETY: by the contract of `save_index`.
        let sink = unsafe { sized::read(sink) }?;
        // SAFETY: the host's sink is valid during this call, after which nothing has it.
        let mut sink = unsafe { Sink::from_host(&sink) }?;
        match opened.decoder.save_index() {
            Some(index) => sink.append(&index).map(|()| abi::MW_OK),
            None => Ok(abi::MW_END),
        }
    };
    // SAFETY: by the contract of `save_index`.
    let result = unsafe { Handle::call(decoder.cast_mut(), call) };
    // SAFETY: by the contract of `save_index`.
    unsafe { answer(result, error) }
}

unsafe extern "C" fn close<D: Decoder>(decoder: *mut abi::mw_decoder) {
    // SAFETY: by the contract of `close`.
    unsafe { Handle::<Opened<D>>::close(decoder) };
}

/// The entry of a stream that is the only one of its file.
fn only_stream(info: &StreamInfo) -> StreamEntry {
    StreamEntry {
        codec: info.codec.to_owned(),
        language: None,
        sample_rate: info.sample_rate,
        num_channels: info.num_channels,
        is_default: true,
    }
}

fn info_to_host(info: &StreamInfo, container_variant: Option<&str>) -> abi::mw_stream_info {
    let (seek_class, grid_frames) = match info.seek_class {
        SeekClass::None => (abi::MW_SEEK_NONE, 0),
        SeekClass::Anchored { grid_frames } => (abi::MW_SEEK_ANCHORED, grid_frames),
        SeekClass::Exact => (abi::MW_SEEK_EXACT, 0),
    };
    let lossless = if info.is_lossless { abi::MW_STREAM_LOSSLESS } else { 0 };
    let truncated = if info.is_truncated { abi::MW_STREAM_TRUNCATED } else { 0 };
    let mut variant = [0; 16];
    let printable = container_variant.unwrap_or_default().bytes().filter(|byte| (b' '..=b'~').contains(byte));
    // The last byte stays 0.
    for (place, byte) in variant.iter_mut().take(15).zip(printable) {
        *place = c_char::from_ne_bytes([byte]);
    }
    abi::mw_stream_info {
        size: sized::code::<abi::mw_stream_info>(),
        flags: lossless | truncated,
        sample_rate: info.sample_rate,
        num_channels: info.num_channels,
        channel_mask: info.channel_mask,
        num_frames: info.num_frames_code(),
        bits_per_sample: info.bits_per_sample,
        native_format: info.native_format.code(),
        formats: SampleFormat::mask(info.formats),
        seek_class,
        priming_frames: info.priming_frames,
        padding_frames: info.padding_frames,
        seek_cost_frames: info.seek_cost_frames,
        grid_frames,
        codec: info.codec.as_ptr(),
        container: info.container.as_ptr(),
        container_variant: variant,
    }
}

/// The stream that the host found; `None` when it found none, an error when it is not what it must be.
///
/// # Safety
/// `track` is null or points to an [`abi::mw_track`] of the size that it states, which stays as it is for `'a`.
unsafe fn track_from_host<'a>(track: *const abi::mw_track, total_bytes: u64) -> Result<Option<Track<'a>>> {
    if track.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller promised it.
    let track = unsafe { sized::read(track) }?;
    // SAFETY: by the contract of `mw_track`.
    let container = unsafe { text::choice(track.container, "the track's container") }?;
    // SAFETY: by the contract of `mw_track`.
    let codec = unsafe { text::choice(track.codec, "the track's codec") }?;
    let range = |what, offset: u64, num_bytes: u64| -> Result<Range<u64>> {
        match offset.checked_add(num_bytes) {
            _ if num_bytes == 0 => Ok(0..0),
            Some(end) if end <= total_bytes => Ok(offset..end),
            _ => {
                let message = format!("the track's {what}, {num_bytes} bytes, lies outside of {total_bytes}");
                Err(Error::bad_argument(message).at(offset))
            }
        }
    };
    Ok(Some(Track {
        container: container.ok_or_else(|| Error::bad_argument("the track has no container"))?,
        codec: codec.ok_or_else(|| Error::bad_argument("the track has no codec"))?,
        tag: track.tag,
        sample_rate: track.sample_rate,
        num_channels: track.num_channels,
        channel_mask: track.channel_mask,
        bits_per_sample: track.bits_per_sample,
        bytes_per_packet: track.bytes_per_packet,
        frames_per_packet: track.frames_per_packet,
        priming_frames: track.priming_frames,
        padding_frames: track.padding_frames,
        num_frames: Some(track.num_frames).filter(|num_frames| *num_frames != abi::MW_UNKNOWN),
        data: range("data", track.data_offset, track.data_bytes)?,
        config: range("setup", track.config_offset, track.config_bytes)?,
        table: range("packet table", track.table_offset, track.table_bytes)?,
        num_packets: track.num_packets,
    }))
}
