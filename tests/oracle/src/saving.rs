//! Saves with any options, and reads what was saved.

use mapwave::{
    Audio, Dither, Encoding, Error, FrameSpec, Marker, OnUnknown, OpenOptions, OutputFormat, Overflow,
    PcmEncoding, SaveOptions,
};
use mapwave_core::track::Codec;

const FORMATS: [&str; 14] =
    ["wav", "rf64", "w64", "aiff", "aifc", "caf", "flac", "oga", "opus", "ogg", "m4a", "mp3", "wave", "bwf"];
const ENCODINGS: [&str; 14] = [
    "float32", "pcm16", "pcm24", "pcm32", "float64", "u8", "alaw", "mulaw", "flac", "alac", "opus", "vorbis",
    "s16", "x",
];
const RATES: [u32; 12] =
    [44_100, 48_000, 8000, 16_000, 1, 96_000, 192_000, 11_025, 384_000, 655_350, u32::MAX, 0];

/// How many frames a lossy codec may add to fill its last packets.
const MAX_PADDING: u64 = 1 << 16;

/// The bytes that decide.
struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn word(&mut self) -> u32 {
        u32::from_le_bytes([self.byte(), self.byte(), self.byte(), self.byte()])
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::from(self.byte()) % choices.len()]
    }

    /// Mostly `None`.
    fn maybe(&mut self) -> Option<u32> {
        match self.byte() {
            0..192 => None,
            192..224 => Some(u32::from(self.byte())),
            _ => Some(self.word()),
        }
    }

    fn text(&mut self) -> String {
        let count = usize::from(self.byte()).min(self.0.len());
        let (text, rest) = self.0.split_at(count);
        self.0 = rest;
        String::from_utf8_lossy(text).into_owned()
    }
}

/// Saves samples as bytes say, and reads them back; returns whether they are saved.
///
/// # Panics
/// When what is read is not what was saved.
pub(crate) fn check(bytes: &[u8]) -> bool {
    let mut choices = Choices(bytes);
    let (format, rate) = (choices.one_of(&FORMATS), choices.one_of(&RATES));
    let num_channels = match choices.byte() {
        count @ 0..200 => u16::from(count % 8 + 1),
        count => u16::from(count) * 7,
    };
    let Ok(mut options) = SaveOptions::for_format(format, rate, num_channels) else { return false };
    if let Some(encoding) = choices.maybe() {
        let name = ENCODINGS[encoding as usize % ENCODINGS.len()];
        options.encoding = name.parse::<Encoding>().expect("any name is an encoding");
    }
    options.channel_mask = choices.maybe().unwrap_or(0);
    options.gain = choices.maybe().map_or(1.0, |bits| f64::from(f32::from_bits(bits)));
    options.overflow = choices.one_of(&[Overflow::Clip, Overflow::Refuse, Overflow::Rescale]);
    options.dither = choices.maybe().map_or(Dither::None, |seed| Dither::Tpdf { seed: seed.into() });
    options.bitrate = choices.maybe();
    options.quality = choices.maybe().map(|quality| quality as u8);
    options.effort = choices.maybe().map(|effort| effort as u8);
    options.bits_per_sample = choices.maybe().map(|bits| bits as u16);
    options.on_unknown = choices.one_of(&[OnUnknown::Error, OnUnknown::Drop]);
    options.max_threads = choices.one_of(&[1, 2, 8]);
    for _ in 0..choices.byte() % 4 {
        let name = choices.one_of(&["title", "comment", "date", "x", "", "tracknumber", "Ä"]);
        options.tags.push((name.to_owned(), choices.text()));
    }
    if let Some(start) = choices.maybe() {
        let end = choices.maybe().map(u64::from);
        options.markers.push(Marker { label: choices.text(), start: start.into(), end });
    }
    let from = choices.one_of(&[OutputFormat::F32, OutputFormat::I16, OutputFormat::I32]);
    let sample_bytes = from.num_bytes();
    let num_frames = choices.0.len() / sample_bytes / usize::from(num_channels);
    let samples = &choices.0[..num_frames * usize::from(num_channels) * sample_bytes];
    save(&options, from, samples)
}

/// Saves samples, native bytes of a type, and reads the file.
fn save(options: &SaveOptions, from: OutputFormat, samples: &[u8]) -> bool {
    let num_channels = usize::from(options.num_channels);
    let num_frames = samples.len() / from.num_bytes() / num_channels;
    let axes = [num_frames, num_channels];
    let shorts: Vec<i16>;
    let words: Vec<u32>;
    let audio = if from == OutputFormat::I16 {
        shorts = samples.chunks_exact(2).map(|bytes| i16::from_ne_bytes([bytes[0], bytes[1]])).collect();
        Audio::new(&shorts, from, &axes, Some(mapwave::Layout::ChannelsLast))
    } else {
        words = samples
            .chunks_exact(4)
            .map(|bytes| u32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
            .collect();
        Audio::new(&words, from, &axes, Some(mapwave::Layout::ChannelsLast))
    };
    let Ok(audio) = audio else { return false };
    let directory = tempfile::tempdir_in(place()).expect("a temporary directory can be made");
    let path = directory.path().join("saved");
    let saved = mapwave::save_with(&path, &audio, options.clone());
    let left = std::fs::read_dir(directory.path()).expect("it is there").count();
    let saved = match saved {
        Ok(saved) => saved,
        Err(error) => {
            assert_eq!(left, 0, "a failed save leaves files: {error}");
            let is_guilty = matches!(&error, Error::Plugin { fault: mapwave_core::Fault::Broken, .. });
            assert!(!is_guilty, "a plugin is at fault: {error}");
            return false;
        }
    };
    assert_eq!(left, 1, "a save leaves one file");
    assert_eq!(saved.num_frames, num_frames as u64, "{options:?}");
    if num_frames == 0 {
        return true;
    }
    let reader = OpenOptions::new().open(&path);
    let reader = reader.unwrap_or_else(|error| panic!("what was saved is not read: {error}; {options:?}"));
    let track = reader.track();
    assert_eq!(track.num_channels, options.num_channels, "the channels of {options:?}");
    let is_lossy = matches!(&track.codec, Codec::Compressed(stream) if !stream.is_lossless);
    if is_lossy {
        let expected = num_frames as u64 * u64::from(track.sample_rate) / u64::from(options.sample_rate);
        let found = reader.num_frames();
        assert!(
            (expected..=expected + MAX_PADDING).contains(&found),
            "{found} frames for {expected}: {options:?}"
        );
    } else {
        assert_eq!(track.sample_rate, options.sample_rate, "the rate of {options:?}");
        assert_eq!(reader.num_frames(), num_frames as u64, "the frames of {options:?}");
    }
    let spec = FrameSpec { format: from, ..FrameSpec::default() };
    let read = reader.read(0..reader.num_frames(), &spec);
    let read = read.unwrap_or_else(|error| panic!("what was saved does not decode: {error}; {options:?}"));
    let is_plain = options.gain.to_bits() == 1.0_f64.to_bits() && options.dither == Dither::None;
    if is_plain && !is_lossy && keeps(options, from) {
        assert!(read.bytes() == samples, "other samples came back: {options:?}");
    }
    true
}

/// Whether an encoding holds every integer of a type; floats may be clipped.
fn keeps(options: &SaveOptions, from: OutputFormat) -> bool {
    let bits = match &options.encoding {
        // The default of a lossless codec: 16 bits for samples of 16.
        Encoding::Pcm(PcmEncoding::F32) | Encoding::Codec(_) => return false,
        Encoding::Pcm(encoding) => encoding.integer_bits().unwrap_or(0),
    };
    let needed = if from == OutputFormat::I16 { 16 } else { 32 };
    from != OutputFormat::F32 && bits >= needed && options.bits_per_sample.is_none_or(|bits| bits >= needed)
}

/// Where files are saved: in memory, if there is such a place.
fn place() -> std::path::PathBuf {
    let memory = std::path::Path::new("/dev/shm");
    if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() }
}
