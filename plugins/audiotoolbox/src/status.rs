//! AudioToolbox's codes as errors of a plugin: what each is called, what it means, and whose fault it is.

#![forbid(unsafe_code)]

use mapwave_plugin::{Error, Result, Status};

use crate::sys::*;

/// Nothing where a call succeeded, an error where it did not; `doing` says what failed, such as "opening the file".
///
/// # Errors
/// Where `status` is not 0.
pub(crate) fn check(status: OSStatus, doing: &str) -> Result<()> {
    if status == 0 { Ok(()) } else { Err(from_code(status, doing)) }
}

/// As [`check`] for a property that not every file or codec has; false where it has it not.
///
/// # Errors
/// Where `status` says anything else.
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

/// A code as the host will read it.
pub(crate) fn from_code(code: OSStatus, doing: &str) -> Error {
    let (status, meaning) = meaning(code);
    let message = format!("{doing}: AudioToolbox says {}: {meaning}", name(code));
    Error::new(status, message).with_native_code(code.into())
}

/// A code as Apple writes it: four characters in quotation marks where they are some, else a number.
fn name(code: OSStatus) -> String {
    let bytes = code.to_be_bytes();
    if bytes.iter().all(|byte| (0x20..0x7f).contains(byte)) {
        return format!("'{}'", bytes.map(char::from).iter().collect::<String>());
    }
    code.to_string()
}

/// The kind of an error and what it means. Some codes are shared by several of the framework's parts.
fn meaning(code: OSStatus) -> (Status, &'static str) {
    use Status::{BadArgument, BadData, BadState, Internal, Io, NoMemory, Unsupported};
    match code {
        kAudioFileUnsupportedFileTypeError => (Unsupported, "it knows no such file type"),
        kAudioFileUnsupportedDataFormatError => {
            (Unsupported, "the codec, or this kind of it, is not supported in such a file")
        }
        kAudioFileUnsupportedPropertyError => (Unsupported, "such a file has no such property"),
        kAudioFileDoesNotAllow64BitDataSizeError => (Unsupported, "such a file cannot be that large"),
        kAudioFileOperationNotSupportedError => (Unsupported, "the operation is not supported"),
        kAudioFileNotOptimizedError => (Unsupported, "the file would have to be written anew first"),
        kAudioFileInvalidFileError => (BadData, "the file is malformed, or no such file at all"),
        kAudioFileInvalidChunkError => (BadData, "a chunk is missing or not of this kind of file"),
        kAudioFileInvalidPacketOffsetError => (BadData, "a packet lies where there is none"),
        kAudioFileInvalidPacketDependencyError => (BadData, "a packet depends on one that is not there"),
        kAudioFileEndOfFileError => (BadData, "the file ends before the sound does"),
        kAudioFilePositionError => (BadData, "a place before the start of the file or behind its end"),
        kAudioFileBadPropertySizeError => (Internal, "the size of a property is wrong"),
        kAudioFilePermissionsError => (Io, "the operation violates the file's permissions"),
        kAudioFileNotOpenError => (BadState, "the file is not open"),
        kAudioFileFileNotFoundError => (Io, "the file was not found"),
        kAudioFileUnspecifiedError | kAudioConverterErr_UnspecifiedError => {
            (Internal, "an error that it has no name for")
        }
        kExtAudioFileError_InvalidProperty => (Unsupported, "there is no such property"),
        kExtAudioFileError_InvalidPropertySize => (Internal, "the size of a property is wrong"),
        kExtAudioFileError_NonPCMClientFormat => (Internal, "samples are wanted that are not linear"),
        kExtAudioFileError_InvalidChannelMap => {
            (Unsupported, "the channels do not match those of the file's format")
        }
        kExtAudioFileError_InvalidOperationOrder => (BadState, "the calls came in a wrong order"),
        kExtAudioFileError_InvalidDataFormat => (Unsupported, "the format of the samples is not supported"),
        kExtAudioFileError_MaxPacketSizeUnknown => (BadData, "the size of the largest packet is unknown"),
        kExtAudioFileError_InvalidSeek => (BadArgument, "a seek to where there is no frame"),
        kAudioConverterErr_PropertyNotSupported => (Unsupported, "the codec has no such property"),
        kAudioConverterErr_InvalidInputSize => (BadData, "the input is not a whole number of packets"),
        kAudioConverterErr_InvalidOutputSize => (Internal, "the output is not a whole number of packets"),
        kAudioConverterErr_RequiresPacketDescriptionsError => (BadData, "packets without a description"),
        kAudioConverterErr_InputSampleRateOutOfRange => (Unsupported, "the codec has no such sample rate"),
        kAudioConverterErr_OutputSampleRateOutOfRange => (Unsupported, "the codec has no such sample rate"),
        kAudioFormatBadSpecifierSizeError => (Internal, "the size of a specifier is wrong"),
        kAudioFormatUnknownFormatError => (Unsupported, "it knows no such codec"),
        kAudioCodecUnknownPropertyError => (Unsupported, "the codec has no such property"),
        kAudioCodecIllegalOperationError => (BadState, "the codec cannot do that now"),
        kAudioCodecUnsupportedFormatError => (Unsupported, "the codec takes no such format or value"),
        kAudioCodecStateError => (BadState, "the codec is in another state"),
        kAudioCodecNotEnoughBufferSpaceError => (Internal, "the codec was given too little room"),
        kAudioCodecBadDataError => (BadData, "the codec was given bytes that are none of its"),
        unimpErr => (Unsupported, "it is not implemented on this system"),
        dskFulErr => (Io, "there is no room left"),
        ioErr => (Io, "bytes could not be read or written"),
        paramErr => (BadArgument, "an argument is none that it takes"),
        memFullErr => (NoMemory, "there is no memory"),
        _ => (Internal, "a code that its headers have no name for"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_a_name_a_meaning_and_a_kind() {
        let error = from_code(kAudioFileUnsupportedFileTypeError, "opening the file");
        assert_eq!(error.message(), "opening the file: AudioToolbox says 'typ?': it knows no such file type");
        assert_eq!((error.status(), error.native_code()), (Status::Unsupported, 0x7479_703f));
        let error = from_code(kExtAudioFileError_InvalidSeek, "seeking");
        assert_eq!(error.message(), "seeking: AudioToolbox says -66568: a seek to where there is no frame");
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
