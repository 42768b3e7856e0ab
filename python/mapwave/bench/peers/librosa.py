"""librosa, which reads by soundfile or audioread and returns channels first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from importlib import import_module
from typing import Any

import mlx.core as mx
import numpy as np

from .base import Peer


class Librosa(Peer):
    """librosa."""

    name = "librosa"
    needs = ("librosa",)
    lacks = frozenset({"AAC", "ALAC"})

    @cached_property
    def _module(self) -> Any:
        return import_module("librosa")

    def to_mlx(self, native: Any) -> mx.array:
        array = mx.array(native[:, np.newaxis] if native.ndim == 1 else native.T)
        mx.eval(array)
        return array

    def load(self, path: str) -> Any:
        return self._module.load(path, sr=None, mono=False)[0]

    def window(self, path: str, start: int, num_frames: int, sample_rate: int) -> Any:
        offset, duration = start / sample_rate, num_frames / sample_rate
        return self._module.load(path, sr=None, mono=False, offset=offset, duration=duration)[0]

    def batch_at(self, paths: Sequence[str], sample_rate: int, num_workers: int) -> list[Any]:
        with ThreadPoolExecutor(num_workers) as pool:
            return list(pool.map(lambda path: self._module.load(path, sr=sample_rate, mono=False)[0], paths))

    def resamplers(self, mono: bool) -> dict[str, Callable[[str, int], Any]]:
        return {"": lambda path, sample_rate: self._module.load(path, sr=sample_rate, mono=mono)[0]}
