"""Tensors of torch, which are channels first, from and into arrays."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import mlx.core as mx
import numpy as np

from ..clips import Samples


def tensor_to_numpy(tensor: Any) -> Samples:
    """A tensor of (channels, frames) as (frames, channels), without a copy."""
    samples: Samples = tensor.numpy().T
    return samples


def tensor_of(audio: mx.array) -> Any:
    """(frames, channels) of MLX as a tensor of (channels, frames), as torch's encoders want it."""
    return import_module("torch").from_numpy(np.ascontiguousarray(np.asarray(audio).T))
