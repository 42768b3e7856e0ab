"""mapwave: the audio data layer for MLX.

Maps an audio file into memory and puts its samples straight into ``mlx.core.array``::

    import mapwave

    audio, sr = mapwave.load("speech.wav")                          # (frames, channels), float32
    audio, sr = mapwave.load("speech.wav", offset=1.5, duration=2)  # only these two seconds are read
    for chunk, sr in mapwave.stream("long.wav", chunk_duration=1.0):
        ...
    with mapwave.open("speech.wav") as reader:                      # many reads of one file
        window = reader[16000:32000]
    mapwave.save("out.flac", audio, sr)                             # atomic: the old file or a complete new one

The same functions for other array libraries, without MLX: :mod:`mapwave.numpy`, :mod:`mapwave.torch`,
:mod:`mapwave.jax`. MLX is imported when the first array is made.
"""

from __future__ import annotations

import os
import sys

if "t" in getattr(sys, "abiflags", ""):
    raise ImportError(
        "mapwave has no build for free-threaded Python: use one with the global interpreter lock, such as python3.14 "
        "instead of python3.14t. Its threads release the lock while they read and decode"
    )

from . import _core, _shared
from ._core import Api
from ._forks import Importing
from ._shared import *  # noqa: F403 - the same names in every module of an array library

_core.check_interpreter()

__all__ = [
    *_shared.__all__, *_shared.LAZY,
    "Decoder", "batch_load", "info", "iter_load", "load", "open", "resample", "stream",
]  # fmt: skip

__version__: str = _core.build_info()["version"]

# mapwave.mlx compares these to detect that this process was forked after MLX was used.
_PID = os.getpid()
_MLX_CAME_FIRST = "mlx.core" in sys.modules


def _mlx() -> object:
    with Importing():
        from .mlx import Arrays

    return Arrays


# Nothing of this runs before a file needs a plugin. A user's library is loaded for the first time by an
# interpreter of its own, which has nothing but the extension module.
_TRY_PLUGIN = """
import sys
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_loader
loader = ExtensionFileLoader("_core", sys.argv[1])
core = module_from_spec(spec_from_loader("_core", loader))
loader.exec_module(core)
sys.exit(core.try_plugin(sys.argv[2]))
"""
_core.set_up_plugins(
    os.path.join(os.path.dirname(__file__), "plugins"),
    [sys.executable, "-I", "-S", "-c", _TRY_PLUGIN, _core.__file__] if sys.executable else [],
)

_api = Api(_mlx, __name__)

load = _api.load
info = _api.info
stream = _api.stream
batch_load = _api.batch_load
iter_load = _api.iter_load
open = _api.open
resample = _api.resample
Decoder = _api.Decoder


def __getattr__(name: str) -> object:
    return _shared.lazy(name, _api, __name__)


def __dir__() -> list[str]:
    from ._libraries import WITHOUT_MLX

    return sorted([*__all__, "__version__", *WITHOUT_MLX])
