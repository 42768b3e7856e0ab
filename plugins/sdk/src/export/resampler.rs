//! The table of functions of a resampler.

use std::marker::PhantomData;

use mapwave_plugin_abi as abi;

use super::answer::answer;
use super::buffer::Buffer;
use super::handle::Handle;
use super::limits::{max_alloc, max_threads};
use super::text;
use crate::error::{Error, Result, Status};
use crate::guard;
use crate::resampler::{Resampler, ResamplerOptions};
use crate::sample::SampleFormat;
use crate::sized;

/// The table of a resampler.
pub struct ResamplerTable<R>(PhantomData<R>);

impl<R: Resampler> ResamplerTable<R> {
    /// The table for the C interface.
    pub const TABLE: abi::mw_resampler_table = {
        assert!(!R::FORMATS.is_empty(), "a resampler takes at least one format");
        assert!(!R::NAME.is_empty(), "a resampler has a name");
        abi::mw_resampler_table {
            size: sized::code::<abi::mw_resampler_table>(),
            formats: SampleFormat::mask(R::FORMATS),
            name: R::NAME.as_ptr(),
            qualities: R::QUALITIES.as_ptr(),
            open: Some(open::<R>),
            process: Some(process::<R>),
            close: Some(close::<R>),
            restart: Some(restart::<R>),
            default_quality: match R::DEFAULT_QUALITY {
                Some(name) => name.as_ptr(),
                None => std::ptr::null(),
            },
            ratio_limit: R::RATIO_LIMIT,
            reserved: 0,
        }
    };
}

/// The target of a resampler's handle.
struct Opened<R> {
    resampler: R,
    input_format: SampleFormat,
    num_channels: u32,
}

unsafe extern "C" fn open<R: Resampler>(
    options: *const abi::mw_resampler_options,
    resampler: *mut *mut abi::mw_resampler,
    error: *mut abi::mw_error,
) -> abi::mw_status {
    let make = || {
        // SAFETY: by the contract of `open`.
        let options = unsafe { sized::read(options) }?;
        // SAFETY: by the contract of `open`.
        let chosen = unsafe { options_from_host::<R>(&options) }?;
        let resampler = R::open(&chosen)?;
        Ok(Opened { resampler, input_format: chosen.input_format, num_channels: chosen.num_channels })
    };
    // SAFETY: by the contract of `open`.
    let result = unsafe { Handle::<Opened<R>>::open(resampler, make) };
    // SAFETY: by the contract of `open`.
    unsafe { answer(result.map(|()| abi::MW_OK), error) }
}

unsafe extern "C" fn process<R: Resampler>(
    resampler: *mut abi::mw_resampler,
    input: *const abi::mw_buffer,
    num_read: *mut u64,
    output: *const abi::mw_buffer,
    num_written: *mut u64,
    error: *mut abi::mw_error,
) -> abi::mw_status {
    for count in [num_read, num_written] {
        // SAFETY: by the contract of `process`, where null is a mistake that is answered below.
        if let Some(count) = unsafe { count.as_mut() } {
            *count = 0;
        }
    }
    let call = |opened: &mut Opened<R>| {
        if num_read.is_null() || num_written.is_null() {
            return Err(Error::bad_argument("the place for a number of frames is null"));
        }
        let block = if input.is_null() {
            None
        } else {
            // SAFETY: by the contract of `process`.
            let buffer = unsafe { Buffer::from_host(input, &[opened.input_format], opened.num_channels) }?;
            // SAFETY: by the contract of `process`; the samples stay as they are until it returns.
            Some(unsafe { buffer.into_block() })
        };
        // SAFETY: by the contract of `process`.
        let room = unsafe { Buffer::from_host(output, &[SampleFormat::F32], opened.num_channels) }?;
        if room.num_frames() == 0 {
            return Err(Error::bad_argument("the output has room for no frame"));
        }
        // SAFETY: by the contract of `process`; the room is the resampler's until it returns.
        let mut room = unsafe { room.into_output() };
        let taken = opened.resampler.process(block.as_ref(), &mut room)?;
        let offered = block.map_or(0, |block| block.num_frames());
        if taken > offered {
            let message = format!("the resampler took {taken} frames of {offered}");
            return Err(Error::new(Status::Internal, message));
        }
        // SAFETY: it is not null, by the check above.
        unsafe { num_read.write(taken as u64) };
        // SAFETY: as above.
        unsafe { num_written.write(room.num_written() as u64) };
        let is_end = block.is_none() && room.num_written() == 0;
        Ok(if is_end { abi::MW_END } else { abi::MW_OK })
    };
    // SAFETY: by the contract of `process`.
    let result = unsafe { Handle::call(resampler, call) };
    // SAFETY: by the contract of `process`.
    unsafe { answer(result, error) }
}

unsafe extern "C" fn close<R: Resampler>(resampler: *mut abi::mw_resampler) {
    // SAFETY: by the contract of `close`.
    unsafe { Handle::<Opened<R>>::close(resampler) };
}

unsafe extern "C" fn restart<R: Resampler>(
    options: *const abi::mw_resampler_options,
    grid_frames: *mut u64,
    preroll_frames: *mut u64,
    error: *mut abi::mw_error,
) -> abi::mw_status {
    let ask = || {
        if grid_frames.is_null() || preroll_frames.is_null() {
            return Err(Error::bad_argument("the place for a number of frames is null"));
        }
        // SAFETY: by the contract of `restart`.
        let options = unsafe { sized::read(options) }?;
        // SAFETY: by the contract of `restart`.
        R::restart(&unsafe { options_from_host::<R>(&options) }?)
    };
    let answered = guard::catch(ask).unwrap_or_else(|message| Err(Error::new(Status::Panic, message)));
    let result = answered.map(|restart| {
        let (grid, preroll) = restart.map_or((0, 0), |restart| (restart.grid_frames, restart.preroll_frames));
        // SAFETY: it is not null, by the check above, and may be written by the contract of `restart`.
        unsafe { grid_frames.write(grid) };
        // SAFETY: as above.
        unsafe { preroll_frames.write(preroll) };
        abi::MW_OK
    });
    // SAFETY: by the contract of `restart`.
    unsafe { answer(result, error) }
}

/// # Safety
/// `quality` is that of a host that keeps the contract, and stays as it is for `'a`.
unsafe fn options_from_host<'a, R: Resampler>(
    options: &abi::mw_resampler_options,
) -> Result<ResamplerOptions<'a>> {
    let (input_rate, output_rate, num_channels) =
        (options.input_rate, options.output_rate, options.num_channels);
    if input_rate == 0 || output_rate == 0 || num_channels == 0 {
        let message = format!("{input_rate} Hz to {output_rate} Hz, {num_channels} channels: none may be 0");
        return Err(Error::bad_argument(message));
    }
    let format = SampleFormat::from_code(options.input_format).filter(|format| R::FORMATS.contains(format));
    let input_format = format.ok_or_else(|| {
        Error::bad_argument(format!(
            "the input's format is {}, expected one of {:?}",
            options.input_format,
            R::FORMATS
        ))
    })?;
    // SAFETY: the caller promised it.
    let quality = unsafe { text::choice(options.quality, "the quality") }?.unwrap_or_default();
    if !text::is_among(quality, R::QUALITIES) {
        let names = R::QUALITIES.to_string_lossy();
        return Err(Error::bad_argument(format!("the quality is {quality:?}, expected one of {names}")));
    }
    Ok(ResamplerOptions {
        input_rate,
        output_rate,
        num_channels,
        input_format,
        max_threads: max_threads(options.max_threads),
        quality,
        max_alloc: max_alloc(options.max_alloc),
    })
}
