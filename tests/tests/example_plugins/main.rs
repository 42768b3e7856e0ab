//! The example in C builds as its comment says, loads, and reads files of other programs.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod au;

use std::path::{Path, PathBuf};
use std::process::Command;

use mapwave_plugin_abi::*;
use mapwave_tests::corpus;
use mapwave_tests::random::Random;
use sha2::{Digest, Sha256};

use au::Encoding;
use mapwave_plugin_check::host::{
    Decoder, DecoderTable, Fault, Input, Layout, Library, OpenOptions, Plugin, ReadPlan, SeekClass, Side,
    StreamInfo,
};

/// How the plugin reads the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Memory,
    Callback,
}

/// The plugin, and its only decoder.
struct Example {
    plugin: Plugin,
    decoder: DecoderTable,
}

impl Example {
    fn load(library: &Path) -> Self {
        let plugin = Library::load(library).unwrap().enter().unwrap();
        let decoders = plugin.decoders().unwrap();
        assert_eq!(decoders.len(), 1);
        assert_eq!(decoders[0].fields().size as usize, size_of::<mw_decoder_table>());
        Self { plugin, decoder: decoders[0] }
    }

    fn open(&self, bytes: &[u8], access: Access, max_alloc: Option<u64>) -> Result<Decoder, Fault> {
        let input = match access {
            Access::Memory => Input::memory(bytes, Side::End)?,
            // Fewer bytes than asked for are not an error.
            Access::Callback => Input::callback(bytes, ReadPlan::AtMost(100))?,
        };
        let max_alloc = max_alloc.unwrap_or(1 << 20);
        self.decoder.open(&input, &OpenOptions { max_alloc, ..OpenOptions::default() })
    }
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Runs a compiler, `name` unless the environment variable names another; false, with a notice, if there is none.
fn compile(variable: &str, name: &str, arguments: &[&str]) -> bool {
    let compiler = std::env::var(variable).unwrap_or_else(|_| name.to_owned());
    match Command::new(&compiler).args(arguments).current_dir(repository()).output() {
        Ok(output) => {
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{compiler} {}:\n{errors}", arguments.join(" "));
            true
        }
        Err(error) => {
            println!("skipped: {compiler} cannot be run: {error}");
            false
        }
    }
}

/// The example, built by the command in its comment.
fn plugin() -> Option<Example> {
    let source = std::fs::read_to_string(repository().join("plugins/example-c/au.c")).unwrap();
    let comment: Vec<&str> = source.lines().skip_while(|line| !line.contains(" cc ")).take(2).collect();
    let command = comment.join(" ").replace(['*', '\\'], " ");
    let directory = tempfile::tempdir().unwrap();
    let library = directory.path().join("au.so");
    let mut arguments: Vec<&str> = command.split_whitespace().skip(1).collect();
    let place = arguments.iter().position(|argument| *argument == "au.so").expect("the command makes au.so");
    arguments[place] = library.to_str().unwrap();
    for flag in ["-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror", "-fvisibility=hidden"] {
        assert!(arguments.contains(&flag), "{flag}");
    }
    compile("CC", "cc", &arguments).then(|| Example::load(&library))
}

#[test]
fn the_header_is_clean_in_cpp() {
    let directory = tempfile::tempdir().unwrap();
    let source = directory.path().join("use.cpp");
    let text = "#include \"mapwave_plugin.h\"\n#include \"mapwave_plugin.h\"\n\
                extern \"C\" const mw_plugin *mapwave_plugin_entry_v1(const mw_host *, mw_error *);\n\
                mw_stream_info info = mw_stream_info();\n";
    std::fs::write(&source, text).unwrap();
    let flags =
        ["-std=c++11", "-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only", "-Iplugins/abi/include"];
    compile("CXX", "c++", &[&flags[..], &[source.to_str().unwrap()]].concat());
}

#[test]
fn the_plugin_describes_itself() {
    let Some(plugin) = plugin() else { return };
    assert_eq!(plugin.plugin.describe().unwrap().id, "example-au");
    assert_eq!(plugin.plugin.fields().unwrap().abi_major, 1);
    assert_eq!(plugin.decoder.score(b".snd\0\0\0\x18").unwrap(), 100);
    assert_eq!(plugin.decoder.score(b"RIFF").unwrap(), 0);
    assert_eq!(plugin.decoder.score(b".sn").unwrap(), 0);
    for (interface, index) in [(MW_DECODER_INTERFACE, 1), (MW_ENCODER_INTERFACE, 1), ("", 0)] {
        assert_eq!(plugin.plugin.table(interface, index).unwrap(), 0, "{interface}");
    }
}

#[test]
fn every_encoding_comes_out_in_every_format() {
    let Some(plugin) = plugin() else { return };
    for encoding in Encoding::ALL {
        for num_channels in [1, 2, 5] {
            let file = au::file(encoding, num_channels, 700, b"a text\0\0");
            for access in [Access::Memory, Access::Callback] {
                let mut decoder = plugin.open(&file.bytes, access, None).unwrap();
                let info = decoder.info().unwrap();
                assert_eq!(
                    (info.num_channels, info.sample_rate, info.num_frames),
                    (num_channels, 22_050, Some(700))
                );
                assert_eq!(
                    (info.seek_class, info.native_format),
                    (SeekClass::Exact, encoding.native_format())
                );
                assert!(!info.is_truncated);
                assert_eq!(decoder.tag(0).unwrap(), Some(("comment".to_owned(), "a text".to_owned())));
                assert_eq!(decoder.tag(1).unwrap(), None);
                for layout in [Layout::Interleaved, Layout::Planar] {
                    let what =
                        format!("{encoding:?}, {num_channels} channels, {access:?}, layout {layout:?}");
                    decoder.seek(0).unwrap();
                    assert_eq!(decoder.rest::<i16>(layout, 700).unwrap(), file.i16(), "{what}");
                    decoder.seek(0).unwrap();
                    assert_eq!(decoder.rest::<i32>(layout, 64).unwrap(), file.i32(), "{what}");
                    decoder.seek(0).unwrap();
                    assert_eq!(decoder.rest::<f32>(layout, 333).unwrap(), file.f32(), "{what}");
                }
            }
        }
    }
}

#[test]
fn a_seek_equals_linear_decoding() {
    let Some(plugin) = plugin() else { return };
    let file = au::file(Encoding::Pcm24, 3, 5000, b"");
    let expected = file.i32();
    let mut random = Random::announced();
    for access in [Access::Memory, Access::Callback] {
        let mut decoder = plugin.open(&file.bytes, access, None).unwrap();
        for _ in 0..100 {
            let frame = random.below(5001);
            let mut fork = decoder.fork().unwrap();
            for decoder in [&mut decoder, &mut fork] {
                decoder.seek(frame as u64).unwrap();
                assert_eq!(
                    decoder.rest::<i32>(Layout::Interleaved, 1 + random.below(999)).unwrap(),
                    expected[3 * frame..]
                );
            }
            decoder = fork; // and the older one is closed first
        }
        assert_eq!(decoder.seek(5001).unwrap_err().refusal().status, MW_BAD_ARGUMENT);
    }
}

#[test]
fn a_truncated_file_gives_all_whole_frames() {
    let Some(plugin) = plugin() else { return };
    let file = au::file(Encoding::Pcm16, 2, 50, b"text");
    let expected = file.i16();
    for num_bytes in 0..file.bytes.len() {
        for access in [Access::Memory, Access::Callback] {
            match plugin.open(&file.bytes[..num_bytes], access, None) {
                Ok(mut decoder) => {
                    let num_frames = (num_bytes - 28) / 4;
                    assert_eq!(decoder.info().unwrap().num_frames, Some(num_frames as u64));
                    assert!(decoder.info().unwrap().is_truncated);
                    assert_eq!(
                        decoder.rest::<i16>(Layout::Interleaved, 17).unwrap(),
                        expected[..2 * num_frames]
                    );
                }
                Err(fault) => {
                    let failure = fault.refusal();
                    assert!(num_bytes < 28, "{}", failure.message);
                    assert!(
                        failure.status == MW_BAD_DATA
                            && failure.offset.is_some_and(|offset| offset < 24)
                            && !failure.message.is_empty()
                    );
                }
            }
        }
    }
}

#[test]
fn headers_are_read_correctly() {
    let Some(plugin) = plugin() else { return };
    let file = au::file(Encoding::Pcm16, 2, 50, b"");
    let with = |place: usize, word: u32| -> Result<StreamInfo, Fault> {
        let mut bytes = file.bytes.clone();
        bytes[place..place + 4].copy_from_slice(&word.to_be_bytes());
        plugin.open(&bytes, Access::Memory, None)?.info()
    };
    let unknown = with(8, u32::MAX).unwrap();
    assert_eq!((unknown.num_frames, unknown.is_truncated), (Some(50), false));
    assert_eq!(with(8, 42).unwrap().num_frames, Some(10));
    let longer = with(8, 4000).unwrap();
    assert_eq!((longer.num_frames, longer.is_truncated), (Some(50), true));
    for (place, word, status) in [
        (0, 0x2e73_6e65, MW_UNSUPPORTED),
        (4, 23, MW_BAD_DATA),
        (4, u32::MAX, MW_BAD_DATA),
        (12, 0, MW_UNSUPPORTED),
        (12, 23, MW_UNSUPPORTED),
        (16, 0, MW_BAD_DATA),
        (20, 0, MW_BAD_DATA),
        (20, u32::MAX, MW_BAD_DATA),
    ] {
        let failure = with(place, word).err().unwrap().refusal();
        assert_eq!((failure.status, failure.offset), (status, Some(place as u64)), "{}", failure.message);
    }
}

#[test]
fn damage_and_noise_do_no_harm() {
    let Some(plugin) = plugin() else { return };
    let mut random = Random::announced();
    for _ in 0..3000 {
        let num_bytes = random.below(400);
        let mut bytes = random.bytes(num_bytes);
        let file = au::file(Encoding::ALL[random.below(8)], 1 + random.below(3) as u32, 30, b"\xc3\xa4\xff");
        let keep = [4, 8, 16, 24, file.bytes.len()][random.below(5)];
        bytes.splice(0..bytes.len().min(keep), file.bytes[..keep].iter().copied());
        for access in [Access::Memory, Access::Callback] {
            if let Ok(mut decoder) = plugin.open(&bytes, access, None) {
                let info = decoder.info().unwrap();
                let num_frames = info.num_frames.unwrap();
                assert!(num_frames <= bytes.len() as u64);
                let samples = decoder.rest::<f32>(Layout::Planar, 100).unwrap();
                assert_eq!(samples.len() as u64, num_frames * u64::from(info.num_channels));
            }
        }
    }
}

#[test]
fn sizes_and_limits_are_kept() {
    let Some(plugin) = plugin() else { return };
    let file = au::file(Encoding::Pcm16, 2, 50, b"text");
    let decoder = plugin.open(&file.bytes, Access::Memory, None).unwrap();
    // The struct of version 1.0 ends before the variant of the container.
    let least = std::mem::offset_of!(mw_stream_info, container_variant);
    // There must be room for the size itself.
    for num_bytes in 4..=size_of::<mw_stream_info>() + 16 {
        // That nothing is written behind the struct, and not its size, is examined with the bytes.
        let (result, bytes) = decoder.fill_info(num_bytes as u32);
        let bytes = bytes.unwrap();
        if num_bytes >= least {
            result.unwrap();
            assert_eq!(bytes[8..12], decoder.info().unwrap().num_channels.to_ne_bytes());
        } else {
            assert_eq!(result.unwrap_err().refusal().status, MW_BAD_ARGUMENT);
            assert_eq!(bytes.len(), num_bytes - 4);
            assert!(bytes.iter().all(|byte| *byte == 0));
        }
    }
    let limited =
        |access, max_alloc| plugin.open(&file.bytes, access, Some(max_alloc)).err().map(Fault::refusal);
    assert_eq!(limited(Access::Callback, 65_536).unwrap().status, MW_LIMIT);
    assert_eq!(limited(Access::Memory, 16).unwrap().status, MW_LIMIT);
    assert!(limited(Access::Memory, 1024).is_none());
    assert!(limited(Access::Callback, 70_000).is_none());
}

#[test]
fn an_annotation_that_is_not_utf8_is_not_a_tag() {
    let Some(plugin) = plugin() else { return };
    for (text, is_tag) in [
        (&b"\xc3\xa4"[..], true),
        ("\u{20ac}\u{1f600}".as_bytes(), true),
        (b"\xe4", false),
        (b"\xc0\x80", false),
        (b"\xed\xa0\x80", false),
        (b"\xf4\x90\x80\x80", false),
        (b"\xe2\x82", false),
        (b"\0abc", false),
    ] {
        assert_eq!(is_tag, text[0] != 0 && std::str::from_utf8(text).is_ok());
        let file = au::file(Encoding::Pcm8, 1, 3, text);
        let decoder = plugin.open(&file.bytes, Access::Callback, None).unwrap();
        assert_eq!(decoder.tag(0).unwrap().is_some(), is_tag, "{text:02x?}");
    }
}

#[test]
fn it_reads_what_others_write() {
    let (Some(plugin), Some(rows)) = (plugin(), corpus::rows()) else { return };
    let mut num_files = 0;
    for row in rows.iter().filter(|row| row.container == "au" && row.status.has_frames()) {
        let bytes = std::fs::read(&row.path).unwrap();
        let mut decoder = plugin.open(&bytes, Access::Memory, None).unwrap();
        let info = decoder.info().unwrap();
        assert_eq!(info.num_frames, row.num_frames, "{}", row.name);
        assert_eq!(Some(info.sample_rate), row.sample_rate, "{}", row.name);
        let samples: Vec<u8> = match row.canon.map(|canon| canon.to_string()).as_deref() {
            Some("int32") => {
                bytes_of(decoder.rest::<i32>(Layout::Interleaved, 1000).unwrap(), i32::to_le_bytes)
            }
            Some("float32") => {
                bytes_of(decoder.rest::<f32>(Layout::Interleaved, 1000).unwrap(), f32::to_le_bytes)
            }
            // Its samples fit float32, so no bit is lost.
            Some("float64") => bytes_of(decoder.rest::<f32>(Layout::Interleaved, 1000).unwrap(), |sample| {
                f64::from(sample).to_le_bytes()
            }),
            other => panic!("{}: {other:?}", row.name),
        };
        let digest: String = Sha256::digest(&samples).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(Some(&digest), row.sha256.as_ref(), "{}", row.name);
        num_files += 1;
    }
    println!("{num_files} files");
    assert!(num_files > 0);
}

fn bytes_of<T, const N: usize>(samples: Vec<T>, bytes: impl Fn(T) -> [u8; N]) -> Vec<u8> {
    samples.into_iter().flat_map(bytes).collect()
}
