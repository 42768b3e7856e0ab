"""Cost against the length of a file and the number of threads: ``mapwave bench --scaling``."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np

import mapwave

from . import chart, machine
from .clips import Clips, Samples, Unavailable
from .peers import Peer
from .results import Results
from .speech import KINDS, PIECE_SECONDS, SAMPLE_RATE, Speech, piece_samples
from .task import WRONG, Job, Planned, Task, wrong_unless
from .tasks import Context
from .tasks.compressed import windows
from .tasks.delivery import MAX_TAIL, Native, compare_exactly, frames_of, into_mlx

LENGTHS = {"10 s": 10, "1 min": 60, "10 min": 600, "1 h": 3_600, "4 h": 14_400}
LENGTHS_QUICK = ("10 s", "1 min", "10 min")
ITERATIONS = 11

LENGTH, THREADS = "Length", "Threads"
"""What the groups of the rows begin with."""

SLOW_LIMIT = 3_600
"""Seconds of sound beyond which the slow peers take no part: minutes each, for a curve that is a straight line."""

THREADED = {"PCM16": None, "MP3": None, "FLAC": None, "PCM16 resampled to 16 kHz": 16_000}


def build(context: Context) -> Iterator[Planned]:
    """Whole files and windows of every length, then whole files on 1 to all processors."""
    speech = Speech(context.directory / "speech")
    for kind in KINDS:
        for words in LENGTHS_QUICK if context.is_quick else LENGTHS:
            seconds = LENGTHS[words]
            name = f"load, {words} of {kind}"
            make = partial(_load, context, speech, name, kind, seconds)
            yield Planned(name, f"{LENGTH}: load, {kind}", seconds, make)
    for kind in KINDS:
        for words in LENGTHS_QUICK if context.is_quick else LENGTHS:
            seconds = LENGTHS[words]
            name = f"1 s by Reader, {words} of {kind}"
            make = partial(windows, _rivals(context, seconds), name, partial(speech.path, kind, seconds), kind)
            yield Planned(name, f"{LENGTH}: 1 s by Reader, {kind}", seconds, make)
    for kind, rate in THREADED.items():
        clips = context.slow_clips if kind in ("MP3", "FLAC") else context.clips
        name = f"threads: {kind}"
        make = partial(_threads, name, clips, kind.split()[0], rate)
        yield Planned(name, f"{THREADS}: {kind}", clips.seconds, make)


def draw(results: Results, stem: Path) -> list[Path]:
    """The curves, as PNG and SVG: time against length, and against threads."""
    panels: dict[str, chart.Panel] = {}
    for row in results.rows:
        if row.times.problem or not row.rival:
            continue
        if row.group.startswith(LENGTH):
            label, place = row.rival, row.seconds
            panel = panels.setdefault(row.group, chart.Panel(row.group.partition(": ")[2], "seconds of sound"))
        else:
            label, place = row.group.partition(": ")[2], float(re.findall(r"\d+", row.rival)[-1])
            panel = panels.setdefault(THREADS, chart.Panel("mapwave by threads", "threads"))
        milliseconds = row.times.median * {"ms": 1.0, "us": 1e-3}[row.unit]
        panel.lines.setdefault(label, []).append((place, milliseconds))
    return chart.draw_panels(list(panels.values()), results, stem)


def _load(context: Context, speech: Speech, name: str, kind: str, seconds: int) -> Task:
    """A whole file into a float32 `mx.array`."""
    num_frames = seconds * SAMPLE_RATE
    if (memory := machine.memory_bytes()) and num_frames * 4 * 4 > memory // 2:
        raise Unavailable("four arrays of this size would not fit half of the memory")
    path = speech.path(kind, seconds)

    def native(peer: Peer) -> Native | None:
        return None if kind in peer.lacks else lambda _: peer.load(path)

    piece = piece_samples().astype(np.float32)[:, np.newaxis] / np.float32(2**15)

    def check(got: Any, _: int) -> str:
        values = frames_of(got)
        if kind != "PCM16":
            return "" if 0 <= len(values) - num_frames <= MAX_TAIL else f"{WRONG}: {len(values)} frames"
        if len(values) != num_frames:
            return f"{WRONG}: {len(values)} frames instead of {num_frames}"
        return _repeats(values, piece)

    return Task(name, "ms", into_mlx(_rivals(context, seconds), native), check, ITERATIONS)


def _repeats(values: Samples, piece: Samples) -> str:
    for start in range(0, len(values), PIECE_SECONDS * SAMPLE_RATE):
        if wrong := compare_exactly(values[start : start + len(piece)], piece):
            return wrong
    return ""


def _rivals(context: Context, seconds: int) -> list[Peer]:
    return [peer for peer in context.peers if seconds <= SLOW_LIMIT or not peer.is_slow]


def _threads(name: str, clips: Clips, kind: str, rate: int | None) -> Task:
    """mapwave on 1 to all processors; every result must be that of one thread, to the bit."""
    path = clips.path(kind)
    expected = frames_of(mapwave.load(path, sr=rate, threads=1)[0])
    counts = [count for count in (1, 2, 4, 8, 16, 32, 64) if count < (os.cpu_count() or 1)] + [os.cpu_count() or 1]
    jobs: dict[str, Job] = {}
    for count in counts:
        words = "mapwave, 1 thread" if count == 1 else f"mapwave, {count} threads"
        jobs[words] = _on_threads(path, rate, count)
    return Task(name, "ms", jobs, lambda got, _: wrong_unless(np.array_equal(frames_of(got), expected)), ITERATIONS)


def _on_threads(path: str, rate: int | None, count: int) -> Job:
    def load(_: int) -> mx.array:
        array = mapwave.load(path, sr=rate, threads=count)[0]
        mx.eval(array)
        return array

    return load
