"""Compressed files: the same sound encoded by ffmpeg, decoded by everybody who can."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

import mapwave

from ..clips import ENCODERS, LOSSLESS, Clips
from ..peers import Peer
from ..task import SUBJECT, WRONG, Job, Planned, Task, wrong_unless
from .context import Context
from .delivery import Native, compare_exactly, compare_nearly, exact_starts, frames_of, into_mlx, snr

LONG = ("MP3", "AAC", "FLAC")
"""What is also made an hour long, on request."""

HOUR = 19
"""How often the sound is repeated for it."""

WHOLE_ITERATIONS, WINDOW_ITERATIONS, OPEN_ITERATIONS = 11, 200, 50

MIN_WINDOW_SNR = 20.0
"""Two decoders of the same second agree so far, in dB; another second does not."""

FROM_THE_START = "mlx-audio-io"
"""Who decodes a compressed file from its start for every window: seconds each, in an hour of sound."""


def build(context: Context) -> Iterator[Planned]:
    """Every format whole, then windows of it, then files of an hour."""
    clips, seconds = context.slow_clips, context.slow_clips.seconds
    for kind in ENCODERS:
        name = f"whole {kind} to mx.array"
        yield Planned(name, "Compressed files", seconds, partial(whole, context, name, kind))
    for kind in ENCODERS:
        name = f"1 s of {kind} by Reader"
        make = partial(windows, context.peers, name, partial(clips.path, kind), kind)
        yield Planned(name, "Windows of compressed files", 1.0, make)
    for kind in LONG if context.is_long else ():
        others = [peer for peer in context.peers if peer.name != FROM_THE_START]
        name = f"1 s of an hour of {kind} by Reader"
        make = partial(windows, others, name, partial(clips.repeated, kind, HOUR), kind)
        yield Planned(name, "Windows of compressed files", 1.0, make)
        name = f"open an hour of {kind}"
        yield Planned(name, "Compressed files", clips.seconds * HOUR, partial(opening, clips, name, kind))
        name = f"stream an hour of {kind}, 1 thread"
        yield Planned(name, "Compressed files", clips.seconds * HOUR, partial(decoding, clips, name, kind))


def whole(context: Context, name: str, kind: str) -> Task:
    """A whole file into a float32 `mx.array`; other libraries also as it comes, mapwave also on one thread."""
    clips = context.slow_clips
    path = clips.path(kind)
    jobs = into_mlx(context.peers, lambda peer: _loading(peer, path, kind), both=not context.is_quick)
    if subject := context.peer(SUBJECT):
        jobs = {SUBJECT: jobs.pop(SUBJECT), "mapwave, 1 thread": _on_one_thread(subject, path)} | jobs
    if kind in LOSSLESS:
        expected, compare = clips.expected("PCM16"), compare_exactly
    else:
        expected, compare = clips.decoded(kind), compare_nearly
    return Task(name, "ms", jobs, lambda got, _: compare(got, expected), WHOLE_ITERATIONS)


def windows(peers: list[Peer], name: str, made: Callable[[], str], kind: str) -> Task:
    """One second at a random place of a file that is kept open; by path with those who cannot keep one.

    `made` makes the file and returns its path.
    """
    path = made()
    facts = mapwave.info(path)
    rate = facts.sample_rate
    starts = exact_starts(facts.frames, rate, rate)
    closers: list[Callable[[], None]] = []

    def native(peer: Peer) -> Native | None:
        if kind in peer.lacks or not (peer.can("reader") or peer.can("window")):
            return None
        if not peer.can("reader"):
            return lambda turn: peer.window(path, starts[turn % len(starts)], rate, rate)
        try:
            cut, close = peer.reader(path)
        except Exception as error:
            return _failing(error)
        closers.append(close)
        return lambda turn: cut(starts[turn % len(starts)], rate)

    def check(got: Any, turn: int) -> str:
        # The whole is checked elsewhere: here, that everybody cut the same second out of it.
        start = starts[turn % len(starts)]
        expected = np.asarray(mapwave.load(path, start=start, stop=start + rate, threads=1)[0])
        values = frames_of(got)
        if abs(len(values) - rate) > 1:
            return f"{WRONG}: {len(values)} frames instead of {rate}"
        found = snr(values[: rate - 1], expected[: rate - 1])
        return "" if found > MIN_WINDOW_SNR else f"{WRONG}: {found:.0f} dB"

    def close_all() -> None:
        for close in closers:
            close()

    return Task(name, "us", into_mlx(peers, native), check, WINDOW_ITERATIONS, 4, close=close_all)


def opening(clips: Clips, name: str, kind: str) -> Task:
    """Opening an hour-long file, with the index that its windows need."""
    path, least = clips.repeated(kind, HOUR), clips.num_frames * HOUR
    jobs: dict[str, Job] = {SUBJECT: lambda _: len(mapwave.open(path))}
    return Task(name, "us", jobs, lambda got, _: wrong_unless(got >= least), OPEN_ITERATIONS)


def decoding(clips: Clips, name: str, kind: str) -> Task:
    """Decoding all of it, to hold the opening against."""
    path, least = clips.repeated(kind, HOUR), clips.num_frames * HOUR

    def decode(_: int) -> int:
        return sum(len(chunk) for chunk, _ in mapwave.stream(path, chunk_frames=1 << 20, threads=1))

    return Task(name, "ms", {SUBJECT: decode}, lambda got, _: wrong_unless(got >= least), 3)


def _loading(peer: Peer, path: str, kind: str) -> Native | None:
    return None if kind in peer.lacks else lambda _: peer.load(path)


def _on_one_thread(peer: Peer, path: str) -> Job:
    return lambda _: peer.to_mlx(mapwave.load(path, threads=1)[0])


def _failing(error: Exception) -> Native:
    """A job that fails as its preparation did, so that the table says so."""

    def fail(_: int) -> Any:
        raise error

    return fail
