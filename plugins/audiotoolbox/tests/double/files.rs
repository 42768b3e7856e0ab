//! `AudioFile`.

use std::ffi::c_void;
use std::ptr;

use super::fake::{Fake, HEADER_BYTES};
use super::{Kind, add, channels, check, enter, is_there, put, put_list, remove, violate};
use crate::sys::*;

/// The bytes after the samples of some files, which are truncated again.
const TAIL: &[u8] = b"moovFREE";

pub(super) struct File {
    client: *mut c_void,
    read: ReadProc,
    write: Option<WriteProc>,
    set_size: Option<SetSizeProc>,
    pub(super) fake: Fake,
    /// The wrappers around it.
    pub(super) num_wrappers: usize,
}

impl File {
    /// Reads through the callback, past the end if requested; returns the existing bytes.
    pub(super) unsafe fn read(&self, position: usize, num_bytes: usize) -> Result<Vec<u8>, OSStatus> {
        let mut bytes = vec![0u8; num_bytes];
        let mut filled = 0;
        while filled < num_bytes {
            let (mut count, room) = (0, (num_bytes - filled).min(4096));
            let (to, place) = (bytes[filled..].as_mut_ptr().cast(), (position + filled) as i64);
            let status = unsafe { (self.read)(self.client, place, room as u32, to, &raw mut count) };
            if status != 0 {
                return Err(status);
            }
            if count == 0 {
                break;
            }
            filled += count as usize;
        }
        bytes.truncate(filled);
        Ok(bytes)
    }

    pub(super) unsafe fn write(&self, position: usize, bytes: &[u8]) -> OSStatus {
        let Some(write) = self.write else { return kAudioFilePermissionsError };
        let (mut count, num_bytes) = (0, bytes.len() as u32);
        let from = bytes.as_ptr().cast();
        check!(unsafe { write(self.client, position as i64, num_bytes, from, &raw mut count) });
        if count == num_bytes { 0 } else { kAudioFileUnspecifiedError }
    }

    fn end(&self) -> usize {
        let frame_bytes = 4 * self.fake.num_channels as usize;
        HEADER_BYTES + self.fake.num_encoded as usize * frame_bytes
    }

    /// Writes the header, now that all is known, and the index behind the samples.
    unsafe fn complete(&self) -> OSStatus {
        unsafe {
            let end = self.end();
            // As a writer does that looks at what it wrote before it changes a part of it.
            match self.read(0, HEADER_BYTES) {
                Ok(header) if header.len() == HEADER_BYTES => {}
                Ok(_) => return kAudioFileInvalidFileError,
                Err(status) => return status,
            }
            check!(self.write(0, &self.fake.header()));
            if self.fake.file_type == kAudioFileM4AType {
                check!(self.write(end, TAIL));
                let Some(set_size) = self.set_size else { return kAudioFilePermissionsError };
                check!(set_size(self.client, end as i64 + 4));
            }
        }
        0
    }
}

unsafe fn file<'a>(file: Opaque, function: &str) -> Option<&'a mut File> {
    is_there(file, Kind::File, function).then(|| unsafe { &mut *file.cast::<File>() })
}

unsafe fn hand_out(file: File, out: *mut Opaque) {
    let file: Opaque = Box::into_raw(Box::new(file)).cast();
    add(file, Kind::File);
    unsafe { out.write(file) };
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn AudioFileOpenWithCallbacks(
    client: *mut c_void,
    read: Option<ReadProc>,
    write: Option<WriteProc>,
    get_size: Option<GetSizeProc>,
    set_size: Option<SetSizeProc>,
    _type_hint: u32,
    out: *mut Opaque,
) -> OSStatus {
    // Garbage, which nobody may use unless the call succeeds.
    unsafe { out.write(ptr::without_provenance_mut(0x10)) };
    check!(enter("AudioFileOpenWithCallbacks"));
    let (Some(read), Some(get_size)) = (read, get_size) else { return paramErr };
    let mut file = File { client, read, write, set_size, fake: Fake::default(), num_wrappers: 0 };
    let size = unsafe { get_size(client) };
    match unsafe { file.read(0, HEADER_BYTES) } {
        Err(status) => return status,
        Ok(header) => match Fake::from_bytes(&header) {
            None => return kAudioFileUnsupportedFileTypeError,
            Some(_) if size < HEADER_BYTES as i64 => return kAudioFileInvalidFileError,
            Some(fake) => file.fake = fake,
        },
    }
    unsafe { hand_out(file, out) };
    0
}

/// Whether a file of a type holds a format.
fn holds(file_type: u32, format: &AudioStreamBasicDescription) -> bool {
    const RATES: [f64; 9] = [8e3, 11_025.0, 12e3, 16e3, 22_050.0, 24e3, 32e3, 44_100.0, 48e3];
    let is_container = match format.mFormatID {
        kAudioFormatMPEG4AAC | kAudioFormatAppleLossless => {
            matches!(file_type, kAudioFileM4AType | kAudioFileMPEG4Type | kAudioFileCAFType)
        }
        kAudioFormatFLAC => matches!(file_type, kAudioFileFLACType | kAudioFileCAFType),
        kAudioFormatAppleIMA4 => matches!(file_type, kAudioFileAIFCType | kAudioFileCAFType),
        _ => false,
    };
    let is_kind = match format.mFormatID {
        kAudioFormatMPEG4AAC => RATES.contains(&format.mSampleRate) && format.mFramesPerPacket == 1024,
        kAudioFormatAppleLossless => {
            (1..=4).contains(&format.mFormatFlags) && format.mFramesPerPacket == 4096
        }
        kAudioFormatFLAC => {
            matches!(format.mFormatFlags, 1 | 3) && (192..=4608).contains(&format.mFramesPerPacket)
        }
        _ => format.mFramesPerPacket == 64 && format.mBytesPerPacket == 34 * format.mChannelsPerFrame,
    };
    is_container && is_kind && (1..=8).contains(&format.mChannelsPerFrame)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn AudioFileInitializeWithCallbacks(
    client: *mut c_void,
    read: Option<ReadProc>,
    write: Option<WriteProc>,
    get_size: Option<GetSizeProc>,
    set_size: Option<SetSizeProc>,
    file_type: u32,
    format: *const AudioStreamBasicDescription,
    _flags: u32,
    out: *mut Opaque,
) -> OSStatus {
    unsafe { out.write(ptr::without_provenance_mut(0x10)) };
    check!(enter("AudioFileInitializeWithCallbacks"));
    let (Some(read), Some(truncate), Some(get_size)) = (read, set_size, get_size) else { return paramErr };
    let format = unsafe { &*format };
    if !holds(file_type, format) {
        return kAudioFileUnsupportedDataFormatError;
    }
    let fake = Fake {
        file_type,
        format_id: format.mFormatID,
        format_flags: format.mFormatFlags,
        sample_rate: format.mSampleRate as u32,
        num_channels: format.mChannelsPerFrame,
        frames_per_packet: format.mFramesPerPacket,
        ..Fake::default()
    };
    let file = File { client, read, write, set_size, fake, num_wrappers: 0 };
    unsafe {
        check!(truncate(client, 0));
        check!(file.write(0, &file.fake.header()));
        if get_size(client) != HEADER_BYTES as i64 {
            return kAudioFileUnspecifiedError;
        }
        hand_out(file, out);
    }
    0
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn AudioFileClose(id: Opaque) -> OSStatus {
    let failure = enter("AudioFileClose");
    check!(remove(id, Kind::File, "AudioFileClose"));
    let file = unsafe { Box::from_raw(id.cast::<File>()) };
    if file.num_wrappers > 0 {
        violate("a file was closed before its wrapper".to_owned());
    }
    check!(failure);
    if file.write.is_some() { unsafe { file.complete() } } else { 0 }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn AudioFileGetPropertyInfo(
    id: Opaque,
    property: u32,
    num_bytes: *mut u32,
    _is_writable: *mut u32,
) -> OSStatus {
    check!(enter("AudioFileGetPropertyInfo"));
    let Some(file) = (unsafe { file(id, "AudioFileGetPropertyInfo") }) else { return paramErr };
    let size = match property {
        kAudioFilePropertyFormatList if file.fake.best_rate > 0 => 2 * size_of::<AudioFormatListItem>(),
        kAudioFilePropertyFormatList => size_of::<AudioFormatListItem>(),
        kAudioFilePropertyChannelLayout if file.fake.layout_tag > 0 => 12,
        _ => return kAudioFileUnsupportedPropertyError,
    };
    unsafe { num_bytes.write(size as u32) };
    0
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn AudioFileGetProperty(
    id: Opaque,
    property: u32,
    num_bytes: *mut u32,
    to: *mut c_void,
) -> OSStatus {
    check!(enter("AudioFileGetProperty"));
    let Some(file) = (unsafe { file(id, "AudioFileGetProperty") }) else { return paramErr };
    let (fake, too_small) = (&file.fake, kAudioFileBadPropertySizeError);
    unsafe {
        match property {
            kAudioFilePropertyFileFormat => put(fake.file_type, num_bytes, to, too_small),
            kAudioFilePropertySourceBitDepth if fake.source_depth > 0 => {
                put(fake.source_depth, num_bytes, to, too_small)
            }
            kAudioFilePropertyPacketTableInfo if fake.has_packet_table > 0 => {
                let table = AudioFilePacketTableInfo {
                    mNumberValidFrames: fake.num_valid(),
                    mPrimingFrames: fake.priming as i32,
                    mRemainderFrames: fake.remainder as i32,
                };
                put(table, num_bytes, to, too_small)
            }
            kAudioFilePropertyFormatList => {
                let (inner, mut outer) = (fake.description(), fake.description());
                outer.mSampleRate = outer.mSampleRate.max(fake.best_rate.into());
                let item = |mASBD| AudioFormatListItem { mASBD, mChannelLayoutTag: fake.layout_tag };
                put_list(&[item(outer), item(inner)], num_bytes, to)
            }
            kAudioFilePropertyChannelLayout if channels::labels(fake.layout_tag).is_some() => {
                put_list(&[fake.layout_tag, 0, 0], num_bytes, to)
            }
            _ => kAudioFileUnsupportedPropertyError,
        }
    }
}
