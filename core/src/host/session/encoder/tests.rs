use std::io;

use mapwave_fork::Lock;
use mapwave_plugin_abi as abi;

use super::*;
use crate::error::Fault;
use crate::host::registry::Snapshot;
use crate::host::selection::encoder;
use crate::host::tests::fake_encoder;
use crate::host::tests::fake_encoder::Fake;

/// The bytes written, and how writing fails.
#[derive(Clone, Debug, Default)]
struct File {
    bytes: Vec<u8>,
    num_writes: usize,
    failing_write: Option<usize>,
    panics: bool,
    is_append_only: bool,
    is_let_go: bool,
}

/// The error of a full disk (ENOSPC of Linux and macOS; any other would do).
const FULL: i32 = 28;

struct Writer(Arc<Lock<File>>);

impl ByteSink for Writer {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut file = self.0.lock();
        file.num_writes += 1;
        if file.failing_write.is_some_and(|failing| failing < file.num_writes) {
            assert!(!file.panics, "told to");
            return Err(io::Error::from_raw_os_error(FULL));
        }
        let start = usize::try_from(offset).unwrap();
        assert!(start <= file.bytes.len(), "no gap gets through");
        let end = (start + bytes.len()).min(file.bytes.len());
        file.bytes.splice(start..end, bytes.iter().copied());
        Ok(())
    }

    fn is_append_only(&self) -> bool {
        self.0.lock().is_append_only
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.0.lock().is_let_go = true;
    }
}

const GO: &dyn Fn() -> bool = &|| false;

fn file(file: File) -> Arc<Lock<File>> {
    Arc::new(Lock::with(file))
}

fn open(fake: Fake, faults: &str, is_trusted: bool, file: &Arc<Lock<File>>) -> Result<Encoder> {
    choose(&[fake_encoder::kind("fake", is_trusted)], &fake.request(faults), file)
}

fn choose(kinds: &[EncoderKind], request: &EncoderRequest, file: &Arc<Lock<File>>) -> Result<Encoder> {
    let snapshot = Snapshot { encoders: kinds.to_vec(), ..Snapshot::default() };
    encoder::choose([&snapshot], request, None, Box::new(Writer(Arc::clone(file))))
}

/// Samples that are not silent, at an odd address.
fn samples(num_bytes: usize) -> Vec<u8> {
    (0..=num_bytes).map(|index| u8::try_from(index % 251).unwrap()).collect()
}

/// Encodes some frames and completes the file.
fn encode(encoder: &mut Encoder) -> Result<u64> {
    for _ in 0..3 {
        encoder.push(OutputFormat::I16, &samples(4000)[1..], GO)?;
    }
    encoder.finish(GO)
}

fn check_plugin(error: &Error, kind: Fault, words: &str) {
    let message = error.to_string();
    assert!(matches!(error, Error::Plugin { fault, plugin: "fake", .. } if *fault == kind), "{message}");
    assert!(message.contains(words), "expected '{words}' in: {message}");
}

#[test]
fn what_is_pushed_is_encoded_as_requested() {
    for is_trusted in [true, false] {
        let (fake, file) = (Fake::new(), file(File::default()));
        let large = samples(1_000_000);
        let request = EncoderRequest {
            channel_mask: 3,
            bits_per_sample: 24,
            num_frames: Some(250_002),
            bitrate: Some(128_000),
            effort: Some(7),
            quality: Some(100),
            max_threads: 0,
            ..fake.request("none")
        };
        let mut encoder = choose(&[fake_encoder::kind("fake", is_trusted)], &request, &file).unwrap();
        assert_eq!(encoder.formats(), [OutputFormat::F32, OutputFormat::I16]);
        assert!(matches!(encoder.push(OutputFormat::I32, &[], GO), Err(Error::Argument { .. })));
        assert!(matches!(encoder.push(OutputFormat::F32, &[0; 12], GO), Err(Error::Argument { .. })));
        encoder.push(OutputFormat::I16, &large[1..], GO).unwrap();
        encoder.push(OutputFormat::I16, &[], GO).unwrap();
        assert!(matches!(encoder.finish(GO), Err(Error::Argument { parameter: Parameter::NumFrames, .. })));
        assert!(matches!(encoder.push(OutputFormat::F32, &[0; 24], GO), Err(Error::Argument { .. })));
        encoder.push(OutputFormat::F32, &[9; 16], GO).unwrap();
        let num_bytes = encoder.finish(GO).unwrap();
        let asked = b"fake box 48000 2 0x3 24 250002 128000 7 100 1\n";
        let expected = [&250_002_u32.to_le_bytes(), asked.as_slice(), &large[1..], &[9; 16]].concat();
        assert!(file.lock().bytes == expected && num_bytes == expected.len() as u64);
        assert!(file.lock().is_let_go && fake.all_closed());
        check_plugin(&encoder.finish(GO).unwrap_err(), Fault::Broken, "complete already");
        check_plugin(
            &encoder.push(OutputFormat::F32, &[9; 8], GO).unwrap_err(),
            Fault::Broken,
            "complete already",
        );
        assert_eq!(fake.write_late(), abi::MW_BAD_STATE);
        assert!(file.lock().bytes == expected, "nothing is written late");
    }
}

#[test]
fn a_plugin_that_breaks_a_rule_is_an_error_and_its_handle_is_closed() {
    for is_trusted in [true, false] {
        for (faults, kind, words) in [
            ("argument", Fault::Refused, "a bitrate is too much"),
            ("limit", Fault::Refused, "too many frames"),
            ("io-lie", Fault::Broken, "which it did not: the disk is gone"),
            ("no-handle", Fault::Broken, "without a handle"),
            ("unsupported-after-writing", Fault::Unsupported, "no such rate after all"),
            ("panic", Fault::Broken, "panicked"),
            ("status", Fault::Broken, "status 77"),
            ("end", Fault::Broken, "status 1"),
            ("bad-state", Fault::Broken, "wrong state"),
            ("silent", Fault::Broken, "has written nothing"),
            ("far", Fault::Broken, "far beyond the end"),
            ("null", Fault::Broken, "wrote 8 bytes from address 0x0"),
            ("writes-in-close", Fault::Broken, "outside of its own calls"),
        ] {
            let (fake, file) = (Fake::new(), file(File::default()));
            match open(fake, faults, is_trusted, &file) {
                Err(error) => check_plugin(&error, kind, words),
                Ok(mut encoder) => {
                    check_plugin(&encode(&mut encoder).unwrap_err(), kind, words);
                    check_plugin(&encode(&mut encoder).unwrap_err(), Fault::Broken, "not called any more");
                }
            }
            assert!(file.lock().is_let_go && fake.all_closed(), "{faults}");
            assert_eq!(fake.record().num_opened, 1, "{faults}");
        }
    }
}

#[test]
fn the_outputs_own_failure_is_told_whatever_the_plugin_says() {
    for (is_trusted, faults) in [(true, "none"), (false, "none"), (true, "swallow"), (false, "swallow")] {
        for (failing_write, panics) in (0..5).flat_map(|write| [(write, false), (write, true)]) {
            let file = file(File { failing_write: Some(failing_write), panics, ..File::default() });
            let fake = Fake::new();
            let result = open(fake, faults, is_trusted, &file).and_then(|mut encoder| encode(&mut encoder));
            match result {
                Err(Error::Io { path: None, doing: "writing", cause, .. }) if panics => {
                    assert!(cause.to_string().contains("panicked"));
                }
                Err(Error::Io { path: None, doing: "writing", cause, .. }) => {
                    assert_eq!(cause.raw_os_error(), Some(FULL));
                }
                other => panic!("write {failing_write}: {other:?}"),
            }
            assert_eq!(file.lock().num_writes, failing_write + 1, "nothing is written after a failure");
            assert!(file.lock().is_let_go && fake.all_closed());
        }
    }
}

#[test]
fn what_is_left_out_is_zeros() {
    let file = file(File::default());
    let mut encoder = open(Fake::new(), "gap", true, &file).unwrap();
    encoder.push(OutputFormat::I16, &[1, 2, 3, 4], GO).unwrap();
    let num_bytes = usize::try_from(encoder.finish(GO).unwrap()).unwrap();
    let bytes = &file.lock().bytes;
    assert_eq!(bytes.len(), num_bytes);
    assert_eq!(bytes[num_bytes - 4..], [1, 2, 3, 4]);
    assert!(bytes[num_bytes - 40_004..num_bytes - 4].iter().all(|&byte| byte == 0));
}

#[test]
fn only_the_end_of_an_append_only_output_is_written_at() {
    for is_trusted in [true, false] {
        let append_only = || file(File { is_append_only: true, ..File::default() });
        let (fake, output) = (Fake::new(), append_only());
        let error = encode(&mut open(fake, "none", is_trusted, &output).unwrap()).unwrap_err();
        check_plugin(&error, Fault::Broken, "bytes can only be added at the end");
        let output = append_only();
        assert!(encode(&mut open(fake, "none,append-only", is_trusted, &output).unwrap()).is_ok());
    }
}

#[test]
fn an_encoder_that_is_dropped_writes_nothing_more() {
    for is_trusted in [true, false] {
        let (fake, file) = (Fake::new(), file(File::default()));
        let mut encoder = open(fake, "writes-in-close", is_trusted, &file).unwrap();
        encoder.push(OutputFormat::I16, &[1; 8], GO).unwrap();
        let num_writes = file.lock().num_writes;
        drop(encoder);
        assert!(file.lock().is_let_go && fake.all_closed());
        assert_eq!(fake.record().late_status, Some(abi::MW_CANCELLED));
        assert_eq!(file.lock().num_writes, num_writes);
    }
}

#[test]
fn a_call_that_hangs_is_interrupted_and_finds_the_output_shut() {
    for faults in ["hang", "hang-in-finish"] {
        let (fake, file) = (Fake::new(), file(File::default()));
        let mut encoder = open(fake, faults, false, &file).unwrap();
        let asked = std::cell::Cell::new(0);
        let stop = || asked.replace(asked.get() + 1) > 2;
        let result = encoder.push(OutputFormat::I16, &[1; 8], &stop).and_then(|()| encoder.finish(&stop));
        assert!(matches!(result, Err(Error::Interrupted)), "{result:?}");
        assert!(file.lock().is_let_go, "the caller has it back before the plugin has");
        let num_writes = file.lock().num_writes;
        check_plugin(&encoder.finish(GO).unwrap_err(), Fault::Broken, "not called any more");
        fake.release();
        drop(encoder);
        assert!(fake.all_closed());
        assert_eq!(file.lock().num_writes, num_writes);
        assert!(faults != "hang" || fake.record().late_status == Some(abi::MW_CANCELLED));
    }
    let (fake, file) = (Fake::new(), file(File::default()));
    let (kind, writer) = (fake_encoder::kind("fake", false), Box::new(Writer(Arc::clone(&file))));
    let result = Encoder::open(&kind, &fake.request("hang-in-open"), writer, &|| true);
    assert!(matches!(result, Err(Unopened { why: Why::Interrupted, .. })));
    fake.release();
    assert!(fake.all_closed());
    assert!(file.lock().bytes.is_empty());
}

#[test]
fn a_refusal_is_taken_to_the_next_plugin_and_all_are_told() {
    for is_trusted in [true, false] {
        let kinds = ["fake", "second", "third"].map(|plugin| fake_encoder::kind(plugin, is_trusted));
        let (fake, output) = (Fake::new(), file(File::default()));
        let mut encoder = choose(&kinds, &fake.request("missing,unsupported,none"), &output).unwrap();
        assert_eq!(encoder.plugin(), "third");
        encode(&mut encoder).unwrap();
        let (fake, output) = (Fake::new(), file(File::default()));
        let error = choose(&kinds[..2], &fake.request("unsupported,missing"), &output).unwrap_err();
        check_plugin(
            &error,
            Fault::Unsupported,
            "no such rate; plugin 'second' (fake) says: libfake is not there",
        );
        assert!(output.lock().is_let_go && output.lock().num_writes == 0);
        // Whoever says that nobody can is believed.
        let fake = Fake::new();
        check_plugin(
            &choose(&kinds, &fake.request("argument"), &output).unwrap_err(),
            Fault::Refused,
            "bitrate",
        );
        assert_eq!(fake.record().num_opened, 1);
    }
}

#[test]
fn what_nobody_writes_is_told_with_what_could_be_written() {
    let kinds = [fake_encoder::kind("fake", true)];
    let asked = |codec: &str, container: &str, wanted: Option<&str>, kinds: &[EncoderKind]| {
        let snapshot = Snapshot { encoders: kinds.to_vec(), ..Snapshot::default() };
        let request = EncoderRequest::new(codec, container, 48_000, 2);
        let output = Box::new(Writer(file(File::default())));
        encoder::choose([&snapshot], &request, wanted, output).unwrap_err()
    };
    let error = asked("none", "box", None, &kinds);
    assert!(matches!(&error, Error::Unsupported { codec: Some(codec), .. } if codec == "none"));
    assert!(error.to_string().contains("codecs for 'box': fake, other"), "{error}");
    let error = asked("other", "none", Some("fake"), &kinds).to_string();
    assert!(error.contains("plugin 'fake' does not write"), "{error}");
    assert!(error.contains("containers for 'other': fake, box"), "{error}");
    assert!(asked("fake", "box", None, &[]).to_string().contains("none is loaded"));
    let error = asked("fake", "box", Some("nobody"), &kinds);
    assert!(matches!(error, Error::Argument { parameter: Parameter::Plugin, .. }), "{error}");
    for request in [
        EncoderRequest { effort: Some(101), ..EncoderRequest::new("fake", "box", 1, 1) },
        EncoderRequest::new("fake", "box", 0, 1),
        EncoderRequest::new("fake", "box", 1, 0),
        EncoderRequest {
            tags: vec![("a".into(), "b\0c".into())],
            ..EncoderRequest::new("fake", "box", 1, 1)
        },
    ] {
        let error = choose(&kinds, &request, &file(File::default())).unwrap_err();
        assert!(matches!(error, Error::Argument { .. }), "{error}");
    }
}
