//! Decoders of plugins, called without trust: every size, count and status that comes back is checked.

#![allow(unsafe_code)] // calls into plugins

use std::ffi::{CStr, c_void};
use std::io;
use std::mem::MaybeUninit;
use std::ptr::NonNull;
use std::sync::Arc;

use mapwave_fork::Lock;
use mapwave_plugin_abi as abi;

use crate::error::Fault;
use crate::host::ffi::fault::{Answer, Failure, Trouble, required_name};
use crate::host::ffi::input::PluginInput;
use crate::host::ffi::output::{ByteSink, Outlet, Ticket};
use crate::host::ffi::raw;
use crate::host::ffi::raw::Sized32;
use crate::host::table::items;
use crate::host::table::option::{self, CodecOption};
use crate::host::table::standing::Standing;
use crate::host::table::stream_info::StreamInfo;
use crate::metadata::{Marker, Picture};
use crate::pcm::SampleFormat;
use crate::track::{Container, SoundTrack};

/// The maximum number of bytes at the start of a file that a decoder may request for probing.
const MAX_PROBE_BYTES: u32 = 320 << 10;

/// The most that a decoder gets at first, and what it gets if it requests more.
const MAX_FIRST_BYTES: u32 = 64 << 10;
const FIRST_BYTES: u32 = 8 << 10;

/// How much a handle may allocate in addition to a share of the file's size.
const MAX_ALLOC: u64 = 256 << 20;

/// The maximum number of tags read from a stream, and of streams read from a list.
const MAX_TAGS: u32 = 1024;
const MAX_STREAMS: u32 = 1024;

/// The longest name of a language (RFC 5646, section 4.4.1).
const MAX_LANGUAGE_BYTES: usize = 35;

/// The formats that a decoder states to read.
#[derive(Clone, Debug, PartialEq)]
pub struct DecoderSummary {
    /// The name.
    pub name: String,
    /// The short names of the codecs it reads.
    pub codecs: Vec<String>,
    /// The usual extensions of file names.
    pub extensions: Vec<String>,
    /// The options of its own.
    pub options: Vec<CodecOption>,
}

/// A kind of decoder: the functions of a plugin, known to be present.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DecoderKind {
    standing: &'static Standing,
    name: &'static str,
    probe_bytes: u32,
    extensions: &'static [String],
    options: &'static [CodecOption],
    /// The first of them, for the plugin.
    own_extension: Option<&'static CStr>,
    functions: Functions,
}

/// What the host tells a decoder about the name of a file. The bytes decide, so at first it tells nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hint {
    /// Nothing.
    Nothing,
    /// That the name is one that the decoder knows, whatever it is: a decoder that comes with mapwave and takes such files
    /// without recognising their first bytes examines the content when it opens them. So a file of any name, or of none, opens
    /// alike. A decoder of a user's plugin gets the file's own extension.
    Name,
}

#[derive(Clone, Copy, Debug)]
struct Functions {
    probe: unsafe extern "C" fn(*const u8, u64, u64, *const std::ffi::c_char, *const abi::mw_track) -> i32,
    open: unsafe extern "C" fn(
        *const abi::mw_input,
        *const abi::mw_decoder_options,
        *mut *mut abi::mw_decoder,
        *mut abi::mw_error,
    ) -> abi::mw_status,
    info: unsafe extern "C" fn(
        *const abi::mw_decoder,
        *mut abi::mw_stream_info,
        *mut abi::mw_error,
    ) -> abi::mw_status,
    seek: unsafe extern "C" fn(*mut abi::mw_decoder, u64, *mut abi::mw_error) -> abi::mw_status,
    decode: unsafe extern "C" fn(
        *mut abi::mw_decoder,
        *const abi::mw_buffer,
        *mut u64,
        *mut abi::mw_error,
    ) -> abi::mw_status,
    fork: unsafe extern "C" fn(
        *const abi::mw_decoder,
        *mut *mut abi::mw_decoder,
        *mut abi::mw_error,
    ) -> abi::mw_status,
    tag: Option<
        unsafe extern "C" fn(
            *const abi::mw_decoder,
            u32,
            *mut *const std::ffi::c_char,
            *mut *const std::ffi::c_char,
        ) -> abi::mw_status,
    >,
    close: unsafe extern "C" fn(*mut abi::mw_decoder),
    stream: Option<List<abi::mw_stream_entry>>,
    save_index: Option<
        unsafe extern "C" fn(
            *const abi::mw_decoder,
            *const abi::mw_sink,
            *mut abi::mw_error,
        ) -> abi::mw_status,
    >,
    picture: Option<List<abi::mw_picture>>,
    chapter: Option<List<abi::mw_chapter>>,
}

/// A function that fills in what has a number, counted from 0.
type List<T> =
    unsafe extern "C" fn(*const abi::mw_decoder, u32, *mut T, *mut abi::mw_error) -> abi::mw_status;

impl DecoderKind {
    /// Reads the table of a decoder.
    ///
    /// # Safety
    /// `table` is what a plugin returned for its decoder interface: valid until the process exits.
    pub(crate) unsafe fn new(
        table: *const abi::mw_decoder_table,
        standing: &'static Standing,
    ) -> Result<(Self, DecoderSummary), Failure> {
        // SAFETY: the caller's promise; a table begins with its size.
        let table = unsafe { Sized32::copied(table) };
        let abi::mw_decoder_table {
            probe,
            open,
            info,
            seek,
            decode,
            fork,
            tag,
            close,
            stream,
            save_index,
            picture,
            chapter,
            ..
        } = table;
        let missing = |name: &str| Failure::broken(format!("its decoder table has no function '{name}'"));
        let functions = Functions {
            probe: probe.ok_or_else(|| missing("probe"))?,
            open: open.ok_or_else(|| missing("open"))?,
            info: info.ok_or_else(|| missing("info"))?,
            seek: seek.ok_or_else(|| missing("seek"))?,
            decode: decode.ok_or_else(|| missing("decode"))?,
            fork: fork.ok_or_else(|| missing("fork"))?,
            tag,
            close: close.ok_or_else(|| missing("close"))?,
            stream,
            save_index,
            picture,
            chapter,
        };
        // SAFETY: strings of a table are valid until the process exits.
        let name = unsafe { required_name(table.name, "decoder's name") }?;
        // SAFETY: as above.
        let codecs = unsafe { raw::text(table.codecs) };
        // SAFETY: as above.
        let extensions = unsafe { raw::text(table.extensions) };
        let extensions = raw::split(extensions);
        let summary = DecoderSummary {
            name: name.to_owned(),
            codecs: raw::split(codecs),
            extensions: extensions.clone(),
            // SAFETY: as above.
            options: unsafe { option::options(table.option) }?,
        };
        let options: &'static [CodecOption] = summary.options.clone().leak();
        let probe_bytes = table.probe_bytes.min(MAX_PROBE_BYTES);
        // A table is read once per process, and its contents stay valid until the process exits.
        let extensions: &'static [String] = extensions.leak();
        let own_extension = extensions.first().map(|extension| &*Box::leak(raw::c_string(extension).into()));
        Ok((Self { standing, name, probe_bytes, extensions, options, own_extension, functions }, summary))
    }

    /// The name of the plugin.
    pub(crate) fn plugin(&self) -> &'static str {
        self.standing.plugin()
    }

    /// The version of the plugin.
    pub(crate) fn version(&self) -> &'static str {
        self.standing.version()
    }

    /// Whether the plugin comes with mapwave: its calls need no supervision and may write into the caller's array.
    pub(crate) fn is_trusted(&self) -> bool {
        self.standing.is_trusted()
    }

    /// How the plugin stands with the host.
    pub(crate) fn standing(&self) -> &'static Standing {
        self.standing
    }

    /// The name within the plugin.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// The options of its own.
    pub(crate) fn options(&self) -> &'static [CodecOption] {
        self.options
    }

    /// The container of a file that it could not open, by the file's extension, otherwise by the decoder's most common one.
    pub(crate) fn container_of(&self, input: &PluginInput) -> Container {
        let extension = input.extension_text();
        let known = self.extensions.iter().find(|known| Some(known.as_str()) == extension);
        Container::new(known.or(self.extensions.first()).map_or(self.name, String::as_str))
    }

    /// How many bytes at the start of a file it needs for probing.
    pub(crate) fn probe_bytes(&self) -> u32 {
        self.probe_bytes
    }

    /// How many of them it gets at first.
    pub(crate) fn first_bytes(&self) -> u32 {
        if self.probe_bytes > MAX_FIRST_BYTES { FIRST_BYTES } else { self.probe_bytes }
    }

    /// The score for a file, from 0 to 100.
    pub(crate) fn probe(&self, head: &[u8], input: &PluginInput, hint: Hint) -> Result<u8, Failure> {
        let track = input.track();
        let track = track.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        let extension = match hint {
            Hint::Nothing => std::ptr::null(),
            Hint::Name if self.is_trusted() => self.own_extension.map_or(std::ptr::null(), CStr::as_ptr),
            Hint::Name => input.extension(),
        };
        let num_bytes = head.len().min(self.probe_bytes as usize) as u64;
        // SAFETY: `head` has as many bytes, the strings end in zeros, and all outlive the call.
        let score = unsafe {
            (self.functions.probe)(head.as_ptr(), num_bytes, input.source().len(), extension, track)
        };
        u8::try_from(score).ok().filter(|&score| score <= 100).ok_or_else(|| {
            Failure::broken(format!("its probe answered {score}, and a score is from 0 to 100"))
        })
    }

    /// Opens the audio stream that the input names. [`Fault::Refused`] means that the file has no such stream.
    pub(crate) fn open(&self, input: &PluginInput) -> Result<DecoderHandle, Failure> {
        let stream = match (input.stream(), self.functions.stream) {
            (None, Some(_)) => abi::MW_DEFAULT_STREAM,
            (Some(stream @ 1..), None) => {
                let what =
                    format!("it reads the first sound track of a file and no other, not track {stream}");
                return Err(Failure { fault: Fault::Unsupported, offset: None, what });
            }
            (stream, _) => stream.unwrap_or(0),
        };
        let track = input.track();
        let host_input = input.to_abi(track.as_ref(), self.is_trusted());
        let max_alloc = input.source().len().saturating_mul(4).saturating_add(MAX_ALLOC);
        let (settings, index) = (input.settings(), input.index());
        let options = abi::mw_decoder_options {
            settings: raw::address(&settings),
            num_settings: settings.len() as u64,
            index: raw::address(index),
            index_bytes: index.len() as u64,
            stream,
            max_threads: 1,
            max_alloc,
            ..abi::mw_decoder_options::zeroed()
        };
        let (mut answer, mut handle) = (Answer::new(), std::ptr::null_mut());
        // SAFETY: all four are valid during the call; what the input points to lives as long as `input`, a clone of which
        // is kept beside the handle.
        let status = unsafe {
            (self.functions.open)(
                &raw const host_input,
                &raw const options,
                &raw mut handle,
                answer.as_mut_ptr(),
            )
        };
        let opened = self.opened(status, handle, answer, "open");
        let handle = opened.map_err(|failure| match status {
            abi::MW_BAD_ARGUMENT if input.stream().is_some() => Failure { fault: Fault::Refused, ..failure },
            _ => failure,
        })?;
        DecoderHandle { kind: *self, handle, input: input.clone(), is_poisoned: false, info: None }
            .described()?
            .of_its_list()
    }

    fn opened(
        &self,
        status: abi::mw_status,
        handle: *mut abi::mw_decoder,
        answer: Answer,
        function: &str,
    ) -> Result<NonNull<abi::mw_decoder>, Failure> {
        match (status, NonNull::new(handle)) {
            (abi::MW_OK, Some(handle)) => Ok(handle),
            (abi::MW_OK, None) => Err(Failure::broken(format!("its {function} succeeded without a handle"))),
            (status, _) => Err(answer.into_failure(status)),
        }
    }
}

/// The memory for an index, up to a limit.
struct IndexSink {
    bytes: Arc<Lock<Vec<u8>>>,
    most: usize,
}

impl ByteSink for IndexSink {
    fn write_at(&mut self, _: u64, bytes: &[u8]) -> io::Result<()> {
        let mut written = self.bytes.lock();
        if bytes.len() > self.most.saturating_sub(written.len()) {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        written.extend_from_slice(bytes);
        Ok(())
    }

    fn is_append_only(&self) -> bool {
        true
    }
}

/// A range of frames of an output array: one slice of interleaved samples, or a slice per channel.
pub(crate) type Planes<'a, 'b> = &'a mut [&'b mut [MaybeUninit<u8>]];

/// A handle: one stream at one position.
#[derive(Debug)]
pub(crate) struct DecoderHandle {
    kind: DecoderKind,
    handle: NonNull<abi::mw_decoder>,
    /// The input of the handle, which outlives the handle.
    input: PluginInput,
    is_poisoned: bool,
    info: Option<StreamInfo>,
}

// SAFETY: a handle takes one call at a time from any thread (R4), and every call but `fork`, `info` and `tag` needs it
// exclusively.
unsafe impl Send for DecoderHandle {}

impl DecoderHandle {
    /// Requests the stream's description, once.
    fn described(mut self) -> Result<Self, Failure> {
        let (mut answer, mut info) = (Answer::new(), abi::mw_stream_info::zeroed());
        let function = self.kind.functions.info;
        // SAFETY: an open handle, and both structs are sized and live through the call.
        let status = unsafe { function(self.handle.as_ptr(), &raw mut info, answer.as_mut_ptr()) };
        if status != abi::MW_OK {
            return Err(answer.into_failure(status));
        }
        // SAFETY: the plugin has filled `info`; what it left alone is zero.
        self.info = Some(unsafe { StreamInfo::new(&info) }?);
        Ok(self)
    }

    /// The description of the stream.
    pub(crate) fn info(&self) -> Result<&StreamInfo, Failure> {
        self.info.as_ref().ok_or_else(|| Failure::broken("the stream was not described"))
    }

    /// The kind of decoder.
    pub(crate) fn kind(&self) -> &DecoderKind {
        &self.kind
    }

    /// Another handle over the same file, at frame 0.
    pub(crate) fn fork(&self) -> Result<Self, Failure> {
        let (mut answer, mut handle) = (Answer::new(), std::ptr::null_mut());
        let function = self.kind.functions.fork;
        // SAFETY: an open handle that no other call is using, since this value is not Sync.
        let status = unsafe { function(self.handle.as_ptr(), &raw mut handle, answer.as_mut_ptr()) };
        let handle = self.kind.opened(status, handle, answer, "fork")?;
        let input = self.input.clone();
        Ok(Self { kind: self.kind, handle, input, is_poisoned: false, info: self.info.clone() })
    }

    /// Moves to a frame.
    pub(crate) fn seek(&mut self, frame: u64) -> Result<(), Failure> {
        self.check()?;
        let mut answer = Answer::new();
        let function = self.kind.functions.seek;
        // SAFETY: an open handle, borrowed exclusively.
        let status = unsafe { function(self.handle.as_ptr(), frame, answer.as_mut_ptr()) };
        self.after(status, answer)
    }

    /// Decodes up to `num_frames` frames in the native format directly into `planes` and returns their number; 0 is the end. The
    /// returned frames are initialised.
    ///
    /// For trusted plugins only: the reported number of frames is not verified.
    pub(crate) fn decode_into(&mut self, num_frames: u64, planes: Planes<'_, '_>) -> Result<u64, Failure> {
        assert!(self.kind.is_trusted(), "only trusted plugins write into the caller's array");
        let addresses: Vec<*mut c_void> = planes.iter_mut().map(|plane| plane.as_mut_ptr().cast()).collect();
        let info = self.info()?;
        let samples_per_frame = if planes.len() > 1 { 1 } else { usize::from(info.num_channels) };
        let bytes_per_frame = (samples_per_frame * info.native.num_bytes()) as u64;
        let room = planes.iter().map(|plane| plane.len() as u64 / bytes_per_frame).min().unwrap_or(0);
        self.decode(num_frames.min(room), &addresses)
    }

    /// Decodes up to `num_frames` interleaved frames in the native format to the front of a chunk and returns their size in bytes;
    /// 0 is the end.
    pub(crate) fn decode_chunk(&mut self, num_frames: u64, chunk: &mut Chunk) -> Result<usize, Failure> {
        let info = self.info()?;
        let bytes_per_frame = usize::from(info.num_channels) * info.native.num_bytes();
        let num_frames = num_frames.min((chunk.room() / bytes_per_frame) as u64).max(1);
        let num_bytes = usize::try_from(num_frames).unwrap_or(usize::MAX).saturating_mul(bytes_per_frame);
        let address = chunk.prepare(num_bytes).cast();
        let count = self.decode(num_frames, &[address])?;
        if !chunk.is_intact(num_bytes) {
            self.is_poisoned = true;
            return Err(Failure::broken(format!("it wrote past the {num_frames} frames it was asked for")));
        }
        Ok(usize::try_from(count).unwrap_or(usize::MAX).saturating_mul(bytes_per_frame))
    }

    fn decode(&mut self, num_frames: u64, addresses: &[*mut c_void]) -> Result<u64, Failure> {
        self.check()?;
        let info = self.info()?;
        let format = match info.native {
            SampleFormat::S16(_) => abi::MW_I16,
            SampleFormat::S32(_) => abi::MW_I32,
            _ => abi::MW_F32,
        };
        let is_planar = addresses.len() > 1;
        let buffer = abi::mw_buffer {
            format,
            layout: if is_planar { abi::MW_PLANAR } else { abi::MW_INTERLEAVED },
            num_planes: u32::try_from(addresses.len()).unwrap_or(0),
            planes: addresses.as_ptr(),
            num_frames,
            ..abi::mw_buffer::zeroed()
        };
        let (mut answer, mut count) = (Answer::new(), 0);
        let function = self.kind.functions.decode;
        // SAFETY: an open handle, borrowed exclusively; the buffer has room for `num_frames` frames in each of its planes.
        let status =
            unsafe { function(self.handle.as_ptr(), &raw const buffer, &raw mut count, answer.as_mut_ptr()) };
        match status {
            abi::MW_OK if (1..=num_frames).contains(&count) => Ok(count),
            abi::MW_END if count == 0 => Ok(0),
            abi::MW_OK | abi::MW_END => {
                self.is_poisoned = true;
                Err(Failure::broken(format!(
                    "it says that it decoded {count} frames of {num_frames} asked for"
                )))
            }
            _ => self.after(status, answer).map(|()| 0),
        }
    }

    /// Whether it may have an index to save.
    pub(crate) fn has_index(&self) -> bool {
        self.kind.functions.save_index.is_some()
    }

    /// What spares another opening of the file the scan for its packets, in at most `most` bytes; `None` if there is nothing.
    pub(crate) fn save_index(&self, most: usize) -> Result<Option<Vec<u8>>, Failure> {
        let Some(function) = self.kind.functions.save_index else { return Ok(None) };
        let bytes = Arc::new(Lock::new());
        let outlet = Outlet::new(Box::new(IndexSink { bytes: Arc::clone(&bytes), most }));
        let ticket = Ticket::new(&outlet);
        let (mut answer, sink) = (Answer::new(), ticket.to_abi(&outlet));
        // SAFETY: an open handle that no other call is using, since this value is not Sync; the sink lives through the call.
        let status =
            outlet.during(|| unsafe { function(self.handle.as_ptr(), &raw const sink, answer.as_mut_ptr()) });
        drop(ticket);
        let written: Vec<u8> = std::mem::take(&mut *bytes.lock());
        match (status, outlet.verdict()) {
            (abi::MW_END, _) => Ok(None),
            (abi::MW_OK, Ok(())) => Ok(Some(written).filter(|written| !written.is_empty())),
            // It is longer than what is kept.
            (_, Err(Trouble::Writing { .. })) => Ok(None),
            (_, Err(Trouble::Plugin(failure))) => Err(failure),
            (status, Ok(())) => Err(answer.into_failure(status)),
        }
    }

    /// The stream's metadata.
    pub(crate) fn tags(&self) -> Vec<(String, String)> {
        let Some(function) = self.kind.functions.tag else { return Vec::new() };
        let mut tags = Vec::new();
        for index in 0..MAX_TAGS {
            let (mut key, mut value) = (std::ptr::null(), std::ptr::null());
            // SAFETY: an open handle, and both pointers live through the call.
            let status = unsafe { function(self.handle.as_ptr(), index, &raw mut key, &raw mut value) };
            if status != abi::MW_OK {
                break;
            }
            // SAFETY: the strings are valid until the handle is closed.
            let key = unsafe { raw::text(key) };
            // SAFETY: as above.
            let value = unsafe { raw::text(value) };
            tags.extend(key.zip(value));
        }
        tags
    }

    /// The audio streams of the file, as the plugin lists them; none if it has no list.
    pub(crate) fn sound_tracks(&self) -> Vec<SoundTrack> {
        let mut tracks = Vec::new();
        for entry in self.listed(self.kind.functions.stream, MAX_STREAMS) {
            // SAFETY: the strings are valid until the handle is closed.
            let codec = unsafe { raw::text(entry.codec) };
            // SAFETY: as above.
            let language = unsafe { raw::text(entry.language) };
            tracks.push(SoundTrack {
                codec: codec.filter(|codec| raw::is_plain(codec)).unwrap_or_else(|| "unknown".to_owned()),
                language: language.filter(|text| raw::is_plain(text) && text.len() <= MAX_LANGUAGE_BYTES),
                sample_rate: Some(entry.sample_rate).filter(|&rate| rate > 0),
                num_channels: u16::try_from(entry.num_channels).ok().filter(|&channels| channels > 0),
                is_default: entry.flags & abi::MW_ENTRY_DEFAULT != 0,
            });
        }
        tracks
    }

    /// The pictures in the file, as the plugin lists them, with their data or without.
    pub(crate) fn pictures(&self, with_data: bool) -> Vec<Picture> {
        let listed = self.listed(self.kind.functions.picture, items::MAX_PICTURES);
        // SAFETY: the strings and the data are valid until the handle is closed.
        listed.iter().filter_map(|found| unsafe { items::picture(found, with_data) }).collect()
    }

    /// The chapters and markers of the stream, as the plugin lists them, by their start.
    pub(crate) fn chapters(&self) -> Vec<Marker> {
        let listed = self.listed(self.kind.functions.chapter, items::MAX_CHAPTERS);
        // SAFETY: the strings are valid until the handle is closed.
        let mut chapters: Vec<Marker> =
            listed.iter().filter_map(|found| unsafe { items::chapter(found) }).collect();
        chapters.sort_by_key(|chapter| chapter.start);
        chapters
    }

    /// What a function lists, up to a number of it; nothing without the function.
    fn listed<T: Sized32>(&self, function: Option<List<T>>, most: u32) -> Vec<T> {
        let one = |index| {
            let (mut answer, mut entry) = (Answer::new(), T::zeroed());
            // SAFETY: an open handle, and both structs are sized and live through the call.
            let status =
                unsafe { function?(self.handle.as_ptr(), index, &raw mut entry, answer.as_mut_ptr()) };
            (status == abi::MW_OK).then_some(entry)
        };
        (0..most).map_while(one).collect()
    }

    /// Checks that a stream after the first is one that the plugin lists.
    fn of_its_list(self) -> Result<Self, Failure> {
        match self.input.stream() {
            Some(stream @ 1..) if stream as usize >= self.sound_tracks().len() => {
                Err(Failure::broken(format!("it opened track {stream}, which it does not list")))
            }
            _ => Ok(self),
        }
    }

    fn check(&self) -> Result<(), Failure> {
        match self.is_poisoned {
            false => Ok(()),
            true => Err(Failure::broken("it broke a rule before, so it is not asked again")),
        }
    }

    fn after(&mut self, status: abi::mw_status, answer: Answer) -> Result<(), Failure> {
        match status {
            abi::MW_OK => Ok(()),
            _ => {
                self.is_poisoned |= status == abi::MW_PANIC;
                Err(answer.into_failure(status))
            }
        }
    }
}

impl Drop for DecoderHandle {
    fn drop(&mut self) {
        // SAFETY: the handle is open, and this is the last use of it; the input is dropped afterwards.
        unsafe { (self.kind.functions.close)(self.handle.as_ptr()) };
    }
}

/// The number of guard bytes after the end of a chunk, and their value.
const MARGIN_BYTES: usize = 256;
const MARGIN: u8 = 0xa5;

/// Memory for decoded frames between a plugin and the array: zeroed before a plugin writes, with a margin that reveals writes
/// beyond the end.
#[derive(Debug, Default)]
pub(crate) struct Chunk(Vec<u64>);

impl Chunk {
    /// A chunk for `num_bytes` bytes of frames.
    pub(crate) fn new(num_bytes: usize) -> Self {
        Self(vec![0; (num_bytes + MARGIN_BYTES).div_ceil(size_of::<u64>())])
    }

    fn room(&self) -> usize {
        size_of_val(self.0.as_slice()).saturating_sub(MARGIN_BYTES)
    }

    /// The first bytes.
    pub(crate) fn front(&self, num_bytes: usize) -> &[u8] {
        self.bytes().get(..num_bytes).unwrap_or_default()
    }

    fn bytes(&self) -> &[u8] {
        bytemuck::cast_slice(&self.0)
    }

    /// Zeroes the memory for `num_bytes` of frames, so that no data of another file can appear, and marks the margin after it.
    fn prepare(&mut self, num_bytes: usize) -> *mut u8 {
        if num_bytes > self.room() {
            *self = Self::new(num_bytes);
        }
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut self.0);
        let (frames, rest) = bytes.split_at_mut(num_bytes);
        frames.fill(0);
        rest.iter_mut().take(MARGIN_BYTES).for_each(|byte| *byte = MARGIN);
        frames.as_mut_ptr()
    }

    fn is_intact(&self, num_bytes: usize) -> bool {
        self.bytes()
            .get(num_bytes..)
            .unwrap_or_default()
            .iter()
            .take(MARGIN_BYTES)
            .all(|&byte| byte == MARGIN)
    }
}
