"""Resampling by torchaudio, for results identical to those of ``torchaudio.functional.resample``."""

from __future__ import annotations

from typing import Any

from ._forks import LOCKING, Importing


def resample(frames: Any, in_sr: int, out_sr: int) -> Any:
    """Resamples float32 frames of shape (channels, frames) into a contiguous NumPy array."""
    try:
        with Importing(*LOCKING):
            import torch
            from torchaudio import functional
    except ImportError as error:
        raise RuntimeError(
            f"resample_quality='torchaudio_compat' is torchaudio's own resampling, and torchaudio is not installed "
            f"({error}): pip install torchaudio, or choose 'best', which needs nothing"
        ) from error
    return functional.resample(torch.from_dlpack(frames), in_sr, out_sr).contiguous().numpy()
