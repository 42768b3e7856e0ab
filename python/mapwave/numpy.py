"""mapwave for NumPy: the functions of :mod:`mapwave`, returning ``numpy.ndarray`` without a copy.

NumPy has no bfloat16: ask for float32 or float16.
"""

from __future__ import annotations

import numpy as np

from ._core import Api, prepare_save, save, save_prepared

__all__ = ["batch_load", "info", "load", "open", "prepare_save", "resample", "save", "save_prepared", "stream"]


class Arrays:
    """NumPy as the core sees an array library."""

    from_frames = staticmethod(np.asarray)
    copies = False
    adopts = False
    fills = False
    dtypes = ("float32", "float16", "float64", "int16", "int32")
    max_axis = None
    allocate = None
    finish = None


_api = Api(lambda: Arrays, __name__)

load = _api.load
info = _api.info
stream = _api.stream
batch_load = _api.batch_load
open = _api.open
resample = _api.resample
