"""Checking and timing: no rival is timed before its results are right, and all take turns."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter_ns

import mlx.core as mx

from .task import FLOOR, NANOSECONDS, Job, Task


@dataclass(frozen=True)
class Times:
    """What one rival took for one task, in the task's unit; no figures when `problem` says why not."""

    median: float = 0.0
    p90: float = 0.0
    iterations: int = 0
    problem: str = ""
    series: tuple[float, ...] = ()
    """The values one after the other, where their order says something."""

    @classmethod
    def of(cls, samples: Sequence[float], *, ordered: bool = False) -> Times:
        """The quantiles of some values; `ordered` keeps the values too."""
        ranked = sorted(samples)
        return cls(quantile(ranked, 0.5), quantile(ranked, 0.9), len(ranked), series=(*samples,) if ordered else ())


@dataclass(frozen=True)
class Effort:
    """How long a run takes its time."""

    share: float = 1.0
    """The part of each task's rounds that is done."""
    seconds: float = float("inf")
    """After so long a task does no more rounds than it must."""
    least_rounds: int = 3
    most_warm: int = 2
    most_checked: int = 16
    """At most so many rounds are done without being counted, and so many results checked."""

    def rounds(self, iterations: int) -> int:
        return max(self.least_rounds, int(iterations * self.share))


def quantile(ordered: Sequence[float], share: float) -> float:
    """The quantile of sorted values, linear between neighbours."""
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def run(task: Task, effort: Effort) -> dict[str, Times]:
    """Check every rival, then time those that were right, interleaved."""
    checked = min(task.rounds_checked, effort.most_checked)
    problems = {name: problem for name, job in task.rivals.items() if (problem := _problem(task, job, checked))}
    jobs = {name: job for name, job in task.rivals.items() if name not in problems}
    if task.floor and jobs:
        jobs[FLOOR] = task.floor
    mx.clear_cache()
    warm = min(task.warm_rounds, effort.most_warm)
    samples = _interleaved(jobs, warm, effort.rounds(task.iterations), effort)
    scale = NANOSECONDS[task.unit]
    times = {name: Times.of([value / scale for value in values]) for name, values in samples.items()}
    order = (*task.rivals, FLOOR)
    times.update({name: Times(problem=problem) for name, problem in problems.items()})
    return {name: times[name] for name in order if name in times}


def _problem(task: Task, job: Job, rounds: int) -> str:
    for turn in range(rounds):
        try:
            wrong = task.check(job(turn), turn)
        except Exception as error:  # a rival that fails is a row that says so, not the end of the run
            return _first_line(error)
        if wrong:
            return wrong
    return ""


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]


def _interleaved(jobs: dict[str, Job], warm: int, iterations: int, effort: Effort) -> dict[str, list[int]]:
    """Nanoseconds by rival. Each round begins with another one; a result dies before the next is made."""
    names = list(jobs)
    samples: dict[str, list[int]] = {name: [] for name in jobs}
    gc.collect()
    gc.disable()
    began = perf_counter_ns()
    try:
        for turn in range(-warm, iterations):
            if turn >= effort.least_rounds and perf_counter_ns() - began > effort.seconds * 1e9:
                break
            for place in range(len(names)):
                name = names[(turn + place) % len(names)]
                job = jobs[name]
                started = perf_counter_ns()
                result = job(turn)
                took = perf_counter_ns() - started
                del result
                if turn >= 0:
                    samples[name].append(took)
    finally:
        gc.enable()
    return samples
