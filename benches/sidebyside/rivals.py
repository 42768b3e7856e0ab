"""Who takes part: the modules that are installed, by the name they are known by."""

from __future__ import annotations

import importlib
from importlib import metadata
from types import ModuleType

MODULES = {"mapwave": "mapwave", "mlx-audio-io": "mlx_audio_io", "soundfile": "soundfile"}
"""Distribution name to module name. A peer is added here and given a job in `tasks`."""


def installed() -> dict[str, ModuleType]:
    """The rivals that can be imported."""
    found = {}
    for name, module in MODULES.items():
        try:
            found[name] = importlib.import_module(module)
        except ImportError:
            continue
    return found


def versions() -> dict[str, str]:
    """The versions of the rivals and of what they stand on; "absent" for those that are not there."""
    found = {}
    for name in (*MODULES, "mlx", "numpy"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "absent"
    return found
