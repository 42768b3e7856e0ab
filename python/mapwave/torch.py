"""mapwave for PyTorch: the functions of :mod:`mapwave`, returning CPU tensors without a copy."""

from __future__ import annotations

import torch

from ._core import Api, prepare_save, save, save_prepared

__all__ = ["batch_load", "info", "load", "open", "prepare_save", "resample", "save", "save_prepared", "stream"]


class Arrays:
    """PyTorch as the core sees an array library."""

    from_frames = staticmethod(torch.from_dlpack)
    copies = False
    adopts = False
    fills = False
    dtypes = ("float32", "float16", "bfloat16", "float64", "int16", "int32")
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
