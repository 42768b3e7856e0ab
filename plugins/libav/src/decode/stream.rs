//! The facts about a file, found once and shared by all handles over it.

#![forbid(unsafe_code)]

use std::ffi::{CStr, CString};

use mapwave_plugin::fork::SetOnce;
use mapwave_plugin::{
    Chapter, DecoderOptions, Error, Input, Level, Picture, Result, SampleFormat, SeekClass, Status,
    StreamEntry, StreamInfo, log,
};

use super::changes;
use super::container::Container;
use super::demuxer::{Chosen, Demuxer, Next};
use super::durations::{Counting, Known};
use super::identify;
use super::items;
use super::measured;
use super::parameters::{CodecKind, Parameters};
use super::promise;
use super::seeking::{Class, Entry};
use super::store::Store;
use super::timeline::{Scale, Timeline};
use super::trial::{self, Bounds, NUM_SETTLING, Trial};
use super::wavpack::{self, WavPackFacts};
use crate::error::words;
use crate::frame::Shape;
use crate::majors::{has_frame_durations, is_left_out, speex_packet_frames};
use crate::packet::{Packet, Trim};
use crate::tags::tags;

/// The numbers of packets to try, first few and then more, until a frame comes out.
const FIRST_TRIES: [usize; 3] = [NUM_SETTLING, 64, 512];

/// The maximum number of samples to decode to find out a stream's length: three quarters of an hour of
/// stereo at 96 kHz. Longer streams have an unknown length and are read from the start.
const MAX_MEASURED: u64 = 1 << 29;

/// The number of packets, empty ones included, that a byte of a file can hold at most, with a margin.
const MAX_PACKETS_PER_BYTE: u64 = 8;

/// The number of last packets to decode, to see what is left of them in a truncated file.
const NUM_LAST: usize = 3;

/// The object type of low-complexity AAC.
const AAC_LOW_COMPLEXITY: u8 = 2;

/// Codecs that give other samples each time, and why.
const UNREPEATABLE: [(&CStr, &str); 2] = [
    (c"codec2", "its library has one noise generator for the whole process"),
    (c"mp4als", "its decoder reads memory that it did not write"),
];

/// The formats that decoding writes.
const FORMATS: &[SampleFormat] = &[SampleFormat::F32, SampleFormat::I16, SampleFormat::I32];

/// The facts about a file.
pub(super) struct Stream {
    pub(super) store: Store,
    pub(super) parameters: Parameters,
    pub(super) timeline: Timeline,
    pub(super) shape: Shape,
    pub(super) entry: Entry,
    pub(super) info: StreamInfo,
    pub(super) container_variant: Option<String>,
    pub(super) tags: Vec<(CString, CString)>,
    pub(super) pictures: Vec<Picture>,
    pub(super) chapters: Vec<Chapter>,
    /// All audio streams of the file.
    pub(super) streams: Vec<StreamEntry>,
    pub(super) max_samples: u64,
    /// Whether the packets were counted by decoding all of them.
    pub(super) is_measured: bool,
    /// What it took that to count, as bytes.
    pub(super) index: Option<Vec<u8>>,
    /// Whether the codec decodes the same from the middle as from the front, once that is known.
    pub(super) overlap: SetOnce<bool>,
}

/// The packets of a stream as the container has them.
struct Scan {
    store: Store,
    /// The trimming of each packet, and its number of frames if its bytes or the container state it.
    packets: Vec<(Trim, Option<u32>)>,
    wavpack: Option<WavPackFacts>,
    /// The object type of AAC in ADTS.
    adts_profile: Option<u8>,
    is_truncated: bool,
    is_last_corrupt: bool,
    /// Whether the last packet is truncated; it is left out then.
    is_last_cut: bool,
    /// Whether a packet after the first reconfigures the codec.
    is_set_up_anew: bool,
}

impl Scan {
    /// Whether an AAC stream is of the low-complexity profile (ISO/IEC 14496-3, table 1.17), by its setup or its ADTS header.
    fn is_low_complexity(&self, parameters: &Parameters) -> bool {
        match (parameters.setup().first(), self.adts_profile) {
            (Some(first), _) => first >> 3 == AAC_LOW_COMPLEXITY,
            (None, profile) => profile == Some(AAC_LOW_COMPLEXITY),
        }
    }
}

impl Stream {
    /// Collects the facts about a file.
    ///
    /// # Errors
    /// As [`mapwave_plugin::Decoder::open`].
    pub(super) fn open(input: Input, options: &DecoderOptions<'_>) -> Result<Self> {
        Self::open_within(input, options, MAX_MEASURED)
    }

    /// The same, with another limit for decoding to count frames.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub(super) fn open_within(input: Input, options: &DecoderOptions<'_>, max_measured: u64) -> Result<Self> {
        let mut form = [0; 4];
        input.read_at(0, &mut form)?;
        if &form == b"RIFX" {
            return Err(Error::unsupported("RIFX, whose samples libav reads as little-endian"));
        }
        if &form == b"fLaC" {
            check_flac_metadata(&input)?;
        }
        let mut demuxer = Demuxer::open(input.clone(), options.extension, options.max_alloc)?;
        let mut chosen = demuxer.choose(options.stream)?;
        let streams = std::mem::take(&mut chosen.listed);
        let kind = supported(&chosen.parameters)
            .map_err(|error| StreamEntry::named(&streams, chosen.number, error))?;
        let known = Known {
            sample_rate: chosen.parameters.sample_rate(),
            num_channels: chosen.parameters.num_channels(),
            time_base: chosen.time_base,
        };
        let counting = match Counting::of(&kind.name.to_string_lossy(), &known) {
            Counting::Container if !has_frame_durations(demuxer.format()) => Counting::Measured,
            counting => counting,
        };
        let container = Container::of(&demuxer, &input)?;
        let is_cut = promise::is_cut(demuxer.format().to_bytes(), &input)?;
        let promised = promise::num_frames(&input)?;
        let end = promise::vorbis_frames(demuxer.format().to_bytes(), kind.name.to_bytes(), &input)?;
        let store = Store::new(input, options.max_alloc);
        // Durations are frames where the time base is the sample rate.
        let is_in_frames = (known.time_base.numerator, known.time_base.denominator) == (1, known.sample_rate);
        let is_aac = kind.name == c"aac" && is_in_frames;
        let mut scan = scan(&mut demuxer, &chosen, counting, store, is_aac)?;
        scan.is_truncated |= is_cut;
        let tags = tags(demuxer.tags(), chosen.tags);
        let pictures = demuxer.pictures();
        drop(demuxer);
        let max_samples = (options.max_alloc / 16).clamp(1 << 12, 1 << 28);
        let bounds = Bounds { max_samples, max_total: max_measured };
        let parameters = chosen.parameters;
        let builder =
            Builder { parameters, kind, counting, scan, promised, end, bounds, index: options.index };
        let built = builder.build(container, tags)?;
        let chapters = items::chapters(&chosen.sections, built.info.sample_rate, built.info.num_frames);
        Ok(Self { streams, pictures, chapters, ..built })
    }

    /// The packet at which a new codec must start so that `frame` of the trimmed timeline decodes as its seek class promises.
    pub(super) fn entry(&self, frame: u64) -> usize {
        if self.entry.class == Class::None {
            return 0;
        }
        let places = self.timeline.places();
        let wanted = self.timeline.find(frame);
        let Some(place) = places.get(wanted) else { return 0 };
        let by_time = place.decoded.saturating_sub(self.entry.num_frames(self.shape.sample_rate));
        let by_time = self.timeline.find_decoded(by_time);
        let entry = wanted.saturating_sub(self.entry.packets as usize).min(by_time);
        self.store.before(entry, self.entry.reservoir_bytes)
    }

    /// The first anchor after the front and the packet at which a codec starts for it; `None` if every seek starts at the front or
    /// is exact.
    pub(super) fn first_anchor(&self) -> Option<(u64, usize)> {
        let SeekClass::Anchored { grid_frames } = self.info.seek_class else { return None };
        let end = self.info.num_frames?;
        // The anchor may be in the frames that every codec starts with.
        let anchors = (1..).map_while(|number| grid_frames.checked_mul(number).filter(|frame| *frame < end));
        anchors.map(|frame| (frame, self.entry(frame))).find(|(_, packet)| *packet > 0)
    }

    /// Whether a codec never starts in the middle, because it was found to decode differently from there.
    pub(super) fn is_read_from_front(&self) -> bool {
        self.overlap.get() == Some(&false)
    }
}

/// The codec of a stream.
///
/// # Errors
/// [`Status::Unsupported`] when libav has no decoder for it that can be relied on.
fn supported(parameters: &Parameters) -> Result<CodecKind> {
    let kind = parameters.kind()?;
    parameters.decoder()?;
    match UNREPEATABLE.iter().find(|(name, _)| kind.name == *name) {
        None => Ok(kind),
        Some((_, why)) => {
            let name = kind.name.to_string_lossy();
            Err(Error::unsupported(format!("{name}, which libav decodes differently each time: {why}")))
        }
    }
}

/// Rejects FLAC metadata that is longer than the file, for which libav would allocate memory (RFC 9639, section 8.1).
fn check_flac_metadata(input: &Input) -> Result<()> {
    let mut place = 4;
    loop {
        let mut header = [0; 4];
        if input.read_at(place, &mut header)? < header.len() {
            return Ok(()); // libav says what is missing
        }
        let [kind, length @ ..] = header;
        let [high, middle, low] = length.map(u64::from);
        let num_bytes = high << 16 | middle << 8 | low;
        let end = place + 4 + num_bytes;
        if end > input.num_bytes() {
            let message =
                format!("a metadata block of {num_bytes} bytes at byte {place} of {}", input.num_bytes());
            return Err(Error::new(Status::BadData, message));
        }
        if kind & 0x80 != 0 {
            return Ok(());
        }
        place = end;
    }
}

/// Reads all packets of a stream.
fn scan(
    demuxer: &mut Demuxer,
    chosen: &Chosen,
    counting: Counting,
    store: Store,
    is_aac: bool,
) -> Result<Scan> {
    let mut packet = Packet::new()?;
    let most = store.num_file_bytes().saturating_mul(MAX_PACKETS_PER_BYTE).saturating_add(1024);
    let mut scan = Scan {
        store,
        packets: Vec::new(),
        wavpack: None,
        adts_profile: None,
        is_truncated: false,
        is_last_corrupt: false,
        is_last_cut: false,
        is_set_up_anew: false,
    };
    let packet_bytes = Timeline::PLACE_BYTES + size_of::<(Trim, Option<u32>)>() as u64;
    let (mut usual, mut last) = (0, 0);
    let codec = chosen.parameters.kind()?.name;
    let mut signature = None;
    loop {
        match demuxer.next(chosen.index, &mut packet)? {
            Next::Packet => {}
            Next::End => break,
            Next::Broken(_) => {
                scan.is_truncated = true;
                break;
            }
        }
        if let Some(found) = changes::signature(codec.to_bytes(), packet.bytes()) {
            if scan.packets.len() >= NUM_SETTLING && signature.is_some_and(|before| before != found) {
                let message = format!(
                    "the sample rate or the channels change at packet {}: what comes before is read",
                    scan.packets.len()
                );
                log(Level::Warning, &message);
                scan.is_truncated = true;
                break;
            }
            signature = Some(found);
        }
        if scan.packets.len() as u64 >= most {
            let message =
                format!("more than {most} packets were found in {} bytes", scan.store.num_file_bytes());
            return Err(Error::new(Status::BadData, message));
        }
        scan.store.allocate(packet_bytes)?;
        scan.store.push(&packet)?;
        if scan.packets.is_empty() && codec == c"wavpack" {
            scan.wavpack = wavpack::facts(packet.bytes());
        }
        if let (true, [0xff, _, third, ..]) = (scan.packets.is_empty(), packet.bytes()) {
            scan.adts_profile = Some((third >> 6) + 1);
        }
        scan.packets.push((packet.trim(), counting.count(packet.bytes(), packet.duration())));
        (usual, last) = (last.max(usual), packet.duration());
        scan.is_last_corrupt = packet.is_corrupt();
        scan.is_last_cut = identify::is_cut(codec, packet.bytes());
        scan.is_set_up_anew |= scan.packets.len() > 1 && packet.changes_setup();
    }
    if scan.is_last_cut {
        scan.packets.pop();
        scan.store.truncate(scan.packets.len());
    }
    // A format of samples alone is read in pieces of any size, of which the last is short.
    scan.is_last_corrupt &= !matches!(codec.to_bytes(), b"aptx" | b"aptx_hd");
    scan.is_truncated |= scan.is_last_corrupt || scan.is_last_cut;
    // In MP4 the duration of the last AAC packet excludes the padding (ISO/IEC 14496-12, "Decoding time to sample box").
    // libav decodes all of it.
    if is_aac && demuxer.is_mp4() && (1..usual).contains(&last) {
        let padding = u32::try_from(usual - last).unwrap_or(0);
        if let Some((trim, _)) = scan.packets.last_mut() {
            trim.discard = trim.discard.max(padding);
        }
    }
    scan.store.close();
    Ok(scan)
}

/// A stream under construction.
struct Builder<'a> {
    parameters: Parameters,
    kind: CodecKind,
    counting: Counting,
    scan: Scan,
    /// The number of frames that the stream's header states.
    promised: Option<u64>,
    /// Where the sound ends, if libav trims it wrongly.
    end: Option<u64>,
    bounds: Bounds,
    /// What was measured before.
    index: &'a [u8],
}

impl Builder<'_> {
    fn build(mut self, container: Container, tags: Vec<(CString, CString)>) -> Result<Stream> {
        let (shape, first) = self.first()?;
        let scale = self.scale(&first.counts, shape);
        let known = self.known_counts(&first);
        let is_measured = known.is_none();
        let counted = match known {
            Some(counts) => Some(self.check_last(counts, shape)?),
            None => match measured::load(self.index, self.scan.packets.len()) {
                Some(counts) if first.begins(&counts) => Some(counts),
                _ => self.measure(shape)?,
            },
        };
        // Where the stream changes, fewer packets are counted than there are.
        let is_whole = |counts: &&Vec<u32>| is_measured && counts.len() == self.scan.packets.len();
        let index = counted.as_ref().filter(is_whole).map(|counts| measured::save(counts));
        let entry = match counted {
            Some(_) if self.kind.name == c"aac" && !self.scan.is_set_up_anew => {
                Entry::aac(self.scan.is_low_complexity(&self.parameters), scale != Scale::ONE)
            }
            Some(_) if !self.scan.is_set_up_anew => Entry::of(&self.kind.name.to_string_lossy()),
            _ => Entry::unknown(),
        };
        if let (Some(end), Some(counts), Some((trim, _))) = (self.end, &counted, self.scan.packets.last_mut())
        {
            let total: u64 = counts.iter().map(|count| u64::from(*count)).sum();
            trim.discard = u32::try_from(total.saturating_sub(end)).unwrap_or(u32::MAX);
        }
        let mut timeline = Timeline::new(first.skip.unwrap_or(0));
        for ((trim, _), num_frames) in self.scan.packets.iter().zip(counted.iter().flatten()) {
            let is_left_out = is_left_out(self.kind.name, self.parameters.setup(), *num_frames, trim.discard);
            let discard = if is_left_out { 0 } else { trim.discard };
            timeline.push(*num_frames, Trim { discard, ..*trim }, scale);
        }
        let num_frames = counted.is_some().then(|| timeline.num_frames());
        let is_short = |promised| num_frames.is_some_and(|num_frames| num_frames < promised);
        self.scan.is_truncated |= self.promised.is_some_and(is_short);
        if num_frames == Some(0) && self.scan.is_truncated {
            let message = "the file is truncated, and not one frame is left";
            return Err(Error::new(Status::BadData, message));
        }
        let info = self.info(shape, container.name, &timeline, num_frames, entry);
        let Self { parameters, scan, bounds, .. } = self;
        let max_samples = bounds.max_samples;
        let container_variant = container.variant;
        let store = scan.store;
        let overlap = SetOnce::new();
        Ok(Stream {
            store,
            parameters,
            timeline,
            shape,
            entry,
            info,
            container_variant,
            tags,
            pictures: Vec::new(),
            chapters: Vec::new(),
            streams: Vec::new(),
            max_samples,
            is_measured,
            index,
            overlap,
        })
    }

    /// The output of the first packets.
    fn first(&self) -> Result<(Shape, Trial)> {
        let num_packets = self.scan.store.num_packets();
        let bounds = Bounds { max_total: MAX_MEASURED, ..self.bounds };
        let mut damage = None;
        for most in FIRST_TRIES {
            if num_packets == 0 {
                break;
            }
            let packets = 0..num_packets.min(most);
            let trial = trial::decode(&self.scan.store, &self.parameters, packets, None, bounds)?;
            let Some(trial) = trial else { break };
            if let Some(shape) = trial.shape {
                self.check_speex(&trial.counts)?;
                return Ok((shape, trial));
            }
            damage = damage.or(trial.damage);
            if most >= num_packets {
                break;
            }
        }
        let name = self.kind.name.to_string_lossy();
        let message = match (num_packets, damage) {
            (0, _) => format!("the {name} stream has not one packet"),
            (_, Some(code)) => {
                format!("none of the first packets of {name} can be decoded: libav says: {}", words(code))
            }
            (_, None) => format!("the first packets of {name} decode to no frames"),
        };
        let error = Error::new(Status::BadData, message).with_native_code(damage.unwrap_or(0).into());
        Err(match self.scan.store.offset(0) {
            Some(offset) => error.at(offset),
            None => error,
        })
    }

    /// Rejects Speex of which a decoder gives more frames than its header says.
    fn check_speex(&self, counts: &[u32]) -> Result<()> {
        if self.kind.name != c"speex" {
            return Ok(());
        }
        let Some(expected) = speex_packet_frames(self.parameters.setup()) else { return Ok(()) };
        match counts.iter().find(|count| **count > expected) {
            Some(count) => Err(Error::unsupported(format!(
                "Speex with {expected} frames a packet, of which this version of FFmpeg decodes {count}; install one with libspeex"
            ))),
            None => Ok(()),
        }
    }

    /// Containers count the trimming of AAC in core frames, which spectral band replication doubles, and Matroska counts that of
    /// Opus at the sample rate of the original.
    fn scale(&self, first: &[u32], shape: Shape) -> Scale {
        let name = self.kind.name.to_bytes();
        if name.starts_with(b"aac") && first.iter().any(|count| matches!(count, 1920 | 2048)) {
            return Scale { decoded: 2, told: 1 };
        }
        match self.parameters.sample_rate() {
            told if name == b"opus" && told > 0 => Scale { decoded: shape.sample_rate, told },
            _ => Scale::ONE,
        }
    }

    /// The number of frames of each packet, if it can be found without decoding all packets.
    fn known_counts(&self, first: &Trial) -> Option<Vec<u32>> {
        let counts: Vec<u32> = match self.counting {
            Counting::Measured => return None,
            Counting::FirstDecoded => {
                let num_frames = first.counts.iter().copied().max().filter(|count| *count > 0)?;
                vec![num_frames; self.scan.packets.len()]
            }
            _ => self.scan.packets.iter().map(|(_, count)| *count).collect::<Option<_>>()?,
        };
        // The frames decoded so far must match the count, except in a codec's first packet and a file's last.
        let inside = 1..first.counts.len().min(counts.len().saturating_sub(1));
        let differs = |number: usize| first.counts.get(number) != counts.get(number);
        let is_wrong = self.counting.is_prompt() && first.damage.is_none() && inside.into_iter().any(differs);
        (!is_wrong).then_some(counts)
    }

    /// Decodes the last packets: a truncated one gives no frames, and the last may be shorter.
    fn check_last(&mut self, mut counts: Vec<u32>, shape: Shape) -> Result<Vec<u32>> {
        if matches!(self.counting, Counting::Blocks { .. }) || self.kind.name == c"opus" {
            if self.scan.is_last_corrupt && self.kind.name == c"opus" {
                counts.pop();
            }
            return Ok(counts);
        }
        let num_packets = counts.len();
        let entry = Entry::of(&self.kind.name.to_string_lossy());
        // The first packet decoded may lack what comes before it.
        let before = NUM_LAST + entry.packets.max(1) as usize;
        let packets = num_packets.saturating_sub(before)..num_packets;
        let trial = trial::decode(&self.scan.store, &self.parameters, packets, Some(shape), self.bounds)?;
        let Some(trial) = trial.filter(|trial| trial.change.is_none()) else { return Ok(counts) };
        let found = trial.counts.iter().rev().take(NUM_LAST);
        let is_whole = trial.counts.len() > NUM_LAST || num_packets <= NUM_LAST;
        for (count, found) in counts.iter_mut().rev().zip(found) {
            if !is_whole || found >= count {
                break;
            }
            self.scan.is_truncated |= *found == 0;
            *count = *found;
            if *found > 0 {
                break;
            }
        }
        Ok(counts)
    }

    /// The number of frames of each packet, by decoding all of them; `None` if that would take too long.
    fn measure(&mut self, shape: Shape) -> Result<Option<Vec<u32>>> {
        let packets = 0..self.scan.store.num_packets();
        let trial = trial::decode(&self.scan.store, &self.parameters, packets, Some(shape), self.bounds)?;
        let Some(mut trial) = trial else { return Ok(None) };
        if let Some(number) = trial.change {
            trial.counts.truncate(number);
            self.scan.store.truncate(number);
            self.scan.is_truncated = true;
        }
        Ok(Some(trial.counts))
    }

    fn info(
        &self,
        shape: Shape,
        container: &'static CStr,
        timeline: &Timeline,
        num_frames: Option<u64>,
        entry: Entry,
    ) -> StreamInfo {
        let to_u32 = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        let (priming, padding) = timeline.left_out();
        let is_lossless = self.scan.wavpack.map_or(self.kind.is_lossless, |facts| facts.is_lossless);
        let bits = [
            self.scan.wavpack.map_or(0, |facts| facts.bits_per_sample),
            self.parameters.bits_per_raw_sample(),
            self.parameters.bits_per_coded_sample(),
            shape.format.sample.bits(),
        ];
        // A damaged header may claim any number.
        let bits = bits.into_iter().find(|bits| (1..=64).contains(bits)).unwrap_or(0);
        let packet_frames = timeline.places().first().map_or(0, |place| u64::from(place.num_frames));
        let pre_roll = entry.num_frames(shape.sample_rate).max(u64::from(entry.packets) * packet_frames);
        StreamInfo {
            sample_rate: shape.sample_rate,
            num_channels: shape.num_channels,
            channel_mask: shape.channel_mask,
            num_frames,
            bits_per_sample: if is_lossless { bits } else { 0 },
            native_format: shape.format.sample.native(),
            formats: FORMATS,
            seek_class: entry.seek_class(shape.sample_rate),
            is_lossless,
            is_truncated: self.scan.is_truncated,
            priming_frames: to_u32(priming),
            padding_frames: to_u32(padding),
            seek_cost_frames: pre_roll + packet_frames / 2,
            codec: self.kind.name,
            container,
        }
    }
}
