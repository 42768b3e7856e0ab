//! `ExtAudioFile`.

use std::ffi::c_void;
use std::ptr;

use super::converters::Converter;
use super::files::File;
use super::packets::Codec;
use super::{Kind, add, channels, check, enter, is_there, max_frames_per_read, put, remove, violate};
use crate::sys::*;

pub(super) struct Wrapper {
    file: *mut File,
    is_writing: bool,
    client: Option<AudioStreamBasicDescription>,
    /// For each channel of the client the file's.
    channel_map: Vec<usize>,
    /// The frame of the sound that comes next.
    position: i64,
    codec: Codec,
    converter: *mut Converter,
}

impl Wrapper {
    fn is_float(&self) -> bool {
        self.client.is_some_and(|client| client.mFormatFlags & kAudioFormatFlagIsFloat != 0)
    }
}

unsafe fn wrapper<'a>(ext: Opaque, function: &str) -> Option<&'a mut Wrapper> {
    is_there(ext, Kind::Wrapper, function).then(|| unsafe { &mut *ext.cast::<Wrapper>() })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn ExtAudioFileWrapAudioFileID(
    id: Opaque,
    for_writing: Boolean,
    out: *mut Opaque,
) -> OSStatus {
    unsafe { out.write(ptr::without_provenance_mut(0x20)) };
    check!(enter("ExtAudioFileWrapAudioFileID"));
    if !is_there(id, Kind::File, "ExtAudioFileWrapAudioFileID") {
        return paramErr;
    }
    let file = id.cast::<File>();
    unsafe {
        (*file).num_wrappers += 1;
        if (*file).num_wrappers > 1 {
            violate("a file was wrapped twice at once".to_owned());
        }
        let num_channels = (*file).fake.num_channels as usize;
        let converter = Box::into_raw(Box::new(Converter::new(file)));
        add(converter.cast(), Kind::Converter);
        let wrapper = Wrapper {
            file,
            is_writing: for_writing != 0,
            client: None,
            channel_map: (0..num_channels).collect(),
            position: 0,
            codec: Codec::default(),
            converter,
        };
        let wrapper: Opaque = Box::into_raw(Box::new(wrapper)).cast();
        add(wrapper, Kind::Wrapper);
        out.write(wrapper);
    }
    0
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn ExtAudioFileDispose(ext: Opaque) -> OSStatus {
    let failure = enter("ExtAudioFileDispose");
    check!(remove(ext, Kind::Wrapper, "ExtAudioFileDispose"));
    unsafe {
        let mut wrapper = Box::from_raw(ext.cast::<Wrapper>());
        check!(remove(wrapper.converter.cast(), Kind::Converter, "ExtAudioFileDispose"));
        drop(Box::from_raw(wrapper.converter));
        if !is_there(wrapper.file.cast(), Kind::File, "ExtAudioFileDispose") {
            return paramErr;
        }
        let file = &mut *wrapper.file;
        file.num_wrappers -= 1;
        check!(failure);
        if wrapper.is_writing { wrapper.codec.finish(file) } else { 0 }
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn ExtAudioFileGetProperty(
    ext: Opaque,
    property: u32,
    num_bytes: *mut u32,
    to: *mut c_void,
) -> OSStatus {
    check!(enter("ExtAudioFileGetProperty"));
    let Some(wrapper) = (unsafe { wrapper(ext, "ExtAudioFileGetProperty") }) else { return paramErr };
    let too_small = kExtAudioFileError_InvalidPropertySize;
    unsafe {
        let fake = &(*wrapper.file).fake;
        match property {
            kExtAudioFileProperty_FileDataFormat => put(fake.description(), num_bytes, to, too_small),
            kExtAudioFileProperty_FileLengthFrames => put(fake.num_valid(), num_bytes, to, too_small),
            kExtAudioFileProperty_AudioConverter if wrapper.client.is_some() => {
                put(wrapper.converter, num_bytes, to, too_small)
            }
            kExtAudioFileProperty_AudioConverter => kExtAudioFileError_InvalidOperationOrder,
            _ => kExtAudioFileError_InvalidProperty,
        }
    }
}

/// Whether samples are side by side, whole, and of a type that this double makes of the file's.
fn is_client(client: &AudioStreamBasicDescription, file: &File) -> bool {
    let bytes = match client.mFormatFlags & !kAudioFormatFlagIsPacked {
        kAudioFormatFlagIsFloat => 4,
        kAudioFormatFlagIsSignedInteger => client.mBitsPerChannel / 8,
        _ => return false,
    };
    let is_whole = client.mBitsPerChannel == 8 * bytes
        && client.mBytesPerFrame == bytes * client.mChannelsPerFrame
        && client.mBytesPerPacket == client.mBytesPerFrame
        && client.mFramesPerPacket == 1;
    let is_same = client.mSampleRate == f64::from(file.fake.sample_rate)
        && client.mChannelsPerFrame == file.fake.num_channels;
    let is_float = client.mFormatFlags & kAudioFormatFlagIsFloat != 0;
    let is_made = match file.fake.format_id {
        kAudioFormatAppleIMA4 => is_float || bytes == 2,
        _ => file.fake.is_lossless() || is_float,
    };
    is_whole && is_same && is_made && client.mFormatFlags & kAudioFormatFlagIsPacked != 0
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn ExtAudioFileSetProperty(
    ext: Opaque,
    property: u32,
    num_bytes: u32,
    value: *const c_void,
) -> OSStatus {
    check!(enter("ExtAudioFileSetProperty"));
    let Some(wrapper) = (unsafe { wrapper(ext, "ExtAudioFileSetProperty") }) else { return paramErr };
    let file = unsafe { &mut *wrapper.file };
    let expected = match property {
        kExtAudioFileProperty_ClientDataFormat => size_of::<AudioStreamBasicDescription>(),
        kExtAudioFileProperty_ClientChannelLayout | kExtAudioFileProperty_FileChannelLayout => {
            size_of::<AudioChannelLayout>()
        }
        kExtAudioFileProperty_ConverterConfig => size_of::<*const c_void>(),
        _ => return kExtAudioFileError_InvalidProperty,
    };
    if num_bytes as usize != expected {
        return kExtAudioFileError_InvalidPropertySize;
    }
    match property {
        kExtAudioFileProperty_ClientDataFormat => {
            let client = unsafe { value.cast::<AudioStreamBasicDescription>().read_unaligned() };
            if client.mFormatID != kAudioFormatLinearPCM {
                return kExtAudioFileError_NonPCMClientFormat;
            }
            if !is_client(&client, file) {
                return kExtAudioFileError_InvalidDataFormat;
            }
            wrapper.client = Some(client);
        }
        kExtAudioFileProperty_FileChannelLayout => {
            let layout = unsafe { value.cast::<AudioChannelLayout>().read_unaligned() };
            let labels = channels::labels(layout.mChannelLayoutTag);
            if !wrapper.is_writing || labels.map(<[u32]>::len) != Some(file.fake.num_channels as usize) {
                return kExtAudioFileError_InvalidChannelMap;
            }
            file.fake.layout_tag = layout.mChannelLayoutTag;
        }
        kExtAudioFileProperty_ClientChannelLayout => {
            let layout = unsafe { value.cast::<AudioChannelLayout>().read_unaligned() };
            let map = channels::map(layout.mChannelBitmap, file.fake.layout_tag);
            match map.filter(|_| layout.mChannelLayoutTag == kAudioChannelLayoutTag_UseChannelBitmap) {
                Some(map) => wrapper.channel_map = map,
                None if file.fake.num_channels <= 2 => {}
                None => return kExtAudioFileError_InvalidChannelMap,
            }
        }
        _ => unsafe { (*wrapper.converter).is_taken_over = true },
    }
    0
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn ExtAudioFileSeek(ext: Opaque, frame: i64) -> OSStatus {
    check!(enter("ExtAudioFileSeek"));
    let Some(wrapper) = (unsafe { wrapper(ext, "ExtAudioFileSeek") }) else { return paramErr };
    let fake = unsafe { &(*wrapper.file).fake };
    if wrapper.is_writing || !(0..=fake.num_valid()).contains(&frame) {
        return kExtAudioFileError_InvalidSeek;
    }
    wrapper.position = frame;
    let packet = (fake.first_valid() + frame) / i64::from(fake.frames_per_packet);
    wrapper.codec.seek(packet, fake.cold_packets);
    0
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn ExtAudioFileRead(
    ext: Opaque,
    num_frames: *mut u32,
    buffers: *mut AudioBufferList,
) -> OSStatus {
    check!(enter("ExtAudioFileRead"));
    let Some(wrapper) = (unsafe { wrapper(ext, "ExtAudioFileRead") }) else { return paramErr };
    let Some(client) = wrapper.client else { return kExtAudioFileError_InvalidOperationOrder };
    let file = unsafe { &*wrapper.file };
    let buffer = unsafe { &mut (*buffers).mBuffers[0] };
    let fits = buffer.mDataByteSize / client.mBytesPerFrame;
    let rest = (file.fake.num_valid() - wrapper.position).max(0);
    let most = i64::from(unsafe { *num_frames }.min(fits).min(max_frames_per_read())).min(rest);
    let is_float = wrapper.is_float();
    let (mut written, mut to) = (0, buffer.mData);
    while written < most {
        let frame = file.fake.first_valid() + wrapper.position;
        let samples = match unsafe { wrapper.codec.frame(file, frame) } {
            Ok(Some(samples)) => samples,
            Ok(None) => break,
            Err(status) => return status,
        };
        for channel in &wrapper.channel_map {
            to = unsafe { write_sample(samples[*channel], file.fake.is_lossless(), is_float, &client, to) };
        }
        written += 1;
        wrapper.position += 1;
    }
    buffer.mDataByteSize = written as u32 * client.mBytesPerFrame;
    unsafe { num_frames.write(written as u32) };
    0
}

/// Writes a sample as the client has them, and gives the place behind it.
unsafe fn write_sample(
    sample: u32,
    is_lossless: bool,
    is_float: bool,
    client: &AudioStreamBasicDescription,
    to: *mut c_void,
) -> *mut c_void {
    let integer = sample as i32;
    unsafe {
        match (is_lossless, is_float, client.mBitsPerChannel) {
            (true, true, _) => to.cast::<f32>().write(integer as f32 / 2_147_483_648.0),
            (true, false, 16) => to.cast::<i16>().write((integer >> 16) as i16),
            (true, false, _) => to.cast::<i32>().write(integer),
            (false, ..) => to.cast::<u32>().write(sample),
        }
        to.byte_add(client.mBitsPerChannel as usize / 8)
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn ExtAudioFileWrite(
    ext: Opaque,
    num_frames: u32,
    buffers: *const AudioBufferList,
) -> OSStatus {
    check!(enter("ExtAudioFileWrite"));
    let Some(wrapper) = (unsafe { wrapper(ext, "ExtAudioFileWrite") }) else { return paramErr };
    let Some(client) = wrapper.client.filter(|_| wrapper.is_writing) else {
        return kExtAudioFileError_InvalidOperationOrder;
    };
    let (file, buffer) = unsafe { (&mut *wrapper.file, (*buffers).mBuffers[0]) };
    if !unsafe { (*wrapper.converter).is_taken_over } {
        return kExtAudioFileError_InvalidOperationOrder;
    }
    if buffer.mDataByteSize != num_frames * client.mBytesPerFrame {
        return paramErr;
    }
    let num_channels = file.fake.num_channels as usize;
    if num_channels > 2 && file.fake.layout_tag == 0 {
        return kExtAudioFileError_InvalidChannelMap;
    }
    let mut samples = vec![0; num_frames as usize * num_channels];
    let is_float = wrapper.is_float();
    for (number, frame) in samples.chunks_exact_mut(num_channels).enumerate() {
        for (channel, to) in wrapper.channel_map.iter().enumerate() {
            let place = number * num_channels + channel;
            frame[*to] = unsafe { read_sample(buffer.mData, place, is_float, &client, file) };
        }
    }
    unsafe { wrapper.codec.encode(file, &samples) }
}

/// A sample of the client's as the file has them.
unsafe fn read_sample(
    from: *const c_void,
    place: usize,
    is_float: bool,
    client: &AudioStreamBasicDescription,
    file: &File,
) -> u32 {
    let depth = match file.fake.format_flags {
        kAppleLosslessFormatFlag_16BitSourceData => 16,
        kAppleLosslessFormatFlag_20BitSourceData => 20,
        kAppleLosslessFormatFlag_24BitSourceData => 24,
        _ => 32,
    };
    unsafe {
        if is_float {
            return from.cast::<u32>().add(place).read();
        }
        let integer = match client.mBitsPerChannel {
            16 => i32::from(from.cast::<i16>().add(place).read()) << 16,
            _ => from.cast::<i32>().add(place).read(),
        };
        match file.fake.is_lossless() {
            true => (integer >> (32 - depth) << (32 - depth)) as u32,
            false => (integer as f32 / 2_147_483_648.0).to_bits(),
        }
    }
}
