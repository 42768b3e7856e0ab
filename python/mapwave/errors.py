"""The errors of mapwave: each is an :class:`AudioError` and a subclass of the matching built-in error.

All of them pickle, and have ``path``, ``offset`` (in bytes), ``container``, ``codec``, ``plugin`` and ``index``, which
are None where they are not known.
"""

from __future__ import annotations

__all__ = [
    "AudioError",
    "AudioFileNotFound",
    "AudioIOError",
    "AudioIsADirectory",
    "AudioPermissionDenied",
    "InvalidArgument",
    "LimitExceeded",
    "MalformedFile",
    "OutOfMemory",
    "PluginError",
    "SavedNotDurable",
    "UnsupportedFormat",
]


class AudioError(Exception):
    """The base of everything mapwave raises about a file or an argument.

    Attributes:
        path: The file, or None when the audio came from memory.
        offset: The place in the file in bytes, or None.
        container: The container's short name, such as ``"wav"``, or None.
        codec: The codec's name, such as ``"adpcm_ms"``, or None.
        plugin: The codec plugin that failed, such as ``"builtin"``, or None.
        index: The place of the file among the paths of a batch, or None.
        results: What ``batch_load`` had read before, with None for each file that was not read; or None.
    """

    index: int | None = None
    results: list[object] | None = None

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

    def __reduce__(self) -> tuple[object, ...]:
        facts = (self.path, self.offset, self.container, self.codec, self.plugin, getattr(self, "errno", None))
        return _rebuild, (type(self), self.args[0], *facts), {"index": self.index}


def _rebuild(
    kind: type[AudioError],
    message: str,
    path: str | None,
    offset: int | None,
    container: str | None,
    codec: str | None,
    plugin: str | None,
    errno: int | None,
) -> AudioError:
    return kind(message, path=path, offset=offset, container=container, codec=codec, plugin=plugin, errno=errno)


class MalformedFile(AudioError, ValueError):
    """The file violates the specification of its format."""


class UnsupportedFormat(AudioError, ValueError):
    """No installed plugin supports this format or codec."""


class InvalidArgument(AudioError, ValueError):
    """The value of an argument is out of range, or invalid for this file."""


class LimitExceeded(AudioError, ValueError):
    """A size exceeds a limit."""


class OutOfMemory(AudioError, MemoryError):
    """Not enough memory to hold the audio."""


class AudioIOError(AudioError, OSError):
    """An operation of the operating system failed, or the file changed while it was being read."""


class AudioFileNotFound(AudioIOError, FileNotFoundError):
    """The file does not exist."""


class AudioPermissionDenied(AudioIOError, PermissionError):
    """This user is not permitted to access the file."""


class AudioIsADirectory(AudioIOError, IsADirectoryError):
    """The path is a directory."""


class SavedNotDurable(AudioIOError):
    """The file was saved, but with durable=True it is not known to be on the disk: flushing its directory failed."""


class PluginError(AudioError, RuntimeError):
    """A codec plugin failed, not the file: it cannot be loaded, broke a rule, or lacks a library that it needs."""
