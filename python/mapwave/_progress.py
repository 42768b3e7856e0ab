"""The progress line of ``batch_load(..., progress=True)`` on stderr."""

from __future__ import annotations

import sys


def show(done: int, total: int) -> None:
    """Shows that ``done`` of ``total`` files are loaded, where stderr is a terminal."""
    stream = sys.stderr
    if stream is None or not stream.isatty():
        return
    end = "\n" if done == total else ""
    print(f"\rmapwave: {done}/{total} files", end=end, file=stream, flush=True)
