"""torchaudio, whose tensors are channels first."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from typing import Any

import mlx.core as mx

from .base import Peer
from .tensors import tensor_of, tensor_to_numpy


class Torchaudio(Peer):
    """torchaudio; from 2.9 on its load and save are torchcodec's."""

    name = "torchaudio"
    needs = ("torchaudio", "torch")
    into = "torch"
    lacks = frozenset({"CAF"})

    @cached_property
    def _module(self) -> Any:
        return import_module("torchaudio")

    def to_mlx(self, native: Any) -> mx.array:
        array = mx.array(tensor_to_numpy(native))
        mx.eval(array)
        return array

    def load(self, path: str) -> Any:
        return self._module.load(path)[0]

    def window(self, path: str, start: int, num_frames: int, sample_rate: int) -> Any:
        return self._module.load(path, frame_offset=start, num_frames=num_frames)[0]

    def resamplers(self, mono: bool) -> dict[str, Callable[[str, int], Any]]:
        functional = import_module("torchaudio.functional")

        def load(path: str, sample_rate: int) -> Any:
            tensor, rate = self._module.load(path)
            return functional.resample(tensor.mean(0, keepdim=True) if mono else tensor, rate, sample_rate)

        return {"": load}

    def save(self, path: str, audio: mx.array, sample_rate: int, kind: str) -> None:
        encoding = {"f32": ("PCM_F", 32), "PCM16": ("PCM_S", 16)}.get(kind)
        options = {"encoding": encoding[0], "bits_per_sample": encoding[1]} if encoding else {}
        self._module.save(path, tensor_of(audio), sample_rate, **options)
