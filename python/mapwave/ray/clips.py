"""Decoding the clips of a block, with an error for each clip instead of one for all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

import mapwave.numpy
from mapwave._adapters import checked, named
from mapwave.errors import AudioError, UnsupportedFormat

from .storage import Storage

#: What becomes of a clip that cannot be read.
OnError: TypeAlias = Literal["raise", "skip", "null"]

#: How many remote files a task reads at once: at 30 ms a request that is about 500 clips a second.
_REQUESTS_AT_ONCE = 16

_DTYPES = ("float32", "float64", "float16", "int16", "int32")


class Clip(NamedTuple):
    """A clip, or why there is none."""

    #: Its place among those that were asked for.
    place: int
    amplitude: np.ndarray[Any, np.dtype[Any]] | None
    sample_rate: int | None
    error: str | None


def check_on_error(on_error: str) -> None:
    """Refuses a word that is not one of `OnError`."""
    if on_error not in ("raise", "skip", "null"):
        raise ValueError(f'on_error must be "raise", "skip" or "null", and is {on_error!r}')


def load_options(given: dict[str, Any], function: Callable[..., Any] = mapwave.numpy.load) -> dict[str, Any]:
    """The arguments of ``mapwave.numpy.load``, checked before anything is sent to other machines.

    Args:
        given: Arguments by name; those that are None are left out.
        function: The function that they are for, if it is another.

    Returns:
        The arguments, with Ray's order of axes and one thread a task unless they say otherwise.
    """
    options = checked(given, function, {"path", "chunk_frames", "chunk_duration"})
    if "dtype" in options:
        dtype = options["dtype"]
        options["dtype"] = dtype if isinstance(dtype, str) else np.dtype(dtype).name
        if options["dtype"] not in _DTYPES:
            raise ValueError(f"dtype must be one of {', '.join(_DTYPES)}, and is {options['dtype']!r}")
    # A task has one processor, and the other tasks have the others.
    return {"layout": "channels_first", "threads": 1, **options}


def decode(
    sources: Sequence[str | bytes], storage: Storage, options: dict[str, Any], on_error: OnError
) -> Iterator[Clip]:
    """Decodes clips in order.

    Args:
        sources: Paths on the storage, or the bytes of files.
        storage: Where paths are.
        options: What `load_options` returned.
        on_error: "raise" raises what ``mapwave.load`` does, "skip" leaves a clip out that cannot be read, and "null"
            yields one without samples, with the error's text.
    """
    names = [source if isinstance(source, str) else "<bytes>" for source in sources]
    for index, source in enumerate(fetched(sources, storage)):
        try:
            if isinstance(source, OSError):
                raise source
            if source is None:
                raise UnsupportedFormat(f"{names[index]}: there is no path and there are no bytes")
            amplitude, sample_rate = mapwave.numpy.load(source, **options)
        except (AudioError, OSError) as error:
            if on_error == "raise":
                raise named(error, names[index]) from None
            if on_error == "null":
                yield Clip(index, None, None, str(named(error, names[index])))
            continue
        yield Clip(index, amplitude, sample_rate, None)


def fetched(sources: Sequence[str | bytes], storage: Storage) -> Iterator[Any]:
    """What ``mapwave.load`` takes for each source, with remote files read ahead.

    An OSError takes the place of a file that cannot be read.
    """
    if storage.is_local or not any(isinstance(source, str) for source in sources):
        yield from sources
        return

    def fetch(source: str | bytes) -> Any:
        try:
            return storage.source(source) if isinstance(source, str) else source
        except OSError as error:
            return error

    with ThreadPoolExecutor(_REQUESTS_AT_ONCE) as requests:
        waiting: list[Any] = []
        for source in sources:
            waiting.append(requests.submit(fetch, source))
            if len(waiting) >= 2 * _REQUESTS_AT_ONCE:
                yield waiting.pop(0).result()
        while waiting:
            yield waiting.pop(0).result()
