"""`bundle.sh` and `cross-check.sh`: what cannot be built is left out with its reason, and our own errors never are.

cargo, rustc and pkg-config are doubles that say what the real ones say in each case.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
EXCLUDED = "--exclude mapwave-libav"

# Installs FFMPEG as the version of every library, with headers below DIRECTORY.
PKG_CONFIG = """#!/usr/bin/env bash
case $1 in
    --exists)
        limit=$(sed -nE 's/^libavcodec ([<>]=?) ([0-9]+).*/\\1 \\2/p' <<<"$2")
        [ -z "$limit" ] || (( ${FFMPEG%%.*} $limit ))
        ;;
    --modversion) echo "$FFMPEG" ;;
    --variable=includedir) echo "$(dirname "$0")/../include" ;;
esac
"""

# Fails with OUTPUT where it is asked to build the plugin over FFmpeg, and otherwise leaves what bundle.sh looks for.
CARGO = """#!/usr/bin/env bash
echo "$*" >>"$(dirname "$0")/../asked"
if [ -n "${OUTPUT:-}" ] && [[ "$*" == *"${FAILS:--p mapwave-libav}"* ]]; then
    printf '%s' "$OUTPUT" >&2
    exit 101
fi
mkdir -p "$CARGO_TARGET_DIR/release"
for name in lame soxr libav audiotoolbox; do
    touch "$CARGO_TARGET_DIR/release/libmapwave_$name".{so,dylib}
done
"""


def failed_script(*lines: str) -> str:
    """What cargo says of a build script that fails."""
    indented = "".join(f"  {line}\n" for line in lines)
    return f"error: failed to run custom build command for `ffmpeg-sys-next v9.0.1`\n\nCaused by:\n{indented}"


def not_compiled(package: str, error: str) -> str:
    """What cargo says of a crate with an error."""
    return f"{error}\n\nerror: could not compile `{package}` (lib) due to 1 previous error\n"


NO_LIMITS = failed_script("--- stderr", "/usr/include/limits.h:124:16: fatal error: 'limits.h' file not found")
NO_LIBCLANG = failed_script("--- stderr", "Unable to find libclang: could not find any valid shared libraries")
KILLED = failed_script("process didn't exit successfully: `build-script-build` (signal: 9, SIGKILL: kill)")
OURS = not_compiled("mapwave-libav", "error[E0425]: cannot find function `av_gone`")
THEIRS = not_compiled("ffmpeg-sys-next", "error[E0080]: evaluation failed")
NOT_LINKED = not_compiled(
    "mapwave-libav",
    "error: linking with `cc` failed: exit status: 1\n  = note: /usr/bin/ld: cannot find -lavcodec: No such file",
)
NO_NETWORK = "error: failed to download from `https://crates.example/bindgen`\n"


class Machine:
    """A machine with the doubles and the tools that the scripts need, and nothing else."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.programs = directory / "bin"
        self.programs.mkdir()
        header = directory / "include" / "libavcodec" / "avcodec.h"
        header.parent.mkdir(parents=True)
        header.write_text("int avcodec_version(void);\n")
        self.header = header
        for name, text in {"cargo": CARGO, "rustc": "#!/bin/sh\necho rustc\n", "pkg-config": PKG_CONFIG}.items():
            self.program(name, text)
        tools = (
            "awk bash cat chmod cksum cp cut dirname env find grep ls mkdir mktemp mv realpath rm sed sh sort tail tee "
            "touch tr uname"
        )
        for name in tools.split():
            found = shutil.which(name)
            if found is not None:
                (self.programs / name).symlink_to(found)

    def program(self, name: str, text: str) -> None:
        """A program of this machine."""
        path = self.programs / name
        path.write_text(text)
        path.chmod(0o755)

    def run(self, script: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Runs a script of the repository there."""
        environment = {
            "PATH": str(self.programs),
            "HOME": str(self.directory),
            "CARGO_TARGET_DIR": str(self.directory / "target"),
            "FFMPEG": "59.37.100",
            **variables,
        }
        command = [str(REPOSITORY / script), *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=600)

    def excluded(self, **variables: str) -> subprocess.CompletedProcess[str]:
        """What `bundle.sh --excluded` says."""
        return self.run("plugins/bundle.sh", "--excluded", **variables)

    def bundle(self, **variables: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
        """What `bundle.sh` says, and the libraries that it leaves, by their names without the ending."""
        directory = self.directory / "bundled"
        done = self.run("plugins/bundle.sh", str(directory), **variables)
        return done, sorted(path.stem for path in directory.iterdir())

    def asked(self) -> int:
        """How often cargo was asked."""
        path = self.directory / "asked"
        return len(path.read_text().splitlines()) if path.exists() else 0


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


OTHERS = ["libmapwave_lame", "libmapwave_soxr"]
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="macOS bundles its own plugin too and signs libraries")


def test_all_of_it_is_built_where_nothing_is_missing(machine: Machine) -> None:
    done = machine.excluded(MAPWAVE_REQUIRE="lame soxr libav")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("output", "ffmpeg", "reason"),
    [
        (
            NO_LIMITS,
            "59.37.100",
            "the build of ffmpeg-sys-next failed: /usr/include/limits.h:124:16: fatal error",
        ),
        (NO_LIBCLANG, "59.37.100", "libclang, which reads FFmpeg's headers, is not installed (apt install"),
        (THEIRS, "59.37.100", "the build of ffmpeg-sys-next failed: error[E0080]"),
        (NOT_LINKED, "59.37.100", "the build of mapwave-libav failed: = note: /usr/bin/ld: cannot find -lavcodec"),
        (OURS, "64.1.100", "the build of mapwave-libav failed: error[E0425]: cannot find function `av_gone`"),
        ("", "58.134.100", "the headers of FFmpeg 5.1 or newer are not installed (apt install"),
    ],
    ids=["broken headers", "no libclang", "broken bindings", "no library", "FFmpeg too new", "FFmpeg too old"],
)
@on_linux
def test_what_cannot_be_built_is_left_out_with_its_reason(
    output: str, ffmpeg: str, reason: str, machine: Machine
) -> None:
    done, bundled = machine.bundle(OUTPUT=output, FFMPEG=ffmpeg)
    assert done.returncode == 0, done.stderr
    assert f"bundle.sh: the FFmpeg plugin is left out: {reason}" in done.stderr
    assert bundled == OTHERS
    asked = machine.asked()
    # The same verdict and the same reason for every command after it, without building anything.
    done = machine.excluded(OUTPUT=output, FFMPEG=ffmpeg)
    assert (done.returncode, done.stdout.split()) == (0, EXCLUDED.split())
    assert reason in done.stderr
    assert machine.asked() == asked


def test_without_pkg_config_ffmpeg_is_not_there(machine: Machine) -> None:
    (machine.programs / "pkg-config").unlink()
    done = machine.excluded()
    assert (done.returncode, done.stdout.split()) == (0, EXCLUDED.split())
    assert "pkg-config, which finds FFmpeg's headers, is not installed (apt install" in done.stderr


@on_linux
def test_other_plugins_are_left_out_alike(machine: Machine) -> None:
    output = NO_LIMITS.replace("ffmpeg-sys-next v9.0.1", "mp3lame-sys v0.1.11")
    done, bundled = machine.bundle(OUTPUT=output, FAILS="-p mapwave-lame")
    assert done.returncode == 0
    assert "the LAME plugin (MP3 encoding) is left out: the build of mp3lame-sys failed" in done.stderr
    assert bundled == ["libmapwave_libav59", "libmapwave_soxr"]


@pytest.mark.parametrize("output", [OURS, NO_NETWORK, KILLED], ids=["our code", "no network", "out of memory"])
def test_what_is_no_fault_of_the_machine_fails(output: str, machine: Machine) -> None:
    done, bundled = machine.bundle(OUTPUT=output)
    assert done.returncode == 1
    assert output.splitlines()[0] in done.stderr
    assert "left out" not in done.stderr
    assert bundled == []
    # Nothing is excluded either, so that the command itself reports it, and nothing is remembered.
    done = machine.excluded(OUTPUT=output)
    assert (done.returncode, done.stdout) == (0, "")
    asked = machine.asked()
    assert machine.excluded().stdout == ""
    assert machine.asked() > asked


@pytest.mark.parametrize("required", ["libav", "lame libav"])
def test_what_is_required_is_not_left_out(required: str, machine: Machine) -> None:
    done = machine.excluded(OUTPUT=NO_LIMITS, MAPWAVE_REQUIRE=required)
    assert (done.returncode, done.stdout) == (1, "")
    assert "'limits.h' file not found" in done.stderr
    assert machine.excluded(OUTPUT=NO_LIMITS, MAPWAVE_REQUIRE="lame soxr").returncode == 0


def test_a_verdict_holds_until_what_it_depends_on_changes(machine: Machine) -> None:
    assert machine.excluded(OUTPUT=NO_LIMITS).stdout.split() == EXCLUDED.split()
    # The headers are mended, and the version stays.
    machine.header.write_text("unsigned avcodec_version(void);\n")
    assert machine.excluded().stdout == ""
    # Another command has its own verdict.
    done = machine.run("plugins/bundle.sh", "--excluded", "check", "--target", "x", OUTPUT=NO_LIMITS)
    assert done.stdout.split() == EXCLUDED.split()
    assert machine.excluded().stdout == ""


RUSTUP = "#!/bin/sh\necho aarch64-apple-darwin\necho aarch64-unknown-linux-gnu\n"
SCRIPT = "tools/platforms/cross-check.sh"
CHECK = (SCRIPT, "darwin", "check", "--locked")
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="a Mac needs no such check")


@linux_only
def test_the_check_leaves_out_what_cannot_be_built(machine: Machine) -> None:
    machine.program("rustup", RUSTUP)
    done = machine.run(*CHECK, OUTPUT=NO_LIMITS)
    assert done.returncode == 0, done.stderr
    assert "the FFmpeg plugin is left out: the build of ffmpeg-sys-next failed" in done.stderr
    asked = (machine.directory / "asked").read_text().splitlines()
    assert asked[-1] == f"check --target aarch64-apple-darwin --workspace {EXCLUDED} --locked"
    assert machine.run(SCRIPT, "aarch64", "check", "--locked", OUTPUT=NO_LIMITS).returncode == 0
    asked = (machine.directory / "asked").read_text().splitlines()
    assert asked[-1] == f"check --target aarch64-unknown-linux-gnu --workspace {EXCLUDED} --locked"


@linux_only
def test_the_check_takes_the_platforms_it_knows(machine: Machine) -> None:
    done = machine.run(SCRIPT, "amiga", "check")
    assert (done.returncode, done.stderr) == (2, "cross-check.sh: unknown platform: amiga (darwin, aarch64, windows)\n")
    skipped = machine.run(SCRIPT, "aarch64", "check")
    assert skipped.returncode == 0
    assert "skipped for Linux on aarch64: this is no Debian" in skipped.stderr
    assert machine.run(SCRIPT, "aarch64", "check", MAPWAVE_REQUIRE="darwin").returncode == 0
    assert machine.run(SCRIPT, "aarch64", "check", MAPWAVE_REQUIRE="aarch64").returncode == 1


@linux_only
def test_the_check_for_a_mac_fails_on_errors_of_ours(machine: Machine) -> None:
    machine.program("rustup", RUSTUP)
    assert machine.run(*CHECK).returncode == 0
    output = OURS.replace("mapwave-libav", "mapwave-core")
    assert machine.run(*CHECK, OUTPUT=output, FAILS="--workspace").returncode == 101
    assert machine.run(*CHECK, OUTPUT=output, FAILS="--workspace", MAPWAVE_REQUIRE="darwin").returncode == 101


@linux_only
def test_the_check_for_a_mac_is_skipped_where_it_cannot_be_made(machine: Machine) -> None:
    done = machine.run(*CHECK)
    assert done.returncode == 0
    assert "skipped for a Mac: this is no Debian" in done.stderr
    assert machine.run(*CHECK, MAPWAVE_REQUIRE="lame darwin").returncode == 1
    machine.program("rustup", RUSTUP)
    too_old = {"OUTPUT": "error: rustc 1.85.0 is not supported\n", "FAILS": "--manifest-path"}
    done = machine.run(*CHECK, **too_old)
    assert done.returncode == 0
    assert "cannot check for aarch64-apple-darwin: error: rustc 1.85.0 is not supported" in done.stderr
    assert machine.run(*CHECK, **too_old, MAPWAVE_REQUIRE="darwin").returncode == 1


@linux_only
def test_the_check_for_a_mac_finds_the_headers_of_libclang(machine: Machine) -> None:
    libraries = machine.directory / "llvm"
    (libraries / "clang" / "14.0.6" / "include").mkdir(parents=True)
    (libraries / "clang" / "14.0.6" / "include" / "limits.h").touch()
    machine.program("rustup", RUSTUP)
    machine.program("cargo", CARGO + 'env | grep -E "^(BINDGEN|LIBCLANG)" >"$(dirname "$0")/../environment"\n')

    def arguments() -> str:
        assert machine.run(*CHECK, LIBCLANG_PATH=str(libraries)).returncode == 0
        return (machine.directory / "environment").read_text()

    # libclang-cpp is another library.
    (libraries / "libclang-cpp.so.14").touch()
    assert f"-resource-dir {libraries}" not in arguments()
    (libraries / "libclang-14.so.1").touch()
    assert f"-resource-dir {libraries}/clang/14.0.6 " in arguments()
    # The program knows it by itself.
    machine.program("clang", "#!/bin/sh\n")
    assert "-resource-dir" not in arguments()
