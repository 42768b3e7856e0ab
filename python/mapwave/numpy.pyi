"""mapwave for NumPy."""

from typing import Any

import numpy as np

from ._core import Api
from .saving import prepare_save as prepare_save
from .saving import save as save
from .saving import save_prepared as save_prepared

__all__ = ["batch_load", "info", "load", "open", "prepare_save", "resample", "save", "save_prepared", "stream"]

_api: Api[np.ndarray[Any, np.dtype[Any]]]

load = _api.load
info = _api.info
stream = _api.stream
batch_load = _api.batch_load
open = _api.open
resample = _api.resample
