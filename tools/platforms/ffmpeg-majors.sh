#!/usr/bin/env bash
# ffmpeg-majors.sh [SUITE..] [-- COMMAND..]: builds the plugin over FFmpeg and runs its tests with other versions of FFmpeg.
#
# Each suite is a Debian system in a folder of its own, with that suite's FFmpeg, its headers and its program:
#
#   bookworm  FFmpeg 5.1
#   trixie    FFmpeg 7.1
#   sid       the newest, 9.0 at the time of writing
#
# Without a suite, trixie and sid run, one after the other. COMMAND replaces `cargo test -p mapwave-libav`:
#
#     sudo tools/platforms/ffmpeg-majors.sh trixie -- cargo test -p mapwave-libav --test formats
#
# What is committed is what runs. Needs root, debootstrap and a Rust toolchain, which the systems share with this machine,
# as they do the crates it has downloaded; without debootstrap, nothing runs, and a notice says so. From the environment:
#
#   FFMPEG_DIR      where the systems, what they build and a log for each suite stay (default /var/tmp/ffmpeg-majors)
#   FFMPEG_FILES    this machine's settings that the systems need as well (default: name resolution and additional
#                   certificate authorities)
#   FFMPEG_LIMIT    the seconds after which a step of a suite fails (default 7200)
#   MAPWAVE_CORPUS  the corpus of test files, if there is one
set -euo pipefail
cd "$(dirname "$0")/../.."

directory=$(realpath -m "${FFMPEG_DIR:-/var/tmp/ffmpeg-majors}")
. tools/platforms/debian.sh
limit=${FFMPEG_LIMIT:-$limit}
[ -z "${FFMPEG_FILES:-}" ] || read -ra system_files <<<"$FFMPEG_FILES"
share_rust
corpus=$(realpath -m "${MAPWAVE_CORPUS:-../shared/corpus}")
[ ! -d "$corpus" ] || binds+=("$corpus:/opt/corpus:ro")
settings=(MAPWAVE_CORPUS=/opt/corpus "CARGO_BUILD_JOBS=${CARGO_BUILD_JOBS:-2}")
packages=(
    ca-certificates ffmpeg flac gcc git libavcodec-dev libavformat-dev libavutil-dev libc6-dev libclang-dev
    libswresample-dev make pkg-config sox
)

run_suite() {
    local root=$directory/$1
    make_system "$root" "$1" "${packages[@]}"
    clone_into "$root"
    # shellcheck disable=SC2016 # expanded by the inner shell
    in_system "$root" bash -euc 'cd /root/mapwave; ffmpeg -version | head -n 1; "$@"' - "${@:2}"
}

suites=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    case $1 in
        bookworm | trixie | sid) suites+=("$1") ;;
        *) echo "ffmpeg-majors.sh: unknown suite: $1 (bookworm, trixie, sid)" >&2; exit 2 ;;
    esac
    shift
done
[ ${#suites[@]} -gt 0 ] || suites=(trixie sid)
[ "${1:-}" != -- ] || shift
[ $# -gt 0 ] || set -- cargo test --locked --no-fail-fast -p mapwave-libav
if ! command -v debootstrap >/dev/null; then
    echo "ffmpeg-majors.sh: skipped: there is no debootstrap on this machine"
    exit 0
fi
[ "$(id -u)" = 0 ] || { echo "ffmpeg-majors.sh: needs root" >&2; exit 2; }

mkdir -p "$directory"
failed=()
for suite in "${suites[@]}"; do
    echo "== $suite: log in $directory/$suite.log"
    # Not as a condition, in which a failing line would not end the function.
    set +e
    (set -e; run_suite "$suite" "$@") >"$directory/$suite.log" 2>&1
    status=$?
    set -e
    grep -E '^ffmpeg version|^test .*FAILED' "$directory/$suite.log" || true
    # Each test binary has a line of its own.
    awk '/^test result:/ { passed += $4; failed += $6 } END { printf "%d tests passed, %d failed\n", passed, failed }' "$directory/$suite.log"
    if [ $status = 0 ]; then
        echo "== $suite: passed"
    else
        tail -n 20 "$directory/$suite.log"
        echo "== $suite: FAILED ($status)"
        failed+=("$suite")
    fi
done
[ ${#failed[@]} -eq 0 ]
