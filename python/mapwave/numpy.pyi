"""mapwave for NumPy."""

from typing import Any

import numpy as np

from ._core import Api

__all__ = ["batch_load", "info", "load", "open", "stream"]

_api: Api[np.ndarray[Any, np.dtype[Any]]]

load = _api.load
info = _api.info
stream = _api.stream
batch_load = _api.batch_load
open = _api.open
