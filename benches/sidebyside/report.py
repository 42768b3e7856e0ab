"""The table and the JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from . import targets
from .task import FLOOR, SUBJECT
from .timing import Times

HEAD = ("task", "who", "median", "p90", "ratio", "x floor", "target", "")


@dataclass(frozen=True)
class Row:
    """One rival in one task. `ratio` is its median over mapwave's, `over_floor` over the floor's."""

    task: str
    rival: str
    unit: str
    times: Times
    ratio: float | None = None
    over_floor: float | None = None
    target: str = ""
    met: bool | None = None


def timed_rows(task: str, unit: str, times: dict[str, Times]) -> list[Row]:
    """A task's rows, with ratios to mapwave and to the floor wherever both were measured."""

    def over(rival: str, base: str) -> float | None:
        if rival == base or base not in times or times[base].problem or times[rival].problem:
            return None
        return times[rival].median / times[base].median

    rows = []
    for rival, taken in times.items():
        ratio = over(rival, SUBJECT) if rival != FLOOR else None
        wanted = targets.RATIOS.get((task, rival))
        target = f">= {wanted:g}x" if wanted is not None else ""
        met = ratio >= wanted if ratio is not None and wanted is not None else None
        rows.append(Row(task, rival, unit, taken, ratio, over(rival, FLOOR), target, met))
    return rows


def memory_rows(task: str, taken: dict[str, Times]) -> list[Row]:
    """A memory task's rows: a limit for mapwave, figures for the others."""
    rows = []
    for rival, peak in taken.items():
        target, met = "", None
        if rival == SUBJECT:
            target = f"<= {targets.PEAK_MEMORY_MB:g} MB"
            met = None if peak.problem else peak.median <= targets.PEAK_MEMORY_MB
        rows.append(Row(task, rival, "MB", peak, target=target, met=met))
    return rows


def markdown(rows: list[Row]) -> str:
    """The table; a task's name stands on its first row only."""
    lines = [_line(HEAD), _line(("---", "---", "---:", "---:", "---:", "---:", "---:", "---"))]
    previous = ""
    for row in rows:
        if row.times.problem:
            figures = (row.times.problem.replace("|", "/"), "", "", "")
        else:
            figures = (
                _short(row.times.median, f" {row.unit}"),
                _short(row.times.p90, f" {row.unit}"),
                _short(row.ratio, "x"),
                _short(row.over_floor, "x"),
            )
        mark = {None: "", True: "✓", False: "✗"}[row.met]
        lines.append(_line((row.task if row.task != previous else "", row.rival, *figures, row.target, mark)))
        previous = row.task
    return "\n".join(lines)


def as_json(machine: dict[str, str], rows: list[Row], quick: bool) -> str:
    """Everything the table says, and on what it was measured."""
    document: dict[str, Any] = {"machine": machine, "quick": quick, "rows": [asdict(row) for row in rows]}
    return json.dumps(document, indent=1) + "\n"


def _short(value: float | None, suffix: str = "") -> str:
    if value is None:
        return ""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:.{digits}f}{suffix}"


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cells) + " |"
