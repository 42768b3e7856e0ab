"""Saving the sound: one `mx.array` into a file of each kind, and what comes of it read back."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np

import mapwave
import mapwave.numpy

from ..clips import NUM_CHANNELS, SAMPLE_RATE, Samples, Unavailable
from ..kinds import KINDS
from ..peers import Peer
from ..task import SUBJECT, WRONG, Check, Job, Planned, Task
from .context import Context
from .delivery import snr

ITERATIONS = 11

TOLERANCE = 1.5 / 2**15
"""Peers round to 16 bits by other rules, with factors of 32767 and 32768: more than a step apart is wrong."""

MIN_SNR = 15.0
"""A lossy file must be so near the sound, in dB: a sixth of its noise, which no lossy codec keeps, is at -22."""

MAX_TAIL = 4_608
"""Frames that a peer's lossy file may be longer than the sound, and that its beginning may be late."""


def build(context: Context) -> Iterator[Planned]:
    """Every kind, and what reaching the disk costs."""
    seconds = context.slow_clips.seconds
    for kind in KINDS:
        name = f"save {kind}"
        yield Planned(name, "Saving", seconds, partial(save, context, name, kind))
    yield Planned("save f32 onto the disk", "Saving", seconds, partial(durable, context, "save f32 onto the disk"))


def save(context: Context, name: str, kind: str) -> Task:
    """The sound from a float32 `mx.array` into a file that is overwritten each time, left to the page cache by all."""
    expected, audio = _sound(context)
    jobs: dict[str, Job] = {}
    for peer in context.peers:
        if peer.can("save") and kind not in peer.cannot_save:
            path = str(context.directory / f"saved-{peer.name}.{KINDS[kind].ending}")
            name_of_peer = peer.name if peer.into == "mlx" else f"{peer.name} (from mx.array)"
            jobs[name_of_peer] = _job(peer, path, audio, kind)
    check = _lossy_check(expected) if KINDS[kind].is_lossy else _lossless_check(expected)
    return Task(name, "ms", jobs, check, ITERATIONS)


def durable(context: Context, name: str) -> Task:
    """The same as `save f32`, onto the disk: mapwave's default, beside itself without; no peer does."""
    expected, audio = _sound(context)
    jobs: dict[str, Job] = {}
    for who, is_durable in ((SUBJECT, True), ("mapwave, durable=False", False)):
        jobs[who] = _durable_job(str(context.directory / "durable.wav"), audio, is_durable)
    return Task(name, "ms", jobs, _lossless_check(expected), ITERATIONS)


def sizes(directory: Path) -> list[str]:
    """What the compressed files of each rival came to, for the notes below the table."""
    found = sorted(directory.glob("saved-*.*"))
    return [f"{path.name}: {path.stat().st_size} bytes" for path in found if path.suffix not in (".wav",)]


def _sound(context: Context) -> tuple[Samples, mx.array]:
    expected = context.slow_clips.expected("PCM16")
    audio = mx.array(expected)
    mx.eval(audio)
    return expected, audio


def _job(peer: Peer, path: str, audio: mx.array, kind: str) -> Job:
    return lambda _: _saved(path, lambda path: peer.save(path, audio, SAMPLE_RATE, kind))


def _durable_job(path: str, audio: mx.array, is_durable: bool) -> Job:
    return lambda _: _saved(path, lambda path: mapwave.save(path, audio, SAMPLE_RATE, durable=is_durable))


def _saved(path: str, write: Callable[[str], Any]) -> str:
    write(path)
    return path


def _lossless_check(expected: Samples) -> Check:
    if importlib.util.find_spec("soundfile") is None:
        raise Unavailable(
            "what is saved is read back by soundfile, which is not installed: pip install 'mapwave[bench]'"
        )
    soundfile = import_module("soundfile")

    def check(path: str, _: int) -> str:
        got, rate = soundfile.read(path, dtype="float32", always_2d=True)
        if rate != SAMPLE_RATE or got.shape != expected.shape:
            return f"{WRONG}: {got.shape} at {rate} Hz in the file"
        worst = float(np.abs(got - expected).max())
        return "" if worst <= TOLERANCE else f"{WRONG}: a sample is {worst:.2g} off"

    return check


def _lossy_check(expected: Samples) -> Check:
    def check(path: str, _: int) -> str:
        got, rate = mapwave.numpy.load(path)
        is_ours = os.path.basename(path).startswith(f"saved-{SUBJECT}.")
        most = 0 if is_ours else MAX_TAIL
        if rate != SAMPLE_RATE or got.shape[1] != NUM_CHANNELS or not -MAX_TAIL <= len(got) - len(expected) <= most:
            return f"{WRONG}: {got.shape} at {rate} Hz in the file"
        if is_ours and len(got) != len(expected):
            return f"{WRONG}: {len(got)} frames in the file instead of {len(expected)}"
        late = 0 if is_ours else _lateness(got, expected)
        num_frames = min(len(got) - late, len(expected))
        found = snr(got[late : late + num_frames], expected[:num_frames])
        return "" if found >= MIN_SNR else f"{WRONG}: {found:.0f} dB"

    return check


def _lateness(got: Samples, expected: Samples) -> int:
    """Frames of encoder delay that a peer left at the beginning."""
    span, first = 1 << 15, 1 << 16
    piece = expected[first : first + span, 0]
    around = got[first : first + span + MAX_TAIL, 0]
    size = 1 << 17
    product = np.fft.irfft(np.fft.rfft(around, size) * np.conj(np.fft.rfft(piece, size)), size)
    return int(np.argmax(product[: MAX_TAIL + 1]))
