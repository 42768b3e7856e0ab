#!/usr/bin/env bash
# fresh-machine.sh [CASE..] [-- COMMAND..]: runs `make demo` and `make test` from a fresh clone on bare Debian systems.
#
# Each case is a Debian system of its own with a C compiler, make, git and Python, in an empty environment. They differ in
# what the optional plugin over FFmpeg is built with:
#
#   none      neither FFmpeg's headers nor libclang
#   headers   FFmpeg's headers and libclang-cpp (another library than libclang), but no libclang
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
#   FRESH_DIR    where the systems and a log for each case stay (default /var/tmp/fresh-machine)
#   FRESH_FILES  this machine's settings that the systems need as well (default: name resolution, pip's configuration and
#                additional certificate authorities)
#   FRESH_LIMIT  the seconds after which a case fails (default 7200)
#   FRESH_KEEP   1: a case keeps what it has built, and its clone is brought to the newest commit
set -euo pipefail
cd "$(dirname "$0")/../.."

directory=$(realpath -m "${FRESH_DIR:-/var/tmp/fresh-machine}")
files=${FRESH_FILES:-/etc/resolv.conf /etc/hosts /etc/pip.conf /usr/local/share/ca-certificates}
limit=${FRESH_LIMIT:-7200}
suite=bookworm
sources=(
    "deb http://deb.debian.org/debian $suite main"
    "deb http://deb.debian.org/debian-security $suite-security main"
)
everywhere=(ca-certificates gcc git libc6-dev make python3 python3-venv)
headers=(pkg-config libavcodec-dev libavformat-dev libavutil-dev libswresample-dev)

packages_of() {
    case $1 in
        none) ;;
        headers) echo "${headers[@]}" libclang-cpp14 ;;
        no-clang) echo "${headers[@]}" libclang-dev ;;
        all) echo "${headers[@]}" libclang-dev clang ffmpeg flac libsoxr0 sox ;;
        *) return 1 ;;
    esac
}

# in_system ROOT COMMAND..: the mounts and processes of a command are gone when it ends.
in_system() {
    # shellcheck disable=SC2016 # expanded by the inner shell
    unshare --mount --pid --fork --kill-child --propagation private bash -euc '
        root=$1 rust=$2 registry=$3
        shift 3
        mkdir -p "$root/opt/rust" "$root/root/.cargo/registry" "$registry"
        mount -t proc proc "$root/proc"
        mount --rbind /dev "$root/dev"
        mount --bind "$rust" "$root/opt/rust"
        mount -o remount,bind,ro "$root/opt/rust"
        mount --bind "$registry" "$root/root/.cargo/registry"
        exec env -i HOME=/root LANG=C.UTF-8 PATH=/opt/rust/bin:/usr/sbin:/usr/bin:/sbin:/bin chroot "$root" "$@"
    ' - "$1" "$(rustc --print sysroot)" "${CARGO_HOME:-$HOME/.cargo}/registry" "${@:2}"
}

# install ROOT PACKAGE..
install() {
    in_system "$1" env DEBIAN_FRONTEND=noninteractive bash -euc '
        apt-get update -qq
        apt-get install -qq --no-install-recommends "$@" >/dev/null
        apt-get clean
        update-ca-certificates >/dev/null
    ' - "${@:2}"
}

make_base() {
    local root=$directory/base.part
    rm -rf "$root"
    mkdir -p "$directory"
    debootstrap --variant=minbase --include=ca-certificates "$suite" "$root" >"$directory/base.log"
    printf '%s\n' "${sources[@]}" >"$root/etc/apt/sources.list"
    for file in $files; do
        [ ! -e "$file" ] || cp -rL --parents "$file" "$root"
    done
    install "$root" "${everywhere[@]}"
    mv "$root" "$directory/base"
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
    if [ "${FRESH_KEEP:-}" = 1 ] && [ -d "$clone" ]; then
        git -C "$clone" fetch -q "$PWD" HEAD
        git -C "$clone" checkout -q --detach FETCH_HEAD
    else
        rm -rf "$clone" "$root/root/.cache"
        git clone -q --no-local . "$clone"
    fi
    in_system "$root" timeout "$limit" bash -euc 'cd /root/mapwave; "$@"' - "${@:2}"
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

[ -d "$directory/base" ] || make_base
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
