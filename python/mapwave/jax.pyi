"""mapwave for JAX."""

import jax

from ._core import Api
from .saving import prepare_save as prepare_save
from .saving import save as save
from .saving import save_prepared as save_prepared

__all__ = ["batch_load", "info", "load", "open", "prepare_save", "resample", "save", "save_prepared", "stream"]

_api: Api[jax.Array]

load = _api.load
info = _api.info
stream = _api.stream
batch_load = _api.batch_load
open = _api.open
resample = _api.resample
