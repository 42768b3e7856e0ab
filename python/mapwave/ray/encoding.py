"""Encoding samples into a file of any file system, which appears whole or not at all."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import mapwave.numpy
from mapwave._adapters import checked, named
from mapwave.errors import AudioError
from mapwave.types import SaveLayout

from .storage import Storage


def save_options(given: dict[str, Any]) -> dict[str, Any]:
    """The arguments of ``mapwave.save``, checked before anything is sent to other machines, and one thread a task."""
    return {"threads": 1, **checked(given, mapwave.numpy.save, {"path", "audio", "sr", "format", "layout"})}


def write_audio(
    storage: Storage, path: str, scratch: str, audio: Any, sr: int, *, format: str, layout: SaveLayout, **save: Any
) -> int:
    """Encodes samples into a file.

    Args:
        storage: Where the file goes.
        path: The file; one that exists is replaced.
        scratch: A path on the same file system for the time of writing, which nobody else uses. What is left of it when
            this process is killed must be swept by the caller. It may be the path itself on local disks, where mapwave
            saves through a file of its own.
        audio, sr, format, layout, save: As in ``mapwave.save``.

    Returns:
        The number of bytes of the file.

    Raises:
        As ``mapwave.save``; the error names the path.
    """
    # A remote stream that is closed early would be a file that is cut, so the file is made in memory first.
    target: Any = scratch if storage.is_local else io.BytesIO()
    with target_named(target, path):
        mapwave.numpy.save(target, audio, sr, layout, format=format, **save)
    if storage.is_local:
        num_bytes = os.path.getsize(scratch)
        storage.put_in_place(scratch, path)
        return num_bytes
    storage.write(path, target.getbuffer(), scratch)
    return int(target.getbuffer().nbytes)


@contextmanager
def target_named(target: Any, path: str) -> Iterator[None]:
    """Raises the errors of writing a target with the path that the file will have in the place of the target's."""
    try:
        yield
    except AudioError as error:
        if not isinstance(target, str):
            raise named(error, path) from None
        message = str(error).replace(target, path)
        codec, plugin, errno = error.codec, error.plugin, getattr(error, "errno", None)
        raise type(error)(
            message, path=path, container=error.container, codec=codec, plugin=plugin, errno=errno
        ) from None
