"""How a peer's result becomes what everybody delivers, and how it is compared with what is right."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..clips import SEED, Samples
from ..peers import Peer
from ..task import WRONG, Job, wrong_unless

Native = Callable[[int], Any]
"""A peer's own part of a job: the result is its own kind of array."""

MIN_SNR = 60.0
"""Two decoders of a lossy file agree at least so far, in dB."""

MAX_TAIL = 2_112
"""Frames of padding that a peer may leave at the end of a lossy file: a packet and the encoder's delay."""


def into_mlx(peers: Iterable[Peer], native: Callable[[Peer], Native | None], *, both: bool = False) -> dict[str, Job]:
    """A job for each peer that `native` has one for, with an evaluated `mx.array` as its result.

    With `both`, peers that have arrays of another kind do it without the conversion as well.
    """
    jobs: dict[str, Job] = {}
    for peer in peers:
        work = native(peer)
        if work is None:
            continue
        if both and peer.into != "mlx":
            jobs[f"{peer.name} ({peer.into})"] = work
        jobs[label(peer)] = _converted(peer, work)
    return jobs


def label(peer: Peer) -> str:
    """What a peer is called where it delivers to MLX."""
    return peer.name if peer.into == "mlx" else f"{peer.name} + mx.array"


def _converted(peer: Peer, work: Native) -> Job:
    return lambda turn: peer.to_mlx(work(turn))


def exact_starts(of: int, num_frames: int, sample_rate: int) -> list[int]:
    """256 random frames whose time in seconds names them exactly: how offsets round is a matter for tests."""
    drawn = np.random.Generator(np.random.PCG64(SEED)).integers(0, of - num_frames, 1_024)
    return [int(start) for start in drawn if int(start / sample_rate * sample_rate) == start][:256]


def frames_of(result: Any) -> Samples:
    """A result of any kind as (frames, channels)."""
    values = np.asarray(result)
    if values.ndim == 1:
        return values[:, np.newaxis]
    is_channels_first = values.shape[0] <= 8 < values.shape[1]
    return values.T if is_channels_first else values


def compare_exactly(result: Any, expected: Samples) -> str:
    """What is wrong with samples that must be these, to the bit."""
    values = frames_of(result)
    if values.shape != expected.shape:
        return f"{WRONG}: {values.shape} instead of {expected.shape}"
    if values.dtype != expected.dtype:
        return f"{WRONG}: {values.dtype} instead of {expected.dtype}"
    return wrong_unless(np.array_equal(values, expected))


def compare_nearly(result: Any, expected: Samples) -> str:
    """What is wrong with samples that another decoder made of the same lossy file."""
    values = frames_of(result)
    if not 0 <= len(values) - len(expected) <= MAX_TAIL:
        return f"{WRONG}: {len(values)} frames instead of {len(expected)}"
    found = snr(values[: len(expected)], expected)
    return "" if found >= MIN_SNR else f"{WRONG}: {found:.0f} dB"


def snr(values: Samples, expected: Samples) -> float:
    """Signal to noise in dB."""
    noise = float(np.square(values.astype(np.float64) - expected).sum())
    return 200.0 if noise == 0 else 10 * float(np.log10(np.square(expected.astype(np.float64)).sum() / noise))
