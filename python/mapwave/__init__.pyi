"""mapwave: the audio data layer for MLX."""

from typing import Any

import mlx.core as mx

from . import errors as errors
from ._core import Api
from ._core import AudioInfo as AudioInfo
from ._core import Blocks as Blocks
from ._core import Frames as Frames
from ._core import Plugin as Plugin
from ._core import PluginDirectory as PluginDirectory
from ._core import Reader as Reader
from ._core import Stream as Stream
from ._core import Writer as Writer
from ._core import plugin_directories as plugin_directories
from ._core import plugins as plugins
from ._core import register_plugin as register_plugin
from ._core import supports_soxr as supports_soxr
from .errors import AudioError as AudioError
from .errors import MalformedFile as MalformedFile
from .errors import PluginError as PluginError
from .errors import UnsupportedFormat as UnsupportedFormat
from .saving import PreparedAudio as PreparedAudio
from .saving import prepare_save as prepare_save
from .saving import save as save
from .saving import save_prepared as save_prepared

__all__ = [
    "AudioError",
    "AudioInfo",
    "Blocks",
    "Frames",
    "MalformedFile",
    "Plugin",
    "PluginDirectory",
    "PluginError",
    "PreparedAudio",
    "Reader",
    "Stream",
    "UnsupportedFormat",
    "Writer",
    "batch_load",
    "errors",
    "info",
    "load",
    "open",
    "plugin_directories",
    "plugins",
    "prepare_save",
    "register_plugin",
    "resample",
    "save",
    "save_prepared",
    "show_build_info",
    "stream",
    "supports_soxr",
]

__version__: str

_api: Api[mx.array]

load = _api.load
info = _api.info
stream = _api.stream
batch_load = _api.batch_load
open = _api.open
resample = _api.resample

def show_build_info() -> dict[str, Any]:
    """The facts of this build and machine, as the doctor prints them."""
