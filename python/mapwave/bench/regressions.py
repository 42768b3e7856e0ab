"""What became slower between two runs: ``mapwave bench compare OLD.json NEW.json``.

The exit status is 1 when something did, and 2 when the two cannot be compared.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from . import machine, results
from .report import Row, short
from .results import Results, UnknownResults
from .task import SUBJECT
from .timing import quantile

LIMIT = 1.10
"""So many times as long is a regression."""

LEAST_MB = 1.0
"""Memory may grow by so much more, in any case."""


class Incomparable(ValueError):
    """Two runs whose figures say nothing about each other."""


@dataclass(frozen=True)
class Change:
    """One of mapwave's rows in both runs."""

    task: str
    rival: str
    unit: str
    old: float
    new: float
    drift: float | None
    """How many times as long the peers and the floor took in the new run, or None when there are none in both."""
    problem: str = ""
    """What mapwave did wrong in the new run and did right in the old one."""

    @property
    def raw(self) -> float:
        """The new median over the old one."""
        return self.new / self.old if self.old else 1.0

    @property
    def corrected(self) -> float:
        """The same without what the machine itself became slower or faster by."""
        return self.raw / self.drift if self.drift else self.raw

    @property
    def is_regression(self) -> bool:
        if self.problem:
            return True
        if self.unit == "MB":
            return self.new - self.old > LEAST_MB and (self.old <= 0 or self.raw > LIMIT)
        return self.corrected > LIMIT


def changes(old: Results, new: Results, *, any_machine: bool = False) -> list[Change]:
    """mapwave's rows that are in both runs, with what its peers did meanwhile. Raises Incomparable."""
    if old.is_quick != new.is_quick:
        raise Incomparable("one of the two is a quick run, which is shorter in other ways than in its rounds")
    differing = [name for name in machine.IDENTITY if old.machine.get(name) != new.machine.get(name)]
    if differing and not any_machine:
        facts = "; ".join(f"{name}: {old.machine.get(name)} and {new.machine.get(name)}" for name in differing)
        raise Incomparable(f"the machines differ ({facts}); --any-machine compares all the same")
    before, after = _by_key(old.rows), _by_key(new.rows)
    found = []
    for key, row in after.items():
        earlier = before.get(key)
        if row.peer != SUBJECT or earlier is None or earlier.times.problem:
            continue
        drift = None if row.unit == "MB" else _drift(row, before, after)
        found.append(
            Change(row.task, row.rival, row.unit, earlier.times.median, row.times.median, drift, row.times.problem)
        )
    return found


def describe(found: list[Change]) -> str:
    """A table of the regressions, and a line about the rest."""
    worse = sorted((change for change in found if change.is_regression), key=lambda change: -change.corrected)
    if not worse:
        return f"no regression over {LIMIT - 1:.0%} in {len(found)} rows"
    lines = [f"{len(worse)} of {len(found)} rows became worse by more than {LIMIT - 1:.0%}:", ""]
    lines += ["| task | who | before | now | change | beside the peers |", "|---|---|---:|---:|---:|---:|"]
    for change in worse:
        now = change.problem or short(change.new, f" {change.unit}")
        figures = ("", "") if change.problem else (short(change.raw, "x"), short(change.corrected, "x"))
        cells = (change.task, change.rival, short(change.old, f" {change.unit}"), now, *figures)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main(old: Path, new: Path, *, any_machine: bool = False) -> int:
    """0, or 1 when there are regressions, or 2 when the two cannot be compared."""
    try:
        found = changes(results.read(old), results.read(new), any_machine=any_machine)
    except (Incomparable, UnknownResults, OSError) as error:
        print(f"mapwave bench compare: {error}", file=sys.stderr)
        return 2
    print(describe(found))
    return 1 if any(change.is_regression for change in found) else 0


def _by_key(rows: list[Row]) -> dict[tuple[str, str, float], Row]:
    return {(row.task, row.rival, round(row.seconds, 3)): row for row in rows}


def _drift(
    subject: Row, before: dict[tuple[str, str, float], Row], after: dict[tuple[str, str, float], Row]
) -> float | None:
    """The median of how many times as long each peer and the floor took in this task."""
    ratios = []
    for key, row in after.items():
        earlier = before.get(key)
        if row.task != subject.task or row.peer == SUBJECT or earlier is None:
            continue
        if not (row.times.problem or earlier.times.problem) and earlier.times.median > 0:
            ratios.append(row.times.median / earlier.times.median)
    return quantile(sorted(ratios), 0.5) if ratios else None
