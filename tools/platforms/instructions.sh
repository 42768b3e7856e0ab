#!/usr/bin/env bash
# instructions.sh [VORBIS-FILE]: how many instructions the codecs take on aarch64 to decode a sample, counted under emulation,
# with NEON and with plain code. That both give the same samples is checked by a sum.
#
# Needs what aarch64.sh needs for its part rust but root, a compiler for C, and QEMU with plugins, which the static build does
# not have:
#
#     apt install gcc gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user
#
# Where something is missing, a notice says so, and nothing fails, unless MAPWAVE_REQUIRE has the word aarch64 in it. QEMU is
# from the environment the emulator, if it is not qemu-aarch64.
set -euo pipefail
cd "$(dirname "$0")/../.."

. tools/platforms/cross-rust.sh
emulator=${QEMU:-qemu-aarch64}
cc=aarch64-linux-gnu-gcc

set_up_rust aarch64
for program in "$cc" cc "$emulator"; do
    command -v "$program" >/dev/null || skip "there is no $program (apt install gcc gcc-aarch64-linux-gnu libc6-dev-arm64-cross \
qemu-user)"
done
"$emulator" -h | grep -e -plugin >/dev/null || skip "$emulator takes no plugins"
export "CC_${target//-/_}=$cc" CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=$cc
counter=$CARGO_TARGET_DIR/count_instructions.so
cc -O2 -shared -fPIC -o "$counter" tools/platforms/count_instructions.c
output=$(mktemp)
trap 'rm -f "$output"' EXIT

# count CODEC best|plain TIMES ARGS..: the instructions; what is printed goes to $output.
count() {
    local codec=$1
    shift
    "$emulator" -L /usr/aarch64-linux-gnu -plugin "$counter" "$CARGO_TARGET_DIR/$codec" "$@" 2>&1 >"$output" |
        sed -n 's/ instructions$//p'
}

# What comes before decoding is left out as the difference of decoding twice and once.
compare() {
    local codec=$1 way once twice number results=() sums=()
    shift
    for way in plain best; do
        once=$(count "$codec" "$way" 1 "$@")
        twice=$(count "$codec" "$way" 2 "$@")
        read -r number _ <"$output"
        sums+=("$(<"$output")")
        results+=("$(awk -v n=$((twice - once)) -v samples="$number" 'BEGIN { printf "%.1f", n / samples }')")
    done
    if [ "${sums[0]}" != "${sums[1]}" ]; then
        echo "$tool: $codec $*: the samples differ: ${sums[*]}" >&2
        exit 1
    fi
    echo "$codec $*: ${results[0]} instructions a sample in plain code, ${results[1]} with NEON"
}

for codec in flac alac vorbis; do
    cargo build --release --locked "${build_std[@]}" --target "$target" -p "mapwave-$codec" --example "${codec}_decode_repeatedly"
    cp "$CARGO_TARGET_DIR/$target/release/examples/${codec}_decode_repeatedly" "$CARGO_TARGET_DIR/$codec"
done
echo "FLAC: bits, level; ALAC: bits; Vorbis: file"
for arguments in "16 0" "16 5" "16 8" "24 5" "24 8"; do
    # shellcheck disable=SC2086 # two arguments
    compare flac $arguments
done
compare alac 16
compare alac 24
for file in "$@"; do
    compare vorbis "$file"
done
