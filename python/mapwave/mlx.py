"""Samples into ``mlx.core.array``, by MLX's public interfaces only.

On the CPU, MLX copies whatever memory it is given. A short read is converted into scratch memory and
``mx.from_dlpack`` makes an array of it (route ``a``). For a longer one that copy is a pass over memory too many: an
array is made first, and the samples are converted straight into its own memory, through its buffer, on the thread that
called. An error or Ctrl-C in between drops an array that nobody has seen. MLX has no public way to make an array
without filling it, but two that come close:

``c``
    ``mx.from_dlpack`` of zeros that are all one page of memory: MLX writes the array once, which is quick where its
    memory is warm. Safe in a forked child and on any thread but a daemon.
``b``
    ``mx.load`` of an ``.npy`` file-like object, for which MLX allocates what the header says and asks the object to
    fill it; ours claims to have done so and touches nothing. The array's pages have not been touched then and can
    become huge pages, which is quickest for large arrays. MLX calls the object on a thread of its own, which needs the
    interpreter, so ``b`` is taken only where nothing can be in its way.

On Metal, MLX takes memory over that begins at a page, and does not copy it. mapwave lets it from MLX 0.32.4 on and from
1 MiB on (:data:`MIN_ADOPTED`); before that version MLX may give such memory to another array.

:func:`route` says which it would be, and why.
"""

from __future__ import annotations

import _thread
import math
import os
import re
import sys
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import _MLX_CAME_FIRST, _PID, batch_load, info, iter_load, load, open, resample, stream
from ._core import Frames, zeros
from ._libraries import unusable

try:
    import mlx.core as mx
except ImportError as error:
    raise unusable("mlx", error) from error

__all__ = ["batch_load", "info", "iter_load", "load", "open", "resample", "route", "stream"]

# The output from which it takes less time to call MLX's thread (about 80 us) than to write zeros.
_MIN_LOAD = 4 << 20

# How long MLX's thread may take to drop what it has read, in seconds.
_MAX_WAIT = 5.0

# The first MLX that keeps memory it has taken over for the array that it was taken for.
_ADOPTS_SINCE = (0, 32, 4)

# MLX counts an axis in 31 bits.
_MAX_AXIS = 2**31 - 1

# The .npy type of each dtype; bfloat16 has none and is allocated as the 16 bits it is.
_NPY_TYPES = {
    "float32": "<f4",
    "float16": "<f2",
    "bfloat16": "<u2",
    "int16": "<i2",
    "int32": "<i4",
}


def _min_adopted() -> int:
    """The setting ``MAPWAVE_MLX_MIN_ADOPTED``, in bytes, or 1 MiB."""
    wanted = os.environ.get("MAPWAVE_MLX_MIN_ADOPTED", "")
    if wanted and not wanted.isdecimal():
        raise ValueError(f"MAPWAVE_MLX_MIN_ADOPTED must be a number of bytes, got {wanted!r}")
    return max(1, int(wanted or 1 << 20))


# The output from which Metal takes memory over. Below it, making a GPU's buffer of pages takes as long as copying them.
MIN_ADOPTED = _min_adopted()


def _adopts() -> bool:
    """Whether MLX takes memory over, and keeps it."""
    version = re.match(r"(\d+)\.(\d+)\.(\d+)", mx.__version__)
    return mx.metal.is_available() and version is not None and tuple(map(int, version.groups())) >= _ADOPTS_SINCE


class _Unfilled:
    """A file-like object that holds an ``.npy`` header and, as far as its reader can tell, the samples after it."""

    # Not a property: MLX only asks whether it is there, and takes a Ctrl-C that comes in its code for a no.
    closed = False

    def __init__(self, header: bytes, num_bytes: int) -> None:
        self._header = header
        self._size = len(header) + num_bytes
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

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


def _may_be_forked() -> bool:
    """Whether MLX may have been used in the process that this one was forked from: its threads do not live on here."""
    if os.getpid() != _PID:
        return True
    if not _MLX_CAME_FIRST or len(os.listdir("/proc/self/task")) > 1:
        return False
    # A program gets a new memory layout when it starts; a child that was only forked looks like its parent.
    try:
        return Path("/proc/self/auxv").read_bytes() == Path(f"/proc/{os.getppid()}/auxv").read_bytes()
    except OSError:
        return os.getppid() != 0


def route(num_bytes: int = _MIN_LOAD) -> tuple[str, str]:
    """Which way an array of ``num_bytes`` would be made at this moment, and why.

    Arrays below 512 KiB, and all on daemon threads, take route ``a``. ``MAPWAVE_MLX_ROUTE`` set to ``a``, ``b`` or
    ``c`` overrides the choice for the others; ``auto`` or nothing leaves it.

    Returns:
        The route's letter and the reason for it.
    """
    wanted = os.environ.get("MAPWAVE_MLX_ROUTE", "auto").lower()
    if wanted in ("a", "b", "c"):
        return wanted, f"MAPWAVE_MLX_ROUTE={wanted}"
    if wanted != "auto":
        raise ValueError(f"MAPWAVE_MLX_ROUTE must be 'a', 'b', 'c' or 'auto', got {wanted!r}")
    if mx.metal.is_available():
        if not _adopts():
            since = ".".join(map(str, _ADOPTS_SINCE))
            return "a", f"Metal; samples are copied, since MLX is older than {since}"
        return "a", f"Metal, which takes memory over without a copy from {MIN_ADOPTED} bytes on"
    if sys.platform != "linux":
        return "a", "this system is not Linux"
    if mx.default_device() != mx.Device(mx.cpu):
        return "a", "the default device is not the CPU"
    if threading.current_thread().daemon:
        return "a", "this is a daemon thread, which may be ended in the middle of MLX's code"
    if num_bytes < _MIN_LOAD:
        return "c", f"the array is smaller than {_MIN_LOAD >> 20} MiB"
    if _may_be_forked():
        return "c", "this may be a forked child, where MLX's threads do not run"
    if threading.current_thread() is not threading.main_thread():
        return "c", "this is not the main thread"
    if _thread._count() > 0:
        return "c", "other Python threads are running"
    return "b", "this is the main thread and no other runs"


def _allocate(shape: tuple[int, ...], dtype: str) -> mx.array | None:
    """An array to be filled, or None where MLX is to be given the samples themselves."""
    npy_type = _NPY_TYPES[dtype]
    num_bytes = int(npy_type[2]) * math.prod(shape)
    letter, _ = route(num_bytes)
    if letter == "a":
        return None
    if letter == "c":
        return mx.from_dlpack(zeros(shape, dtype))
    unfilled = _Unfilled(_npy_header(shape, npy_type), num_bytes)
    # Not a `__del__`, which would lose a Ctrl-C that comes in it.
    left = weakref.ref(unfilled)
    array = mx.load(unfilled, format="npy")
    del unfilled
    mx.eval(array)
    # MLX's thread takes the interpreter once more to drop the object. If the program ended first, the interpreter would
    # end that thread there, in C++ code that does not survive it.
    deadline = time.monotonic() + _MAX_WAIT
    while left() is not None and time.monotonic() < deadline:
        time.sleep(0.0001)
    return array


def _finish(array: mx.array, dtype: str) -> mx.array:
    """Gives an array that was allocated as 16 bits its type."""
    if dtype == "bfloat16" and array.dtype != mx.bfloat16:
        array = array.view(mx.bfloat16)
        # MLX evaluates an array on the thread that made it; another that looks at it first gets an error, or aborts.
        mx.eval(array)
    return array


def _copied(frames: Frames) -> mx.array:
    """A copy, also of memory that Metal could take over."""
    return mx.from_dlpack(frames, copy=True)


def _adopted(frames: Frames) -> mx.array:
    """An array over the frames' own memory where Metal takes that over, and a copy of a small one.

    A small one that happens to begin at a page would be taken over too, and keep its memory from being used again.
    """
    # A daemon thread may be ended where it would take the interpreter again: nothing is evaluated on it.
    if frames.nbytes < MIN_ADOPTED or threading.current_thread().daemon:
        return _copied(frames)
    # A start at a page is enough for MLX 0.32. Should whole pages be needed, all are taken over and a part is shown.
    try:
        return mx.from_dlpack(frames, copy=False)
    except (BufferError, RuntimeError, ValueError):
        pages = frames.pages()
    if pages is None or len(pages) > _MAX_AXIS:
        return _copied(frames)
    try:
        whole = mx.from_dlpack(pages, copy=False)
    except (BufferError, RuntimeError, ValueError):
        return _copied(frames)
    # On the CPU's stream, which does not wait for what the GPU has still to do.
    strides = [math.prod(frames.shape[axis + 1 :]) for axis in range(len(frames.shape))]
    array = mx.as_strided(whole, frames.shape, strides, 0, stream=mx.cpu)
    mx.eval(array)
    return array


class Arrays:
    """MLX as the core sees an array library."""

    min_adopted = MIN_ADOPTED if _adopts() else None
    from_frames: Callable[[Frames], mx.array] = staticmethod(
        _adopted if _adopts() else _copied if mx.metal.is_available() else mx.from_dlpack
    )
    copies = True
    fills = sys.platform == "linux" and mx.default_device() == mx.Device(mx.cpu)
    dtypes = tuple(_NPY_TYPES)
    max_axis = _MAX_AXIS
    allocate = staticmethod(_allocate)
    finish = staticmethod(_finish)
