//! What must hold for any bytes holds for the seeds of fuzzing, for damaged copies of them, and for all that fuzzing has found.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;

use mapwave_oracle::allocation::Counted;
use mapwave_oracle::damage::{Random, damaged};
use mapwave_oracle::seeds::seeds;
use mapwave_oracle::{Outcome, TARGETS, Target};

#[global_allocator]
static ALLOCATOR: Counted = Counted;

/// The memory of a test is that of its process.
static ALONE: Mutex<()> = Mutex::new(());

/// Seeds a target that are taken as they are.
const NUM_SEEDS: usize = 12;

/// Damaged seeds a target, unless the environment variable `MAPWAVE_DAMAGED` says another number.
const NUM_DAMAGED: usize = 40;

/// Runs a target; tells which bytes break a promise.
fn run(target: &Target, bytes: &[u8], name: &str) -> Outcome {
    let outcome = catch_unwind(AssertUnwindSafe(|| target.run(bytes)));
    outcome.unwrap_or_else(|_| {
        let place = std::env::temp_dir().join(format!("{}-broken", target.name));
        std::fs::write(&place, bytes).unwrap();
        panic!("{} breaks a promise with {name}, which is now {}", target.name, place.display())
    })
}

#[test]
fn for_what_fuzzing_found() {
    let _alone = ALONE.lock();
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/fuzz");
    for entry in std::fs::read_dir(directory).unwrap().flatten().filter(|entry| entry.path().is_dir()) {
        let target = Target::named(entry.file_name().to_str().unwrap());
        for file in std::fs::read_dir(entry.path()).unwrap().flatten() {
            let bytes = std::fs::read(file.path()).unwrap();
            let outcome = run(&target, &bytes, &file.path().display().to_string());
            assert!(outcome != Outcome::Other, "{} is taken", file.path().display());
        }
    }
}

/// Seeds, and damaged copies of them.
fn seeds_and_damage(name: &str) {
    let _alone = ALONE.lock();
    let count = std::env::var("MAPWAVE_DAMAGED").map_or(NUM_DAMAGED, |count| count.parse().unwrap());
    let target = Target::named(name);
    let seeds = seeds(&target);
    assert!(!seeds.is_empty(), "{name} has seeds");
    // All of them with the longer run, otherwise as many as there is time for.
    let step = if count > NUM_DAMAGED { 1 } else { seeds.len().div_ceil(NUM_SEEDS) };
    let mut num_accepted = 0;
    for (index, seed) in seeds.iter().enumerate().step_by(step) {
        let outcome = run(&target, seed, &format!("seed {index}"));
        assert!(outcome != Outcome::Other, "{name} takes its seed {index}");
        num_accepted += usize::from(outcome == Outcome::Accepted);
    }
    // Malformed fixtures are among the seeds, and some plugins lie from the start.
    assert!(5 * num_accepted > seeds.len() / step, "only {num_accepted} seeds are accepted");
    let mut random = Random::new(7);
    for variant in 0..count {
        let seed = &seeds[random.below(seeds.len())];
        run(&target, &damaged(seed, &mut random), &format!("variant {variant}"));
    }
}

macro_rules! for_damaged {
    ($($name:ident)*) => {
        mod for_damaged {
            $(#[test]
            fn $name() {
                super::seeds_and_damage(stringify!($name));
            })*
        }

        #[test]
        fn for_every_target() {
            let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(names, [$(stringify!($name)),*]);
        }
    };
}

for_damaged! {
    wav aiff caf flac mpeg adts mp4 ogg matroska any plugin metadata saving arguments
    aac_packets alac_packets flac_packets mp3_packets vorbis_packets
}
