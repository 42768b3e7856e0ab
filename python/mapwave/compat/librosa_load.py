"""librosa's ``load`` over mapwave."""

from __future__ import annotations

import math
from typing import Any

from .. import numpy as mw
from . import soundfile
from ._numpy import np

__all__ = ["load"]

#: The qualities of mapwave that stand for librosa's. Those of libsoxr are called the same.
_QUALITIES = {
    "kaiser_best": "best",
    "kaiser_fast": "medium",
    "fft": "best",
    "scipy": "best",
    "polyphase": "best",
    "sinc_best": "best",
    "sinc_medium": "high",
    "sinc_fastest": "low",
}


def load(
    path: Any,
    *,
    sr: float | None = 22050,
    mono: bool = True,
    offset: float = 0.0,
    duration: float | None = None,
    dtype: Any = np.float32,
    res_type: str = "soxr_hq",
) -> tuple[np.ndarray[Any, Any], int | float]:
    """Reads a file, or a part of it, as float samples at ``sr`` Hz; None keeps the file's rate.

    As in librosa, the part is read at the file's rate and resampled by itself.

    Returns:
        (samples, rate). The shape is (frames,) for one channel, and (channels, frames) with ``mono=False`` for several.
    """
    with path if isinstance(path, soundfile.SoundFile) else soundfile.SoundFile(path) as file:
        native = file.samplerate
        if offset:
            file.seek(int(offset * native))
        samples = file.read(-1 if duration is None else int(duration * native), dtype=np.dtype(dtype).name).T
    if mono and samples.ndim > 1:
        samples = np.mean(samples, axis=0)
    if sr is None or sr == native:
        return samples, native if sr is None else sr
    return _resampled(samples, native, sr, _QUALITIES.get(res_type, res_type)), sr


def _resampled(samples: np.ndarray[Any, Any], native: int, sr: float, quality: Any) -> np.ndarray[Any, Any]:
    """The samples at another rate: ceil(n * sr / native) of them, as librosa counts."""
    resampled: np.ndarray[Any, Any] = mw.resample(samples, native, sr, quality, "channels_first")
    length = math.ceil(samples.shape[-1] * sr / native)
    missing = max(0, length - resampled.shape[-1])
    if missing:
        resampled = np.pad(resampled, [(0, 0)] * (resampled.ndim - 1) + [(0, missing)])
    return resampled[..., :length]
