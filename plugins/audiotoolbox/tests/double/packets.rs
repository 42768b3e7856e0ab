//! Packets as they are decoded and encoded.

use super::fake::HEADER_BYTES;
use super::files::File;
use crate::sys::*;

/// The frames that the encoder of AAC puts before the sound.
const AAC_PRIMING: u32 = 2112;

/// A codec while it decodes the packets of a file.
#[derive(Default)]
pub(super) struct Codec {
    /// The packet that is decoded at present, and its samples.
    packet: Option<(i64, Vec<u32>)>,
    /// The first packet that comes out right.
    warm_from: i64,
    /// The number of packets that this codec has decoded, which no seek resets.
    num_decoded: u32,
    /// Samples that do not make up a packet yet.
    pending: Vec<u32>,
    has_begun: bool,
}

impl Codec {
    /// Begins at a packet in the middle.
    pub(super) fn seek(&mut self, packet: i64, cold_packets: u32) {
        self.packet = None;
        self.warm_from = if packet == 0 { 0 } else { packet + i64::from(cold_packets) };
    }

    /// The samples of a frame; `None` behind the end of the file.
    pub(super) unsafe fn frame(&mut self, file: &File, frame: i64) -> Result<Option<Vec<u32>>, OSStatus> {
        let (per_packet, num_channels) =
            (i64::from(file.fake.frames_per_packet), file.fake.num_channels as usize);
        let number = frame / per_packet;
        if self.packet.as_ref().is_none_or(|(packet, _)| *packet != number) {
            let samples = unsafe { self.decode(file, number) }?;
            self.packet = Some((number, samples));
        }
        let (_, samples) = self.packet.as_ref().unwrap();
        let first = (frame % per_packet) as usize * num_channels;
        Ok(samples.get(first..first + num_channels).map(<[u32]>::to_vec))
    }

    unsafe fn decode(&mut self, file: &File, number: i64) -> Result<Vec<u32>, OSStatus> {
        let fake = &file.fake;
        let packet_bytes = 4 * fake.num_channels as usize * fake.frames_per_packet as usize;
        let bytes = unsafe { file.read(HEADER_BYTES + number as usize * packet_bytes, packet_bytes) }?;
        self.num_decoded += 1;
        let (is_cold, noise) = (number < self.warm_from, self.num_decoded as f32 / 1024.0);
        let sample = |bytes: &[u8]| {
            let sample = u32::from_le_bytes(bytes.try_into().unwrap());
            match () {
                () if fake.is_lossless() => sample,
                () if is_cold => 9.0f32.to_bits(),
                () if fake.is_noisy > 0 => (f32::from_bits(sample) + noise).to_bits(),
                () => sample,
            }
        };
        Ok(bytes.chunks_exact(4).map(sample).collect())
    }

    /// Takes samples and writes the packets that are whole.
    pub(super) unsafe fn encode(&mut self, file: &mut File, samples: &[u32]) -> OSStatus {
        if !self.has_begun {
            self.has_begun = true;
            if file.fake.format_id == kAudioFormatMPEG4AAC {
                file.fake.priming = AAC_PRIMING;
                self.pending = vec![0; (AAC_PRIMING * file.fake.num_channels) as usize];
            }
        }
        self.pending.extend(samples);
        let packet_samples = (file.fake.frames_per_packet * file.fake.num_channels) as usize;
        let whole = self.pending.len() / packet_samples * packet_samples;
        let rest = self.pending.split_off(whole);
        let packets = std::mem::replace(&mut self.pending, rest);
        packets
            .chunks(packet_samples)
            .map(|packet| unsafe { write(file, packet) })
            .find(|status| *status != 0)
            .unwrap_or(0)
    }

    /// Writes what is left: lossy codecs fill their last packet up.
    pub(super) unsafe fn finish(&mut self, file: &mut File) -> OSStatus {
        if self.pending.is_empty() && !self.has_begun {
            return 0;
        }
        let num_channels = file.fake.num_channels.max(1);
        if !file.fake.is_lossless() {
            let pending = self.pending.len() as u32 / num_channels;
            file.fake.remainder = pending.next_multiple_of(file.fake.frames_per_packet) - pending;
            // A file without a packet table cannot mark padding in its last packet.
            file.fake.has_packet_table = u32::from(file.fake.file_type != kAudioFileAIFCType);
            self.pending.resize((pending + file.fake.remainder) as usize * num_channels as usize, 0);
        }
        let pending = std::mem::take(&mut self.pending);
        unsafe { write(file, &pending) }
    }
}

unsafe fn write(file: &mut File, samples: &[u32]) -> OSStatus {
    let num_channels = file.fake.num_channels as usize;
    let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let position = HEADER_BYTES + 4 * num_channels * file.fake.num_encoded as usize;
    file.fake.num_encoded += (samples.len() / num_channels) as u32;
    if bytes.is_empty() { 0 } else { unsafe { file.write(position, &bytes) } }
}
