"""What training does: epochs over many small files, in random order and at random places."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np

from ..clips import SEED, Samples, wav_header
from ..peers import Peer
from ..task import WRONG, Job, Planned, Task
from .context import Context
from .delivery import compare_exactly, label
from .resampling import check_of, fourier

SAMPLE_RATE = 16_000
FILE_FRAMES = 10 * SAMPLE_RATE
WINDOW_FRAMES = SAMPLE_RATE
NUM_FILES, NUM_FILES_QUICK = 2_000, 100
BATCH, NUM_WORKERS = 32, 2
LOWER_RATE = 8_000
"""What whole files are resampled to."""
ITERATIONS = 5


class Corpus:
    """Files of 10 s of 16 kHz mono PCM16, each with noise of its own, written when they are first asked for."""

    def __init__(self, directory: Path, num_files: int) -> None:
        self.directory = directory
        self.num_files = num_files

    @property
    def paths(self) -> list[str]:
        """All files, which the page cache holds."""
        paths = [self.directory / f"{number:05}.wav" for number in range(self.num_files)]
        if not paths[-1].exists():
            self.directory.mkdir(parents=True, exist_ok=True)
            header = wav_header(FILE_FRAMES * 2, 16, 1, SAMPLE_RATE)
            for number, path in enumerate(paths):
                path.write_bytes(header + _noise(number).tobytes())
        return [str(path) for path in paths]

    def expected(self, number: int, start: int = 0, stop: int | None = None) -> Samples:
        """The float32 frames of a file."""
        noise: Samples = _noise(number)[start:stop, np.newaxis].astype(np.float32) / np.float32(2**15)
        return noise


class Epoch:
    """The order of the files and the places in them, another one in every turn."""

    def __init__(self, num_files: int, turn: int) -> None:
        rng = np.random.Generator(np.random.PCG64(SEED + turn))
        self.order = [int(number) for number in rng.permutation(num_files)]
        # Whole milliseconds: times that name a frame exactly.
        milliseconds = rng.integers(0, (FILE_FRAMES - WINDOW_FRAMES) * 1_000 // SAMPLE_RATE, num_files)
        self.starts = [int(start) * SAMPLE_RATE // 1_000 for start in milliseconds]

    def batches(self) -> Iterator[tuple[int, list[int]]]:
        """A place and the files that are read there together."""
        for first in range(0, len(self.order), BATCH):
            yield self.starts[first], self.order[first : first + BATCH]


Pass = Callable[[list[str], int], tuple[int, list[tuple[int, int, Any]]]]
"""An epoch over these files: how many frames it gave, and its last arrays with their files and places."""


def build(context: Context) -> Iterator[Planned]:
    """Windows one by one, windows in batches, and whole files in batches."""
    num_files = NUM_FILES_QUICK if context.is_quick else NUM_FILES
    corpus = Corpus(context.directory / "small", num_files)
    for what, job, frames in (
        ("1 s windows, one by one", "window", WINDOW_FRAMES),
        ("1 s windows, 2 workers", "window", WINDOW_FRAMES),
        ("whole files of 10 s, 2 workers", "batch", FILE_FRAMES),
        ("whole files at 8 kHz, 2 workers", "batch_at", FILE_FRAMES // 2),
    ):
        name = f"epoch over {num_files} files: {what}"

        def make(name: str = name, what: str = what, job: str = job, frames: int = frames) -> Task:
            return _task(context, corpus, name, what, job, frames)

        seconds = WINDOW_FRAMES if job == "window" else FILE_FRAMES
        yield Planned(name, "Training", num_files * seconds / SAMPLE_RATE, make)


def peers_of(context: Context) -> list[Peer]:
    """Who takes part: all but those who would take most of the run for it."""
    return [peer for peer in context.peers if not peer.is_slow]


def passes(peer: Peer, what: str) -> Pass:
    """A peer's way through an epoch."""

    def one_by_one(paths: list[str], turn: int) -> tuple[int, list[tuple[int, int, Any]]]:
        epoch, num_frames, array = Epoch(len(paths), turn), 0, None
        for number, start in zip(epoch.order, epoch.starts, strict=True):
            array = peer.to_mlx(peer.window(paths[number], start, WINDOW_FRAMES, SAMPLE_RATE))
            num_frames += len(array)
        return num_frames, [(epoch.order[-1], epoch.starts[-1], array)]

    def windows(paths: list[str], turn: int) -> tuple[int, list[tuple[int, int, Any]]]:
        return in_batches(
            paths, turn, lambda start, some: peer.batch_windows(some, start, WINDOW_FRAMES, SAMPLE_RATE, NUM_WORKERS)
        )

    def whole(paths: list[str], turn: int) -> tuple[int, list[tuple[int, int, Any]]]:
        def read(_: int, some: Sequence[str]) -> list[Any]:
            is_resampled = what.startswith("whole files at")
            return peer.batch_at(some, LOWER_RATE, NUM_WORKERS) if is_resampled else peer.batch(some, NUM_WORKERS)

        found, last = in_batches(paths, turn, read)
        return found, [(number, 0, array) for number, _, array in last]

    def in_batches(
        paths: list[str], turn: int, read: Callable[[int, Sequence[str]], list[Any]]
    ) -> tuple[int, list[tuple[int, int, Any]]]:
        num_frames, last = 0, []
        for start, numbers in Epoch(len(paths), turn).batches():
            arrays = [peer.to_mlx(array) for array in read(start, [paths[number] for number in numbers])]
            num_frames += sum(len(array) for array in arrays)
            last = [(number, start, array) for number, array in zip(numbers, arrays, strict=True)]
        return num_frames, last

    if what.startswith("whole"):
        return whole
    return one_by_one if what.endswith("one by one") else windows


def _task(context: Context, corpus: Corpus, name: str, what: str, job: str, frames: int) -> Task:
    paths = corpus.paths

    def check(who: str, got: tuple[int, list[tuple[int, int, Any]]]) -> str:
        num_frames, last = got
        if num_frames != len(paths) * frames:
            return f"{WRONG}: {num_frames} frames instead of {len(paths) * frames}"
        for number, start, array in last:
            if job == "batch_at":
                wrong = check_of(who, fourier(corpus.expected(number), SAMPLE_RATE, LOWER_RATE))(array)
            else:
                wrong = compare_exactly(array, corpus.expected(number, start, start + frames))
            if wrong:
                return wrong
        return ""

    jobs = {label(peer): _job(label(peer), passes(peer, what), paths) for peer in peers_of(context) if peer.can(job)}
    return Task(name, "ms", jobs, lambda got, _: check(*got), ITERATIONS, 2, close=mx.clear_cache)


def _job(who: str, run: Pass, paths: list[str]) -> Job:
    return lambda turn: (who, run(paths, turn))


def _noise(number: int) -> Samples:
    rng = np.random.Generator(np.random.PCG64(SEED + number))
    noise: Samples = rng.integers(-(2**15), 2**15, FILE_FRAMES, np.int16)
    return noise
