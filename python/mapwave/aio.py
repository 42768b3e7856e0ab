"""The functions of :mod:`mapwave` for asyncio: they work on threads, and the event loop stays free.

    audio, sr = await mapwave.aio.load("speech.wav")
    async for chunk, sr in mapwave.aio.stream("long.wav", chunk_duration=1.0):
        ...
    async with mapwave.aio.open("speech.wav") as reader:
        window = await reader.read(16000)

Arguments, results and errors are those of the functions of the same names. The threads are those of the loop's default
executor. When the task that waits is cancelled, the work ends within milliseconds, unless the system or a server keeps
it waiting, and only then the task goes on: a file that save had not completed is as it was before.

``mapwave.aio`` makes arrays of MLX; ``mapwave.numpy.aio`` and its like make those of theirs.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Generator
from contextvars import copy_context
from functools import partial
from types import ModuleType, TracebackType
from typing import Any, TypeVar

from . import _core
from ._core import Api, AudioInfo, Cancellation

__all__ = ["AsyncFile", "Library", "batch_load", "info", "iter_load", "library", "load", "open", "save", "stream"]

Result = TypeVar("Result")
Item = TypeVar("Item")

_END: Any = object()


async def _on_thread(function: Callable[..., Result], /, *args: Any, **kwargs: Any) -> Result:
    """Calls a function on a thread; the work ends when the task that waits is cancelled."""
    cancellation = Cancellation()
    call = partial(copy_context().run, cancellation.run, function, *args, **kwargs)
    work: asyncio.Future[Result] = asyncio.get_running_loop().run_in_executor(None, call)
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        cancellation.cancel()
        while not work.done():
            try:
                await asyncio.wait([work])
            except asyncio.CancelledError:  # once more, while the work ends
                continue
        if not work.cancelled():
            work.exception()  # of work that was cancelled nobody wants to know
        raise


class _Items(AsyncIterator[Item]):
    """An iterator whose items are made on threads, one after the other; it is opened with the first."""

    def __init__(self, open: Callable[[], Any]) -> None:
        self._open = open
        self._items: Any = None

    async def __anext__(self) -> Item:
        if self._items is None:
            self._items = iter(await _on_thread(self._open))
        item = await _on_thread(next, self._items, _END)
        if item is _END:
            raise StopAsyncIteration
        return item  # type: ignore[no-any-return]


class AsyncFile:
    """What :func:`open` returns in a task: a Reader or a Writer whose ``read``, ``write`` and ``close`` are awaited.

    ``await file.window(a, b)`` is ``reader[a:b]``, and ``file.blocks`` gives an asynchronous iterator. All else, as
    ``seek``, ``frames`` and ``sample_rate``, is that of the Reader or the Writer, which is ``file.file``.
    """

    def __init__(self, open: Callable[[], Any]) -> None:
        self._open = open
        self.file: Any = None

    async def _opened(self) -> AsyncFile:
        if self.file is None:
            self.file = await _on_thread(self._open)
        return self

    def __await__(self) -> Generator[Any, None, AsyncFile]:
        return self._opened().__await__()

    async def __aenter__(self) -> AsyncFile:
        return await self._opened()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # A task that was cancelled still closes its file.
        await asyncio.shield(asyncio.ensure_future(_on_thread(self.file.__exit__, kind, error, traceback)))

    async def read(self, num_frames: int = -1) -> Any:
        """The next frames, as ``Reader.read``."""
        return await _on_thread(self.file.read, num_frames)

    async def window(self, start: int | None = None, stop: int | None = None) -> Any:
        """The frames from start to stop, as ``reader[start:stop]``."""
        return await _on_thread(self.file.__getitem__, slice(start, stop))

    def blocks(self, size: int, overlap: int = 0) -> AsyncIterator[Any]:
        """Blocks of frames, as ``Reader.blocks``."""
        return _Items(lambda: self.file.blocks(size, overlap))

    async def write(self, chunk: object) -> None:
        """Appends frames, as ``Writer.write``."""
        await _on_thread(self.file.write, chunk)

    async def close(self) -> None:
        """Closes the file, as ``Reader.close`` and ``Writer.close``."""
        await _on_thread(self.file.close)

    async def abort(self) -> None:
        """Discards the file, as ``Writer.abort``."""
        await _on_thread(self.file.abort)

    def __getattr__(self, name: str) -> Any:
        if name == "file" or name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.file, name)


class Library:
    """The functions of one array library."""

    def __init__(self, api: Api[Any]) -> None:
        self._api: Any = api

    async def load(self, path: Any, *args: Any, **kwargs: Any) -> tuple[Any, int]:
        """As ``load``."""
        return await _on_thread(self._api.load, path, *args, **kwargs)

    async def info(self, path: Any, **kwargs: Any) -> AudioInfo:
        """As ``info``."""
        return await _on_thread(self._api.info, path, **kwargs)

    async def batch_load(self, paths: Any, *args: Any, **kwargs: Any) -> Any:
        """As ``batch_load``."""
        return await _on_thread(self._api.batch_load, paths, *args, **kwargs)

    async def save(self, path: Any, audio: object, sr: int, *args: Any, **kwargs: Any) -> None:
        """As ``save``."""
        await _on_thread(_core.save, path, audio, sr, *args, **kwargs)

    def stream(self, path: Any, *args: Any, **kwargs: Any) -> AsyncIterator[tuple[Any, int]]:
        """As ``stream``; the file is opened with the first chunk."""
        return _Items(partial(self._api.stream, path, *args, **kwargs))

    def iter_load(self, paths: Any, *args: Any, **kwargs: Any) -> AsyncIterator[tuple[int, Any, int]]:
        """As ``iter_load``."""
        return _Items(partial(self._api.iter_load, paths, *args, **kwargs))

    def open(self, path: Any, *args: Any, **kwargs: Any) -> AsyncFile:
        """As ``open``: await it, or use it in ``async with``."""
        return AsyncFile(partial(self._api.open, path, *args, **kwargs))


def library(module: ModuleType) -> Library:
    """The functions for another array library: ``library(mapwave.numpy)`` is ``mapwave.numpy.aio``."""
    return Library(_core.api_of(module.__name__))


_mlx = Library(_core.api_of("mapwave"))

load = _mlx.load
info = _mlx.info
batch_load = _mlx.batch_load
save = _mlx.save
stream = _mlx.stream
iter_load = _mlx.iter_load
open = _mlx.open
