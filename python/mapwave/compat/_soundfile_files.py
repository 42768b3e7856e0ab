"""The files of soundfile: what may be one, its extension, its bytes, and a target with few methods."""

from __future__ import annotations

import os
from io import SEEK_END
from typing import Any


class Target:
    """A file object that has only ``write``, ``seek`` and ``tell``."""

    def __init__(self, file: Any) -> None:
        self.write, self.seek, self.tell = file.write, file.seek, file.tell

    @classmethod
    def of(cls, file: Any) -> Any:
        """The file object itself, unless it lacks what mapwave asks it."""
        return file if hasattr(file, "seekable") else cls(file)

    def seekable(self) -> bool:
        return True


def is_file_object(file: Any, mode: str) -> bool:
    """Whether an object has the methods that the mode needs."""
    reads = hasattr(file, "read") or hasattr(file, "readinto") or not {"r", "+"} & set(mode)
    writes = hasattr(file, "write") or ("r" in mode and "+" not in mode)
    return hasattr(file, "seek") and hasattr(file, "tell") and reads and writes


def extension(file: Any) -> str:
    """The extension of a file's name without the dot, or nothing."""
    name = getattr(file, "name", file)
    return os.path.splitext(os.fsdecode(name))[1][1:] if isinstance(name, str | bytes) else ""


def bytes_of(file: Any) -> bytes:
    """What a file object holds from its position on."""
    if hasattr(file, "read"):
        data = file.read()
        return data if isinstance(data, bytes) else bytes(data)
    start = file.tell()
    file.seek(0, SEEK_END)
    data = bytearray(file.tell() - start)
    file.seek(start)
    view, filled = memoryview(data), 0
    while filled < len(data) and (count := file.readinto(view[filled:])):
        filled += count
    return bytes(view[:filled])
