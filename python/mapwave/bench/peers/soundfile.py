"""soundfile, over libsndfile; with the soxr package it resamples too."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from importlib import import_module
from typing import Any

import mlx.core as mx
import numpy as np

from ..clips import Samples
from .base import Peer, Read

SUBTYPES = {"f32": ("WAV", "FLOAT"), "PCM16": ("WAV", "PCM_16"), "FLAC": ("FLAC", "PCM_16")}


class Soundfile(Peer):
    """soundfile."""

    name = "soundfile"
    needs = ("soundfile", "numpy")
    lacks = frozenset({"AAC", "ALAC"})
    cannot_save = frozenset({"M4A", "MP3"})

    @cached_property
    def _module(self) -> Any:
        return import_module("soundfile")

    def load(self, path: str) -> Samples:
        samples: Samples = self._module.read(path, dtype="float32", always_2d=True)[0]
        return samples

    def window(self, path: str, start: int, num_frames: int, sample_rate: int) -> Any:
        return self._module.read(path, num_frames, start, dtype="float32", always_2d=True)[0]

    def reader(self, path: str) -> tuple[Read, Callable[[], None]]:
        file = self._module.SoundFile(path)

        def cut(start: int, num_frames: int) -> Any:
            file.seek(start)
            return file.read(num_frames, dtype="float32", always_2d=True)

        return cut, file.close

    def stream(self, path: str, chunk_frames: int) -> Iterator[Any]:
        blocks: Iterator[Any] = self._module.blocks(path, chunk_frames, dtype="float32", always_2d=True)
        return blocks

    def resamplers(self, mono: bool) -> dict[str, Callable[[str, int], Any]]:
        if importlib.util.find_spec("soxr") is None:
            return {}
        soxr = import_module("soxr")

        def load(path: str, sample_rate: int) -> Any:
            samples, rate = self._module.read(path, dtype="float32", always_2d=True)
            if mono:
                samples = samples.mean(axis=1, keepdims=True)
            return soxr.resample(samples, rate, sample_rate)

        return {"soxr HQ": load}

    def batch(self, paths: Sequence[str], num_workers: int) -> list[Any]:
        with ThreadPoolExecutor(num_workers) as pool:
            return list(pool.map(self.load, paths))

    def info(self, path: str) -> Any:
        return self._module.info(path)

    def facts(self, info: Any) -> tuple[int, int, int]:
        return info.frames, info.samplerate, info.channels

    def save(self, path: str, audio: mx.array, sample_rate: int, kind: str) -> None:
        container, subtype = SUBTYPES[kind]
        self._module.write(path, np.asarray(audio), sample_rate, format=container, subtype=subtype)
