#!/usr/bin/env bash
# test-fast.sh: what `make test-fast` runs: the quick checks, the tests beside the code, and Python tests that read
# files of all kinds. No wheel is built: Python loads the extension as the tests of Rust are compiled, and the plugins beside it.
#
# Each step says how many seconds it took.
set -euo pipefail
cd "$(dirname "$0")/.."

bin=$PWD/.venv/bin
package=$PWD/target/fast
# They do not start a Python of their own, which would find the installed mapwave.
tests=(arrays by_content compressed errors extras flac imports info limits load reader save stubs tracks)
began=$SECONDS

step() {
    local name=$1 start=$SECONDS
    shift
    "$@"
    echo "== $name: $((SECONDS - start)) s"
}

# A package with the files of the checkout, the extension and the plugins over LAME, libsoxr and FFmpeg.
build_package() {
    local ending=so built=target/debug file plugins=()
    [ "$(uname -s)" != Darwin ] || ending=dylib
    [ -z "${CARGO_TARGET_DIR:-}" ] || built=$CARGO_TARGET_DIR/debug
    cargo build -p mapwave-python --features pyo3/extension-module
    for file in lame soxr libav; do
        [[ " ${scope[*]} " == *" --exclude mapwave-$file "* ]] || plugins+=("$file")
    done
    [ ${#plugins[@]} = 0 ] || cargo build "${plugins[@]/#/-pmapwave-}"
    rm -rf "$package"
    mkdir -p "$package/mapwave/plugins/abi1"
    for file in python/mapwave/*; do
        [ "${file##*/}" = plugins ] || ln -s "$PWD/$file" "$package/mapwave/"
    done
    cp "$built/lib_core.$ending" "$package/mapwave/_core.abi3.so"
    for file in "${plugins[@]}"; do
        cp "$built/libmapwave_$file.$ending" "$package/mapwave/plugins/abi1/"
    done
    # Its name has the major version, as in the wheel.
    file=$package/mapwave/plugins/abi1/libmapwave_libav
    [ ! -e "$file.$ending" ] || mv "$file.$ending" "$file$(pkg-config --modversion libavcodec | cut -d. -f1).$ending"
}

# The plugins that can be built here, as the tests need them.
excluded=$(plugins/bundle.sh --excluded build --locked)
read -ra scope <<<"--workspace ${excluded//$'\n'/ }"
step "formatting" cargo fmt --all --check
step "clippy" cargo clippy "${scope[@]}" --all-targets -- -D warnings
step "ruff" "$bin/ruff" check
step "ruff format" "$bin/ruff" format --check
step "mypy" "$bin/python" -m mypy
if cargo nextest --version >/dev/null 2>&1; then
    step "tests of Rust" cargo nextest run "${scope[@]}" --profile fast --lib --bins --test reading --test layering
else
    step "tests of Rust" cargo test "${scope[@]}" --lib --bins
fi
step "the extension" build_package
export PYTHONPATH=$package
step "stubs" "$bin/python" python/stubs --check
files=("${tests[@]/#/test_}")
files=("${files[@]/%/.py}")
cd tests/python
step "tests of Python" "$bin/python" -P -m pytest -q -p no:cacheprovider "${files[@]}"
echo "== all: $((SECONDS - began)) s"
