//! Encoders of plugins, called without trust: every status and every write is checked.

#![allow(unsafe_code)] // calls into plugins

use std::ffi::{CString, c_void};
use std::fmt;
use std::ptr::NonNull;
use std::rc::Rc;
use std::sync::Arc;

use mapwave_plugin_abi as abi;

use super::facts::{self, FileExtension, LosslessCodec};
use crate::error::{Error, Parameter, Result as ArgumentResult};
use crate::host::ffi::fault::{Answer, Failure, Trouble, required_name};
use crate::host::ffi::output::{Outlet, Ticket};
use crate::host::ffi::raw;
use crate::host::ffi::raw::{Pairs, Sized32};
use crate::host::table::option::{self, CodecOption};
use crate::host::table::standing::Standing;
use crate::pcm::OutputFormat;

/// How much a handle may allocate.
const MAX_ALLOC: u64 = 256 << 20;

/// The maximum number of tags that are written.
const MAX_TAGS: usize = 1024;

/// The formats that cross the plugin boundary, and their codes.
const FORMATS: [(OutputFormat, u32); 3] =
    [(OutputFormat::F32, abi::MW_F32), (OutputFormat::I16, abi::MW_I16), (OutputFormat::I32, abi::MW_I32)];

/// The formats that an encoder states to write.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EncoderSummary {
    /// The name.
    pub name: String,
    /// The short names of the codecs it writes.
    pub codecs: Vec<String>,
    /// The containers it writes.
    pub containers: Vec<String>,
    /// The lossless codecs among them.
    pub lossless: Vec<LosslessCodec>,
    /// Containers, and the default codec of each.
    pub default_codecs: Vec<(String, String)>,
    /// File name extensions that are not the name of a container.
    pub extensions: Vec<FileExtension>,
    /// The options of its own.
    pub options: Vec<CodecOption>,
}

/// A request for an encoder.
#[derive(Clone, Debug)]
pub struct EncoderRequest {
    /// The codec's short name.
    pub codec: String,
    /// The container's short name.
    pub container: String,
    /// Frames per second.
    pub sample_rate: u32,
    /// Samples per frame.
    pub num_channels: u16,
    /// Speaker positions as a WAVE channel mask; 0 when unknown.
    pub channel_mask: u32,
    /// The bit depth, if the codec has a choice; 0 for the encoder's default.
    pub bits_per_sample: u16,
    /// The exact number of frames, if it is known.
    pub num_frames: Option<u64>,
    /// Bits per second.
    pub bitrate: Option<u32>,
    /// How hard to try, from 1 to 100.
    pub effort: Option<u8>,
    /// The quality of a variable bit rate, from 1 to 100.
    pub quality: Option<u8>,
    /// Metadata: lower-case Vorbis comment names and their values.
    pub tags: Vec<(String, String)>,
    /// Options of the encoder's own and their values.
    pub settings: Vec<(String, String)>,
    /// The maximum number of threads of the encoder.
    pub max_threads: u32,
}

impl EncoderRequest {
    /// A request with the encoder's defaults except for the rate and the channels.
    ///
    /// ```
    /// use mapwave_core::host::EncoderRequest;
    ///
    /// let request = EncoderRequest { bitrate: Some(128_000), ..EncoderRequest::new("mp3", "mp3", 44_100, 2) };
    /// assert_eq!((request.max_threads, request.num_frames), (1, None));
    /// ```
    pub fn new(codec: &str, container: &str, sample_rate: u32, num_channels: u16) -> Self {
        Self {
            codec: codec.to_owned(),
            container: container.to_owned(),
            sample_rate,
            num_channels,
            channel_mask: 0,
            bits_per_sample: 0,
            num_frames: None,
            bitrate: None,
            effort: None,
            quality: None,
            tags: Vec::new(),
            settings: Vec::new(),
            max_threads: 1,
        }
    }

    /// Rejects requests that are invalid for every encoder.
    pub(crate) fn check(&self) -> ArgumentResult<()> {
        let from = |parameter, range: std::ops::RangeInclusive<u64>, value: Option<u64>| match value {
            Some(value) if !range.contains(&value) => {
                let (first, last) = range.into_inner();
                let expected =
                    if last == u64::MAX { format!("at least {first}") } else { format!("{first} to {last}") };
                Err(Error::argument(parameter, expected, value))
            }
            _ => Ok(()),
        };
        from(Parameter::SampleRate, 1..=u64::MAX, Some(self.sample_rate.into()))?;
        from(Parameter::Channels, 1..=u64::MAX, Some(self.num_channels.into()))?;
        from(Parameter::Bitrate, 1..=u64::MAX, self.bitrate.map(u64::from))?;
        from(Parameter::Effort, 1..=100, self.effort.map(u64::from))?;
        from(Parameter::Quality, 1..=100, self.quality.map(u64::from))?;
        if self.num_frames == Some(abi::MW_UNKNOWN) {
            return Err(Error::argument(
                Parameter::NumFrames,
                "a possible number of frames",
                abi::MW_UNKNOWN,
            ));
        }
        if self.tags.len() > MAX_TAGS {
            let got = format!("{} of them", self.tags.len());
            return Err(Error::argument(Parameter::Tags, format!("at most {MAX_TAGS} pairs"), got));
        }
        match self
            .tags
            .iter()
            .find(|(key, value)| key.is_empty() || key.contains('\0') || value.contains('\0'))
        {
            Some((key, _)) => {
                let expected = "names that are not empty and text without zero characters";
                Err(Error::argument(Parameter::Tags, expected, format!("{key:?} and its value")))
            }
            None => Ok(()),
        }
    }
}

/// A request in the form for a plugin.
#[derive(Debug)]
pub(crate) struct Options {
    request: EncoderRequest,
    codec: CString,
    container: CString,
    tags: Pairs,
    settings: Pairs,
}

impl Options {
    pub(crate) fn new(request: &EncoderRequest) -> Self {
        Self {
            codec: raw::c_string(&request.codec),
            container: raw::c_string(&request.container),
            tags: Pairs::new(&request.tags),
            settings: Pairs::new(&request.settings),
            request: request.clone(),
        }
    }

    /// The struct for a plugin's `open`, which points into this value, to `tags` and to `settings`.
    fn to_abi(&self, tags: &[abi::mw_tag], settings: &[abi::mw_tag]) -> abi::mw_encoder_options {
        let request = &self.request;
        abi::mw_encoder_options {
            sample_rate: request.sample_rate,
            num_channels: request.num_channels.into(),
            bits_per_sample: request.bits_per_sample.into(),
            channel_mask: request.channel_mask.into(),
            num_frames: request.num_frames.unwrap_or(abi::MW_UNKNOWN),
            codec: self.codec.as_ptr(),
            container: self.container.as_ptr(),
            bitrate: request.bitrate.unwrap_or(0),
            effort: request.effort.unwrap_or(0).into(),
            quality: request.quality.unwrap_or(0).into(),
            num_tags: u32::try_from(tags.len()).unwrap_or(0),
            tags: raw::address(tags),
            max_threads: request.max_threads.max(1),
            max_alloc: MAX_ALLOC,
            settings: raw::address(settings),
            num_settings: settings.len() as u64,
            ..abi::mw_encoder_options::zeroed()
        }
    }
}

/// A kind of encoder: the functions of a plugin, known to be present.
#[derive(Clone, Debug)]
pub(crate) struct EncoderKind {
    standing: &'static Standing,
    name: &'static str,
    formats: Vec<OutputFormat>,
    summary: Arc<EncoderSummary>,
    functions: Functions,
}

#[derive(Clone, Copy, Debug)]
struct Functions {
    open: unsafe extern "C" fn(
        *const abi::mw_encoder_options,
        *const abi::mw_sink,
        *mut *mut abi::mw_encoder,
        *mut abi::mw_error,
    ) -> abi::mw_status,
    push: unsafe extern "C" fn(
        *mut abi::mw_encoder,
        *const abi::mw_buffer,
        *mut abi::mw_error,
    ) -> abi::mw_status,
    finish: unsafe extern "C" fn(*mut abi::mw_encoder, *mut abi::mw_error) -> abi::mw_status,
    close: unsafe extern "C" fn(*mut abi::mw_encoder),
}

impl EncoderKind {
    /// Reads an encoder's table.
    ///
    /// # Safety
    /// `table` is what a plugin returned for its encoder interface: valid until the process exits.
    pub(crate) unsafe fn new(
        table: *const abi::mw_encoder_table,
        standing: &'static Standing,
    ) -> Result<Self, Failure> {
        // SAFETY: the caller's promise; a table begins with its size.
        let table = unsafe { Sized32::copied(table) };
        let abi::mw_encoder_table { formats, open, push, finish, close, .. } = table;
        let missing = |name: &str| Failure::broken(format!("its encoder table has no function '{name}'"));
        let functions = Functions {
            open: open.ok_or_else(|| missing("open"))?,
            push: push.ok_or_else(|| missing("push"))?,
            finish: finish.ok_or_else(|| missing("finish"))?,
            close: close.ok_or_else(|| missing("close"))?,
        };
        // SAFETY: strings of a table are valid until the process exits.
        let name = unsafe { required_name(table.name, "encoder's name") }?;
        // SAFETY: as above.
        let list = |text| raw::split(unsafe { raw::text(text) });
        let known = FORMATS.into_iter().filter(|(_, code)| formats & (1 << code) != 0);
        let known: Vec<OutputFormat> = known.map(|(format, _)| format).collect();
        if known.is_empty() {
            return Err(Failure::broken(format!("its encoder takes no format of samples ({formats:#x})")));
        }
        let (codecs, containers) = (list(table.codecs), list(table.containers));
        let summary = EncoderSummary {
            name: name.to_owned(),
            lossless: facts::lossless(&list(table.lossless), &codecs, &known),
            default_codecs: facts::default_codecs(&list(table.default_codecs), &containers, &codecs),
            extensions: facts::extensions(&list(table.extensions), &containers, &codecs),
            // SAFETY: as above.
            options: unsafe { option::options(table.option) }?,
            codecs,
            containers,
        };
        Ok(Self { standing, name, formats: known, summary: Arc::new(summary), functions })
    }

    /// The name of the plugin.
    pub(crate) fn plugin(&self) -> &'static str {
        self.standing.plugin()
    }

    /// The name within the plugin.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Whether the plugin comes with mapwave: its calls need no supervision and may read the caller's own samples.
    pub(crate) fn is_trusted(&self) -> bool {
        self.standing.is_trusted()
    }

    /// How the plugin stands with the host.
    pub(crate) fn standing(&self) -> &'static Standing {
        self.standing
    }

    /// The sample formats that it accepts: at least one of `F32`, `I16` and `I32`.
    pub(crate) fn formats(&self) -> &[OutputFormat] {
        &self.formats
    }

    /// The formats that it states to write.
    pub(crate) fn summary(&self) -> &EncoderSummary {
        &self.summary
    }

    /// The same, shared.
    pub(crate) fn shared_summary(&self) -> Arc<EncoderSummary> {
        Arc::clone(&self.summary)
    }

    /// Whether it states to write a codec into a container.
    pub(crate) fn writes(&self, codec: &str, container: &str) -> bool {
        let has = |names: &[String], name: &str| names.iter().any(|other| other == name);
        has(&self.summary.codecs, codec) && has(&self.summary.containers, container)
    }

    /// Opens an encoder that writes to an outlet.
    pub(crate) fn open(&self, options: &Options, outlet: &Arc<Outlet>) -> Result<EncoderHandle, Trouble> {
        let ticket = Ticket::new(outlet);
        let sink = Rc::new(ticket.to_abi(outlet));
        let (tags, settings) = (options.tags.to_abi(), options.settings.to_abi());
        let passed = options.to_abi(&tags, &settings);
        let (mut answer, mut handle) = (Answer::new(), std::ptr::null_mut());
        let function = self.functions.open;
        // SAFETY: all four are valid during the call, and the sink as long as the handle, beside which it is kept.
        let open = || unsafe {
            function(&raw const passed, Rc::as_ptr(&sink), &raw mut handle, answer.as_mut_ptr())
        };
        let status = outlet.during(open);
        match (status, NonNull::new(handle)) {
            (abi::MW_OK, Some(handle)) => {
                let handle = EncoderHandle {
                    functions: self.functions,
                    num_channels: options.request.num_channels,
                    handle,
                    outlet: Arc::clone(outlet),
                    _sink: sink,
                    _ticket: ticket,
                };
                outlet.verdict().map(|()| handle)
            }
            (abi::MW_OK, None) => {
                outlet.verdict()?;
                Err(Failure::broken("its open succeeded without a handle").into())
            }
            _ => {
                outlet.verdict()?;
                Err(answer.into_encoding_failure(status).into())
            }
        }
    }
}

/// A handle: one stream that is encoded to an output.
pub(crate) struct EncoderHandle {
    functions: Functions,
    num_channels: u16,
    handle: NonNull<abi::mw_encoder>,
    outlet: Arc<Outlet>,
    /// Reference-counted, since the plugin may keep the address.
    _sink: Rc<abi::mw_sink>,
    _ticket: Ticket,
}

// SAFETY: a handle takes one call at a time from any thread (R4), and every call needs it exclusively; the sink is counted
// once and moves along.
unsafe impl Send for EncoderHandle {}

impl EncoderHandle {
    /// Passes on whole interleaved frames, aligned for their samples. After a failure the handle can only be dropped.
    pub(crate) fn push(&mut self, format: OutputFormat, interleaved: &[u8]) -> Result<(), Trouble> {
        let Some((_, code)) = FORMATS.into_iter().find(|(known, _)| *known == format) else {
            return Err(Failure::broken(format!("no encoder takes {format}")).into());
        };
        assert!(interleaved.as_ptr().addr().is_multiple_of(format.num_bytes()), "aligned samples");
        let frame_bytes = usize::from(self.num_channels) * format.num_bytes();
        let planes: [*mut c_void; 1] = [interleaved.as_ptr().cast_mut().cast()];
        let buffer = abi::mw_buffer {
            format: code,
            layout: abi::MW_INTERLEAVED,
            num_planes: 1,
            planes: planes.as_ptr(),
            num_frames: (interleaved.len() / frame_bytes) as u64,
            ..abi::mw_buffer::zeroed()
        };
        let function = self.functions.push;
        // SAFETY: an open handle, borrowed exclusively; the one plane has as many frames, which the plugin only reads.
        self.call(|handle, error| unsafe { function(handle, &raw const buffer, error) })
    }

    /// Completes the stream and closes it. Writes after that are detected.
    pub(crate) fn finish(mut self) -> Result<(), Trouble> {
        let function = self.functions.finish;
        // SAFETY: an open handle, borrowed exclusively, which is only closed afterwards.
        self.call(|handle, error| unsafe { function(handle, error) })?;
        let outlet = Arc::clone(&self.outlet);
        drop(self);
        outlet.verdict()?;
        match outlet.end() {
            0 => Err(Failure::broken("it says that the file is complete, and has written nothing").into()),
            _ => Ok(()),
        }
    }

    /// Makes a call in which the plugin may write.
    fn call(
        &mut self,
        call: impl FnOnce(*mut abi::mw_encoder, *mut abi::mw_error) -> abi::mw_status,
    ) -> Result<(), Trouble> {
        let mut answer = Answer::new();
        let status = self.outlet.during(|| call(self.handle.as_ptr(), answer.as_mut_ptr()));
        self.outlet.verdict()?;
        match status {
            abi::MW_OK => Ok(()),
            _ => Err(answer.into_encoding_failure(status).into()),
        }
    }
}

impl fmt::Debug for EncoderHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EncoderHandle({:?})", self.outlet)
    }
}

impl Drop for EncoderHandle {
    fn drop(&mut self) {
        // SAFETY: the handle is open, and this is the last use of it; the sink is dropped afterwards.
        unsafe { (self.functions.close)(self.handle.as_ptr()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::tests::fake_encoder;

    #[test]
    fn a_table_states_what_it_writes() {
        let kind = fake_encoder::stating(|table| {
            table.lossless = c"other=16".as_ptr();
            table.default_codecs = c"box=other".as_ptr();
            table.extensions = c"bx=box,fk=fake/fake".as_ptr();
        });
        let summary = kind.summary();
        assert_eq!(summary.lossless, [LosslessCodec { codec: "other".to_owned(), depths: vec![16] }]);
        assert_eq!(summary.default_codecs, [("box".to_owned(), "other".to_owned())]);
        let extensions: Vec<&str> = summary.extensions.iter().map(|fact| fact.extension.as_str()).collect();
        assert_eq!(extensions, ["bx", "fk"]);
    }

    #[test]
    fn a_table_of_an_earlier_version_states_nothing() {
        let kind = fake_encoder::stating(|table| {
            // The bytes after the fields of version 1.1 are not part of the table.
            table.size = 64;
            let elsewhere = std::ptr::without_provenance(0xdead);
            (table.lossless, table.default_codecs, table.extensions) = (elsewhere, elsewhere, elsewhere);
        });
        let summary = kind.summary();
        assert!(kind.writes("fake", "box"));
        assert!(
            summary.lossless.is_empty() && summary.default_codecs.is_empty() && summary.extensions.is_empty()
        );
    }
}
