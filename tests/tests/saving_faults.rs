//! A save that is stopped by a limit, a full disk or a kill leaves the old file or the new one, and nothing in between.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, missing_docs)]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mapwave_core::sink::{self, Audio, FileFormat, SaveOptions, Target};
use mapwave_core::{FrameSpec, OutputFormat, ReadControl, Reader};
use mapwave_tests::random::Random;

const KINDS: [(&str, &str); 7] = [
    ("wav", "float32"),
    ("wav", "pcm16"),
    ("rf64", "pcm24"),
    ("w64", "pcm16"),
    ("aiff", "pcm24"),
    ("aifc", "float32"),
    ("caf", "float64"),
];

fn host(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_save_host"));
    command.args(arguments);
    command
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{out}{err}", output.status);
    out.into_owned()
}

#[test]
fn a_file_that_may_not_grow_is_an_error_and_the_old_one_stays() {
    for (format, encoding) in KINDS {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(format!("sound.{format}"));
        let report = run(&mut host(&["limits", path.to_str().unwrap(), format, encoding, "1000", "7"]));
        println!("{format} {encoding}: {report}");
        assert!(report.starts_with("1000 attempts"));
    }
}

/// A file system of a given size, which only some machines allow; unmounted at the end.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount(num_bytes: u64) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let size = format!("size={num_bytes}");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(directory.path())
            .stderr(Stdio::null())
            .status();
        mounted.is_ok_and(|status| status.success()).then(|| Self(directory))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_is_an_error_and_the_old_file_stays() {
    for (format, encoding) in KINDS {
        let Some(disk) = SmallDisk::mount(4 << 20) else {
            println!("skipped: no small file system can be mounted here");
            return;
        };
        let path = disk.0.path().join(format!("sound.{format}"));
        let report = run(&mut host(&["fill", path.to_str().unwrap(), format, encoding, "300", "11"]));
        println!("{format} {encoding}: {report}");
        assert!(report.starts_with("300 attempts"));
    }
}

fn whole_files(path: &Path, format: &str, encoding: &str) -> Vec<Vec<u8>> {
    // The two signals that `forever` writes, as an uninterrupted process writes them.
    let mut files = Vec::new();
    let mut child =
        host(&["forever", path.to_str().unwrap(), format, encoding]).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    while files.len() < 2 {
        let bytes = std::fs::read(path).unwrap();
        if !files.contains(&bytes) {
            files.push(bytes);
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    files
}

#[test]
fn a_process_killed_at_any_moment_leaves_a_whole_file() {
    let mut random = Random::announced();
    for (format, encoding) in [("wav", "float32"), ("caf", "pcm24")] {
        let directory = tempfile::tempdir().unwrap();
        let name = format!("sound.{format}");
        let path = directory.path().join(&name);
        let whole = whole_files(&path, format, encoding);
        for bytes in &whole {
            let num_frames = Reader::from_bytes(bytes.clone()).unwrap().num_frames();
            assert!([20_000, 50_000].contains(&num_frames), "{num_frames}");
        }
        let mut left = BTreeSet::new();
        for _ in 0..150 {
            let mut child = host(&["forever", path.to_str().unwrap(), format, encoding])
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut line = String::new();
            BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
            std::thread::sleep(Duration::from_micros(random.below(3000) as u64));
            child.kill().unwrap();
            child.wait().unwrap();
            assert!(whole.contains(&std::fs::read(&path).unwrap()), "{format}: half a file");
            for entry in std::fs::read_dir(directory.path()).unwrap() {
                let other = entry.unwrap().file_name().into_string().unwrap();
                if other != name {
                    assert!(
                        other.starts_with(&format!(".{name}.")) && other.ends_with(".mapwave-tmp"),
                        "{other}"
                    );
                    std::fs::remove_file(directory.path().join(&other)).unwrap();
                    left.insert(other);
                }
            }
        }
        println!("{format} {encoding}: {} temporary files were left behind in 150 kills", left.len());
        assert!(!left.is_empty(), "some kill came in the middle of a save");
    }
}

#[test]
fn who_reads_while_it_is_overwritten_sees_whole_files_only() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sound.wav");
    let lengths = [100_usize, 4000, 30_000];
    let save = |turn: usize| {
        let num_frames = lengths[turn % lengths.len()];
        let samples = vec![(turn % 1000) as i16; num_frames];
        let audio = Audio::new(&samples, OutputFormat::I16, &[num_frames], None).unwrap();
        let options = SaveOptions {
            encoding: "pcm16".parse().unwrap(),
            is_durable: false,
            ..SaveOptions::new(FileFormat::Wav, 8000, 1)
        };
        sink::save(Target::Path(path.clone()), &audio, options, &ReadControl::ONE_THREAD).unwrap();
    };
    save(0);
    let kept = Reader::open(&path).unwrap();
    let ended = AtomicBool::new(false);
    let num_reads = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut num_reads = 0;
            while !ended.load(Ordering::Relaxed) {
                let reader =
                    if num_reads % 2 == 0 { Reader::open(&path) } else { Reader::open_once(&path) }.unwrap();
                let spec = FrameSpec { format: OutputFormat::I16, ..FrameSpec::default() };
                let frames = reader.read(0..reader.num_frames(), &spec).unwrap();
                let samples = frames.samples::<i16>().unwrap();
                assert!(lengths.contains(&samples.len()), "{} frames", samples.len());
                assert!(samples.iter().all(|sample| *sample == samples[0]), "two files in one");
                num_reads += 1;
            }
            num_reads
        });
        for turn in 1..=10_000 {
            save(turn);
        }
        ended.store(true, Ordering::Relaxed);
        reader.join().unwrap()
    });
    println!("{num_reads} reads during 10000 overwrites");
    assert!(num_reads > 100);
    // A file that was mapped before is unchanged.
    let spec = FrameSpec { format: OutputFormat::I16, ..FrameSpec::default() };
    assert_eq!(kept.read(0..100, &spec).unwrap().samples::<i16>().unwrap(), [0; 100]);
}

#[test]
fn more_than_4_gib_is_rf64_and_reads_back() {
    /// A file with only its header and its last bytes stored: the rest is a hole.
    struct Sparse(std::fs::File);
    impl sink::ByteSink for Sparse {
        fn write_at(&mut self, offset: u64, bytes: &[u8]) -> std::io::Result<()> {
            use std::os::unix::fs::FileExt;
            // Silence changes only the length of a sparse file.
            if bytes.iter().any(|byte| *byte != 0) {
                self.0.write_all_at(bytes, offset)?;
            } else if self.0.metadata()?.len() < offset + bytes.len() as u64 {
                self.0.set_len(offset + bytes.len() as u64)?;
            }
            Ok(())
        }
    }
    let directory = tempfile::tempdir().unwrap();
    let silence = vec![0_f64; 1 << 21];
    for format in ["wav", "w64", "caf"] {
        let path = directory.path().join(format!("long.{format}"));
        let file = std::fs::File::options().read(true).write(true).create_new(true).open(&path).unwrap();
        let options = SaveOptions {
            encoding: "float64".parse().unwrap(),
            ..SaveOptions::new(FileFormat::named(format).unwrap(), 48_000, 1)
        };
        let target = Target::Sink(Box::new(Sparse(file)));
        let mut writer = sink::Writer::create(target, options, OutputFormat::F64, None).unwrap();
        let part = Audio::new(&silence, OutputFormat::F64, &[1 << 21], None).unwrap();
        for _ in 0..257 {
            writer.write(&part, &ReadControl::ONE_THREAD).unwrap();
        }
        let end = Audio::new(&[0.5_f64], OutputFormat::F64, &[1], None).unwrap();
        writer.write(&end, &ReadControl::ONE_THREAD).unwrap();
        let saved = writer.finish(&ReadControl::ONE_THREAD).unwrap();
        let num_frames = 257 * (1 << 21) + 1;
        assert!(saved.num_bytes > 1 << 32);
        assert_eq!(std::fs::metadata(&path).unwrap().len(), saved.num_bytes);
        let reader = Reader::open(&path).unwrap();
        assert_eq!(reader.num_frames(), num_frames);
        let container = reader.track().container;
        let variant = if format == "wav" { "rf64" } else { format };
        assert_eq!(container.exact_name(), variant);
        assert_eq!(container.name(), if format == "caf" { "caf" } else { "wav" });
        let spec = FrameSpec { format: OutputFormat::F64, ..FrameSpec::default() };
        let last = reader.read(num_frames - 2..num_frames, &spec).unwrap();
        assert_eq!(last.samples::<f64>().unwrap(), [0.0, 0.5]);
    }
}
