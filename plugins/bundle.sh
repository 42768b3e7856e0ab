#!/bin/sh
# bundle.sh DIRECTORY: builds the plugins over libraries that are on this machine, for the wheel, and puts them there.
# bundle.sh --excluded: the arguments that leave out of a cargo command what cannot be built here.
#
# Says on standard error what is left out and why; that is no error.
set -eu
cd "$(dirname "$0")/.."

# Why the plugin over FFmpeg cannot be built here; nothing when it can.
why_no_libav() {
    libraries="libavcodec >= 59 libavformat >= 59 libavutil >= 57 libswresample >= 4"
    if ! command -v pkg-config >/dev/null; then
        echo "there is no pkg-config"
    elif ! pkg-config --exists "$libraries"; then
        echo "FFmpeg's headers are not here, version 5.1 or newer (apt install libavcodec-dev libavformat-dev" \
            "libavutil-dev libswresample-dev / brew install ffmpeg)"
    elif ! has_libclang; then
        echo "libclang is not here, which reads FFmpeg's headers (apt install libclang-dev / xcode-select --install)"
    fi
}

has_libclang() {
    for directory in ${LIBCLANG_PATH:-} /usr/lib/llvm-*/lib /usr/lib /usr/lib64 /usr/lib/*-linux-gnu /usr/local/lib \
        /opt/homebrew/opt/llvm/lib /Library/Developer/CommandLineTools/usr/lib \
        /Applications/Xcode.app/Contents/Developer/Toolchains/XcodeDefault.xctoolchain/usr/lib; do
        for library in "$directory"/libclang.so* "$directory"/libclang-*.so* "$directory"/libclang.dylib; do
            [ ! -e "$library" ] || return 0
        done
    done
    return 1
}

libav=$(why_no_libav)
if [ "$1" = --excluded ]; then
    [ -z "$libav" ] || echo "--exclude mapwave-libav"
    exit 0
fi

case $(uname -s) in
    Darwin) ending=dylib ;;
    *) ending=so ;;
esac
rm -rf "$1"
mkdir -p "$1"
# LAME and libsoxr come with their own sources; as they are under the LGPL, each stays in a library that can be exchanged.
cargo build --release --locked -p mapwave-lame -p mapwave-soxr
cp "target/release/libmapwave_lame.$ending" "target/release/libmapwave_soxr.$ending" "$1/"
if [ "$ending" = dylib ]; then
    cargo build --release --locked -p mapwave-audiotoolbox
    cp "target/release/libmapwave_audiotoolbox.$ending" "$1/"
fi
# A library for each major version of FFmpeg: its number goes into the name.
if [ -z "$libav" ]; then
    cargo build --release --locked -p mapwave-libav
    major=$(pkg-config --modversion libavcodec | cut -d. -f1)
    libav="$1/libmapwave_libav$major.$ending"
    cp "target/release/libmapwave_libav.$ending" "$libav"
    # Homebrew and MacPorts name their libraries by whole paths. By their names alone, the plugin finds them in the prefixes
    # that its build script lists and in the one it was built with; a library that was changed is signed anew.
    if [ "$ending" = dylib ]; then
        otool -L "$libav" | awk '/^\t\/.*\/lib(avcodec|avformat|avutil|swresample)\./ { print $1 }' | while read -r library; do
            install_name_tool -change "$library" "@rpath/${library##*/}" "$libav"
        done
        install_name_tool -add_rpath "$(pkg-config --variable=libdir libavcodec)" "$libav" ||
            echo "bundle.sh: the plugin over FFmpeg looks there already" >&2
        codesign --force --sign - "$libav"
    fi
else
    echo "bundle.sh: without the plugin over FFmpeg: $libav" >&2
fi
