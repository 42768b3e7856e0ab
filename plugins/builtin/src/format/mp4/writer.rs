//! Writes a sound track in MP4 (ISO/IEC 14496-12): the packets in `mdat`, and behind it `moov` with their table.

#![forbid(unsafe_code)]

use mapwave_plugin::{Error, Result, Sink, Status};

use super::atoms::Kind;
use super::written_atoms::{atom, full};
use super::written_tags::user_data;
use crate::engine::patched_file::PatchedFile;

/// The packets in a chunk: what players read at once.
const PACKETS_PER_CHUNK: usize = 16;

/// The bytes of the header of `mdat`, with a size of 64 bits.
const MDAT_HEADER: u64 = 16;

/// A track that is enabled and part of the movie (8.3.2, `tkhd`).
const ENABLED: u32 = 3;

/// The language "undetermined", in three letters of five bits (8.4.2, `mdhd`).
const UNDETERMINED: u32 = 0x55c4;

/// The matrix that leaves a picture as it is (8.2.2, `mvhd`).
const UNITY: [u32; 9] = [1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30];

/// The properties of the track.
pub(crate) struct WrittenSound<'a> {
    /// The sample entry, and the box of the setup in it.
    pub(crate) format: Kind,
    /// The codec's setup.
    pub(crate) setup: &'a [u8],
    pub(crate) frames_per_packet: u32,
    pub(crate) bits_per_sample: u32,
    pub(crate) sample_rate: u32,
    pub(crate) num_channels: u32,
    pub(crate) tags: &'a [(&'a str, &'a str)],
}

/// A track on its way to a file.
pub(crate) struct Mp4Writer {
    file: PatchedFile,
    /// Where `mdat` begins, and the bytes of its packets.
    mdat_at: u64,
    num_data_bytes: u64,
    /// The size of each packet.
    sizes: Vec<u32>,
    /// Where each chunk begins.
    chunks: Vec<u64>,
    sample_entry: Vec<u8>,
    user_data: Vec<u8>,
    frames_per_packet: u32,
    sample_rate: u32,
}

impl Mp4Writer {
    /// Writes the header.
    ///
    /// # Errors
    /// [`Status::Io`] when the sink fails.
    pub(crate) fn new(sink: Sink, sound: WrittenSound<'_>) -> Result<Self> {
        let mut bytes = atom(*b"ftyp", b"M4A \0\0\0\0M4A mp42isom\0\0\0\0");
        let mdat_at = bytes.len() as u64;
        bytes.extend(1_u32.to_be_bytes());
        bytes.extend(b"mdat");
        bytes.extend(MDAT_HEADER.to_be_bytes());
        let mut writer = Self {
            file: PatchedFile::new(sink),
            mdat_at,
            num_data_bytes: 0,
            sizes: Vec::new(),
            chunks: Vec::new(),
            sample_entry: sample_entry(&sound),
            user_data: user_data(sound.tags),
            frames_per_packet: sound.frames_per_packet,
            sample_rate: sound.sample_rate,
        };
        writer.file.append(&bytes)?;
        Ok(writer)
    }

    /// Writes a packet.
    ///
    /// # Errors
    /// [`Status::Io`] when the sink fails.
    pub(crate) fn write(&mut self, packet: &[u8]) -> Result<()> {
        if self.sizes.len().is_multiple_of(PACKETS_PER_CHUNK) {
            self.chunks.push(self.mdat_at + MDAT_HEADER + self.num_data_bytes);
        }
        self.file.append(packet)?;
        self.num_data_bytes += packet.len() as u64;
        self.sizes.push(u32::try_from(packet.len()).unwrap_or(u32::MAX));
        Ok(())
    }

    /// Completes the file of `num_frames` frames.
    ///
    /// # Errors
    /// [`Status::Io`] when the sink fails; [`Status::Limit`] when the file has more packets than a table holds.
    pub(crate) fn finish(&mut self, num_frames: u64) -> Result<()> {
        let moov = self.movie(num_frames)?;
        self.file.append(&moov)?;
        let (size_at, size) = (self.mdat_at + 8, (MDAT_HEADER + self.num_data_bytes).to_be_bytes());
        self.file.finish(size_at, size)
    }

    fn movie(&self, num_frames: u64) -> Result<Vec<u8>> {
        let rate = self.sample_rate;
        // Version 1 of the headers has durations of 64 bits. The creation and modification times are unknown.
        let mvhd = full(
            *b"mvhd",
            1,
            0,
            &[
                &[0; 16],
                &rate.to_be_bytes(),
                &num_frames.to_be_bytes(),
                &(1_u32 << 16).to_be_bytes(), // the rate of playback
                &[1, 0],                      // the volume
                &[0; 10],
                &UNITY.map(u32::to_be_bytes).concat(),
                &[0; 24],
                &2_u32.to_be_bytes(), // the number of the next track
            ],
        );
        let tkhd = full(
            *b"tkhd",
            1,
            ENABLED,
            &[
                &[0; 16],
                &1_u32.to_be_bytes(),
                &[0; 4],
                &num_frames.to_be_bytes(),
                &[0; 12],
                &[1, 0, 0, 0], // the volume
                &UNITY.map(u32::to_be_bytes).concat(),
                &[0; 8],
            ],
        );
        let mdhd = full(
            *b"mdhd",
            1,
            0,
            &[&[0; 16], &rate.to_be_bytes(), &num_frames.to_be_bytes(), &(UNDETERMINED << 16).to_be_bytes()],
        );
        let hdlr = full(*b"hdlr", 0, 0, &[&[0; 4], b"soun", &[0; 12], b"SoundHandler\0"]);
        let url = full(*b"url ", 0, 1, &[]); // the data are in this file
        let dinf = atom(*b"dinf", &full(*b"dref", 0, 0, &[&1_u32.to_be_bytes(), &url]));
        let table = atom(*b"stbl", &self.table(num_frames)?);
        let smhd = full(*b"smhd", 0, 0, &[&[0; 4]]);
        let minf = atom(*b"minf", &[smhd, dinf, table].concat());
        let mdia = atom(*b"mdia", &[mdhd, hdlr, minf].concat());
        let trak = atom(*b"trak", &[tkhd, mdia].concat());
        Ok(atom(*b"moov", &[mvhd, trak, self.user_data.clone()].concat()))
    }

    /// The tables of samples (8.5 to 8.7): a packet is a sample.
    fn table(&self, num_frames: u64) -> Result<Vec<u8>> {
        let count = u32::try_from(self.sizes.len()).map_err(|_| {
            Error::new(Status::Limit, format!("{} packets are more than MP4 holds", self.sizes.len()))
        })?;
        let numbers = |numbers: &[u32]| -> Vec<u8> { numbers.iter().flat_map(|n| n.to_be_bytes()).collect() };
        let full_packets = u64::from(count.saturating_sub(1)) * u64::from(self.frames_per_packet);
        let last = u32::try_from(num_frames.saturating_sub(full_packets)).unwrap_or(u32::MAX);
        let times = match count {
            _ if last == self.frames_per_packet => vec![1, count, last],
            1 => vec![1, 1, last],
            _ => vec![2, count - 1, self.frames_per_packet, 1, last],
        };
        let stsd = full(*b"stsd", 0, 0, &[&1_u32.to_be_bytes(), &self.sample_entry]);
        let stts = full(*b"stts", 0, 0, &[&numbers(&times)]);
        let usual = u32::try_from(PACKETS_PER_CHUNK).unwrap_or(u32::MAX);
        let num_chunks = count.div_ceil(usual);
        let chunks = match (num_chunks, count - usual * num_chunks.saturating_sub(1)) {
            (_, rest) if rest == usual => vec![1, 1, usual, 1],
            (1, rest) => vec![1, 1, rest, 1],
            (_, rest) => vec![2, 1, usual, 1, num_chunks, rest, 1],
        };
        let stsc = full(*b"stsc", 0, 0, &[&numbers(&chunks)]);
        // One size for all is written once. FFmpeg needs it where all samples have one frame.
        let common = self.sizes.first().filter(|first| self.sizes.iter().all(|size| size == *first));
        let sizes = if common.is_some() { &[][..] } else { &self.sizes };
        let stsz = full(*b"stsz", 0, 0, &[&numbers(&[common.copied().unwrap_or(0), count]), &numbers(sizes)]);
        let is_small = self.chunks.last().is_none_or(|last| *last <= u64::from(u32::MAX));
        let count = numbers(&[num_chunks]);
        let stco = if is_small {
            let places: Vec<u32> =
                self.chunks.iter().map(|place| u32::try_from(*place).unwrap_or(u32::MAX)).collect();
            full(*b"stco", 0, 0, &[&count, &numbers(&places)])
        } else {
            let places: Vec<u8> = self.chunks.iter().flat_map(|place| place.to_be_bytes()).collect();
            full(*b"co64", 0, 0, &[&count, &places])
        };
        Ok([stsd, stts, stsc, stsz, stco].concat())
    }
}

/// An `AudioSampleEntry` (12.2.3) with the setup in a box of the same name. A rate that it cannot hold is 0: the setup and the time
/// scale have it.
fn sample_entry(sound: &WrittenSound<'_>) -> Vec<u8> {
    let small = |number: u32| u16::try_from(number).unwrap_or(0).to_be_bytes();
    let rate = if sound.sample_rate > 0xffff { 0 } else { sound.sample_rate << 16 };
    let setup = full(sound.format, 0, 0, &[sound.setup]);
    let fields: [&[u8]; 7] = [
        &[0, 0, 0, 0, 0, 0, 0, 1],
        &[0; 8],
        &small(sound.num_channels),
        &small(sound.bits_per_sample),
        &[0; 4],
        &rate.to_be_bytes(),
        &setup,
    ];
    atom(sound.format, &fields.concat())
}
