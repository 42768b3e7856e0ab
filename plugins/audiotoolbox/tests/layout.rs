//! Compares the handwritten declarations with bindings generated from Apple's headers: constants, layouts, signatures.
//!
//! The comparison happens at compile time, so checking it for Apple's target is enough; no Mac is needed.

#![cfg(target_vendor = "apple")]
#![allow(clippy::cast_possible_wrap, clippy::cast_sign_loss, missing_docs)] // the bindings differ in signs alone

use std::ffi::c_void;
use std::mem::{align_of, offset_of, size_of};
use std::ptr::NonNull;

use mapwave_audiotoolbox::sys;
use objc2_audio_toolbox as toolbox;
use objc2_core_audio_types as types;

/// Compares constants by their value in 32 bits.
macro_rules! same_constants {
    ($theirs:ident: $($name:ident),* $(,)?) => {
        $(const _: () = assert!(sys::$name as u32 == $theirs::$name as u32, stringify!($name));)*
    };
}

/// Compares sizes, alignments and the place and size of each field.
macro_rules! same_layouts {
    ($theirs:ident: $($name:ident { $($field:ident),* })*) => {
        $(
            const _: () = assert!(size_of::<sys::$name>() == size_of::<$theirs::$name>(), stringify!($name));
            const _: () = assert!(align_of::<sys::$name>() == align_of::<$theirs::$name>(), stringify!($name));
            $(const _: () = assert!(
                offset_of!(sys::$name, $field) == offset_of!($theirs::$name, $field),
                concat!(stringify!($name), ".", stringify!($field))
            );)*
        )*
    };
}

macro_rules! compare {
    ($toolbox:ident, $types:ident) => {
        same_constants! { $toolbox:
            kAudioFileAIFCType, kAudioFileAIFFType, kAudioFileWAVEType, kAudioFileRF64Type, kAudioFileBW64Type,
            kAudioFileWave64Type, kAudioFileNextType, kAudioFileMP3Type, kAudioFileMP2Type, kAudioFileMP1Type,
            kAudioFileAC3Type, kAudioFileAAC_ADTSType, kAudioFileMPEG4Type, kAudioFileM4AType, kAudioFileM4BType,
            kAudioFileCAFType, kAudioFile3GPType, kAudioFile3GP2Type, kAudioFileAMRType, kAudioFileFLACType,
            kAudioFileLATMInLOASType,
            kAudioFilePropertyFileFormat, kAudioFilePropertyFormatList, kAudioFilePropertyPacketTableInfo,
            kAudioFilePropertyChannelLayout, kAudioFilePropertySourceBitDepth,
            kExtAudioFileProperty_FileDataFormat, kExtAudioFileProperty_FileChannelLayout,
            kExtAudioFileProperty_FileLengthFrames, kExtAudioFileProperty_ClientDataFormat,
            kExtAudioFileProperty_ClientChannelLayout, kExtAudioFileProperty_AudioConverter,
            kExtAudioFileProperty_ConverterConfig,
            kAudioConverterEncodeBitRate, kAudioConverterApplicableEncodeBitRates, kAudioConverterCodecQuality,
            kAudioConverterQuality_Max, kAudioCodecPropertyBitRateControlMode,
            kAudioCodecPropertySoundQualityForVBR, kAudioCodecBitRateControlMode_Variable,
            kAudioFormatProperty_FormatInfo, kAudioFormatProperty_BitmapForLayoutTag,
            kAudioFileUnspecifiedError, kAudioFileUnsupportedFileTypeError, kAudioFileUnsupportedDataFormatError,
            kAudioFileUnsupportedPropertyError, kAudioFileBadPropertySizeError, kAudioFilePermissionsError,
            kAudioFileNotOptimizedError, kAudioFileInvalidChunkError, kAudioFileDoesNotAllow64BitDataSizeError,
            kAudioFileInvalidPacketOffsetError, kAudioFileInvalidPacketDependencyError, kAudioFileInvalidFileError,
            kAudioFileOperationNotSupportedError, kAudioFileNotOpenError, kAudioFileEndOfFileError,
            kAudioFilePositionError, kAudioFileFileNotFoundError,
            kExtAudioFileError_InvalidProperty, kExtAudioFileError_InvalidPropertySize,
            kExtAudioFileError_NonPCMClientFormat, kExtAudioFileError_InvalidChannelMap,
            kExtAudioFileError_InvalidOperationOrder, kExtAudioFileError_InvalidDataFormat,
            kExtAudioFileError_MaxPacketSizeUnknown, kExtAudioFileError_InvalidSeek,
            kAudioConverterErr_PropertyNotSupported, kAudioConverterErr_InvalidInputSize,
            kAudioConverterErr_InvalidOutputSize, kAudioConverterErr_UnspecifiedError,
            kAudioConverterErr_RequiresPacketDescriptionsError, kAudioConverterErr_InputSampleRateOutOfRange,
            kAudioConverterErr_OutputSampleRateOutOfRange, kAudioFormatBadSpecifierSizeError,
            kAudioFormatUnknownFormatError, kAudioCodecUnknownPropertyError, kAudioCodecIllegalOperationError,
            kAudioCodecUnsupportedFormatError, kAudioCodecStateError, kAudioCodecNotEnoughBufferSpaceError,
            kAudioCodecBadDataError,
        }
        same_constants! { $types:
            kAudioFormatLinearPCM, kAudioFormatULaw, kAudioFormatALaw, kAudioFormatAC3, kAudioFormatEnhancedAC3,
            kAudioFormatAppleIMA4, kAudioFormatMPEG4AAC, kAudioFormatMPEG4AAC_HE, kAudioFormatMPEG4AAC_HE_V2,
            kAudioFormatMPEG4AAC_LD, kAudioFormatMPEG4AAC_ELD, kAudioFormatMPEG4AAC_ELD_SBR,
            kAudioFormatMPEG4AAC_ELD_V2, kAudioFormatMPEGD_USAC, kAudioFormatMPEGLayer1, kAudioFormatMPEGLayer2,
            kAudioFormatMPEGLayer3, kAudioFormatAppleLossless, kAudioFormatAMR, kAudioFormatAMR_WB,
            kAudioFormatiLBC, kAudioFormatDVIIntelIMA, kAudioFormatMicrosoftGSM, kAudioFormatFLAC,
            kAudioFormatOpus,
            kAudioFormatFlagIsFloat, kAudioFormatFlagIsBigEndian, kAudioFormatFlagIsSignedInteger,
            kAudioFormatFlagIsPacked, kAppleLosslessFormatFlag_16BitSourceData,
            kAppleLosslessFormatFlag_20BitSourceData, kAppleLosslessFormatFlag_24BitSourceData,
            kAppleLosslessFormatFlag_32BitSourceData,
            kAudioChannelLayoutTag_UseChannelDescriptions, kAudioChannelLayoutTag_UseChannelBitmap,
            kAudioChannelLayoutTag_Mono, kAudioChannelLayoutTag_Stereo, kAudioChannelLayoutTag_AAC_3_0,
            kAudioChannelLayoutTag_AAC_4_0, kAudioChannelLayoutTag_AAC_Quadraphonic,
            kAudioChannelLayoutTag_AAC_5_0, kAudioChannelLayoutTag_AAC_5_1, kAudioChannelLayoutTag_AAC_6_1,
            kAudioChannelLayoutTag_AAC_7_1,
        }
        same_layouts! { $toolbox:
            AudioFilePacketTableInfo { mNumberValidFrames, mPrimingFrames, mRemainderFrames }
        }
        same_layouts! { $types:
            AudioStreamBasicDescription {
                mSampleRate, mFormatID, mFormatFlags, mBytesPerPacket, mFramesPerPacket, mBytesPerFrame,
                mChannelsPerFrame, mBitsPerChannel, mReserved
            }
            AudioBuffer { mNumberChannels, mDataByteSize, mData }
            AudioBufferList { mNumberBuffers, mBuffers }
            AudioChannelDescription { mChannelLabel, mChannelFlags, mCoordinates }
            AudioChannelLayout {
                mChannelLayoutTag, mChannelBitmap, mNumberChannelDescriptions, mChannelDescriptions
            }
            AudioFormatListItem { mASBD, mChannelLayoutTag }
            AudioValueRange { mMinimum, mMaximum }
        }
    };
}

compare!(toolbox, types);
const _: () = assert!(sys::kAudioFileFlags_EraseFile == toolbox::AudioFileFlags::EraseFile.bits());

/// The SDK's own headers, on a Mac.
#[cfg(feature = "sdk-headers")]
mod sdk_headers {
    use super::*;
    use coreaudio_sys as headers;

    compare!(headers, headers);
}

/// How an argument is passed: its size, and whether it goes into the registers of floats.
trait Passed {
    const HOW: (usize, bool);
}

macro_rules! passed {
    ($($type:ty),*) => { $(impl Passed for $type { const HOW: (usize, bool) = (size_of::<$type>(), false); })* };
}

passed!(u8, bool, u32, i32, i64, toolbox::AudioFileFlags);

impl<T> Passed for *mut T {
    const HOW: (usize, bool) = (size_of::<*mut T>(), false);
}
impl<T> Passed for *const T {
    const HOW: (usize, bool) = (size_of::<*const T>(), false);
}
impl<T> Passed for NonNull<T> {
    const HOW: (usize, bool) = (size_of::<NonNull<T>>(), false);
}
impl<F: Signature> Passed for Option<F> {
    const HOW: (usize, bool) = (size_of::<Option<F>>(), false);
}

/// The arguments of a function, and last what it returns.
trait Signature {
    const PASSED: &'static [(usize, bool)];
}

macro_rules! signatures {
    ($(($($argument:ident)*))*) => {
        $(
            impl<$($argument: Passed,)* R: Passed> Signature for unsafe extern "C" fn($($argument),*) -> R {
                const PASSED: &'static [(usize, bool)] = &[$($argument::HOW,)* R::HOW];
            }
            impl<$($argument: Passed,)* R: Passed> Signature for unsafe extern "C-unwind" fn($($argument),*) -> R {
                const PASSED: &'static [(usize, bool)] = &[$($argument::HOW,)* R::HOW];
            }
        )*
    };
}

signatures! { (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F G) (A B C D E F G H I) }

const fn passed<F: Signature + Copy>(_: F) -> &'static [(usize, bool)] {
    F::PASSED
}

const fn are_same(mut one: &[(usize, bool)], mut other: &[(usize, bool)]) -> bool {
    loop {
        match (one, other) {
            ([], []) => return true,
            ([a, rest @ ..], [b, others @ ..]) if a.0 == b.0 && a.1 == b.1 => (one, other) = (rest, others),
            _ => return false,
        }
    }
}

macro_rules! same_functions {
    ($($name:ident($($any:tt)*))*) => {
        $(const _: () = assert!(
            are_same(
                passed(sys::$name as unsafe extern "C" fn($($any),*) -> _),
                passed(toolbox::$name as unsafe extern "C-unwind" fn($($any),*) -> _)
            ),
            stringify!($name)
        );)*
    };
}

same_functions! {
    AudioFileOpenWithCallbacks(_ _ _ _ _ _ _)
    AudioFileInitializeWithCallbacks(_ _ _ _ _ _ _ _ _)
    AudioFileClose(_)
    AudioFileGetPropertyInfo(_ _ _ _)
    AudioFileGetProperty(_ _ _ _)
    ExtAudioFileWrapAudioFileID(_ _ _)
    ExtAudioFileDispose(_)
    ExtAudioFileGetProperty(_ _ _ _)
    ExtAudioFileSetProperty(_ _ _ _)
    ExtAudioFileSeek(_ _)
    ExtAudioFileRead(_ _ _)
    ExtAudioFileWrite(_ _ _)
    AudioConverterGetPropertyInfo(_ _ _ _)
    AudioConverterGetProperty(_ _ _ _)
    AudioConverterSetProperty(_ _ _ _)
    AudioFormatGetProperty(_ _ _ _ _)
}

/// The function type in an `Option`.
trait Inner {
    type Function: Signature;
}

impl<F: Signature> Inner for Option<F> {
    type Function = F;
}

macro_rules! same_callbacks {
    ($($ours:ident $theirs:ident)*) => {
        $(const _: () = assert!(
            are_same(
                <sys::$ours as Signature>::PASSED,
                <<toolbox::$theirs as Inner>::Function as Signature>::PASSED
            ),
            stringify!($ours)
        );)*
    };
}

same_callbacks! {
    ReadProc AudioFile_ReadProc
    WriteProc AudioFile_WriteProc
    GetSizeProc AudioFile_GetSizeProc
    SetSizeProc AudioFile_SetSizeProc
}

const _: () = assert!(size_of::<sys::Opaque>() == size_of::<*mut c_void>());

#[test]
fn the_declarations_are_apples() {
    // What is compared is compared above, when this is compiled.
}
