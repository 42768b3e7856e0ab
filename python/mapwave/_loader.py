"""``Loader``: batches of windows for training."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Generic, Literal, TypeVar

from ._core import Api
from ._index import Window, Windows, _check, _random_numbers, archive_of
from .types import DtypeLike, Layout, MonoMode, ResampleQuality, SampleRate

Array = TypeVar("Array")

# How many batches are sorted by length together.
_BUCKETED = 64

_VERSION = 1


class Loader(Generic[Array]):
    """Batches of windows, which threads read ahead into one padded array each.

    Iterating it gives the batches of an epoch as (audio, lengths, rows): an array of shape (windows, frames of the
    longest, channels), or with the axes of layout; an int32 array of the frames in each row; and the list of the
    :class:`~mapwave.Window` that each row holds. Every iteration that ends begins the next epoch. The batches depend on
    the windows and these arguments alone, not on the number of workers.

    Args:
        windows: What ``Index.windows`` returns.
        batch_size: The number of windows in a batch; the last may have fewer.
        sr, mono, mono_mode, dtype, layout, squeeze_mono, channels, num_channels, resample_quality, plugin: As in
            ``load``. Files of several rates need sr, and files of several channel counts need mono, channels or
            num_channels. A window of n frames has floor(n * sr / file's rate) frames, and a whole file as many as load
            returns.
        pad: What fills shorter rows, as a sample whose full scale is 1.
        bucket_by_length: Puts windows of similar length together: of each 64 batches in random order, windows are
            sorted by length, and the batches are shuffled. Without effect on another order.
        prefetch: How many batches are read ahead.
        max_bytes: The most bytes of batches that are being read or wait to be taken; None sets no limit. One batch is
            always read.
        num_workers: How many threads read; None is one for each processor.
        on_error: What becomes of a window that cannot be read: "raise" raises the error, which has index, its row, and
            path; "skip" leaves it out; "zeros" leaves a row of padding whose length is 0.
        drop_last: Leaves out a last batch of fewer windows.
        read_ahead: Has the system read the files of later batches from cold storage.
    """

    _api: ClassVar[Api[Any]]

    def __init__(
        self,
        windows: Windows,
        batch_size: int,
        *,
        sr: SampleRate | None = None,
        mono: bool = False,
        dtype: DtypeLike = "float32",
        pad: float = 0.0,
        bucket_by_length: bool = True,
        prefetch: int = 4,
        num_workers: int | None = None,
        on_error: Literal["raise", "skip", "zeros"] = "raise",
        mono_mode: MonoMode = "mean",
        layout: Layout = "channels_last",
        squeeze_mono: bool = False,
        channels: int | Sequence[int] | None = None,
        num_channels: int | None = None,
        resample_quality: ResampleQuality = "default",
        plugin: str | None = None,
        max_bytes: int | None = None,
        drop_last: bool = False,
        read_ahead: bool = True,
    ) -> None:
        if not isinstance(windows, Windows):
            raise TypeError(f"windows must be what Index.windows() returns, got {type(windows).__name__}")
        _check("batch_size must be > 0", batch_size > 0, batch_size)
        _check("prefetch must be > 0", prefetch > 0, prefetch)
        _check("num_workers must be > 0 or None", num_workers is None or num_workers > 0, num_workers)
        _check("max_bytes must be > 0 or None", max_bytes is None or max_bytes > 0, max_bytes)
        words = ("raise", "skip", "zeros")
        _check("on_error must be 'raise', 'skip' or 'zeros'", on_error in words, on_error)
        self.windows = windows
        self.batch_size = batch_size
        self.drop_last = drop_last
        self._prefetch = prefetch
        self._max_bytes = max_bytes
        self._buckets = bucket_by_length
        self._raises = on_error == "raise"
        self._sr = None if sr is None else int(sr)
        self._num_workers = num_workers
        self._options: dict[str, Any] = {
            "sr": sr,
            "mono": mono,
            "mono_mode": mono_mode,
            "dtype": dtype if isinstance(dtype, str) else _name_of(dtype),
            "layout": layout,
            "squeeze_mono": squeeze_mono,
            "channels": channels,
            "num_channels": num_channels,
            "resample_quality": resample_quality,
            "plugin": plugin,
            "pad": pad,
            "leaves_out": on_error == "skip",
            "reads_ahead": read_ahead,
        }
        self._check_alike(mono or channels is not None or num_channels is not None)
        # Refuses what is wrong in the arguments before the first batch.
        self._open(1).close()
        self._epoch = windows.epoch
        self._done = 0
        self._resumed = 0

    def _check_alike(self, is_mixed: bool) -> None:
        index = self.windows.files
        first = None
        for number in dict.fromkeys(self.windows._rows):
            row = index[number]
            first = first or row
            if self._sr is None and row.sample_rate != first.sample_rate:
                raise ValueError(
                    f"sr must be given for files of several rates: {first.path} has {first.sample_rate} Hz and "
                    f"{row.path} {row.sample_rate} Hz"
                )
            if not is_mixed and row.channels != first.channels:
                raise ValueError(
                    f"mono=True or channels must be given for files of several channel counts: {first.path} has "
                    f"{first.channels} and {row.path} {row.channels}"
                )

    def _open(self, num_workers: int) -> Any:
        return self._api.batches(num_workers, **self._options)

    @property
    def epoch(self) -> int:
        """The epoch of the iteration that is running, or of the next."""
        return self._epoch

    def set_epoch(self, epoch: int) -> None:
        """Has the next iteration give this epoch, from its beginning."""
        self._epoch, self._done, self._resumed = epoch, 0, 0

    def __len__(self) -> int:
        """The number of batches in an epoch."""
        whole, rest = divmod(len(self.windows), self.batch_size)
        return whole + (rest > 0 and not self.drop_last)

    def state_dict(self) -> dict[str, Any]:
        """Where the iteration is: the batches that were taken are done. Of plain numbers, to be saved as one likes."""
        return {"version": _VERSION, "epoch": self._epoch, "batch": self._done, **self._identity()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Has the next iteration go on where another loader of the same windows and arguments was."""
        if state.get("version") != _VERSION:
            raise ValueError(f"the state must be of version {_VERSION}, got {state.get('version')!r}")
        for name, value in self._identity().items():
            if state.get(name) != value:
                other = state.get(name)
                raise ValueError(f"the state is of a loader with {name} {other!r}, and this one has {value!r}")
        self._epoch, self._done, self._resumed = state["epoch"], state["batch"], state["batch"]

    def _identity(self) -> dict[str, Any]:
        windows = self.windows
        return {
            "windows": len(windows),
            "batch_size": self.batch_size,
            "seed": windows.seed,
            "sort": windows.sort,
            "rank": windows.rank,
            "world": windows.world,
            "bucket_by_length": self._buckets,
        }

    def __iter__(self) -> Iterator[tuple[Array, Array, list[Window]]]:
        first, self._resumed = self._resumed, 0
        self._done = first
        return self._run(self.windows.at(self._epoch), first)

    def _run(self, windows: Windows, first: int) -> Iterator[tuple[Array, Array, list[Window]]]:
        part, parts = _worker()
        plan = self._plan(windows)
        numbers = deque(number for number in range(first, len(plan)) if number % parts == part)
        waiting: deque[tuple[int, list[Window], int]] = deque()
        batches, pid = None, 0
        try:
            while numbers or waiting:
                if batches is None or pid != os.getpid():
                    # A forked child has none of the threads: it reads again what it has not taken.
                    numbers.extendleft(number for number, _, _ in reversed(waiting))
                    waiting.clear()
                    batches, pid = self._open(self._num_workers or os.cpu_count() or 1), os.getpid()
                self._submit(batches, windows, plan, numbers, waiting)
                audio, lengths, failures = batches.take()
                number, rows, _ = waiting.popleft()
                if failures and self._raises:
                    raise failures[0][1]
                self._done = number + 1
                if failures and self._options["leaves_out"]:
                    failed = {row for row, _ in failures}
                    rows = [row for place, row in enumerate(rows) if place not in failed]
                if rows:
                    yield audio, lengths, rows
        finally:
            if batches is not None:
                batches.close()
        self._epoch, self._done = windows.epoch + 1, 0

    def _submit(
        self,
        batches: Any,
        windows: Windows,
        plan: list[list[int]],
        numbers: deque[int],
        waiting: deque[tuple[int, list[Window], int]],
    ) -> None:
        """Has the next batches read, as far as the bounds allow."""
        while numbers and len(waiting) <= self._prefetch:
            rows = [windows[place] for place in plan[numbers[0]]]
            size = self._num_bytes(windows, rows)
            in_flight = sum(bytes for _, _, bytes in waiting)
            if waiting and self._max_bytes is not None and in_flight + size > self._max_bytes:
                return
            batches.submit([_asked(windows, window) for window in rows])
            waiting.append((numbers.popleft(), rows, size))

    def _num_bytes(self, windows: Windows, rows: list[Window]) -> int:
        frames = max(self._length(window) for window in rows)
        channels: Any = self._options["channels"]
        if self._options["num_channels"] is not None:
            num_channels = self._options["num_channels"]
        elif self._options["mono"] or isinstance(channels, int):
            num_channels = 1
        else:
            num_channels = len(channels) if channels is not None else windows.files[rows[0].row].channels or 1
        wide = {"float64": 8, "float32": 4, "int32": 4}
        return int(frames) * int(num_channels) * len(rows) * wide.get(self._options["dtype"], 2)

    def _length(self, window: Window) -> float:
        """The frames of a window at the rate that is wanted, before they are rounded."""
        return window.frames * (self._sr or window.sample_rate) / window.sample_rate

    def _plan(self, windows: Windows) -> list[list[int]]:
        """The places of the windows in each batch."""
        size, count = self.batch_size, len(windows)
        places = list(range(count))
        if self._buckets and windows.sort == "random":
            lengths = [self._length(windows[place]) for place in places]
            plan = []
            for first in range(0, count, _BUCKETED * size):
                some = sorted(places[first : first + _BUCKETED * size], key=lengths.__getitem__)
                plan += self._shuffled(_cut(some, size), f"batches {windows.seed} {windows.epoch} {first}")
        else:
            plan = _cut(places, size)
        if self.drop_last and plan and len(plan[-1]) < size:
            plan.pop()
        return plan

    def _shuffled(self, plan: list[list[int]], seed: str) -> list[list[int]]:
        # A batch of fewer windows stays the last.
        short = plan[-1:] if len(plan[-1]) < self.batch_size else []
        whole = plan[: len(plan) - len(short)]
        keys = _random_numbers(seed, len(whole))
        return [whole[place] for place in sorted(range(len(whole)), key=keys.__getitem__)] + short


def _cut(places: list[int], size: int) -> list[list[int]]:
    return [places[first : first + size] for first in range(0, len(places), size)]


def _asked(windows: Windows, window: Window) -> tuple[Any, ...]:
    """What the core takes of a window."""
    row = windows.files[window.row]
    facts = (row.bytes, row.frames, row.sample_rate, row.channels, window.start, window.frames, row.seek_table)
    if row.start is None:
        return row.path, None, row.path, *facts
    return archive_of(row.path), (row.start, row.start + row.bytes), row.path, *facts


def _name_of(dtype: Any) -> str:
    """The name of an array library's own type, which may not pickle."""
    name = getattr(dtype, "__name__", None) or getattr(dtype, "name", None) or str(dtype)
    return str(name).rpartition(".")[2]


def _worker() -> tuple[int, int]:
    """Which of how many worker processes of a PyTorch DataLoader this is."""
    data = sys.modules.get("torch.utils.data")
    info = data.get_worker_info() if data is not None else None
    return (0, 1) if info is None else (info.id, info.num_workers)


def bound(api: Api[Any], module: str, *bases: type) -> type[Loader[Any]]:
    """The class for the array library of a module."""
    members = {"_api": api, "__module__": module, "__doc__": Loader.__doc__, "__qualname__": "Loader"}
    return type("Loader", (Loader, *bases), members)
