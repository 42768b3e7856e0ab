//! Calls of a decoder.

#![allow(unsafe_code)] // functions of a foreign library

use std::ffi::{CStr, CString, c_char};
use std::mem::MaybeUninit;
use std::ptr::{null, null_mut};
use std::sync::Arc;

use mapwave_core::host::PacketTrack;
use mapwave_plugin_abi::{
    MW_DEFAULT_STREAM, MW_END, mw_chapter, mw_decoder, mw_decoder_options, mw_decoder_table, mw_input,
    mw_picture, mw_status, mw_stream_entry, mw_stream_info, mw_track,
};

use super::guarded_buffer::{GuardedBuffer, Layout};
use super::index::{self, SaveIndex};
use super::input::{Input, track};
use super::items::{self, KeptChapter, KeptPicture, List};
use super::option::check_options;
use super::refusal::{CANARY, ErrorBox, ErrorSpace, Fault, judge};
use super::sample::Sample;
use super::stream_entry::StreamEntry;
use super::stream_info::{FULL_INFO_BYTES, InfoBox, StreamInfo};
use super::struct_bytes::struct_bytes;
use super::text::{names, text};
use crate::guard_pages::{GuardedBytes, Side};
use crate::pulse;
use crate::verdict::{Finding, Outcome};

/// The value of an output field that the callee has not written.
const UNWRITTEN: u64 = 0xa5a5_a5a5_a5a5_a5a5;

/// How many bytes larger the structs of a newer host are.
const NEWER_BYTES: u32 = 64;

/// The table of a decoder, with all its functions.
#[derive(Clone, Copy)]
pub struct DecoderTable {
    table: &'static mw_decoder_table,
    functions: Functions,
}

#[derive(Clone, Copy)]
struct Functions {
    probe:
        unsafe extern "C" fn(*const u8, u64, u64, *const c_char, *const mapwave_plugin_abi::mw_track) -> i32,
    open: unsafe extern "C" fn(
        *const mw_input,
        *const mw_decoder_options,
        *mut *mut mw_decoder,
        *mut mapwave_plugin_abi::mw_error,
    ) -> mw_status,
    info: unsafe extern "C" fn(
        *const mw_decoder,
        *mut mw_stream_info,
        *mut mapwave_plugin_abi::mw_error,
    ) -> mw_status,
    seek: unsafe extern "C" fn(*mut mw_decoder, u64, *mut mapwave_plugin_abi::mw_error) -> mw_status,
    decode: unsafe extern "C" fn(
        *mut mw_decoder,
        *const mapwave_plugin_abi::mw_buffer,
        *mut u64,
        *mut mapwave_plugin_abi::mw_error,
    ) -> mw_status,
    fork: unsafe extern "C" fn(
        *const mw_decoder,
        *mut *mut mw_decoder,
        *mut mapwave_plugin_abi::mw_error,
    ) -> mw_status,
    tag: Option<Tag>,
    stream: Option<List<mw_stream_entry>>,
    save_index: Option<SaveIndex>,
    picture: Option<List<mw_picture>>,
    chapter: Option<List<mw_chapter>>,
    close: unsafe extern "C" fn(*mut mw_decoder),
}

type Tag = unsafe extern "C" fn(*const mw_decoder, u32, *mut *const c_char, *mut *const c_char) -> mw_status;

// SAFETY: a table and its strings are constant until the process exits, by R2.
unsafe impl Send for DecoderTable {}
// SAFETY: as above.
unsafe impl Sync for DecoderTable {}

/// The longest extension that is passed.
const MAX_EXTENSION_BYTES: usize = 255;

/// The sizes of `mw_input` and `mw_decoder_options` in version 1.0.
const FIRST_INPUT_BYTES: u32 = 56;
const FIRST_OPTIONS_BYTES: u32 = 24;

/// A host, by the size of the structs that it passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostVersion {
    /// One of version 1.0.
    First,
    /// One of this version.
    This,
    /// One of a later version, whose structs are longer.
    Newer,
}

/// How to open a stream.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// The maximum number of bytes that a handle may allocate.
    pub max_alloc: u64,
    /// The error struct for this call and those on the handle.
    pub errors: ErrorSpace,
    /// The host whose structs are passed.
    pub host: HostVersion,
    /// The index of the stream; `None` is the default one.
    pub stream: Option<u32>,
    /// The file name extension, as a hint.
    pub extension: Option<CString>,
    /// What the decoder has saved about the stream, or what claims to be it; empty without.
    pub index: Vec<u8>,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            max_alloc: 1 << 30,
            errors: ErrorSpace::FULL,
            host: HostVersion::This,
            stream: None,
            extension: None,
            index: Vec::new(),
        }
    }
}

/// A struct of a newer host: fields that this version does not know follow.
#[repr(C)]
struct Newer<T> {
    fields: T,
    rest: [u8; NEWER_BYTES as usize],
}

/// The structs passed to `open`.
struct Passed {
    input: Newer<mw_input>,
    options: Newer<mw_decoder_options>,
    track: Option<mw_track>,
    extension: [u8; MAX_EXTENSION_BYTES + 1],
}

// SAFETY: its pointers are read during `open` alone.
unsafe impl Send for Passed {}
// SAFETY: as above.
unsafe impl Sync for Passed {}

impl Passed {
    /// Makes both structs as long as in version 1.0; what lies behind them is none of theirs.
    fn shorten(&mut self) {
        self.input.fields.size = FIRST_INPUT_BYTES;
        self.options.fields.size = FIRST_OPTIONS_BYTES;
        let input: *mut u8 = (&raw mut self.input.fields).cast();
        let rest = size_of::<mw_input>().saturating_sub(FIRST_INPUT_BYTES as usize);
        // SAFETY: the last bytes of the struct, which may be any: a function that is not null, or numbers; this side does not read
        // them again.
        unsafe { input.wrapping_add(FIRST_INPUT_BYTES as usize).write_bytes(CANARY, rest) };
        let options: *mut u8 = (&raw mut self.options.fields).cast();
        let rest = size_of::<mw_decoder_options>().saturating_sub(FIRST_OPTIONS_BYTES as usize);
        // SAFETY: as above, of the options: pointers and numbers.
        unsafe { options.wrapping_add(FIRST_OPTIONS_BYTES as usize).write_bytes(CANARY, rest) };
    }

    /// Overwrites everything: the plugin may no longer read it.
    fn scribble(&mut self) {
        let bytes: *mut Self = self;
        // SAFETY: all bytes of this value, which is plain data that this side does not read again.
        unsafe { bytes.cast::<MaybeUninit<u8>>().write_bytes(CANARY, size_of::<Self>()) };
    }
}

impl DecoderTable {
    /// Checks that a table has all functions.
    pub fn new(table: &'static mw_decoder_table) -> Outcome<Self> {
        let missing = |name| Finding::broken("R1", format!("the decoder's function {name} is missing"));
        let functions = Functions {
            probe: table.probe.ok_or_else(|| missing("probe"))?,
            open: table.open.ok_or_else(|| missing("open"))?,
            info: table.info.ok_or_else(|| missing("info"))?,
            seek: table.seek.ok_or_else(|| missing("seek"))?,
            decode: table.decode.ok_or_else(|| missing("decode"))?,
            fork: table.fork.ok_or_else(|| missing("fork"))?,
            tag: table.tag,
            stream: table.stream,
            save_index: table.save_index,
            picture: table.picture,
            chapter: table.chapter,
            close: table.close.ok_or_else(|| missing("close"))?,
        };
        Ok(Self { table, functions })
    }

    /// Its name.
    pub fn name(&self) -> Outcome<String> {
        text(self.table.name, "the decoder's name")
    }

    /// The extensions that it lists, separated by commas.
    pub fn extensions(&self) -> Outcome<String> {
        text(self.table.extensions, "the decoder's extensions")
    }

    /// Rejects missing or invalid strings, and a `probe_bytes` that is too large.
    pub fn check_description(&self) -> Outcome {
        let short =
            |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-_.".contains(letter);
        let listed = names(self.table.name, "the decoder's name", short)?;
        if listed.len() != 1 {
            return Err(Finding::broken("R3", format!("the decoder's name is \"{}\"", listed.join(","))));
        }
        names(self.table.codecs, "the decoder's codecs", short)?;
        if !text(self.table.extensions, "the decoder's extensions")?.is_empty() {
            names(self.table.extensions, "the decoder's extensions", short)?;
        }
        check_options(self.table.option)?;
        match self.table.probe_bytes {
            ..=327_680 => Ok(()),
            bytes => {
                Err(Finding::broken("probe", format!("probe_bytes is {bytes}, at most 327680 are given")))
            }
        }
    }

    /// The struct itself, for calls that this host does not make.
    pub fn fields(&self) -> &'static mw_decoder_table {
        self.table
    }

    /// Whether it may save an index of a file.
    pub fn saves_index(&self) -> bool {
        self.functions.save_index.is_some()
    }

    /// Whether it lists the streams of a file, and so opens another than the first.
    pub fn lists_streams(&self) -> bool {
        self.functions.stream.is_some()
    }

    /// Whether it may list pictures or chapters.
    pub fn lists_items(&self) -> bool {
        self.functions.picture.is_some() || self.functions.chapter.is_some()
    }

    /// The probe score, 0 to 100, for a file of these bytes.
    pub fn score(&self, file: &[u8]) -> Outcome<i32> {
        Ok(self.probe(&GuardedBytes::new(file, Side::End)?, file.len() as u64, None, None))
    }

    /// The probe score of a file as a host asks for it: with the track that it finds, and with the extension or without.
    pub(crate) fn score_named(&self, file: &[u8], extension: Option<&CStr>) -> Outcome<i32> {
        let head = file.get(..self.probe_bytes()).unwrap_or(file);
        let described = track(file);
        let track = described.as_ref().map(PacketTrack::to_abi);
        Ok(self.probe(&GuardedBytes::new(head, Side::End)?, file.len() as u64, extension, track.as_ref()))
    }

    /// The number of bytes that `probe` asks for.
    pub fn probe_bytes(&self) -> usize {
        self.table.probe_bytes as usize
    }

    /// The probe score for a file of `total_bytes` bytes that starts with `head`.
    pub(crate) fn probe(
        &self,
        head: &GuardedBytes,
        total_bytes: u64,
        extension: Option<&CStr>,
        track: Option<&mw_track>,
    ) -> i32 {
        let num_bytes = head.bytes().len() as u64;
        let extension = extension.map_or(null(), CStr::as_ptr);
        let track = track.map_or(null(), std::ptr::from_ref);
        // SAFETY: the bytes, the string and the track outlive the call; no track is legal.
        let score = unsafe { (self.functions.probe)(head.data(), num_bytes, total_bytes, extension, track) };
        pulse::beat();
        score
    }

    /// Opens a stream.
    pub fn open(&self, input: &Arc<Input>, options: &OpenOptions) -> Result<Decoder, Fault> {
        let extra = if options.host == HostVersion::Newer { NEWER_BYTES } else { 0 };
        let extension = options.extension.as_deref().or(input.extension());
        let mut name = [0; MAX_EXTENSION_BYTES + 1];
        let given = extension.map_or(&[][..], CStr::to_bytes);
        name.iter_mut().take(MAX_EXTENSION_BYTES).zip(given).for_each(|(to, from)| *to = *from);
        let rest = [CANARY; NEWER_BYTES as usize];
        let input_fields = input.fields(struct_bytes::<mw_input>() + extra, null());
        let fields = mw_decoder_options {
            size: struct_bytes::<mw_decoder_options>() + extra,
            stream: options.stream.unwrap_or(if self.lists_streams() { MW_DEFAULT_STREAM } else { 0 }),
            max_threads: 1,
            reserved: 0,
            max_alloc: options.max_alloc,
            settings: null(),
            num_settings: 0,
            index: null(),
            index_bytes: 0,
        };
        // Behind its last byte is a page that cannot be read, and after the call it is gone.
        let index = GuardedBytes::new(&options.index, Side::End).map_err(Fault::Broken)?;
        let track = input.track();
        let mut passed = Arc::new(Passed {
            input: Newer { fields: input_fields, rest },
            options: Newer { fields, rest },
            track,
            extension: name,
        });
        // Only now do the track and the extension have their final addresses.
        if let Some(passed) = Arc::get_mut(&mut passed) {
            passed.input.fields.track = passed.track.as_ref().map_or(null(), std::ptr::from_ref);
            passed.input.fields.extension = extension.map_or(null(), |_| passed.extension.as_ptr().cast());
            if !options.index.is_empty() {
                passed.options.fields.index = index.data();
                passed.options.fields.index_bytes = index.bytes().len() as u64;
            }
            if options.host == HostVersion::First {
                passed.shorten();
            }
        }
        let mut handle: *mut mw_decoder = null_mut();
        let mut error = ErrorBox::new(options.errors);
        // SAFETY: all four are valid during the call, and the input's bytes until the handle is closed, which holds them.
        let status = unsafe {
            (self.functions.open)(
                &raw const passed.input.fields,
                &raw const passed.options.fields,
                &raw mut handle,
                error.pointer(),
            )
        };
        // Both structs were valid during the call only: a pointer kept to them now reads canaries.
        if let Some(passed) = Arc::get_mut(&mut passed) {
            passed.scribble();
        }
        let made = Decoder {
            functions: self.functions,
            handle,
            _input: Some(Arc::clone(input)),
            _passed: Some(passed),
            errors: options.errors,
        };
        made.judge_new("open", status, &error)
    }

    /// Opens a stream with structs of the caller's, which may be illegal.
    ///
    /// # Safety
    /// Both pointers are null or point to structs that are as long as their size says. They are valid during the call, and what
    /// the input points to until the decoder and all its forks are dropped.
    pub unsafe fn open_raw(
        &self,
        input: *const mw_input,
        options: *const mw_decoder_options,
    ) -> Result<Decoder, Fault> {
        let mut handle: *mut mw_decoder = null_mut();
        let mut error = ErrorBox::new(ErrorSpace::FULL);
        // SAFETY: by the caller's promise; the places for the handle and the error are this function's own.
        let status = unsafe { (self.functions.open)(input, options, &raw mut handle, error.pointer()) };
        let made = Decoder {
            functions: self.functions,
            handle,
            _input: None,
            _passed: None,
            errors: ErrorSpace::FULL,
        };
        made.judge_new("open", status, &error)
    }

    /// Closes a null handle, which is allowed.
    pub fn close_null(&self) {
        // SAFETY: closing null is legal and does nothing, by the interface.
        unsafe { (self.functions.close)(null_mut()) }
    }
}

/// The names of a stream, which are valid until the process exits.
pub(crate) struct KeptNames {
    codec: *const c_char,
    container: *const c_char,
}

impl KeptNames {
    /// What they are now.
    pub(crate) fn read(&self) -> Outcome<(String, String)> {
        Ok((text(self.codec, "the stream's codec")?, text(self.container, "the stream's container")?))
    }
}

/// The strings of a tag, which are valid until its handle is closed.
pub(crate) struct KeptTag {
    key: *const c_char,
    value: *const c_char,
}

impl KeptTag {
    /// What they hold now. The decoder is the one that gave them.
    pub(crate) fn read(&self, _decoder: &Decoder) -> Outcome<(String, String)> {
        Ok((text(self.key, "the key of a tag")?, text(self.value, "the value of a tag")?))
    }
}

/// An open handle, closed on drop.
pub struct Decoder {
    functions: Functions,
    handle: *mut mw_decoder,
    _input: Option<Arc<Input>>,
    /// The structs passed to `open`, kept so that their memory is not reused for valid data.
    _passed: Option<Arc<Passed>>,
    /// The error struct to pass.
    pub errors: ErrorSpace,
}

// SAFETY: a handle takes calls from any thread, one at a time, by R4; `&self` is not shared between threads here.
unsafe impl Send for Decoder {}

impl Decoder {
    /// The handle that a call created, or why it created none.
    fn judge_new(mut self, call: &'static str, status: mw_status, error: &ErrorBox) -> Result<Self, Fault> {
        let verdict = judge(call, status, error, false);
        match verdict {
            Ok(_) if self.handle.is_null() => {
                Err(Fault::broken(call, format!("{call} returned MW_OK and set no handle")))
            }
            Ok(_) => Ok(self),
            Err(Fault::Refused(_)) if !self.handle.is_null() => {
                self.handle = null_mut();
                Err(Fault::broken(call, format!("{call} failed and still set a handle")))
            }
            Err(fault) => Err(fault),
        }
    }

    fn info_box(&self, size: u32) -> Result<InfoBox, Fault> {
        let mut info = InfoBox::new(size);
        let mut error = ErrorBox::new(self.errors);
        // SAFETY: the handle is open; the info is as large as it says, and so is the error, or null.
        let status = unsafe { (self.functions.info)(self.handle, info.pointer(), error.pointer()) };
        judge("info", status, &error, false)?;
        Ok(info)
    }

    /// The handle itself, for calls that this host does not make.
    pub fn handle(&self) -> *mut mw_decoder {
        self.handle
    }

    /// The struct that `info` fills, whatever it holds.
    pub fn raw_info(&self) -> Result<mw_stream_info, Fault> {
        self.info_box(FULL_INFO_BYTES)?.raw()
    }

    /// Where the plugin has the names of the stream.
    pub(crate) fn kept_names(&self) -> Result<KeptNames, Fault> {
        let info = self.raw_info()?;
        Ok(KeptNames { codec: info.codec, container: info.container })
    }

    /// The description of the stream.
    pub fn info(&self) -> Result<StreamInfo, Fault> {
        self.info_box(FULL_INFO_BYTES)?.read()
    }

    /// Calls `info` with a struct of a given size; returns its result, and the bytes of the struct after the size.
    pub fn fill_info(&self, size: u32) -> (Result<(), Fault>, Result<Vec<u8>, Fault>) {
        let mut info = InfoBox::new(size);
        let mut error = ErrorBox::new(self.errors);
        // SAFETY: the handle is open; the info is as large as it says, and so is the error, or null.
        let status = unsafe { (self.functions.info)(self.handle, info.pointer(), error.pointer()) };
        (judge("info", status, &error, false).map(drop), info.bytes())
    }

    /// The bytes that `info` fills in a struct of a given size, after the size itself.
    pub fn info_bytes(&self, size: u32) -> Result<Vec<u8>, Fault> {
        self.info_box(size)?.bytes()
    }

    /// Seeks to a frame.
    pub fn seek(&mut self, frame: u64) -> Result<(), Fault> {
        let mut error = ErrorBox::new(self.errors);
        // SAFETY: the handle is open; any frame is legal, and the error, which outlives the call, is one or null.
        let status = unsafe { (self.functions.seek)(self.handle, frame, error.pointer()) };
        judge("seek", status, &error, false).map(drop)
    }

    /// Decodes one block of at most `max_frames` frames in the given layout; returns the samples interleaved, none
    /// at the end.
    ///
    /// # Panics
    /// When `max_frames` is 0.
    pub fn read<T: Sample>(&mut self, layout: Layout, max_frames: usize) -> Result<Vec<T>, Fault> {
        assert!(max_frames > 0, "room for no frame");
        let mut buffer = GuardedBuffer::new(T::FORMAT, layout, self.info()?.num_channels, max_frames);
        let num_frames = self.decode_into(&mut buffer)?;
        let mut bytes = Vec::new();
        buffer.take(num_frames, &mut bytes);
        Ok(T::from_bytes(&bytes))
    }

    /// Decodes to the end, at most `max_frames` frames a call; returns interleaved samples.
    pub fn rest<T: Sample>(&mut self, layout: Layout, max_frames: usize) -> Result<Vec<T>, Fault> {
        let mut samples = Vec::new();
        loop {
            let block: Vec<T> = self.read(layout, max_frames)?;
            if block.is_empty() {
                return Ok(samples);
            }
            samples.extend(block);
        }
    }

    /// Decodes into `buffer` and returns the number of frames, 0 at the end.
    pub(crate) fn decode_into(&mut self, buffer: &mut GuardedBuffer) -> Result<usize, Fault> {
        let capacity = buffer.capacity();
        let passed = buffer.abi_buffer();
        let mut count = [UNWRITTEN; 3];
        let mut error = ErrorBox::new(self.errors);
        let place = count.as_mut_ptr().wrapping_add(1);
        // SAFETY: the handle is open; the buffer is as large as it says; the number has its place in the middle of three.
        let status =
            unsafe { (self.functions.decode)(self.handle, &raw const passed, place, error.pointer()) };
        let [before, count, after] = count;
        if before != UNWRITTEN || after != UNWRITTEN {
            return Err(Fault::broken("R8", "decode wrote next to *num_frames"));
        }
        let verdict = judge("decode", status, &error, true);
        if let Err(fault) = verdict {
            if count != UNWRITTEN && count != 0 {
                return Err(Fault::broken("decode", format!("decode failed and set *num_frames to {count}")));
            }
            return buffer.check(0, "decode").and(Err(fault));
        }
        if status == MW_END {
            if count != 0 {
                return Err(Fault::broken(
                    "decode",
                    "decode returned MW_END and did not set *num_frames to 0",
                ));
            }
            buffer.check(0, "decode")?;
            return Ok(0);
        }
        let frames = usize::try_from(count).ok().filter(|count| (1..=capacity).contains(count));
        let Some(frames) = frames else {
            let reason = match count {
                UNWRITTEN => "decode returned MW_OK and did not set *num_frames".to_owned(),
                _ => format!("decode returned MW_OK and {count} frames, expected 1 to {capacity}"),
            };
            return Err(Fault::broken("decode", reason));
        };
        buffer.check(frames, "decode")?;
        Ok(frames)
    }

    /// The tag at an index; `None` past the last.
    pub fn tag(&self, index: u32) -> Result<Option<(String, String)>, Fault> {
        match self.kept_tag(index)? {
            Some(tag) => Ok(Some(tag.read(self)?)),
            None => Ok(None),
        }
    }

    /// Where the plugin has the tag at an index; `None` past the last.
    pub(crate) fn kept_tag(&self, index: u32) -> Result<Option<KeptTag>, Fault> {
        let Some(tag) = self.functions.tag else { return Ok(None) };
        let (mut key, mut value) = (null(), null());
        // SAFETY: the handle is open, and both places are this function's own and take a pointer.
        let status = unsafe { tag(self.handle, index, &raw mut key, &raw mut value) };
        let is_end = judge("tag", status, &ErrorBox::new(ErrorSpace::Null), true)?;
        Ok((!is_end).then_some(KeptTag { key, value }))
    }

    /// The stream at an index of the file's list; `None` past the last.
    pub fn stream(&self, index: u32) -> Result<Option<StreamEntry>, Fault> {
        let Some(stream) = self.functions.stream else { return Ok(None) };
        let mut entry = StreamEntry::to_fill();
        let mut error = ErrorBox::new(self.errors);
        // SAFETY: the handle is open; the entry is as large as it says, and so is the error, or null.
        let status = unsafe { stream(self.handle, index, entry.pointer(), error.pointer()) };
        if judge("stream", status, &error, true)? { Ok(None) } else { StreamEntry::read(&entry).map(Some) }
    }

    /// Where the plugin has the picture at an index; `None` past the last.
    pub(crate) fn picture(&self, index: u32) -> Result<Option<KeptPicture<'_>>, Fault> {
        let Some(function) = self.functions.picture else { return Ok(None) };
        // SAFETY: a function of the table that the handle is of, and the handle is open for as long as it is borrowed.
        unsafe { items::picture(function, self.handle, self.errors, index) }
    }

    /// Where the plugin has the chapter at an index; `None` past the last.
    pub(crate) fn chapter(&self, index: u32) -> Result<Option<KeptChapter<'_>>, Fault> {
        let Some(function) = self.functions.chapter else { return Ok(None) };
        // SAFETY: as above.
        unsafe { items::chapter(function, self.handle, self.errors, index) }
    }

    /// What the decoder saves about the stream for the next time that it is opened; `None` if that is nothing.
    pub fn save_index(&self) -> Result<Option<Vec<u8>>, Fault> {
        let Some(function) = self.functions.save_index else { return Ok(None) };
        // SAFETY: a function of the table that the handle is of, and the handle is open.
        unsafe { index::save(function, self.handle, self.errors) }
    }

    /// Another handle over the same input.
    pub fn fork(&self) -> Result<Self, Fault> {
        let mut handle: *mut mw_decoder = null_mut();
        let mut error = ErrorBox::new(self.errors);
        // SAFETY: the handle is open, and the input's bytes live until both are closed.
        let status = unsafe { (self.functions.fork)(self.handle, &raw mut handle, error.pointer()) };
        let fork = Self {
            functions: self.functions,
            handle,
            _input: self._input.clone(),
            _passed: self._passed.clone(),
            errors: self.errors,
        };
        fork.judge_new("fork", status, &error)
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        // SAFETY: the handle is open, or null, which is legal; a value is dropped once, so nothing uses the handle afterwards.
        unsafe { (self.functions.close)(self.handle) };
        pulse::beat();
    }
}
