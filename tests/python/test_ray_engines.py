"""How parts are run, by a double of Ray whose clock and tasks the tests control."""

from __future__ import annotations

import threading
from typing import Any

import mapwave.ray
import pytest
from mapwave.ray import engines


class Double:
    """Ray as `engines` uses it. A task is done when `takes`, called with its part and attempt, has passed."""

    def __init__(self, takes: Any, processors: int = 4) -> None:
        self._takes = takes
        self._processors = processors
        self.now = 0.0
        self.tasks: dict[int, tuple[int, float, Any]] = {}
        self.attempts: list[int] = []
        self.cancelled: list[int] = []
        self.most_at_once = 0

    def put(self, value: Any) -> Any:
        return value

    def remote(self, function: Any) -> Any:
        double = self

        class Task:
            def options(self, **_: Any) -> Any:
                return self

            def remote(self, work: Any, part: int) -> int:
                attempt = double.attempts.count(part)
                double.attempts.append(part)
                takes = double._takes(part, attempt)
                reference = len(double.attempts) - 1
                double.tasks[reference] = (part, double.now + takes, (takes, work(part)))
                return reference

        return Task()

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": float(self._processors)}

    def wait(self, references: list[int], num_returns: int, timeout: float) -> tuple[list[int], list[int]]:
        self.most_at_once = max(self.most_at_once, len(references))
        self.now += timeout
        ready = [each for each in references if self.tasks[each][1] <= self.now]
        return ready[:num_returns], [each for each in references if each not in ready]

    def get(self, references: list[int]) -> list[Any]:
        return [self.tasks[each][2] for each in references]

    def cancel(self, reference: int, force: bool) -> None:
        self.cancelled.append(self.tasks[reference][0])


def _run(monkeypatch: pytest.MonkeyPatch, double: Double, parts: int, num_workers: int | None = None) -> list[int]:
    monkeypatch.setattr(engines.time, "monotonic", lambda: double.now)
    return list(engines._Run(double, lambda part: 10 * part, range(parts), num_workers).results())


def test_every_part_is_yielded_once_as_it_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    double = Double(lambda part, _: 1.0 + 0.3 * part)
    assert _run(monkeypatch, double, 30) == [10 * part for part in range(30)]
    assert double.attempts == [*range(30)]
    assert double.most_at_once == 8, "twice as many tasks as processors"
    assert double.cancelled == []


def test_the_number_of_workers_bounds_the_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    double = Double(lambda _part, _: 1.0)
    assert sorted(_run(monkeypatch, double, 9, num_workers=3)) == [10 * part for part in range(9)]
    assert double.most_at_once == 3


def test_a_late_task_gets_a_second_one_and_the_first_to_end_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    # Part 5 would take for ever; its second task takes what the others do.
    double = Double(lambda part, attempt: 1e9 if (part, attempt) == (5, 0) else 2.0)
    assert sorted(_run(monkeypatch, double, 8)) == [10 * part for part in range(8)]
    assert double.attempts.count(5) == 2
    assert double.cancelled == [5]
    assert double.now < 60


def test_a_task_that_is_not_late_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    # Three times the median of 20 s is 60 s, and less than 10 s is never late.
    for usual, last in [(20.0, 55.0), (0.2, 9.0)]:
        double = Double(lambda part, _, usual=usual, last=last: last if part == 5 else usual)
        assert sorted(_run(monkeypatch, double, 8)) == [10 * part for part in range(8)]
        assert double.attempts.count(5) == 1


def test_threads_run_as_many_parts_at_once_as_they_may() -> None:
    barrier = threading.Barrier(3, timeout=60)

    def work(part: int) -> int:
        barrier.wait()
        return -part

    assert sorted(mapwave.ray.run_parts(work, range(9), num_workers=3)) == [*range(-8, 1)]


def test_an_error_of_the_work_ends_it() -> None:
    seen = []

    def work(part: int) -> int:
        seen.append(part)
        if part == 3:
            raise ValueError("part 3 fails")
        return part

    with pytest.raises(ValueError, match="part 3 fails"):
        list(mapwave.ray.run_parts(work, range(1_000), num_workers=1))
    assert len(seen) < 10


def test_nothing_to_do_starts_nothing() -> None:
    assert list(mapwave.ray.run_parts(abs, [], engine="ray")) == []
