//! WAVE in RIFF (Microsoft/IBM, 1991), RIFX (the same in big-endian), RF64 (EBU Tech 3306) and BW64 (ITU-R BS.2088).

#![forbid(unsafe_code)]

use crate::cursor::Cursor;
use crate::error::Result;
use crate::pcm::ByteOrder;
use crate::track::{Container, Track};

use super::four_cc::FourCc;
use super::riff::{Chunk, Chunks, LongSizes, UNKNOWN};
use super::sound_data::SoundData;
use super::unsupported;
use super::wave_format::{FormatChunk, WaveFormat};

impl Container {
    /// RIFF/WAVE, little-endian.
    pub const WAV: Self = Self::of_variant("wav", b"wav");
    /// RIFX/WAVE, the big-endian form.
    pub const RIFX: Self = Self::of_variant("wav", b"rifx");
    /// RF64 (EBU Tech 3306): WAVE with 64-bit sizes.
    pub const RF64: Self = Self::of_variant("wav", b"rf64");
    /// BW64 (ITU-R BS.2088): RF64 with audio definition metadata.
    pub const BW64: Self = Self::of_variant("wav", b"bw64");
}

/// Reads chunks until it has found the first `fmt ` and the first `data`, in either order.
pub(super) fn parse(head: &[u8], file_len: u64, container: Container) -> Result<Track> {
    let order = if container == Container::RIFX { ByteOrder::Big } else { ByteOrder::Little };
    let mut form = Form::open(Cursor::new(head, file_len, container), container, order)?;
    let (mut format, mut data) = (None, None);
    while let Some(chunk) = form.chunks.next()? {
        match &chunk.id.0 {
            b"ds64"
                if form.long_sizes.is_none() && matches!(container, Container::RF64 | Container::BW64) =>
            {
                form.set_long_sizes(&chunk)?;
            }
            b"fmt " if format.is_none() => {
                let place =
                    FormatChunk { container, order, start: chunk.start, num_bytes: chunk.num_bytes() };
                format = Some(WaveFormat::read(&mut form.chunks.cursor(), place)?);
            }
            b"fact" if data.is_none() => form.set_fact(&chunk)?,
            b"data" if data.is_none() => data = Some(form.sound_data(&chunk, format.is_some())?),
            _ => {}
        }
        if format.is_some() && data.is_some() {
            break;
        }
    }
    match (format, data) {
        (Some(format), Some(data)) => Ok(format.track(data, form.fact)),
        (None, _) => Err(form.chunks.missing("fmt ")),
        (_, None) => Err(form.chunks.missing("data")),
    }
}

/// What is known about the form so far.
struct Form<'a> {
    order: ByteOrder,
    /// The size in the form's own header; `None` if the writer never knew it.
    num_bytes: Option<u64>,
    chunks: Chunks<'a>,
    long_sizes: Option<LongSizes>,
    fact: Option<u64>,
}

impl<'a> Form<'a> {
    fn open(mut cursor: Cursor<'a>, container: Container, order: ByteOrder) -> Result<Self> {
        cursor.seek(4);
        let size = read_u32(&mut cursor, order)?;
        let kind = FourCc(cursor.array()?);
        if kind != FourCc(*b"WAVE") {
            let what = match &kind.0 {
                b"AVI " => "an AVI video; extract its audio first".to_string(),
                b"WEBP" => "a WebP image, not audio".to_string(),
                b"RMID" => "a MIDI file in RIFF, which contains notes, not audio".to_string(),
                b"sfbk" => "a SoundFont, not audio".to_string(),
                _ => format!("a RIFF file of type {kind}, expected 'WAVE'"),
            };
            return Err(unsupported(None, None, what));
        }
        let num_bytes = Some(u64::from(size)).filter(|_| size != UNKNOWN && size != 0);
        let chunks = Chunks::new(cursor, container, order, 12);
        Ok(Self { order, num_bytes, chunks, long_sizes: None, fact: None })
    }

    fn set_long_sizes(&mut self, chunk: &Chunk) -> Result<()> {
        let sizes = LongSizes::read(&mut self.chunks.cursor(), chunk)?;
        if self.num_bytes.is_none() {
            self.num_bytes = Some(sizes.riff).filter(|&size| size != 0 && size != u64::MAX);
        }
        self.chunks.set_long_sizes(sizes);
        self.long_sizes = Some(sizes);
        Ok(())
    }

    fn set_fact(&mut self, chunk: &Chunk) -> Result<()> {
        if self.fact.is_none() && chunk.num_bytes() >= 4 {
            let mut cursor = self.chunks.cursor();
            cursor.seek(chunk.start);
            self.fact = match read_u32(&mut cursor, self.order)? {
                UNKNOWN => self.long_sizes.map(|sizes| sizes.num_frames),
                num_frames => Some(u64::from(num_frames)),
            };
        }
        Ok(())
    }

    /// The audio in a `data` chunk. A size of 0 after the format was left by a streaming writer, or by one that died before it
    /// could fill in the size, if anything but the rest of a valid form follows.
    fn sound_data(&self, chunk: &Chunk, format_is_known: bool) -> Result<SoundData> {
        let file_len = self.chunks.cursor().file_len();
        let is_unfinished = format_is_known && chunk.num_bytes == Some(0) && !self.goes_on(chunk.start)?;
        let claimed = if is_unfinished { None } else { chunk.num_bytes };
        Ok(SoundData::within(file_len, chunk.start, claimed))
    }

    /// Whether the form extends beyond an offset with whole chunks.
    fn goes_on(&self, offset: u64) -> Result<bool> {
        match self.num_bytes.and_then(|size| size.checked_add(8)) {
            Some(end) if end > offset => self.chunks.clone().fill(end),
            _ => Ok(false),
        }
    }
}

fn read_u32(cursor: &mut Cursor<'_>, order: ByteOrder) -> Result<u32> {
    match order {
        ByteOrder::Little => cursor.u32_le(),
        ByteOrder::Big => cursor.u32_be(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::builder::{Bytes, chunk_be, chunk_le};
    use super::super::parse_head as parse;
    use crate::error::{Error, Result};
    use crate::pcm::{ByteOrder, SampleFormat};
    use crate::track::{Container, Track};

    const SOUND: &[u8] = b"aabbccdd";

    fn fmt(channels: u16, rate: u32, bits: u16) -> Vec<u8> {
        let block_align = channels * bits.div_ceil(8);
        let bytes =
            Bytes::new().u16_le(1).u16_le(channels).u32_le(rate).u32_le(0).u16_le(block_align).u16_le(bits);
        chunk_le(b"fmt ", &bytes.0)
    }

    fn form(id: &[u8; 4], size: u32, chunks: &[&[u8]]) -> Vec<u8> {
        Bytes::new().put(id).u32_le(size).put(b"WAVE").put(&chunks.concat()).0
    }

    /// A form with the correct size.
    fn wave(chunks: &[&[u8]]) -> Vec<u8> {
        form(b"RIFF", u32::try_from(4 + chunks.concat().len()).unwrap(), chunks)
    }

    fn ds64(riff: u64, data: u64, frames: u64) -> Vec<u8> {
        chunk_le(b"ds64", &Bytes::new().u64_le(riff).u64_le(data).u64_le(frames).u32_le(0).0)
    }

    fn data_header(size: u32) -> Vec<u8> {
        Bytes::new().put(b"data").u32_le(size).0
    }

    fn whole(bytes: &[u8]) -> Result<Track> {
        parse(bytes, bytes.len() as u64)
    }

    fn message(bytes: &[u8]) -> String {
        whole(bytes).unwrap_err().to_string()
    }

    #[test]
    fn a_plain_file() {
        let track = whole(&wave(&[&fmt(2, 44100, 16), &chunk_le(b"data", SOUND)])).unwrap();
        assert_eq!(track.container, Container::WAV);
        assert_eq!(track.pcm(), Some(SampleFormat::S16(ByteOrder::Little)));
        assert_eq!((track.sample_rate, track.num_channels, track.bits_per_sample), (44100, 2, Some(16)));
        assert_eq!((track.num_frames, track.data, track.missing_bytes), (Some(2), 44..52, 0));
    }

    #[test]
    fn chunks_before_the_format_are_passed_over() {
        let before =
            [chunk_le(b"JUNK", &[0; 27]), chunk_le(b"bext", &[0; 602]), chunk_le(b"LIST", b"INFOx")].concat();
        let track = whole(&wave(&[&before, &fmt(1, 8000, 16), &chunk_le(b"data", SOUND)])).unwrap();
        assert_eq!(track.num_frames, Some(4));
    }

    #[test]
    fn the_data_may_come_first() {
        let track = whole(&wave(&[&chunk_le(b"data", SOUND), &fmt(1, 8000, 16)])).unwrap();
        assert_eq!((track.num_frames, track.data), (Some(4), 20..28));
    }

    #[test]
    fn only_the_first_format_counts() {
        let formats = [fmt(1, 8000, 16), fmt(7, 96000, 24)].concat();
        let track = whole(&wave(&[&formats, &chunk_le(b"data", SOUND)])).unwrap();
        assert_eq!((track.num_channels, track.sample_rate), (1, 8000));
    }

    #[test]
    fn nothing_after_the_data_is_needed() {
        let bytes = wave(&[&fmt(1, 8000, 16), &data_header(1 << 20)]);
        let track = parse(&bytes, bytes.len() as u64 + (1 << 20) + 77).unwrap();
        assert_eq!(track.num_frames, Some(1 << 19));
    }

    #[test]
    fn the_size_of_the_form_is_advisory() {
        for size in [0, 5, 20, 1 << 30, u32::MAX] {
            let bytes = form(b"RIFF", size, &[&fmt(1, 8000, 16), &chunk_le(b"data", SOUND)]);
            assert_eq!(whole(&bytes).unwrap().data, 44..52);
        }
    }

    #[test]
    fn rifx_is_big_endian() {
        let fmt = Bytes::new().u16_be(1).u16_be(1).u32_be(8000).u32_be(0).u16_be(2).u16_be(16);
        let chunks = [chunk_be(b"fmt ", &fmt.0), chunk_be(b"data", SOUND)].concat();
        let bytes = Bytes::new().put(b"RIFX").u32_be(44).put(b"WAVE").put(&chunks);
        let track = whole(&bytes.0).unwrap();
        assert_eq!(track.container, Container::RIFX);
        assert_eq!(track.pcm(), Some(SampleFormat::S16(ByteOrder::Big)));
        assert_eq!((track.sample_rate, track.num_frames), (8000, Some(4)));
    }

    #[test]
    fn rf64_has_its_sizes_in_ds64() {
        let four_gib = 1u64 << 32;
        let data = data_header(u32::MAX);
        let chunks: [&[u8]; 3] = [&ds64(four_gib + 72, four_gib, 0), &fmt(2, 48000, 16), &data];
        for (id, container) in [(b"RF64", Container::RF64), (b"BW64", Container::BW64)] {
            let bytes = form(id, u32::MAX, &chunks);
            let header = bytes.len() as u64;
            // A chunk after the data proves that the audio does not extend to the end of the file.
            let track = parse(&bytes, header + four_gib + 100).unwrap();
            assert_eq!((track.container, track.num_frames), (container, Some(four_gib / 4)));
            assert_eq!(track.data, header..header + four_gib);
            let track = parse(&bytes, header + 4000).unwrap();
            assert_eq!((track.num_frames, track.missing_bytes), (Some(1000), four_gib - 4000));
        }
    }

    #[test]
    fn rf64_keeps_the_sizes_of_other_long_chunks_in_a_table() {
        let table = Bytes::new().u64_le(0).u64_le(8).u64_le(0).u32_le(1).put(b"huge").u64_le(6);
        let huge = Bytes::new().put(b"huge").u32_le(u32::MAX).put(b"sixsix").0;
        let chunks: [&[u8]; 4] =
            [&chunk_le(b"ds64", &table.0), &huge, &fmt(1, 8000, 16), &data_header(u32::MAX)];
        let track = whole(&[&form(b"RF64", u32::MAX, &chunks), SOUND].concat()).unwrap();
        assert_eq!(track.num_frames, Some(4));
    }

    #[test]
    fn rf64_without_ds64_is_read_by_the_sizes_it_has() {
        let bytes = form(b"RF64", 44, &[&fmt(1, 8000, 16), &chunk_le(b"data", SOUND)]);
        assert_eq!(whole(&bytes).unwrap().num_frames, Some(4));
        let bytes = form(b"RF64", u32::MAX, &[&fmt(1, 8000, 16), &data_header(u32::MAX), SOUND]);
        assert_eq!(whole(&bytes).unwrap().num_frames, Some(4));
    }

    #[test]
    fn rf64_that_was_never_finished_reaches_to_the_end() {
        let bytes =
            form(b"RF64", u32::MAX, &[&ds64(0, 0, 0), &fmt(1, 8000, 16), &data_header(u32::MAX), SOUND]);
        assert_eq!(whole(&bytes).unwrap().num_frames, Some(4));
        let bytes = form(b"RF64", u32::MAX, &[&ds64(72, 0, 0), &fmt(1, 8000, 16), &data_header(u32::MAX)]);
        assert_eq!(whole(&bytes).unwrap().num_frames, Some(0));
    }

    #[test]
    fn a_short_ds64_is_malformed() {
        let bytes = form(b"RF64", u32::MAX, &[&chunk_le(b"ds64", &[0; 20]), &fmt(1, 8000, 16)]);
        assert!(message(&bytes).contains("the 'ds64' chunk has 20 bytes, expected at least 28"));
    }

    #[test]
    fn an_unknown_data_size_reaches_to_the_end() {
        let bytes = form(b"RIFF", u32::MAX, &[&fmt(1, 8000, 16), &data_header(u32::MAX), SOUND]);
        let track = whole(&bytes).unwrap();
        assert_eq!((track.num_frames, track.missing_bytes), (Some(4), 0));
    }

    #[test]
    fn a_data_size_of_zero_reaches_to_the_end_when_the_form_does_not_go_on() {
        // The form has no size, ends before the audio, or is followed by something other than a chunk.
        for size in [0, u32::MAX, 36, 20, 1000] {
            let bytes = form(b"RIFF", size, &[&fmt(1, 8000, 16), &data_header(0), &[0x80; 24]]);
            assert_eq!(whole(&bytes).unwrap().num_frames, Some(12), "form of {size} bytes");
        }
    }

    #[test]
    fn a_data_size_of_zero_is_no_sound_when_chunks_follow_or_nothing() {
        let list = chunk_le(b"LIST", b"INFO");
        assert_eq!(whole(&wave(&[&fmt(1, 8000, 16), &data_header(0), &list])).unwrap().num_frames, Some(0));
        assert_eq!(whole(&wave(&[&fmt(1, 8000, 16), &data_header(0)])).unwrap().num_frames, Some(0));
        let before = wave(&[&data_header(0), &fmt(1, 8000, 16)]);
        assert_eq!(whole(&before).unwrap().num_frames, Some(0));
    }

    #[test]
    fn data_that_was_cut_off_is_counted() {
        let bytes = wave(&[&fmt(1, 8000, 16), &data_header(100), SOUND]);
        let track = whole(&bytes).unwrap();
        assert_eq!((track.num_frames, track.missing_bytes, track.data), (Some(4), 92, 44..52));
    }

    #[test]
    fn fact_counts_the_frames_of_a_codec() {
        let mp3 = Bytes::new().u16_le(0x55).u16_le(2).u32_le(44100).u32_le(0).u16_le(1).u16_le(0).u16_le(0);
        let (mp3, fact) = (chunk_le(b"fmt ", &mp3.0), chunk_le(b"fact", &1152u32.to_le_bytes()));
        let data = chunk_le(b"data", SOUND);
        let track = whole(&wave(&[&mp3, &fact, &data])).unwrap();
        assert_eq!((track.codec.name(), track.num_frames), ("mp3", Some(1152)));
        assert_eq!(whole(&wave(&[&mp3, &data, &fact])).unwrap().num_frames, None);
        let rf64 = form(b"RF64", u32::MAX, &[&ds64(0, 8, 99), &mp3, &chunk_le(b"fact", &[0xff; 4]), &data]);
        assert_eq!(whole(&rf64).unwrap().num_frames, Some(99));
    }

    #[test]
    fn what_is_missing_is_named() {
        let sound = chunk_le(b"data", SOUND);
        assert!(message(&wave(&[&sound])).contains("no 'fmt ' chunk before the end of the file"));
        assert!(message(&wave(&[&fmt(1, 8000, 16)])).contains("no 'data' chunk before the end of the file"));
        let list = Bytes::new().put(b"LIST").u32_le(u32::MAX - 1).0;
        let hidden = message(&wave(&[&fmt(1, 8000, 16), &list, &sound]));
        assert!(
            hidden.contains("no 'data' chunk: the 'LIST' chunk before it claims 4294967294 bytes"),
            "{hidden}"
        );
    }

    #[test]
    fn other_forms_are_named() {
        let avi = Bytes::new().put(b"RIFF").u32_le(100).put(b"AVI LIST").put(&[0; 100]);
        let error = whole(&avi.0).unwrap_err();
        assert!(matches!(error, Error::Unsupported { .. }));
        assert!(error.to_string().contains("an AVI video"), "{error}");
        let other = Bytes::new().put(b"RIFF").u32_le(100).put(b"Weee").put(&[0; 100]);
        assert!(message(&other.0).contains("a RIFF file of type 'Weee', expected 'WAVE'"));
    }

    #[test]
    fn a_file_that_ends_in_its_first_header_is_malformed() {
        assert!(message(b"RIFF").contains("expected 4 more bytes, found 0"));
        assert!(message(b"RIFF\0\0\0\0WA").contains("expected 4 more bytes, found 2"));
    }
}
