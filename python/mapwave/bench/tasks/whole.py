"""Whole uncompressed files, and the floor below them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from .. import floor
from ..clips import NUM_CHANNELS, PCM, Samples
from ..peers import Peer
from ..task import Job, Planned, Task
from .context import Context
from .delivery import Native, compare_exactly, into_mlx

ITERATIONS = 21


def build(context: Context) -> Iterator[Planned]:
    """The floor, every kind of file into MLX, and some into float16 and NumPy."""
    seconds, num_bytes = context.clips.seconds, context.clips.num_frames * NUM_CHANNELS * 4
    name = f"floor: {num_bytes / 1e6:.1f} MB"
    yield Planned(name, "Whole files", seconds, partial(floor.task, name, num_bytes, ITERATIONS))
    for kind in PCM:
        name = f"whole {kind} to mx.array"
        yield Planned(name, "Whole files", context.sound(kind).seconds, partial(whole, context, name, kind))
    name = "whole PCM16 to float16 mx.array"
    yield Planned(name, "Whole files", seconds, partial(whole_float16, context, name))
    seconds = context.slow_clips.seconds
    for kind in ("PCM16", "f32"):
        name = f"whole {kind} to NumPy"
        yield Planned(name, "Whole files", seconds, partial(whole_numpy, context, name, kind))


def whole(context: Context, name: str, kind: str) -> Task:
    """A whole file into a float32 `mx.array`; other libraries also as it comes."""
    clips = context.sound(kind)
    path = clips.path(kind)

    def native(peer: Peer) -> Native | None:
        return None if kind in peer.lacks else lambda _: peer.load(path)

    return _task(name, into_mlx(context.peers, native, both=not context.is_quick), clips.expected(kind))


def whole_float16(context: Context, name: str) -> Task:
    """A whole PCM16 file into a float16 `mx.array`."""
    path = context.clips.path("PCM16")

    def native(peer: Peer) -> Native | None:
        return (lambda _: peer.load_float16(path)) if peer.can("load_float16") else None

    return _task(name, into_mlx(context.peers, native), context.clips.expected("PCM16").astype(np.float16))


def whole_numpy(context: Context, name: str, kind: str) -> Task:
    """A whole file into a float32 NumPy array."""
    path = context.slow_clips.path(kind)
    jobs: dict[str, Job] = {}
    for peer in context.peers:
        if peer.can("load_numpy"):
            jobs[peer.name] = _loading(peer.load_numpy, path)
        elif peer.into == "NumPy" and kind not in peer.lacks:
            jobs[f"{peer.name} (NumPy)"] = _loading(peer.load, path)
    return _task(name, jobs, context.slow_clips.expected(kind))


def _loading(load: Callable[[str], Any], path: str) -> Job:
    return lambda _: load(path)


def _task(name: str, jobs: dict[str, Job], expected: Samples) -> Task:
    """Beside the rivals, the floor for an output of the same size."""
    least = floor.fresh_copy(expected.nbytes, os.cpu_count() or 1)
    return Task(name, "ms", jobs, lambda got, _: compare_exactly(got, expected), ITERATIONS, floor=least)
