"""A stand-in for MLX on a Mac, as far as mapwave uses it: `install()` puts it in the place of `mlx.core`.

What it does is what MLX's sources say of Metal (0.32.1 to 0.32.4): memory that begins at a page is taken over,
`copy=False` raises for any other, and memory is freed on a thread of Metal's own. With `WHOLE_PAGES`, only whole pages
are taken over.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import queue
import sys
import threading
import types
from collections.abc import Iterator
from typing import Any

import numpy as np

VERSION = os.environ.get("FAKE_MLX_VERSION", "0.32.4")
WHOLE_PAGES = os.environ.get("FAKE_METAL_WHOLE_PAGES") == "1"

# What was asked of it: (bytes, the argument copy, "adopted", "copied" or "refused").
imports: list[tuple[int, bool | None, str]] = []
# The names of the threads that evaluated.
evaluations: list[str] = []

cpu = "cpu"
gpu = "gpu"
bfloat16 = "bfloat16"

_freed: queue.Queue[Any] = queue.Queue()


class Device:
    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Device) and other.kind == self.kind

    __hash__ = None  # type: ignore[assignment]


class Array:
    """An array that gives its memory to the completion thread when it goes."""

    def __init__(self, samples: np.ndarray) -> None:
        self.samples = samples
        self.shape = samples.shape
        self.dtype = samples.dtype.name

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return self.samples

    def __del__(self) -> None:
        _freed.put(self.__dict__.pop("samples"))


def _complete() -> None:
    while True:
        # Held by nothing else here: what it is the last reference to is freed on this thread.
        _freed.get()
        _freed.task_done()


def from_dlpack(x: Any, /, *, copy: bool | None = None) -> Array:
    samples = np.from_dlpack(x)
    starts = samples.nbytes > 0 and samples.ctypes.data % mmap.PAGESIZE == 0
    adoptable = starts and (not WHOLE_PAGES or samples.nbytes % mmap.PAGESIZE == 0)
    if copy is False and not adoptable:
        imports.append((samples.nbytes, copy, "refused"))
        raise ValueError("[convert] Cannot import a CPU array without a copy.")
    if copy or not adoptable:
        imports.append((samples.nbytes, copy, "copied"))
        return Array(samples.copy())
    imports.append((samples.nbytes, copy, "adopted"))
    return Array(samples)


def as_strided(a: Array, shape: Any, strides: Any, offset: int = 0, *, stream: Any = None) -> Array:
    assert stream == cpu, "a view of memory has no need of the GPU"
    item = a.samples.itemsize
    begin = a.samples.reshape(-1)[offset:]
    return Array(np.lib.stride_tricks.as_strided(begin, tuple(shape), [step * item for step in strides]))


def eval(*arrays: Array) -> None:
    evaluations.append(threading.current_thread().name)
    assert not threading.current_thread().daemon, "MLX gives up the interpreter, which a daemon may never get back"


def default_device() -> Device:
    return Device(gpu)


@contextlib.contextmanager
def stream(_stream: Any) -> Iterator[None]:
    raise AssertionError("mx.stream changes the stream of the whole thread")
    yield


def install() -> types.ModuleType:
    """Puts this module in the place of mlx.core, and starts its completion thread."""
    core = types.ModuleType("mlx.core")
    names = ("Device", "as_strided", "bfloat16", "cpu", "default_device", "eval", "from_dlpack", "gpu", "stream")
    for name in names:
        setattr(core, name, globals()[name])
    core.array = Array  # type: ignore[attr-defined]
    core.__version__ = VERSION  # type: ignore[attr-defined]
    core.metal = types.SimpleNamespace(is_available=lambda: True)  # type: ignore[attr-defined]
    package = types.ModuleType("mlx")
    package.core = core  # type: ignore[attr-defined]
    sys.modules.update({"mlx": package, "mlx.core": core})
    threading.Thread(target=_complete, name="Metal", daemon=True).start()
    return core


def settle() -> None:
    """Waits until the memory of all arrays that went is free."""
    _freed.join()
