"""torchcodec, over FFmpeg; its tensors are channels first."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from typing import Any

import mlx.core as mx

from ..kinds import KINDS
from .base import Peer, Read
from .tensors import tensor_of, tensor_to_numpy


class Torchcodec(Peer):
    """torchcodec."""

    name = "torchcodec"
    needs = ("torchcodec", "torch")
    into = "torch"
    cannot_save = frozenset({"f32"})

    @cached_property
    def _decoder(self) -> Any:
        return import_module("torchcodec.decoders").AudioDecoder

    def to_mlx(self, native: Any) -> mx.array:
        array = mx.array(tensor_to_numpy(native))
        mx.eval(array)
        return array

    def load(self, path: str) -> Any:
        return self._decoder(path).get_all_samples().data

    def window(self, path: str, start: int, num_frames: int, sample_rate: int) -> Any:
        return self._cut(self._decoder(path), start, num_frames, sample_rate)

    def reader(self, path: str) -> tuple[Read, Callable[[], None]]:
        decoder = self._decoder(path)
        rate = decoder.metadata.sample_rate
        return lambda start, num_frames: self._cut(decoder, start, num_frames, rate), lambda: None

    def resamplers(self, mono: bool) -> dict[str, Callable[[str, int], Any]]:
        def load(path: str, sample_rate: int) -> Any:
            samples = self._decoder(path, sample_rate=sample_rate).get_all_samples().data
            # FFmpeg's own mono is louder than the mean by 3 dB.
            return samples.mean(0, keepdim=True) if mono else samples

        return {"": load}

    def info(self, path: str) -> Any:
        return self._decoder(path).metadata

    def facts(self, info: Any) -> tuple[int, int, int]:
        return round(info.duration_seconds * info.sample_rate), info.sample_rate, info.num_channels

    def save(self, path: str, audio: mx.array, sample_rate: int, kind: str) -> None:
        encoder = import_module("torchcodec.encoders").AudioEncoder(tensor_of(audio), sample_rate=sample_rate)
        encoder.to_file(path, bit_rate=192_000 if KINDS[kind].is_lossy else None)

    @staticmethod
    def _cut(decoder: Any, start: int, num_frames: int, sample_rate: int) -> Any:
        stop = (start + num_frames) / sample_rate
        return decoder.get_samples_played_in_range(start_seconds=start / sample_rate, stop_seconds=stop).data
