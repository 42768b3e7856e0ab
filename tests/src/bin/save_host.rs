//! A program that saves as its arguments say: limits and kills are tested in a separate process.
//!
//! `save_host limits PATH FORMAT ENCODING NUM SEED` saves NUM times under a limit on the size of files, a random one each time;
//! `save_host fill PATH FORMAT ENCODING NUM SEED` saves on a file system with a random amount of free space;
//! `save_host forever PATH FORMAT ENCODING` saves two signals in turn until it is killed.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]

use std::path::{Path, PathBuf};

use mapwave_core::sink::{self, Audio, FileFormat, SaveOptions, Target};
use mapwave_core::{Error, OutputFormat, ReadControl};
use mapwave_tests::random::Random;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Frames of the old file and of the new one, which is longer.
const OLD_FRAMES: usize = 20_000;
const NEW_FRAMES: usize = 50_000;

struct Session {
    path: PathBuf,
    format: String,
    encoding: String,
}

fn main() {
    mapwave_core::host::embed(mapwave_builtin::entry);
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument = |index: usize| arguments.get(index).unwrap().clone();
    let session = Session { path: argument(1).into(), format: argument(2), encoding: argument(3) };
    let number = |index: usize| argument(index).parse::<u64>().unwrap();
    match argument(0).as_str() {
        "limits" => session.under_limits(number(4), number(5)),
        "fill" => session.on_a_full_disk(number(4), number(5)),
        "forever" => session.forever(),
        other => panic!("no command {other}"),
    }
}

impl Session {
    fn save(&self, num_frames: usize, level: i16) -> Result<u64, Error> {
        let samples: Vec<i16> = (0..2 * num_frames)
            .map(|index| level.wrapping_add((index % 9973) as i16).wrapping_mul(31))
            .collect();
        let audio = Audio::new(&samples, OutputFormat::I16, &[num_frames, 2], None)?;
        let format = FileFormat::named(&self.format)?;
        let options = SaveOptions {
            encoding: self.encoding.parse().unwrap(),
            is_durable: false,
            ..SaveOptions::new(format, 44_100, 2)
        };
        Ok(sink::save(Target::Path(self.path.clone()), &audio, options, &ReadControl::ONE_THREAD)?.num_bytes)
    }

    /// Overwrites the old file while something stops the save, and examines what is left.
    fn attempt(&self, old: &[u8], errnos: &[i32]) -> bool {
        let result = self.save(NEW_FRAMES, 1);
        let now = std::fs::read(&self.path).unwrap();
        match result {
            Ok(num_bytes) => {
                assert_eq!(now.len() as u64, num_bytes, "a success is the whole file");
                assert_ne!(now, old);
                std::fs::write(&self.path, old).unwrap();
                true
            }
            Err(Error::Io { cause, path, .. }) => {
                assert_eq!(path.as_deref(), Some(self.path.as_path()));
                assert!(errnos.contains(&cause.raw_os_error().unwrap()), "{cause}");
                assert_eq!(now, old, "a failure leaves the old file as it was");
                false
            }
            Err(error) => panic!("another error: {error}"),
        }
    }

    fn begin(&self) -> (Vec<u8>, u64) {
        let num_bytes = self.save(NEW_FRAMES, 1).unwrap();
        self.save(OLD_FRAMES, 2).unwrap();
        (std::fs::read(&self.path).unwrap(), num_bytes)
    }

    fn under_limits(&self, num: u64, seed: u64) {
        #[allow(unsafe_code)]
        // SAFETY: ignoring a signal runs no code.
        unsafe {
            libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
        }
        let (old, num_bytes) = self.begin();
        let unlimited = getrlimit(Resource::Fsize);
        let mut random = Random::new(seed);
        let mut num_whole = 0;
        for _ in 0..num {
            // Sometimes the space is sufficient.
            let limit = random.below((num_bytes + num_bytes / 50) as usize) as u64;
            setrlimit(Resource::Fsize, Rlimit { current: Some(limit), ..unlimited }).unwrap();
            let result = self.save(NEW_FRAMES, 1);
            setrlimit(Resource::Fsize, unlimited).unwrap();
            let now = std::fs::read(&self.path).unwrap();
            match result {
                Ok(written) => {
                    assert_eq!(
                        (now.len() as u64, written),
                        (num_bytes, num_bytes),
                        "a success is the whole file"
                    );
                    num_whole += 1;
                    std::fs::write(&self.path, &old).unwrap();
                }
                Err(Error::Io { cause, path, .. }) => {
                    assert_eq!(path.as_deref(), Some(self.path.as_path()));
                    assert_eq!(
                        cause.raw_os_error(),
                        Some(libc::EFBIG),
                        "at {limit} of {num_bytes} bytes: {cause}"
                    );
                    assert!(limit < num_bytes);
                    assert_eq!(now, old, "a failure leaves the old file as it was");
                }
                Err(error) => panic!("another error at {limit} bytes: {error}"),
            }
            self.alone();
        }
        println!("{num} attempts, {num_whole} whole");
    }

    fn on_a_full_disk(&self, num: u64, seed: u64) {
        let (old, num_bytes) = self.begin();
        let mut random = Random::new(seed);
        let filler = self.path.with_file_name("filler");
        let mut num_whole = 0;
        for _ in 0..num {
            let _ = std::fs::remove_file(&filler);
            let status = rustix::fs::statvfs(self.path.parent().unwrap()).unwrap();
            let free = status.f_bavail * status.f_frsize;
            let room = random.below((num_bytes + num_bytes / 20) as usize) as u64;
            assert!(free > room, "the file system has {free} bytes left");
            std::fs::write(&filler, vec![0; (free - room) as usize]).unwrap();
            if self.attempt(&old, &[libc::ENOSPC, libc::EDQUOT]) {
                num_whole += 1;
            }
            let _ = std::fs::remove_file(&filler);
            self.alone();
        }
        println!("{num} attempts, {num_whole} whole");
    }

    /// Checks that the directory holds nothing but the file.
    fn alone(&self) {
        let directory = self.path.parent().unwrap_or(Path::new("."));
        let names: Vec<_> =
            std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, [self.path.file_name().unwrap()], "nothing stays behind");
    }

    fn forever(&self) {
        for turn in 0.. {
            let (num_frames, level) = if turn % 2 == 0 { (OLD_FRAMES, 2) } else { (NEW_FRAMES, 1) };
            self.save(num_frames, level).unwrap();
            if turn == 1 {
                println!("begun");
            }
        }
    }
}
