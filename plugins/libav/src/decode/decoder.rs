//! The decoder: a stream at a position.

#![forbid(unsafe_code)]

use std::ffi::{CStr, CString};
use std::sync::Arc;

use mapwave_plugin::{
    Chapter, Decoder, DecoderOptions, Error, Head, Input, Level, Output, Picture, Result, Status,
    StreamEntry, StreamInfo, log,
};

use super::codec::{Codec, Received};
use super::overlap;
use super::probe;
use super::seeking::Class;
use super::stream::Stream;
use super::trial::NUM_SETTLING;
use crate::error::{is_no_memory, no_memory, words};
use crate::frame::Frame;
use crate::packet::Packet;

/// A decoder for every format that the installed FFmpeg reads.
pub struct LibavDecoder {
    stream: Arc<Stream>,
    run: Option<Run>,
    /// The next frame to be written, on the trimmed timeline.
    position: u64,
}

impl Decoder for LibavDecoder {
    const NAME: &'static CStr = c"libav";
    const CODECS: &'static CStr = c"opus,aac,aac_latm,ac3,eac3,dts,truehd,mlp,wmav1,wmav2,wmapro,wmavoice,wmalossless,amr_nb,\
        amr_wb,ape,wavpack,tta,tak,musepack7,musepack8,shorten,speex,gsm,gsm_ms,ilbc,cook,ra_144,ra_288,atrac1,atrac3,\
        atrac3p,qdm2,nellymoser,adpcm_ima_wav,adpcm_ima_qt,adpcm_ms,adpcm_swf,adpcm_yamaha,adpcm_g722,adpcm_g726,\
        dsd_lsbf,dsd_msbf,mp1,mp2,mp3,vorbis,flac,alac";
    const EXTENSIONS: &'static CStr = c"opus,ogg,oga,spx,webm,mkv,mka,mp4,m4a,m4b,mov,3gp,3g2,wma,wmv,asf,ac3,eac3,ec3,dts,\
        dtshd,thd,mlp,amr,awb,ape,wv,tta,tak,mpc,mpp,shn,ra,rm,rmvb,aac,latm,loas,avi,flv,f4a,ts,m2ts,mts,mpg,mpeg,vob,au,snd,\
        voc,sph,dsf,dff,gsm,g722,aa3,oma,vqf,caf,8svx,iff,qcp,adx,brstm,nut,mxf,wtv,xwma,mp2,mpa,mp3,sbc,msbc,aptx,aptxhd,dfpwm,roq,sln,pvf,sox,ircam,sf,w64,hca,fsb,xa,vag,\
        ads,ss2,mtaf,bonk,rka,osq,wsaud,paf,xvag,musx,svag,rsd,genh,acm,ast,bfstm,bcstm,epaf,hcom,kvag,apc,daud";
    const PROBE_BYTES: u32 = 4096;
    const HAS_INDEX: bool = true;

    fn probe(head: &Head<'_>) -> u8 {
        probe::score(head, Self::EXTENSIONS.to_bytes())
    }

    fn open(input: Input, options: &DecoderOptions<'_>) -> Result<Self> {
        let stream = Arc::new(Stream::open(input, options)?);
        Ok(Self { stream, run: None, position: 0 })
    }

    fn info(&self) -> &StreamInfo {
        &self.stream.info
    }

    fn save_index(&self) -> Option<Vec<u8>> {
        self.stream.index.clone()
    }

    fn seek(&mut self, frame: u64) -> Result<()> {
        // A run from the front is the sequential decode itself, and may go on.
        let goes_on = self.stream.is_read_from_front() && frame >= self.position;
        self.run.take_if(|_| !goes_on);
        self.position = frame;
        Ok(())
    }

    fn decode(&mut self, output: &mut Output<'_>) -> Result<()> {
        crate::log::begin();
        let result = match self.stream.info.num_frames {
            Some(num_frames) => self.fill(num_frames, output),
            None => self.fill_uncounted(output),
        };
        if result.is_err() {
            self.run = None;
        }
        result
    }

    fn fork(&self) -> Result<Self> {
        Ok(Self { stream: Arc::clone(&self.stream), run: None, position: 0 })
    }

    fn container_variant(&self) -> Option<&str> {
        self.stream.container_variant.as_deref()
    }

    fn streams(&self) -> &[StreamEntry] {
        &self.stream.streams
    }

    fn tags(&self) -> &[(CString, CString)] {
        &self.stream.tags
    }

    fn pictures(&self) -> &[Picture] {
        &self.stream.pictures
    }

    fn chapters(&self) -> &[Chapter] {
        &self.stream.chapters
    }
}

/// What became of pending frames.
enum Written {
    /// This many frames were written.
    Frames(u64),
    /// None was: their place is not proven.
    Unproven,
}

/// A codec while it decodes the packets.
struct Run {
    /// The number of the first packet.
    start: usize,
    codec: Codec,
    packet: Packet,
    frame: Frame,
    /// The number of the next packet.
    next: usize,
    /// Where the next frame that comes out stands on the decoded timeline; `None` before the first.
    decoded: Option<u64>,
    /// The rest of libav's last frame.
    pending: Pending,
    /// The number of the packet where `pending` begins, or of an earlier one.
    place: usize,
    /// Whether a sent packet has produced no output yet.
    is_fresh: bool,
    is_finished: bool,
    /// Whether the place of `pending` is known. A codec that starts in the middle of a bit reservoir leaves out the frames that
    /// begin before it, so its first packets give fewer frames than in the sequential decode: where packets were counted by
    /// that, a place is known once all frames from one packet's first to the next one's are there.
    is_proven: bool,
}

/// Frames in libav's memory.
#[derive(Clone, Copy, Debug, Default)]
struct Pending {
    /// The first of them, in that memory.
    first: usize,
    num_frames: usize,
    /// Where it stands on the decoded timeline.
    decoded: u64,
}

impl Pending {
    fn advance(&mut self, num_frames: u64) {
        let count = usize::try_from(num_frames).unwrap_or(usize::MAX).min(self.num_frames);
        self.first += count;
        self.num_frames -= count;
        self.decoded += count as u64;
    }
}

impl LibavDecoder {
    /// Writes the trimmed timeline frame by frame, with silence for frames that fail to decode.
    fn fill(&mut self, num_frames: u64, output: &mut Output<'_>) -> Result<()> {
        while output.room() > 0 && self.position < num_frames {
            let run = match &mut self.run {
                Some(run) => run,
                None => self.run.insert(Run::at(&self.stream, self.entry()?)?),
            };
            let written = if run.pending.num_frames > 0 || run.advance(&self.stream, self.position)? {
                run.write(&self.stream, self.position, num_frames, output)?
            } else if run.is_proven {
                Written::Frames(silence(&self.stream, num_frames - self.position, output)?)
            } else {
                Written::Unproven
            };
            match written {
                Written::Frames(count) => self.position += count,
                Written::Unproven => self.run = Some(Run::at(&self.stream, 0)?),
            }
        }
        Ok(())
    }

    /// The packet at which decoding for the current position starts.
    fn entry(&self) -> Result<usize> {
        match self.stream.entry(self.position) {
            packet if packet > 0 && self.enters_in_place()? => Ok(packet),
            _ => Ok(0),
        }
    }

    /// Whether the codec decodes the same from the middle as from the front, which is found out once per stream: both decode the
    /// frames at the first anchor.
    fn enters_in_place(&self) -> Result<bool> {
        let Some((anchor, packet)) = self.stream.first_anchor() else { return Ok(true) };
        if let Some(is_in_place) = self.stream.overlap.get() {
            return Ok(*is_in_place);
        }
        let num_channels = self.stream.shape.num_channels as usize;
        // A codec that lacks its setup in the middle of a stream may fail there.
        let from = |packet| match self.excerpt(anchor, packet) {
            Err(error) if matches!(error.status(), Status::Unsupported | Status::BadData) => Ok(None),
            excerpt => excerpt,
        };
        let is_in_place = match from(packet)? {
            Some(entered) => from(0)?.is_some_and(|front| overlap::matches(&front, &entered, num_channels)),
            None => false,
        };
        if !is_in_place {
            let name = self.stream.info.codec.to_string_lossy();
            let message =
                format!("{name} decodes differently from the middle: this stream is read from the front");
            log(Level::Warning, &message);
        }
        Ok(*self.stream.overlap.get_or_init(|| is_in_place))
    }

    /// The samples from a frame on, decoded from a packet on; `None` if decoding cannot start at that packet.
    fn excerpt(&self, frame: u64, packet: usize) -> Result<Option<Vec<f32>>> {
        let num_channels = self.stream.shape.num_channels as usize;
        let run = Run::at(&self.stream, packet)?;
        let mut decoder = Self { stream: Arc::clone(&self.stream), run: Some(run), position: frame };
        let mut samples = vec![0f32; overlap::NUM_FRAMES * num_channels];
        let num_written = Output::with_slice(&mut samples, num_channels, |output| {
            decoder.decode(output).map(|()| output.num_written())
        })?;
        if decoder.run.is_none_or(|run| run.start != packet) {
            return Ok(None);
        }
        samples.truncate(num_written * num_channels);
        Ok(Some(samples))
    }

    /// Writes all output of a stream of unknown length.
    fn fill_uncounted(&mut self, output: &mut Output<'_>) -> Result<()> {
        while output.room() > 0 {
            let run = match &mut self.run {
                Some(run) => run,
                None => {
                    let wanted = std::mem::replace(&mut self.position, 0);
                    let mut run = Run::at(&self.stream, 0)?;
                    run.skip(&self.stream, wanted)?;
                    self.position = wanted;
                    self.run.insert(run)
                }
            };
            if run.pending.num_frames == 0 && !run.advance(&self.stream, self.position)? {
                return Ok(());
            }
            let pending = run.pending;
            let num_written = run.frame.write(pending.first..pending.first + pending.num_frames, output);
            run.pending.advance(num_written as u64);
            self.position += num_written as u64;
        }
        Ok(())
    }
}

impl Run {
    fn at(stream: &Stream, packet: usize) -> Result<Self> {
        Ok(Self {
            start: packet,
            codec: Codec::new(&stream.parameters, stream.max_samples)?,
            packet: Packet::new()?,
            frame: Frame::new()?,
            next: packet,
            // At the start of the stream, missing frames are lost; a codec that starts elsewhere may need another packet
            // before it outputs anything.
            decoded: (packet == 0).then_some(0),
            pending: Pending::default(),
            place: packet,
            is_fresh: false,
            is_finished: false,
            is_proven: packet == 0 || !stream.is_measured || stream.entry.class != Class::Anchored,
        })
    }

    /// Decodes until frames are pending; returns false at the end.
    fn advance(&mut self, stream: &Stream, position: u64) -> Result<bool> {
        loop {
            match self.codec.receive(&mut self.frame) {
                Received::Frame => {
                    if self.take(stream)? {
                        return Ok(true);
                    }
                }
                Received::Nothing if self.is_finished => return Ok(false),
                Received::Nothing => self.send(stream, position)?,
                Received::Damaged(code) => self.damaged(stream, position, code)?,
                Received::End => return Ok(false),
            }
        }
    }

    /// Sends the next packet, or the end, to the codec.
    fn send(&mut self, stream: &Stream, position: u64) -> Result<()> {
        let time = stream.timeline.places().get(self.next).map_or(0, |place| place.decoded);
        if !stream.store.read(self.next, time, &mut self.packet)? {
            self.is_finished = true;
            self.codec.finish();
            return Ok(());
        }
        self.next += 1;
        self.is_fresh = true;
        // An empty packet would signal the end.
        if self.packet.bytes().is_empty() {
            return Ok(());
        }
        match self.codec.send(&self.packet) {
            Ok(()) => Ok(()),
            Err(code) => self.damaged(stream, position, code),
        }
    }

    /// Handles a packet that cannot be decoded: an error in a lossless stream, silence elsewhere.
    fn damaged(&self, stream: &Stream, position: u64, code: i32) -> Result<()> {
        if is_no_memory(code) {
            return Err(no_memory("decoding a packet"));
        }
        let number = self.next.saturating_sub(1);
        let place = stream.timeline.places().get(number);
        let is_heard =
            place.is_none_or(|place| place.trimmed_end() > position && place.heard.0 < place.heard.1);
        if !is_heard {
            return Ok(());
        }
        let offset = stream.store.offset(number);
        let message = format!("packet {number} is damaged: libav says: {}", words(code));
        if stream.info.is_lossless {
            let error = Error::new(Status::BadData, message).with_native_code(code.into());
            return Err(match offset {
                Some(offset) => error.at(offset),
                None => error,
            });
        }
        let place = offset.map_or(String::new(), |offset| format!(" at byte {offset}"));
        log(Level::Warning, &format!("{message}{place}; it was replaced by silence"));
        Ok(())
    }

    /// Takes the output of the codec; returns false if none of it is audible.
    fn take(&mut self, stream: &Stream) -> Result<bool> {
        let number = self.next.saturating_sub(1);
        if !self.frame.shape().is_some_and(|shape| shape.is_like(&stream.shape)) {
            if number < NUM_SETTLING {
                return Ok(false);
            }
            let message = format!(
                "the stream changes at packet {number}: from {} channels at {} Hz to {}",
                stream.shape.num_channels,
                stream.shape.sample_rate,
                self.frame.shape().map_or("an unknown format".to_owned(), |shape| {
                    format!("{} channels at {} Hz", shape.num_channels, shape.sample_rate)
                })
            );
            let error = Error::unsupported(message);
            return Err(match stream.store.offset(number) {
                Some(offset) => error.at(offset),
                None => error,
            });
        }
        let num_frames = self.frame.num_frames();
        let place = stream.timeline.places().get(number);
        // The first frame of a packet gives its position. A codec with a small delay has it throughout: only a greater
        // delay means a loss.
        let time = self.frame.time().filter(|_| self.is_fresh && place.is_some());
        self.is_fresh = false;
        let tolerance = place.map_or(0, |place| u64::from(place.num_frames / 2));
        let decoded = match (self.decoded, time) {
            // The sequential decode is what the packets were counted by.
            (Some(decoded), _) if stream.is_measured && self.start == 0 => decoded,
            (Some(decoded), Some(time)) if stream.is_measured => {
                self.is_proven = decoded == time || stream.entry.class != Class::Anchored;
                time
            }
            (Some(decoded), Some(time)) if decoded.abs_diff(time) > tolerance => time,
            (Some(decoded), _) => decoded,
            (None, Some(time)) => time,
            (None, None) => place.map_or(0, |place| place.decoded),
        };
        self.decoded = Some(decoded + num_frames as u64);
        self.pending = Pending { first: 0, num_frames, decoded };
        while self.place > 0
            && stream.timeline.places().get(self.place).is_none_or(|place| place.decoded > decoded)
        {
            self.place -= 1;
        }
        Ok(num_frames > 0)
    }

    /// Writes pending audible frames and drops the others; returns the number of frames written.
    fn write(
        &mut self,
        stream: &Stream,
        position: u64,
        num_frames: u64,
        output: &mut Output<'_>,
    ) -> Result<Written> {
        let places = stream.timeline.places();
        let decoded = self.pending.decoded;
        while places.get(self.place).is_some_and(|place| place.end() <= decoded) {
            self.place += 1;
        }
        let Some(place) = places.get(self.place) else {
            // More frames came out than the stream has.
            self.pending.num_frames = 0;
            return Ok(Written::Frames(0));
        };
        let heard = place.heard();
        if !heard.contains(&decoded) {
            let end = if decoded < heard.start { heard.start } else { place.end() };
            self.pending.advance(end - decoded);
            return Ok(Written::Frames(0));
        }
        let frame = place.trimmed + (decoded - heard.start);
        if frame > position {
            if !self.is_proven {
                return Ok(Written::Unproven);
            }
            let missing = (frame - position).min(num_frames - position);
            return Ok(Written::Frames(silence(stream, missing, output)?));
        }
        let left = (heard.end - decoded).min(self.pending.num_frames as u64);
        if frame < position {
            self.pending.advance(left.min(position - frame));
            return Ok(Written::Frames(0));
        }
        if !self.is_proven {
            return Ok(Written::Unproven);
        }
        let left = usize::try_from(left.min(num_frames - position)).unwrap_or(usize::MAX);
        let first = self.pending.first;
        let num_written = self.frame.write(first..first + left, output) as u64;
        if num_written == 0 {
            return Err(Error::new(Status::Internal, "libav's frame has fewer samples than it reports"));
        }
        self.pending.advance(num_written);
        Ok(Written::Frames(num_written))
    }

    /// Drops the first frames of a stream of unknown length.
    fn skip(&mut self, stream: &Stream, num_frames: u64) -> Result<()> {
        let mut left = num_frames;
        while left > 0 {
            if self.pending.num_frames == 0 && !self.advance(stream, 0)? {
                break;
            }
            let count = left.min(self.pending.num_frames as u64);
            self.pending.advance(count);
            left -= count;
        }
        Ok(())
    }
}

/// Writes silence for missing frames, unless the stream is lossless.
fn silence(stream: &Stream, num_frames: u64, output: &mut Output<'_>) -> Result<u64> {
    if stream.info.is_lossless {
        let message = format!("{num_frames} frames are missing in a lossless stream");
        return Err(Error::new(Status::BadData, message));
    }
    Ok(output.write_silence(usize::try_from(num_frames).unwrap_or(usize::MAX)) as u64)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]
mod tests {
    use mapwave_plugin::SeekClass;

    use super::*;

    /// A WAV file of Yamaha's ADPCM, which libav only counts by decoding it: two samples for each byte.
    fn yamaha(num_bytes: u32) -> Vec<u8> {
        wav(0x20, &[], num_bytes)
    }

    /// A WAV file of a codec, with its setup and bytes that look random.
    fn wav(tag: u16, setup: &[u8], num_bytes: u32) -> Vec<u8> {
        let mut file = b"RIFF\0\0\0\0WAVEfmt ".to_vec();
        file.extend((18 + setup.len() as u32).to_le_bytes());
        file.extend(tag.to_le_bytes());
        file.extend([1, 0]);
        file.extend(8000u32.to_le_bytes());
        file.extend(4000u32.to_le_bytes());
        file.extend([0, 1, 4, 0]);
        file.extend((setup.len() as u16).to_le_bytes());
        file.extend(setup);
        file.extend(b"data");
        file.extend(num_bytes.to_le_bytes());
        file.extend((0..num_bytes).map(|number| (number * 37 % 251) as u8));
        file
    }

    fn open(max_measured: u64) -> LibavDecoder {
        let options = DecoderOptions::default();
        let stream = Stream::open_within(yamaha(20_480).into(), &options, max_measured).unwrap();
        LibavDecoder { stream: Arc::new(stream), run: None, position: 0 }
    }

    fn read(decoder: &mut LibavDecoder, most: usize, room: usize) -> Vec<i16> {
        let mut samples = Vec::new();
        let mut buffer = vec![0i16; room];
        while samples.len() < most {
            let room = room.min(most - samples.len());
            let count = Output::with_slice(&mut buffer[..room], 1, |output| {
                decoder.decode(output).map(|()| output.num_written())
            });
            match count.unwrap() {
                0 => break,
                count => samples.extend(&buffer[..count]),
            }
        }
        samples
    }

    #[test]
    fn a_stream_that_nobody_counts_is_read_from_the_front() {
        let mut counted = open(1 << 20);
        assert_eq!((counted.info().num_frames, counted.info().seek_class), (Some(40_960), SeekClass::None));
        let whole = read(&mut counted, usize::MAX, 4096);
        assert_eq!(whole.len(), 40_960);
        assert!(whole.iter().any(|sample| *sample != 0));
        let mut uncounted = open(1000);
        assert_eq!((uncounted.info().num_frames, uncounted.info().seek_class), (None, SeekClass::None));
        assert_eq!(read(&mut uncounted, usize::MAX, 999), whole);
        uncounted.seek(0).unwrap();
        assert_eq!(read(&mut uncounted, 5000, 77), whole[..5000]);
        uncounted.seek(5000).unwrap();
        assert_eq!(read(&mut uncounted, usize::MAX, 4096), whole[5000..]);
        let mut fork = uncounted.fork().unwrap();
        assert_eq!(read(&mut fork, usize::MAX, 10_000), whole);
    }

    #[test]
    fn a_codec_is_not_asked_for_what_was_never_there() {
        // libav's decoder outputs a frame at the end of the packets, even if there was none.
        let file = wav(0x161, &[0, 0, 0, 0, 1, 0, 0, 0, 0, 0], 0);
        let error = LibavDecoder::open(file.into(), &DecoderOptions::default()).err().unwrap();
        assert_eq!(error.status(), Status::BadData);
        assert!(error.message().contains("not one packet"), "{error}");
    }

    #[test]
    fn memory_that_is_not_allowed_is_not_taken() {
        let options = DecoderOptions { max_alloc: 3000, ..DecoderOptions::default() };
        let error = LibavDecoder::open(yamaha(200_000).into(), &options).err().unwrap();
        assert_eq!(error.status(), Status::Limit, "{error}");
    }
}
