#!/usr/bin/env bash
# table.sh WHEEL [SUITE..] [-- PYTEST-ARGUMENT..]: installs a wheel on several Debians, each with its own Python and FFmpeg, asks
# `mapwave doctor`, runs the Python tests, and prints the rows of the table in docs/platforms.md.
#
#   bookworm  Debian 12, Python 3.11, FFmpeg 5.1
#   trixie    Debian 13, Python 3.13, FFmpeg 7.1
#   sid       unreleased, Python 3.14 and FFmpeg 9.0 at the time of writing
#
# Without a suite, all three run, one after the other; PYTEST-ARGUMENTs replace the whole of the tests:
#
#     sudo tools/platforms/table.sh target/wheels/dist/*x86_64.whl trixie -- test_load.py test_save.py
#
# The tests are those of the commit at hand. Needs root, debootstrap and a Rust toolchain, for the tests that build plugins;
# without debootstrap nothing runs, and a notice says so. From the environment:
#
#   TABLE_DIR       where the systems, an environment in each and a log for each stay (default /var/tmp/ffmpeg-majors, which
#                   ffmpeg-majors.sh shares)
#   TABLE_FILES     this machine's settings that the systems need as well (default: name resolution, pip's configuration and
#                   additional certificate authorities)
#   TABLE_LIMIT     the seconds after which a suite fails (default 5400)
#   MAPWAVE_CORPUS  the corpus of test files, if there is one
set -euo pipefail
cd "$(dirname "$0")/../.."

directory=$(realpath -m "${TABLE_DIR:-/var/tmp/ffmpeg-majors}")
. tools/platforms/debian.sh
limit=${TABLE_LIMIT:-5400}
[ -z "${TABLE_FILES:-}" ] || read -ra system_files <<<"$TABLE_FILES"
wheel=$(realpath "${1:?a wheel}")
shift
suites=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    case $1 in
        bookworm | trixie | sid) suites+=("$1") ;;
        *) echo "table.sh: unknown suite: $1 (bookworm, trixie, sid)" >&2; exit 2 ;;
    esac
    shift
done
[ ${#suites[@]} -gt 0 ] || suites=(bookworm trixie sid)
[ "${1:-}" != -- ] || shift
if ! command -v debootstrap >/dev/null; then
    echo "table.sh: skipped: there is no debootstrap on this machine"
    exit 0
fi
[ "$(id -u)" = 0 ] || { echo "table.sh: needs root" >&2; exit 2; }
[ -e "$wheel" ] || { echo "table.sh: there is no $wheel" >&2; exit 2; }
share_rust
binds+=("$(dirname "$wheel"):/opt/wheels:ro")
corpus=$(realpath -m "${MAPWAVE_CORPUS:-../shared/corpus}")
[ ! -d "$corpus" ] || binds+=("$corpus:/opt/corpus:ro")
settings=(MAPWAVE_CORPUS=/opt/corpus "WHEEL=/opt/wheels/${wheel##*/}")
packages=(ffmpeg flac gcc git libc6-dev python3 python3-venv sox)

run_suite() {
    local root=$directory/$1
    make_system "$root" "$1" "${packages[@]}"
    # One that ffmpeg-majors.sh has made has no Python.
    compgen -G "$root/usr/lib/python3*/ensurepip" >/dev/null || install "$root" "${packages[@]}"
    clone_into "$root"
    # The first lines are for the table.
    # shellcheck disable=SC2016 # expanded by the inner shell
    in_system "$root" bash -euc '
        echo "SYSTEM $(. /etc/os-release; echo "$PRETTY_NAME")"
        echo "PYTHON $(python3 -c "import platform; print(platform.python_version())")"
        echo "FFMPEG $(ffmpeg -version | sed -nE "1s/^ffmpeg version ([0-9.]+).*/\1/p")"
        rm -rf /root/venv
        python3 -m venv /root/venv
        pip="/root/venv/bin/python -m pip --disable-pip-version-check --quiet install"
        $pip "${WHEEL}[mlx,numpy]"
        echo "INSTALLS yes"
        /root/venv/bin/mapwave doctor
        echo "DOCTOR passes"
        $pip soundfile jax ml_dtypes "fsspec[http]" pytest || $pip soundfile ml_dtypes "fsspec[http]" pytest
        cd /root/mapwave
        # As a user has it: from the installed package alone.
        /root/venv/bin/python -P -m pytest -q -p no:cacheprovider "$@"
    ' - "${@:2}"
}

fact() {
    sed -n "s/^$1 //p" "$2" | head -n 1
}

failed=() rows=()
for suite in "${suites[@]}"; do
    log=$directory/table-$suite.log
    echo "== $suite: log in $log"
    # Not as a condition, in which a failing line would not end the function.
    set +e
    (set -e; run_suite "$suite" "$@") >"$log" 2>&1
    status=$?
    set -e
    tests=$(grep -E '^[0-9]+ (passed|failed).* in [0-9.]+s|^=+ .*(passed|failed).* =+$' "$log" | tail -n 1 | sed -E 's/ in [0-9.]+s.*//; s/^=+ //')
    rows+=("| $(fact SYSTEM "$log"), $(uname -m) | $(fact PYTHON "$log") | $(fact FFMPEG "$log") | $(fact INSTALLS "$log") | $(fact DOCTOR "$log") | ${tests:-none ran} | $(date -u +%F) |")
    if [ $status != 0 ]; then
        tail -n 20 "$log"
        echo "== $suite: FAILED ($status)"
        failed+=("$suite")
    fi
done
echo "| system | Python | FFmpeg | installs | doctor | tests | date |"
echo "|---|---|---|---|---|---|---|"
printf '%s\n' "${rows[@]}"
[ ${#failed[@]} -eq 0 ]
