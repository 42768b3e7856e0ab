"""NumPy, which most modules here need; without it the error says how to get it."""

from __future__ import annotations

from .._libraries import unusable

try:
    import numpy as np
except ImportError as error:
    raise unusable("numpy", error) from error

__all__ = ["np"]
