"""Running many parts of one piece of work: on the threads of this process, or as the tasks of a Ray cluster.

Neither engine knows what the work is. A part may run more than once, when a machine dies or is slow, so the work must
be such that a second run changes nothing.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, Literal, TypeAlias, TypeVar

Part = TypeVar("Part")
Result = TypeVar("Result")

#: Where the work runs.
Engine: TypeAlias = Literal["local", "ray"]

#: How often Ray runs a part again whose worker or machine was lost.
_MAX_RETRIES = 20

#: A part is run a second time, at the end, when it takes this many times the median, and longer than these seconds.
_STRAGGLER_FACTOR = 3.0
_STRAGGLER_SECONDS = 10.0

#: How long to wait for tasks before those that are done are handed on.
_SECONDS_BETWEEN_LOOKS = 0.1


def run_parts(
    work: Callable[[Part], Result],
    parts: Sequence[Part],
    *,
    engine: Engine = "local",
    num_workers: int | None = None,
    address: str | None = None,
) -> Iterator[Result]:
    """Runs the work on every part and yields what comes back, in the order in which parts are done.

    Args:
        work: A function that is safe to run twice on one part; for Ray it must pickle.
        parts: What it is called with.
        engine: "local" for threads of this process, "ray" for tasks of a processor each.
        num_workers: How many parts may run at once; None is one for each processor.
        address: The Ray cluster, such as "auto" or "ray-head:6379"; None is the one this process is connected to, or
            the one that RAY_ADDRESS names, or a new one on this machine.

    Yields:
        The result of each part, once.

    Raises:
        What the work raises; the parts that have not begun then do not run.
    """
    check_engine(engine, address)
    if not parts:
        return iter(())
    if engine == "local":
        return _on_threads(work, parts, num_workers or os.cpu_count() or 1)
    return _on_ray(work, parts, num_workers, address)


def check_engine(engine: str, address: str | None) -> None:
    """Refuses the name of no engine, and an address that the engine has no use for."""
    if engine not in ("local", "ray"):
        raise ValueError(f'engine must be "local" or "ray", and is {engine!r}')
    if engine == "local" and address is not None:
        raise ValueError(f'address={address!r} is for engine="ray"')


def _on_threads(work: Callable[[Part], Result], parts: Sequence[Part], num_workers: int) -> Iterator[Result]:
    waiting: set[Future[Result]] = set()
    with ThreadPoolExecutor(num_workers) as pool:
        try:
            for part in parts:
                waiting.add(pool.submit(work, part))
                while len(waiting) >= 2 * num_workers:
                    done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                    yield from (each.result() for each in done)
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from (each.result() for each in done)
        finally:
            for each in waiting:
                each.cancel()


def _timed(work: Callable[[Part], Result], part: Part) -> tuple[float, Result]:
    start = time.monotonic()
    result = work(part)
    return time.monotonic() - start, result


def _on_ray(
    work: Callable[[Part], Result], parts: Sequence[Part], num_workers: int | None, address: str | None
) -> Iterator[Result]:
    from .reading import require_ray

    require_ray()
    import ray

    was_connected = ray.is_initialized()
    if was_connected and address is not None:
        raise ValueError(f"this process is connected to Ray already: leave out address={address!r}, or disconnect")
    if not was_connected:
        ray.init(address=address, log_to_driver=False, logging_level="warning")
    try:
        yield from _Run(ray, work, parts, num_workers).results()
    finally:
        if not was_connected:
            ray.shutdown()


class _Run:
    """The tasks of one call: enough at once to keep the cluster busy, and a second one for each that is late."""

    def __init__(self, ray: Any, work: Any, parts: Sequence[Any], num_workers: int | None) -> None:
        self._ray = ray
        # What all tasks share is sent to each machine once.
        self._work = ray.put(work)
        self._task = ray.remote(_timed).options(num_cpus=1, max_retries=_MAX_RETRIES, scheduling_strategy="SPREAD")
        self._parts = parts
        self._num_workers = num_workers
        #: The number of the part, and when its task was handed over, by the reference of its result.
        self._running: dict[Any, tuple[int, float]] = {}
        self._done: set[int] = set()
        self._seconds: list[float] = []

    def results(self) -> Iterator[Any]:
        next_part = 0
        try:
            while len(self._done) < len(self._parts):
                limit = self._limit()
                while next_part < len(self._parts) and len(self._running) < limit:
                    self._start(next_part)
                    next_part += 1
                if next_part == len(self._parts):
                    self._start_second_tasks()
                # All that are done, a few times a second: to ask for one at a time costs the number of tasks for each.
                references = list(self._running)
                ready, _ = self._ray.wait(references, num_returns=len(references), timeout=_SECONDS_BETWEEN_LOOKS)
                for reference, (seconds, result) in zip(ready, self._ray.get(ready), strict=True):
                    number, _ = self._running.pop(reference)
                    if number in self._done:
                        continue
                    self._seconds.append(seconds)
                    self._done.add(number)
                    yield result
        finally:
            self._stop()

    def _start(self, number: int) -> None:
        reference = self._task.remote(self._work, self._parts[number])
        self._running[reference] = (number, time.monotonic())

    def _limit(self) -> int:
        """How many tasks to have handed over: what runs, and as much again, so that no processor waits for this one."""
        if self._num_workers is not None:
            return self._num_workers
        return max(2 * int(self._ray.cluster_resources().get("CPU", 1)), 2)

    def _start_second_tasks(self) -> None:
        processors = self._num_workers or int(self._ray.cluster_resources().get("CPU", 1))
        if not self._seconds or len(self._running) >= max(processors, 2):
            return
        late = max(_STRAGGLER_FACTOR * statistics.median(self._seconds), _STRAGGLER_SECONDS)
        now = time.monotonic()
        tasks = [number for number, _ in self._running.values()]
        for number, start in list(self._running.values()):
            if now - start > late and tasks.count(number) == 1 and number not in self._done:
                self._start(number)

    def _stop(self) -> None:
        """Ends the tasks whose results nobody waits for: the slower ones of two, and all of them after an error."""
        for reference in self._running:
            self._ray.cancel(reference, force=True)
        if self._running:
            self._ray.wait(list(self._running), num_returns=len(self._running), timeout=10.0)
