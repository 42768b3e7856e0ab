//! Compares AAC, ALAC and other tables of packets with the corpus and FFmpeg, and windows with the whole.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]

use std::path::{Path, PathBuf};
use std::process::Command;

use mapwave_plugin::{
    Decoder, DecoderOptions, Head, Input, Output, Sample, SampleFormat, SeekClass, Status, StreamInfo,
};
use sha2::{Digest, Sha256};

use crate::fixtures::track_of;
use crate::{AdtsDecoder, CafDecoder, FlacDecoder, Mp4Decoder};

mod carried;
mod corpus;
mod damage;
mod high_efficiency;
mod seeking;

/// Any of the decoders.
pub(crate) enum Any {
    Mp4(Mp4Decoder),
    Adts(AdtsDecoder),
    Caf(CafDecoder),
    Flac(Box<FlacDecoder>),
}

macro_rules! each {
    ($any:expr, $decoder:ident => $work:expr) => {
        match $any {
            Any::Mp4($decoder) => $work,
            Any::Adts($decoder) => $work,
            Any::Caf($decoder) => $work,
            Any::Flac($decoder) => $work,
        }
    };
}

impl Any {
    /// Opens a file as the host does: with the decoder that reports the highest score.
    fn open(bytes: &[u8], options: &DecoderOptions<'_>) -> mapwave_plugin::Result<Self> {
        let parsed = mapwave_core::container::parse(bytes, bytes.len() as u64).ok();
        let track = parsed.as_ref().and_then(track_of);
        let options = DecoderOptions { track: track.clone(), ..options.clone() };
        let probed = bytes.get(..4096).unwrap_or(bytes);
        let head = Head { bytes: probed, total_bytes: bytes.len() as u64, extension: None, track };
        let scores = [
            Mp4Decoder::probe(&head),
            AdtsDecoder::probe(&head),
            CafDecoder::probe(&head),
            FlacDecoder::probe(&head),
        ];
        let input = Input::from(bytes.to_vec());
        match scores.iter().max() {
            Some(0) | None => Err(mapwave_plugin::Error::unsupported("needs the libav plugin")),
            Some(most) if *most == scores[0] => Mp4Decoder::open(input, &options).map(Self::Mp4),
            Some(most) if *most == scores[1] => AdtsDecoder::open(input, &options).map(Self::Adts),
            Some(most) if *most == scores[2] => CafDecoder::open(input, &options).map(Self::Caf),
            Some(_) => FlacDecoder::open(input, &options).map(|decoder| Self::Flac(Box::new(decoder))),
        }
    }

    fn info(&self) -> &StreamInfo {
        each!(self, decoder => decoder.info())
    }

    fn num_frames(&self) -> u64 {
        self.info().num_frames.unwrap()
    }

    fn seek(&mut self, frame: u64) {
        each!(self, decoder => decoder.seek(frame)).unwrap();
    }

    fn fork(&self) -> Self {
        match self {
            Self::Mp4(decoder) => Self::Mp4(decoder.fork().unwrap()),
            Self::Adts(decoder) => Self::Adts(decoder.fork().unwrap()),
            Self::Caf(decoder) => Self::Caf(decoder.fork().unwrap()),
            Self::Flac(decoder) => Self::Flac(Box::new(decoder.fork().unwrap())),
        }
    }

    fn tags(&self) -> Vec<(String, String)> {
        let tags = each!(self, decoder => decoder.tags());
        let text = |text: &std::ffi::CString| text.to_str().unwrap().to_owned();
        tags.iter().map(|(name, value)| (text(name), text(value))).collect()
    }

    /// The next frames, decoded `step` at a time.
    fn read<T: Sample>(&mut self, num_frames: u64, step: u64) -> mapwave_plugin::Result<Vec<T>> {
        let num_channels = self.info().num_channels as usize;
        let mut samples = vec![T::default(); num_frames as usize * num_channels];
        let mut done = 0;
        while done < samples.len() {
            let end = samples.len().min(done + step as usize * num_channels);
            let written = Output::with_slice(&mut samples[done..end], num_channels, |output| {
                each!(self, decoder => decoder.decode(output)).map(|()| output.num_written())
            })?;
            if written == 0 {
                break;
            }
            done += written * num_channels;
        }
        samples.truncate(done);
        Ok(samples)
    }

    /// All frames, whose number must be that of the stream.
    fn read_all<T: Sample>(&mut self) -> Vec<T> {
        let num_frames = self.num_frames();
        self.seek(0);
        let samples = self.read(num_frames + 1, 10_000).unwrap();
        assert_eq!(samples.len() as u64, num_frames * u64::from(self.info().num_channels));
        samples
    }
}

/// A directory that is removed when dropped.
pub(crate) struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("mapwave-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The file `name` written by FFmpeg with these arguments; `None`, with a notice, without FFmpeg.
fn ffmpeg(directory: &Directory, name: &str, arguments: &[&str]) -> Option<Vec<u8>> {
    let path = directory.0.join(name);
    let result = Command::new("ffmpeg").args(["-v", "error", "-y"]).args(arguments).arg(&path).output();
    let Ok(result) = result else {
        println!("skipped: there is no ffmpeg");
        return None;
    };
    assert!(result.status.success(), "{}", String::from_utf8_lossy(&result.stderr));
    Some(std::fs::read(path).unwrap())
}

/// FFmpeg's argument for tones and noise, with which its AAC encoder substitutes noise.
fn sound(num_channels: usize, seconds: f64) -> String {
    let channel =
        |n: usize| format!("0.2*sin({}*t)+0.1*sin(3000*t*t)+0.05*(random({n})-0.5)", 1000 + 700 * n);
    let channels: Vec<String> = (0..num_channels).map(channel).collect();
    format!("aevalsrc={}:s=44100:d={seconds}", channels.join("|"))
}

/// 10 log10 of the power of `expected` over that of the difference.
fn snr(expected: &[f32], found: &[f32]) -> f64 {
    assert_eq!(expected.len(), found.len());
    let power = |samples: &mut dyn Iterator<Item = f64>| samples.map(|sample| sample * sample).sum::<f64>();
    let signal = power(&mut expected.iter().map(|sample| f64::from(*sample)));
    let noise = power(&mut expected.iter().zip(found).map(|(a, b)| f64::from(*a) - f64::from(*b)));
    10.0 * (signal.max(1e-30) / noise.max(1e-30)).log10()
}

fn corpus_directory() -> PathBuf {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    std::env::var_os("MAPWAVE_CORPUS").map_or(beside, PathBuf::from)
}

/// SHA-256 as text.
fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn is_exact(info: &StreamInfo) -> bool {
    info.seek_class == SeekClass::Exact
}

fn is_integer(info: &StreamInfo) -> bool {
    info.native_format != SampleFormat::F32
}
