"""``mapwave index --engine ray``: the facts of many files, found by the machines of a cluster."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from mapwave._index import Index, Row, expanded, scan_part
from mapwave._progress import show
from mapwave.errors import AudioError

from .engines import run_parts

#: The files of a task: opening them takes about a tenth of a second on a local disk.
_FILES_PER_TASK = 2048


@dataclass(frozen=True)
class IndexPart:
    """Files that one task asks about."""

    number: int
    names: tuple[str, ...]
    known: dict[str, Row]


@dataclass(frozen=True)
class IndexJob:
    """What all parts share."""

    hash: str | None
    seek_tables: bool

    def __call__(self, part: IndexPart) -> tuple[int, list[Row]]:
        """The number of the part, and the rows of its files."""
        return part.number, scan_part(list(part.names), part.known, self.hash, self.seek_tables)


def index_on_ray(
    paths: Sequence[str | os.PathLike[str]],
    table: str | os.PathLike[str],
    *,
    address: str | None = None,
    num_workers: int | None = None,
    on_error: str = "record",
    hash: str | None = None,
    seek_tables: bool = False,
) -> Index:
    """As ``mapwave.index``, by tasks on a Ray cluster, all machines of which must be able to read the files."""
    # Tasks may run in other working directories.
    names = [os.path.abspath(name) for name in expanded(paths)]
    known = {row.path: row for row in Index.read(table)} if os.path.exists(table) else {}
    starts = range(0, len(names), _FILES_PER_TASK)
    parts = []
    for number, start in enumerate(starts):
        of_part = tuple(names[start : start + _FILES_PER_TASK])
        # An archive's rows have the names of its members.
        archives = tuple(f"{name}::" for name in of_part if name.endswith(".tar"))
        rows = {
            path: row for path, row in known.items() if path in set(of_part) or (archives and path.startswith(archives))
        }
        parts.append(IndexPart(number, of_part, rows))
    job = IndexJob(hash, seek_tables)
    found: dict[int, list[Row]] = {}
    done = 0
    for number, rows_of_part in run_parts(job, parts, engine="ray", num_workers=num_workers, address=address):
        found[number] = rows_of_part
        done += len(parts[number].names)
        show(done, len(names))
    all_rows = [row for _, rows_of_part in sorted(found.items()) for row in rows_of_part]
    failed = [row for row in all_rows if row.error is not None]
    if on_error == "raise" and failed:
        raise AudioError(failed[0].error or "", path=failed[0].path)
    if on_error == "skip":
        all_rows = [row for row in all_rows if row.error is None]
    index = Index(all_rows)
    index.write(table)
    return index
