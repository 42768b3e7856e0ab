//! AudioToolbox's codes as plugin errors: name, meaning and status.

#![forbid(unsafe_code)]

use mapwave_plugin::{Error, Result, Status};

use crate::sys::*;

/// Converts the status of a call to a result; `doing` says what failed, such as "opening the file".
///
/// # Errors
/// When `status` is not 0.
pub(crate) fn check(status: OSStatus, doing: &str) -> Result<()> {
    if status == 0 { Ok(()) } else { Err(from_code(status, doing)) }
}

/// As [`check`] for a property that not every file or codec has; false if it does not have it.
///
/// # Errors
/// For any other status.
pub(crate) fn check_optional(status: OSStatus, doing: &str) -> Result<bool> {
    let is_absent = matches!(
        status,
        kAudioFileUnsupportedPropertyError
            | kExtAudioFileError_InvalidProperty
            | kAudioConverterErr_PropertyNotSupported
            | kAudioCodecUnknownPropertyError
    );
    if is_absent { Ok(false) } else { check(status, doing).map(|()| true) }
}

/// A code as a plugin error.
pub(crate) fn from_code(code: OSStatus, doing: &str) -> Error {
    let (status, meaning) = meaning(code);
    let message = format!("{doing}: AudioToolbox says {}: {meaning}", name(code));
    Error::new(status, message).with_native_code(code.into())
}

/// A code in Apple's notation: four characters in quotation marks if they are printable, else a number.
fn name(code: OSStatus) -> String {
    let bytes = code.to_be_bytes();
    if bytes.iter().all(|byte| (0x20..0x7f).contains(byte)) {
        return format!("'{}'", bytes.map(char::from).iter().collect::<String>());
    }
    code.to_string()
}

/// The status and meaning of a code. Several parts of the framework share some codes.
fn meaning(code: OSStatus) -> (Status, &'static str) {
    use Status::{BadArgument, BadData, BadState, Internal, Io, NoMemory, Unsupported};
    match code {
        kAudioFileUnsupportedFileTypeError => (Unsupported, "the file type is unknown"),
        kAudioFileUnsupportedDataFormatError => {
            (Unsupported, "the codec or this variant of it is not supported in this file type")
        }
        kAudioFileUnsupportedPropertyError => (Unsupported, "files of this type do not have the property"),
        kAudioFileDoesNotAllow64BitDataSizeError => (Unsupported, "files of this type cannot be that large"),
        kAudioFileOperationNotSupportedError => (Unsupported, "the operation is not supported"),
        kAudioFileNotOptimizedError => (Unsupported, "the file would have to be rewritten first"),
        kAudioFileInvalidFileError => (BadData, "the file is malformed, or of another type"),
        kAudioFileInvalidChunkError => (BadData, "a chunk is missing or does not belong in this file type"),
        kAudioFileInvalidPacketOffsetError => (BadData, "a packet offset is invalid"),
        kAudioFileInvalidPacketDependencyError => (BadData, "a packet depends on a missing one"),
        kAudioFileEndOfFileError => (BadData, "the file is truncated"),
        kAudioFilePositionError => (BadData, "a position before the start of the file or past its end"),
        kAudioFileBadPropertySizeError => (Internal, "the size of a property is wrong"),
        kAudioFilePermissionsError => (Io, "the operation violates the file's permissions"),
        kAudioFileNotOpenError => (BadState, "the file is not open"),
        kAudioFileFileNotFoundError => (Io, "the file was not found"),
        kAudioFileUnspecifiedError | kAudioConverterErr_UnspecifiedError => {
            (Internal, "an unspecified error")
        }
        kExtAudioFileError_InvalidProperty => (Unsupported, "the property does not exist"),
        kExtAudioFileError_InvalidPropertySize => (Internal, "the size of a property is wrong"),
        kExtAudioFileError_NonPCMClientFormat => (Internal, "the requested sample format is not linear PCM"),
        kExtAudioFileError_InvalidChannelMap => {
            (Unsupported, "the channels do not match those of the file's format")
        }
        kExtAudioFileError_InvalidOperationOrder => (BadState, "the calls came in the wrong order"),
        kExtAudioFileError_InvalidDataFormat => (Unsupported, "the format of the samples is not supported"),
        kExtAudioFileError_MaxPacketSizeUnknown => (BadData, "the size of the largest packet is unknown"),
        kExtAudioFileError_InvalidSeek => (BadArgument, "a seek to a frame that does not exist"),
        kAudioConverterErr_PropertyNotSupported => (Unsupported, "the codec does not have the property"),
        kAudioConverterErr_InvalidInputSize => (BadData, "the input is not a whole number of packets"),
        kAudioConverterErr_InvalidOutputSize => (Internal, "the output is not a whole number of packets"),
        kAudioConverterErr_RequiresPacketDescriptionsError => (BadData, "packets without a description"),
        kAudioConverterErr_InputSampleRateOutOfRange => {
            (Unsupported, "the codec does not support the sample rate")
        }
        kAudioConverterErr_OutputSampleRateOutOfRange => {
            (Unsupported, "the codec does not support the sample rate")
        }
        kAudioFormatBadSpecifierSizeError => (Internal, "the size of a specifier is wrong"),
        kAudioFormatUnknownFormatError => (Unsupported, "the codec is unknown"),
        kAudioCodecUnknownPropertyError => (Unsupported, "the codec does not have the property"),
        kAudioCodecIllegalOperationError => (BadState, "the codec cannot do that in its current state"),
        kAudioCodecUnsupportedFormatError => (Unsupported, "the codec does not support the format or value"),
        kAudioCodecStateError => (BadState, "the codec is in the wrong state"),
        kAudioCodecNotEnoughBufferSpaceError => (Internal, "the buffer for the codec is too small"),
        kAudioCodecBadDataError => (BadData, "the codec's data is malformed"),
        unimpErr => (Unsupported, "it is not implemented on this system"),
        dskFulErr => (Io, "no space is left"),
        ioErr => (Io, "bytes could not be read or written"),
        paramErr => (BadArgument, "an argument is invalid"),
        memFullErr => (NoMemory, "not enough memory"),
        _ => (Internal, "an unknown code"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_a_name_a_meaning_and_a_kind() {
        let error = from_code(kAudioFileUnsupportedFileTypeError, "opening the file");
        assert_eq!(error.message(), "opening the file: AudioToolbox says 'typ?': the file type is unknown");
        assert_eq!((error.status(), error.native_code()), (Status::Unsupported, 0x7479_703f));
        let error = from_code(kExtAudioFileError_InvalidSeek, "seeking");
        assert_eq!(
            error.message(),
            "seeking: AudioToolbox says -66568: a seek to a frame that does not exist"
        );
        assert_eq!(from_code(kAudioFileInvalidFileError, "").status(), Status::BadData);
        assert_eq!(from_code(memFullErr, "").status(), Status::NoMemory);
        let unknown = from_code(i32::from_be_bytes(*b"zz\x01z"), "x");
        assert_eq!(unknown.status(), Status::Internal);
        assert!(unknown.message().starts_with("x: AudioToolbox says 2054816122: "), "{unknown}");
    }

    #[test]
    fn a_property_may_be_absent_and_nothing_else() {
        assert_eq!(check_optional(0, "").ok(), Some(true));
        for absent in [kAudioFileUnsupportedPropertyError, kExtAudioFileError_InvalidProperty] {
            assert_eq!(check_optional(absent, "").ok(), Some(false));
        }
        for status in [paramErr, kAudioFileInvalidFileError, kAudioFileBadPropertySizeError, 1] {
            assert!(check_optional(status, "").is_err() && check(status, "").is_err());
        }
        assert!(check(kAudioFileUnsupportedPropertyError, "").is_err());
    }
}
