#!/usr/bin/env bash
# wheels.sh [x86_64|aarch64..]: wheels for Linux that run wherever glibc is 2.17 or newer, in target/wheels/dist.
#
# What is committed is what is built, with zig as the C compiler and linker (from the package index, as are the other tools),
# so that one machine builds for both. A wheel has the plugins over LAME and libsoxr, and one over FFmpeg for each major version
# whose headers are in a directory of WHEELS_FFMPEG. The build depends on the commit alone: its paths and its time are not in
# the wheel. Each wheel is then inspected (platform, C library, stable ABI of Python, description, size); the one for this
# machine is installed in an empty environment, and tests run with it.
#
# Without a processor named, both are built. What zig cannot be had for is skipped with a notice, unless MAPWAVE_REQUIRE has the
# word wheels in it. From the environment:
#
#   WHEELS_DIR     where everything stays (default target/wheels)
#   WHEELS_FFMPEG  directories, each a Debian system with FFmpeg's headers and libraries for x86_64 (default: this machine, and
#                  the systems of ffmpeg-majors.sh where they are)
#   WHEELS_TESTS   the Python tests (default: those below), or "none"
#   WHEELS_LIMIT   the seconds after which a step fails (default 3600)
set -euo pipefail
cd "$(dirname "$0")/../.."

glibc=2.17
largest=$((8 * 1024 * 1024))
tests=(test_load.py test_reader.py test_info.py test_arrays.py test_flac.py test_compressed.py test_resample.py test_save.py
    test_save_compressed.py test_plugins.py test_doctor.py test_import.py test_threads.py)
directory=$(realpath -m "${WHEELS_DIR:-target/wheels}")
limit=${WHEELS_LIMIT:-3600}
[ -z "${WHEELS_TESTS:-}" ] || read -ra tests <<<"$WHEELS_TESTS"
read -ra systems <<<"${WHEELS_FFMPEG-/ /var/tmp/ffmpeg-majors/trixie /var/tmp/ffmpeg-majors/sid}"
processors=("$@")
[ ${#processors[@]} -gt 0 ] || processors=(x86_64 aarch64)
for processor in "${processors[@]}"; do
    case $processor in
        x86_64 | aarch64) ;;
        *) echo "wheels.sh: unknown processor: $processor (x86_64, aarch64)" >&2; exit 2 ;;
    esac
done
corpus=$(realpath -m "${MAPWAVE_CORPUS:-../shared/corpus}")

# skip REASON: for all that is left.
skip() {
    echo "wheels.sh: skipped: $1" >&2
    case " ${MAPWAVE_REQUIRE:-} " in
        *" wheels "*)
            echo "wheels.sh: MAPWAVE_REQUIRE says that it must not be" >&2
            exit 1
            ;;
    esac
    exit 0
}

step() {
    echo "== $*"
}

tools=$directory/tools/bin
mkdir -p "$directory"
[ -x "$tools/python" ] || python3 -m venv "$directory/tools"
"$tools/python" -m pip --disable-pip-version-check --quiet install 'maturin>=1.9,<2' ziglang cargo-zigbuild auditwheel abi3audit \
    twine || skip "zig, or a tool that inspects wheels, cannot be installed by pip"
export PATH="$tools:$PATH"

# A copy of the commit. Its files are as new as the copy, since cargo compares their times; what has been compiled of a commit is
# found again.
source=$directory/source
commit=$(git rev-parse HEAD)
rm -rf "$directory/dist"
mkdir -p "$directory/dist"
if [ "$(cat "$directory/commit" 2>/dev/null)" != "$commit" ]; then
    rm -rf "$source" "$directory/commit"
    mkdir -p "$source"
    git archive "$commit" | tar --extract --touch --directory="$source"
    echo "$commit" >"$directory/commit"
fi
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct "$commit")
sysroot=$(rustc --print sysroot)
registry=${CARGO_HOME:-$HOME/.cargo}/registry
export SOURCE_DATE_EPOCH CARGO_TARGET_DIR=$directory/cargo CARGO_INCREMENTAL=0 PYO3_NO_PYTHON=1
# The directories of this machine, by names of their own. What is last wins.
remapped=(--remap-path-prefix="$sysroot=/rust" --remap-path-prefix="$CARGO_TARGET_DIR=/build"
    --remap-path-prefix="$source=/mapwave")
files=(-ffile-prefix-map="$CARGO_TARGET_DIR=/build" -ffile-prefix-map="$source=/mapwave")
for sources in "$registry"/src/*/; do
    remapped+=(--remap-path-prefix="${sources%/}=/crates")
    files+=(-ffile-prefix-map="${sources%/}=/crates")
done
export RUSTFLAGS="${remapped[*]}" CFLAGS="${files[*]}"

build() {
    timeout "$limit" cargo-zigbuild zigbuild --release --locked --target "$target.$glibc" --manifest-path "$source/Cargo.toml" "$@"
}

# The plugin over the FFmpeg of a system.
build_libav() {
    local system=${1%/} headers libraries version major stage library
    headers=$system/usr/include/$processor-linux-gnu libraries=$system/usr/lib/$processor-linux-gnu
    [ -e "$libraries/pkgconfig/libavcodec.pc" ] || return 0
    version=$(sed -n 's/^Version: //p' "$libraries/pkgconfig/libavcodec.pc")
    major=${version%%.*}
    [ ! -e "$plugins/libmapwave_libav$major.so" ] || return 0
    step "$target: the plugin over FFmpeg with libavcodec $major, of $1"
    # FFmpeg's headers and libraries alone: the other headers of that system are not those of the C library that zig links with.
    stage=$directory/ffmpeg$major
    rm -rf "$stage"
    mkdir -p "$stage"/{include,lib}
    for library in avcodec avformat avutil swresample; do
        ln -s "$headers/lib$library" "$stage/include/"
        ln -s "$(realpath "$libraries/lib$library.so")" "$stage/lib/lib$library.so"
        printf 'Name: lib%s\nDescription: FFmpeg\nVersion: %s\nLibs: -L%s -l%s\nCflags: -I%s\n' "$library" \
            "$(sed -n 's/^Version: //p' "$libraries/pkgconfig/lib$library.pc")" "$stage/lib" "$library" "$stage/include" \
            >"$stage/lib/lib$library.pc"
    done
    export PKG_CONFIG_LIBDIR=$stage/lib PKG_CONFIG_ALLOW_CROSS=1
    # Cargo compares the settings of pkg-config, and not the headers.
    cargo clean --quiet --release --target "$target" --manifest-path "$source/Cargo.toml" -p ffmpeg-sys-next
    if build -p mapwave-libav; then
        cp "$CARGO_TARGET_DIR/$target/release/libmapwave_libav.so" "$plugins/libmapwave_libav$major.so"
    else
        echo "wheels.sh: the plugin over FFmpeg with libavcodec $major cannot be built here" >&2
        case " ${MAPWAVE_REQUIRE:-} " in *" libav "*) exit 1 ;; esac
    fi
    unset PKG_CONFIG_LIBDIR PKG_CONFIG_ALLOW_CROSS
}

for processor in "${processors[@]}"; do
    target=$processor-unknown-linux-gnu
    if [ "$processor" != "$(uname -m)" ] && ! { rustup target list --installed 2>/dev/null | grep -x "$target" >/dev/null; }; then
        skip "there is no standard library of Rust for $target (rustup target add $target)"
    fi
    plugins=$source/python/mapwave/plugins/abi1
    rm -rf "$plugins"
    mkdir -p "$plugins" "$source/python/mapwave/include"
    cp "$source"/plugins/abi/include/*.h "$source/python/mapwave/include/"
    step "$target: the plugins over LAME and libsoxr"
    # What LAME's configure script compares with the machine that it runs on.
    MP3LAME_SYS_OVERRIDE_HOST=$target build -p mapwave-lame -p mapwave-soxr
    cp "$CARGO_TARGET_DIR/$target"/release/libmapwave_{lame,soxr}.so "$plugins/"
    for system in "${systems[@]}"; do
        build_libav "$system"
    done
    step "$target: the wheel"
    (cd "$source" && timeout "$limit" maturin build --release --locked --zig --target "$target" --compatibility "manylinux_${glibc/./_}" \
        --out "$directory/dist")
done
unset RUSTFLAGS CFLAGS

step "inspection"
python tools/platforms/inspect_wheel.py --glibc "$glibc" --largest "$largest" "$directory"/dist/*.whl
abi3audit --strict "$directory"/dist/*.whl
twine check --strict "$directory"/dist/*.whl
sha256sum "$directory"/dist/*.whl

wheel=$(ls "$directory"/dist/*_"$(uname -m)".whl 2>/dev/null || true)
if [ -n "$wheel" ] && [ "${tests[*]}" != none ]; then
    step "tests with ${wheel##*/}"
    rm -rf "$directory/empty"
    python3 -m venv "$directory/empty"
    "$directory/empty/bin/python" -m pip --disable-pip-version-check --quiet install "${wheel}[mlx,numpy]" soundfile pytest
    "$directory/empty/bin/mapwave" doctor
    cd "$source/tests/python"
    MAPWAVE_CORPUS=$corpus timeout "$limit" "$directory/empty/bin/python" -P -m pytest -q -p no:cacheprovider "${tests[@]}"
fi
