//! The settings of an encoder, and the file that it writes.

use std::sync::Arc;

use mapwave_plugin_check::host::{
    EncodeOptions, Encoder, EncoderTable, Fault, Layout, Library, Refusal, Sample, Sink,
};

/// The encoders of the plugin.
fn tables() -> Vec<EncoderTable> {
    Library::linked(mapwave_libav::entry).enter().unwrap().encoders().unwrap()
}

/// All pairs of a container and a codec that the plugin writes.
pub fn pairs() -> Vec<(&'static str, &'static str)> {
    let mut pairs = Vec::new();
    for table in tables() {
        let leak = |names: Vec<String>| names.into_iter().map(|name| &*name.leak()).collect::<Vec<&str>>();
        let (containers, codecs) = (leak(table.containers().unwrap()), leak(table.codecs().unwrap()));
        pairs.extend(
            containers.iter().flat_map(|container| codecs.iter().map(move |codec| (*container, *codec))),
        );
    }
    pairs
}

/// The settings of an encoder.
#[derive(Clone, Debug)]
pub struct Wish {
    pub container: &'static str,
    pub codec: &'static str,
    pub sample_rate: u32,
    pub num_channels: u32,
    pub channel_mask: u64,
    pub bits_per_sample: u32,
    pub num_frames: Option<u64>,
    pub bitrate: u32,
    pub quality: u32,
    pub effort: u32,
    pub tags: Vec<(&'static str, &'static str)>,
    pub is_append_only: bool,
    /// The number of the write that fails.
    pub failing_write: Option<u64>,
}

impl Wish {
    /// A sample rate and a channel count, with defaults for all else.
    pub fn new(
        (container, codec): (&'static str, &'static str),
        sample_rate: u32,
        num_channels: u32,
    ) -> Self {
        Self {
            container,
            codec,
            sample_rate,
            num_channels,
            channel_mask: 0,
            bits_per_sample: 0,
            num_frames: None,
            bitrate: 0,
            quality: 0,
            effort: 0,
            tags: Vec::new(),
            is_append_only: false,
            failing_write: None,
        }
    }

    fn options(&self) -> EncodeOptions {
        EncodeOptions {
            num_frames: self.num_frames,
            container: Some(self.container.to_owned()),
            codec: Some(self.codec.to_owned()),
            bits_per_sample: self.bits_per_sample,
            channel_mask: self.channel_mask,
            bitrate: self.bitrate,
            effort: self.effort,
            quality: self.quality,
            tags: self.tags.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect(),
            max_threads: 4,
            max_alloc: 64 << 20,
            append_only: self.is_append_only,
            failing_write: self.failing_write,
            ..EncodeOptions::new(self.sample_rate, self.num_channels)
        }
    }

    /// The file of interleaved samples that are pushed all at once.
    pub fn encode<T: Sample>(&self, samples: &[T]) -> Result<Vec<u8>, Refusal> {
        self.encode_by(samples, usize::MAX)
    }

    /// The file of interleaved samples that are pushed in blocks of a number of frames.
    pub fn encode_by<T: Sample>(&self, samples: &[T], num_frames: usize) -> Result<Vec<u8>, Refusal> {
        let mut encoding = Encoding::open(self)?;
        for block in samples.chunks(num_frames.saturating_mul(self.num_channels as usize)) {
            encoding.push(block)?;
        }
        encoding.finish()?;
        Ok(encoding.file())
    }
}

/// An encoder and the file that it writes.
pub struct Encoding {
    /// There until it is closed.
    encoder: Option<Encoder>,
    sink: Arc<Sink>,
    failing_write: Option<u64>,
}

impl Encoding {
    pub fn open(wish: &Wish) -> Result<Self, Refusal> {
        let has = |names: Vec<String>, name: &str| names.iter().any(|other| other == name);
        let table = tables().into_iter().find(|table| {
            has(table.containers().unwrap(), wish.container) && has(table.codecs().unwrap(), wish.codec)
        });
        // The host checks that a rejected `open` has written nothing.
        let encoder = table.unwrap().open(&wish.options()).map_err(Fault::refusal)?;
        let sink = encoder.sink();
        assert!(sink.bytes().is_empty(), "open writes nothing");
        Ok(Self { encoder: Some(encoder), sink, failing_write: wish.failing_write })
    }

    fn encoder(&mut self) -> &mut Encoder {
        self.encoder.as_mut().unwrap()
    }

    /// Pushes interleaved samples.
    pub fn push<T: Sample>(&mut self, samples: &[T]) -> Result<(), Refusal> {
        self.encoder().push(Layout::Interleaved, samples).map_err(Fault::refusal)
    }

    /// Pushes the same samples, a plane for each channel.
    pub fn push_planar<T: Sample>(&mut self, samples: &[T]) -> Result<(), Refusal> {
        self.encoder().push(Layout::Planar, samples).map_err(Fault::refusal)
    }

    pub fn finish(&mut self) -> Result<(), Refusal> {
        self.encoder().finish().map_err(Fault::refusal)
    }

    /// The bytes written so far.
    pub fn file(&self) -> Vec<u8> {
        self.sink.bytes()
    }

    /// The number of writes.
    pub fn num_writes(&self) -> u64 {
        self.sink.num_writes()
    }
}

impl Drop for Encoding {
    fn drop(&mut self) {
        let num_writes = self.num_writes();
        self.encoder = None;
        if std::thread::panicking() {
            return;
        }
        assert_eq!(self.num_writes(), num_writes, "close writes nothing");
        assert!(!self.sink.had_hole(), "there is no hole");
        let failed = self.failing_write.filter(|failing| num_writes > *failing);
        assert!(failed.is_none_or(|failing| num_writes == failing + 1), "nothing is written after a failure");
    }
}
