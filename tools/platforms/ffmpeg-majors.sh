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
files=${FFMPEG_FILES:-/etc/resolv.conf /etc/hosts /usr/local/share/ca-certificates}
limit=${FFMPEG_LIMIT:-7200}
corpus=${MAPWAVE_CORPUS:-../shared/corpus}
packages=(
    ca-certificates ffmpeg flac gcc git libavcodec-dev libavformat-dev libavutil-dev libc6-dev libclang-dev
    libswresample-dev make pkg-config sox
)

# in_system ROOT COMMAND..: the mounts and processes of a command are gone when it ends.
in_system() {
    # shellcheck disable=SC2016 # expanded by the inner shell
    timeout "$limit" unshare --mount --pid --fork --kill-child --propagation private bash -euc '
        root=$1 rust=$2 registry=$3 corpus=$4
        shift 4
        mkdir -p "$root/opt/rust" "$root/root/.cargo/registry" "$root/opt/corpus" "$registry"
        mount -t proc proc "$root/proc"
        mount --rbind /dev "$root/dev"
        mount --bind "$rust" "$root/opt/rust"
        mount -o remount,bind,ro "$root/opt/rust"
        mount --bind "$registry" "$root/root/.cargo/registry"
        if [ -d "$corpus" ]; then
            mount --bind "$corpus" "$root/opt/corpus"
            mount -o remount,bind,ro "$root/opt/corpus"
        fi
        exec env -i HOME=/root LANG=C.UTF-8 MAPWAVE_CORPUS=/opt/corpus CARGO_BUILD_JOBS="${CARGO_BUILD_JOBS:-2}" \
            PATH=/opt/rust/bin:/usr/sbin:/usr/bin:/sbin:/bin chroot "$root" "$@"
    ' - "$1" "$(rustc --print sysroot)" "${CARGO_HOME:-$HOME/.cargo}/registry" "$(realpath -m "$corpus")" "${@:2}"
}

make_system() {
    local suite=$1 root=$directory/$1
    [ ! -d "$root" ] || return 0
    rm -rf "$root.part"
    mkdir -p "$directory"
    debootstrap --variant=minbase --include=ca-certificates "$suite" "$root.part"
    for file in $files; do
        [ ! -e "$file" ] || cp -rL --parents "$file" "$root.part"
    done
    # shellcheck disable=SC2016 # expanded by the inner shell
    in_system "$root.part" env DEBIAN_FRONTEND=noninteractive bash -euc '
        apt-get update -qq
        apt-get install -qq --no-install-recommends "$@" >/dev/null
        apt-get clean
        update-ca-certificates >/dev/null
    ' - "${packages[@]}"
    mv "$root.part" "$root"
}

run_suite() {
    local root=$directory/$1 clone=$directory/$1/root/mapwave
    make_system "$1"
    if [ -d "$clone" ]; then
        git -C "$clone" fetch -q "$PWD" HEAD
        git -C "$clone" checkout -q --detach FETCH_HEAD
    else
        git clone -q --no-local . "$clone"
    fi
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
