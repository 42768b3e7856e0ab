"""The line on stderr that ``batch_load(..., progress=True)`` keeps up to date."""

from __future__ import annotations

import sys


def show(done: int, total: int) -> None:
    """Tells that ``done`` of ``total`` files are loaded."""
    end = "\n" if done == total else ""
    print(f"\rmapwave: {done}/{total} files", end=end, file=sys.stderr, flush=True)
