#!/usr/bin/env bash
# darwin-check.sh check|clippy [ARGS..]: type-checks for aarch64-apple-darwin without a Mac, from Debian's packages alone.
# Without packages named in ARGS, the whole workspace but for what compiles C for its target.
#
# Debian's rustc-web has the sources of the standard library, so that `-Zbuild-std` needs no toolchain for the target. They
# are unpacked below ~/.cache, not installed. Where they cannot be had, says so and does nothing; that is no error.
set -euo pipefail
cd "$(dirname "$0")/../.."

root=${DARWIN_ROOT:-$HOME/.cache/darwin-rust}
packages=(rustc-web cargo-web rust-web-src rust-web-clippy)

skip() {
    echo "darwin-check.sh: skipped: $1" >&2
    exit 0
}

unpack() {
    command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || skip "this is no Debian"
    apt-cache show "${packages[@]}" >/dev/null 2>&1 || skip "there are no packages ${packages[*]} here"
    local directory all
    directory=$(mktemp -d)
    chmod 755 "$directory"
    all=$(apt-get -s install --no-install-recommends "${packages[@]}" | awk '/^Inst/{print $2}'; printf '%s\n' "${packages[@]}")
    # shellcheck disable=SC2086 # one word a package
    (cd "$directory" && apt-get download -qq $(sort -u <<<"$all")) || skip "the packages could not be downloaded"
    mkdir -p "$root"
    for package in "$directory"/*.deb; do dpkg-deb -x "$package" "$root"; done
    rm -rf "$directory"
}

command=${1:?check or clippy}
shift
[ -x "$root/usr/bin/clippy-driver" ] || unpack

# The features of the standard library are unstable, and this compiler is as stable as any.
export PATH="$root/usr/bin:$PATH" LD_LIBRARY_PATH="$root/usr/lib/$(uname -m)-linux-gnu" RUSTC_BOOTSTRAP=1
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target/darwin} CARGO_PROFILE_DEV_DEBUG=0
export PYO3_NO_PYTHON=1

scope=()
if [[ " $* " != *" -p "* ]]; then
    # LAME and FFmpeg's binding are built by C compilers for the target.
    scope=(--workspace --exclude mapwave-lame --exclude mapwave-libav)
fi
exec cargo "$command" -Zbuild-std=std,panic_abort,test --target aarch64-apple-darwin "${scope[@]}" "$@"
