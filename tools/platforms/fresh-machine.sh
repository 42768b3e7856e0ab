#!/usr/bin/env bash
# fresh-machine.sh [CASE..] [-- COMMAND..]: runs `make demo` and `make test` from a fresh clone on bare Debian systems.
#
# Each case is a Debian system of its own with a C compiler, make, git and Python, in an empty environment. They differ in
# what the optional plugin over FFmpeg is built with:
#
#   none      neither FFmpeg's headers nor libclang
#   headers   FFmpeg's headers and, on Debian 12, libclang-cpp (another library than libclang), but no libclang
#   no-clang  FFmpeg's headers and libclang, but not the program clang
#   all       all of it, and the programs that tests compare with
#
# Without a case, all four run, one after the other. COMMAND replaces the two commands:
#
#     sudo tools/platforms/fresh-machine.sh headers no-clang -- make demo
#
# What is committed is what runs. Needs root, debootstrap and a Rust toolchain, which the systems share with this machine,
# as they do the crates it has downloaded. From the environment:
#
#   FRESH_SUITE  the Debian: bookworm (12, the default), trixie (13) or sid
#   FRESH_DIR    where the systems and a log for each case stay (default /var/tmp/fresh-machine, and beneath it for other
#                Debians than 12)
#   FRESH_FILES  this machine's settings that the systems need as well (default: name resolution, pip's configuration and
#                additional certificate authorities)
#   FRESH_LIMIT  the seconds after which a case fails (default 7200)
#   FRESH_KEEP   1: a case keeps what it has built, and its clone is brought to the newest commit
#   FRESH_TARGET a directory in which all cases compile, so that a case finds what the one before has compiled of the same
#                commit; without it, each compiles everything
set -euo pipefail
cd "$(dirname "$0")/../.."

suite=${FRESH_SUITE:-bookworm}
below=/$suite
[ "$suite" != bookworm ] || below=
directory=$(realpath -m "${FRESH_DIR:-/var/tmp/fresh-machine$below}")
. tools/platforms/debian.sh
limit=${FRESH_LIMIT:-$limit}
[ -z "${FRESH_FILES:-}" ] || read -ra system_files <<<"$FRESH_FILES"
share_rust
if [ -n "${FRESH_TARGET:-}" ]; then
    mkdir -p "$FRESH_TARGET"
    binds+=("$(realpath "$FRESH_TARGET"):/root/target")
fi
everywhere=(ca-certificates gcc git libc6-dev make python3 python3-venv)
headers=(pkg-config libavcodec-dev libavformat-dev libavutil-dev libswresample-dev)
other_clang=()
[ "$suite" != bookworm ] || other_clang=(libclang-cpp14)

packages_of() {
    case $1 in
        none) ;;
        headers) echo "${headers[@]}" "${other_clang[@]}" ;;
        no-clang) echo "${headers[@]}" libclang-dev ;;
        all) echo "${headers[@]}" libclang-dev clang ffmpeg flac libsoxr0 sox ;;
        *) return 1 ;;
    esac
}

run_case() {
    local root=$directory/$1 clone=$directory/$1/root/mapwave packages
    read -ra packages <<<"$(packages_of "$1")"
    if [ ! -d "$root" ]; then
        rm -rf "$root.part"
        cp -a --reflink=auto "$directory/base" "$root.part"
        [ ${#packages[@]} -eq 0 ] || install "$root.part" "${packages[@]}"
        mv "$root.part" "$root"
    fi
    [ "${FRESH_KEEP:-}" = 1 ] || rm -rf "$clone" "$root/root/.cache"
    clone_into "$root"
    if [ -n "${FRESH_TARGET:-}" ]; then
        ln -sfn /root/target "$clone/target"
        # Each case finds out by itself whether FFmpeg's headers can be read.
        find "$FRESH_TARGET" -type d -name 'ffmpeg-sys-next-*' -prune -exec rm -rf {} +
        # Older than what was compiled of this commit, and newer than what was before.
        git -C "$clone" ls-files -z | (cd "$clone" && xargs -0 touch --no-dereference -d "$(git log -1 --format=%cI)")
    fi
    # shellcheck disable=SC2016 # expanded by the inner shell
    in_system "$root" bash -euc 'cd /root/mapwave; "$@"' - "${@:2}"
}

cases=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    packages_of "$1" >/dev/null || { echo "fresh-machine.sh: unknown case: $1 (none, headers, no-clang, all)" >&2; exit 2; }
    cases+=("$1")
    shift
done
[ ${#cases[@]} -gt 0 ] || cases=(none headers no-clang all)
[ "${1:-}" != -- ] || shift
[ $# -gt 0 ] || set -- bash -ec 'make demo; make test'
[ "$(id -u)" = 0 ] || { echo "fresh-machine.sh: needs root" >&2; exit 2; }

mkdir -p "$directory"
make_system "$directory/base" "$suite" "${everywhere[@]}" >"$directory/base.log" 2>&1
failed=()
for case in "${cases[@]}"; do
    echo "== $case: log in $directory/$case.log"
    # Not as a condition, in which a failing line would not end the function.
    set +e
    (set -e; run_case "$case" "$@") >"$directory/$case.log" 2>&1
    status=$?
    set -e
    if [ $status = 0 ]; then
        echo "== $case: passed"
    else
        tail -n 20 "$directory/$case.log"
        echo "== $case: FAILED ($status)"
        failed+=("$case")
    fi
done
[ ${#failed[@]} -eq 0 ]
