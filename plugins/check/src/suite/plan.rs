//! The list of tests.

#![forbid(unsafe_code)]

use crate::context::Context;
use crate::suite;
use crate::verdict::Outcome;

/// What a test runs once for.
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

impl Subject {
    /// What it is called in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Library => "library",
            Self::Decoder => "decoder",
            Self::Encoder => "encoder",
            Self::Resampler => "resampler",
        }
    }
}

/// A test.
pub struct Test {
    /// Its name, for `--only`.
    pub name: &'static str,
    /// What it runs once for.
    pub subject: Subject,
    /// What it tests.
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

/// The name of the verdict on what all tests wrote to standard output and error.
pub const SILENCE: &str = "silence";

/// All tests, in the order of the report.
pub const TESTS: &[Test] = &[
    test(
        Subject::Library,
        "load",
        "the library loads with all symbols bound, and does no work yet",
        suite::entry::load,
    ),
    test(Subject::Library, "entry", "entry returns the same pointer each time, quickly", suite::entry::entry),
    test(
        Subject::Library,
        "entry-threads",
        "so it does for eight threads at once",
        suite::entry::entry_threads,
    ),
    test(Subject::Library, "description", "id, versions and strings are valid", suite::entry::description),
    test(
        Subject::Library,
        "interfaces",
        "the tables are complete and always the same",
        suite::entry::interfaces,
    ),
    test(Subject::Decoder, "probe", "probe returns 0 to 100, from its arguments alone", suite::probe::probe),
    test(Subject::Decoder, "struct-sizes", "structs are filled up to their size", suite::sizes::struct_sizes),
    test(Subject::Decoder, "info", "info is valid, constant and correct", suite::info::info),
    test(Subject::Decoder, "metadata", "tags are text", suite::info::metadata),
    test(
        Subject::Decoder,
        "items",
        "pictures and chapters are valid, and always the same",
        suite::items::items,
    ),
    test(
        Subject::Decoder,
        "streams",
        "the streams of a file are listed, and open by their numbers",
        suite::streams::streams,
    ),
    test(
        Subject::Decoder,
        "bounds",
        "the input is read within its bounds, from memory or a callback",
        suite::bounds::bounds,
    ),
    test(Subject::Decoder, "read-errors", "every failed read is an error", suite::bounds::read_errors),
    test(
        Subject::Decoder,
        "splits",
        "the frames do not depend on the division into calls",
        suite::output::splits,
    ),
    test(
        Subject::Decoder,
        "overrun",
        "nothing is written beyond the reported frames",
        suite::output::overrun,
    ),
    test(
        Subject::Decoder,
        "formats",
        "every format and layout gives the same signal",
        suite::output::formats,
    ),
    test(Subject::Decoder, "seek", "a seek does what its class promises", suite::seek::seek),
    test(Subject::Decoder, "fork", "a fork is independent", suite::handles::fork),
    test(
        Subject::Decoder,
        "index",
        "a stream opened with its index is the same as without",
        suite::index::index,
    ),
    test(Subject::Decoder, "recovery", "a handle can seek after an error", suite::seek::recovery),
    test(
        Subject::Decoder,
        "threads",
        "handles work in parallel, each on any thread",
        suite::handles::threads,
    ),
    test(Subject::Decoder, "damage", "truncated and damaged files do no harm", suite::damage::damage),
    test(
        Subject::Decoder,
        "max-alloc",
        "a false header causes no large allocation",
        suite::damage::max_alloc,
    ),
    test(Subject::Decoder, "leaks", "a thousand handles leak nothing", suite::handles::leaks),
    test(
        Subject::Decoder,
        "process-state",
        "the process state does not change",
        suite::handles::process_state,
    ),
    test(
        Subject::Encoder,
        "round-trip",
        "an encoded stream decodes to the same samples",
        suite::encode::round_trip,
    ),
    test(
        Subject::Encoder,
        "targets",
        "all frames come back, announced or not, from every target",
        suite::encode::targets,
    ),
    test(Subject::Encoder, "settings", "options that are taken have an effect", suite::settings::settings),
    test(
        Subject::Encoder,
        "pushes",
        "the bytes do not depend on the division into calls",
        suite::encode::pushes,
    ),
    test(Subject::Encoder, "write-errors", "every failed write is an error", suite::encode::write_errors),
    test(Subject::Encoder, "abandon", "a stream can be abandoned", suite::encode::abandon),
    test(
        Subject::Encoder,
        "append-only",
        "an append-only sink is only appended to, or rejected",
        suite::encode::append_only,
    ),
    test(Subject::Encoder, "no-frames", "a stream without frames is not an error", suite::encode::no_frames),
    test(
        Subject::Encoder,
        "encoder-threads",
        "encoders work in parallel, each on any thread",
        suite::encoders::threads,
    ),
    test(Subject::Encoder, "encoder-leaks", "a thousand encoders leak nothing", suite::encoders::leaks),
    test(
        Subject::Encoder,
        "encoder-state",
        "the process state does not change",
        suite::encoders::process_state,
    ),
    test(
        Subject::Resampler,
        "output-count",
        "the number of output frames is correct",
        suite::resample::output_count,
    ),
    test(
        Subject::Resampler,
        "process-splits",
        "the output does not depend on the division into calls",
        suite::resample::splits,
    ),
    test(
        Subject::Resampler,
        "resamplers",
        "resamplers work in parallel, and leak nothing",
        suite::resample::handles,
    ),
    test(
        Subject::Resampler,
        "restart",
        "a restart in the middle continues the same output",
        suite::resample::restart,
    ),
];

/// The test with a name.
pub fn find(name: &str) -> Option<&'static Test> {
    TESTS.iter().find(|test| test.name == name)
}

/// The names of all tests.
pub fn names() -> Vec<&'static str> {
    TESTS.iter().map(|test| test.name).chain([SILENCE]).collect()
}
