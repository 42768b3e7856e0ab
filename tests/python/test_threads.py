"""Many threads at once, each in its own call and all in the same one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import corpus
import mapwave
import mapwave.numpy
import numpy as np
import pytest

NUM_THREADS = 8


@pytest.fixture(scope="module")
def expected() -> dict:
    """The samples of every valid file by its path."""
    return {path: corpus.exact(path).astype(np.float32) for path in corpus.readable_by_libsndfile()}


def in_threads(work: Callable[[int], None]) -> None:
    """Calls `work` with the thread's number in all threads at once, and raises what any of them raised."""
    together = threading.Barrier(NUM_THREADS)

    def begin(number: int) -> None:
        together.wait()
        work(number)

    with ThreadPoolExecutor(NUM_THREADS) as pool:
        list(pool.map(begin, range(NUM_THREADS)))


def test_load(library, expected: dict) -> None:
    def work(number: int) -> None:
        for path in [*expected][number:] + [*expected][:number]:
            np.testing.assert_array_equal(np.array(library.load(path)[0]), expected[path])
            assert library.info(path).frames == len(expected[path])

    in_threads(work)


def test_load_of_a_large_file(library, large, large_samples: np.ndarray) -> None:
    def work(number: int) -> None:
        for start in range(number, 5 + number):
            audio = np.array(library.load(large, start=start, stop=-number - 1, dtype="int16")[0])
            np.testing.assert_array_equal(audio, large_samples[start : -number - 1])

    in_threads(work)


def test_readers(library, expected: dict) -> None:
    readers = {path: library.open(path) for path in expected}

    def work(number: int) -> None:
        for path, reader in readers.items():
            for start in range(number, len(expected[path]), len(expected[path]) // 9):
                window = np.array(reader[start : start + 31 * number])
                np.testing.assert_array_equal(window, expected[path][start : start + 31 * number])

    in_threads(work)
    for reader in readers.values():
        reader.close()


def test_a_reader_closed_by_another_thread(ramp, ramp_samples: np.ndarray) -> None:
    for _ in range(20):
        reader = mapwave.numpy.open(ramp, dtype="int32")

        def work(number: int, reader: mapwave.Reader = reader) -> None:
            try:
                for _ in range(20):
                    np.testing.assert_array_equal(reader[number:5000], ramp_samples[number:5000])
                    if number == 0:
                        reader.close()
            except ValueError as error:
                assert str(error) == "the reader is closed"

        in_threads(work)
        assert reader.closed


def test_batches(library, expected: dict) -> None:
    def work(number: int) -> None:
        paths = [*expected][number:] + [*expected][:number]
        results = library.batch_load(paths, num_workers=1 + number % 3)
        for path, (audio, _) in zip(paths, results, strict=True):
            np.testing.assert_array_equal(np.array(audio), expected[path])

    in_threads(work)


def test_batches_that_fail_and_batches_that_do_not(expected: dict) -> None:
    paths = [*expected]

    def work(number: int) -> None:
        if number % 2:
            with pytest.raises(FileNotFoundError):
                mapwave.numpy.batch_load([*paths, f"missing-{number}.wav", *paths])
        else:
            assert len(mapwave.numpy.batch_load(paths * 2)) == 2 * len(paths)

    in_threads(work)


def test_streams(library, expected: dict) -> None:
    def work(number: int) -> None:
        for path in expected:
            chunks = [np.array(chunk) for chunk, _ in library.stream(path, chunk_frames=10_000 + number)]
            np.testing.assert_array_equal(np.concatenate(chunks), expected[path])

    in_threads(work)
