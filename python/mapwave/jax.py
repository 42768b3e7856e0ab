"""mapwave for JAX: the functions of :mod:`mapwave`, returning CPU ``jax.Array`` without a copy."""

from __future__ import annotations

from . import _shared
from ._core import Api
from ._libraries import unusable
from ._shared import *  # noqa: F403 - the same names in every module of an array library

try:
    import jax.dlpack
except ImportError as error:
    raise unusable("jax", error) from error

__all__ = [
    *_shared.__all__, *_shared.LAZY,
    "Decoder", "batch_load", "info", "iter_load", "load", "open", "resample", "stream",
]  # fmt: skip


class Arrays:
    """JAX as the core sees an array library."""

    from_frames = staticmethod(jax.dlpack.from_dlpack)
    copies = False
    min_adopted = None
    fills = False
    dtypes = ("float32", "float16", "bfloat16", "int16", "int32")
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
