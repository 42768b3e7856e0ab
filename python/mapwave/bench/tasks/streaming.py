"""A file from its beginning to its end, in parts of a second."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from ..clips import LOSSLESS, SAMPLE_RATE, Samples
from ..peers import Peer
from ..task import WRONG, Job, Planned, Task
from .context import Context
from .delivery import MAX_TAIL, compare_exactly, frames_of, label, snr

CHUNK_FRAMES = SAMPLE_RATE
ITERATIONS = 11

KINDS = ("PCM16", "MP3", "FLAC")

MIN_SNR = 60.0
"""What the chunks of a lossy file must agree to with ffmpeg's frames, in dB."""


def build(context: Context) -> Iterator[Planned]:
    """Each kind of file."""
    for kind in KINDS:
        name = f"stream {kind} in chunks of 1 s"
        yield Planned(name, "Streaming", context.slow_clips.seconds, partial(streaming, context, name, kind))


def streaming(context: Context, name: str, kind: str) -> Task:
    """Every chunk as an evaluated `mx.array`, dropped before the next; in the library's own sizes where it has such."""
    clips = context.slow_clips
    path = clips.path(kind)
    is_lossless = kind == "PCM16" or kind in LOSSLESS
    expected = clips.expected("PCM16") if is_lossless else clips.decoded(kind)
    jobs = {label(peer): _job(peer, path) for peer in context.peers if peer.can("stream") and kind not in peer.lacks}
    return Task(name, "ms", jobs, checker(expected, is_lossless), ITERATIONS)


def checker(expected: Samples, is_lossless: bool) -> Callable[[Any, int], str]:
    """A check of the number of frames, of the first chunk, and of the last that lies within the sound."""

    def check(got: tuple[int, list[tuple[int, Any]]], _: int) -> str:
        num_frames, kept = got
        tail = 0 if is_lossless else MAX_TAIL
        if not 0 <= num_frames - len(expected) <= tail:
            return f"{WRONG}: {num_frames} frames instead of {len(expected)}"
        for start, chunk in kept:
            values = frames_of(chunk)[: max(len(expected) - start, 0)]
            wanted = expected[start : start + len(values)]
            if is_lossless and (wrong := compare_exactly(values, wanted)):
                return wrong
            if len(values) and not is_lossless and (found := snr(values, wanted)) < MIN_SNR:
                return f"{WRONG}: {found:.0f} dB at frame {start}"
        return ""

    return check


def _job(peer: Peer, path: str) -> Job:
    def run(_: int) -> tuple[int, list[tuple[int, Any]]]:
        num_frames = 0
        first = last = None
        for native in peer.stream(path, CHUNK_FRAMES):
            chunk = peer.to_mlx(native)
            last = (num_frames, chunk)
            first = first or last
            num_frames += len(chunk)
        return num_frames, [place for place in (first, last) if place]

    return run
