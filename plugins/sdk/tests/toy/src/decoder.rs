//! A format of the simplest kind: "TOY", a letter that says what goes wrong, the number of channels, then 16-bit samples.

use std::ffi::{CStr, CString};

use mapwave_plugin::{
    Chapter, CodecOption, Decoder, DecoderOptions, Error, Head, Input, Level, OptionKind, Output, Picture,
    Result, SampleFormat, SeekClass, Status, StreamEntry, StreamInfo, Sweep, is_cancelled, log,
};

const HEADER_BYTES: u64 = 5;
/// The frame at which decoding goes wrong.
const BAD_FRAME: u64 = 100;

/// A file of the toy format. The letter `mode` is '-' when all is well, else what panics: 'o'pen, 's'eek, 'd'ecode, 'f'ork,
/// 't'ags, 'x' drop, 'v' a value that panics when it is dropped; or 'b'ad data, 'l'ies about the channels, 'i'llegal info,
/// 'u'nknown length, 'w'arns, 'n' streams.
pub fn file(mode: char, num_channels: u8, samples: &[i16]) -> Vec<u8> {
    let mut bytes = format!("TOY{mode}").into_bytes();
    bytes.push(num_channels);
    bytes.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    bytes
}

pub(crate) struct ToyDecoder {
    input: Input,
    mode: u8,
    position: u64,
    info: StreamInfo,
    lie: StreamInfo,
    num_decoded: usize,
    tags: Vec<(CString, CString)>,
    pictures: Vec<Picture>,
    chapters: Vec<Chapter>,
    streams: Vec<StreamEntry>,
    index: Vec<u8>,
}

struct PanicsOnDrop;

impl Drop for PanicsOnDrop {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

impl ToyDecoder {
    fn new(input: Input, mode: u8, info: StreamInfo, tags: Vec<(CString, CString)>) -> Self {
        let lie = StreamInfo { num_channels: info.num_channels + 7, ..info.clone() };
        Self {
            input,
            mode,
            position: 0,
            info,
            lie,
            num_decoded: 0,
            tags,
            pictures: vec![Picture::new("image/png", b"\x89PNG".to_vec())],
            chapters: vec![Chapter { end: Some(2), ..Chapter::new("first", 1) }, Chapter::new("", 3)],
            streams: Vec::new(),
            index: Vec::new(),
        }
    }

    fn panic_in(&self, mode: u8) {
        assert!(self.mode != mode, "mode {}", char::from(mode));
    }

    /// How many frames there are, whatever `info` says.
    fn num_frames(&self) -> u64 {
        (self.input.num_bytes() - HEADER_BYTES) / (2 * u64::from(self.info.num_channels))
    }
}

impl Drop for ToyDecoder {
    fn drop(&mut self) {
        self.panic_in(b'x');
    }
}

impl Decoder for ToyDecoder {
    const NAME: &'static CStr = c"toy";
    const CODECS: &'static CStr = c"toy";
    const EXTENSIONS: &'static CStr = c"toy,ty";
    const PROBE_BYTES: u32 = 5;
    const HAS_INDEX: bool = true;
    const OPTIONS: &'static [CodecOption] = &[
        CodecOption {
            name: c"level",
            kind: OptionKind::Integer { minimum: -9, maximum: 9 },
            default_value: Some(c"5"),
            description: c"how high",
        },
        CodecOption {
            name: c"kind",
            kind: OptionKind::Text { choices: Some(c"a,b") },
            default_value: None,
            description: c"",
        },
    ];

    fn probe(head: &Head<'_>) -> u8 {
        assert!(head.bytes != b"PANIC", "probe");
        assert!(head.bytes.len() <= 5, "no more than was asked for");
        match (head.bytes, &head.track) {
            (_, Some(track)) => u8::from(track.codec == "toy" && track.container == "wav") * 70,
            ([b'T', b'O', b'Y', _, _], None) => 200, // which is cut to 100
            _ if head.extension == Some("toy") => 10,
            _ => 0,
        }
    }

    fn open(input: Input, options: &DecoderOptions<'_>) -> Result<Self> {
        let mut header = [0; 5];
        let num_read = input.read_at(0, &mut header)?;
        let (mode, num_channels) = match header {
            [b'T', b'O', b'Y', mode, num_channels] if num_read == header.len() => (mode, num_channels),
            _ => return Err(Error::bad_data(0, "no TOY")),
        };
        assert!(mode != b'o', "mode o");
        if mode == b'r' {
            scan(&input);
        }
        // Mode 'n' has two streams, of which the second is the default.
        let mut streams = match mode {
            b'n' => vec![
                StreamEntry { sample_rate: 44100, num_channels: 1, ..StreamEntry::new("toy", "und") },
                StreamEntry { is_default: true, ..StreamEntry::new("ac3", "deu") },
            ],
            _ => Vec::new(),
        };
        if mode == b'n' && StreamEntry::choose(&mut streams, options.stream)? == 1 {
            return Err(Error::unsupported("stream 1 is ac3"));
        }
        let frame_bytes = 2 * u64::from(num_channels.max(1));
        let info = StreamInfo {
            sample_rate: 44100,
            num_channels: num_channels.into(),
            channel_mask: 1u64.checked_shl(num_channels.into()).map_or(0, |bit| bit - 1),
            num_frames: (mode != b'u').then_some((input.num_bytes() - HEADER_BYTES) / frame_bytes),
            bits_per_sample: 16,
            native_format: SampleFormat::I16,
            formats: &[SampleFormat::F32, SampleFormat::I16],
            seek_class: SeekClass::Anchored { grid_frames: if mode == b'i' { 0 } else { 64 } },
            is_lossless: true,
            is_truncated: false,
            priming_frames: 1,
            padding_frames: 2,
            seek_cost_frames: 3,
            codec: c"toy",
            container: c"raw",
        };
        let text = |text: String| {
            CString::new(text).map_err(|error| Error::new(Status::Internal, error.to_string()))
        };
        // The options come back as metadata, for the tests to see.
        let (settings, index) = (&options.settings, options.index);
        let options = format!(
            "{:?} {} {} {:?} {:?}",
            options.stream,
            options.max_threads,
            options.max_alloc,
            options.extension,
            options.track.as_ref().map(|track| track.data.clone())
        );
        let mut tags =
            vec![(c"title".to_owned(), c"Toy".to_owned()), (c"options".to_owned(), text(options)?)];
        if let Some(level) = settings.integer("level") {
            let text = text(format!("{level} {:?} {}", settings.text("kind"), is_cancelled()))?;
            tags.push((c"settings".to_owned(), text));
        }
        let mut this = Self::new(input, mode, info, tags);
        this.streams = streams;
        this.index = if index.is_empty() { b"scanned".to_vec() } else { index.to_vec() };
        Ok(this)
    }

    fn info(&self) -> &StreamInfo {
        if self.mode == b'l' && self.num_decoded > 0 { &self.lie } else { &self.info }
    }

    fn seek(&mut self, frame: u64) -> Result<()> {
        self.panic_in(b's');
        self.position = frame;
        Ok(())
    }

    fn decode(&mut self, output: &mut Output<'_>) -> Result<()> {
        self.num_decoded += 1;
        let num_channels = self.info.num_channels as usize;
        let mut bytes = vec![0; 2 * num_channels];
        while output.room() > 0 && self.position < self.num_frames() {
            if self.position == BAD_FRAME {
                match self.mode {
                    b'd' => panic!("mode d"),
                    b'v' => std::panic::panic_any(PanicsOnDrop),
                    b'w' => log(Level::Warning, "frame 100 is\0odd"),
                    b'b' => {
                        let offset = HEADER_BYTES + BAD_FRAME * bytes.len() as u64;
                        self.position += 1; // said once, and to be said to the host
                        return Err(Error::bad_data(offset, "ä".repeat(400)).with_native_code(-3));
                    }
                    _ => {}
                }
            }
            let offset = HEADER_BYTES + self.position * bytes.len() as u64;
            self.input.read_at(offset, &mut bytes)?;
            let (samples, _) = bytes.as_chunks::<2>();
            match output.format() {
                SampleFormat::F32 => output
                    .write_interleaved(samples, |sample| f32::from(i16::from_le_bytes(sample)) / 32768.0),
                _ => output.write_interleaved(samples, i16::from_le_bytes),
            };
            self.position += 1;
        }
        if self.mode == b'l' {
            self.tags.clear();
            self.pictures.clear();
            self.chapters.clear();
        }
        Ok(())
    }

    fn fork(&self) -> Result<Self> {
        self.panic_in(b'f');
        let mut fork = Self::new(self.input.clone(), self.mode, self.info.clone(), self.tags.clone());
        fork.streams.clone_from(&self.streams);
        fork.index.clone_from(&self.index);
        Ok(fork)
    }

    fn streams(&self) -> &[StreamEntry] {
        &self.streams
    }

    fn tags(&self) -> &[(CString, CString)] {
        self.panic_in(b't');
        &self.tags
    }

    fn pictures(&self) -> &[Picture] {
        self.panic_in(b'q');
        &self.pictures
    }

    fn chapters(&self) -> &[Chapter] {
        self.panic_in(b'q');
        &self.chapters
    }

    /// Mode 'k' keeps what it is given.
    fn save_index(&self) -> Option<Vec<u8>> {
        self.panic_in(b'y');
        (self.mode == b'k').then(|| self.index.clone())
    }
}

/// Goes through a file in steps of a megabyte, from its header on, and then back to the start; says what it no longer needs.
fn scan(input: &Input) {
    let header_bytes = usize::try_from(HEADER_BYTES).unwrap_or(0);
    let mut sweep = Sweep::new(input.clone(), header_bytes);
    (0..12).for_each(|megabytes| sweep.pass(megabytes << 20));
    (0..5).for_each(|megabytes| sweep.pass(megabytes << 20));
    input.release(10..u64::MAX);
    input.release(u64::MAX - 1..u64::MAX);
    input.release(20..20);
}
