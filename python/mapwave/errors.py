"""What mapwave raises: every error is an :class:`AudioError` and the built-in error one would expect.

All of them pickle, and carry ``path``, ``offset`` (in bytes), ``container``, ``codec`` and ``plugin`` where these
are known.
"""

from __future__ import annotations

from typing import Any


class AudioError(Exception):
    """The base of everything mapwave raises about a file or an argument.

    Attributes:
        path: The file, or None when the audio came from memory.
        offset: The place in the file in bytes, or None.
        container: The container's short name, such as ``"wav"``, or None.
        codec: The codec's name, such as ``"adpcm_ms"``, or None.
        plugin: The codec plugin that failed, such as ``"builtin"``, or None.
    """

    def __init__(
        self,
        message: str,
        *,
        path: str | None = None,
        offset: int | None = None,
        container: str | None = None,
        codec: str | None = None,
        plugin: str | None = None,
        errno: int | None = None,
    ) -> None:
        super().__init__(message)
        self.path = path
        self.offset = offset
        self.container = container
        self.codec = codec
        self.plugin = plugin
        if isinstance(self, OSError):
            OSError.__setattr__(self, "errno", errno)
            OSError.__setattr__(self, "filename", path)

    def __str__(self) -> str:
        return str(self.args[0])

    def __reduce__(self) -> tuple[Any, ...]:
        facts = {name: getattr(self, name) for name in ("path", "offset", "container", "codec", "plugin")}
        facts["errno"] = getattr(self, "errno", None)
        return _rebuild, (type(self), self.args[0], facts)


def _rebuild(kind: type[AudioError], message: str, facts: dict[str, Any]) -> AudioError:
    return kind(message, **facts)


class MalformedFile(AudioError, ValueError):
    """The bytes are not what their container's specification demands."""


class UnsupportedFormat(AudioError, ValueError):
    """Nothing installed reads this container or codec."""


class InvalidArgument(AudioError, ValueError):
    """An argument's value makes no sense, or not for this file."""


class LimitExceeded(AudioError, ValueError):
    """A size is beyond what memory can hold."""


class OutOfMemory(AudioError, MemoryError):
    """The system has not as much memory as the audio takes."""


class AudioIOError(AudioError, OSError):
    """The operating system refused an operation, or the file changed while it was being read."""


class AudioFileNotFound(AudioIOError, FileNotFoundError):
    """There is no such file."""


class AudioPermissionDenied(AudioIOError, PermissionError):
    """The file may not be read by this user."""


class AudioIsADirectory(AudioIOError, IsADirectoryError):
    """The path is a directory."""


class PluginError(AudioError, RuntimeError):
    """A codec plugin is at fault, not the file: it cannot be loaded, broke a rule or lacks a library it needs."""
