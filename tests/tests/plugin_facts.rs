//! What plugins state of themselves is what mapwave goes by: a lossless codec and a resampler that it has never heard of.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

use std::sync::OnceLock;

use mapwave_core::host::{self, Plugin};
use mapwave_core::resample::{FilterQuality, Rates};
use mapwave_core::sink::{self, Audio, FileFormat, SaveOptions, Target};
use mapwave_core::{Buffer, FrameSpec, OutputFormat, ReadControl, Reader, ResampleQuality, resample_array};
use mapwave_tests::misbehaving::{compile_source, has_compiler, sources};

/// Loads both plugins, once; false where nothing compiles them.
fn load() -> bool {
    static LOADED: OnceLock<bool> = OnceLock::new();
    *LOADED.get_or_init(|| {
        if !has_compiler() {
            return false;
        }
        let directory = tempfile::tempdir().unwrap();
        for name in ["exact", "mine"] {
            let source = sources().join(format!("{name}.c"));
            let library = compile_source(directory.path(), name, &source, &[]);
            host::register(&library).unwrap();
        }
        true
    })
}

fn plugin(id: &str) -> Plugin {
    host::plugins().into_iter().find(|plugin| plugin.id == id).unwrap()
}

/// Saves samples of 32 bits under a name, and returns the file's bytes.
fn saved(
    name: &str,
    samples: &[i32],
    change: impl FnOnce(&mut SaveOptions),
) -> mapwave_core::Result<Vec<u8>> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    let mut options =
        SaveOptions { is_durable: false, ..SaveOptions::new(FileFormat::of_path(&path)?, 48_000, 2) };
    change(&mut options);
    let audio = Audio::new(samples, OutputFormat::I32, &[samples.len() / 2, 2], None)?;
    sink::save(Target::Path(path.clone()), &audio, options, &ReadControl::ONE_THREAD)?;
    Ok(std::fs::read(&path).unwrap())
}

/// What the plugin's encoder was given: the format of the samples, and the depth.
fn given(file: &[u8]) -> (u32, u32) {
    let number = |offset: usize| u32::from_le_bytes(file[offset..offset + 4].try_into().unwrap());
    (number(16), number(20))
}

const F32: u32 = 1;
const I32: u32 = 3;

/// Samples of 24 bits that fill 32 from the top, the extremes among them.
fn samples() -> Vec<i32> {
    let spread = (0..4000_i32).map(|index| index.wrapping_mul(0x9e37_79b9_u32.cast_signed()) & !0xff);
    [i32::MIN, i32::MAX & !0xff, 0x100, -0x100].into_iter().chain(spread).collect()
}

#[test]
fn a_lossless_codec_gets_integers_of_the_depth_asked_for() {
    if !load() {
        return;
    }
    let samples = samples();
    for bits in [Some(24), None] {
        let file = saved("a.exa", &samples, |options| options.bits_per_sample = bits).unwrap();
        assert_eq!(given(&file), (I32, 24));
        let reader = Reader::from_bytes(file).unwrap();
        assert_eq!(reader.track().codec.name(), "exact24");
        let spec = FrameSpec { format: OutputFormat::I32, ..FrameSpec::default() };
        let read = reader.read(0..reader.num_frames(), &spec).unwrap();
        assert_eq!(read.samples::<i32>().unwrap(), samples);
    }
    let message =
        saved("a.exa", &samples, |options| options.bits_per_sample = Some(16)).unwrap_err().to_string();
    assert!(message.contains("a depth other than 24 bits"), "{message}");
}

#[test]
fn a_codec_of_which_nothing_is_stated_gets_floats() {
    if !load() {
        return;
    }
    for name in ["a.rough", "a.exa"] {
        let rough = |options: &mut SaveOptions| options.encoding = "rough24".parse().unwrap();
        assert_eq!(given(&saved(name, &samples(), rough).unwrap()), (F32, 0), "{name}");
    }
    let message = saved("a.rough", &samples(), |options| options.bits_per_sample = Some(24)).unwrap_err();
    assert!(message.to_string().contains("bits_per_sample does not apply to rough24 in exa24"), "{message}");
}

#[test]
fn an_extension_and_a_default_codec_are_the_plugins() {
    if !load() {
        return;
    }
    let coded = |codec: Option<&str>| FileFormat::Compressed {
        container: "exa24".to_owned(),
        codec: codec.map(str::to_owned),
    };
    assert_eq!(FileFormat::named("EXA").unwrap(), coded(None));
    assert_eq!(FileFormat::named("exa24").unwrap(), coded(None));
    assert_eq!(FileFormat::named("rough").unwrap(), coded(Some("rough24")));
    let encoders = plugin("exact").encoders;
    assert_eq!(encoders[0].lossless[0].depths, [24]);
    assert_eq!(encoders[0].default_codecs, [("exa24".to_owned(), "exact24".to_owned())]);
    let wrong = |options: &mut SaveOptions| options.encoding = "mp3".parse().unwrap();
    let message = saved("a.exa", &samples(), wrong).unwrap_err().to_string();
    assert!(
        message.contains("one of 'pcm24', 'float32', 'rough24', 'exact24' for an exa24 file"),
        "{message}"
    );
}

#[test]
fn a_resampler_is_asked_for_by_the_name_of_its_quality() {
    if !load() {
        return;
    }
    assert_eq!(plugin("constant").resamplers[0].qualities, ["mine", "steady"]);
    let resampled = |quality: &str| {
        let quality: ResampleQuality = quality.parse().unwrap();
        let ones = [1.0_f32; 4800];
        let audio = Audio::new(&ones, OutputFormat::F32, &[4800], None).unwrap();
        let rates = Rates::new(48_000, 16_000).unwrap();
        let control = ReadControl::ONE_THREAD;
        let frames =
            resample_array(audio, rates, quality, &FrameSpec::default(), Buffer::new, &control).unwrap();
        frames.samples::<f32>().unwrap().to_vec()
    };
    assert_eq!(resampled("mine"), [0.25; 1600]);
    assert_eq!(resampled("steady"), [0.5; 1600]);
    assert_eq!(
        resampled("default"),
        resampled(FilterQuality::Best.name()),
        "which the plugin does not offer to be"
    );
    let names = ResampleQuality::names();
    assert!(["default", "best", "mine", "steady"].iter().all(|name| names.iter().any(|other| other == name)));
    let message = "yours".parse::<ResampleQuality>().unwrap_err().to_string();
    assert!(message.contains("'best', 'mine', 'steady'"), "{message}");
}
