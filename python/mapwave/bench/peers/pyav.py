"""PyAV, FFmpeg's libraries from Python, which leaves frames, formats and seeking to its user."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from importlib import import_module
from typing import Any

import mlx.core as mx
import numpy as np

from ..clips import NUM_CHANNELS, Samples
from ..kinds import KINDS
from .base import Peer, Read

ENCODERS = {"f32": "pcm_f32le", "PCM16": "pcm_s16le", "FLAC": "flac", "M4A": "aac", "MP3": "libmp3lame"}


class Pyav(Peer):
    """PyAV."""

    name = "PyAV"
    distribution = "av"
    needs = ("av", "numpy")
    is_slow = True

    @cached_property
    def _module(self) -> Any:
        return import_module("av")

    def load(self, path: str) -> Samples:
        with self._module.open(path) as container:
            blocks = [block for _, block in self._decoded(container)]
        return np.concatenate(blocks)

    def window(self, path: str, start: int, num_frames: int, sample_rate: int) -> Samples:
        with self._module.open(path) as container:
            return self._cut(container, start, num_frames)

    def reader(self, path: str) -> tuple[Read, Callable[[], None]]:
        container = self._module.open(path)
        return lambda start, num_frames: self._cut(container, start, num_frames), container.close

    def stream(self, path: str, chunk_frames: int) -> Iterator[Samples]:
        """FFmpeg's own frames: their user takes them as they come."""
        with self._module.open(path) as container:
            for _, block in self._decoded(container):
                yield block

    def resamplers(self, mono: bool) -> dict[str, Callable[[str, int], Any]]:
        def load(path: str, sample_rate: int) -> Samples:
            with self._module.open(path) as container:
                resampler = self._module.AudioResampler("flt", "stereo", sample_rate)
                samples = np.concatenate([block for _, block in self._decoded(container, resampler)])
            # FFmpeg's own mono is louder than the mean by 3 dB.
            return samples.mean(axis=1, keepdims=True) if mono else samples

        return {"": load}

    def info(self, path: str) -> Any:
        with self._module.open(path) as container:
            stream = container.streams.audio[0]
            frames = round(stream.duration * stream.time_base * stream.rate)
            return frames, stream.rate, stream.codec_context.channels

    def facts(self, info: Any) -> tuple[int, int, int]:
        frames, sample_rate, channels = info
        return frames, sample_rate, channels

    def save(self, path: str, audio: mx.array, sample_rate: int, kind: str) -> None:
        samples = np.asarray(audio)
        with self._module.open(path, "w") as container:
            stream = container.add_stream(ENCODERS[kind], rate=sample_rate, layout="stereo")
            if KINDS[kind].is_lossy:
                stream.bit_rate = 192_000
            frame = self._module.AudioFrame.from_ndarray(samples.reshape(1, -1), format="flt", layout="stereo")
            frame.sample_rate = sample_rate
            encoded = stream.codec_context
            encoded.open()
            resampler = self._module.AudioResampler(
                encoded.format, "stereo", sample_rate, frame_size=encoded.frame_size or None
            )
            for block in (*resampler.resample(frame), *resampler.resample(None)):
                container.mux(stream.encode(block))
            container.mux(stream.encode(None))

    def _decoded(self, container: Any, resampler: Any = None) -> Iterator[tuple[int, Samples]]:
        """The time of each frame in the stream's units, and its samples as (frames, channels) of float32."""
        resampler = resampler or self._module.AudioResampler("flt")
        for frame in container.decode(audio=0):
            for converted in resampler.resample(frame):
                yield frame.pts, _interleaved(converted)
        for converted in resampler.resample(None):
            yield 0, _interleaved(converted)

    def _cut(self, container: Any, start: int, num_frames: int) -> Samples:
        stream = container.streams.audio[0]
        frames_a_tick = float(stream.time_base * stream.rate)
        first = stream.start_time or 0
        # A decoder that starts in the middle is not right at once: its user begins a little earlier.
        before = 0 if stream.codec_context.name.startswith("pcm_") else stream.rate // 10
        container.seek(first + int(max(start - before, 0) / frames_a_tick), stream=stream)
        found = 0
        blocks: list[Samples] = []
        for pts, block in self._decoded(container):
            skipped = start - round((pts - first) * frames_a_tick) if not blocks else 0
            if skipped < len(block):
                blocks.append(block[max(skipped, 0) :])
                found += len(blocks[-1])
            if found >= num_frames:
                break
        return np.concatenate(blocks)[:num_frames] if blocks else np.empty((0, NUM_CHANNELS), np.float32)


def _interleaved(frame: Any) -> Samples:
    samples: Samples = frame.to_ndarray().reshape(-1, frame.layout.nb_channels)
    return samples
