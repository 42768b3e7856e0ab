"""mapwave for NumPy: the functions of :mod:`mapwave`, returning ``numpy.ndarray`` without a copy.

NumPy has no bfloat16: ask for float32 or float16.
"""

from __future__ import annotations

from . import _shared
from ._core import Api
from ._libraries import unusable
from ._shared import *  # noqa: F403 - the same names in every module of an array library

try:
    import numpy as np
except ImportError as error:
    raise unusable("numpy", error) from error

__all__ = [
    *_shared.__all__, *_shared.LAZY,
    "Decoder", "batch_load", "info", "iter_load", "load", "open", "resample", "stream",
]  # fmt: skip


class Arrays:
    """NumPy as the core sees an array library."""

    from_frames = staticmethod(np.asarray)
    copies = False
    min_adopted = None
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
iter_load = _api.iter_load
open = _api.open
resample = _api.resample
Decoder = _api.Decoder


def __getattr__(name: str) -> object:
    return _shared.lazy(name, _api, __name__)


def __dir__() -> list[str]:
    return sorted(__all__)
