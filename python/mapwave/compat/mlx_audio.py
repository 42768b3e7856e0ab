"""mlx-audio's ``audio_io`` and ``load_audio`` over mapwave, without miniaudio and the ffmpeg program."""

from __future__ import annotations

import math
import os
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mapwave

from .. import numpy as mw
from ..errors import AudioError
from ._numpy import np

if TYPE_CHECKING:
    import mlx.core as mx

__all__ = ["load_audio", "read", "sf_read", "sf_write", "write"]

#: What is written for each format: the format and encoding of :func:`mapwave.save`, and the bitrate.
_FORMATS: dict[str, tuple[str, str, Any]] = {
    "wav": ("wav", "pcm16", "auto"),
    "flac": ("flac", "pcm16", "auto"),
    "mp3": ("mp3", "mp3", 128_000),
    "ogg": ("ogg", "flac", "auto"),
    "vorbis": ("ogg", "flac", "auto"),
    "opus": ("opus", "opus", 128_000),
    "webm": ("webm", "opus", 128_000),
}

#: The rates of Opus. Audio of another rate is resampled to the last, as ffmpeg does.
_OPUS_RATES = (8000, 12000, 16000, 24000, 48000)


def read(
    file: str | Path | BytesIO,
    always_2d: bool = False,
    dtype: str = "float64",
    sample_rate: int | None = None,
    nchannels: int | None = None,
    duration: float | None = None,
) -> tuple[np.ndarray[Any, Any], int]:
    """Reads a file, or the first ``duration`` seconds of it.

    Returns:
        (samples, rate). The shape is (frames,) for one channel unless ``always_2d``, and (frames, channels) for more.
        Integers other than int16 have the values of int16.
    """
    if sample_rate is not None and sample_rate <= 0:
        raise ValueError(f"sample_rate must be positive, got {sample_rate}")
    if nchannels is not None and nchannels <= 0:
        raise ValueError(f"nchannels must be positive, got {nchannels}")
    if duration is not None and not (duration > 0 and math.isfinite(duration)):
        raise ValueError(f"duration must be a positive finite number, got {duration}")
    if isinstance(file, BytesIO):
        file.seek(0)
    elif not isinstance(file, str | Path):
        raise TypeError(f"Unsupported file type: {type(file)}")
    stored: Any = dtype if dtype in ("float32", "float64") else "int16"
    try:
        with mw.open(file, sr=sample_rate, dtype=stored, mono=nchannels == 1) as reader:
            stop = len(reader) if duration is None else min(round(duration * reader.sample_rate), len(reader))
            samples = _with_channels(reader[0:stop], nchannels)
            rate = reader.sample_rate
            is_empty = len(reader) == 0 and reader.info().container not in ("wav", "mp3", "flac")
    except AudioError as error:
        if isinstance(error, OSError):
            raise
        raise RuntimeError(f"decoding failed: {error}") from error
    if is_empty:
        raise RuntimeError("decoding failed: the file has no audio samples")
    samples = samples.astype(dtype, copy=False)
    return (samples if always_2d or samples.shape[1] > 1 else samples[:, 0]), rate


def write(file: str | Path | BytesIO, data: Any, samplerate: int, format: str | None = None) -> None:
    """Writes samples of shape (frames,) or (frames, channels) with 16 bits, or compressed.

    The format is that of the extension if none is given: "wav", "flac", "mp3", "ogg", "vorbis" (FLAC in Ogg, as
    mlx-audio writes it), "opus", "webm", or "pcm" and "raw" for the bare samples. A BytesIO is left at its start.
    """
    if format is None:
        format = "wav" if isinstance(file, BytesIO) else os.path.splitext(file)[1][1:]
    samples = np.asarray(data) if hasattr(data, "__array__") or not hasattr(data, "tolist") else np.array(data.tolist())
    if samples.dtype in (np.float32, np.float64):
        samples = (np.clip(samples, -1.0, 1.0) * 32767).astype(np.int16)
    samples = samples.astype(np.int16, copy=False)
    name = format.lower()
    if name in ("pcm", "raw"):
        _write_bytes(file, samples.tobytes())
        return
    if name not in _FORMATS:
        raise ValueError(f"Unsupported output format: {name}")
    container, encoding, bitrate = _FORMATS[name]
    if encoding == "opus" and samplerate not in _OPUS_RATES:
        samples = mw.resample(samples, samplerate, 48000, layout="channels_last", dtype="int16")
        samplerate = 48000
    try:
        mapwave.save(
            file, samples, samplerate, layout="channels_last", format=container, encoding=encoding, bitrate=bitrate
        )
    except AudioError as error:
        if isinstance(error, OSError):
            raise
        raise RuntimeError(f"encoding failed: {error}") from error
    if isinstance(file, BytesIO):
        file.seek(0)


def sf_read(file: str | Path | BytesIO, always_2d: bool = False) -> tuple[np.ndarray[Any, Any], int]:
    """Reads a file as float64, as soundfile does."""
    return read(file, always_2d=always_2d, dtype="float64")


def sf_write(file: str | Path | BytesIO, data: Any, samplerate: int, format: str | None = None) -> None:
    """Writes samples: the same as :func:`write`."""
    write(file, data, samplerate, format=format)


def load_audio(
    audio: str | mx.array,
    sample_rate: int = 24000,
    length: int | None = None,
    volume_normalize: bool = False,
    segment_duration: int | None = None,
    duration: float | None = None,
) -> mx.array:
    """Reads a file as one channel of float32; an array is returned as it is.

    ``length`` pads or cuts the samples. ``segment_duration`` and ``volume_normalize`` need mlx-audio itself.
    """
    import mlx.core as mx

    if isinstance(audio, mx.array):
        return audio
    if not isinstance(audio, str):
        raise TypeError(f"audio must be str or mx.array, got {type(audio)}")
    if not os.path.exists(audio):
        raise FileNotFoundError(f"Audio file not found: {audio}")
    samples, _ = read(audio, dtype="float32", sample_rate=sample_rate, nchannels=1, duration=duration)
    if segment_duration is not None or volume_normalize:
        from mlx_audio import utils

        if segment_duration is not None:
            samples = utils.random_select_audio_segment(samples, int(sample_rate * segment_duration))
        if volume_normalize:
            samples = utils.audio_volume_normalize(samples)
    if length is not None:
        samples = np.pad(samples[:length], (0, max(0, length - len(samples))))
    return mx.array(samples, dtype=mx.float32)


def _with_channels(samples: np.ndarray[Any, Any], wanted: int | None) -> np.ndarray[Any, Any]:
    found = samples.shape[1]
    if wanted is None or wanted == found:
        return samples
    if found == 1:
        return np.repeat(samples, wanted, axis=1)
    raise ValueError(f"nchannels must be 1, or the number of channels in the file, which is {found}; got {wanted}")


def _write_bytes(file: str | Path | BytesIO, data: bytes) -> None:
    if isinstance(file, BytesIO):
        file.write(data)
        file.seek(0)
    else:
        Path(file).write_bytes(data)
