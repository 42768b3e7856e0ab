#!/usr/bin/env bash
# Runs tests under a tool that sees what a test cannot:
#
#     tools/sanitizers.sh address   the codecs and the core: no byte outside of what is allocated
#     tools/sanitizers.sh thread    the tests that start threads: no race on memory
#     tools/sanitizers.sh miri      the unsafe code of the crates that Miri can run: no undefined behaviour
#
# The first two are options of a nightly compiler, which a stable one takes as well when RUSTC_BOOTSTRAP is set. `thread` compiles the
# standard library again, since its locks and channels are part of what is watched, and so needs the component rust-src; `miri` needs a
# nightly compiler with the components miri and rust-src. What is not installed is said, and skipped.
set -euo pipefail
cd "$(dirname "$0")/.."
host=$(rustc -vV | sed -n 's/^host: //p')
src() { [ -f "$(rustc ${1:+"$1"} --print sysroot)/lib/rustlib/src/rust/library/Cargo.lock" ]; }

case ${1:-} in
address)
    export RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=address" ASAN_OPTIONS=detect_leaks=0
    crates=(core metadata fork codec-base flac alac aac mp3 vorbis edits builtin oracle)
    # Tests that measure memory or fill the address space measure the sanitizer here.
    exec cargo test --locked --target "$host" --target-dir target/sanitizers/address "${crates[@]/#/-pmapwave-}" --lib --tests
    ;;
thread)
    if ! src; then
        echo "skipped: ThreadSanitizer, since the component rust-src is not installed (rustup component add rust-src)"
        exit 0
    fi
    export RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=thread" TSAN_OPTIONS="die_after_fork=0 allocator_may_return_null=1"
    # Forked children of tests start threads, and some tests ask for more memory than there is.
    run=(cargo test --locked --no-fail-fast --target "$host" -Zbuild-std --target-dir target/sanitizers/thread)
    "${run[@]}" -p mapwave-fork --lib --tests
    "${run[@]}" -p mapwave-core --lib
    "${run[@]}" -p mapwave-oracle --tests
    ;;
miri)
    if ! cargo +nightly miri --version >/dev/null 2>&1 || ! src +nightly; then
        echo "skipped: Miri, since a nightly compiler with the components miri and rust-src is not installed"
        exit 0
    fi
    # The crates whose unsafe code needs neither vectors, nor C, nor the system.
    exec env MIRIFLAGS="-Zmiri-strict-provenance" cargo +nightly miri test --locked --target-dir target/sanitizers/miri \
        -p mapwave-codec-base -p mapwave-plugin-abi --lib
    ;;
*)
    sed -n '2,12s/^# \{0,1\}//p' "$0"
    exit 2
    ;;
esac
