//! A plugin in C whose files say what it answers, right or wrong: `tests/plugins/answering.c`.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use mapwave::{Access, FrameSpec, OpenOptions, ReadControl, Reader, ResampleQuality};
use mapwave_core::Buffer;

use crate::stored::Stored;

/// How such a file begins.
pub(crate) const MAGIC: &[u8] = b"MWANSWER";

/// The most samples that are read at once.
const MAX_SAMPLES: u64 = 1 << 18;

/// Compiles the plugin and loads it; `false` if there is no C compiler.
fn is_loaded() -> bool {
    static LOADED: OnceLock<bool> = OnceLock::new();
    *LOADED.get_or_init(|| {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let library = directory.path().join("answering.so");
        let compiled = Command::new("cc")
            .args(["-std=c11", "-O1", "-g", "-shared", "-fPIC", "-w", "-I"])
            .arg(tests.join("../plugins/abi/include"))
            .arg(tests.join("plugins/answering.c"))
            .arg("-o")
            .arg(&library)
            .status();
        match compiled {
            Ok(status) => assert!(status.success(), "the plugin does not compile"),
            Err(_) => {
                println!("skipped: there is no C compiler named cc");
                return false;
            }
        }
        mapwave::set_up();
        mapwave_core::host::register(&library).expect("the plugin loads");
        true
    })
}

/// Opens such a file and asks for everything; only the host's own conduct counts. Returns whether one opens.
///
/// # Panics
/// When frames come that nobody has promised.
pub(crate) fn check(bytes: &[u8]) -> bool {
    if !is_loaded() {
        return true;
    }
    let stored = Stored::new(bytes);
    let by_path = |access| OpenOptions::new().access(access).open(stored.path());
    let opened = [
        OpenOptions::new().open_bytes(bytes.to_vec()),
        by_path(Access::Kept),
        by_path(Access::Streamed),
        OpenOptions::new().track(1).open_bytes(bytes.to_vec()),
    ];
    let mut is_opened = false;
    for reader in opened.into_iter().flatten() {
        is_opened = true;
        ask(&reader);
        if let Some(table) = reader.seek_table() {
            let again = OpenOptions::new().seek_table(table).open_bytes(bytes.to_vec());
            again.iter().for_each(ask);
        }
        let _ = reader.resampled(8000, ResampleQuality::Default).map(|reader| ask(&reader));
    }
    drop(mapwave_core::host::drain_messages());
    is_opened
}

fn ask(reader: &Reader) {
    let track = reader.track();
    assert!(track.sample_rate > 0 && track.num_channels > 0, "{track:?}");
    let metadata = reader.metadata();
    let _ = (reader.bitrate(&metadata), reader.pictures(), reader.sound_tracks());
    let most = (MAX_SAMPLES / u64::from(track.num_channels)).max(1);
    let spec = FrameSpec::default();
    for (start, max_threads) in [(0, 1), (0, 8), (reader.num_frames() / 2, 1)] {
        let frames = start..reader.num_frames().min(start.saturating_add(most));
        let control = ReadControl { max_threads, ..ReadControl::ONE_THREAD };
        if let Ok(read) = reader.read_with(frames.clone(), &spec, Buffer::new, &control) {
            assert_eq!(
                read.shape().num_frames() as u64,
                frames.end - frames.start,
                "the frames of {frames:?}"
            );
        }
    }
}
