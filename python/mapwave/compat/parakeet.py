"""parakeet-mlx's ``load_audio`` over mapwave, without the ffmpeg program."""

from __future__ import annotations

from typing import Any

import mlx.core as mx

import mapwave

from ..errors import AudioError

__all__ = ["load_audio"]


def load_audio(filename: Any, sampling_rate: int, dtype: Any = mx.bfloat16) -> mx.array:
    """Reads a file as one channel at ``sampling_rate`` Hz: an array of float32 of shape (frames,).

    Args:
        filename: The path.
        sampling_rate: The rate in Hz.
        dtype: Has no effect, as in parakeet-mlx: the model converts the samples itself.

    Raises:
        RuntimeError: The file cannot be read.
    """
    try:
        return mapwave.load(filename, sr=sampling_rate, mono=True, squeeze_mono=True)[0]
    except AudioError as error:
        raise RuntimeError(f"Failed to load audio: {error}") from error
