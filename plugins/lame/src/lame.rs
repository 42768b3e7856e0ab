//! LAME itself.
//!
//! Unsafe code is allowed in this file for settings that have no safe function in the binding.

#![allow(unsafe_code)]

use std::ffi::c_int;

use mapwave_plugin::fork::{Lock, hold_off};
use mapwave_plugin::{Error, Result, Status};
use mp3lame_encoder::ffi::{self, lame_global_flags};
use mp3lame_encoder::{Builder, DualPcm, Encoder, FlushGap, MonoPcm, max_required_buffer_size};

use crate::settings::{Rate, Settings};

/// Held while an encoder starts: every start fills tables that all encoders share, always with the same numbers. A fork waits
/// for it, so that the tables are whole in the child.
static STARTING: Lock<()> = Lock::new();

/// More bytes than an encoder allocates: 470 kB by LAME, and the pending samples and bytes.
pub(crate) const NUM_BYTES: u64 = 1 << 20;

/// The most frames that are passed to LAME in one call.
pub(crate) const MAX_FRAMES: usize = 8 * 1152;

/// The number that LAME scales a float of 1 to.
const FULL_SCALE: f32 = 32_767.0;

/// One of LAME's encoders.
pub(crate) struct Lame {
    encoder: Encoder,
    /// The factor that undoes LAME's own scaling.
    gain: f32,
}

type Set = unsafe extern "C" fn(*mut lame_global_flags, c_int) -> c_int;

/// Changes one setting.
fn set(builder: &mut Builder, what: &str, function: Set, value: c_int) -> Result<()> {
    // SAFETY: the pointer is used in the next line only.
    let lame = unsafe { builder.as_ptr() };
    // SAFETY: `lame` points to a state of LAME that has not started, and the function changes one number in it.
    match unsafe { function(lame, value) } {
        0.. => Ok(()),
        code => Err(rejected(what, code)),
    }
}

fn rejected(what: &str, code: c_int) -> Error {
    Error::unsupported(format!("LAME rejected {what}")).with_native_code(code.into())
}

/// Keeps LAME from printing to standard error.
fn silence(builder: &mut Builder) {
    for set in [ffi::lame_set_errorf, ffi::lame_set_debugf, ffi::lame_set_msgf] {
        // SAFETY: the pointer is used in the next line only.
        let lame = unsafe { builder.as_ptr() };
        // SAFETY: as in `set`; with a null function LAME reports nothing.
        unsafe { set(lame, None) };
    }
}

impl Lame {
    /// Starts LAME.
    pub(crate) fn start(settings: &Settings) -> Result<Self> {
        let mut builder =
            Builder::new().ok_or_else(|| Error::new(Status::NoMemory, "not enough memory to start LAME"))?;
        silence(&mut builder);
        let rate = c_int::try_from(settings.sample_rate).unwrap_or(c_int::MAX);
        set(&mut builder, "the sample rate", ffi::lame_set_in_samplerate, rate)?;
        set(&mut builder, "the sample rate", ffi::lame_set_out_samplerate, rate)?;
        set(&mut builder, "the channels", ffi::lame_set_num_channels, settings.num_channels.into())?;
        set(&mut builder, "a frame for the length", ffi::lame_set_bWriteVbrTag, 1)?;
        match settings.rate {
            Rate::Constant(kilobits) => {
                let kilobits = c_int::try_from(kilobits).unwrap_or(c_int::MAX);
                set(&mut builder, "a constant bitrate", ffi::lame_set_VBR, ffi::vbr_mode::vbr_off)?;
                set(&mut builder, "the bitrate", ffi::lame_set_brate, kilobits)?;
            }
            Rate::Variable(level) => {
                set(&mut builder, "a variable bitrate", ffi::lame_set_VBR, ffi::vbr_mode::vbr_mtrh)?;
                set(&mut builder, "the quality", ffi::lame_set_VBR_q, level.into())?;
            }
        }
        if let Some(algorithm) = settings.algorithm {
            set(&mut builder, "the effort", ffi::lame_set_quality, algorithm.into())?;
        }
        // SAFETY: the state does not move while `encoder` lives, and is only read below.
        let lame = unsafe { builder.as_ptr() };
        let encoder = hold_off(|| {
            let _starting = STARTING.lock();
            builder.build()
        });
        let encoder = encoder.map_err(|error| Error::unsupported(format!("LAME did not start: {error}")))?;
        // To leave room for coding noise, LAME lowers the volume, by up to 5 % at low bitrates.
        // SAFETY: `encoder` lives, and the function reads one number of its state.
        let softened = unsafe { ffi::lame_get_scale(lame) };
        Ok(Self { encoder, gain: 32_768.0 / FULL_SCALE / softened })
    }

    /// Encodes at most [`MAX_FRAMES`] frames of each channel and appends the complete bytes.
    ///
    /// Samples beyond full scale are clipped, and NaN becomes silence.
    pub(crate) fn encode(&mut self, channels: &mut [Vec<f32>], bytes: &mut Vec<u8>) -> Result<()> {
        for sample in channels.iter_mut().flatten() {
            *sample = if sample.is_nan() { 0.0 } else { sample.clamp(-1.0, 1.0) * self.gain };
        }
        bytes.reserve(max_required_buffer_size(channels.first().map_or(0, Vec::len)));
        let result = match channels {
            [channel] => self.encoder.encode_to_vec(MonoPcm(channel.as_slice()), bytes),
            [left, right] => self.encoder.encode_to_vec(DualPcm { left, right }, bytes),
            _ => return Err(Error::new(Status::Internal, "LAME takes one or two channels")),
        };
        result.map(|_| ()).map_err(|error| failed(&error.to_string()))
    }

    /// Appends the last bytes.
    pub(crate) fn finish(&mut self, bytes: &mut Vec<u8>) -> Result<()> {
        bytes.reserve(max_required_buffer_size(4 * 1152));
        let result = self.encoder.flush_to_vec::<FlushGap>(bytes);
        result.map(|_| ()).map_err(|error| failed(&error.to_string()))
    }

    /// The first frame of the file, with its length and delays, after everything is encoded. It replaces one of the same size.
    pub(crate) fn info_frame(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(4096);
        self.encoder.lame_tag_encode_to_vec(&mut bytes);
        if bytes.is_empty() {
            return Err(failed("it returned no frame with the length of the file"));
        }
        Ok(bytes)
    }
}

fn failed(what: &str) -> Error {
    Error::new(Status::Internal, format!("LAME failed: {what}"))
}
