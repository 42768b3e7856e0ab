"""mapwave itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import mlx.core as mx

import mapwave

from ..kinds import BITRATE, KINDS
from .base import Peer, Read

QUALITIES = ("default", "best", "high", "fastest")


class Mapwave(Peer):
    """The subject."""

    name = "mapwave"
    needs = ("mapwave",)
    into = "mlx"

    def load(self, path: str) -> Any:
        return mapwave.load(path)[0]

    def load_float16(self, path: str) -> Any:
        return mapwave.load(path, dtype="float16")[0]

    def load_numpy(self, path: str) -> Any:
        import mapwave.numpy

        return mapwave.numpy.load(path)[0]

    def window(self, path: str, start: int, num_frames: int, sample_rate: int) -> Any:
        return mapwave.load(path, offset=start / sample_rate, duration=num_frames / sample_rate)[0]

    def reader(self, path: str) -> tuple[Read, Callable[[], None]]:
        reader = mapwave.open(path)
        return lambda start, num_frames: reader[start : start + num_frames], reader.close

    def stream(self, path: str, chunk_frames: int) -> Iterator[Any]:
        return (chunk for chunk, _ in mapwave.stream(path, chunk_frames=chunk_frames))

    def resamplers(self, mono: bool) -> dict[str, Callable[[str, int], Any]]:
        def load(quality: Any, path: str, sample_rate: int) -> Any:
            return mapwave.load(path, sr=sample_rate, mono=mono, resample_quality=quality)[0]

        ways: dict[str, Callable[[str, int], Any]] = {
            "" if quality == "default" else quality: partial(load, quality) for quality in QUALITIES
        }
        ways["low_memory"] = lambda path, sr: mapwave.load(path, sr=sr, mono=mono, low_memory=True)[0]
        return ways

    def stream_at(self, path: str, chunk_frames: int, sample_rate: int) -> Iterator[Any]:
        return (chunk for chunk, _ in mapwave.stream(path, chunk_frames=chunk_frames, sr=sample_rate))

    def batch_at(self, paths: Sequence[str], sample_rate: int, num_workers: int) -> list[Any]:
        return [array for array, _ in mapwave.batch_load(paths, sr=sample_rate, num_workers=num_workers)]

    def batch(self, paths: Sequence[str], num_workers: int) -> list[Any]:
        return [array for array, _ in mapwave.batch_load(paths, num_workers=num_workers)]

    def batch_windows(
        self, paths: Sequence[str], start: int, num_frames: int, rate: int, num_workers: int
    ) -> list[Any]:
        return [
            array
            for array, _ in mapwave.batch_load(paths, start=start, stop=start + num_frames, num_workers=num_workers)
        ]

    def info(self, path: str) -> Any:
        return mapwave.info(path)

    def facts(self, info: Any) -> tuple[int, int, int]:
        return info.frames, info.sample_rate, info.channels

    def save(self, path: str, audio: mx.array, sample_rate: int, kind: str) -> None:
        bitrate = BITRATE if KINDS[kind].is_lossy else "auto"
        mapwave.save(path, audio, sample_rate, encoding=KINDS[kind].encoding, durable=False, bitrate=bitrate)
