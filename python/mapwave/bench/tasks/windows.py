"""Parts of an uncompressed file, by its path and from an open file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from ..clips import SAMPLE_RATE, Clips
from ..peers import Peer
from ..task import Check, Planned, Task
from .context import Context
from .delivery import Native, compare_exactly, exact_starts, into_mlx

WINDOWS = {"0.1 s": (4_410, 2_000), "1 s": (44_100, 1_000), "10 s": (441_000, 200)}
"""Frames of a window, and how often it is read."""


def build(context: Context) -> Iterator[Planned]:
    """Each length by path, then each by reader."""
    for window in WINDOWS:
        name = f"{window} by path"
        yield Planned(name, "Windows", _seconds(window), partial(by_path, context, name, window))
    for window in WINDOWS:
        name = f"{window} by Reader"
        yield Planned(name, "Windows", _seconds(window), partial(by_reader, context, name, window))


def by_path(context: Context, name: str, window: str) -> Task:
    """A window at a random place of a PCM16 file, given by its path."""
    num_frames, iterations = WINDOWS[window]
    starts = exact_starts(context.clips.num_frames, num_frames, SAMPLE_RATE)
    jobs = into_mlx(context.peers, lambda peer: _window(peer, context.clips.path("PCM16"), starts, num_frames))
    return Task(name, "us", jobs, _check(context.clips, starts, num_frames), iterations, 16)


def by_reader(context: Context, name: str, window: str) -> Task:
    """The same windows from a file that is kept open; by path with those who cannot keep one."""
    num_frames, iterations = WINDOWS[window]
    starts, path = exact_starts(context.clips.num_frames, num_frames, SAMPLE_RATE), context.clips.path("PCM16")
    closers: list[Callable[[], None]] = []

    def native(peer: Peer) -> Native | None:
        if not peer.can("reader"):
            return _window(peer, path, starts, num_frames)
        cut, close = peer.reader(path)
        closers.append(close)
        return lambda turn: cut(starts[turn % len(starts)], num_frames)

    def close_all() -> None:
        for close in closers:
            close()

    jobs = into_mlx(context.peers, native)
    return Task(name, "us", jobs, _check(context.clips, starts, num_frames), iterations, 16, close=close_all)


def _window(peer: Peer, path: str, starts: list[int], num_frames: int) -> Native | None:
    if not peer.can("window"):
        return None
    return lambda turn: peer.window(path, starts[turn % len(starts)], num_frames, SAMPLE_RATE)


def _check(clips: Clips, starts: list[int], num_frames: int) -> Check:
    def check(got: object, turn: int) -> str:
        start = starts[turn % len(starts)]
        return compare_exactly(got, clips.expected("PCM16", start, start + num_frames))

    return check


def _seconds(window: str) -> float:
    return WINDOWS[window][0] / SAMPLE_RATE
