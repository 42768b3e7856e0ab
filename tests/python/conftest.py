"""Files to read, and the array libraries to read them with."""

from __future__ import annotations

from pathlib import Path

import child
import mapwave.numpy
import numpy as np
import pluginfile
import pytest
import wavefile
from mapwave._core import Api


class _Unwrapped:
    """An array library that takes the core's frames as they are."""

    from_frames = staticmethod(lambda frames: frames)
    copies = False
    min_adopted = None
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


class Lab:
    """Plugins of this test alone, and programs that find no others."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.plugins = directory / "plugins"
        self.data = directory / "data"
        self.cache = directory / "cache"
        for made in (self.plugins, self.data, self.cache):
            made.mkdir(parents=True)

    def library(self, name: str) -> Path:
        """Where a library of the plugin path is, or is to be."""
        return self.plugins / f"{name}.{pluginfile.SUFFIX}"

    def environment(self, **variables: str) -> dict[str, str]:
        """The variables that make all of this known."""
        steering = {
            "MAPWAVE_PLUGIN_PATH": str(self.plugins),
            "XDG_DATA_HOME": str(self.data),
            "XDG_CACHE_HOME": str(self.cache),
        }
        return steering | variables

    def run(self, code: str, *arguments: object, **variables: str) -> str:
        """Runs Python code in a process of its own, since plugins are looked for once, and returns what it printed."""
        return child.run(self.directory, code, *arguments, **self.environment(**variables))


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """An empty directory of plugins."""
    return Lab(tmp_path / "lab")


@pytest.fixture(scope="session")
def qoa_library() -> Path:
    """The example in Rust."""
    return pluginfile.qoa()


@pytest.fixture(scope="session")
def au_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example in C."""
    return pluginfile.example_au(tmp_path_factory.mktemp("au") / f"au.{pluginfile.SUFFIX}")
