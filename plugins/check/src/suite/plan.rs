//! The tests, and what each is about.

#![forbid(unsafe_code)]

use crate::context::Context;
use crate::suite;
use crate::verdict::Outcome;

/// What a test is made once for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The library.
    Library,
    /// Each of its decoders.
    Decoder,
    /// Each of its encoders.
    Encoder,
    /// Each of its resamplers.
    Resampler,
}

/// A test.
pub struct Test {
    /// Its name, for `--only`.
    pub name: &'static str,
    /// What it is made for.
    pub subject: Subject,
    /// What it looks at.
    pub about: &'static str,
    /// The test itself.
    pub run: fn(&Context) -> Outcome,
}

const fn test(
    subject: Subject,
    name: &'static str,
    about: &'static str,
    run: fn(&Context) -> Outcome,
) -> Test {
    Test { name, subject, about, run }
}

/// The name of the verdict over what all tests wrote to standard output and error.
pub const SILENCE: &str = "silence";

/// All tests, in the order of the report.
pub const TESTS: &[Test] = &[
    test(
        Subject::Library,
        "load",
        "the library loads, all symbols bound, and does nothing yet",
        suite::entry::load,
    ),
    test(Subject::Library, "entry", "entry gives the same answer each time, soon", suite::entry::entry),
    test(
        Subject::Library,
        "entry-threads",
        "as does it to eight threads at once",
        suite::entry::entry_threads,
    ),
    test(Subject::Library, "description", "id, versions and strings are sane", suite::entry::description),
    test(
        Subject::Library,
        "interfaces",
        "the tables are whole, and always the same",
        suite::entry::interfaces,
    ),
    test(Subject::Decoder, "probe", "probe scores 0 to 100, by what it is given alone", suite::probe::probe),
    test(
        Subject::Decoder,
        "struct-sizes",
        "structs are filled as far as their size says",
        suite::sizes::struct_sizes,
    ),
    test(Subject::Decoder, "info", "info is legal, constant and true", suite::info::info),
    test(Subject::Decoder, "metadata", "tags are text", suite::info::metadata),
    test(
        Subject::Decoder,
        "bounds",
        "the input is read inside its bounds, and in any way",
        suite::bounds::bounds,
    ),
    test(Subject::Decoder, "read-errors", "a read that fails is an error", suite::bounds::read_errors),
    test(
        Subject::Decoder,
        "splits",
        "the same frames come however they are asked for",
        suite::output::splits,
    ),
    test(
        Subject::Decoder,
        "overrun",
        "nothing is written past the frames that are said",
        suite::output::overrun,
    ),
    test(Subject::Decoder, "formats", "every format and layout has the same sound", suite::output::formats),
    test(Subject::Decoder, "seek", "a seek is what its class promises", suite::seek::seek),
    test(Subject::Decoder, "fork", "a fork lives on its own", suite::handles::fork),
    test(Subject::Decoder, "recovery", "a handle can seek after an error", suite::seek::recovery),
    test(
        Subject::Decoder,
        "threads",
        "handles work in parallel, each on any thread",
        suite::handles::threads,
    ),
    test(Subject::Decoder, "damage", "cut and damaged files do no harm", suite::damage::damage),
    test(Subject::Decoder, "max-alloc", "a header that lies makes nothing large", suite::damage::max_alloc),
    test(Subject::Decoder, "leaks", "a thousand handles leave nothing behind", suite::handles::leaks),
    test(Subject::Decoder, "process-state", "the process stays as it was", suite::handles::process_state),
    test(Subject::Encoder, "round-trip", "what was encoded decodes to the same", suite::encode::round_trip),
    test(Subject::Encoder, "pushes", "the same bytes come however frames are pushed", suite::encode::pushes),
    test(Subject::Encoder, "write-errors", "a write that fails is an error", suite::encode::write_errors),
    test(Subject::Encoder, "abandon", "a stream can be abandoned", suite::encode::abandon),
    test(
        Subject::Encoder,
        "append-only",
        "an append-only sink is kept to, or refused",
        suite::encode::append_only,
    ),
    test(Subject::Encoder, "no-frames", "no frames are no error", suite::encode::no_frames),
    test(
        Subject::Resampler,
        "output-count",
        "as many frames come out as must",
        suite::resample::output_count,
    ),
    test(
        Subject::Resampler,
        "process-splits",
        "the same frames come however they go in",
        suite::resample::splits,
    ),
    test(
        Subject::Resampler,
        "restart",
        "what begins in the middle goes on as what began at the start",
        suite::resample::restart,
    ),
];

/// The test of a name.
pub fn find(name: &str) -> Option<&'static Test> {
    TESTS.iter().find(|test| test.name == name)
}

/// The names of all tests.
pub fn names() -> Vec<&'static str> {
    TESTS.iter().map(|test| test.name).chain([SILENCE]).collect()
}
