//! `AudioConverter` and `AudioFormat`.

use std::ffi::c_void;

use super::files::File;
use super::{Kind, channels, check, enter, is_there, put, put_list};
use crate::sys::*;

/// The bitrates that AAC has for a channel.
const BITRATES: [u32; 10] =
    [24_000, 32_000, 40_000, 48_000, 56_000, 64_000, 80_000, 96_000, 112_000, 160_000];

pub(super) struct Converter {
    file: *mut File,
    /// Whether the wrapper knows about what was set.
    pub(super) is_taken_over: bool,
}

impl Converter {
    pub(super) fn new(file: *mut File) -> Self {
        Self { file, is_taken_over: true }
    }

    unsafe fn is_aac(&self) -> bool {
        unsafe { (*self.file).fake.format_id == kAudioFormatMPEG4AAC }
    }

    unsafe fn bitrates(&self) -> Vec<AudioValueRange> {
        let num_channels = unsafe { (*self.file).fake.num_channels };
        let range = |rate: u32| {
            let rate = f64::from(rate * num_channels);
            AudioValueRange { mMinimum: rate, mMaximum: rate }
        };
        BITRATES.into_iter().map(range).collect()
    }
}

unsafe fn converter<'a>(id: Opaque, function: &str) -> Option<&'a mut Converter> {
    is_there(id, Kind::Converter, function).then(|| unsafe { &mut *id.cast::<Converter>() })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn AudioConverterGetPropertyInfo(
    id: Opaque,
    property: u32,
    num_bytes: *mut u32,
    _is_writable: *mut Boolean,
) -> OSStatus {
    check!(enter("AudioConverterGetPropertyInfo"));
    let Some(converter) = (unsafe { converter(id, "AudioConverterGetPropertyInfo") }) else {
        return paramErr;
    };
    if property != kAudioConverterApplicableEncodeBitRates || !unsafe { converter.is_aac() } {
        return kAudioConverterErr_PropertyNotSupported;
    }
    unsafe { num_bytes.write((BITRATES.len() * size_of::<AudioValueRange>()) as u32) };
    0
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn AudioConverterGetProperty(
    id: Opaque,
    property: u32,
    num_bytes: *mut u32,
    to: *mut c_void,
) -> OSStatus {
    check!(enter("AudioConverterGetProperty"));
    let Some(converter) = (unsafe { converter(id, "AudioConverterGetProperty") }) else { return paramErr };
    if property != kAudioConverterApplicableEncodeBitRates || !unsafe { converter.is_aac() } {
        return kAudioConverterErr_PropertyNotSupported;
    }
    unsafe { put_list(&converter.bitrates(), num_bytes, to) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn AudioConverterSetProperty(
    id: Opaque,
    property: u32,
    num_bytes: u32,
    value: *const c_void,
) -> OSStatus {
    check!(enter("AudioConverterSetProperty"));
    let Some(converter) = (unsafe { converter(id, "AudioConverterSetProperty") }) else { return paramErr };
    if num_bytes != 4 {
        return kAudioFileBadPropertySizeError;
    }
    if !unsafe { converter.is_aac() } {
        return kAudioConverterErr_PropertyNotSupported;
    }
    let value = unsafe { value.cast::<u32>().read_unaligned() };
    let is_range = |range: &AudioValueRange| (range.mMinimum..=range.mMaximum).contains(&f64::from(value));
    let fake = unsafe { &mut (*converter.file).fake };
    match property {
        kAudioConverterEncodeBitRate => {
            if !unsafe { converter.bitrates() }.iter().any(is_range) {
                return kAudioCodecUnsupportedFormatError;
            }
            fake.bitrate = value;
        }
        kAudioCodecPropertyBitRateControlMode if value <= 3 => fake.bitrate_mode = value,
        // The quality of a variable bitrate.
        kAudioCodecPropertySoundQualityForVBR
            if fake.bitrate_mode == kAudioCodecBitRateControlMode_Variable =>
        {
            fake.vbr_quality = value;
        }
        kAudioConverterCodecQuality if value <= kAudioConverterQuality_Max => fake.codec_quality = value,
        kAudioCodecPropertyBitRateControlMode | kAudioConverterCodecQuality => {
            return kAudioCodecUnsupportedFormatError;
        }
        _ => return kAudioConverterErr_PropertyNotSupported,
    }
    converter.is_taken_over = false;
    0
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn AudioFormatGetProperty(
    property: u32,
    num_specifier_bytes: u32,
    specifier: *const c_void,
    num_bytes: *mut u32,
    to: *mut c_void,
) -> OSStatus {
    check!(enter("AudioFormatGetProperty"));
    let too_small = kAudioFileBadPropertySizeError;
    match property {
        kAudioFormatProperty_BitmapForLayoutTag => {
            if num_specifier_bytes != 4 {
                return kAudioFormatBadSpecifierSizeError;
            }
            match channels::bitmap(unsafe { specifier.cast::<u32>().read() }) {
                Some(bitmap) => unsafe { put(bitmap, num_bytes, to, too_small) },
                None => kAudioConverterErr_PropertyNotSupported,
            }
        }
        kAudioFormatProperty_FormatInfo => {
            if num_specifier_bytes != 0 || unsafe { *num_bytes } != 40 {
                return too_small;
            }
            let mut format = unsafe { to.cast::<AudioStreamBasicDescription>().read_unaligned() };
            let usual = match format.mFormatID {
                kAudioFormatMPEG4AAC => 1024,
                kAudioFormatAppleLossless => 4096,
                kAudioFormatFLAC => 4608,
                kAudioFormatAppleIMA4 => 64,
                _ => return kAudioFormatUnknownFormatError,
            };
            if format.mFormatID == kAudioFormatAppleIMA4 {
                format.mBytesPerPacket = 34 * format.mChannelsPerFrame;
            }
            if format.mFramesPerPacket == 0 {
                format.mFramesPerPacket = usual;
            }
            unsafe { put(format, num_bytes, to, too_small) }
        }
        _ => kAudioConverterErr_PropertyNotSupported,
    }
}
