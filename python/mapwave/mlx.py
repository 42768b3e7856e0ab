"""Samples into ``mlx.core.array``, by MLX's public interfaces only.

There are two routes:

A. The samples are converted into scratch memory and ``mx.from_dlpack`` makes an array of them (on the CPU it copies).
B. An array is allocated first and the samples are converted straight into its memory. MLX has no public way to allocate
   without filling, but ``mx.load`` of an ``.npy`` file-like object allocates what the header says and asks the object to
   fill it. Ours claims to have done so and touches nothing; the memory is filled afterwards through the array's own
   buffer, on the thread that called ``load``. An error or Ctrl-C in between drops an array that nobody has seen.

B saves one pass over the memory, which counts from about a megabyte on. It runs the file-like object on MLX's own
thread, which needs the interpreter: so it is taken only where nothing can be in its way (see :func:`route`).
"""

from __future__ import annotations

import _thread
import os
import sys
import threading
from typing import Any

import mlx.core as mx

from . import batch_load, info, load, open, stream

__all__ = ["batch_load", "info", "load", "open", "route", "stream"]

# The process that MLX's threads were started in; they do not live on in a forked child.
_PID = os.getpid()

# The .npy type of each dtype; bfloat16 has none and is allocated as the 16 bits it is.
_NPY_TYPES = {
    "float32": "<f4",
    "float16": "<f2",
    "bfloat16": "<u2",
    "float64": "<f8",
    "int16": "<i2",
    "int32": "<i4",
}


class _Unfilled:
    """A file-like object that holds an ``.npy`` header and, as far as its reader can tell, the samples after it."""

    def __init__(self, header: bytes, num_bytes: int) -> None:
        self._header = header
        self._size = len(header) + num_bytes
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    @property
    def closed(self) -> bool:
        return False

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = origin + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        count = len(buffer)
        if self._position < len(self._header):
            piece = self._header[self._position : self._position + count]
            buffer[: len(piece)] = piece
            count = len(piece)
        self._position += count
        return count


def _npy_header(shape: tuple[int, ...], npy_type: str) -> bytes:
    """The header of a version 1.0 ``.npy`` file, padded so that the data begins at a multiple of 64 bytes."""
    axes = ", ".join(str(axis) for axis in shape) + ("," if len(shape) == 1 else "")
    facts = f"{{'descr': '{npy_type}', 'fortran_order': False, 'shape': ({axes}), }}"
    prefix = b"\x93NUMPY\x01\x00"
    padding = -(len(prefix) + 2 + len(facts) + 1) % 64
    text = (facts + " " * padding + "\n").encode("latin1")
    return prefix + len(text).to_bytes(2, "little") + text


def route() -> tuple[str, str]:
    """Which route a large load would take now, and why.

    ``MAPWAVE_MLX_ROUTE`` set to ``a`` or ``b`` overrides the choice; ``auto`` or nothing leaves it.

    Returns:
        ``("a", why)`` or ``("b", why)``.
    """
    wanted = os.environ.get("MAPWAVE_MLX_ROUTE", "auto").lower()
    if wanted in ("a", "b"):
        return wanted, f"MAPWAVE_MLX_ROUTE={wanted}"
    if wanted != "auto":
        raise ValueError(f"MAPWAVE_MLX_ROUTE must be 'a', 'b' or 'auto', got {wanted!r}")
    if sys.platform != "linux":
        return "a", "MLX adopts memory without a copy here"
    if mx.default_device() != mx.Device(mx.cpu):
        return "a", "the default device is not the CPU"
    if os.getpid() != _PID:
        return "a", "this is a forked child, where MLX's threads do not run"
    if threading.current_thread() is not threading.main_thread():
        return "a", "this is not the main thread"
    if _thread._count() > 0:
        return "a", "other Python threads are running"
    return "b", "this is the main thread and no other runs"


def _allocate(shape: tuple[int, ...], dtype: str) -> mx.array | None:
    """An array of unspecified contents, or None where route B is not safe."""
    if route()[0] != "b":
        return None
    npy_type = _NPY_TYPES[dtype]
    header = _npy_header(shape, npy_type)
    num_bytes = int(npy_type[2])
    for axis in shape:
        num_bytes *= axis
    array = mx.load(_Unfilled(header, num_bytes), format="npy")
    mx.eval(array)
    return array


def _finish(array: mx.array, dtype: str) -> mx.array:
    return array.view(mx.bfloat16) if dtype == "bfloat16" else array


class Arrays:
    """MLX as the core sees an array library."""

    from_frames = staticmethod(mx.from_dlpack)
    copies = True
    allocate = staticmethod(_allocate)
    finish = staticmethod(_finish)

