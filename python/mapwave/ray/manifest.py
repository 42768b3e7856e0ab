"""What a conversion leaves beside its files: rows for each of them, and a file that says that all is done.

::

    out/_mapwave/settings.json      what was asked for; written first
    out/_mapwave/parts/*.jsonl      the rows of a part, written when all files of the part are at their paths
    out/_mapwave/scratch/           files that are being written; a killed process leaves them here and nowhere else
    out/_manifest.jsonl             all rows, one a file in order of their paths, when everything is done
    out/_SUCCESS                    the totals as JSON; written last
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from .storage import Storage

#: How many manifests of parts are read at once.
_REQUESTS_AT_ONCE = 16


@dataclass(frozen=True)
class Row:
    """What became of a file."""

    #: The path below the directory that is converted, and the size and time of that file.
    source: str
    source_bytes: int
    source_mtime_ns: int
    #: The path below the new directory; None where there is no file because of the error.
    output: str | None
    output_bytes: int | None
    frames: int | None
    sample_rate: int | None
    channels: int | None
    error: str | None


class Manifest:
    """The records of a conversion in its new directory."""

    def __init__(self, storage: Storage, directory: str) -> None:
        self._storage = storage
        self._directory = directory
        self._own = storage.join(directory, "_mapwave")
        self._parts = storage.join(self._own, "parts")
        self._settings = storage.join(self._own, "settings.json")
        self._whole = storage.join(directory, "_manifest.jsonl")
        self._success = storage.join(directory, "_SUCCESS")

    def begin(self, settings: dict[str, Any], resume: bool) -> dict[str, Row]:
        """Prepares a run: sweeps what earlier ones left half done, and records the settings.

        Returns:
            The rows of the files that earlier runs converted, by their sources.

        Raises:
            ValueError: The directory was converted to with other settings.
        """
        storage = self._storage
        storage.remove_directory(storage.join(self._own, "scratch"))
        if not resume:
            storage.remove_directory(self._own)
            storage.remove_file(self._whole)
        storage.remove_file(self._success)
        # Values that JSON does not have, such as NumPy's types, stand by their names.
        settings = json.loads(json.dumps(settings, default=str))
        if storage.exists(self._settings):
            before = json.loads(storage.read_bytes(self._settings))
            if before != settings:
                names = sorted({*before, *settings})
                changed = [name for name in names if before.get(name) != settings.get(name)]
                raise ValueError(
                    f"{self._directory} was converted to with other settings: "
                    + ", ".join(f"{name} was {before.get(name)!r} and is {settings.get(name)!r}" for name in changed)
                    + "; choose another directory, or pass resume=False to convert all files again"
                )
        storage.make_directory(self._parts)
        self._write(self._settings, json.dumps(settings, indent=1).encode())
        return self._rows()

    def scratch(self) -> str:
        """A new directory for files that are being written."""
        path = self._storage.join(self._own, "scratch", uuid.uuid4().hex)
        self._storage.make_directory(path)
        return path

    def drop(self, scratch: str) -> None:
        """Removes a directory that `scratch` made."""
        if not self._storage.is_whole_or_nothing:
            self._storage.remove_directory(scratch)

    def add_part(self, name: str, rows: Iterable[Row], scratch: str) -> None:
        """Records a part whose files are all at their paths. Recording it again replaces it."""
        path = self._storage.join(self._parts, f"{name}.jsonl")
        self._storage.write(path, _lines(rows), self._storage.join(scratch, "rows.jsonl"))

    def finish(self, sources: Iterable[str], totals: dict[str, Any]) -> int:
        """Writes the whole manifest, then the file that says so, and removes the rest.

        Args:
            sources: The files that there are now; rows of others are left out.
            totals: More facts for ``_SUCCESS``.

        Returns:
            The number of rows.
        """
        rows = self._rows()
        kept = [rows[source] for source in sorted(sources) if source in rows]
        self._write(self._whole, _lines(kept))
        facts = {
            "files": sum(row.error is None for row in kept),
            "errors": sum(row.error is not None for row in kept),
            "bytes": sum(row.output_bytes or 0 for row in kept),
            **totals,
        }
        self._write(self._success, json.dumps(facts, indent=1).encode() + b"\n")
        self._storage.remove_directory(self._parts)
        self._storage.remove_directory(self._storage.join(self._own, "scratch"))
        return len(kept)

    def _rows(self) -> dict[str, Row]:
        """The rows of the manifest and of all parts, by their sources; a later row replaces an earlier one."""
        texts = [self._storage.read_bytes(self._whole)] if self._storage.exists(self._whole) else []
        paths = [self._storage.join(self._parts, name) for name in self._storage.names(self._parts)]
        with ThreadPoolExecutor(_REQUESTS_AT_ONCE) as requests:
            texts += requests.map(self._storage.read_bytes, paths)
        rows: dict[str, Row] = {}
        for text in texts:
            for line in text.splitlines():
                row = Row(**json.loads(line))
                before = rows.get(row.source)
                # A file that was converted stays so, if a task that was thought lost reports an error of its own later.
                if before is None or row.error is None or before.error is not None:
                    rows[row.source] = row
        return rows

    def _write(self, path: str, data: bytes) -> None:
        scratch = self.scratch()
        self._storage.write(path, data, self._storage.join(scratch, "file"))
        self.drop(scratch)


def _lines(rows: Iterable[Row]) -> bytes:
    return b"".join(json.dumps(asdict(row), ensure_ascii=False).encode() + b"\n" for row in rows)
