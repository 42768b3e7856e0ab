"""A run's results, and the JSON they are kept as."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .report import Row
from .timing import Times

SCHEMA = 1
"""Grows when an older reader could not make sense of what is written."""


@dataclass(frozen=True)
class Results:
    """Every row, and on what it was measured."""

    created: str
    """When the run began, as ISO 8601."""
    machine: dict[str, str]
    versions: dict[str, str]
    mapwave: dict[str, str]
    is_quick: bool
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class UnknownResults(ValueError):
    """A file that does not hold results of this version."""


def as_json(results: Results) -> str:
    """The results as text."""
    return json.dumps({"schema": SCHEMA} | asdict(results), indent=1) + "\n"


def read(path: Path) -> Results:
    """The results in a file. Raises UnknownResults."""
    try:
        document: dict[str, Any] = json.loads(path.read_text())
    except ValueError as error:
        raise UnknownResults(f"{path} is not JSON: {error}") from None
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        found = document.get("schema") if isinstance(document, dict) else None
        raise UnknownResults(f"{path} has schema {found}, and this version of mapwave reads {SCHEMA}")
    try:
        rows = [Row(**(row | {"times": _times(row["times"])})) for row in document.pop("rows")]
        del document["schema"]
        return Results(rows=rows, **document)
    except (KeyError, TypeError) as error:
        raise UnknownResults(f"{path} does not hold what results of schema {SCHEMA} hold: {error}") from None


def newest(directory: Path) -> Path | None:
    """The last results in a directory: their names begin with the time."""
    found = sorted(directory.glob("*.json"))
    return found[-1] if found else None


def _times(document: dict[str, Any]) -> Times:
    return Times(**(document | {"series": tuple(document["series"])}))
