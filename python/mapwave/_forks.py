"""Imports that a fork waits for.

Python's ``fork`` copies the locks of modules that other threads are importing, and a child that imports one of them
waits for ever. mapwave imports an array library when the first array is made, in whichever thread that is. What a
function of this package imports, it imports by `module` or within `Importing`.
"""

from __future__ import annotations

import _thread
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# How many seconds a fork waits: a library takes one from a slow disk.
_LIMIT = 60

_lock = _thread.RLock()

# The threads that fork and hold the lock.
_forking: set[int] = set()

# Modules that hold a lock of their own while a process forks, which an import may need; and those of them whose locks a
# fork takes only when no import is in progress any more: handlers run in the reverse order of their registration.
LOCKING = ("logging", "concurrent.futures.thread")
_settled: set[str] = set()


class Importing:
    """The context in which another library is imported."""

    def __init__(self, *needed: str) -> None:
        """With the modules of `LOCKING` that the other library imports."""
        self._needed = needed

    def __enter__(self) -> None:
        for name in self._needed:
            module(name)
        new = [name for name in LOCKING if name in sys.modules and name not in _settled]
        if new:
            _settled.update(new)
            _register()
        self._lock = _lock
        self._lock.acquire()

    def __exit__(self, *exception: object) -> None:
        self._lock.release()


def module(name: str) -> Any:
    """Returns the module of that full name, and imports it before if need be."""
    with Importing():
        __import__(name)
    return sys.modules[name]


def to_path(text: str) -> object:
    """Returns the text as a pathlib.Path."""
    return module("pathlib").Path(text)


def _before() -> None:
    # The handlers may be registered more than once.
    if _thread.get_ident() not in _forking and _lock.acquire(timeout=_LIMIT):
        _forking.add(_thread.get_ident())


def _after_in_parent() -> None:
    if _thread.get_ident() in _forking:
        _forking.remove(_thread.get_ident())
        _lock.release()


def _after_in_child() -> None:
    global _lock
    _lock = _thread.RLock()
    _forking.clear()


def _register() -> None:
    os.register_at_fork(before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child)


_register()
