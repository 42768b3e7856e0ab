"""What is the same for every array library: the classes, the errors, saving and plugins."""

from __future__ import annotations

from . import errors
from ._core import (
    AudioInfo,
    Blocks,
    Frames,
    Loading,
    Plugin,
    PluginDirectory,
    PreparedAudio,
    Reader,
    Stream,
    Track,
    Writer,
    build_info,
    plugin_directories,
    plugins,
    prepare_save,
    register_plugin,
    save,
    save_prepared,
    supports_soxr,
)
from .errors import (
    AudioError,
    AudioFileNotFound,
    AudioIOError,
    AudioIsADirectory,
    AudioPermissionDenied,
    InvalidArgument,
    LimitExceeded,
    MalformedFile,
    OutOfMemory,
    PluginError,
    UnsupportedFormat,
)

TYPE_CHECKING = False  # the constant of typing, without all that typing imports
if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "AudioError",
    "AudioFileNotFound",
    "AudioIOError",
    "AudioInfo",
    "AudioIsADirectory",
    "AudioPermissionDenied",
    "Blocks",
    "Frames",
    "InvalidArgument",
    "LimitExceeded",
    "Loading",
    "MalformedFile",
    "OutOfMemory",
    "Plugin",
    "PluginDirectory",
    "PluginError",
    "PreparedAudio",
    "Reader",
    "Stream",
    "Track",
    "UnsupportedFormat",
    "Writer",
    "errors",
    "plugin_directories",
    "plugins",
    "prepare_save",
    "register_plugin",
    "save",
    "save_prepared",
    "show_build_info",
    "supports_soxr",
]


def show_build_info() -> dict[str, Any]:
    """Returns the facts of this build and machine, as the doctor prints them.

    Returns:
        A dict with ``version``, ``target``, ``debug_assertions``, ``cpu_features``, ``num_processors``, ``containers``
        and ``dtypes``.
    """
    return build_info()
