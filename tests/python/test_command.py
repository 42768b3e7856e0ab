"""The command of the installed package: `mapwave` and `python -m mapwave`."""

from __future__ import annotations

import hashlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path

import child
import corpus
import mapwave
import pluginfile
import pytest
from conftest import Lab

MODULE = [sys.executable, "-m", "mapwave"]
SCRIPT = Path(sysconfig.get_path("scripts")) / "mapwave"

# An entry that tells by a FIFO that it was reached, and does not come back.
HANGING = """
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
void *mapwave_plugin_entry_v1(void *host, void *error)
{
    write(open(getenv("REACHED"), O_WRONLY), "x", 1);
    for (;;)
        pause();
}
"""


@pytest.fixture(params=["module", "script"])
def command(request: pytest.FixtureRequest) -> list[str]:
    """The command in both its forms."""
    if request.param == "module":
        return MODULE
    if not SCRIPT.exists():
        pytest.skip("the package is not installed with its script")
    return [str(SCRIPT)]


def run(command: list[str], *arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs the command to its end."""
    words = [*command, *map(str, arguments)]
    environment = child.environment(**variables)
    return subprocess.run(words, env=environment, capture_output=True, text=True, timeout=child.TIMEOUT)


def test_the_version(command: list[str]) -> None:
    done = run(command, "--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"mapwave {mapwave.__version__}\n", "")


def test_a_file_is_described(command: list[str]) -> None:
    path = corpus.FIXTURES / "compressed" / "vorbis.ogg"
    info = mapwave.info(path)
    done = run(command, "info", path, "--format", "json")
    (facts,) = json.loads(done.stdout)["files"]
    assert (done.returncode, done.stderr) == (0, "")
    expected = info.asdict()
    assert facts["path"] == str(path)
    assert {name: facts[name] for name in facts.keys() & expected.keys()} == {
        name: expected[name] for name in facts.keys() & expected.keys()
    }
    assert facts.keys() - expected.keys() <= {"path", "bytes", "bitrate"}
    text = run(command, "info", path, "--track", "0", "--plugin", "builtin").stdout
    assert f"{info.sample_rate} Hz, stereo" in text
    assert f"({info.duration:.6f} s, {info.frames} frames)" in text
    done = run(command, "info", path, "--track", "1")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"error: {path}: track 1 does not exist; the file has 1 sound track\n"


def test_what_is_not_understood(command: list[str]) -> None:
    done = run(command, "plugins", "lost")
    assert (done.returncode, done.stdout) == (2, "")
    assert "unrecognized subcommand 'lost'" in done.stderr


def test_the_help_names_every_command(command: list[str]) -> None:
    done = run(command, "--help")
    assert done.returncode == 0, done.stderr
    for name in ("info", "convert", "index", "plugins", "bench", "doctor", "completions", "man"):
        assert f"\n  {name} " in done.stdout, done.stdout
        assert run(command, name, "--help").returncode == 0


def test_an_index_is_kept(command: list[str], tmp_path: Path) -> None:
    names = ("vorbis.ogg", "flac16.flac")
    paths, table = [corpus.FIXTURES / "compressed" / name for name in names], tmp_path / "index.jsonl"
    done = run(command, "index", *paths, tmp_path / "missing.wav", table, "--hash", "sha256")
    assert (done.returncode, done.stdout) == (0, f"{table}: 3 files, 0.0 hours, 1 errors\n"), done.stderr
    rows = list(mapwave.Index.read(table))
    assert [row.path for row in rows] == [*map(str, paths), str(tmp_path / "missing.wav")]
    assert [row.frames for row in rows[:2]] == [mapwave.info(path).frames for path in paths]
    assert rows[0].hash == f"sha256:{hashlib.sha256(paths[0].read_bytes()).hexdigest()}"
    done = run(command, "index", paths[0], tmp_path / "index.txt")
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "index.txt" in done.stderr
    done = run(command, "index", *paths, table, "--address", "auto")
    assert (done.returncode, done.stderr) == (1, "error: --address auto is for --engine ray\n")


def test_ray_converts_directories_alone(command: list[str], tmp_path: Path) -> None:
    done = run(command, "convert", tmp_path, "--to-dir", tmp_path / "out", "--format", "flac", "--engine", "ray",
               "--from", "1")  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert "--from and --to do not apply to --engine ray" in done.stderr


def test_the_doctor_can_be_called_too(command: list[str]) -> None:
    done = run(command, "doctor")
    assert done.returncode == 0, done.stderr
    assert "self-test      passed" in done.stdout


def test_plugins_list(command: list[str], lab: Lab, qoa_library: Path) -> None:
    good = shutil.copy(qoa_library, lab.library("good"))
    lab.library("text").write_text("no library")
    shutil.copy(qoa_library, lab.library("writable"))
    lab.library("writable").chmod(0o777)

    done = run(command, "plugins", "list", "--format", "json", **lab.environment())
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["plugins"]
    code = """
        import json, mapwave
        fields = ("id", "origin", "version", "vendor", "license", "dependencies", "refused")
        rows = [{field: getattr(plugin, field) for field in fields} for plugin in mapwave.plugins()]
        print(json.dumps(rows))
    """
    expected = json.loads(lab.run(code))
    assert len(rows) == len(expected)
    assert sorted(row["origin"] for row in rows if row["origin"] != "bundled") == ["embedded"] + ["environment"] * 3
    for row, facts in zip(rows, expected, strict=True):
        assert row | {"refused": row["reason"]} | facts == row | {"refused": row["reason"]}
        assert row["state"] == ("refused" if row["reason"] else "used")
    used = [row["path"] for row in rows if row["state"] == "used" and row["origin"] != "bundled"]
    assert used == [str(Path(good).resolve()), None]
    assert rows[0]["decoders"] == [{"name": "qoa", "codecs": ["qoa"], "extensions": ["qoa"], "options": []}]

    table = run(command, "plugins", "list", **lab.environment()).stdout
    assert "everybody may write to the file (mode 777)" in table
    # Names of licences may be long, and so may paths.
    assert [line for line in table.splitlines() if len(line) > 120 and "/" not in line] == []


def test_plugins_dirs(command: list[str], lab: Lab) -> None:
    done = run(command, "plugins", "dirs", "--format", "json", **lab.environment())
    rows = json.loads(done.stdout)["directories"]
    bundled = str(Path(mapwave.__file__).parent / "plugins" / "abi1")
    assert [row["origin"] for row in rows] == ["environment", "environment", "user", "bundled", "system", "system"]
    assert rows[0] == {"path": str(lab.plugins), "origin": "environment", "exists": True, "refused": None}
    assert rows[3]["path"] == bundled
    assert bundled in run(command, "plugins", "dirs", **lab.environment()).stdout


def test_the_headers_are_beside_the_package_or_in_the_users_data(command: list[str], lab: Lab) -> None:
    packaged = Path(mapwave.__file__).parent / "include"
    own = lab.data / "mapwave" / "include"
    done = run(command, "plugins", "include-dir", **lab.environment())
    assert (done.returncode, done.stderr) == (0, "")
    found = Path(done.stdout.rstrip("\n"))
    assert found == (packaged if packaged.exists() else own)
    for header in (corpus.FIXTURES.parent / "plugins/abi/include").glob("*.h"):
        assert (found / header.name).read_bytes() == header.read_bytes()


def test_plugins_check(command: list[str], lab: Lab, qoa_library: Path) -> None:
    done = run(command, "plugins", "check", qoa_library, "--format", "json", **lab.environment())
    report = json.loads(done.stdout)
    assert [row for row in report["results"] if row["result"] == "failed"] == []
    assert done.returncode == 0
    assert report["summary"]["passed"] > 20

    crashing = pluginfile.misbehaving(lab.library("crashing"), "ABORT")
    done = run(command, "plugins", "check", crashing, "--only", "splits", **lab.environment())
    assert done.returncode == 1
    assert "it crashed the process with SIGABRT" in done.stdout


def test_a_check_does_not_take_modules_from_where_it_is_started(
    command: list[str], lab: Lab, qoa_library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if command is MODULE:
        pytest.skip("python -m itself looks there")
    (lab.directory / "mapwave.py").write_text("raise SystemExit('the wrong module')")
    monkeypatch.chdir(lab.directory)
    done = run(command, "plugins", "check", qoa_library, "--only", "load", **lab.environment())
    assert done.returncode == 0, done.stdout


def test_ctrl_c_ends_the_command(command: list[str], lab: Lab) -> None:
    library = pluginfile.from_source(lab.library("hanging"), HANGING)
    reached = lab.directory / "reached"
    os.mkfifo(reached)
    fifo = os.open(reached, os.O_RDONLY | os.O_NONBLOCK)
    words = [*command, "plugins", "check", library, "--only", "entry", "--time-limit", "1000"]
    # A shell starts what it puts in the background with Ctrl-C ignored, and children inherit that.
    heard = signal.signal(signal.SIGINT, signal.default_int_handler)
    environment = child.environment(**lab.environment(REACHED=str(reached), TMPDIR=str(lab.directory)))
    process = subprocess.Popen(words, env=environment, start_new_session=True)
    signal.signal(signal.SIGINT, heard)
    try:
        assert select.select([fifo], [], [], child.TIMEOUT)[0]
        # As a terminal does: to all processes of the group.
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(child.TIMEOUT) == -signal.SIGINT
    finally:
        os.close(fifo)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
