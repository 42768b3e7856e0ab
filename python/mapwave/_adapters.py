"""What the modules for other programs' data sets share."""

from __future__ import annotations

import importlib
import inspect
import os
from collections.abc import Callable
from typing import Any

from ._forks import module
from ._libraries import LIBRARIES
from .errors import AudioError


def functions_of(library: str) -> Any:
    """The module with mapwave's functions for an array library: "numpy", "mlx", "torch" or "jax"."""
    if library not in LIBRARIES:
        raise ValueError(f"there is no array library {library!r}; there are {', '.join(sorted(LIBRARIES))}")
    return importlib.import_module("mapwave" if library == "mlx" else f"mapwave.{library}")


def checked(given: dict[str, Any], function: Callable[..., Any], without: set[str]) -> dict[str, Any]:
    """Arguments for one of mapwave's functions. A wrong name is an error at once, not at the first file.

    Args:
        given: The arguments by name; those that are None are left out.
        function: The function.
        without: Its arguments that cannot be given.
    """
    known = set(inspect.signature(function).parameters) - without
    for name in given:
        if name not in known:
            raise TypeError(
                f"mapwave.{function.__name__} has no argument {name!r} to give here; it has {', '.join(sorted(known))}"
            )
    return {name: value for name, value in given.items() if value is not None}


def named(error: Exception, path: str) -> Exception:
    """The error of a file that was read or written in memory, with the file's path."""
    if not isinstance(error, AudioError) or not (error.path or "<").startswith("<"):
        return error
    message = str(error).removeprefix(f"{error.path}: ")
    facts = (error.offset, error.container, error.codec, error.plugin)
    offset, container, codec, plugin = facts
    return type(error)(f"{path}: {message}", path=path, offset=offset, container=container, codec=codec, plugin=plugin)


def load_cell(load: Callable[..., Any], cell: Any, options: dict[str, Any]) -> tuple[Any, int]:
    """Loads what a data set has for a file: a path, a URL, bytes, or a dict of ``bytes`` and ``path``.

    Raises:
        As ``mapwave.load``; the error names the path, where there is one.
    """
    path = None
    if isinstance(cell, dict):
        path, data = cell.get("path"), cell.get("bytes")
        cell = path if data is None else data
    if isinstance(cell, str) and "://" in cell:
        path = cell
        with module("fsspec").open(cell, "rb") as file:
            cell = file.read()
    try:
        audio, sr = load(cell, **options)
    except AudioError as error:
        raise named(error, os.fspath(path) if path else "<bytes>") from None
    return audio, sr
