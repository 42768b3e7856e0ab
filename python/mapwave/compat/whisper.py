"""whisper's ``load_audio`` over mapwave, without the ffmpeg program."""

from __future__ import annotations

from typing import Any

from .. import numpy as mw
from ..errors import AudioError
from ._numpy import np

__all__ = ["SAMPLE_RATE", "load_audio"]

#: The rate that whisper's models take, in Hz.
SAMPLE_RATE = 16000


def load_audio(file: Any, sr: int = SAMPLE_RATE) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Reads a file as one channel at ``sr`` Hz: an array of float32 of shape (frames,).

    Raises:
        RuntimeError: The file cannot be read.
    """
    try:
        audio: np.ndarray[Any, np.dtype[np.float32]] = mw.load(file, sr=sr, mono=True, squeeze_mono=True)[0]
    except AudioError as error:
        raise RuntimeError(f"Failed to load audio: {error}") from error
    return audio
