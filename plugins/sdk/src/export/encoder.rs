//! The table of functions of an encoder.

use std::marker::PhantomData;

use mapwave_plugin_abi as abi;

use super::answer::answer;
use super::buffer::Buffer;
use super::handle::Handle;
use super::limits::{max_alloc, max_threads};
use super::{option, text};
use crate::encoder::{Encoder, EncoderOptions, Sink};
use crate::error::{Error, Result, Status};
use crate::sample::SampleFormat;
use crate::sized;

/// The table of an encoder.
pub struct EncoderTable<E>(PhantomData<E>);

impl<E: Encoder> EncoderTable<E> {
    /// The table for the C interface.
    pub const TABLE: abi::mw_encoder_table = {
        assert!(!E::FORMATS.is_empty(), "an encoder takes at least one format");
        assert!(!E::NAME.is_empty(), "an encoder has a name");
        abi::mw_encoder_table {
            size: sized::code::<abi::mw_encoder_table>(),
            formats: SampleFormat::mask(E::FORMATS),
            name: E::NAME.as_ptr(),
            codecs: E::CODECS.as_ptr(),
            containers: E::CONTAINERS.as_ptr(),
            open: Some(open::<E>),
            push: Some(push::<E>),
            finish: Some(finish::<E>),
            close: Some(close::<E>),
            lossless: E::LOSSLESS.as_ptr(),
            default_codecs: E::DEFAULT_CODECS.as_ptr(),
            extensions: E::EXTENSIONS.as_ptr(),
            option: if E::OPTIONS.is_empty() { None } else { Some(describe::<E>) },
        }
    };
}

/// The target of an encoder's handle.
struct Opened<E> {
    encoder: E,
    num_channels: u32,
    is_finished: bool,
    /// The error after which the encoder is not called again.
    failure: Option<Error>,
}

impl<E> Opened<E> {
    fn check_unfinished(&self) -> Result<()> {
        if self.is_finished {
            return Err(Error::new(Status::BadState, "the encoder is finished and can only be closed"));
        }
        Ok(())
    }

    /// Calls the encoder, unless it has failed: a file with a gap is useless.
    fn unless_failed(&mut self, call: impl FnOnce(&mut E) -> Result<()>) -> Result<()> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        let result = call(&mut self.encoder);
        self.failure = result.as_ref().err().cloned();
        result
    }
}

unsafe extern "C" fn describe<E: Encoder>(
    index: u32,
    option: *mut abi::mw_option,
    error: *mut abi::mw_error,
) -> abi::mw_status {
    // SAFETY: by the contract of `option`.
    unsafe { option::describe(E::OPTIONS, index, option, error) }
}

unsafe extern "C" fn open<E: Encoder>(
    options: *const abi::mw_encoder_options,
    sink: *const abi::mw_sink,
    encoder: *mut *mut abi::mw_encoder,
    error: *mut abi::mw_error,
) -> abi::mw_status {
    let make = || {
        // SAFETY: by the contract of `open`.
        let options = unsafe { sized::read(options) }?;
        // SAFETY: by the contract of `open`.
        let sink = unsafe { sized::read(sink) }?;
        // SAFETY: by the contract of `open`.
        let chosen = unsafe { options_from_host::<E>(&options) }?;
        // SAFETY: the sink lives in the encoder, which the host closes first, and is used in its calls alone.
        let sink = unsafe { Sink::from_host(&sink) }?;
        let encoder = E::open(&chosen, sink)?;
        Ok(Opened { encoder, num_channels: options.num_channels, is_finished: false, failure: None })
    };
    // SAFETY: by the contract of `open`.
    let result = unsafe { Handle::<Opened<E>>::open(encoder, make) };
    // SAFETY: by the contract of `open`.
    unsafe { answer(result.map(|()| abi::MW_OK), error) }
}

unsafe extern "C" fn push<E: Encoder>(
    encoder: *mut abi::mw_encoder,
    buffer: *const abi::mw_buffer,
    error: *mut abi::mw_error,
) -> abi::mw_status {
    let call = |opened: &mut Opened<E>| {
        opened.check_unfinished()?;
        // SAFETY: by the contract of `push`.
        let buffer = unsafe { Buffer::from_host(buffer, E::FORMATS, opened.num_channels) }?;
        if buffer.num_frames() > 0 {
            // SAFETY: by the contract of `push`; the samples stay as they are until it returns.
            let frames = unsafe { buffer.into_block() };
            opened.unless_failed(|encoder| encoder.push(&frames))?;
        }
        Ok(abi::MW_OK)
    };
    // SAFETY: by the contract of `push`.
    let result = unsafe { Handle::call(encoder, call) };
    // SAFETY: by the contract of `push`.
    unsafe { answer(result, error) }
}

unsafe extern "C" fn finish<E: Encoder>(
    encoder: *mut abi::mw_encoder,
    error: *mut abi::mw_error,
) -> abi::mw_status {
    let call = |opened: &mut Opened<E>| {
        opened.check_unfinished()?;
        opened.is_finished = true;
        opened.unless_failed(E::finish).map(|()| abi::MW_OK)
    };
    // SAFETY: by the contract of `finish`.
    let result = unsafe { Handle::call(encoder, call) };
    // SAFETY: by the contract of `finish`.
    unsafe { answer(result, error) }
}

unsafe extern "C" fn close<E: Encoder>(encoder: *mut abi::mw_encoder) {
    // SAFETY: by the contract of `close`.
    unsafe { Handle::<Opened<E>>::close(encoder) };
}

/// # Safety
/// The strings and tags are those of a host that keeps the contract, and stay as they are for `'a`.
unsafe fn options_from_host<'a, E: Encoder>(options: &abi::mw_encoder_options) -> Result<EncoderOptions<'a>> {
    if options.sample_rate == 0 || options.num_channels == 0 {
        let (rate, channels) = (options.sample_rate, options.num_channels);
        return Err(Error::bad_argument(format!(
            "{rate} Hz and {channels} channels, expected at least 1 of each"
        )));
    }
    // SAFETY: the caller promised it.
    let codec = unsafe { text::choice(options.codec, "the codec") }?;
    // SAFETY: the caller promised it.
    let container = unsafe { text::choice(options.container, "the container") }?;
    for (what, name, names) in [("codec", codec, E::CODECS), ("container", container, E::CONTAINERS)] {
        if let Some(name) = name.filter(|name| !text::is_among(name, names)) {
            let names = names.to_string_lossy();
            return Err(Error::unsupported(format!("the {what} is {name:?}, expected one of {names}")));
        }
    }
    let percent = |what, value: u32| match value {
        0 => Ok(None),
        1..=100 => Ok(Some(value)),
        _ => Err(Error::bad_argument(format!("the {what} is {value}, expected 1 to 100"))),
    };
    let nonzero = |value: u32| Some(value).filter(|value| *value != 0);
    Ok(EncoderOptions {
        sample_rate: options.sample_rate,
        num_channels: options.num_channels,
        bits_per_sample: nonzero(options.bits_per_sample),
        channel_mask: options.channel_mask,
        num_frames: Some(options.num_frames).filter(|num_frames| *num_frames != abi::MW_UNKNOWN),
        codec,
        container,
        bitrate: nonzero(options.bitrate),
        effort: percent("effort", options.effort)?,
        quality: percent("quality", options.quality)?,
        // SAFETY: the caller promised it.
        tags: unsafe { option::pairs(options.tags, options.num_tags.into(), "tag") }?,
        max_threads: max_threads(options.max_threads),
        max_alloc: max_alloc(options.max_alloc),
        // SAFETY: the caller promised it.
        settings: unsafe { option::settings(options.settings, options.num_settings, E::OPTIONS) }?,
    })
}
