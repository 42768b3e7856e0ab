"""Files on servers, by fsspec: what the core fetches ranges of."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from ._forks import LOCKING, Importing
from .errors import AudioError, AudioFileNotFound, AudioIOError, AudioPermissionDenied, InvalidArgument

__all__ = ["opened"]


def opened(url: str, options: dict[str, Any] | None) -> tuple[int, Callable[[int, int], bytes]]:
    """Finds a file on a server.

    Args:
        url: Whatever fsspec takes, such as ``https://``, ``s3://`` or ``hf://``.
        options: What its file system is made with.

    Returns:
        The size of the file, and a function that fetches the bytes from one place to another.

    Raises:
        ImportError: fsspec is missing, or what it needs for this protocol; the message says what to install.
        mapwave.AudioIOError: The file cannot be found or read.
    """
    try:
        with Importing(*LOCKING):
            import fsspec
            from fsspec.asyn import AsyncFileSystem
    except ImportError as error:
        message = f"to read '{url}' install fsspec: pip install 'mapwave[remote]'"
        raise ModuleNotFoundError(message, name=getattr(error, "name", None)) from error
    try:
        # It imports what the protocol needs.
        with Importing(*LOCKING):
            system, path = fsspec.core.url_to_fs(url, **(options or {}))
    except ValueError as error:
        raise InvalidArgument(f"path must be a URL that fsspec knows, got '{url}': {error}", path=url) from error
    remote = _Async if isinstance(system, AsyncFileSystem) else _Plain
    file = remote(url, system, path)
    return file.size, file.read


class _File(ABC):
    """A file of a file system of fsspec's."""

    def __init__(self, url: str, system: Any, path: str) -> None:
        self.url, self.system, self.path = url, system, path
        #: All bytes, of a server that does not send parts.
        self.whole: bytes | None = None
        try:
            self.size = self.find()
        except (AudioError, ImportError):
            raise
        except Exception as error:
            raise self.failure(error, None) from error

    def find(self) -> int:
        size = self.system.info(self.path).get("size")
        if size is None:
            self.whole = bytes(self.system.cat_file(self.path))
            size = len(self.whole)
        return int(size)

    @abstractmethod
    def fetch(self, start: int, end: int) -> bytes:
        """Asks the server for a range of bytes."""

    def read(self, start: int, end: int) -> bytes:
        if self.whole is not None:
            return self.whole[start:end]
        try:
            data = self.fetch(start, end)
        except Exception as error:
            raise self.failure(error, start) from error
        if len(data) == end - start:
            return data
        if len(data) == self.size:  # it sent everything
            self.whole = bytes(data)
            return self.whole[start:end]
        message = f"reading '{self.url}' at byte {start}: expected {end - start} bytes, the server sent {len(data)}"
        raise AudioIOError(message, path=self.url, offset=start)

    def failure(self, error: Exception, offset: int | None) -> AudioError:
        """The error of this package for one of a server or of its library."""
        kinds = {FileNotFoundError: AudioFileNotFound, PermissionError: AudioPermissionDenied}
        kind = next((ours for theirs, ours in kinds.items() if isinstance(error, theirs)), AudioIOError)
        at = "" if offset is None else f" at byte {offset}"
        what = str(error) or type(error).__name__
        number = error.errno if isinstance(error, OSError) else None
        return kind(f"reading '{self.url}'{at}: {what}", path=self.url, offset=offset, errno=number)


class _Async(_File):
    """One whose file system fetches a range in one request, from any thread."""

    def fetch(self, start: int, end: int) -> bytes:
        data: bytes = self.system.cat_file(self.path, start=start, end=end)
        return data


class _Plain(_File):
    """One that is read by a file object, a thread at a time: the core sees to that."""

    def __init__(self, url: str, system: Any, path: str) -> None:
        self.file: Any = None
        super().__init__(url, system, path)

    def find(self) -> int:
        try:
            # Without a cache every read fetches what it asks for, and nothing else.
            self.file = self.system.open(self.path, "rb", cache_type="none")
        except TypeError:
            self.file = self.system.open(self.path, "rb")
        return int(self.file.seek(0, os.SEEK_END))

    def fetch(self, start: int, end: int) -> bytes:
        self.file.seek(start)
        parts = []
        while start < end and (part := self.file.read(end - start)):
            parts.append(part)
            start += len(part)
        return b"".join(parts)
