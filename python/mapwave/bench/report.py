"""The rows and the table."""

from __future__ import annotations

from dataclasses import dataclass

from . import targets
from .peers import peer_of
from .task import FLOOR, SUBJECT
from .timing import Times

HEAD = ("task", "who", "median", "p90", "ratio", "x floor", "target", "")
ALIGNED = ("---", "---", "---:", "---:", "---:", "---:", "---:", "---")


@dataclass(frozen=True)
class Row:
    """One rival in one task. `ratio` is its median over mapwave's, `over_floor` over the floor's."""

    task: str
    group: str
    seconds: float
    """How much sound the task is about."""
    rival: str
    peer: str
    """Who the rival is, however it did the job."""
    unit: str
    times: Times
    ratio: float | None = None
    over_floor: float | None = None
    target: str = ""
    met: bool | None = None


def timed_rows(task: str, unit: str, times: dict[str, Times], group: str = "", seconds: float = 0.0) -> list[Row]:
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
        over_floor = over(rival, FLOOR)
        rows.append(Row(task, group, seconds, rival, peer_of(rival), unit, taken, ratio, over_floor, target, met))
    return rows


def memory_rows(task: str, taken: dict[str, Times], group: str = "", seconds: float = 0.0) -> list[Row]:
    """A memory task's rows: a limit for mapwave, figures for the others."""
    rows = []
    for rival, peak in taken.items():
        target, met = "", None
        if rival == SUBJECT:
            target = f"<= {targets.PEAK_MEMORY_MB:g} MB"
            met = None if peak.problem else peak.median <= targets.PEAK_MEMORY_MB
        rows.append(Row(task, group, seconds, rival, peer_of(rival), "MB", peak, target=target, met=met))
    return rows


def failed_row(task: str, problem: str, group: str = "", seconds: float = 0.0) -> Row:
    """The row of a task that could not be set up."""
    return Row(task, group, seconds, "", "", "", Times(problem=problem))


def markdown(rows: list[Row]) -> str:
    """The table; a task's name stands on its first row only."""
    lines = [_line(HEAD), _line(ALIGNED)]
    previous = ""
    for row in rows:
        if row.times.problem:
            figures = (row.times.problem.replace("|", "/"), "", "", "")
        else:
            figures = (
                short(row.times.median, f" {row.unit}"),
                short(row.times.p90, f" {row.unit}"),
                short(row.ratio, "x"),
                short(row.over_floor, "x"),
            )
        mark = {None: "", True: "✓", False: "✗"}[row.met]
        lines.append(_line((row.task if row.task != previous else "", row.rival, *figures, row.target, mark)))
        previous = row.task
    return "\n".join(lines)


def standing(rows: list[Row]) -> list[str]:
    """For each peer, how often mapwave was faster, and by how much in the middle."""
    lines = []
    for peer in dict.fromkeys(row.peer for row in rows):
        ratios = sorted(ratio for row in rows if row.peer == peer != SUBJECT and (ratio := row.ratio) is not None)
        if ratios:
            faster = sum(ratio > 1 for ratio in ratios)
            middle = ratios[len(ratios) // 2]
            lines.append(f"{peer}: mapwave is faster in {faster} of {len(ratios)} rows; the median is {short(middle)}x")
    return lines


def short(value: float | None, suffix: str = "") -> str:
    """A figure of about three digits."""
    if value is None:
        return ""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:.{digits}f}{suffix}"


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cells) + " |"
