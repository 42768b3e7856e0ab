"""A task: one job that every rival does, and how its result is checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Job = Callable[[int], Any]
"""Does the job once. The argument counts the rounds: all rivals read the same place in the same round."""

SUBJECT = "mapwave"
FLOOR = "floor"

NANOSECONDS = {"ms": 1e6, "us": 1e3}


@dataclass(frozen=True)
class Task:
    """One row group of the table."""

    name: str
    unit: str
    """"ms" or "us"."""
    rivals: dict[str, Job]
    equal: Callable[[Any, int], bool]
    """Whether a result is what that round must give, to the bit."""
    iterations: int
    rounds_checked: int = 1
    floor: Job | None = None
    """What the machine needs for the memory traffic alone; timed among the rivals, never checked."""
