# shellcheck shell=bash
# cross-rust.sh: Rust for a Mac, for Linux on aarch64 or for Windows on another machine. To be sourced by the tools here.
#
# With rustup and the standard library for that target (rustup target add aarch64-apple-darwin), by the compiler at hand.
# Otherwise by Debian's rustc-web, which has the sources of the standard library, so that `-Zbuild-std` needs no toolchain
# for the target; it is unpacked below ~/.cache, not installed. Where neither can be had or used, the tool says why and does
# nothing; that is not an error, unless MAPWAVE_REQUIRE has the word darwin, aarch64 or windows in it.
#
# set_up_rust sets, beside the environment: platform, target, name (for sentences), and build_std, the arguments that cargo
# needs.

tool=${0##*/}
rust_root=${CROSS_ROOT:-$HOME/.cache/cross-rust}
rust_packages=(rustc-web cargo-web rust-web-src rust-web-clippy)

# skip REASON
skip() {
    echo "$tool: skipped for $name: $1" >&2
    case " ${MAPWAVE_REQUIRE:-} " in
        *" $platform "*)
            echo "$tool: MAPWAVE_REQUIRE says that it must not be" >&2
            exit 1
            ;;
    esac
    exit 0
}

unpack() {
    if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
        skip "this is no Debian, and there is no rustup with the target $target"
    fi
    apt-cache show "${rust_packages[@]}" >/dev/null 2>&1 || skip "there are no packages ${rust_packages[*]} here"
    local directory package
    directory=$(mktemp -d)
    chmod 755 "$directory"
    mapfile -t all < <(
        apt-get -s install --no-install-recommends "${rust_packages[@]}" | awk '/^Inst/{print $2}'
        printf '%s\n' "${rust_packages[@]}"
    )
    mapfile -t all < <(printf '%s\n' "${all[@]}" | sort -u)
    (cd "$directory" && apt-get download -qq "${all[@]}") || skip "the packages could not be downloaded"
    for package in "$directory"/*.deb; do
        dpkg-deb -x "$package" "$directory/root" || skip "${package##*/} could not be unpacked"
    done
    # All of it or nothing, whenever this is interrupted.
    mkdir -p "$(dirname "$rust_root")"
    rm -rf "$rust_root"
    mv "$directory/root" "$rust_root"
    rm -rf "$directory"
}

# Rust has a program of MinGW's binutils describe the DLLs that the standard library calls. Nothing is linked here, so that where it
# is missing an empty archive does.
stand_in_for_dlltool() {
    local tool=x86_64-w64-mingw32-dlltool directory=$CARGO_TARGET_DIR/dlltool
    if command -v "$tool" >/dev/null; then
        return
    fi
    mkdir -p "$directory"
    cat >"$directory/$tool" <<'DLLTOOL'
#!/usr/bin/env bash
while [ $# -gt 0 ]; do
    if [ "$1" = -l ]; then
        exec ar cr "$2"
    fi
    shift
done
DLLTOOL
    chmod +x "$directory/$tool"
    PATH="$directory:$PATH"
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

# set_up_rust darwin|aarch64|windows: chooses the compiler and tries it.
set_up_rust() {
    platform=$1
    case $platform in
        darwin) target=aarch64-apple-darwin name="a Mac" ;;
        aarch64) target=aarch64-unknown-linux-gnu name="Linux on aarch64" ;;
        windows) target=x86_64-pc-windows-gnu name="Windows" ;;
        *)
            echo "$tool: unknown platform: $platform (darwin, aarch64, windows)" >&2
            exit 2
            ;;
    esac
    CARGO_TARGET_DIR=$(realpath -m "${CARGO_TARGET_DIR:-target/$platform}")
    export CARGO_TARGET_DIR CARGO_PROFILE_DEV_DEBUG=0 PYO3_NO_PYTHON=1
    build_std=()
    if ! { rustup target list --installed 2>/dev/null | grep -x "$target" >/dev/null; }; then
        [ -x "$rust_root/usr/bin/clippy-driver" ] || unpack
        PATH="$rust_root/usr/bin:$PATH"
        LD_LIBRARY_PATH="$rust_root/usr/lib/$(uname -m)-linux-gnu"
        # The features of the standard library are unstable, and this compiler is as stable as any.
        export PATH LD_LIBRARY_PATH RUSTC_BOOTSTRAP=1
        build_std=("-Zbuild-std=std,panic_abort,test")
    fi
    if [ "$platform" = windows ]; then
        stand_in_for_dlltool
    fi
    probe
}
