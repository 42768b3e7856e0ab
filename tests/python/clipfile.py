"""Clips for the tests of data sets, and what they hold by libsndfile's account."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

RATE = 8_000


def make(directory: Path, count: int, suffixes: tuple[str, ...] = ("flac", "wav")) -> list[Path]:
    """Clips of 16 bits with one channel and two in turn; no two have the same length."""
    directory.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(count)
    paths = []
    for number in range(count):
        samples = random.integers(-9_000, 9_000, (4_000 + 100 * number, 1 + number % 2), np.int16)
        paths.append(directory / f"{number:03}.{suffixes[number % len(suffixes)]}")
        soundfile.write(paths[-1], samples, RATE, subtype="VORBIS" if paths[-1].suffix == ".ogg" else "PCM_16")
    return paths


def samples(path: Path) -> np.ndarray:
    """The samples as float32 of shape (channels, frames)."""
    return soundfile.read(path, dtype="float32", always_2d=True)[0].T
