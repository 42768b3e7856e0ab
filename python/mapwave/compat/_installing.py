"""Puts a module of this package in the place of the package whose interface it has, and takes it away again."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any, NamedTuple


class Shim(NamedTuple):
    """What a module of this package stands for."""

    #: The name of the module here.
    module: str
    #: The modules that it replaces as a whole.
    replaces: tuple[str, ...] = ()
    #: The functions that it replaces in modules that keep everything else: (module, name).
    patches: tuple[tuple[str, str], ...] = ()


SHIMS = {
    "soundfile": Shim("soundfile", ("soundfile",)),
    "audiofile": Shim("audiofile", ("audiofile",)),
    "mlx_audio_io": Shim("mlx_audio_io", ("mlx_audio_io",)),
    "mlx_audio": Shim("mlx_audio", ("mlx_audio.audio_io",)),
    "librosa": Shim(
        "librosa_load", (), (("librosa.core.audio", "load"), ("librosa.core", "load"), ("librosa", "load"))
    ),
    "torchaudio": Shim("torchaudio", (), (("torchaudio", "load"), ("torchaudio", "save"), ("torchaudio", "info"))),
    "whisper": Shim("whisper", (), (("whisper.audio", "load_audio"), ("whisper", "load_audio"))),
    "parakeet_mlx": Shim(
        "parakeet", (), (("parakeet_mlx.audio", "load_audio"), ("parakeet_mlx.parakeet", "load_audio"))
    ),
}

_ALIASES = {
    "librosa_load": "librosa",
    "parakeet": "parakeet_mlx",
    "mlx-audio-io": "mlx_audio_io",
    "mlx-audio": "mlx_audio",
}

# What each installed shim has replaced: (the object that has the attribute, its name, the value before).
_MISSING: Any = object()
_undo: dict[str, list[tuple[Any, str, Any]]] = {}


def install(name: str) -> ModuleType:
    """Puts mapwave's module in the place of another package, for code that imports that package afterwards.

    soundfile, audiofile, mlx_audio_io and the module mlx_audio.audio_io are replaced as a whole. In the others, which
    must be installed, the functions that load and save are replaced. A name that was imported before stays as it was.

    Args:
        name: The name of the package: "soundfile", "audiofile", "mlx_audio_io", "mlx_audio", "librosa", "torchaudio",
            "whisper" or "parakeet_mlx".

    Returns:
        The module of :mod:`mapwave.compat`.

    Raises:
        ValueError: There is no module for such a package.
        ImportError: The package, of which only some functions are replaced, cannot be imported.
    """
    name = _known(name)
    shim = SHIMS[name]
    module = importlib.import_module(f"{__package__}.{shim.module}")
    if name in _undo:
        return module
    owners = []
    for owner, function in shim.patches:
        owners.append((importlib.import_module(owner), function))
    undo: list[tuple[Any, str, Any]] = []
    for replaced in shim.replaces:
        undo.append((sys.modules, replaced, sys.modules.get(replaced, _MISSING)))
        sys.modules[replaced] = module
        parent, _, child = replaced.rpartition(".")
        if parent in sys.modules:
            undo.append((sys.modules[parent], child, getattr(sys.modules[parent], child, _MISSING)))
            setattr(sys.modules[parent], child, module)
    for owner_module, function in owners:
        undo.append((owner_module, function, getattr(owner_module, function, _MISSING)))
        setattr(owner_module, function, getattr(module, function))
    _undo[name] = undo
    return module


def uninstall(name: str) -> None:
    """Puts back what :func:`install` replaced; has no effect if nothing is installed by this name."""
    for owner, name_in_it, before in reversed(_undo.pop(_known(name), [])):
        if owner is sys.modules:
            if before is _MISSING:
                sys.modules.pop(name_in_it, None)
            else:
                sys.modules[name_in_it] = before
        elif before is _MISSING:
            delattr(owner, name_in_it)
        else:
            setattr(owner, name_in_it, before)


def installed() -> list[str]:
    """The names of the packages that are replaced at the moment."""
    return sorted(_undo)


def _known(name: str) -> str:
    known = _ALIASES.get(name, name)
    if known not in SHIMS:
        raise ValueError(f"mapwave.compat has no module for {name!r}; it has: {', '.join(sorted(SHIMS))}")
    return known
