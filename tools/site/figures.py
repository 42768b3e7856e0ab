"""Tables of docs/performance.md, from the JSON that ``mapwave bench`` writes."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SCHEMA = 1
SUBJECT, FLOOR = "mapwave", "floor"

#: What a table says of the machine.
MACHINE = ["cpu", "cores", "memory", "system", "python"]

#: Where a table of a document begins and ends. The first names the file, and after it the peers of the columns.
_MARKED = re.compile(
    r"^(?P<start><!-- figures (?P<file>\S+)(?P<peers>[^>]*?) -->\n).*?(?P<end><!-- end of figures -->)",
    re.DOTALL | re.MULTILINE,
)


class Unusable(Exception):
    """A file that does not hold the figures of a full and correct run."""


@dataclass
class Task:
    """A task: the median of each peer, and how many times the floor mapwave takes."""

    unit: str = ""
    medians: dict[str, float] = field(default_factory=dict)
    over_floor: float | None = None


def read(path: Path) -> tuple[dict[str, Any], dict[str, Task]]:
    """The document, and its tasks in their order: of each peer the row that delivers what mapwave delivers."""
    document = json.loads(path.read_text())
    if document.get("schema") != SCHEMA:
        raise Unusable(f"{path} has schema {document.get('schema')}, and this program reads {SCHEMA}")
    if document["is_quick"]:
        raise Unusable(f"{path} is of a quick run, whose figures are a first impression")
    tasks: dict[str, Task] = {}
    for row in document["rows"]:
        times, peer = row["times"], row["peer"]
        if row["rival"] == SUBJECT and times["problem"]:
            raise Unusable(f"{path}: {row['task']}: {times['problem']}")
        if times["problem"] or peer == FLOOR:
            continue
        task = tasks.setdefault(row["task"], Task(unit=row["unit"]))
        if row["rival"] == SUBJECT:
            task.over_floor = row["over_floor"]
        if row["rival"] == SUBJECT or (peer != SUBJECT and peer not in task.medians):
            task.medians[peer] = times["median"]
    return document, {name: task for name, task in tasks.items() if SUBJECT in task.medians}


def table(path: Path, peers: list[str]) -> str:
    """The machine, the date and the medians, with how many times as long as mapwave a peer takes."""
    document, tasks = read(path)
    peers = peers or sorted({peer for task in tasks.values() for peer in task.medians} - {SUBJECT})
    columns = [SUBJECT, *peers, "times the floor"]
    facts = document["machine"]
    machine = ", ".join(f"{name} {facts[name]}" for name in MACHINE if name in facts)
    versions = ", ".join(f"{name} {value}" for name, value in document["versions"].items() if value != "absent")
    lines = [f"Measured on {document['created'][:10]}: {machine}; {versions}.", ""]
    lines += [f"| task | {' | '.join(columns)} |", f"|---|{'---:|' * len(columns)}"]
    for name, task in tasks.items():
        own = task.medians[SUBJECT]
        cells = [f"**{_figure(own, task.unit)}**"]
        for peer in peers:
            median = task.medians.get(peer)
            cells.append("" if median is None else _figure(median, task.unit) + _times(median, own, task.unit))
        cells.append(f"{task.over_floor:.2f}x" if task.over_floor else "")
        lines.append(f"| {name.replace('|', '/')} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _times(median: float, own: float, unit: str) -> str:
    # A ratio of megabytes says little where one of them is nearly none.
    return f" ({_short(median / own)}x)" if unit != "MB" and own else ""


def _figure(value: float, unit: str) -> str:
    """A time in the unit that leaves one to three digits before the point."""
    steps = {"ms": ("s", "us"), "us": ("ms", None), "s": (None, "ms")}
    larger, smaller = steps.get(unit, (None, None))
    if larger and value >= 1000:
        return _figure(value / 1000, larger)
    if smaller and value < 0.1:
        return _figure(value * 1000, smaller)
    return f"{_short(value)} {unit}"


def _short(value: float) -> str:
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:.{digits}f}"


def written(document: Path) -> str:
    """The text of a document with each of its marked tables made again; the files lie relative to it."""

    def again(match: re.Match[str]) -> str:
        peers = [peer.strip() for peer in match["peers"].split(",") if peer.strip()]
        return f"{match['start']}\n{table(document.parent / match['file'], peers)}\n\n{match['end']}"

    return _MARKED.sub(again, document.read_text())
