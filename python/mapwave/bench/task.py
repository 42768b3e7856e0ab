"""A task: one job that every rival does, and how its result is checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

Job: TypeAlias = Callable[[int], Any]
"""Does the job once. The argument counts the rounds: all rivals read the same place in the same round."""

Check: TypeAlias = Callable[[Any, int], str]
"""What is wrong with the result of a round; empty when nothing is."""

SUBJECT = "mapwave"
FLOOR = "floor"

NANOSECONDS = {"s": 1e9, "ms": 1e6, "us": 1e3}

WRONG = "wrong result"


@dataclass(frozen=True)
class Task:
    """One row group of the table."""

    name: str
    unit: str
    """One of NANOSECONDS."""
    rivals: dict[str, Job]
    """By label: the name of a peer, which words about how it does the job may follow."""
    check: Check
    iterations: int
    rounds_checked: int = 1
    warm_rounds: int = 2
    """Rounds that are not counted, at the beginning."""
    floor: Job | None = None
    """The least that the machine needs for it; timed among the rivals, never checked."""
    close: Callable[[], None] | None = None
    """Puts away what the jobs kept open."""


@dataclass(frozen=True)
class Planned:
    """A task that is made when its turn comes, so that only one holds buffers at a time."""

    name: str
    group: str
    """What it is shown under."""
    seconds: float
    """How much sound is in the file, or in all files together."""
    make: Callable[[], Task]


def wrong_unless(right: bool) -> str:
    """The reason of a check that knows no more."""
    return "" if right else WRONG
