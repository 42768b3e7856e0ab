"""The exceptions of soundfile, and what mapwave's errors are among them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import AudioError, MalformedFile, UnsupportedFormat
from ._soundfile_names import ERRORS


class SoundFileError(Exception):
    """The base of all errors of soundfile."""


class SoundFileRuntimeError(SoundFileError, RuntimeError):
    """An error that is also a RuntimeError."""


class LibsndfileError(SoundFileRuntimeError):
    """What soundfile raises when libsndfile returns an error, with mapwave's reason in the message.

    Attributes:
        code: libsndfile's number: 1 for an unknown format, 2 for an error of the system, 3 for a damaged file.
        prefix: What comes before the error's text in the message.
    """

    _reason = ""

    def __init__(self, code: int, prefix: str = "") -> None:
        super().__init__(code, prefix)
        self.code = code
        self.prefix = prefix

    @property
    def error_string(self) -> str:
        """libsndfile's text for the number, and what mapwave says."""
        text = ERRORS.get(self.code, f"Error number {self.code}.")
        return f"{text} ({self._reason})" if self._reason else text

    def __str__(self) -> str:
        return self.prefix + self.error_string

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (self.code, self.prefix, self._reason)


def _rebuild(code: int, prefix: str, reason: str) -> LibsndfileError:
    error = LibsndfileError(code, prefix)
    error._reason = reason
    return error


@contextmanager
def translated(prefix: str) -> Iterator[None]:
    """Raises mapwave's errors as soundfile's."""
    try:
        yield
    except AudioError as error:
        raise _rebuild(_code(error), prefix, str(error)) from error


def _code(error: AudioError) -> int:
    if isinstance(error, OSError):
        return 2
    if isinstance(error, MalformedFile):
        return 3
    return 4 if isinstance(error, UnsupportedFormat) and error.container is not None else 1
