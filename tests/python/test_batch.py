"""`batch_load`: many files on several threads, results in order."""

from __future__ import annotations

import io
import os
import pickle
import threading
from pathlib import Path

import corpus
import mapwave
import mapwave.numpy
import numpy as np
import pytest
import wavefile

NAMES = sorted(row.path for row in corpus.valid())


@pytest.fixture(scope="module")
def numbered(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Files of very different lengths whose every sample is the file's number."""
    folder = tmp_path_factory.mktemp("numbered")
    lengths = [50_000 if number % 7 == 0 else number for number in range(60)]
    return [
        wavefile.write(folder / f"{number}.wav", np.full((length, 1), number, np.int16))
        for number, length in enumerate(lengths)
    ]


@pytest.mark.parametrize("num_workers", [1, 4, 64])
def test_results_come_in_the_order_of_the_paths(library, numbered: list[Path], num_workers: int) -> None:
    results = library.batch_load(numbered, dtype="int16", num_workers=num_workers)
    assert len(results) == len(numbered)
    for number, (audio, rate) in enumerate(results):
        audio = np.array(audio)
        assert rate == wavefile.RATE
        assert audio.shape == (50_000 if number % 7 == 0 else number, 1)
        assert (audio == number).all()


def test_every_result_is_what_load_returns(library) -> None:
    options = {
        "mono": True,
        "dtype": "float16",
        "layout": "channels_first",
        "offset": 0.001,
        "duration": 0.003,
    }
    for path, (audio, rate) in zip(NAMES, library.batch_load(NAMES, **options), strict=True):
        expected, expected_rate = library.load(path, **options)
        assert rate == expected_rate
        np.testing.assert_array_equal(np.array(audio), np.array(expected), strict=True)


@pytest.mark.parametrize("options", [{"start": -5}, {"channels": 0, "squeeze_mono": True}, {"stop": 7}], ids=str)
def test_options_mean_what_they_mean_for_load(options: dict) -> None:
    for path, (audio, _) in zip(NAMES, mapwave.numpy.batch_load(NAMES, **options), strict=True):
        np.testing.assert_array_equal(audio, mapwave.numpy.load(path, **options)[0], strict=True)


def test_large_files_are_right(library, large: Path, large_samples: np.ndarray) -> None:
    for audio, _ in library.batch_load([large] * 6, dtype="int16", num_workers=3):
        np.testing.assert_array_equal(np.array(audio), large_samples)


def test_any_iterable_of_any_inputs(numbered: list[Path]) -> None:
    def inputs():
        yield numbered[3]
        yield str(numbered[4])
        yield numbered[5].read_bytes()
        yield bytearray(numbered[6].read_bytes())
        yield io.BytesIO(numbered[8].read_bytes())

    results = mapwave.numpy.batch_load(inputs(), dtype="int16")
    assert [audio[0, 0] for audio, _ in results] == [3, 4, 5, 6, 8]


def test_no_paths_give_an_empty_list(library) -> None:
    assert library.batch_load([]) == []
    assert library.batch_load(iter(())) == []


@pytest.mark.parametrize("num_workers", [0, -1])
def test_there_must_be_a_worker(num_workers: int) -> None:
    with pytest.raises(ValueError, match="num_workers must be > 0"):
        mapwave.batch_load([corpus.PCM16], num_workers=num_workers)


@pytest.mark.parametrize("paths", [3, None])
def test_what_is_no_iterable_is_a_type_error(paths: object) -> None:
    with pytest.raises(TypeError):
        mapwave.batch_load(paths)


def test_a_single_path_for_many_is_an_error() -> None:
    with pytest.raises((TypeError, mapwave.AudioError)):
        mapwave.batch_load(str(corpus.PCM16))


def test_a_wrong_input_is_a_type_error_before_anything_is_read(numbered: list[Path]) -> None:
    with pytest.raises(TypeError, match="int"):
        mapwave.batch_load([*numbered, 3])


@pytest.mark.parametrize("num_workers", [1, 4])
def test_a_failing_file_is_named(library, numbered: list[Path], num_workers: int) -> None:
    missing = str(numbered[0].parent / "missing.wav")
    paths = [*numbered[:9], missing, *numbered[9:]]
    with pytest.raises(FileNotFoundError) as caught:
        library.batch_load(paths, num_workers=num_workers)
    assert missing in str(caught.value)
    assert caught.value.path == missing
    assert caught.value.__notes__ == ["while loading paths[9] of 61"]


def test_a_malformed_file_is_named(numbered: list[Path]) -> None:
    bad = corpus.FIXTURES / "malformed" / "wav-no-data.wav"
    with pytest.raises(mapwave.MalformedFile, match="wav-no-data") as caught:
        mapwave.batch_load([*numbered, bad])
    assert caught.value.path == str(bad)
    assert "paths[60]" in caught.value.__notes__[0]


def test_files_of_other_rates_are_brought_to_one(tmp_path: Path, numbered: list[Path]) -> None:
    slow = wavefile.write(tmp_path / "slow.wav", np.zeros((9, 1), np.int16), rate=8000)
    assert [rate for _, rate in mapwave.batch_load([numbered[1], slow])] == [48_000, 8000]
    loaded = mapwave.batch_load([numbered[1], slow], sr=48_000)
    assert [(len(audio), rate) for audio, rate in loaded][1] == (54, 48_000)
    with pytest.raises(ValueError, match="must be nearer to the input's 48000 Hz") as caught:
        mapwave.batch_load([slow, numbered[1]], sr=1, resample_quality="best")
    assert "paths[1] of 2" in caught.value.__notes__[0]
    assert caught.value.path == str(numbered[1])


def test_a_window_outside_one_file_names_it(numbered: list[Path]) -> None:
    with pytest.raises(ValueError, match="start must be") as caught:
        mapwave.batch_load([numbered[7], numbered[3]], start=20)
    assert caught.value.path == str(numbered[3])
    assert "paths[1] of 2" in caught.value.__notes__[0]


def test_loading_goes_on_after_a_failure(numbered: list[Path]) -> None:
    with pytest.raises(mapwave.AudioError):
        mapwave.batch_load([*numbered, b"nothing"])
    assert len(mapwave.batch_load(numbered)) == 60


def test_progress_is_told_after_every_file(numbered: list[Path]) -> None:
    told = []
    mapwave.batch_load(numbered, progress=lambda done, total: told.append((done, total, threading.get_ident())))
    assert told == [(done, 60, threading.get_ident()) for done in range(1, 61)]


def test_an_error_in_progress_ends_the_batch(numbered: list[Path]) -> None:
    def stop(done: int, total: int) -> None:
        if done == 3:
            raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        mapwave.batch_load(numbered, progress=stop)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_progress_true_is_a_line_on_a_terminal(numbered: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    mapwave.batch_load(numbered[:3], progress=True)
    assert terminal.getvalue() == "\rmapwave: 1/3 files\rmapwave: 2/3 files\rmapwave: 3/3 files\n"
    mapwave.batch_load(numbered[:3], progress=False)
    assert len(terminal.getvalue()) == 58


@pytest.mark.parametrize("stream", [io.StringIO(), None], ids=["pipe", "none"])
def test_progress_true_is_silent_without_a_terminal(
    numbered: list[Path], monkeypatch: pytest.MonkeyPatch, stream: io.StringIO | None
) -> None:
    monkeypatch.setattr("sys.stderr", stream)
    mapwave.batch_load(numbered[:3], progress=True)
    assert stream is None or stream.getvalue() == ""


def test_more_files_than_may_be_open_at_once(numbered: list[Path]) -> None:
    before = len(os.listdir("/dev/fd"))
    results = mapwave.numpy.batch_load(numbered * 40, dtype="int16", num_workers=4)
    assert len(results) == 2400
    assert len(os.listdir("/dev/fd")) == before


def test_a_batch_error_pickles_with_its_path(numbered: list[Path]) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        mapwave.batch_load([numbered[0], "gone.wav"])
    assert pickle.loads(pickle.dumps(caught.value)).path == "gone.wav"
