#!/usr/bin/env bash
# release.sh [STEP..]: what can be known about a release before anything is published. Nothing is uploaded.
#
#   version [TAG]   the versions of the crates, of the package and of the tag agree, and the changelog has a section for them
#   crates          every crate that is to be published can be packaged and built from its package, in the order in which they
#                   depend on each other
#   sources         the source distribution has a good description, and pip builds it where there is nothing but a compiler, into
#                   a wheel with the plugins that bundle.sh builds
#   wheels          tools/platforms/wheels.sh, twice in different directories, which must leave the same bytes
#   files DIRECTORY what is to be uploaded: one wheel per platform, the sources, all of one version, and their descriptions
#
# Without a step: version, crates, sources and wheels. The results stay below target/release-check.
set -euo pipefail
cd "$(dirname "$0")/.."

directory=$PWD/target/release-check
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)

fail() {
    echo "release.sh: $1" >&2
    exit 1
}

# The environment with the tools of the index that STEP needs.
environment() {
    [ -x "$directory/tools/bin/python" ] || python3 -m venv "$directory/tools"
    "$directory/tools/bin/python" -m pip --disable-pip-version-check --quiet install "$@"
}

check_version() {
    local tag=${1:-} dependency
    # Crates of this workspace name each other with their version.
    while read -r dependency; do
        [[ $dependency == *"version = \"$version\""* ]] || fail "the workspace is $version, and Cargo.toml has: $dependency"
    done < <(sed -n '/^\[workspace.dependencies\]/,/^\[/p' Cargo.toml | grep '^mapwave')
    if [ -n "$tag" ]; then
        [ "$tag" = "v$version" ] || fail "the tag is $tag, and the version is $version"
        grep -qx "## $version\( .*\)\?" CHANGELOG.md || fail "CHANGELOG.md has no section \"## $version\""
    fi
    echo "version $version"
}

check_crates() {
    local registry=$directory/crates
    # Nothing of it is run, so that it need not be fast.
    CARGO_PROFILE_DEV_OPT_LEVEL=0 CARGO_PROFILE_DEV_DEBUG=0 cargo publish --workspace --locked --dry-run --target-dir "$registry"
    rm -rf "$registry"
}

check_sources() {
    environment 'maturin>=1.9,<2' twine
    rm -rf "$directory"/{sdist,empty,wheel}
    "$directory/tools/bin/maturin" sdist --out "$directory/sdist"
    "$directory/tools/bin/twine" check --strict "$directory"/sdist/*.tar.gz
    python3 -m venv "$directory/empty"
    env -i HOME="$HOME" PATH="$PATH" LANG=C.UTF-8 "$directory/empty/bin/python" -m pip --disable-pip-version-check wheel --no-deps \
        --no-binary mapwave --wheel-dir "$directory/wheel" "$directory"/sdist/*.tar.gz
    python3 - "$directory"/wheel/*.whl <<'PYTHON'
import sys, zipfile

names = zipfile.ZipFile(sys.argv[1]).namelist()
plugins = sorted(name.rpartition("/")[2] for name in names if "/plugins/abi1/" in name)
print(sys.argv[1], "has", ", ".join(plugins))
for needed in ("_lame", "_soxr", "include/mapwave_plugin.h"):
    assert any(needed in name for name in names), f"there is no {needed}"
PYTHON
}

check_wheels() {
    local first=$directory/first second=$directory/second
    WHEELS_DIR=$PWD/target/wheels tools/platforms/wheels.sh
    [ -d target/wheels/dist ] || return 0
    rm -rf "$second"
    WHEELS_DIR=$second WHEELS_TESTS=none tools/platforms/wheels.sh
    (cd target/wheels/dist && sha256sum -- *.whl) >"$first.sums"
    (cd "$second/dist" && sha256sum --check "$first.sums") || fail "two builds of the same commit differ"
    rm -rf "$second"
}

check_files() {
    local from=${1:?a directory} platform
    environment abi3audit twine
    for platform in manylinux_2_17_x86_64 manylinux_2_17_aarch64 macosx_14_0_arm64; do
        compgen -G "$from/mapwave-$version-cp311-abi3-*$platform*.whl" >/dev/null || fail "there is no wheel for $platform"
    done
    [ -e "$from/mapwave-$version.tar.gz" ] || fail "there is no source distribution"
    [ "$(find "$from" -type f | wc -l)" = 4 ] || fail "there are other files too: $(ls "$from")"
    "$directory/tools/bin/twine" check --strict "$from"/*
    "$directory/tools/bin/abi3audit" --strict "$from"/*.whl
}

mkdir -p "$directory"
[ $# -gt 0 ] || set -- version crates sources wheels
while [ $# -gt 0 ]; do
    step=$1
    shift
    echo "== $step"
    case $step in
        version) if [[ ${1:-} == v[0-9]* ]]; then check_version "$1"; shift; else check_version; fi ;;
        crates | sources | wheels) "check_$step" ;;
        files) check_files "${1:-}"; shift ;;
        *) echo "release.sh: unknown step: $step (version, crates, sources, wheels, files)" >&2; exit 2 ;;
    esac
done
