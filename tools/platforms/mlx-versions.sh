#!/usr/bin/env bash
# mlx-versions.sh [VERSION..] [-- PYTEST-ARGUMENT..]: runs the tests that concern MLX with each version of it.
#
# Without a version, all that mapwave supports run: 0.32.0 to 0.32.4. Each has an environment of its own in MLX_DIR (default
# .venv-mlx), with the newest wheel in dist/ (`make wheel`). PYTEST-ARGUMENTs replace the list of tests:
#
#     tools/platforms/mlx-versions.sh 0.32.0 -- -x tests/python/test_mlx_routes.py
set -euo pipefail
cd "$(dirname "$0")/../.."

supported=(0.32.0 0.32.1 0.32.2 0.32.3 0.32.4)
tests=(mlx_metal mlx_routes save_prepared save_writer load stream batch resample threads)
directory=$(realpath -m "${MLX_DIR:-.venv-mlx}")
package=mlx
[ "$(uname -s)" = Darwin ] || package='mlx[cpu]'

versions=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do versions+=("$1"); shift; done
[ ${#versions[@]} -gt 0 ] || versions=("${supported[@]}")
[ "${1:-}" != -- ] || shift
[ $# -gt 0 ] || set -- "${tests[@]/%/.py}"
arguments=()
for argument in "$@"; do
    case $argument in
        -* | */*) arguments+=("$argument") ;;
        *) arguments+=("tests/python/test_$argument") ;;
    esac
done
# shellcheck disable=SC2012 # names of wheels have no spaces
wheel=$(ls -t dist/*.whl 2>/dev/null | head -n 1)
[ -n "$wheel" ] || { echo "mlx-versions.sh: no wheel in dist/: run 'make wheel' first" >&2; exit 2; }

failed=()
for version in "${versions[@]}"; do
    environment=$directory/$version
    [ -d "$environment" ] || python3 -m venv "$environment"
    pip=("$environment/bin/python" -m pip --disable-pip-version-check --quiet install)
    "${pip[@]}" "$package==$version" numpy soundfile ml_dtypes pytest
    "${pip[@]}" --force-reinstall --no-deps "$wheel"
    echo "== MLX $version"
    "$environment/bin/python" -P -m pytest -q -p no:cacheprovider "${arguments[@]}" || failed+=("$version")
done
[ ${#failed[@]} -eq 0 ] || { echo "mlx-versions.sh: failed with ${failed[*]}" >&2; exit 1; }
