//! AudioToolbox's declarations, as far as they are used, the same on every target: no header is needed for them.
//!
//! `tests/layout.rs` compares every one of them, constants, layouts and signatures, with two bindings of Apple's headers.

#![allow(unsafe_code)] // declarations alone
#![allow(non_snake_case, missing_docs)] // Apple's names

use std::ffi::c_void;

pub type OSStatus = i32;
/// C's `Boolean`: 0 or 1.
pub type Boolean = u8;
/// An `AudioFileID`, `ExtAudioFileRef` or `AudioConverterRef`.
pub type Opaque = *mut c_void;

#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AudioStreamBasicDescription {
    pub mSampleRate: f64,
    pub mFormatID: u32,
    pub mFormatFlags: u32,
    pub mBytesPerPacket: u32,
    pub mFramesPerPacket: u32,
    pub mBytesPerFrame: u32,
    pub mChannelsPerFrame: u32,
    pub mBitsPerChannel: u32,
    pub mReserved: u32,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct AudioBuffer {
    pub mNumberChannels: u32,
    pub mDataByteSize: u32,
    pub mData: *mut c_void,
}

/// A list of one: interleaved samples have no more.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct AudioBufferList {
    pub mNumberBuffers: u32,
    pub mBuffers: [AudioBuffer; 1],
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AudioFilePacketTableInfo {
    pub mNumberValidFrames: i64,
    pub mPrimingFrames: i32,
    pub mRemainderFrames: i32,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AudioFormatListItem {
    pub mASBD: AudioStreamBasicDescription,
    pub mChannelLayoutTag: u32,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AudioChannelDescription {
    pub mChannelLabel: u32,
    pub mChannelFlags: u32,
    pub mCoordinates: [f32; 3],
}

/// A layout with its first description, which a tag or a bitmap does not use.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AudioChannelLayout {
    pub mChannelLayoutTag: u32,
    pub mChannelBitmap: u32,
    pub mNumberChannelDescriptions: u32,
    pub mChannelDescriptions: [AudioChannelDescription; 1],
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AudioValueRange {
    pub mMinimum: f64,
    pub mMaximum: f64,
}

const fn code(code: &[u8; 4]) -> u32 {
    u32::from_be_bytes(*code)
}

const fn status(code: &[u8; 4]) -> OSStatus {
    i32::from_be_bytes(*code)
}

pub const kAudioFileAIFCType: u32 = code(b"AIFC");
pub const kAudioFileAIFFType: u32 = code(b"AIFF");
pub const kAudioFileWAVEType: u32 = code(b"WAVE");
pub const kAudioFileRF64Type: u32 = code(b"RF64");
pub const kAudioFileBW64Type: u32 = code(b"BW64");
pub const kAudioFileWave64Type: u32 = code(b"W64f");
pub const kAudioFileNextType: u32 = code(b"NeXT");
pub const kAudioFileMP3Type: u32 = code(b"MPG3");
pub const kAudioFileMP2Type: u32 = code(b"MPG2");
pub const kAudioFileMP1Type: u32 = code(b"MPG1");
pub const kAudioFileAC3Type: u32 = code(b"ac-3");
pub const kAudioFileAAC_ADTSType: u32 = code(b"adts");
pub const kAudioFileMPEG4Type: u32 = code(b"mp4f");
pub const kAudioFileM4AType: u32 = code(b"m4af");
pub const kAudioFileM4BType: u32 = code(b"m4bf");
pub const kAudioFileCAFType: u32 = code(b"caff");
pub const kAudioFile3GPType: u32 = code(b"3gpp");
pub const kAudioFile3GP2Type: u32 = code(b"3gp2");
pub const kAudioFileAMRType: u32 = code(b"amrf");
pub const kAudioFileFLACType: u32 = code(b"flac");
pub const kAudioFileLATMInLOASType: u32 = code(b"loas");

pub const kAudioFormatLinearPCM: u32 = code(b"lpcm");
pub const kAudioFormatULaw: u32 = code(b"ulaw");
pub const kAudioFormatALaw: u32 = code(b"alaw");
pub const kAudioFormatAC3: u32 = code(b"ac-3");
pub const kAudioFormatEnhancedAC3: u32 = code(b"ec-3");
pub const kAudioFormatAppleIMA4: u32 = code(b"ima4");
pub const kAudioFormatMPEG4AAC: u32 = code(b"aac ");
pub const kAudioFormatMPEG4AAC_HE: u32 = code(b"aach");
pub const kAudioFormatMPEG4AAC_HE_V2: u32 = code(b"aacp");
pub const kAudioFormatMPEG4AAC_LD: u32 = code(b"aacl");
pub const kAudioFormatMPEG4AAC_ELD: u32 = code(b"aace");
pub const kAudioFormatMPEG4AAC_ELD_SBR: u32 = code(b"aacf");
pub const kAudioFormatMPEG4AAC_ELD_V2: u32 = code(b"aacg");
pub const kAudioFormatMPEGD_USAC: u32 = code(b"usac");
pub const kAudioFormatMPEGLayer1: u32 = code(b".mp1");
pub const kAudioFormatMPEGLayer2: u32 = code(b".mp2");
pub const kAudioFormatMPEGLayer3: u32 = code(b".mp3");
pub const kAudioFormatAppleLossless: u32 = code(b"alac");
pub const kAudioFormatAMR: u32 = code(b"samr");
pub const kAudioFormatAMR_WB: u32 = code(b"sawb");
pub const kAudioFormatiLBC: u32 = code(b"ilbc");
pub const kAudioFormatDVIIntelIMA: u32 = 0x6d73_0011;
pub const kAudioFormatMicrosoftGSM: u32 = 0x6d73_0031;
pub const kAudioFormatFLAC: u32 = code(b"flac");
pub const kAudioFormatOpus: u32 = code(b"opus");

pub const kAudioFormatFlagIsFloat: u32 = 1;
pub const kAudioFormatFlagIsBigEndian: u32 = 1 << 1;
pub const kAudioFormatFlagIsSignedInteger: u32 = 1 << 2;
pub const kAudioFormatFlagIsPacked: u32 = 1 << 3;
/// The bit depth of the original, for ALAC and FLAC.
pub const kAppleLosslessFormatFlag_16BitSourceData: u32 = 1;
pub const kAppleLosslessFormatFlag_20BitSourceData: u32 = 2;
pub const kAppleLosslessFormatFlag_24BitSourceData: u32 = 3;
pub const kAppleLosslessFormatFlag_32BitSourceData: u32 = 4;

pub const kAudioFilePropertyFileFormat: u32 = code(b"ffmt");
pub const kAudioFilePropertyFormatList: u32 = code(b"flst");
pub const kAudioFilePropertyPacketTableInfo: u32 = code(b"pnfo");
pub const kAudioFilePropertyChannelLayout: u32 = code(b"cmap");
pub const kAudioFilePropertySourceBitDepth: u32 = code(b"sbtd");
/// Initialising a file erases its contents.
pub const kAudioFileFlags_EraseFile: u32 = 1;

pub const kExtAudioFileProperty_FileDataFormat: u32 = code(b"ffmt");
pub const kExtAudioFileProperty_FileChannelLayout: u32 = code(b"fclo");
pub const kExtAudioFileProperty_FileLengthFrames: u32 = code(b"#frm");
pub const kExtAudioFileProperty_ClientDataFormat: u32 = code(b"cfmt");
pub const kExtAudioFileProperty_ClientChannelLayout: u32 = code(b"cclo");
pub const kExtAudioFileProperty_AudioConverter: u32 = code(b"acnv");
pub const kExtAudioFileProperty_ConverterConfig: u32 = code(b"accf");

pub const kAudioConverterEncodeBitRate: u32 = code(b"brat");
pub const kAudioConverterApplicableEncodeBitRates: u32 = code(b"aebr");
pub const kAudioConverterCodecQuality: u32 = code(b"cdqu");
pub const kAudioConverterQuality_Max: u32 = 0x7f;
/// Properties of a codec, which a converter passes on.
pub const kAudioCodecPropertyBitRateControlMode: u32 = code(b"acbf");
pub const kAudioCodecPropertySoundQualityForVBR: u32 = code(b"vbrq");
pub const kAudioCodecBitRateControlMode_Variable: u32 = 3;

pub const kAudioFormatProperty_FormatInfo: u32 = code(b"fmti");
pub const kAudioFormatProperty_BitmapForLayoutTag: u32 = code(b"bmtg");

pub const kAudioChannelLayoutTag_UseChannelDescriptions: u32 = 0;
pub const kAudioChannelLayoutTag_UseChannelBitmap: u32 = 1 << 16;
pub const kAudioChannelLayoutTag_Mono: u32 = 100 << 16 | 1;
pub const kAudioChannelLayoutTag_Stereo: u32 = 101 << 16 | 2;
pub const kAudioChannelLayoutTag_AAC_3_0: u32 = 114 << 16 | 3;
pub const kAudioChannelLayoutTag_AAC_4_0: u32 = 116 << 16 | 4;
pub const kAudioChannelLayoutTag_AAC_Quadraphonic: u32 = 108 << 16 | 4;
pub const kAudioChannelLayoutTag_AAC_5_0: u32 = 120 << 16 | 5;
pub const kAudioChannelLayoutTag_AAC_5_1: u32 = 124 << 16 | 6;
pub const kAudioChannelLayoutTag_AAC_6_1: u32 = 142 << 16 | 7;
pub const kAudioChannelLayoutTag_AAC_7_1: u32 = 127 << 16 | 8;

pub const kAudioFileUnspecifiedError: OSStatus = status(b"wht?");
pub const kAudioFileUnsupportedFileTypeError: OSStatus = status(b"typ?");
pub const kAudioFileUnsupportedDataFormatError: OSStatus = status(b"fmt?");
pub const kAudioFileUnsupportedPropertyError: OSStatus = status(b"pty?");
pub const kAudioFileBadPropertySizeError: OSStatus = status(b"!siz");
pub const kAudioFilePermissionsError: OSStatus = status(b"prm?");
pub const kAudioFileNotOptimizedError: OSStatus = status(b"optm");
pub const kAudioFileInvalidChunkError: OSStatus = status(b"chk?");
pub const kAudioFileDoesNotAllow64BitDataSizeError: OSStatus = status(b"off?");
pub const kAudioFileInvalidPacketOffsetError: OSStatus = status(b"pck?");
pub const kAudioFileInvalidPacketDependencyError: OSStatus = status(b"dep?");
pub const kAudioFileInvalidFileError: OSStatus = status(b"dta?");
pub const kAudioFileOperationNotSupportedError: OSStatus = status(b"op??");
pub const kAudioFileNotOpenError: OSStatus = -38;
pub const kAudioFileEndOfFileError: OSStatus = -39;
pub const kAudioFilePositionError: OSStatus = -40;
pub const kAudioFileFileNotFoundError: OSStatus = -43;
pub const kExtAudioFileError_InvalidProperty: OSStatus = -66561;
pub const kExtAudioFileError_InvalidPropertySize: OSStatus = -66562;
pub const kExtAudioFileError_NonPCMClientFormat: OSStatus = -66563;
pub const kExtAudioFileError_InvalidChannelMap: OSStatus = -66564;
pub const kExtAudioFileError_InvalidOperationOrder: OSStatus = -66565;
pub const kExtAudioFileError_InvalidDataFormat: OSStatus = -66566;
pub const kExtAudioFileError_MaxPacketSizeUnknown: OSStatus = -66567;
pub const kExtAudioFileError_InvalidSeek: OSStatus = -66568;
pub const kAudioConverterErr_PropertyNotSupported: OSStatus = status(b"prop");
pub const kAudioConverterErr_InvalidInputSize: OSStatus = status(b"insz");
pub const kAudioConverterErr_InvalidOutputSize: OSStatus = status(b"otsz");
pub const kAudioConverterErr_UnspecifiedError: OSStatus = status(b"what");
pub const kAudioConverterErr_RequiresPacketDescriptionsError: OSStatus = status(b"!pkd");
pub const kAudioConverterErr_InputSampleRateOutOfRange: OSStatus = status(b"!isr");
pub const kAudioConverterErr_OutputSampleRateOutOfRange: OSStatus = status(b"!osr");
pub const kAudioFormatBadSpecifierSizeError: OSStatus = status(b"!spc");
pub const kAudioFormatUnknownFormatError: OSStatus = status(b"!fmt");
pub const kAudioCodecUnknownPropertyError: OSStatus = status(b"who?");
pub const kAudioCodecIllegalOperationError: OSStatus = status(b"nope");
pub const kAudioCodecUnsupportedFormatError: OSStatus = status(b"!dat");
pub const kAudioCodecStateError: OSStatus = status(b"!stt");
pub const kAudioCodecNotEnoughBufferSpaceError: OSStatus = status(b"!buf");
pub const kAudioCodecBadDataError: OSStatus = status(b"bada");

/// Errors of the system below, from MacErrors.h.
pub const unimpErr: OSStatus = -4;
pub const dskFulErr: OSStatus = -34;
pub const ioErr: OSStatus = -36;
pub const paramErr: OSStatus = -50;
pub const memFullErr: OSStatus = -108;

pub type ReadProc = unsafe extern "C" fn(*mut c_void, i64, u32, *mut c_void, *mut u32) -> OSStatus;
pub type WriteProc = unsafe extern "C" fn(*mut c_void, i64, u32, *const c_void, *mut u32) -> OSStatus;
pub type GetSizeProc = unsafe extern "C" fn(*mut c_void) -> i64;
pub type SetSizeProc = unsafe extern "C" fn(*mut c_void, i64) -> OSStatus;

#[cfg_attr(target_vendor = "apple", link(name = "AudioToolbox", kind = "framework"))]
unsafe extern "C" {
    pub fn AudioFileOpenWithCallbacks(
        client: *mut c_void,
        read: Option<ReadProc>,
        write: Option<WriteProc>,
        get_size: Option<GetSizeProc>,
        set_size: Option<SetSizeProc>,
        type_hint: u32,
        file: *mut Opaque,
    ) -> OSStatus;
    pub fn AudioFileInitializeWithCallbacks(
        client: *mut c_void,
        read: Option<ReadProc>,
        write: Option<WriteProc>,
        get_size: Option<GetSizeProc>,
        set_size: Option<SetSizeProc>,
        file_type: u32,
        format: *const AudioStreamBasicDescription,
        flags: u32,
        file: *mut Opaque,
    ) -> OSStatus;
    pub fn AudioFileClose(file: Opaque) -> OSStatus;
    pub fn AudioFileGetPropertyInfo(
        file: Opaque,
        property: u32,
        num_bytes: *mut u32,
        is_writable: *mut u32,
    ) -> OSStatus;
    pub fn AudioFileGetProperty(
        file: Opaque,
        property: u32,
        num_bytes: *mut u32,
        value: *mut c_void,
    ) -> OSStatus;

    pub fn ExtAudioFileWrapAudioFileID(file: Opaque, for_writing: Boolean, ext: *mut Opaque) -> OSStatus;
    pub fn ExtAudioFileDispose(ext: Opaque) -> OSStatus;
    pub fn ExtAudioFileGetProperty(
        ext: Opaque,
        property: u32,
        num_bytes: *mut u32,
        value: *mut c_void,
    ) -> OSStatus;
    pub fn ExtAudioFileSetProperty(
        ext: Opaque,
        property: u32,
        num_bytes: u32,
        value: *const c_void,
    ) -> OSStatus;
    pub fn ExtAudioFileSeek(ext: Opaque, frame: i64) -> OSStatus;
    pub fn ExtAudioFileRead(ext: Opaque, num_frames: *mut u32, buffers: *mut AudioBufferList) -> OSStatus;
    pub fn ExtAudioFileWrite(ext: Opaque, num_frames: u32, buffers: *const AudioBufferList) -> OSStatus;

    pub fn AudioConverterGetPropertyInfo(
        converter: Opaque,
        property: u32,
        num_bytes: *mut u32,
        is_writable: *mut Boolean,
    ) -> OSStatus;
    pub fn AudioConverterGetProperty(
        converter: Opaque,
        property: u32,
        num_bytes: *mut u32,
        value: *mut c_void,
    ) -> OSStatus;
    pub fn AudioConverterSetProperty(
        converter: Opaque,
        property: u32,
        num_bytes: u32,
        value: *const c_void,
    ) -> OSStatus;

    pub fn AudioFormatGetProperty(
        property: u32,
        num_specifier_bytes: u32,
        specifier: *const c_void,
        num_bytes: *mut u32,
        value: *mut c_void,
    ) -> OSStatus;
}
