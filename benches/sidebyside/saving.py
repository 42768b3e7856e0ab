"""Saving the sound: one `mx.array` into a file of each kind, and what comes of it read back."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np

from .clips import NUM_CHANNELS, NUM_FRAMES, SAMPLE_RATE, Clips
from .task import Job, Task

ITERATIONS = 11

TOLERANCE = 1.5 / 2**15
"""Peers round to 16 bits by other rules, with factors of 32767 and 32768: more than a step apart is wrong."""

MIN_SNR = 15.0
"""A lossy file must be so near the sound, in dB: a sixth of its noise, which no lossy codec keeps, is at -22."""

MAX_TAIL = 4_608
"""Frames that a peer's lossy file may be longer than the sound, and that its beginning may be late."""

SOUNDFILE_SUBTYPES = {"f32": ("WAV", "FLOAT"), "PCM16": ("WAV", "PCM_16"), "FLAC": ("FLAC", "PCM_16")}

KINDS: dict[str, tuple[str, str]] = {
    "f32": ("wav", "float32"),
    "PCM16": ("wav", "pcm16"),
    "FLAC": ("flac", "pcm16"),
    "M4A": ("m4a", "float32"),
    "MP3": ("mp3", "float32"),
}
"""Kind to ending and encoding."""


def build(clips: Clips, directory: Path, rivals: dict[str, Any]) -> Iterator[Callable[[], Task]]:
    """Every task, each made when its turn comes."""
    for kind in KINDS:
        yield lambda kind=kind: save(clips, directory, rivals, kind)
    yield lambda: durable(clips, directory, rivals)


def save(clips: Clips, directory: Path, rivals: dict[str, Any], kind: str) -> Task:
    """The sound from a float32 `mx.array` into a file that is overwritten each time, left to the page cache by all."""
    ending, encoding = KINDS[kind]
    expected = clips.expected("PCM16")
    audio = mx.array(expected)
    mx.eval(audio)
    jobs: dict[str, Job] = {}

    def target(who: str) -> str:
        return str(directory / f"saved-{who}.{ending}")

    if mapwave := rivals.get("mapwave"):
        jobs["mapwave"] = lambda _: _saved(
            target("mapwave"),
            lambda path: mapwave.save(path, audio, SAMPLE_RATE, encoding=encoding, durable=False, **_bitrate(kind)),
        )
    if peer := rivals.get("mlx-audio-io"):
        # Its FLAC knows no other encoding than its own default.
        theirs = encoding if ending == "wav" else "float32"
        jobs["mlx-audio-io"] = lambda _: _saved(
            target("peer"), lambda path: peer.save(path, audio, SAMPLE_RATE, encoding=theirs, **_bitrate(kind))
        )
    if (sf := rivals.get("soundfile")) and kind in SOUNDFILE_SUBTYPES:
        container, subtype = SOUNDFILE_SUBTYPES[kind]
        jobs["soundfile (from mx.array)"] = lambda _: _saved(
            target("soundfile"),
            lambda path: sf.write(path, np.asarray(audio), SAMPLE_RATE, format=container, subtype=subtype),
        )
    check = _lossless_check(expected) if kind in SOUNDFILE_SUBTYPES else _lossy_check(expected)
    return Task(f"save {kind}", "ms", jobs, check, ITERATIONS)


def durable(clips: Clips, directory: Path, rivals: dict[str, Any]) -> Task:
    """The same as `save f32`, onto the disk: mapwave's default, beside itself without; no peer does."""
    expected = clips.expected("PCM16")
    audio = mx.array(expected)
    mx.eval(audio)
    jobs: dict[str, Job] = {}
    if mapwave := rivals.get("mapwave"):
        for name, is_durable in (("mapwave", True), ("mapwave, durable=False", False)):
            jobs[name] = lambda _, is_durable=is_durable: _saved(
                str(directory / "durable.wav"),
                lambda path: mapwave.save(path, audio, SAMPLE_RATE, durable=is_durable),
            )
    return Task("save f32 onto the disk", "ms", jobs, _lossless_check(expected), ITERATIONS)


def sizes(directory: Path) -> list[str]:
    """What the compressed files of each rival came to, for the notes below the table."""
    found = sorted(directory.glob("saved-*.*"))
    return [f"{path.name}: {path.stat().st_size} bytes" for path in found if path.suffix not in (".wav",)]


def _bitrate(kind: str) -> dict[str, str]:
    return {"bitrate": "192k"} if kind in ("M4A", "MP3") else {}


def _saved(path: str, write: Callable[[str], Any]) -> str:
    write(path)
    return path


def _lossless_check(expected: np.ndarray) -> Callable[[Any, int], bool]:
    import soundfile

    def equal(path: Any, _: int) -> bool:
        got, rate = soundfile.read(path, dtype="float32", always_2d=True)
        return (
            rate == SAMPLE_RATE
            and got.shape == (NUM_FRAMES, NUM_CHANNELS)
            and bool(np.abs(got - expected).max() <= TOLERANCE)
        )

    return equal


def _lossy_check(expected: np.ndarray) -> Callable[[Any, int], bool]:
    import mapwave.numpy

    def equal(path: Any, _: int) -> bool:
        got, rate = mapwave.numpy.load(path)
        is_ours = os.path.basename(path).startswith("saved-mapwave")
        late = 0 if is_ours else _lateness(got, expected)
        count = min(len(got) - late, NUM_FRAMES)
        if rate != SAMPLE_RATE or (is_ours and len(got) != NUM_FRAMES) or len(got) > NUM_FRAMES + MAX_TAIL:
            return False
        wanted = expected[:count].astype(np.float64)
        noise = np.sum((got[late : late + count] - wanted) ** 2)
        return 10 * np.log10(np.sum(wanted**2) / noise) >= MIN_SNR

    return equal


def _lateness(got: np.ndarray, expected: np.ndarray) -> int:
    """Frames of encoder delay that a peer left at the beginning."""
    span, first = 1 << 15, 1 << 16
    piece = expected[first : first + span, 0]
    around = got[first : first + span + MAX_TAIL, 0]
    size = 1 << 17
    product = np.fft.irfft(np.fft.rfft(around, size) * np.conj(np.fft.rfft(piece, size)), size)
    return int(np.argmax(product[: MAX_TAIL + 1]))
