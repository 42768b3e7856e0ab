"""The source distribution: all that is tracked is in it, and pip builds the plugins from it as `make wheel` does.

Nothing is compiled here: maturin packs the sources, and the builds are doubles that say when they are called.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

MATURIN = """
def _say(name):
    with open("called", "a") as file:
        file.write(name + "\\n")
    return "mapwave.whl"

def build_sdist(*arguments):
    return _say("sdist")

def build_wheel(*arguments):
    return _say("wheel")

def build_editable(*arguments):
    return _say("editable")

get_requires_for_build_sdist = prepare_metadata_for_build_editable = prepare_metadata_for_build_wheel = build_sdist
"""

CARGO = """#!/bin/sh
mkdir -p "$CARGO_TARGET_DIR/release"
for name in lame soxr libav audiotoolbox; do
    touch "$CARGO_TARGET_DIR/release/libmapwave_$name.so" "$CARGO_TARGET_DIR/release/libmapwave_$name.dylib"
done
"""


def tracked() -> set[str]:
    """What git tracks here."""
    if shutil.which("git") is None or not (REPOSITORY / ".git").exists():
        pytest.skip("this is not a checkout of git")
    done = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return {name for name in done.stdout.split("\0") if name and (REPOSITORY / name).exists()}


def test_all_that_is_tracked_is_in_it(tmp_path: Path) -> None:
    expected = tracked()
    if importlib.util.find_spec("maturin") is None:
        pytest.skip("maturin is not installed")
    command = [sys.executable, "-m", "maturin", "sdist", "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    (path,) = tmp_path.iterdir()
    with tarfile.open(path) as archive:
        members = {member.name.partition("/")[2] for member in archive if not member.isdir()}
    assert members == expected | {"PKG-INFO"}
    for needed in ("plugins/bundle.sh", "plugins/lame/Cargo.toml", "plugins/soxr/build.rs", "plugins/libav/Cargo.toml"):
        assert needed in members


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The files that pip calls, with doubles of maturin and of the commands."""
    for name in ("python/backend/wheel_backend.py", "plugins/bundle.sh"):
        (tmp_path / name).parent.mkdir(parents=True)
        shutil.copy(REPOSITORY / name, tmp_path / name)
    shutil.copytree(REPOSITORY / "plugins/abi/include", tmp_path / "plugins/abi/include")
    (tmp_path / "Cargo.lock").touch()
    (tmp_path / "maturin.py").write_text(MATURIN)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in {"cargo": CARGO, "rustc": "#!/bin/sh\n", "pkg-config": "#!/bin/sh\nexit 1\n"}.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    return tmp_path


def call(tree: Path, function: str, path: str) -> subprocess.CompletedProcess[str]:
    """Calls a function of the backend as pip does, with the source distribution as the directory."""
    code = f"import wheel_backend; print(wheel_backend.{function})"
    environment = {"PATH": path, "PYTHONPATH": f"{tree}:{tree / 'python/backend'}", "HOME": str(tree)}
    environment["CARGO_TARGET_DIR"] = str(tree / "target")
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.skipif(sys.platform != "linux", reason="macOS bundles its own plugin too and signs libraries")
@pytest.mark.parametrize("function", ["build_wheel('.')", "build_editable('.')"])
def test_pip_builds_the_plugins_first(function: str, tree: Path) -> None:
    done = call(tree, function, f"{tree / 'bin'}:{os.defpath}")
    assert (done.returncode, done.stdout) == (0, "mapwave.whl\n"), done.stderr
    assert (tree / "called").read_text() == function[6:].partition("(")[0] + "\n"
    plugins = sorted(path.name for path in (tree / "python/mapwave/plugins/abi1").iterdir())
    assert plugins == ["libmapwave_lame.so", "libmapwave_soxr.so"], "FFmpeg is not installed there"
    assert "the FFmpeg plugin is left out" in done.stderr
    headers = {path.name: path.read_bytes() for path in (tree / "python/mapwave/include").iterdir()}
    assert headers == {path.name: path.read_bytes() for path in (REPOSITORY / "plugins/abi/include").glob("*.h")}
    assert "mapwave_plugin.h" in headers


def test_without_cargo_pip_says_what_to_install(tree: Path) -> None:
    (tree / "bin/cargo").unlink()
    (tree / "bin/bash").symlink_to(shutil.which("bash") or "/bin/bash")
    for function in ("get_requires_for_build_wheel()", "build_wheel('.')"):
        done = call(tree, function, str(tree / "bin"))
        assert done.returncode == 1
        assert "there is no cargo: install Rust 1.95 or newer" in done.stderr
    assert not (tree / "called").exists()
