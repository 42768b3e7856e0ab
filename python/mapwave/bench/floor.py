"""The machine's own floor: what the memory traffic of a load costs when nothing else is done."""

from __future__ import annotations

import mmap
import os
from itertools import pairwise
from threading import Thread

import numpy as np

from .clips import Samples
from .task import Job, Task, wrong_unless

NAMES = ("memcpy, warm", "fresh huge pages, one core", "fresh huge pages, all cores")


def fresh_copy(num_bytes: int, num_threads: int) -> Job:
    """Copy into a new private mapping that asked for huge pages, and so fault it in.

    Its threads end with the call: a rival may behave otherwise while other Python threads are alive.
    """
    source = np.ones(num_bytes, np.uint8)
    bounds = [num_bytes * part // num_threads for part in range(num_threads + 1)]
    parts = [slice(*ends) for ends in pairwise(bounds)]

    def copy(_: int) -> Samples:
        pages = _map_private(num_bytes)
        target = np.frombuffer(pages, np.uint8, num_bytes)
        threads = [Thread(target=np.copyto, args=(target[part], source[part])) for part in parts[1:]]
        for thread in threads:
            thread.start()
        np.copyto(target[parts[0]], source[parts[0]])
        for thread in threads:
            thread.join()
        return target

    return copy


def _map_private(num_bytes: int) -> mmap.mmap:
    if not hasattr(mmap, "MAP_ANONYMOUS"):
        return mmap.mmap(-1, num_bytes)
    pages = mmap.mmap(-1, num_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        pages.madvise(mmap.MADV_HUGEPAGE)
    return pages


def warm_copy(num_bytes: int) -> Job:
    """Copy between two buffers that have been touched before."""
    source, target = np.ones(num_bytes, np.uint8), np.ones(num_bytes, np.uint8)

    def copy(_: int) -> Samples:
        np.copyto(target, source)
        return target

    return copy


def task(name: str, num_bytes: int, iterations: int) -> Task:
    """The floors beside each other, as a task without a subject."""
    jobs = (warm_copy(num_bytes), fresh_copy(num_bytes, 1), fresh_copy(num_bytes, os.cpu_count() or 1))
    rivals = dict(zip(NAMES, jobs, strict=True))
    return Task(name, "ms", rivals, lambda copied, _: wrong_unless(copied.nbytes == num_bytes), iterations)
