"""Imports that a fork waits for.

Python's ``fork`` copies the locks of modules that other threads are importing, and a child that imports one of them
waits for ever. mapwave imports an array library when the first array is made, in whichever thread that is.
"""

from __future__ import annotations

import _thread
import os

# How many seconds a fork waits: a library takes one from a slow disk.
_LIMIT = 60

_lock = _thread.RLock()

# The threads that fork and hold the lock.
_forking: set[int] = set()


class Importing:
    """The context in which another library is imported."""

    def __enter__(self) -> None:
        self._lock = _lock
        self._lock.acquire()

    def __exit__(self, *exception: object) -> None:
        self._lock.release()


def to_path(text: str) -> object:
    """Returns the text as a pathlib.Path."""
    with Importing():
        from pathlib import Path
    return Path(text)


def _before() -> None:
    if _lock.acquire(timeout=_LIMIT):
        _forking.add(_thread.get_ident())


def _after_in_parent() -> None:
    if _thread.get_ident() in _forking:
        _forking.remove(_thread.get_ident())
        _lock.release()


def _after_in_child() -> None:
    global _lock
    _lock = _thread.RLock()
    _forking.clear()


os.register_at_fork(before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child)
