"""The timed tasks. To add one: a function that returns a Task, and a line in `build` (benches/README.md)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import mlx.core as mx
import numpy as np

from . import floor
from .clips import NUM_CHANNELS, NUM_FRAMES, SAMPLE_RATE, SEED, Clips
from .task import Job, Task

Rivals = dict[str, ModuleType]

WHOLE_ITERATIONS = 21
PARTIAL = {"0.1 s": (4_410, 2_000), "1 s": (44_100, 1_000), "10 s": (441_000, 200)}
"""Frames of a window, and how often it is read."""


def build(clips: Clips, rivals: Rivals) -> Iterator[Callable[[], Task]]:
    """Every task, each made when its turn comes so that only one holds buffers at a time."""
    yield lambda: floor.task(NUM_FRAMES * NUM_CHANNELS * 4, WHOLE_ITERATIONS)
    for kind in clips.paths:
        yield lambda kind=kind: whole_mlx(clips, rivals, kind)
    yield lambda: whole_float16(clips, rivals)
    for kind in ("PCM16", "f32"):
        yield lambda kind=kind: whole_numpy(clips, rivals, kind)
    for window in PARTIAL:
        yield lambda window=window: partial_by_path(clips, rivals, window)
    for window in PARTIAL:
        yield lambda window=window: partial_by_reader(clips, rivals, window)
    yield lambda: info(clips, rivals)


def whole_mlx(clips: Clips, rivals: Rivals, kind: str) -> Task:
    """A whole file into a float32 `mx.array`; soundfile also as it comes, in NumPy."""
    path, jobs = clips.paths[kind], _loaders(rivals, clips.paths[kind], "float32")
    if sf := rivals.get("soundfile"):
        jobs["soundfile (NumPy)"] = lambda _: sf.read(path, dtype="float32", always_2d=True)[0]
        jobs["soundfile + mx.array"] = lambda _: _evaluated(mx.array(sf.read(path, dtype="float32", always_2d=True)[0]))
    return _whole(f"whole {kind} to mx.array", jobs, clips.expected(kind))


def whole_float16(clips: Clips, rivals: Rivals) -> Task:
    """A whole PCM16 file into a float16 `mx.array`."""
    expected = clips.expected("PCM16").astype(np.float16)
    jobs = _loaders(rivals, clips.paths["PCM16"], "float16")
    return _whole("whole PCM16 to float16 mx.array", jobs, expected)


def whole_numpy(clips: Clips, rivals: Rivals, kind: str) -> Task:
    """A whole file into a float32 NumPy array."""
    path, jobs = clips.paths[kind], {}
    if "mapwave" in rivals:
        import mapwave.numpy as mapwave_numpy

        jobs["mapwave"] = lambda _: mapwave_numpy.load(path)[0]
    if sf := rivals.get("soundfile"):
        jobs["soundfile (NumPy)"] = lambda _: sf.read(path, dtype="float32", always_2d=True)[0]
    return _whole(f"whole {kind} to NumPy", jobs, clips.expected(kind))


def partial_by_path(clips: Clips, rivals: Rivals, window: str) -> Task:
    """A window at a random place of a PCM16 file, given by its path."""
    path, (count, iterations) = clips.paths["PCM16"], PARTIAL[window]
    starts = _starts(count)
    jobs = _windows_by_path(rivals, path, starts, count)
    if sf := rivals.get("soundfile"):

        def read(turn: int) -> mx.array:
            start = starts[turn % len(starts)]
            return _evaluated(mx.array(sf.read(path, count, start, dtype="float32", always_2d=True)[0]))

        jobs["soundfile + mx.array"] = read
    return Task(f"{window} by path", "us", jobs, _window_check(clips, starts, count), iterations, 16)


def partial_by_reader(clips: Clips, rivals: Rivals, window: str) -> Task:
    """The same windows from a file that is kept open; mlx-audio-io, which cannot keep one, by path."""
    path, (count, iterations) = clips.paths["PCM16"], PARTIAL[window]
    starts = _starts(count)
    jobs = _windows_by_path(rivals, path, starts, count)
    if mapwave := rivals.get("mapwave"):
        reader = mapwave.open(path)

        def cut(turn: int) -> mx.array:
            start = starts[turn % len(starts)]
            return _evaluated(reader[start : start + count])

        jobs["mapwave"] = cut
    if sf := rivals.get("soundfile"):
        file = sf.SoundFile(path)

        def seek_and_read(turn: int) -> mx.array:
            file.seek(starts[turn % len(starts)])
            return _evaluated(mx.array(file.read(count, dtype="float32", always_2d=True)))

        jobs["soundfile + mx.array"] = seek_and_read
    return Task(f"{window} by Reader", "us", jobs, _window_check(clips, starts, count), iterations, 16)


def info(clips: Clips, rivals: Rivals) -> Task:
    """The facts of a PCM16 file."""
    path = clips.paths["PCM16"]

    def ask(module: ModuleType) -> Job:
        return lambda _: module.info(path)

    def equal(got: Any, _: int) -> bool:
        rate = getattr(got, "sample_rate", None) or getattr(got, "samplerate", None)
        return (got.frames, rate, got.channels) == (NUM_FRAMES, SAMPLE_RATE, NUM_CHANNELS)

    return Task("info", "us", {name: ask(module) for name, module in rivals.items()}, equal, 2_000)


def _whole(name: str, jobs: dict[str, Job], expected: np.ndarray) -> Task:
    """A whole-file task: beside the rivals, the floor for an output of the same size."""
    least = floor.fresh_copy(expected.nbytes, os.cpu_count() or 1)
    return Task(name, "ms", jobs, lambda got, _: _same(got, expected), WHOLE_ITERATIONS, floor=least)


def _loaders(rivals: Rivals, path: str, dtype: str) -> dict[str, Job]:
    """Those who load into MLX under the same signature."""

    def load(module: ModuleType) -> Job:
        return lambda _: _evaluated(module.load(path, dtype=dtype)[0])

    return {name: load(rivals[name]) for name in ("mapwave", "mlx-audio-io") if name in rivals}


def _windows_by_path(rivals: Rivals, path: str, starts: list[int], count: int) -> dict[str, Job]:
    duration = count / SAMPLE_RATE

    def load(module: ModuleType) -> Job:
        def window(turn: int) -> mx.array:
            offset = starts[turn % len(starts)] / SAMPLE_RATE
            return _evaluated(module.load(path, offset=offset, duration=duration)[0])

        return window

    return {name: load(rivals[name]) for name in ("mapwave", "mlx-audio-io") if name in rivals}


def _starts(count: int) -> list[int]:
    """256 random frames whose time in seconds names them exactly: how offsets round is a matter for tests."""
    drawn = np.random.Generator(np.random.PCG64(SEED)).integers(0, NUM_FRAMES - count, 1_024)
    return [int(start) for start in drawn if int(start / SAMPLE_RATE * SAMPLE_RATE) == start][:256]


def _window_check(clips: Clips, starts: list[int], count: int) -> Callable[[Any, int], bool]:
    def equal(got: Any, turn: int) -> bool:
        start = starts[turn % len(starts)]
        return _same(got, clips.expected("PCM16", start, start + count))

    return equal


def _evaluated(array: mx.array) -> mx.array:
    mx.eval(array)
    return array


def _same(got: Any, expected: np.ndarray) -> bool:
    values = np.asarray(got)
    return values.dtype == expected.dtype and np.array_equal(values, expected)
