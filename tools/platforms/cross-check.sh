#!/usr/bin/env bash
# cross-check.sh darwin|aarch64 check|clippy [ARGS..]: type-checks for a Mac (aarch64-apple-darwin) or for Linux on aarch64
# (aarch64-unknown-linux-gnu) on another machine. Without packages named in ARGS, the whole workspace, but for the optional
# plugins whose libraries cannot be built or read here (see plugins/bundle.sh).
#
# With rustup and the standard library for that target (rustup target add aarch64-apple-darwin), by the compiler at hand.
# Otherwise by Debian's rustc-web, which has the sources of the standard library, so that `-Zbuild-std` needs no toolchain
# for the target; it is unpacked below ~/.cache, not installed. Where neither can be had or used, says why and does nothing;
# that is not an error, unless MAPWAVE_REQUIRE has the word darwin, or aarch64, in it.
#
# No code is made, so LAME and libsoxr are compiled for this machine, and FFmpeg's interface is read out of this machine's
# headers: what is checked is the Rust.
set -euo pipefail
cd "$(dirname "$0")/../.."

platform=${1:?darwin or aarch64}
case $platform in
    darwin) target=aarch64-apple-darwin name="a Mac" ;;
    aarch64) target=aarch64-unknown-linux-gnu name="Linux on aarch64" ;;
    *)
        echo "cross-check.sh: unknown platform: $platform (darwin, aarch64)" >&2
        exit 2
        ;;
esac
shift
root=${CROSS_ROOT:-$HOME/.cache/cross-rust}
packages=(rustc-web cargo-web rust-web-src rust-web-clippy)

skip() {
    echo "cross-check.sh: the check for $name is skipped: $1" >&2
    case " ${MAPWAVE_REQUIRE:-} " in
        *" $platform "*)
            echo "cross-check.sh: MAPWAVE_REQUIRE says that it must not be" >&2
            exit 1
            ;;
    esac
    exit 0
}

unpack() {
    if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
        skip "this is no Debian, and there is no rustup with the target $target"
    fi
    apt-cache show "${packages[@]}" >/dev/null 2>&1 || skip "there are no packages ${packages[*]} here"
    local directory package
    directory=$(mktemp -d)
    chmod 755 "$directory"
    mapfile -t all < <(
        apt-get -s install --no-install-recommends "${packages[@]}" | awk '/^Inst/{print $2}'
        printf '%s\n' "${packages[@]}"
    )
    mapfile -t all < <(printf '%s\n' "${all[@]}" | sort -u)
    (cd "$directory" && apt-get download -qq "${all[@]}") || skip "the packages could not be downloaded"
    for package in "$directory"/*.deb; do
        dpkg-deb -x "$package" "$directory/root" || skip "${package##*/} could not be unpacked"
    done
    # All of it or nothing, whenever this is interrupted.
    mkdir -p "$(dirname "$root")"
    rm -rf "$root"
    mv "$directory/root" "$root"
    rm -rf "$directory"
}

# Whether the compiler at hand makes a standard library for the target, and is new enough: it checks an empty program.
probe() {
    local directory=$CARGO_TARGET_DIR/probe version
    version=$(sed -n 's/^rust-version = //p' Cargo.toml)
    mkdir -p "$directory/src"
    printf '[package]\nname = "probe"\nedition = "2024"\nrust-version = %s\n[workspace]\n' "$version" \
        >"$directory/Cargo.toml"
    echo 'fn main() {}' >"$directory/src/main.rs"
    CARGO_TERM_COLOR=never cargo check "${build_std[@]}" --target "$target" --manifest-path "$directory/Cargo.toml" \
        >"$directory/log" 2>&1 ||
        skip "$(cargo -V) cannot check for $target: $(grep -m1 -A3 '^error' "$directory/log" | tr -s '\n ' ' ')"
}

command=${1:?check or clippy}
shift
CARGO_TARGET_DIR=$(realpath -m "${CARGO_TARGET_DIR:-target/$platform}")
# Nothing is run but build scripts and macros.
export CARGO_TARGET_DIR CARGO_PROFILE_DEV_DEBUG=0 CARGO_PROFILE_DEV_OPT_LEVEL=0 PYO3_NO_PYTHON=1
build_std=()
if ! { rustup target list --installed 2>/dev/null | grep -x "$target" >/dev/null; }; then
    [ -x "$root/usr/bin/clippy-driver" ] || unpack
    PATH="$root/usr/bin:$PATH"
    LD_LIBRARY_PATH="$root/usr/lib/$(uname -m)-linux-gnu"
    # The features of the standard library are unstable, and this compiler is as stable as any.
    export PATH LD_LIBRARY_PATH RUSTC_BOOTSTRAP=1
    build_std=("-Zbuild-std=std,panic_abort,test")
fi
probe

# A compiler for C that takes an Apple compiler's arguments, and compiles for this machine.
export "CC_${target//-/_}=$CARGO_TARGET_DIR/cc" "AR_${target//-/_}=ar" "RANLIB_${target//-/_}=ranlib" SDKROOT=/
cat >"$CARGO_TARGET_DIR/cc" <<'CC'
#!/usr/bin/env bash
arguments=()
while [ $# -gt 0 ]; do
    case $1 in
        -arch | -isysroot | -target) shift ;;
        --target=* | -m*-version-min=*) ;;
        *) arguments+=("$1") ;;
    esac
    shift
done
exec cc "${arguments[@]}"
CC
chmod +x "$CARGO_TARGET_DIR/cc"
# FFmpeg's headers and the C library's under them are this machine's, read as for the target.
machine=$(uname -m)
arguments="-D__${machine}__ -U__nonnull -isystem /usr/include/$machine-linux-gnu"
# Where libclang's own headers are, bindgen asks the program clang. Without it they are below the library, which is then
# named too: its headers must be of its version.
if ! command -v clang >/dev/null; then
    mapfile -t libraries < <(printf '%s\n' /usr/lib/llvm-*/lib | sort -rV)
    for library in ${LIBCLANG_PATH:+"$LIBCLANG_PATH"} "${libraries[@]}" /usr/lib64 /usr/lib; do
        headers=$(printf '%s\n' "$library"/clang/*/include/limits.h | sort -V | tail -n 1)
        if [ -e "$headers" ] && compgen -G "$library/libclang[-.][0-9s]*" >/dev/null; then
            export LIBCLANG_PATH=$library
            arguments="-resource-dir ${headers%/include/limits.h} $arguments"
            break
        fi
    done
fi
export PKG_CONFIG_ALLOW_CROSS=1
export "BINDGEN_EXTRA_CLANG_ARGS_${target//-/_}=$arguments"

scope=()
if [[ " $* " != *" -p "* ]]; then
    excluded=$(plugins/bundle.sh --excluded "$command" "${build_std[@]}" --target "$target" --locked)
    read -ra scope <<<"--workspace ${excluded//$'\n'/ }"
fi
exec cargo "$command" "${build_std[@]}" --target "$target" "${scope[@]}" "$@"
