"""The progress line of ``batch_load(..., progress=True)`` on stderr."""

from __future__ import annotations

import sys


def show(done: int, total: int) -> None:
    """Shows that ``done`` of ``total`` files are loaded."""
    end = "\n" if done == total else ""
    print(f"\rmapwave: {done}/{total} files", end=end, file=sys.stderr, flush=True)
