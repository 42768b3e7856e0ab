"""mlx-audio-io: the same signatures, so the same calls. It has no reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from importlib import import_module
from typing import Any

import mlx.core as mx

from ..kinds import BITRATE, KINDS
from .base import Peer

QUALITIES = ("default", "soxr_hq")


class MlxAudioIo(Peer):
    """mlx-audio-io."""

    name = "mlx-audio-io"
    needs = ("mlx_audio_io",)
    into = "mlx"

    @cached_property
    def _module(self) -> Any:
        return import_module("mlx_audio_io")

    def load(self, path: str) -> Any:
        return self._module.load(path)[0]

    def load_float16(self, path: str) -> Any:
        return self._module.load(path, dtype="float16")[0]

    def window(self, path: str, start: int, num_frames: int, sample_rate: int) -> Any:
        return self._module.load(path, offset=start / sample_rate, duration=num_frames / sample_rate)[0]

    def stream(self, path: str, chunk_frames: int) -> Iterator[Any]:
        return (chunk for chunk, _ in self._module.stream(path, chunk_frames=chunk_frames))

    def resamplers(self, mono: bool) -> dict[str, Callable[[str, int], Any]]:
        def load(quality: str, path: str, sample_rate: int) -> Any:
            return self._module.load(path, sr=sample_rate, mono=mono, resample_quality=quality)[0]

        ways: dict[str, Callable[[str, int], Any]] = {
            "" if quality == "default" else quality: partial(load, quality) for quality in QUALITIES
        }
        ways["low_memory"] = lambda path, sr: self._module.load(path, sr=sr, mono=mono, low_memory=True)[0]
        return ways

    def stream_at(self, path: str, chunk_frames: int, sample_rate: int) -> Iterator[Any]:
        return (chunk for chunk, _ in self._module.stream(path, chunk_frames=chunk_frames, sr=sample_rate))

    def batch_at(self, paths: Sequence[str], sample_rate: int, num_workers: int) -> list[Any]:
        return [array for array, _ in self._module.batch_load(paths, sr=sample_rate, num_workers=num_workers)]

    def batch(self, paths: Sequence[str], num_workers: int) -> list[Any]:
        return [array for array, _ in self._module.batch_load(paths, num_workers=num_workers)]

    def info(self, path: str) -> Any:
        return self._module.info(path)

    def facts(self, info: Any) -> tuple[int, int, int]:
        return info.frames, info.sample_rate, info.channels

    def save(self, path: str, audio: mx.array, sample_rate: int, kind: str) -> None:
        # Its FLAC knows no other encoding than its own default.
        encoding = KINDS[kind].encoding if KINDS[kind].ending == "wav" else "float32"
        bitrate = {"bitrate": BITRATE} if KINDS[kind].is_lossy else {}
        self._module.save(path, audio, sample_rate, encoding=encoding, **bitrate)
