"""mapwave.ray on two Ray nodes on loopback: rows, errors, files, and what a node leaves behind that is killed."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import child
import mapwave.numpy
import numpy as np
import pytest
import soundfile

if importlib.util.find_spec("ray") is None:
    pytest.skip("Ray is not installed: make test-ecosystem", allow_module_level=True)

PROGRAM = Path(__file__).with_name("raycluster.py")
TIMEOUT = 900
CLIPS = 23
MANY = 60


def _digest(array: np.ndarray) -> str:
    array = np.ascontiguousarray(array)
    return f"{array.shape} {array.dtype} {hashlib.sha256(array).hexdigest()}"


def _expected(path: Path) -> list[Any]:
    """A row by libsndfile's account: channels first, float32."""
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return [path.name, rate, _digest(samples.T), None]


def _make(directory: Path, count: int) -> None:
    directory.mkdir()
    random = np.random.default_rng(count)
    for number in range(count):
        samples = random.integers(-9_000, 9_000, (8_000 + 100 * number, 1 + number % 2), np.int16)
        soundfile.write(directory / f"{number:03}.{'flac' if number % 3 else 'wav'}", samples, 8_000, subtype="PCM_16")


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips; the same with broken files among them; and many clips."""
    made = tmp_path_factory.mktemp("ray")
    _make(made / "clips", CLIPS)
    _make(made / "many", MANY)
    (made / "mixed").mkdir()
    for number in range(3):
        shutil.copy(made / "clips" / f"{3 * number:03}.wav", made / "mixed")
    (made / "mixed" / "001-cut.wav").write_bytes(b"RIFF\0\0\0\0WAVE")
    return made


@pytest.fixture(scope="module")
def outcomes(directory: Path) -> Iterator[dict[str, dict[str, Any]]]:
    """What each step of raycluster.py came to."""
    results = directory / "results.json"
    # The names of Ray's sockets are below this, and must be short.
    temporary = tempfile.mkdtemp(prefix="mw", dir="/tmp")
    environment = child.environment(
        RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER="0", RAY_USAGE_STATS_ENABLED="0", RAY_TMPDIR=temporary
    )
    command = [sys.executable, str(PROGRAM), str(directory), str(results)]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    try:
        output, _ = process.communicate(timeout=TIMEOUT)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        shutil.rmtree(temporary, ignore_errors=True)
    assert process.returncode == 0, output
    return json.loads(results.read_text())


def _returned(outcomes: dict[str, dict[str, Any]], step: str) -> Any:
    if "failed" in outcomes[step]:
        pytest.fail(f"{step}\n{outcomes[step]['failed']}", pytrace=False)
    return outcomes[step]["returned"]


@pytest.fixture(scope="module")
def expected(directory: Path) -> list[list[Any]]:
    """The rows of all clips."""
    return [_expected(path) for path in sorted((directory / "clips").iterdir())]


@pytest.mark.parametrize("step", ["reading", "through_a_file_system", "decoding_bytes"])
def test_every_file_is_a_row(outcomes, expected, step) -> None:
    assert _returned(outcomes, step) == expected


def test_rows_are_those_of_ray(outcomes) -> None:
    assert _returned(outcomes, "reading") == _returned(outcomes, "reading_as_ray_does")


def test_columns_have_the_names_and_types_of_ray(outcomes) -> None:
    ours, theirs = _returned(outcomes, "same_types_as_ray")
    assert ours == theirs


def test_windows_are_resampled_and_mixed(outcomes) -> None:
    assert _returned(outcomes, "windows") == [[4000, [1, 2000], "int16"]]


def test_an_error_arrives_as_it_was_raised(outcomes, directory) -> None:
    kind, message = _returned(outcomes, "errors_raised")
    assert kind == "MalformedFile"
    assert str(directory / "mixed" / "001-cut.wav") in message


def test_arguments_are_honoured_or_refused(outcomes) -> None:
    shuffle, bitrate, on_error, rows = _returned(outcomes, "unknown_arguments")
    assert shuffle.startswith("TypeError: read_audio has no argument 'shuffle', and Ray neither")
    assert bitrate.startswith("TypeError: mapwave.load has no argument 'bitrate'")
    assert on_error.startswith('ValueError: on_error must be "raise", "skip" or "null"')
    assert rows == "ValueError: rows_per_block must be at least 1, and is 0"


def test_broken_files_are_skipped(outcomes) -> None:
    assert [row[0] for row in _returned(outcomes, "errors_skipped")] == ["000.wav", "003.wav", "006.wav"]


def test_broken_files_are_nulls_with_their_error(outcomes, directory) -> None:
    rows, count, channels = _returned(outcomes, "errors_as_nulls")
    assert count == 4
    assert sorted(channels) == [0, 1, 1, 2]
    assert [row[0] for row in rows] == ["000.wav", "001-cut.wav", "003.wav", "006.wav"]
    assert rows[0] == _expected(directory / "mixed/000.wav")
    assert rows[1][1:3] == [None, None]
    assert rows[1][3].startswith(str(directory / "mixed/001-cut.wav"))


@pytest.mark.parametrize("batch_format", ["pyarrow", "numpy"])
def test_a_column_of_paths_is_decoded(outcomes, expected, batch_format) -> None:
    assert _returned(outcomes, "decoding_in_batches")[batch_format] == expected


def test_a_column_of_samples_is_encoded(outcomes, directory) -> None:
    written, deep = _returned(outcomes, "encoding")
    assert written == [str(directory / "encoded" / f"{number:03}.flac") for number in range(CLIPS)]
    assert sorted(str(path) for path in (directory / "encoded").iterdir()) == written
    for path in written:
        source = next((directory / "clips").glob(f"{Path(path).stem}.*"))
        assert np.array_equal(soundfile.read(path, dtype="int16")[0], soundfile.read(source, dtype="int16")[0])

    assert all(Path(path).parent == directory / "deep" / "clips" for path in deep)
    assert [soundfile.info(path).subtype for path in deep] == ["PCM_16", "PCM_16"]


def test_two_rows_of_one_file_are_refused(outcomes) -> None:
    message, was_written = _returned(outcomes, "encoding_two_rows_into_one_file")
    assert "several rows would be the file a.wav" in message
    assert not was_written


def test_work_runs_in_parts(outcomes) -> None:
    assert _returned(outcomes, "work_in_parts") == list(range(1, 51))


def test_the_error_of_a_part_is_raised(outcomes) -> None:
    assert "fails" in _returned(outcomes, "work_that_fails")


def test_a_killed_node_loses_and_repeats_no_row(outcomes, directory) -> None:
    expected = [[row[0], row[2]] for row in map(_expected, sorted((directory / "many").iterdir()))]
    assert _returned(outcomes, "a_node_killed_while_reading") == [expected, True]


def test_a_killed_node_leaves_every_file_once_and_whole(outcomes, directory) -> None:
    assert _returned(outcomes, "a_node_killed_while_converting") == [MANY, 0, {}, 0]
    converted = directory / "converted"
    files = sorted(path for path in converted.rglob("*") if path.is_file())
    names = {str(path.relative_to(converted)) for path in files}
    audio = {f"{number:03}.flac" for number in range(MANY)}
    assert names == audio | {"_SUCCESS", "_manifest.jsonl", "_mapwave/settings.json"}
    rows = [json.loads(line) for line in (converted / "_manifest.jsonl").read_text().splitlines()]
    assert sorted(row["output"] for row in rows) == sorted(audio)
    for name in audio:
        source = next((directory / "many").glob(f"{Path(name).stem}.*"))
        assert np.array_equal(
            soundfile.read(converted / name, dtype="int16")[0], soundfile.read(source, dtype="int16")[0]
        )


def test_nothing_of_ray_is_left_running(outcomes, directory) -> None:
    marked = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            marked.append(each.read_bytes())
        except OSError:
            continue
    assert not any(str(directory).encode() in line for line in marked)
    assert mapwave.numpy.info(directory / "encoded/000.flac").frames == 8_000
