"""What a peer is: its jobs, each in its own best idiom."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar, Literal

import mlx.core as mx

Read = Callable[[int, int], Any]
"""A window of an open file: its first frame and the number of frames."""


class Peer:
    """One library. A subclass has a method for each job that it can do; what it returns is its own kind of array.

    They give float32 and every channel unless they are named otherwise. `into` says where its arrays live; those that
    are not MLX's are also measured with the way into `mx.array` added, which is what a user of MLX would write.
    """

    name: ClassVar[str]
    """What it is called in the table."""
    distribution: ClassVar[str] = ""
    """What it is called by pip, where that is another name."""
    needs: ClassVar[tuple[str, ...]]
    """The modules that it takes; the first is the one that a user imports."""
    into: ClassVar[Literal["mlx", "NumPy", "torch"]] = "NumPy"
    lacks: ClassVar[frozenset[str]] = frozenset()
    """Kinds of files that it does not claim to read. For every other kind a failure is a row of the table."""
    is_slow: ClassVar[bool] = False
    """Whether it takes no part where it alone would take minutes: the longest files, and epochs."""
    cannot_save: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def is_installed(cls) -> bool:
        """Whether its modules are there. Those that cannot be imported all the same fail in the first job."""
        return all(importlib.util.find_spec(module) is not None for module in cls.needs)

    def can(self, job: str) -> bool:
        """Whether there is a method for this job."""
        return getattr(type(self), job) is not getattr(Peer, job)

    def to_mlx(self, native: Any) -> mx.array:
        """The array as an evaluated `mx.array` of (frames, channels)."""
        array = native if isinstance(native, mx.array) else mx.array(native)
        mx.eval(array)
        return array

    def load(self, path: str) -> Any:
        """The whole file."""
        raise NotImplementedError

    def load_float16(self, path: str) -> Any:
        """The whole file as float16."""
        raise NotImplementedError

    def load_numpy(self, path: str) -> Any:
        """The whole file into NumPy, for a peer whose `load` gives something else."""
        raise NotImplementedError

    def window(self, path: str, start: int, num_frames: int, sample_rate: int) -> Any:
        """A part of a file that is opened for it."""
        raise NotImplementedError

    def reader(self, path: str) -> tuple[Read, Callable[[], None]]:
        """How to cut parts out of a file that is kept open, and how to close it."""
        raise NotImplementedError

    def stream(self, path: str, chunk_frames: int) -> Iterator[Any]:
        """The whole file in parts."""
        raise NotImplementedError

    def resamplers(self, mono: bool) -> dict[str, Callable[[str, int], Any]]:
        """Ways to load a file at another sample rate, by the words that follow the name; the first is the default."""
        raise NotImplementedError

    def stream_at(self, path: str, chunk_frames: int, sample_rate: int) -> Iterator[Any]:
        """The whole file in parts, at another sample rate."""
        raise NotImplementedError

    def batch_at(self, paths: Sequence[str], sample_rate: int, num_workers: int) -> list[Any]:
        """Many whole files at once, at another sample rate."""
        raise NotImplementedError

    def batch(self, paths: Sequence[str], num_workers: int) -> list[Any]:
        """Many whole files at once."""
        raise NotImplementedError

    def batch_windows(
        self, paths: Sequence[str], start: int, num_frames: int, rate: int, num_workers: int
    ) -> list[Any]:
        """The same part of many files at once: where the peer has no function for it, on a pool of threads."""
        with ThreadPoolExecutor(num_workers) as pool:
            return list(pool.map(lambda path: self.window(path, start, num_frames, rate), paths))

    def info(self, path: str) -> Any:
        """What is known of a file without its samples, in the peer's own type."""
        raise NotImplementedError

    def facts(self, info: Any) -> tuple[int, int, int]:
        """Frames, sample rate and channels out of it."""
        raise NotImplementedError

    def save(self, path: str, audio: mx.array, sample_rate: int, kind: str) -> None:
        """Writes (frames, channels) of float32 as one of `kinds.KINDS`."""
        raise NotImplementedError
