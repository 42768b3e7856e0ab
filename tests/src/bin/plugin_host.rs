//! A program that runs commands on plugins and prints the results, one per line: process-wide state is
//! tested in a separate process.

#![allow(clippy::unwrap_used)]

use std::ffi::OsString;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use mapwave_core::host::{self, State};
use mapwave_core::{Buffer, Choice, Error, FrameSpec, Layout, OutputFormat, ReadControl, Reader};
use mapwave_tests::decoded;
use rustix::process::{Resource, Rlimit, setrlimit};

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // If nobody reads the output, the error does not matter.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

fn told(error: &Error) -> String {
    let kind = match error {
        Error::Io { .. } => "Io".to_owned(),
        Error::Malformed { .. } => "Malformed".to_owned(),
        Error::Unsupported { .. } => "Unsupported".to_owned(),
        Error::Limit { .. } => "Limit".to_owned(),
        Error::OutOfMemory { .. } => "OutOfMemory".to_owned(),
        Error::Argument { .. } => "Argument".to_owned(),
        Error::Interrupted => "Interrupted".to_owned(),
        Error::Plugin { fault, .. } => format!("Plugin {fault:?}"),
        _ => "?".to_owned(),
    };
    format!("error: {kind}: {error}")
}

struct Session {
    arguments: std::vec::IntoIter<OsString>,
    codec: Option<String>,
    track: Option<u32>,
    num_threads: usize,
    interrupt_after: Option<Duration>,
    reader: Option<Reader>,
}

fn main() {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let arguments = arguments.into_iter();
    let mut session =
        Session { arguments, codec: None, track: None, num_threads: 1, interrupt_after: None, reader: None };
    while let Some(command) = session.arguments.next() {
        session.run(command.to_str().unwrap());
    }
    say("done");
}

impl Session {
    fn next(&mut self) -> String {
        self.arguments.next().unwrap().into_string().unwrap()
    }

    fn number(&mut self) -> u64 {
        self.next().parse().unwrap()
    }

    fn run(&mut self, command: &str) {
        match command {
            // Lists of plugins.
            "embed" => host::embed(mapwave_builtin::entry),
            "embed-toy" => host::embed(mapwave_toy::entry),
            "bundled" => {
                let directory = self.next();
                host::set_bundled(directory.into());
            }
            "checker" => {
                let program = std::env::current_exe().unwrap();
                host::set_checker(vec![program.into(), "try".into()]);
            }
            "checker-command" => {
                let command = self.next();
                host::set_checker(vec!["/bin/sh".into(), "-c".into(), command.into()]);
            }
            "try" => {
                let path = self.next();
                std::process::exit(host::try_load(Path::new(&path)));
            }
            "register" => {
                let path = self.next();
                match host::register(Path::new(&path)) {
                    Ok(plugin) => say(&format!("registered {}", plugin.id)),
                    Err(error) => say(&told(&error)),
                }
            }
            "list" => {
                for plugin in host::plugins() {
                    let state = match plugin.state {
                        State::Loaded => "loaded".to_owned(),
                        State::Refused(why) => format!("refused: {why}"),
                    };
                    let path = plugin.path.as_deref().unwrap_or(Path::new("-"));
                    say(&format!("{} {} {} {state}", plugin.id, plugin.origin.name(), path.display()));
                }
            }
            "directories" => {
                for directory in host::directories() {
                    let refused = directory.refused.map_or(String::new(), |why| format!(" refused: {why}"));
                    say(&format!("{} {}{refused}", directory.origin.name(), directory.path.display()));
                }
            }
            // How files are read.
            "codec" => self.codec = Some(self.next()),
            "track" => self.track = u32::try_from(self.number()).ok(),
            "threads" => self.num_threads = usize::try_from(self.number()).unwrap(),
            "interrupt" => self.interrupt_after = Some(Duration::from_millis(self.number())),
            "no-maps" => forbid_maps(),
            _ => self.read(command),
        }
    }

    fn read(&mut self, command: &str) {
        match command {
            "open" | "open-once" => {
                let access = if command == "open" {
                    mapwave_core::source::Access::Kept
                } else {
                    mapwave_core::source::Access::Once
                };
                let path = self.next();
                let opened =
                    mapwave_core::source::Source::open(Path::new(&path), access).and_then(|source| {
                        Reader::new(
                            source,
                            Choice { plugin: self.codec.as_deref(), track: self.track, ..Choice::default() },
                        )
                    });
                match opened {
                    Ok(reader) => {
                        say(&format!("opened {} {}", reader.track().codec.name(), reader.num_frames()));
                        self.reader = Some(reader);
                    }
                    Err(error) => say(&told(&error)),
                }
            }
            "tracks" => self.reader.as_ref().unwrap().sound_tracks().iter().for_each(|track| {
                say(&format!("track {track:?}"));
            }),
            "tags" => say(&format!("{:?}", self.reader.as_ref().unwrap().tags())),
            "items" => {
                let reader = self.reader.as_ref().unwrap();
                let metadata = reader.metadata();
                for picture in metadata.pictures.iter().chain(&reader.pictures().unwrap()) {
                    say(&format!("{picture:?}"));
                }
                for marker in metadata.markers {
                    say(&format!("{marker:?}"));
                }
            }
            "who" => match &self.reader.as_ref().unwrap().track().codec {
                mapwave_core::track::Codec::Compressed(stream) => say(stream.plugin),
                other => say(&format!("nobody: {}", other.name())),
            },
            "view" => {
                let reader = self.reader.as_ref().unwrap();
                match reader.view() {
                    Ok(view) => say(&format!("viewed {}", view.bytes.len())),
                    Err(error) => say(&told(&error)),
                }
            }
            "whole" => {
                let end = self.reader.as_ref().unwrap().num_frames();
                self.frames(0, end);
            }
            "window" => {
                let (start, end) = (self.number(), self.number());
                self.frames(start, end);
            }
            // The file shrinks under the reader.
            "cut" => {
                let length = self.number();
                let path = self.reader.as_ref().unwrap().path().unwrap().to_path_buf();
                std::fs::OpenOptions::new().write(true).open(path).unwrap().set_len(length).unwrap();
            }
            "close" => self.reader = None,
            "threads-left" => say(&format!("{} threads", num_threads())),
            "fork" => {
                // SAFETY: the child does nothing but go on with this program's arguments, on the one thread that it has.
                #[allow(unsafe_code)]
                let child = unsafe { libc::fork() };
                if child == 0 {
                    self.read("tags");
                    self.read("whole");
                    std::process::exit(0);
                }
                let mut status = 0;
                // SAFETY: a child of this process, and room for its status.
                #[allow(unsafe_code)]
                let _ = unsafe { libc::waitpid(child, &raw mut status, 0) };
                say(&format!("child {status}"));
            }
            other => panic!("no command {other}"),
        }
    }

    /// Reads frames and prints their digest, which is the same for the same windows.
    fn frames(&self, start: u64, end: u64) {
        let reader = self.reader.as_ref().unwrap();
        let begun = Instant::now();
        let interrupted = || self.interrupt_after.is_some_and(|after| begun.elapsed() >= after);
        let control = ReadControl { max_threads: self.num_threads, interrupted: &interrupted };
        let spec = FrameSpec { layout: Layout::ChannelsLast, ..FrameSpec::default() };
        match reader.read_with(start..end, &spec, Buffer::new, &control) {
            Ok(frames) => say(&format!(
                "read {} {}",
                end - start,
                decoded::sha256(frames.bytes(), OutputFormat::F32).get(..16).unwrap()
            )),
            Err(error) => say(&told(&error)),
        }
    }
}

/// Leaves address space for threads, but not for the map of a large file.
fn forbid_maps() {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let num_pages: u64 = statm.split(' ').next().unwrap().parse().unwrap();
    let most = Some(num_pages * rustix::param::page_size() as u64 + (256 << 20));
    setrlimit(Resource::As, Rlimit { current: most, maximum: most }).unwrap();
}

/// The threads of this process, once ending ones have ended.
fn num_threads() -> usize {
    let count = || std::fs::read_dir("/proc/self/task").map_or(1, Iterator::count);
    for _ in 0..10_000 {
        if count() == 1 {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    count()
}
