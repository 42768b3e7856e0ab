"""Files to read, and the array libraries to read them with."""

from __future__ import annotations

from pathlib import Path

import mapwave.numpy
import numpy as np
import pytest
import wavefile
from mapwave._core import Api


class _Unwrapped:
    """An array library that takes the core's frames as they are."""

    from_frames = staticmethod(lambda frames: frames)
    copies = False
    fills = False
    dtypes = ("float32", "float16", "bfloat16", "float64", "int16", "int32")
    max_axis = None
    allocate = None
    finish = None


@pytest.fixture(scope="session")
def raw() -> Api:
    """The functions of mapwave, returning the `Frames` that every array library is given."""
    return Api(lambda: _Unwrapped, __name__)


@pytest.fixture(scope="session")
def ramp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """10 007 frames of two int32 channels; every sample is another, so that a frame tells its own number."""
    samples = np.arange(2 * 10_007, dtype=np.int32).reshape(-1, 2) * 99_991
    return wavefile.write(tmp_path_factory.mktemp("ramp") / "ramp.wav", samples)


@pytest.fixture(scope="session")
def ramp_samples(ramp: Path) -> np.ndarray:
    """What `ramp` holds."""
    return np.frombuffer(ramp.read_bytes()[44:], np.int32).reshape(-1, 2)


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A million frames of stereo int16 noise: 8 MB as float32, read on several threads and by every route."""
    noise = np.random.default_rng(7).integers(-32_768, 32_768, (1_000_000, 2), np.int16)
    return wavefile.write(tmp_path_factory.mktemp("large") / "large.wav", noise)


@pytest.fixture(scope="session")
def large_samples(large: Path) -> np.ndarray:
    """What `large` holds."""
    return np.frombuffer(large.read_bytes()[44:], np.int16).reshape(-1, 2)


@pytest.fixture(params=["mlx", "numpy"])
def library(request: pytest.FixtureRequest):
    """mapwave for MLX and for NumPy in turn."""
    if request.param == "mlx":
        return pytest.importorskip("mapwave.mlx", exc_type=ImportError)
    return mapwave.numpy
