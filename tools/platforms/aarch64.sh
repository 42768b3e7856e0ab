#!/usr/bin/env bash
# aarch64.sh [PART..]: builds mapwave for Linux on aarch64 on another machine, and tests it there under emulation.
#
#   rust    the tests of the core, of the decoders that come with mapwave and of the crates under them
#   wheel   a wheel with the plugins over LAME and libsoxr, in target/aarch64/wheel
#   python  some of the Python tests with that wheel, in a Debian system for aarch64
#
# Without a part, all three run, one after the other. Needs root, the compiler described in cross-rust.sh and these programs:
#
#     apt install gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static debootstrap
#
# Where something is missing, a notice says so, and nothing fails, unless MAPWAVE_REQUIRE has the word aarch64 in it. From the
# environment:
#
#   AARCH64_DIR     where the Debian system stays (default /var/tmp/aarch64)
#   AARCH64_CRATES  the crates whose tests run (default: those below)
#   AARCH64_TESTS   the Python tests (default: those below)
#   MAPWAVE_CORPUS  the corpus of test files, if there is one
set -euo pipefail
cd "$(dirname "$0")/../.."

. tools/platforms/cross-rust.sh
. tools/platforms/debian.sh
parts=("$@")
[ ${#parts[@]} -gt 0 ] || parts=(rust wheel python)
crates=(mapwave-core mapwave-builtin mapwave-codec-base mapwave-aac mapwave-alac mapwave-flac mapwave-mp3 mapwave-vorbis mapwave-edits mapwave-fork mapwave-plugin mapwave-plugin-abi)
tests=(test_load.py test_reader.py test_info.py test_arrays.py test_flac.py test_compressed.py test_resample.py test_save.py)
directory=$(realpath -m "${AARCH64_DIR:-/var/tmp/aarch64}")
[ -z "${AARCH64_CRATES:-}" ] || read -ra crates <<<"$AARCH64_CRATES"
[ -z "${AARCH64_TESTS:-}" ] || read -ra tests <<<"$AARCH64_TESTS"
corpus=$(realpath -m "${MAPWAVE_CORPUS:-../shared/corpus}")
emulator=qemu-aarch64-static
cc=aarch64-linux-gnu-gcc

set_up_rust aarch64
for program in "$cc" "$emulator" debootstrap; do
    command -v "$program" >/dev/null || skip "there is no $program (apt install gcc-aarch64-linux-gnu libc6-dev-arm64-cross \
qemu-user-static debootstrap)"
done
[ "$(id -u)" = 0 ] || skip "only root can make the kernel start programs for aarch64 by the emulator"

# The kernel starts programs for aarch64 by the emulator, in every folder: what an ELF file for it begins with, and the bits
# of that which count.
formats=/proc/sys/fs/binfmt_misc
if [ ! -e $formats/qemu-aarch64 ]; then
    [ -e $formats/register ] || mount -t binfmt_misc none $formats || skip "the kernel has no binfmt_misc"
    magic='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
    mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
    printf '%s' ":qemu-aarch64:M::$magic:$mask:$(command -v $emulator):F" >$formats/register
fi

export "CC_${target//-/_}=$cc" CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=$cc
made=$CARGO_TARGET_DIR/$target/release
wheels=$CARGO_TARGET_DIR/wheel

run_rust() {
    # Tests start programs of their own, which find the C library there.
    MAPWAVE_CORPUS=$corpus QEMU_LD_PREFIX=/usr/aarch64-linux-gnu cargo test --locked --no-fail-fast "${build_std[@]}" \
        --target "$target" "${crates[@]/#/-p}"
}

run_wheel() {
    local source=$CARGO_TARGET_DIR/source maturin=$CARGO_TARGET_DIR/maturin plugins
    rm -rf "$source" "$wheels"
    mkdir -p "$source"
    git ls-files -z | tar --null --files-from=- --create | tar --extract --directory="$source"
    cargo build --release --locked "${build_std[@]}" --target "$target" -p mapwave-lame -p mapwave-soxr
    plugins=$source/python/mapwave/plugins/abi1
    mkdir -p "$plugins" "$source/python/mapwave/include"
    cp "$made"/libmapwave_{lame,soxr}.so "$plugins/"
    cp plugins/abi/include/*.h "$source/python/mapwave/include/"
    [ -x "$maturin/bin/maturin" ] || python3 -m venv "$maturin"
    "$maturin/bin/pip" --disable-pip-version-check --quiet install 'maturin>=1.9,<2'
    # As the workspace's, so that what is built is found again.
    (cd "$source" && "$maturin/bin/maturin" build --release --locked --target "$target" --auditwheel skip --out "$wheels" \
        ${build_std[0]:+-Z "${build_std[0]#-Z}"})
}

run_python() {
    local root=$directory/bookworm
    DEBOOTSTRAP=--arch=arm64 make_system "$root" bookworm python3 python3-venv git
    clone_into "$root"
    binds+=("$wheels:/opt/wheel:ro")
    [ ! -d "$corpus" ] || binds+=("$corpus:/opt/corpus:ro")
    settings=(MAPWAVE_CORPUS=/opt/corpus)
    # shellcheck disable=SC2016 # expanded by the inner shell
    in_system "$root" bash -euc '
        cd /root/mapwave
        [ -x /root/venv/bin/python ] || python3 -m venv /root/venv
        /root/venv/bin/pip --disable-pip-version-check --quiet install "mlx[cpu]>=0.32" ml_dtypes numpy soundfile pytest
        /root/venv/bin/pip --disable-pip-version-check --quiet install --force-reinstall --no-deps /opt/wheel/*.whl
        cd tests/python
        /root/venv/bin/python -P -m pytest -q -p no:cacheprovider "$@"
    ' - "${tests[@]}"
}

for part in "${parts[@]}"; do
    case $part in
        rust | wheel | python) "run_$part" ;;
        *) echo "aarch64.sh: unknown part: $part (rust, wheel, python)" >&2; exit 2 ;;
    esac
done
