#!/usr/bin/env bash
# bundle.sh DIRECTORY: builds the plugins that the wheel brings along and puts them there.
# bundle.sh --wheel: the same for the Python package in python/mapwave, which gets the headers for authors of plugins, too.
# bundle.sh --excluded [CARGO COMMAND..]: prints the arguments that exclude from a cargo command the plugins that COMMAND
# (by default build --release --locked) cannot build on this machine.
#
# The plugins over LAME, libsoxr and FFmpeg are optional. One that cannot be built, because headers or tools are missing,
# too old or broken, is left out, and the reason goes to standard error. Only these failures count: a build script that
# fails, a crate of another project that does not compile, a library that does not link. Any other error, above all one in
# the project's own code, is an error. The plugins named in MAPWAVE_REQUIRE ("lame soxr libav") must not be left out.
#
# The verdict is kept below the target directory until what it depends on changes, so that all commands agree.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-target}
state=$target/bundle
ffmpeg=(libavcodec libavformat libavutil libswresample)
install="apt install pkg-config libclang-dev libavcodec-dev libavformat-dev libavutil-dev libswresample-dev"
install="$install / brew install pkg-config ffmpeg; xcode-select --install"

name_of() {
    case $1 in
        mapwave-lame) echo "LAME plugin (MP3 encoding)" ;;
        mapwave-soxr) echo "libsoxr plugin (resampling)" ;;
        mapwave-libav) echo "FFmpeg plugin" ;;
    esac
}

# Why a plugin cannot be built here, where that can be told without trying; nothing otherwise.
missing() {
    [ "$1" = mapwave-libav ] || return 0
    if ! command -v pkg-config >/dev/null; then
        echo "pkg-config, which finds FFmpeg's headers, is not installed ($install)"
    elif ! pkg-config --exists "libavcodec >= 59.37 libavformat >= 59 libavutil >= 57 libswresample >= 4"; then
        echo "the headers of FFmpeg 5.1 or newer are not installed ($install)"
    fi
}

# What a verdict depends on: the command, the tools, FFmpeg's headers, libclang, and what the builds are described by.
facts() {
    printf '%s\n' "$@"
    env | grep -E '^(PKG_CONFIG|FFMPEG|LIBCLANG|LLVM|CLANG|BINDGEN|CC|CFLAGS|AR|RUSTFLAGS|LD_LIBRARY|LIBRARY_)' | sort || true
    rustc -V
    command -v cc make clang llvm-config pkg-config || true
    cksum Cargo.lock plugins/bundle.sh plugins/{lame,libav,soxr}/{Cargo.toml,build.rs} 2>/dev/null || true
    if pkg-config --exists "${ffmpeg[@]}" 2>/dev/null; then
        pkg-config --modversion "${ffmpeg[@]}"
        pkg-config --cflags --libs "${ffmpeg[@]}"
        find "$(pkg-config --variable=includedir libavcodec)"/lib{av,sw}* -name '*.h' -exec cksum {} + 2>/dev/null | sort
    fi
    xcode-select -p 2>/dev/null || true
    ls -d {/usr,/usr/local,/Library/Developer/CommandLineTools/usr,/opt/homebrew/opt/llvm*}/lib*/{,*/,*/*/}libclang[-.]* \
        /usr/lib/{,llvm-*/lib/}clang/*/include 2>/dev/null || true
}

# build PACKAGES.. -- CARGO COMMAND..: shows the progress and keeps the whole output in $log.
build() {
    local packages=()
    while [ "$1" != -- ]; do
        packages+=(-p "$1")
        shift
    done
    shift
    CARGO_TERM_COLOR=never cargo "$@" "${packages[@]}" 2>&1 | tee "$log" |
        { grep -E '^ *(Blocking|Building|Checking|Compiling|Downloaded|Downloading|Finished|Updating) ' || true; } >&2
}

# Whether the output in $log is that of a machine on which PACKAGE cannot be built, rather than of an error in our code.
cannot_be_built() {
    ! grep -qE 'signal: 9|No space left on device' "$log" || return 1
    if grep -q '^error: failed to run custom build command for ' "$log" || grep -q '^error: linking with ' "$log"; then
        return 0
    fi
    if grep -qE '^error: could not compile `mapwave' "$log"; then
        # Removed functions are not an error of ours where FFmpeg is newer than any that the plugin is written for.
        [ "$1" = mapwave-libav ] && pkg-config --exists "libavcodec >= 64"
    else
        grep -q '^error: could not compile ' "$log"
    fi
}

# The sentence about the failure in $log.
reason() {
    local culprit what
    if grep -q 'Unable to find libclang' "$log"; then
        echo "libclang, which reads FFmpeg's headers, is not installed ($install)"
        return
    fi
    # shellcheck disable=SC2016 # the backquotes are cargo's
    culprit=$(sed -nE '/^error: (failed to run custom build|could not compile) /{s/^[^`]*`([^` ]*).*/\1/p;q;}' "$log")
    what=$({
        grep -m1 'fatal error' "$log" || grep -E -m1 '(^|[ /])ld: |cannot find -l' "$log" ||
            grep -iE -m1 'error|needs|failed|not found' < <(sed -n '/--- stderr/,$p' "$log") ||
            grep -E -m1 '^error\[' "$log" || tail -n 1 "$log"
    } | sed -E 's/^[[:space:]]+//' | cut -c1-300)
    echo "the build of ${culprit:-it} failed: $what (the whole output is in $log)"
}

# decide CARGO COMMAND..: builds the optional plugins, and writes into $verdict a line "PACKAGE reason" for each that cannot
# be built. Any other failure is this function's, with the output in $log and without a verdict.
decide() {
    local tried=() package why
    mkdir -p "$state"
    : >"$verdict.part"
    for package in mapwave-lame mapwave-soxr mapwave-libav; do
        why=$(missing "$package")
        if [ -n "$why" ]; then
            echo "$package $why" >>"$verdict.part"
        else
            tried+=("$package")
        fi
    done
    # All at once where nothing is the matter, otherwise one by one.
    log=$state/all.log
    if ! build "${tried[@]}" -- "$@"; then
        for package in "${tried[@]}"; do
            log=$state/$package.log
            if ! build "$package" -- "$@"; then
                cannot_be_built "$package" || return 1
                echo "$package $(reason)" >>"$verdict.part"
            fi
        done
    fi
    mv "$verdict.part" "$verdict"
}

# report: says what is left out and why; fails where that is required.
report() {
    local package why missed=0
    while read -r package why; do
        echo "bundle.sh: the $(name_of "$package") is left out: $why" >&2
        case " ${MAPWAVE_REQUIRE:-} " in
            *" ${package#mapwave-} "*)
                echo "bundle.sh: MAPWAVE_REQUIRE says that it must be built" >&2
                missed=1
                ;;
        esac
    done <"$verdict"
    return $missed
}

is_built() {
    ! grep -q "^$1 " "$verdict"
}

directory=${1:?a directory, --wheel or --excluded}
shift
if [ "$directory" = --wheel ]; then
    directory=python/mapwave/plugins/abi1
    mkdir -p python/mapwave/include
    cp plugins/abi/include/*.h python/mapwave/include/
fi
if [ "$directory" != --excluded ] || [ $# -eq 0 ]; then set -- build --release --locked; fi
verdict=$state/$(facts "$@" | cksum | tr ' ' -)

if [ "$directory" = --excluded ]; then
    # Any other failure excludes nothing: the command that these arguments are for reports it.
    [ -e "$verdict" ] || decide "$@" || exit 0
    report
    sed -E 's/^([^ ]*) .*/--exclude \1/' "$verdict"
    exit 0
fi

case $(uname -s) in
    Darwin) ending=dylib ;;
    *) ending=so ;;
esac
rm -rf "$directory"
mkdir -p "$directory"
# LAME and libsoxr come with their own sources; as they are under the LGPL, each stays in a library that can be exchanged.
decide "$@" || {
    cat "$log" >&2
    exit 1
}
report
for plugin in lame soxr; do
    ! is_built "mapwave-$plugin" || cp "$target/release/libmapwave_$plugin.$ending" "$directory/"
done
if [ "$ending" = dylib ]; then
    cargo build --release --locked -p mapwave-audiotoolbox
    cp "$target/release/libmapwave_audiotoolbox.$ending" "$directory/"
fi
# A library for each major version of FFmpeg: its number goes into the name.
if is_built mapwave-libav; then
    major=$(pkg-config --modversion libavcodec | cut -d. -f1)
    libav="$directory/libmapwave_libav$major.$ending"
    cp "$target/release/libmapwave_libav.$ending" "$libav"
    # Homebrew and MacPorts name their libraries by whole paths. By their names alone, the plugin finds them in the prefixes
    # that its build script lists and in the one it was built with; a library that was changed is signed again.
    if [ "$ending" = dylib ]; then
        otool -L "$libav" | awk '/^\t\/.*\/lib(avcodec|avformat|avutil|swresample)\./ { print $1 }' | while read -r library; do
            install_name_tool -change "$library" "@rpath/${library##*/}" "$libav"
        done
        install_name_tool -add_rpath "$(pkg-config --variable=libdir libavcodec)" "$libav" ||
            echo "bundle.sh: the FFmpeg plugin looks there already" >&2
        codesign --force --sign - "$libav"
    fi
fi
