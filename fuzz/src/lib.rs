//! What the fuzz targets have in common: the memory and the time of a run are measured.

use std::path::Path;
use std::time::Duration;

use mapwave_oracle::allocation::Counted;
use mapwave_oracle::seeds::seeds;
use mapwave_oracle::{Outcome, TARGETS, Target};

#[doc(hidden)]
pub use libfuzzer_sys;

#[global_allocator]
static ALLOCATOR: Counted = Counted;

/// The processor's time that bytes may cost in all ways of reading together, for a build that is many times slower than usual: so
/// much, and so much a byte.
const MAX_TIME: Duration = Duration::from_secs(8);
const MAX_TIME_PER_BYTE: Duration = Duration::from_micros(200);

/// The variable that names a directory where the seeds of all targets are to be written, instead of fuzzing.
const SEEDS: &str = "MAPWAVE_FUZZ_SEEDS";

/// Writes the seeds and ends, if the environment says so.
pub fn begin() {
    let Some(directory) = std::env::var_os(SEEDS) else { return };
    for target in TARGETS {
        let place = Path::new(&directory).join(target.name);
        std::fs::create_dir_all(&place).expect("a directory is made");
        for (index, seed) in seeds(target).iter().enumerate() {
            std::fs::write(place.join(format!("seed-{index:03}")), seed).expect("a seed is written");
        }
    }
    std::process::exit(0);
}

fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Calls `work` on bytes; returns what it does.
///
/// # Panics
/// When it takes too long.
pub fn timed<T>(bytes: &[u8], work: impl FnOnce(&[u8]) -> T) -> T {
    let start = processor_time();
    let result = work(bytes);
    let (taken, limit) = (processor_time() - start, MAX_TIME + MAX_TIME_PER_BYTE * bytes.len() as u32);
    assert!(taken <= limit, "{} bytes take {taken:?}, more than {limit:?}", bytes.len());
    result
}

/// Runs the target of a name; returns whether the bytes are of its kind.
///
/// # Panics
/// When a promise is broken.
pub fn run(name: &str, bytes: &[u8]) -> bool {
    timed(bytes, |bytes| Target::named(name).run(bytes)) != Outcome::Other
}

/// Defines the program that fuzzes the target of a name.
#[macro_export]
macro_rules! target {
    ($name:literal) => {
        $crate::libfuzzer_sys::fuzz_target!(
            init: $crate::begin(),
            |bytes: &[u8]| -> $crate::libfuzzer_sys::Corpus {
                match $crate::run($name, bytes) {
                    true => $crate::libfuzzer_sys::Corpus::Keep,
                    false => $crate::libfuzzer_sys::Corpus::Reject,
                }
            }
        );
    };
}
