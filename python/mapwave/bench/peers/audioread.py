"""audioread, which gives 16-bit buffers from whatever decoder it finds."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from importlib import import_module
from typing import Any

import numpy as np

from ..clips import Samples
from .base import Peer


class Audioread(Peer):
    """audioread."""

    name = "audioread"
    needs = ("audioread", "numpy")
    is_slow = True
    lacks = frozenset({"PCM24", "f32"})

    @cached_property
    def _module(self) -> Any:
        return import_module("audioread")

    def load(self, path: str) -> Samples:
        with self._module.audio_open(path) as file:
            return _converted(b"".join(file), file.channels)

    def stream(self, path: str, chunk_frames: int) -> Iterator[Samples]:
        """Buffers of its own size: their user takes them as they come."""
        with self._module.audio_open(path) as file:
            for buffer in file:
                yield _converted(buffer, file.channels)

    def info(self, path: str) -> Any:
        with self._module.audio_open(path) as file:
            return round(file.duration * file.samplerate), file.samplerate, file.channels

    def facts(self, info: Any) -> tuple[int, int, int]:
        frames, sample_rate, channels = info
        return frames, sample_rate, channels


def _converted(data: bytes, num_channels: int) -> Samples:
    samples: Samples = np.frombuffer(data, "<i2").reshape(-1, num_channels).astype(np.float32) / np.float32(2**15)
    return samples
