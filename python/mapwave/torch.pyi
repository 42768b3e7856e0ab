"""mapwave for PyTorch."""

import torch

from ._core import Api

__all__ = ["batch_load", "info", "load", "open", "stream"]

_api: Api[torch.Tensor]

load = _api.load
info = _api.info
stream = _api.stream
batch_load = _api.batch_load
open = _api.open
