"""mapwave for NumPy: the functions of :mod:`mapwave`, returning ``numpy.ndarray`` over memory that is not copied."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._core import Api

__all__ = ["batch_load", "info", "load", "open", "stream"]


def _from_frames(frames: Any) -> np.ndarray:
    if frames.dtype == "bfloat16":
        raise ValueError("NumPy has no bfloat16: ask for dtype='float32' or 'float16', or use mapwave.torch or mapwave.jax")
    return np.asarray(frames)


class Arrays:
    """NumPy as the core sees an array library."""

    from_frames = staticmethod(_from_frames)
    copies = False
    allocate = None
    finish = None


_api = Api(lambda: Arrays)

load = _api.load
info = _api.info
stream = _api.stream
batch_load = _api.batch_load
open = _api.open
