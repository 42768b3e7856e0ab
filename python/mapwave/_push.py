"""``Encoder``: audio that is encoded as it comes, for sockets and live microphones."""

from __future__ import annotations

import io
from typing import Any

from . import _core
from ._core import Writer
from .errors import InvalidArgument

__all__ = ["Encoder"]

#: Formats whose header may stay as it is when their length is not known, though files have it completed at their end.
_OPEN_ENDED = {"wav", "rf64", "caf", "mp3"}
#: Formats that need their end to be read, or their beginning to be written last.
_CLOSED = {"aiff", "aifc", "w64"}


class _Collector(io.RawIOBase):
    """Takes what a writer writes. What it completes at its end, when the bytes have gone, is left out."""

    #: Encoders hold back as little as they can.
    _mapwave_is_live = True

    def __init__(self, can_seek: bool) -> None:
        self._can_seek = can_seek
        self._parts: list[bytes] = []
        self._position = self._end = 0

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._can_seek

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = 0) -> int:
        self._position = offset + (self._end if whence == io.SEEK_END else 0)
        return self._position

    def write(self, data: Any) -> int:
        data = bytes(data)
        new = data[max(self._end - self._position, 0) :]
        self._position += len(data)
        if new:
            self._parts.append(new)
            self._end = self._position
        return len(data)

    def take(self) -> bytes:
        data = b"".join(self._parts)
        self._parts.clear()
        return data


class Encoder:
    """Encodes audio as it comes.

    Every call returns the bytes that are complete with it: send them in this order. Together they are a file of the
    format, as ``save`` writes it to a pipe; WAV and CAF say in their header that their length is not known.

    Args:
        format: "opus", "ogg", "flac", "mp3", "wav", "caf" or another format of ``save`` that can be written to a pipe.
        sr: The sample rate in Hz.
        channels: The number of channels.
        **options: As in ``open`` for writing: layout, dtype, encoding, bitrate, quality, tags and so on.

    Raises:
        ValueError: The format or the codec does not support these settings, or cannot be written to a pipe.
    """

    def __init__(self, format: str, sr: int, channels: int, **options: Any) -> None:
        if format.lower() in _CLOSED:
            others = ", ".join(sorted(_OPEN_ENDED))
            message = (
                f"format must be one whose header need not be completed, such as {others} or a compressed one, got"
            )
            raise InvalidArgument(f"{message} '{format}'")
        self._file = _Collector(format.lower() in _OPEN_ENDED)
        api: Any = _core.api_of("mapwave")
        options = {"threads": 1} | options
        self._writer: Writer = api.open(self._file, "w", format=format, sr=sr, channels=channels, **options)

    def write(self, audio: object) -> bytes:
        """Encodes frames, of any type that save takes, and returns the bytes that are complete."""
        self._writer.write(audio)
        return self._file.take()

    def flush(self) -> bytes:
        """Returns the bytes that are complete.

        Frames that do not fill a packet wait for those that follow: 20 ms of Opus, at most 25 ms of FLAC;
        docs/sources.md has the other formats.
        """
        return self._file.take()

    def finish(self) -> bytes:
        """Ends the stream, and returns its last bytes. No frames can be written after it."""
        self._writer.close()
        return self._file.take()

    @property
    def closed(self) -> bool:
        """Whether the stream has ended."""
        return self._writer.closed

    @property
    def frames_written(self) -> int:
        """The number of frames written so far."""
        return self._writer.frames_written

    def __enter__(self) -> Encoder:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._writer.closed:
            self._writer.abort()
